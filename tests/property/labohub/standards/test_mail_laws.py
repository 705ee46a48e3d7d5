"""Laws of mails: what is written is read back, whatever the names; readers never break, whatever the bytes."""

import email
import email.policy
import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from labohub.standards.dsn import from_xtext, read_dsn, xtext
from labohub.standards.mail import compose, encode_attachment, encode_original, pdf_name, subject
from labohub.standards.mail_reading import body_text, header, parse_mail, parts
from labohub.standards.mdn import read_mdn
from labohub.standards.xdm import ArchiveRefused, XdmDocument, XdmSource, pack_xdm, read_xdm
from tests.unit.labohub.standards.test_mail import HEADERS

NAMES = st.text(min_size=1, max_size=60)
AT = datetime(2026, 3, 12, tzinfo=UTC)


@given(NAMES, NAMES, NAMES, st.text(max_size=400), st.binary(max_size=2000), NAMES)
def test_any_mail_is_read_back_without_defect(
    sender: str, label: str, name: str, text: str, content: bytes, file: str
) -> None:
    headers = replace(HEADERS, sender_name=sender, subject=subject(label, name, name, "19850312"))
    part = encode_attachment(pdf_name("20260312", file, name, name), "application/pdf", content)
    raw = compose(headers, text, [part])
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert not any(each.defects for each in message.walk())
    assert raw.isascii()
    assert [each.get_content() for each in message.iter_attachments()] == [content]
    assert str(message["Subject"]).startswith("XDM/1.0/DDM+")
    assert message["To"] == HEADERS.to


@given(st.binary(max_size=3000))
def test_readers_never_break_on_what_strangers_send(raw: bytes) -> None:
    message = parse_mail(raw)
    read_dsn(message)
    read_mdn(message)
    header(message, "Subject")
    body_text(message)
    list(parts(message))


REPORTS = st.sampled_from(
    [
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n",
        b"Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n",
        b"Content-Type: message/delivery-status\r\n\r\n",
        b"Content-Type: message/disposition-notification\r\n\r\n",
        b"--b\r\n",
        b"--b--\r\n",
        b"\r\n",
        b"Final-Recipient: rfc822;a@b\r\n",
        b"Action: failed\r\n",
        b"Disposition: a/b; processed/error\r\n",
        b"Original-Message-ID: <a@b>\r\n",
        b"Status: 5.\xff\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Type: text/plain; charset=unknown-9\r\n\r\n\xe9",
    ]
)


@given(st.lists(REPORTS, max_size=14))
def test_readers_never_break_on_reports_in_any_disorder(pieces: list[bytes]) -> None:
    raw = b"".join(pieces)
    read_dsn(raw)
    read_mdn(raw)


@given(st.binary(max_size=3000))
def test_any_received_mail_can_be_attached_to_another(raw: bytes) -> None:
    message = email.message_from_bytes(compose(HEADERS, "x", [encode_original(raw)]), policy=email.policy.default)
    assert len(list(message.iter_attachments())) == 1


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=80))
def test_xtext_is_read_back(value: str) -> None:
    written = xtext(value)
    assert from_xtext(written) == value
    assert all("!" <= letter <= "~" for letter in written)


@given(st.lists(st.binary(max_size=500), min_size=1, max_size=5), st.binary(max_size=500), NAMES)
def test_any_archive_is_read_back(contents: list[bytes], metadata: bytes, name: str) -> None:
    documents = [XdmDocument(f"DOC{n:04d}.XML", content, name) for n, content in enumerate(contents, 1)]
    found = read_xdm(pack_xdm(documents, metadata, XdmSource(name, name, name, name), AT))
    assert found.metadata == metadata
    assert list(found.documents.values()) == contents


@given(st.binary(max_size=600), st.integers(min_value=0, max_value=400), st.integers(min_value=0, max_value=255))
def test_a_damaged_archive_is_refused_or_still_sound(content: bytes, place: int, value: int) -> None:
    data = bytearray(pack_xdm([XdmDocument("DOC0001.XML", content, "t")], b"<m/>", XdmSource("a", "b", "c", "d"), AT))
    data[place % len(data)] = value
    try:
        read_xdm(bytes(data))
    except ArchiveRefused:
        return
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        assert archive.namelist()
