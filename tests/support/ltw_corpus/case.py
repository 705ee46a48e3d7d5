"""One message of the corpus with what the standard says of it."""

from dataclasses import dataclass

from tests.support.ltw_corpus.draft import Draft


@dataclass(frozen=True)
class Case:
    """A message, its answer in original mode and the first ERR of a refusal.

    `err3` and `err2` list what the standard leaves open: any of them is right. `warns`: an AA carries an ERR of
    severity W. Source of every expectation: HL7 2.5.1 chapters 2, 4, 7; IHE PaLM LTW and ILW (docs/standards.md).
    """

    name: str
    raw: bytes
    answer: str
    err3: tuple[str, ...] = ()
    err2: tuple[str, ...] = ()
    warns: bool | None = None

    def __str__(self) -> str:
        return self.name


def good(name: str, message: Draft | bytes, *, charset: str = "utf-8") -> Case:
    """Return a message that is accepted; whether it also warns is left open."""
    return Case(name, message if isinstance(message, bytes) else message.raw(charset), "AA")


def warned(name: str, message: Draft | bytes, *err2: str, err3: str = "0") -> Case:
    """Return a message that is accepted with a warning at one of these places."""
    return Case(name, message if isinstance(message, bytes) else message.raw(), "AA", (err3,), err2, warns=True)


def refused(name: str, message: Draft | bytes, err3: str, *err2: str, charset: str = "utf-8") -> Case:
    """Return a message that is wrong for ever: AE at one of these places."""
    return Case(name, message if isinstance(message, bytes) else message.raw(charset), "AE", (err3,), err2)


def rejected(name: str, message: Draft | bytes, err3: str, *err2: str) -> Case:
    """Return a message whose header is not for this door: AR."""
    return Case(name, message if isinstance(message, bytes) else message.raw(), "AR", (err3,), err2)
