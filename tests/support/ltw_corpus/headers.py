"""What MSH says: delimiters, type, processing, version, control id, charset, destination, acknowledgement mode."""

from tests.support.ltw_corpus.case import Case, good, refused, rejected, warned
from tests.support.ltw_corpus.draft import RESULT, Draft

_ACCENTED_ASCII_FREE = Draft(
    tuple(s.encode("ascii", "ignore").decode() for s in RESULT.put("MSH[1]-18", "").segments)
)  # nothing beyond seven bits


def _delimited(field: str, encoding: str) -> bytes:
    """Return the base message written with other delimiters."""
    table = str.maketrans("|^~\\&", field + encoding)
    return RESULT.raw("utf-8").decode().translate(table).encode()


TYPES: tuple[Case, ...] = (
    good("two components in MSH-9", RESULT.put("MSH[1]-9", "ORU^R01")),
    good("an empty third component in MSH-9", RESULT.put("MSH[1]-9", "ORU^R01^")),
    rejected("a type of a later version", RESULT.put("MSH[1]-9", "OSU^O51^OSU_O51"), "200", "MSH^1^9^1"),
    rejected("orders of before 2.5", RESULT.put("MSH[1]-9", "ORM^O01^ORM_O01"), "200", "MSH^1^9^1"),
    rejected("a query of an analyser", RESULT.put("MSH[1]-9", "QBP^Q11^QBP_Q11"), "200", "MSH^1^9^1"),
    good("a type in lower case", RESULT.put("MSH[1]-9", "oru^r01^ORU_R01")),
    rejected("the old unsolicited observation", RESULT.put("MSH[1]-9", "OUL^R21^OUL_R21"), "201", "MSH^1^9^2"),
    rejected("point of care", RESULT.put("MSH[1]-9", "ORU^R30^ORU_R30"), "201", "MSH^1^9^2"),
    rejected("a waveform", RESULT.put("MSH[1]-9", "ORU^W01^ORU_W01"), "201", "MSH^1^9^2"),
    rejected("an order event that does not exist", RESULT.put("MSH[1]-9", "OML^O99^OML_O99"), "201", "MSH^1^9^2"),
    rejected("a specimen event that does not exist", RESULT.put("MSH[1]-9", "OUL^R29^OUL_R29"), "201", "MSH^1^9^2"),
    rejected("a type without event", RESULT.put("MSH[1]-9", "ORU"), "201", "MSH^1^9^2"),
    refused("no type at all", RESULT.put("MSH[1]-9", ""), "101", "MSH^1^9", "MSH^1^9^1"),
)

VERSIONS: tuple[Case, ...] = (
    good("version 2.5", RESULT.put("MSH[1]-12", "2.5")),
    good("version 2.5 of the French extension", RESULT.put("MSH[1]-12", "2.5^FRA^2.11")),
    good("version 2.5.1 with a country", RESULT.put("MSH[1]-12", "2.5.1^FRA")),
    rejected("version 2.3.1", RESULT.put("MSH[1]-12", "2.3.1"), "203", "MSH^1^12"),
    rejected("version 2.1 with a country", RESULT.put("MSH[1]-12", "2.1^FRA"), "203", "MSH^1^12"),
    rejected("version 3", RESULT.put("MSH[1]-12", "3.0"), "203", "MSH^1^12"),
    rejected("a version that is no number", RESULT.put("MSH[1]-12", "V2.5"), "203", "MSH^1^12"),
    rejected("processing id X", RESULT.put("MSH[1]-11", "X"), "202", "MSH^1^11"),
    rejected("training on a production door", RESULT.put("MSH[1]-11", "T"), "202", "MSH^1^11"),
    rejected("debugging on a production door", RESULT.put("MSH[1]-11", "D"), "202", "MSH^1^11"),
    rejected("debugging with a mode", RESULT.put("MSH[1]-11", "D^T"), "202", "MSH^1^11"),
    good("production with a processing mode", RESULT.put("MSH[1]-11", "P^T")),
    refused("no processing id", RESULT.put("MSH[1]-11", ""), "101", "MSH^1^11"),
    refused("no version", RESULT.put("MSH[1]-12", ""), "101", "MSH^1^12"),
    refused("no time", RESULT.put("MSH[1]-7", ""), "101", "MSH^1^7"),
    refused("a 31 February in MSH-7", RESULT.put("MSH[1]-7", "20260231101500+0100"), "102", "MSH^1^7"),
    refused("an hour 24 in MSH-7", RESULT.put("MSH[1]-7", "20260502241500"), "102", "MSH^1^7"),
    refused("a text in MSH-7", RESULT.put("MSH[1]-7", "hier"), "102", "MSH^1^7"),
    good("a day without time in MSH-7", RESULT.put("MSH[1]-7", "20260502")),
    good("fractions of a second in MSH-7", RESULT.put("MSH[1]-7", "20260502101500.1234+0200")),
)

CONTROL_IDS: tuple[Case, ...] = (
    refused("no control id", RESULT.named(""), "101", "MSH^1^10"),
    good("a control id of 199 characters", RESULT.named("A" * 199)),
    good("a control id with blanks", RESULT.named(" ARD 0002 ")),
    good("a control id with an accent", RESULT.named("ARD-été-3")),
    good("a control id with an escape", RESULT.named("ARD\\T\\4")),
    good("a control id with components", RESULT.named("ARD^5")),
    good("a control id that is a GUID", RESULT.named("0f9b0c1e-64d2-4f6c-8d8e-3d9f27b0a001")),
)

