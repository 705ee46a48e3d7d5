"""Documents, kept apart from events and encrypted at rest: files, or rows of PostgreSQL."""

from pathlib import Path

from labohub.store.blobs.files import PACKED_BYTES, FileBlobs
from labohub.store.blobs.port import BlobDamaged, BlobMissing, Blobs, BlobsMisconfigured, BlobsUnavailable
from labohub.store.blobs.postgres import PostgresBlobs

__all__ = [
    "PACKED_BYTES", "BlobDamaged", "BlobMissing", "Blobs", "BlobsMisconfigured", "BlobsUnavailable", "FileBlobs",
    "PostgresBlobs", "connect",
]  # fmt: skip


def connect(url: str, key: bytes) -> FileBlobs | PostgresBlobs:
    """Return the document store of a URL: `file:///folder` or `postgresql://…`. Raises: BlobsMisconfigured."""
    if url.startswith("file://"):
        return FileBlobs(Path(url.removeprefix("file://")), key)
    if url.startswith(("postgresql://", "postgres://")):
        return PostgresBlobs(url, key)
    raise BlobsMisconfigured("LABOHUB_BLOBS_URL must begin with file:// or postgresql://")
