"""Domains: whose word is believed, what is asked once, what is asked again; who may go on after a collision."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from ins_qualifier.adapters import tables
from ins_qualifier.core.domains import Domain, Trust
from ins_qualifier.settings import InsQualifierSettings
from labohub.contracts.codec import derived_id
from labohub.contracts.events import (
    IdentityQualified,
    IdentityUnresolved,
    MailAccepted,
    ReportReceived,
    SubmissionAccepted,
)
from labohub.contracts.values import Ins, Patient, Recipient, RecipientKind, Sender
from labohub.standards.ins.matricule import with_key
from labosim.identities import generated_identity
from labosim.pki import Pki
from tests.support.ins import AT, InsRig, corrected, numbered, received

WORKLIST = "/api/v1/worklists/identity"
RECALLS = "/api/v1/worklists/recalls"
ACT = {"operator": "identito-1", "reason": "vu avec le laboratoire"}
PERSON, OTHER = generated_identity(401), generated_identity(402)
DOMAINS = (
    Domain(name="groupe", senders=("SGL|LABO", "SGL|ANNEXE")),
    Domain(name="base", senders=("REF|*",), trust=Trust.REFERENTIAL),
    Domain(name="confrere", senders=("ILW|*",), trust=Trust.FOREIGN),
)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki.create(tmp_path_factory.mktemp("pki"))


@pytest.fixture(params=["sqlite", "postgresql"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path, pki: Pki) -> AsyncIterator[InsRig]:
    url = request.getfixturevalue("postgres_server").fresh_database() if request.param == "postgresql" else ""
    rig = InsRig(tmp_path, pki, store_url=url, settings={"domains": DOMAINS})
    await rig.start()
    yield rig
    await rig.stop()


def sent(patient: Patient, sender: str, *, report: str = "R1") -> ReportReceived:
    application, _, facility = sender.partition("|")
    event = received(patient, report=report)
    named = event.report.model_copy(update={"sender": Sender(application=application, facility=facility)})
    return event.model_copy(update={"report": named})


async def items(rig: InsRig, state: str = "open") -> list[dict[str, Any]]:
    return list((await rig.get(f"{WORKLIST}?state={state}")).json()["items"])


async def decide(rig: InsRig, item: dict[str, Any], decision: str, **more: str) -> dict[str, Any]:
    answer = await rig.post(f"{WORKLIST}/{item['id']}/resolve", {"decision": decision, **ACT, **more})
    return dict(answer.json())


def test_domains_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.dumps([domain.model_dump() for domain in DOMAINS])
    monkeypatch.setenv("INS_QUALIFIER_DOMAINS", told)
    assert InsQualifierSettings().domains == DOMAINS


async def test_a_shared_domain_is_qualified_once(rig: InsRig) -> None:
    await rig.receive(sent(numbered(PERSON), "SGL|LABO"), sent(numbered(PERSON), "SGL|ANNEXE", report="R2"))
    await rig.decided(2)
    await rig.receive(sent(numbered(PERSON), "SGL|ANNEXE", report="R3"))
    events = await rig.decided(3)
    assert all(isinstance(event, IdentityQualified) for event in events)
    assert len(rig.simulator.calls) <= 2  # two that came together may both ask
    assert [event.report_id for event in events][-1] == "R3"


async def test_another_domain_is_asked_about_again(rig: InsRig) -> None:
    await rig.receive(sent(numbered(PERSON), "SGL|LABO"))
    await rig.decided(1)
    await rig.receive(sent(numbered(PERSON), "AUTRE|LABO", report="R2"))
    await rig.decided(2)
    assert len(rig.simulator.calls) == 2


async def test_a_shared_identity_base_is_believed_and_insi_is_not_asked(rig: InsRig) -> None:
    await rig.receive(sent(numbered(PERSON), "REF|A"))
    (event,) = await rig.decided(1)
    assert isinstance(event, IdentityQualified)
    assert (event.identity.ins, event.identity.traits) == (event.report.patient.ins, event.report.patient.traits)
    assert len(rig.simulator.calls) == 0


@pytest.mark.parametrize(
    "patient",
    [numbered(PERSON, with_ins=False), numbered(PERSON, birth_place=""), numbered(PERSON, given_names="")],
    ids=["no-matricule", "no-place", "no-list"],
)
async def test_what_a_shared_identity_base_did_not_qualify_whole_is_asked(rig: InsRig, patient: Patient) -> None:
    await rig.receive(sent(patient, "REF|A"))
    await rig.decided(1)
    assert len(rig.simulator.calls) == 1


async def test_what_a_shared_identity_base_says_is_provisional_does_not_leave(rig: InsRig) -> None:
    await rig.receive(sent(numbered(PERSON, reliability=("PROV",), with_ins=False), "REF|A"))
    (event,) = await rig.decided(1)
    assert isinstance(event, IdentityUnresolved)


async def test_another_structures_word_needs_a_document_controlled_here(rig: InsRig) -> None:
    await rig.receive(sent(numbered(PERSON), "ILW|B"))
    (event,) = await rig.decided(1)
    assert isinstance(event, IdentityUnresolved)
    assert (event.code, event.status.value) == ("ins.not-validated", "RECUPEREE")
    (item,) = await items(rig)

    await decide(rig, item, "accept", evidence="CN")

    _, event = await rig.decided(2)
    assert isinstance(event, IdentityQualified)
    await rig.receive(sent(numbered(PERSON), "ILW|B", report="R2"))
    *_, later = await rig.decided(3)
    assert isinstance(later, IdentityQualified)  # the document stands for the same patient's next report


async def test_what_a_person_accepts_is_the_matricule_he_saw_and_no_other(rig: InsRig) -> None:
    await rig.receive(sent(numbered(PERSON, birth_place="01004", with_ins=False), "SGL|LABO"))
    await rig.decided(1)
    (item,) = await items(rig)
    order = f"{(int(PERSON.matricule[10:13]) + 500) % 1000:03d}"
    rig.simulator.register.add(
        replace(PERSON, matricule=with_key(PERSON.matricule[:10] + order), former=(PERSON.matricule,))
    )
    async with rig.service.units() as unit:
        await unit.connection.execute(update(tables.plans).values(ended_at=unit.now - timedelta(days=2)))

    await decide(rig, item, "accept")

    _, event = await rig.decided(2)
    assert isinstance(event, IdentityUnresolved)
    assert event.code == "ins.traits-mismatch"
    await decide(rig, item, "accept")
    *_, event = await rig.decided(3)
    assert isinstance(event, IdentityQualified)


async def test_a_document_answers_a_matricule_that_came_with_prov(rig: InsRig) -> None:
    await rig.receive(sent(numbered(PERSON, reliability=("PROV",)), "SGL|LABO"))
    (event,) = await rig.decided(1)
    assert isinstance(event, IdentityUnresolved)
    assert (event.code, event.status.value) == ("ins.contradictory", "RECUPEREE")
    await decide(rig, (await items(rig))[0], "accept", evidence="PA")
    _, event = await rig.decided(2)
    assert isinstance(event, IdentityQualified)
    again = sent(numbered(PERSON, reliability=("PROV",)), "SGL|LABO", report="R2")
    told = again.report.model_copy(update={"received_at": AT + timedelta(days=3650)})
    await rig.receive(again.model_copy(update={"report": told}))
    *_, later = await rig.decided(3)
    assert isinstance(later, IdentityUnresolved)  # the source says so again, after the document


async def test_a_whole_plan_is_not_repeated_within_a_day_unless_a_trait_changes_or_a_person_asks(rig: InsRig) -> None:
    nobody = numbered(PERSON, birth_name="INCONNU", with_ins=False)
    await rig.receive(sent(nobody, "SGL|LABO"))
    await rig.decided(1)
    asked = len(rig.simulator.calls)

    await rig.receive(sent(nobody, "SGL|LABO", report="R2"))
    await rig.decided(2)
    assert len(rig.simulator.calls) == asked

    await decide(rig, (await items(rig))[1], "retry")
    await rig.decided(3)
    assert len(rig.simulator.calls) == 2 * asked

    await rig.receive(sent(nobody.model_copy(update={"traits": PERSON_RENAMED}), "SGL|LABO", report="R3"))
    await rig.decided(4)
    assert len(rig.simulator.calls) == 3 * asked

    async with rig.service.units() as unit:
        day = timedelta(hours=24, seconds=1)
        await unit.connection.execute(update(tables.plans).values(ended_at=unit.now - day))
    await rig.receive(sent(nobody, "SGL|LABO", report="R4"))
    await rig.decided(5)
    assert len(rig.simulator.calls) == 4 * asked


PERSON_RENAMED = numbered(PERSON, birth_name="INCONNUE").traits


async def collided(rig: InsRig) -> list[dict[str, Any]]:
    """Return the items of two patients with one matricule, the second one first: his report never left."""
    await rig.receive(sent(numbered(PERSON, local="IPP-1"), "SGL|LABO"))
    await rig.decided(1)
    await rig.receive(sent(numbered(PERSON, local="IPP-2", with_ins=False), "SGL|LABO", report="R2"))
    await rig.decided(2)
    await rig.receive(sent(numbered(PERSON, local="IPP-1"), "SGL|LABO", report="R3"))
    await rig.decided(3)
    return await items(rig)


async def test_two_colliding_records_that_a_person_says_are_one_both_go_on(rig: InsRig) -> None:
    second, _ = await collided(rig)

    await decide(rig, second, "accept")

    events = await rig.decided(5)
    assert {(event.report_id, type(event)) for event in events[3:]} == {
        ("R2", IdentityQualified), ("R3", IdentityQualified),
    }  # fmt: skip
    assert await items(rig) == []
    await rig.receive(sent(numbered(PERSON, local="IPP-2"), "SGL|LABO", report="R4"))
    *_, later = await rig.decided(6)
    assert isinstance(later, IdentityQualified)


async def test_a_colliding_matricule_that_a_person_withdraws_lets_the_other_patient_go_on(rig: InsRig) -> None:
    second, first = await collided(rig)
    wrong = (await rig.get(f"{WORKLIST}/{first['id']}")).json()["identity"]

    answer = await rig.post(f"/api/v1/identity/patients/{wrong}/withdraw", ACT)

    assert answer.status_code == 202
    events = {str(event.report_id): event for event in (await rig.decided(5))[3:]}
    assert isinstance(events["R2"], IdentityQualified)
    assert isinstance(events["R3"], IdentityUnresolved)
    (still,) = await items(rig)
    assert (still["report_id"], still["code"]) == ("R3", "ins.collision")
    found = (await rig.get(f"/api/v1/identity/patients/{wrong}")).json()
    assert (found["status"], found["history"][-1]["cause"]) == ("VALIDEE", "ins.withdrawn")
    assert second["report_id"] == "R2"


async def test_a_collision_that_the_source_corrects_lets_the_other_patient_go_on(rig: InsRig) -> None:
    await collided(rig)

    await rig.tell(corrected(numbered(OTHER, local="IPP-1"), report="R3"))

    events = await rig.decided(5)
    assert {event.report_id for event in events[3:] if isinstance(event, IdentityQualified)} == {"R2", "R3"}
    numbers = {event.report_id: event.identity.ins for event in events[3:] if isinstance(event, IdentityQualified)}
    assert numbers == {
        "R2": Ins(matricule=PERSON.matricule, oid=PERSON.oid), "R3": Ins(matricule=OTHER.matricule, oid=OTHER.oid),
    }  # fmt: skip


async def test_two_matricules_for_one_local_patient_stop_until_a_person_says_which(rig: InsRig) -> None:
    await rig.receive(sent(numbered(PERSON), "SGL|LABO"))
    await rig.decided(1)

    await rig.receive(sent(numbered(OTHER), "SGL|LABO", report="R2"))

    _, event = await rig.decided(2)
    assert isinstance(event, IdentityUnresolved)
    assert event.code == "ins.collision"
    (item,) = await items(rig)
    assert [each["report_id"] for each in (await rig.get(RECALLS)).json()["items"]] == ["R1"]
    await decide(rig, item, "accept")
    *_, event = await rig.decided(3)
    assert isinstance(event, IdentityQualified)
    assert event.identity.ins is not None
    assert event.identity.ins.matricule == OTHER.matricule


async def test_records_merged_one_after_another_are_one_patient(rig: InsRig) -> None:
    await rig.receive(sent(numbered(PERSON, local="IPP-1"), "SGL|LABO"))
    await rig.decided(1)
    for cause, local in (("adt-1", "IPP-2"), ("adt-2", "IPP-1"), ("adt-3", "IPP-3")):
        await rig.tell(corrected(numbered(PERSON, local=local), cause=cause))

    for number in (1, 2, 3):
        await rig.receive(sent(numbered(PERSON, local=f"IPP-{number}"), "SGL|LABO", report=f"R{number + 1}"))

    assert [type(event) for event in await rig.decided(4)] == [IdentityQualified] * 4


async def test_an_older_report_under_former_traits_waits_for_a_person(rig: InsRig) -> None:
    rig.faults.order("insi", "outage")
    old = sent(numbered(PERSON, given_names="", first_given_name="AUTRE", with_ins=False), "SGL|LABO", report="R0")
    await rig.receive(old)
    new = sent(numbered(PERSON), "SGL|LABO", report="R1")
    later = new.report.model_copy(update={"received_at": AT + timedelta(hours=1)})
    await rig.receive(new.model_copy(update={"report": later}))
    rig.faults.clear()
    events = {str(event.report_id): event for event in await rig.decided(2)}
    assert isinstance(events["R1"], IdentityQualified)
    assert isinstance(events["R0"], IdentityUnresolved)


async def test_a_rejected_report_stays_until_it_is_reopened_even_when_the_source_corrects_it(rig: InsRig) -> None:
    await rig.receive(sent(numbered(PERSON, sex="U"), "SGL|LABO"))
    await rig.decided(1)
    (item,) = await items(rig)
    assert (await decide(rig, item, "accept"))["code"] == "worklist.decision-unknown"
    assert (await decide(rig, item, "reject"))["state"] == "rejected"
    await rig.tell(corrected(numbered(PERSON)))
    await rig.receive(sent(numbered(OTHER, local="IPP-9"), "SGL|LABO", report="R2"))
    await rig.decided(2)
    assert await items(rig) == []

    assert (await decide(rig, item, "reopen"))["state"] == "open"
    await decide(rig, item, "retry")

    *_, event = await rig.decided(3)
    assert isinstance(event, IdentityQualified)
    acts = (await rig.get(f"{WORKLIST}/{item['id']}")).json()["history"]
    assert [act["act"] for act in acts] == ["opened", "reject", "patient-corrected", "reopen", "retry", "closed"]
    assert acts[1]["reason"] == ACT["reason"]


async def test_the_recall_list_says_who_got_what_and_names_no_patients_mailbox(rig: InsRig) -> None:
    await rig.receive(sent(numbered(PERSON), "SGL|LABO"))
    (gone,) = await rig.decided(1)
    about = {"report_id": gone.report_id, "message_id": gone.message_id, "occurred_at": AT, "document_id": "1.2.3.4"}
    doctor = Recipient(kind=RecipientKind.PROFESSIONAL, address="dr@exemple.mssante.fr")
    patient = Recipient(kind=RecipientKind.PATIENT, address=f"{PERSON.matricule}@patient.mssante.fr")
    await rig.tell(
        MailAccepted(event_id=derived_id("m1"), mail_id="m1", recipient=doctor, **about),
        MailAccepted(event_id=derived_id("m2"), mail_id="m2", recipient=patient, **about),
        SubmissionAccepted(event_id=derived_id("s1"), submission_id="s1", operation="TD2.1", **about),
    )
    await rig.tell(corrected(numbered(OTHER)))

    async def look() -> list[dict[str, Any]]:
        return list((await rig.get(RECALLS)).json()["items"])

    (recall,) = await rig.until(look, lambda seen: bool(seen) and len(seen[0]["departures"]) == 3)

    told = ("kind", "recipient_kind", "recipient", "operation")
    assert {tuple(each[name] for name in told) for each in recall["departures"]} == {
        ("mail", "professional", doctor.address, ""), ("mail", "patient", "", ""), ("dmp", "", "", "TD2.1"),
    }  # fmt: skip
    assert PERSON.matricule[:13] not in json.dumps(recall)


async def test_the_store_keeps_no_trait_and_no_matricule_in_clear(rig: InsRig) -> None:
    await rig.receive(sent(numbered(PERSON), "SGL|LABO"))
    await rig.decided(1)
    kept = (tables.identities, tables.identity_changes, tables.numbers, tables.plans, tables.recalls)
    async with rig.service.database.reading() as connection:
        text = "".join([repr((await connection.execute(select(table))).all()) for table in kept])
    for secret in (PERSON.birth_name, PERSON.matricule[:13], PERSON.given_names, PERSON.birth_date, "IPP-1"):
        assert secret not in text


async def test_a_job_of_verification_can_wait_go_on_and_end_early(rig: InsRig) -> None:
    people = [generated_identity(number) for number in range(410, 416)]
    await rig.receive(
        *(sent(numbered(each, local=f"IPP-{n}"), "SGL|LABO", report=f"R{n}") for n, each in enumerate(people))
    )
    await rig.decided(6)
    jobs = "/api/v1/identity/reverifications"
    unsigned = await rig.post(jobs, {"operator": "", "reason": ""})
    assert unsigned.json()["code"] == "worklist.reason-required"
    job = (await rig.post(jobs, {**ACT, "per_second": 0.001})).json()

    async def look() -> dict[str, Any]:
        return dict((await rig.get(f"{jobs}/{job['id']}")).json())

    await rig.until(look, lambda seen: seen["confirmed"] == 1)
    assert (await rig.post(f"{jobs}/{job['id']}/pause", ACT)).json()["state"] == "paused"
    assert (await rig.post(f"{jobs}/{job['id']}/pause", ACT)).status_code == 422
    assert (await rig.post(f"{jobs}/{job['id']}/resume", ACT)).json()["state"] == "running"
    ended = (await rig.post(f"{jobs}/{job['id']}/cancel", ACT)).json()
    assert (ended["state"], ended["total"], ended["confirmed"], ended["skipped"]) == ("cancelled", 6, 1, 5)
    assert [act["act"] for act in ended["history"]] == [
        "reverification", "reverification-paused", "reverification-running", "reverification-cancelled",
    ]  # fmt: skip
    assert [each["id"] for each in (await rig.get(jobs)).json()["items"]] == [job["id"]]
    assert (await look())["state"] == "cancelled"
