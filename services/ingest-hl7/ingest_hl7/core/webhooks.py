"""News of reports for the laboratory's own systems: identifiers and codes, signed. Never anything of a patient.

Source: Standard Webhooks 1.0.0 (standardwebhooks.com): headers, signature, retries.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime

from ingest_hl7.core.senders import Sender, Webhook
from labohub.contracts.codec import derived_id
from labohub.contracts.events import DeliveryEvent, Event
from labohub.contracts.values import Value
from labohub.errors import Misconfigured
from labohub.store.work import NewWork

SECRET_PREFIX = "whsec_"  # noqa: S105 - of the form, not a secret
SECRET_BYTES = range(24, 65)
_FIELDS = (  # of events: identifiers and codes alone
    "state", "code", "reason", "delivered", "failed", "uncertain", "is_revision", "mail_id", "document_id",
    "submission_id", "operation", "smtp_code", "status", "dmp_code", "error_code", "disposition", "action",
)  # fmt: skip


class SecretMalformed(Misconfigured):
    """The secret of a webhook is not `whsec_` and 24 to 64 bytes in base64, or cannot be read."""

    code = "webhook.secret-malformed"


class News(Value):
    """One delivery: the payload of a row of work."""

    sender: str  # label of the entry
    endpoint: str  # identifier of the webhook in it
    kind: str
    report_id: str
    message_id: str
    body: str  # the very text that is signed and sent


def news_of(event: Event, sender: Sender, control_id: str, at: datetime) -> list[NewWork]:
    """Return the rows of work of an event: one for each webhook that wants it, in order for each report."""
    wanted = [each for each in sender.webhooks if not each.events or event.STEP in each.events]
    if not wanted:
        return []
    body = body_of(event, control_id)
    return [_row(event, sender, each, body, at) for each in wanted]


def body_of(event: Event, control_id: str) -> str:
    """Return what is said of an event, as JSON."""
    told = {name: value for name in _FIELDS if (value := getattr(event, name, None)) not in (None, "")}
    if isinstance(event, DeliveryEvent):
        told["recipient_kind"] = event.recipient.kind.value  # an address may be a patient's matricule
    identifiers = {"event_id": event.event_id, "report_id": event.report_id, "message_id": event.message_id}
    data = {**identifiers, "control_id": control_id, **told}
    content = {"type": event.STEP, "timestamp": event.occurred_at.isoformat(), "data": data}
    return json.dumps(content, separators=(",", ":"), ensure_ascii=True)


def secret_of(text: str) -> bytes:
    """Return the key of a secret as it is written. Raises: SecretMalformed."""
    try:
        key = base64.b64decode(text.strip().removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise SecretMalformed("not base64") from None
    if not text.strip().startswith(SECRET_PREFIX) or len(key) not in SECRET_BYTES:
        raise SecretMalformed("not whsec_ and 24 to 64 bytes")
    return key


def signed_headers(key: bytes, delivery_id: str, at: datetime, body: str) -> dict[str, str]:
    """Return the headers that prove who speaks, and when."""
    timestamp = str(int(at.timestamp()))
    digest = hmac.new(key, f"{delivery_id}.{timestamp}.{body}".encode(), hashlib.sha256).digest()
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def endpoint_of(senders: Sequence[Sender], news: News) -> Webhook | None:
    """Return the webhook as configured now; None when it was taken away."""
    found = [each for sender in senders if sender.label == news.sender for each in sender.webhooks]
    return next((each for each in found if each.id == news.endpoint), None)


def _row(event: Event, sender: Sender, webhook: Webhook, body: str, at: datetime) -> NewWork:
    news = News(
        sender=sender.label,
        endpoint=webhook.id,
        kind=event.STEP,
        report_id=event.report_id,
        message_id=event.message_id,
        body=body,
    )
    return NewWork(
        id=derived_id("webhook", sender.label, webhook.id, event.event_id),
        lane="\x1f".join((sender.label, webhook.id, event.report_id)),
        payload=news.model_dump_json(),
        extra={
            "sender": sender.label,
            "endpoint": webhook.id,
            "kind": event.STEP,
            "report_id": event.report_id,
            "message_id": event.message_id,
            "created_at": at,
            "status": 0,
        },
    )
