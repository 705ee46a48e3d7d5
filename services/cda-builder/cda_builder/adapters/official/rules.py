"""The official rules of one folder, compiled once in a process. For worker processes: each check takes tens of ms."""

import hashlib
import re
from pathlib import Path

from lxml import etree
from saxonche import PySaxonApiError, PySaxonProcessor, PyXslt30Processor, PyXsltExecutable

from cda_builder.adapters.official.compiler import compile_schema
from cda_builder.adapters.official.schema import RulesUnreadable, read_schema
from cda_builder.core.verdict import ERROR, WARNING, Finding, Verdict
from cda_builder.core.volet import is_level_3, volet_of
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
CURRENT = "2024.01"  # the edition that the hub writes
_BLOCKING = frozenset({"", "error", "fatal"})
_QUALIFIED = re.compile(r"Q\{[^}]*\}")
_PRIVATE = re.compile(r"\{urn:[^}]*\}")


class OfficialRules:
    """XSD and schematrons of a folder laid out as the CI-SIS publishes it."""

    def __init__(self, folder: Path) -> None:
        """Read the schema; the rules are compiled when they are first needed. Raises: RulesUnreadable."""
        self._folder = folder
        if not (folder / _XSD).is_file():
            raise RulesUnreadable("LABOHUB_CISIS_DIR holds no infrastructure/cda/CDA_extended.xsd")
        self.sha256 = folder_digest(folder)
        try:
            self._xsd = etree.XMLSchema(etree.parse(str(folder / _XSD)))
        except (etree.XMLSyntaxError, etree.XMLSchemaParseError):
            raise RulesUnreadable("the schema of LABOHUB_CISIS_DIR cannot be read") from None
        self._saxon = PySaxonProcessor(license=False)
        self._compiler: PyXslt30Processor = self._saxon.new_xslt30_processor()
        self._sheets: dict[str, PyXsltExecutable] = {}

    def warm(self) -> None:
        """Compile what the current edition needs; other editions when they are met. Raises: RulesUnreadable."""
        for path in (*_FAMILIES.values(), _VOLET.format(CURRENT)):
            self._sheet(path)

    def check(self, root: etree._Element) -> Verdict:
        """Return what the official rules say of a parsed document. Schematrons only run on what fits the schema."""
        document = document_element(root)
        volet = volet_of(document) if is_level_3(document) else ""
        findings = self._schema(document)
        if not findings:
            families = dict(_FAMILIES)
            if volet:
                families["volet"] = _VOLET.format(volet)
            node = self._saxon.parse_xml(xml_text=etree.tostring(document, encoding="unicode", with_tail=False))
            for step, path in families.items():
                findings += self._schematron(step, path, node)
        return Verdict(True, tuple(findings), self.sha256, volet)

    def _schema(self, document: etree._Element) -> list[Finding]:
        if self._xsd.validate(document):
            return []
        return [
            Finding("xsd", "CDA_extended.xsd", ERROR, f"line {error.line}", _PRIVATE.sub("", error.message))
            for error in self._xsd.error_log  # type: ignore[attr-defined]  # a list of entries; the stubs forget it
        ]

    def _schematron(self, step: str, path: str, node: object) -> list[Finding]:
        """Return the findings of one family. A rule that cannot be evaluated is a failure, not a pass."""
        try:
            result = self._sheet(path).transform_to_string(xdm_node=node)
        except PySaxonApiError:
            return [Finding(step, "evaluation", ERROR, "/", "a rule could not be evaluated")]
        except RulesUnreadable:
            return [Finding(step, "version", ERROR, "/", "no official rules for this version of the volet")]
        return [
            Finding(
                step,
                each.get("pattern", ""),
                ERROR if each.get("role", "") in _BLOCKING else WARNING,
                _QUALIFIED.sub("", each.get("at", "/")),
                " ".join((each.text or "").split()),
            )
            for each in etree.fromstring(result.encode(), etree.XMLParser(huge_tree=True, no_network=True))
        ]

    def _sheet(self, path: str) -> PyXsltExecutable:
        if path not in self._sheets:
            source = self._folder / path
            text = compile_schema(read_schema(source), source).decode()
            try:
                self._sheets[path] = self._compiler.compile_stylesheet(stylesheet_text=text)
            except PySaxonApiError:
                raise RulesUnreadable(f"the official rules do not compile: {source.name}") from None
        return self._sheets[path]


def folder_digest(folder: Path) -> str:
    """Return the SHA-256 of all names and contents of a folder: two installations that agree have the same rules."""
    digest = hashlib.sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
