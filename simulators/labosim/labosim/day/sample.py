"""The sample day: both ways in, corrections, an identity that cannot be certain, a request that is refused."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

from labosim.day.exams import ORDERS, Exam, draw_exam
from labosim.day.ltw import ltw_message
from labosim.day.people import DOCTORS, LABORATORY, Laboratory
from labosim.day.relay import Destinations, relay_message
from labosim.day.report import Copy, cr_bio
from labosim.identities import TestIdentity, generated_identity

DEFAULT_START = datetime(2026, 3, 12, 7, 30, tzinfo=UTC)
REPLACED, UNRESOLVED, REFUSED, PARTIAL = 4, 6, 8, 9  # places in the day, from 0, of what is not ordinary
STRUCTURED_EVERY = 3  # every third message holds raw results


@dataclass(frozen=True, slots=True)
class DayMessage:
    """One message of the day, with what the tests know of it."""

    control_id: str
    path: str  # relay or structuring
    story: str  # ordinary, replacement, unresolved, refused, partial
    er7: bytes
    person: TestIdentity
    document_id: str = ""
    document_sha256: str = ""
    mails: int = 0
    to_dmp: bool = True


@dataclass(frozen=True, slots=True)
class _Request:
    number: int
    prefix: str
    person: TestIdentity
    exams: tuple[Exam, ...]
    sent_at: datetime
    laboratory: Laboratory

    @property
    def local_id(self) -> str:
        return f"GC{self.number:06d}"

    @property
    def order_number(self) -> str:
        return f"P{self.prefix}{self.number:05d}"

    @property
    def file_number(self) -> str:
        return f"L{self.prefix}{self.number:05d}"

    @property
    def control_id(self) -> str:
        return f"GC{self.prefix}-{self.number:05d}"


def day_messages(seed: int = 1, count: int = 24, start: datetime = DEFAULT_START) -> Iterator[DayMessage]:
    """Yield the messages of a day, in the order they are sent; the same for the same arguments.

    Another seed gives other people, numbers and documents, so that two days can follow each other on one hub.
    """
    random = Random(seed)
    prefix = f"{seed % 100_000:05d}"
    first: dict[int, tuple[_Request, Copy, Destinations]] = {}
    for number in range(count):
        panels = random.choice(ORDERS)
        request = _Request(
            number=number,
            prefix=prefix,
            person=generated_identity(seed * 100_003 % 9_000_000 + number),
            exams=tuple(draw_exam(panel, random) for panel in panels),
            sent_at=start + timedelta(seconds=41 * number),
            laboratory=LABORATORY,
        )
        doctors = tuple(random.sample(DOCTORS, random.choice((1, 1, 2))))
        wanted = Destinations(
            doctors=doctors, to_patient=random.random() < 0.5, wants_reading_ack=random.random() < 0.3
        )
        if number == REPLACED and first:
            yield _replacement(*next(iter(first.values())), request)
        elif number == UNRESOLVED:
            yield _relayed(request, wanted.without_patient(), "unresolved", reliability="PROV", with_ins=False)[0]
        elif number == REFUSED:
            yield _refused(request, replace(wanted, to_patient=True, hidden_from_patient=True))
        elif number == PARTIAL:
            yield _structured(request, "partial", status="P")
        elif number % STRUCTURED_EVERY == STRUCTURED_EVERY - 1:
            yield _structured(request, "ordinary")
        else:
            message, copy = _relayed(request, wanted, "ordinary")
            first.setdefault(number, (request, copy, wanted))
            yield message


def sample_day(seed: int = 1, count: int = 24) -> Iterator[bytes]:
    """Yield the messages of a day as ER7, segments ended by CR."""
    return (message.er7 for message in day_messages(seed, count))


def _copy(request: _Request, version: int = 1) -> Copy:
    return Copy(
        set_id=f"{request.laboratory.oid}.9.{int(request.prefix)}.{request.number}",
        version=version,
        order_number=request.order_number,
        file_number=request.file_number,
        validated_at=request.sent_at - timedelta(minutes=2),
        exams=request.exams,
        prescriber=DOCTORS[request.number % len(DOCTORS)],
    )


def _relayed(
    request: _Request, wanted: Destinations, story: str, *, reliability: str = "VALI", with_ins: bool = True
) -> tuple[DayMessage, Copy]:
    copy = _copy(request)
    document = cr_bio(request.person, copy, local_id=request.local_id, with_ins=with_ins)
    er7 = relay_message(
        control_id=request.control_id, sent_at=request.sent_at, person=request.person, document=document,
        destinations=wanted, local_id=request.local_id, order_number=request.order_number,
        file_number=request.file_number, reliability=reliability, with_ins=with_ins,
    )  # fmt: skip
    return _told(request, story, er7=er7, wanted=wanted, copy=copy, document=document), copy


def _replacement(before: _Request, copy: Copy, wanted: Destinations, request: _Request) -> DayMessage:
    corrected = replace(copy, version=2, validated_at=request.sent_at, exams=request.exams)
    document = cr_bio(before.person, corrected, local_id=before.local_id)
    er7 = relay_message(
        control_id=request.control_id, sent_at=request.sent_at, person=before.person, document=document,
        destinations=wanted, local_id=before.local_id, order_number=before.order_number,
        file_number=before.file_number, request="replacement",
    )  # fmt: skip
    told = replace(request, person=before.person)
    return _told(told, "replacement", er7=er7, wanted=wanted, copy=corrected, document=document)


def _refused(request: _Request, wanted: Destinations) -> DayMessage:
    """Return a request that contradicts itself: hidden from the patient, and to be mailed to him."""
    message, _ = _relayed(request, wanted, "refused")
    return replace(message, mails=0, to_dmp=False)


def _told(
    request: _Request, story: str, *, er7: bytes, wanted: Destinations, copy: Copy, document: bytes
) -> DayMessage:
    return DayMessage(
        control_id=request.control_id,
        path="relay",
        story=story,
        er7=er7,
        person=request.person,
        document_id=copy.unique_id,
        document_sha256=hashlib.sha256(document).hexdigest(),
        mails=len(wanted.doctors) + wanted.to_patient,
        to_dmp=wanted.to_dmp,
    )


def _structured(request: _Request, story: str, status: str = "F") -> DayMessage:
    er7 = ltw_message(
        control_id=request.control_id, sent_at=request.sent_at, person=request.person, exams=request.exams,
        prescriber=DOCTORS[request.number % len(DOCTORS)], local_id=request.local_id,
        order_number=request.order_number, file_number=request.file_number, status=status,
    )  # fmt: skip
    return DayMessage(request.control_id, "structuring", story, er7, request.person)
