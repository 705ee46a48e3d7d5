"""What dmp-feeder needs from outside, in its own words."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from dmp_feeder.core.filing import Asker, FiledDocument, Filing
from dmp_feeder.core.lot import Call
from labohub.contracts.events import Event
from labohub.contracts.values import BlobRef
from labohub.errors import Unavailable
from labohub.standards.soap import SoapFault
from labohub.standards.xds.answers import RegistryAnswer
from labohub.store.work import NewWork, Work


class DmpUnreachable(Unavailable):
    """No connection, no answer in time, or an answer that is not the DMP's."""

    code = "dmp.unreachable"


class TargetUnderWay(Unavailable):
    """What is to be replaced or deleted is itself on its way, with another report: it goes first."""

    code = "dmp.target-under-way"


class DmpRejectsUs(Unavailable):
    """The DMP does not let us in (TLS or HTTP): our certificate, most likely."""

    code = "dmp.rejects-us"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer in SOAP: a registry response or a fault."""

    answer: RegistryAnswer | None = None
    fault: SoapFault | None = None


class Dmp(Protocol):
    """The DMP's services."""

    def address(self, endpoint: str) -> str:
        """Return the URL of `repository` or `registry`."""

    async def send(self, call: Call) -> Reply:
        """Return the answer to a request. Raises: DmpUnreachable, DmpRejectsUs."""


@dataclass(frozen=True, slots=True)
class KeptLot:
    """What was put on the wire, without the documents, and what they replace."""

    evidence: BlobRef
    replaced: Mapping[str, str]  # document in the DMP, by the identifier of the one that replaces it


class FilingBook(Protocol):
    """The filings, as leasable work."""

    async def plan(self, row: NewWork, filing: Filing) -> None:
        """Add a filing with its documents; one that is known is left as it is."""

    async def find(self, work_id: str) -> Work | None: ...

    async def hold(self, work_id: str) -> Work | None: ...

    async def lease_due(self, limit: int, lease_seconds: float) -> list[Work]: ...

    async def mark(self, work: Work, state: str) -> bool: ...

    async def settle(
        self,
        work: Work,
        state: str,
        *,
        is_open: bool = False,
        due_at: datetime | None = None,
        error_code: str = "",
        payload: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> bool: ...

    async def withdraw(self, filing_id: str, error_code: str) -> None:
        """End a filing that has not left: whoever was about to send it has lost it."""

    async def reopen(self, filing_id: str, payload: str, now: datetime) -> None:
        """Make a refused filing due again."""

    async def has_later_accepted(self, known: Work) -> bool:
        """Return whether the DMP took a later document of the same report."""

    async def is_ended(self, filing: Filing) -> bool:
        """Return whether something replaces or deletes a document of a feeding."""

    async def document_state(self, document_id: str) -> str:
        """Return the state of a document that was, or is to be, fed; empty when it is unknown."""

    async def latest_accepted(self, document: FiledDocument, lane: str) -> str:
        """Return the document that stands in the DMP for its set; without set, for its report and format."""

    async def settle_documents(self, filing_id: str, state: str) -> None:
        """Write how the feeding of a filing's documents ended."""

    async def mark_document(self, document_id: str, state: str) -> None:
        """Write what became of a document that the DMP took: replaced, or deleted."""


class AskerBook(Protocol):
    """The messages that wait for an outcome."""

    async def add(self, filing_id: str, asker: Asker) -> None: ...

    async def take(self, filing_id: str) -> list[Asker]:
        """Return the askers of a filing, and forget them."""

    async def filings_of(self, message_id: str) -> list[str]:
        """Return the filings that a message waits for."""

    async def drop(self, filing_id: str, message_id: str) -> bool:
        """Forget one asker. Return whether others wait for the filing."""


class OppositionBook(Protocol):
    """The messages whose patient opposes the feeding."""

    async def add(self, message_id: str, cause: str, now: datetime) -> None: ...

    async def lift(self, message_id: str) -> None: ...

    async def has(self, message_id: str) -> bool: ...

    async def among(self, filing_ids: Sequence[str]) -> set[str]:
        """Return the feedings that are opposed for all who wait for them."""


class LotBook(Protocol):
    """The lots that were put on the wire."""

    async def keep(self, filing_id: str, lot: KeptLot) -> None: ...

    async def find(self, filing_ids: Sequence[str]) -> dict[str, KeptLot]: ...

    async def drop(self, filing_id: str) -> None: ...


class FilingUnit(Protocol):
    """One transaction."""

    now: datetime

    @property
    def filings(self) -> FilingBook: ...

    @property
    def askers(self) -> AskerBook: ...

    @property
    def lots(self) -> LotBook: ...

    @property
    def oppositions(self) -> OppositionBook: ...

    async def publish(self, *events: Event) -> None: ...


FilingUnits = Callable[[], AbstractAsyncContextManager[FilingUnit]]
