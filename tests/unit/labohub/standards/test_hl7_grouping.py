"""Segments go to the order, the specimen and the prior result they belong to."""

from labohub.standards.hl7.results import Grouped, group_orders
from tests.support.ingest import pid
from tests.support.ltw import er7_of, msh, obr, obx, orc, oru, read, spm


def grouped(raw: bytes, *, is_result: bool = False) -> Grouped:
    return group_orders(read(raw), lambda obx_, obr_: is_result)


def oml(*lines: str, event: str = "O21") -> bytes:
    return er7_of(msh(f"OML^{event}^OML_{event}"), pid(), "PV1|1|N", *lines)


def oul(*lines: str, event: str) -> bytes:
    return er7_of(msh(f"OUL^{event}^OUL_{event}"), pid(), *lines)


def codes(found: Grouped) -> list[list[str]]:
    return [[each.obx.component(3, 1) for each in group.observations] for group in found.orders]


def numbers(found: Grouped) -> list[tuple[str, str]]:
    return [(group.text(3), group.control) for group in found.orders]


A, B, C = (obx(f"{letter}^{letter}^99REM") for letter in "ABC")


def test_a_result_behind_a_specimen_of_an_oru_describes_the_specimen() -> None:
    found = grouped(oru(orc("F1"), obr("F1"), A, spm(), B, orc("F2"), obr("F2"), C))
    assert codes(found) == [["A"], ["C"]]
    assert [each.obx.component(3, 1) for each in found.orders[0].specimens[0].observations] == ["B"]
    assert found.orders[1].specimens == []  # a specimen of the first order is not the second's


def test_the_second_order_of_an_oml_is_not_a_prior_result_of_the_first() -> None:
    found = grouped(oml(orc("F1", control="NW"), obr("F1"), A, orc("F2", control="NW"), obr("F2"), B))
    assert numbers(found) == [("F1", "NW"), ("F2", "NW")]
    assert [group.prior for group in found.orders] == [[], []]


def test_a_prior_result_announced_by_pr_is_none_of_the_orders() -> None:
    lines = (orc("F1", control="NW"), obr("F1"), A, orc("OLD", control="PR"), obr("OLD"), B,
             orc("F2", control="NW"), obr("F2"))  # fmt: skip
    found = grouped(oml(*lines))
    assert numbers(found) == [("F1", "NW"), ("F2", "NW")]
    assert [each.text(3) for each in found.orders[0].prior] == ["OLD"]
    assert codes(found) == [["A"], []]


def test_a_prior_result_announced_by_its_patient_is_none_of_the_orders() -> None:
    lines = (orc("F1", control="NW"), obr("F1"), pid(), "PV1|1|I", orc("OLD"), obr("OLD"), B, orc("F2", control="NW"),
             obr("F2"))  # fmt: skip
    found = grouped(oml(*lines))
    assert numbers(found) == [("F1", "NW"), ("F2", "NW")]
    assert [each.text(3) for each in found.orders[0].prior] == ["OLD"]
    assert len(found.patients) == 1


def test_a_prior_result_without_orc_is_none_of_the_orders() -> None:
    found = grouped(oml(orc("F1", control="NW"), obr("F1"), pid(), obr("OLD"), B, obr("OLDER"), C))
    assert [each.text(3) for each in found.orders[0].prior] == ["OLD", "OLDER"]
    assert codes(found) == [[]]


def test_a_prior_result_repeated_in_an_oru_is_not_one_of_today() -> None:
    found = grouped(oru(orc("OLD", control="PR"), obr("OLD"), A, orc("F1"), obr("F1"), B))
    assert numbers(found) == [("F1", "SC")]
    assert [each.text(3) for each in found.prior] == ["OLD"]


def test_obr_stands_before_orc_in_an_oul() -> None:
    found = grouped(oul(spm(), obr("F1"), orc("F1"), A, obr("F2"), orc("F2", control="OK"), B, event="R22"))
    assert numbers(found) == [("F1", "SC"), ("F2", "OK")]
    assert codes(found) == [["A"], ["B"]]


def test_an_oul_that_puts_orc_first_keeps_each_with_its_own_obr() -> None:
    found = grouped(oul(spm(), orc("F1"), obr("F1"), A, orc("F2", control="OK"), obr("F2"), B, event="R22"))
    assert numbers(found) == [("F1", "SC"), ("F2", "OK")]


def test_the_orders_of_a_specimen_share_it_and_the_next_specimen_is_another() -> None:
    found = grouped(oul(spm("T1"), B, obr("F1"), A, obr("F2"), A, spm("T2"), "SAC|||C2", obr("F3"), C, event="R22"))
    assert [group.specimens[0].spm.subcomponent(2, 2, 1) for group in found.orders] == ["T1", "T1", "T2"]
    assert codes(found) == [["A"], ["A"], ["C"]]
    assert len(found.orders[0].specimens[0].observations) == 1


def test_each_container_of_an_oul_r23_has_its_orders() -> None:
    found = grouped(oul(spm(), "SAC|||C1", "INV|X", obr("F1"), A, "SAC|||C2", obr("F2"), B, event="R23"))
    assert [group.container and group.container.field(3) for group in found.orders] == ["C1", "C2"]
    assert codes(found) == [["A"], ["B"]]


def test_in_an_oul_r24_what_follows_a_container_or_its_reagents_is_a_result() -> None:
    for behind in ("SAC|||C1", "INV|X"):
        found = grouped(oul(obr("F1"), orc("F1"), spm(), behind, A, event="R24"))
        assert codes(found) == [["A"]]
        assert found.ambiguous == []


def test_in_an_oul_r24_what_follows_a_specimen_is_asked_for() -> None:
    raw = oul(obr("F1"), orc("F1"), spm(), A, event="R24")
    assert codes(grouped(raw, is_result=True)) == [["A"]]
    doubtful = grouped(raw)
    assert codes(doubtful) == [[]]
    assert [each.name for each in doubtful.ambiguous] == ["OBX"]


def test_notes_go_to_the_segment_before_them() -> None:
    found = grouped(er7_of(msh(), pid(), "NTE|1|L|patient", orc(), obr(), "NTE|1|L|order", A, "NTE|1|L|result"))
    assert [note.field(3) for note in found.patient_notes] == ["patient"]
    assert [note.field(3) for note in found.orders[0].notes] == ["order"]
    assert [note.field(3) for note in found.orders[0].observations[0].notes] == ["result"]


def test_an_orc_without_obr_is_told_in_a_result_message() -> None:
    found = grouped(oru(orc("F1"), orc("F2"), obr("F2"), A, orc("F3")))
    assert [each.location for each in found.strays] == ["ORC^1", "ORC^3"]


def test_the_orders_of_an_oml_o33_and_o35_stand_under_their_specimen_and_container() -> None:
    o33 = grouped(oml(spm("T1"), "SAC|||C1", orc("F1", control="NW"), obr("F1"), spm("T2"), orc("F2", control="NW"),
                      obr("F2"), event="O33"))  # fmt: skip
    assert [group.specimens[0].spm.subcomponent(2, 2, 1) for group in o33.orders] == ["T1", "T2"]
    o35 = grouped(oml(spm("T1"), "SAC|||C1", orc("F1", control="NW"), obr("F1"), "SAC|||C2", orc("F2", control="NW"),
                      obr("F2"), event="O35"))  # fmt: skip
    assert [group.container and group.container.field(3) for group in o35.orders] == ["C1", "C2"]
