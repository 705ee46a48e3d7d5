"""Identifiers of documents and of what they name: derived, so that a second run gives the same."""

from functools import lru_cache
from hashlib import sha256
from uuid import UUID, uuid5

_NAMES = UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")  # RFC 9562: the namespace of OIDs and of names under them
_ARCS = {
    "document": "1",
    "order": "2",
    "demand": "3",
    "patient": "4",
    "specimen": "5",
    "code": "6",
    "visit": "7",
    "isolate": "8",
    "professional": "9",
    "performer": "10",
}


def set_id(oid_root: str, report_id: str) -> str:
    """Return the OID that all versions of one report share.

    Under the laboratory's own arc, or under 2.25 (a UUID as a number) when it has none. At most 54 characters, so
    that `set.version` stays below the 64 that the DMP takes.
    """
    if oid_root:
        number = int.from_bytes(sha256(report_id.encode()).digest()[:8])
        return f"{oid_root}.{_ARCS['document']}.{number}"
    return uuid_oid("report", report_id)


def document_id(set_oid: str, version: int) -> str:
    """Return the OID of one version."""
    return f"{set_oid}.{version}"


def uuid_oid(*parts: str) -> str:
    """Return the OID, under 2.25, that these parts always give."""
    return f"2.25.{uuid5(_NAMES, chr(31).join(parts)).int}"


@lru_cache(512)
def local_root(oid_root: str, laboratory: str, kind: str, name: str = "") -> str:
    """Return the OID of one of the laboratory's own numberings or code tables; `kind` is a key of the arcs above."""
    if oid_root and not name:
        return f"{oid_root}.{_ARCS[kind]}"
    if oid_root:
        return f"{oid_root}.{_ARCS[kind]}.{int.from_bytes(sha256(name.encode()).digest()[:4])}"
    return uuid_oid(laboratory, kind, name)
