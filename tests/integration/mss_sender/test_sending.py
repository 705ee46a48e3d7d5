"""Sending through the light operator: refusals, outages, crashes, repetitions. On SQLite and PostgreSQL."""

import asyncio
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from labohub.contracts.events import DeliveryEvent, MailAccepted, MailBounced, MailDelivered, MailUncertain
from labohub.contracts.values import Recipient
from labosim.faults import Faults
from labosim.mss import MssSimulator
from mss_sender.adapters.collector import Collector
from mss_sender.adapters.tables import MAILS
from tests.support.mss import (
    Bench,
    cda,
    close_bench,
    doctor,
    document_built,
    drive,
    names,
    open_bench,
    patient,
    pki,
    sender_settings,
)


async def plan(
    bench: Bench, *recipients: Recipient, unique_id: str = "1.2.250.1.999.7.1", message: str = "message-1"
) -> None:
    refs = await bench.document(cda(unique_id))
    await bench.handle(document_built(*recipients, unique_id=unique_id, message=message, **refs))


async def told(bench: Bench, kind: type[DeliveryEvent]) -> list[DeliveryEvent]:
    return [event for event in await bench.told() if isinstance(event, kind)]


async def collect_and_sort(bench: Bench) -> None:
    collector = bench.service.listeners[0]
    assert isinstance(collector, Collector)
    await collector.collect()
    await bench.work("sort")


async def test_every_recipient_gets_one_mail_and_its_source_is_kept(rig: Bench, simulator: MssSimulator) -> None:
    await plan(rig, doctor(), doctor("b@medecin-demo.mssante.fr"), patient())
    await rig.work("send")
    accepted = await told(rig, MailAccepted)
    assert len(accepted) == len(simulator.mails) == 3
    for event in accepted:
        assert isinstance(event, MailAccepted)
        assert event.confirmable
        assert event.evidence is not None
        (mail,) = [mail for mail in simulator.mails if mail.envelope.rcpt_to == event.recipient.address]
        assert await rig.platform.blobs.read(event.evidence) == simulator.source(mail.mail_id)


async def test_the_envelope_asks_for_notices_about_an_opaque_identifier(rig: Bench, simulator: MssSimulator) -> None:
    await plan(rig, doctor())
    await rig.work("send")
    envelope = simulator.mails[0].envelope
    assert envelope.mail_from == "labo.app@labo-demo.mssante.fr"
    assert envelope.notify == {"SUCCESS", "FAILURE", "DELAY"}
    assert envelope.original_recipient == "rfc822;adam.hoda@medecin-demo.mssante.fr"
    assert f"<{envelope.envelope_id}@labo-demo.mssante.fr>" == simulator.mails[0].message_id


async def test_a_document_asked_for_twice_goes_once_and_both_askers_are_told(
    rig: Bench, simulator: MssSimulator
) -> None:
    await plan(rig, doctor(), message="first")
    await rig.work("send")
    await plan(rig, doctor(), message="second")
    assert not await rig.work("send")
    await collect_and_sort(rig)
    assert len(simulator.mails) == 1
    assert sorted((event.message_id, type(event).__name__) for event in await rig.told()) == sorted(
        (message, name) for message in ("first", "second") for name in ("MailAccepted", "MailDelivered", "MailRead")
    )
    assert len({event.event_id for event in await rig.told()}) == 6


@pytest.mark.parametrize(
    ("address", "smtp_code", "status"),
    [
        ("rcpt-refuse@medecin-demo.mssante.fr", "550", "5.1.1"),
        ("x@hors-liste.mssante.fr", "550", "5.7.1"),
    ],
)
async def test_a_refused_recipient_bounces_at_once(rig: Bench, address: str, smtp_code: str, status: str) -> None:
    await plan(rig, doctor(address))
    await rig.work("send")
    (event,) = await told(rig, MailBounced)
    assert isinstance(event, MailBounced)
    assert (event.smtp_code, event.status) == (smtp_code, status)


async def test_a_busy_operator_is_tried_again_later_until_patience_ends(rig: Bench, simulator: MssSimulator) -> None:
    await plan(rig, doctor("indisponible@medecin-demo.mssante.fr"))
    assert await rig.work("send")
    assert not await rig.work("send"), "it must wait before trying again"
    for _ in range(40):
        rig.clock.advance(3600)
        await rig.work("send")
    (event,) = await told(rig, MailBounced)
    assert isinstance(event, MailBounced)
    assert (event.smtp_code, event.code) == ("451", "mss.gave-up")
    assert simulator.mails == []


