"""The pages: overview, reports, one report, worklists. Each table is also a CSV file at the same address + `.csv`."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from console.adapters.documents import Archive
from console.adapters.figures import count_waiting, find_waiting, reconcile, service_rows
from console.adapters.problems import ProblemRoute
from console.adapters.queries import ReportFilter, ReportUnknown, find_reports, read_report, read_timeline
from console.adapters.web.rendering import STATIC, Renderer, csv_file, static_file
from console.core.lanes import Moment, draw
from console.settings import ConsoleSettings
from labohub.runtime.clock import Clock
from labohub.store.database import Database

CSV_ROWS = 10_000
RANGES = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}
Worklist = Literal["identity", "recipients", "returns", "conformance", "dead"]


class _Wanted:
    """The filters of the list of reports, as its address says them."""

    def __init__(
        self,
        q: Annotated[str, Query(max_length=100)] = "",
        status: Annotated[str, Query(max_length=30)] = "",
        sender: Annotated[str, Query(max_length=199)] = "",
        range_: Annotated[str, Query(alias="range", max_length=5)] = "",
        since: Annotated[str, Query(max_length=30)] = "",
        until: Annotated[str, Query(max_length=30)] = "",
        cursor: Annotated[str, Query(max_length=300)] = "",
    ) -> None:
        self.q, self.status, self.sender, self.range, self.cursor = q.strip(), status, sender.strip(), range_, cursor
        self.since, self.until = since, until

    def filter(self, now: datetime, zone: ZoneInfo) -> ReportFilter:
        """Return the filter for the read model; a date that cannot be read does not narrow."""
        since = now - RANGES[self.range] if self.range in RANGES else _local_time(self.since, zone)
        until = None if self.range in RANGES else _local_time(self.until, zone)
        return ReportFilter(text=self.q, status=self.status, sender=self.sender, since=since, until=until)


def _local_time(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC) if text else None
    except ValueError:
        return None


def pages_router(settings: ConsoleSettings, database: Database, archive: Archive, clock: Clock) -> APIRouter:
    """Return the routes of the web console."""
    router = APIRouter(include_in_schema=False, route_class=ProblemRoute)
    renderer = Renderer(settings.language, settings.time_zone, clock)
    zone = ZoneInfo(settings.time_zone)

    @router.get("/")
    async def overview(request: Request) -> HTMLResponse:
        async with database.reading() as connection:
            figures = await reconcile(connection)
            rows = await service_rows(connection, clock())
            waiting = await count_waiting(connection)
            newest = await find_reports(connection, ReportFilter(), limit=8)
        return renderer.page(
            request,
            "overview.html",
            figures=figures,
            services=rows,
            waiting=waiting,
            reports=newest.items,
            page="overview",
        )

    @router.get("/services.csv")
    async def services_csv() -> Response:
        async with database.reading() as connection:
            rows = await service_rows(connection, clock())
        heading = ("service", "last_hour", "errors", "waiting", "last_at")
        return csv_file("services.csv", heading, ([getattr(row, name) or "" for name in heading] for row in rows))

    @router.get("/reports")
    async def reports(request: Request, wanted: Annotated[_Wanted, Depends()]) -> HTMLResponse:
        async with database.reading() as connection:
            found = await find_reports(
                connection, wanted.filter(clock(), zone), limit=settings.page_rows, cursor=wanted.cursor
            )
            waiting = await count_waiting(connection)
        return renderer.page(request, "reports.html", found=found, wanted=wanted, waiting=waiting, page="reports")

    @router.get("/reports.csv")
    async def reports_csv(request: Request, wanted: Annotated[_Wanted, Depends()]) -> Response:
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

    @router.get("/reports/{report_id}")
    async def report(
        request: Request, report_id: str, view: Literal["compact", "full", "raw"] = "compact"
    ) -> HTMLResponse:
        try:
            async with database.reading() as connection:
                found = await read_report(connection, report_id)
                steps = await read_timeline(connection, report_id)
                waiting = await count_waiting(connection)
        except ReportUnknown:
            return renderer.page(request, "missing.html", status=404, page="reports", waiting={})
        moments = [
            Moment(
                step.at,
                step.message_id,
                step.service,
                step.step,
                step.outcome,
                step.target,
                step.code,
                f"step-{number}",
            )
            for number, step in enumerate(steps, 1)
        ]
        picture = draw(moments, compact=view == "compact")
        return renderer.page(
            request,
            "report.html",
            report=found,
            steps=steps,
            picture=picture,
            view=view,
            waiting=waiting,
            page="reports",
        )

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

    @router.get("/reports/{report_id}/documents/{document_id}/{form}")
    async def document(
        request: Request, report_id: str, document_id: str, form: Literal["cda", "pdf", "conformance"]
    ) -> Response:
        kept = {"cda": "blob", "pdf": "pdf", "conformance": "conformance_report"}[form]
        response = await archive.response(request, report_id, document_id, kept)
        if form != "pdf":  # a document may name a style sheet: it must not run with our origin
            response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
        return response

    @router.get("/worklists/{worklist}")
    async def worklist_page(
        request: Request, worklist: Worklist, cursor: Annotated[str, Query(max_length=300)] = ""
    ) -> HTMLResponse:
        async with database.reading() as connection:
            found = await find_waiting(connection, worklist, limit=settings.page_rows, cursor=cursor)
            waiting = await count_waiting(connection)
        return renderer.page(
            request, "worklist.html", worklist=worklist, found=found, waiting=waiting, page=f"worklist-{worklist}"
        )

    @router.get("/worklists/{worklist}/items.csv")
    async def worklist_csv(worklist: Worklist) -> Response:
        async with database.reading() as connection:
            found = await find_waiting(connection, worklist, limit=CSV_ROWS)
        heading = ("opened_at", "code", "target", "patient", "control_id", "sender_application", "report_id", "item_id")
        rows = ([getattr(item, name) for name in heading] for item in found.items)
        return csv_file(f"worklist-{worklist}.csv", heading, rows, f"worklist {worklist}")

    contents = {name: static_file(name) for name in STATIC}

    @router.get("/static/{name}")
    async def static(name: str) -> Response:
        if name not in contents:
            return Response(status_code=404)
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
        return Response(contents[name], media_type=STATIC[name], headers=headers)

    return router
