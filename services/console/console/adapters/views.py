"""What the API answers, and what pages show. Times are aware, UTC; no patient trait is in clear."""

from datetime import datetime
from typing import Generic, TypeVar

from pydantic import BaseModel, Field

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """One page of a list; `next_cursor` is empty on the last one."""

    items: list[T]
    next_cursor: str = ""


class DestinationView(BaseModel):
    """One destination of a message: the DMP or a mailbox."""

    message_id: str
    channel: str = Field(description="mss or dmp")
    kind: str
    target: str = Field(description="address; a patient's without its local part")
    name: str
    outcome: str
    at: datetime
    code: str
    document_id: str


class ReportRow(BaseModel):
    """One report of a list, as its newest message left it."""

    report_id: str
    state: str = Field(description="a terminal state, or how far the message is")
    is_settled: bool
    code: str
    patient: str = Field(description="masked")
    control_id: str
    message_type: str
    sender_application: str
    sender_facility: str
    path: str
    request: str
    received_at: datetime
    last_at: datetime
    expected: int
    destinations: list[DestinationView] = []


class MessageView(BaseModel):
    """One accepted message about a report."""

    message_id: str
    control_id: str
    message_type: str
    sender_application: str
    sender_facility: str
    path: str
    request: str
    processing_id: str
    received_at: datetime | None
    state: str
    is_settled: bool
    code: str
    settled_at: datetime | None
    expected: int
    delivered: int
    failed: int
    uncertain: int


class DocumentView(BaseModel):
    """One document of a report."""

    document_id: str
    message_id: str
    at: datetime
    title: str
    level: str
    version_number: int
    replaces: str
    conformance: str
    sha256: str
    size_bytes: int
    has_pdf: bool


class StepView(BaseModel):
    """One line of a timeline."""

    at: datetime
    service: str
    step: str
    outcome: str
    code: str
    target: str
    message_id: str
    event_id: str
    trace_id: str
    detail: dict[str, str]


class ReportView(ReportRow):
    """A report with all that is known of it, its timeline apart."""

    order_numbers: list[str]
    messages: list[MessageView]
    documents: list[DocumentView]


class WaitingView(BaseModel):
    """One item of a worklist."""

    item_id: str
    worklist: str
    report_id: str
    message_id: str
    control_id: str
    sender_application: str
    opened_at: datetime
    code: str
    target: str
    patient: str


class Reconciliation(BaseModel):
    """Accepted messages and their terminal states: `open` is 0 when all is done."""

    accepted: int
    settled: dict[str, int]
    open: int
    open_by_stage: dict[str, int]
    oldest_open_at: datetime | None


class ServiceRow(BaseModel):
    """What one service did lately."""

    service: str
    last_hour: int
    errors: int
    waiting: int
    last_at: datetime | None
    trend: list[int] = Field(description="facts per 5 minutes, oldest first")
