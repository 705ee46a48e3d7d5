"""Documents in two formats, replacements and deletions, through the real processes."""

import email
import io
import re
import zipfile
from collections.abc import Iterator
from email import policy
from hashlib import sha256
from typing import Any

import pytest

from labosim.day.people import DOCTORS
from tests.support.hostile import Request, another_person, request
from tests.support.hub import Installation
from tests.support.world import QUICK, Z01, Z02, World

pytestmark = pytest.mark.slow
DOCTOR = DOCTORS[0].address
TOLD = ((Z01, "Y", ""), (Z02, "Y", DOCTOR))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Installation(tmp_path_factory.mktemp("volet"), QUICK) as running:
        yield World(running)


def filed(world: World, document_id: str) -> list[tuple[str, str, str]]:
    """Return operation, replaced document and status of what the DMP got under an identifier."""
    found = [each for each in world.installation.sim("/dmp/submissions") if each["unique_id"] == document_id]
    return [(each["operation"], each["replaces"], each["status"]) for each in found]


def mailed(world: World, one: Request) -> list[dict[str, Any]]:
    """Return the mails that carry the N1 of a request, each as the standard library reads it."""
    found = []
    for line in world.installation.sim("/mss/mails"):
        message = email.message_from_bytes(world.installation.sim(f"/mss/mails/{line['id']}"), policy=policy.default)
        parts = {part.get_filename(): part.get_payload(decode=True) for part in message.iter_attachments()}
        with zipfile.ZipFile(io.BytesIO(bytes(parts["IHE_XDM.zip"]))) as archive:
            content = {name.rpartition("/")[2]: archive.read(name) for name in archive.namelist()}
        if one.companion in content.values():
            pdfs = {name: data for name, data in parts.items() if str(name).endswith(".pdf")}
            found.append({"subject": message["subject"], "codes": message["X-MSS-CODECDA"], "pdfs": pdfs, **content})
    return found


def actions(mail: dict[str, Any]) -> list[str]:
    """Return the action of each document that the archive's metadata names."""
    pattern = rb'name="urn:action:extraMetadataSlot".*?<[^>]*Value>([CD])<'
    return [each.decode() for each in re.findall(pattern, mail["METADATA.XML"], re.DOTALL)]


def test_two_formats_leave_replace_and_are_deleted_together(world: World) -> None:
    first = request(both_formats=True)
    second = first.next_version()
    gone = second.deletion()
    assert [ack.code for ack in world.send(first, second, gone)] == ["AA"] * 3
    assert [world.end(each)["state"] for each in (first, second, gone)] == ["delivered"] * 3
    for name in ("document_id", "companion_id"):
        former, latter = getattr(first, name), getattr(second, name)
        assert filed(world, former) == [("TD2.1", "", "deprecated")]
        assert filed(world, latter) == [("RPLC", former, "deleted"), ("TD3.3c", "", "deleted")]
    for each in (first, second, gone):
        world.wait_zams(each, *TOLD)


def test_two_formats_are_one_lot_and_one_mail_with_the_bytes_that_came(world: World) -> None:
    one = request(both_formats=True)
    assert world.accept(one)[0]["state"] == "delivered"
    submissions = [
        each for each in world.installation.sim("/dmp/submissions")
        if each["unique_id"] in (one.document_id, one.companion_id)
    ]  # fmt: skip
    assert {each["sha256"] for each in submissions} == {one.sha256, sha256(one.companion).hexdigest()}
    soaps = {world.installation.sim(f"/dmp/submissions/{each['id']}/soap") for each in submissions}
    assert len(soaps) == 1
    (mail,) = mailed(world, one)
    assert (mail["DOC0001.XML"], mail["DOC0002.XML"]) == (one.document, one.companion)
    assert mail["codes"] == "11502-2,11502-2"
    assert "DDM+2 documents " in mail["subject"]
    assert [name.endswith("_N1.pdf") for name in mail["pdfs"]] == [False, True]
    assert all(data.startswith(b"%PDF-") for data in mail["pdfs"].values())
    shown = world.installation.api(f"/reports/{world.report_id(one)}")["documents"]
    assert {each["document_id"] for each in shown} == {one.document_id, one.companion_id}
    (again,) = world.accept(one.again())
    assert again["state"] == "archived"
    assert len(mailed(world, one)) == 1


