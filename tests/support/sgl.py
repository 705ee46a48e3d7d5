"""SGL events of fictional laboratories, and a client that sends them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx

from tests.support.ingest import Running

SOURCE = {"application": "SGL-REMPARTS", "facility": "REMPARTS"}


def event(kind: str, value: str, *, about: str = "order", id_: str = "", **data: Any) -> dict[str, Any]:
    """Return an event about an order, a control id or a document."""
    return {
        "id": id_ or f"e-{uuid4()}",
        "type": kind,
        "occurred_at": "2026-03-12T10:05:00+01:00",
        "source": SOURCE,
        "subject": {"kind": about, "value": value},
        **({"data": data} if data else {}),
    }


@asynccontextmanager
async def http(hub: Running, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client of the hub's API."""
    base = f"http://127.0.0.1:{hub.hub.http.port}/api/v1"
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=20) as client:
        yield client
