"""Requests that a rule must stop or let pass: reports of the sample laboratory with one thing changed."""

import base64
import email
import io
import itertools
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import policy
from hashlib import sha256
from random import Random

from labosim.day.exams import ORDERS, draw_exam
from labosim.day.people import DOCTORS, LABORATORY, Doctor, Laboratory
from labosim.day.relay import Destinations, relay_message
from labosim.day.report import Copy, cr_bio, pdf_copy
from labosim.identities import TestIdentity, generated_identity

DAY = datetime(2026, 4, 2, 8, 0, tzinfo=UTC)
FIRST_PERSON = 3_000_000  # people of no other test
_numbers = itertools.count(1)
_STATUSES = {"initial": b"F", "replacement": b"C", "deletion": b"D"}


@dataclass(frozen=True, slots=True)
class Request:
    """One message of the volet, with all that a test may want to change before it is written."""

    number: int
    person: TestIdentity
    in_document: TestIdentity  # whom the CDA names
    copy: Copy
    doctors: tuple[Doctor, ...] = DOCTORS[:1]
    to_dmp: bool = True
    to_patient: bool = False
    flags: Mapping[str, bool] = field(default_factory=dict)
    request: str = "initial"
    reliability: str = "VALI"
    with_ins: bool = True
    ins_in_document: bool = True
    wants_reading: bool = False
    resent: int = 0  # another MSH-10 for the same content
    laboratory: Laboratory = LABORATORY
    edits: tuple[tuple[bytes, bytes], ...] = ()  # in the ER7 text
    document_edits: tuple[tuple[bytes, bytes], ...] = ()
    both_formats: bool = False  # the N1 beside the N3
    companion_edits: tuple[tuple[bytes, bytes], ...] = ()
    patient_number: str = ""  # at the laboratory; the person's own when empty

    @property
    def control_id(self) -> str:
        """Return MSH-10."""
        return f"RULE-{self.number:05d}" + (f"-{self.resent}" if self.resent else "")

    @property
    def document(self) -> bytes:
        """Return the CDA."""
        content = cr_bio(self.in_document, self.copy, local_id=self.local_id, with_ins=self.ins_in_document)
        for old, new in self.document_edits:
            assert old in content, old
            content = content.replace(old, new)
        return content

    @property
    def document_id(self) -> str:
        """Return the identifier of the CDA."""
        return self.copy.unique_id

    @property
    def companion(self) -> bytes:
        """Return the same report as a CDA of level 1: its PDF, under identifiers and in a chain of its own."""
        head = cr_bio(self.in_document, self.copy, local_id=self.local_id, with_ins=self.ins_in_document)
        head = head[: head.index(b"<component><structuredBody>")]
        head = head.replace(self.copy.set_id.encode(), f"{self.copy.set_id}.100".encode())
        pdf = base64.b64encode(pdf_copy(self.in_document, self.copy)).decode()
        body = (
            f'<component><nonXMLBody><text mediaType="application/pdf" representation="B64">{pdf}</text></nonXMLBody>'
        )
        content = head + f"{body}</component></ClinicalDocument>".encode()
        for old, new in self.companion_edits:
            assert old in content, old
            content = content.replace(old, new)
        return content

    @property
    def companion_id(self) -> str:
        """Return the identifier of the N1."""
        return f"{self.copy.set_id}.100.{self.copy.version}"

    @property
    def sha256(self) -> str:
        """Return the digest of the CDA."""
        return sha256(self.document).hexdigest()

    @property
    def er7(self) -> bytes:
        """Return the message."""
        wanted = Destinations(self.to_dmp, self.doctors, self.to_patient, wants_reading_ack=self.wants_reading)
        message = relay_message(
            control_id=self.control_id, sent_at=DAY + timedelta(seconds=self.number), person=self.person,
            document=self.document, destinations=wanted, local_id=self.local_id,
            order_number=self.copy.order_number, file_number=self.copy.file_number, request=self.request,
            reliability=self.reliability, with_ins=self.with_ins, laboratory=self.laboratory,
        )  # fmt: skip
        if self.both_formats:
            data, status = base64.b64encode(self.companion), _STATUSES[self.request]
            line = (
                b"OBX|20|ED|11502-2^CR d'examens biologiques^LN||^TEXT^XML^Base64^" + data + b"||||||" + status + b"\r"
            )
            message = message.replace(b"OBX|2|CE|", line + b"OBX|2|CE|", 1)
        for name, value in self.flags.items():
            pattern = rb"(OBX\|\d+\|CE\|%s\^[^|]*\|\|)[YN]" % name.encode()
            message, count = re.subn(pattern, rb"\g<1>" + (b"Y" if value else b"N"), message)
            assert count == 1, name
        for old, new in self.edits:
            assert old in message, old
            message = message.replace(old, new)
        return message

    @property
    def patient_address(self) -> str:
        """Return the patient's mailbox."""
        return f"{self.person.matricule}@patient.mssante.fr"

    @property
    def local_id(self) -> str:
        """One person has one number at the laboratory."""
        return self.patient_number or f"RG{self.person.matricule[4:13]}"

    def again(self, **changes: object) -> "Request":
        """Return the same content under another MSH-10."""
        return replace(self, **{"resent": self.resent + 1, **changes})  # type: ignore[arg-type]

    def next_version(self, **changes: object) -> "Request":
        """Return the replacement of this document by its next version."""
        number = next(_numbers)
        copy = replace(self.copy, version=self.copy.version + 1, validated_at=DAY + timedelta(seconds=number))
        return replace(self, number=number, copy=copy, request="replacement", resent=0, **changes)  # type: ignore[arg-type]

    def deletion(self) -> "Request":
        """Return the request to delete this document."""
        return replace(self, number=next(_numbers), request="deletion", resent=0)


