"""Files validated for people: a CDA, or the documents of an XDM archive, each finding explained."""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from cda_builder.adapters.gate import Gate
from cda_builder.core.explain import NOT_CONFIGURED, Explained, Lang, explained
from cda_builder.core.lint import line_of
from cda_builder.core.verdict import ERROR, Finding, Verdict
from labohub.errors import Refused
from labohub.standards import xml
from labohub.standards.cda import CdaMalformed, read_header
from labohub.standards.xdm import ArchiveRefused, XdmContent, read_xdm

_CDA_NAMES = (".xml", ".cda")


@dataclass(frozen=True, slots=True)
class Checked:
    """What was said of one file, or of one document of an archive."""

    name: str
    kind: str  # cda, xdm
    conformance: str  # passed, failed, not-configured
    volet: str
    rules_sha256: str
    note: str  # what the verdict does not say, in words; empty when the official rules spoke
    findings: tuple[Explained, ...]

    @property
    def conforms(self) -> bool:
        """Return whether nothing is wrong."""
        return self.conformance != "failed"

    def as_json(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return asdict(self)


def validate(data: bytes, name: str, gate: Gate, lang: Lang) -> list[Checked]:
    """Return what is wrong with a file, with one part for each document of an archive. Raises: Misconfigured."""
    if data[:2] == b"PK":
        return list(_archive(data, name, gate, lang))
    return [_checked(name, "cda", _document(data, gate), lang)]


def _checked(name: str, kind: str, verdict: Verdict, lang: Lang) -> Checked:
    note = "" if verdict.official else NOT_CONFIGURED[lang]
    found = tuple(explained(verdict, lang))
    return Checked(name, kind, verdict.conformance, verdict.volet, verdict.rules_sha256, note, found)


def _document(data: bytes, gate: Gate) -> Verdict:
    try:
        root = xml.parse(data)
        header = read_header(root)
    except CdaMalformed as error:
        return _wrong(gate, "cda-malformed", str(error))
    except Refused as error:
        return _wrong(gate, "xml-malformed", str(error))
    return replace(gate, reads_pdf=True).verdict(root, header)


def _wrong(gate: Gate, rule: str, message: str) -> Verdict:
    return Verdict(bool(gate.folders), (Finding("lint", rule, ERROR, "/", message),))


def _archive(data: bytes, name: str, gate: Gate, lang: Lang) -> Iterator[Checked]:
    try:
        content = read_xdm(data)
    except ArchiveRefused as error:
        yield _checked(name, "xdm", _wrong(gate, "xdm-archive", str(error)), lang)
        return
    yield _checked(name, "xdm", Verdict(True, tuple(_metadata(content))), lang)
    for inner, document in content.documents.items():
        if inner.lower().endswith(_CDA_NAMES):
            yield _checked(f"{name}/{inner}", "cda", _document(document, gate), lang)


def _metadata(content: XdmContent) -> Iterator[Finding]:
    """Yield where the metadata of an archive and its documents do not agree. Source: IHE XDM, ITI TF-2 3.32."""
    place = "/METADATA.XML"
    if not content.documents:
        yield Finding("lint", "xdm-empty", ERROR, place, "the archive holds no document")
    try:
        metadata = xml.parse(content.metadata)
    except Refused as error:
        yield Finding("lint", "xml-malformed", ERROR, place, str(error))
        return
    for entry in metadata.iter("{*}ExtrinsicObject"):
        slots = {each.get("name", ""): each.findtext("{*}ValueList/{*}Value") or "" for each in entry.iter("{*}Slot")}
        document = content.documents.get(slots.get("URI", ""))
        if document is None:
            yield Finding("lint", "xdm-missing", ERROR, place, f"no file {slots.get('URI', '')}", line_of(entry))
            continue
        digest = hashlib.sha1(document, usedforsecurity=False).hexdigest()
        if slots.get("hash", digest).lower() != digest:
            yield Finding("lint", "xdm-hash", ERROR, place, "the hash differs", line_of(entry))
        if slots.get("size", str(len(document))) != str(len(document)):
            yield Finding("lint", "xdm-size", ERROR, place, "the size differs", line_of(entry))
