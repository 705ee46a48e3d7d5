"""Documents as rows of PostgreSQL."""

import asyncio
from collections.abc import Callable, Sequence
from uuid import uuid4

from sqlalchemy import Column, LargeBinary, MetaData, String, Table, delete, event, insert, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from labohub.contracts.values import BlobRef
from labohub.store.blobs.cipher import Cipher, checked, reference
from labohub.store.blobs.port import BlobMissing, BlobsUnavailable
from labohub.store.database import refuse_closed


class PostgresBlobs:
    """One row per document, in the schema `blobs`: for installations whose services run on several machines."""

    def __init__(self, url: str, key: bytes, new_id: Callable[[], str] = lambda: uuid4().hex) -> None:
        self._cipher = Cipher(key)
        self._new_id = new_id
        self._engine = create_async_engine(
            "postgresql+asyncpg://" + url.split("://", 1)[1], hide_parameters=True, pool_size=4
        )
        event.listen(self._engine.sync_engine, "checkout", refuse_closed)
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
        return checked(ref, await asyncio.to_thread(self._cipher.unseal, ref.id, sealed))

    async def erase(self, ref: BlobRef) -> None:
        """Delete the row."""
        try:
            async with self._engine.begin() as connection:
                await connection.execute(delete(self._table).where(self._table.c.id == ref.id))
        except (SQLAlchemyError, OSError):
            raise BlobsUnavailable("a document could not be erased") from None
