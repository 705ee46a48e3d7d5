"""What is read of messages of the corpus: nothing lost, converted or taken from its neighbour."""

import base64

import pytest

from ingest_hl7.core.decision import Archived, Ordered, Structured
from ingest_hl7.core.senders import Sender, Transaction
from labohub.contracts.laboratory import LaboratoryReport, Result
from tests.support.ltw_corpus.door import decided
from tests.support.ltw_corpus.draft import ASAT, GROUP, NA, RESULT, Draft, K, battery, order, placer, result
from tests.support.ltw_corpus.kinds import (
    BY_CONTAINER,
    BY_SPECIMEN,
    CONTAINER_CENTRED,
    CULTURE,
    ORDER_CENTRED,
    ORDERS,
    PRIOR,
    SPECIMEN_CENTRED,
)


def state(message: Draft | bytes, sender: Sender | None = None) -> LaboratoryReport:
    decision, _, _ = decided(message if isinstance(message, bytes) else message.raw(), sender or Sender())
    assert isinstance(decision, Structured)
    return decision.state


def last(message: Draft | bytes) -> Result:
    """Return the fifth result, the text of the base message."""
    return state(message).batteries[1].results[1]


def codes(each: Result) -> tuple[str, str]:
    return (each.local_code.code if each.local_code else "", each.loinc.code if each.loinc else "")


def test_every_result_is_read_as_it_is_written() -> None:
    read = state(RESULT)
    assert [(each.filler_number, each.status, len(each.specimens)) for each in read.batteries] == [
        (f"R{GROUP}-01", "F", 1), (f"R{GROUP}-02", "F", 1),
    ]  # fmt: skip
    assert [
        (*codes(each), each.sub_id, each.value_type, each.value, each.unit, each.reference_range, each.flags)
        for battery_ in read.batteries
        for each in battery_.results
    ] == [
        ("NA", "2951-2", "", "NM", "139", "mmol/L", "136-145", ("N",)),
        ("K", "2823-3", "", "NM", "5.20", "mmol/L", "3.5-5.1", ("H",)),
        ("TROP", "", "", "SN", "<^3", "ng/L", "<14", ("N",)),
        ("ASAT", "1920-8", "", "NM", "31", "U/L", "<40", ("N",)),
        ("ASP", "", "", "TX", "Limpide\nlégèrement ictérique", "", "", ()),
    ]
    assert [each.comments for each in read.batteries[0].results] == [(), ("Garrot prolongé : à contrôler.",), ()]
    validated = read.batteries[0].results[0].validated_by
    assert (read.number, validated and validated.identifier) == (GROUP, "99700002035")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"a\F\b\S\c\T\d\R\e\E\f", "a|b^c&d~e\\f"),
        ("C:\\labo\\note", "C:\\labo\\note"),
        (r"t\XC3A9\l", "tél"),
        (r"un\.br\deux", "un\ndeux"),
        (r"\H\gras\N\ puis \.in+4\retrait", "gras puis retrait"),
        ('""', ""),
        (r"x\E\F\E\y", "x\\F\\y"),
    ],
)
def test_a_text_is_unescaped_once(written: str, read: str) -> None:
    assert last(RESULT.put("OBX[5]-5", written)).value == read


def test_a_charset_is_read_and_never_guessed() -> None:
    text = "Sérum d'œuf à 12 €"
    fifteen = RESULT.put("MSH[1]-18", "8859/15").put("OBX[5]-5", text).raw("iso8859-15")
    assert last(fifteen).value == text
    assert last(RESULT.put("MSH[1]-18", "8859/1").raw("latin-1")).value == "Limpide\nlégèrement ictérique"


def test_codes_are_told_by_their_system_and_local_ones_are_printed() -> None:
    turned = state(RESULT.put("OBX[4]-3", "1920-8^Aspartate^LN^ASAT^ASAT du labo^99ARD")).batteries[1].results[0]
    assert codes(turned) == ("ASAT", "1920-8")
    assert turned.local_code is not None
    assert turned.local_code.label == "ASAT du labo"
    assert codes(state(RESULT.put("OBX[4]-3", "1920-8^ASAT^LN")).batteries[1].results[0]) == ("", "1920-8")


