"""What returned mails are: one test per row of the table, and the traps between rows."""

import json
from pathlib import Path

import pytest

from labohub.standards.mail_reading import parse_mail
from mss_sender.core.effects import facts_of
from mss_sender.core.planning import plan
from mss_sender.core.sorting import Kind, sort
from mss_sender.core.values import PlannedMail
from tests.support.mss import AT, LABORATORIES, LABORATORY, doctor, document_built

OURS = "<m.t@labo-demo.mssante.fr>"
THREAD = f"In-Reply-To: {OURS}\r\n"
ZIP = (
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/zip\r\n"
    'Content-Disposition: attachment; filename="{name}"\r\n\r\nUEs=\r\n--b--\r\n'
)
REPORT = "Content-Type: multipart/report; report-type={kind}; boundary=b\r\n\r\n--b\r\nContent-Type: {part}\r\n\r\n"


def kind(head: str, body: str = "\r\nBonjour", sender: str = "adam@medecin-demo.mssante.fr") -> Kind:
    return sort(parse_mail(f"From: {sender}\r\n{head}{body}".encode()), LABORATORIES).kind


@pytest.mark.parametrize(
    ("head", "sender", "expected"),
    [
        (THREAD, "adam@medecin-demo.mssante.fr", Kind.REPLY),
        (f"References: <x@y> {OURS}\r\n", "adam@medecin-demo.mssante.fr", Kind.REPLY),
        ("Subject: RE: XDM/1.0/DDM+CR\r\n" + THREAD, "adam@medecin-demo.mssante.fr", Kind.REPLY),
        ("Subject: Question\r\n", "adam@medecin-demo.mssante.fr", Kind.HUMAN),
        (THREAD, "285039999900196@patient.mssante.fr", Kind.PATIENT_REPLY),
        ("Auto-Submitted: auto-replied\r\n" + THREAD, "adam@medecin-demo.mssante.fr", Kind.AUTO_REPLY),
        ("Auto-Submitted: no\r\n" + THREAD, "adam@medecin-demo.mssante.fr", Kind.REPLY),
        ("Return-Path: <>\r\n", "adam@medecin-demo.mssante.fr", Kind.UNCLEAR),
        ("X-Auto-Response-Suppress: All\r\nSubject: Absence du bureau\r\n", "a@x.mssante.fr", Kind.AUTO_REPLY),
        ("X-Auto-Response-Suppress: All\r\n" + THREAD, "a@x.mssante.fr", Kind.REPLY),
        ("Precedence: bulk\r\n", "a@x.mssante.fr", Kind.BULK),
        ("List-Id: <l.x>\r\n", "a@x.mssante.fr", Kind.BULK),
        (THREAD, "adam@gmail.com", Kind.OUTSIDE),
        ("Subject: Undelivered Mail Returned to Sender\r\n", "MAILER-DAEMON@op.example", Kind.BOUNCE),
        ("Subject: Message non distribue\r\nReturn-Path: <>\r\n", "postmaster@patient.mssante.fr", Kind.BOUNCE),
        ("X-Failed-Recipients: a@b\r\n", "x@y.example", Kind.BOUNCE),
        (
            "Subject: [KO =?utf-8?q?Int=C3=A9gration_syst=C3=A8me?= !][902] XDM\r\n",
            "pfi@x.mssante.fr",
            Kind.INTEGRATION_ERROR,
        ),
        ("Message-ID: <a@labo-demo.mssante.fr>\r\n", "labo.app@labo-demo.mssante.fr", Kind.LOOP),
        ("X-Labohub-Loop: h\r\n", "labo.retours@labo-demo.mssante.fr", Kind.LOOP),
        ("Received: x\r\n" * 26, "adam@medecin-demo.mssante.fr", Kind.CIRCULAR),
    ],
)
def test_a_mail_without_parts_is_known_by_its_head(head: str, sender: str, expected: Kind) -> None:
    assert kind(head, sender=sender) is expected


def test_a_new_document_is_known_by_its_archive_whatever_the_thread() -> None:
    assert kind(THREAD + ZIP.format(name="ihe_xdm.ZIP"), "") is Kind.XDM
    assert kind("Subject: XDM/1.0/DDM+CR X\r\n" + ZIP.format(name="autre.zip"), "") is Kind.XDM


def test_a_photograph_sent_by_a_patient_is_no_document() -> None:
    head = THREAD + ZIP.format(name="photo.zip")
    assert kind(head, "", sender="285039999900196@patient.mssante.fr") is Kind.PATIENT_REPLY


def test_a_receipt_that_repeats_the_archive_is_a_receipt() -> None:
    again = "--b\r\nContent-Disposition: attachment; filename=IHE_XDM.zip\r\n\r\nUEs=\r\n--b--\r\n"
    body = "Disposition: a/b; processed\r\n" + again
    head = REPORT.format(kind="disposition-notification", part="message/disposition-notification")
    assert kind(head, body) is Kind.MDN


def test_a_notice_comes_from_hosts_that_no_list_names() -> None:
    head = REPORT.format(kind="delivery-status", part="message/delivery-status")
    assert kind(head, "Reporting-MTA: dns;x\r\n--b--\r\n", sender="MAILER-DAEMON@anywhere.example") is Kind.DSN


def test_bytes_without_any_header_are_for_a_person() -> None:
    assert sort(parse_mail(b""), LABORATORIES).kind is Kind.UNREADABLE


def test_a_free_bounce_is_tied_to_the_mail_it_quotes() -> None:
    raw = f"From: postmaster@x\r\nSubject: Undelivered\r\n\r\nVotre message {OURS} n'a pu etre remis"
    assert sort(parse_mail(raw.encode()), LABORATORIES).message_ids == (OURS,)


def test_an_answer_names_the_nearest_message_first() -> None:
    raw = f"From: a@x.mssante.fr\r\nIn-Reply-To: <near@x>\r\nReferences: {OURS} <near@x>\r\n\r\nx"
    assert sort(parse_mail(raw.encode()), LABORATORIES).message_ids == ("<near@x>", OURS)


RETURNS = Path(__file__).parents[4].parent / "shared" / "data" / "mss" / "returns"
NAMES = {"MailDelivered": "delivered", "MailDelayed": "delayed", "MailBounced": "failed"}
if (expected_file := RETURNS / "expected.json").exists():
    EXPECTED = json.loads(expected_file.read_text())

    @pytest.mark.parametrize("name", sorted(EXPECTED))
    def test_the_returns_of_a_real_operator_are_understood(name: str) -> None:
        wanted = EXPECTED[name]
        found = sort(parse_mail((RETURNS / name).read_bytes()), LABORATORIES)
        assert found.kind == wanted["kind"]
        assert wanted["our_mail"]["message_id"] in found.message_ids
        if found.kind is Kind.DSN:
            assert found.envelope_id == wanted["our_mail"]["envid"]
        decision = plan(document_built(doctor(wanted["our_mail"]["to"].replace("patient.", "x."))), LABORATORY, AT)[0]
        assert isinstance(decision, PlannedMail)
        mail = decision.model_copy(update={"to": wanted["our_mail"]["to"]})
        facts = facts_of(found, mail, AT)
        told = [
            {
                "event": NAMES.get(type(fact.event).__name__, getattr(fact.event, "disposition", "")),
                "code": getattr(fact.event, "smtp_code", "") or getattr(fact.event, "error_code", ""),
            }
            for fact in facts
        ]
        events = [
            {
                "event": "processed" if event["event"] == "mdn_error" else event["event"],
                "code": event.get("code", "906" if event["event"] == "deleted" else ""),
            }
            for event in wanted["events"]
        ]
        assert told == events
