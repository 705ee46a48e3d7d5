"""IHE_XDM.zip, read back by zipfile and by unzip; METADATA.XML against its own documents."""

import io
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from labohub.standards.cda import read_header
from labohub.standards.xdm import (
    ArchiveRefused,
    XdmDocument,
    XdmSource,
    document_name,
    pack_xdm,
    read_submissions,
    read_xdm,
)
from labohub.standards.xdm_metadata import Action, metadata_xml, read_action
from labohub.standards.xds import Submission, SubmissionSet, author_of, from_cda
from labohub.standards.xds.codes import content_type
from labohub.standards.xml import parse
from tests.support.mss import cda

AT = datetime(2026, 3, 12, 9, 30, 7, tzinfo=UTC)
SOURCE = XdmSource("Laboratoire <du> Grand Chêne", "1 rue du Lac", "Labohub", "Labohub")
DOCUMENT = XdmDocument("DOC0001.XML", cda(), "Compte rendu & annexe")
RIM = "{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}"


def archive() -> bytes:
    return pack_xdm([DOCUMENT], b"<m/>", SOURCE, AT)


def test_the_archive_has_exactly_the_files_of_the_profile() -> None:
    with zipfile.ZipFile(io.BytesIO(archive())) as found:
        assert found.namelist() == [
            "INDEX.HTM",
            "README.TXT",
            "IHE_XDM/SUBSET01/METADATA.XML",
            "IHE_XDM/SUBSET01/DOC0001.XML",
        ]
        assert found.testzip() is None
        assert found.read("IHE_XDM/SUBSET01/DOC0001.XML") == DOCUMENT.content


def test_another_reader_finds_the_archive_sound(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(archive())
    tested = subprocess.run(["unzip", "-t", str(tmp_path / "x.zip")], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stdout


def test_the_same_documents_give_the_same_bytes() -> None:
    assert archive() == archive()


def test_the_index_is_well_formed_and_links_to_the_documents() -> None:
    with zipfile.ZipFile(io.BytesIO(archive())) as found:
        index = found.read("INDEX.HTM").decode()
        readme = found.read("README.TXT").decode()
    assert 'href="IHE_XDM/SUBSET01/DOC0001.XML"' in index
    assert "Laboratoire &lt;du&gt; Grand Chêne" in index
    parse(index.split(">\n", 2)[2].encode())  # without the DOCTYPE, which the hub's parser refuses
    assert "Grand Chêne" in readme


def test_an_archive_is_read_back() -> None:
    found = read_xdm(archive())
    assert found.metadata == b"<m/>"
    assert found.documents == {"DOC0001.XML": DOCUMENT.content}


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return out.getvalue()


def test_other_folder_names_are_accepted_from_others() -> None:
    assert read_xdm(zipped(**{"IHE_XDM/ss000001/metadata.xml": b"m", "IHE_XDM/ss000001/A.XML": b"a"})).documents == {
        "A.XML": b"a"
    }


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04 not a zip",
        archive()[:-40],
        zipped(**{"../../etc/passwd": b"x"}),
        zipped(**{"/abs": b"x"}),
        zipped(**{"IHE_XDM/S/OTHER.XML": b"x"}),
        zipped(**{f"f{n}": b"" for n in range(201)}),
        zipped(**{"IHE_XDM/S/METADATA.XML": bytes(101 * 1024 * 1024)}),
    ],
    ids=["empty", "not a zip", "cut", "parent", "absolute", "no metadata", "too many", "bomb"],
)
def test_an_archive_that_is_unsafe_or_no_xdm_is_refused(data: bytes) -> None:
    with pytest.raises(ArchiveRefused):
        read_xdm(data)


def metadata(action: Action = Action.INTEGRATE) -> bytes:
    content = cda()
    header = read_header(parse(content))
    entry = from_cda(header, content, uri=document_name(1))
    assert entry.patient_id is not None
    lot = SubmissionSet(
        "2.25.1", "1.2.3", entry.patient_id, author_of(header.authors[0]), content_type("O"), "20260312093000"
    )
    return metadata_xml(Submission(lot, (entry,)), action)


