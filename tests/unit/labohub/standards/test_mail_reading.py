"""Received mails, read without trusting them."""

import pytest

from labohub.standards.mail_reading import (
    addresses,
    body_text,
    content,
    file_name,
    header,
    message_ids,
    parse_mail,
    parts,
)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Objet: x", ""),
        ("Subject: Réponse", "Réponse"),
        ("Subject: =?utf-8?q?R=C3=A9ponse?= suite", "Réponse suite"),
        ("Subject: [KO =?utf-8?q?Int=C3=A9gration?=\r\n =?utf-8?q?_syst=C3=A8me?= !]", "[KO Intégration système !]"),
        ("Subject: =?unknown-charset?q?R=E9?=", "Ré"),
        ("Subject: =?utf-8?b?broken", "=?utf-8?b?broken"),
        ("SUBJECT:   folded\r\n\tover   lines", "folded over lines"),
    ],
)
def test_a_header_is_decoded_unfolded_and_never_fails(raw: str, expected: str) -> None:
    assert header(parse_mail(f"{raw}\r\n\r\nx".encode()), "Subject") == expected


def test_a_header_in_latin_1_without_saying_so_is_read() -> None:
    assert header(parse_mail("Subject: Réponse\r\n\r\nx".encode("latin-1")), "Subject") == "Réponse"


def test_addresses_come_without_their_names() -> None:
    message = parse_mail('From: "Hoda, Adam" <adam@x.fr>, é <b@y.fr>, personne\r\n\r\n'.encode())
    assert addresses(message, "From") == ("adam@x.fr", "b@y.fr")


def test_identifiers_lose_the_spaces_that_some_servers_add() -> None:
    assert message_ids("<a@b> et < c@d > <pas un identifiant>") == ("<a@b>", "<c@d>")


def test_the_text_is_what_a_person_reads_not_what_is_attached() -> None:
    raw = (
        "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n"
        "Content-Type: multipart/alternative; boundary=i\r\n\r\n"
        "--i\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\nd=E9j=E0\r\n"
        "--i\r\nContent-Type: text/html\r\n\r\n<p>x</p>\r\n--i--\r\n"
        "--o\r\nContent-Type: text/plain\r\n"
        "Content-Disposition: attachment; filename*=utf-8''n%C3%B4te.txt\r\n\r\nnon\r\n--o--\r\n"
    )
    message = parse_mail(raw.encode())
    assert body_text(message).strip() == "déjà"
    assert [file_name(part) for part in parts(message)] == ["", "", "nôte.txt"]


def test_an_attached_mail_is_one_part_that_is_not_entered() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n"
    raw += b"Subject: in\r\n\r\nx\r\n--o--\r\n"
    (part,) = parts(parse_mail(raw))
    assert part.get_content_type() == "message/rfc822"
    assert b"Subject: in" in content(part)


def test_parts_nested_without_end_are_not_followed() -> None:
    raw = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(60))
    assert len(list(parts(parse_mail(raw)))) == 1
