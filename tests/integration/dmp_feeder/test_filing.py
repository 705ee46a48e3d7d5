"""dmp-feeder against the DMP simulator, over TLS: feeding, refusals, outages, corrections, deletion."""

import hashlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from sqlalchemy import select

from dmp_feeder.adapters.tables import filings
from labohub.contracts.events import SubmissionAccepted, SubmissionRefused
from labohub.contracts.values import IdentityStatus, Request, Requester
from labohub.runtime import logging as hub_logging
from labohub.standards.cda.presentation import self_presenting
from labohub.standards.mtom import read_package
from labohub.standards.xds.messages import body_of
from labosim.pki import Pki
from tests.support.dmp import INS, cda
from tests.support.dmp_service import Bench, bench

FIRST, SECOND, THIRD = (f"2.25.30000000000000000000000000000000000{n}" for n in (1, 2, 3))


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki.create(tmp_path_factory.mktemp("pki"))


@pytest.fixture
async def dmp(tmp_path: Path, pki: Pki) -> AsyncIterator[Bench]:
    async with bench(tmp_path, pki) as both:
        yield both


async def test_a_document_reaches_the_dmp_byte_for_byte(dmp: Bench) -> None:
    content = cda()
    event = await dmp.plan(content)
    await dmp.work()
    (submission,) = dmp.submissions
    assert (submission.operation, submission.unique_id) == ("TD2.1", event.facts.unique_id)
    assert submission.sha256 == hashlib.sha256(content).hexdigest()
    assert dmp.simulator.registry.path("1", "document").read_bytes() == content
    (fact,) = await dmp.events()
    assert isinstance(fact, SubmissionAccepted)
    assert (fact.message_id, fact.document_id, fact.operation) == (event.message_id, FIRST, "TD2.1")


async def test_what_was_sent_is_kept_as_evidence(dmp: Bench) -> None:
    await dmp.plan(cda())
    await dmp.work()
    (fact,) = await dmp.events()
    assert isinstance(fact, SubmissionAccepted)
    assert fact.evidence is not None
    root, signature = read_package(fact.evidence.media_type, await dmp.platform.blobs.read(fact.evidence))
    assert root.data == dmp.simulator.registry.path("1", "soap").read_bytes()
    assert b"SignedProperties" in signature.data


async def test_a_document_not_meant_for_the_dmp_is_left_alone(dmp: Bench) -> None:
    await dmp.plan(cda(), to_dmp=False)
    await dmp.work()
    assert (dmp.submissions, await dmp.events()) == ([], [])


async def test_an_unqualified_identity_is_refused_without_a_call(dmp: Bench) -> None:
    await dmp.plan(cda(), status=IdentityStatus.RECUPEREE)
    await dmp.work()
    (fact,) = await dmp.events()
    assert isinstance(fact, SubmissionRefused)
    assert fact.code == "dmp.identity-not-qualified"
    assert dmp.submissions == []


async def test_an_id_with_an_extension_is_refused(dmp: Bench) -> None:
    await dmp.plan(cda(extension="77"))
    (fact,) = await dmp.events()
    assert isinstance(fact, SubmissionRefused)
    assert fact.code == "dmp.document-id"


async def test_a_document_inside_its_stylesheet_is_filed_as_what_it_is(dmp: Bench) -> None:
    await dmp.plan(self_presenting(cda()))
    await dmp.work()
    (fact,) = await dmp.events()
    assert isinstance(fact, SubmissionAccepted)
    assert fact.evidence is not None
    root, *_ = read_package(fact.evidence.media_type, await dmp.platform.blobs.read(fact.evidence))
    assert root.data.count(b'mimeType="application/xslt+xml"') == 1
    assert root.data.count(b'mimeType="text/xml"') == 1  # the signature of the lot


async def test_a_document_of_another_patient_is_refused(dmp: Bench) -> None:
    await dmp.plan(cda(), matricule="285039999900293")
    await dmp.work()
    (fact,) = await dmp.events()
    assert isinstance(fact, SubmissionRefused)
    assert fact.code == "dmp.patient-mismatch"
    assert dmp.submissions == []


