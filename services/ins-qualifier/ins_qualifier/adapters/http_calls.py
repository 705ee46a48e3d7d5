"""The traces of the calls to INSi over HTTP. No patient data in any address."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from ins_qualifier.adapters.call_desk import CallDesk, CallExport, CallFilter, CallPage


def call_routes(desk: CallDesk) -> APIRouter:
    """Return the routes of the traces."""
    routes = APIRouter(prefix="/api/v1/identity/calls", tags=["identity"])

    @routes.get("")
    async def calls(
        wanted: Annotated[CallFilter, Query()], after: str = "", limit: Annotated[int, Query(ge=1, le=500)] = 50
    ) -> CallPage:
        """Return calls to INSi, the last first."""
        return await desk.page(wanted, after, limit)

    @routes.post("/export.csv", response_class=Response)
    async def export_csv(order: CallExport) -> Response:
        """Return calls as CSV, without patient data. Who asked and why is written down."""
        return _file(await desk.export_csv(order), "text/csv; charset=utf-8", "calls.csv")

    @routes.post("/export.zip", response_class=Response)
    async def export_zip(order: CallExport) -> Response:
        """Return calls with the traits sent and the raw answers. Who asked and why is written down."""
        return _file(await desk.export_zip(order), "application/zip", "calls.zip")

    return routes


def _file(content: bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)
