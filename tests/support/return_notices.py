"""Notices, bounces and receipts, in the forms of many servers and mail clients."""

from collections.abc import Iterator

from tests.support.return_forms import BOX, DOCTOR, ENVELOPE, HEAD, OUR_ID, PATIENT, Case, mail, multipart


def notices() -> Iterator[Case]:
    """Give all of them."""
    yield from _dsn()
    yield from _bounces()
    yield from _mdn()
    yield from _error_mails()


# RFC 3464 notices ----------------------------------------------------------------------------------------------------

_SERVERS = {  # name: From, subject, per-message lines, has ENVID, has ORCPT, diagnostic type
    "postfix": ("MAILER-DAEMON@op.example", "Undelivered Mail Returned to Sender", True, True, "smtp"),
    "exim": ("Mailer-Daemon@op.example", "Mail delivery failed: returning message to sender", False, False, "smtp"),
    "sendmail": ("MAILER-DAEMON@op.example", "Returned mail: see transcript for details", True, False, "SMTP"),
    "exchange": ("postmaster@clinique.mssante.fr", "=?utf-8?q?Non_remis_=3A_XDM/1=2E0/DDM?=", False, True, "smtp"),
    "exchange-online": ("postmaster@x.onmicrosoft.example", "Undeliverable: XDM/1.0/DDM", False, False, "smtp"),
    "courier": ("postmaster@op.example", "NOTICE: mail delivery status.", True, True, "smtp"),
    "james": ("PostMaster@op.example", "Re: XDM/1.0/DDM", False, False, "smtp"),
    "domino": ("Postmaster@hopital.mssante.fr", "DELIVERY FAILURE: notice", False, False, "X-Notes"),
    "dovecot-lmtp": ("postmaster@op.example", "Rejected: XDM/1.0/DDM", False, True, "X-LMTP"),
    "opensmtpd": ("mailer-daemon@op.example", "Delivery status notification", True, False, "smtp"),
}
_FATES = (  # action, status, reply of the remote server, what is told
    ("delivered", "2.0.0", "", ("MailDelivered", "delivered")),
    ("relayed", "2.0.0", "", ("MailDelivered", "relayed")),
    ("expanded", "2.0.0", "", ("MailDelivered", "expanded")),
    ("delayed", "4.4.1", "", ("MailDelayed", "")),
    ("failed", "5.1.1", "550 5.1.1 no such user", ("MailBounced", "550")),
    ("failed", "5.2.2", "552 5.2.2 mailbox full", ("MailBounced", "552")),
    ("failed", "5.7.1", "554 5.7.1 refused", ("MailBounced", "554")),
    ("failed", "4.4.7", "", ("MailBounced", "420")),
)


def _dsn() -> Iterator[Case]:
    for server, (sender, subject, has_envid, has_orcpt, kind) in _SERVERS.items():
        for action, status, reply, told in _FATES:
            general = "Reporting-MTA: dns; mx.op.example\r\n"
            general += f"Original-Envelope-Id: {ENVELOPE}\r\n" if has_envid else ""
            block = f"Original-Recipient: rfc822;{DOCTOR}\r\n" if has_orcpt else ""
            said = "5.0.0" if server == "exim" and reply else status
            block += f"Final-Recipient: rfc822; {DOCTOR.title() if server == 'exchange' else DOCTOR}\r\n"
            block += f"Action: {action}\r\nStatus: {said}\r\n"
            if reply:
                block += f"Diagnostic-Code: {kind}; {reply}\r\n"
            returned = "message/rfc822" if server in ("exim", "courier") else "text/rfc822-headers"
            head = f"Return-Path: <>\r\nFrom: {sender}\r\nTo: {BOX}\r\nSubject: {subject}\r\nMessage-ID: <n@op>\r\n"
            parts = [
                ('text/plain; charset="utf-8"', "Voici le sort de votre message."),
                ("message/delivery-status", f"{general}\r\n{block}"),
                (returned, HEAD),
            ]
            raw = multipart(head, "multipart/report; report-type=delivery-status", *parts)
            yield Case(f"dsn {server} {action} {status}", raw, "dsn", told)
    yield from _rare_dsn()


