"""Why bytes are no ER7 message."""

from labohub.errors import Refused


class Er7Malformed(Refused):
    """Not ER7: no MSH, or separators that cannot be used."""

    code = "er7.malformed"

    def __init__(self, text: str, location: str) -> None:
        super().__init__(text)
        self.location = location  # as ERR-2


class StrayLine(Er7Malformed):
    """A line that starts no segment, where none may be continued."""

    code = "er7.stray-line"
