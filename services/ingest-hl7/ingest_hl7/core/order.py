"""An order as the hub remembers it, and what tells it from another."""

from dataclasses import dataclass
from enum import StrEnum

from labohub.contracts.codec import derived_id
from labohub.contracts.laboratory import Code, Professional
from labohub.contracts.values import Patient, Value
from labohub.standards.er7 import Segment


class OrderState(StrEnum):
    """Where a recorded order stands."""

    ORDERED = "ordered"
    CANCELLED = "cancelled"
    REPLACED = "replaced"
    RESULTED = "resulted"  # results came


class Order(Value):
    """One order, as it was last told. Kept encrypted: it names the patient and the reason."""

    key: str
    group_key: str = ""
    control: str
    placer_number: str = ""
    filler_number: str = ""
    code: Code = Code(code="")
    loinc: Code | None = None
    status: str = ""  # ORC-5
    prescribed_at: str = ""
    prescriber: Professional | None = None
    copies_to: tuple[Professional, ...] = ()
    clinical_information: str = ""
    matricule: str = ""
    birth_name: str = ""
    birth_date: str = ""
    sex: str = ""

    def is_of(self, patient: Patient) -> bool:
        """Return False when the order is another patient's; local numbers of prescriber and laboratory tell nothing."""
        if self.matricule and patient.ins is not None:
            return self.matricule == patient.ins.matricule
        traits = patient.traits
        pairs = (
            (self.birth_name.upper(), traits.birth_name.upper()),
            (self.birth_date, traits.birth_date),
            (self.sex, traits.sex),
        )
        return all(not ours or not theirs or ours == theirs for ours, theirs in pairs)


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """An order as the store has it."""

    state: OrderState
    person: str  # opaque: what must not change


def number_key(segment: Segment, number: int, sender: tuple[str, str]) -> str:
    """Return what tells an EI everywhere: its OID, else its namespace, else the sender qualifies it; "" when empty.

    The bare number never does: a laboratory's number is ORC-3 for the prescriber and ORC-2 for a subcontractor.
    """
    id_, namespace, oid = (segment.component(number, position) for position in (1, 2, 3))
    if not id_:
        return ""
    return "\x1f".join((id_, oid or namespace) if oid or namespace else (id_, *sender))


def person_key(patient: Patient) -> str:
    """Return an opaque key of the person: the matricule, else the traits that do not change."""
    if patient.ins is not None:
        return derived_id("person", patient.ins.matricule)
    traits = patient.traits
    return derived_id("person", traits.birth_name.upper(), traits.birth_date, traits.sex)
