"""What a registry answers: RegistryResponse and AdhocQueryResponse."""

from dataclasses import dataclass
from typing import Final

from lxml import etree

from labohub.errors import Refused
from labohub.standards.xds import names

SUCCESS: Final = "Success"
PARTIAL_SUCCESS: Final = "PartialSuccess"
FAILURE: Final = "Failure"


class AnswerMalformed(Refused):
    """Not the response that the transaction calls for."""

    code = "xds.answer-malformed"


@dataclass(frozen=True, slots=True)
class RegistryError:
    """One error or warning. `context` is text for people and may name a patient: keep it out of logs."""

    code: str
    context: str
    is_warning: bool
    location: str = ""


@dataclass(frozen=True, slots=True)
class RegistryAnswer:
    """Status and errors; `references` are the entryUUIDs of a query."""

    status: str  # Success, PartialSuccess or Failure
    errors: tuple[RegistryError, ...] = ()
    references: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[RegistryError, ...]:
        """Return what was taken with a remark."""
        return tuple(error for error in self.errors if error.is_warning)


def read_answer(body: etree._Element) -> RegistryAnswer:
    """Return the answer that a SOAP body holds.

    Raises:
        AnswerMalformed: another element, or a status that is not of the standard.
    """
    if body.tag not in (f"{{{names.RS}}}RegistryResponse", f"{{{names.QUERY}}}AdhocQueryResponse"):
        raise AnswerMalformed("not a registry response")
    status = body.get("status", "").rpartition(":")[2]
    if status not in (SUCCESS, PARTIAL_SUCCESS, FAILURE):
        raise AnswerMalformed("unknown status of a registry response")
    errors = tuple(
        RegistryError(
            code=each.get("errorCode", "").strip(),
            context=each.get("codeContext", "").strip(),
            is_warning=each.get("severity", "").endswith("Warning"),
            location=each.get("location", ""),
        )
        for each in body.iter(f"{{{names.RS}}}RegistryError")
    )
    references = tuple(
        each.get("id", "")
        for tag in ("ObjectRef", "ExtrinsicObject")
        for each in body.iterfind(f"{{{names.RIM}}}RegistryObjectList/{{{names.RIM}}}{tag}")
    )
    return RegistryAnswer(status, errors, references)
