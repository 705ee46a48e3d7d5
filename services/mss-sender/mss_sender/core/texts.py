"""The words of a mail. Never a result; French, since its readers are."""

from collections.abc import Sequence

from labohub.contracts.values import RecipientKind
from labohub.standards.xdm_metadata import Action
from mss_sender.core.laboratory import Laboratory
from mss_sender.core.values import PlannedMail


def body(mail: PlannedMail, laboratory: Laboratory) -> str:
    """Return the text of a mail: the sender's own words when it gave some, else ours."""
    texts = mail.source.report.texts
    given = texts.patient if mail.to_patient else texts.professional
    if given and given.strip():
        return given
    paragraphs = ["Bonjour,", _purpose(mail)]
    if mail.to_patient:
        paragraphs += _for_patient(mail, laboratory)
    else:
        paragraphs.append(
            "Le document est joint au format CDA (archive IHE_XDM.zip, à intégrer par votre logiciel) "
            "et en PDF pour la lecture."
        )
    if mail.recipient.kind is not RecipientKind.PATIENT or mail.source.report.texts.patient_may_answer:
        paragraphs.append("Pour joindre le laboratoire, répondez à ce message.")
    paragraphs.append("\n".join(line for line in ("Cordialement,", laboratory.name, laboratory.contact) if line))
    return "\n\n".join(paragraphs) + "\n"


def handover_body(sender: str) -> str:
    """Return the text of the mail that brings a person's answer to the organisational mailbox."""
    return (
        f"Une réponse de {sender} est arrivée dans la boîte applicative du laboratoire.\n"
        "Elle est jointe telle qu'elle a été reçue. Pour lui écrire, répondez à ce message.\n"
    )


def notice_body(failures: Sequence[tuple[str, str]], laboratory: Laboratory) -> str:
    """Return the text of a notice about a mail that we received; `failures`: code and label, one per document."""
    if not failures:
        return f"Le message ci-joint a été intégré automatiquement par {laboratory.name}.\n"
    reasons = "\n".join(f"{code} - {label}" for code, label in failures)
    return (
        "Le message ci-joint n'a pas pu être intégré automatiquement pour la raison suivante :\n"
        f"{reasons}\n\nIl a été remis à une personne de {laboratory.name}.\n"
    )


def _purpose(mail: PlannedMail) -> str:
    facts = mail.source.facts
    kind, day = facts.title or facts.code_label, _day(facts.act_started_at or facts.effective_time)
    what = f"{kind} du {day}" if day else kind
    if mail.action is Action.REPLACE:
        return (
            f"Ce message annule et remplace le document envoyé précédemment : {what}. "
            "Seule la version jointe est à conserver."
        )
    if mail.action is Action.DELETE:
        return f"Le document joint est à supprimer : {what}. Il vous avait été envoyé et ne doit plus être utilisé."
    return f"Veuillez trouver ci-joint : {what}."


def _for_patient(mail: PlannedMail, laboratory: Laboratory) -> list[str]:
    reading = "Vous pouvez lire le fichier PDF joint. Votre médecin pourra vous l'expliquer."
    if mail.source.report.texts.patient_may_answer:
        return [reading]
    return [reading, "Ce message ne peut pas recevoir de réponse : pour toute question, adressez-vous au laboratoire."]


def _day(moment: str) -> str:
    return f"{moment[6:8]}/{moment[4:6]}/{moment[:4]}" if moment[:8].isdigit() and len(moment) >= 8 else ""
