"""ER7: the bar-and-hat form of HL7 v2. A lossless, lazy reader on bytes, and a small writer."""

from labohub.standards.er7.charsets import CharsetUnknown, Undecodable, codec_of, guess
from labohub.standards.er7.delimiters import Delimiters
from labohub.standards.er7.errors import Er7Malformed, StrayLine
from labohub.standards.er7.escapes import escape, unescape
from labohub.standards.er7.header import Batch, BatchTooLarge, Header, read_header, split_batch
from labohub.standards.er7.message import Message, read
from labohub.standards.er7.segment import Segment

__all__ = [
    "Batch",
    "BatchTooLarge",
    "CharsetUnknown",
    "Delimiters",
    "Er7Malformed",
    "Header",
    "Message",
    "Segment",
    "StrayLine",
    "Undecodable",
    "codec_of",
    "escape",
    "guess",
    "read",
    "read_header",
    "split_batch",
    "unescape",
]
