"""`POST /api/v1/validate`: a document is checked as the gate would, and each finding explained. Nothing is kept."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from cda_builder.adapters.workshop import ProcessWorkshop
from cda_builder.ports import WorkshopBusy
from labohub.runtime.http import problem

MAX_BYTES = 40 * 1024 * 1024  # an archive of MSSanté stays below 25 MB
_TYPES = frozenset(
    ("application/xml", "application/xslt+xml", "text/xml", "application/zip", "application/octet-stream")
)
_WAITING = 4  # validations at once: the reports of the day come first


def routes(workshop: ProcessWorkshop) -> APIRouter:
    """Return the service's route for people who write documents."""
    router = APIRouter(prefix="/api/v1", tags=["validation"])
    waiting = asyncio.Semaphore(_WAITING)

    @router.post("/validate")
    async def validate(request: Request, lang: Annotated[Literal["fr", "en"], Query()] = "fr") -> JSONResponse:
        """Check a CDA or an XDM archive (the body), and say what is wrong, where, and the remedy."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in _TYPES:
            return problem(415, "http.media-type", "Content-Type must be application/xml or application/zip")
        if waiting.locked():
            return problem(503, "http.busy", "other documents are being validated")
        async with waiting:
            received = bytearray()
            async for chunk in request.stream():
                received += chunk
                if len(received) > MAX_BYTES:
                    return problem(413, "http.too-large", "the document is larger than the limit")
            if not received:
                return problem(400, "http.empty", "the body holds no document")
            try:
                checked = await workshop.validate(bytes(received), lang)
            except WorkshopBusy as error:
                return problem(503, error.code)
        conforms = all(each.conforms for each in checked)
        return JSONResponse({"conforms": conforms, "documents": [each.as_json() for each in checked]})

    return router
