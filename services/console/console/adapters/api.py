"""The REST API of the console. Its contract is the OpenAPI document; errors are RFC 9457 problems."""

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Depends, Header, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from console.adapters.documents import Archive, actor_of, wanted_form
from console.adapters.figures import count_waiting, find_waiting, reconcile
from console.adapters.problems import ProblemRoute
from console.adapters.queries import (
    ReportFilter,
    find_reports,
    newest_report_id,
    read_report,
    read_timeline,
    read_traits,
)
from console.adapters.views import Page, Reconciliation, ReportRow, ReportView, StepView, WaitingView
from labohub.store.database import Database

MAX_ROWS = 500
Cursor = Annotated[str, Query(max_length=300, description="`next_cursor` of the page before")]
Limit = Annotated[int, Query(ge=1, le=MAX_ROWS)]


class Reason(BaseModel):
    """Why somebody looks at a patient's traits."""

    reason: str = Field(min_length=3, max_length=300)


def _filter(
    *,
    q: Annotated[str, Query(max_length=100, description="control id (or its beginning), order number, report")] = "",
    control_id: Annotated[str, Query(max_length=199)] = "",
    order_number: Annotated[str, Query(max_length=199)] = "",
    status: Annotated[str, Query(max_length=30, description="a state, `in-progress` or `attention`")] = "",
    sender: Annotated[str, Query(max_length=199, description="application or facility")] = "",
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> ReportFilter:
    return ReportFilter(q, control_id, order_number, status, sender, since, until)


def api_router(database: Database, archive: Archive) -> APIRouter:
    """Return the routes under /api/v1."""
    router = APIRouter(prefix="/api/v1", tags=["console"], route_class=ProblemRoute)

    @router.get("/reports")
    async def reports(
        wanted: Annotated[ReportFilter, Depends(_filter)], limit: Limit = 50, cursor: Cursor = ""
    ) -> Page[ReportRow]:
        """Return reports, newest first."""
        async with database.reading() as connection:
            return await find_reports(connection, wanted, limit=limit, cursor=cursor)

    @router.get("/reports/last")
    async def last_report() -> ReportView:
        """Return the report that was received last."""
        async with database.reading() as connection:
            return await read_report(connection, await newest_report_id(connection))

    @router.get("/reports/{report_id}")
    async def report(report_id: str) -> ReportView:
        """Return the state of a report, its messages, destinations and documents."""
        async with database.reading() as connection:
            return await read_report(connection, report_id)

    @router.get("/reports/{report_id}/timeline")
    async def timeline(report_id: str) -> list[StepView]:
        """Return every hop of a report, oldest first."""
        async with database.reading() as connection:
            await read_report(connection, report_id)
            return await read_timeline(connection, report_id)

    @router.get(
        "/reports/{report_id}/documents/{document_id}",
        responses={200: {"content": {"application/xml": {}, "application/pdf": {}, "text/html": {}}}},
        response_class=Response,
    )
    async def document(
        request: Request, report_id: str, document_id: str, accept: Annotated[str, Header()] = "application/xml"
    ) -> Response:
        """Return the CDA, its PDF or a page to read, as `Accept` prefers. The reading is audited."""
        return await archive.response(request, report_id, document_id, wanted_form(accept))

    @router.get("/reports/{report_id}/documents/{document_id}/conformance", response_class=Response)
    async def conformance(request: Request, report_id: str, document_id: str) -> Response:
        """Return the conformance report kept with a document."""
        return await archive.response(request, report_id, document_id, "conformance_report")

    @router.get(
        "/reports/{report_id}/evidence.zip",
        responses={200: {"content": {"application/zip": {}}}},
        response_class=Response,
    )
    async def evidence(request: Request, report_id: str) -> Response:
        """Return all that is kept of a report: documents, mails as sent, answers, timeline, manifest. Audited."""
        return await archive.evidence(request, report_id)

    @router.post("/reports/{report_id}/patient")
    async def patient(request: Request, report_id: str, reason: Annotated[Reason, Body()]) -> dict[str, str]:
        """Return the patient's traits in clear. Who asked, and why, is audited first."""
        async with database.reading() as connection:
            traits = await read_traits(connection, report_id)
        await archive.audited(actor_of(request), "reveal.patient", report_id, reason=reason.reason)
        return traits

    @router.get("/worklists")
    async def worklists() -> dict[str, int]:
        """Return how many items wait on each worklist."""
        async with database.reading() as connection:
            return await count_waiting(connection)

    @router.get("/worklists/{worklist}")
    async def worklist(
        worklist: Literal["recipients", "conformance", "dead"],
        limit: Limit = 50,
        cursor: Cursor = "",
    ) -> Page[WaitingView]:
        """Return what waits for a human, oldest first. The other worklists are served by the service that owns them."""
        async with database.reading() as connection:
            return await find_waiting(connection, worklist, limit=limit, cursor=cursor)

    @router.get("/reconciliation")
    async def reconciliation() -> Reconciliation:
        """Return accepted messages by terminal state; `open` counts those that have none yet."""
        async with database.reading() as connection:
            return await reconcile(connection)

    return router