async def test_an_outage_delays_mails_and_loses_none(rig: Bench, simulator: MssSimulator, faults: Faults) -> None:
    faults.order("mss", "outage")
    await plan(rig, doctor(), patient())
    await rig.work("send")
    assert await rig.told() == []
    faults.clear()
    rig.clock.advance(120)
    await rig.work("send")
    assert names(await rig.told()) == ["MailAccepted", "MailAccepted"]
    assert len(simulator.mails) == 2


async def test_a_correction_waits_while_its_original_is_under_way(
    rig: Bench, simulator: MssSimulator, faults: Faults
) -> None:
    await plan(rig, doctor(), unique_id="1.2.250.1.999.7.1", message="original")
    await plan(rig, doctor(), unique_id="1.2.250.1.999.7.2", message="correction")
    faults.order("mss", "fault", code="451")
    await rig.work("send")
    faults.clear()
    assert not await rig.work("send"), "the correction must not overtake"
    rig.clock.advance(120)
    await rig.work("send")
    await rig.work("send")
    assert [event.message_id for event in await told(rig, MailAccepted)] == ["original", "correction"]


@pytest.mark.parametrize("code", ["", "after"])
async def test_a_line_cut_in_the_content_leaves_the_mail_uncertain_and_unsent_again(
    rig: Bench, simulator: MssSimulator, faults: Faults, code: str
) -> None:
    faults.order("mss", "cut", code=code)
    await plan(rig, doctor())
    await rig.work("send")
    faults.clear()
    for _ in range(5):
        rig.clock.advance(3600)
        await rig.work("send")
    assert names(await told(rig, MailUncertain)) == ["MailUncertain"]
    assert len(simulator.mails) == (1 if code == "after" else 0)
    await collect_and_sort(rig)
    assert len(await told(rig, MailDelivered)) == len(simulator.mails)
    assert await _states(rig) == ["accepted" if code == "after" else "uncertain"]


async def test_a_hub_killed_between_content_and_answer_sends_nothing_twice(
    rig: Bench, simulator: MssSimulator, faults: Faults
) -> None:
    """The process dies while the operator thinks: the operator has the mail, we do not know it."""
    faults.order("mss", "slow", delay_seconds=1)
    await plan(rig, doctor())
    dying = asyncio.create_task(rig.work("send"))

    async with asyncio.timeout(10):
        while await _states(rig) != ["transmitting"]:
            await asyncio.sleep(0.01)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    faults.clear()
    assert await rig.told() == []

    rig.clock.advance(31)  # the lease is over: another worker takes the row
    assert await rig.work("send")
    assert names(await rig.told()) == ["MailUncertain"]
    assert len(simulator.mails) <= 1

    async def delivered() -> list[DeliveryEvent]:
        return await told(rig, MailDelivered)

    await drive(rig, delivered)  # the operator had it, and says so
    assert len(simulator.mails) == 1
    assert not await rig.work("send")
    assert await _states(rig) == ["accepted"]


async def test_a_hub_killed_before_the_content_sends_the_mail_with_the_same_identifiers(
    rig: Bench, simulator: MssSimulator
) -> None:
    await plan(rig, doctor())
    async with rig.service.units() as unit:
        (leased,) = await unit.mails.queue.lease_due(1, 30)
    rig.clock.advance(31)
    await rig.work("send")
    assert names(await rig.told()) == ["MailAccepted"]
    assert simulator.mails[0].envelope.envelope_id == leased.extra["envelope_id"]


async def test_a_slow_worker_cannot_send_what_its_successor_took(rig: Bench, simulator: MssSimulator) -> None:
    await plan(rig, doctor())
    async with rig.service.units() as unit:
        (slow,) = await unit.mails.queue.lease_due(1, 1)
    rig.clock.advance(2)
    await rig.work("send")
    async with rig.service.units() as unit:
        assert not await unit.mails.queue.mark(slow, "transmitting")
    assert len(simulator.mails) == 1


async def test_a_document_of_another_patient_is_not_sent(rig: Bench, simulator: MssSimulator) -> None:
    other = cda().replace(b"285039999900196", b"185039999900196")
    await rig.handle(document_built(doctor(), **await rig.document(other)))
    await rig.work("send")
    (event,) = await told(rig, MailBounced)
    assert isinstance(event, MailBounced)
    assert event.code == "mss.identity-mismatch"
    assert simulator.mails == []


