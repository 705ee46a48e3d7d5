"""What checking a document says."""

from dataclasses import asdict, dataclass

ERROR = "error"
WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark. It may quote the document: it belongs to the stored conformance report, never to a log."""

    step: str  # xsd, lint, or the family of official rules
    rule: str
    level: str  # error, warning
    location: str  # an XPath of names and ranks
    message: str
    line: int = 0  # in the document as it was read; 0: of no line


@dataclass(frozen=True, slots=True)
class Verdict:
    """All remarks on one document. `official` is False when the official rules are not installed."""

    official: bool
    findings: tuple[Finding, ...] = ()
    rules_sha256: str = ""  # which folder of rules spoke
    volet: str = ""

    @property
    def conforms(self) -> bool:
        """Return whether nothing is wrong."""
        return not any(finding.level == ERROR for finding in self.findings)

    @property
    def conformance(self) -> str:
        """Return `failed`, `passed`, or `not-configured` when only the hub's own checks ran."""
        if not self.conforms:
            return "failed"
        return "passed" if self.official else "not-configured"

    def as_report(self, document_id: str) -> dict[str, object]:
        """Return the conformance report, ready for JSON."""
        return {
            "document_id": document_id,
            "conformance": self.conformance,
            "official_rules": "applied" if self.official else "not-configured",
            "rules_sha256": self.rules_sha256,
            "volet": self.volet,
            "findings": [asdict(finding) for finding in self.findings],
        }
