"""What an answer of the DMP means for the document: done, again, or never."""

import csv
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

from labohub.standards.soap import SoapFault
from labohub.standards.xds.answers import FAILURE, RegistryAnswer

MAX_LABEL_CHARACTERS: Final = 200  # what a business acknowledgement can hold
_HABILITATION: Final = (
    "structure introuvable ou inactive",
    "ps et structure non liés",
    "erreur d'authentification de la personne morale",
    "aucun authorinstitution ne correspond",
)


class Kind(StrEnum):
    """The kinds of verdicts."""

    DONE = "done"
    LATER = "later"  # retried for as long as it takes
    FEW = "few"  # retried a few times, then refused
    DUPLICATE = "duplicate"  # done, if an earlier attempt of ours can have been the first
    TARGET = "target"  # the replaced document is not what we thought: look again once
    FINAL = "final"
    CHANNEL = "channel"  # our certificate or right to speak: stop everything, wake someone


@dataclass(frozen=True, slots=True)
class Verdict:
    """A kind, the DMP's own code and text, and our code."""

    kind: Kind
    dmp_code: str = ""
    label: str = ""
    code: str = ""


def judge(answer: RegistryAnswer) -> Verdict:
    """Return the verdict of a registry response. Several errors: the first that is not a warning decides."""
    if answer.status != FAILURE:
        return Verdict(Kind.DONE, label=", ".join(sorted({error.code for error in answer.warnings})))
    error = next((each for each in answer.errors if not each.is_warning), None)
    if error is None:
        return Verdict(Kind.FEW, "", "échec sans motif", "dmp.generic")
    return _known(error.code, error.context)


def judge_fault(fault: SoapFault) -> Verdict:
    """Return the verdict of a SOAP fault."""
    if fault.subcode:
        return _known(fault.subcode, fault.reason)
    reason = fault.reason.casefold()
    if any(text in reason for text in _HABILITATION):
        return Verdict(Kind.FINAL, "", _label(fault.reason), "dmp.habilitation")
    if fault.code == "Receiver":
        return Verdict(Kind.FEW, fault.code, _label(fault.reason), "dmp.fault")
    return Verdict(Kind.FINAL, fault.code, _label(fault.reason), "dmp.fault")


def _known(signal: str, text: str) -> Verdict:
    """Return the verdict of a code. One that nobody has described is final: a person decides, never a loop."""
    kind, code = _table().get(signal, (Kind.FINAL, "dmp.refused"))
    return Verdict(kind, signal, _label(text), code)


def _label(text: str) -> str:
    return " ".join(text.split())[:MAX_LABEL_CHARACTERS]


@cache
def _table() -> dict[str, tuple[Kind, str]]:
    text = files("dmp_feeder.core").joinpath("tables", "answers.csv").read_text("utf-8")
    return {row["signal"]: (Kind(row["verdict"]), row["code"]) for row in csv.DictReader(text.splitlines())}
