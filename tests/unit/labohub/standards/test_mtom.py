"""MTOM packages, read again by Python's own MIME reader."""

from email.parser import BytesParser
from email.policy import HTTP

import pytest

from labohub.standards.mtom import PackageMalformed, Part, build_package, read_package, xop_media_type
from tests.support.dmp import SAMPLES

ROOT = Part("root@x", xop_media_type("act"), b"<soap/>")
DATA = b"\r\n--b\r\n\x00\xff\r\r\n\n"


def test_another_reader_finds_the_same_bytes() -> None:
    package = build_package(ROOT, [Part("d@x", "text/xml", DATA)], boundary="b", action="act")
    head = f"Content-Type: {package.content_type}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + package.body)
    root, document = message.iter_parts()
    assert not message.defects
    assert root.get_payload(decode=True) == b"<soap/>"
    assert document.get_payload(decode=True) == DATA
    assert document["Content-ID"] == "<d@x>"
    assert (message.get_param("start"), message.get_param("type")) == ("<root@x>", "application/xop+xml")


def test_a_boundary_that_is_in_the_data_is_lengthened() -> None:
    package = build_package(ROOT, [Part("d@x", "text/xml", b"--b inside")], boundary="b", action="act")
    assert read_package(package.content_type, package.body)[1].data == b"--b inside"


def test_the_root_comes_first_whatever_the_order() -> None:
    package = build_package(Part("d@x", "text/xml", b"1"), [ROOT], boundary="bound", action="act")
    content_type = package.content_type.replace('start="<d@x>"', 'start="<root@x>"')
    assert [part.content_id for part in read_package(content_type, package.body)] == ["root@x", "d@x"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/related", b"--b\r\n\r\nx\r\n--b--"),
        ("multipart/related; boundary=b", b""),
        ("multipart/related; boundary=b", b"--b\r\nA: 1\r\n\r\nx"),
        ("multipart/related; boundary=b", b"--b\r\nA: 1\r\n--b--"),
    ],
)
def test_what_is_not_a_package_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(PackageMalformed):
        read_package(content_type, body)


if SAMPLES.is_dir():

    def test_the_sample_request_is_taken_apart() -> None:
        head, _, body = (SAMPLES / "iti41_v1_request.http").read_bytes().partition(b"\r\n\r\n")
        content_type = next(
            line.split(b":", 1)[1].decode() for line in head.split(b"\r\n") if line.lower().startswith(b"content-type")
        )
        parts = read_package(content_type, body)
        assert len(parts) == 3
        assert parts[0].media_type.startswith("application/xop+xml")
        assert parts[1].data == (SAMPLES / "cda_crbio_v1.xml").read_bytes()
