"""The words of the pages, in French and English. Codes stay codes."""

from typing import Final

LANGUAGES: Final = ("fr", "en")

STATES: Final[dict[str, tuple[str, str]]] = {
    "seen": ("Vu", "Seen"),
    "held": ("Retenu", "Held"),
    "received": ("Reçu", "Received"),
    "waiting-identity": ("Identité à résoudre", "Identity to resolve"),
    "identified": ("Identité qualifiée", "Identity qualified"),
    "built": ("Document prêt", "Document ready"),
    "refused": ("Document refusé", "Document refused"),
    "sending": ("En cours d'envoi", "Being sent"),
    "delivered": ("Délivré", "Delivered"),
    "partly-delivered": ("Partiel", "Partial"),
    "uncertain": ("Incertain", "Uncertain"),
    "failed": ("Échec", "Failed"),
    "stopped": ("Arrêté", "Stopped"),
    "archived": ("Archivé", "Archived"),
    "in-progress": ("En cours", "In progress"),
    "attention": ("À traiter", "Needs someone"),
}

OUTCOMES: Final[dict[str, tuple[str, str]]] = {
    "planned": ("Prévu", "Planned"),
    "delayed": ("Retardé", "Delayed"),
    "accepted": ("Pris en charge", "Accepted"),
    "uncertain": ("Incertain", "Uncertain"),
    "delivered": ("Remis", "Delivered"),
    "bounced": ("Non distribué", "Bounced"),
    "refused": ("Refusé", "Refused"),
    "read-failed": ("Non intégré", "Not integrated"),
    "read": ("Lu", "Read"),
    "answered": ("Réponse reçue", "Answered"),
}

STEPS: Final[dict[str, tuple[str, str]]] = {
    "report.received": ("Message reçu", "Message received"),
    "message.archived": ("Message archivé", "Message archived"),
    "report.held": ("Retenu par le laboratoire", "Held by the laboratory"),
    "patient.corrected": ("Identité corrigée", "Identity corrected"),
    "feeding.opposed": ("Opposition au DMP", "Opposition to the DMP"),
    "identity.qualified": ("Identité qualifiée", "Identity qualified"),
    "identity.unresolved": ("Identité à résoudre", "Identity unresolved"),
    "identity.withdrawn": ("Identité retirée", "Identity withdrawn"),
    "document.built": ("Document prêt", "Document ready"),
    "document.refused": ("Document refusé", "Document refused"),
    "mail.accepted": ("Courriel pris en charge", "Mail accepted"),
    "mail.delivered": ("Courriel remis", "Mail delivered"),
    "mail.delayed": ("Courriel retardé", "Mail delayed"),
    "mail.bounced": ("Courriel non distribué", "Mail bounced"),
    "mail.uncertain": ("Envoi incertain", "Sending uncertain"),
    "mail.read": ("Courriel lu", "Mail read"),
    "mail.answered": ("Réponse reçue", "Reply received"),
    "dmp.accepted": ("Déposé au DMP", "Filed in the DMP"),
    "dmp.refused": ("Refusé par le DMP", "Refused by the DMP"),
    "answer.settled": ("Retour au SGL", "Answer to the lab"),
    "message.settled": ("État final", "Terminal state"),
    "event.set-aside": ("Mis de côté", "Set aside"),
}

DOTS: Final[dict[str, tuple[str, str]]] = {  # under a dot of the picture: its lane says the rest
    "report.received": ("Reçu", "Received"),
    "message.archived": ("Archivé", "Archived"),
    "report.held": ("Retenu", "Held"),
    "patient.corrected": ("Corrigée", "Corrected"),
    "feeding.opposed": ("Opposition", "Opposition"),
    "identity.qualified": ("Qualifiée", "Qualified"),
    "identity.unresolved": ("À résoudre", "Unresolved"),
    "identity.withdrawn": ("Retirée", "Withdrawn"),
    "document.built": ("Prêt", "Ready"),
    "document.refused": ("Refusé", "Refused"),
    "mail.accepted": ("Pris en charge", "Accepted"),
    "mail.delivered": ("Remis", "Delivered"),
    "mail.delayed": ("Retardé", "Delayed"),
    "mail.bounced": ("Non distribué", "Bounced"),
    "mail.uncertain": ("Incertain", "Uncertain"),
    "mail.read": ("Lu", "Read"),
    "mail.answered": ("Réponse", "Reply"),
    "dmp.accepted": ("Déposé", "Filed"),
    "dmp.refused": ("Refusé", "Refused"),
    "answer.settled": ("Retour SGL", "Answer"),
    "message.settled": ("État final", "Settled"),
    "event.set-aside": ("De côté", "Set aside"),
}

