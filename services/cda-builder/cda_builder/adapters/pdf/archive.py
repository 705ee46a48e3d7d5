"""What makes a PDF a PDF/A-1b: metadata twice and equal, an output intent, a date of its own."""

from datetime import UTC, datetime
from io import BytesIO
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfdoc
from reportlab.pdfgen.canvas import Canvas

from cda_builder.adapters.pdf.colour import srgb_profile
from cda_builder.adapters.pdf.fonts import REGULAR, register

_PRODUCER = "Labohub"

_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"><pdfaid:part>1</pdfaid:part>\
<pdfaid:conformance>B</pdfaid:conformance></rdf:Description>
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:format>application/pdf</dc:format>\
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>\
<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>\
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{subject}</rdf:li></rdf:Alt></dc:description></rdf:Description>
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"><xmp:CreateDate>{date}</xmp:CreateDate>\
<xmp:ModifyDate>{date}</xmp:ModifyDate><xmp:CreatorTool>{producer}</xmp:CreatorTool></rdf:Description>
<rdf:Description rdf:about="" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"><pdf:Producer>{producer}</pdf:Producer>\
<pdf:Keywords>{keywords}</pdf:Keywords></rdf:Description>
</rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


def new_canvas(title: str, author: str, subject: str, created_at: str) -> tuple[Canvas, BytesIO]:
    """Return an A4 canvas, and where its bytes go; `finished` makes it a PDF/A-1b.

    Args:
        created_at: a CDA time with offset; the document's date, never the clock's.
    """
    register()
    buffer = BytesIO()
    canvas = Canvas(
        buffer, pagesize=A4, pageCompression=1, invariant=1, initialFontName=REGULAR, pdfVersion=(1, 4), lang="fr-FR"
    )
    document = canvas._doc
    moment = _moment(created_at)
    stamp = document._timeStamp
    stamp.t, stamp.lt, stamp.tzname, stamp.dhh, stamp.dmm = moment.timestamp(), moment.timetuple(), "UTC", 0, 0
    stamp.YMDhms = tuple(moment.timetuple())[:6]
    information = document.info
    information.title, information.author, information.subject = title, author, subject
    information.creator, information.producer, information.keywords = _PRODUCER, _PRODUCER, "CR-BIO"
    information._dateFormatter = "D:{:04d}{:02d}{:02d}{:02d}{:02d}{:02d}Z".format
    _identify(document)
    return canvas, buffer


def finished(canvas: Canvas, buffer: BytesIO) -> bytes:
    """Return the file that a drawn canvas makes."""
    canvas.save()
    return _with_line_ends(buffer.getvalue())


def _with_line_ends(data: bytes) -> bytes:
    """Return the file with an end of line before each `endstream`, as PDF/A-1 wants and reportlab forgets."""
    table = data.rindex(b"\nxref\n") + 1
    head, body = data[table:].split(b"trailer", 1)
    lines = head.split(b"\n")
    places = sorted((int(line[:10]), row) for row, line in enumerate(lines) if line.rstrip().endswith(b"n") and row > 1)
    pieces, added = [data[: places[0][0]]], 0
    for (start, row), end in zip(places, [*(place for place, _ in places[1:]), table], strict=True):
        lines[row] = b"%010d" % (start + added) + lines[row][10:]
        content, mark, tail = data[start:end].rpartition(b"endstream")
        if mark and not tail.strip().removeprefix(b"endobj") and not content.endswith(b"\n"):
            content += b"\n"
            added += 1
        pieces.append(content + mark + tail)
    before, _, after = body.rpartition(b"startxref\n")
    trailer = before + b"startxref\n%d\n" % (table + added) + after.split(b"\n", 1)[1]
    return b"".join([*pieces, b"\n".join(lines), b"trailer", trailer])


class _Plain(pdfdoc.PDFObject):  # type: ignore[misc]
    """A metadata stream without any filter: PDF/A-1 wants it readable as it is."""

    __RefOnly__ = 1

    def __init__(self, content: bytes) -> None:
        self._content = content

    def format(self, document: pdfdoc.PDFDocument) -> bytes:
        """Return the stream as the file holds it."""
        head = f"<< /Length {len(self._content)} /Subtype /XML /Type /Metadata >>\nstream\n"
        return head.encode() + self._content + b"\nendstream"


def _identify(document: pdfdoc.PDFDocument) -> None:
    """Add the metadata and the output intent to the catalogue."""
    info = document.info
    year, month, day, hour, minute, second = document._timeStamp.YMDhms
    packet = _XMP.format(
        title=escape(info.title),
        author=escape(info.author),
        subject=escape(info.subject),
        keywords=escape(info.keywords),
        producer=_PRODUCER,
        date=f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}Z",
    )
    metadata = _Plain(packet.encode())
    document.Catalog.Metadata = document.Reference(metadata, "labohubMetadata")
    profile = pdfdoc.PDFStream(pdfdoc.PDFDictionary({"N": 3}), srgb_profile())
    profile.filters = [pdfdoc.PDFZCompress]
    intent = pdfdoc.PDFDictionary(
        {
            "Type": pdfdoc.PDFName("OutputIntent"),
            "S": pdfdoc.PDFName("GTS_PDFA1"),
            "OutputConditionIdentifier": pdfdoc.PDFString("sRGB"),
            "Info": pdfdoc.PDFString("sRGB"),
            "DestOutputProfile": document.Reference(profile, "labohubProfile"),
        }
    )
    catalog = document.Catalog
    catalog.OutputIntents = pdfdoc.PDFArray([intent])
    catalog.__NoDefault__ = [*catalog.__NoDefault__, "OutputIntents"]
    catalog.__Refs__ = [name for name in catalog.__Refs__ if name not in ("Metadata", "OutputIntents")]


def _moment(created_at: str) -> datetime:
    return datetime.strptime(created_at, "%Y%m%d%H%M%S%z").astimezone(UTC)
