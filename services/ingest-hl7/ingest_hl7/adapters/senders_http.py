"""`GET /api/v1/senders`: who may send, as in force now. No secret is ever shown."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from ingest_hl7.adapters.access import Access
from ingest_hl7.adapters.api_keys import Scope
from ingest_hl7.adapters.sender_book import SenderBook
from ingest_hl7.core.senders import Sender

_COUNTED = ("mailboxes",)  # an address book: how many, not whose
_SECRETS = ("secret", "token", "password", "api_key", "webhook")  # a field that is named so says how many, no more


def senders_routes(access: Access, book: SenderBook) -> APIRouter:
    """Return the route of the registry."""
    router = APIRouter(prefix="/api/v1", tags=["senders"])

    @router.get("/senders")
    async def senders(request: Request) -> Response:
        """Return the entries in force, what becomes of other senders, and why newer files are not in force."""
        if isinstance(caller := await access.admit(request, Scope.OPERATE), Response):
            return caller
        items = [_shown(sender) for sender in book.registry.senders]
        return JSONResponse({**book.facts(), "count": len(items), "items": items})

    return router


def _shown(sender: Sender) -> dict[str, Any]:
    entry = sender.model_dump(mode="json", exclude_defaults=True)
    names = {"name": sender.label, "application": sender.application, "facility": sender.facility}
    return {**names, **{key: _value(key, value) for key, value in entry.items() if key not in names}}


def _value(key: str, value: Any) -> Any:
    if key in _COUNTED or any(word in key for word in _SECRETS):
        return len(value) if isinstance(value, dict | list) else bool(value)
    return value