def test_the_metadata_give_the_file_its_hash_and_its_size() -> None:
    root = parse(metadata())
    slots = {
        slot.get("name"): "".join(str(text) for text in slot.itertext()).strip() for slot in root.iter(f"{RIM}Slot")
    }
    sha1 = subprocess.run(["sha1sum"], input=cda(), capture_output=True, check=True).stdout.split()[0].decode()
    assert (slots["URI"], slots["hash"], slots["size"]) == ("DOC0001.XML", sha1, str(len(cda())))
    assert "repositoryUniqueId" not in slots


@pytest.mark.parametrize("action", list(Action))
def test_the_action_of_a_replacement_or_deletion_is_told_and_read_back(action: Action) -> None:
    content = metadata(action)
    assert read_action(parse(content)) is action
    assert not content.startswith(b"\xef\xbb\xbf")


_SCHEMA = Path(__file__).parents[4].parent / "shared" / "xds"
if schemas := sorted(_SCHEMA.rglob("lcm.xsd")):

    @pytest.mark.parametrize("action", list(Action))
    def test_the_metadata_obey_the_ebrim_schema(action: Action) -> None:
        made = subprocess.run(
            ["xmllint", "--noout", "--nonet", "--schema", str(schemas[0]), "-"],
            input=metadata(action),
            capture_output=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr.decode()


def archive_of(*entries: tuple[str, bytes], mode: int = 0) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries:
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = mode << 16
            made.writestr(entry, content)
    return out.getvalue()


METADATA = ("IHE_XDM/SUBSET01/METADATA.XML", b"<m/>")


@pytest.mark.parametrize(
    "archive",
    [
        archive_of(METADATA, ("IHE_XDM/SUBSET01/DOC0001.XML", b"0" * 30_000_000)),  # a bomb: a thousand to one
        archive_of(METADATA, *((f"IHE_XDM/SUBSET01/D{n}.XML", b"x") for n in range(300))),
        archive_of(METADATA, ("../../etc/passwd", b"x")),
        archive_of(METADATA, ("/etc/passwd", b"x")),
        archive_of(METADATA, ("IHE_XDM\\..\\..\\x", b"x")),
        archive_of(METADATA, ("C:x", b"x")),
        archive_of(METADATA, ("IHE_XDM/SUBSET01/DOC0001.XML", b"/etc/passwd"), mode=0o120777),
        archive_of(METADATA, ("ihe_xdm/subset01/metadata.xml", b"<other/>")),
        archive_of(("IHE_XDM/SUBSET01/DOC0001.XML", b"x")),
        archive_of(METADATA)[:-30],
    ],
    ids=["bomb", "entries", "parent", "absolute", "backslash", "drive", "link", "twice", "no metadata", "cut"],
)
def test_a_hostile_archive_is_refused(archive: bytes) -> None:
    with pytest.raises(ArchiveRefused):
        read_submissions(archive)


def test_an_archive_that_lies_about_its_sizes_is_refused() -> None:
    made = bytearray(archive_of(METADATA, ("IHE_XDM/SUBSET01/DOC0001.XML", b"0" * 3_000_000)))
    real, small = (3_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little")
    assert made.count(real) == 2
    with pytest.raises(ArchiveRefused):
        read_submissions(bytes(made.replace(real, small)))


def test_each_submission_of_an_archive_has_its_own_documents() -> None:
    other = ("IHE_XDM/SUBSET02/METADATA.XML", b"<n/>")
    first, second = read_submissions(
        archive_of(METADATA, other, ("IHE_XDM/SUBSET01/A.XML", b"a"), ("IHE_XDM/SUBSET02/B.XML", b"b"))
    )
    assert (first.metadata, first.documents) == (b"<m/>", {"A.XML": b"a"})
    assert (second.metadata, second.documents) == (b"<n/>", {"B.XML": b"b"})
