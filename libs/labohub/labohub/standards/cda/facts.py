"""What the header of a CDA says, as plain values. Texts and times are kept as the document writes them."""

from dataclasses import dataclass, field

from labohub.standards.cda.names import CDA_TYPE


@dataclass(frozen=True, slots=True)
class Id:
    """An instance identifier (II)."""

    root: str
    extension: str = ""
    authority: str = ""  # assigningAuthorityName

    @property
    def oid(self) -> str:
        """Return the identifier in one text: the root, with `^extension` when there is one."""
        return f"{self.root}^{self.extension}" if self.extension else self.root


@dataclass(frozen=True, slots=True)
class Coded:
    """A coded value (CE): code, system and label."""

    code: str
    system: str = ""
    label: str = ""
    system_name: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """The name of a professional."""

    family: str = ""
    given: str = ""
    prefix: str = ""
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Organization:
    """A structure; `industry` is its standardIndustryClassCode (the practice setting)."""

    ids: tuple[Id, ...] = ()
    name: str = ""
    industry: Coded | None = None


@dataclass(frozen=True, slots=True)
class Participant:
    """Someone named by the header with the place taken: legal authenticator, performer, prescriber…"""

    ids: tuple[Id, ...] = ()
    time: str = ""  # @value, else high, else low
    code: Coded | None = None
    person: Person | None = None
    organization: Organization | None = None
    telecoms: tuple[str, ...] = ()
    type_code: str = ""
    function: Coded | None = None


@dataclass(frozen=True, slots=True)
class Author(Participant):
    """An author; `device` is the software's name when no person wrote the document."""

    device: str = ""
    device_model: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """The record target. `family_birth` (BR), `family_used` (CL, or SP of older documents)."""

    ids: tuple[Id, ...] = ()
    family_birth: str = ""
    family_used: str = ""
    family_plain: str = ""  # without qualifier
    given_list: str = ""  # given without qualifier
    given_birth: str = ""
    given_used: str = ""
    gender: str = ""
    birth_time: str = ""
    birth_place: str = ""  # COG code, from county
    telecoms: tuple[str, ...] = ()

    def ins(self, oids: frozenset[str]) -> Id | None:
        """Return the first identifier whose root is one of `oids`."""
        return next((each for each in self.ids if each.root in oids), None)


@dataclass(frozen=True, slots=True)
class RelatedDocument:
    """A document this one relates to: RPLC replaces it."""

    type_code: str
    id: Id | None = None


@dataclass(frozen=True, slots=True)
class ServiceEvent:
    """An act the document is about."""

    ids: tuple[Id, ...] = ()
    code: Coded | None = None
    status: str = ""  # lab:statusCode
    low: str = ""
    high: str = ""
    performer: Participant | None = None


@dataclass(frozen=True, slots=True)
class Encounter:
    """The stay or visit, and the kind of place."""

    ids: tuple[Id, ...] = ()
    code: Coded | None = None
    low: str = ""
    high: str = ""
    facility: Coded | None = None
    responsible: Participant | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """The header of one CDA document, and the level of its body."""

    id: Id
    code: Coded
    title: str
    effective_time: str
    confidentiality: Coded
    language: str
    level: str  # N1 (nonXMLBody) or N3 (structuredBody); "" without body
    set_id: Id | None = None
    version_number: int = 1
    template_ids: tuple[Id, ...] = ()
    related: tuple[RelatedDocument, ...] = ()
    patient: Patient = field(default_factory=Patient)
    authors: tuple[Author, ...] = ()
    custodian: Organization | None = None
    legal_authenticator: Participant | None = None
    authenticators: tuple[Participant, ...] = ()
    participants: tuple[Participant, ...] = ()  # REF is the prescriber
    recipients: tuple[Participant, ...] = ()  # informationRecipient
    order_ids: tuple[Id, ...] = ()
    media_type: str = CDA_TYPE  # of the file: another one when the document is inside its own stylesheet
    service_events: tuple[ServiceEvent, ...] = ()
    encounter: Encounter | None = None

    @property
    def replaces(self) -> Id | None:
        """Return the identifier of the document this one replaces (RPLC)."""
        return next((each.id for each in self.related if each.type_code == "RPLC"), None)

    @property
    def main_act(self) -> ServiceEvent | None:
        """Return the act that carries the laboratory (a performer's standardIndustryClassCode), else the first."""
        for event in self.service_events:
            if event.performer and event.performer.organization and event.performer.organization.industry:
                return event
        return self.service_events[0] if self.service_events else None
