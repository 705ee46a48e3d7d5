"""The page in Chromium and the PDF say, result by result, what the model says; other people's programs read both."""

import io
import subprocess
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from cda_builder.adapters.pdf import render_report
from labohub.contracts.values import Identity, IdentityStatus
from labohub.standards.cda.builder import CrBio, Observation, build_cr_bio
from labohub.standards.cda.builder.times import french_time
from labohub.standards.cda.builder.words import interpretation_text, specimen_line, state_text
from labohub.standards.cda.presentation import to_html
from labohub.standards.ins.datamatrix import datamatrix_text
from tests.support.cda import IDENTITY, CdaView
from tests.support.scanner import scanned_page
from tests.support.showcase import ALL, LABORATORY, showcase

CHROMIUM = "/usr/bin/chromium"
FORMS = ("page", "pdf")


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": 1000, "height": 800}, java_script_enabled=True)
        browser.close()


def squeezed(text: str) -> str:
    return "".join(text.split())


def said(form: str, report: CrBio, page: Page) -> str:
    """Return all words of a form, in the order they are read, without any space."""
    pdf = render_report(report, LABORATORY.theme)
    if form == "pdf":
        done = subprocess.run(["pdftotext", "-raw", "-", "-"], input=pdf, capture_output=True, check=True)
        return squeezed(done.stdout.decode())
    page.set_content(to_html(build_cr_bio(report, pdf), LABORATORY.theme).decode())
    return squeezed(page.locator("body").inner_text())


def observations(report: CrBio) -> list[Observation]:
    return [each for chapter in report.chapters for battery in chapter.batteries for each in battery.everything()]


def facts(observation: Observation) -> list[str]:
    """Return what must stand beside the name of a result."""
    value = state_text(observation) if observation.aborted else observation.printed
    words = [value, observation.printed_unit, observation.range.printed if observation.range else ""]
    if observation.interpretations[:1] != ("N",):
        words.append(interpretation_text(observation))
    words += [state_text(observation).capitalize() if not observation.aborted else "", *observation.comments]
    words += [observation.subcontractor.name] if observation.subcontractor else []
    words += [part for each in observation.previous for part in (each.printed, french_time(each.effective_time))]
    return [squeezed(word) for word in words if word]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ALL)
def test_each_result_stands_with_its_own_facts(kind: str, form: str, page: Page) -> None:
    report = showcase(kind)
    text, place = said(form, report, page), 0
    found = observations(report)
    starts = []
    for each in found:
        place = text.index(squeezed(each.label), place)
        starts.append(place)
        place += len(squeezed(each.label))
    missing = []
    for each, start, end in zip(found, starts, [*starts[1:], len(text)], strict=True):
        own = text[start:end]
        missing += [(each.label, fact) for fact in facts(each) if fact not in own]
    assert missing == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ALL)
def test_what_is_said_of_the_whole_is_there(kind: str, form: str, page: Page) -> None:
    report = showcase(kind)
    text = said(form, report, page)
    patient, laboratory = report.patient, report.laboratory
    assert patient.ins is not None
    assert report.prescriber is not None
    words = [
        patient.family_birth,
        patient.family_used,
        patient.given_list,
        french_time(patient.birth_date),
        patient.birth_place,
        patient.ins.extension,
        patient.ins.root,
        *(each.extension for each in patient.local_ids),
        laboratory.name,
        *laboratory.address,
        *(each.partition(":")[2] for each in laboratory.telecoms),
        "8-0000",
        report.biologist.printed,
        report.prescriber.printed,
        *(each.printed for each in report.recipients),
        report.demand.extension,
        french_time(report.started_at),
        french_time(report.ended_at),
        french_time(report.effective_time),
        report.id,
        *report.mentions,
        *(line for note in (*report.opening, *report.closing) for line in (note.title, *note.lines)),
        *(chapter.title for chapter in report.chapters),
    ]
    for chapter in report.chapters:
        for battery in chapter.batteries:
            words += [] if battery.single else [battery.label]
            words += [*battery.comments, *battery.pending, *(specimen_line(each) for each in battery.specimens)]
            words += [isolate.label for isolate in battery.isolates]
        words += [f"Validé par {each.by.printed} le {french_time(each.at)}" for each in chapter.validations]
    assert [word for word in words if squeezed(word) not in text] == []


@pytest.mark.parametrize("form", FORMS)
def test_an_identity_that_is_not_qualified_is_said_and_shows_no_matricule(form: str, page: Page) -> None:
    provisional: Identity = IDENTITY.model_copy(update={"status": IdentityStatus.PROVISOIRE, "ins": None})

    text = said(form, showcase("biochemistry", identity=provisional), page)

    assert "nonqualifiée(INSabsente)" in text
    assert "2850769383142" not in text
    assert "VASSEURÉLODIE" in text


def test_the_symbol_on_paper_is_the_datamatrix_ins_of_a_qualified_identity_alone() -> None:
    patient = showcase("biochemistry").patient
    assert patient.ins is not None
    expected = datamatrix_text(
        patient.ins.extension,
        patient.ins.root,
        given_names=patient.given_list,
        birth_name=patient.family_birth,
        sex=patient.gender,
        birth_date=patient.birth_date,
        birth_place=patient.birth_place,
    )

    assert scanned_page(first_page(render_report(showcase("biochemistry")))) == expected
    unqualified = showcase("biochemistry", identity=IDENTITY.model_copy(update={"ins": None}))
    assert scanned_page(first_page(render_report(unqualified))) == ""


def first_page(pdf: bytes) -> Image.Image:
    command = ["pdftoppm", "-r", "150", "-singlefile", "-png", "-"]
    return Image.open(io.BytesIO(subprocess.run(command, input=pdf, capture_output=True, check=True).stdout))


def test_a_custodian_has_one_telecom_though_the_laboratory_has_more() -> None:
    view = CdaView(build_cr_bio(showcase("biochemistry"), b"%PDF-1.4"))

    custodian = "c:custodian/c:assignedCustodian/c:representedCustodianOrganization/c:telecom"
    assert [each.get("value") for each in view.all(custodian)] == ["tel:0400000001"]
    performer = "c:documentationOf/c:serviceEvent/c:performer/c:assignedEntity/c:representedOrganization/c:telecom"
    assert len(view.all(performer)) == 2
