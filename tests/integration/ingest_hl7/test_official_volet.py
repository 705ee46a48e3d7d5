"""The official examples of the volet: each gets its answer, and every fact of `expected.json` is read.

They live beside the repository; without them these tests have nothing to collect.
"""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ingest_hl7.core import intake
from ingest_hl7.core.decision import Relayed
from ingest_hl7.core.registry import Registry
from ingest_hl7.core.senders import Sender
from labohub.standards import er7, xml
from labohub.standards.cda import embedded_pdf, read_header
from labohub.standards.er7 import Message, Segment
from labohub.standards.hl7.acknowledgement import AnswerStyle, acknowledge
from labohub.standards.hl7.cda_in_hl7 import EmbeddedDocument, Transmission, read_transmission
from labohub.standards.hl7.embedded import Base64Corrupt, decode_base64
from labohub.standards.hl7.metadata_rows import MAIL_TEXTS, row_name
from labohub.standards.hl7.participation import Participation, read_participations
from labohub.standards.hl7.patient import read_patient
from labohub.standards.hl7.tables import FORMER_NAMES, METADATA, SMTP_ERROR
from labohub.standards.hl7.zam import Outcome, Parties, ZamKind, write_zam
from tests.support.ingest import errors, fields, msa, running
from tests.support.store import FixedClock

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "hl7" / "pfi"
FACTS: dict[str, Any] = (
    json.loads((SHARED / "expected.json").read_text()) if (SHARED / "expected.json").exists() else {}
)
PARIS = ZoneInfo("Europe/Paris")


def names(*folders: str) -> list[str]:
    return sorted(name for name in FACTS if name.split("/")[0] in folders)


def read(name: str) -> Message:
    return er7.read((SHARED / name).read_bytes())


ANSWERS = {  # the examples are not all coherent: two patients, placeholders instead of documents
    "oru/v2.1_segur_init_n3.hl7": ("AA",),
    "oru/v2.1_segur_delete_n3.hl7": ("AE", "199", "PID^1^3"),
    "oru/v2.1_replace_n1_n3_base64.er7": ("AE", "199", "PID^1^3"),
    "oru/v2.1_delete_n1_n3_placeholder.er7": ("AE", "102", "OBX^1^5"),
    "oru/v2.0_replace_n1_n3_placeholder.er7": ("AE", "102", "OBX^1^5"),
    "oru/v2.0_delete_n1_n3_base64.er7": ("AA",),
    "oru/v1.2_init.hl7": ("AE", "101", "PRT^1"),  # names neither requester nor recipient
    "mdm/v2.1_t02_init_n1_base64.er7": ("AA",),
    "mdm/v2.1_t04_delete_n1.er7": ("AA",),
    "mdm/v2.0_t02_init_n1_placeholder.er7": ("AE", "102", "OBX^1^5"),
    "mdm/v2.0_t10_replace_n1_placeholder.er7": ("AE", "102", "OBX^1^5"),
    **dict.fromkeys(names("mdm-lps"), ("AE", "200", "MSH^1^21")),  # for a LPS, not for a hub
}


async def test_every_official_message_gets_its_answer(tmp_path: Path) -> None:
    wanted = {name: ANSWERS[name] for name in names("oru", "mdm", "mdm-lps")}
    got: dict[str, tuple[str, ...]] = {}
    async with running(tmp_path) as hub, hub.connect() as peer:
        for name in wanted:
            [answer] = await peer.send((SHARED / name).read_bytes())
            found = errors(answer)
            got[name] = (msa(answer)[0], *(found[0][:2] if found else ()))
            assert msa(answer)[1] == "015"
            assert fields(answer)["MSH"][0][9] == f"ACK^{FACTS[name]['msh']['9'].split('^')[1]}^ACK"
    assert got == wanted


@pytest.mark.parametrize("folder", [folder for folder in ("ack",) if FACTS])
async def test_official_acknowledgements_are_never_acknowledged(folder: str, tmp_path: Path) -> None:
    async with running(tmp_path) as hub, hub.connect() as peer:
        for name in names(folder):
            peer.writer.write(b"\x0b" + (SHARED / name).read_bytes() + b"\x1c\r")
        [answer] = await peer.send(b"MSH|^~\\&|A|B|C|D|20260101||ORU^R01|9|P|2.2\r")
        messages = await hub.rows("messages")
    assert msa(answer)[1] == "9"
    assert len(messages) == 1


