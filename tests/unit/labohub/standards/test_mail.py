"""Mails with documents: names, headers and MIME as MSSanté asks, read back by Python's own parser."""

import email
import email.policy
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from labohub.standards.mail import (
    AddressMalformed,
    MailHeaders,
    compose,
    encode_attachment,
    encode_original,
    normal_address,
    pdf_name,
    same_address,
    subject,
    without_accents,
)

HEADERS = MailHeaders(
    sender_name="Laboratoire du Grand Chêne",
    sender_address="labo.app@labo-demo.mssante.fr",
    to="adam.hoda@medecin-demo.mssante.fr",
    subject="XDM/1.0/DDM+CR d'examens biologiques DURAND ELODIE 12/03/1985",
    sent_at=datetime(2026, 3, 12, 9, 30, tzinfo=UTC),
    message_id="<m1@labo-demo.mssante.fr>",
    product_reference="NIL-1",
    reply_to="labo.retours@labo-demo.mssante.fr",
    document_codes=("11502-2",),
    has_ins=True,
)


def read(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    assert all(not part.defects for part in message.walk())
    return message


def test_the_subject_holds_a_label_of_forty_characters_and_names_without_accents() -> None:
    label = "Compte rendu d'examens de biologie médicale spécialisée"
    assert subject(label, "D'Été-Œuvre", "Zoé", "19881012") == (
        "XDM/1.0/DDM+Compte rendu d'examens de biologie médic D'ETE-OEUVRE ZOE 12/10/1988"
    )


@pytest.mark.parametrize("birth_date", ["", "1988", "198810", "unknown!"])
def test_a_birth_date_that_is_not_a_whole_day_is_left_out_of_the_subject(birth_date: str) -> None:
    assert subject("CR", "DURAND", "ELODIE", birth_date) == "XDM/1.0/DDM+CR DURAND ELODIE"


def test_the_pdf_is_named_after_the_act_the_type_and_the_patient() -> None:
    name = pdf_name("20150802101500+0200", "CR d'examens biologiques", "Viål", "Paul", "12150302014578")
    assert name == "20150802_CR d'examens biologiques_VIAL_Paul_12150302014578.pdf"


def test_a_pdf_name_never_holds_a_path_or_a_control_character() -> None:
    assert pdf_name("20150802", "a/../b\\c:\r\nd", "X", "Y", "1/2") == "20150802_a .. b c d_X_Y_1 2.pdf"


@pytest.mark.parametrize(
    ("given", "plain"),
    [("Élodie", "Elodie"), ("ÇA", "CA"), ("Łukasz", "Łukasz"), ("Œdipe", "OEdipe"), ("L’Haÿ", "L'Hay")],
)
def test_accents_fall_and_ligatures_are_spelled(given: str, plain: str) -> None:
    assert without_accents(given) == plain


@pytest.mark.parametrize("text", ["a@b.fr", "A.B+c@Sous.Domaine.FR", "285039999900196@patient.mssante.fr"])
def test_an_ordinary_address_is_taken_with_its_domain_in_lower_case(text: str) -> None:
    local, _, domain = text.partition("@")
    assert normal_address(f" {text} ") == f"{local}@{domain.lower()}"


def test_a_domain_with_accents_becomes_an_a_label() -> None:
    assert normal_address("x@hôpital.mssante.fr") == "x@xn--hpital-ixa.mssante.fr"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "a@",
        "@b.fr",
        "a b@c.fr",
        "a@b",
        "é@b.fr",
        "a@b.fr\r\nBcc: x@y.fr",
        "a,b@c.fr",
        "a@b..fr",
        "a" * 65 + "@b.fr",
    ],
)
def test_what_is_not_one_address_is_refused(text: str) -> None:
    with pytest.raises(AddressMalformed):
        normal_address(text)


def test_case_never_tells_two_mailboxes_apart() -> None:
    assert same_address("Adam.Hoda@X.fr", "adam.hoda@x.FR ")


