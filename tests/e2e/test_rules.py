"""The rules that no configuration can switch off, through the real processes, with input that tries to break them."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import httpx
import pytest

from labosim.day.people import DOCTORS, LABORATORY
from labosim.sgl.sender import Ack, Sender
from tests.support.hostile import (
    Request,
    another_person,
    contradicts,
    every_combination,
    in_published_table,
    request,
)
from tests.support.hub import Installation, until
from tests.support.world import QUICK, SENDERS, STRICT, SUBCONTRACTOR, Z01, Z02, Z03, World

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("rules")
    senders = folder / "senders.toml"
    senders.write_text(SENDERS)
    with Installation(folder, {**QUICK, "INGEST_HL7_SENDERS": str(senders)}) as running:
        yield World(running)


# 1 ─ nothing is acknowledged before it is durable


def test_what_was_acknowledged_survives_a_crash_at_that_instant(world: World) -> None:
    requests = [request() for _ in range(5)]
    acks = world.send(*requests)
    world.installation.hub.kill()
    world.installation.hub.start()
    assert {ack.code for ack in acks} == {"AA"}
    for each in requests:
        assert world.end(each)["state"] == "delivered"
        assert (len(world.submissions(each)), len(world.mails(each))) == (1, 1)


# 3 ─ no matricule leaves unless the identity is qualified

UNCERTAIN: dict[str, dict[str, Any]] = {
    "provisional, with a matricule": {"reliability": "PROV"},
    "provisional, matricule in the document alone": {"reliability": "PROV", "with_ins": False},
    "retrieved, nobody saw a document": {"reliability": "RECUP"},
    "doubtful": {"reliability": "VALI~DOUT"},
    "fictitious": {"reliability": "PROV~FICT"},
    "anonymous": {"reliability": "VALI~ANOM"},
    "a duplicate that was put to sleep": {"reliability": "VALI~DESA"},
    "usurped": {"reliability": "VALI~USUR"},
    "silent about its reliability": {"reliability": ""},
}


@pytest.mark.parametrize("name", UNCERTAIN)
def test_an_uncertain_identity_lets_nothing_out(world: World, name: str) -> None:
    one = request(**UNCERTAIN[name])
    end = world.accept(one)[0]
    assert end["state"] == "stopped"
    assert end["code"].startswith("ins.")
    world.assert_nothing_left(one)
    world.wait_zams(one, (Z01, "N", ""), (Z02, "N", DOCTORS[0].address))


def test_a_matricule_that_insi_gives_to_another_number_lets_nothing_out(world: World) -> None:
    person = replace(another_person(), matricule=another_person().matricule)
    one = request(person)
    end = world.accept(one)[0]
    assert (end["state"], end["code"]) == ("stopped", "ins.conflict")
    world.assert_nothing_left(one)


def test_a_person_whom_insi_does_not_know_lets_nothing_out(world: World) -> None:
    one = request(replace(another_person(), birth_name="NESAITRIEN"))
    assert (world.accept(one)[0]["code"]) == "insi.not-found"
    world.assert_nothing_left(one)


@pytest.mark.parametrize("trait", [{"birth_date": "19010203"}, {"birth_name": "TEST-BABA"}, {"given_names": "ZELIE"}])
def test_traits_that_are_not_those_of_insi_let_nothing_out(world: World, trait: dict[str, Any]) -> None:
    one = request(replace(another_person(), **trait))
    assert world.accept(one)[0]["state"] == "stopped"
    world.assert_nothing_left(one)


# 4 ─ flags outside the official table


@dataclass(frozen=True)
class Matrix:
    """The 128 combinations under one reading, each as a message to a doctor and the patient."""

    requests: list[Request]
    acks: list[Ack]
    allowed: list[bool]

    @cached_property
    def wrong(self) -> list[dict[str, bool]]:
        """Return the combinations that were not answered as the table says."""
        verdicts = zip(self.requests, self.acks, self.allowed, strict=True)
        return [dict(one.flags) for one, ack, allowed in verdicts if ack.is_positive != allowed]


def run_matrix(world: World, *, strict: bool) -> Matrix:
    requests, allowed = [], []
    for flags in every_combination():
        laboratory = STRICT if strict else LABORATORY
        requests.append(request(flags=flags, to_patient=True, laboratory=laboratory))
        mailed = flags["DESTMSSANTEPS"] or flags["DESTMSSANTEPAT"]
        only_dmp = flags["DESTDMP"] and not mailed  # no MSSanté exchange: the table does not speak of it
        outside = not only_dmp and not in_published_table(flags)
        allowed.append(not contradicts(flags) and not (strict and outside))
    return Matrix(requests, world.send(*requests), allowed)


@pytest.mark.parametrize("strict", [False, True], ids=["default", "strict"])
def test_of_all_128_combinations_of_flags_only_the_allowed_ones_go_and_only_where_they_say(
    world: World, *, strict: bool
) -> None:
    matrix = run_matrix(world, strict=strict)
    assert matrix.wrong == []
    assert {ack.error for ack in matrix.acks if not ack.is_positive} == {"199"}
    submitted = {}
    for one, allowed in zip(matrix.requests, matrix.allowed, strict=True):
        if allowed:
            world.end(one)
    for each in world.installation.sim("/dmp/submissions"):
        submitted[each["unique_id"]] = each
    mailed: dict[str, set[str]] = {}
    for line in world.installation.sim("/mss/mails"):
        mailed.setdefault(line["subject"].split(" TEST-")[-1].split(" ")[0], set()).add(line["rcpt_to"])
    for one, allowed in zip(matrix.requests, matrix.allowed, strict=True):
        flags = one.flags
        wanted = {DOCTORS[0].address} if flags["DESTMSSANTEPS"] else set()
        wanted |= {one.patient_address} if flags["DESTMSSANTEPAT"] else set()
        assert mailed.get(one.person.birth_name.removeprefix("TEST-"), set()) == (wanted if allowed else set()), flags
        both_masks = flags["MASQUE_PS"] and flags["INVISIBLE_PATIENT"]
        filed = allowed and flags["DESTDMP"] and not flags["CONNEXION_SECRETE"] and not both_masks
        assert (one.document_id in submitted) == filed, flags


def test_hidden_from_the_patient_and_mailed_to_him_is_refused(world: World) -> None:
    assert world.refuse(request(to_patient=True, flags={"INVISIBLE_PATIENT": True})).error == "199"


def test_a_flag_that_is_missing_is_not_taken_for_no(world: World) -> None:
    ack = world.refuse(request(edits=((b"MASQUE_PS^", b"MASQUE_PZ^"),)))
    assert ack.error in ("101", "103")


# 5 ─ every document passes its checks

BROKEN = {
    "active content": (b"<title>Compte rendu", b"<title><linkHtml href='javascript:x'/>Compte rendu"),
    "nobody answers for it": (b"legalAuthenticator>", b"authenticator>"),
    "not dated to the second": (b'effectiveTime value="20260402', b'effectiveTime value="2026040'),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_document_that_does_not_conform_goes_nowhere_and_its_report_is_kept(world: World, name: str) -> None:
    one = request()
    old, new = BROKEN[name]
    broken = replace(one, document_edits=((old, new),), edits=())
    (end,) = world.accept(broken)
    assert end["state"] == "stopped"
    assert "document.refused" in {step["step"] for step in world.steps(broken)}
    world.assert_nothing_left(broken)
    world.wait_zams(broken, (Z01, "N", ""), (Z02, "N", DOCTORS[0].address))


# 6 ─ a lone subcontractor's report


def test_a_subcontractors_own_report_reaches_neither_the_dmp_nor_a_mailbox(world: World) -> None:
    one = request(laboratory=SUBCONTRACTOR, to_patient=True)
    (ack,) = world.send(one)
    assert ack.code == "AE"
    world.assert_nothing_left(one)


# 7 ─ an unchanged document is never sent twice


def test_the_same_document_under_another_number_is_neither_filed_nor_mailed_again(world: World) -> None:
    one = request(to_patient=True)
    world.accept(one)
    (second,) = world.accept(one.again())
    assert (second["state"], second["code"]) == ("archived", "relay.already-sent")
    assert len(world.submissions(one)) == 1
    assert sorted(mail["rcpt_to"] for mail in world.mails(one)) == sorted([DOCTORS[0].address, one.patient_address])


def test_the_same_document_goes_only_to_the_one_recipient_who_is_new(world: World) -> None:
    one = request()
    wider = one.again(doctors=DOCTORS[:2])
    world.accept(one)
    (end,) = world.accept(wider)
    assert (end["state"], end["delivered"]) == ("delivered", 1)
    assert len(world.submissions(one)) == 1
    assert sorted(mail["rcpt_to"] for mail in world.mails(one)) == sorted(each.address for each in DOCTORS[:2])
    world.wait_zams(wider, (Z02, "Y", DOCTORS[1].address))


def test_the_same_message_at_once_on_ten_connections_is_one_report(world: World) -> None:
    one = request()

    async def together() -> list[Ack]:
        async def alone(er7: bytes) -> Ack:
            async with Sender("127.0.0.1", world.installation.mllp) as sender:
                return await sender.send(er7)

        copies = [one.er7] * 5 + [one.again(resent=number).er7 for number in range(1, 6)]
        return list(await asyncio.gather(*map(alone, copies)))

    assert {ack.code for ack in asyncio.run(together())} == {"AA"}
    world.end(one)
    for number in range(1, 6):
        world.end(one.again(resent=number))
    assert (len(world.submissions(one)), len(world.mails(one))) == (1, 1)


def test_a_report_stopped_for_its_identity_leaves_once_its_corrected_message_comes(world: World) -> None:
    one = request(reliability="PROV")
    assert world.accept(one)[0]["state"] == "stopped"
    corrected = one.again(reliability="VALI")
    (end,) = world.accept(corrected)
    assert end["state"] == "delivered"
    assert (len(world.submissions(one)), len(world.mails(one))) == (1, 1)
    world.wait_zams(corrected, (Z01, "Y", ""), (Z02, "Y", DOCTORS[0].address))


def test_a_document_the_dmp_refused_may_be_offered_again_and_the_mail_is_not_sent_twice(world: World) -> None:
    one = request()
    world.installation.order(service="dmp", kind="fault", code="DMPClosed", rate=1.0, seconds=600)
    (end,) = world.accept(one)
    world.clear_faults()
    assert end["state"] == "partly-delivered"
    world.wait_zams(one, (Z01, "N", ""), (Z02, "Y", DOCTORS[0].address))
    (second,) = world.accept(one.again())
    assert (second["state"], second["delivered"]) == ("delivered", 1)
    assert (len(world.submissions(one)), len(world.mails(one))) == (1, 1)


def test_an_identifier_used_again_for_other_content_is_refused(world: World) -> None:
    one = request()
    world.accept(one)
    other = one.again(document_edits=((b"Compte rendu d'examens biologiques</title>", b"Autre compte rendu</title>"),))
    (ack,) = world.send(other)
    assert ack.code == "AE"
    assert [each["sha256"] for each in world.submissions(one)] == [one.sha256]
    assert len(world.mails(one)) == 1
    assert world.mails(other) == []


def masks(world: World, submission: dict[str, Any]) -> int:
    """Return how many entries of a lot are masked from professionals."""
    return int(world.installation.sim(f"/dmp/submissions/{submission['id']}/soap").count(b'"MASQUE_PS"'))


def test_unmasking_is_a_replacement_by_a_new_document_and_nothing_else(world: World) -> None:
    masked = request(doctors=(), flags={"MASQUE_PS": True})
    world.accept(masked)
    (ack,) = world.send(masked.again(flags={"MASQUE_PS": False, "MODIF_CONF_CODE": True}))
    assert (ack.code, ack.error) == ("AE", "199")
    (end,) = world.accept(masked.again(resent=2, flags={"MASQUE_PS": False}))
    assert end["state"] == "archived"
    (filed,) = world.submissions(masked)
    assert masks(world, filed) == 2
    shown = masked.next_version(flags={"MASQUE_PS": False, "MODIF_CONF_CODE": True})
    assert world.accept(shown)[0]["state"] == "delivered"
    (replacing,) = world.submissions(shown)
    assert (replacing["operation"], replacing["replaces"]) == ("RPLC", masked.document_id)
    assert masks(world, replacing) == masks(world, filed) - 1  # the lot's signature always carries one
    (former,) = world.submissions(masked)
    assert former["status"] == "deprecated"


def test_a_chain_of_replacements_and_its_deletion_keep_their_order(world: World) -> None:
    first = request()
    second = first.next_version()
    third = second.next_version()
    gone = third.deletion()
    assert [ack.code for ack in world.send(first, second, third, gone)] == ["AA"] * 4
    assert [world.end(each)["state"] for each in (first, second, third, gone)] == ["delivered"] * 4
    operations = [each["operation"] for one in (first, second, third) for each in world.submissions(one)]
    assert [operation for operation in operations if operation != "TD3.3c"] == ["TD2.1", "RPLC", "RPLC"]
    assert [world.submissions(each)[0]["status"] for each in (first, second, third)] == [
        "deprecated", "deprecated", "deleted",
    ]  # fmt: skip
    assert len({world.report_id(each) for each in (first, second, third, gone)}) == 1
    assert [len(world.mails(each)) for each in (first, second, third)] == [1, 1, 2]  # the last one again, to delete it
    for each in (first, second, third, gone):
        world.wait_zams(each, (Z01, "Y", ""), (Z02, "Y", DOCTORS[0].address))
    (once,) = world.accept(gone.again())
    assert once["state"] == "archived"
    for each in (first, second, third):
        (ack,) = world.send(each.again(doctors=DOCTORS[1:2]))
        assert (ack.code, ack.error) == ("AE", "199")
    assert [len(world.mails(each)) for each in (first, second, third)] == [1, 1, 2]


# 8 ─ PID and CDA name different patients


def other_patient(what: str) -> Request:
    one = request()
    ours = one.person
    theirs = {
        "matricule": lambda: replace(ours, matricule=another_person().matricule),
        "birth name": lambda: replace(ours, birth_name="AUTREMENT"),
        "birth date": lambda: replace(ours, birth_date="19450506"),
        "sex": lambda: replace(ours, sex="F" if ours.sex == "M" else "M"),
        "twin": lambda: replace(ours, given_names="ZELIE"),
    }[what]()
    return replace(one, in_document=theirs)


@pytest.mark.parametrize("with_ins", [True, False], ids=["with INS", "without INS"])
@pytest.mark.parametrize("what", ["matricule", "birth name", "birth date", "sex", "twin"])
def test_a_document_about_somebody_else_goes_nowhere(world: World, what: str, *, with_ins: bool) -> None:
    one = replace(other_patient(what), with_ins=with_ins, ins_in_document=with_ins or what == "matricule")
    (ack,) = world.send(one)
    if ack.is_positive:
        end = world.end(one)
        assert end["state"] == "stopped"
    else:
        assert (ack.code, ack.error) == ("AE", "199")
    assert world.submissions(one) == []
    assert world.mails(one) == []
    assert not any(one.person.birth_name in line["subject"] for line, _ in world.all_mails())


def test_a_patients_mailbox_that_is_another_persons_is_refused(world: World) -> None:
    one, other = request(to_patient=True), another_person()
    box = one.patient_address.encode()
    ack = world.refuse(replace(one, edits=((box, f"{other.matricule}@patient.mssante.fr".encode()),)))
    assert ack.error == "199"


@pytest.mark.parametrize("domain", ["patient.mssante.fr", "PATIENT.MSSANTE.FR", "patient.mssante.fr."])
def test_a_patients_mailbox_said_to_be_a_doctors_gets_nothing(world: World, domain: str) -> None:
    other = another_person()
    disguised = replace(DOCTORS[0], address=f"{other.matricule}@{domain}")
    (ack,) = world.send(one := request(doctors=(disguised,), to_dmp=False))
    if ack.is_positive:
        assert world.end(one)["delivered"] == 0
    assert world.mails(one) == []


def test_two_recipients_who_differ_by_case_are_one(world: World) -> None:
    loud = replace(DOCTORS[0], address=DOCTORS[0].address.upper())
    one = request(doctors=(DOCTORS[0], loud))
    (end,) = world.accept(one)
    assert (end["state"], end["delivered"]) == ("delivered", 2)
    assert len(world.mails(one)) == 1
    until(lambda: len(world.zams(one)) == 2, 20, "Z01 and one Z02")
    (again,) = world.accept(one.again(doctors=(loud,)))
    assert again["state"] == "archived"
    assert len(world.mails(one)) == 1


# 9 ─ every outcome asked for is told to the source


def test_receptions_readings_and_failures_are_told_once_each(world: World) -> None:
    reader = replace(DOCTORS[0], address="pfi.lecture@medecin.mssante.fr")
    broken = replace(DOCTORS[1], address="pfi-ko.lecture@medecin.mssante.fr")
    nobody = replace(DOCTORS[2], address="rcpt-refuse@medecin.mssante.fr")
    one = request(doctors=(reader, broken, nobody), wants_reading=True)
    (end,) = world.accept(one)
    assert (end["state"], end["delivered"], end["failed"]) == ("partly-delivered", 3, 1)
    world.wait_zams(
        one, (Z01, "Y", ""), (Z02, "Y", reader.address), (Z02, "Y", broken.address), (Z02, "N", nobody.address),
        (Z03, "Y", reader.address), (Z03, "N", broken.address),
    )  # fmt: skip


def test_outcomes_nobody_asked_for_are_not_told(world: World) -> None:
    one = request(flags={"ACK_RECEPTION": False, "ACK_LECTURE_MSS": False})
    world.accept(one)
    told_later = request()
    world.accept(told_later)
    world.wait_zams(told_later, (Z01, "Y", ""), (Z02, "Y", DOCTORS[0].address))
    assert world.zams(one) == []


def test_a_source_that_is_away_hears_everything_when_it_is_back(world: World) -> None:
    world.installation.order(service="sgl", kind="cut", rate=1.0, seconds=2)
    one = request()
    world.accept(one)
    until(lambda: len(set(world.zams(one))) == 2, 30, "Z01 and Z02 after the outage")


# what a person decides


def test_a_report_resolved_by_a_person_goes_on_and_everyone_hears_of_it(world: World) -> None:
    world.installation.order(service="insi", kind="wrong-key", rate=1.0, seconds=600)
    one = request()
    (end,) = world.accept(one)
    world.clear_faults()
    assert (end["state"], end["code"]) == ("stopped", "insi.answer-unusable")
    world.assert_nothing_left(one)
    world.wait_zams(one, (Z01, "N", ""), (Z02, "N", DOCTORS[0].address))
    world.resolve(one)
    until(lambda: world.message(one)["state"] == "delivered", 60, "the resolved report delivered")
    assert world.message(one)["delivered"] == 2
    assert (len(world.submissions(one)), len(world.mails(one))) == (1, 1)
    world.wait_zams(one, (Z01, "N", ""), (Z02, "N", DOCTORS[0].address), (Z01, "Y", ""), (Z02, "Y", DOCTORS[0].address))
    assert not any(item["control_id"] == one.control_id for item in world.worklist("identity"))


# outages


@pytest.mark.parametrize("service", ["insi", "dmp", "mss"])
def test_an_outage_loses_nothing_and_repeats_nothing(world: World, service: str) -> None:
    world.installation.order(service=service, kind="outage", rate=1.0, seconds=2.5)
    requests = [request(to_patient=True) for _ in range(6)]
    world.send(*requests)
    for each in requests:
        assert world.end(each)["state"] == "delivered"
        assert len(world.submissions(each)) == 1
        boxes = [mail["rcpt_to"] for mail in world.mails(each)]
        assert sorted(boxes) == sorted([DOCTORS[0].address, each.patient_address])


def test_an_answer_lost_by_the_dmp_is_not_a_second_document(world: World) -> None:
    world.installation.order(service="dmp", kind="silent", rate=1.0, seconds=1.5)
    requests = [request(doctors=()) for _ in range(3)]
    world.send(*requests)
    assert [world.end(each)["state"] for each in requests] == ["delivered"] * 3
    assert [len(world.submissions(each)) for each in requests] == [1, 1, 1]


@pytest.mark.parametrize("code", ["", "after"], ids=["before the end of the content", "after it"])
def test_a_line_cut_while_a_mail_is_handed_over_never_makes_two(world: World, code: str) -> None:
    world.installation.order(service="mss", kind="cut", code=code, rate=1.0, seconds=600)
    one = request()
    (end,) = world.accept(one)
    world.clear_faults()
    assert end["delivered"] >= 1
    if code:  # the operator has it: its notice makes it certain
        world.wait_zams(one, (Z01, "Y", ""), (Z02, "Y", DOCTORS[0].address))
        assert len(world.mails(one)) == 1
    else:
        assert (end["state"], end["uncertain"]) == ("partly-delivered", 1)
        assert world.mails(one) == []
        assert any(item["control_id"] == one.control_id for item in world.worklist("recipients"))


# 2, 10 and what holds for all that was sent above


def test_every_accepted_message_has_one_terminal_state_and_none_is_open(world: World) -> None:
    accepted = [one for one, ack in world.sent if ack.is_positive]
    until(lambda: world.installation.api("/reconciliation")["open"] == 0, 30, "nothing open")
    count = world.installation.api("/reconciliation")
    assert count["accepted"] == sum(count["settled"].values()) >= len({one.er7 for one in accepted})
    refused = {one.control_id for one, ack in world.sent if not ack.is_positive}
    for control_id in refused - {one.control_id for one in accepted}:
        assert world.installation.api("/reports", control_id=control_id)["items"] == []


def test_a_patients_mailbox_only_ever_got_documents_about_that_patient(world: World) -> None:
    boxes = [(line["rcpt_to"], content) for line, content in world.all_mails() if "@patient." in line["rcpt_to"]]
    assert len(boxes) > 20
    for address, content in boxes:
        matricule = address.partition("@")[0].encode()
        assert re.findall(rb'<patientRole><id root="[\d.]+" extension="(\w+)"', content) == [matricule]


def test_no_mailbox_got_the_same_document_twice_unless_to_delete_it(world: World) -> None:
    deletions = {one.document_id for one, _ in world.sent if one.request == "deletion"}
    seen = set()
    for line, content in world.all_mails():
        documents = set(
            re.findall(rb'</templateId>?|<id root="(1\.2\.250\.1\.99999\.7\.11\.\d+\.\d+)"/><code', content)
        )
        for document in documents - {b""}:
            key = (line["rcpt_to"].lower(), document)
            assert key not in seen or document.decode() in deletions, key
            seen.add(key)
    assert len(seen) > 50


def test_the_source_was_told_nothing_twice(world: World) -> None:
    numbers = [re.search(r"^MSH(?:\|[^|]*){8}\|([^|]*)", m["er7"]) for m in world.installation.sim("/sgl/messages")
               if m["answer"] == "AA"]  # fmt: skip
    control_ids = [found[1] for found in numbers if found]
    assert len(control_ids) > 50
    assert len(control_ids) == len(set(control_ids))


def test_no_log_and_no_metric_names_any_of_them(world: World) -> None:
    written = world.installation.logs() + httpx.get(f"http://127.0.0.1:{world.installation.http}/metrics").text
    assert "message.accepted" in written
    words = set(re.findall(r"[\w'-]+", written))
    for one, _ in world.sent:
        assert one.person.matricule not in written
        assert one.person.birth_date not in words
        assert one.person.birth_name not in words
