"""Documents are encrypted at rest."""

from pathlib import Path

import pytest

from labohub.store.blobs import BlobDamaged, BlobMissing, BlobsMisconfigured, FileBlobs, connect

SECRET = b"PAT-TROIS DOMINIQUE"


async def test_no_file_holds_clear_text(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path, bytes(32))
    await blobs.open()
    await blobs.put(SECRET * 10, "text/plain")
    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert SECRET not in file.read_bytes()
    assert file.stat().st_mode & 0o077 == 0


async def test_another_key_or_an_altered_file_does_not_decrypt(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path, bytes(32))
    await blobs.open()
    ref = await blobs.put(SECRET, "text/plain")
    with pytest.raises(BlobDamaged):
        await FileBlobs(tmp_path, b"\x01" * 32).read(ref)
    path = tmp_path / ref.id[:2] / ref.id
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    with pytest.raises(BlobDamaged):
        await blobs.read(ref)


async def test_two_documents_cannot_be_exchanged_on_disk(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path, bytes(32))
    await blobs.open()
    one, two = await blobs.put(b"one", "text/plain"), await blobs.put(b"two", "text/plain")
    (tmp_path / one.id[:2] / one.id).write_bytes((tmp_path / two.id[:2] / two.id).read_bytes())
    with pytest.raises(BlobDamaged):
        await blobs.read(one)


async def test_a_reference_cannot_leave_the_folder(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path, bytes(32))
    await blobs.open()
    ref = await blobs.put(b"one", "text/plain")
    with pytest.raises(BlobMissing):
        await blobs.read(ref.model_copy(update={"id": "../../etc/passwd"}))


def test_a_short_key_or_an_unknown_url_stops_the_start() -> None:
    with pytest.raises(BlobsMisconfigured):
        connect("file:///tmp/x", b"short")
    with pytest.raises(BlobsMisconfigured):
        connect("s3://bucket", bytes(32))
