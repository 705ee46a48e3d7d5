"""One report as N3 and N1: one lot; and documents that come after what replaced or deleted them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from labohub.contracts.events import DocumentBuilt, SubmissionAccepted, SubmissionRefused
from labohub.contracts.values import Request
from labosim.pki import Pki
from tests.support.dmp import cda
from tests.support.dmp_service import Bench, bench, built

N3, N1, NEXT_N3, NEXT_N1 = (f"2.25.7{number}" for number in range(4))
FIRST = (cda(unique_id=N3, set_id="2.25.71"), cda(unique_id=N1, set_id="2.25.72"))
NEXT = (
    cda(unique_id=NEXT_N3, replaces=N3, version=2, set_id="2.25.71"),
    cda(unique_id=NEXT_N1, replaces=N1, version=2, set_id="2.25.72"),
)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki.create(tmp_path_factory.mktemp("pki"))


@pytest.fixture
async def dmp(tmp_path: Path, pki: Pki) -> AsyncIterator[Bench]:
    async with bench(tmp_path, pki) as both:
        yield both


async def plan(dmp: Bench, pair: tuple[bytes, bytes], **changes: Any) -> DocumentBuilt:
    """Hand both formats of a report to the service."""
    dmp.count += 1
    blobs = [await dmp.platform.blobs.put(content, "text/xml") for content in pair]
    first, second = (built(content, blob, "report-1", f"message-{dmp.count}", **changes)
                     for content, blob in zip(pair, blobs, strict=True))  # fmt: skip
    event = first.model_copy(update={"companion": blobs[1], "companion_facts": second.facts})
    async with dmp.service.units() as unit:
        await dmp.service.subscriptions[DocumentBuilt](event, unit)
    return event


def held(dmp: Bench) -> list[tuple[str, str, str, str]]:
    return [(each.operation, each.unique_id, each.replaces, each.status) for each in dmp.submissions]


async def test_both_formats_are_one_lot_replaced_and_deleted_together(dmp: Bench) -> None:
    await plan(dmp, FIRST)
    await dmp.work()
    assert held(dmp) == [("TD2.1", N3, "", "approved"), ("TD2.1", N1, "", "approved")]
    assert [dmp.simulator.registry.path(number, "document").read_bytes() for number in "12"] == list(FIRST)
    await plan(dmp, NEXT, request=Request.REPLACEMENT)
    await dmp.work()
    assert held(dmp) == [
        ("TD2.1", N3, "", "deprecated"), ("TD2.1", N1, "", "deprecated"),
        ("RPLC", NEXT_N3, N3, "approved"), ("RPLC", NEXT_N1, N1, "approved"),
    ]  # fmt: skip
    await plan(dmp, NEXT, request=Request.DELETION)
    await dmp.work()
    assert held(dmp)[2:] == [
        ("RPLC", NEXT_N3, N3, "deleted"), ("RPLC", NEXT_N1, N1, "deleted"),
        ("TD3.3c", NEXT_N3, "", "deleted"), ("TD3.3c", NEXT_N1, "", "deleted"),
    ]  # fmt: skip
    facts = await dmp.events()
    assert [fact.operation for fact in facts if isinstance(fact, SubmissionAccepted)] == ["TD2.1", "RPLC", "TD3.3c"]


async def test_one_answer_is_lost_and_nothing_is_filed_twice(dmp: Bench) -> None:
    dmp.lose_answers(1)
    await plan(dmp, FIRST)
    await dmp.work()
    assert held(dmp) == [("TD2.1", N3, "", "approved"), ("TD2.1", N1, "", "approved")]
    assert [type(fact) for fact in await dmp.events()] == [SubmissionAccepted]


async def test_a_deletion_that_was_cut_between_the_two_goes_on_with_the_second(dmp: Bench) -> None:
    await plan(dmp, FIRST)
    await dmp.work()
    dmp.lose_answers(3)  # two questions, then the first deletion
    await plan(dmp, FIRST, request=Request.DELETION)
    await dmp.work()
    assert [each.status for each in dmp.submissions[:2]] == ["deleted", "deleted"]
    assert [type(fact) for fact in await dmp.events()] == [SubmissionAccepted, SubmissionAccepted]


async def test_one_format_replaced_alone_leaves_the_other(dmp: Bench) -> None:
    await plan(dmp, FIRST)
    await dmp.plan(NEXT[0], request=Request.REPLACEMENT)
    await dmp.work()
    assert [each.status for each in dmp.submissions] == ["deprecated", "approved", "approved"]
    await dmp.plan(NEXT[1], request=Request.REPLACEMENT)
    await dmp.work()
    assert held(dmp)[-1] == ("RPLC", NEXT_N1, N1, "approved")


async def test_the_same_pair_again_gets_the_known_outcome_and_other_bytes_none(dmp: Bench) -> None:
    await plan(dmp, FIRST)
    await dmp.work()
    await plan(dmp, FIRST)
    await plan(dmp, (FIRST[0], FIRST[1].replace(b"Potassium", b"Sodium   ")))
    await dmp.work()
    _, again, other = await dmp.events()
    assert isinstance(again, SubmissionAccepted)
    assert isinstance(other, SubmissionRefused)
    assert other.code == "dmp.document-id-reused"
    assert len(dmp.submissions) == 2


@pytest.mark.parametrize("request_", [Request.REPLACEMENT, Request.DELETION])
async def test_what_was_replaced_or_deleted_first_is_not_filed_afterwards(dmp: Bench, request_: Request) -> None:
    content = NEXT[0] if request_ is Request.REPLACEMENT else FIRST[0]
    await dmp.plan(content, request=request_)
    await dmp.work()
    await dmp.plan(FIRST[0], report_id="another-report")
    await dmp.work()
    fact = (await dmp.events())[-1]
    assert isinstance(fact, SubmissionRefused)
    assert fact.code == "dmp.superseded"
    assert [each.unique_id for each in dmp.submissions] == ([NEXT_N3] if request_ is Request.REPLACEMENT else [])


@pytest.mark.parametrize("request_", [Request.REPLACEMENT, Request.DELETION])
async def test_formats_sent_apart_go_before_what_replaces_or_deletes_both(dmp: Bench, request_: Request) -> None:
    dmp.faults.order("dmp", "outage")
    await dmp.plan(FIRST[0], report_id="report-1")
    await dmp.plan(FIRST[1], report_id="report-2")  # in a lane of its own, and still there
    await plan(dmp, NEXT if request_ is Request.REPLACEMENT else FIRST, request=request_)
    await dmp.work(rounds=10)
    assert dmp.submissions == []
    dmp.faults.clear()
    await dmp.work()
    operations = [each.operation for each in dmp.submissions]
    assert operations == ["TD2.1", "TD2.1", *["RPLC" if request_ is Request.REPLACEMENT else "TD3.3c"] * 2]
    wanted = "deprecated" if request_ is Request.REPLACEMENT else "deleted"
    assert [each.status for each in dmp.submissions[:2]] == [wanted] * 2