@pytest.mark.parametrize("kind", ["outage", "garbage"])
async def test_an_outage_is_waited_out(dmp: Bench, kind: str) -> None:
    dmp.faults.order("dmp", kind)
    await dmp.plan(cda())
    await dmp.work(rounds=10)
    assert (dmp.submissions, await dmp.events()) == ([], [])
    dmp.faults.clear()
    await dmp.work()
    assert [type(fact) for fact in await dmp.events()] == [SubmissionAccepted]
    assert len(dmp.submissions) == 1


async def test_a_dmp_that_is_down_is_tried_by_one_document_at_a_time(dmp: Bench) -> None:
    dmp.faults.order("dmp", "outage")
    for number in range(3):
        await dmp.plan(cda(unique_id=f"2.25.4{number}"), report_id=f"report-{number}")
    await dmp.work(rounds=6)
    assert dmp.submissions == []
    dmp.faults.clear()
    await dmp.work()
    assert len(dmp.submissions) == 3


async def test_a_closed_port_is_waited_out(dmp: Bench) -> None:
    await dmp.simulator.stop()
    await dmp.plan(cda())
    await dmp.work(rounds=5)
    assert await dmp.events() == []
    await dmp.simulator.start()
    await dmp.work()
    assert [type(fact) for fact in await dmp.events()] == [SubmissionAccepted]


async def test_a_busy_dmp_gets_the_same_lot_again_under_a_new_vihf(dmp: Bench) -> None:
    dmp.faults.order("dmp", "fault", code="XDSRepositoryBusy")
    await dmp.plan(cda())
    await dmp.attempt()
    async with dmp.service.units() as unit:
        first = next(iter((await unit.lots.find(await _ids(dmp))).values()))
    before = read_package(first.evidence.media_type, await dmp.platform.blobs.read(first.evidence))
    dmp.faults.clear()
    await dmp.work()
    (fact,) = await dmp.events()
    assert isinstance(fact, SubmissionAccepted)
    assert fact.evidence is not None
    after = read_package(fact.evidence.media_type, await dmp.platform.blobs.read(fact.evidence))
    assert body_of(after[0].data) == body_of(before[0].data)
    assert after[1].data == before[1].data
    assert after[0].data != before[0].data


async def test_a_lost_answer_is_not_a_second_submission(dmp: Bench) -> None:
    dmp.faults.order("dmp", "silent")
    await dmp.plan(cda())
    await dmp.attempt()
    assert len(dmp.submissions) == 1
    assert await dmp.events() == []
    dmp.faults.clear()
    await dmp.work()
    assert len(dmp.submissions) == 1
    assert [type(fact) for fact in await dmp.events()] == [SubmissionAccepted]


async def test_a_worker_that_was_overtaken_says_nothing(dmp: Bench) -> None:
    await dmp.plan(cda())
    dmp.overtake()
    await dmp.work()
    assert len(dmp.submissions) == 1
    assert [type(fact) for fact in await dmp.events()] == [SubmissionAccepted]


async def test_a_duplicate_without_an_earlier_attempt_is_refused(dmp: Bench) -> None:
    dmp.faults.order("dmp", "fault", code="XDSDuplicateUniqueIdInRegistry")
    await dmp.plan(cda())
    await dmp.work(rounds=3)
    (fact,) = await dmp.events()
    assert isinstance(fact, SubmissionRefused)
    assert (fact.code, fact.dmp_code) == ("dmp.duplicate", "XDSDuplicateUniqueIdInRegistry")


