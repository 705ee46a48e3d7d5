"""`GET /api/v1/connections`: the wire view."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from ingest_hl7.adapters.access import Access
from ingest_hl7.adapters.api_keys import Scope
from ingest_hl7.adapters.wire import Wire


def wire_routes(wire: Wire, access: Access) -> APIRouter:
    """Return the routes of the wire view."""
    router = APIRouter(prefix="/api/v1", tags=["hl7"])

    @router.get("/connections")
    async def connections(request: Request) -> Response:
        """Return the open MLLP connections, the oldest first, then those that ended lately."""
        if isinstance(caller := await access.admit(request, Scope.OPERATE), Response):
            return caller
        return JSONResponse({"connections": [line.view() for line in wire.lines()]})

    return router
