"""IHE_XDM.zip: documents and their metadata on a portable medium.

Source: IHE ITI TF-1 16, TF-2 3.32 (XDM, zip over e-mail option); "Volet Échange de documents de santé" (ANS).
"""

import io
import stat
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from labohub.errors import Refused

SUBSET = "IHE_XDM/SUBSET01"
METADATA_NAME = "METADATA.XML"
MAX_ENTRIES = 200  # of an archive that is read
MAX_EXPANDED_BYTES = (
    100 * 1024 * 1024
)  # an archive of MSSanté stays below 25 MB; expanded CDA are four times that at most
MAX_RATIO = 100  # of what comes out to what is stored: XML with its PDF in base64 stays below 20
FREE_BYTES = 1024 * 1024  # below this size the ratio means nothing


class ArchiveRefused(Refused):
    """An archive that is damaged, too big once expanded, or no XDM."""

    code = "xdm.archive-refused"


@dataclass(frozen=True, slots=True)
class XdmDocument:
    """One document of the archive, byte for byte."""

    name: str  # 8.3, upper case: DOC0001.XML
    content: bytes
    title: str


@dataclass(frozen=True, slots=True)
class XdmSource:
    """Who made the archive: told in README.TXT and INDEX.HTM."""

    organisation: str
    contact: str
    application: str
    editor: str


@dataclass(frozen=True, slots=True)
class XdmContent:
    """What an archive holds."""

    metadata: bytes
    documents: dict[str, bytes]  # by file name, beside the metadata


def document_name(rank: int) -> str:
    """Return the file name of the document of that rank, from 1."""
    return f"DOC{rank:04d}.XML"


def pack_xdm(documents: Sequence[XdmDocument], metadata: bytes, source: XdmSource, at: datetime) -> bytes:
    """Return the archive. The same arguments always give the same bytes; `at` dates the entries."""
    entries = [("INDEX.HTM", _index(documents, source)), ("README.TXT", _readme(documents, source))]
    entries += [(f"{SUBSET}/{METADATA_NAME}", metadata)]
    entries += [(f"{SUBSET}/{document.name}", document.content) for document in documents]
    moment = (at.year, at.month, at.day, at.hour, at.minute, at.second)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, allowZip64=False) as archive:
        for name, content in entries:
            entry = zipfile.ZipInfo(name, moment)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content)
    return out.getvalue()


def read_xdm(data: bytes) -> XdmContent:
    """Return what the first submission of an archive holds. Raises: ArchiveRefused: as `read_submissions`."""
    return read_submissions(data)[0]


def read_submissions(data: bytes) -> tuple[XdmContent, ...]:
    """Return what each submission of an archive holds (IHE_XDM/SUBSETnn), read in memory: nothing is ever extracted.

    Raises:
        ArchiveRefused: damaged, encrypted, with unsafe or ambiguous names, links, too big once expanded, or without
            metadata.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _check(entries)
            contents = _expanded(archive, entries)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError):
        raise ArchiveRefused("the archive cannot be read") from None
    found = []
    for name, metadata in sorted(contents.items()):
        folder, _, last = name.rpartition("/")
        if last.upper() == METADATA_NAME and folder.upper().startswith("IHE_XDM/"):
            beside = {
                other[len(folder) + 1 :]: body for other, body in contents.items() if other.startswith(folder + "/")
            }
            del beside[last]
            found.append(XdmContent(metadata, beside))
    if not found:
        raise ArchiveRefused("no METADATA.XML below IHE_XDM")
    return tuple(found)


def _expanded(archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo]) -> dict[str, bytes]:
    """Return each file's bytes. What is counted is what comes out: the sizes that an archive states may lie."""
    contents: dict[str, bytes] = {}
    left = MAX_EXPANDED_BYTES
    for entry in entries:
        if entry.is_dir():
            continue
        with archive.open(entry) as opened:
            content = opened.read(left + 1)
        left -= len(content)
        if left < 0:
            raise ArchiveRefused("the archive is too big once expanded")
        contents[entry.filename] = content
    return contents


def _check(entries: Sequence[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_EXPANDED_BYTES:
        raise ArchiveRefused("the archive is too big once expanded")
    names = set()
    for entry in entries:
        name = entry.filename
        if entry.flag_bits & 0x1:
            raise ArchiveRefused("the archive is encrypted")
        if name.startswith("/") or "\\" in name or ":" in name or not name.isprintable() or ".." in name.split("/"):
            raise ArchiveRefused("the archive names files outside itself")
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise ArchiveRefused("the archive holds a link or a device")
        if entry.file_size > FREE_BYTES and entry.file_size > MAX_RATIO * entry.compress_size:
            raise ArchiveRefused("the archive expands beyond any document")
        if name.lower() in names:
            raise ArchiveRefused("the archive names a file twice")
        names.add(name.lower())


def _index(documents: Sequence[XdmDocument], source: XdmSource) -> bytes:
    links = "\n".join(
        f'<li><a href="{SUBSET}/{document.name}">{escape(document.title)}</a></li>' for document in documents
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML Basic 1.0//EN" "http://www.w3.org/TR/xhtml-basic/xhtml-basic10.dtd">\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="fr">\n'
        "<head><title>Documents de sant&#233;</title></head>\n<body>\n"
        f"<h1>{escape(source.organisation)}</h1>\n<ul>\n{links}\n</ul>\n"
        '<p><a href="README.TXT">README.TXT</a></p>\n</body>\n</html>\n'
    ).encode()


def _readme(documents: Sequence[XdmDocument], source: XdmSource) -> bytes:
    names = [f"{SUBSET}/{METADATA_NAME}", *(f"{SUBSET}/{document.name}" for document in documents)]
    lines = [
        f"Émetteur : {source.organisation}",
        f"Contact : {source.contact or 'répondre au message'}",
        f"Application : {source.application}",
        f"Éditeur : {source.editor}",
        "",
        "Ce dossier contient des documents de santé au format CDA R2 et leurs métadonnées (IHE XDM).",
        "Intégrez-le avec votre logiciel métier, ou lisez la copie PDF jointe au même message.",
        "",
        "INDEX.HTM",
        "README.TXT",
        *names,
    ]
    return "\r\n".join([*lines, ""]).encode()