async def test_a_mail_above_the_limit_is_refused_before_the_line(simulator: MssSimulator, tmp_path: Path) -> None:
    settings = sender_settings(pki(), smtp_port=simulator.smtp_port, imap_enabled=False, max_mail_bytes=5000)
    bench = await open_bench(tmp_path, settings)
    try:
        await plan(bench, doctor())
        await bench.work("send")
        (event,) = await told(bench, MailBounced)
        assert isinstance(event, MailBounced)
        assert (event.code, event.smtp_code) == ("mss.too-big", "523")
    finally:
        await close_bench(bench)


async def test_an_address_that_is_not_ours_halts_sending(simulator: MssSimulator, tmp_path: Path) -> None:
    settings = sender_settings(
        pki(), smtp_port=simulator.smtp_port, imap_enabled=False, bal_applicative="autre@labo-demo.mssante.fr"
    )
    bench = await open_bench(tmp_path, settings)
    try:
        await plan(bench, doctor(), patient())
        await bench.work("send")
        assert await bench.told() == []
        bench.clock.advance(60)
        assert not await bench.work("send")
    finally:
        await close_bench(bench)


async def test_a_person_decides_of_an_uncertain_mail(rig: Bench, simulator: MssSimulator, faults: Faults) -> None:
    faults.order("mss", "cut")
    await plan(rig, doctor(), patient())
    await rig.work("send")
    faults.clear()
    app = FastAPI()
    app.include_router(rig.service.routers[0])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub") as client:
        listed = (await client.get("/api/v1/worklists/returns")).json()["items"]
        assert [item["kind"] for item in listed] == ["uncertain", "uncertain"]
        path = "/api/v1/worklists/returns/{}/resolve"
        first, second = (path.format(item["id"]) for item in listed)
        assert (await client.post(first, json={"outcome": "resend"})).json() == {"state": "due"}
        assert (await client.post(second, json={"outcome": "failed"})).json() == {"state": "bounced"}
        assert (await client.post(second, json={"outcome": "resend"})).status_code == 409
        assert (await client.post(path.format("nothing"), json={"outcome": "read"})).status_code == 404
        assert (await client.get("/api/v1/worklists/returns")).json()["items"] == []
    await rig.work("send")
    assert len(simulator.mails) == 1
    assert sorted(names(await rig.told())) == ["MailAccepted", "MailBounced", "MailUncertain", "MailUncertain"]


async def _states(bench: Bench) -> list[str]:
    async with bench.service.database.reading() as connection:
        return list((await connection.execute(select(MAILS.c.state))).scalars())


async def test_a_mail_that_bounced_goes_again_when_it_is_asked_for_again(
    rig: Bench, simulator: MssSimulator, faults: Faults
) -> None:
    faults.order("mss", "fault", code="550")
    await plan(rig, doctor())
    await rig.work("send")
    faults.clear()
    await plan(rig, doctor(), message="message-2")
    await rig.work("send")
    assert len(simulator.mails) == 1
    assert [(type(event), event.message_id) for event in await rig.told()] == [
        (MailBounced, "message-1"),
        (MailAccepted, "message-2"),
    ]


async def test_a_mail_that_bounced_does_not_come_after_its_correction(
    rig: Bench, simulator: MssSimulator, faults: Faults
) -> None:
    faults.order("mss", "fault", code="550")
    await plan(rig, doctor(), unique_id="1.2.250.1.999.7.1", message="original")
    await rig.work("send")
    faults.clear()
    await plan(rig, doctor(), unique_id="1.2.250.1.999.7.2", message="correction")
    await rig.work("send")
    await plan(rig, doctor(), unique_id="1.2.250.1.999.7.1", message="original-again")
    await rig.work("send")
    assert len(simulator.mails) == 1
    assert [event.message_id for event in await told(rig, MailBounced)] == ["original", "original-again"]


async def test_an_identifier_that_names_two_contents_is_mailed_once(rig: Bench, simulator: MssSimulator) -> None:
    await plan(rig, doctor())
    await rig.work("send")
    other = await rig.document(cda("1.2.250.1.999.7.1", kilobytes=1))
    await rig.handle(document_built(doctor(), unique_id="1.2.250.1.999.7.1", message="other", **other))
    await rig.work("send")
    (event,) = await told(rig, MailBounced)
    assert isinstance(event, MailBounced)
    assert (event.message_id, event.code) == ("other", "mss.document-id-reused")
    assert len(simulator.mails) == 1
