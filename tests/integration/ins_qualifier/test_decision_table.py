"""The decision table of the INS digest, row by row, through the whole service and INSi's simulator."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ins_qualifier.core.decision import RULES
from ins_qualifier.core.record import TRANSITIONS
from labohub.contracts.events import IdentityQualified, IdentityUnresolved
from labohub.contracts.values import IdentityStatus, Ins, Patient
from labohub.standards.ins.matricule import control_key
from labosim.identities import PUBLIC, TestIdentity, generated_identity
from labosim.pki import Pki
from tests.support.ins import InsRig, corrected, numbered, received

WORKLIST = "/api/v1/worklists/identity"
RECALLS = "/api/v1/worklists/recalls"
ACT = {"operator": "identito-1", "reason": "pièce comparée au guichet"}
PERSON, OTHER = generated_identity(301), generated_identity(302)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki.create(tmp_path_factory.mktemp("pki"))


@pytest.fixture
async def rig(tmp_path: Path, pki: Pki) -> AsyncIterator[InsRig]:
    rig = InsRig(tmp_path, pki)
    await rig.start()
    yield rig
    await rig.stop()


def person(name: str) -> TestIdentity:
    return next(each for each in PUBLIC if each.birth_name == name)


async def stopped(rig: InsRig, patient: Patient, *, code: str, status: IdentityStatus, asked: int) -> dict[str, Any]:
    """Return the worklist's item of a report that does not leave."""
    await rig.receive(received(patient))
    (event,) = await rig.decided(1)
    assert isinstance(event, IdentityUnresolved)
    assert (event.code, event.status) == (code, status)
    assert len(rig.simulator.calls) == asked
    (item,) = (await rig.get(WORKLIST)).json()["items"]
    return dict(item)


async def identity(rig: InsRig, number: str = "") -> dict[str, Any]:
    """Return the one identity of the store, or the one of this report's check."""
    items = (await rig.get("/api/v1/identity/patients")).json()["items"]
    details = [(await rig.get(f"/api/v1/identity/patients/{each['id']}")).json() for each in items]
    (found,) = [each for each in details if not number or number in [report["report_id"] for report in each["reports"]]]
    return dict(found)


def causes(found: dict[str, Any]) -> list[str]:
    return [line["cause"] for line in found["history"]]


def test_every_row_of_the_table_is_in_the_code() -> None:
    rows = {row for rule in RULES for row in rule.rows} | {row for move in TRANSITIONS for row in move.rows}
    assert rows == set(range(1, 22))


@pytest.mark.parametrize("attribute", ["DOUT", "FICT", "ANOM", "CACH"])
async def test_row_1_an_attribute_withdraws_the_ins_and_asks_nobody(rig: InsRig, attribute: str) -> None:
    await rig.receive(received(numbered(PERSON)))
    await rig.decided(1)

    doubtful = numbered(PERSON, reliability=("PROV", attribute))
    await rig.receive(received(doubtful, report="R2"))

    _, event = await rig.decided(2)
    assert isinstance(event, IdentityUnresolved)
    assert (event.code, event.status) == ("ins.attribute", IdentityStatus.PROVISOIRE)
    assert len(rig.simulator.calls) == 1
    found = await identity(rig)
    assert (found["status"], found["attributes"]) == ("PROVISOIRE", [attribute])
    assert found["history"][-1]["cause"] == "ins.attribute"
    (recall,) = (await rig.get(RECALLS)).json()["items"]
    assert recall["report_id"] == "R1"


@pytest.mark.parametrize(
    ("traits", "code"),
    [
        ({"birth_name": ""}, "ins.incomplete"),
        ({"sex": "U"}, "ins.sex-unusable"),
        ({"birth_name": "MARTIN (EX DURAND)"}, "ins.name-refused"),
        ({"birth_date": "1975"}, "ins.date-unusable"),
    ],
)
async def test_row_2_what_insi_cannot_take_is_not_asked(rig: InsRig, traits: dict[str, Any], code: str) -> None:
    await stopped(rig, numbered(PERSON, **traits), code=code, status=IdentityStatus.VALIDEE, asked=0)
    assert causes(await identity(rig)) == ["identity.seen", "identity.told"]


async def test_row_3_an_unusable_matricule_is_searched_all_the_same_and_never_qualifies(rig: InsRig) -> None:
    body = PERSON.matricule[:13]
    wrong = Ins(matricule=f"{body}{control_key(body) % 97 + 1:02d}", oid=PERSON.oid)
    patient = numbered(PERSON).model_copy(update={"ins": wrong})

    item = await stopped(rig, patient, code="ins.matricule-rejected", status=IdentityStatus.VALIDEE, asked=1)

    assert item["priority"] == "low"


