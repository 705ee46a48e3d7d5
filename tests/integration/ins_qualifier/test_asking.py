"""The search plan of one check, resumed after a pause."""

from pathlib import Path

from ins_qualifier.core.check import Asked, Check
from ins_qualifier.core.local import check_patient
from ins_qualifier.workers.asking import Asking, Examination
from labohub.store.blobs import FileBlobs
from labohub.store.work import Work
from labosim.identities import PUBLIC
from tests.integration.ins_qualifier.test_worker import HeldInsi
from tests.support.ins import AT, patient_of, received
from tests.support.store import FixedClock

TCHITCHI = next(person for person in PUBLIC if person.birth_name == "TCHITCHI")
WORK = Work(
    id="c1", lane="R1", sequence=1, state="due", attempts=1, lease_token="t", payload="", traceparent="",
    is_open=True, error_code="", retaken=False, extra={},
)  # fmt: skip


async def asked_after(folder: Path, *answered: Asked) -> tuple[list[str], list[str]]:
    """Return how many questions a plan still had, by their numbers, and what the check then remembers."""
    insi = HeldInsi()
    asking = Asking(insi, FileBlobs(folder, bytes(32)), software="1", clock=FixedClock(), new_id=lambda: "m")
    patient = patient_of(TCHITCHI, with_ins=False)
    check = Check(event=received(patient), planned_at=AT, asked=answered)
    examination = Examination(WORK, check)
    await asking.search(examination, check, check_patient(patient, environment="test"))
    assert examination.check is not None
    return [str(exchange.call.question) for exchange in examination.calls], [
        one.given_name for one in examination.check.asked
    ]


async def test_a_question_that_was_answered_is_not_asked_again(tmp_path: Path) -> None:
    numbers, remembered = await asked_after(tmp_path, Asked(given_name="CATARINA", code="01"))

    assert numbers == ["2", "3"]
    assert remembered == ["CATARINA", "BELLA", "CATARINA BELLA"]


async def test_an_identity_found_before_a_defect_of_ours_is_asked_for_again(tmp_path: Path) -> None:
    """Its answer was never used: taken for the end of the plan it would say that nobody was found."""
    numbers, remembered = await asked_after(tmp_path, Asked(given_name="CATARINA", code="00"))

    assert numbers == ["1", "2", "3"]
    assert remembered == ["CATARINA", "BELLA", "CATARINA BELLA"]