@pytest.mark.parametrize("name", names("oru", "mdm", "mdm-lps", "ack", "zam", "adt"))
def test_every_segment_and_field_of_msh_is_there(name: str) -> None:
    message, facts = read(name), FACTS[name]
    assert [segment.name for segment in message] == facts["segments"]
    written = {number: message.header.field(int(number)).strip() for number in facts["msh"]}
    assert written == facts["msh"]
    assert message.raw == (SHARED / name).read_bytes()


@pytest.mark.parametrize("name", names("oru", "mdm", "mdm-lps"))
def test_every_fact_of_the_patient_and_the_order_is_read(name: str) -> None:
    message, facts = read(name), FACTS[name]
    patient, pid, pv1 = read_patient(message), message.first("PID"), message.first("PV1")
    assert patient is not None
    assert pid is not None
    assert pv1 is not None
    ids = [
        {"value": each.value, "authority": each.authority, "oid": each.authority_oid, "type": each.type}
        for each in patient.identifiers
    ]
    said = {
        "ids": ids, "name": pid.repetitions(5)[0], "birth": patient.birth_date, "sex": patient.sex,
        "pid18": patient.account, "pid31": pid.component(31, 1), "pid32": "~".join(patient.reliability),
        "birthplace_insee": patient.birth_place,
    }  # fmt: skip
    assert said == facts["pid"]
    assert facts["pid"]["name"].split("^")[:2] == [patient.birth_name, patient.first_given_name]
    visit = {
        "class": patient.encounter_class, "visit": patient.visit_number, "admit": pv1.component(44, 1),
        "discharge": pv1.component(45, 1),
    }  # fmt: skip
    assert visit == facts["pv1"]
    assert _raw(message, "ORC", 1) == facts.get("orc1")
    assert _raw(message, "OBR", 4) == facts.get("obr4")
    if "txa" in facts:
        assert {number: _raw(message, "TXA", int(number)) for number in facts["txa"]} == facts["txa"]


@pytest.mark.parametrize("name", names("oru", "mdm", "mdm-lps"))
def test_every_participation_is_read(name: str) -> None:
    assert [_person(each) for each in read_participations(read(name))] == FACTS[name]["prt"]


@pytest.mark.parametrize("name", names("oru", "mdm"))
def test_every_document_flag_and_text_is_read(name: str) -> None:
    message, facts = read(name), FACTS[name]
    transmission, found = read_transmission(message, facts["msh"]["21"].split("^")[0])
    assert found == ()
    assert transmission is not None
    assert [_document(each) for each in transmission.documents] == [_wanted(each) for each in facts["documents"]]
    rows = {FORMER_NAMES.get(row, row): value for row, value in facts["metadata"].items()}
    assert {row: "Y" if value else "N" for row, value in transmission.flags.items()} == {
        row: rows.get(row, "N") for row in METADATA
    }
    assert _texts(transmission) == {row: rows.get(row) for row in MAIL_TEXTS}
    order = [row_name(obx) for obx in message.all("OBX")][len(facts["documents"]) :]
    assert order == [FORMER_NAMES.get(row, row) for row in facts["metadata_order"]]


@pytest.mark.parametrize("name", names("mdm-lps"))
def test_the_document_and_the_flags_of_a_message_for_a_lps_are_read(name: str) -> None:
    message, facts = read(name), FACTS[name]
    rows = {obx.component(3, 1): obx for obx in message.all("OBX")}
    [wanted] = facts["documents"]
    content = decode_base64(message.all("OBX")[0].components(5)[4])
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (wanted["sha256"], wanted["bytes"])
    assert {row: rows[row].component(5, 1) for row in facts["metadata"]} == facts["metadata"]
    mail = message.all("OBX")[1]
    said = {
        "message_id": mail.component(3, 1), "subject": mail.component(3, 2),
        "body": decode_base64(mail.components(5)[4]).decode(),
    }  # fmt: skip
    assert said == facts["mail"]