async def test_row_4_one_matricule_on_two_local_patients_stops_both_without_a_call(rig: InsRig) -> None:
    await rig.receive(received(numbered(PERSON, local="IPP-1")))
    await rig.decided(1)

    await rig.receive(received(numbered(PERSON, local="IPP-2"), report="R2"))
    await rig.decided(2)
    await rig.receive(received(numbered(PERSON, local="IPP-1"), report="R3"))

    _, second, third = (event for event in await rig.decided(3))
    assert isinstance(second, IdentityUnresolved)
    assert isinstance(third, IdentityUnresolved)
    assert (second.code, third.code) == ("ins.collision", "ins.collision")
    assert len(rig.simulator.calls) == 1
    items = (await rig.get(WORKLIST)).json()["items"]
    assert [(item["report_id"], item["priority"]) for item in items] == [("R2", "high"), ("R3", "high")]
    detail = (await rig.get(f"{WORKLIST}/{items[0]['id']}")).json()
    assert [other["identity"] for other in detail["others"]] == [(await identity(rig, "R1"))["id"]]
    assert [each["report_id"] for each in (await rig.get(RECALLS)).json()["items"]] == ["R1"]
    assert (await identity(rig, "R1"))["blocked"] == (await identity(rig, "R2"))["blocked"] == "ins.collision"


async def test_row_5_insi_confirms_and_nobody_controlled_recovered(rig: InsRig) -> None:
    patient = numbered(PERSON, reliability=(), with_ins=False)
    await stopped(rig, patient, code="ins.not-validated", status=IdentityStatus.RECUPEREE, asked=1)
    found = await identity(rig)
    assert (found["status"], causes(found)) == ("RECUPEREE", ["identity.seen", "insi.confirmed"])


async def test_row_6_insi_confirms_and_the_sender_controlled_qualified(rig: InsRig) -> None:
    await rig.receive(received(numbered(PERSON, with_ins=False)))
    (event,) = await rig.decided(1)
    assert isinstance(event, IdentityQualified)
    found = await identity(rig)
    assert (found["status"], causes(found)) == ("QUALIFIEE", ["identity.seen", "insi.confirmed"])
    (trace,) = await rig.traces()
    assert found["history"][1]["evidence"] == trace.message_id  # a rise of status cites the answer


async def test_row_7_the_matricule_received_is_insis_qualified(rig: InsRig) -> None:
    await rig.receive(received(numbered(PERSON)))
    (event,) = await rig.decided(1)
    assert isinstance(event, IdentityQualified)
    assert event.identity.ins == Ins(matricule=PERSON.matricule, oid=PERSON.oid)


async def test_row_8_a_former_matricule_is_replaced(rig: InsRig) -> None:
    changed = person("ECETINSI")
    patient = numbered(changed).model_copy(update={"ins": Ins(matricule=changed.former[0], oid=changed.oid)})
    await rig.receive(received(patient))
    (event,) = await rig.decided(1)
    assert isinstance(event, IdentityQualified)
    assert event.identity.ins is not None
    assert event.identity.ins.matricule == changed.matricule
    assert causes(await identity(rig)) == ["identity.seen", "ins.replaced"]


async def test_row_8_another_persons_matricule_is_a_conflict(rig: InsRig) -> None:
    patient = numbered(PERSON).model_copy(update={"ins": Ins(matricule=OTHER.matricule, oid=OTHER.oid)})
    item = await stopped(rig, patient, code="ins.conflict", status=IdentityStatus.VALIDEE, asked=1)
    assert item["priority"] == "high"


async def test_row_9_a_trait_that_differs_is_a_proposal_to_compare(rig: InsRig) -> None:
    patient = numbered(PERSON, birth_place="13055")
    item = await stopped(rig, patient, code="ins.traits-mismatch", status=IdentityStatus.VALIDEE, asked=1)
    detail = (await rig.get(f"{WORKLIST}/{item['id']}")).json()
    assert detail["comparison"]["birth_place"] == "mismatch"
    assert detail["proposal"]["matricule"].startswith(PERSON.matricule[0])
    assert (await identity(rig))["status"] == "VALIDEE"


