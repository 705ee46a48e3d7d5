"""The pages: overview, reports, one report, worklists."""

from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.ext.asyncio import AsyncConnection

from console.adapters.figures import count_waiting, find_waiting, reconcile, service_rows
from console.adapters.problems import ProblemRoute
from console.adapters.queries import ReportFilter, ReportUnknown, find_reports, read_report, read_timeline
from console.adapters.views import ServiceRow
from console.adapters.web.filters import Wanted, Worklist
from console.adapters.web.rendering import Renderer
from console.core.lanes import Moment, draw
from console.settings import ConsoleSettings
from labohub.runtime.clock import Clock
from labohub.store.database import Database

SERVICES_SECONDS = 5.0  # counting an hour of steps is the dear part of the overview


class _Services:
    """What services did lately, counted again only after a while."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counted_at: datetime | None = None
        self._rows: list[ServiceRow] = []

    async def rows(self, connection: AsyncConnection) -> list[ServiceRow]:
        """Return a row per service, at most `SERVICES_SECONDS` old."""
        now = self._clock()
        if self._counted_at is None or abs((now - self._counted_at).total_seconds()) >= SERVICES_SECONDS:
            self._rows, self._counted_at = await service_rows(connection, now), now
        return self._rows


def pages_router(settings: ConsoleSettings, database: Database, clock: Clock) -> APIRouter:
    """Return the routes of the web console."""
    router = APIRouter(include_in_schema=False, route_class=ProblemRoute)
    renderer = Renderer(settings.language, settings.time_zone, clock)
    zone = ZoneInfo(settings.time_zone)
    services = _Services(clock)

    @router.get("/")
    async def overview(request: Request) -> HTMLResponse:
        async with database.reading() as connection:
            figures = await reconcile(connection)
            rows = await services.rows(connection)
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

    @router.get("/reports")
    async def reports(request: Request, wanted: Annotated[Wanted, Depends()]) -> HTMLResponse:
        async with database.reading() as connection:
            found = await find_reports(
                connection, wanted.filter(clock(), zone), limit=settings.page_rows, cursor=wanted.cursor
            )
            waiting = await count_waiting(connection)
        return renderer.page(request, "reports.html", found=found, wanted=wanted, waiting=waiting, page="reports")

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

    return router