def request(person: TestIdentity | None = None, **changes: object) -> Request:
    """Return an ordinary request for a person of its own, with some things changed."""
    number = next(_numbers)
    who = person or generated_identity(FIRST_PERSON + number)
    copy = Copy(
        set_id=f"{LABORATORY.oid}.11.{number}", version=1, order_number=f"PR{number:05d}",
        file_number=f"LR{number:05d}", validated_at=DAY + timedelta(seconds=number),
        exams=tuple(draw_exam(panel, Random(number)) for panel in ORDERS[3]), prescriber=DOCTORS[0],
    )  # fmt: skip
    return replace(Request(number, who, who, copy), **changes)  # type: ignore[arg-type]


def another_person() -> TestIdentity:
    """Return a person whom nobody else is."""
    return generated_identity(FIRST_PERSON + next(_numbers))


FLAGS = (
    "MASQUE_PS", "INVISIBLE_PATIENT", "INVISIBLE_REP_LEGAUX", "CONNEXION_SECRETE",
    "DESTDMP", "DESTMSSANTEPS", "DESTMSSANTEPAT",
)  # fmt: skip


def every_combination() -> Iterator[dict[str, bool]]:
    """Yield the 128 values of the seven flags."""
    for values in itertools.product((False, True), repeat=len(FLAGS)):
        yield dict(zip(FLAGS, values, strict=True))


def in_published_table(flags: Mapping[str, bool]) -> bool:
    """Return whether the volet's table of 2026-04-21 has this combination, written as the sentences of its rows."""
    masked, hidden, from_guardians = (flags[name] for name in FLAGS[:3])
    secret, dmp, professionals, patient = (flags[name] for name in FLAGS[3:])
    both = professionals and patient and not (masked or hidden or from_guardians)
    professionals_alone = professionals and not patient and hidden and not (masked or from_guardians)
    patient_alone = patient and not professionals and not (hidden or secret or dmp)
    return both or professionals_alone or patient_alone


def contradicts(flags: Mapping[str, bool]) -> bool:
    """Return whether the flags can never be obeyed together: nobody to send to, or one who must not see it."""
    nobody = not any(flags[name] for name in FLAGS[4:])
    to_the_hidden = flags["INVISIBLE_PATIENT"] and flags["DESTMSSANTEPAT"]
    to_the_masked = flags["MASQUE_PS"] and flags["DESTMSSANTEPS"]
    return nobody or to_the_hidden or to_the_masked


def decoded(mail: bytes) -> bytes:
    """Return the bytes of a mail with its base64 parts in clear, archives opened."""
    message = email.message_from_bytes(mail, policy=policy.default)
    parts = [mail]
    for part in message.walk():
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            parts.append(content)
            if part.get_filename() == "IHE_XDM.zip":
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    parts += [archive.read(name) for name in archive.namelist()]
    return b"\n".join(parts)
