"""A value is what the laboratory wrote: no digit, no sign and no wording of it changes."""

import base64

import pytest

from ingest_hl7.core.decision import Structured
from ingest_hl7.core.senders import ReportKey, Sender
from ingest_hl7.core.structuring import decide
from labohub.contracts.laboratory import Code, LaboratoryReport, Result
from tests.support.ltw import BIOLOGIST, obr, obx, orc, oru, read, receipt, spm

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n fictional").decode()
PDF = base64.b64encode(b"%PDF-1.4 fictional").decode()


def report(raw: bytes, **sender: object) -> LaboratoryReport:
    decision = decide(read(raw), receipt(), Sender.model_validate(sender), "test")
    assert isinstance(decision, Structured)
    return decision.state


def result(kind: str, value: str, **others: str) -> Result:
    return report(oru(orc(), obr(), obx(value=value, kind=kind, **others))).batteries[0].results[0]


WRITTEN = [
    ("NM", "5.20", "5.20"),
    ("NM", "-1.50", "-1.50"),
    ("NM", "+0.10", "+0.10"),
    ("SN", "<^0.5", "<^0.5"),
    ("SN", "^10^-^15", "^10^-^15"),
    ("SN", "^1^:^160", "^1^:^160"),
    ("SN", "^2^+", "^2^+"),
    ("ST", "Non réactif", "Non réactif"),
    ("ST", "a \\T\\ b \\F\\ c \\E\\ d", "a & b | c \\ d"),
    ("ST", "C:\\temp \\.br\\ fin", "C:\\temp \n fin"),
    ("TX", "Ligne 1~Ligne 2", "Ligne 1\nLigne 2"),
    ("TX", 'a~""~b', "a\n\nb"),
    ("FT", "\\.ce\\Titre\\.br\\\\H\\gras\\N\\ fin", "Titre\ngras fin"),
    ("FT", "a\\.sp2\\b", "a\n\nb"),
    ("FT", "\\.in+4\\retrait\\.ti-2\\ et \\.fi\\suite", "retrait et suite"),
    ("TS", "20260314073000+0100", "20260314073000+0100"),
    ("DT", "20260220", "20260220"),
    ("TM", "0730", "0730"),
    ("NA", "1^2^3~4^5^6", "1^2^3~4^5^6"),
    ("EI", "ABC123^SGL^1.2.3^ISO", "ABC123^SGL^1.2.3^ISO"),
    ("CX", "P-77^^^EFS&1.2&ISO^PI", "P-77^^^EFS&1.2&ISO^PI"),
    ("XCN", BIOLOGIST, BIOLOGIST),
    ("NM", '""', ""),
]


@pytest.mark.parametrize(("kind", "raw", "expected"), WRITTEN)
def test_a_value_stays_as_it_is_written(kind: str, raw: str, expected: str) -> None:
    found = result(kind, raw)
    assert (found.value_type, found.value) == (kind, expected)


CODED = [
    ("CE", "POS^Positif^99REM^10828004^Positive^SCT", "Positif", "POS", ["10828004"]),
    ("CE", "LA6576-8^Positive^LN^POS^Positif^99REM", "Positif", "POS", ["LA6576-8"]),
    ("CE", "112283007^Escherichia coli^SCT", "Escherichia coli", "112283007", []),
    ("CE", "POS", "POS", "POS", []),
    ("CE", "^^^112283007^Escherichia coli^SCT", "Escherichia coli", "112283007", []),
    ("CWE", "^^^^^^^^Aspect lactescent", "Aspect lactescent", None, []),
    ("CWE", "LACT^^99REM^^^^^^Aspect lactescent", "Aspect lactescent", "LACT", []),
    ("CE", "BGN^Bacilles^99REM~CGP^Cocci^99REM", "Bacilles\nCocci", None, []),
]


@pytest.mark.parametrize(("kind", "raw", "value", "code", "others"), CODED)
def test_a_coded_value_keeps_its_wording_and_its_codings(
    kind: str, raw: str, value: str, code: str | None, others: list[str]
) -> None:
    found = result(kind, raw)
    assert found.value == value
    assert (found.value_code.code if found.value_code else None) == code
    assert [each.code for each in found.value_translations] == others


@pytest.mark.parametrize(
    ("raw", "media_type", "data"),
    [
        (f"SGL^image^png^Base64^{PNG}", "image/png", PNG),
        (f"SGL^IM^PNG^BASE64^{PNG}", "image/png", PNG),
        (f"SGL^AP^PDF^Base64^{PDF.rstrip('=')}", "application/pdf", PDF),
        (f"SGL^application^pdf^Base64^{PDF[:10]}\\.br\\{PDF[10:]}", "application/pdf", PDF),
        (f"SGL^image^png^Base64^{PDF}", "application/pdf", PDF),
        (
            f"SGL^application^pdf^Base64^{base64.b64encode(b'<html/>').decode()}",
            "",
            base64.b64encode(b"<html/>").decode(),
        ),
        ("SGL^text^plain^A^Bonjour \\T\\ merci", "text/plain", base64.b64encode(b"Bonjour & merci").decode()),
        (f"SGL^application^pdf^Hex^{b'%PDF-1'.hex()}", "application/pdf", base64.b64encode(b"%PDF-1").decode()),
    ],
)
def test_an_embedded_object_is_an_attachment_of_its_true_type(raw: str, media_type: str, data: str) -> None:
    found = result("ED", raw)
    assert found.attachment is not None
    assert (found.attachment.media_type, found.attachment.data, found.value) == (media_type, data, "")
    assert found.attachment.title == "Potassium"