def test_a_mail_says_of_each_document_what_becomes_of_it(world: World) -> None:
    first = request(both_formats=True)
    second = first.next_version()
    for each in (first, second, second.deletion()):
        assert world.accept(each)[0]["state"] == "delivered"
    assert [actions(mail) for mail in mailed(world, first)] == [[]]
    assert [actions(mail) for mail in mailed(world, second)] == [["C", "C"], ["D", "D"]]


def test_one_format_that_is_refused_stops_both(world: World) -> None:
    one = request(both_formats=True)
    given = one.person.given_names.split()[0].encode()
    wrong = request(
        one.person, both_formats=True, companion_edits=((b">" + given + b"<", b">ZEPHIRIN<"),)
    )  # the N1 names somebody else of the same birth
    (end,) = world.accept(wrong)
    assert (end["state"], end["code"]) == ("stopped", "cda.other-patient")
    assert filed(world, wrong.document_id) == filed(world, wrong.companion_id) == []
    world.wait_zams(wrong, (Z01, "N", ""), (Z02, "N", DOCTOR))


def test_a_document_never_comes_after_what_replaced_it(world: World) -> None:
    first = request()
    second = first.next_version()
    assert world.accept(second)[0]["state"] == "delivered"
    (ack,) = world.send(first)
    assert (ack.code, ack.error) == ("AE", "199")
    third = second.next_version()
    assert world.accept(third)[0]["state"] == "delivered"
    assert filed(world, first.document_id) == []
    assert filed(world, second.document_id) == [("TD2.1", "", "deprecated")]
    assert filed(world, third.document_id) == [("RPLC", second.document_id, "approved")]
    assert world.report_id(second) == world.report_id(third)


def test_a_deletion_of_a_document_never_seen_is_forwarded(world: World) -> None:
    gone = request().deletion()
    (end,) = world.accept(gone)
    assert end["state"] == "partly-delivered"  # the mailbox is told; the DMP holds nothing to delete
    assert len(world.mails(gone)) == 1
    world.wait_zams(gone, (Z01, "N", ""), (Z02, "Y", DOCTOR))


def test_a_replacement_waits_for_the_document_it_replaces_while_the_dmp_is_away(world: World) -> None:
    first = request()
    second = first.next_version()
    world.installation.order(service="dmp", kind="outage", rate=1.0, seconds=2)
    assert [ack.code for ack in world.send(first, second, second.deletion())] == ["AA"] * 3
    assert [world.end(each)["state"] for each in (first, second)] == ["delivered"] * 2
    assert filed(world, first.document_id) == [("TD2.1", "", "deprecated")]
    assert filed(world, second.document_id)[0] == ("RPLC", first.document_id, "deleted")


def test_formats_first_sent_apart_may_be_replaced_together(world: World) -> None:
    pair = request(both_formats=True)
    n3 = request(pair.person, copy=pair.copy)
    n1 = pair.again(edits=((_document_line(pair), b""),))
    assert [end["state"] for end in world.accept(n3, n1)] == ["delivered"] * 2
    both = pair.next_version()
    assert world.accept(both)[0]["state"] == "delivered"
    assert filed(world, both.document_id) == [("RPLC", pair.document_id, "approved")]
    assert filed(world, both.companion_id) == [("RPLC", pair.companion_id, "approved")]


def test_messages_of_one_patient_keep_their_order_within_each_report(world: World) -> None:
    person = another_person()
    one, other = request(person), request(person)
    chain = [one, other, one.next_version()]
    chain += [other.next_version(), chain[2].next_version()]
    assert [ack.code for ack in world.send(*chain)] == ["AA"] * len(chain)
    assert [world.end(each)["state"] for each in chain] == ["delivered"] * len(chain)
    for rank in ((0, 2, 4), (1, 3)):
        versions = [chain[each] for each in rank]
        wanted = ["TD2.1"] + ["RPLC"] * (len(versions) - 1)
        assert [filed(world, each.document_id)[0][0] for each in versions] == wanted
        mails = [world.mails(each)[0]["id"] for each in versions]
        assert mails == sorted(mails, key=lambda name: int(name.rpartition("-")[2]))
    received = world.installation.api("/reports", limit=500)["items"]
    assert len({world.report_id(each) for each in chain}) == 2 <= len(received)


def _document_line(one: Request) -> bytes:
    """Return the segment of the N3."""
    (line,) = [each for each in one.er7.split(b"\r") if each.startswith(b"OBX|1|ED|")]
    return line + b"\r"