def _rare_dsn() -> Iterator[Case]:
    head = f"Return-Path: <>\r\nFrom: MAILER-DAEMON@op.example\r\nTo: {BOX}\r\nSubject: Undelivered\r\n"
    status = f"Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; {DOCTOR}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    text = ("text/plain", "x")
    report = "multipart/report; report-type=delivery-status"
    inner = multipart("", report, text, ("message/delivery-status", status), ("text/rfc822-headers", HEAD)).decode()
    inner_type, _, inner_body = inner.removeprefix("MIME-Version: 1.0\r\nContent-Type: ").partition("\r\n\r\n")
    footer = ("text/plain", "Message analysé par la passerelle.")
    inside = (inner_type.replace("b0", "b1"), inner_body.replace("b0", "b1"))
    wrapped = multipart(head, "multipart/mixed", inside, footer)
    yield Case("dsn with a gateway's footer", wrapped, "dsn", ("MailBounced", "550"))
    yield Case(
        "dsn without report-type",
        multipart(head, "multipart/mixed", text, ("message/delivery-status", status), ("text/rfc822-headers", HEAD)),
        "dsn",
        ("MailBounced", "550"),
    )
    utf8 = status.replace("rfc822; ", "utf-8; ")
    yield Case(
        "dsn of the UTF-8 world",
        multipart(head, report, text, ("message/global-delivery-status", utf8), ("message/global-headers", HEAD)),
        "dsn",
        ("MailBounced", "550"),
    )
    others = "\r\nFinal-Recipient: rfc822; autre@x.mssante.fr\r\nAction: delivered\r\nStatus: 2.0.0\r\n"
    yield Case(
        "dsn of two recipients, the other delivered",
        multipart(head, report, text, ("message/delivery-status", status + others), ("text/rfc822-headers", HEAD)),
        "dsn",
        ("MailBounced", "550"),
    )
    for status_code, code in (("5.2.1", "554"), ("5.1.1", "550"), ("5.1.10", "550")):
        block = f"Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; {PATIENT}\r\nAction: failed\r\n"
        block += f"Status: {status_code}\r\n"
        yield Case(
            f"dsn of Mon espace santé {status_code}",
            multipart(head, report, text, ("message/delivery-status", block), ("text/rfc822-headers", HEAD)),
            "dsn",
            ("MailBounced", f"{code} mss.patient-without-box"),
            to_patient=True,
        )


# notices in free words -----------------------------------------------------------------------------------------------

_WORDS = (
    ("exim unknown", "550", "A message that you sent could not be delivered to one or more of its recipients.\n"
     "This is a permanent error. The following address(es) failed:\n\n  {to}\n    Unrouteable address\n"),
    ("exim rejected", "550", "The following address(es) failed:\n\n  {to}\n    host mx.x [1.2.3.4]\n"
     "    SMTP error from remote mail server after RCPT TO:<{to}>:\n    550 5.1.1 User unknown\n"),
    ("qmail unknown", "550", "Hi. This is the qmail-send program at op.example.\nI'm afraid I wasn't able to deliver "
     "your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n"
     "<{to}>:\nSorry, no mailbox here by that name. (#5.1.1)\n"),
    ("qmail expired", "420", "I'm not going to try again; this message has been in the queue too long.\n<{to}>:\n"
     "Connected but connection died. (#4.4.7)\n"),
    ("exchange fr", "550", "Échec de la remise à ces destinataires :\n{to}\nL'adresse de messagerie que vous avez "
     "saisie est introuvable.\n#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##\n"),
    ("quota fr", "552", "Message non remis à {to} : la boîte aux lettres du destinataire est pleine.\n"),
    ("quota en", "552", "{to}: mail quota exceeded for this user.\n"),
    ("size fr", "523", "Votre message à {to} est trop volumineux pour cet opérateur.\n"),
    ("size en", "523", "{to}: message too large.\n"),
    ("host", "512", "{to}: le serveur de ce domaine est introuvable.\n"),
    ("list", "554", "Le destinataire {to} n'appartient pas à l'espace de confiance.\n"),
    ("policy", "554", "Message to {to} blocked by content policy.\n"),
)  # fmt: skip
_MES = (
    ("closed", "554", "Votre message n'a pas pu être distribué : la messagerie du destinataire est fermée.\n"),
    ("unknown", "550", "Votre message n'a pas pu être distribué : patient non trouvé dans Mon espace santé.\n"),
    ("never opened", "550", "L'usager n'a pas activé Mon espace santé.\n"),
)


