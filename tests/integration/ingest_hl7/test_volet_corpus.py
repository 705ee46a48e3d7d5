"""The corpus of the volet through the real listener: what is answered, to the letter of the guide."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.ingest import Running, errors, fields, msa, running
from tests.support.volet_corpus import accepted, refused
from tests.support.volet_corpus.asked import CA, RO
from tests.support.volet_corpus.drafts import OID, STRANGER, Paper, draft

_WITHOUT_MSH = frozenset(("header: not HL7", "header: doubled separators"))


def header(message: bytes) -> list[str]:
    """Return MSH of a message, split by hand: MSH-n is at n."""
    start = message.index(b"MSH")
    line = message[start:].replace(b"\n", b"\r").split(b"\r")[0].decode("utf-8", "replace").split("|")
    return ["MSH", "|", *line[1:]]


def check_answer(message: bytes, answer: bytes) -> None:
    """Check MSH and MSA of an answer against the message that it answers."""
    asked, given = header(message), fields(answer)["MSH"][0]
    asked += [""] * (22 - len(asked))
    assert (given[3], given[4], given[5], given[6]) == (asked[5], asked[6], asked[3], asked[4])
    parts = asked[9].split("^")
    assert given[9] == "^".join(("ACK", parts[1], "ACK")) if len(parts) > 1 else given[9].startswith("ACK")
    assert given[11] == asked[11] or not asked[11]
    assert given[12] == ("2.6" if parts[0] == "MDM" else "2.5")
    assert given[17] == "FRA"
    assert given[18] in ("UNICODE UTF-8", "8859/15")
    assert len(given) <= 21  # MSH-21 went away with 2.1.1
    assert given[10]
    assert msa(answer)[1] == asked[10]


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as hub:
        yield hub


async def test_every_refusal_is_answered_as_the_guide_writes_it_and_publishes_nothing(hub: Running) -> None:
    cases = {name: case for name, case in refused.ALL.items() if not case.production}
    async with hub.connect() as peer:
        for name, case in cases.items():
            [answer] = await peer.send(case.message)
            found = errors(answer)
            assert msa(answer)[0] == "AE", name
            assert found, name
            assert found[0][0] in case.conditions.split(), name
            assert found[0][1] in case.places.split(), name
            assert {severity for _, _, severity in found} <= {"E", "F", "W", "I"}, name
            for each in fields(answer)["ERR"] if name not in _WITHOUT_MSH else ():
                code, label, system = each[3].split("^")[:3]
                assert code.isdigit(), name
                assert label, name
                assert system == "messageErrorCondition", name
            if name not in _WITHOUT_MSH and "version" not in name:
                check_answer(case.message, answer)
    assert await hub.rows("requests") == []
    assert {row["state"] for row in await hub.rows("messages")} == {"refused"}


async def test_one_of_each_request_is_answered_as_the_guide_writes_it(tmp_path: Path) -> None:
    names = [name for name in accepted.ALL if name.startswith("request: ") and name.endswith("initial")]
    assert len(names) > 6
    for number, name in enumerate(names):
        async with running(tmp_path / str(number)) as hub:
            message = accepted.ALL[name].message
            [answer] = await hub.send(message)
            assert msa(answer)[0] == "AA", name
            assert errors(answer) == [], name
            check_answer(message, answer)


def version(root: str, replaces: str = "", **changes: Any) -> tuple[Paper]:
    return (Paper(root, replaces=replaces, **changes),)


async def send(hub: Running, *messages: bytes) -> list[tuple[str, list[tuple[str, str, str]]]]:
    async with hub.connect() as peer:
        found = [await peer.send(message) for message in messages]
    return [(msa(answer)[0], errors(answer)) for [answer] in found]


A, B, C = (f"1.2.250.1.99998.5.{number}" for number in (1, 2, 3))


async def test_one_constant_number_for_all_messages_loses_none(hub: Running) -> None:
    got = await send(hub, *(draft(number="015", documents=version(f"1.2.250.1.99998.6.{at}")) for at in range(20)))
    assert [code for code, _ in got] == ["AA"] * 20
    assert len(await hub.rows("requests")) == 20


async def test_a_document_deleted_or_replaced_comes_no_more_whoever_sends_it(hub: Running) -> None:
    other = "MSH1.3=SGL-AUTRE"
    got = await send(
        hub,
        draft(documents=version(A), **CA),
        draft(documents=version(A)),
        draft(other, documents=version(A)),
        draft(documents=version(C, B), **RO),
        draft(documents=version(B)),
        draft(documents=version(B, "1.2.250.1.99998.5.9"), **RO),
    )
    assert [code for code, _ in got] == ["AA", "AE", "AE", "AA", "AE", "AE"]


async def test_a_replacement_of_what_was_replaced_or_deleted_goes_on_and_is_noted(hub: Running) -> None:
    got = await send(
        hub,
        draft(documents=version(A), number="1"),
        draft(documents=version(B, A), number="2", **RO),
        draft(documents=version(C, A), number="3", **RO),
    )
    assert [code for code, _ in got] == ["AA"] * 3
    rows = {row["control_id"]: row["warnings"].split() for row in await hub.rows("messages")}
    assert "relay.target-ended" not in rows["2"]
    assert "relay.target-ended" in rows["3"]


async def test_an_identifier_is_one_content_whoever_sends_it(hub: Running) -> None:
    got = await send(
        hub,
        draft(documents=version(A)),
        draft("MSH1.3=SGL-AUTRE", documents=version(A, given="BRUNO P")),
        draft("MSH1.3=SGL-AUTRE", documents=version(A)),
    )
    assert [code for code, _ in got] == ["AA", "AE", "AA"]
    assert got[1][1][0][:2] == ("205", "OBX^1^5")
    reports = {row["report_id"] for row in await hub.rows("requests")}
    assert len(reports) == 1  # one chain, whoever speaks of it


async def test_twins_are_two_people(hub: Running) -> None:
    ids = "PID1.3=L-55^^^LABO-VAUBAN&990001234&N^PI"
    flags = ("DESTDMP=N", "DESTMSSANTEPAT=N", "-PRT3")
    names = {"BRUNO": "AA", "BRUNO-PAUL": "AA", "Paul": "AA", "LOUIS": "AE", "BRUNOT": "AE"}
    got = {
        given: (await send(hub, draft(ids, *flags, documents=version(f"{A}.{at}", given=given, matricule=""))))[0][0]
        for at, given in enumerate(names)
    }
    assert got == names


STRANGER_PID = (
    f"PID1.3={STRANGER}^^^ASIP-SANTE-INS-NIR&{OID}&ISO^INS~L-99^^^LABO-VAUBAN&990001234&N^PI",
    "PID1.5=MOREAU^INES^INES^^^^L", "PID1.7=19651203", "PID1.8=F", "DESTMSSANTEPAT=N", "-PRT3",
)  # fmt: skip
STRANGER_PAPER = {"matricule": STRANGER, "family": "MOREAU", "given": "INES", "birth": "19651203", "sex": "F"}


@pytest.mark.parametrize("asked", [RO, CA])
async def test_nobody_replaces_or_deletes_another_patients_document(hub: Running, asked: dict[str, Any]) -> None:
    target = version(B, A, **STRANGER_PAPER) if asked is RO else version(A, **STRANGER_PAPER)
    got = await send(hub, draft(documents=version(A)), draft(*STRANGER_PID, documents=target, **asked))
    assert [code for code, _ in got] == ["AA", "AE"]
    assert got[1][1][0][:2] == ("199", "PID^1^3")
    [row] = [row for row in await hub.rows("messages") if row["state"] == "refused"]
    assert row["reason"] == "document.other-patient"
    assert len(await hub.rows("requests")) == 1


async def test_nobody_does_in_one_commit_either(hub: Running) -> None:
    async with hub.connect() as peer:
        answers = await peer.send(
            draft(documents=version(A)), draft(*STRANGER_PID, documents=version(B, A, **STRANGER_PAPER), **RO)
        )
    assert [msa(answer)[0] for answer in answers] == ["AA", "AE"]


async def test_a_corrected_identity_may_replace_its_own_document(hub: Running) -> None:
    """The number of the laboratory, or the traits, are the same."""
    got = await send(
        hub,
        draft("PID1.5=LECOK^BRUNO^BRUNO^^^^L", documents=version(A, family="LECOK")),
        draft(documents=version(B, A), **RO),
        draft("PID1.3=L-77^^^LABO-VAUBAN&990001234&N^PI", "DESTMSSANTEPAT=N", documents=version(C, B), **RO),
    )
    assert [code for code, _ in got] == ["AA", "AA", "AA"]
