"""Documents as files: one each, or small ones together in a pack written at once."""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from labohub.contracts.values import BlobRef
from labohub.store.blobs.cipher import SEAL_BYTES, Cipher, checked, reference
from labohub.store.blobs.port import BlobMissing, BlobsMisconfigured, BlobsUnavailable

PACKED_BYTES = 64 * 1024  # larger documents have a file of their own
_IN_PACK = "x"  # no hexadecimal digit: separates a pack's name, the offset and the size


class FileBlobs:
    """One file per document, in 256 folders."""

    def __init__(self, folder: Path, key: bytes, new_id: Callable[[], str] = lambda: uuid4().hex) -> None:
        self._folder = folder
        self._cipher = Cipher(key)
        self._new_id = new_id

    async def open(self) -> None:
        """Create the folder, readable by us alone."""
        try:
            await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True, mode=0o700)
        except OSError:
            raise BlobsMisconfigured("the folder of LABOHUB_BLOBS_URL cannot be made") from None

    async def close(self) -> None:
        """Do nothing: files are closed after each use."""

    async def put(self, data: bytes, media_type: str) -> BlobRef:
        """Return the reference of a document, once it is on disk (written aside, synchronised, then renamed)."""
        return await asyncio.to_thread(self._put, data, media_type)

    async def put_many(self, documents: Sequence[tuple[bytes, str]]) -> list[BlobRef]:
        """Return the references of documents, in order: one trip to a thread, and one file for the small ones."""
        return await asyncio.to_thread(self._put_many, documents)

    async def read(self, ref: BlobRef) -> bytes:
        """Return a document's bytes, checked against the reference."""
        return await asyncio.to_thread(self._read, ref)

    async def erase(self, ref: BlobRef) -> None:
        """Remove the file."""
        await asyncio.to_thread(self._erase, ref)

    def _put_many(self, documents: Sequence[tuple[bytes, str]]) -> list[BlobRef]:
        small = [document for document in documents if len(document[0]) <= PACKED_BYTES]
        packed = iter(self._put_pack(small) if len(small) > 1 else [self._put(*document) for document in small])
        return [next(packed) if len(data) <= PACKED_BYTES else self._put(data, kind) for data, kind in documents]

    def _put_pack(self, documents: Sequence[tuple[bytes, str]]) -> list[BlobRef]:
        """Write several documents into one file: synchronising it costs more than writing it.

        Each has its own name, which says where it lies in the pack, and its own seal.
        """
        pack, offset = self._new_id(), 0
        refs, parts = list[BlobRef](), list[bytes]()
        for data, media_type in documents:
            sealed_bytes = len(data) + SEAL_BYTES
            blob_id = f"{pack}{_IN_PACK}{offset:x}{_IN_PACK}{sealed_bytes:x}"
            parts.append(self._cipher.seal(blob_id, data))
            refs.append(reference(blob_id, data, media_type))
            offset += sealed_bytes
        self._store(pack, b"".join(parts))
        return refs

    def _path(self, blob_id: str) -> Path:
        if not blob_id.isalnum():
            raise BlobMissing("not the name of a document")
        return self._folder / blob_id[:2] / blob_id

    def _put(self, data: bytes, media_type: str) -> BlobRef:
        blob_id = self._new_id()
        self._store(blob_id, self._cipher.seal(blob_id, data))
        return reference(blob_id, data, media_type)

    def _store(self, name: str, sealed: bytes) -> None:
        path = self._path(name)
        try:
            try:
                self._write(path, sealed)
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                _synchronise_folder(self._folder)
                self._write(path, sealed)
        except OSError:
            raise BlobsUnavailable("a document could not be written") from None

    @staticmethod
    def _write(path: Path, sealed: bytes) -> None:
        aside = path.with_suffix(".part")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            os.rename(aside, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(aside)
            raise
        _synchronise_folder(path.parent)

    def _read(self, ref: BlobRef) -> bytes:
        try:
            pack, offset, size = _place(ref.id)
            with self._path(pack).open("rb") as file:
                file.seek(offset)
                stored = file.read(size)
        except FileNotFoundError:
            raise BlobMissing("no such document") from None
        except OSError:
            raise BlobsUnavailable("a document could not be read") from None
        if not stored.strip(b"\0"):
            raise BlobMissing("no such document")
        return checked(ref, self._cipher.unseal(ref.id, stored))

    def _erase(self, ref: BlobRef) -> None:
        pack, offset, size = _place(ref.id)
        try:
            if size < 0:
                self._path(pack).unlink(missing_ok=True)
                return
            with suppress(FileNotFoundError), self._path(pack).open("r+b") as file:
                file.seek(offset)
                file.write(bytes(size))  # its neighbours stay
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            raise BlobsUnavailable("a document could not be erased") from None


def _place(blob_id: str) -> tuple[str, int, int]:
    """Return the file of a document, where it begins there and its size; -1 for all of the file."""
    pack, *place = blob_id.split(_IN_PACK)
    if not place:
        return pack, 0, -1
    try:
        offset, size = (int(part, 16) for part in place)
    except ValueError:
        raise BlobMissing("not the name of a document") from None
    return pack, offset, size


def _synchronise_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
