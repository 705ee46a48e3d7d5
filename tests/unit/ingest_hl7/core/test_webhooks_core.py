"""What a webhook says, and how it is signed."""

import base64
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook as Independent

from ingest_hl7.core.senders import Sender, Webhook
from ingest_hl7.core.webhooks import body_of, news_of, secret_of, signed_headers
from labohub.contracts.events import MailDelivered, MessageSettled
from labohub.contracts.values import MessageId, Recipient, RecipientKind, ReportId

AT = datetime(2026, 3, 12, 9, 30, tzinfo=UTC)
BASE = {"occurred_at": AT, "report_id": ReportId("r"), "message_id": MessageId("m")}
SETTLED = MessageSettled(event_id="e", control_id="C", state="delivered", delivered=2, **BASE)


def sender(*kinds: str) -> Sender:
    """Return a sender with two webhooks, the second for these kinds alone."""
    url = "https://sgl.example/x"
    first = Webhook(id="all", url=url, secret_file="s")
    return Sender(webhooks=(first, Webhook(id="some", url=url, secret_file="s", events=kinds)))


@pytest.mark.parametrize(("kinds", "endpoints"), [(("report.held",), ["all"]), (("message.settled",), ["all", "some"])])
def test_each_webhook_gets_the_kinds_it_wants_once(kinds: tuple[str, ...], endpoints: list[str]) -> None:
    rows = news_of(SETTLED, sender(*kinds), "C", AT)
    assert [row.extra["endpoint"] for row in rows] == endpoints
    assert [row.id for row in rows] == [row.id for row in news_of(SETTLED, sender(*kinds), "C", AT)]
    assert len({row.lane for row in rows}) == len(rows)


def test_a_patients_mailbox_is_told_by_its_kind_alone() -> None:
    patient = Recipient(
        kind=RecipientKind.PATIENT, address="284053306304121@patient.mssante.fr", family_name="KERMADEC"
    )
    body = body_of(MailDelivered(event_id="e", mail_id="m-1", document_id="1.2.3", recipient=patient, **BASE), "C")
    assert '"recipient_kind":"patient"' in body
    assert "284053306304121" not in body
    assert "KERMADEC" not in body


def test_an_independent_signer_makes_the_same_signature() -> None:
    secret, body = "whsec_" + base64.b64encode(bytes(range(24))).decode(), '{"type":"ping"}'
    headers = signed_headers(secret_of(secret), "w-1", AT, body)
    assert headers["webhook-signature"] == Independent(secret).sign("w-1", AT, body)
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("w-1", str(int(AT.timestamp())))
