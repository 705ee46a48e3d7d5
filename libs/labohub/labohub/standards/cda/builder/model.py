"""What a CR-BIO says, as plain values. Times are CDA text (`yyyymmdd[hhmm[ss]+zzzz]`), units are UCUM."""

from dataclasses import dataclass, field

from labohub.standards.cda.facts import Coded, Id, Person


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with a UCUM unit; the digits are the laboratory's."""

    value: str
    unit: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number without unit (INR, ratio)."""

    value: str


@dataclass(frozen=True, slots=True)
class Bound:
    """Below (`upper`) or above a limit."""

    value: str
    unit: str
    upper: bool
    inclusive: bool = False


@dataclass(frozen=True, slots=True)
class Interval:
    """Between two limits."""

    low: str
    high: str
    unit: str


@dataclass(frozen=True, slots=True)
class CodedText:
    """A coded result, or a text that stands for one (`code` None)."""

    label: str
    code: Coded | None = None


@dataclass(frozen=True, slots=True)
class Plain:
    """A text."""

    text: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A date or time given as a result."""

    value: str


Value = Quantity | Number | Bound | Interval | CodedText | Plain | Moment


@dataclass(frozen=True, slots=True)
class Range:
    """The one reference range for this patient: bounds with the result's unit, or words."""

    printed: str
    low: str = ""
    high: str = ""
    unit: str = ""
    low_inclusive: bool = True
    high_inclusive: bool = True


@dataclass(frozen=True, slots=True)
class Professional:
    """Someone who prescribes, validates or signs."""

    id: Id | None
    person: Person
    code: Coded | None = None
    telecoms: tuple[str, ...] = ()

    @property
    def printed(self) -> str:
        """Return the name as people read it."""
        parts = (self.person.suffix or self.person.prefix, self.person.given, self.person.family)
        return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Laboratory:
    """The laboratory that answers for the report."""

    id: Id
    name: str
    industry: Coded
    facility: Coded
    address: tuple[str, ...] = ()
    telecoms: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()  # accreditation and legal mentions, printed


@dataclass(frozen=True, slots=True)
class Subcontractor:
    """Another laboratory that performed an exam."""

    id: Id
    name: str
    time: str = ""
    industry: Coded | None = None


@dataclass(frozen=True, slots=True)
class Specimen:
    """What was taken from the patient: `id` None when nobody numbered it."""

    id: Id | None
    nature: Coded
    collected_low: str = ""
    collected_high: str = ""
    received_at: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """One result. `completed`, or `aborted` when it was not and will not be done."""

    label: str
    code: Coded | None  # LOINC; None: sent as a non-LOINC exam
    local: Coded | None = None
    aborted: bool = False
    effective_time: str = ""
    value: Value | None = None
    printed: str = ""  # the value as the laboratory prints it
    printed_unit: str = ""
    interpretations: tuple[str, ...] = ()  # codes of ObservationInterpretation, most telling first
    method: str = ""
    range: Range | None = None
    subcontractor: Subcontractor | None = None
    comments: tuple[str, ...] = ()
    specimens: tuple[Specimen, ...] = ()
    corrected: bool = False
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Validation:
    """Who validated results, and when."""

    by: Professional
    at: str


@dataclass(frozen=True, slots=True)
class Battery:
    """Exams ordered as one. `single`: one exam that stands for itself, written without a battery around it."""

    label: str
    code: Coded | None
    local: Coded | None = None
    status: str = "completed"  # completed, active, aborted
    observations: tuple[Observation, ...] = ()
    pending: tuple[str, ...] = ()  # labels of exams still to come
    specimens: tuple[Specimen, ...] = ()
    comments: tuple[str, ...] = ()
    effective_time: str = ""
    single: bool = False


@dataclass(frozen=True, slots=True)
class Chapter:
    """A discipline of the laboratory."""

    code: Coded
    title: str
    batteries: tuple[Battery, ...]
    status: str = "completed"
    validations: tuple[Validation, ...] = ()


@dataclass(frozen=True, slots=True)
class PatientIdentity:
    """Whom the report is about. `ins` only for a qualified identity."""

    family_birth: str
    given_birth: str
    given_list: str
    gender: str  # F, M, UN
    birth_date: str
    birth_place: str = ""  # COG
    family_used: str = ""
    given_used: str = ""
    ins: Id | None = None
    local_ids: tuple[Id, ...] = ()


@dataclass(frozen=True, slots=True)
class CrBio:
    """One CR-BIO document before its XML."""

    id: str
    set_id: str
    version: int
    effective_time: str
    patient: PatientIdentity
    laboratory: Laboratory
    biologist: Professional
    demand: Id  # the laboratory's number of the demand
    chapters: tuple[Chapter, ...]
    started_at: str
    ended_at: str
    software: str
    software_id: Id
    replaces: str = ""
    prescriber: Professional | None = None
    prescribed_at: str = ""
    order: Id | None = None
    validations: tuple[Validation, ...] = ()  # by others than the biologist
    encounter: Coded | None = None
    encounter_id: Id | None = None
    active: bool = False  # partial: something is to come
    comments: tuple[tuple[str, str], ...] = field(default=())  # (title, text) on the whole report
