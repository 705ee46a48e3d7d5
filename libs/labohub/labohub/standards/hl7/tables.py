"""Codes that travel in answers, with the labels as published.

Source: HL7 tables 0357, 0516, 0533; CI-SIS volet "Transmission d'un document CDA-R2 en HL7v2" 2.1.3
(tables AckMetierZAM, SMTPERRORCODE, MetaDMP/MSS).
"""

MESSAGE_ERROR = {  # 0357
    "0": "Message accepted",
    "100": "Segment sequence error",
    "101": "Required field missing",
    "102": "Data type error",
    "103": "Table value not found",
    "198": "Non-conformant cardinality",
    "199": "Other HL7 Error",
    "200": "Unsupported message type",
    "201": "Unsupported event code",
    "202": "Unsupported processing id",
    "203": "Unsupported version id",
    "204": "Unknown key identifier",
    "205": "Duplicate key identifier",
    "206": "Application record locked",
    "207": "Application internal error",
}

VOLET_LABELS = {  # where the volet writes another label for the same code
    "202": "Unsupported processing",
    "203": "Unsupported version",
    "207": "Application error",
}

SMTP_ERROR = {  # SMTPERRORCODE, ERR-5 of Z02
    "101": "Le serveur n'arrive pas à se connecter.",
    "111": "Connexion refusée ou impossibilité d'ouvrir un flux SMTP.",
    "251": "Le compte du destinataire n'est pas sur le serveur actuel. L'envoi sera donc relayé à un autre serveur.",
    "252": (
        "Le serveur ne peut pas vérifier l'utilisateur. "
        "Il confirme cependant qu'il essaiera de transmettre le message malgré tout"
    ),
    "420": "« Problème de connexion de temporisation » : il y a eu des problèmes pendant le transfert du message.",
    "421": "Le service est indisponible en raison d'un problème de connexion.",
    "422": "La boîte aux lettres du destinataire a dépassé sa limite de stockage.",
    "431": ("Espace insuffisant sur le disque, ou état de mémoire insuffisante en raison d'une surcharge de fichiers."),
    "432": "Mot de passe de transition nécessaire",
    "441": "Le serveur du destinataire ne répond pas",
    "442": "La connexion a été interrompue pendant la transmission",
    "450": "Action non effectuée : boîte-aux-lettres non disponible [Ex., bloquée par un autre utilisateur]",
    "451": "Action arrêtée : erreur de traitement",
    "452": "Action non effectuée : manque de ressources système.",
    "500": (
        "Erreur de syntaxe, commande non reconnue [y compris des erreurs de type « ligne de commande trop longue »]"
    ),
    "501": "Erreur de syntaxe dans des paramètres ou arguments de commande",
    "502": "Commande non implémentée",
    "503": "Mauvaise séquence de commandes",
    "504": "Paramètre de commande non implémenté",
    "510": "Mauvaise adresse courriel",
    "512": "Ce code indique une erreur DNS. Le serveur hôte du nom de domaine du destinataire est introuvable.",
    "513": (
        "Le type d'adresse est incorrect. Souvent un problème lié à une faute d'orthographe. "
        "Dans de rares cas, il peut être lié à un problème d'authentification."
    ),
    "523": "La taille totale de votre mailing dépasse les limites du serveur destinataire.",
    "530": (
        "L'authentification est requise. Vous devez authentifier votre compte de messagerie avant d'envoyer un e-mail"
    ),
    "541": (
        "L'adresse du destinataire a rejeté votre message. "
        "Dans la plupart des cas, c'est une erreur causée par un filtre anti-spam."
    ),
    "550": (
        "Action non effectuée : boîte aux lettres non disponible (ex. : boîte-aux-lettres non trouvée, pas d'accès)."
    ),
    "551": (
        "Un relais peut être interrompu car votre adresse et celle du destinataire "
        "ne sont pas hébergées localement par le serveur."
    ),
    "552": (
        "Action abandonnée - Allocation de stockage dépassée. "
        "La boîte aux lettres du destinataire a dépassé ses limites."
    ),
    "553": "La commande a été abandonnée car le nom de la boîte aux lettres n'est pas valide.",
    "554": (
        "Cela signifie que l'envoi a échoué. "
        "Ce code indique une erreur permanente et le serveur n'essaiera pas d'envoyer le message à nouveau."
    ),
}

APPLICATION_ERROR = {  # ERR-5 of Z03
    "900": "Version du document incorrecte lors d'une demande de remplacement/suppression",
    "901": "Auteur non autorisé à remplacer ou supprimer un document",
    "902": "Identifiant patient inconnu",
    "903": "INS non présent dans le document",
    "904": "L'INS transmis ne correspond pas exactement à celui stocké dans la base du consommateur",
    "905": "L'INS transmis n'est pas complet",
    "906": "Erreur 'Autre'",
}

ACK_METIER = {  # AckMetierZAM
    "ACK_RECEPTION_DMP": "Accusé de réception DMP",
    "ACK_RECEPTION_MSS": "Accusé de réception MSSanté",
    "DESTINATAIRE_MSS": "Destinataire MSSanté",
    "ACK_LECTURE_MSS": "Accusé de lecture",
    "LECTEUR_MSS": "Lecteur du courriel MSSanté",
}

METADATA = (  # MetaDMP/MSS, the ten required rows in their order
    "MASQUE_PS",
    "INVISIBLE_PATIENT",
    "INVISIBLE_REP_LEGAUX",
    "CONNEXION_SECRETE",
    "MODIF_CONF_CODE",
    "DESTDMP",
    "DESTMSSANTEPS",
    "DESTMSSANTEPAT",
    "ACK_RECEPTION",
    "ACK_LECTURE_MSS",
)
MASKING = METADATA[:5]  # no default exists for these: absent means refused

FORMER_NAMES = {  # profiles 1.2 and 2.0
    "INVISIBLE_REPRESENTANTS_LEGAUX": "INVISIBLE_REP_LEGAUX",
    "MODIF_CONFIDENTIALITYCODE": "MODIF_CONF_CODE",
    "ACK_LECTURE": "ACK_LECTURE_MSS",
}

ORDER_ANSWERS = {"O21": ("ORL", "O22"), "O33": ("ORL", "O34"), "O35": ("ORL", "O36")}  # OML to its answer

# LTW and ILW
VALUE_TYPES = frozenset(  # 0125, what laboratories send
    ("NM", "SN", "ST", "TX", "FT", "CE", "CWE", "CNE", "TS", "DTM", "DT", "TM", "NA", "ED", "RP", "EI", "CX", "XCN",
     "CP", "DR")
)  # fmt: skip
OBSERVATION_STATUSES = frozenset("OIRPSFCDXNW")  # 0085; IHE excludes U: the value is not sent again
ORDER_STATUSES = frozenset("OSIARPFCX")  # 0123; Y and Z answer queries
