"""Receipts: the RFC's form and the four shapes of a failed integration."""

import pytest

from labohub.standards.mail_reading import parse_mail
from labohub.standards.mdn import Mdn, integration_error_code, is_integration_error, read_mdn

HEAD = (
    "From: pfi@hopital.mssante.fr\r\nSubject: {subject}\r\nIn-Reply-To: <thread@x>\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n\r\n"
)


def mdn(fields: str, subject: str = "Lu", extra: str = "") -> Mdn:
    raw = HEAD.format(subject=subject) + (
        "--b\r\nContent-Type: text/plain\r\n\r\nwords\r\n"
        f"--b\r\nContent-Type: message/disposition-notification\r\n\r\n{fields}\r\n{extra}--b--\r\n"
    )
    found = read_mdn(raw.encode())
    assert found is not None
    return found


COMMON = "Final-Recipient: rfc822;adam@x.fr\r\nOriginal-Message-ID: <ours@x>\r\n"
SENT = "automatic-action/MDN-sent-automatically"


@pytest.mark.parametrize("kind", ["displayed", "dispatched", "processed"])
def test_a_reading_or_an_integration_is_positive(kind: str) -> None:
    found = mdn(f"{COMMON}Disposition: {SENT}; {kind}\r\n")
    assert (found.disposition, found.positive, found.failed) == (kind, True, False)
    assert (found.message_id, found.recipient, found.action_mode) == ("<ours@x>", "adam@x.fr", "automatic-action")


@pytest.mark.parametrize("kind", ["deleted", "denied"])
def test_a_removal_or_a_refusal_to_tell_is_no_reading(kind: str) -> None:
    assert not mdn(f"{COMMON}Disposition: manual-action/MDN-sent-manually;{kind}\r\n").positive


@pytest.mark.parametrize(
    ("fields", "subject"),
    [
        (f"Disposition: {SENT}; processed/Error: 902^Identifiant de patient inconnu\r\n", "KO"),
        (
            f"Disposition: {SENT}; processed/Error: 902^Identifiant^messageErrorCondition| E^Error^errorSeverity\r\n",
            "KO",
        ),
        (
            f"Disposition: {SENT}; processed/error\r\n"
            "Error: 902^Identifiant patient inconnu^applicationErrorCondition\r\n",
            "KO",
        ),
        (f"Disposition: {SENT}; processed/Error: 902^x\r\nError: 902^x\r\n", "KO"),
        (f"disposition:{SENT};PROCESSED / ERROR\r\nerror:\r\n 902^x\r\n", "KO"),
        (
            f"Disposition: {SENT}; processed/error\r\n",
            "[KO =?utf-8?q?Int=C3=A9gration_syst=C3=A8me?= !][902] XDM/1.0/DDM+CR X",
        ),
    ],
)
def test_each_shape_of_a_failed_integration_gives_its_code(fields: str, subject: str) -> None:
    found = mdn(COMMON + fields, subject)
    assert (found.error_code, found.failed, found.positive, found.disposition) == ("902", True, False, "processed")


def test_an_error_without_code_is_the_other_error() -> None:
    assert mdn(f"{COMMON}Disposition: {SENT}; processed/error\r\n").error_code == "906"


def test_a_warning_is_still_a_success() -> None:
    found = mdn(f"{COMMON}Disposition: {SENT}; displayed/warning\r\nWarning: late\r\n")
    assert found.positive
    assert found.modifiers == ("warning",)


def test_the_published_example_that_is_no_valid_mime_is_read_all_the_same() -> None:
    raw = HEAD.format(subject="[KO =?utf-8?q?Int=C3=A9gration_syst=C3=A8me?= !][904] XDM/1.0/DDM+x") + (
        "--b\r\nContent-Type: text/plain\r\nLe document n'a pas pu etre integre\r\n"
        "--b\r\nContent-Type: message/disposition-notification\r\n"
        "Final-Recipient: rfc822;bal@chb.mssante.fr\r\nOriginal-Message-ID: <199509192301.23456 @x.fr >\r\n"
        f"Disposition: {SENT}; processed/Error: 904^INS different\r\n—b—\r\n"
    )
    found = read_mdn(raw.encode())
    assert found is not None
    assert (found.error_code, found.recipient) == ("904", "bal@chb.mssante.fr")


def test_spaces_inside_the_original_identifier_are_dropped() -> None:
    assert mdn(f"Original-Message-ID: < ours@x >\r\nDisposition: {SENT}; displayed\r\n").message_id == "<ours@x>"


def test_without_original_identifier_the_returned_mail_or_the_thread_tells() -> None:
    fields = f"Final-Recipient: rfc822;a@x\r\nDisposition: {SENT}; displayed\r\n"
    returned = "--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <inside@x>\r\n\r\nbody\r\n"
    assert mdn(fields, extra=returned).message_id == "<inside@x>"
    assert mdn(fields).message_id == "<thread@x>"


def test_a_mail_of_a_person_is_no_receipt() -> None:
    assert read_mdn(b"From: a@b.fr\r\nSubject: Lu\r\n\r\nDisposition: displayed") is None


@pytest.mark.parametrize(
    ("subject", "code"),
    [
        ("[KO Intégration système !][905] XDM/1.0/DDM+x", "905"),
        ("[Erreur d'intégration !] [902] XDM/1.0/DDM+x", "902"),
        ("[KO Intégration système !] XDM/1.0/DDM+x", "906"),
        ("[KO Intégration système !][123] x", "906"),
    ],
)
def test_an_error_mail_is_known_by_its_subject(subject: str, code: str) -> None:
    message = parse_mail(f"From: a@b\r\nSubject: {subject}\r\n\r\nx".encode())
    assert is_integration_error(message)
    assert integration_error_code(message) == code


def test_an_answer_that_quotes_an_error_mail_is_not_one() -> None:
    assert not is_integration_error(parse_mail("Subject: RE: [KO Intégration système !][902] x\r\n\r\nx".encode()))
