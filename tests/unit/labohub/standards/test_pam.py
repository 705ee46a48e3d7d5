"""ADT messages of PAM-FR, read; the official samples too, where they are at hand."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from labohub.standards import er7
from labohub.standards.hl7.pam import EVENTS, Adt, Matter, Movement, moment, read_adt
from tests.support.ingest import MATRICULE
from tests.support.pam import ZBE, adt_message, local, zfa

SAMPLES = Path(__file__).parents[5] / "shared/data/hl7/pfi"
EXPECTED: dict[str, Any] = (
    json.loads((SAMPLES / "expected.json").read_text()) if (SAMPLES / "expected.json").is_file() else {}
)
OFFICIAL = [(name, facts) for name, facts in EXPECTED.items() if name.startswith("adt/") and (SAMPLES / name).is_file()]
PARIS = ZoneInfo("Europe/Paris")


def read(message: bytes) -> Adt:
    adt = read_adt(er7.read(message))
    assert adt is not None
    return adt


def test_the_patient_the_movement_the_consent_and_the_identity_are_read() -> None:
    adt = read(
        adt_message("A01", "1", ZBE, zfa("IO", consultation="INC"), "ZFM|8", "ZFD|||Y|N|INSI|20211201|CN|20300101")
    )
    assert (adt.event, adt.matter, adt.recorded_at, adt.occurred_at) == (
        "A01", Matter.IDENTITY, "20260312094000", "20260312094000",
    )  # fmt: skip
    assert adt.patient.birth_name == "KERMADEC"
    assert [(each.value, each.type, each.authority_id) for each in adt.patient.identifiers] == [
        ("R000451", "PI", "990000911"), (MATRICULE, "INS", ""),
    ]  # fmt: skip
    assert adt.movement == Movement("312", "20260312080000", "INSERT", False, "", "6268", "6268", "HMS")
    assert adt.dmp is not None
    assert (adt.dmp.status, adt.dmp.feeding, adt.dmp.feeding_at, adt.dmp.consultation) == (
        "ACTIF", "IO", "20260312090000", "INC",
    )  # fmt: skip
    assert adt.demography is not None
    assert (adt.demography.obtained_by, adt.demography.insi_asked_on) == ("INSI", "20211201")
    assert (adt.demography.birth_date_is_estimated, adt.demography.accepts_sms) == (False, "Y")
    assert (adt.demography.document_type, adt.demography.document_ends_on) == ("CN", "20300101")


def test_a_movement_written_one_field_too_far_is_read_all_the_same() -> None:
    shifted = "ZBE|002^CHU|20260306110000|20260309102840||INSERT|Y||Urgences^^^^^^UF^^^8782||HMS"
    movement = read(adt_message("A03", "1", shifted)).movement
    assert movement == Movement("002", "20260306110000", "INSERT", True, "", "8782", "", "HMS", is_shifted=True)


def test_what_a_merge_replaces_is_read() -> None:
    adt = read(adt_message("A40", "1", f"MRG|{local('R000999')}~{local('R000998')}"))
    assert adt.matter is Matter.MERGE
    assert [(each.value, each.authority_id) for each in adt.prior] == [
        ("R000999", "990000911"),
        ("R000998", "990000911"),
    ]


def test_a_withdrawn_ins_is_told_from_an_absent_one() -> None:
    ins = '""^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS'
    withdrawn = f"PID|1||{local('R000451')}~{ins}||KERMADEC^J^^^^^L"
    assert read(adt_message("A31", "1", patient=withdrawn)).withdraws_ins
    assert not read(adt_message("A31", "1", patient="PID|1||R1^^^X^PI||KERMADEC^J^^^^^L")).withdraws_ins


def test_an_erased_trait_is_no_trait() -> None:
    erased = 'PID|1||R1^^^X^PI||KERMADEC^JEANNE^""^^^^L~""^^^^^^D||19840512|F|||^^^^^^BDL^^""'
    patient = read(adt_message("A31", "1", patient=erased)).patient
    assert (patient.birth_name, patient.given_names, patient.used_name, patient.birth_place) == ("KERMADEC", "", "", "")


def test_without_an_event_segment_the_message_s_own_time_is_taken() -> None:
    message = adt_message("A31", "1").replace(b"EVN||20260312094000||||20260312094000\r", b"")
    assert read(message).recorded_at == "20260312094000"


def test_without_a_patient_there_is_nothing_to_read() -> None:
    assert read_adt(er7.read(adt_message("A31", "1", patient="PD1|"))) is None


def test_the_events_of_the_profile_are_known() -> None:
    asked = {"A01", "A02", "A03", "A04", "A05", "A08", "A11", "A13", "A28", "A31", "A40", "A47"}
    assert asked <= set(EVENTS)
    assert {event for event, matter in EVENTS.items() if matter is Matter.MERGE} == {"A40", "A47"}
    assert EVENTS["A03"] is EVENTS["A11"] is Matter.MOVEMENT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20260312094000", datetime(2026, 3, 12, 9, 40, tzinfo=PARIS)),
        ("202607120940", datetime(2026, 7, 12, 9, 40, tzinfo=PARIS)),
        ("20260312", datetime(2026, 3, 12, tzinfo=PARIS)),
        ("20260312094000+0000", datetime(2026, 3, 12, 9, 40, tzinfo=UTC)),
        ("20260312094000.1234-0430", datetime(2026, 3, 12, 9, 40, tzinfo=timezone(-timedelta(hours=4, minutes=30)))),
        ("20260230", None),
        ("hier", None),
        ("", None),
    ],
)
def test_a_time_is_aware_or_nothing(text: str, expected: datetime | None) -> None:
    assert moment(text, PARIS) == expected


@pytest.mark.parametrize(("name", "facts"), OFFICIAL, ids=[name for name, _ in OFFICIAL])
def test_every_fact_of_an_official_sample_is_read(name: str, facts: dict[str, Any]) -> None:
    message = er7.read((SAMPLES / name).read_bytes())
    assert [segment.name for segment in message] == facts["segments"]
    assert {number: message.header.field(int(number)) for number in facts["msh"]} == facts["msh"]
    adt = read((SAMPLES / name).read_bytes())
    told, patient = facts["pid"], adt.patient
    assert [
        {"value": i.value, "authority": i.authority, "oid": i.authority_oid or i.authority_id, "type": i.type}
        for i in patient.identifiers
    ] == told["ids"]
    birth = told["name"].split("^")
    assert [patient.birth_name, patient.first_given_name, patient.given_names] == birth[:3]
    assert (patient.birth_date, patient.sex, patient.account) == (told["birth"], told["sex"], told["pid18"])
    assert (patient.reliability, patient.birth_place) == ((told["pid32"],), told["birthplace_insee"])
    assert (patient.encounter_class, patient.visit_number) == (facts["pv1"]["class"], facts["pv1"]["visit"])
    dmp = {number: value for number, value in facts.get("zfa", {}).items() if value}
    ours = adt.dmp and {
        "1": adt.dmp.status, "2": adt.dmp.status_at, "9": adt.dmp.feeding, "10": adt.dmp.feeding_at,
        "11": adt.dmp.consultation, "12": adt.dmp.consultation_at,
    }  # fmt: skip
    assert {number: value for number, value in (ours or {}).items() if value} == dmp
    demography = adt.demography and {
        "3": adt.demography.accepts_sms, "4": "Y" if adt.demography.birth_date_is_estimated else "N",
        "5": adt.demography.obtained_by, "6": adt.demography.insi_asked_on,
    }  # fmt: skip
    assert (demography or {}) == facts.get("zfd", {})
    shift = int("5" in facts["zbe"] and facts["zbe"]["5"] == "INSERT")
    movement, zbe = adt.movement, facts["zbe"]
    assert movement is not None
    assert movement.is_shifted == bool(shift)
    assert (movement.identifier, movement.started_at) == (zbe["1"].split("^")[0], zbe["2"])
    assert (movement.action, movement.is_historic) == (zbe[str(4 + shift)], zbe[str(5 + shift)] == "Y")
    assert (movement.medical_unit, movement.nature) == (zbe[str(7 + shift)].split("^")[-1], zbe[str(9 + shift)])
