"""A message of the CDA-in-HL7 volet while it is read: what is wrong, what is noteworthy."""

from dataclasses import dataclass, field

from labohub.standards.er7 import Message
from labohub.standards.hl7.findings import Finding, warning

CURRENT = "2.1"
LENIENT = frozenset({"1.2"})  # asked for less still: no recipients, fewer rows
FORMER = frozenset({"2.0"}) | LENIENT  # no meaning in ORC-1, no ORC in MDM, root and extension written as one


@dataclass(slots=True)
class Reading:
    """One message, and the findings so far."""

    message: Message
    profile: str
    errors: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)

    @property
    def is_mdm(self) -> bool:
        """Return whether it is an MDM; the volet has no third type."""
        return self.message.header.component(9, 1).upper() == "MDM"

    @property
    def is_former(self) -> bool:
        """Return whether the profile is older than 2.1."""
        return self.profile in FORMER

    @property
    def is_lenient(self) -> bool:
        """Return whether what the profile did not know is not asked for."""
        return self.profile in LENIENT

    def error(self, condition: str, location: str, reason: str, text: str) -> None:
        """Keep what is wrong."""
        self.errors.append(Finding(condition, location, reason, text))

    def warn(self, location: str, reason: str, text: str) -> None:
        """Keep what is noteworthy."""
        self.warnings.append(warning(location, reason, text))

    def required(self, present: bool, condition: str, location: str, reason: str, text: str, *, strict: bool) -> None:
        """Keep what is missing: an error where the profile asks for it, else a warning."""
        if not present and strict:
            self.error(condition, location, reason, text)
        elif not present:
            self.warn(location, reason, text)
