"""What the hub asks of a document store, and how it fails."""

from collections.abc import Sequence
from typing import Protocol

from labohub.contracts.values import BlobRef
from labohub.errors import Misconfigured, Refused, Unavailable


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
