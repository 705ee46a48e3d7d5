"""The SGL's webhook receiver: checks each signature by hand, and keeps what was said."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections import deque
from dataclasses import dataclass, field

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from labosim.faults import Faults

KEPT = 20_000
TOLERANCE_SECONDS = 300  # Standard Webhooks: older is a replay


class Hook(BaseModel):
    """A webhook that came, as the control API lists it."""

    id: str
    type: str
    data: dict[str, object]
    status: int  # what the simulator answered


@dataclass(slots=True)
class WebhookReceiver:
    """Takes webhooks on the control port. Fault kinds of service `sgl-webhooks`: an HTTP status, e.g. `500`, `410`."""

    secret: str  # whsec_…
    faults: Faults
    hooks: deque[Hook] = field(default_factory=lambda: deque(maxlen=KEPT))

    def reset(self) -> None:
        """Forget every webhook."""
        self.hooks.clear()

    def take(self, headers: dict[str, str], body: bytes, now: float) -> int:
        """Return the status of the answer: 204, 401 for a signature that is wrong or old, 400 for what is no news."""
        if not is_signed(self.secret, headers, body, now):
            return 401
        try:
            news = json.loads(body)
            kind, data = str(news["type"]), dict(news["data"])
        except (ValueError, TypeError, KeyError):
            return 400
        fault = self.faults.active("sgl-webhooks")
        status = int(fault.kind) if fault and fault.kind.isdigit() else 204
        self.hooks.append(Hook(id=headers["webhook-id"], type=kind, data=data, status=status))
        return status


def is_signed(secret: str, headers: dict[str, str], body: bytes, now: float) -> bool:
    """Return whether one of the signatures is the right one, and fresh."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        age = abs(now - int(headers["webhook-timestamp"]))
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        given = [each.partition(",")[2] for each in headers["webhook-signature"].split() if each.startswith("v1,")]
    except (KeyError, ValueError, binascii.Error):
        return False
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return age <= TOLERANCE_SECONDS and any(hmac.compare_digest(wanted, each) for each in given)


def webhook_routes(receiver: WebhookReceiver) -> APIRouter:
    """Return the receiver's part of the control API."""
    router = APIRouter(prefix="/sim/sgl/webhooks", tags=["sgl"])

    @router.post("")
    async def receive(request: Request) -> Response:
        """Take a webhook."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        return Response(status_code=receiver.take(headers, await request.body(), time.time()))

    @router.get("")
    async def hooks() -> list[Hook]:
        """Return what came with a right signature, oldest first."""
        return list(receiver.hooks)

    return router
