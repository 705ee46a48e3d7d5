"""The simulated receiver takes what an independent signer signs, and nothing else."""

import json
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook

from labosim.faults import Faults
from labosim.settings import SimulatorSettings
from labosim.sgl.webhooks import WebhookReceiver

NOW = datetime(2026, 3, 12, 9, 30, tzinfo=UTC)
SECRET = SimulatorSettings().webhook_secret
BODY = json.dumps({"type": "report.held", "data": {"control_id": "A"}})


def headers(body: str = BODY, at: datetime = NOW, id_: str = "w-1") -> dict[str, str]:
    """Return the headers that the independent signer makes."""
    signature = Webhook(SECRET).sign(id_, at, body)
    return {"webhook-id": id_, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


def receiver() -> WebhookReceiver:
    """Return a receiver without faults."""
    return WebhookReceiver(SECRET, Faults())


def test_a_right_signature_is_taken_and_kept() -> None:
    taken = receiver()
    assert taken.take(headers(), BODY.encode(), NOW.timestamp()) == 204
    assert [(hook.id, hook.type) for hook in taken.hooks] == [("w-1", "report.held")]
    taken.reset()
    assert not taken.hooks


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v2," + headers()["webhook-signature"][3:]},
        {"webhook-id": "w-2"},
        {"webhook-timestamp": "x"},
        {"webhook-timestamp": str(int(NOW.timestamp()) + 1)},
    ],
)
def test_a_signature_of_something_else_is_refused(wrong: dict[str, str]) -> None:
    taken = receiver()
    assert taken.take({**headers(), **wrong}, BODY.encode(), NOW.timestamp()) == 401
    assert taken.take(headers(), BODY.encode() + b" ", NOW.timestamp()) == 401
    assert taken.take({}, BODY.encode(), NOW.timestamp()) == 401
    assert not taken.hooks


def test_an_old_webhook_is_refused_as_a_replay() -> None:
    assert receiver().take(headers(), BODY.encode(), NOW.timestamp() + 301) == 401


def test_a_signed_text_that_is_no_news_is_refused() -> None:
    assert receiver().take(headers("[]"), b"[]", NOW.timestamp()) == 400
