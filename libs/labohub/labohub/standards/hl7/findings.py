"""What is wrong, or noteworthy, in a message: one line of ERR each."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One ERR segment. Texts are for a person, in French, and never hold patient data.

    `reason` is our stable code, listed in docs/operations/errors.md; `condition` is table 0357; `location` is ERR-2
    without the separators' escape, e.g. `OBX^2^11`.
    """

    condition: str
    location: str
    reason: str
    text: str
    severity: str = "E"  # 0516
    application_code: str = ""  # ERR-5
    rejects: bool = False  # MSH-9, 11, 12: AR under HL7's reading, AE under the volet's


def warning(location: str, reason: str, text: str) -> Finding:
    """Return a finding that goes with an acceptance."""
    return Finding("0", location, reason, text, severity="W")
