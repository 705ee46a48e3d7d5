"""Technical acknowledgements: the answer to every message.

Source: HL7 v2.5.1 chapter 2 §2.9 (original and enhanced mode); CI-SIS volet CDA-in-HL7 §ACK; IHE PaLM LTW.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from labohub.standards.er7 import Delimiters, Header, escape
from labohub.standards.er7.charsets import CODECS
from labohub.standards.hl7.findings import Finding
from labohub.standards.hl7.tables import MESSAGE_ERROR, ORDER_ANSWERS, VOLET_LABELS

MAX_ERRORS = 10
_SUPPORTED_VERSIONS = frozenset(("2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6"))
_FALLBACK_VERSION = "2.5"


class AnswerStyle(StrEnum):
    """Whose reading of ERR the sender lives by."""

    HL7 = "hl7"  # LTW, ILW: MSA-3 and ERR-8 filled, system HL70357
    VOLET = "volet"  # CDA-in-HL7: ERR-2, 3, 4 only, system messageErrorCondition


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes of an answer, and its code (AA, AE, AR; CA, CE, CR in enhanced mode)."""

    code: str
    er7: bytes


def acknowledge(
    header: Header | None,
    code: str,
    findings: Sequence[Finding] = (),
    *,
    at: datetime,
    control_id: str,
    style: AnswerStyle = AnswerStyle.HL7,
    body: Sequence[str] = (),
) -> Answer:
    """Return the acknowledgement of a message.

    Args:
        header: the message's MSH; None when there is none to answer to.
        at: MSH-7, in the zone it is to be written in.
        control_id: MSH-10 of the answer, 20 characters at most.
        body: what follows, of an answer that says more: the orders of an ORL.
    """
    msh_18, codec = _charset(header, body)
    lines = [_msh(header, code, at, control_id, msh_18), _msa(header, code, findings, style)]
    lines += [_err(finding, style) for finding in findings[:MAX_ERRORS]]
    data = b"".join(_encode(line, codec) + b"\r" for line in lines)
    return Answer(code, data + b"".join(line.encode(codec) + b"\r" for line in body))


def timestamp(at: datetime) -> str:
    """Return a TS of an aware datetime, to the second, with its offset."""
    return at.strftime("%Y%m%d%H%M%S%z")


def accepts_answers(header: Header, *, mode: str, success: bool) -> bool:
    """Return whether MSH-15 (`mode` accept) or MSH-16 (`mode` application) asks for this answer (table 0155)."""
    asked = header.component(15 if mode == "accept" else 16, 1).upper()
    return asked == "AL" or (asked == "SU" and success) or (asked == "ER" and not success)


def is_enhanced(header: Header) -> bool:
    """Return True when MSH-15 or MSH-16 is valued."""
    return bool(header.field(15) or header.field(16))


def answer_code(answer: bytes) -> str:
    """Return MSA-1 of an answer we wrote; "" when it has none."""
    at = answer.find(b"\rMSA|")
    return answer[at + 5 : at + 7].decode("ascii", "replace") if at >= 0 else ""


def _charset(header: Header | None, body: Sequence[str] = ()) -> tuple[str, str]:
    """Return the request's character set, or UTF-8 when it has none that holds what is echoed."""
    declared = header.component(18, 1) if header else ""
    codec = CODECS.get(declared)
    if codec and codec != "ascii" and _holds(codec, body):
        return declared, codec
    return "UNICODE UTF-8", "utf-8"


def _holds(codec: str, body: Sequence[str]) -> bool:
    try:
        "".join(body).encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def _msh(header: Header | None, code: str, at: datetime, control_id: str, msh_18: str) -> list[str | bytes]:
    if header is None:
        return ["MSH|^~\\&|||||", timestamp(at), "||ACK|", control_id, "|P|", _FALLBACK_VERSION, "|||||FRA|", msh_18]
    version = header.component(12, 1)
    parts: list[str | bytes] = ["MSH|^~\\&|"]
    for number in (5, 6, 3, 4):
        parts += [_echo(header, number), "|"]
    parts += [timestamp(at), "||", _message_type(header, code), "|", control_id, "|", _echo(header, 11), "|"]
    parts += [version if version in _SUPPORTED_VERSIONS else _FALLBACK_VERSION, "|||||FRA|", msh_18]
    return parts


def _msa(header: Header | None, code: str, findings: Sequence[Finding], style: AnswerStyle) -> list[str | bytes]:
    parts: list[str | bytes] = ["MSA|", code, "|", _echo(header, 10) if header else b""]
    if style is AnswerStyle.HL7 and findings:
        parts += ["|", escape(findings[0].text)]
    return parts


def _err(finding: Finding, style: AnswerStyle) -> list[str | bytes]:
    condition = finding.condition
    if style is AnswerStyle.VOLET:
        label = VOLET_LABELS.get(condition, MESSAGE_ERROR[condition])
        coded = f"{condition}^{label}^messageErrorCondition"
        return [f"ERR||{finding.location}|{coded}|{finding.severity}"]
    coded = f"{condition}^{MESSAGE_ERROR[condition]}^HL70357"
    return [
        f"ERR||{finding.location}|{coded}|{finding.severity}|{escape(finding.application_code)}|||{escape(finding.text)}"
    ]


def _message_type(header: Header, code: str) -> str:
    event = header.component(9, 2)
    if code[0] != "C" and header.component(9, 1) == "OML" and event in ORDER_ANSWERS:
        kind, answer = ORDER_ANSWERS[event]
        return f"{kind}^{answer}^{kind}_{answer}"
    known = len(event) == 3 and event.isascii() and event.isalnum()
    return f"ACK^{event}^ACK" if known else "ACK"


def _echo(header: Header, number: int) -> bytes:
    """Return a field of the request, byte for byte, in the usual separators."""
    value = header.field(number)
    return _in_usual_signs(value, header.delimiters).encode("latin-1")


def _in_usual_signs(value: str, theirs: Delimiters) -> str:
    """Return a field as it is written with the usual separators; what only looks like one is escaped."""
    if theirs.is_usual:
        return value
    signs = {theirs.component: "^", theirs.subcomponent: "&", theirs.repetition: "~", theirs.escape: "\\"}
    written = {"|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\\": "\\E\\"} | signs
    return "".join(written.get(character, character) for character in value)


def _encode(parts: Sequence[str | bytes], codec: str) -> bytes:
    return b"".join(part if isinstance(part, bytes) else part.encode(codec, "replace") for part in parts)
