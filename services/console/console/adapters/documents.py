"""The bytes of a document, and the trace of who read them."""

from fastapi import Request, Response
from sqlalchemy import insert

from console.adapters.queries import read_document
from console.adapters.tables import audit
from console.adapters.unit import ConsoleUnit
from labohub.contracts.values import BlobRef
from labohub.errors import Refused
from labohub.store.blobs import Blobs
from labohub.store.database import Database


class DocumentUnknown(Refused):
    """The report has no such document, or not in this form."""

    code = "console.document-unknown"


class Archive:
    """Reads documents by reference; every reading is written in the audit first."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database = database
        self._units = database.units(ConsoleUnit)
        self._blobs = blobs

    async def audited(self, actor: str, act: str, report_id: str, subject: str = "", reason: str = "") -> None:
        """Write who did what to which report; durable when it returns."""
        async with self._units() as unit:
            row = {"at": unit.now, "actor": actor, "act": act, "report_id": report_id, "subject": subject}
            await unit.connection.execute(insert(audit).values(**row, reason=reason))

    async def reference(self, report_id: str, document_id: str, form: str) -> BlobRef:
        """Return where the bytes of a document are; `form` is blob, pdf or conformance_report.

        Raises:
            DocumentUnknown: see the class.
        """
        async with self._database.reading() as connection:
            row = await read_document(connection, report_id, document_id)
        text = row._mapping[form] if row is not None else ""
        if not text:
            raise DocumentUnknown("no such document in this form")
        return BlobRef.model_validate_json(text)

    async def response(self, request: Request, report_id: str, document_id: str, form: str) -> Response:
        """Return the exact bytes of a document, with the reading audited.

        Raises:
            DocumentUnknown: see the class. Those of `Blobs.read`.
        """
        reference = await self.reference(report_id, document_id, form)
        await self.audited(actor_of(request), f"read.{form}", report_id, document_id)
        content = await self._blobs.read(reference)
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "ETag": f'"{reference.sha256}"'}
        return Response(content, media_type=reference.media_type, headers=headers)


def actor_of(request: Request) -> str:
    """Return who asks. There are no accounts yet: the address of the machine."""
    return request.client.host if request.client else "local"


def wanted_form(accept: str) -> str:
    """Return `pdf` when the Accept header prefers a PDF to XML, else `blob` (the CDA)."""
    weights = {"application/pdf": 0.0, "application/xml": 0.0}
    for part in accept.split(","):
        media_type, _, parameters = part.strip().partition(";")
        if media_type in weights:
            weights[media_type] = _quality(parameters)
    return "pdf" if weights["application/pdf"] > weights["application/xml"] else "blob"


def _quality(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
