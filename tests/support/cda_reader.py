"""A reader of CR-BIO documents that owes nothing to what writes them: lxml and the specification alone."""

import re
from dataclasses import dataclass, field

from lxml import etree

H = "{urn:hl7-org:v3}"
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
RESULT, BATTERY, ISOLATE, SPECIMEN = (f"1.3.6.1.4.1.19376.1.3.1.{each}" for each in ("6", "4", "5", "2"))


@dataclass(frozen=True)
class Fact:
    """One result, with what surrounds it."""

    name: str
    loinc: str
    local: str
    status: str
    kind: str  # PQ, IVL_PQ, RTO_PQ_PQ, REAL, ST, CD, TS; "" without value
    value: str
    unit: str
    printed: str  # the cell of the narrative
    printed_unit: str
    flag: str
    flag_words: str
    low: str
    high: str
    range_words: str
    time: str
    method: str
    performer: str
    comments: tuple[str, ...]
    previous: tuple[tuple[str, str, str], ...]  # value, unit, time
    has_image: bool
    germ: str  # the organism of the isolate it belongs to
    battery: str  # the printed name of the battery it belongs to
    said_below: str = ""  # the rows that follow it in its table


@dataclass
class Reading:
    """A document as its reader understands it."""

    facts: list[Fact] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    specimens: list[tuple[str, str, str]] = field(default_factory=list)  # number, nature, collected
    validators: set[str] = field(default_factory=set)
    notes: dict[str, str] = field(default_factory=dict)
    attached: list[str] = field(default_factory=list)  # titles
    state: str = ""
    version: str = ""


def read(data: bytes) -> Reading:
    """Return what a document says. An entry whose words are not in the narrative raises KeyError."""
    root = etree.fromstring(data, etree.XMLParser(huge_tree=True, resolve_entities=False))
    reading = Reading()
    by_id = {each.get("ID", ""): each for each in root.iter(etree.Element) if each.get("ID")}
    reading.version = _at(root, "versionNumber", "value")
    state = root.find(".//{urn:oid:1.3.6.1.4.1.19376.1.3.2}statusCode")
    reading.state = state.get("code", "") if state is not None else ""
    for section in root.iter(f"{H}section"):
        templates = _templates(section)
        title = _words(section.find(f"{H}title"))
        if "1.2.250.1.213.1.1.2.73" in templates:
            reading.notes[title] = _words(section.find(f"{H}text"))
        elif "1.2.250.1.213.1.1.2.60" in templates:
            reading.attached.append(title)
        elif "1.3.6.1.4.1.19376.1.3.3.2.1" in templates:
            _chapter(section, by_id, reading)
    return reading


def _chapter(section: etree._Element, by_id: dict[str, etree._Element], reading: Reading) -> None:
    for act in section.iterfind(f"{H}entry/{H}act"):
        for each in act.iter(f"{H}observation", f"{H}procedure", f"{H}participant"):
            templates = _templates(each)
            if RESULT in templates:
                reading.facts.append(_fact(each, by_id))
            elif SPECIMEN in templates:
                reading.specimens.append(_specimen(each))
            elif each.get("typeCode") == "AUTHEN":
                role = each.find(f"{H}participantRole")
                assert role is not None
                reading.validators.add(_at(role, "id", "extension"))
    for row in section.iter(f"{H}tr"):
        cells = [_words(cell) for cell in row.iterfind(f"{H}td")]
        if len(cells) == 2 and cells[1] == "en cours":
            reading.pending.append(cells[0])


def _fact(observation: etree._Element, by_id: dict[str, etree._Element]) -> Fact:
    code = observation.find(f"{H}code")
    assert code is not None
    anchor = _target(code.find(f"{H}originalText/{H}reference"), by_id)
    row = next(each for each in anchor.iterancestors(f"{H}tr"))
    cells = list(row.iterfind(f"{H}td"))
    image = cells[1].find(f"{H}renderMultiMedia")
    if image is not None:
        assert by_id[image.get("referencedObject", "")].tag == f"{H}observationMedia"
    kind, value, unit = _value(observation.find(f"{H}value"), by_id)
    limits = observation.find(f"{H}referenceRange/{H}observationRange")
    performer = observation.find(f"{H}performer/{H}assignedEntity/{H}representedOrganization/{H}name")
    method = observation.find(f"{H}methodCode/{H}originalText/{H}reference")
    flag = observation.find(f"{H}interpretationCode")
    return Fact(
        name=_words(anchor),
        loinc=code.get("code", "") if code.get("codeSystem") == "2.16.840.1.113883.6.1" else "",
        local=_at(code, "translation", "code"),
        status=_at(observation, "statusCode", "code"),
        kind=kind,
        value=value,
        unit=unit,
        printed=_lines(cells[1]),
        printed_unit=_words(cells[2]),
        flag=flag.get("code", "") if flag is not None else "",
        flag_words=_words(cells[3]),
        low=_bound(limits, "low"),
        high=_bound(limits, "high"),
        range_words=_words(cells[4]),
        time=_at(observation, "effectiveTime", "value"),
        method=_words(_target(method, by_id)) if method is not None else "",
        performer=_words(performer),
        comments=tuple(
            _lines(_target(each, by_id))
            for each in observation.iterfind(f"{H}entryRelationship[@typeCode='SUBJ']/{H}act/{H}text/{H}reference")
        ),
        previous=tuple(
            (*_value(each.find(f"{H}value"), by_id)[1:], _at(each, "effectiveTime", "value"))
            for each in observation.iterfind(f"{H}entryRelationship[@typeCode='REFR']/{H}observation")
        ),
        has_image=image is not None,
        germ=_germ(observation, by_id),
        battery=_battery(observation, by_id),
        said_below=_below(row),
    )


