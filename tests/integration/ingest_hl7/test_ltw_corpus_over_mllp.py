"""The corpus of LTW over a real connection: each message of a sender of its own, in one conversation, in order."""

from pathlib import Path
from time import monotonic

import pytest

from tests.support.ingest import running
from tests.support.ltw_corpus.case import Case
from tests.support.ltw_corpus.door import read_answer
from tests.support.ltw_corpus.draft import NA, RESULT, Draft, battery, order, result
from tests.support.ltw_corpus.headers import HEADERS
from tests.support.ltw_corpus.kinds import CULTURE, CULTURE_CODE, KINDS, SILENT, susceptibility
from tests.support.ltw_corpus.structures import STRUCTURES
from tests.support.ltw_corpus.values import VALUES

CORPUS = (*HEADERS, *STRUCTURES, *VALUES, *KINDS)
STRICT = '[[sender]]\napplication = "*"\nreceiving_applications = ["LABOHUB"]\nreceiving_facilities = ["ACCUEIL"]\n'


def of_its_own(case: Case, number: int) -> bytes:
    """Return the message under the name of a sender that wrote nothing else."""
    raw = case.raw
    for name in (b"SGL-ARDOISE", b"MDW-ARDOISE", b"DPI-ARDOISE"):
        raw = raw.replace(name, b"S%03d" % number + name[4:])
    return raw


@pytest.mark.parametrize("part", range(3))
async def test_every_message_is_answered_in_its_turn(tmp_path: Path, part: int) -> None:
    chosen = list(enumerate(CORPUS))[part::3]
    wrong = []
    path = tmp_path / "senders.toml"
    path.write_text(STRICT)
    async with running(tmp_path, senders=path, processing_ids="P") as hub, hub.connect() as peer:
        for number, case in chosen:
            peer.writer.write(b"\x0b" + SILENT[number % len(SILENT)][1] + b"\x1c\r")  # an answer: nothing comes back
            code, _, errors = read_answer((await peer.send(of_its_own(case, number)))[0])
            told = errors[0] if errors else ("", "", "")
            if code != case.answer or (code != "AA" and (told[0] not in case.err3 or told[1] not in case.err2)):
                wrong.append((case.name, code, told))
    assert wrong == []


async def test_both_modes_are_answered_as_asked(tmp_path: Path) -> None:
    asked = {
        ("AL", "AL"): ("CA", "AA"), ("NE", "AL"): ("AA",), ("AL", "NE"): ("CA",), ("SU", "SU"): ("CA", "AA"),
        ("AL", ""): ("CA",), ("", "AL"): ("AA",), ("AL", "ER"): ("CA",), ("SU", "ER"): ("CA",), ("NE", "NE"): (),
        ("ER", "ER"): (), ("ER", "NE"): (),
    }  # fmt: skip
    refused = {
        ("AL", "NE"): ("CE",), ("ER", "NE"): ("CE",), ("SU", "NE"): (), ("NE", "ER"): ("AE",), ("SU", "SU"): (),
    }  # fmt: skip
    async with running(tmp_path) as hub, hub.connect() as peer:
        for number, (modes, codes) in enumerate([*asked.items(), *refused.items()]):
            message = RESULT.put("MSH[1]-15", modes[0]).put("MSH[1]-16", modes[1]).named(f"E{number}")
            bad = number >= len(asked)
            peer.writer.write(b"\x0b" + (message.put("OBX[1]-11", "U") if bad else message).raw() + b"\x1c\r")
            found = [read_answer(await peer.answer())[:2] for _ in codes]
            assert found == [(code, f"E{number}") for code in codes], modes
        assert read_answer((await peer.send(RESULT.named("LAST").put("OBX[1]-5", "140").raw()))[0])[1] == "LAST"


async def test_a_control_id_comes_back_byte_for_byte(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        for name in ("A" * 199, "ARD-été-3", "ARD\\T\\4", "ARD^5&6"):
            (answer,) = await hub.send(RESULT.named(name).raw())
            assert b"\rMSA|AA|" + name.encode() in answer


async def test_messages_of_a_whole_hospital_are_taken_in_the_patience_of_a_sender(tmp_path: Path) -> None:
    """Thousands of results, orders, notes and antibiograms in one message: each is work in proportion to its size."""
    head, after = RESULT.segments[:5], RESULT.segments[5:]
    results = [result(rank, "NM", f"A{rank}^Analyse {rank}^99ARD", "1.5", "mmol/L") for rank in range(5000)]
    batteries = [
        line
        for rank in range(200)
        for line in (order("B", rank), battery("B", rank, f"E{rank}^E^99ARD"), result(1, "NM", NA, "139"))
    ]
    isolates = [result(rank, "CE", CULTURE_CODE, "1^Germe^99ARD", sub=str(rank)) for rank in range(300)]
    children = [line for rank in range(1000) for line in susceptibility(rank + 2, str(rank % 300))]
    messages = {
        "results": Draft((*head, *results)),
        "batteries": Draft((*RESULT.segments[:3], *batteries)),
        "notes": Draft((*head, after[0], *["NTE|1|L|x"] * 10_000, *after[1:])),
        "antibiograms": Draft((*CULTURE.segments[:5], *isolates, *children)),
        "repetitions": RESULT.put("OBX[5]-5", "a~" * 500_000),
    }
    async with running(tmp_path) as hub, hub.connect() as peer:
        for number, (name, message) in enumerate(messages.items()):
            started = monotonic()
            raw = message.named(name).raw().replace(b"SGL-ARDOISE", b"SGL-%d" % number)
            code, control_id, _ = read_answer((await peer.send(raw))[0])
            assert (code, control_id) == ("AA", name)
            assert monotonic() - started < 10  # what senders wait at least