@pytest.mark.parametrize(
    ("kind", "dmp_code", "code"),
    [
        ("fault", "DMPClosed", "dmp.closed"),
        ("fault", "XDSUnknownPatientId", "dmp.patient-unknown"),
        ("fault", "DMPSomethingNew", "dmp.refused"),
        ("soap-fault", "DMPAccessDeniedByRightsService", "dmp.rights"),
    ],
)
async def test_a_final_answer_is_told_once(dmp: Bench, kind: str, dmp_code: str, code: str) -> None:
    dmp.faults.order("dmp", kind, code=dmp_code)
    await dmp.plan(cda())
    await dmp.work()
    (fact,) = await dmp.events()
    assert isinstance(fact, SubmissionRefused)
    assert (fact.dmp_code, fact.code, fact.operation) == (dmp_code, code, "TD2.1")


async def test_a_generic_error_is_refused_after_a_few_attempts(dmp: Bench) -> None:
    dmp.faults.order("dmp", "fault", code="XDSRepositoryError")
    await dmp.plan(cda())
    await dmp.work()
    (fact,) = await dmp.events()
    assert isinstance(fact, SubmissionRefused)
    assert fact.code == "dmp.generic"


async def test_a_refused_certificate_stops_the_channel_not_the_document(dmp: Bench) -> None:
    dmp.faults.order("dmp", "soap-fault", code="DMPInvalidCertificate")
    await dmp.plan(cda())
    await dmp.work(rounds=4)
    assert await dmp.events() == []
    dmp.faults.clear()
    await dmp.work()
    assert [type(fact) for fact in await dmp.events()] == [SubmissionAccepted]


async def test_a_warning_is_an_acceptance(dmp: Bench) -> None:
    dmp.faults.order("dmp", "warning", code="XDSExtraMetadataNotSaved")
    await dmp.plan(cda())
    await dmp.work()
    assert [type(fact) for fact in await dmp.events()] == [SubmissionAccepted]


async def test_swapped_certificates_stop_the_channel(tmp_path: Path, pki: Pki) -> None:
    swapped = {"cachet_certificate": pki.cert("labo-dmp"), "cachet_key": pki.key("labo-dmp")}
    async with bench(tmp_path, pki, **swapped) as dmp:
        await dmp.plan(cda())
        await dmp.work(rounds=4)
        assert (dmp.submissions, await dmp.events()) == ([], [])


async def test_a_correction_replaces_the_document_it_names(dmp: Bench) -> None:
    await dmp.plan(cda())
    await dmp.work()
    await dmp.plan(cda(unique_id=SECOND, replaces=FIRST, version=2), request=Request.REPLACEMENT)
    await dmp.work()
    assert [(each.operation, each.replaces, each.status) for each in dmp.submissions] == [
        ("TD2.1", "", "deprecated"),
        ("RPLC", FIRST, "approved"),
    ]
    assert [fact.operation for fact in await dmp.events() if isinstance(fact, SubmissionAccepted)] == ["TD2.1", "RPLC"]


async def test_corrections_planned_together_make_a_chain(dmp: Bench) -> None:
    await dmp.plan(cda())
    await dmp.plan(cda(unique_id=SECOND, replaces=FIRST, version=2))
    await dmp.plan(cda(unique_id=THIRD, replaces=SECOND, version=3))
    await dmp.work()
    assert [each.replaces for each in dmp.submissions] == ["", FIRST, SECOND]


async def test_a_correction_of_a_refused_version_replaces_the_one_before(dmp: Bench) -> None:
    await dmp.plan(cda())
    await dmp.work()
    dmp.faults.order("dmp", "fault", code="DMPClosed")
    await dmp.plan(cda(unique_id=SECOND, replaces=FIRST, version=2))
    await dmp.attempt()
    dmp.faults.clear()
    await dmp.plan(cda(unique_id=THIRD, replaces=SECOND, version=3))
    await dmp.work()
    assert [(each.operation, each.replaces) for each in dmp.submissions] == [("TD2.1", ""), ("RPLC", FIRST)]


async def test_a_correction_of_what_the_dmp_never_had_is_new(dmp: Bench) -> None:
    await dmp.plan(cda(unique_id=SECOND, replaces=FIRST, version=2))
    await dmp.work()
    assert [(each.operation, each.replaces) for each in dmp.submissions] == [("TD2.1", "")]


