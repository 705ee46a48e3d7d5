"""The entry of a lot's signature: a document of the lot with fixed codes, shown to nobody.

Source: DMP sample messages 02.05.00 (see docs/standards.md).
"""

import hashlib
from dataclasses import replace

from labohub.standards.xds import codes, names
from labohub.standards.xds.model import DocumentEntry, SubmissionSet


def signature_entry(
    signed: DocumentEntry, lot: SubmissionSet, content: bytes, *, unique_id: str, entry_id: str
) -> DocumentEntry:
    """Return the signature's entry: the author is the lot's, place and practice are the signed document's."""
    return replace(
        signed,
        entry_id=entry_id,
        unique_id=unique_id,
        patient_id=lot.patient_id,
        mime_type="text/xml",
        source_patient_id=lot.patient_id,
        creation_time=lot.submission_time,
        service_start=lot.submission_time,
        service_stop=lot.submission_time,
        language="art",
        title="Source",
        comments="",
        sha1=hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        size_bytes=len(content),
        authors=(lot.author,),
        legal_authenticator=lot.author.person,
        class_code=codes.get("signature", "classCode"),
        type_code=codes.get("signature", "typeCode"),
        format_code=codes.get("signature", "formatCode"),
        event_codes=(codes.get("signature", "eventCode"),),
        confidentiality=tuple(
            codes.get("confidentialityCode", each) for each in ("N", names.MASQUE_PS, names.INVISIBLE_PATIENT)
        ),
    )
