"""What a laboratory's system says by events has its effect outside: in the DMP, in the mailboxes, on its webhook."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from ingest_hl7.adapters.senders_file import DEMO
from labosim.day import DayMessage, day_messages
from labosim.settings import SimulatorSettings
from labosim.sgl.sender import Sender
from tests.support.hub import Installation, until
from tests.support.world import QUICK

pytestmark = pytest.mark.slow

DAY = [message for message in day_messages(78, 40) if message.story == "ordinary"]
STRUCTURED = [message for message in DAY if message.path == "structuring"]
RELAYED = [message for message in DAY if message.path == "relay" and message.mails]
NAMES = "SGL-CHENE", "LBM-GRAND-CHENE"
MASKED = """to_patient = true
visibility = {masked_from_professionals = false, invisible_to_patient = true, invisible_to_guardians = false, \
secret_connection = false, changes_visibility = false}
"""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("events")
    senders, secret = folder / "senders.toml", folder / "secret"
    running = Installation(folder, {**QUICK, "INGEST_HL7_SENDERS": str(senders)})
    secret.write_text(SimulatorSettings().webhook_secret)
    url = f"http://127.0.0.1:{running.ports.control}/sim/sgl/webhooks"
    hook = f'[[sender.webhooks]]\nid = "sgl"\nurl = "{url}"\nsecret_file = "{secret}"\n'
    senders.write_text(written(MASKED, hook))
    with running:
        yield running


def written(more: str, hook: str) -> str:
    """Return the demonstration's senders, the laboratory of the day with more."""
    text = DEMO.read_text()
    entry = text.index(f'application = "{NAMES[0]}"')
    following = text.find("[[sender]]", entry)
    end = following if following >= 0 else len(text)
    return text[:entry] + more + text[entry:end] + "\n" + hook + "\n" + text[end:]


def push(installation: Installation, message: DayMessage) -> None:
    """Send a message that must be acknowledged."""

    async def send() -> str:
        async with Sender("127.0.0.1", installation.mllp) as sender:
            return (await sender.send(message.er7)).code

    assert asyncio.run(send()) == "AA"


def tell(installation: Installation, kind: str, message: DayMessage, **data: Any) -> dict[str, Any]:
    """Send an event about a message; return its answer."""
    body = {
        "id": str(uuid4()),
        "type": kind,
        "occurred_at": "2026-03-12T10:05:00+01:00",
        "source": {"application": NAMES[0], "facility": NAMES[1]},
        "subject": {"kind": "control-id", "value": message.control_id},
        **({"data": data} if data else {}),
    }
    answer = httpx.post(f"http://127.0.0.1:{installation.http}/api/v1/events", json=body, timeout=20)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


def report_of(installation: Installation, message: DayMessage) -> str:
    """Return the report of a message."""
    found = until(lambda: installation.api("/reports", control_id=message.control_id)["items"], 30, "the report")
    return str(found[0]["report_id"])


def test_an_announcement_replaces_the_document_in_the_dmp_and_writes_to_the_patient(installation: Installation) -> None:
    message = STRUCTURED[0]
    before, mails = len(installation.sim("/dmp/submissions")), len(installation.sim("/mss/mails"))
    push(installation, message)
    report = report_of(installation, message)
    filed = until(lambda: installation.sim("/dmp/submissions")[before:], 60, "filed")
    assert not [m for m in installation.sim("/mss/mails")[mails:] if "patient.mssante.fr" in m["rcpt_to"]]
    told = tell(installation, "announcement.done", message)
    assert told["reports"] == [report]
    filed = until(
        lambda: found if len(found := installation.sim("/dmp/submissions")[before:]) == 2 else None, 60, "RPLC"
    )
    assert [each["operation"] for each in filed] == ["TD2.1", "RPLC"]
    assert filed[1]["replaces"] == filed[0]["unique_id"]
    assert filed[1]["unique_id"] != filed[0]["unique_id"]
    first, second = (installation.sim(f"/dmp/submissions/{each['id']}/soap") for each in filed)
    hidden = b'classifiedObject="Document01" nodeRepresentation="INVISIBLE_PATIENT"'  # the signature always is
    assert hidden in first
    assert hidden not in second
    until(
        lambda: [m for m in installation.sim("/mss/mails")[mails:] if "patient.mssante.fr" in m["rcpt_to"]],
        60,
        "a mail to the patient",
    )


def test_an_added_recipient_gets_the_document_and_nobody_else_gets_it_again(installation: Installation) -> None:
    message = RELAYED[0]
    push(installation, message)
    report = report_of(installation, message)

    def settled(count: int) -> bool:
        steps = installation.api(f"/reports/{report}/timeline")
        return sum(step["step"] == "message.settled" for step in steps) == count

    until(lambda: settled(1), 60, "the message has its end")
    mails, filed = len(installation.sim("/mss/mails")), len(installation.sim("/dmp/submissions"))
    new = {"kind": "professional", "address": "nora.belaid@medecin.mssante.fr", "family_name": "BELAID"}
    tell(installation, "recipients.changed", message, add=[new])
    until(lambda: settled(2), 60, "the added recipient has an end")
    more = installation.sim("/mss/mails")[mails:]
    assert [new["address"] in mail["rcpt_to"] for mail in more] == [True]
    assert len(installation.sim("/dmp/submissions")) == filed

    def zams() -> list[str]:
        told = [m["er7"] for m in installation.sim("/sgl/messages") if m["message_type"].startswith("ZAM^Z02")]
        return [each for each in told if new["address"] in each and message.control_id in each]

    until(zams, 30, "the source hears of the added recipient under its own number")


def test_a_held_report_stays_until_its_release_and_the_webhook_tells_both(installation: Installation) -> None:
    message = RELAYED[1]
    tell(installation, "report.hold", message)
    push(installation, message)

    def news(kind: str) -> list[dict[str, Any]]:
        hooks = [each for each in installation.sim("/sgl/webhooks") if each["type"] == kind]
        return [each for each in hooks if each["data"]["control_id"] == message.control_id]

    until(lambda: news("report.held"), 30, "the hold is told")
    [row] = installation.api("/reports", control_id=message.control_id)["items"]
    assert row["state"] == "held"
    assert message.document_id not in {each["unique_id"] for each in installation.sim("/dmp/submissions")}
    tell(installation, "report.release", message)
    until(lambda: news("message.settled"), 60, "the end is told")
    assert news("message.settled")[0]["data"]["state"] == "delivered"
    assert [each["status"] for each in installation.sim("/sgl/webhooks")].count(204) >= 2
    assert installation.api("/reconciliation")["open"] == 0


def test_nothing_of_a_patient_is_in_webhooks_or_logs(installation: Installation) -> None:
    said = str(installation.sim("/sgl/webhooks")) + installation.logs()
    for message in (*RELAYED[:2], STRUCTURED[0]):
        assert message.person.matricule not in said
        assert message.person.birth_name not in said


def test_the_example_holds_a_report_and_lets_it_go(installation: Installation) -> None:
    import subprocess
    import sys

    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "examples/send_an_event.py", f"http://127.0.0.1:{installation.http}"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "waiting" in done.stdout
    assert "applied" in done.stdout
