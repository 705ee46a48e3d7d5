"""The official rules of one folder: its schema, and its assertions, translated once in a process."""

import re
from pathlib import Path
from typing import Any

from lxml import etree

from cda_builder.adapters.official.engine import Engine
from cda_builder.adapters.official.family import Family, Hit
from cda_builder.adapters.official.schema import RulesUnreadable
from cda_builder.adapters.official.xpath.tree import Document
from cda_builder.adapters.rules_folder import folder_digest
from cda_builder.core.lint import place_of
from cda_builder.core.verdict import ERROR, WARNING, Finding, Verdict
from cda_builder.core.volet import is_level_3, volet_of
from labohub.standards import xml
from labohub.standards.cda import document_element

_XSD = "infrastructure/cda/CDA_extended.xsd"
_FAMILIES = {
    "strucmin": "schematrons/profils/structurationMinimale/ASIP-STRUCT-MIN-StrucMin.sch",
    "ihe": "schematrons/profils/IHE.sch",
    "modeles": "schematrons/profils/CI-SIS_ModelesDeContenusCDA.sch",
    "ans": "schematrons/profils/CI-SIS_Modeles_ANS.sch",
    "terminologie": "schematrons/profils/terminologies/schematron/terminologie.sch",
}
_VOLET = "schematrons/CI-SIS_BIO-CR-BIO_{}.sch"
_EDITION = re.compile(r"20\d\d\.\d\d")
CURRENT = "2024.01"  # the edition that the hub writes
_BLOCKING = frozenset({"", "error", "fatal"})
_QUALIFIED = re.compile(r"Q\{[^}]*\}")
_PREFIXED = re.compile(r"(?<=/)[\w.-]+:([\w.-]+)")
_PRIVATE = re.compile(r"\{urn:[^}]*\}")


class OfficialRules:
    """XSD and schematrons of a folder laid out as the CI-SIS publishes it."""

    def __init__(self, folder: Path) -> None:
        """Read the schema; the assertions are translated when they are first needed. Raises: RulesUnreadable."""
        self._folder = folder
        if not (folder / _XSD).is_file():
            raise RulesUnreadable("LABOHUB_CISIS_DIR holds no infrastructure/cda/CDA_extended.xsd")
        self.sha256 = folder_digest(folder)
        try:
            self._xsd = etree.XMLSchema(etree.parse(str(folder / _XSD)))
        except (etree.XMLSyntaxError, etree.XMLSchemaParseError):
            raise RulesUnreadable("the schema of LABOHUB_CISIS_DIR cannot be read") from None
        self._families: dict[str, Family] = {}
        self._engines: dict[str, Engine] = {}

    def knows(self, volet: str) -> bool:
        """Return whether the folder has rules for a version of the volet."""
        return not volet or (_EDITION.fullmatch(volet) is not None and (self._folder / _VOLET.format(volet)).is_file())

    def warm(self) -> None:
        """Translate what the current edition needs, and run it on a report of ours. Raises: RulesUnreadable."""
        report = xml.parse((Path(__file__).parent / "warming.xml").read_bytes())
        self._schema(report)
        self._engine(CURRENT if self.knows(CURRENT) else "").check(Document(report))

    def check(self, root: etree._Element) -> Verdict:
        """Return what the official rules say of a parsed document. Schematrons only run on what fits the schema."""
        document = document_element(root)
        volet = volet_of(document) if is_level_3(document) else ""
        findings = self._schema(document)
        if not findings:
            findings = self._assertions(document, volet)
        return Verdict(True, tuple(findings), self.sha256, volet)

    def _schema(self, document: etree._Element) -> list[Finding]:
        if self._xsd.validate(document):
            return []
        return [
            Finding(
                "xsd", "CDA_extended.xsd", ERROR, _place(document, error), _PRIVATE.sub("", error.message), error.line
            )
            for error in self._xsd.error_log  # type: ignore[attr-defined]  # a list of entries; the stubs forget it
        ]

    def _assertions(self, document: etree._Element, volet: str) -> list[Finding]:
        """Return the findings of the families. A rule that cannot be evaluated is a failure, not a pass."""
        findings: list[Finding] = []
        if not self.knows(volet):
            findings.append(Finding("volet", "version", ERROR, "/", "no official rules for this version of the volet"))
            volet = ""
        engine = self._engine(volet)
        read = Document(document)
        for family, hits in zip(engine.families, engine.check(read), strict=True):
            rest = family.remainder.check(document) if family.remainder else []
            if hits is None or rest is None:
                findings.append(Finding(family.step, "evaluation", ERROR, "/", "a rule could not be evaluated"))
                continue
            findings += [_finding(family.step, hit) for hit in hits]
            for pattern, role, place, message in rest:
                findings.append(Finding(family.step, pattern, _level(role), _QUALIFIED.sub("", place), message))
        read.release()
        return findings

    def _engine(self, volet: str) -> Engine:
        if volet not in self._engines:
            wanted = _FAMILIES | ({f"volet {volet}": _VOLET.format(volet)} if volet else {})
            for name, path in wanted.items():
                if name not in self._families:
                    self._families[name] = Family(name.partition(" ")[0], self._folder / path, self._folder)
            self._engines[volet] = Engine([self._families[name] for name in wanted])
        return self._engines[volet]


def _finding(step: str, hit: Hit) -> Finding:
    rule, number, node = hit
    check = rule.checks[number]
    source = node.source
    return Finding(
        step, rule.pattern, _level(check.role), node.path(), rule.message(number, node), source.sourceline or 0
    )


def _level(role: str) -> str:
    return ERROR if role in _BLOCKING else WARNING


def _place(document: etree._Element, error: Any) -> str:
    """Return where the schema found an error: its own paths say `*[3]` for elements of the default namespace."""
    path = _PREFIXED.sub(r"*[local-name()='\1']", error.path or "/*")
    found = document.getroottree().xpath(path)
    return place_of(found[0]) if isinstance(found, list) and found and isinstance(found[0], etree._Element) else "/"
