"""What a CR-BIO says, as plain values: the one model of the XML, the PDF and the HTML view."""

from collections.abc import Iterator
from dataclasses import dataclass

from labohub.standards.cda.builder.values import Previous, Range, Value
from labohub.standards.cda.facts import Coded, Id, Person


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
    accreditation: Id | None = None  # COFRAC


@dataclass(frozen=True, slots=True)
class Subcontractor:
    """Another laboratory that performed an exam."""

    id: Id
    name: str
    time: str = ""
    industry: Coded | None = None
    address: tuple[str, ...] = ()
    director: Professional | None = None


@dataclass(frozen=True, slots=True)
class Specimen:
    """What was taken from the patient: `id` None when nobody numbered it."""

    id: Id | None
    nature: Coded
    collected_low: str = ""
    collected_high: str = ""
    received_at: str = ""
    site: Coded | None = None
    method: str = ""
    volume: str = ""
    collector: Professional | None = None
    remarks: tuple[str, ...] = ()  # why it was refused, how it looked


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that belongs to a result. `data` is base64."""

    media_type: str  # image/png, image/jpeg, image/gif
    data: str


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
    interpretation_words: str = ""  # all flags of the laboratory, in words
    method: str = ""
    range: Range | None = None
    subcontractor: Subcontractor | None = None
    comments: tuple[str, ...] = ()
    specimens: tuple[Specimen, ...] = ()
    corrected: bool = False
    provisional: bool = False
    previous: tuple[Previous, ...] = ()  # the latest first
    image: Image | None = None
    accredited: bool = True  # False: outside the laboratory's scope of accreditation, and said so
    automatic: bool = False  # released by the laboratory's expert system


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
    isolates: tuple["Isolate", ...] = ()
    is_antibiogram: bool = False

    @property
    def is_empty(self) -> bool:
        """Return whether nothing of it is known yet."""
        return not self.observations and not self.isolates

    def everything(self) -> Iterator[Observation]:
        """Yield all results, those of isolates and antibiograms included, in the order they are read."""
        yield from self.observations
        for isolate in self.isolates:
            yield from isolate.observations
            for antibiogram in isolate.antibiograms:
                yield from antibiogram.everything()


@dataclass(frozen=True, slots=True)
class Isolate:
    """A germ found by a culture: what identifies and counts it, and its antibiograms."""

    label: str  # the organism, as printed
    organism: Coded | None  # SNOMED CT
    taxon: Coded | None = None  # NCBI
    id: Id | None = None
    status: str = "completed"
    observations: tuple[Observation, ...] = ()
    antibiograms: tuple[Battery, ...] = ()
    pending: tuple[str, ...] = ()  # labels of antibiograms still to come


@dataclass(frozen=True, slots=True)
class Chapter:
    """A discipline of the laboratory."""

    code: Coded
    title: str
    batteries: tuple[Battery, ...]
    status: str = "completed"
    validations: tuple[Validation, ...] = ()
    divided: bool = False  # one sub-chapter per battery


@dataclass(frozen=True, slots=True)
class Note:
    """Words about the whole report: a change, a conclusion, a mention."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attached:
    """Another document that came with the results: a subcontractor's report, the PDF of one exam. `data` is base64."""

    title: str
    media_type: str
    data: str


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
    """One report before its XML: a CR-BIO with chapters, or without any the header of a level 1 around a PDF."""

    id: str
    set_id: str
    version: int
    effective_time: str
    patient: PatientIdentity
    laboratory: Laboratory
    biologist: Professional
    demand: Id  # the laboratory's number of the demand
    chapters: tuple[Chapter, ...]
    acts: tuple[Coded, ...]  # the disciplines, the main one first
    started_at: str
    ended_at: str
    software: str
    software_id: Id
    volet: str = "2024.01"
    replaces: str = ""
    prescriber: Professional | None = None
    prescribed_at: str = ""
    recipients: tuple[Professional, ...] = ()  # copies of the report
    order: Id | None = None
    validations: tuple[Validation, ...] = ()  # by others than the biologist
    encounter: Coded | None = None
    encounter_id: Id | None = None
    active: bool = False  # partial: something is to come
    opening: tuple[Note, ...] = ()  # before the chapters: what a reader must know first
    closing: tuple[Note, ...] = ()  # after them
    attached: tuple[Attached, ...] = ()
    mentions: tuple[str, ...] = ()  # accreditation and legal mentions, printed at the foot of pages
    copy: Attached | None = None  # the laboratory's own PDF of this report: the copy, or the body of a level 1
