"""Requests meant to mislead, through the real processes: nobody gets somebody else's report, nothing comes twice."""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from labosim.day.people import DOCTORS, LABORATORY
from tests.support.hostile import another_person, request
from tests.support.hub import Installation, until
from tests.support.world import QUICK, World

pytestmark = pytest.mark.slow
DROP = "drop"
MARKUP = replace(LABORATORY, application="<img src=x onerror=alert(7)>")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("attacks")
    drop = {"INGEST_HL7_DROP_FOLDER": str(folder / DROP), "INGEST_HL7_DROP_POLL_SECONDS": "0.1",
            "INGEST_HL7_DROP_QUIET_SECONDS": "0.2"}  # fmt: skip
    with Installation(folder, {**QUICK, **drop}) as running:
        yield World(running)


@pytest.mark.parametrize("request_", ["replacement", "deletion"])
def test_nobody_replaces_or_deletes_another_patients_document(world: World, request_: str) -> None:
    first = request()
    assert world.accept(first)[0]["state"] == "delivered"
    other = request()
    later = first.next_version() if request_ == "replacement" else first.deletion()
    copy = replace(later.copy, file_number=other.copy.file_number)
    (ack,) = world.send(replace(later, person=other.person, in_document=other.person, copy=copy))
    assert (ack.code, ack.error) == ("AE", "199")
    assert [each["status"] for each in world.submissions(first)] == ["approved"]
    assert len(world.mails(first)) == 1


def test_a_local_number_given_to_two_people_lets_the_second_out_to_nobody(world: World) -> None:
    """The laboratory's number says the same patient, all the rest another one."""
    first = request()
    assert world.accept(first)[0]["state"] == "delivered"
    stranger = another_person()
    second = first.next_version(person=stranger, in_document=stranger, patient_number=first.local_id)
    end = world.accept(second)[0]
    assert (end["state"], end["code"]) == ("stopped", "ins.collision")
    world.assert_nothing_left(second)


def test_one_document_of_two_senders_is_one_mail_and_one_submission(world: World) -> None:
    one = request()
    same = one.again(laboratory=replace(LABORATORY, application="SGL-BIS"))
    assert [ack.code for ack in world.send(one, same)] == ["AA", "AA"]
    for each in (one, same):
        assert world.end(each)["state"] in ("delivered", "archived")
    assert len(world.mails(one)) == 1
    assert [each["operation"] for each in world.submissions(one)] == ["TD2.1"]


def test_a_deletion_of_another_patients_document_deletes_nothing(world: World) -> None:
    first = request()
    assert world.accept(first)[0]["state"] == "delivered"
    stranger = another_person()
    gone = replace(first.deletion(), person=stranger)
    (ack,) = world.send(gone)
    assert ack.code == "AE"
    assert [each["status"] for each in world.submissions(first)] == ["approved"]


def test_a_document_without_the_matricule_is_never_filed(world: World) -> None:
    """PID has a matricule and the document none: the mail may go, the DMP gets nothing."""
    one = request(ins_in_document=False)
    end = world.accept(one)[0]
    assert (end["state"], end["code"]) == ("partly-delivered", "dmp.patient-mismatch")
    assert world.submissions(one) == []


def test_files_dropped_around_a_kill_are_each_answered_and_sent_once(world: World) -> None:
    folder = world.installation.folder / DROP
    files = [request() for _ in range(8)]
    for number, each in enumerate(files):
        (folder / f"f{number}.tmp").write_bytes(each.er7)
        (folder / f"f{number}.tmp").rename(folder / f"f{number}.hl7")
        if number == 3:
            until(lambda: any((folder / "acks").glob("f*.ack")), 20, "one taken")
            world.installation.hub.kill()
    cut = request()
    (folder / "cut.hl7").write_bytes(cut.er7[: len(cut.er7) // 2])
    world.installation.hub.start()
    until(lambda: len(list((folder / "done").glob("f*.hl7"))) == len(files), 60, "all taken")
    assert not (folder / "done/cut.hl7").exists()
    for each in files:
        assert world.end(each)["state"] == "delivered"
        assert len(world.mails(each)) == 1
        assert len(world.submissions(each)) == 1
    world.assert_nothing_left(cut)
    (folder / "cut.hl7").unlink(missing_ok=True)


def test_markup_in_names_is_shown_as_text_and_matricules_nowhere(world: World) -> None:
    one = request(laboratory=MARKUP)
    world.accept(one)
    base = f"http://127.0.0.1:{world.installation.http}"
    pages = ["/", "/reports", f"/reports/{world.report_id(one)}"]
    for page in pages:
        answer = httpx.get(base + page, follow_redirects=True)
        assert "<img src=x" not in answer.text, page
        assert one.person.matricule not in answer.text, page
    wire = httpx.get(f"{base}/api/v1/connections").text
    assert one.person.birth_name not in wire
    logs = world.installation.logs()
    for each in (one.person.matricule, one.person.birth_name, DOCTORS[0].address):
        assert each not in logs
