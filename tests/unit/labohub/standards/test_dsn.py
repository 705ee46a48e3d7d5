"""Delivery notices of several servers' forms."""

import pytest

from labohub.standards.dsn import Dsn, from_xtext, read_dsn, smtp_code, xtext
from labohub.standards.mail_reading import parse_mail

HEAD = (
    "From: MAILER-DAEMON@x\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
)
RETURNED = "Content-Type: text/rfc822-headers\r\n\r\nFrom: l@x\r\nMessage-ID: <ours@x>\r\nSubject: s\r\n"


def dsn(status: str, *, kind: str = "message/delivery-status", returned: str = RETURNED, eol: str = "\r\n") -> Dsn:
    parts = ["Content-Type: text/plain\r\n\r\nwords\r\n", f"Content-Type: {kind}\r\n\r\n{status}", returned]
    raw = HEAD + "".join(f"--b\r\n{part}\r\n" for part in parts) + "--b--\r\n"
    found = read_dsn(raw.replace("\r\n", eol).encode())
    assert found is not None
    return found


BLOCKS = (
    "Reporting-MTA: dns; mx.example\r\nOriginal-Envelope-Id: E-1\r\n\r\n"
    "Final-Recipient: rfc822; b@x.fr\r\nOriginal-Recipient: rfc822;a@x.fr\r\nAction: failed\r\nStatus: 5.1.1 (bad)\r\n"
    "Diagnostic-Code: smtp; 550 5.1.1\r\n\tno such\r\n user\r\n"
)


@pytest.mark.parametrize("eol", ["\r\n", "\n"])
@pytest.mark.parametrize("kind", ["message/delivery-status", "message/global-delivery-status"])
def test_a_notice_tells_the_envelope_the_mail_and_the_recipient(kind: str, eol: str) -> None:
    found = dsn(BLOCKS, kind=kind, eol=eol)
    (block,) = found.recipients
    assert (found.envelope_id, found.message_id, found.reporting_mta) == ("E-1", "<ours@x>", "mx.example")
    assert (block.action, block.status, block.smtp_code) == ("failed", "5.1.1", "550")
    assert (block.original_recipient, block.final_recipient) == ("a@x.fr", "b@x.fr")


def test_each_recipient_of_a_notice_has_a_block_of_its_own() -> None:
    found = dsn(BLOCKS + "\r\nFinal-Recipient: rfc822;c@x.fr\r\nAction: Delivered\r\nStatus: 2.0.0\r\n")
    assert [(block.final_recipient, block.action) for block in found.recipients] == [
        ("b@x.fr", "failed"),
        ("c@x.fr", "delivered"),
    ]


def test_the_returned_mail_may_come_whole() -> None:
    found = dsn(BLOCKS, returned="Content-Type: message/rfc822\r\n\r\nMessage-ID: <whole@x>\r\n\r\nbody")
    assert found.message_id == "<whole@x>"


def test_a_notice_without_any_envelope_block_still_names_its_recipient() -> None:
    found = dsn("Final-Recipient: rfc822;c@x.fr\r\nAction: relayed\r\nStatus: 2.0.0\r\n")
    assert (found.envelope_id, found.recipients[0].action) == ("", "relayed")


def test_an_action_that_the_standard_does_not_know_says_nothing() -> None:
    assert (
        dsn("Reporting-MTA: dns;x\r\n\r\nFinal-Recipient: rfc822;c@x\r\nAction: exploded\r\n").recipients[0].action
        == ""
    )


def test_a_mail_of_a_person_is_no_notice() -> None:
    assert read_dsn(b"From: a@b.fr\r\nSubject: Undelivered\r\n\r\nhello") is None


def test_a_notice_forwarded_inside_a_mail_is_not_one() -> None:
    raw = (
        b'Content-Type: multipart/mixed; boundary="o"\r\n\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n'
        + HEAD.encode()
    )
    assert (
        read_dsn(raw + b"--b\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n--b--\r\n--o--\r\n")
        is None
    )


@pytest.mark.parametrize(
    ("status", "diagnostic", "code"),
    [
        ("5.1.1", "", "550"),
        ("5.1.2", "", "512"),
        ("5.1.3", "", "553"),
        ("5.2.2", "", "552"),
        ("5.2.3", "", "523"),
        ("5.3.4", "", "523"),
        ("5.2.1", "X-Postfix; boite fermee", "554"),
        ("4.2.2", "", "422"),
        ("4.4.1", "", "441"),
        ("4.4.7", "", "420"),
        ("4.3.2", "", "451"),
        ("5.0.0", "smtp; 541 5.7.1 spam", "541"),
        ("5.1.1", "smtp; 599 what", "550"),
        ("5.1.1", "SMTP;250 fine", "550"),
    ],
)
def test_the_code_is_the_server_s_when_the_table_has_it_else_what_the_status_means(
    status: str, diagnostic: str, code: str
) -> None:
    assert smtp_code(status, diagnostic) == code


def test_xtext_is_written_as_rfc_3461_asks_and_read_back() -> None:
    assert xtext("a+b=c d") == "a+2Bb+3Dc+20d"
    assert from_xtext(xtext("a+b=c d")) == "a+b=c d"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff",
        HEAD.encode(),
        HEAD.encode() + b"--b\r\nContent-Type: message/delivery-status\r\n",
        b"Content-Type: multipart/report; report-type=\r\n\r\n",
    ],
)
def test_a_broken_notice_never_breaks_the_reader(raw: bytes) -> None:
    found = read_dsn(parse_mail(raw))
    assert found is None or found.recipients == ()
