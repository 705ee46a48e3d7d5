"""What nobody could rely on is refused at its place; what is only unusual is taken, with a warning."""

import base64

import pytest

from ingest_hl7.core.decision import Archived, Refusal, Structured
from ingest_hl7.core.intake import Policy, arrive, decide
from ingest_hl7.core.registry import Registry
from ingest_hl7.core.senders import Antibiogram, Role, Sender, Transaction
from tests.support.ingest import pid
from tests.support.ltw import er7_of, msh, obr, obx, orc, oru, spm
from tests.support.store import FixedClock

PDF = base64.b64encode(b"%PDF-1.4 fictional").decode()


def decided(raw: bytes, sender: Sender | None = None) -> object:
    policy = Policy("test", frozenset("PT"), Registry((sender or Sender(),)))
    return decide(arrive(raw, policy, FixedClock()()), policy)[0]


def one(*observations: str, order: str = "", control: str = "") -> bytes:
    """Return an ORU of one order with these observations."""
    return oru(control or orc(), order or obr(), *(observations or (obx(),)))


def embedded(data: str, encoding: str = "Base64") -> str:
    return obx("PDF^Document^99REM", f"SGL^application^pdf^{encoding}^{data}", kind="ED", unit="")


REFUSED = {
    "no patient": (oru(orc(), obr(), obx(), patient="ZZZ|1"), "100", "PID^1"),
    "a patient without identifier": (oru(orc(), obr(), obx(), patient="PID|1||||KERMADEC^JEANNE"), "101", "PID^1^3"),
    "a patient without name": (oru(orc(), obr(), obx(), patient="PID|1||R1^^^X^PI"), "101", "PID^1^5"),
    "two patients": (oru(orc(), obr(), obx(), pid(), orc("F2"), obr("F2"), obx()), "100", "PID^2"),
    "an impossible birth date": (
        oru(orc(), obr(), obx(), patient=pid().replace("19840512", "19841312")), "102", "PID^1^7"),
    "no order": (oru(), "100", "OBR^1"),
    "an ORC without OBR": (oru(orc(), obr(), obx(), orc("F2")), "100", "ORC^2"),
    "an order without number": (one(order=obr().replace("|P-F1^DPI|F1|", "|||"), control="ORC|SC"), "101", "OBR^1^3"),
    "an order without exam": (one(order=obr(code="")), "101", "OBR^1^4"),
    "two filler numbers": (one(order=obr("F2", placer="P-F1")), "102", "OBR^1^3"),
    "two placer numbers": (one(order=obr(placer="P-X")), "102", "OBR^1^2"),
    "an order without status": (one(order=obr(status="")), "101", "OBR^1^25"),
    "an order status of a query": (one(order=obr(status="Y")), "103", "OBR^1^25"),
    "an unknown order status": (one(order=obr(status="Q")), "103", "OBR^1^25"),
    "an impossible report time": (one(order=obr(at="20260230")), "102", "OBR^1^22"),
    "a fractional set id": (one(obx().replace("OBX|1|", "OBX|1.5|")), "102", "OBX^1^1"),
    "a negative set id": (one(obx(), obx().replace("OBX|1|", "OBX|-2|")), "102", "OBX^2^1"),
    "a value without type": (one(obx(kind="")), "101", "OBX^1^2"),
    "no type and a status that has a value": (one(obx(kind="", value="")), "101", "OBX^1^2"),
    "an unknown type": (one(obx(kind="ZZ")), "103", "OBX^1^2"),
    "a type of another case": (one(obx(kind="nm")), "103", "OBX^1^2"),
    "no analyte": (one(obx("")), "101", "OBX^1^3"),
    "no status": (one(obx(), obx(status="")), "101", "OBX^2^11"),
    "a value not sent again": (one(obx(status="U")), "103", "OBX^1^11"),
    "a status of no table": (one(obx(status="Z")), "103", "OBX^1^11"),
    "a comparator in a number": (one(obx(value="<0.02")), "102", "OBX^1^5"),
    "a comma in a number": (one(obx(value="5,2")), "102", "OBX^1^5"),
    "an exponent in a number": (one(obx(value="1e5")), "102", "OBX^1^5"),
    "words in a number": (one(obx(value="positif")), "102", "OBX^1^5"),
    "an unknown comparator": (one(obx(value="~=^5", kind="SN")), "102", "OBX^1^5"),
    "a structured number without number": (one(obx(value="<^", kind="SN")), "102", "OBX^1^5"),
    "an impossible day": (one(obx(value="20260230", kind="DT", unit="")), "102", "OBX^1^5"),
    "an impossible hour": (one(obx(value="2561", kind="TM", unit="")), "102", "OBX^1^5"),
    "an impossible time": (one(obx(value="20261301", kind="TS", unit="")), "102", "OBX^1^5"),
    "an impossible observation time": (one(obx().replace("||20260312080000|", "||20261332|")), "102", "OBX^1^14"),
    "an impossible analysis time": (one(obx(rest="|||2026031225")), "102", "OBX^1^19"),
    "base64 of an impossible length": (one(embedded("AAAAA")), "102", "OBX^1^5^1^5"),
    "base64 with foreign characters": (one(embedded("AA*AAAAA")), "102", "OBX^1^5^1^5"),
    "hexadecimal that is none": (one(embedded("0G", "Hex")), "102", "OBX^1^5^1^5"),
    "an observation of a specimen without status": (one(obx(), spm(), obx(status="")), "101", "OBX^2^11"),
    "a specimen collected on no day": (one(obx(), spm().replace("20260312080000^", "20260231^")), "102", "SPM^1^17"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_cannot_be_relied_on_is_refused_at_its_place(name: str) -> None:
    raw, condition, place = REFUSED[name]
    decision = decided(raw)
    assert isinstance(decision, Refusal)
    assert decision.code == "AE"
    assert (decision.findings[0].condition, decision.findings[0].location) == (condition, place)


def test_at_most_ten_errors_are_told() -> None:
    decision = decided(one(*(obx(status="U") for _ in range(30))))
    assert isinstance(decision, Refusal)
    assert len(decision.findings) == 10


TAKEN = {
    "a cancelled result without type": one(obx(value="", kind="", status="X"), obx()),
    "a deleted result without type": one(obx(value="", kind="", status="D"), obx()),
    "a result without ORC": oru(obr(), obx()),
    "a laboratory's own order": oru(orc().replace("P-F1^DPI", ""), obr().replace("P-F1^DPI", ""), obx()),
    "an order control of another vendor": oru(orc(control="OK"), obr(), obx()),
    "numbers as laboratories write them": one(obx(value="+5."), obx("A^A^99REM", ".5"), obx("B^B^99REM", "-1.50")),
    "a category": one(obx(value="^2^+", kind="SN")),
    "a titre": one(obx(value="^1^:^160", kind="SN")),
    "partial dates": one(obx(value="202603", kind="DT", unit=""), obx("T^T^99REM", "0730", kind="TM", unit="")),
    "missing padding": one(embedded(PDF.rstrip("="))),
    "wrapped base64": one(embedded(PDF[:8] + "\\.br\\" + PDF[8:])),
    "a deleted value": one(obx(value='""')),
    "a specimen's own observation": one(obx(), spm(), obx("Q^Qualité^99REM", "OK", kind="ST", unit="")),
    "a segment nobody knows": oru(orc(), obr(), obx(), "ZZZ|1|x", "PRT|1"),
}


@pytest.mark.parametrize("name", sorted(TAKEN))
def test_what_is_only_unusual_is_taken(name: str) -> None:
    decision = decided(TAKEN[name])
    assert isinstance(decision, Structured)
    assert decision.results is not None
    assert decision.warnings == ()


WARNED = {
    "a code without system": (one(obx("K^Potassium")), "OBX^1^3^1^3", "ltw.code-without-system"),
    "a unit of another system": (one(obx(unit="G/L^G/L^99REM")), "OBX^1^6", "ltw.unit-not-ucum"),
    "an image that is something else": (
        one(obx("I^Courbe^99REM", f"SGL^image^png^Base64^{PDF}", kind="ED", unit="")), "OBX^1^5",
        "ltw.media-type-differs"),
    "a pending result in a final battery": (
        one(obx(), obx("NA^Sodium^99REM", "", kind="", status="I")), "OBX^2^11", "ltw.pending-in-final"),
    "an antibiogram without isolate": (
        one(order=obr(code="ATB^Antibiogramme^99REM^18769-0^ATB^LN")), "OBR^1^26", "ltw.antibiogram-unlinked"),
    "an identity without status": (oru(orc(), obr(), obx(), patient=pid("", reliability="")), "PID^1^32",
                                   "patient.reliability-missing"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(WARNED))
def test_what_a_laboratory_should_correct_is_told(name: str) -> None:
    raw, place, reason = WARNED[name]
    decision = decided(raw)
    assert isinstance(decision, Structured)
    assert [(each.location, each.reason, each.severity) for each in decision.warnings] == [(place, reason, "W")]


def test_an_antibiogram_without_isolate_is_not_told_to_a_sender_known_to_write_so() -> None:
    raw = one(order=obr(code="ATB^Antibiogramme^99REM^18769-0^ATB^LN"))
    decision = decided(raw, Sender(antibiogram=Antibiogram.SUB_ID))
    assert isinstance(decision, Structured)
    assert decision.warnings == ()


def oul(
    event: str = "R22", *, profile: str = "", patient: str | None = None, role: str = "P", status: str = "F"
) -> bytes:
    who = patient if patient is not None else pid()
    inner = (
        [spm(role=role), obr(), orc(), obx(status=status)]
        if event != "R24"
        else [obr(), orc(), spm(role=role), "SAC|||C1", obx(status=status)]
    )
    return er7_of(*(line for line in (msh(f"OUL^{event}^OUL_{event}", profile=profile), who, *inner) if line))


@pytest.mark.parametrize("event", ["R22", "R23", "R24"])
@pytest.mark.parametrize("status", ["R", "F", "C"])
def test_technical_results_are_never_a_report_whatever_their_status(event: str, status: str) -> None:
    decision = decided(oul(event, status=status))
    assert isinstance(decision, Archived)
    assert decision.reason == "ltw.technical"


@pytest.mark.parametrize("event", ["R22", "R24"])
def test_an_oul_is_a_result_of_record_when_its_sender_declares_it(event: str) -> None:
    decision = decided(oul(event), Sender(transactions=(Transaction.LAB_3,)))
    assert isinstance(decision, Structured)
    assert decision.results is not None
    assert [each.value for each in decision.results.batteries[0].results] == ["4.1"]
    assert decision.results.batteries[0].specimens[0].identifier == "T1"


@pytest.mark.parametrize("sender", [Sender(), Sender(transactions=(Transaction.LAB_3, Transaction.LAB_5))])
def test_an_oul_is_not_guessed_to_be_of_record(sender: Sender) -> None:
    assert isinstance(decided(oul(), sender), Archived)


def test_an_analyser_is_known_by_its_profile_and_may_name_no_patient() -> None:
    for patient in ("", pid()):
        decision = decided(oul(profile="LAB-29^IHE", patient=patient), Sender())
        assert isinstance(decision, Archived)
        assert decision.reason == "law.analyser"


@pytest.mark.parametrize("role", ["Q", "C", "B", "E", "R", "L"])
def test_a_control_is_never_a_patient_s_result(role: str) -> None:
    for raw in (oul(role=role, patient=""), oru(orc(), obr(), obx(), spm(role=role))):
        decision = decided(raw)
        assert isinstance(decision, Archived)
        assert decision.reason == "ltw.quality-control"


def test_a_control_beside_a_patient_s_specimen_is_left_out() -> None:
    raw = oru(orc(), obr(), obx(value="4.1"), spm(), orc("F2"), obr("F2"), obx(value="9.9"), spm(role="Q"))
    decision = decided(raw)
    assert isinstance(decision, Structured)
    assert [battery.filler_number for battery in decision.state.batteries] == ["F1"]


def test_a_technical_result_without_patient_is_refused() -> None:
    decision = decided(oul(patient=""))
    assert isinstance(decision, Refusal)
    assert decision.findings[0].location == "PID^1"


def test_a_technical_result_nobody_could_rely_on_is_refused() -> None:
    decision = decided(oul(status="U"))
    assert isinstance(decision, Refusal)
    assert decision.findings[0].location == "OBX^1^11"


@pytest.mark.parametrize(
    ("role", "reason"), [(Role.SUBCONTRACTOR, "ltw.subcontracted"), (Role.MIDDLEWARE, "ltw.technical")]
)
def test_results_of_a_subcontractor_or_a_middleware_are_kept(role: Role, reason: str) -> None:
    decision = decided(one(), Sender(role=role))
    assert isinstance(decision, Archived)
    assert decision.reason == reason
