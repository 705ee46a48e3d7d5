"""A folder of rules laid out as the official ones, made here: schema first, then families, then the volet declared."""

from pathlib import Path

import pytest

from cda_builder.adapters.gate import Gate
from cda_builder.adapters.official import OfficialRules
from cda_builder.adapters.official.schema import RulesUnreadable
from cda_builder.adapters.rules_folder import checked_folders
from labohub.standards import xml
from labohub.standards.cda import read_header

SCHEMA = """<schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:hl7-org:v3"
  xmlns:c="urn:hl7-org:v3" elementFormDefault="qualified"><element name="ClinicalDocument"><complexType><sequence>
  <element name="templateId" maxOccurs="9"><complexType><attribute name="root"/><attribute name="extension"/>
  </complexType></element><element name="id"><complexType><attribute name="root"/></complexType></element>
  <element name="component" minOccurs="0"><complexType><sequence><any processContents="skip"/></sequence>
  </complexType></element></sequence></complexType></element></schema>"""
SCHEMATRON = """<schema xmlns="http://purl.oclc.org/dsdl/schematron" queryBinding="xslt2">
  <ns prefix="c" uri="urn:hl7-org:v3"/>{}</schema>"""
NOTHING = '<pattern><rule context="c:nobody"><assert test="@x">x</assert></rule></pattern>'
NO_OID = """<pattern id="oid"><rule context="c:ClinicalDocument/c:id"><assert test="matches(@root, '^[0-9.]+$')">
  no OID: <value-of select="@root"/></assert>
  <report test="@root = '1'" role="warning">short</report></rule></pattern>"""
FOR_SAXON = """<pattern id="axis"><rule context="c:id/@root"><report test=". = '9'">nine</report></rule></pattern>"""
FAMILIES = {
    "schematrons/profils/structurationMinimale/ASIP-STRUCT-MIN-StrucMin.sch": NO_OID,
    "schematrons/profils/IHE.sch": FOR_SAXON,
    "schematrons/profils/CI-SIS_ModelesDeContenusCDA.sch": NOTHING,
    "schematrons/profils/CI-SIS_Modeles_ANS.sch": NOTHING,
    "schematrons/profils/terminologies/schematron/terminologie.sch": NOTHING,
}
DOCUMENT = """<ClinicalDocument xmlns="urn:hl7-org:v3">
  <templateId root="1.2.250.1.213.1.1.1.55" extension="{volet}"/>
  <id root="{root}"/>
  <component><structuredBody/></component>
</ClinicalDocument>"""


def rules_folder(folder: Path, *volets: str) -> Path:
    """Return a folder of rules that know these versions of the volet: each says its own."""
    saying = '<pattern id="v"><rule context="c:id"><report test="true()" role="info">{}</report></rule></pattern>'
    files = {path: SCHEMATRON.format(body) for path, body in FAMILIES.items()}
    files |= {
        f"schematrons/CI-SIS_BIO-CR-BIO_{volet}.sch": SCHEMATRON.format(saying.format(f"{folder.name} {volet}"))
        for volet in volets
    }
    for path, text in {**files, "infrastructure/cda/CDA_extended.xsd": SCHEMA, "jeuxDeValeurs/a.xml": "<a/>"}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def found(rules: OfficialRules, root: str = "1.2.3", volet: str = "2024.01") -> list[tuple[str, ...]]:
    verdict = rules.check(xml.parse(DOCUMENT.format(root=root, volet=volet).encode()))
    return [
        (each.step, each.rule, each.level, each.location, each.message, str(each.line)) for each in verdict.findings
    ]


def test_each_family_speaks_with_its_place_and_its_line(tmp_path: Path) -> None:
    rules = OfficialRules(rules_folder(tmp_path / "r", "2024.01"))
    place, said = (
        "/ClinicalDocument[1]/id[1]",
        ("volet", "v", "warning", "/ClinicalDocument[1]/id[1]", "r 2024.01", "3"),
    )

    assert found(rules) == [said]
    assert found(rules, "x") == [("strucmin", "oid", "error", place, "no OID: x", "3"), said]
    assert found(rules, "1") == [("strucmin", "oid", "warning", place, "short", "3"), said]


def test_what_is_not_translated_speaks_through_saxon(tmp_path: Path) -> None:
    rules = OfficialRules(rules_folder(tmp_path / "r", "2024.01"))

    assert ("ihe", "axis", "error", "/ClinicalDocument[1]/id[1]/@root", "nine", "0") in found(rules, "9")


def test_a_document_that_does_not_fit_the_schema_is_not_run_further(tmp_path: Path) -> None:
    rules = OfficialRules(rules_folder(tmp_path / "r", "2024.01"))
    document = DOCUMENT.format(root="x", volet="2024.01").replace("<id ", "<other ")

    (finding,) = rules.check(xml.parse(document.encode())).findings

    assert (finding.step, finding.location, finding.line) == ("xsd", "/ClinicalDocument/other", 3)


@pytest.mark.parametrize("volet", ["2031.01", "../../x", "x" * 4000])
def test_a_version_without_rules_is_an_error_never_a_pass(tmp_path: Path, volet: str) -> None:
    rules = OfficialRules(rules_folder(tmp_path / "r", "2024.01"))

    assert ("volet", "version", "error") in [each[:3] for each in found(rules, volet=volet)]


def test_of_several_folders_the_first_that_knows_the_version_speaks(tmp_path: Path) -> None:
    old, new = (
        rules_folder(tmp_path / "old", "2023.01", "2024.01"),
        rules_folder(tmp_path / "new", "2024.01", "2026.01"),
    )
    gate = Gate((*checked_folders(old), *checked_folders(new)))

    def spoke(volet: str) -> str:
        root = xml.parse(DOCUMENT.format(root="1.2.3", volet=volet).encode())
        return next((each.message for each in gate.verdict(root, read_header(root)).findings if each.rule == "v"), "")

    assert [spoke(volet) for volet in ("2023.01", "2024.01", "2026.01", "2031.01")] == [
        "old 2023.01",
        "old 2024.01",
        "new 2026.01",
        "",
    ]


@pytest.mark.parametrize("path", ["infrastructure/cda/CDA_extended.xsd", "schematrons/profils/IHE.sch"])
def test_rules_that_cannot_be_read_stop_the_start(tmp_path: Path, path: str) -> None:
    folder = rules_folder(tmp_path / "r", "2024.01")
    (folder / path).write_text("<broken")

    with pytest.raises(RulesUnreadable):
        OfficialRules(folder).warm()
