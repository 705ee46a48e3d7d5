"""Answers against the official schemas, when they lie beside the repository."""

from pathlib import Path

import pytest

from ins_qualifier.adapters.insi_schemas import AnswerSchemas
from ins_qualifier.ports import Conformance, InsiMisconfigured
from labosim.identities import PUBLIC, generated_identity
from labosim.insi import answers
from labosim.insi.faults import KNOWN, envelope

OFFICIAL = Path(__file__).parents[5] / "shared/insi"
SCHEMAS = AnswerSchemas(OFFICIAL if OFFICIAL.exists() else None)
SAMPLES = sorted((OFFICIAL / "samples").glob("[co]*/*.xml"))  # none where the package is not beside
STRAY = {"fault_receiver_siram40_insi102.xml", "cnda-2021/TEST_2.04_cas2.xml"}  # known departures of real answers


def expected(verdict: Conformance) -> Conformance:
    return verdict if OFFICIAL.exists() else Conformance.NOT_CHECKED


def test_every_official_sample_is_valid_but_those_known_to_stray() -> None:
    invalid = {
        sample.name if sample.parent.name != "cnda-2021" else f"cnda-2021/{sample.name}"
        for sample in SAMPLES
        if SCHEMAS.judge(sample.read_bytes().strip()) is not Conformance.VALID
    }

    assert invalid == (STRAY if SAMPLES else set())


@pytest.mark.parametrize("flaw", ["", *answers.FLAWS])
def test_the_simulators_answers_are_valid_but_the_disordered_one(flaw: str) -> None:
    verdict = Conformance.INVALID if flaw == "disordered" else Conformance.VALID

    for found in ([], [generated_identity(1)], [PUBLIC[6]], [generated_identity(1), generated_identity(2)]):
        _, answer = answers.result(found, flaw=flaw)
        is_flawed = flaw and len(found) == 1
        assert SCHEMAS.judge(answer) is expected(verdict if is_flawed else Conformance.VALID)


@pytest.mark.parametrize("code", KNOWN)
def test_the_simulators_faults_are_valid_but_those_that_say_fatal(code: str) -> None:
    fault = KNOWN[code]

    verdict = SCHEMAS.judge(envelope(fault, "text", "uuid:1"))

    assert verdict is expected(Conformance.INVALID if fault.severity == "fatal" else Conformance.VALID)


def test_another_document_is_not_an_answer() -> None:
    assert SCHEMAS.judge(b"<html/>") is expected(Conformance.INVALID)
    other = answers.envelope("01").replace(b"RESULTAT", b"REPUnitaire")
    assert SCHEMAS.judge(other) is expected(Conformance.INVALID)


def test_without_the_schemas_nothing_is_judged_and_a_wrong_folder_is_refused(tmp_path: Path) -> None:
    assert AnswerSchemas(None).judge(answers.envelope("01")) is Conformance.NOT_CHECKED
    with pytest.raises(InsiMisconfigured) as error:
        AnswerSchemas(tmp_path)
    assert str(tmp_path) not in str(error.value)
