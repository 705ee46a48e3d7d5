"""Documents that come by mail, from the mailbox to the software, and back to who sent them. With the light operator."""

import base64
import email
import email.policy
import io
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import select

from labohub.contracts.events import ReplyReceived
from labohub.standards.mdn import read_mdn
from labohub.standards.xdm_metadata import Action
from labosim.mss import MssSimulator
from mss_sender.adapters.tables import INTEGRATIONS, RETURNS
from tests.support.lps import Software, software
from tests.support.mss import (
    MATRICULE,
    Bench,
    cda,
    close_bench,
    doctor,
    document_built,
    open_bench,
    pki,
    sender_settings,
)
from tests.support.xdm_mails import PARTNER, archive, xdm_mail

BOX = "labo.app@labo-demo.mssante.fr"


@dataclass
class Rig:
    bench: Bench
    lps: Software
    simulator: MssSimulator

    async def receive(self, raw: bytes) -> None:
        self.simulator.boxes.deliver(BOX, raw)
        await self.turn()

    async def turn(self) -> None:
        collector = self.bench.service.listeners[0]
        while await collector.collect():  # type: ignore[attr-defined]
            pass
        while await self.bench.work("sort"):
            pass
        while await self.bench.work("integrate"):
            pass
        while await self.bench.work("hand-over"):
            pass

    async def states(self) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        async with self.bench.service.database.reading() as connection:
            returns = (await connection.execute(select(RETURNS.c.error_code, RETURNS.c.state))).all()
            works = (await connection.execute(select(INTEGRATIONS.c.state, INTEGRATIONS.c.error_code))).all()
        return [tuple(row) for row in returns], [tuple(row) for row in works]

    def notices(self) -> list[email.message.EmailMessage]:
        found = []
        for mail in self.simulator.mails:
            raw = self.simulator.source(mail.mail_id)
            assert raw is not None
            assert mail.envelope.mail_from == "", "a notice leaves with the null sender"
            assert mail.envelope.rcpt_to == PARTNER
            found.append(email.message_from_bytes(raw, policy=email.policy.default))
        return found


@pytest.fixture
async def rig(simulator: MssSimulator, store_url: str, tmp_path: Path) -> AsyncIterator[Rig]:
    async with software() as lps:
        settings = sender_settings(
            pki(),
            smtp_port=simulator.smtp_port,
            imap_port=simulator.imap_port,
            lps_host="127.0.0.1",
            lps_port=lps.port,
            lps_timeout_seconds=5,
        )
        bench = await open_bench(tmp_path, settings, store_url)
        yield Rig(bench, lps, simulator)
        await bench.service.listeners[0].stop()
        await close_bench(bench)


async def test_a_document_reaches_the_software_byte_for_byte_and_its_sender_hears_of_it(rig: Rig) -> None:
    content = cda("1.2.250.1.999.8.1")
    await rig.receive(xdm_mail([content]))
    (message,) = rig.lps.messages
    found = rig.lps.fields(0)
    assert found["MSH"][0][8] == "MDM^T02^MDM_T02"
    assert found["MSH"][0][20] == "1.1^CISIS_CDA_HL7_LPS"
    assert found["PID"][0][3].startswith(f"{MATRICULE}^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS")
    assert found["PID"][0][5] == "DURÁND^Élodie^Élodie^^^^L"
    assert (found["PID"][0][7], found["PID"][0][8], found["PID"][0][32]) == ("19850312", "F", "VALI")
    assert found["ORC"][0][1] == "NW"
    assert (found["TXA"][0][12], found["TXA"][0][17]) == ("1.2.250.1.999.8.1", "AU")
    assert base64.b64decode(found["OBX"][0][5].split("^")[4]) == content
    assert found["OBX"][0][3] == found["OBR"][0][4] == "11502-2^CR d'examens biologiques^LN"
    assert found["OBX"][1][3].startswith("<xdm-1@partenaire.mssante.fr>^XDM/1.0/DDM+")
    assert [row[3].split("^")[0] for row in found["OBX"][2:]] == [
        "MASQUE_PS",
        "INVISIBLE_PATIENT",
        "INVISIBLE_REP_LEGAUX",
        "MODIF_CONF_CODE",
    ]
    assert [(prt[4].split("^")[0], prt[15].split("^")[3]) for prt in found["PRT"]] == [("SB", PARTNER), ("RCT", BOX)]
    assert await rig.states() == ([("xdm", "sorted")], [("integrated", "")])
    (notice,) = rig.notices()
    assert not notice.defects
    assert notice.get_param("report-type") == "disposition-notification"
    _, machine, original = notice.iter_parts()
    assert "; processed" in str(machine)
    assert "error" not in str(machine).lower()
    assert original.get_content()["Message-ID"] == "<xdm-1@partenaire.mssante.fr>"
    assert message.endswith(b"\r")


