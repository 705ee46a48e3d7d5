"""A report goes all the way: sent by the command, seen by every outside, answered to its source."""

import asyncio
import email
import hashlib
import io
import json
import re
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from email import policy
from pathlib import Path

import httpx
import pytest

from labosim.day import DayMessage, day_messages
from labosim.sgl.sender import Ack, Sender
from tests.support.hub import Installation, until

pytestmark = pytest.mark.slow

SHARED = Path(__file__).resolve().parents[3] / "shared"
DAY = [message for message in day_messages(77, 40) if message.story != "replacement"]
RELAYED = next(
    message for message in DAY if message.path == "relay" and message.story == "ordinary" and message.mails == 2
)
STRUCTURED = next(message for message in DAY if message.path == "structuring" and message.story == "ordinary")
UNRESOLVED = next(message for message in DAY if message.story == "unresolved")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation(tmp_path_factory.mktemp("road")) as running:
        yield running


def send_by_command(installation: Installation, *files: Path) -> subprocess.CompletedProcess[str]:
    """Run `labohub send` as a person would."""
    command = [sys.executable, "-m", "embedded", "send", *map(str, files), "--port", str(installation.mllp)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def push(installation: Installation, *messages: bytes) -> list[Ack]:
    async def all_of_them() -> list[Ack]:
        async with Sender("127.0.0.1", installation.mllp) as sender:
            return [await sender.send(message) for message in messages]

    return asyncio.run(all_of_them())


def timeline(installation: Installation, control_id: str) -> list[dict[str, str]]:
    """Return the steps of a report, once its message is settled."""

    def settled() -> list[dict[str, str]]:
        found = installation.api("/reports", control_id=control_id)["items"]
        steps = installation.api(f"/reports/{found[0]['report_id']}/timeline") if found else []
        return steps if any(step["step"] == "message.settled" for step in steps) else []

    return until(settled, 60, f"{control_id} settled")  # type: ignore[no-any-return]


def mails_about(installation: Installation, sha256: str) -> list[dict[str, str]]:
    """Return the mails that carry a document, each read by the standard library without a defect."""
    found = []
    for line in installation.sim("/mss/mails"):
        message = email.message_from_bytes(installation.sim(f"/mss/mails/{line['id']}"), policy=policy.default)
        for part in message.walk():
            assert part.defects == []
        archive = next(part for part in message.iter_attachments() if part.get_filename() == "IHE_XDM.zip")
        with zipfile.ZipFile(io.BytesIO(archive.get_payload(decode=True))) as content:
            assert content.testzip() is None
            if hashlib.sha256(content.read("IHE_XDM/SUBSET01/DOC0001.XML")).hexdigest() == sha256:
                found.append(line)
    return found


def test_a_relayed_report_reaches_everyone_byte_for_byte_and_the_source_hears_of_it(
    installation: Installation, tmp_path: Path
) -> None:
    file = tmp_path / "report.hl7"
    file.write_bytes(RELAYED.er7)
    sent = send_by_command(installation, file)
    assert sent.returncode == 0, sent.stderr
    assert "AA" in sent.stdout
    steps = timeline(installation, RELAYED.control_id)
    names = {step["step"] for step in steps}
    assert {"report.received", "identity.qualified", "document.built", "dmp.accepted", "mail.accepted"} <= names

    (filed,) = [s for s in installation.sim("/dmp/submissions") if s["unique_id"] == RELAYED.document_id]
    assert filed["sha256"] == RELAYED.document_sha256
    document = installation.sim(f"/dmp/submissions/{filed['id']}/document")
    assert hashlib.sha256(document).hexdigest() == RELAYED.document_sha256
    mails = mails_about(installation, RELAYED.document_sha256)
    assert len(mails) == len({mail["rcpt_to"] for mail in mails}) == RELAYED.mails

    def answered() -> bool:
        types = [m["message_type"] for m in installation.sim("/sgl/messages") if RELAYED.control_id in m["er7"]]
        return types.count("ZAM^Z01^ZAM_Z01") == 1 and types.count("ZAM^Z02^ZAM_Z01") == RELAYED.mails

    until(answered, 30, "one Z01, and one Z02 for each recipient")


def test_one_trace_leads_from_hl7_to_the_dmp_and_the_mailboxes(installation: Installation) -> None:
    push(installation, RELAYED.er7)
    steps = timeline(installation, RELAYED.control_id)
    road = {"report.received", "identity.qualified", "document.built", "dmp.accepted", "mail.accepted"}
    assert len({step["trace_id"] for step in steps if step["step"] in road}) == 1
    assert all(step["trace_id"] for step in steps)


def test_the_same_message_again_gets_the_same_answer_and_goes_nowhere(installation: Installation) -> None:
    first, second = push(installation, RELAYED.er7, RELAYED.er7)
    assert first.raw == second.raw
    timeline(installation, RELAYED.control_id)
    assert [s["unique_id"] for s in installation.sim("/dmp/submissions")].count(RELAYED.document_id) == 1


def test_raw_results_become_a_document_that_reaches_the_dmp_and_the_prescriber(installation: Installation) -> None:
    before = len(installation.sim("/dmp/submissions"))
    (ack,) = push(installation, STRUCTURED.er7)
    assert ack.code == "AA"
    steps = timeline(installation, STRUCTURED.control_id)
    assert {"document.built", "dmp.accepted", "mail.accepted"} <= {step["step"] for step in steps}
    filed = installation.sim("/dmp/submissions")[before:]
    assert len(filed) == 1
    assert len(mails_about(installation, filed[0]["sha256"])) == sum(s["step"] == "mail.accepted" for s in steps)


def test_an_identity_that_is_not_certain_stops_the_report_and_says_so(installation: Installation) -> None:
    (ack,) = push(installation, UNRESOLVED.er7)
    assert ack.code == "AA"
    steps = timeline(installation, UNRESOLVED.control_id)
    (step,) = [step for step in steps if step["step"] == "identity.unresolved"]
    assert step["code"].startswith("ins.")
    assert UNRESOLVED.document_sha256 not in {s["sha256"] for s in installation.sim("/dmp/submissions")}
    assert mails_about(installation, UNRESOLVED.document_sha256) == []
    assert any(item["code"] == step["code"] for item in installation.api("/worklists/identity")["items"])


def _fresh(message: DayMessage, control_id: str) -> bytes:
    return message.er7.replace(message.control_id.encode(), control_id.encode())


MATRICULE = RELAYED.person.matricule
WRONG_KEY = f"{MATRICULE[:13]}{int(MATRICULE[13:]) % 97 + 1:02d}"
OTHER = next(message.person for message in DAY if message.person.matricule != MATRICULE)
TWO_PATIENTS = _fresh(RELAYED, "BAD2").replace(MATRICULE.encode(), OTHER.matricule.encode(), 1)
BAD = {
    "wrong version": (_fresh(RELAYED, "BAD1").replace(b"|P|2.5|", b"|P|2.9|", 1), "203"),
    "not HL7 at all": (b"bonjour\r", "100"),
    "PID and CDA of two patients": (TWO_PATIENTS, "199"),
    "an invalid matricule": (_fresh(RELAYED, "BAD3").replace(MATRICULE.encode(), WRONG_KEY.encode()), None),
    "a document that was cut": (_fresh(RELAYED, "BAD4")[: len(RELAYED.er7) // 2] + b"\r", None),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_a_coded_refusal_and_nothing_leaves(installation: Installation, name: str) -> None:
    message, code = BAD[name]
    before = len(installation.sim("/dmp/submissions")), len(installation.sim("/mss/mails"))
    (ack,) = push(installation, message)
    assert ack.code in ("AE", "AR")
    assert ack.error
    if code:
        assert ack.error == code
    (alive,) = push(installation, RELAYED.er7)
    assert alive.code == "AA"
    assert (len(installation.sim("/dmp/submissions")), len(installation.sim("/mss/mails"))) == before


def test_a_frame_of_50_megabytes_or_cut_in_the_middle_does_not_hurt(installation: Installation) -> None:
    with socket.create_connection(("127.0.0.1", installation.mllp), timeout=30) as connection:
        try:
            connection.sendall(b"\x0bMSH|^~\\&|")
            for _ in range(50):
                connection.sendall(b"x" * 1_000_000)
            connection.sendall(b"\x1c\r")
            answer = connection.recv(65536)
        except ConnectionError:  # it may close before we are through: that, too, is a refusal
            answer = b""
    assert b"MSA|AA" not in answer
    with socket.create_connection(("127.0.0.1", installation.mllp), timeout=30) as connection:
        connection.sendall(b"\x0b" + _fresh(RELAYED, "CUT1")[:5000])
    (alive,) = push(installation, RELAYED.er7)
    assert alive.code == "AA"
    assert installation.api("/reports", control_id="CUT1")["items"] == []


def test_http_takes_a_message_and_answers_with_its_acknowledgement(installation: Installation) -> None:
    answer = httpx.post(
        f"http://127.0.0.1:{installation.http}/api/v1/hl7",
        content=_fresh(STRUCTURED, "HTTP1"),
        headers={"Content-Type": "application/hl7-v2"},
    )
    assert answer.status_code == 200
    assert b"MSA|AA|HTTP1" in answer.content
    timeline(installation, "HTTP1")


def test_no_log_and_no_metric_names_a_patient(installation: Installation) -> None:
    """Play a day, then look for every trait of every patient in all that the hub wrote for operators."""
    messages = [*DAY[:30], RELAYED]
    acks = push(installation, *(message.er7 for message in messages))
    assert sum(ack.is_positive for ack in acks) >= len(messages) - 3
    until(lambda: installation.settled(20), 60, "the day settled")
    written = installation.logs() + httpx.get(f"http://127.0.0.1:{installation.http}/metrics").text
    assert "message.accepted" in written
    assert len(written) > 10_000
    words = {word.upper() for word in re.findall(r"[\wÀ-ÿ'-]+", written)}
    for message in messages:
        person = message.person
        assert person.matricule not in written
        assert person.matricule[:13] not in written
        assert person.birth_date.replace("-", "") not in written
        assert person.birth_name.upper() not in words


OFFICIAL = SHARED / "data/hl7/pfi/oru/v2.1_segur_init_n3.hl7"

if OFFICIAL.exists():

    def test_the_published_sample_is_accepted_and_its_document_filed_as_it_is(installation: Installation) -> None:
        """Its patient mailbox has 20 digits: that recipient is told as not served, the professional gets the mail."""
        expected = json.loads((SHARED / "data/hl7/pfi/expected.json").read_text())
        digests = re.findall(r"[0-9a-f]{64}", json.dumps(_entry(expected, OFFICIAL.name)))
        before = {line["id"] for line in installation.sim("/dmp/submissions")}
        sent = send_by_command(installation, OFFICIAL)
        assert sent.returncode == 0, sent.stdout + sent.stderr
        assert "AA" in sent.stdout
        timeline(installation, "015")
        (filed,) = [line for line in installation.sim("/dmp/submissions") if line["id"] not in before]
        assert filed["sha256"] in digests
        assert len(mails_about(installation, filed["sha256"])) == 1

    def _entry(expected: dict[str, object] | list[object], name: str) -> object:
        pairs = expected.items() if isinstance(expected, dict) else ((json.dumps(item), item) for item in expected)
        return next(value for key, value in pairs if name in key)


if (SHARED / "tools/cisis-validate").exists():

    def test_built_documents_pass_the_official_rules(installation: Installation, tmp_path: Path) -> None:
        push(installation, STRUCTURED.er7)
        timeline(installation, STRUCTURED.control_id)
        built = [s for s in installation.sim("/dmp/submissions") if s["sha256"] != RELAYED.document_sha256]
        files = []
        for line in built[:5]:
            files.append(tmp_path / f"{len(files)}.xml")
            files[-1].write_bytes(installation.sim(f"/dmp/submissions/{line['id']}/document"))
        assert files
        tool = SHARED / "tools/cisis-validate"
        verdict = subprocess.run(
            [sys.executable, str(tool), *map(str, files)], capture_output=True, text=True, check=False
        )
        assert verdict.returncode == 0, verdict.stdout[-2000:]


def test_a_stop_is_graceful_and_a_start_finds_everything_again(installation: Installation) -> None:
    known = installation.api("/reconciliation")["accepted"]
    begun = time.monotonic()
    installation.hub.stop()
    assert time.monotonic() - begun < 15
    installation.hub.start()
    assert installation.api("/reconciliation")["accepted"] == known
    (ack,) = push(installation, RELAYED.er7)
    assert ack.code == "AA"