async def test_row_10_an_unusable_answer_is_for_operations(rig: InsRig) -> None:
    rig.faults.order("insi", "wrong-key")
    item = await stopped(rig, numbered(PERSON), code="insi.answer-unusable", status=IdentityStatus.VALIDEE, asked=1)
    assert item["priority"] == "technical"


async def test_row_11_nobody_found(rig: InsRig) -> None:
    patient = numbered(PERSON, with_ins=False, birth_name="INCONNU")
    await stopped(
        rig,
        patient,
        code="insi.not-found",
        status=IdentityStatus.VALIDEE,
        asked=len(PERSON.given_names.split()) + (" " in PERSON.given_names),
    )


async def test_row_12_several_found(rig: InsRig) -> None:
    patient = numbered(person("DE VINCI"), given_names="LEONARDO", birth_place="")
    await rig.receive(received(patient))
    (event,) = await rig.decided(1)
    assert isinstance(event, IdentityUnresolved)
    assert event.code == "insi.ambiguous"


async def test_row_13_a_technical_fault_waits_and_then_goes_on(rig: InsRig) -> None:
    rig.faults.order("insi", "fault", code="desir_1020")
    await rig.receive(received(numbered(PERSON)))
    queue = await rig.until(rig.queue, lambda queue: queue["waiting"] == 1)
    assert queue["oldest_seconds"] >= 0
    assert rig.answers == []
    rig.faults.clear()
    (event,) = await rig.decided(1)
    assert isinstance(event, IdentityQualified)


async def test_row_14_a_fault_on_the_traits_is_for_a_person(rig: InsRig) -> None:
    rig.faults.order("insi", "fault", code="insi_19")
    item = await stopped(rig, numbered(PERSON), code="insi.refused", status=IdentityStatus.VALIDEE, asked=1)
    assert item["priority"] == "normal"


async def test_row_15_a_fault_of_the_installation_stops_the_calls_and_keeps_the_queue(rig: InsRig) -> None:
    rig.faults.order("insi", "fault", code="desir_550")
    await rig.receive(received(numbered(PERSON)), received(numbered(OTHER, local="IPP-2"), report="R2"))
    queue = await rig.until(rig.queue, lambda queue: queue["insi"] == "insi.misconfigured")
    assert queue["due"] + queue["waiting"] == 2
    assert (await rig.get(WORKLIST)).json()["items"] == []
    rig.faults.clear()
    assert all(isinstance(event, IdentityQualified) for event in await rig.decided(2))


async def test_row_16_a_changed_strict_trait_withdraws_the_ins_and_recalls_what_left(rig: InsRig) -> None:
    await rig.receive(received(numbered(PERSON)))
    await rig.decided(1)

    await rig.receive(received(numbered(PERSON, birth_name="AUTREMENT", with_ins=False), report="R2"))

    _, event = await rig.decided(2)
    assert isinstance(event, IdentityUnresolved)
    assert event.code == "insi.not-found"
    found = await identity(rig)
    assert (found["status"], causes(found)) == (
        "VALIDEE", ["identity.seen", "insi.confirmed", "ins.traits-changed"],
    )  # fmt: skip
    (recall,) = (await rig.get(RECALLS)).json()["items"]
    assert (recall["report_id"], recall["code"]) == ("R1", "ins.changed-after-qualification")
    assert {"subject": "birth_name", "reason": "DIFFERENT"} in recall["reasons"]


async def test_row_16_the_source_corrects_itself_and_the_new_identity_is_qualified(rig: InsRig) -> None:
    await rig.receive(received(numbered(PERSON)))
    await rig.decided(1)

    await rig.tell(corrected(numbered(OTHER)))
    await rig.receive(received(numbered(OTHER), report="R2"))

    _, event = await rig.decided(2)
    assert isinstance(event, IdentityQualified)
    found = await identity(rig)
    assert causes(found) == ["identity.seen", "insi.confirmed", "identity.corrected", "insi.confirmed"]


async def verified(rig: InsRig) -> dict[str, Any]:
    """Return the job that verified all qualified identities, once it is over."""
    job = (await rig.post("/api/v1/identity/reverifications", {**ACT, "per_second": 50})).json()["id"]

    async def look() -> dict[str, Any]:
        return dict((await rig.get(f"/api/v1/identity/reverifications/{job}")).json())

    return await rig.until(look, lambda seen: seen["state"] == "done")


