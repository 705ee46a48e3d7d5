"""Whatever the results, the document says the same: re-read by the standard library, compared with what went in."""

import string
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from labohub.contracts.laboratory import LaboratoryReport, Result
from labohub.standards.cda.builder import build_cr_bio
from tests.support.cda import NS, PDF, XSI_TYPE, CdaView, battery, label_of, model_of, result, results_of

TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co", "Zl", "Zp"), exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=30,
).map(lambda text: " ".join(text.split()) or "x")
NUMBERS = st.from_regex(r"-?(0|[1-9]\d{0,4})(\.\d{1,3})?", fullmatch=True)
UNITS = {"mmol/L": "mmol/L", "G/L": "10*9/L", "µmol/L": "umol/L", "UI/L": "[IU]/L", "{INR}": "", "g/L": "g/L"}
FLAGS = st.sampled_from(["", "N", "H", "L", "HH", "LL", "A"])


@st.composite
def exams(draw: st.DrawFn) -> Result:
    number, unit, flag = draw(NUMBERS), draw(st.sampled_from(sorted(UNITS))), draw(FLAGS)
    low, high = draw(NUMBERS), draw(NUMBERS)
    code = draw(st.text(string.ascii_uppercase, min_size=1, max_size=6))
    loinc = draw(st.sampled_from(["", "2951-2"]))
    return result(
        (code, draw(TEXT), loinc, "Sodium [Moles/Volume]" if loinc else ""),
        number,
        unit,
        flags=(flag,) if flag else (),
        reference_range=draw(st.sampled_from(["", f"{low}-{high}", f"<{high}", "voir commentaire"])),
        status=draw(st.sampled_from("FFFCX")),
        comments=tuple(draw(st.lists(TEXT, max_size=2))),
        method=draw(st.one_of(st.just(""), TEXT)),
    )


REPORTS = st.lists(
    st.lists(exams(), min_size=1, max_size=6).map(lambda each: battery(*each, status="F")), min_size=1, max_size=3
).map(lambda each: results_of(*each))


def expected_value(exam: Result) -> tuple[str, ...] | None:
    unit = UNITS[exam.unit]
    if exam.status == "X":
        return None
    return ("PQ", exam.value, unit) if unit else ("REAL", exam.value, "")


def written_value(observation: ElementTree.Element) -> tuple[str, ...] | None:
    value = observation.find("c:value", NS)
    return None if value is None else (value.get(XSI_TYPE, ""), value.get("value", ""), value.get("unit", ""))


@settings(max_examples=60, deadline=None)
@given(REPORTS)
def test_each_result_is_found_again_with_all_it_says(results: LaboratoryReport) -> None:
    view = CdaView(build_cr_bio(model_of(results), PDF))
    sent = [exam for each in results.batteries for exam in each.results]

    assert len(view.observations) == len(sent)
    for exam, observation in zip(sent, view.observations, strict=True):
        assert written_value(observation) == expected_value(exam)
        state = observation.find("c:statusCode", NS)
        assert state is not None
        assert state.get("code") == ("aborted" if exam.status == "X" else "completed")
        assert exam.local_code is not None
        assert label_of(view, observation) == exam.local_code.label
        flag = observation.find("c:interpretationCode", NS)
        kept = exam.flags if exam.status != "X" else ()
        assert (flag.get("code") if flag is not None else "") == (kept[0] if kept else "")
        code = observation.find("c:code", NS)
        assert code is not None
        assert code.get("code") == (exam.loinc.code if exam.loinc else None)
        translation = code.find("c:translation", NS)
        assert translation is not None
        assert translation.get("code") == exam.local_code.code
        said = [
            view.text(each.get("value", "")[1:])
            for each in observation.findall("c:entryRelationship/c:act/c:text/c:reference", NS)
        ]
        assert said == list(dict.fromkeys(exam.comments))


@settings(max_examples=40, deadline=None)
@given(REPORTS)
def test_every_reference_points_to_one_place_of_the_narrative(results: LaboratoryReport) -> None:
    root = ElementTree.fromstring(build_cr_bio(model_of(results), PDF))
    anchors = [each.get("ID") for each in root.iter() if each.get("ID")]
    pointed = [each.get("value", "")[1:] for each in root.iter("{urn:hl7-org:v3}reference")]

    assert len(anchors) == len(set(anchors))
    assert set(pointed) <= set(anchors)


@settings(max_examples=20, deadline=None)
@given(REPORTS)
def test_the_same_values_give_the_same_bytes(results: LaboratoryReport) -> None:
    assert build_cr_bio(model_of(results), PDF) == build_cr_bio(model_of(results.model_copy(deep=True)), PDF)
