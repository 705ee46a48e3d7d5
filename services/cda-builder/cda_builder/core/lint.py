"""The hub's own checks, which always run: what no official rule looks at, and must not leave wrong.

Errors are few and certain: they stop a document even where the official rules are not installed. An installation may
set the level of a rule, except of those that protect the patient.
"""

from collections.abc import Iterator, Mapping

from lxml import etree

from cda_builder.core.lint_content import content_problems
from cda_builder.core.lint_header import header_problems
from cda_builder.core.verdict import ERROR, WARNING, Finding
from labohub.errors import Misconfigured
from labohub.standards.cda import Header, document_element

RULES: Mapping[str, str] = {
    "id-oid": ERROR,
    "id-extension": ERROR,
    "id-length": ERROR,
    "code": ERROR,
    "effective-time": ERROR,
    "body": ERROR,
    "replaces-itself": ERROR,
    "version": WARNING,
    "version-alone": WARNING,
    "relation": ERROR,
    "edition": WARNING,
    "patient-name": ERROR,
    "patient-birth": ERROR,
    "ins-absent": WARNING,
    "ins-several": ERROR,
    "ins-form": ERROR,
    "ins-key": ERROR,
    "ins-traits": ERROR,
    "signatory": ERROR,
    "custodian": ERROR,
    "author": ERROR,
    "lone-subcontractor": WARNING,
    "link": ERROR,
    "active-content": ERROR,
    "reference": WARNING,
    "image": ERROR,
    "pdf": ERROR,
    "pdf-active": ERROR,
    "pdf-locked": ERROR,
    "pdf-cut": WARNING,
    "pdf-patient": WARNING,
    "entry-template": ERROR,
    "template-pair": ERROR,
    "no-template": ERROR,
    "declaration": ERROR,
    "base64": ERROR,
    "chapter-code": ERROR,
    "chapter-event": WARNING,
    "previous-result": ERROR,
    "coded-value": ERROR,
    "status": ERROR,
    "status-active": WARNING,
    "time-offset": WARNING,
    "result-time": WARNING,
    "unit-missing": WARNING,
    "range-interpretation": WARNING,
    "value-set": WARNING,
    "language": WARNING,
}
_PROTECTED = """patient-name patient-birth ins-several ins-form ins-key ins-traits signatory
    link active-content pdf-active"""
PROTECTED = frozenset(_PROTECTED.split())
_LEVELS = {"block": ERROR, "warn": WARNING}


class LintLevelWrong(Misconfigured):
    """CDA_BUILDER_LINT_LEVELS names a rule or a level that is not there, or lowers one that protects the patient."""

    code = "cda.lint-level-wrong"


def levels_of(setting: Mapping[str, str]) -> Mapping[str, str]:
    """Return the levels of all rules. Raises: LintLevelWrong."""
    for rule, level in setting.items():
        if rule not in RULES or level not in _LEVELS:
            raise LintLevelWrong("CDA_BUILDER_LINT_LEVELS: a rule of the README, and block or warn")
        if rule in PROTECTED and level == "warn":
            raise LintLevelWrong(f"CDA_BUILDER_LINT_LEVELS: {rule} always blocks")
    return {**RULES, **{rule: _LEVELS[level] for rule, level in setting.items()}}


def lint(root: etree._Element, header: Header, levels: Mapping[str, str] = RULES) -> tuple[Finding, ...]:
    """Return the findings of all own checks on a document."""
    document = document_element(root)
    return tuple(_findings(document, header, {**RULES, **levels}))


def _findings(document: etree._Element, header: Header, levels: Mapping[str, str]) -> Iterator[Finding]:
    for rule, place, message in header_problems(header):
        yield Finding("lint", rule, levels[rule], place, message, _line(document, place))
    for rule, element, message in content_problems(document, header):
        yield Finding("lint", rule, levels[rule], place_of(element), message, line_of(element))


def _line(document: etree._Element, place: str) -> int:
    """Return the line of a place of the header: of its nearest element that exists."""
    element = document
    for name in place.split("/")[2:]:
        found = element.find(f"{{*}}{name}")
        if found is None:
            break
        element = found
    return line_of(element)


def line_of(element: etree._Element) -> int:
    """Return the line of an element in the document as it was read, 0 where it has none."""
    line: object = element.sourceline
    return line if isinstance(line, int) else 0


def place_of(element: etree._Element) -> str:
    """Return the path of an element by its names and ranks."""
    steps = []
    current: etree._Element | None = element
    while current is not None:
        name = etree.QName(current).localname
        parent = current.getparent()
        same = list(parent.iterchildren(current.tag)) if parent is not None else []
        steps.append(f"{name}[{same.index(current) + 1}]" if len(same) > 1 else name)
        current = parent
    return "/" + "/".join(reversed(steps))
