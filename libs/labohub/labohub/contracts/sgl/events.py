"""The SGL events: one envelope, one class per type. Unknown fields are refused: a misspelt one would be a silent loss.

Within `/api/v1` fields are only added, and optional.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from labohub.contracts.values import RecipientKind
from labohub.errors import Refused

OUR_TIME = range(1970, 9999)  # years: one more and no offset can be applied

Name = Annotated[str, StringConstraints(min_length=1, max_length=227, pattern=r"^[^\x00-\x1f\x7f^|~&\\]+$")]
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=199, pattern=r"^[^\x00-\x1f\x7f]+$")]
Text = Annotated[str, StringConstraints(max_length=194, pattern=r"^[^\x00-\x1f\x7f]*$")]
Address = Annotated[str, StringConstraints(min_length=3, max_length=254, pattern=r"^[^\s@\x00-\x1f\x7f]+@[^\s@]+$")]


class EventMalformed(Refused):
    """The body is not an SGL event of this contract; `places` says where, never what was there."""

    code = "event.malformed"

    def __init__(self, places: tuple[tuple[str, str], ...]) -> None:
        super().__init__("not an SGL event")
        self.places = places


class SglValue(BaseModel):
    """Root. Errors never show the input: it may be a patient's."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Source(SglValue):
    """The system that speaks, under the names it uses in HL7: MSH-3 and MSH-4, first components."""

    application: Name
    facility: Name


class SubjectKind(StrEnum):
    """What the subject's value is."""

    ORDER = "order"  # number of the demand, of the placer or of the filler
    CONTROL_ID = "control-id"  # MSH-10 of the message that carried the report
    DOCUMENT = "document"  # identifier of the laboratory's own CDA (relay path)
    PATIENT = "patient"  # local identifier (CX.1 of PID-3) with its authority: consent alone


class Subject(SglValue):
    """What the event is about."""

    kind: SubjectKind
    value: Identifier
    authority: Name | None = Field(None, description="Of a patient's identifier: OID, or name as in PID-3.4.")


class SglRecipient(SglValue):
    """A MSSanté mailbox and whose it is."""

    kind: RecipientKind
    address: Address
    identifier: Text = ""
    identifier_type: Text = ""
    family_name: Text = ""
    given_name: Text = ""
    organisation_name: Text = ""


class SglEvent(SglValue):
    """The envelope of all events."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")] = Field(
        description="Idempotency key, unique for its source. Never anything of a patient."
    )
    type: str
    occurred_at: AwareDatetime = Field(description="When it happened at the laboratory, with its offset.")
    source: Source
    subject: Subject

    @field_validator("occurred_at")
    @classmethod
    def _is_of_our_time(cls, value: datetime) -> datetime:
        if value.year not in OUR_TIME:
            raise ValueError("no date of our time")
        return value

    @model_validator(mode="after")
    def _subject_fits(self) -> Self:
        about_patient = self.subject.kind is SubjectKind.PATIENT
        if about_patient and not isinstance(self, ConsentRecorded):
            raise ValueError("only a consent is about a patient")
        if about_patient != (self.subject.authority is not None):
            raise ValueError("a patient's identifier has an authority, others have none")
        return self


class NoData(SglValue):
    """Nothing more to say."""


class HoldData(SglValue):
    """How a hold is meant."""

    next_version: bool = Field(
        False,
        strict=True,
        description="True: what has left stays as it is; what comes next waits. False: refused when it has left.",
    )


class RecipientsData(SglValue):
    """Who is added and who is taken away."""

    add: tuple[SglRecipient, ...] = Field((), max_length=50)
    remove: tuple[Address, ...] = Field((), max_length=50)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        added = {each.address.casefold() for each in self.add}
        if not self.add and not self.remove:
            raise ValueError("nobody is added or removed")
        if added & {each.casefold() for each in self.remove}:
            raise ValueError("the same mailbox is added and removed")
        return self


class ConsentData(SglValue):
    """What the patient said (ZFA-9 and ZFA-11 of PAM-FR)."""

    feeding: Literal["not-opposed", "opposed", "not-collected"] = Field(description="ZFA-9: INO, IO, NA.")
    consultation: Literal["consents", "refuses", "not-collected"] = Field(
        "not-collected", description="ZFA-11: IC, INC, NA."
    )


class ReportValidated(SglEvent):
    """The biologist validated: a report of a sender whose policy is `on-event` may leave."""

    type: Literal["report.validated"]
    data: NoData = NoData()


class ReportHold(SglEvent):
    """The report must not leave until `report.release`."""

    type: Literal["report.hold"]
    data: HoldData = HoldData()


class ReportRelease(SglEvent):
    """A hold on the same subject ends."""

    type: Literal["report.release"]
    data: NoData = NoData()


class ConsentRecorded(SglEvent):
    """The patient's will about the DMP was recorded."""

    type: Literal["consent.recorded"]
    data: ConsentData


class AnnouncementDone(SglEvent):
    """The result was announced to the patient: the document may become visible to him."""

    type: Literal["announcement.done"]
    data: NoData = NoData()


class RecipientsChanged(SglEvent):
    """The report goes to other mailboxes too, or not any more to some."""

    type: Literal["recipients.changed"]
    data: RecipientsData


TYPES: Mapping[str, type[SglEvent]] = MappingProxyType(
    {
        "report.validated": ReportValidated,
        "report.hold": ReportHold,
        "report.release": ReportRelease,
        "consent.recorded": ConsentRecorded,
        "announcement.done": AnnouncementDone,
        "recipients.changed": RecipientsChanged,
    }
)


def read_event(body: Any) -> SglEvent:
    """Return the event that parsed JSON holds. Raises: EventMalformed."""
    kind = body.get("type") if isinstance(body, dict) else None
    if not isinstance(kind, str) or kind not in TYPES:
        raise EventMalformed((("type", "unknown"),)) from None
    try:
        return TYPES[kind].model_validate(body)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        raise EventMalformed(tuple((_place(item["loc"]), item["type"]) for item in found)) from None


def schema_of(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of a type. Raises: KeyError."""
    return TYPES[kind].model_json_schema()


def _place(location: tuple[int | str, ...]) -> str:
    """Return a place by known names: a field's name that somebody invented may hold anything."""
    return ".".join(str(part) if isinstance(part, int) or part in _NAMES else "?" for part in location) or "event"


_VALUES: tuple[type[SglValue], ...] = (
    *TYPES.values(), Source, Subject, SglRecipient, HoldData, RecipientsData, ConsentData,
)  # fmt: skip
_NAMES = frozenset(name for kind in _VALUES for name in kind.model_fields)
