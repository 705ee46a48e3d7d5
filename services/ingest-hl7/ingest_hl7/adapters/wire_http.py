"""`GET /api/v1/connections`: the wire view."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from ingest_hl7.adapters.wire import Wire


def wire_routes(wire: Wire) -> APIRouter:
    """Return the routes of the wire view."""
    router = APIRouter(prefix="/api/v1", tags=["hl7"])

    @router.get("/connections")
    async def connections() -> JSONResponse:
        """Return the open MLLP connections, the oldest first, then those that ended lately."""
        return JSONResponse({"connections": [line.view() for line in wire.lines()]})

    return router
