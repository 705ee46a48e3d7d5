"""Documents, kept apart from events and encrypted at rest: files, or rows of PostgreSQL."""

import asyncio
import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Column, LargeBinary, MetaData, String, Table, delete, insert, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from labohub.contracts.values import BlobRef
from labohub.errors import Misconfigured, Refused, Unavailable

NONCE_BYTES = 12  # AES-GCM, NIST SP 800-38D: 96 random bits, one key for fewer than 2**32 documents
PACKED_BYTES = 64 * 1024  # larger documents have a file of their own
_IN_PACK = "x"  # no hexadecimal digit: separates a pack's name, the offset and the size
_FORMAT = b"LB1"  # first bytes of a stored document: format 1, AES-256-GCM
SEAL_BYTES = len(_FORMAT) + NONCE_BYTES + 16  # what sealing adds, the tag included


class BlobMissing(Refused):
    """The document was erased, or never was here."""

    code = "blob.missing"


class BlobDamaged(Refused):
    """The stored bytes do not decrypt to the document: wrong key, or altered."""

    code = "blob.damaged"


class BlobsUnavailable(Unavailable):
    """The documents' storage does not answer, or is full."""

    code = "blob.unavailable"


class BlobsMisconfigured(Misconfigured):
    """The documents' URL or key cannot be used."""

    code = "blob.misconfigured"


class Blobs(Protocol):
    """Where documents are kept."""

    async def put(self, data: bytes, media_type: str) -> BlobRef:
        """Return the reference of a document, durable and encrypted. Raises: BlobsUnavailable."""

    async def put_many(self, documents: Sequence[tuple[bytes, str]]) -> list[BlobRef]:
        """Return the references of documents (bytes, media type), all durable. Raises: BlobsUnavailable."""

    async def read(self, ref: BlobRef) -> bytes:
        """Return a document's bytes. Raises: BlobMissing, BlobDamaged, BlobsUnavailable."""

    async def erase(self, ref: BlobRef) -> None:
        """Forget a document; one that is not there is no error. Raises: BlobsUnavailable."""

    async def open(self) -> None:
        """Make the storage ready."""

    async def close(self) -> None:
        """Release the storage."""


class Cipher:
    """AES-256-GCM with the blob's id as associated data: bytes moved to another name do not decrypt."""

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise BlobsMisconfigured("LABOHUB_BLOB_KEY must hold 32 bytes")
        self._aead = AESGCM(key)

    def seal(self, blob_id: str, data: bytes) -> bytes:
        """Return the bytes to store."""
        nonce = os.urandom(NONCE_BYTES)
        return _FORMAT + nonce + self._aead.encrypt(nonce, data, blob_id.encode())

    def unseal(self, blob_id: str, stored: bytes) -> bytes:
        """Return the clear bytes. Raises: BlobDamaged."""
        start = len(_FORMAT)
        if stored[:start] != _FORMAT:
            raise BlobDamaged("unknown format of a stored document")
        try:
            return self._aead.decrypt(
                stored[start : start + NONCE_BYTES], stored[start + NONCE_BYTES :], blob_id.encode()
            )
        except InvalidTag:
            raise BlobDamaged("a stored document does not decrypt") from None


def reference(blob_id: str, data: bytes, media_type: str) -> BlobRef:
    """Return the reference of clear bytes."""
    digest = hashlib.sha256(data).hexdigest()
    return BlobRef(id=blob_id, sha256=digest, size_bytes=len(data), media_type=media_type)


def _checked(ref: BlobRef, data: bytes) -> bytes:
    if hashlib.sha256(data).hexdigest() != ref.sha256:
        raise BlobDamaged("a stored document is not the one its reference names")
    return data


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
        return _checked(ref, self._cipher.unseal(ref.id, stored))

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


class PostgresBlobs:
    """One row per document, in the schema `blobs`: for installations whose services run on several machines."""

    def __init__(self, url: str, key: bytes, new_id: Callable[[], str] = lambda: uuid4().hex) -> None:
        self._cipher = Cipher(key)
        self._new_id = new_id
        self._engine = create_async_engine(
            "postgresql+asyncpg://" + url.split("://", 1)[1], hide_parameters=True, pool_pre_ping=True, pool_size=4
        )
        self._metadata = MetaData(schema="blobs")
        self._table = Table(
            "document",
            self._metadata,
            Column("id", String, primary_key=True),
            Column("sealed", LargeBinary, nullable=False),
        )

    async def open(self) -> None:
        """Create the schema and the table when missing."""
        try:
            async with self._engine.begin() as connection:
                await connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('blobs'))"))
                await connection.execute(text("CREATE SCHEMA IF NOT EXISTS blobs"))
                await connection.run_sync(self._metadata.create_all)
        except (SQLAlchemyError, OSError):
            raise BlobsUnavailable("the documents' database does not answer") from None

    async def close(self) -> None:
        """Release the connections."""
        await self._engine.dispose()

    async def put(self, data: bytes, media_type: str) -> BlobRef:
        """Return the reference of a document, once it is committed."""
        blob_id = self._new_id()
        sealed = await asyncio.to_thread(self._cipher.seal, blob_id, data)
        try:
            async with self._engine.begin() as connection:
                await connection.execute(insert(self._table).values(id=blob_id, sealed=sealed))
        except (SQLAlchemyError, OSError):
            raise BlobsUnavailable("a document could not be written") from None
        return reference(blob_id, data, media_type)

    async def put_many(self, documents: Sequence[tuple[bytes, str]]) -> list[BlobRef]:
        """Return the references of documents, in order, committed together."""
        ids = [self._new_id() for _ in documents]
        sealed = await asyncio.to_thread(
            lambda: [
                {"id": blob_id, "sealed": self._cipher.seal(blob_id, data)}
                for blob_id, (data, _) in zip(ids, documents, strict=True)
            ]
        )
        try:
            async with self._engine.begin() as connection:
                await connection.execute(insert(self._table), sealed)
        except (SQLAlchemyError, OSError):
            raise BlobsUnavailable("a document could not be written") from None
        return [reference(blob_id, *document) for blob_id, document in zip(ids, documents, strict=True)]

    async def read(self, ref: BlobRef) -> bytes:
        """Return a document's bytes, checked against the reference."""
        try:
            async with self._engine.connect() as connection:
                sealed = await connection.scalar(select(self._table.c.sealed).where(self._table.c.id == ref.id))
        except (SQLAlchemyError, OSError):
            raise BlobsUnavailable("a document could not be read") from None
        if sealed is None:
            raise BlobMissing("no such document")
        return _checked(ref, await asyncio.to_thread(self._cipher.unseal, ref.id, sealed))

    async def erase(self, ref: BlobRef) -> None:
        """Delete the row."""
        try:
            async with self._engine.begin() as connection:
                await connection.execute(delete(self._table).where(self._table.c.id == ref.id))
        except (SQLAlchemyError, OSError):
            raise BlobsUnavailable("a document could not be erased") from None


def connect(url: str, key: bytes) -> FileBlobs | PostgresBlobs:
    """Return the document store of a URL: `file:///folder` or `postgresql://…`. Raises: BlobsMisconfigured."""
    if url.startswith("file://"):
        return FileBlobs(Path(url.removeprefix("file://")), key)
    if url.startswith(("postgresql://", "postgres://")):
        return PostgresBlobs(url, key)
    raise BlobsMisconfigured("LABOHUB_BLOBS_URL must begin with file:// or postgresql://")
