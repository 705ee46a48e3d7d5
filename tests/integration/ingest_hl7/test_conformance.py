"""Every published sample gets the answer its `expected.json` gives, from the whole service.

The samples live beside the repository; without them these tests have nothing to collect.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ingest_hl7.core import intake
from ingest_hl7.core.decision import Structured
from ingest_hl7.core.registry import Registry
from ingest_hl7.core.senders import Sender
from labohub.standards import er7
from tests.support.ingest import errors, msa, running
from tests.support.ltw import facts_of
from tests.support.store import FixedClock

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "hl7"


def expected(folder: str) -> dict[str, Any]:
    """Return the facts of a folder, or nothing."""
    path = SHARED / folder / "expected.json"
    return json.loads(path.read_text()) if path.exists() else {}


LTW = expected("ltw")
GOOD = {name: facts for name, facts in LTW.get("good", {}).items() if name.endswith(".hl7")}
BAD = {name: facts for name, facts in LTW.get("bad", {}).items() if name.endswith(".hl7")}
BAD_STREAMS = {name: facts for name, facts in LTW.get("bad", {}).items() if name.endswith(".bin")}

SENDERS = """
[[sender]]
application = "SGL-TILLEUL"
receiving_applications = ["SERVEUR-RESULTATS", "MIDLAB", "DPI-VALMONT", "SGL-BIOSPE"]

[[sender]]
application = "SGL-BIOSPE"
role = "subcontractor"
"""


def messages_of(raw: bytes) -> list[bytes]:
    """Return the messages of a file."""
    batch = er7.split_batch(raw)
    return list(batch.messages) if batch else [raw]


def letters(text: str) -> list[str]:
    """Return the acknowledgement codes an `answer` column announces."""
    return [] if text.startswith("none") else [word for word in text.replace(",", " ").split() if word in CODES]


CODES = ("AA", "AE", "AR", "CA")


@pytest.mark.parametrize("part", [part for part in ("good", "bad") if LTW])
async def test_every_ltw_sample_gets_its_answer(part: str, tmp_path: Path) -> None:
    folder = SHARED / "ltw" / ("" if part == "good" else part)
    (tmp_path / "senders.toml").write_text(SENDERS)
    wrong = []
    async with running(tmp_path, senders=tmp_path / "senders.toml") as hub, hub.connect() as peer:
        for name, facts in (GOOD if part == "good" else BAD).items():
            wanted = letters(facts["answer"])
            if facts["answer"] == "AA per message":
                wanted = ["AA"] * len(facts["messages"])
            answers = []
            if wanted:
                answers = await peer.send((folder / name).read_bytes())
                answers += [await peer.answer() for _ in wanted[1:]]
            got = [msa(answer)[0] for answer in answers]
            found = errors(answers[-1]) if answers else []
            place = [(facts["err3"], facts["err2"])] if facts.get("err3") is not None else []
            if got != wanted or [each[:2] for each in found][:1] != place:
                wrong.append((name, wanted, place, got, found))
    assert wrong == []


@pytest.mark.parametrize("name", sorted(BAD_STREAMS))
async def test_every_damaged_stream_gets_its_answers(name: str, tmp_path: Path) -> None:
    wanted = letters(BAD_STREAMS[name]["answer"])
    stream = (SHARED / "ltw" / "bad" / name).read_bytes()
    async with running(tmp_path) as hub, hub.connect() as peer:
        for at in range(len(stream)):
            peer.writer.write(stream[at : at + 1])
        got = [msa(await peer.answer())[0] for _ in wanted]
        peer.writer.write_eof()
        assert await peer.is_closed()
    assert got == wanted


@pytest.mark.parametrize("name", sorted(GOOD))
def test_every_fact_of_a_sample_is_read_as_expected(name: str) -> None:
    found = [facts_of(er7.read(message)) for message in messages_of((SHARED / "ltw" / name).read_bytes())]
    for facts, wanted in zip(found, GOOD[name]["messages"], strict=True):
        for order, expected_order in zip(facts.get("orders", []), wanted.get("orders", []), strict=True):
            for result, told in zip(order["results"], expected_order["results"], strict=True):
                if LONG.fullmatch(told["value"]):  # told by its length alone
                    result["value"] = f"<{len(result['value'])} characters>"
    assert found == GOOD[name]["messages"]


LONG = re.compile(r"<\d+ characters>")
STRUCTURED = [name for name, facts in GOOD.items() if facts["transaction"] == "LAB-3"]
WRITTEN_AS_IS = ("NM", "SN", "ST", "DT", "TS", "TM", "NA")


@pytest.mark.parametrize("name", sorted(STRUCTURED))
def test_every_result_of_a_sample_is_known_of_its_demand(name: str) -> None:
    policy = intake.Policy("test", frozenset("PT"), Registry((Sender(whole_report_codes=("none",)),)))
    for raw, facts in zip(messages_of((SHARED / "ltw" / name).read_bytes()), GOOD[name]["messages"], strict=True):
        decision, _ = intake.decide(intake.arrive(raw, policy, FixedClock()()), policy)
        assert isinstance(decision, Structured)
        for battery, order in zip(decision.state.batteries, facts["orders"], strict=True):
            assert (battery.placer_number, battery.filler_number) == (order["placer"], order["filler"])
            assert (battery.status, battery.group_number) == (order["status"], order["group"])
            shown = [each for each in order["results"] if each["status"] not in "ON"]
            for result, told in zip(battery.results, shown, strict=True):
                codes = [code.code for code in (result.local_code, result.loinc) if code]
                assert told["code"] in codes
                assert (result.loinc.code if result.loinc else None) == told["loinc"]
                assert (result.value_type, result.sub_id, result.status) == (
                    told["type"],
                    told["sub_id"],
                    told["status"],
                )
                assert (result.unit, list(result.flags)) == (told["unit"], told["flags"])
                if told["type"] in WRITTEN_AS_IS and told["value"] != '""':
                    assert result.value == told["value"]
            if order.get("parent_result"):
                assert battery.parent is not None
                assert battery.parent.filler_number == order["parent_filler"]
                assert battery.parent.sub_id == order["parent_result"].split("^")[1]