def _value(value: etree._Element | None, by_id: dict[str, etree._Element]) -> tuple[str, str, str]:
    """Return the type, the value in one text (`<=5`, `1-2`, `1:2`) and its unit."""
    if value is None:
        return "", "", ""
    kind = value.get(TYPE, "")
    if kind == "IVL_PQ":
        low, high = value.find(f"{H}low"), value.find(f"{H}high")
        if low is not None and high is not None:
            return kind, f"{low.get('value')}-{high.get('value')}", low.get("unit", "")
        sign, bound = ("<", high) if high is not None else (">", low)
        assert bound is not None
        equal = "" if bound.get("inclusive") == "false" else "="
        return kind, f"{sign}{equal}{bound.get('value')}", bound.get("unit", "")
    if kind == "RTO_PQ_PQ":
        return (
            kind,
            f"{_at(value, 'numerator', 'value')}:{_at(value, 'denominator', 'value')}",
            _at(value, "numerator", "unit"),
        )
    if kind == "ST":
        return kind, value.text or "", ""
    if kind == "CD":
        return kind, _lines(_target(value.find(f"{H}originalText/{H}reference"), by_id)), ""
    return kind, value.get("value", ""), value.get("unit", "")


def _germ(observation: etree._Element, by_id: dict[str, etree._Element]) -> str:
    for organizer in observation.iterancestors(f"{H}organizer"):
        if ISOLATE in _templates(organizer):
            return _words(
                _target(organizer.find(f".//{H}specimenPlayingEntity/{H}code/{H}originalText/{H}reference"), by_id)
            )
    return ""


def _battery(observation: etree._Element, by_id: dict[str, etree._Element]) -> str:
    for organizer in observation.iterancestors(f"{H}organizer"):
        if BATTERY in _templates(organizer):
            return _words(_target(organizer.find(f"{H}code/{H}originalText/{H}reference"), by_id))
    return ""


def _below(row: etree._Element) -> str:
    said = []
    following = row.getnext()
    while following is not None and len(following) == 1:
        said.append(_words(following))
        following = following.getnext()
    return "\n".join(said)


def _specimen(procedure: etree._Element) -> tuple[str, str, str]:
    role = procedure.find(f"{H}participant/{H}participantRole")
    assert role is not None
    code = role.find(f"{H}playingEntity/{H}code")
    assert code is not None
    nature = code.get("code") or _words(code.find(f"{H}originalText"))
    time = procedure.find(f"{H}effectiveTime/{H}high")
    return _at(role, "id", "extension"), nature, time.get("value", "") if time is not None else ""


def _target(reference: etree._Element | None, by_id: dict[str, etree._Element]) -> etree._Element:
    assert reference is not None
    return by_id[reference.get("value", "").removeprefix("#")]


def _bound(limits: etree._Element | None, side: str) -> str:
    bound = limits.find(f"{H}value/{H}{side}") if limits is not None else None
    return bound.get("value", "") if bound is not None else ""


def _templates(element: etree._Element) -> set[str]:
    return {each.get("root", "") for each in element.iterfind(f"{H}templateId")}


def _at(element: etree._Element, child: str, attribute: str) -> str:
    found = element.find(f"{H}{child}")
    return found.get(attribute, "") if found is not None else ""


def _lines(element: etree._Element) -> str:
    """Return the text of an element, a `br` as a line end."""
    text = ""
    for each in element.iter(etree.Element):
        if each.tag == f"{H}br":
            text += "\n"
        text += each.text or ""
        if each is not element:
            text += each.tail or ""
    return text.strip("\n")


def _words(element: etree._Element | None) -> str:
    return "" if element is None else re.sub(r"\s+", " ", "".join(str(part) for part in element.itertext())).strip()