@pytest.mark.parametrize("name", names("zam"))
def test_our_business_acknowledgement_of_an_official_outcome_is_the_official_one(name: str) -> None:
    message, facts = read(name), FACTS[name]
    kind = ZamKind(facts["msh"]["9"].split("^")[1])
    error = facts.get("err", [{}])[0].get("5", "^^").split("^")
    who = message.all("OBX")[1] if len(message.all("OBX")) > 1 else None
    outcome = Outcome(
        kind, facts["zam"][0]["obx4"], error[0], error[1],
        who.component(5, 4) if who else "", who.component(4, 1) if who else "",
    )  # fmt: skip
    parties = Parties(*(facts["msh"][number] for number in "3456"))
    at = datetime.strptime(facts["msh"]["7"], "%Y%m%d%H%M").replace(tzinfo=PARIS)
    ours = er7.read(write_zam(outcome, parties, at=at, control_id=facts["msh"]["10"], processing_id="P"))
    assert [segment.name for segment in ours] == facts["segments"]
    for mine, theirs in zip(ours, message, strict=True):
        for number in (3, 4, 5, 6, 9, 10, 11, 12, 17, 18) if mine.name == "MSH" else (1, 2, 3, 4, 5, 11):
            # labels and systems: the text's form is written; the examples' EVN tells another moment than their MSH-7
            if (mine.name, number) not in (("ERR", 3), ("ERR", 5)) and mine.name != "EVN":
                assert _comparable(mine, number) == _comparable(theirs, number), (mine.name, number)
    if facts.get("err"):
        assert _raw(ours, "ERR", 5) == f"{error[0]}^{error[1]}^DMP_ERROR_CODE"
        assert (_raw(ours, "ERR", 3) or "").startswith("207^")
    assert _raw(ours, "EVN", 2) == f"{facts['msh']['7']}00+0200"
    said = [
        {
            "code": obx.component(3, 1), "system": obx.component(3, 3), "obx4": obx.component(4, 1),
            "value": obx.component(5, 4) or obx.component(5, 1),
        }
        for obx in ours.all("OBX")
    ]  # fmt: skip
    assert said == facts["zam"]


ACKNOWLEDGED = {
    "ack/v2.0_v2.1_ack_r01_a.er7": "oru/v2.1_segur_init_n3.hl7",
    "ack/v2.1_ack_t04.er7": "mdm/v2.1_t04_delete_n1.er7",
}


@pytest.mark.parametrize("name", [name for name in ACKNOWLEDGED if name in FACTS])
def test_our_acknowledgement_is_the_official_one(name: str) -> None:
    asked = er7.read_header((SHARED / ACKNOWLEDGED[name]).read_bytes())
    at = datetime(2021, 6, 6, 9, 32, tzinfo=PARIS)
    answer = acknowledge(asked, FACTS[name]["msa"]["1"], at=at, control_id="016", style=AnswerStyle.VOLET)
    ours, theirs = er7.read(answer.er7), read(name)
    assert [segment.name for segment in ours] == FACTS[name]["segments"]
    for number in (9, 11, 12, 17, 21):
        assert ours.header.field(number) == theirs.header.field(number)
    assert [ours.header.field(number) for number in (5, 6)] == [
        asked.field(number) if asked else "" for number in (3, 4)
    ]
    assert (_raw(ours, "MSA", 1), _raw(ours, "MSA", 2)) == tuple(FACTS[name]["msa"].values())


@pytest.mark.parametrize("name", names("ack"))
def test_every_official_acknowledgement_is_read(name: str) -> None:
    said = {number: _raw(read(name), "MSA", int(number)) for number in FACTS[name]["msa"]}
    assert said == FACTS[name]["msa"]


