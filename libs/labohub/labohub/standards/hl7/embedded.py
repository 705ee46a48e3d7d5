"""Objects carried in OBX-5 as ED: base64 to bytes, with the repairs that real senders need."""

import base64
import binascii

from labohub.errors import Refused

_BREAKS = ("\\.br\\", "\\X0D\\", "\\X0A\\", "\\X0D0A\\")
_SPACES = str.maketrans("", "", "\r\n\t ")


class Base64Corrupt(Refused):
    """Text that no base64 decoder can read."""

    code = "hl7.base64-corrupt"


def decode_base64(text: str) -> bytes:
    """Return the bytes. Line breaks, in any writing, are removed and missing padding is added.

    Raises: Base64Corrupt: a length or a character that base64 does not have.
    """
    if "\\" in text:
        for mark in _BREAKS:
            text = text.replace(mark, "")
    text = text.translate(_SPACES) if not text.isalnum() else text
    bare = text.rstrip("=")
    if len(text) - len(bare) > 2 or len(bare) % 4 == 1:
        raise Base64Corrupt("not base64")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Base64Corrupt("not base64") from None
