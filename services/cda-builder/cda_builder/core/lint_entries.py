"""Own checks on entries: the templates that switch the official rules on, and what those rules leave alone."""

from collections.abc import Iterator, Mapping

from lxml import etree

from cda_builder.core.volet import is_level_3, volet_of
from labohub.standards.cda.names import CR_BIO, HL7, LAB, XSI
from labohub.standards.cda.tables import labels

_C = f"{{{HL7}}}"
_ENTRY, _RESULT = "1.3.6.1.4.1.19376.1.3.1", "1.3.6.1.4.1.19376.1.3.1.6"
_PAIRS: Mapping[str, str] = {  # the template of IHE and that of the CI-SIS: one alone leaves half of the rules asleep
    "1.3.6.1.4.1.19376.1.3.3.2.1": "1.2.250.1.213.1.1.2.70",
    "1.3.6.1.4.1.19376.1.3.3.2.2": "1.2.250.1.213.1.1.2.71",
    _ENTRY: "1.2.250.1.213.1.1.3.21",
    "1.3.6.1.4.1.19376.1.3.1.2": "1.2.250.1.213.1.1.3.77",
    "1.3.6.1.4.1.19376.1.3.1.4": "1.2.250.1.213.1.1.3.78",
    "1.3.6.1.4.1.19376.1.3.1.5": "1.2.250.1.213.1.1.3.79",
    _RESULT: "1.2.250.1.213.1.1.3.80",
    "1.3.6.1.4.1.19376.1.5.3.1.4.2": "1.2.250.1.213.1.1.3.32",
}
_OTHER = {**_PAIRS, **{ours: theirs for theirs, ours in _PAIRS.items()}}
_CODED = frozenset({"CD", "CE", "CV"})
_SYSTEMS = {"interpretation": "2.16.840.1.113883.5.83", "specimen": "2.16.840.1.113883.18.311"}

Problem = tuple[str, etree._Element, str]  # rule, element, message


def entry_problems(document: etree._Element) -> Iterator[Problem]:
    """Yield what is wrong with the entries of a CR-BIO of level 3; nothing for another document."""
    if not is_level_3(document) or not volet_of(document):
        return
    if not any(each.get("root") == CR_BIO for each in document.iterfind(f"{_C}templateId")):
        yield "declaration", document, f"the document does not declare the volet (templateId {CR_BIO})"
    yield from _templates(document)
    yield from _values(document)
    yield from _former(document)
    yield from _state(document)


def _templates(document: etree._Element) -> Iterator[Problem]:
    for template in document.iterfind(f"{_C}component/{_C}structuredBody//{_C}templateId"):
        other, element = _OTHER.get(template.get("root", "")), template.getparent()
        if other is not None and element is not None and other not in roots_of(element):
            yield "template-pair", element, f"the templateId {other} goes with {template.get('root')}"
    for entry in document.iter(f"{_C}entry"):
        if _ENTRY not in roots_of(entry):
            continue
        for element in entry.iter(f"{_C}observation", f"{_C}organizer", f"{_C}procedure"):
            above = element.getparent()
            is_former = above is not None and above.get("typeCode") == "REFR"
            if not is_former and not roots_of(element):
                yield "no-template", element, "an entry without templateId: no rule about results looks at it"


def _values(document: etree._Element) -> Iterator[Problem]:
    for value in document.iter(f"{_C}value"):
        kind = value.get(f"{{{XSI}}}type", "").strip().rpartition(":")[2]
        if kind in _CODED and value.get("code") and not value.get("codeSystem"):
            yield "coded-value", value, "a coded value has no code system"
        if kind == "PQ" and value.get("value") and not value.get("unit") and not value.get("nullFlavor"):
            yield "unit-missing", value, "a quantity has no unit"
    for flag in document.iter(f"{_C}interpretationCode"):
        above = flag.getparent()
        if above is not None and above.tag == f"{_C}observationRange" and flag.get("code", "N") != "N":
            yield "range-interpretation", flag, "the interpretation of a reference range is N"
        yield from _of_table(flag, "interpretation")
    for player in document.iter(f"{_C}playingEntity"):
        for code in player.iterfind(f"{_C}code"):
            yield from _of_table(code, "specimen")


def _of_table(code: etree._Element, table: str) -> Iterator[Problem]:
    if not code.get("code"):
        return
    label, shown = labels(table).get(code.get("code", "")), " ".join(code.get("displayName", "").split())
    if label is None or code.get("codeSystem") != _SYSTEMS[table]:
        yield "value-set", code, "a code is not of the value set of its place"
    elif shown and shown != label:
        yield "value-set", code, "the label of a code is not that of its value set"


def _former(document: etree._Element) -> Iterator[Problem]:
    for observation in document.iter(f"{_C}observation"):
        if _RESULT in roots_of(observation) and observation.find(f"{_C}effectiveTime") is None:
            yield "result-time", observation, "a result has no date"
    for link in document.iter(f"{_C}entryRelationship"):
        former = link.find(f"{_C}observation") if link.get("typeCode") == "REFR" else None
        if former is not None:
            status = former.find(f"{_C}statusCode")
            if former.find(f"{_C}effectiveTime") is None or status is None or status.get("code") != "completed":
                yield "previous-result", former, "a previous result is completed and has its date"


def _state(document: etree._Element) -> Iterator[Problem]:
    whole = document.find(f"{_C}documentationOf/{_C}serviceEvent/{{{LAB}}}statusCode")
    parts = {each.get("code") for each in document.iterfind(f".//{_C}entry/{_C}act/{_C}statusCode")}
    if whole is not None and whole.get("code") == "completed" and "active" in parts:
        yield "status", whole, "the report says that it is complete, and one of its parts is under way"
    if whole is not None and whole.get("code") == "active" and parts and "active" not in parts:
        yield "status-active", whole, "the report says that something is to come, and none of its parts does"


def roots_of(element: etree._Element) -> set[str]:
    """Return the templates of an element."""
    return {each.get("root", "") for each in element.iterfind(f"{_C}templateId")}