async def test_the_software_s_refusal_is_told_with_its_code_and_shown_to_a_person(rig: Rig) -> None:
    rig.lps.error = "902^Identifiant de patient inconnu^applicationErrorCode"
    await rig.receive(xdm_mail([cda()]))
    assert await rig.states() == ([("xdm", "triage")], [("refused", "mss.lps-ae")])
    (notice,) = rig.notices()
    assert str(notice["Subject"]).startswith("[KO Intégration système !][902] XDM/1.0/DDM+")
    read = read_mdn(notice.as_bytes())
    assert read is not None
    assert (read.error_code, read.message_id) == ("902", "<xdm-1@partenaire.mssante.fr>")


async def test_without_a_receipt_asked_a_failure_is_told_by_the_error_mail_and_a_success_by_nothing(rig: Rig) -> None:
    await rig.receive(xdm_mail([cda()], asks_notice=False))
    assert rig.notices() == []
    rig.lps.error = "904^x^y"
    await rig.receive(xdm_mail([cda("1.2.250.1.999.8.2")], asks_notice=False, number=2))
    (notice,) = rig.notices()
    assert notice.get_content_type() == "multipart/mixed"
    assert "[904]" in str(notice["Subject"])


async def test_a_silent_software_is_asked_again_with_the_same_number_and_nothing_is_told_before(rig: Rig) -> None:
    rig.lps.silent = 1
    await rig.receive(xdm_mail([cda("1.2.250.1.999.8.1"), cda("1.2.250.1.999.8.2")]))
    assert rig.notices() == []
    assert (await rig.states())[1] == [("due", "mss.lps-unreachable")]
    rig.bench.clock.advance(300)
    await rig.turn()
    numbers = [rig.lps.fields(rank)["MSH"][0][9] for rank in range(3)]
    assert numbers[0] == numbers[1] != numbers[2]
    assert len(rig.notices()) == 1
    assert (await rig.states())[1] == [("integrated", "")]


async def test_a_software_that_never_answers_leaves_the_mail_to_a_person_and_its_sender_knows(rig: Rig) -> None:
    rig.lps.silent = 2
    await rig.receive(xdm_mail([cda()]))
    rig.bench.clock.advance(25 * 3600)
    await rig.turn()
    assert await rig.states() == ([("xdm", "triage")], [("refused", "mss.gave-up")])
    (notice,) = rig.notices()
    assert "[906]" in str(notice["Subject"])


async def test_a_replacement_waits_for_its_original(rig: Rig) -> None:
    rig.lps.silent = 1
    await rig.receive(xdm_mail([cda()]))
    await rig.receive(xdm_mail([cda("1.2.250.1.999.8.2")], action=Action.REPLACE, number=2))
    assert len(rig.lps.messages) == 1
    rig.bench.clock.advance(300)
    await rig.turn()
    assert [rig.lps.fields(rank)["ORC"][0][1] for rank in range(3)] == ["NW", "NW", "RO"]


