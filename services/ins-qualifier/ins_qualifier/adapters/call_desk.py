"""The traces of the calls to INSi: searched, listed, exported with what was sent and answered."""

import asyncio
import csv
import hashlib
import io
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from fastapi import HTTPException
from pydantic import AwareDatetime
from sqlalchemy import Select, select, tuple_

from ins_qualifier.adapters import tables
from ins_qualifier.adapters.officer import signed
from ins_qualifier.adapters.tables import InsUnit
from ins_qualifier.adapters.views import Body
from labohub.contracts.values import BlobRef
from labohub.errors import Refused
from labohub.store.blobs import BlobMissing, Blobs
from labohub.store.database import Database
from labohub.store.types import UtcDateTime

MAX_EXPORTED = 5000  # calls in one file: some 25 MB
READ_AT_ONCE = 16
AUDITED = "insi_calls"  # the item under which exports stand in the history


class TooManyCalls(Refused):
    """An export has a size: ask for a shorter period."""

    code = "insi.too-many-calls"


class CallFilter(Body):
    """Which calls. Empty: all. `until` is not included."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    operation: str = ""
    outcome: str = ""  # 00, 01, 02, a fault's code or one of ours
    report_id: str = ""


class CallTrace(Body):
    """One call, without patient data; `status` and `code` are what the check came to.

    No sum of what was sent or answered: with so little in it, traits could be guessed from one.
    """

    message_id: str
    called_at: datetime
    operation: str
    question: int
    with_birth_place: bool
    outcome: str
    elapsed_ms: int
    trigger: str
    certificate: str
    software: str
    conformance: str
    report_id: str
    check_id: str
    status: str
    code: str
    has_answer: bool


class CallPage(Body):
    """A page of calls, the last first; `next` is empty on the last page."""

    items: tuple[CallTrace, ...]
    next: str = ""


class CallExport(Body):
    """Which calls, who asks for them and why: written down."""

    filter: CallFilter = CallFilter()
    operator: str
    reason: str


class CallDesk:
    """The traces, as the API shows and exports them."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database, self._blobs = database, blobs
        self._units = database.units(InsUnit)

    async def page(self, wanted: CallFilter, after: str, limit: int) -> CallPage:
        """Return a page of calls."""
        table = tables.calls
        query = _query(wanted).order_by(table.c.called_at.desc(), table.c.message_id.desc()).limit(limit + 1)
        if after:
            query = query.where(tuple_(table.c.called_at, table.c.message_id) < _position(after))
        rows = await self._rows(query)
        items = tuple(_trace(row) for row in rows[:limit])
        return CallPage(items=items, next=_cursor(items[-1]) if len(rows) > limit else "")

    async def export_csv(self, order: CallExport) -> bytes:
        """Return the calls as CSV: no patient data. Raises: ReasonRequired, TooManyCalls."""
        rows = await self._exported(order, "csv")
        return await asyncio.to_thread(_csv, [_trace(row) for row in rows])

    async def export_zip(self, order: CallExport) -> bytes:
        """Return the calls with what was sent and answered, byte for byte: patients' traits.

        Raises: ReasonRequired, TooManyCalls.
        """
        rows = await self._exported(order, "zip")
        documents: dict[str, bytes] = {"calls.csv": _csv([_trace(row) for row in rows])}
        for start in range(0, len(rows), READ_AT_ONCE):
            parts = [self._documents(row) for row in rows[start : start + READ_AT_ONCE]]
            for part in await asyncio.gather(*parts):
                documents |= part
        return await asyncio.to_thread(_zip, documents)

    async def _exported(self, order: CallExport, form: str) -> Sequence[Any]:
        """Return the rows of an export, once it is written down who asked for it."""
        signed(order.operator, order.reason)
        query = _query(order.filter).order_by(tables.calls.c.called_at, tables.calls.c.message_id)
        rows = await self._rows(query.limit(MAX_EXPORTED + 1))
        if len(rows) > MAX_EXPORTED:
            raise TooManyCalls(f"more than {MAX_EXPORTED} calls")
        async with self._units() as unit:
            code = f"{form} {len(rows)}"
            await unit.worklist.note(AUDITED, "exported", code, order.operator, unit.now, reason=order.reason)
        return rows

    async def _rows(self, query: Select[Any]) -> Sequence[Any]:
        async with self._database.reading() as connection:
            rows: Sequence[Any] = (await connection.execute(query)).mappings().all()
        return rows

    async def _documents(self, row: Any) -> dict[str, bytes]:
        found = {}
        for name, column in (("sent.json", "sent"), ("answer.xml", "answer")):
            if row[column]:
                with suppress(BlobMissing):  # erased when its time was over
                    found[f"{row['message_id']}/{name}"] = await self._blobs.read(
                        BlobRef.model_validate_json(row[column])
                    )
        return found


def _query(wanted: CallFilter) -> Select[Any]:
    table, checks = tables.calls, tables.checks
    query = select(table, checks.c.state.label("status"), checks.c.error_code.label("code")).outerjoin(
        checks, checks.c.id == table.c.check_id
    )
    if wanted.since:
        query = query.where(table.c.called_at >= wanted.since)
    if wanted.until:
        query = query.where(table.c.called_at < wanted.until)
    for name in ("operation", "outcome", "report_id"):
        if value := getattr(wanted, name):
            query = query.where(table.c[name] == value)
    return query


def _trace(row: Any) -> CallTrace:
    own = {name: row[name] for name in CallTrace.model_fields if name in row and row[name] is not None}
    return CallTrace.model_validate({"status": "", "code": "", "has_answer": bool(row["answer"])} | own)


def _csv(traces: Sequence[CallTrace]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(CallTrace.model_fields)
    writer.writerows(trace.model_dump(mode="json").values() for trace in traces)
    return text.getvalue().encode()


def _zip(documents: dict[str, bytes]) -> bytes:
    """Return an archive with the sums of its files, as `sha256sum --check` reads them."""
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in documents.items())
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (documents | {"SHA256SUMS": sums.encode()}).items():
            archive.writestr(name, content)
    return data.getvalue()


def _cursor(trace: CallTrace) -> str:
    return f"{UtcDateTime().process_bind_param(trace.called_at, None)}.{trace.message_id}"


def _position(cursor: str) -> tuple[object, str]:
    micros, _, message_id = cursor.partition(".")
    if not micros.isdigit():
        raise HTTPException(422)
    return UtcDateTime().process_result_value(int(micros), None), message_id