async def test_unmasking_is_a_replacement_with_other_codes(dmp: Bench) -> None:
    await dmp.plan(cda(), visibility={"invisible_to_patient": True})
    await dmp.work()
    await dmp.plan(
        cda(unique_id=SECOND, replaces=FIRST, version=2),
        request=Request.REPLACEMENT,
        visibility={"changes_visibility": True},
    )
    await dmp.work()
    first, second = (dmp.simulator.registry.path(n, "soap").read_bytes() for n in ("1", "2"))
    assert first.count(b'nodeRepresentation="INVISIBLE_PATIENT"') == 2  # the document's and the signature's
    assert second.count(b'nodeRepresentation="INVISIBLE_PATIENT"') == 1


async def test_a_deletion_finds_the_document_and_deletes_it(dmp: Bench) -> None:
    content = cda()
    await dmp.plan(content)
    await dmp.work()
    await dmp.plan(content, request=Request.DELETION)
    await dmp.work()
    assert [(each.operation, each.status) for each in dmp.submissions] == [
        ("TD2.1", "deleted"),
        ("TD3.3c", "deleted"),
    ]
    assert [fact.operation for fact in await dmp.events() if isinstance(fact, SubmissionAccepted)] == [
        "TD2.1",
        "TD3.3c",
    ]


@pytest.mark.parametrize("lost", [1, 2])
async def test_a_lost_answer_on_the_way_to_a_deletion_is_a_deletion(dmp: Bench, lost: int) -> None:
    content = cda()
    await dmp.plan(content)
    await dmp.work()
    await dmp.plan(content, request=Request.DELETION)
    dmp.lose_answers(lost)  # the question's, then the deletion's own
    await dmp.work()
    assert [(type(fact), fact.message_id) for fact in await dmp.events()] == [
        (SubmissionAccepted, "message-1"),
        (SubmissionAccepted, "message-2"),
    ]
    assert dmp.submissions[0].status == "deleted"


async def test_a_lost_question_is_not_taken_for_a_deletion(dmp: Bench) -> None:
    await dmp.plan(cda(), request=Request.DELETION)
    dmp.lose_answers(1)
    await dmp.work()
    (fact,) = await dmp.events()
    assert isinstance(fact, SubmissionRefused)
    assert fact.code == "dmp.document-not-found"


async def test_a_version_replaced_elsewhere_is_looked_for_again_then_refused(dmp: Bench) -> None:
    await dmp.plan(cda())
    await dmp.work()
    dmp.faults.order("dmp", "fault", code="XDSRegistryDeprecatedDocumentError")
    await dmp.plan(cda(unique_id=SECOND, replaces=FIRST, version=2))
    await dmp.work()
    facts = await dmp.events()
    assert isinstance(facts[-1], SubmissionRefused)
    assert facts[-1].operation == "RPLC"
    assert len(dmp.submissions) == 1


async def test_deleting_what_the_dmp_does_not_hold_is_refused(dmp: Bench) -> None:
    await dmp.plan(cda(), request=Request.DELETION)
    await dmp.work()
    (fact,) = await dmp.events()
    assert isinstance(fact, SubmissionRefused)
    assert (fact.code, fact.operation) == ("dmp.document-not-found", "TD3.3c")


async def test_the_same_document_asked_twice_is_sent_once_and_told_twice(dmp: Bench) -> None:
    content = cda()
    await dmp.plan(content)
    await dmp.plan(content)
    await dmp.work()
    await dmp.plan(content)
    assert len(dmp.submissions) == 1
    facts = await dmp.events()
    assert [fact.message_id for fact in facts] == ["message-1", "message-2", "message-3"]
    assert {type(fact) for fact in facts} == {SubmissionAccepted}


