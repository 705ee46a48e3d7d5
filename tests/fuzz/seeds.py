"""The first corpus of each target, composed here: ordinary messages, and each tolerance once."""

from labohub.standards.mllp import write_frame
from tests.support.ingest import pid, relay_message, results_message

_MICROBIOLOGY = (
    "OBR|2|P2|F2|BAC^Antibiogramme^99REM|||20260312080000||||||||||||||20260312093000||MB|F|"
    "F1&630-4&LN^1||||D1^F1\r"
    "OBX|1|SN|18907-6^Ampicilline^LN|1|<=^2|mg/L^mg/L^UCUM||S|||F\r"
)
_VALUES = (
    "OBX|3|ED|PDF^Compte rendu^99REM||^AP^PDF^Base64^JVBERi0xLjQK||||||F",
    "OBX|4|FT|COM^Commentaire^99REM||a\\.br\\b\\F\\c\\X41\\||||||F",
    "OBX|5|CE|GRP^Groupe^99REM||A^A positif^99REM||||||C",
    "OBX|6|TS|DAT^Date^99REM||20260312||||||P",
    "OBX|7||ANN^Annulé^99REM||||||||X",
    "NTE|1|L|commentaire",
)
_ORDER = (
    "MSH|^~\\&|SGL|LABO|LABOHUB|PFI|20260312093500||OML^O21^OML_O21|O1|P|2.5.1|||||FRA|UNICODE UTF-8\r"
    "PID|1||R1^^^X^PI\rORC|NW|P1||D1\rOBR|1|P1||IONO^Iono^L\r"
)
_ADT = (
    "MSH|^~\\&|SGL|LABO|LABOHUB|PFI|20260312093500||ADT^A01^ADT_A01|A1|P|2.5^FRA^2.11|||||FRA|8859/15|||2.11^IHE_FRANCE\r"
    "EVN||20260312093500\r" + pid() + "\rPV1|1|I\rZBE|1|20260312||INSERT|N\rZFA||||||||IO\r"
)
_DICTIONARY = (
    *("MSH|^~\\\\&|", "PID|", "OBR|", "OBX|", "ORC|", "PRT|", "TXA|", "SPM|", "NTE|", "BTS|", "FTS|", "BHS|", "FHS|"),
    *("ZFA|", "ORU^R01", "OUL^R22", "MDM^T02", "ADT^A40", "ACK", "UNICODE UTF-8", "8859/15", "2.1^CISIS_CDA_HL7_V2"),
    *("|ED|", "Base64", "|NM|", "|SN|", "INS", "VALI", "\\\\.br\\\\", "\\\\X0D\\\\", "\\x0b", "\\x1c", "\\x1c\\x0d"),
    *("\\x0d", "\\x0a", "\\xcb\\x9c", "\\xef\\xbb\\xbf"),
)


def messages() -> dict[str, bytes]:
    """Return messages by name."""
    ltw = results_message(extra=_VALUES)
    return {
        "results": ltw,
        "partial": results_message(status="P"),
        "corrected": results_message(status="C", modes="AL|AL"),
        "microbiology": ltw + _MICROBIOLOGY.encode(),
        "latin": results_message(charset="8859/15"),
        "lines": ltw.replace(b"\r", b"\r\n"),
        "order-mark": b"\xef\xbb\xbf" + ltw,
        "no-end": ltw.rstrip(b"\r"),
        "wrapped": ltw.replace(b"JVBERi0x", b"JVBE\nRi0x"),
        "tilde": relay_message().replace(b"^~\\&", "^˜\\&".encode()),
        "two-patients": ltw + pid().encode() + b"\r",
        "order": _ORDER.encode(),
        "adt": _ADT.encode("iso8859-15"),
        "answer": b"MSH|^~\\&|A|B|C|D|20260312||ACK^R01^ACK|1|P|2.5\rMSA|AA|1\r",
        "technical": ltw.replace(b"ORU^R01^ORU_R01", b"OUL^R22^OUL_R22"),
        "volet": relay_message(),
        "volet-mdm": relay_message(kind="MDM"),
        "volet-replacement": relay_message(kind="MDM", request="replacement", txa_13="1.2.3"),
        "volet-deletion": relay_message(request="deletion"),
        "volet-2.0": relay_message(profile="2.0^CISIS_CDA_HL7_V2", order_control="SC"),
    }


def corpus(target: str) -> dict[str, bytes]:
    """Return the seeds of a target by name."""
    found = messages()
    if target == "frames":
        stream = b"".join(map(write_frame, (b"MSH|A", b"MSH|B")))
        return {
            "two": b"\x07" + stream,
            "noise": b"\x01\r\n\0GET /" + stream,
            "restart": b"\x03\x0bMSH|cut" + stream,
            "no-return": b"\x05\x0bA\x1c\x0bB\x1cC\x1c\r",
            "large": b"\x3f\x0b" + b"A" * 4100 + stream,
        }
    if target == "batch":
        one, two = found["results"], found["order"]
        return {
            **found,
            "whole": b"FHS|^~\\&\rBHS|^~\\&\r" + one + two + b"BTS|2\rFTS|1\r",
            "bare": one + two,
            "wrong": b"BHS|^~\\&\r\n" + one.replace(b"\r", b"\r\n") + b"BTS|2\r\n",
        }
    return found


def dictionary() -> str:
    """Return the words of the language, as libFuzzer reads them."""
    return "".join(f'"{word}"\n' for word in _DICTIONARY)