@pytest.mark.parametrize("name", [name for name in ("oru/v2.1_segur_init_n3.hl7",) if name in FACTS])
async def test_the_official_initial_report_is_accepted_and_its_bad_patient_address_told(
    name: str, tmp_path: Path
) -> None:
    async with running(tmp_path) as hub:
        [answer] = await hub.send((SHARED / name).read_bytes())
        answers = await hub.rows("answers")
        outcomes = {row["target"]: row["outcome"] for row in await hub.rows("outcomes")}
    assert msa(answer) == ("AA", "015")
    assert "ERR" not in fields(answer)
    assert outcomes["dmp"] == "pending"
    assert outcomes["adam.hoda@test-ci-sis.mssante.fr"] == "pending"
    assert [outcome for outcome in outcomes.values() if outcome == "failed"] == ["failed"]
    assert [row["message_type"] for row in answers] == ["ZAM^Z02^ZAM_Z01"]
    assert f"553^{SMTP_ERROR['553']}" in json.loads(answers[0]["payload"])["er7"]


@pytest.mark.parametrize("name", [name for name in ("oru/v2.0_delete_n1_n3_base64.er7",) if name in FACTS])
def test_both_official_formats_go_on_the_structured_one_first(name: str) -> None:
    policy = intake.Policy("test", frozenset("PT"), Registry((Sender(),)))
    decision, _ = intake.decide(intake.arrive((SHARED / name).read_bytes(), policy, FixedClock()()), policy)
    assert isinstance(decision, Relayed)
    digests = [document["sha256"] for document in FACTS[name]["documents"]]
    assert [hashlib.sha256(each.content).hexdigest() for each in decision.documents] == digests[::-1]


def _raw(message: Message, segment: str, number: int) -> str | None:
    found = message.first(segment)
    return found.field(number).strip() if found else None


def _comparable(segment: Segment, number: int) -> str:
    return segment.field(number).strip().rstrip("^").replace("HL70136", "expandedYes-NoIndicator")  # the name of 2.0


def _person(prt: Participation) -> dict[str, str]:
    said = {
        "role": prt.role, "person": prt.person_id, "family": prt.family_name, "given": prt.given_name,
        "person_type": prt.person_id_type, "org_name": prt.organisation_name, "org_id": prt.organisation_id,
        "org_type": prt.organisation_id_type, "address": prt.address,
    }  # fmt: skip
    return {key: value for key, value in said.items() if value}


def _wanted(facts: dict[str, Any]) -> dict[str, Any]:
    kept = {key: facts[key] for key in ("obx11", "sha256", "bytes", "cda")}
    return {**kept, "code": [*facts["code"], "", ""][:3]}


def _document(embedded: EmbeddedDocument) -> dict[str, Any]:
    said: dict[str, Any] = {
        "obx11": embedded.status, "sha256": hashlib.sha256(embedded.content).hexdigest(),
        "bytes": len(embedded.content), "code": [embedded.code, embedded.label, embedded.system], "cda": None,
    }  # fmt: skip
    try:
        root = xml.parse(embedded.content)
    except xml.XmlMalformed:
        return said
    header = read_header(root)
    said["cda"] = {
        "id": [_id(header.id)],
        "setId": [_id(header.set_id)] if header.set_id else [],
        "version": [str(header.version_number)],
        "code": [header.code.code],
        "confidentiality": [header.confidentiality.code],
        "replaces": [{"typeCode": each.type_code, **_id(each.id)} for each in header.related],
        "level": header.level,
        "patient_ids": [_id(each) for each in header.patient.ids],
        "embedded_pdf": embedded_pdf(root) is not None,
    }
    return said


def _id(identifier: Any) -> dict[str, str | None]:
    return {"root": identifier.root, "extension": identifier.extension or None}


def _texts(transmission: Transmission) -> dict[str, Any]:
    """Return the bodies as the expected facts write them: 93 characters that no decoder reads are said so."""
    undecodable = [each for each in transmission.warnings if each.reason == "volet.mail-text-undecodable"]
    lost = {"undecodable_base64": 93} if undecodable else None
    return {"CORPSMAIL_PS": transmission.professional_text or lost, "CORPSMAIL_PATIENT": transmission.patient_text}


def test_what_cannot_be_decoded_is_never_guessed() -> None:
    with pytest.raises(Base64Corrupt):
        decode_base64("Q2hl" * 23 + "Q")
