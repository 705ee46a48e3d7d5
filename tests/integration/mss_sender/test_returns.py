"""What comes back: notices, receipts, answers, and what nobody expected. With the light operator, on both stores."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from labohub.contracts import topics
from labohub.contracts.codec import from_record
from labohub.contracts.events import DeliveryEvent, Event, MailBounced, MailDelivered, MailRead, ReplyReceived
from labohub.contracts.values import Recipient
from labohub.runtime.run import Hub
from labosim.faults import Faults
from labosim.mss import MssSimulator, routes
from labosim.mss.notices import Envelope, delivery_notice, receipt
from mss_sender.adapters.collector import Collector, content_key
from mss_sender.adapters.tables import RETURNS
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

BOX = "labo.app@labo-demo.mssante.fr"
ORG = "labo.retours@labo-demo.mssante.fr"


async def sent(bench: Bench, *recipients: Recipient, message: str = "message-1") -> None:
    await bench.handle(document_built(*recipients, message=message, **await bench.document(cda())))
    await bench.work("send")


async def read_mailbox(bench: Bench) -> None:
    collector = bench.service.listeners[0]
    assert isinstance(collector, Collector)
    while await collector.collect():
        pass
    while await bench.work("sort"):
        pass


async def kinds(bench: Bench) -> list[tuple[str, str]]:
    async with bench.service.database.reading() as connection:
        query = select(RETURNS.c.error_code, RETURNS.c.state).order_by(RETURNS.c.sequence)
        return [(row[0], row[1]) for row in await connection.execute(query)]


async def told(bench: Bench, kind: type[DeliveryEvent]) -> Sequence[DeliveryEvent]:
    return [event for event in await bench.told() if isinstance(event, kind)]


async def test_a_notice_that_comes_twice_tells_its_fact_once(rig: Bench, simulator: MssSimulator) -> None:
    simulator.auto_read = False
    await sent(rig, doctor())
    mail = simulator.mails[0]
    raw = simulator.source(mail.mail_id)
    assert raw is not None
    simulator.boxes.deliver(BOX, delivery_notice(mail.envelope, raw, "delivered", "2.0.0", "encore"))
    await read_mailbox(rig)
    assert len(await told(rig, MailDelivered)) == 1
    assert await kinds(rig) == [("dsn", "sorted"), ("dsn", "sorted")]


async def test_a_full_mailbox_is_a_bounce_with_its_code(rig: Bench, simulator: MssSimulator) -> None:
    await sent(rig, doctor("bal-pleine@medecin-demo.mssante.fr"))
    await read_mailbox(rig)
    (event,) = await told(rig, MailBounced)
    assert isinstance(event, MailBounced)
    assert (event.smtp_code, event.status, event.code) == ("552", "5.2.2", "mss.bounced")


async def test_a_patient_without_a_mailbox_is_ordinary_life(tmp_path: Path, simulator: MssSimulator) -> None:
    bench = await open_bench(
        tmp_path, sender_settings(pki(), smtp_port=simulator.smtp_port, imap_port=simulator.imap_port)
    )
    await sent(bench, patient())
    mail = simulator.mails[0]
    raw = simulator.source(mail.mail_id)
    assert raw is not None
    simulator.reset()
    simulator.boxes.deliver(BOX, delivery_notice(mail.envelope, raw, "failed", "5.2.1", "messagerie fermee"))
    await read_mailbox(bench)
    (event,) = await told(bench, MailBounced)
    assert isinstance(event, MailBounced)
    assert event.code == "mss.patient-without-box"
    await bench.service.listeners[0].stop()
    await close_bench(bench)


async def test_a_failure_after_a_delivery_goes_to_a_person_and_is_not_told_again(
    rig: Bench, simulator: MssSimulator
) -> None:
    await sent(rig, doctor())
    mail = simulator.mails[0]
    raw = simulator.source(mail.mail_id)
    assert raw is not None
    await read_mailbox(rig)
    simulator.boxes.deliver(BOX, delivery_notice(mail.envelope, raw, "failed", "5.2.2", "boite pleine ensuite"))
    await read_mailbox(rig)
    assert await told(rig, MailBounced) == []
    assert ("dsn", "triage") in await kinds(rig)


async def test_a_notice_about_someone_else_s_address_changes_nothing(rig: Bench, simulator: MssSimulator) -> None:
    simulator.auto_read = False
    await sent(rig, doctor())
    mail = simulator.mails[0]
    forged = Envelope(mail.envelope.mail_from, "autre@medecin-demo.mssante.fr", mail.envelope.envelope_id)
    simulator.reset()
    simulator.boxes.deliver(BOX, delivery_notice(forged, b"Message-ID: <x@y>\r\n\r\n", "failed", "5.1.1", "faux"))
    await read_mailbox(rig)
    assert await told(rig, MailBounced) == []
    assert await kinds(rig) == [("dsn", "triage")]


@pytest.mark.parametrize(
    ("box", "disposition", "error"),
    [("adam", "displayed", ""), ("pfi", "processed", ""), ("pfi-ko", "processed", "902")],
)
async def test_a_receipt_tells_what_the_reader_did(rig: Bench, box: str, disposition: str, error: str) -> None:
    await sent(rig, doctor(f"{box}@medecin-demo.mssante.fr"))
    await read_mailbox(rig)
    (event,) = await told(rig, MailRead)
    assert isinstance(event, MailRead)
    assert (event.disposition, event.error_code) == (disposition, error)


async def test_an_error_after_a_reading_is_told_too(rig: Bench, simulator: MssSimulator) -> None:
    await sent(rig, doctor())
    mail = simulator.mails[0]
    raw = simulator.source(mail.mail_id)
    assert raw is not None
    simulator.boxes.deliver(BOX, receipt(mail.envelope, raw, "processed", "904"))
    await read_mailbox(rig)
    codes = {event.error_code for event in await told(rig, MailRead) if isinstance(event, MailRead)}
    assert codes == {"", "904"}


async def test_an_answer_is_handed_over_once_even_when_the_operator_fails_first(
    rig: Bench, simulator: MssSimulator, faults: Faults
) -> None:
    await sent(rig, doctor())
    assert simulator.answer("mail-1", "", "Pouvez-vous rappeler ?")
    simulator.boxes.deliver(BOX, _answer_ignoring_reply_to(simulator))
    await read_mailbox(rig)
    faults.order("mss", "outage")
    await rig.work("hand-over")
    faults.clear()
    rig.clock.advance(300)
    await rig.work("hand-over")
    assert not await rig.work("hand-over")
    (event,) = await told(rig, ReplyReceived)
    handed = [mail for mail in simulator.mails if mail.envelope.rcpt_to == ORG]
    assert len(handed) == 1
    assert event.recipient.address == "adam.hoda@medecin-demo.mssante.fr"


def _answer_ignoring_reply_to(simulator: MssSimulator) -> bytes:
    message_id = simulator.mails[0].message_id
    return (
        "From: Adam Hoda <adam.hoda@medecin-demo.mssante.fr>\r\nTo: labo.app@labo-demo.mssante.fr\r\n"
        f"Subject: Re: XDM/1.0/DDM+CR\r\nMessage-ID: <r1@x>\r\nIn-Reply-To: {message_id}\r\n\r\nQuestion\r\n"
    ).encode()


async def test_a_person_who_writes_without_thread_is_handed_over_and_listed(
    rig: Bench, simulator: MssSimulator
) -> None:
    simulator.boxes.deliver(BOX, b"From: a@x.mssante.fr\r\nSubject: Bonjour\r\nMessage-ID: <n@x>\r\n\r\nAllo\r\n")
    await read_mailbox(rig)
    await rig.work("hand-over")
    assert await kinds(rig) == [("human", "triage")]
    assert [mail.envelope.rcpt_to for mail in simulator.mails] == [ORG]
    assert await rig.told() == []


async def test_an_absence_message_changes_nothing_and_is_answered_by_nothing(
    rig: Bench, simulator: MssSimulator
) -> None:
    await sent(rig, doctor())
    simulator.reset()
    head = "From: adam.hoda@medecin-demo.mssante.fr\r\nAuto-Submitted: auto-replied\r\nIn-Reply-To: <x@y>\r\n"
    simulator.boxes.deliver(BOX, head.encode() + b"\r\nAbsent\r\n")
    await read_mailbox(rig)
    assert not await rig.work("hand-over")
    assert await kinds(rig) == [("auto_reply", "sorted")]


async def test_what_nothing_explains_is_listed_for_a_person_with_its_bytes(rig: Bench, simulator: MssSimulator) -> None:
    raw = b"From: x@gmail.com\r\nSubject: ?\r\n\r\nhello\r\n"
    simulator.boxes.deliver(BOX, raw)
    await read_mailbox(rig)
    app = FastAPI()
    app.include_router(rig.service.routers[0])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub") as client:
        (item,) = (await client.get("/api/v1/worklists/returns")).json()["items"]
        assert item["kind"] == "outside"
        address = f"/api/v1/worklists/returns/{item['id']}"
        assert (await client.get(f"{address}/source")).content == raw
        assert (await client.post(f"{address}/resolve", json={"outcome": "read"})).json() == {"state": "resolved"}
        assert (await client.get("/api/v1/worklists/returns")).json()["items"] == []


async def test_a_mailbox_read_again_from_the_start_tells_nothing_twice(rig: Bench, simulator: MssSimulator) -> None:
    await sent(rig, doctor())
    await read_mailbox(rig)
    before = names(await rig.told())
    async with rig.service.units() as unit:
        position = await unit.returns.position(BOX)
        await unit.returns.keep(BOX, type(position)(position.uid_validity + 7, 99), [])
    await read_mailbox(rig)
    assert names(await rig.told()) == before
    assert len(await kinds(rig)) == 2


async def test_a_notice_that_overtakes_our_own_commit_waits_for_it(rig: Bench, simulator: MssSimulator) -> None:
    await rig.handle(document_built(doctor(), **await rig.document(cda())))
    async with rig.service.units() as unit:
        (work,) = await unit.mails.queue.lease_due(1, 30)
        await unit.mails.queue.mark(work, "transmitting")
    envelope = Envelope(BOX, "adam.hoda@medecin-demo.mssante.fr", str(work.extra["envelope_id"]))
    simulator.boxes.deliver(BOX, delivery_notice(envelope, b"X: y\r\n\r\n", "delivered", "2.0.0", "ok"))
    await read_mailbox(rig)
    assert await rig.told() == []
    rig.clock.advance(31)
    await rig.work("send")

    async def delivered() -> Sequence[DeliveryEvent]:
        return await told(rig, MailDelivered)

    await drive(rig, delivered)
    assert names(await rig.told()) == ["MailUncertain", "MailDelivered"]


def test_servers_marks_on_top_do_not_make_a_mail_another() -> None:
    mail = b"From: a\r\nSubject: b\r\n\r\nc"
    traced = b"Return-Path: <>\r\nReceived: by x\r\n\tfor y\r\nDelivered-To: z\r\n" + mail
    assert content_key(mail) == content_key(traced)
    assert content_key(mail) != content_key(mail + b"d")


async def test_the_whole_service_runs_on_the_runtime_from_event_to_answer(
    simulator: MssSimulator, tmp_path: Path
) -> None:
    settings = sender_settings(
        pki(), smtp_port=simulator.smtp_port, imap_port=simulator.imap_port, imap_poll_seconds=30
    )
    bench = await open_bench(tmp_path, settings)
    await bench.service.database.close()  # the runtime opens it again
    hub = Hub([bench.service], bench.platform)
    await hub.start()
    try:
        async with asyncio.timeout(20):
            event = document_built(doctor(), doctor("inconnu@medecin-demo.mssante.fr"), **await bench.document(cda()))
            await bench.publish(event)
            seen: list[Event] = []
            async for batch in bench.platform.bus.read(topics.DELIVERY, "test", max_records=10):
                seen += [from_record(record) for record in batch.records]
                await batch.done()
                found = {type(event).__name__ for event in seen}
                if {"MailRead", "MailBounced", "MailDelivered"} <= found and "ReplyReceived" not in found:
                    simulator.boxes.deliver(BOX, _answer_ignoring_reply_to(simulator))
                if "ReplyReceived" in found:
                    break
    finally:
        await hub.stop()
        await bench.platform.bus.close()
        await bench.platform.blobs.close()
    assert len([event for event in seen if isinstance(event, MailDelivered)]) == 1


async def test_the_control_api_shows_mails_and_lets_a_person_answer(rig: Bench, simulator: MssSimulator) -> None:
    await sent(rig, doctor(), patient())
    app = FastAPI()
    app.include_router(routes(simulator))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sim") as client:
        listed = (await client.get("/sim/mss/mails")).json()
        assert sorted(mail["rcpt_to"] for mail in listed) == sorted(each.address for each in (doctor(), patient()))
        source = await client.get(f"/sim/mss/mails/{listed[0]['id']}")
        assert source.headers["content-type"] == "message/rfc822"
        assert listed[0]["message_id"].encode() in source.content
        body = {"mail_id": listed[0]["id"], "from": doctor().address, "text": "Merci"}
        assert (await client.post("/sim/mss/replies", json=body)).status_code == 201
        assert (await client.post("/sim/mss/replies", json={**body, "mail_id": "no"})).status_code == 404
    assert len(simulator.boxes.box(ORG).mails) == 1


async def test_a_correspondent_who_writes_without_end_is_left_to_a_person(rig: Bench, simulator: MssSimulator) -> None:
    for number in range(35):
        head = f"From: boucle@x.mssante.fr\r\nSubject: encore\r\nMessage-ID: <loop-{number}@x>\r\n\r\n{number}\r\n"
        simulator.boxes.deliver(BOX, head.encode())
    await read_mailbox(rig)
    while await rig.work("hand-over"):
        pass
    assert len(simulator.mails) == 30
    assert await kinds(rig) == [("human", "triage")] * 35, "nothing is lost: all are listed"


async def test_an_answer_is_listed_with_its_report_at_hand_until_it_is_closed(
    rig: Bench, simulator: MssSimulator
) -> None:
    await sent(rig, doctor())
    simulator.boxes.deliver(BOX, _answer_ignoring_reply_to(simulator))
    await read_mailbox(rig)
    app = FastAPI()
    app.include_router(rig.service.routers[0])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub") as client:
        (item,) = (await client.get("/api/v1/worklists/returns")).json()["items"]
        assert (item["kind"], item["report_id"], item["sent_to"]) == ("reply", "report-1", ORG)
        address = f"/api/v1/worklists/returns/{item['id']}"
        whole = (await client.get(address)).json()
        assert whole["text"].strip() == "Question"
        assert whole["report"]["order_number"] == "26031200417"
        assert whole["report"]["recipient"] == doctor().address
        assert (await client.post(f"{address}/resolve", json={"outcome": "read"})).json() == {"state": "resolved"}
        assert (await client.get(f"{address}-no")).status_code == 404


async def test_the_notice_of_an_answer_sent_on_is_no_work_but_its_failure_is(
    rig: Bench, simulator: MssSimulator
) -> None:
    await sent(rig, doctor())
    simulator.boxes.deliver(BOX, _answer_ignoring_reply_to(simulator))
    await read_mailbox(rig)
    await rig.work("hand-over")
    await read_mailbox(rig)
    assert [state for kind, state in await kinds(rig) if kind == "dsn"] == ["sorted", "sorted"]
    handed = simulator.mails[-1]
    raw = simulator.source(handed.mail_id)
    assert raw is not None
    simulator.boxes.deliver(BOX, delivery_notice(handed.envelope, raw, "failed", "5.2.2", "boite pleine"))
    await read_mailbox(rig)
    assert (await kinds(rig))[-1] == ("dsn", "triage")
