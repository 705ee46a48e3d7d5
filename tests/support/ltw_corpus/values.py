"""What a result holds: value types, times, embedded objects, escapes."""

import base64

from tests.support.ltw_corpus.case import Case, good, refused
from tests.support.ltw_corpus.draft import RESULT, Draft, result

_PDF = base64.b64encode(b"%PDF-1.4\n% un compte rendu de l'Anjou\n%%EOF\n").decode()
_PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(48)).decode()
_REPORT = "CRPDF^Compte rendu^99ARD^11502-2^CR d'examens biologiques^LN"
_MORE = "SUP^Examen supplémentaire^99ARD"


def _valued(kind: str, value: str, at: int = 3) -> Draft:
    """Return the base message with one more result behind the given one: it is OBX[at + 1]."""
    return RESULT.after(f"OBX[{at}]", result(at + 1, kind, _MORE, value))


def _embedded(data: str, *, encoding: str = "Base64", kind: str = "application", subtype: str = "pdf") -> Draft:
    """Return the base message with an embedded object behind the fifth result: it is OBX[6]."""
    value = f"SGL-ARDOISE^{kind}^{subtype}^{encoding}^{data}"
    return RESULT.after("OBX[5]", f"OBX|3|ED|{_REPORT}||{value}||||||F")


def _wrapped(between: str) -> bytes:
    """Return an embedded PDF whose base64 is folded."""
    return _embedded(between.join((_PDF[:24], _PDF[24:48], _PDF[48:]))).raw()


_NO_NUMBERS = (
    "<136", "> 5", "5,2", "1e5", "1 390", " 139", "--5", "NaN", "Inf", "1_000", "0x8B", "٥", "5.2.1", "139 mmol/L", "+",
)  # fmt: skip
_NUMBERS = ("139", "-0.5", "+3", "0", "5.20", "0005", "123456789012.123456")
_STRUCTURED = (
    "<^3", ">=^10.50", "^10^-^15", "^1^:^160", "^1.42^/^1", "^2^+", "<>^0", "=^4", "^4^:^76",
)  # fmt: skip
_UNSTRUCTURED = ("<3", "<^abc", "^1^:^x", "^3,5", "~^3")

NUMERIC: tuple[Case, ...] = (
    *(refused(f"NM {v!r}", RESULT.put("OBX[1]-5", v), "102", "OBX^1^5") for v in _NO_NUMBERS),
    *(good(f"NM {v!r}", RESULT.put("OBX[1]-5", v)) for v in _NUMBERS),
    refused("a comparator in the fourth result", RESULT.put("OBX[4]-5", "<31"), "102", "OBX^4^5"),
    *(good(f"SN {v!r}", RESULT.put("OBX[3]-5", v)) for v in _STRUCTURED),
    *(refused(f"SN {v!r}", RESULT.put("OBX[3]-5", v), "102", "OBX^3^5") for v in _UNSTRUCTURED),
)

_TYPED = (
    ("ST", "négatif"), ("TX", "ligne 1~ligne 2"), ("FT", r"\H\gras\N\.\.br\suite\.sp2\fin"),
    ("CE", "POS^Positif^99ARD"), ("CE", "A^a^99ARD~B^b^99ARD"), ("CWE", "^texte libre"),
    ("TS", "202605020800"), ("TS", "2026"), ("DTM", "20260502080000+0200"), ("DT", "20260502"), ("TM", "0830"),
    ("NA", "0^3^18~1^2^3"), ("EI", "POCHE1^EFS"), ("CX", "D1^^^A^PI"), ("XCN", "1^NOM^P"), ("CP", "12^UP"),
    ("RP", "https://ardoise.example/x^A^application^pdf"), ("ED", f"^image^png^Base64^{_PNG}"),
    ("DR", "20260501^20260502"),
)  # fmt: skip

TYPED: tuple[Case, ...] = (
    *(good(f"a value of type {kind}: {value[:12]}", _valued(kind, value)) for kind, value in _TYPED),
    *(refused(f"type {kind!r}", _valued(kind, "1"), "103", "OBX^4^2") for kind in ("ZZ", "nm", "NUM", "XX1")),
    refused("an unknown type under the second battery", _valued("QQ", "1", at=5), "103", "OBX^6^2"),
    refused("month 13 in a DT", _valued("DT", "20261301"), "102", "OBX^4^5"),
    refused("hour 25 in a TM", _valued("TM", "2500"), "102", "OBX^4^5"),
    refused("day 30 of February in a TS", _valued("TS", "202602300800"), "102", "OBX^4^5"),
)

_TIMES = (
    ("OBX", 1, 14), ("OBX", 2, 19), ("OBX", 4, 19), ("OBR", 1, 7), ("OBR", 2, 22), ("ORC", 1, 9), ("SPM", 1, 18),
    ("SPM", 2, 17), ("PID", 1, 7),
)  # fmt: skip