SERVICES: Final[dict[str, tuple[str, str]]] = {
    "ingest-hl7": ("Réception HL7", "HL7 intake"),
    "ins-qualifier": ("Identité INS", "INS identity"),
    "cda-builder": ("Document CDA", "CDA document"),
    "mss-sender": ("MSSanté", "MSSanté"),
    "dmp-feeder": ("DMP", "DMP"),
}

WORKLISTS: Final[dict[str, tuple[str, str, str, str]]] = {
    "identity": (
        "Identités", "Identities",
        "Aucune identité n'attend. Un compte rendu s'arrête ici quand son INS n'est pas qualifiée.",
        "No identity waits. A report stops here when its INS is not qualified.",
    ),
    "recipients": (
        "Destinataires", "Recipients",
        "Tous les destinataires ont pu être joints. Une adresse refusée ou un envoi incertain apparaît ici.",
        "Every recipient was reached. A refused address or an uncertain sending shows up here.",
    ),
    "returns": (
        "Retours", "Returns",
        "Aucun retour en erreur. Un refus du DMP ou une erreur d'intégration d'un logiciel apparaît ici.",
        "No return in error. A refusal of the DMP or an integration error of a software shows up here.",
    ),
    "conformance": (
        "Conformité", "Conformance",
        "Tous les documents sont conformes. Un document refusé apparaît ici avec son code.",
        "Every document conforms. A refused document shows up here with its code.",
    ),
    "dead": (
        "Mis de côté", "Set aside",
        "Rien n'est de côté. Un événement que l'on n'a pas su traiter est gardé, et apparaît ici avec son code.",
        "Nothing is set aside. An event that could not be handled is kept, and shows up here with its code.",
    ),
}  # fmt: skip

PATHS: Final[dict[str, tuple[str, str]]] = {
    "relay": ("Relais du CDA du SGL", "Relay of the lab's CDA"),
    "structuring": ("Structuration par le hub", "Structured by the hub"),
    "": ("—", "—"),
}

REQUESTS: Final[dict[str, tuple[str, str]]] = {
    "initial": ("Initial", "Initial"),
    "replacement": ("Remplacement", "Replacement"),
    "deletion": ("Suppression", "Deletion"),
    "": ("—", "—"),
}

KINDS: Final[dict[str, tuple[str, str]]] = {
    "professional": ("Professionnel", "Professional"),
    "organisation": ("Structure", "Organisation"),
    "application": ("BAL applicative", "Application mailbox"),
    "patient": ("Patient", "Patient"),
    "dmp": ("Dossier médical partagé", "Shared medical record"),
}

# (icon, tone) of each state and outcome: colours never stand alone.
LOOKS: Final[dict[str, tuple[str, str]]] = {
    "seen": ("dot", "muted"), "held": ("clock", "warning"), "received": ("inbox", "info"),
    "waiting-identity": ("person", "warning"),
    "identified": ("person", "info"), "built": ("file", "info"), "refused": ("cross", "error"),
    "sending": ("send", "info"), "delivered": ("check", "ok"), "partly-delivered": ("half", "warning"),
    "failed": ("cross", "error"), "stopped": ("stop", "error"), "archived": ("box", "muted"),
    "in-progress": ("clock", "info"), "attention": ("alert", "warning"),
    "planned": ("clock", "muted"), "delayed": ("clock", "warning"), "accepted": ("send", "info"),
    "uncertain": ("question", "warning"), "bounced": ("cross", "error"), "read-failed": ("alert", "error"),
    "read": ("eye", "ok"), "answered": ("reply", "ok"),
    "ok": ("check", "ok"), "waiting": ("clock", "warning"),
    "warning": ("alert", "warning"), "error": ("cross", "error"),
}  # fmt: skip


def word(table: dict[str, tuple[str, ...]], key: str, language: str) -> str:
    """Return the word of a key in a language; the key itself when it has none."""
    found = table.get(key)
    return found[LANGUAGES.index(language)] if found else key
