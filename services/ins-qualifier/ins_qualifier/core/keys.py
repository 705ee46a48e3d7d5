"""Keyed hashes: the same person gives the same text, and nobody reads the person back from it."""

import hashlib
import hmac

from ins_qualifier.core.local import LocalCheck

_PURPOSE = b"labohub identity index"
_LENGTH = 40  # hexadecimal digits: 160 bits


class Keys:
    """Names for patients, numbers and questions in indexes and addresses."""

    def __init__(self, secret: bytes) -> None:
        self._secret = hmac.digest(secret, _PURPOSE, "sha256")

    def of(self, *parts: str) -> str:
        """Return the key of these parts."""
        return hmac.new(self._secret, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()[:_LENGTH]

    def number(self, matricule: str) -> str:
        """Return the key of a matricule, whatever its case."""
        return self.of("number", matricule.upper())

    def traits(self, local: LocalCheck) -> str:
        """Return the key of strict traits in INSi's alphabet: what INSi would be asked with."""
        return self.of("traits", *local.traits)
