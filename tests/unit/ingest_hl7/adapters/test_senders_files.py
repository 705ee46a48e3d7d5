"""The senders' files: everything right, or nothing taken and the fault named without its value."""

from pathlib import Path

import pytest

from ingest_hl7.adapters.sender_book import SenderBook
from ingest_hl7.adapters.senders_file import SendersMisconfigured, read_senders
from ingest_hl7.core.peer import Peer
from ingest_hl7.core.registry import Registry, Unknown
from ingest_hl7.core.senders import Names, Sender
from ingest_hl7.settings import IngestSettings
from labohub.runtime.clock import system_clock
from labohub.standards import er7

ENTRY = '[[sender]]\napplication = "SGL-ORME"\nfacility = "LBM-ORMES"\n'


def read(place: Path, text: str = "", *, environment: str = "test", **settings: object) -> tuple[Sender, ...]:
    if text:
        place.write_text(text, encoding="utf-8")
    return read_senders(IngestSettings(senders=place, **settings), environment).senders  # type: ignore[arg-type]


def fault(place: Path, text: str, environment: str = "test") -> str:
    with pytest.raises(SendersMisconfigured) as caught:
        read(place, text, environment=environment)
    return str(caught.value)


def test_a_folder_holds_one_or_many_senders_in_each_file(tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text(ENTRY + '[[sender]]\napplication = "B2"\n')
    (tmp_path / "a.toml").write_text('[sender]\napplication = "A1"\nname = "Laboratoire A"\n')
    (tmp_path / "notes.txt").write_text("not a sender")
    senders = read(tmp_path, unknown_sender="refuse")
    assert [sender.label for sender in senders] == ["Laboratoire A", "SGL-ORME|LBM-ORMES", "B2|*"]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ('timezome = "Europe/Paris"', "timezome: no such field"),
        ('timezone = "Europe/Pariss"', "timezone: not a time zone"),
        ('charsets = { "WINDOWS" = "cp12525" }', "charsets.WINDOWS: not a character set"),
        ('authorities = { "LBM" = "1.2.x" }', "authorities.LBM: not an OID"),
        ('oid_root = "abc"', "oid_root: not an OID"),
        ('certificates = ["zz"]', "certificates.1: neither a SHA-256 nor a subject"),
        ('transactions = ["LAB-99"]', "transactions.0: enum"),
        ('answers = { host = "h", port = 0 }', "answers.port: greater_than_equal"),
        ('answers = { host = "h", port = 1, prot = 1 }', "answers.prot: no such field"),
        ('also = [{ application = "X", facilty = "Y" }]', "also.1.facilty: no such field"),
        ('mailboxes = { "99700001029" = "personne" }', "mailboxes: not all are addresses"),
        ("quirks = { decimal_coma = true }", "quirks.decimal_coma: no such field"),
    ],
)
def test_a_wrong_entry_is_named_by_file_number_and_field_and_never_shown(tmp_path: Path, line: str, named: str) -> None:
    text = fault(tmp_path / "labos.toml", '[[sender]]\napplication = "OK"\n' + ENTRY + line + "\n")
    assert f"labos.toml, sender 2: {named}" in text
    value = line.split("=", 1)[1].strip(' []{}"')
    assert value not in text


def test_two_entries_may_not_claim_the_same_names(tmp_path: Path) -> None:
    second = '[[sender]]\napplication = "AUTRE"\nalso = [{ application = "SGL-ORME", facility = "LBM-ORMES" }]\n'
    assert "sender 2: application, facility: the same as s.toml, sender 1" in fault(tmp_path / "s.toml", ENTRY + second)


def test_a_file_that_says_anything_but_senders_is_refused(tmp_path: Path) -> None:
    assert "only [[sender]] is known" in fault(tmp_path / "s.toml", '[[senders]]\napplication = "X"\n')


