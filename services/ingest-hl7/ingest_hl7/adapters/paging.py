"""Places in a list of messages, as opaque cursors."""

import base64
import binascii
from datetime import UTC, datetime

from labohub.errors import Refused


class CursorMalformed(Refused):
    """A cursor that this API did not give."""

    code = "message.cursor-malformed"


def write_cursor(at: datetime, identifier: str) -> str:
    """Return the place after a row."""
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{identifier}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, str] | None:
    """Return the row a cursor stands after; None for the beginning. Raises: CursorMalformed."""
    if not cursor:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        at, _, identifier = text.partition("|")
        return datetime.fromisoformat(at).astimezone(UTC), identifier
    except (ValueError, binascii.Error):
        raise CursorMalformed("this cursor was not given by this API") from None
