"""Whatever the results, the document says the same: re-read by a reader written apart, compared with what went in."""

import string
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from labohub.contracts.laboratory import (
    Attachment,
    Battery,
    Code,
    LaboratoryReport,
    Organisation,
    ParentResult,
    PreviousResult,
    Result,
)
from labohub.standards.cda.builder import build_cr_bio
from tests.support import cda_reader
from tests.support.cda import CISIS, PDF, battery, model_of, result, results_of
from tests.support.cda_reader import Fact
from tests.support.microbiology import CULTURE, png

TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co", "Zl", "Zp"), exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=30,
).map(lambda text: " ".join(text.split()) or "x")
NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,4})(\.[0-9]{1,3})?", fullmatch=True)
UNITS = {"mmol/L": "mmol/L", "G/L": "10*9/L", "µmol/L": "umol/L", "UI/L": "[IU]/L", "{INR}": "", "g/L": "g/L"}
FLAGS = st.sampled_from(["", "N", "H", "L", "HH", "LL", "A"])


NAMES = st.text(string.ascii_letters, min_size=1, max_size=12)
SIGNS = ("<", "<=", ">", ">=", "", "=")


@st.composite
def values(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a value of any type."""
    kind = draw(st.sampled_from(["NM", "NM", "SN", "ratio", "interval", "ST", "CE", "words", "DT", "ED"]))
    number, other, unit = draw(NUMBERS), draw(NUMBERS), draw(st.sampled_from(sorted(UNITS)))
    match kind:
        case "NM":
            return {"value_type": "NM", "value": number, "unit": unit}
        case "SN":
            return {"value_type": "SN", "value": f"{draw(st.sampled_from(SIGNS))}^{number}", "unit": unit}
        case "ratio":
            return {"value_type": "SN", "value": f"^{number}^:^{other}", "unit": unit}
        case "interval":
            return {"value_type": "SN", "value": f"^{number}^-^{other}", "unit": unit}
        case "CE":
            code = Code(code=draw(NAMES), label=draw(TEXT), system=draw(st.sampled_from(["SCT", "99LAB"])))
            return {"value_type": "CE", "value": "", "value_code": code, "unit": ""}
        case "words":
            code = Code(code="", label=draw(TEXT))
            return {"value_type": "CWE", "value": "", "value_code": code, "unit": ""}
        case "DT":
            return {"value_type": "DT", "value": "20260220", "unit": ""}
        case "ED":
            picture = Attachment(media_type="image/png", data=png())
            return {"value_type": "ED", "value": "", "attachment": picture, "unit": ""}
    return {"value_type": "ST", "value": draw(TEXT), "unit": ""}


@st.composite
def exams(draw: st.DrawFn, sub_id: str = "") -> Result:
    flag, low, high = draw(FLAGS), draw(NUMBERS), draw(NUMBERS)
    loinc = draw(st.sampled_from(["", "2951-2"]))
    written = draw(values())
    earlier = PreviousResult(value_type="NM", value=low, unit=str(written["unit"]), observed_at="20251103")
    return result(
        (draw(NAMES), draw(TEXT), loinc, "Sodium [Moles/Volume]" if loinc else ""),
        **{
            **written,
            "sub_id": sub_id,
            "flags": (flag,) if flag else (),
            "reference_range": draw(st.sampled_from(["", f"{low}-{high}", f"<{high}", "voir commentaire"])),
            "status": draw(st.sampled_from("FFFCPX")),
            "comments": tuple(draw(st.lists(TEXT, max_size=2))),
            "method": draw(st.one_of(st.just(""), TEXT)),
            "previous": draw(st.sampled_from([(), (earlier,)])),
            "performer": draw(st.sampled_from([None, Organisation(identifier="990000564", name="AILLEURS")])),
        },
    )


@st.composite
def cultures(draw: st.DrawFn) -> list[Battery]:
    """Draw a culture with its germs, and antibiograms of some of them, in any order."""
    order = draw(st.uuids()).hex
    germs = draw(st.lists(TEXT, min_size=1, max_size=3))
    results = list(draw(st.lists(exams(), max_size=2)))
    batteries = []
    for number, name in enumerate(germs, 1):
        sub_id = str(number)
        code = Code(code=draw(NAMES), label=name, system=draw(st.sampled_from(["SCT", "99LAB"])))
        results.append(result(CULTURE, "", "", value_type="CE", value_code=code, sub_id=sub_id))
        results += draw(st.lists(exams(sub_id), max_size=2))
        if draw(st.booleans()):
            parent = ParentResult(code=Code(code="CULT"), sub_id=sub_id, filler_number=order, text=name)
            antibiotics = draw(st.lists(exams(), min_size=1, max_size=3))
            code = Code(code="ATB", label="Antibiogramme", system="99LAB")
            batteries.append(battery(*antibiotics, code=code, loinc=None, section="MB", parent=parent, specimens=()))
    batteries.insert(draw(st.integers(0, len(batteries))), battery(*results, section="MB", filler_number=order))
    return batteries


ORDINARY = st.lists(exams(), min_size=1, max_size=6).map(lambda each: [battery(*each, status="F")])
REPORTS = st.lists(st.one_of(ORDINARY, cultures()), min_size=1, max_size=3).map(
    lambda groups: results_of(*(each for group in groups for each in group))
)


def expected(exam: Result, germ: str) -> dict[str, object]:
    """Return what the document must say of a result."""
    aborted = exam.status == "X"
    assert exam.local_code is not None
    return {
        "names": {exam.local_code.label, f"{exam.local_code.label} ({exam.sub_id})"},
        "loinc": exam.loinc.code if exam.loinc else "",
        "local": exam.local_code.code,
        "status": "aborted" if aborted else "completed",
        "value": ("", "", "") if aborted else expected_value(exam),
        "flag": "" if aborted else (exam.flags or ("",))[0],
        "range": "" if aborted else exam.reference_range,
        "method": exam.method,
        "performer": exam.performer.name if exam.performer else "",
        "comments": tuple(dict.fromkeys(exam.comments)),
        "earlier": () if aborted else tuple(each.value for each in exam.previous),
        "picture": exam.attachment is not None and not aborted,
        "germ": germ,
    }


def expected_value(exam: Result) -> tuple[str, str, str]:
    if exam.attachment:
        return "ST", "Voir l'image", ""
    if exam.value_type in ("CE", "CWE"):
        assert exam.value_code is not None
        return "CD", exam.value_code.label, ""
    if exam.value_type == "DT":
        return "TS", exam.value, ""
    if exam.value_type == "ST":
        return "ST", exam.value, ""
    unit = UNITS[exam.unit]
    sign, low, separator, high = (
        (*exam.value.split("^"), "", "", "")[:4] if exam.value_type == "SN" else ("", exam.value, "", "")
    )
    if separator:
        return ("IVL_PQ" if separator == "-" else "RTO_PQ_PQ"), f"{low}{separator}{high}", unit
    if sign in ("", "="):
        return ("PQ", low, unit) if unit else ("REAL", low, "")
    return "IVL_PQ", f"{sign}{low}", unit


def told(fact: Fact) -> dict[str, object]:
    return {
        "loinc": fact.loinc,
        "local": fact.local,
        "status": fact.status,
        "value": (fact.kind, fact.value, fact.unit),
        "flag": fact.flag,
        "range": fact.range_words,
        "method": fact.method,
        "performer": fact.performer,
        "comments": fact.comments,
        "earlier": tuple(value for value, _, _ in fact.previous),
        "picture": fact.has_image,
        "germ": fact.germ,
    }


def sent(report: LaboratoryReport) -> list[dict[str, object]]:
    """Return what must be found, with the germ that each result belongs to, by the message's own numbers."""
    organisms = {
        (each.filler_number, exam.sub_id): exam.value_code.label
        for each in report.batteries
        for exam in each.results
        if exam.loinc and exam.loinc.code == CULTURE[2] and exam.value_code
    }
    found = []
    for each in report.batteries:
        order, sub_id = (each.parent.filler_number, each.parent.sub_id) if each.parent else (each.filler_number, "")
        found += [expected(exam, organisms.get((order, sub_id or exam.sub_id), "")) for exam in each.results]
    return found


@settings(max_examples=30, deadline=None)
@given(REPORTS)
def test_each_result_is_found_again_with_all_it_says(results: LaboratoryReport) -> None:
    facts = cda_reader.read(build_cr_bio(model_of(results), PDF)).facts
    left = [(fact.name, told(fact)) for fact in facts]

    for wanted in sent(results):
        names = wanted.pop("names")
        assert isinstance(names, set)
        match = next((each for each in left if each[0] in names and each[1] == wanted), None)
        assert match is not None, wanted
        left.remove(match)
    assert left == []


@settings(max_examples=10, deadline=None)
@given(REPORTS)
def test_every_reference_points_to_one_place_of_the_narrative(results: LaboratoryReport) -> None:
    root = etree.fromstring(build_cr_bio(model_of(results), PDF))
    anchors = [each.get("ID") for each in root.iter() if each.get("ID")]
    pointed = [each.get("value", "")[1:] for each in root.iter("{urn:hl7-org:v3}reference")]

    assert len(anchors) == len(set(anchors))
    assert set(pointed) <= set(anchors)


@settings(max_examples=10, deadline=None)
@given(REPORTS)
def test_the_same_values_give_the_same_bytes(results: LaboratoryReport) -> None:
    assert build_cr_bio(model_of(results), PDF) == build_cr_bio(model_of(results.model_copy(deep=True)), PDF)


if CISIS.is_dir():
    SCHEMA = etree.XMLSchema(etree.parse(CISIS / "infrastructure" / "cda" / "CDA_extended.xsd"))

    @settings(max_examples=30, deadline=None)
    @given(REPORTS)
    def test_every_document_is_valid_by_the_schema(results: LaboratoryReport) -> None:
        SCHEMA.assertValid(etree.fromstring(build_cr_bio(model_of(results), PDF)))
