"""The TOML file of the senders."""

import tomllib
from pathlib import Path

from pydantic import ValidationError

from ingest_hl7.core.registry import Registry
from ingest_hl7.core.senders import ANYONE, Endpoint, Sender
from ingest_hl7.settings import IngestSettings
from labohub.errors import Misconfigured
from labohub.runtime.settings import check_production, is_test_oid

DEMO = Path(__file__).resolve().parent.parent / "demo-senders.toml"


class SendersMisconfigured(Misconfigured):
    """The senders' file cannot be read, or an entry is wrong."""

    code = "ingest.senders-misconfigured"


def load_registry(settings: IngestSettings, environment: str) -> Registry:
    """Return the senders of this installation. Raises: SendersMisconfigured, NotForProduction."""
    if environment == "production":
        _check_production(settings)
    path = settings.senders or (DEMO if environment == "test" else None)
    named = [_with_endpoint(sender, settings) for sender in _read(path)] if path else []
    policy = settings.unknown_sender or ("accept" if environment == "test" else "refuse")
    if policy == "accept" and not any((each.application, each.facility) == (ANYONE, ANYONE) for each in named):
        named.append(_with_endpoint(Sender(), settings))
    if policy == "refuse":
        named = [each for each in named if (each.application, each.facility) != (ANYONE, ANYONE)]
    if environment == "production" and any(is_test_oid(sender.oid_root) for sender in named):
        raise SendersMisconfigured("INGEST_HL7_SENDERS: an oid_root of the demonstration is not for production")
    return Registry(tuple(named))


def _check_production(settings: IngestSettings) -> None:
    if settings.unknown_sender != "accept":  # nobody could send: that was not meant
        check_production(settings, "production", said=("senders",))
    if settings.senders is not None and settings.senders.resolve() == DEMO:
        raise SendersMisconfigured("INGEST_HL7_SENDERS is the demonstration's file: not for production")


def _read(path: Path) -> list[Sender]:
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("sender", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise SendersMisconfigured("INGEST_HL7_SENDERS is not a readable TOML file") from None
    senders = []
    for number, entry in enumerate(entries, start=1):
        try:
            senders.append(Sender.model_validate(entry))
        except ValidationError as error:
            places = ", ".join(".".join(map(str, item["loc"])) for item in error.errors(include_input=False))
            raise SendersMisconfigured(f"INGEST_HL7_SENDERS: sender {number}: {places}") from None
    return senders


def _with_endpoint(sender: Sender, settings: IngestSettings) -> Sender:
    if sender.answers is not None or not settings.answers_host:
        return sender
    endpoint = Endpoint(host=settings.answers_host, port=settings.answers_port)
    return sender.model_copy(update={"answers": endpoint})
