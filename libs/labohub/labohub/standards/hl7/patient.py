"""PID and PV1 as plain values.

Source: PAM-FR 2.11 (Interop'Santé), "Annexe INS" of the CI-SIS.
"""

from dataclasses import dataclass

from labohub.standards.er7 import Message, Segment

INS_TYPE = "INS"
VALIDATED = "VALI"
DELETED = '""'  # HL7's null: the sender erases a value


@dataclass(frozen=True, slots=True)
class Cx:
    """An identifier with its authority."""

    value: str
    authority: str
    authority_oid: str  # the universal id when its type is ISO, else ""
    type: str
    repetition: int
    authority_id: str = ""  # the universal id of any other type (N, M, L): FINESS, SIRET, a local number


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """What PID and PV1 say."""

    identifiers: tuple[Cx, ...]
    birth_name: str
    first_given_name: str
    given_names: str
    used_name: str
    used_given_name: str
    birth_date: str
    sex: str
    birth_place: str
    reliability: tuple[str, ...]
    account: str = ""
    encounter_class: str = ""
    visit_number: str = ""

    @property
    def ins(self) -> Cx | None:
        """Return the INS repetition of PID-3."""
        return next((each for each in self.identifiers if each.type == INS_TYPE), None)

    @property
    def is_validated(self) -> bool:
        """Return True when PID-32 says VALI: only then may the INS be integrated."""
        return VALIDATED in self.reliability


def read_patient(message: Message) -> PatientFacts | None:
    """Return the patient of a message, or None without PID."""
    pid = message.first("PID")
    if pid is None:
        return None
    birth, used = _names(pid)
    pv1 = message.first("PV1")
    return PatientFacts(
        identifiers=read_identifiers(pid, 3),
        birth_name=birth[0],
        first_given_name=birth[1],
        given_names=birth[2],
        used_name=used[0],
        used_given_name=used[1],
        birth_date=_kept(pid.component(7, 1))[:8],
        sex=pid.component(8, 1).upper(),
        birth_place=_birth_place(pid),
        reliability=tuple(pid.text(part).upper() for part in pid.repetitions(32)),
        account=pid.component(18, 1),
        encounter_class=pv1.component(2, 1).upper() if pv1 else "",
        visit_number=pv1.component(19, 1) if pv1 else "",
    )


def read_identifiers(segment: Segment, number: int) -> tuple[Cx, ...]:
    """Return the repetitions of a field of identifiers (PID-3, MRG-1)."""
    return tuple(_cx(segment, number, index) for index in range(1, len(segment.repetitions(number)) + 1))


def _cx(segment: Segment, number: int, repetition: int) -> Cx:
    universal = segment.subcomponent(number, 4, 2, repetition)
    is_oid = segment.subcomponent(number, 4, 3, repetition).upper() == "ISO"
    return Cx(
        value=segment.component(number, 1, repetition),
        authority=segment.subcomponent(number, 4, 1, repetition),
        authority_oid=universal if is_oid else "",
        type=segment.component(number, 5, repetition).upper(),
        repetition=repetition,
        authority_id="" if is_oid else universal,
    )


def _names(pid: Segment) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    """Return the birth name (type L, else the first) and the used name (type D), in whatever order they came."""
    by_type: dict[str, tuple[str, str, str]] = {}
    for index in range(1, len(pid.repetitions(5)) + 1):
        parts = (pid.subcomponent(5, 1, 1, index), pid.component(5, 2, index), pid.component(5, 3, index))
        name = (_kept(parts[0]), _kept(parts[1]), _kept(parts[2]))
        by_type.setdefault(pid.component(5, 7, index).upper() or "L", name)
    empty = ("", "", "")
    birth = by_type.get("L") or next((by_type[kind] for kind in by_type if kind != "D"), empty)
    return birth, by_type.get("D", empty)


def _birth_place(pid: Segment) -> str:
    for index in range(1, len(pid.repetitions(11)) + 1):
        if pid.component(11, 7, index).upper() == "BDL":
            return _kept(pid.component(11, 9, index))
    return ""


def _kept(value: str) -> str:
    """Return a value, nothing for one that the sender erases."""
    return "" if value == DELETED else value
