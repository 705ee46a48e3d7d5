"""Laws of MTOM packages."""

from hypothesis import given
from hypothesis import strategies as st

from labohub.standards.mtom import Part, build_package, read_package

PIECES = st.lists(st.sampled_from([b"\r\n", b"--", b"b", b"\r", b"\n", b"\x00", b"--b--", b"xyz"]), max_size=12)
BYTES = st.one_of(st.binary(max_size=200), PIECES.map(b"".join))


@given(root=BYTES, attachments=st.lists(BYTES, max_size=3))
def test_every_part_comes_back_byte_for_byte(root: bytes, attachments: list[bytes]) -> None:
    parts = [Part(f"p{number}@x", "text/xml", data) for number, data in enumerate(attachments)]
    package = build_package(Part("root@x", "text/xml", root), parts, boundary="b", action="a")
    assert [part.data for part in read_package(package.content_type, package.body)] == [root, *attachments]
