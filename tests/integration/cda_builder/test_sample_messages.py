"""Result messages of the shared samples, where they are present: read, built, judged by the reference tool, re-read."""

import base64
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cda_builder.adapters.pdf import render_report
from cda_builder.core.report import cr_bio
from cda_builder.core.versions import Numbering
from ingest_hl7.core.decision import Receipt, Structured
from ingest_hl7.core.senders import Sender
from ingest_hl7.core.structuring import decide
from labohub.contracts.laboratory import LaboratoryReport
from labohub.contracts.values import Identity, IdentityStatus, Report
from labohub.standards.cda.builder import build_cr_bio, build_level_1
from labohub.standards.er7 import read
from tests.support import cda_reader, hl7_facts, ltw_messages
from tests.support.cda import CISIS, IDENTITY, PROFILE
from tests.support.hl7_against_cda import differences
from tests.support.ltw_messages import SODIUM, message, obx, order

MESSAGES = sorted((CISIS.parent / "data" / "hl7" / "ltw").glob("*ORU_R01*.hl7"))
WHOLE_REPORT = "11502-2"
TOOL = CISIS.parent / "tools" / "cisis-validate"
SENDER = Sender(
    application="*", facility="*", to_patient=True, report_policy="partial", whole_report_codes=(WHOLE_REPORT,)
)
WITHDRAWN = "21_"  # everything in it was withdrawn before anything was published
ENCODINGS = {"22_": "iso8859-1", "23_": "iso8859-15"}


def parts() -> list[tuple[str, bytes]]:
    """Return every result message, those of the batch one by one."""
    return [
        (f"{file.stem}-{number}", b"MSH|" + part.split(b"BTS|")[0])
        for file in MESSAGES
        for number, part in enumerate(file.read_bytes().split(b"MSH|")[1:])
        if not file.name.startswith(WITHDRAWN)
    ]


def decided(raw: bytes) -> tuple[Report, LaboratoryReport] | None:
    """Return the report that a message makes and its results, if it makes one."""
    receipt = Receipt("m-1", "key", datetime(2026, 3, 18, 10, 20, tzinfo=UTC))
    decision = decide(read(raw), receipt, SENDER, "test")
    if not isinstance(decision, Structured) or decision.results is None:
        return None
    return decision.report, decision.results


def built(report: Report, results: LaboratoryReport) -> bytes:
    """Return the document, as if INSi had confirmed the identity."""
    patient = report.patient
    identity = Identity(
        status=IdentityStatus.QUALIFIEE if patient.ins else IdentityStatus.PROVISOIRE,
        traits=patient.traits,
        ins=patient.ins,
        local_ids=patient.local_ids,
    )
    model = cr_bio(report, results, identity, PROFILE, Numbering(1))
    return build_cr_bio(model, base64.b64decode(model.copy.data) if model.copy else render_report(model))


def remarks(files: list[Path]) -> dict[str, list[dict[str, str]]]:
    """Return what the reference tool says, by file, where it says anything; every file must be judged."""
    done = subprocess.run(
        [sys.executable, str(TOOL), "--strict", "--json", *map(str, files)], capture_output=True, text=True, check=False
    )
    verdicts = {Path(each["file"]).stem: each["findings"] for each in map(json.loads, done.stdout.splitlines())}
    assert len(verdicts) == len(files)
    return {name: findings for name, findings in verdicts.items() if findings}


@pytest.mark.parametrize(("name", "raw"), ltw_messages.MESSAGES.items(), ids=ltw_messages.MESSAGES.keys())
def test_every_fact_of_our_own_messages_is_in_their_documents(name: str, raw: bytes) -> None:
    decision = decided(raw)
    assert decision is not None, name
    said, pending = hl7_facts.read(raw, "utf-8")

    assert len(said) >= 3
    assert differences(said, pending, cda_reader.read(built(*decision))) == []


