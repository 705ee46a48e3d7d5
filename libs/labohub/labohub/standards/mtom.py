"""MTOM packages (multipart/related with XOP): exact bytes out, exact bytes in.

Source: MTOM and XOP (W3C, 2005); RFC 2387.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from labohub.errors import Refused

_BOUNDARY: Final = re.compile(r'boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_START: Final = re.compile(r'start\s*=\s*(?:"<?([^">]+)>?"|<?([^\s;">]+)>?)', re.IGNORECASE)


class PackageMalformed(Refused):
    """Bytes that are not a multipart/related package."""

    code = "mtom.malformed"


@dataclass(frozen=True, slots=True)
class Part:
    """One part. `content_id` is without angle brackets."""

    content_id: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Package:
    """A package on the wire."""

    content_type: str
    body: bytes


def build_package(root: Part, attachments: Sequence[Part], *, boundary: str, action: str) -> Package:
    """Return a SOAP 1.2 MTOM package: the root part (`application/xop+xml`) first, all in binary.

    The boundary is lengthened until no part contains it.
    """
    while any(boundary.encode() in part.data for part in (root, *attachments)):
        boundary += "x"
    dashes = b"--" + boundary.encode()
    chunks: list[bytes] = []
    for part in (root, *attachments):
        head = (
            f"\r\nContent-Type: {part.media_type}\r\nContent-Transfer-Encoding: binary"
            f"\r\nContent-ID: <{part.content_id}>\r\n\r\n"
        )
        chunks += [dashes, head.encode(), part.data, b"\r\n"]
    chunks += [dashes, b"--\r\n"]
    content_type = (
        f'multipart/related; boundary="{boundary}"; type="application/xop+xml"; start="<{root.content_id}>"; '
        f'start-info="application/soap+xml"; action="{action}"'
    )
    return Package(content_type, b"".join(chunks))


def xop_media_type(action: str) -> str:
    """Return the media type of a root part."""
    return f'application/xop+xml; charset=UTF-8; type="application/soap+xml"; action="{action}"'


def is_package(content_type: str) -> bool:
    """Return whether a Content-Type announces a package."""
    return content_type.strip().lower().startswith("multipart/related")


def read_package(content_type: str, body: bytes) -> list[Part]:
    """Return the parts, the root first.

    Raises:
        PackageMalformed: no boundary, no part, or no end.
    """
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise PackageMalformed("no boundary")
    dashes = b"--" + (found[1] or found[2]).encode("latin-1", "replace")
    sections = (b"\r\n" + body).split(b"\r\n" + dashes)
    if len(sections) < 3 or not sections[-1].startswith(b"--"):
        raise PackageMalformed("no part, or no closing boundary")
    parts = [_part(section) for section in sections[1:-1]]
    start = _START.search(content_type)
    wanted = (start[1] or start[2]) if start else parts[0].content_id
    return sorted(parts, key=lambda part: part.content_id != wanted)


def _part(section: bytes) -> Part:
    head, separator, data = section.partition(b"\r\n\r\n")
    if not separator:
        raise PackageMalformed("a part has no end of headers")
    headers: dict[str, str] = {}
    for line in re.sub(rb"\r\n[ \t]+", b" ", head).split(b"\r\n"):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return Part(headers.get("content-id", "").strip("<> "), headers.get("content-type", ""), data)
