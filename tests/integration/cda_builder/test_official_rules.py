"""The gate with the official rules, where their folder lies beside the repository (`test_rules.py` has its own)."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cda_builder.adapters.official import OfficialRules
from cda_builder.core.verdict import Verdict
from labohub.contracts.events import DocumentBuilt, DocumentRefused
from labohub.contracts.laboratory import LaboratoryReport
from labohub.standards import xml
from labohub.standards.cda.builder import build_cr_bio
from tests.support.cda import CISIS, OFFICIAL_DOCUMENTS, PDF, CdaRig, model_of, results_of
from tests.support.laboratory_reports import REPORTS

TOOL = CISIS.parent / "tools" / "cisis-validate"
DOCUMENTS = sorted(OFFICIAL_DOCUMENTS.glob("*.xml"))
HERE = CISIS.is_dir()


def findings(verdict: Verdict) -> list[tuple[str, str]]:
    return sorted((each.level, "".join(each.message.split())) for each in verdict.findings)


def of_the_tool(files: list[Path]) -> dict[str, list[tuple[str, str]]]:
    """Return what the reference tool finds with the official rules alone."""
    done = subprocess.run(
        [sys.executable, str(TOOL), "--official", "--json", *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    return {
        each["file"]: sorted((f["severity"], "".join(f["message"].split())) for f in each["findings"])
        for each in reports
    }


if HERE:

    @pytest.fixture(scope="module")
    def rules() -> OfficialRules:
        return OfficialRules(CISIS)

    @pytest.mark.parametrize("results", REPORTS.values(), ids=REPORTS.keys())
    def test_every_kind_of_result_passes_the_official_rules(rules: OfficialRules, results: LaboratoryReport) -> None:
        verdict = rules.check(xml.parse(build_cr_bio(model_of(results), PDF)))

        assert verdict.volet == "2024.01"
        assert findings(verdict) == []

    MUTATIONS = {
        "title": ("Compte rendu d'examens biologiques</title>", "Compte rendu</title>"),
        "ins without birthplace": ("<county>69383</county>", ""),
        "active result": ('<statusCode code="completed"/><effectiveTime value="2', '<statusCode code="active"/>'),
        "unit": ('unit="mmol/L"', 'unit="mmol/l"'),
        "number with a comma": ('value="139"', 'value="1,39"'),
        "no set": ("<setId ", "<setID "),
        "unknown sex": ('administrativeGenderCode code="F"', 'administrativeGenderCode code="X"'),
        "doctor in prefix": ("<given>Yannick", "<prefix>DR</prefix><given>Yannick"),
        "former qualifier": ('qualifier="CL">VASSEUR', 'qualifier="SP">VASSEUR'),
        "no industry": ("<standardIndustryClassCode ", "<standardIndustryClasscode "),
        "specimen template": ("1.2.250.1.213.1.1.3.77", "1.2.250.1.213.1.1.3.78"),
        "flag": ('interpretationCode code="H"', 'interpretationCode code="MS"'),
        "copy title": ("<title>Copie du document</title>", "<title>Copie</title>"),
        "harmless": ("<realmCode", "<!-- --><realmCode"),
    }

    def test_mutations_and_official_documents_get_the_verdict_of_the_reference_tool(
        rules: OfficialRules, tmp_path: Path
    ) -> None:
        files = list(DOCUMENTS)
        made = build_cr_bio(model_of(results_of()), PDF).decode()
        for number, (old, new) in enumerate(MUTATIONS.values()):
            assert old in made
            path = tmp_path / f"{number}.xml"
            path.write_text(made.replace(old, new, 1))
            files.append(path)

        expected = of_the_tool(files)

        for path in files:
            assert findings(rules.check(xml.parse(path.read_bytes()))) == expected[str(path)], path.name
        passed = [
            name for name, path in zip(MUTATIONS, files[len(DOCUMENTS) :], strict=True) if not expected[str(path)]
        ]
        assert passed == ["specimen template", "harmless"]

    @pytest.fixture
    async def rig(tmp_path: Path) -> AsyncIterator[CdaRig]:
        rig = CdaRig(tmp_path, rules=CISIS, processes=1)
        await rig.start()
        yield rig
        await rig.stop()

    async def test_the_gate_in_a_worker_process_passes_and_refuses_with_its_report(rig: CdaRig) -> None:
        made = build_cr_bio(model_of(results_of()), PDF)
        await rig.relay(made, message_id="m-1", report_id="report-1")
        await rig.relay(made.replace(b"Copie du document</title>", b"Copie</title>"), message_id="m-2", report_id="r-2")
        await rig.structure(results_of(), message_id="m-3", report_id="report-3")

        passed, refused, structured = await rig.work()

        assert isinstance(passed, DocumentBuilt)
        assert isinstance(structured, DocumentBuilt)
        assert (passed.conformance, structured.conformance) == ("passed", "passed")
        assert isinstance(refused, DocumentRefused)
        assert refused.code == "cda.not-conformant"
        assert refused.conformance_report is not None
        report = json.loads(await rig.blobs.read(refused.conformance_report))
        assert report["official_rules"] == "applied"
        assert len(report["rules_sha256"]) == 64
        assert any("S_documentPDFCopie" in each["message"] for each in report["findings"])
