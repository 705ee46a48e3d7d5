"""Each order is answered by its own ORC-1, in the structure its request calls for."""

import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.core import Message as StructuredMessage
from hl7apy.parser import parse_message

from ingest_hl7.core import orders
from ingest_hl7.core.answering import answers
from ingest_hl7.core.decision import Ordered, Refusal
from ingest_hl7.core.intake import Policy, arrive, decide
from ingest_hl7.core.order import KnownOrder, OrderState
from ingest_hl7.core.registry import Registry
from ingest_hl7.core.senders import Sender
from tests.support.ingest import pid
from tests.support.ltw import er7_of, lines_of, msh, obr, obx, orc, spm
from tests.support.store import FixedClock

POLICY = Policy("test", frozenset("PT"), Registry((Sender(),)))


def oml(*lines: str, event: str = "O21", patient: str | None = None) -> bytes:
    return er7_of(msh(f"OML^{event}^OML_{event}"), patient if patient is not None else pid(), "PV1|1|N", *lines)


def taken(raw: bytes) -> Ordered | Refusal:
    decision, _ = decide(arrive(raw, POLICY, FixedClock()()), POLICY)
    assert isinstance(decision, Ordered | Refusal)
    return decision


def answered(raw: bytes, known: dict[str, KnownOrder] | None = None) -> bytes:
    """Return the answer of an OML whose orders are known so."""
    decision = taken(raw)
    if isinstance(decision, Ordered):
        decision = orders.judge(decision, known or {}, "LABOHUB")
    return answers(arrive(raw, POLICY, FixedClock()()), decision, FixedClock()()).last


def controls(answer: bytes) -> list[str]:
    return [each[1] for each in lines_of(answer, "ORC")]


def recorded(state: OrderState, *, other_person: bool = False, number: str = "P-F1") -> dict[str, KnownOrder]:
    decision = taken(oml(orc("F1", control="NW"), obr("F1")))
    assert isinstance(decision, Ordered)
    person = "somebody else" if other_person else decision.person
    return {f"{number}\x1fDPI": KnownOrder(state, person)}


@pytest.mark.parametrize(
    ("asked", "answer"),
    [("NW", "OK"), ("CA", "CR"), ("RP", "RQ"), ("XO", "XR"), ("SN", "NA"), ("SC", "OK"), ("OC", "OK"), ("RU", "OK"),
     ("RO", "OK"), ("RE", "OK"), ("PA", "OK"), ("CH", "OK"), ("OK", "OK"), ("HD", "UA"), ("ZZ", "UA")],
)  # fmt: skip
def test_each_order_control_has_its_answer(asked: str, answer: str) -> None:
    given = answered(oml(orc("F1", control=asked), obr("F1")))
    assert lines_of(given, "MSA")[0][1:] == ["AA", "M1"]
    assert controls(given) == [answer]


@pytest.mark.parametrize(("asked", "answer"), [("CA", "UC"), ("RP", "UM"), ("XO", "UX"), ("NW", "OK")])
def test_an_order_with_results_can_no_longer_be_taken_back(asked: str, answer: str) -> None:
    given = answered(oml(orc("F1", control=asked), obr("F1")), recorded(OrderState.RESULTED))
    assert controls(given) == [answer]
    assert bool(lines_of(given, "ORC")[0][16:]) == (answer != "OK")


@pytest.mark.parametrize(("asked", "answer"), [("NW", "UA"), ("CA", "UC"), ("RP", "UM"), ("XO", "UX"), ("SC", "UA")])
def test_a_number_known_for_another_patient_is_not_accepted(asked: str, answer: str) -> None:
    given = answered(oml(orc("F1", control=asked), obr("F1")), recorded(OrderState.ORDERED, other_person=True))
    assert controls(given) == [answer]
    assert lines_of(given, "MSA")[0][1] == "AA"


def test_the_new_order_of_a_replacement_follows_the_replaced_one() -> None:
    raw = oml(orc("F1", control="RP"), obr("F1"), orc("F2", control="RO"), obr("F2"))
    assert controls(answered(raw)) == ["RQ", "RO"]
    assert controls(answered(raw, recorded(OrderState.RESULTED))) == ["UM", "UA"]


def test_every_order_of_a_request_is_answered_with_its_numbers() -> None:
    given = answered(
        oml(orc("F1", control="NW"), obr("F1"), orc("F2", control="CA"), obr("F2"), orc("F3", control="QQ"))
    )
    assert [(each[1], each[2], each[3], each[4]) for each in lines_of(given, "ORC")] == [
        ("OK", "P-F1^DPI", "F1", "D1^DPI"),
        ("CR", "P-F2^DPI", "F2", "D1^DPI"),
        ("UA", "P-F3^DPI", "F3", "D1^DPI"),
    ]
    assert [each[2:5] for each in lines_of(given, "OBR")] == [
        ["P-F1^DPI", "F1", "IONO^Ionogramme^99REM"],
        ["P-F2^DPI", "F2", "IONO^Ionogramme^99REM"],
    ]


def test_a_number_given_to_an_order_of_the_laboratory_is_always_the_same() -> None:
    line = "ORC|SN||F9^SGL|D1^DPI|SC||||20260312093000"
    first, second = (answered(oml(line, f"OBR|1||F9^SGL|MG^Mg^99REM{extra}")) for extra in ("", "|"))
    number = lines_of(first, "ORC")[0][2]
    assert number.endswith("^LABOHUB")
    assert lines_of(second, "ORC")[0][2] == number
    assert lines_of(first, "OBR")[0][2] == number


