"""What an answer of the operator's SMTP server means for a mail.

Source: RFC 5321, 3463; habits of operators.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto

from labohub.standards.dsn import SMTP_CODES, smtp_code

_ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_ABOUT_US = frozenset((530, 534, 535, 538))  # authentication: trying again may lock the account


class Stage(Enum):
    """Where in the dialogue the answer came."""

    GREETING = auto()  # connection, EHLO, TLS, AUTH
    SENDER = auto()  # MAIL FROM
    RECIPIENT = auto()  # RCPT TO
    CONTENT = auto()  # DATA and the answer to its end


class Verdict(Enum):
    """What to do with the mail."""

    RETRY = auto()
    BOUNCE = auto()
    HALT = auto()  # it is about us, not about this mail: stop before we are locked out


@dataclass(frozen=True, slots=True)
class Answer:
    """One refusing answer. `text` is only read for its enhanced status: it may quote an address."""

    stage: Stage
    code: int
    text: str = ""

    @property
    def status(self) -> str:
        """The enhanced status; empty when the server gives none."""
        found = _ENHANCED.search(self.text)
        return found.group(1) if found else ""

    @property
    def smtp_code(self) -> str:
        """The code of table SMTPERRORCODE."""
        said = str(self.code)
        if self.status in ("5.3.4", "5.2.3"):
            return "523"
        return said if said in SMTP_CODES else smtp_code(self.status or f"{said[:1]}.0.0")


def judge(answer: Answer) -> Verdict:
    """Return what an answer asks for. A permanent refusal of our own address or policy is about us."""
    if answer.code in _ABOUT_US:
        return Verdict.HALT
    if 400 <= answer.code < 500:
        return Verdict.RETRY
    if answer.stage is Stage.GREETING:
        return Verdict.HALT
    if answer.stage is Stage.SENDER and answer.status not in ("5.3.4", "5.2.3") and answer.code not in (523, 552):
        return Verdict.HALT
    return Verdict.BOUNCE
