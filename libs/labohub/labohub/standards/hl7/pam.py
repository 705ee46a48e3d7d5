"""Patient administration messages (ADT) as plain values.

Source: IHE PAM (ITI-30, ITI-31), French extension PAM-FR 2.11 (Interop'Santé): segments ZBE, ZFA, ZFD, ZFM.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from enum import StrEnum

from labohub.standards.er7 import Message, Segment
from labohub.standards.hl7.patient import DELETED, INS_TYPE, Cx, PatientFacts, read_identifiers, read_patient

VERSIONS = ("2.5", "2.5.1")


class Matter(StrEnum):
    """What an event is about."""

    IDENTITY = "identity"  # it says who the patient is
    MERGE = "merge"  # one identifier takes the place of others
    MOVEMENT = "movement"  # where the patient is: says nothing of who he is


EVENTS = {
    **dict.fromkeys(("A01", "A04", "A05", "A08", "A28", "A31"), Matter.IDENTITY),
    **dict.fromkeys(("A40", "A47"), Matter.MERGE),
    **dict.fromkeys(("A02", "A03", "A06", "A07", "A14", "A15", "A16", "A21", "A22", "A54"), Matter.MOVEMENT),
    **dict.fromkeys(("A11", "A12", "A13", "A25", "A26", "A27", "A38", "A52", "A53", "A55"), Matter.MOVEMENT),
    **dict.fromkeys(("Z99", *(f"Z{number}" for number in range(80, 92))), Matter.MOVEMENT),
}


@dataclass(frozen=True, slots=True)
class Movement:
    """ZBE: one movement of the patient. `is_shifted`: written one field too far from ZBE-4 on."""

    identifier: str
    started_at: str
    action: str  # INSERT, UPDATE, CANCEL
    is_historic: bool
    original_event: str
    medical_unit: str  # XON-10, else XON-1
    care_unit: str
    nature: str
    is_shifted: bool = False


@dataclass(frozen=True, slots=True)
class DmpStatus:
    """ZFA: the patient's DMP, and what he said about it."""

    status: str  # ACTIF, INEXISTANT, FERME…
    status_at: str
    closed_at: str
    feeding: str  # INO, IO, NA
    feeding_at: str
    consultation: str  # IC, INC, NA
    consultation_at: str


@dataclass(frozen=True, slots=True)
class Demography:
    """ZFD: how the identity was obtained."""

    lunar_birth_date: str  # day^month^year, when PID-7 is empty
    accepts_sms: str
    birth_date_is_estimated: bool
    obtained_by: str  # SM, CV, INSI, CB, RFID, AV
    insi_asked_on: str
    document_type: str
    document_ends_on: str


@dataclass(frozen=True, slots=True)
class Adt:
    """A patient administration message. Times keep the message's own text."""

    event: str
    recorded_at: str  # EVN-2, else MSH-7
    occurred_at: str  # EVN-6
    patient: PatientFacts
    prior: tuple[Cx, ...] = ()  # MRG-1: what is replaced
    withdraws_ins: bool = False
    movement: Movement | None = None
    dmp: DmpStatus | None = None
    demography: Demography | None = None

    @property
    def matter(self) -> Matter:
        """Return what the message is about."""
        return EVENTS[self.event]


def read_adt(message: Message) -> Adt | None:
    """Return what an ADT says, or None without PID. Its event is one of `EVENTS`."""
    patient = read_patient(message)
    if patient is None:
        return None
    event, merged = message.first("EVN"), message.first("MRG")
    return Adt(
        event=message.header.component(9, 2).upper(),
        recorded_at=(event.component(2, 1) if event else "") or message.header.component(7, 1),
        occurred_at=event.component(6, 1) if event else "",
        patient=patient,
        prior=read_identifiers(merged, 1) if merged else (),
        withdraws_ins=any(each.type == INS_TYPE and each.value == DELETED for each in patient.identifiers),
        movement=_movement(message.first("ZBE")),
        dmp=_dmp(message.first("ZFA")),
        demography=_demography(message.first("ZFD")),
    )


def moment(text: str, zone: tzinfo) -> datetime | None:
    """Return the aware time of a TS, completed by zeros; `zone` when it names none. None for no time of ours."""
    match = _TS.fullmatch(text)
    if match is None:
        return None
    digits, sign, hours, minutes = match.groups()
    filled = digits + "00000101000000"[len(digits) :]
    parts = [int(filled[:4]), *(int(filled[at : at + 2]) for at in range(4, 14, 2))]
    if parts[0] not in OUR_TIME:
        return None
    try:
        if not sign:
            return datetime(*parts, tzinfo=zone)  # type: ignore[misc, arg-type]
        offset = timedelta(hours=int(hours), minutes=int(minutes)) * (1 if sign == "+" else -1)
        return datetime(*parts, tzinfo=timezone(offset))  # type: ignore[misc, arg-type]
    except ValueError:
        return None


_TS = re.compile(r"(\d{4}|\d{6}|\d{8}|\d{10}|\d{12}|\d{14})(?:\.\d{1,4})?(?:([+-])(\d{2})(\d{2}))?")
OUR_TIME = range(1900, 9999)  # years: one more and no offset can be applied
_ACTIONS = ("INSERT", "UPDATE", "CANCEL")


def _movement(zbe: Segment | None) -> Movement | None:
    if zbe is None:
        return None
    shift = int(zbe.component(4, 1).upper() not in _ACTIONS and zbe.component(5, 1).upper() in _ACTIONS)
    return Movement(
        identifier=zbe.component(1, 1),
        started_at=zbe.component(2, 1),
        action=zbe.component(4 + shift, 1).upper(),
        is_historic=zbe.component(5 + shift, 1).upper() == "Y",
        original_event=zbe.component(6 + shift, 1),
        medical_unit=zbe.component(7 + shift, 10) or zbe.component(7 + shift, 1),
        care_unit=zbe.component(8 + shift, 10) or zbe.component(8 + shift, 1),
        nature=zbe.component(9 + shift, 1),
        is_shifted=bool(shift),
    )


def _dmp(zfa: Segment | None) -> DmpStatus | None:
    if zfa is None:
        return None
    return DmpStatus(
        status=zfa.component(1, 1).upper(),
        status_at=zfa.component(2, 1),
        closed_at=zfa.component(3, 1),
        feeding=zfa.component(9, 1).upper(),
        feeding_at=zfa.component(10, 1),
        consultation=zfa.component(11, 1).upper(),
        consultation_at=zfa.component(12, 1),
    )


def _demography(zfd: Segment | None) -> Demography | None:
    if zfd is None:
        return None
    return Demography(
        lunar_birth_date=zfd.value(1),
        accepts_sms=zfd.component(3, 1).upper(),
        birth_date_is_estimated=zfd.component(4, 1).upper() == "Y",
        obtained_by=zfd.component(5, 1).upper(),
        insi_asked_on=zfd.component(6, 1),
        document_type=zfd.component(7, 1).upper(),
        document_ends_on=zfd.component(8, 1),
    )
