"""What one event changes on the board."""

from dataclasses import dataclass, field
from datetime import datetime

from console.core.states import Outcome, Stage
from labohub.contracts.values import BlobRef, DocumentFacts, Report

DMP = "DMP"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a timeline. `detail` holds no patient data."""

    event_id: str
    occurred_at: datetime
    service: str
    name: str
    outcome: str  # ok, waiting, warning or error
    code: str = ""
    target: str = ""
    detail: dict[str, str] = field(default_factory=dict)
    evidence: BlobRef | None = None  # what was sent or received at this step


@dataclass(frozen=True, slots=True)
class Destination:
    """One destination of a message and where it stands."""

    target_id: str
    channel: str  # mss or dmp
    kind: str
    target: str
    name: str
    outcome: Outcome
    at: datetime
    code: str = ""
    document_id: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A document of a report and where its bytes are."""

    facts: DocumentFacts
    blob: BlobRef
    pdf: BlobRef | None
    conformance: str
    conformance_report: BlobRef | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Settlement:
    """The terminal state of a message."""

    state: str
    code: str
    delivered: int
    failed: int
    uncertain: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Archived:
    """A message that asks for nothing now."""

    control_id: str
    message_type: str
    sender_application: str
    sender_facility: str


@dataclass(frozen=True, slots=True)
class Attention:
    """Something that waits for a human, on one of the worklists."""

    worklist: str
    target_id: str
    code: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that one event changes; what is None or empty changes nothing."""

    report_id: str
    message_id: str
    step: Step
    stage: Stage = Stage.SEEN
    received: Report | None = None
    archived: Archived | None = None
    destinations: tuple[Destination, ...] = ()
    documents: tuple[Document, ...] = ()  # one, or two formats of one content
    settlement: Settlement | None = None
    opens: Attention | None = None
    closes: tuple[tuple[str, str], ...] = ()  # (worklist, target_id)