def test_a_pointer_is_kept_and_never_followed() -> None:
    found = result("RP", "https://resultats.example.org/1^SGL^application^pdf")
    assert found.attachment is not None
    assert (found.attachment.pointer, found.attachment.media_type) == (
        "https://resultats.example.org/1",
        "application/pdf",
    )
    assert found.attachment.data == ""


def test_the_whole_report_is_told_from_a_subcontractor_s_document() -> None:
    pdf = f"SGL^application^pdf^Base64^{PDF}"
    own = obx("11502-2^CR^LN", pdf, kind="ED", unit="")
    theirs = obx("11502-2^CR^LN", pdf, kind="ED", unit="", performer="990000564^BIOSPE^FINEG")
    found = report(oru(orc(), obr(), obx(), own, theirs), whole_report_codes=["11502-2"])
    assert [each.data for each in found.attached_reports] == [PDF]
    assert [each.attachment is not None for each in found.batteries[0].results] == [False, True]
    assert report(oru(orc(), obr(), obx(), own)).attached_reports == ()


def test_codes_are_told_by_their_system_and_never_by_their_position() -> None:
    for code in ("K^Potassium^99REM^2823-3^Potassium LN^LN", "2823-3^Potassium LN^LN^K^Potassium^99REM"):
        found = (
            result("NM", "4.1").model_copy()
            if not code
            else report(oru(orc(), obr(), obx(code))).batteries[0].results[0]
        )
        assert found.local_code == Code(code="K", label="Potassium", system="99REM")
        assert found.loinc == Code(code="2823-3", label="Potassium LN", system="LN")


def test_flags_may_repeat_and_may_be_coded() -> None:
    assert result("NM", "4.1", flags="L~A").flags == ("L", "A")
    assert result("NM", "4.1", flags="H^^HL70078").flags == ("H",)
    assert result("NM", "4.1", flags="").flags == ()


def test_who_performed_is_told_with_address_and_director() -> None:
    rest = (
        "|||20260317||||BIOSPE^^^^^ASIP-SANTE-ST&1.2.250.1.71.4.2.2&ISO^IDNST^^^1990000564|"
        f"21 BD PASTEUR^^CLERMONT-FERRAND^^63000^FRA|{BIOLOGIST}"
    )
    found = result("NM", "4.1", performer="990000564^BIOSPE^FINEG", rest=rest).performer
    assert found is not None
    assert (found.identifier, found.identifier_type, found.name) == ("1990000564", "IDNST", "BIOSPE")
    assert found.address == "21 BD PASTEUR, 63000 CLERMONT-FERRAND"
    assert found.director is not None
    assert found.director.identifier == "99700005014"
    only_15 = result("NM", "4.1", performer="990000564^BIOSPE^FINEG").performer
    assert only_15 is not None
    assert (only_15.identifier, only_15.name, only_15.address) == ("990000564", "BIOSPE", "")
    assert result("NM", "4.1").performer is None


def test_a_specimen_keeps_its_details() -> None:
    line = (
        "SPM|1|T1&DPI^T2&SGL||UR^Urine^HL70487|||MIDS^Milieu de jet^99REM|BLAD^Vessie^99REM|||"
        "P^Patient^HL70369|1650^mL&mL&UCUM|||||20260313070000^20260314070000|20260314083000|||RH^Hémolysé^HL70490|||HEM^Hémolyse^HL70493"
    )
    found = report(oru(orc(), obr(), obx(), line)).batteries[0].specimens[0]
    assert (found.identifier, found.nature.code, found.volume, found.role) == ("T2", "UR", "1650 mL", "P")
    assert (found.collected_at, found.collected_until, found.received_at) == (
        "20260313070000", "20260314070000", "20260314083000")  # fmt: skip
    assert found.method is not None
    assert found.body_site is not None
    assert (found.method.label, found.body_site.label) == ("Milieu de jet", "Vessie")
    assert (found.rejected_for, found.conditions) == (("Hémolysé",), ("Hémolyse",))


def test_what_describes_a_specimen_is_no_result() -> None:
    raw = oru(orc(), obr(), obx(), spm(), obx("Q^Qualité^99REM", "Conforme", kind="ST", unit=""))
    battery = report(raw).batteries[0]
    assert [each.value for each in battery.results] == ["4.1"]
    assert [each.value for each in battery.specimen_observations] == ["Conforme"]


def test_questions_at_order_entry_and_results_not_asked_for_are_no_results() -> None:
    raw = oru(orc(), obr(), obx(), obx("J^À jeun^99REM", "Y", kind="ST", status="O"), obx("N^Masqué^99REM", status="N"))
    assert [each.value for each in report(raw).batteries[0].results] == ["4.1"]


@pytest.mark.parametrize(
    ("key", "expected"), [(ReportKey.DEMAND, "D1"), (ReportKey.ACCOUNT, "ACC-7"), (ReportKey.FILLER_PREFIX, "L26-0041")]
)
def test_the_demand_is_found_where_the_sender_puts_it(key: ReportKey, expected: str) -> None:
    patient = "PID|1||R1^^^REMPARTS&990000911&N^PI||KERMADEC^JEANNE|||F" + "|" * 10 + "ACC-7^^^X^AN"
    raw = oru(orc("L26-0041-02"), obr("L26-0041-02"), obx(), patient=patient)
    assert report(raw, report_key=key).number == expected
