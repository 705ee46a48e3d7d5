"""Mails with documents, as another laboratory or a hospital sends them."""

import email.policy
import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage

from labohub.standards.cda import read_header
from labohub.standards.xdm import XdmDocument, XdmSource, document_name, pack_xdm
from labohub.standards.xdm_metadata import Action, metadata_xml
from labohub.standards.xds import Submission, SubmissionSet, author_of, from_cda
from labohub.standards.xds.codes import content_type
from labohub.standards.xml import parse
from tests.support.mss import MATRICULE

PARTNER = "app@partenaire.mssante.fr"
AT = datetime(2026, 3, 12, 9, 30, 7, tzinfo=UTC)


def archive(
    documents: Sequence[bytes],
    *,
    action: Action = Action.INTEGRATE,
    hidden: bool = False,
    alter: bytes = b"",
    says_patient: str = "",
) -> bytes:
    """Return an IHE_XDM.zip. `alter` is added to the documents after they were described."""
    masks = ("MASQUE_PS",) if hidden else ()
    headers = [read_header(parse(each)) for each in documents]
    entries = tuple(
        from_cda(header, content, entry_id=f"D{rank}", masks=masks, uri=document_name(rank))
        for rank, (header, content) in enumerate(zip(headers, documents, strict=True), start=1)
    )
    patient = entries[0].patient_id
    assert patient is not None
    first = SubmissionSet(
        unique_id="1.2.3.4",
        source_id="1.2.3",
        patient_id=patient,
        author=author_of(headers[0].authors[0]),
        content_type=content_type("O"),
        submission_time="20260312093000",
        title="x",
    )
    metadata = metadata_xml(Submission(first, entries), action)
    if says_patient:
        metadata = metadata.replace(MATRICULE.encode(), says_patient.encode())
    parts = [XdmDocument(document_name(n), each + alter, "CR") for n, each in enumerate(documents, start=1)]
    return pack_xdm(parts, metadata, XdmSource("Partenaire", "", "Autre", "Autre"), AT)


def xdm_mail(
    documents: Sequence[bytes],
    *,
    action: Action = Action.INTEGRATE,
    made: bytes = b"",
    asks_notice: bool = True,
    notice_to: str = PARTNER,
    return_path: bool = True,
    number: int = 1,
) -> bytes:
    """Return a mail of a partner. `made` is the archive when it is not to be a sound one."""
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["From"], mail["To"] = PARTNER, "labo.app@labo-demo.mssante.fr"
    mail["Subject"] = "XDM/1.0/DDM+CR d'examens biologiques DURAND ELODIE 12/03/1985"
    mail["Message-ID"] = f"<xdm-{number}@partenaire.mssante.fr>"
    if asks_notice:
        mail["Disposition-Notification-To"] = notice_to
    mail.set_content("Veuillez trouver ci-joint le compte rendu.")
    content = made or archive(documents, action=action)
    mail.add_attachment(content, maintype="application", subtype="zip", filename="IHE_XDM.zip")
    return (b"Return-Path: <%s>\r\n" % PARTNER.encode() if return_path else b"") + mail.as_bytes()


def zip_of(*entries: tuple[str, bytes]) -> bytes:
    """Return a zip with these entries."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries:
            made.writestr(name, content)
    return out.getvalue()
