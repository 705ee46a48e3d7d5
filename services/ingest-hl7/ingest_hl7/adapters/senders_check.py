"""What the types of an entry cannot say: names of fields, zones, character sets, OIDs, certificates."""

import codecs
import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel

from ingest_hl7.adapters.drop_files import OUTCOMES
from ingest_hl7.core.senders import Sender

_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")
_FINGERPRINT = re.compile(r"([0-9A-Fa-f]{2}:?){32}")
_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SUBJECT = re.compile(r"[A-Za-z][A-Za-z0-9.]*=[^,]")


def unknown_fields(model: type[BaseModel], entry: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the keys that name no field: a misspelt one would silently keep its default."""
    for key, value in entry.items():
        field = model.model_fields.get(key)
        if field is None:
            yield prefix + key
            continue
        inner = _model(field.annotation)
        if inner is None:
            continue
        for number, each in enumerate(value if isinstance(value, list) else [value], start=1):
            if isinstance(each, dict):
                place = f"{prefix}{key}.{number}." if isinstance(value, list) else f"{prefix}{key}."
                yield from unknown_fields(inner, each, place)


def doubts(sender: Sender) -> Iterator[str]:
    """Yield what cannot work in an entry, as `field: reason`. No value is shown."""
    if sender.timezone and not _is_zone(sender.timezone):
        yield "timezone: not a time zone"
    for field, name in (
        ("answer_charset", sender.answer_charset),
        ("charset_fallback", sender.charset_fallback),
        *((f"charsets.{alias}", name) for alias, name in sender.charsets.items()),
    ):
        if name and not _is_codec(name):
            yield f"{field}: not a character set"
    for field, value in (
        ("oid_root", sender.oid_root),
        *((f"authorities.{name}", oid) for name, oid in sender.authorities.items()),
    ):
        if value and not _OID.fullmatch(value):
            yield f"{field}: not an OID"
    for number, binding in enumerate(sender.certificates, start=1):
        if not _FINGERPRINT.fullmatch(binding) and not _SUBJECT.match(binding):
            yield f"certificates.{number}: neither a SHA-256 nor a subject"
    if sender.drop_folder and (not _FOLDER.fullmatch(sender.drop_folder) or sender.drop_folder in OUTCOMES):
        yield "drop_folder: not the plain name of a folder"
    if any("@" not in address for address in sender.mailboxes.values()):
        yield "mailboxes: not all are addresses"


def _model(annotation: Any) -> type[BaseModel] | None:
    """Return the model inside an annotation such as `tuple[Names, ...]` or `Endpoint | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := _model(each)) is not None), None)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _is_codec(name: str) -> bool:
    try:
        return "é".encode(name) != b"" and codecs.lookup(name) is not None
    except (LookupError, UnicodeEncodeError):
        return name.lower() in ("ascii", "us-ascii")
