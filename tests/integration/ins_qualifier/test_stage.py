"""The identity stage whole: log, SQLite, worker, HTTPS with mutual TLS, simulator."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import SecretStr

from ins_qualifier.adapters.desk import Desk
from ins_qualifier.adapters.watch import measure
from ins_qualifier.core.gate import Gate
from ins_qualifier.main import build
from ins_qualifier.ports import InsiMisconfigured
from labohub.contracts.events import IdentityQualified, IdentityUnresolved
from labohub.contracts.values import IdentityStatus, Ins, Request
from labohub.runtime.run import open_platform
from labohub.runtime.settings import LabohubSettings
from labohub.standards.ins.matricule import control_key, with_key
from labosim.identities import PUBLIC, TestIdentity, generated_identity
from labosim.insi import InsiSimulator
from labosim.pki import Pki
from tests.support.ins import AT, KEY, InsRig, book_of, patient_of, received


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki.create(tmp_path_factory.mktemp("pki"))


@pytest.fixture
async def rig(tmp_path: Path, pki: Pki) -> AsyncIterator[InsRig]:
    rig = InsRig(tmp_path, pki)
    await rig.start()
    yield rig
    await rig.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
async def either(request: pytest.FixtureRequest, tmp_path: Path, pki: Pki) -> AsyncIterator[InsRig]:
    """The stage on each store."""
    url = request.getfixturevalue("postgres_server").fresh_database() if request.param == "postgresql" else ""
    rig = InsRig(tmp_path, pki, store_url=url)
    await rig.start()
    yield rig
    await rig.stop()


def public(birth_name: str) -> TestIdentity:
    return next(identity for identity in PUBLIC if identity.birth_name == birth_name)


async def unresolved(rig: InsRig) -> IdentityUnresolved:
    (event,) = await rig.decided(1)
    assert isinstance(event, IdentityUnresolved)
    return event


async def item(rig: InsRig) -> dict[str, object]:
    page = (await rig.get("/api/v1/worklists/identity")).json()
    assert len(page["items"]) == 1
    return dict(page["items"][0])


async def test_a_validated_identity_that_insi_confirms_is_qualified_with_the_traits_of_insi(rig: InsRig) -> None:
    person = public("PAT-TROIS")

    await rig.receive(received(patient_of(person, given_names="Dominique")))

    (event,) = await rig.decided(1)
    assert isinstance(event, IdentityQualified)
    assert event.identity.status is IdentityStatus.QUALIFIEE
    assert event.identity.ins == Ins(matricule=person.matricule, oid=person.oid)
    assert event.identity.traits.given_names == "DOMINIQUE MARIE-LOUISE"
    assert event.identity.traits.birth_date == "19790328"
    assert [call.outcome for call in rig.simulator.calls] == ["00"]
    assert (await rig.get("/api/v1/worklists/identity")).json()["items"] == []


async def test_a_validated_identity_without_a_matricule_receives_it_from_insi(rig: InsRig) -> None:
    person = generated_identity(7)

    await rig.receive(received(patient_of(person, with_ins=False)))

    (event,) = await rig.decided(1)
    assert isinstance(event, IdentityQualified)
    assert event.identity.ins == Ins(matricule=person.matricule, oid=person.oid)


async def test_a_deletion_is_qualified_like_a_report(rig: InsRig) -> None:
    await rig.receive(received(patient_of(generated_identity(8)), request=Request.DELETION))

    (event,) = await rig.decided(1)
    assert isinstance(event, IdentityQualified)
    assert event.report.request is Request.DELETION


async def test_a_former_matricule_is_replaced_by_the_active_one(rig: InsRig) -> None:
    person = public("ECETINSI")
    patient = patient_of(person).model_copy(update={"ins": Ins(matricule=person.former[0], oid=person.oid)})

    await rig.receive(received(patient))

    (event,) = await rig.decided(1)
    assert isinstance(event, IdentityQualified)
    assert event.identity.ins == Ins(matricule=person.matricule, oid=person.oid)


async def test_a_nia_is_qualified_under_its_own_authority(rig: InsRig) -> None:
    await rig.receive(received(patient_of(public("PROVISOIRE"))))

    (event,) = await rig.decided(1)
    assert isinstance(event, IdentityQualified)
    assert event.identity.ins is not None
    assert event.identity.ins.oid == "1.2.250.1.213.1.4.9"


async def test_an_identity_that_nobody_validated_is_recovered_but_not_qualified(rig: InsRig) -> None:
    await rig.receive(received(patient_of(generated_identity(9), reliability=(), with_ins=False)))

    event = await unresolved(rig)
    assert (event.status, event.code) == (IdentityStatus.RECUPEREE, "ins.not-validated")


async def test_an_unknown_identity_goes_to_the_worklist_after_the_whole_plan(rig: InsRig) -> None:
    person = public("TCHITCHI")
    patient = patient_of(person, birth_name="HOUILLES", given_names="PIERRE PAUL JACQUES", first_given_name="PIERRE")

    await rig.receive(received(patient))

    event = await unresolved(rig)
    assert (event.status, event.code) == (IdentityStatus.VALIDEE, "insi.not-found")
    assert [call.outcome for call in rig.simulator.calls] == ["01"] * 4
    assert (await item(rig))["reasons"] == [{"subject": "insi", "reason": "01"}]


async def test_a_hit_on_a_later_first_name_is_no_match(rig: InsRig) -> None:
    person = public("TCHITCHI")

    await rig.receive(received(patient_of(person, given_names="OLA CATARINA BELLA", first_given_name="OLA")))

    assert (await unresolved(rig)).code == "ins.traits-mismatch"
    assert [call.outcome for call in rig.simulator.calls] == ["01", "00"]


async def test_an_ambiguous_answer_is_resolved_by_the_birth_place(rig: InsRig) -> None:
    person = public("DE VINCI")

    await rig.receive(received(patient_of(person, given_names="LEONARDO")))

    (event,) = await rig.decided(1)
    assert isinstance(event, IdentityQualified)
    assert [call.outcome for call in rig.simulator.calls] == ["02", "00"]


async def test_an_ambiguous_answer_without_a_birth_place_goes_to_the_worklist(rig: InsRig) -> None:
    person = public("DE VINCI")

    await rig.receive(received(patient_of(person, given_names="LEONARDO", birth_place="")))

    assert (await unresolved(rig)).code == "insi.ambiguous"


async def test_a_wrong_key_is_never_qualified_and_the_worklist_says_why(rig: InsRig) -> None:
    person = generated_identity(10)
    body = person.matricule[:13]
    wrong = f"{body}{control_key(body) % 97 + 1:02d}"
    patient = patient_of(person).model_copy(update={"ins": Ins(matricule=wrong, oid=person.oid)})

    await rig.receive(received(patient))

    assert (await unresolved(rig)).code == "ins.matricule-rejected"
    assert (await item(rig))["reasons"] == [{"subject": "matricule", "reason": "KEY"}]


async def test_another_persons_matricule_is_a_conflict_of_high_priority(rig: InsRig) -> None:
    other = generated_identity(12)
    patient = patient_of(generated_identity(11)).model_copy(
        update={"ins": Ins(matricule=other.matricule, oid=other.oid)}
    )

    await rig.receive(received(patient))

    assert (await unresolved(rig)).code == "ins.conflict"
    assert (await item(rig))["priority"] == "high"


async def test_each_unusable_or_differing_trait_has_its_code(rig: InsRig) -> None:
    cases: dict[str, tuple[dict[str, Any], str]] = {
        "other place": ({"birth_place": "13055"}, "ins.traits-mismatch"),
        "no sex": ({"sex": "U"}, "ins.sex-unusable"),
        "a year only": ({"birth_date": "1970"}, "ins.date-unusable"),
        "no date": ({"birth_date": ""}, "ins.incomplete"),
        "a sign": ({"birth_name": "TEST_7"}, "ins.name-refused"),
        "no name": ({"birth_name": ""}, "ins.incomplete"),
    }
    person = generated_identity(13)

    await rig.receive(*(received(patient_of(person, **traits), report=name) for name, (traits, _) in cases.items()))

    decided = await rig.decided(len(cases))
    codes = {event.report_id: event.code for event in decided if isinstance(event, IdentityUnresolved)}
    assert codes == {name: code for name, (_, code) in cases.items()}
    assert len(rig.simulator.calls) == 1


async def test_insi_is_never_asked_about_a_doubtful_or_fictitious_identity(rig: InsRig) -> None:
    attributes = ("DOUT", "FICT", "ANOM", "CACH")
    person = generated_identity(14)

    await rig.receive(*(received(patient_of(person, reliability=("VALI", name)), report=name) for name in attributes))

    for event in await rig.decided(4):
        assert isinstance(event, IdentityUnresolved)
        assert (event.status, event.code) == (IdentityStatus.PROVISOIRE, "ins.attribute")
    assert not rig.simulator.calls


async def test_an_ins_with_a_provisional_identity_is_contradictory(rig: InsRig) -> None:
    await rig.receive(received(patient_of(generated_identity(15), reliability=("PROV",))))

    assert (await unresolved(rig)).code == "ins.contradictory"


async def test_a_wrong_key_in_the_answer_is_an_incident_for_operations(rig: InsRig) -> None:
    rig.faults.order("insi", "wrong-key")

    await rig.receive(received(patient_of(generated_identity(16))))

    assert (await unresolved(rig)).code == "insi.answer-unusable"
    assert (await item(rig))["priority"] == "technical"


async def test_a_fault_on_the_traits_is_not_tried_again(rig: InsRig) -> None:
    rig.faults.order("insi", "fault", code="insi_19")

    await rig.receive(received(patient_of(generated_identity(17))))

    assert (await unresolved(rig)).code == "insi.refused"
    assert [call.outcome for call in rig.simulator.calls] == ["insi_19"]


async def test_reports_wait_during_an_outage_and_resume_by_themselves(either: InsRig) -> None:
    rig = either
    await rig.simulator.stop()
    events = [received(patient_of(generated_identity(n)), report=f"R{n}") for n in range(20, 30)]

    await rig.receive(*events)
    async with asyncio.timeout(10):
        while (queue := (await rig.get("/api/v1/identity/queue")).json())["insi"] == "open" or not queue["waiting"]:
            await asyncio.sleep(0.01)
    assert queue["insi"] == "insi.unavailable"
    assert queue["oldest_at"] is not None
    assert rig.answers == []
    desk = Desk(rig.service.database, rig.platform.blobs, book_of(), rig.platform.clock)
    await measure(desk, Gate(1, 1, 1, closed_until=AT), rig.platform.clock)
    metrics = (await rig.get("/metrics")).text
    assert "ins_qualifier_insi_paused 1.0" in metrics
    assert 'ins_qualifier_open_checks{state="waiting"}' in metrics
    await rig.simulator.start()

    decided = await rig.decided(10)
    assert {type(event) for event in decided} == {IdentityQualified}
    assert {event.report_id for event in decided} == {event.report_id for event in events}
    assert (await rig.get("/api/v1/identity/queue")).json()["waiting"] == 0


@pytest.mark.parametrize("kind", ["outage", "garbage", "fault"])
async def test_a_technical_failure_is_tried_again_until_an_answer_comes(rig: InsRig, kind: str) -> None:
    rig.faults.order("insi", kind, seconds=0.3, code="desir_1020" if kind == "fault" else "")

    await rig.receive(received(patient_of(generated_identity(31))))

    (event,) = await rig.decided(1)
    assert isinstance(event, IdentityQualified)
    assert len(rig.simulator.calls) > 1
    assert rig.simulator.calls[-1].outcome == "00"


async def test_a_report_that_always_fails_does_not_hold_the_others_back(tmp_path: Path, pki: Pki) -> None:
    rig = InsRig(tmp_path, pki, settings={"retry_cap_seconds": 60, "pause_seconds": 0.05})
    await rig.start()
    try:
        poison = generated_identity(33)
        rig.simulator.inject(poison.birth_name, poison.first_given_name, b"<html/>")
        await rig.receive(received(patient_of(poison), report="POISON"))
        async with asyncio.timeout(10):
            while (await rig.get("/api/v1/identity/queue")).json()["insi"] == "open":
                await asyncio.sleep(0.01)
        await rig.receive(*(received(patient_of(generated_identity(n)), report=f"R{n}") for n in range(34, 44)))

        decided = await rig.decided(10)
    finally:
        await rig.stop()

    assert {event.report_id for event in decided} == {f"R{n}" for n in range(34, 44)}


async def test_a_report_that_waited_too_long_goes_to_the_worklist(tmp_path: Path, pki: Pki) -> None:
    rig = InsRig(tmp_path, pki, settings={"give_up_after_seconds": 0.2})
    await rig.start()
    try:
        rig.faults.order("insi", "outage")
        await rig.receive(received(patient_of(generated_identity(45))))
        event = await unresolved(rig)
    finally:
        await rig.stop()

    assert (event.status, event.code) == (IdentityStatus.VALIDEE, "insi.unavailable")


async def test_a_refused_installation_stops_the_calls_and_keeps_the_reports(rig: InsRig) -> None:
    rig.faults.order("insi", "fault", code="desir_560")

    await rig.receive(received(patient_of(generated_identity(32))))
    async with asyncio.timeout(10):
        while (await rig.get("/api/v1/identity/queue")).json()["insi"] != "insi.misconfigured":
            await asyncio.sleep(0.01)
    assert rig.answers == []
    rig.faults.clear()

    (event,) = await rig.decided(1)
    assert isinstance(event, IdentityQualified)


async def test_the_messages_of_one_report_are_decided_in_their_order(either: InsRig) -> None:
    rig = either
    rig.faults.order("insi", "slow", rate=0.3, delay_seconds=0.05)
    events = [
        received(patient_of(generated_identity(40 + report)), report=f"R{report}", number=number)
        for number in range(5)
        for report in range(6)
    ]

    await rig.receive(*events)

    decided = await rig.decided(30)
    for report in range(6):
        assert [event.message_id for event in decided if event.report_id == f"R{report}"] == [
            f"R{report}-M{number}" for number in range(5)
        ]


async def test_a_repeated_event_is_decided_once(either: InsRig) -> None:
    rig = either
    event = received(patient_of(generated_identity(50)))

    await rig.receive(event, event)
    await rig.receive(event, received(patient_of(generated_identity(51)), report="R2"))

    decided = await rig.decided(2)
    assert sorted(event.report_id for event in decided) == ["R1", "R2"]
    assert len(rig.simulator.calls) == 2


async def test_a_person_can_ask_for_another_check_and_the_report_resumes(either: InsRig) -> None:
    rig = either
    person = TestIdentity(
        "MARTINEAU", "ODILE", "19610203", "F", "33063", with_key("2610233063123"), "1.2.250.1.213.1.4.8"
    )
    await rig.receive(received(patient_of(person, with_ins=False)))
    assert (await unresolved(rig)).code == "insi.not-found"
    name = (await item(rig))["id"]
    rig.simulator.register.add(person)

    answer = await rig.post(f"/api/v1/worklists/identity/{name}/resolve", {"decision": "retry", "operator": "x1"})

    assert answer.status_code == 202
    decided = await rig.decided(2)
    assert isinstance(decided[1], IdentityQualified)
    assert decided[0].event_id != decided[1].event_id
    assert (await rig.get("/api/v1/worklists/identity")).json()["items"] == []
    closed = (await rig.get(f"/api/v1/worklists/identity/{name}")).json()
    assert [(act["act"], act["actor"]) for act in closed["history"]] == [
        ("opened", "ins-qualifier"),
        ("retry", "x1"),
        ("closed", "ins-qualifier"),
    ]
    again = await rig.post(f"/api/v1/worklists/identity/{name}/resolve", {"decision": "retry"})
    assert (again.status_code, again.json()["code"]) == (422, "worklist.item-closed")


async def test_a_message_that_a_later_one_overtook_is_not_checked_again(either: InsRig) -> None:
    rig = either
    person = generated_identity(60)
    await rig.receive(received(patient_of(person, sex="U"), number=1), received(patient_of(person), number=2))
    await rig.decided(2)
    name = (await item(rig))["id"]

    answer = await rig.post(f"/api/v1/worklists/identity/{name}/resolve", {"decision": "retry"})

    assert (answer.status_code, answer.json()["code"]) == (422, "worklist.superseded")
    assert (await rig.get("/api/v1/worklists/identity")).json()["items"] == []


async def test_the_worklist_masks_the_patient_until_asked_and_writes_the_look_down(rig: InsRig) -> None:
    person = generated_identity(61)
    await rig.receive(received(patient_of(person, birth_place="13055")))
    await unresolved(rig)
    listed = await rig.get("/api/v1/worklists/identity")
    name = listed.json()["items"][0]["id"]

    masked = await rig.get(f"/api/v1/worklists/identity/{name}")
    shown = await rig.get(f"/api/v1/worklists/identity/{name}?reveal=true&operator=officer-1")

    for text in (listed.text, masked.text):
        assert person.birth_name not in text
        assert person.matricule not in text
        assert person.birth_date[4:] not in text.replace("-", "")
    assert shown.json()["patient"]["traits"]["birth_name"] == person.birth_name
    assert shown.json()["proposal"]["matricule"] == person.matricule
    assert shown.json()["comparison"]["birth_place"] == "mismatch"
    assert shown.json()["comparison"]["birth_name"] == "identical"
    history = (await rig.get(f"/api/v1/worklists/identity/{name}")).json()["history"]
    assert ("revealed", "officer-1") in [(act["act"], act["actor"]) for act in history]


async def test_an_unknown_item_is_not_found(rig: InsRig) -> None:
    assert (await rig.get("/api/v1/worklists/identity/nothing")).status_code == 404
    assert (await rig.post("/api/v1/worklists/identity/nothing/resolve", {"decision": "retry"})).status_code == 404
    assert (await rig.post("/api/v1/worklists/identity/nothing/resolve", {"decision": "guess"})).status_code == 422


async def test_the_worklist_is_read_page_by_page(either: InsRig) -> None:
    rig = either
    await rig.receive(*(received(patient_of(generated_identity(n), sex="U"), report=f"R{n}") for n in range(70, 75)))
    await rig.decided(5)

    pages, after = [], ""
    while True:
        page = (await rig.get(f"/api/v1/worklists/identity?limit=2&after={after}")).json()
        pages.append([item["report_id"] for item in page["items"]])
        if not (after := page["next"]):
            break

    assert [len(page) for page in pages] == [2, 2, 1]
    assert len({report for page in pages for report in page}) == 5


async def test_each_call_leaves_a_trace_with_its_raw_answer(rig: InsRig) -> None:
    await rig.simulator.stop()
    await rig.receive(received(patient_of(generated_identity(80))))
    async with asyncio.timeout(10):
        while (await rig.get("/api/v1/identity/queue")).json()["waiting"] == 0:
            await asyncio.sleep(0.01)
    await rig.simulator.start()
    await rig.decided(1)

    traces = await rig.traces()

    assert {trace.outcome for trace in traces} == {"insi.unavailable", "00"}
    (answered,) = [trace for trace in traces if trace.outcome == "00"]
    assert len({trace.message_id for trace in traces}) == len(traces)
    assert b"RESULTAT" in await rig.platform.blobs.read(answered.answer)
    stored = b"".join(path.read_bytes() for path in (rig.folder / "blobs").rglob("*") if path.is_file())
    assert generated_identity(80).matricule[:13].encode() not in stored


# What an installation in production must say of itself.
OWN = {"issuer": "1999900017", "authorisation": "IDAM-42", "instance": "0a4a51c5-0a3f-4f43-8f4c-7d1a7c0c9a11"}


async def test_a_test_authority_is_refused_in_production(tmp_path: Path, pki: Pki) -> None:
    rig = InsRig(tmp_path, pki, environment="production", settings=OWN)
    await rig.start()
    try:
        await rig.receive(received(patient_of(public("PAT-TROIS"))))
        event = await unresolved(rig)
    finally:
        await rig.stop()
    assert event.code == "insi.answer-unusable"


@pytest.mark.parametrize(
    ("environment", "changes"),
    [
        ("test", {"insi_url": "https://services-ps-tlsm.ameli.fr/lps"}),
        ("production", {"insi_url": "https://qualiflps-services-ps-tlsm.ameli.fr/lps"}),
        ("production", {"certificate_file": None, "key_file": None}),
    ],
)
async def test_the_start_stops_on_the_address_of_another_environment_or_without_a_certificate(
    tmp_path: Path, pki: Pki, environment: Literal["production", "test"], changes: dict[str, Any]
) -> None:
    rig = InsRig(tmp_path, pki, environment=environment, settings=changes)
    rig.simulator = InsiSimulator(host="127.0.0.1", port=0, pki=pki, faults=rig.faults)
    shared = LabohubSettings(data_dir=tmp_path, environment=environment, blob_key=SecretStr(KEY))
    platform = await open_platform(shared)
    try:
        with pytest.raises(InsiMisconfigured):
            build(rig.own_settings(), platform)
    finally:
        await platform.bus.close()
        await platform.blobs.close()


async def test_a_stop_in_the_middle_loses_nothing(either: InsRig) -> None:
    rig = either
    rig.simulator.latency_seconds = 0.05
    events = [received(patient_of(generated_identity(n)), report=f"R{n}") for n in range(100, 160)]
    await rig.receive(*events)
    first = {event.report_id for event in await rig.decided(5)}

    await rig.stop_hub()
    first |= {event.report_id for event in rig.answers}
    await rig.start_hub()

    async with asyncio.timeout(20):
        while len(first | {event.report_id for event in rig.answers}) < 60:
            await asyncio.sleep(0.01)
    assert first | {event.report_id for event in rig.answers} == {event.report_id for event in events}
