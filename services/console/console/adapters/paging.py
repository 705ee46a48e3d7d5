"""Places in a list, as opaque cursors."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row

from labohub.errors import Refused


class CursorMalformed(Refused):
    """A cursor that this API did not give."""

    code = "console.cursor-malformed"


def write_cursor(at: datetime, identifier: str) -> str:
    """Return the opaque place in a list after the given row."""
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{identifier}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, str]:
    """Return the row a cursor stands after.

    Raises:
        CursorMalformed: see the class.
    """
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        at, _, identifier = text.partition("|")
        return datetime.fromisoformat(at).astimezone(UTC), identifier
    except (ValueError, binascii.Error):
        raise CursorMalformed("this cursor was not given by this API") from None


def known(row: Row[Any], view: Any) -> dict[str, Any]:
    """Return the columns of a row that a view has."""
    return {name: row._mapping[name] for name in view.model_fields if name in row._mapping}
