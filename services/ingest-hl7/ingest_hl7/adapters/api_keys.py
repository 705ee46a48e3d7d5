"""Who may use the HTTP doors: keys of which only the hash is kept, each bound to senders and scopes."""

import hashlib
import hmac
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError

from ingest_hl7.core.senders import ANYONE, Names
from labohub.contracts.values import Value
from labohub.errors import Misconfigured
from labohub.runtime.clock import Clock
from labohub.runtime.logging import get_logger

log = get_logger(__name__)

PREFIX = "lbh_"
MAX_PRESENTED_CHARACTERS = 200


class KeysMisconfigured(Misconfigured):
    """The file of the API keys cannot be read, or an entry is wrong."""

    code = "ingest.api-keys-misconfigured"


class Scope(StrEnum):
    """What a key opens."""

    HL7 = "hl7"  # POST /api/v1/hl7
    EVENTS = "events"  # POST /api/v1/events
    READ = "read"  # what became of them
    OPERATE = "operate"  # the messages of every sender, and the quarantine


class ApiKey(Value):
    """One key. Its secret was shown once, when it was made."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]  # for logs and audit
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]  # of the whole key
    scopes: tuple[Scope, ...] = Field(min_length=1)
    senders: tuple[Names, ...] = Field(min_length=1)  # in whose name it may speak; `*` stands for any
    not_after: date | None = None  # last day, UTC


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is let in. `senders` empty: anybody, where keys are not required."""

    id: str
    scopes: tuple[Scope, ...] = tuple(Scope)
    senders: tuple[Names, ...] = ()

    def may_speak_for(self, application: str, facility: str) -> bool:
        """Return whether it may speak as this sender."""
        if not self.senders:
            return True
        return any(
            each.application in (application, ANYONE) and each.facility in (facility, ANYONE) for each in self.senders
        )


def digest_of(key: str) -> str:
    """Return what is kept of a key: its SHA-256. The key is 256 random bits, so that no salt is needed."""
    return hashlib.sha256(key.encode()).hexdigest()


class KeyRing:
    """The keys of now. The file is looked at again when it changed; a wrong one leaves the former keys in force."""

    def __init__(self, path: Path | None, clock: Clock) -> None:
        """Raises: KeysMisconfigured."""
        self._path = path
        self._clock = clock
        self._seen: tuple[int, int] | None = None
        self._keys: tuple[ApiKey, ...] = ()
        if path is not None:
            self._seen = _state_of(path)
            self._keys = read_keys(path)

    @property
    def is_empty(self) -> bool:
        """Return whether no key was ever given."""
        return self._path is None

    def find(self, presented: str) -> ApiKey | None:
        """Return the key that was presented, if it is one of ours and in force. Takes as long for a wrong one."""
        self._follow()
        if len(presented) > MAX_PRESENTED_CHARACTERS:
            return None
        digest, found = digest_of(presented), None
        for key in self._keys:
            if hmac.compare_digest(key.sha256, digest):
                found = key
        if found is not None and found.not_after is not None and self._clock().date() > found.not_after:
            return None
        return found

    def _follow(self) -> None:
        if self._path is None:
            return
        state = _state_of(self._path)
        if state == self._seen:
            return
        self._seen = state
        try:
            self._keys = read_keys(self._path)
        except KeysMisconfigured as error:
            log.error("api-keys.not-read", code=error.code)
            return
        log.info("api-keys.read", count=len(self._keys))


def read_keys(path: Path) -> tuple[ApiKey, ...]:
    """Return the keys of a file. Raises: KeysMisconfigured: with the entry and the field, never their values."""
    try:
        content: Mapping[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # wrong text, wrong TOML, nesting beyond all bounds
        raise KeysMisconfigured("INGEST_HL7_API_KEYS is not a readable TOML file") from None
    keys = []
    entries = content.get("key", [])
    if set(content) - {"key"} or not isinstance(entries, list):
        raise KeysMisconfigured("INGEST_HL7_API_KEYS: only [[key]] is known")
    for number, entry in enumerate(entries, start=1):
        if isinstance(entry, dict) and (unknown := set(entry) - set(ApiKey.model_fields)):
            raise KeysMisconfigured(f"INGEST_HL7_API_KEYS: key {number}: {len(unknown)} unknown field(s)")
        try:
            keys.append(ApiKey.model_validate(entry))
        except ValidationError as error:
            places = ", ".join(".".join(map(str, item["loc"])) for item in error.errors(include_input=False))
            raise KeysMisconfigured(f"INGEST_HL7_API_KEYS: key {number}: {places}") from None
    if len({key.id for key in keys}) != len(keys) or len({key.sha256 for key in keys}) != len(keys):
        raise KeysMisconfigured("INGEST_HL7_API_KEYS: two keys have the same id, or are the same")
    return tuple(keys)


def _state_of(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
