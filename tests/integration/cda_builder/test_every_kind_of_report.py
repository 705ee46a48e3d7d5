"""Reports of every kind, in each edition of the volet: no remark of the reference tool, where it is present."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cda_builder.adapters.pdf import render_report
from cda_builder.core.catalogue import Catalogue, Exam
from cda_builder.core.laboratory import LaboratoryProfile
from cda_builder.core.report import cr_bio
from cda_builder.core.versions import Numbering
from labohub.contracts.laboratory import Attachment, Code, LaboratoryReport, Organisation, PreviousResult, Professional
from labohub.standards.cda.builder import build_cr_bio, build_level_1
from tests.support.cda import (
    BIOLOGIST,
    CISIS,
    IDENTITY,
    POTASSIUM,
    PRESCRIBER,
    PROFILE,
    VALIDATOR,
    battery,
    model_of,
    report_of,
    result,
    results_of,
)
from tests.support.microbiology import antibiogram, antibiotic, culture, electrophoresis, png

TOOL = CISIS.parent / "tools" / "cisis-validate"
EDITIONS = ("2024.01", "2023.01", "2021.01")
PROFILE_WITH_ALL = PROFILE.model_copy(
    update={"accreditation": "8-0000", "automatic_validation": "Résultats libérés par le système expert."}
)
CATALOGUE = Catalogue((Exam(code="X1", loinc="2823-3", loinc_label="Potassium", chapter="18720-3", accredited=False),))
ELSEWHERE = Organisation(
    identifier="990000564",
    identifier_type="FINEG",
    name="BIOSPECIALITES",
    address="2 rue du Centre 75014 PARIS",
    director=Professional(identifier="10000000033", identifier_type="RPPS", family_name="OZANNE", given_name="Éric"),
)
PDF = "JVBERi0xLjQKJSBhcyBpdCBjYW1lCg=="
FIRST = Numbering(1)


def kind(**changes: Any) -> LaboratoryReport:
    return results_of(battery(result(**changes)))


def object_of(media_type: str, data: str, **changes: Any) -> LaboratoryReport:
    attachment = Attachment(media_type=media_type, data=data)
    return kind(value_type="ED", unit="", value="", attachment=attachment, **changes)


def pdf_of(**changes: Any) -> Attachment:
    return Attachment(media_type="application/pdf", data=PDF, **changes)


EARLIER = (
    PreviousResult(value_type="NM", value="135", unit="mmol/L", flags=("L",), observed_at="202511030815"),
    PreviousResult(value_type="NM", value="3.1", unit="g/L", observed_at="20251001"),
)
KINDS = {
    "ordinary": results_of(),
    "microbiology": results_of(culture(), antibiogram("1"), antibiogram("2", antibiotic("Amoxicilline", "^1", "S"))),
    "microbiology under way": results_of(
        culture(status="P"), antibiogram("1", antibiotic("Amoxicilline", "^1", "S", status="P")), partial=True
    ),
    "antibiogram alone": results_of(antibiogram("1")),
    "two specimens": results_of(
        culture(), antibiogram("1"), culture(filler_number="L-2-02", specimens=battery().specimens)
    ),
    "antibiogram to come": results_of(
        culture(), antibiogram("1", antibiotic("Amoxicilline", "", "", status="I"), status="I"), partial=True
    ),
    "given up": results_of(
        battery(), battery(status="X", comments=("Tube vide.",)).model_copy(update={"results": ()})
    ),
    "only germs": results_of(
        culture().model_copy(update={"results": culture().results[1:], "comments": ("Culture mixte.",)})
    ),
    "electrophoresis": results_of(electrophoresis()),
    "two chapters": results_of(battery(), culture(), electrophoresis(), battery(section="HM")),
    "earlier results": kind(previous=EARLIER),
    "earlier words": kind(value_type="ST", value="Négatif", unit="", previous=(
        PreviousResult(value_type="ST", value="Positif", observed_at="20250101"),
        PreviousResult(value_type="SN", value="<^5", observed_at="20240101"),
        PreviousResult(value_type="CE", value="Rares", observed_at="20230101"),
    )),
    "ratio": kind(value_type="SN", value="^1^:^160", unit=""),
    "ratio with a unit": kind(value_type="SN", value="^4^:^76"),
    "interval": kind(value_type="SN", value="^10^-^15", unit="/[HPF]"),
    "bound without unit": kind(value_type="SN", value=">=^8", unit=""),
    "no unit": kind(value="2.1", unit="{INR}", reference_range="2-3"),
    "unknown unit": kind(value="2.1", unit="furlong/L", reference_range="2-3"),
    "coded twice": kind(
        value_type="CWE",
        unit="",
        value_code=Code(code="POS", label="Positif", system="99LAB"),
        value_translations=(Code(code="10828004", label="Positive", system="SCT"),),
    ),
    "coded in words": kind(value_type="CWE", unit="", value_code=Code(code="", label="Lactescent")),
    "formatted text": kind(value_type="FT", unit="", value="Titre\n\nNon réactif & <stable>"),
    "time": kind(value_type="TM", unit="", value="0730"),
    "date": kind(value_type="DT", unit="", value="20260220"),
    "moment": kind(value_type="TS", unit="", value="20260314073000+0100"),
    "person": kind(value_type="XCN", unit="", value="99700002019^TAVERNIER^Luc"),
    "array": kind(value_type="NA", unit="", value="1^2^3~4^5^6"),
    "pointer": kind(value_type="RP", unit="", attachment=Attachment(pointer="https://r.example.org/1")),
    "picture alone": object_of("image/png", png()),
    "other object": object_of("text/html", "PGI+"),
    "text object": object_of("text/plain", "Qm9uam91cg=="),
    "PDF of an exam": object_of("application/pdf", PDF),
    "subcontracted": kind(performer=ELSEWHERE, method="FEIA", comments=("À contrôler.",)),
    "subcontracted by name": kind(performer=Organisation(name="Laboratoire voisin")),
    "PDF of a subcontractor": object_of("application/pdf", PDF, performer=ELSEWHERE),
    "not done": results_of(battery(result(value="", value_type="", status="X", comments=("Hémolyse.",)), status="X")),
    "partial": results_of(battery(result(), result(POTASSIUM, "", status="I"), status="P"), partial=True),
    "only to come": results_of(
        battery(), battery(result(POTASSIUM, "", status="I"), status="I", filler_number="L-2"), partial=True
    ),
    "copies": results_of(copies_to=(PRESCRIBER, VALIDATOR, BIOLOGIST.model_copy(update={"identifier": ""}))),
    "provisional": kind(status="P"),
    "corrected": kind(status="C", comments=("Valeur initiale : 130.",)),
    "without LOINC": results_of(battery(result(("X9", "Examen maison", "", "")), loinc=None)),
    "codes with spaces": results_of(
        battery(result(("HB A1C", "HbA1c", "", "")), code=Code(code="B  1", label="Bilan", system="99 LAB"), loinc=None)
    ),
    "from the catalogue": results_of(battery(result(("X1", "Kaliémie", "", "")), loinc=None)),
    "unknown flags": kind(flags=("H", "MS", "??")),
    "released by a system": kind(validated_by=None),
    "local validator": kind(validated_by=VALIDATOR.model_copy(update={"identifier": "ABC", "identifier_type": "EI"})),
    "words around": results_of(
        battery(clinical_information="Fièvre.\nVoyage récent."),
        conclusion="Sans particularité.",
        comments=("Prélèvement à jeun.",),
        patient_instructions=("Consultez votre médecin.",),
    ),
    "about specimens": results_of(
        battery(specimen_observations=(result(("VOL", "Diurèse", "", ""), "1850", "mL"),)).model_copy(
            update={"specimens": tuple(s.model_copy(update={
                "collected_at": "20260313080000", "collected_until": "20260314080000", "rejected_for": ("Hémolysé",),
                "body_site": Code(code="", label="Bras gauche"),
            }) for s in battery().specimens)}
        )
    ),
    "people of elsewhere": results_of(
        prescriber=Professional(identifier="INT-7", identifier_type="EI", family_name="LOCAL"), visit_number="V-1"
    ),
    "whole report as PDF": results_of(attached_reports=(pdf_of(),)),
    "two PDFs": results_of(attached_reports=(pdf_of(title="Compte rendu"), pdf_of(title="Annexe"))),
}  # fmt: skip
LEVEL_1 = {
    "PDF alone": results_of(battery(result(status="O")), attached_reports=(pdf_of(),)),
    "PDF without battery": LaboratoryReport(
        number="L-1", attached_reports=(pdf_of(),), laboratory=Organisation(identifier="990000127")
    ),
}


def versions() -> Iterator[tuple[str, bytes]]:
    """Yield the versions that follow one another: partial, final, corrected, withdrawn."""
    steps = [
        KINDS["partial"],
        results_of(),
        results_of(battery(result(), result(POTASSIUM, "4.6", status="C"), status="C")),
        results_of(battery(result(status="X"), result(POTASSIUM, status="X", comments=("Retiré.",)), status="C")),
    ]
    before = None
    for number, now in enumerate(steps, 1):
        at = "20260314111230+0100"
        numbering = Numbering(number, "2.25.1.1", number - 1, at, before) if before else Numbering(1)
        yield f"version {number}", document(now, numbering=numbering)
        before = now


def in_edition(volet: str) -> LaboratoryProfile:
    return PROFILE_WITH_ALL.model_copy(update={"volet": volet})


def document(
    results: LaboratoryReport, profile: LaboratoryProfile = PROFILE_WITH_ALL, numbering: Numbering = FIRST
) -> bytes:
    model = cr_bio(report_of(), results, IDENTITY, profile, numbering, catalogue=CATALOGUE)
    pdf = base64.b64decode(model.copy.data) if model.copy else render_report(model)
    return build_cr_bio(model, pdf) if model.chapters else build_level_1(model, pdf)


def remarks(documents: dict[str, bytes], folder: Path) -> dict[str, list[str]]:
    """Return what the reference tool says, by name, where it says anything; every document must be judged."""
    for name, data in documents.items():
        (folder / f"{name}.xml").write_bytes(data)
    done = subprocess.run(
        [sys.executable, str(TOOL), "--strict", "--json", *map(str, sorted(folder.glob("*.xml")))],
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    assert {Path(each["file"]).stem for each in verdicts} == set(documents)
    return {
        Path(each["file"]).stem: [f"{found['step']}: {found['message'][:200]}" for found in each["findings"]]
        for each in verdicts
        if each["findings"]
    }


if TOOL.is_file():

    @pytest.mark.parametrize("volet", EDITIONS)
    def test_every_kind_of_report_passes_the_rules_of_each_edition(volet: str, tmp_path: Path) -> None:
        assert remarks({name: document(results, in_edition(volet)) for name, results in KINDS.items()}, tmp_path) == {}

    def test_sub_chapters_pass(tmp_path: Path) -> None:
        divided = PROFILE_WITH_ALL.model_copy(update={"sub_chapters": True})
        made = {name: document(results, divided) for name, results in KINDS.items() if results.batteries}

        assert remarks(made, tmp_path) == {}
        assert b"1.2.250.1.213.1.1.2.71" in made["two chapters"]
        assert b"1.2.250.1.213.1.1.2.71" not in made["only to come"]

    def test_versions_that_replace_one_another_pass(tmp_path: Path) -> None:
        assert remarks(dict(versions()), tmp_path) == {}

    def test_a_pdf_alone_passes_as_a_document_of_level_1(tmp_path: Path) -> None:
        assert remarks({name: document(results) for name, results in LEVEL_1.items()}, tmp_path) == {}


def test_only_editions_that_know_it_hold_the_copy() -> None:
    copies = {volet: document(results_of(), in_edition(volet)).count(b"55108-5") for volet in EDITIONS}

    assert copies == {"2024.01": 2, "2023.01": 2, "2021.01": 0}


def test_the_laboratorys_own_pdf_is_the_copy_byte_for_byte() -> None:
    assert PDF.encode() in document(KINDS["whole report as PDF"])
    assert model_of(KINDS["two PDFs"]).copy is None
    assert [each.title for each in model_of(KINDS["two PDFs"]).attached] == ["Compte rendu", "Annexe"]