def test_a_mail_is_read_back_whole_by_an_independent_parser() -> None:
    text = "Bonjour,\n\n.point en tête\nÀ bientôt" + "é" * 300 + "\n"
    zipped, pdf = bytes(range(256)) * 20, b"%PDF" + bytes(1000)
    parts = [
        encode_attachment("IHE_XDM.zip", "application/zip", zipped),
        encode_attachment("é à.pdf", "application/pdf", pdf),
    ]
    raw = compose(HEADERS, text, parts)
    message = read(raw)
    body, *attached = message.iter_parts()
    assert body.get_content().replace("\r\n", "\n") == text
    assert [(part.get_filename(), part.get_content()) for part in attached] == [
        ("IHE_XDM.zip", zipped),
        ("é à.pdf", pdf),
    ]
    assert raw.isascii()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_the_headers_of_the_national_rules_are_there() -> None:
    message = read(compose(HEADERS, "x", []))
    assert message["X-MSS-NIL"] == "NIL-1"
    assert message["X-MSS-CODECDA"] == "11502-2"
    assert message["X-MSS-INS"] == "O"
    assert message["X-MSS-MES"] is None
    assert message["Disposition-Notification-To"] is None
    assert message["Message-ID"] == "<m1@labo-demo.mssante.fr>"
    assert message["Date"].datetime == HEADERS.sent_at
    assert message["From"].addresses[0].display_name == "Laboratoire du Grand Chêne"


def test_codes_are_one_per_document_even_when_the_same() -> None:
    message = read(compose(replace(HEADERS, document_codes=("11502-2", "11502-2"), has_ins=False), "x", []))
    assert (message["X-MSS-CODECDA"], message["X-MSS-INS"]) == ("11502-2,11502-2", "N")


def test_a_mail_without_document_has_only_the_product_reference() -> None:
    message = read(compose(replace(HEADERS, document_codes=()), "x", []))
    assert (message["X-MSS-NIL"], message["X-MSS-CODECDA"], message["X-MSS-INS"]) == ("NIL-1", None, None)


def test_a_receipt_is_asked_towards_the_envelope_sender_so_that_software_may_answer() -> None:
    message = read(compose(replace(HEADERS, asks_reading=True), "x", []))
    assert message["Disposition-Notification-To"] == HEADERS.sender_address


def test_nobody_adds_a_header_through_a_name() -> None:
    hostile = replace(HEADERS, sender_name="Labo\r\nBcc: x@y.fr", subject="a\r\nX-Evil: 1\r\n\r\nbody")
    message = read(compose(hostile, "x", []))
    assert message["Bcc"] is None
    assert message["X-Evil"] is None


def test_the_same_mail_is_written_twice_with_the_same_bytes() -> None:
    assert compose(HEADERS, "x", [b"A: b\r\n\r\nc"]) == compose(HEADERS, "x", [b"A: b\r\n\r\nc"])


def test_a_mail_attached_whole_is_found_again_whole() -> None:
    original = b"From: a@b.fr\nSubject: Question\nMessage-ID: <q@b.fr>\n\nBonjour\n"
    (part,) = read(compose(HEADERS, "x", [encode_original(original)])).iter_attachments()
    assert part.get_content_type() == "message/rfc822"
    assert part.get_content()["Message-ID"] == "<q@b.fr>"


def test_a_mail_of_eight_bits_is_attached_as_bytes_so_that_nothing_is_lost() -> None:
    original = "From: a@b.fr\r\n\r\nÀ bientôt\r\n".encode()
    (part,) = read(compose(HEADERS, "x", [encode_original(original)])).iter_attachments()
    assert part.get_content() == original


@pytest.mark.parametrize("length", [14, 15, 17, 18, 60])
def test_a_subject_begins_on_its_own_line_however_long_it_is(length: int) -> None:
    written = subject("0" * length, "0" * length, "0" * length, "19850312")
    raw = compose(replace(HEADERS, subject=written), "x", [])
    assert email.message_from_bytes(raw, policy=email.policy.default)["Subject"] == written
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