async def test_row_17_a_verification_that_confirms_is_dated(rig: InsRig) -> None:
    await rig.receive(received(numbered(PERSON)))
    await rig.decided(1)
    before = (await identity(rig))["verified_at"]

    job = await verified(rig)

    assert (job["total"], job["confirmed"], job["refuted"]) == (1, 1, 0)
    found = await identity(rig)
    assert (found["status"], found["history"][-1]["cause"]) == ("QUALIFIEE", "ins.verified")
    assert found["verified_at"] > before


async def test_row_18_a_verification_that_refutes_stops_the_sending_until_a_person_decides(rig: InsRig) -> None:
    await rig.receive(received(numbered(PERSON)))
    await rig.decided(1)
    rig.simulator.register.add(replace(PERSON, birth_name="AUTREMENT"))

    assert (await verified(rig))["refuted"] == 1
    await rig.receive(received(numbered(PERSON), report="R2"))

    _, event = await rig.decided(2)
    assert isinstance(event, IdentityUnresolved)
    assert event.code == "ins.refuted"
    (item,) = (await rig.get(WORKLIST)).json()["items"]
    assert item["priority"] == "high"
    (recall,) = (await rig.get(RECALLS)).json()["items"]
    assert (recall["report_id"], recall["code"]) == ("R1", "ins.refuted")
    assert [event.report_id for event in rig.withdrawn()] == ["R1"]
    await rig.post(f"{WORKLIST}/{item['id']}/resolve", {"decision": "accept", **ACT})
    *_, event = await rig.decided(3)
    assert isinstance(event, IdentityQualified)
    assert causes(await identity(rig))[-1] == "identity.released"


async def test_row_19_a_person_links_a_proposal_and_the_report_resumes(rig: InsRig) -> None:
    item = await stopped(
        rig, numbered(PERSON, birth_place="13055"), code="ins.traits-mismatch", status=IdentityStatus.VALIDEE, asked=1
    )
    where = f"{WORKLIST}/{item['id']}/resolve"
    unsigned = await rig.post(where, {"decision": "accept"})
    assert unsigned.json()["code"] == "worklist.reason-required"

    assert (await rig.post(where, {"decision": "accept", **ACT})).status_code == 202

    _, event = await rig.decided(2)
    assert isinstance(event, IdentityQualified)
    assert event.identity.traits.birth_place == PERSON.birth_place
    assert len(rig.simulator.calls) == 1  # the answer is less than a day old
    found = await identity(rig)
    assert (found["history"][-1]["cause"], found["history"][-1]["actor"]) == ("identity.linked", "identito-1")
    await rig.receive(received(numbered(PERSON, birth_place="13055"), report="R2"))
    *_, again = await rig.decided(3)
    assert isinstance(again, IdentityQualified)  # the same patient named in the same way


async def test_row_20_a_person_records_a_document_and_the_report_resumes(rig: InsRig) -> None:
    patient = numbered(PERSON, reliability=(), with_ins=False)
    item = await stopped(rig, patient, code="ins.not-validated", status=IdentityStatus.RECUPEREE, asked=1)
    where = f"{WORKLIST}/{item['id']}/resolve"
    refused = await rig.post(where, {"decision": "accept", "evidence": "PC", **ACT})
    assert refused.json()["code"] == "worklist.evidence-required"

    await rig.post(where, {"decision": "accept", "evidence": "CN", **ACT})

    _, event = await rig.decided(2)
    assert isinstance(event, IdentityQualified)
    assert len(rig.simulator.calls) == 1
    found = await identity(rig)
    line = found["history"][-1]
    assert (line["cause"], line["before"], line["after"]) == (
        "identity.document-recorded", "RECUPEREE", "QUALIFIEE",
    )  # fmt: skip
    assert (line["evidence"], line["actor"], line["reason"]) == ("CN", ACT["operator"], ACT["reason"])


async def test_row_21_a_merge_makes_two_records_one(rig: InsRig) -> None:
    await rig.receive(received(numbered(PERSON, local="IPP-1")))
    await rig.decided(1)

    await rig.tell(corrected(numbered(PERSON, local="IPP-2")))
    await rig.receive(received(numbered(PERSON, local="IPP-2"), report="R2"))

    _, event = await rig.decided(2)
    assert isinstance(event, IdentityQualified)
    survivor = await identity(rig, "R2")
    assert "identity.merged" in causes(survivor)
    assert survivor["status"] == "QUALIFIEE"
    merged = [each for each in (await rig.get("/api/v1/identity/patients")).json()["items"] if each["merged_into"]]
    assert [each["merged_into"] for each in merged] == [survivor["id"]]
