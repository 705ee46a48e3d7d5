"""The operator goes away and comes back while mails leave: each ends delivered or failed, and known as such."""

import email
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from labohub.contracts.events import MailBounced, MailDelivered, MailUncertain
from tests.support.mail_servers import MailServers
from tests.support.mss import cda, close_bench, doctor, document_built, drive, open_bench, pki, sender_settings

DOCUMENTS, RESTARTS = 40, 2


@pytest.fixture
def operator() -> Iterator[MailServers]:
    servers = MailServers(pki())
    try:
        servers.start()
        yield servers
    finally:
        servers.remove()


@pytest.mark.slow
async def test_every_mail_ends_known_when_the_operator_restarts(operator: MailServers, tmp_path: Path) -> None:
    settings = sender_settings(pki(), smtp_port=operator.smtp_port, imap_port=operator.imap_port, retry_first_seconds=2)
    bench = await open_bench(tmp_path, settings)
    boxes = [f"medecin{number}@medecin-demo.mssante.fr" for number in range(20)]
    planned = Counter[str]()
    for number in range(DOCUMENTS):
        unique_id = f"1.2.250.1.999.7.{number}"
        known, other = (
            boxes[number % 20],
            boxes[(number + 7) % 20] if number % 10 else "personne@medecin-demo.mssante.fr",
        )
        refs = await bench.document(cda(unique_id))
        recipients = (doctor(known), doctor(other))
        event = document_built(*recipients, unique_id=unique_id, message=unique_id, report=unique_id, **refs)
        await bench.handle(event)
        planned.update((known, other))

    async def ended(count: int) -> bool:
        events = await bench.told()
        known = {event.mail_id for event in events if isinstance(event, (MailDelivered, MailBounced, MailUncertain))}
        return len(known) >= count

    for restart in range(1, RESTARTS + 1):
        await drive(bench, lambda restart=restart: ended(2 * DOCUMENTS * restart // (RESTARTS + 1)))  # type: ignore[misc]
        operator.stop()
        await bench.work("send")
        operator.start()
        bench.clock.advance(60)
    await drive(bench, lambda: ended(2 * DOCUMENTS), seconds=90)

    events = await bench.told()
    delivered = {event.mail_id for event in events if isinstance(event, MailDelivered)}
    bounced = {event.mail_id for event in events if isinstance(event, MailBounced)}
    uncertain = {event.mail_id for event in events if isinstance(event, MailUncertain)} - delivered - bounced
    received = Counter(str(email.message_from_bytes(raw)["Message-ID"]) for box in boxes for raw in operator.mails(box))
    await bench.service.listeners[0].stop()
    await close_bench(bench)
    assert set(received.values()) == {1}, "no mail arrived twice"
    assert len(delivered) + len(bounced) + len(uncertain) == 2 * DOCUMENTS
    assert len(bounced) == planned["personne@medecin-demo.mssante.fr"]
    assert len(received) - len(delivered) <= len(uncertain)