def test_a_new_order_without_an_exam_is_refused_alone() -> None:
    given = answered(oml(orc("F1", control="NW"), orc("F2", control="NW"), obr("F2")))
    assert controls(given) == ["UA", "OK"]


def test_prior_results_are_not_answered_as_orders() -> None:
    raw = oml(
        orc("F1", control="NW"),
        obr("F1"),
        orc("OLD", control="PR"),
        obr("OLD"),
        obx(),
        orc("F2", control="NW"),
        obr("F2"),
    )
    assert controls(answered(raw)) == ["OK", "OK"]


@pytest.mark.parametrize(
    ("raw", "condition", "place"),
    [
        (oml(orc("F1", control="NW"), obr("F1"), patient=""), "100", "PID^1"),
        (oml("NTE|1|L|nothing"), "100", "ORC^1"),
        (oml(obr("F1")), "100", "OBR^1"),
        (oml(orc("F1", control=""), obr("F1")), "101", "ORC^1^1"),
        (oml("ORC|NW||||||||20260312093000", "OBR|1|||IONO"), "101", "OBR^1^3"),
        (oml(orc("F1", control="NW"), obr("F1", placer="OTHER")), "102", "OBR^1^2"),
        (oml(orc("F1", control="NW"), obr("F1", code="")), "101", "OBR^1^4"),
        (oml(orc("F1", control="NW"), obr("F1"), obx(status="")), "101", "OBX^1^11"),
        (oml(orc("F1", control="NW"), obr("F1"), obx(value="<4")), "102", "OBX^1^5"),
        (oml(orc("F1", control="NW"), obr("F1"), obr("F2")), "100", "OBR^2"),
    ],
)
def test_an_order_message_that_cannot_be_relied_on_is_refused(raw: bytes, condition: str, place: str) -> None:
    given = answered(raw.replace(b"\r\r", b"\r"))
    assert lines_of(given, "MSA")[0][1] == "AE"
    assert [(each[3].split("^")[0], each[2]) for each in lines_of(given, "ERR")][:1] == [(condition, place)]
    assert controls(given) == []


REQUESTS = {
    "O21": oml(orc("F1", control="NW"), "TQ1|1||||||||R", obr("F1"), obx(status="O"), spm(), "SAC|||C1",
               orc("F2", control="NW"), obr("F2")),
    "O33": oml(spm("T1"), "SAC|||C1", orc("F1", control="NW"), obr("F1"), orc("F2", control="CA"), obr("F2"), spm("T2"),
               orc("F3", control="NW"), obr("F3"), event="O33"),
    "O35": oml(spm("T1"), "SAC|||C1", orc("F1", control="NW"), obr("F1"), "SAC|||C2", orc("F2", control="NW"),
               obr("F2"), event="O35"),
}  # fmt: skip
ANSWERS = {"O21": "O22", "O33": "O34", "O35": "O36"}
SEQUENCES = {
    "O21": "MSH MSA PID ORC OBR SPM SAC ORC OBR",
    "O33": "MSH MSA PID SPM SAC ORC OBR ORC OBR SPM ORC OBR",
    "O35": "MSH MSA PID SPM SAC ORC OBR SAC ORC OBR",
}


@pytest.mark.parametrize("event", sorted(REQUESTS))
def test_an_answer_has_the_structure_an_independent_reader_knows(event: str) -> None:
    given = answered(REQUESTS[event])
    assert " ".join(line[:3] for line in given.decode().split("\r") if line) == SEQUENCES[event]
    assert lines_of(given, "MSH")[0][8] == f"ORL^{ANSWERS[event]}^ORL_{ANSWERS[event]}"
    parsed = parse_message(given.decode(), validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=True)
    assert isinstance(parsed, StructuredMessage)
    assert parsed.name == f"ORL_{ANSWERS[event]}"
    assert parsed.to_er7().rstrip("\r").count("\rORC|") == given.count(b"\rORC|")
    assert not any(child.name not in ALLOWED for child in parsed.children)


ALLOWED = {"MSH", "MSA", "ERR", "ORL_O22_RESPONSE", "ORL_O34_RESPONSE", "ORL_O36_RESPONSE"}


def test_separators_of_the_request_become_the_usual_ones() -> None:
    swapped = str.maketrans({"^": "$", "&": "@", "~": "%", "\\": "/"})
    usual = oml(orc("F1", control="NW"), obr("F1"), spm())
    head, rest = usual.decode().split("\r", 1)
    theirs = (head.replace("^~\\&", "$%/@").replace("^", "$") + "\r" + rest.translate(swapped)).encode()
    assert lines_of(answered(theirs), "ORC") == lines_of(answered(usual), "ORC")
    assert lines_of(answered(theirs), "SPM")[0][2] == "^T1&SGL"


def test_an_accept_acknowledgement_is_an_ack_and_the_orders_follow_in_the_answer() -> None:
    raw = REQUESTS["O21"].replace(b"|2.5.1|||||FRA", b"|2.5.1|||AL|AL|FRA")
    decision = taken(raw)
    assert isinstance(decision, Ordered)
    frames = answers(arrive(raw, POLICY, FixedClock()()), orders.judge(decision, {}, "LABOHUB"), FixedClock()()).frames
    assert [lines_of(frame, "MSH")[0][8] for frame in frames] == ["ACK^O21^ACK", "ORL^O22^ORL_O22"]
    assert [len(lines_of(frame, "ORC")) for frame in frames] == [0, 2]
