"""The service as a process of its own, killed without warning while it sends, and started again."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from labohub.contracts import topics
from labohub.contracts.codec import from_record
from labohub.contracts.events import DeliveryEvent, MailAccepted, MailDelivered, MailUncertain
from labosim.faults import Faults
from labosim.mss import MssSimulator
from tests.support.mss import cda, close_bench, doctor, document_built, open_bench, pki, sender_settings
from tests.support.ports import free_ports

MAILS = 60
CALM_LOOKS = 15  # the count of mails that never arrived stays that of the worklist for so many looks
PROGRAM = "from mss_sender.main import main; main()"


def environment(folder: Path, simulator: MssSimulator, http_port: int) -> dict[str, str]:
    """Return the settings of the process: the files of `folder`, the servers of the simulator."""
    return {
        **os.environ,
        "LABOHUB_DATA_DIR": str(folder),
        "LABOHUB_HTTP_PORT": str(http_port),
        "MSS_SENDER_SMTP_PORT": str(simulator.smtp_port),
        "MSS_SENDER_IMAP_PORT": str(simulator.imap_port),
        "MSS_SENDER_CA_FILE": str(pki().ca_pem),
        "MSS_SENDER_CERTIFICATE_FILE": str(pki().cert("labo-bal")),
        "MSS_SENDER_KEY_FILE": str(pki().key("labo-bal")),
        "MSS_SENDER_IMAP_LOGIN": "external",
        "MSS_SENDER_IMAP_POLL_SECONDS": "2",
    }


@asynccontextmanager
async def running(settings: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        env=settings,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def uncertain_waiting(http_port: int) -> int:
    """Return how many mails the worklist shows as uncertain; -1 while the process does not answer."""
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"http://127.0.0.1:{http_port}/api/v1/worklists/returns")
    except httpx.HTTPError:
        return -1
    return sum(item["kind"] == "uncertain" for item in answer.json()["items"]) if answer.status_code == 200 else -1


async def told(folder: Path, simulator: MssSimulator) -> list[DeliveryEvent]:
    """Return what the log holds of deliveries."""
    settings = sender_settings(pki(), smtp_port=simulator.smtp_port, imap_port=simulator.imap_port)
    bench = await open_bench(folder, settings)
    events: list[DeliveryEvent] = list(await bench.told())
    try:
        async with asyncio.timeout(3):
            async for batch in bench.platform.bus.read(topics.DELIVERY, "test", max_records=100):
                events += [event for each in batch.records if isinstance(event := from_record(each), DeliveryEvent)]
                await batch.done()
    except TimeoutError:
        pass  # the log is read to its end
    await close_bench(bench)
    return events


@pytest.mark.slow
async def test_a_service_killed_while_it_sends_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    faults = Faults()
    simulator = MssSimulator(pki=pki(), faults=faults, smtp_port=0, imap_port=0, auto_read=False)
    await simulator.start()
    bench = await open_bench(
        tmp_path, sender_settings(pki(), smtp_port=simulator.smtp_port, imap_port=simulator.imap_port)
    )
    for number in range(MAILS):
        unique_id = f"1.2.250.1.999.7.{number}"
        refs = await bench.document(cda(unique_id))
        await bench.publish(
            document_built(
                doctor(f"medecin{number}@medecin-demo.mssante.fr"),
                unique_id=unique_id,
                message=f"message-{number}",
                report=f"report-{number}",
                **refs,
            )
        )
    await close_bench(bench)
    http_port = free_ports()[0]
    settings = environment(tmp_path, simulator, http_port)
    faults.order("mss", "slow", delay_seconds=0.05)

    async with asyncio.timeout(120):
        for kill_after in (5, 20, 35):
            async with running(settings) as process:
                while len(simulator.mails) < kill_after:
                    await asyncio.sleep(0.005)
                process.send_signal(signal.SIGKILL)
        async with running(settings) as process:
            calm = 0
            while calm < CALM_LOOKS:
                missing = MAILS - len({each.envelope.rcpt_to for each in simulator.mails})
                calm = calm + 1 if await uncertain_waiting(http_port) == missing else 0
                await asyncio.sleep(0.1)
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0

    received = Counter(mail.envelope.rcpt_to for mail in simulator.mails)
    events = await told(tmp_path, simulator)
    await simulator.stop()
    uncertain = {event.mail_id for event in events if isinstance(event, MailUncertain)}
    accepted = {event.mail_id for event in events if isinstance(event, MailAccepted)}
    delivered = {event.mail_id for event in events if isinstance(event, MailDelivered)}
    assert set(received.values()) == {1}, "no mailbox got a mail twice"
    assert len(accepted | uncertain) == MAILS, "each mail has an outcome"
    assert len(delivered) == len(received), "each mail that arrived is known to have arrived"
    assert accepted <= delivered
