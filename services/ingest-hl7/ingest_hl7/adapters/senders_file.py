"""The TOML files of the senders: read whole, checked whole, or not taken at all."""

import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ingest_hl7.adapters.senders_check import doubts, unknown_fields
from ingest_hl7.core.registry import Registry, Unknown
from ingest_hl7.core.senders import ANYONE, Endpoint, Sender, Stage
from ingest_hl7.settings import IngestSettings
from labohub.errors import Misconfigured
from labohub.runtime.settings import check_production, is_test_oid

DEMO = Path(__file__).resolve().parent.parent / "demo-senders.toml"
MOST_NAMED = 10  # faults in one message; the rest is counted


class SendersMisconfigured(Misconfigured):
    """The senders' file cannot be read, or an entry is wrong."""

    code = "ingest.senders-misconfigured"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the files say now."""

    senders: tuple[Sender, ...]
    unknown: Unknown
    sha256: str  # of all files, names included


def load_registry(settings: IngestSettings, environment: str) -> Registry:
    """Return the senders of this installation. Raises: SendersMisconfigured, NotForProduction."""
    reading = read_senders(settings, environment)
    return Registry(reading.senders, reading.unknown)


def read_senders(settings: IngestSettings, environment: str) -> Reading:
    """Return what the files say. Raises: SendersMisconfigured, NotForProduction."""
    if environment == "production":
        _check_production(settings)
    files = {path: _bytes(path) for path in paths(settings, environment)}
    digest = hashlib.sha256(b"".join(path.name.encode() + b"\0" + files[path] + b"\0" for path in files)).hexdigest()
    unknown = Unknown(settings.unknown_sender or ("accept" if environment == "test" else "refuse"))
    faults: list[str] = []
    named: list[Sender] = []
    places: list[str] = []
    for path, content in files.items():
        entries = list(_entries(path, content))
        if not entries and unknown is not Unknown.ACCEPT:  # a file cut to nothing must not shut everybody out
            faults.append(f"{path.name}: no [[sender]]")
        for place, entry in entries:
            sender = _sender(entry, place, faults)
            if sender is not None:
                named.append(_with_endpoint(sender, settings))
                places.append(place)
    faults += _together(named, places, environment)
    if faults:
        more = f"; and {len(faults) - MOST_NAMED} more" if len(faults) > MOST_NAMED else ""
        raise SendersMisconfigured("INGEST_HL7_SENDERS: " + "; ".join(faults[:MOST_NAMED]) + more)
    if unknown is not Unknown.ACCEPT:
        named = [each for each in named if not _is_anyone(each)]
    elif not any(_is_anyone(each) for each in named):
        named.append(stranger(settings))
    return Reading(tuple(named), unknown, digest)


def paths(settings: IngestSettings, environment: str) -> list[Path]:
    """Return the files of the senders: one, or all `*.toml` of a folder, by name. Raises: SendersMisconfigured."""
    place = settings.senders or (DEMO if environment == "test" else None)
    if place is None:
        return []
    if not place.is_dir():
        return [place]
    found = sorted(place.glob("*.toml"))
    if not found:
        raise SendersMisconfigured("INGEST_HL7_SENDERS is a folder without *.toml")
    return found


def _check_production(settings: IngestSettings) -> None:
    if settings.unknown_sender not in ("accept", "quarantine"):  # nobody could send: that was not meant
        check_production(settings, "production", said=("senders",))
    if settings.senders is not None and settings.senders.resolve() == DEMO:
        raise SendersMisconfigured("INGEST_HL7_SENDERS is the demonstration's file: not for production")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise SendersMisconfigured(f"INGEST_HL7_SENDERS: {path.name} cannot be read") from None


def _entries(path: Path, content: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the entries of a file, each with where it stands: `[[sender]]` many times, or `[sender]` once."""
    try:
        tables = tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):  # wrong text, wrong TOML, numbers and nesting beyond all bounds
        raise SendersMisconfigured(f"INGEST_HL7_SENDERS: {path.name} is not a readable TOML file") from None
    entries = tables.pop("sender", [])
    if tables or not isinstance(entries, dict | list):
        raise SendersMisconfigured(f"INGEST_HL7_SENDERS: {path.name}: only [[sender]] is known")
    for number, entry in enumerate([entries] if isinstance(entries, dict) else entries, start=1):
        if not isinstance(entry, dict):
            raise SendersMisconfigured(f"INGEST_HL7_SENDERS: {path.name}: only [[sender]] is known")
        yield f"{path.name}, sender {number}", entry


def _sender(entry: dict[str, Any], place: str, faults: list[str]) -> Sender | None:
    """Return the entry as a value; None with its faults named, never its values."""
    before = len(faults)
    faults += [f"{place}: {name}: no such field" for name in unknown_fields(Sender, entry)]
    try:
        sender = Sender.model_validate(entry)
    except ValidationError as error:
        for item in error.errors(include_input=False):
            faults.append(f"{place}: {'.'.join(map(str, item['loc']))}: {item['type']}")
        return None
    faults += [f"{place}: {doubt}" for doubt in doubts(sender)]
    return sender if len(faults) == before else None


def _together(senders: list[Sender], places: list[str], environment: str) -> Iterator[str]:
    """Yield what is wrong among entries that are right one by one."""
    known: dict[tuple[str, str], str] = {}
    for sender, place in zip(senders, places, strict=True):
        if environment == "production" and is_test_oid(sender.oid_root):
            yield f"{place}: oid_root: an OID of the demonstration is not for production"
        if environment == "production" and sender.stage is Stage.TEST:
            yield f"{place}: stage: a sender on trial has no place in production"
        keys = [("name", sender.label), ("drop_folder", sender.drop_folder)]
        keys += [("application, facility", f"{name.application}|{name.facility}") for name in sender.names]
        for key in keys:
            if key[1] and key in known:
                yield f"{place}: {key[0]}: the same as {known[key]}"
            known[key] = place


def stranger(settings: IngestSettings) -> Sender:
    """Return what stands for a sender without entry."""
    return _with_endpoint(Sender(), settings)


def _is_anyone(sender: Sender) -> bool:
    return (sender.application, sender.facility) == (ANYONE, ANYONE)


def _with_endpoint(sender: Sender, settings: IngestSettings) -> Sender:
    if sender.answers is not None or not settings.answers_host:
        return sender
    endpoint = Endpoint(host=settings.answers_host, port=settings.answers_port)
    return sender.model_copy(update={"answers": endpoint})