def _bounces() -> Iterator[Case]:
    codings = (("8bit", "utf-8"), ("quoted-printable", "iso-8859-1"), ("base64", "utf-8"))
    for name, code, words in _WORDS:
        for coding, charset in codings:
            head = (
                f"Return-Path: <>\r\nFrom: Mail Delivery System <Mailer-Daemon@op.example>\r\nTo: {BOX}\r\n"
                f"Subject: Mail delivery failed: returning message to sender\r\nX-Failed-Recipients: {DOCTOR}\r\n"
            )
            body = words.format(to=DOCTOR) + "\n------ This is a copy of the message ------\n\n" + HEAD
            raw = mail(head, body, coding=coding, charset=charset)
            yield Case(f"bounce {name} {coding}", raw, "bounce", ("MailBounced", code))
    for name, code, words in _MES:
        for coding, charset in codings:
            head = (
                f"Return-Path: <>\r\nFrom: Mon =?utf-8?q?espace_sant=C3=A9?= <ne-pas-repondre@patient.mssante.fr>\r\n"
                f"To: {BOX}\r\nSubject: =?utf-8?q?Message_non_distribu=C3=A9?=\r\nIn-Reply-To: {OUR_ID}\r\n"
            )
            raw = mail(head, words, coding=coding, charset=charset)
            yield Case(f"bounce of Mon espace santé {name} {coding}", raw, "bounce",
                       ("MailBounced", f"{code} mss.patient-without-box"), to_patient=True)  # fmt: skip
    for name, words in (
        ("address", "L'adresse du destinataire est incorrecte."),
        ("size", "Taille maximale dépassée."),
    ):
        head = f"From: noreply@patient.mssante.fr\r\nSubject: Message non distribue\r\nReferences: {OUR_ID}\r\n"
        code = {"address": "553", "size": "523"}[name]
        told = ("MailBounced", f"{code} mss.bounced")
        yield Case(f"bounce of Mon espace santé {name}", mail(head, words), "bounce", told, to_patient=True)
    for name, subject, words in (
        ("exim", "Warning: message 1abC delayed 24 hours", "No action is required on your part."),
        (
            "sendmail",
            "Warning: could not send message for past 4 hours",
            "Message will be retried. Do not need to resend.",
        ),
        ("fr", "=?utf-8?q?Remise_de_votre_message_retard=C3=A9e?=", "De nouvelles tentatives auront lieu."),
    ):
        head = f"Return-Path: <>\r\nFrom: MAILER-DAEMON@op.example\r\nSubject: {subject}\r\nIn-Reply-To: {OUR_ID}\r\n"
        yield Case(f"delay in words {name}", mail(head, words), "bounce", ("MailDelayed", ""))


# receipts ------------------------------------------------------------------------------------------------------------

_DISPOSITIONS = (
    ("displayed", "manual-action/MDN-sent-manually; displayed", "", ("MailRead", "displayed")),
    ("deleted", "manual-action/MDN-sent-automatically; deleted", "", ("MailRead", "deleted 906")),
    ("dispatched", "automatic-action/MDN-sent-automatically; dispatched", "", ("MailRead", "dispatched")),
    ("processed", "automatic-action/MDN-sent-automatically;processed", "", ("MailRead", "processed")),
    ("denied", "manual-action/MDN-sent-manually; denied", "", None),
    (
        "error 1.1.3", "automatic-action/MDN-sent-automatically; processed/error",
        "Error: 902^Identifiant patient inconnu^applicationErrorCondition\r\n", ("MailRead", "processed 902"),
    ),
    (
        "error 1.1.2", "automatic-action/MDN-sent-automatically; processed/Error: 904^INS different", "",
        ("MailRead", "processed 904"),
    ),
    ("failed 2298", "automatic-action/MDN-sent-automatically; failed", "Failure: x\r\n", ("MailRead", "failed 906")),
)  # fmt: skip


def _mdn() -> Iterator[Case]:
    for name, disposition, more, told in _DISPOSITIONS:
        fields = f"Reporting-UA: x; y\r\nFinal-Recipient: rfc822;{DOCTOR}\r\nOriginal-Message-ID: {OUR_ID}\r\n"
        fields += f"Disposition: {disposition}\r\n{more}"
        head = f"Return-Path: <>\r\nFrom: {DOCTOR}\r\nTo: {BOX}\r\nSubject: Lu : XDM/1.0/DDM+CR\r\n"
        text = ('text/plain; charset="utf-8"', "Le message a été lu.")
        machine = ("message/disposition-notification", fields)
        report = "multipart/report; report-type=disposition-notification"
        zipped = ('application/zip\r\nContent-Disposition: attachment; filename="IHE_XDM.zip"', "UEs=")
        yield Case(f"mdn {name}", multipart(head, report, text, machine), "mdn", told)
        yield Case(f"mdn {name} with its original",
                   multipart(head, report, text, machine, ("message/rfc822", HEAD + "\r\nx")), "mdn", told)  # fmt: skip
        yield Case(f"mdn {name} with the archive again", multipart(head, report, text, machine, zipped), "mdn", told)
        no_path = head.replace("Return-Path: <>", f"Return-Path: <{DOCTOR}>")
        yield Case(f"mdn {name} from a person's client", multipart(no_path, report, text, machine), "mdn", told)


def _error_mails() -> Iterator[Case]:
    for subject in ("=?utf-8?q?=5BKO_Int=C3=A9gration_syst=C3=A8me_!=5D=5B{}=5D_XDM?=",
                    "=?utf-8?q?=5BErreur_d'int=C3=A9gration_!=5D=5B{}=5D_XDM?="):  # fmt: skip
        for code in ("902", "905"):
            head = f"From: pfi@hopital.mssante.fr\r\nTo: {BOX}\r\nSubject: {subject.format(code)}\r\n"
            original = ("message/rfc822\r\nContent-Disposition: attachment", HEAD + "\r\nx")
            raw = multipart(head, "multipart/mixed", ("text/plain", "Erreur"), original)
            yield Case(f"error mail {code}", raw, "integration_error", ("MailRead", f"processed {code}"))
