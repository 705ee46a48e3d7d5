"""ADT as hospitals write them, and as nobody should: what is understood, what is refused and where."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest_hl7.core.decision import PatientNews, Refusal
from tests.support.ingest import Running, errors, fields, msa, pid, running
from tests.support.pam import ZBE, adt_message, local, zfa
from tests.unit.ingest_hl7.core.test_volet_refused import decide

SHIFTED = "ZBE|002^CHU-X^000897406|20260312110000|20260312102840||INSERT|N||Urgences^^^^^^UF^^^8782||HMS"
PRIOR = f"MRG|{local('R9')}"


def without(message: bytes, name: bytes) -> bytes:
    return b"".join(line + b"\r" for line in message.split(b"\r") if line and not line.startswith(name))


COMBINATIONS = [("INO", "IC"), ("INO", "INC"), ("IO", "INC"), ("INO", "NA"), ("NA", "NA")]


@pytest.mark.parametrize("event", ["A01", "A03", "A04", "A05", "A08", "A28", "A31"])
@pytest.mark.parametrize(("feeding", "consultation"), COMBINATIONS)
def test_the_five_official_combinations_are_read_in_every_event(event: str, feeding: str, consultation: str) -> None:
    news = decide(adt_message(event, "1", ZBE, zfa(feeding, consultation=consultation)))
    assert isinstance(news, PatientNews)
    assert news.stated is not None
    assert (news.stated.feeding, news.stated.consultation) == (feeding, consultation)


READ = {
    "the official A03, its ZBE shifted": adt_message("A03", "1", SHIFTED, zfa("IO")),
    "ZFA before ZBE": adt_message("A01", "1", zfa("IO"), ZBE),
    "line feeds": adt_message("A31", "1", zfa("IO")).replace(b"\r", b"\n"),
    "another edition of PAM-FR": adt_message("A31", "1", zfa("IO")).replace(b"2.5^FRA^2.11", b"2.5^FRA^2.10"),
    "no edition": adt_message("A31", "1", zfa("IO")).replace(b"2.5^FRA^2.11", b"2.5"),
    "no visit": without(adt_message("A31", "1", zfa("IO")), b"PV1"),
    "no event": without(adt_message("A31", "1", zfa("IO")), b"EVN"),
    "blanks": adt_message("A01", "1", "ZFA|ACTIF|20260312||||||| IO\u00a0|20260312|NA"),
    "labels": adt_message("A01", "1", "ZFA|ACTIF|20260312|||||||IO^Opposition^X|20260312|NA"),
    "no date": adt_message("A01", "1", "ZFA|ACTIF||||||||IO||NA"),
    "segments of no interest": adt_message("A01", "1", "PV2|||x", ZBE, zfa("IO"), "ZFM|1", "ZFD|||Y|N|INSI|20211201"),
    "a wrong matricule in a movement": adt_message("A03", "1", zfa("IO"), patient=pid("279035121518988")),
    "8859/15": adt_message("A31", "1", zfa("IO"), patient=pid(name="KERMADÉC")).decode().replace(
        "UNICODE UTF-8", "8859/15").encode("iso8859-15"),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_an_opposition_is_heard_however_it_is_written(name: str) -> None:
    news = decide(READ[name])
    assert isinstance(news, PatientNews)
    assert news.stated is not None
    assert news.stated.feeding == "IO"


REFUSED = {
    "no patient": (without(adt_message("A31", "1", zfa("IO")), b"PID"), "100", "PID^1"),
    "two patients": (adt_message("A31", "1", pid(name="AUTRE")), "100", "PID^2"),
    "two words on the DMP": (adt_message("A01", "1", zfa("INO"), zfa("IO")), "198", "ZFA^2"),
    "two words in one field": (adt_message("A01", "1", "ZFA|ACTIF||||||||INO~IO||NA"), "198", "ZFA^1^9"),
    "two consents in one field": (adt_message("A01", "1", "ZFA|ACTIF||||||||INO||IC~INC"), "198", "ZFA^1^11"),
    "a word of another world": (adt_message("A01", "1", "ZFA|ACTIF||||||||OPPOSE||NA"), "103", "ZFA^1^9"),
    "a consent of another world": (adt_message("A01", "1", "ZFA|ACTIF||||||||INO||OUI"), "103", "ZFA^1^11"),
    "a merge of nothing": (adt_message("A40", "1"), "100", "MRG^1"),
    "a merge of an empty number": (adt_message("A40", "1", "MRG|"), "100", "MRG^1"),
    "two merges": (adt_message("A40", "1", PRIOR, f"MRG|{local('R8')}"), "198", "MRG^2"),
    "a merge with itself": (adt_message("A40", "1", f"MRG|{local('R000451')}"), "199", "MRG^1^1"),
    "a merge across hospitals": (adt_message("A40", "1", f"MRG|{local('R9', 'AUTRE&990000912&N')}"), "199", "MRG^1^1"),
    "no identifier": (adt_message("A31", "1", patient="PID|1||||X^Y^^^^^L||19800101|F"), "101", "PID^1^3"),
    "no name": (adt_message("A31", "1", patient=f"PID|1||{local('R1')}||||19800101|F"), "101", "PID^1^5"),
    "a wrong key": (adt_message("A31", "1", patient=pid("279035121518988")), "102", "PID^1^3^2^1"),
    "a link without merge": (adt_message("A24", "1"), "201", "MSH^1^9^2"),
    "an account moved": (adt_message("A44", "1"), "201", "MSH^1^9^2"),
    "an event that is none": (adt_message("A99", "1"), "201", "MSH^1^9^2"),
    "another HL7": (adt_message("A31", "1").replace(b"2.5^FRA^2.11", b"2.3"), "203", "MSH^1^12"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_applied_whole_is_refused(name: str) -> None:
    message, condition, place = REFUSED[name]
    decision = decide(message)
    assert isinstance(decision, Refusal)
    assert (decision.findings[0].condition, decision.findings[0].location) == (condition, place)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as hub:
        yield hub


ODD_DATES = [
    "00010101000000+0200",
    "99991231235959-0500",
    "00000000",
    "20269999",
    "20260312090000+9900",
    "hier",
    "9" * 40,
]


@pytest.mark.parametrize("date", ODD_DATES)
async def test_no_date_stops_an_opposition(date: str, hub: Running) -> None:
    message = adt_message("A31", "1", f"ZFA|ACTIF|{date}|||||||IO|{date}|IC|{date}", recorded_at=date)
    [answer] = await hub.send(message)
    assert msa(answer)[0] in ("AA", "AE"), errors(answer)
    rows = await hub.rows("consents")
    assert {row["feeding"] for row in rows} == ({"IO"} if msa(answer)[0] == "AA" else set())
    assert all(row["decided_at"] <= datetime.now(UTC) for row in rows)


async def test_every_answer_is_as_the_standard_says(hub: Running) -> None:
    async with hub.connect() as peer:
        for number, (name, message) in enumerate(READ.items()):
            [answer] = await peer.send(message.replace(b"|1|P|", f"|R-{number}|P|".encode()))
            assert msa(answer)[0] == "AA", name
        for name, (message, condition, place) in REFUSED.items():
            [answer] = await peer.send(message.replace(b"|1|P|", f"|{name}|P|".encode()))
            assert msa(answer)[0] in ("AE", "AR"), name
            assert errors(answer)[0][:2] == (condition, place), name
            assert fields(answer)["MSH"][0][9].startswith("ACK^A"), name
    assert {row["feeding"] for row in await hub.rows("consents")} == {"IO"}
