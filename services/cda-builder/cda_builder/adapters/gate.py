"""The gate: what every document must pass, as one value that worker processes receive."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from lxml import etree

from cda_builder.adapters.official import OfficialRules
from cda_builder.adapters.pdf_text import first_page
from cda_builder.adapters.rules_folder import RulesChanged, RulesFolder
from cda_builder.core.lint import RULES, lint
from cda_builder.core.lint_content import shows_patient
from cda_builder.core.verdict import Finding, Verdict
from cda_builder.core.volet import is_level_3, volet_of
from labohub.standards.cda import Header, document_element, embedded_pdf


@dataclass(frozen=True, slots=True)
class Gate:
    """The folders of official rules, the first that knows a document's version speaks; the levels of our own rules.

    `reads_pdf`: the text of the PDF is read too, and a warning given when it does not name the patient.
    """

    folders: tuple[RulesFolder, ...] = ()
    levels: Mapping[str, str] = field(default_factory=dict)
    reads_pdf: bool = False

    def verdict(self, root: etree._Element, header: Header) -> Verdict:
        """Return what the official rules, where installed, and the hub's own checks say. Raises: Misconfigured."""
        own = (*lint(root, header, self.levels), *self._pdf(root, header))
        if not self.folders:
            return Verdict(False, own)
        document = document_element(root)
        volet = volet_of(document) if is_level_3(document) else ""
        known = (rules for each in self.folders if (rules := official_rules(each)).knows(volet))
        official = next(known, official_rules(self.folders[0])).check(root)
        return Verdict(True, (*official.findings, *own), official.rules_sha256, official.volet)

    def _pdf(self, root: etree._Element, header: Header) -> tuple[Finding, ...]:
        pdf = embedded_pdf(root) if self.reads_pdf else None
        if pdf is None or shows_patient(first_page(pdf), header):
            return ()
        rule, place = "pdf-patient", "/ClinicalDocument/component"
        return (Finding("lint", rule, {**RULES, **self.levels}[rule], place, "the PDF does not name the patient"),)

    def warm(self) -> None:
        """Return when this process has read and translated the official rules. Raises: Misconfigured."""
        for each in self.folders:
            official_rules(each).warm()


@cache
def official_rules(folder: RulesFolder) -> OfficialRules:
    """Return the rules of a folder, translated once in this process. Raises: Misconfigured."""
    rules = OfficialRules(folder.path)
    if rules.sha256 != folder.sha256:
        raise RulesChanged("a folder of official rules changed since the start")
    return rules
