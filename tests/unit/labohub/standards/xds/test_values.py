"""Compound values and times of XDS metadata."""

import pytest

from labohub.standards.xds.values import Coded, Cx, MetadataMalformed, Xcn, Xon, is_oid, to_utc


@pytest.mark.parametrize(
    ("cda", "xds"),
    [
        ("202607140735+0200", "202607140535"),
        ("20260714093012+0200", "20260714073012"),
        ("20260714003012+0200", "20260713223012"),  # midnight shifts the date
        ("20260101003000+0100", "20251231233000"),  # and the year
        ("20260329013000+0100", "20260329003000"),  # the hour that summer time takes
        ("20261025023000+0200", "20261025003000"),  # the hour that winter time gives twice: the offset tells
        ("20261025023000+0100", "20261025013000"),
        ("20260714093012.345+0200", "20260714073012"),
        ("20260714093012Z", "20260714093012"),
        ("20260713200000-0930", "20260714053000"),
        ("2026071407+0200", "2026071405"),
        ("20260714", "20260714"),  # a date alone is not shifted
        ("202607", "202607"),
        ("2026", "2026"),
        ("20260714+0200", "20260714"),
        ("202607140735", "202607140735"),  # unknown zone: kept as it is
        ("", ""),
    ],
)
def test_a_time_goes_to_utc_with_the_precision_it_had(cda: str, xds: str) -> None:
    assert to_utc(cda) == xds


@pytest.mark.parametrize(
    "wrong", ["hier", "2026-07-14", "20261332000000+0100", "20260714073012+02", "2026071", "00000101000000+0100"]
)
def test_what_is_not_an_hl7_time_is_refused(wrong: str) -> None:
    with pytest.raises(MetadataMalformed):
        to_utc(wrong)


def test_a_patient_is_named_by_a_cx() -> None:
    assert (
        Cx("285039999900196", "1.2.250.1.213.1.4.10", "NH").text() == "285039999900196^^^&1.2.250.1.213.1.4.10&ISO^NH"
    )


def test_a_professional_and_a_system_are_named_by_an_xcn() -> None:
    person = Xcn("899900012345", "EXEMPLE", "Odile", "1.2.250.1.71.4.2.1")
    assert person.text() == "899900012345^EXEMPLE^Odile^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"
    system = Xcn("1.2.3", "labohub", "", "1.2.3", "RI")
    assert system.text() == "1.2.3^labohub^^^^^^^&1.2.3&ISO^U^^^RI"


def test_a_structure_is_named_by_a_xon_of_ten_components() -> None:
    text = Xon("LBM DU GRAND CHENE", "1999900017").text()
    assert text == "LBM DU GRAND CHENE^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1999900017"
    assert text.split("^")[9] == "1999900017"
    assert Xon("SANS IDENTIFIANT").text() == "SANS IDENTIFIANT"


def test_separators_in_a_name_are_escaped() -> None:
    assert Xon("A & B^C", "1").text().startswith("A \\T\\ B\\S\\C^^^^^&")


def test_a_specialty_is_code_label_system() -> None:
    text = Coded("G15_21/G", "1.2.250.1.213.1.1.4.5", "Pharmacien biologiste").ce()
    assert text == "G15_21/G^Pharmacien biologiste^1.2.250.1.213.1.1.4.5"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("1.2.250.1.213", True),
        ("2.25.15265947484432584718189316382341737985", True),
        ("1.2.250^77", False),
        ("1.02.3", False),
        ("3.1", False),
        ("1", False),
        ("1." + "2" * 63, False),
        ("550e8400-e29b-41d4-a716-446655440000", False),
    ],
)
def test_an_oid_is_recognised(text: str, plain: bool) -> None:
    assert is_oid(text) is plain