CHARSETS: tuple[Case, ...] = (
    *(
        refused(f"charset {name}", RESULT.put("MSH[1]-18", name), "103", "MSH^1^18")
        for name in ("UTF8", "UTF-8", "ISO-8859-1", "WINDOWS-1252", "UNICODE", "8859/99", "unicode utf-8")
    ),
    good("only the first repetition of MSH-18 counts", RESULT.put("MSH[1]-18", "UNICODE UTF-8~8859/1")),
    good("ISO 8859-1", RESULT.put("MSH[1]-18", "8859/1"), charset="latin-1"),
    good(
        "ISO 8859-15 with its own letters",
        RESULT.put("MSH[1]-18", "8859/15").put("OBX[5]-5", "Sérum d'œuf à 12 €"),
        charset="iso8859-15",
    ),
    good("nothing said, nothing beyond ASCII", _ACCENTED_ASCII_FREE),
    good("nothing said, UTF-8 all the same", RESULT.put("MSH[1]-18", "")),
    refused("nothing said, Latin bytes", RESULT.put("MSH[1]-18", ""), "102", "MSH^1^18", charset="latin-1"),
    refused("UTF-8 said, Latin bytes", RESULT, "102", "MSH^1^18", charset="latin-1"),
    refused("UTF-8 said, a broken sequence at the end", RESULT.raw()[:-1] + b"\xc3\r", "102", "MSH^1^18"),
    refused(
        "UTF-8 said, a surrogate",
        RESULT.raw().replace("É".encode(), b"\xed\xa0\x80") + b"ZZZ|\xed\xa0\x80\r",
        "102",
        "MSH^1^18",
    ),
    refused("UTF-8 said, an overlong letter", RESULT.raw() + b"ZZZ|\xc1\x81\r", "102", "MSH^1^18"),
    refused("ASCII said, accents sent", RESULT.put("MSH[1]-18", "ASCII"), "102", "MSH^1^18"),
    good("ASCII said and kept", Draft(_ACCENTED_ASCII_FREE.put("MSH[1]-18", "ASCII").segments)),
    warned(
        "a Windows apostrophe under 8859/1",
        RESULT.put("MSH[1]-18", "8859/1").raw("latin-1").replace(b"Limpide", b"d\x92aspect"),
        "MSH^1^18",
    ),
    good("a byte order mark at the start", b"\xef\xbb\xbf" + RESULT.raw()),
)

DELIMITERS: tuple[Case, ...] = (
    good("other delimiters, read from the message", _delimited("#", "*!?%")),
    refused("a delimiter used twice", RESULT.put("MSH[1]-2", "^~\\^"), "102", "MSH^1^2"),
    refused("the sub-component separator twice", RESULT.put("MSH[1]-2", "^~&&"), "102", "MSH^1^2"),
    refused(
        "the field separator among the others", RESULT.raw().replace(b"MSH|^~\\&|", b"MSH|^|\\&|"), "102", "MSH^1^2"
    ),
    refused("three encoding characters", RESULT.put("MSH[1]-2", "^~\\"), "102", "MSH^1^2"),
    refused("no encoding character", RESULT.put("MSH[1]-2", ""), "102", "MSH^1^2"),
    refused("a small tilde of the French example", RESULT.put("MSH[1]-2", "^˜\\&"), "102", "MSH^1^2"),
)

DESTINATIONS: tuple[Case, ...] = (
    rejected("another receiving application", RESULT.put("MSH[1]-5", "AUTRE"), "207", "MSH^1^5"),
    rejected("another receiving facility", RESULT.put("MSH[1]-6", "CH-AUTRE^990000999^N"), "207", "MSH^1^6", "MSH^1^5"),
    good("an unknown profile in MSH-21", RESULT.put("MSH[1]-21", "9.9^EDITEUR")),
    good("the French profile in MSH-21", RESULT.put("MSH[1]-21", "2.11^IHE_FRANCE-2.11-PAM")),
    good("a sequence number in MSH-13", RESULT.put("MSH[1]-13", "-1")),
    good("fields after the last defined one", RESULT.put("MSH[1]-30", "x")),
)

FIRST_OF_SEVERAL: tuple[Case, ...] = (
    rejected("type before version", RESULT.put("MSH[1]-9", "QRY^A19").put("MSH[1]-12", "2.2"), "200", "MSH^1^9^1"),
    rejected("event before processing id", RESULT.put("MSH[1]-9", "ORU^R99").put("MSH[1]-11", "X"), "201", "MSH^1^9^2"),
    rejected("processing id before version", RESULT.put("MSH[1]-11", "X").put("MSH[1]-12", "2.2"), "202", "MSH^1^11"),
    rejected("version before destination", RESULT.put("MSH[1]-12", "2.2").put("MSH[1]-5", "X"), "203", "MSH^1^12"),
    rejected("header before structure", RESULT.put("MSH[1]-12", "2.2").drop("PID[1]"), "203", "MSH^1^12"),
    rejected("header before values", RESULT.put("MSH[1]-11", "T").put("OBX[1]-5", "<1"), "202", "MSH^1^11"),
    rejected("destination before values", RESULT.put("MSH[1]-5", "X").put("OBX[1]-11", "U"), "207", "MSH^1^5"),
    refused("charset before type", RESULT.put("MSH[1]-18", "UTF8").put("MSH[1]-9", "XYZ^Z99"), "103", "MSH^1^18"),
    refused("charset before patient", RESULT.put("MSH[1]-18", "latin1").drop("PID[1]"), "103", "MSH^1^18"),
)

HEADERS = (*TYPES, *VERSIONS, *CONTROL_IDS, *CHARSETS, *DELIMITERS, *DESTINATIONS, *FIRST_OF_SEVERAL)
