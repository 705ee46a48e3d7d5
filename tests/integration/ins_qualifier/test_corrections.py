"""The source corrects a patient: reports that wait are checked again, reports that left are recalled."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from labohub.contracts import topics
from labohub.contracts.codec import derived_id, to_record
from labohub.contracts.events import Event, IdentityQualified, IdentityUnresolved, PatientCorrected
from labohub.contracts.values import MessageId, Patient, ReportId
from labosim.identities import generated_identity
from labosim.pki import Pki
from tests.support.ins import AT, InsRig, patient_of, received

PERSON = generated_identity(41)
OTHER = generated_identity(42)
WRONG = patient_of(PERSON, birth_name="ERREUR", with_ins=False)
RIGHT = patient_of(PERSON)
WORKLIST = "/api/v1/worklists/identity"
RECALLS = "/api/v1/worklists/recalls"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki.create(tmp_path_factory.mktemp("pki"))


@pytest.fixture(params=["sqlite", "postgresql"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path, pki: Pki) -> AsyncIterator[InsRig]:
    url = request.getfixturevalue("postgres_server").fresh_database() if request.param == "postgresql" else ""
    rig = InsRig(tmp_path, pki, store_url=url)
    await rig.start()
    yield rig
    await rig.stop()


def corrected(patient: Patient, *, report: str = "R1", number: int = 1, cause: str = "adt-1") -> PatientCorrected:
    message_id = f"{report}-M{number}"
    return PatientCorrected(
        event_id=derived_id("test", cause, message_id),
        occurred_at=AT,
        report_id=ReportId(report),
        message_id=MessageId(message_id),
        patient=patient,
        cause=cause,
    )


async def tell(rig: InsRig, *events: Event) -> None:
    await rig.platform.bus.publish(topics.REPORT, [to_record(event) for event in events])


async def items(rig: InsRig, state: str = "open") -> list[dict[str, Any]]:
    return list((await rig.get(f"{WORKLIST}?state={state}")).json()["items"])


async def recalls(rig: InsRig, state: str = "open") -> list[dict[str, Any]]:
    return list((await rig.get(f"{RECALLS}?state={state}")).json()["items"])


async def recalled(rig: InsRig, event: PatientCorrected) -> dict[str, Any]:
    """Return the recall that a correction opens. A later report's check tells that the correction was handled."""
    await tell(rig, event)
    done = len(rig.answers)
    await rig.receive(received(patient_of(generated_identity(43)), report=event.report_id, number=99))
    await rig.decided(done + 1)
    (item,) = await recalls(rig)
    return item


async def test_a_correction_lets_a_blocked_report_go_on_with_the_right_patient(rig: InsRig) -> None:
    await rig.receive(received(WRONG))
    (blocked,) = await rig.decided(1)
    assert isinstance(blocked, IdentityUnresolved)

    await tell(rig, corrected(RIGHT))

    _, gone = await rig.decided(2)
    assert isinstance(gone, IdentityQualified)
    assert gone.report.patient == RIGHT
    assert gone.identity.ins is not None
    assert gone.identity.ins.matricule == PERSON.matricule
    assert await items(rig) == []
    (item,) = await items(rig, "qualified")
    acts = (await rig.get(f"{WORKLIST}/{item['id']}")).json()["history"]
    assert [(act["act"], act["code"]) for act in acts] == [
        ("opened", blocked.code), ("patient-corrected", "adt-1"), ("closed", "qualified"),
    ]  # fmt: skip


async def test_a_report_that_waits_for_insi_is_checked_with_the_corrected_patient(rig: InsRig) -> None:
    rig.faults.order("insi", "outage")
    await rig.receive(received(WRONG))
    await tell(rig, corrected(RIGHT))
    rig.faults.clear()

    (gone,) = await rig.decided(1)
    assert isinstance(gone, IdentityQualified)
    assert gone.report.patient == RIGHT


async def test_an_attribute_told_later_stops_a_report_that_waits(rig: InsRig) -> None:
    rig.faults.order("insi", "outage")
    await rig.receive(received(RIGHT))
    await tell(rig, corrected(RIGHT.model_copy(update={"reliability": ("PROV", "DOUT"), "ins": None})))
    (blocked,) = await rig.decided(1)
    rig.faults.clear()
    assert isinstance(blocked, IdentityUnresolved)
    assert blocked.code == "ins.attribute"


async def test_the_same_patient_told_again_changes_nothing(rig: InsRig) -> None:
    await rig.receive(received(WRONG))
    await rig.decided(1)
    await tell(rig, corrected(WRONG))
    await rig.receive(received(RIGHT, number=2))
    await rig.decided(2)
    (item,) = await items(rig)
    assert len((await rig.get(f"{WORKLIST}/{item['id']}")).json()["history"]) == 1


async def test_a_report_that_left_for_another_person_is_recalled_and_a_person_closes_it(rig: InsRig) -> None:
    await rig.receive(received(RIGHT))
    await rig.decided(1)

    item = await recalled(rig, corrected(patient_of(OTHER)))

    assert (item["code"], item["cause"], item["state"]) == ("ins.changed-after-qualification", "adt-1", "open")
    assert {"birth_name", "matricule"} <= {reason["subject"] for reason in item["reasons"]}
    where = f"{RECALLS}/{item['id']}"
    unsigned = await rig.post(f"{where}/resolve", {"decision": "replaced", "operator": "", "reason": ""})
    assert (unsigned.status_code, unsigned.json()["code"]) == (422, "worklist.reason-required")
    act = {"decision": "replaced", "operator": "mdurand", "reason": "remplacé dans le DMP"}
    done = await rig.post(f"{where}/resolve", act)
    assert (done.status_code, done.json()["state"]) == (202, "replaced")
    assert await recalls(rig) == []
    history = (await rig.get(where)).json()["history"]
    assert [act["act"] for act in history] == ["patient-corrected", "recalled", "recall-replaced"]
    assert (history[0]["code"], history[2]["actor"], history[2]["reason"]) == ("adt-1", "mdurand", act["reason"])
    again = await rig.post(f"{where}/resolve", act)
    assert (again.status_code, again.json()["code"]) == (422, "worklist.item-closed")


async def test_a_correction_that_says_what_insi_said_recalls_nothing(rig: InsRig) -> None:
    tolerated = patient_of(PERSON, birth_name=PERSON.birth_name.lower(), with_ins=False)
    await rig.receive(received(tolerated))
    await rig.decided(1)
    await tell(rig, corrected(RIGHT))
    await rig.receive(received(RIGHT, number=2))
    await rig.decided(2)
    assert await items(rig) == []
    assert await recalls(rig) == []


async def test_an_earlier_message_does_not_come_back_after_a_later_one_left(rig: InsRig) -> None:
    await rig.receive(received(WRONG), received(RIGHT, number=2))
    await rig.decided(2)
    await tell(rig, corrected(RIGHT))
    await rig.receive(received(RIGHT, number=3))
    answers = await rig.decided(3)
    assert [answer.message_id for answer in answers] == ["R1-M1", "R1-M2", "R1-M3"]


async def test_a_correction_that_comes_before_its_report_is_no_error(rig: InsRig) -> None:
    await tell(rig, corrected(RIGHT))
    await rig.receive(received(RIGHT))
    (gone,) = await rig.decided(1)
    assert isinstance(gone, IdentityQualified)
