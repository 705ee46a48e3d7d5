"""How a document is sealed, and known again."""

import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from labohub.contracts.values import BlobRef
from labohub.store.blobs.port import BlobDamaged, BlobsMisconfigured

NONCE_BYTES = 12  # AES-GCM, NIST SP 800-38D: 96 random bits, one key for fewer than 2**32 documents
_FORMAT = b"LB1"  # first bytes of a stored document: format 1, AES-256-GCM
SEAL_BYTES = len(_FORMAT) + NONCE_BYTES + 16  # what sealing adds, the tag included


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


def checked(ref: BlobRef, data: bytes) -> bytes:
    """Return the bytes when they are those that the reference names. Raises: BlobDamaged."""
    if hashlib.sha256(data).hexdigest() != ref.sha256:
        raise BlobDamaged("a stored document is not the one its reference names")
    return data
