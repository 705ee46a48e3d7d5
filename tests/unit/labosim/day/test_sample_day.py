"""The sample day, read by others than its writer."""

import base64
import hashlib
import subprocess
import sys
from pathlib import Path

import hl7
import pytest
from lxml import etree

from labohub.standards.ins.matricule import control_key
from labosim.day import DayMessage, day_messages, sample_day

VALIDATOR = Path(__file__).parents[5] / "shared" / "tools" / "cisis-validate"
CDA = {"v": "urn:hl7-org:v3"}
DAY = list(day_messages(seed=7, count=24))
RELAYED = [message for message in DAY if message.path == "relay"]


def document_of(message: DayMessage) -> bytes:
    document = hl7.parse(message.er7.decode()).segments("OBX")[0][5]
    return base64.b64decode(str(document).split("^")[4])


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert list(sample_day(7, 24)) == [message.er7 for message in DAY]


def test_another_seed_gives_other_people_numbers_and_documents() -> None:
    other = list(day_messages(seed=8, count=24))
    for name in ("control_id", "er7"):
        assert not {getattr(message, name) for message in DAY} & {getattr(message, name) for message in other}
    assert not {message.person.matricule for message in DAY} & {message.person.matricule for message in other}


def test_the_day_has_both_ways_in_and_what_is_not_ordinary() -> None:
    stories = {message.story for message in DAY}
    assert stories == {"ordinary", "replacement", "unresolved", "refused", "partial"}
    assert {message.path for message in DAY if message.story == "ordinary"} == {"relay", "structuring"}


@pytest.mark.parametrize("message", RELAYED, ids=lambda message: message.control_id)
def test_a_relayed_message_names_one_patient_in_pid_and_cda(message: DayMessage) -> None:
    pid = hl7.parse(message.er7.decode()).segment("PID")
    root = etree.fromstring(document_of(message))
    patient = root.find("v:recordTarget/v:patientRole", CDA)

    assert pid[5][0][0][0] == patient.findtext("v:patient/v:name/v:family", namespaces=CDA)
    assert str(pid[7]) == patient.find("v:patient/v:birthTime", CDA).get("value")
    ids = {item.get("extension") for item in patient.findall("v:id", CDA)}
    assert {str(repetition[0]) for repetition in pid[3]} == ids


@pytest.mark.parametrize("message", RELAYED, ids=lambda message: message.control_id)
def test_what_the_day_says_of_a_document_is_true(message: DayMessage) -> None:
    document = document_of(message)
    assert hashlib.sha256(document).hexdigest() == message.document_sha256
    assert etree.fromstring(document).find("v:id", CDA).get("root") == message.document_id


def test_a_replacement_names_the_document_it_replaces_and_keeps_its_set() -> None:
    [replacement] = [message for message in DAY if message.story == "replacement"]
    root = etree.fromstring(document_of(replacement))
    replaced = root.find("v:relatedDocument[@typeCode='RPLC']/v:parentDocument/v:id", CDA).get("root")

    assert replaced in {message.document_id for message in DAY if message.story == "ordinary"}
    assert replaced.rpartition(".")[0] == root.find("v:setId", CDA).get("root")
    parsed = hl7.parse(replacement.er7.decode())
    assert (str(parsed.segment("ORC")[1]), str(parsed.segments("OBX")[0][11])) == ("RO", "C")


def test_every_relayed_message_has_the_ten_metadata_rows_of_the_volet() -> None:
    for message in RELAYED:
        rows = hl7.parse(message.er7.decode()).segments("OBX")[1:]
        assert [len(rows), {str(row[5][0][0]) for row in rows} <= {"Y", "N"}] == [10, True]


def test_every_matricule_has_its_key() -> None:
    for message in DAY:
        matricule = message.person.matricule
        assert f"{control_key(matricule[:13]):02d}" == matricule[13:]


def test_a_number_outside_its_interval_is_flagged() -> None:
    flags = set()
    for message in DAY:
        if message.path != "structuring":
            continue
        for row in hl7.parse(message.er7.decode()).segments("OBX"):
            value, interval, flag = float(str(row[5])), str(row[7]), str(row[8])
            low, high = (None, float(interval[1:])) if interval[0] == "<" else map(float, interval.split("-"))
            expected = "L" if low is not None and value < low else "H" if value > high else "N"
            assert flag == expected
            flags.add(flag)
    assert "N" in flags
    assert flags - {"N"}


if VALIDATOR.exists():

    def test_the_documents_pass_the_official_rules(tmp_path: Path) -> None:
        files = []
        for message in RELAYED:
            files.append(tmp_path / f"{message.control_id}.xml")
            files[-1].write_bytes(document_of(message))
        answer = subprocess.run(
            [sys.executable, str(VALIDATOR), *map(str, files)], capture_output=True, text=True, check=False
        )
        assert answer.returncode == 0, answer.stdout
        assert f"{len(files)}/{len(files)} conform" in answer.stdout