async def test_a_document_id_with_other_bytes_is_refused(dmp: Bench) -> None:
    await dmp.plan(cda())
    await dmp.work()
    await dmp.plan(cda(text="Potassium (plasma) : 4,7 mmol/L"))
    facts = await dmp.events()
    assert isinstance(facts[-1], SubmissionRefused)
    assert facts[-1].code == "dmp.document-id-reused"
    assert len(dmp.submissions) == 1


async def test_a_refused_document_may_be_asked_again(dmp: Bench) -> None:
    content = cda()
    dmp.faults.order("dmp", "fault", code="DMPClosed")
    await dmp.plan(content)
    await dmp.work()
    dmp.faults.clear()
    await dmp.plan(content)
    await dmp.work()
    assert [type(fact) for fact in await dmp.events()] == [SubmissionRefused, SubmissionAccepted]


async def test_the_requester_is_the_author_of_the_lot(dmp: Bench) -> None:
    requester = Requester(person_id="899900099999", family_name="DEMANDEUSE", given_name="Ida")
    await dmp.plan(cda(), requester=requester)
    await dmp.work()
    assert b"899900099999^DEMANDEUSE^Ida" in dmp.simulator.registry.path("1", "soap").read_bytes()


async def _ids(dmp: Bench) -> list[str]:

    async with dmp.service.database.reading() as connection:
        return list((await connection.execute(select(filings.c.id))).scalars())


async def test_an_answer_that_comes_too_late_is_not_a_second_submission(tmp_path: Path, pki: Pki) -> None:
    async with bench(tmp_path, pki, answer_timeout_seconds=0.3) as dmp:
        dmp.faults.order("dmp", "slow", delay_seconds=0.6)
        await dmp.plan(cda())
        await dmp.attempt()
        assert await dmp.events() == []
        dmp.faults.clear()
        await dmp.work()
        assert len(dmp.submissions) == 1
        assert [type(fact) for fact in await dmp.events()] == [SubmissionAccepted]


async def test_a_tls_certificate_that_the_dmp_does_not_know_closes_the_channel(tmp_path: Path, pki: Pki) -> None:
    stranger = Pki.create(tmp_path / "stranger")
    ours = {"auth_certificate": stranger.cert("labo-dmp"), "auth_key": stranger.key("labo-dmp")}
    async with bench(tmp_path, pki, **ours) as dmp:
        await dmp.plan(cda())
        await dmp.work(rounds=3)
        assert (dmp.submissions, await dmp.events()) == ([], [])


async def test_neither_logs_nor_metrics_name_the_patient(dmp: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    hub_logging.configure("DEBUG")
    try:
        for number, fault in enumerate(("", "DMPClosed", "XDSRepositoryBusy", "DMPInvalidCertificate")):
            if fault:
                dmp.faults.order("dmp", "fault", code=fault)
            await dmp.plan(cda(unique_id=f"2.25.6{number}"), report_id=f"report-{number}")
            await dmp.work(rounds=3)
            dmp.faults.clear()
        await dmp.plan(cda(unique_id="2.25.69"), matricule="285039999900293", report_id="report-9")
        await dmp.work()
    finally:
        logging.getLogger().handlers.clear()
    written = capsys.readouterr().err + generate_latest().decode()
    assert "dmp.accepted" in written
    assert "dmp.refused" in written
    for secret in ("TESTEUSE", "ANNE", "EPOUSEE", INS, "285039999900293", "19850317", "IPP-77", "ESSAI"):
        assert secret not in written


async def test_a_refused_document_does_not_come_after_its_correction(dmp: Bench) -> None:
    first, second = cda(unique_id=FIRST), cda(unique_id=SECOND)
    dmp.faults.order("dmp", "fault", code="DMPClosed")
    await dmp.plan(first)
    await dmp.work()
    dmp.faults.clear()
    await dmp.plan(second)
    await dmp.work()
    await dmp.plan(first)
    await dmp.work()
    assert [submission.unique_id for submission in dmp.submissions] == [SECOND]
    *_, last = await dmp.events()
    assert isinstance(last, SubmissionRefused)
    assert last.code == "dmp.superseded"
