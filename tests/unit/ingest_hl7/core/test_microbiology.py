"""An antibiogram belongs to the isolate it names, and to no other."""

import pytest

from ingest_hl7.core import microbiology
from ingest_hl7.core.decision import Structured
from ingest_hl7.core.senders import Sender
from ingest_hl7.core.structuring import Known, conclude, decide
from tests.support.ltw import obr, obx, orc, oru, read, receipt

CULTURE = "CULT^Culture^99REM^630-4^Bactérie identifiée^LN"
NAMED = "CULT&Culture&99REM&630-4&Bactérie identifiée&LN"
ATB = "ATB^Antibiogramme^99REM^18769-0^Antibiogramme^LN"


def isolate(number: str, name: str = "ECOLI^Escherichia coli^99REM", code: str = CULTURE) -> str:
    return obx(code, name, kind="CE", sub_id=number, unit="")


def child(number: str, sub_id: str, *, named: str = NAMED, order: str = "P-F1^F1") -> tuple[str, ...]:
    parent = f"{named}^{sub_id}^Escherichia coli" if named or sub_id else ""
    return (
        orc(number, parent=order),
        obr(number, code=ATB, section="MB", parent=parent, parent_order=order),
        obx("AMX^Amoxicilline^99REM", "<=^1", kind="SN", unit="mg/L^mg/L^UCUM", flags="S"),
    )


PARENT = (orc(), obr(code="ECBU^ECBU^99REM", section="MB"), isolate("1"), isolate("2", "EFAEC^E. faecalis^99REM"))


def decided(raw: bytes) -> Structured:
    found = decide(read(raw), receipt(), Sender(), "test")
    assert isinstance(found, Structured)
    return found


ATTACHED = {
    "by its filler number": child("F2", "2"),
    "by its placer number": child("F2", "2", order="P-F1"),
    "by the alternate code": child("F2", "2", named="630-4&Bactérie identifiée&LN"),
    "by the code alone": child("F2", "2", named="CULT"),
    "by its isolate alone, when only one order has it": child("F2", "2", order=""),
}


@pytest.mark.parametrize("name", sorted(ATTACHED))
@pytest.mark.parametrize("first", [True, False])
def test_an_antibiogram_finds_its_isolate(name: str, *, first: bool) -> None:
    lines = (*ATTACHED[name], *PARENT) if first else (*PARENT, *ATTACHED[name])
    decision = decided(oru(*lines))
    assert decision.if_unknown is None
    atb = next(each for each in decision.state.batteries if each.filler_number == "F2")
    found = microbiology.Isolates(decision.state.batteries).of(atb)
    assert found is not None
    assert (found[0].filler_number, found[1].sub_id, found[1].value) == ("F1", "2", "E. faecalis")


LOST = {
    "an isolate nobody has": child("F2", "7"),
    "another analyte": child("F2", "1", named="GRAM&Gram&99REM"),
    "the same code of another system": child("F2", "1", named="CULT&Culture&99XYZ"),
    "another order": child("F2", "1", order="P-F9^F9"),
    "no sub-id, though isolates have one": child("F2", ""),
    "the only isolate of its own order": child("F2", "3", order="P-F2^F2"),
}


@pytest.mark.parametrize("name", sorted(LOST))
def test_an_antibiogram_that_names_no_known_isolate_is_refused(name: str) -> None:
    decision = decided(oru(*PARENT, *LOST[name]))
    assert decision.if_unknown is not None
    assert [(each.condition, each.location) for each in decision.if_unknown.findings] == [("204", "OBR^2^26")]


def test_two_orders_with_the_same_isolate_number_are_told_apart() -> None:
    anaerobic = (orc("F3"), obr("F3", code="HEMOC^Hémoculture^99REM"), isolate("1", "BFRAG^B. fragilis^99REM"))
    named = decided(oru(*PARENT, *anaerobic, *child("F2", "1", order="P-F3^F3")))
    atb = next(each for each in named.state.batteries if each.filler_number == "F2")
    found = microbiology.Isolates(named.state.batteries).of(atb)
    assert found is not None
    assert found[1].value == "B. fragilis"
    assert decided(oru(*PARENT, *anaerobic, *child("F2", "1", order=""))).if_unknown is not None


def test_the_isolate_may_have_come_in_an_earlier_message() -> None:
    earlier, later = decided(oru(*PARENT)), decided(oru(*child("F2", "2"), control_id="M2"))
    assert later.if_unknown is not None
    found = conclude(later, Known(state=earlier.state, left=1))
    assert isinstance(found, Structured)
    assert found.results is not None
    assert [each.filler_number for each in found.results.batteries] == ["F1", "F2"]
    lost = decided(oru(*child("F2", "5"), control_id="M3"))
    assert not isinstance(conclude(lost, Known(state=earlier.state, left=1)), Structured)


def test_a_reflex_order_that_names_no_result_needs_no_isolate() -> None:
    reflex = (orc("F2", parent="P-F1^F1"), obr("F2", parent_order="P-F1^F1"), obx())
    decision = decided(oru(*PARENT, *reflex))
    assert decision.if_unknown is None
