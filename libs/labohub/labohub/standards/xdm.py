"""IHE_XDM.zip: documents and their metadata on a portable medium.

Source: IHE ITI TF-1 16, TF-2 3.32 (XDM, zip over e-mail option); "Volet Échange de documents de santé" (ANS).
"""

import io
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
    """Return what an archive holds, read in memory.

    Raises:
        ArchiveRefused: damaged, encrypted, with unsafe names, too big once expanded, or without metadata.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _check(entries)
            contents = {entry.filename: archive.read(entry) for entry in entries if not entry.is_dir()}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError):
        raise ArchiveRefused("the archive cannot be read") from None
    for name, metadata in contents.items():
        folder, _, last = name.rpartition("/")
        if last.upper() == METADATA_NAME and folder.upper().startswith("IHE_XDM/"):
            beside = {
                other[len(folder) + 1 :]: body for other, body in contents.items() if other.startswith(folder + "/")
            }
            del beside[last]
            return XdmContent(metadata, beside)
    raise ArchiveRefused("no METADATA.XML below IHE_XDM")


def _check(entries: Sequence[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_EXPANDED_BYTES:
        raise ArchiveRefused("the archive is too big once expanded")
    for entry in entries:
        if entry.flag_bits & 0x1:
            raise ArchiveRefused("the archive is encrypted")
        if entry.filename.startswith(("/", "\\")) or ".." in entry.filename.replace("\\", "/").split("/"):
            raise ArchiveRefused("the archive names files outside itself")


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
