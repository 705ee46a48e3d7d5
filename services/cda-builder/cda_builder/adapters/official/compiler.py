"""Patterns of a plain Schematron schema to one XSLT 3.0 stylesheet that lists what is wrong: those not translated.

Each pattern is a mode. Its rules are templates of falling priority, so that the first that matches a node wins, as
ISO Schematron says. The result is `<findings><f pattern role at>message</f>…</findings>`.
"""

from collections.abc import Sequence
from pathlib import Path

from lxml import etree

from cda_builder.adapters.official.schema import SCH, RulesUnreadable

XSL = "http://www.w3.org/1999/XSL/Transform"
_X = f"{{{XSL}}}"


def compile_patterns(schema: etree._Element, patterns: Sequence[etree._Element], path: Path) -> bytes:
    """Return the stylesheet of some patterns of a schema; `document()` in a rule is relative to `path`."""
    names = {each.get("prefix", ""): each.get("uri", "") for each in schema.findall(f"{SCH}ns")}
    namespaces: dict[str | None, str] = {
        prefix: uri for prefix, uri in schema.nsmap.items() if prefix and uri != SCH[1:-1]
    }
    namespaces.update({prefix: uri for prefix, uri in names.items() if prefix != "xml"})
    namespaces["xsl"] = XSL
    sheet = etree.Element(f"{_X}stylesheet", nsmap=namespaces)  # type: ignore[arg-type]
    sheet.set("version", "3.0")
    sheet.set("{http://www.w3.org/XML/1998/namespace}base", path.resolve().as_uri())
    for foreign in schema:
        if isinstance(foreign.tag, str) and foreign.tag.startswith(_X):
            sheet.append(foreign)
    variables: dict[str, str] = {}
    for let in [*schema.findall(f"{SCH}let"), *(let for each in patterns for let in each.findall(f"{SCH}let"))]:
        _global(sheet, let, variables)
    main = etree.SubElement(sheet, f"{_X}template", match="/")
    findings = etree.SubElement(main, "findings")
    for number, pattern in enumerate(patterns, 1):
        rules = pattern.findall(f"{SCH}rule")
        if not rules:
            continue
        mode = f"p{number}"
        etree.SubElement(sheet, f"{_X}mode", {"name": mode, "on-no-match": "shallow-skip"})
        etree.SubElement(findings, f"{_X}apply-templates", select="/", mode=mode)
        name = pattern_name(pattern, number)
        for rank, rule in enumerate(rules):
            template = _rule(sheet, rule, name, mode, len(rules) - rank)
            etree.SubElement(template, f"{_X}apply-templates", select="@* | node()", mode=mode)
    return etree.tostring(sheet)


def active_patterns(schema: etree._Element) -> list[etree._Element]:
    """Return the patterns of the default phase, or all."""
    patterns = list(schema.iter(f"{SCH}pattern"))
    default = schema.get("defaultPhase")
    if default in (None, "#ALL"):
        return patterns
    phase = next((each for each in schema.findall(f"{SCH}phase") if each.get("id") == default), None)
    if phase is None:
        raise RulesUnreadable(f"phase {default} is not there")
    wanted = {each.get("pattern") for each in phase.findall(f"{SCH}active")}
    chosen = [each for each in patterns if each.get("id") in wanted]
    if {each.get("id") for each in chosen} != wanted:
        raise RulesUnreadable(f"phase {default} names patterns that are not there")
    return chosen


def _global(sheet: etree._Element, let: etree._Element, known: dict[str, str]) -> None:
    name, value = let.get("name", ""), let.get("value", "")
    if known.setdefault(name, value) != value:
        raise RulesUnreadable(f"variable {name} has two values")
    if not any(each.get("name") == name for each in sheet.findall(f"{_X}variable")):
        etree.SubElement(sheet, f"{_X}variable", name=name, select=value)


def pattern_name(pattern: etree._Element, number: int) -> str:
    """Return how findings call a pattern; `number` is its rank among the active ones, from 1."""
    title = " ".join((pattern.findtext(f"{SCH}title") or "").split())
    return pattern.get("id") or pattern.get("name") or title or f"p{number}"


def _rule(sheet: etree._Element, rule: etree._Element, pattern: str, mode: str, priority: int) -> etree._Element:
    template = etree.SubElement(
        sheet, f"{_X}template", match=rule.get("context", ""), mode=mode, priority=str(priority)
    )
    for child in rule:
        if child.tag == f"{SCH}let":
            etree.SubElement(template, f"{_X}variable", name=child.get("name", ""), select=child.get("value", ""))
        elif child.tag == f"{SCH}assert":
            _check(template, child, rule, pattern, f"not({child.get('test')})")
        elif child.tag == f"{SCH}report":
            _check(template, child, rule, pattern, child.get("test", ""))
    return template


def _check(template: etree._Element, check: etree._Element, rule: etree._Element, pattern: str, condition: str) -> None:
    test = etree.SubElement(template, f"{_X}if", test=condition)
    finding = etree.SubElement(test, "f", pattern=_literal(pattern))
    finding.set("role", _literal((check.get("role") or rule.get("role") or "").lower()))
    finding.set("at", "{path()}")
    _say(finding, check.text)
    for part in check:
        if part.tag == f"{SCH}value-of":
            etree.SubElement(finding, f"{_X}value-of", select=part.get("select", ""))
        elif part.tag == f"{SCH}name":
            etree.SubElement(finding, f"{_X}value-of", select=f"name({part.get('path', '.')})")
        else:
            _say(finding, "".join(str(text) for text in part.itertext()))
        _say(finding, part.tail)


def _say(finding: etree._Element, words: str | None) -> None:
    if words and words.strip():
        etree.SubElement(finding, f"{_X}text").text = f" {' '.join(words.split())} "


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
