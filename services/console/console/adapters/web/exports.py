"""What is not a page: tables as CSV files, documents, the files shipped with the console."""

from dataclasses import asdict
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request, Response

from console.adapters.documents import HTML, Archive
from console.adapters.figures import find_waiting, service_rows
from console.adapters.problems import ProblemRoute
from console.adapters.queries import find_reports, read_report, read_timeline
from console.adapters.web.filters import Wanted, Worklist
from console.adapters.web.rendering import STATIC, csv_file, static_file
from labohub.runtime.clock import Clock
from labohub.store.database import Database

CSV_ROWS = 10_000


def csv_router(database: Database, clock: Clock, zone: ZoneInfo) -> APIRouter:
    """Return the routes of the tables as CSV files."""
    router = APIRouter(include_in_schema=False, route_class=ProblemRoute)

    @router.get("/services.csv")
    async def services_csv() -> Response:
        async with database.reading() as connection:
            rows = await service_rows(connection, clock())
        heading = ("service", "last_hour", "errors", "waiting", "last_at")
        return csv_file("services.csv", heading, ([getattr(row, name) or "" for name in heading] for row in rows))

    @router.get("/reports.csv")
    async def reports_csv(request: Request, wanted: Annotated[Wanted, Depends()]) -> Response:
        narrowed = wanted.filter(clock(), zone)
        async with database.reading() as connection:
            found = await find_reports(connection, narrowed, limit=CSV_ROWS)
        heading = (
            "received_at", "state", "code", "patient", "control_id", "message_type", "sender_application",
            "sender_facility", "path", "request", "expected", "last_at", "report_id",
        )  # fmt: skip
        said = " ".join(f"{name}={value}" for name, value in asdict(narrowed).items() if value)
        rows = ([getattr(row, name) for name in heading] for row in found.items)
        return csv_file("reports.csv", heading, rows, said or "all reports")

    @router.get("/reports/{report_id}/timeline.csv")
    async def timeline_csv(report_id: str) -> Response:
        async with database.reading() as connection:
            steps = await read_timeline(connection, report_id)
        heading = ("at", "service", "step", "outcome", "code", "target", "message_id", "event_id", "trace_id")
        rows = ([getattr(step, name) for name in heading] for step in steps)
        return csv_file("timeline.csv", heading, rows, f"report {report_id}")

    @router.get("/reports/{report_id}/recipients.csv")
    async def recipients_csv(report_id: str) -> Response:
        async with database.reading() as connection:
            found = await read_report(connection, report_id)
        heading = ("channel", "kind", "target", "name", "outcome", "code", "at", "document_id", "message_id")
        rows = ([getattr(item, name) for name in heading] for item in found.destinations)
        return csv_file("recipients.csv", heading, rows, f"report {report_id}")

    @router.get("/worklists/{worklist}/items.csv")
    async def worklist_csv(worklist: Worklist) -> Response:
        async with database.reading() as connection:
            found = await find_waiting(connection, worklist, limit=CSV_ROWS)
        heading = ("opened_at", "code", "target", "patient", "control_id", "sender_application", "report_id", "item_id")
        rows = ([getattr(item, name) for name in heading] for item in found.items)
        return csv_file(f"worklist-{worklist}.csv", heading, rows, f"worklist {worklist}")

    return router


def files_router(archive: Archive) -> APIRouter:
    """Return the routes of documents and of the console's own files."""
    router = APIRouter(include_in_schema=False, route_class=ProblemRoute)

    @router.get("/reports/{report_id}/documents/{document_id}/{form}")
    async def document(
        request: Request, report_id: str, document_id: str, form: Literal["cda", "html", "pdf", "conformance"]
    ) -> Response:
        kept = {"cda": "blob", "html": HTML, "pdf": "pdf", "conformance": "conformance_report"}[form]
        response = await archive.response(request, report_id, document_id, kept)
        if form in ("cda", "conformance"):  # a document may name a style sheet: it must not run with our origin
            response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
        return response

    contents = {name: static_file(name) for name in STATIC}

    @router.get("/static/{name}")
    async def static(name: str) -> Response:
        if name not in contents:
            return Response(status_code=404)
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
        return Response(contents[name], media_type=STATIC[name], headers=headers)

    return router
