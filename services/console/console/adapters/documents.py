"""The bytes of a document, and the trace of who read them."""

import asyncio
import hashlib
import io
import zipfile
from datetime import datetime

import orjson
from fastapi import Request, Response
from sqlalchemy import insert, select

from console.adapters.queries import read_document, read_report, read_timeline
from console.adapters.tables import audit, documents, evidence
from console.adapters.unit import ConsoleUnit
from labohub.contracts.values import BlobRef
from labohub.errors import Refused
from labohub.runtime.clock import Clock
from labohub.standards.cda.presentation import to_html
from labohub.store.blobs import Blobs
from labohub.store.database import Database

HTML = "html"
PAGE_POLICY = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"  # no script, nothing fetched
EXTENSIONS = {
    "application/xml": ".xml", "text/xml": ".xml", "application/pdf": ".pdf", "message/rfc822": ".eml",
    "application/json": ".json", "text/plain": ".txt", "application/soap+xml": ".xml",
    "multipart/related": ".mime", "application/xslt+xml": ".xml",
}  # fmt: skip


class DocumentUnknown(Refused):
    """The report has no such document, or not in this form."""

    code = "console.document-unknown"


class Archive:
    """Reads documents by reference; every reading is written in the audit first."""

    def __init__(self, database: Database, blobs: Blobs, clock: Clock) -> None:
        self._database = database
        self._clock = clock
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
        """Return the exact bytes of a document, or a page made from its CDA (`html`), with the reading audited.

        Raises:
            DocumentUnknown: see the class. Those of `Blobs.read`.
        """
        if form == HTML:
            return await self._page(request, report_id, document_id)
        reference = await self.reference(report_id, document_id, form)
        await self.audited(actor_of(request), f"read.{form}", report_id, document_id)
        content = await self._blobs.read(reference)
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "ETag": f'"{reference.sha256}"'}
        if form == "blob":  # a document may hold or name a stylesheet: no browser runs it here
            headers["Content-Security-Policy"] = PAGE_POLICY
            headers["Content-Disposition"] = "attachment"
        return Response(content, media_type=reference.media_type, headers=headers)

    async def _page(self, request: Request, report_id: str, document_id: str) -> Response:
        reference = await self.reference(report_id, document_id, "blob")
        await self.audited(actor_of(request), "read.html", report_id, document_id)
        content = await asyncio.to_thread(to_html, await self._blobs.read(reference))
        headers = {
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": PAGE_POLICY,
        }
        return Response(content, media_type="text/html; charset=utf-8", headers=headers)

    async def evidence(self, request: Request, report_id: str) -> Response:
        """Return a zip of all that is kept of a report, with the reading audited.

        Raises:
            ReportUnknown: see the class.
        """
        async with self._database.reading() as connection:
            report = await read_report(connection, report_id)
            steps = await read_timeline(connection, report_id)
            kept = (await connection.execute(select(documents).where(documents.c.report_id == report_id))).all()
            proofs = (await connection.execute(select(evidence).where(evidence.c.report_id == report_id))).all()
        await self.audited(actor_of(request), "read.evidence", report_id)
        bundle = _Bundle(self._blobs)
        bundle.add("report.json", report.model_dump_json(indent=2).encode(), "application/json")
        timeline = orjson.dumps([step.model_dump() for step in steps], option=orjson.OPT_INDENT_2)
        bundle.add("timeline.json", timeline, "application/json")
        for row in sorted(kept, key=lambda row: row.at):
            stem = f"documents/v{row.version_number}-{row.sha256[:12]}"
            await bundle.add_blob(stem, row.blob)
            await bundle.add_blob(stem, row.pdf)
            await bundle.add_blob(f"{stem}-conformance", row.conformance_report)
        for number, row in enumerate(sorted(proofs, key=lambda row: row.at), 1):
            await bundle.add_blob(f"evidence/{number:03d}-{row.step}", row.blob)
        content = await asyncio.to_thread(bundle.zip, self._clock())
        name = f'attachment; filename="evidence-{report_id}.zip"'
        headers = {"Cache-Control": "no-store", "Content-Disposition": name}
        return Response(content, media_type="application/zip", headers=headers)


class _Bundle:
    """Files of a zip with their manifest."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self.files: dict[str, bytes] = {}
        self._manifest: list[dict[str, object]] = []

    def add(self, name: str, content: bytes, media_type: str) -> None:
        self.files[name] = content
        digest = hashlib.sha256(content).hexdigest()
        line = {"name": name, "sha256": digest, "size_bytes": len(content), "media_type": media_type}
        self._manifest.append(line)

    async def add_blob(self, name: str, text: str) -> None:
        """Add a kept document; one that was erased is named in the manifest with the digest it had."""
        if not text:
            return
        reference = BlobRef.model_validate_json(text)
        name += EXTENSIONS.get(reference.media_type.partition(";")[0], ".bin")
        try:
            self.add(name, await self._blobs.read(reference), reference.media_type)
        except Refused as error:
            self._manifest.append({"name": name, "sha256": reference.sha256, "missing": error.code})

    def zip(self, at: datetime) -> bytes:
        """Return the bundle, its manifest last."""
        self.files["manifest.json"] = orjson.dumps({"made_at": at, "files": self._manifest}, option=orjson.OPT_INDENT_2)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name, content in self.files.items():
                bundle.writestr(zipfile.ZipInfo(name, at.timetuple()[:6]), content, zipfile.ZIP_DEFLATED)
        return out.getvalue()


def actor_of(request: Request) -> str:
    """Return who asks. There are no accounts yet: the address of the machine."""
    return request.client.host if request.client else "local"


def wanted_form(accept: str) -> str:
    """Return the form that the Accept header prefers: `html`, `pdf`, else `blob` (the CDA)."""
    weights = {"application/xml": 0.0, "application/pdf": 0.0, "text/html": 0.0}
    for part in accept.split(","):
        media_type, _, parameters = part.strip().partition(";")
        if media_type in weights:
            weights[media_type] = _quality(parameters)
    best = max(weights, key=lambda media_type: weights[media_type])
    return {"application/pdf": "pdf", "text/html": HTML}.get(best, "blob") if weights[best] else "blob"


def _quality(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