def test_a_folded_object_is_whole() -> None:
    content = b"%PDF-1.4\n" + bytes(range(256)) * 3
    data = base64.b64encode(content).decode()
    folded = "\r\n".join(data[at : at + 76] for at in range(0, len(data), 76))
    message = RESULT.put("OBX[5]-2", "ED").put("OBX[5]-5", f"S^application^pdf^Base64^{folded}")
    attachment = last(message.raw()).attachment
    assert attachment is not None
    assert base64.b64decode(attachment.data) == content
    assert attachment.media_type == "application/pdf"


def test_one_analyte_without_sub_id_twice_is_two_results() -> None:
    twice = state(RESULT.after("OBX[4]", result(2, "NM", ASAT, "77", "U/L")))
    assert [each.value for each in twice.batteries[1].results] == ["31", "77", "Limpide\nlégèrement ictérique"]


def test_isolates_keep_their_antibiograms() -> None:
    read = state(CULTURE)
    assert [each.sub_id for each in read.batteries[0].results] == ["1", "2"]
    assert [each.parent.sub_id for each in read.batteries[1:] if each.parent] == ["1", "2"]


def test_prior_results_are_no_orders_and_no_results() -> None:
    decision, _, (answer,) = decided(ORDERS.before("ORC[2]", *PRIOR).raw())
    assert isinstance(decision, Ordered)
    assert [each.placer_number for each in decision.orders] == [f"{GROUP}-0{rank}" for rank in (1, 2, 3)]
    assert answer.count(b"\rORC|OK|") == 3
    quoted = (f"ORC|PR|{placer('OLD-01')}", battery("OLD", 1, "IONO^Ionogramme^99ARD"), result(1, "NM", K, "9.9"))
    assert [each.value for each in state(RESULT.before("ORC[2]", *quoted)).batteries[0].results] == [
        "139",
        "5.20",
        "<^3",
    ]


@pytest.mark.parametrize("message", [ORDERS, BY_SPECIMEN, BY_CONTAINER], ids=["O21", "O33", "O35"])
def test_every_order_is_answered(message: Draft) -> None:
    event = message.get("MSH[1]-9").split("^")[1]
    _, _, (answer,) = decided(message.raw())
    orders = sum(segment.startswith("ORC|") for segment in message.segments)
    assert answer.count(b"\rORC|OK|") == orders
    assert f"|ORL^O{int(event[1:]) + 1}^ORL_O{int(event[1:]) + 1}|".encode() in answer


@pytest.mark.parametrize("message", [SPECIMEN_CENTRED, ORDER_CENTRED, CONTAINER_CENTRED], ids=["R22", "R24", "R23"])
def test_what_a_middleware_says_is_kept_whatever_its_status(message: Draft) -> None:
    final = message.put("OBX[1]-11", "F").put("OBR[1]-25", "F")
    declared = Sender(transactions=(Transaction.LAB_5,))
    decision, _, _ = decided(final.raw(), declared)
    assert isinstance(decision, Archived)
    assert decision.reason == "ltw.technical"


def test_results_of_a_laboratory_that_declares_oul_stay_under_their_own_battery() -> None:
    declared = Sender(transactions=(Transaction.LAB_3,))
    more = ("SPM|2|^T2&SGL-ARDOISE||SER", "OBR|2|P2|F2|IONO^Ionogramme^99ARD|||20260502080000" + "|" * 18 + "F")
    message = SPECIMEN_CENTRED.put("OBR[1]-25", "F").after("OBX[3]", *more, result(1, "NM", NA, "139"))
    read = state(message, declared)
    assert [[each.value for each in battery_.results] for battery_ in read.batteries] == [["6.84", "0^3^18"], ["139"]]
    assert [[each.value for each in battery_.specimen_observations] for battery_ in read.batteries] == [
        ["Conforme"],
        [],
    ]
    control = message.put("SPM[1]-11", "Q").put("SPM[2]-11", "Q").drop("PID[1]")
    decision, _, _ = decided(control.raw(), declared)
    assert isinstance(decision, Archived)
    assert decision.reason == "ltw.quality-control"


def test_the_order_of_a_demand_s_batteries_is_that_of_the_message() -> None:
    many = [line for rank in range(1, 201) for line in (order("G", rank), battery("G", rank, f"B{rank}^B^99ARD"),
            result(1, "NM", NA, str(rank)))]  # fmt: skip
    read = state(Draft((*RESULT.segments[:3], *many)))
    assert [each.results[0].value for each in read.batteries] == [str(rank) for rank in range(1, 201)]