TIMES: tuple[Case, ...] = (
    *(
        refused(
            f"month 13 in {name}[{nth}]-{at}",
            RESULT.put(f"{name}[{nth}]-{at}", "20261302"),
            "102",
            f"{name}^{nth}^{at}",
        )
        for name, nth, at in _TIMES
    ),
    refused("hour 25", RESULT.put("OBX[3]-14", "20260502250000"), "102", "OBX^3^14"),
    refused("minute 61", RESULT.put("OBX[3]-19", "202605020861"), "102", "OBX^3^19"),
    refused("a 29 February of a common year", RESULT.put("OBR[1]-7", "20260229"), "102", "OBR^1^7"),
    refused("an offset of 25 hours", RESULT.put("OBX[1]-19", "20260502080000+2500"), "102", "OBX^1^19"),
    refused("a time written for people", RESULT.put("OBX[1]-19", "02/05/2026 08:00"), "102", "OBX^1^19"),
    refused("an impossible end of a collection", RESULT.put("SPM[1]-17", "20260501^20260532"), "102", "SPM^1^17"),
    good("a 29 February of a leap year", RESULT.put("OBR[1]-7", "20240229")),
    good("a collection over a day", RESULT.put("SPM[1]-17", "20260501080000^20260502080000")),
    good("the hour that comes twice in October", RESULT.put("OBX[1]-14", "20261025023000")),
    *(good(f"{size} digits of a time", RESULT.put("OBX[1]-14", "20260502080000"[:size])) for size in (4, 6, 8, 10, 12)),
    good("a time of an overseas laboratory", RESULT.put("OBX[1]-14", "20260502080000+0400")),
)

EMBEDDED: tuple[Case, ...] = (
    good("a PDF of the whole report", _embedded(_PDF)),
    good("names of an object in capitals", _embedded(_PDF, encoding="BASE64", kind="APPLICATION", subtype="PDF")),
    good("padding missing", _embedded(base64.b64encode(b"%PDF-1.4\n" + bytes(10)).decode().rstrip("="))),
    good("base64 folded by CR LF", _wrapped("\r\n")),
    good("base64 folded by LF", _wrapped("\n")),
    good("base64 folded by \\.br\\", _wrapped("\\.br\\")),
    good("base64 folded by \\X0D0A\\", _wrapped("\\X0D0A\\")),
    good("bytes in hexadecimal", _embedded(b"%PDF-1.4\n%%EOF".hex(), encoding="Hex")),
    refused("foreign characters in base64", _embedded("JVBERi0*xLjQK"), "102", "OBX^6^5^1^5"),
    refused("base64 cut after one character", _embedded(_PDF.rstrip("=")[: 4 * 9 + 1]), "102", "OBX^6^5^1^5"),
    refused("padding in the middle", _embedded("JVBE====Ri0xLjQK"), "102", "OBX^6^5^1^5"),
    refused("an object without data", _embedded(""), "101", "OBX^6^5^1^5"),
    refused("letters with accents in base64", _embedded("JVBERi0xLjQKé"), "102", "OBX^6^5^1^5"),
    refused("an odd number of hexadecimal digits", _embedded("25504", encoding="Hex"), "102", "OBX^6^5^1^5"),
    refused("an unknown encoding", _embedded(_PDF, encoding="UUENCODE"), "103", "OBX^6^5^1^4"),
    refused(
        "broken base64 in the second repetition",
        _embedded(f"{_PDF}~S^application^pdf^Base64^*"),
        "102",
        "OBX^6^5^1^5",
        "OBX^6^5^2^5",
    ),
    refused(
        "a folded analyte is no folded object",
        _embedded(_PDF).raw().replace(b"Compte rendu", b"Compte\nrendu"),
        "100",
        "OBX^6",
    ),
)

TEXTS: tuple[Case, ...] = (
    good("every escape of a delimiter", RESULT.put("OBX[5]-5", r"a\F\b\S\c\T\d\R\e\E\f")),
    good("a lone backslash", RESULT.put("OBX[5]-5", "C:\\labo\\note")),
    good("a hexadecimal escape in UTF-8", RESULT.put("OBX[5]-5", r"\XC3A9\t\XC3A9\ ")),
    good("a line break in a ST", RESULT.put("OBX[5]-5", r"un\.br\deux").put("OBX[5]-2", "ST")),
    good("a deleted value", RESULT.put("OBX[5]-5", '""')),
    good("two flags", RESULT.put("OBX[2]-8", "H~A")),
    good("a flag written as CWE", RESULT.put("OBX[2]-8", "H^^HL70078")),
    good("a flag that no table knows", RESULT.put("OBX[2]-8", "ZZ")),
    good("a printable unit without system", RESULT.put("OBX[4]-6", "UI/L")),
    good("only the printable unit", RESULT.put("OBX[4]-6", "^G/L")),
    good("a range with a negative bound", RESULT.put("OBX[1]-7", "-2.0-3.0")),
    good("a range in words", RESULT.put("OBX[1]-7", "F : 12-16 ; H : 13-17")),
    good("LOINC first", RESULT.put("OBX[4]-3", "1920-8^ASAT^LN^ASAT^ASAT^99ARD")),
    good("only a LOINC code", RESULT.put("OBX[4]-3", "1920-8^ASAT^LN")),
    good("a code without system", RESULT.put("OBX[4]-3", "ASAT^ASAT")),
    good("a tab in a note", RESULT.put("NTE[1]-3", "un\tdeux")),
)

VALUES = (*NUMERIC, *TYPED, *TIMES, *EMBEDDED, *TEXTS)