def test_instructions_to_the_patient_have_their_own_place() -> None:
    instruction, remark = "NTE|1|L|À refaire dans un mois.|PI^^HL70364", "NTE|1|L|Contrôlé.|RE^Remark^HL70364"
    raw = message(order("A1", "IONO^Ionogramme^99P", obx(1, "NM", SODIUM, "139", f6="mmol/L"), remark, instruction))
    decision = decided(raw)
    assert decision is not None

    reading = cda_reader.read(built(*decision))

    assert reading.notes["Instructions au patient"] == "À refaire dans un mois."
    assert reading.facts[0].comments == ("Contrôlé.",)


def test_a_message_with_nothing_but_the_whole_report_as_pdf_is_a_document_of_level_1() -> None:
    pdf = base64.b64encode(b"%PDF-1.4\n% whole\n%%EOF").decode()
    raw = message(
        order("A1", "CR^Compte rendu^99P", obx(1, "ED", f"{WHOLE_REPORT}^CR^LN", f"SGL^application^pdf^Base64^{pdf}"))
    )
    decision = decided(raw)
    assert decision is not None

    model = cr_bio(*decision, IDENTITY, PROFILE, Numbering(1))

    assert model.chapters == ()
    assert model.copy is not None
    assert pdf.encode() in build_level_1(model, base64.b64decode(model.copy.data))


if TOOL.is_file():

    def test_our_own_messages_give_documents_without_any_remark(tmp_path: Path) -> None:
        files = []
        for rank, raw in enumerate(ltw_messages.MESSAGES.values()):
            decision = decided(raw)
            assert decision is not None
            files.append(tmp_path / f"{rank}.xml")
            files[-1].write_bytes(built(*decision))

        assert remarks(files) == {}


if MESSAGES:

    def test_every_result_message_gives_a_document_without_any_remark(tmp_path: Path) -> None:
        files = []
        for name, raw in parts():
            decision = decided(raw)
            if decision is None or not decision[0].patient.ins:
                continue  # kept by the intake, or without an identity to qualify
            files.append(tmp_path / f"{name}.xml")
            files[-1].write_bytes(built(*decision))

        assert len(files) >= 15
        assert remarks(files) == {}

    @pytest.mark.parametrize(("name", "raw"), parts(), ids=[name for name, _ in parts()])
    def test_every_fact_of_a_message_is_in_its_document_and_nothing_else(name: str, raw: bytes) -> None:
        decision = decided(raw)
        if decision is None:
            assert name.startswith(("10a", "20_", "24_"))  # kept until it is complete
            return
        encoding = next((each for start, each in ENCODINGS.items() if name.startswith(start)), "utf-8")
        said, pending = hl7_facts.read(raw, encoding)

        document = cda_reader.read(built(*decision))

        if decision[1].attached_reports:  # not a result: it is the copy
            said = [each for each in said if each.loinc != WHOLE_REPORT]
        assert differences(said, pending, document) == []
        assert {(number, nature) for number, nature, _ in document.specimens} == hl7_facts.specimens(raw, encoding)

    CHANGES = {
        "a digit": ('value="82.0"', 'value="82.1"'),
        "a unit": ('value="49.5" unit="%"', 'value="49.5" unit="g/L"'),
        "a flag": ('interpretationCode code="H"', 'interpretationCode code="L"'),
        "a bound": ('low value="55.8"', 'low value="55.9"'),
        "a status": (
            'statusCode code="completed"/><effectiveTime value="20260313',
            'statusCode code="aborted"/><effectiveTime value="20260313',
        ),
        "a code": ('code="2874-6"', 'code="2874-7"'),
        "a word": ("Une immunofixation est", "Une immunofixation fut"),
        "a method": ("Électrophorèse capillaire</content>", "Électrophorèse</content>"),
    }

    @pytest.mark.parametrize(("true", "false"), CHANGES.values(), ids=CHANGES.keys())
    def test_the_comparison_sees_any_change(true: str, false: str) -> None:
        (raw,) = [raw for name, raw in parts() if name.startswith("15_")]
        decision = decided(raw)
        assert decision is not None
        said, pending = hl7_facts.read(raw, "utf-8")
        said = [each for each in said if each.loinc != WHOLE_REPORT]
        document = built(*decision).decode()
        assert true in document

        found = differences(said, pending, cda_reader.read(document.replace(true, false, 1).encode()))

        assert len(found) >= 1
