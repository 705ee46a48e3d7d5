"""The whole mail of a document, read by independent readers."""

import email
import email.policy
import io
import zipfile
from email.message import EmailMessage

import pytest

from labohub.contracts.events import DocumentBuilt
from labohub.contracts.values import IdentityStatus, MailTexts, Recipient, Request
from labohub.standards.cda.presentation import self_presenting
from labohub.standards.xdm import read_xdm
from labohub.standards.xdm_metadata import Action, read_action
from labohub.standards.xml import parse
from mss_sender.core.parcel import Content, IdentityMismatch, MatriculeNotQualified, build_parcel, write_mail
from mss_sender.core.planning import plan
from mss_sender.core.values import PlannedMail
from tests.support.mss import AT, LABORATORY, MATRICULE, PDF, cda, doctor, document_built, patient


def written(event: DocumentBuilt, document: bytes, pdf: bytes | None = PDF) -> tuple[bytes, EmailMessage]:
    (mail,) = plan(event, LABORATORY, AT)
    assert isinstance(mail, PlannedMail)
    raw = write_mail(mail, build_parcel(event, [Content(document, pdf)], LABORATORY, AT), LABORATORY)
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not any(part.defects for part in message.walk())
    return raw, message


def body(message: EmailMessage) -> str:
    part = message.get_body()
    assert part is not None
    return " ".join(str(part.get_content()).split())


def attached(message: EmailMessage) -> dict[str, bytes]:
    return {str(part.get_filename()): part.get_content() for part in message.iter_attachments()}


def test_the_mail_to_a_doctor_is_what_the_rules_ask() -> None:
    _, message = written(document_built(doctor()), cda())
    assert message["Subject"] == "XDM/1.0/DDM+CR d'examens biologiques DURAND ELODIE 12/03/1985"
    assert message["To"] == "adam.hoda@medecin-demo.mssante.fr"
    assert message["Reply-To"] == "labo.retours@labo-demo.mssante.fr"
    assert message["Disposition-Notification-To"] == "labo.app@labo-demo.mssante.fr"
    assert (message["X-MSS-NIL"], message["X-MSS-CODECDA"], message["X-MSS-INS"]) == ("NIL-TEST-1", "11502-2", "O")
    assert message["X-MSS-MES"] is None
    assert attached(message)["20260312_CR d'examens biologiques_DURAND_Elodie_26031200417.pdf"] == PDF


def test_the_archive_holds_the_document_byte_for_byte() -> None:
    document = cda(kilobytes=30)
    _, message = written(document_built(doctor()), document)
    archive = attached(message)["IHE_XDM.zip"]
    assert read_xdm(archive).documents == {"DOC0001.XML": document}
    with zipfile.ZipFile(io.BytesIO(archive)) as found:
        metadata = found.read("IHE_XDM/SUBSET01/METADATA.XML").decode()
    assert f"{MATRICULE}^^^&amp;1.2.250.1.213.1.4.10&amp;ISO^NH" in metadata


def test_a_document_inside_its_stylesheet_is_announced_as_such() -> None:
    document = self_presenting(cda())
    _, message = written(document_built(doctor()), document)
    archive = read_xdm(attached(message)["IHE_XDM.zip"])
    assert archive.documents == {"DOC0001.XML": document}
    assert b'mimeType="application/xslt+xml"' in archive.metadata


def test_a_patient_is_never_asked_for_a_receipt_and_may_be_told_not_to_answer() -> None:
    closed = MailTexts(patient_may_answer=False)
    _, message = written(document_built(patient(), texts=closed), cda())
    assert message["Disposition-Notification-To"] is None
    assert message["X-MSS-MES"] == "FIN"
    assert "répondez à ce message" not in body(message)
    assert written(document_built(patient()), cda())[1]["X-MSS-MES"] is None


def test_a_doctor_s_thread_is_never_closed_by_the_patient_s_rule() -> None:
    assert written(document_built(doctor(), texts=MailTexts(patient_may_answer=False)), cda())[1]["X-MSS-MES"] is None


@pytest.mark.parametrize(
    ("request_", "action", "words"),
    [
        (Request.INITIAL, Action.INTEGRATE, "ci-joint"),
        (Request.REPLACEMENT, Action.REPLACE, "annule et remplace"),
        (Request.DELETION, Action.DELETE, "à supprimer"),
    ],
)
def test_a_correction_says_so_to_software_and_to_people(request_: Request, action: Action, words: str) -> None:
    _, message = written(document_built(doctor(), request=request_), cda())
    assert words in body(message)
    assert "12/03/2026" in body(message)
    assert read_action(parse(read_xdm(attached(message)["IHE_XDM.zip"]).metadata)) is action


@pytest.mark.parametrize(("recipient", "words"), [(doctor(), "Cher confrère"), (patient(), "Chère patiente")])
def test_the_sender_s_own_words_replace_ours(recipient: Recipient, words: str) -> None:
    texts = MailTexts(professional="Cher confrère", patient="Chère patiente")
    assert body(written(document_built(recipient, texts=texts), cda())[1]) == words


def test_the_same_mail_is_written_twice_with_the_same_bytes() -> None:
    event = document_built(doctor())
    assert written(event, cda())[0] == written(event, cda())[0]


def test_a_matricule_never_leaves_with_an_identity_that_is_not_qualified() -> None:
    with pytest.raises(MatriculeNotQualified):
        written(document_built(doctor(), status=IdentityStatus.VALIDEE), cda())


def test_a_document_without_matricule_goes_to_a_doctor_and_says_so() -> None:
    _, message = written(document_built(doctor(), status=IdentityStatus.VALIDEE), cda(with_ins=False))
    assert message["X-MSS-INS"] == "N"
    assert b"IPP-77^^^&amp;1.2.250.1.999.2&amp;ISO^PI" in read_xdm(attached(message)["IHE_XDM.zip"]).metadata


def test_a_document_of_another_patient_is_refused() -> None:
    other = cda().replace(MATRICULE.encode(), b"185039999900196")
    with pytest.raises(IdentityMismatch):
        written(document_built(doctor()), other)


def test_masking_travels_in_the_metadata() -> None:
    _, message = written(document_built(doctor(), invisible_to_patient=True), cda())
    assert b'nodeRepresentation="INVISIBLE_PATIENT"' in read_xdm(attached(message)["IHE_XDM.zip"]).metadata