def test_a_sender_on_trial_has_no_place_in_production(tmp_path: Path) -> None:
    assert "stage: a sender on trial" in fault(tmp_path / "s.toml", ENTRY + 'stage = "test"\n', "production")


def test_unknown_senders_are_accepted_refused_or_held_as_the_installation_says(tmp_path: Path) -> None:
    place = tmp_path / "s.toml"
    place.write_text(ENTRY)
    header = er7.read_header(b"MSH|^~\\&|INCONNU|AILLEURS|||||ORU^R01|1|P|2.5")
    for policy, found in (("accept", True), ("refuse", False), ("quarantine", False)):
        settings = IngestSettings(senders=place, unknown_sender=policy)
        reading = read_senders(settings, "test")
        registry = Registry(reading.senders, reading.unknown)
        assert (registry.find(header) is not None) is found
        assert registry.unknown is Unknown(policy)


def test_a_sender_is_found_under_each_of_its_names() -> None:
    orme = Sender(application="A", facility="F", also=(Names(application="B"),))
    registry = Registry((orme,))
    assert registry.find(er7.read_header(b"MSH|^~\\&|B|ANYWHERE|||||ORU^R01|1|P|2.5")) == orme
    assert registry.find(er7.read_header(b"MSH|^~\\&|A|OTHER|||||ORU^R01|1|P|2.5")) is None


def test_a_certificate_speaks_for_its_sender_alone() -> None:
    bound = Sender(application="A", certificates=("CN=sgl.ormes", "ab" * 32))
    free = Sender(application="B")
    registry = Registry((bound, free))
    theirs, other = Peer("cd" * 32, "O=LBM,CN=SGL.ormes"), Peer("ef" * 32, "CN=somebody")
    assert registry.may_speak(bound, theirs)
    assert registry.may_speak(bound, Peer("ab" * 32, "CN=renamed"))
    assert not registry.may_speak(bound, other)
    assert not registry.may_speak(bound, Peer())
    assert not registry.may_speak(free, theirs)  # a valid peer must not speak for another
    assert registry.may_speak(free, other)
    assert registry.may_speak(free, Peer(entry="B|*"))
    assert not registry.may_speak(bound, Peer(entry="B|*"))


async def looked_twice(book: SenderBook) -> bool:
    """Return what the second of two looks did: the first sees a change, the second that it is over."""
    return await book.refresh() or await book.refresh()


async def test_a_changed_file_is_in_force_without_a_restart_and_a_wrong_one_never(tmp_path: Path) -> None:
    place = tmp_path / "s.toml"
    place.write_text(ENTRY)
    book = SenderBook(IngestSettings(senders=place, unknown_sender="refuse"), "test", system_clock)
    registry = book.registry
    assert not await looked_twice(book)
    place.write_text(ENTRY + '[[sender]]\napplication = "NEW"\n')
    assert not await book.refresh()  # perhaps still being written
    assert await book.refresh()
    assert [sender.application for sender in registry.senders] == ["SGL-ORME", "NEW"]
    place.write_text(ENTRY + "[[sender")
    assert not await looked_twice(book)
    assert [sender.application for sender in registry.senders] == ["SGL-ORME", "NEW"]
    assert "s.toml" in book.facts()["fault"]
    place.unlink()
    assert not await looked_twice(book)
    assert "cannot be read" in book.facts()["fault"]
    place.write_text(ENTRY)
    assert await looked_twice(book)
    assert "fault" not in book.facts()
    assert [sender.application for sender in registry.senders] == ["SGL-ORME"]


async def test_a_file_touched_and_unchanged_changes_nothing(tmp_path: Path) -> None:
    place = tmp_path / "s.toml"
    place.write_text(ENTRY)
    book = SenderBook(IngestSettings(senders=place, unknown_sender="refuse"), "test", system_clock)
    before = book.loaded_at
    place.write_text(ENTRY)
    assert not await looked_twice(book)
    assert not await book.refresh(asked=True)
    assert book.loaded_at >= before
