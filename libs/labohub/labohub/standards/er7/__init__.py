"""ER7: the bar-and-hat form of HL7 v2. A lossless, lazy reader on bytes, and a small writer."""

from labohub.standards.er7.charsets import CharsetUnknown, Undecodable
from labohub.standards.er7.delimiters import Delimiters
from labohub.standards.er7.escapes import escape, unescape
from labohub.standards.er7.header import Header, read_header, split_batch
from labohub.standards.er7.message import Er7Malformed, Message, Segment, StrayLine, read

__all__ = [
    "CharsetUnknown",
    "Delimiters",
    "Er7Malformed",
    "Header",
    "Message",
    "Segment",
    "StrayLine",
    "Undecodable",
    "escape",
    "read",
    "read_header",
    "split_batch",
    "unescape",
]
