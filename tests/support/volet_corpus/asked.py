"""What a message of the volet may ask for, as the corpus says it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.support.volet_corpus.drafts import (
    DESK,
    DOCTOR,
    DOCUMENT,
    FORMER,
    FORMER_SECOND,
    MATRICULE,
    PATIENT_BOX,
    SECOND,
    Paper,
    b64,
    draft,
    papers,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a message asks for; the defaults are those of the base."""

    request: str = "initial"
    documents: tuple[tuple[str, str], ...] = ((DOCUMENT, DOCUMENT),)
    to_dmp: bool = True
    to: tuple[tuple[str, str], ...] = (("professional", DOCTOR), ("patient", PATIENT_BOX))
    not_served: int = 0
    reply_to: str = DESK
    reception: bool = True
    reading: bool = False
    professional_text: str | None = "Cher confrère,"
    patient_text: str | None = "Bonjour,"
    patient_may_answer: bool = True
    person: str = "899700001234"
    organisation: str = "990001234"
    device: str = ""
    encounter: str = "O"
    hidden: str = (
        ""  # of MASQUE_PS, INVISIBLE_PATIENT, INVISIBLE_REP_LEGAUX, CONNEXION_SECRETE, MODIF_CONF_CODE: 1 to 5
    )
    matricule: str = MATRICULE


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message, what it asks for, and warnings that it must leave."""

    message: bytes
    asked: Asked
    warnings: tuple[str, ...] = ()
    contents: tuple[bytes, ...] = ()


BASE = Asked()
RO: dict[str, Any] = {"request": "replacement"}
CA: dict[str, Any] = {"request": "deletion"}
MDM: dict[str, Any] = {"kind": "MDM"}
V20: dict[str, Any] = {"profile": "2.0"}
V12: dict[str, Any] = {"profile": "1.2"}
N3, N1 = papers("initial", "N3", "N1")
REPLACED = replace(BASE, request="replacement", documents=((DOCUMENT, FORMER),))
DELETED = replace(BASE, request="deletion")
BOTH: dict[str, Any] = {"documents": (N3, N1)}
PAIR = ((DOCUMENT, DOCUMENT), (SECOND, SECOND))
PAIR_REPLACED = ((DOCUMENT, FORMER), (SECOND, FORMER_SECOND))
PRO, PATIENT = BASE.to


def ok(asked: Asked, *edits: str, warnings: tuple[str, ...] = (), **base: Any) -> Accepted:
    documents = base.get("documents") or papers(str(base.get("request", "initial")), "N3")
    contents = tuple(each.data() if isinstance(each, Paper) else each for each in documents)
    return Accepted(draft(*edits, **base), asked, warnings, contents)


def shuffled(data: bytes) -> bytes:
    lines = data.split(b"\r")
    at = next(index for index, line in enumerate(lines) if b"MASQUE_PS" in line)
    return b"\r".join([*lines[:at], *reversed(lines[at:-1]), b""])


def wrapped(width: int, end: bytes) -> Callable[[bytes], bytes]:
    def wrap(data: bytes) -> bytes:
        content = b64(Paper().data()).encode()
        assert content in data
        return data.replace(content, end.join(content[at : at + width] for at in range(0, len(content), width)))

    return wrap