async def test_the_same_mail_delivered_twice_is_integrated_once(rig: Rig) -> None:
    raw = xdm_mail([cda()])
    await rig.receive(raw)
    await rig.receive(b"Received: from elsewhere\r\n" + raw)
    assert len(rig.lps.messages) == 1
    assert len(rig.notices()) == 1


@pytest.mark.parametrize(("action", "event", "order"), [(Action.REPLACE, "T10", "RO"), (Action.DELETE, "T04", "CA")])
async def test_a_replacement_and_a_deletion_are_told_as_such(rig: Rig, action: Action, event: str, order: str) -> None:
    await rig.receive(xdm_mail([cda()], action=action))
    found = rig.lps.fields(0)
    assert found["MSH"][0][8].startswith(f"MDM^{event}")
    assert found["ORC"][0][1] == order
    assert found["OBX"][0][11] == action.value


def _without_metadata() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("IHE_XDM/SUBSET01/DOC0001.XML", cda())
    return out.getvalue()


@pytest.mark.parametrize(
    ("made", "code", "error"),
    [
        (lambda: archive([cda()], hidden=True), "mss.masked-from-professionals", "906"),
        (lambda: archive([cda(with_ins=False)]), "mss.no-ins", "903"),
        (lambda: archive([cda()], alter=b"<!-- changed -->"), "mss.document-altered", "906"),
        (lambda: archive([cda()], says_patient="185039999900196"), "mss.identity-mismatch", "904"),
        (_without_metadata, "xdm.archive-refused", "906"),
        (lambda: b"PK\x03\x04 no zip", "xdm.archive-refused", "906"),
    ],
)
async def test_what_is_not_sure_reaches_no_software_but_a_person_and_its_sender(
    rig: Rig, made: object, code: str, error: str
) -> None:
    await rig.receive(xdm_mail([], made=made()))  # type: ignore[operator]
    assert rig.lps.messages == []
    assert await rig.states() == ([("xdm", "triage")], [("refused", code)])
    (notice,) = rig.notices()
    assert f"[{error}]" in str(notice["Subject"])


@pytest.mark.parametrize("head", ["Auto-Submitted: auto-generated\r\n", "Return-Path: <>\r\n"])
async def test_a_machine_is_not_answered_by_a_machine(rig: Rig, head: str) -> None:
    await rig.receive(head.encode() + xdm_mail([cda()], return_path=False))
    assert rig.simulator.mails == []


async def test_a_receipt_to_another_address_than_the_return_path_is_not_sent(rig: Rig) -> None:
    await rig.receive(xdm_mail([cda()], notice_to="quelqu.un@autre.mssante.fr"))
    assert len(rig.lps.messages) == 1
    assert rig.simulator.mails == []


async def test_an_answer_that_brings_our_own_archive_back_is_an_answer(rig: Rig) -> None:
    await rig.bench.handle(document_built(doctor(), **await rig.bench.document(cda())))
    await rig.bench.work("send")
    ours = rig.simulator.source(rig.simulator.mails[0].mail_id)
    assert ours is not None
    sent = email.message_from_bytes(ours, policy=email.policy.default)
    reply = EmailMessage(policy=email.policy.SMTP)
    reply["From"], reply["To"], reply["Subject"] = doctor().address, BOX, f"RE: {sent['Subject']}"
    reply["Message-ID"], reply["In-Reply-To"] = "<r@x.mssante.fr>", str(sent["Message-ID"])
    reply.set_content("Ce n'est pas mon patient.")
    for part in sent.iter_attachments():
        if part.get_filename() == "IHE_XDM.zip":
            reply.add_attachment(part.get_content(), maintype="application", subtype="zip", filename="IHE_XDM.zip")
    await rig.receive(reply.as_bytes())
    assert rig.lps.messages == []
    assert [event for event in await rig.bench.told() if isinstance(event, ReplyReceived)]
