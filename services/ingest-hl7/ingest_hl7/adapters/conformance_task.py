"""What the conformance worker does with one message, in its own process: our profiles, then hl7apy where it can see.

hl7apy drops PRT and Z segments, takes the second order of an OML for a prior result, and limits what the profiles do
not: it is given the message without those segments and without embedded data, and is not asked about OML. Its texts may
quote the message, hence the places alone are kept.
"""

import re
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

from labohub.standards import er7
from labohub.standards.er7 import Message, Segment
from labohub.standards.hl7.profiles import examine, profile_for

EDITION = 1  # of this report: raised when the tables change, so that an old report is seen as such
MAX_FINDINGS = 200
_UNSEEN = frozenset(("PRT", "FHS", "BHS", "BTS", "FTS", "DSC"))
_NOT_ASKED = frozenset(("OML", "MDM"))  # PRIOR_RESULT; MDM_T02 without COMMON_ORDER and TXA of 2.6
_LONG = 2000  # characters of a field that hl7apy has no need to see
_MISSING = re.compile(r"Missing required child (\w+(?:\.\w+)?)")
_LIMIT = re.compile(r"Child limit exceeded (\w+(?:\.\w+)?)")
_INVALID = re.compile(r"Invalid children detected for <\w+ (\w+)")


def inspect(raw: bytes, aliases: Mapping[str, str], fallback: str) -> dict[str, Any]:
    """Return the report of one message, ready for JSON. Never raises for a message's sake."""
    try:
        message = er7.read(raw, aliases=aliases, fallback=fallback)
    except (er7.Er7Malformed, er7.CharsetUnknown, er7.Undecodable) as error:
        return _report("", [{"code": error.code, "place": "MSH^1", "severity": "E", "text": ""}], "not-asked")
    profile = profile_for(message)
    findings = [
        {"code": each.reason, "place": each.location, "severity": each.severity, "text": each.text}
        for each in (examine(message, profile) if profile is not None else ())
    ]
    second = "not-asked"
    if message.header.component(9, 1).upper() not in _NOT_ASKED:
        second, seen = _hl7apy(message)
        findings += seen
    return _report(profile.name if profile else "", findings, second)


def _report(profile: str, findings: list[dict[str, str]], second: str) -> dict[str, Any]:
    errors = sum(1 for each in findings if each["severity"] == "E")
    verdict = "unknown-profile" if not profile and not findings else "fails" if errors else "passes"
    return {
        "edition": EDITION,
        "profile": profile,
        "verdict": verdict,
        "hl7apy": second,
        "count": len(findings),
        "findings": findings[:MAX_FINDINGS],
    }


def _hl7apy(message: Message) -> tuple[str, list[dict[str, str]]]:
    """Return whether hl7apy agrees, and what it finds that its blind spots do not explain."""
    from hl7apy.exceptions import HL7apyException
    from hl7apy.parser import parse_message

    text = "\r".join(_short(segment) for segment in message if _is_seen(segment)) + "\r"
    try:
        parsed = parse_message(text, find_groups=True)
        with tempfile.NamedTemporaryFile("r", encoding="utf-8", suffix=".txt") as report:
            is_valid = parsed.validate(report_file=report.name)
            lines = report.read().splitlines()
    except (HL7apyException, ValueError, AttributeError, KeyError, IndexError, TypeError):
        return "failed", []  # of its own: our tables have spoken
    found = list(_findings(lines))
    return ("passes" if is_valid or not found else "fails"), found


def _findings(lines: list[str]) -> Iterator[dict[str, str]]:
    for line in lines:
        if not line.startswith("Error"):
            continue
        for pattern, code in (
            (_MISSING, "hl7apy.missing"),
            (_LIMIT, "hl7apy.repeated"),
            (_INVALID, "hl7apy.misplaced"),
        ):
            if (match := pattern.search(line)) is not None:
                yield {"code": code, "place": match[1].replace(".", "^"), "severity": "W", "text": ""}
                break


def _is_seen(segment: Segment) -> bool:
    return segment.name not in _UNSEEN and not segment.name.startswith("Z")


def _short(segment: Segment) -> str:
    """Return the line without its long fields: a document's data says nothing of the message's structure."""
    if len(segment.line) <= _LONG:
        return segment.line
    separator = segment.delimiters.field
    return separator.join(part if len(part) <= _LONG else "x" for part in segment.line.split(separator))
