"""Small documents written together share a file, and nothing else."""

from pathlib import Path

import pytest

from labohub.store.blobs import PACKED_BYTES, BlobMissing, FileBlobs

SMALL = [(f"document {number}".encode(), "text/plain") for number in range(5)]
LARGE = (b"A" * (PACKED_BYTES + 1), "text/xml")


def files(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*/*") if path.is_file()]


async def test_small_documents_share_a_file_and_large_ones_do_not(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path, bytes(32))
    refs = await blobs.put_many([*SMALL[:3], LARGE, *SMALL[3:]])
    assert [await blobs.read(ref) for ref in refs] == [data for data, _ in [*SMALL[:3], LARGE, *SMALL[3:]]]
    assert len(files(tmp_path)) == 2
    assert len({ref.id for ref in refs}) == 6


async def test_erasing_one_leaves_its_neighbours(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path, bytes(32))
    refs = await blobs.put_many(SMALL)
    before = files(tmp_path)[0].read_bytes()
    await blobs.erase(refs[2])
    await blobs.erase(refs[2])
    with pytest.raises(BlobMissing):
        await blobs.read(refs[2])
    others = [ref for ref in refs if ref is not refs[2]]
    assert [await blobs.read(ref) for ref in others] == [data for data, _ in SMALL if data != SMALL[2][0]]
    after = files(tmp_path)[0].read_bytes()
    assert len(after) == len(before)
    assert sum(one != other for one, other in zip(before, after, strict=True)) > 20


@pytest.mark.parametrize("name", ["../etcx0x5", "0" * 32 + "x0", "0" * 32 + "xzx1", "0" * 32 + "x0x10"])
async def test_a_name_that_is_no_place_is_no_document(name: str, tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path, bytes(32))
    [ref, _] = await blobs.put_many(SMALL[:2])
    with pytest.raises(BlobMissing):
        await blobs.read(ref.model_copy(update={"id": name}))
