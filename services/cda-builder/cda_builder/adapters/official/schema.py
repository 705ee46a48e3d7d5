"""ISO Schematron files read and made plain: includes, abstract patterns and abstract rules are worked in.

Source: ISO/IEC 19757-3:2016, annexes A and B (abstract patterns, inclusion).
"""

import re
from copy import deepcopy
from pathlib import Path

from lxml import etree

from labohub.errors import Misconfigured

SCH = "{http://purl.oclc.org/dsdl/schematron}"
_EXPRESSIONS = ("test", "context", "select", "value", "path")


class RulesUnreadable(Misconfigured):
    """A file of the official rules is missing or not Schematron as this hub reads it."""

    code = "cda.rules-unreadable"


def read_schema(path: Path) -> etree._Element:
    """Return a schema without includes, `is-a` patterns and `extends`."""
    schema = _with_includes(path)
    _work_in_abstract_patterns(schema)
    _work_in_abstract_rules(schema)
    return schema


def _existing(path: Path) -> Path:
    """Return the file, whatever the case of its name: the rules were written on Windows."""
    if path.exists():
        return path
    folder = _existing(path.parent)
    for each in sorted(folder.iterdir()) if folder.is_dir() else ():
        if each.name.casefold() == path.name.casefold():
            return each
    raise RulesUnreadable(f"a file of the official rules is missing: {path.name}")


def _with_includes(path: Path) -> etree._Element:
    found = _existing(path.parent.resolve() / path.name)
    parser = etree.XMLParser(remove_comments=True, remove_pis=True, resolve_entities=False, no_network=True)
    try:
        root = etree.parse(str(found), parser).getroot()
    except (OSError, etree.XMLSyntaxError):
        raise RulesUnreadable(f"a file of the official rules cannot be read: {path.name}") from None
    for include in list(root.iter(f"{SCH}include")):
        parent = include.getparent()
        if parent is None:
            raise RulesUnreadable(f"an include is the root of {path.name}")
        included = _with_includes(_joined(found.parent, include.get("href", "").partition("#")[0]))
        included.tail = include.tail
        parent.replace(include, included)
    return root


def _joined(folder: Path, href: str) -> Path:
    for part in href.split("/"):
        folder = folder.parent if part == ".." else folder / part if part not in ("", ".") else folder
    return folder


def _work_in_abstract_patterns(schema: etree._Element) -> None:
    models = {each.get("id"): each for each in schema.iter(f"{SCH}pattern") if each.get("abstract") == "true"}
    for pattern in list(schema.iter(f"{SCH}pattern")):
        name = pattern.get("is-a")
        if name is None:
            continue
        if name not in models:
            raise RulesUnreadable(f"abstract pattern {name} is not there")
        values = {each.get("name", ""): each.get("value", "") for each in pattern.iter(f"{SCH}param")}
        concrete = deepcopy(models[name])
        concrete.attrib.pop("abstract")
        concrete.set("id", pattern.get("id") or name)
        _fill(concrete, values)
        concrete.tail = pattern.tail
        parent = pattern.getparent()
        assert parent is not None
        parent.replace(pattern, concrete)
    for model in models.values():
        parent = model.getparent()
        if parent is not None:
            parent.remove(model)


def _fill(pattern: etree._Element, values: dict[str, str]) -> None:
    """Write the parameters into expressions and texts; the longest name wins where one begins another."""
    if not values:
        return
    names = "|".join(re.escape(name) for name in sorted(values, key=len, reverse=True))
    reference = re.compile(rf"\$({names})(?![\w.-])")

    def filled(text: str) -> str:
        return reference.sub(lambda match: values[match[1]], text)

    for element in pattern.iter():
        for name in _EXPRESSIONS:
            if name in element.attrib:
                element.set(name, filled(element.get(name, "")))
        if element.text:
            element.text = filled(element.text)
        if element.tail and element is not pattern:
            element.tail = filled(element.tail)


def _work_in_abstract_rules(schema: etree._Element) -> None:
    models = {each.get("id"): each for each in schema.iter(f"{SCH}rule") if each.get("abstract") == "true"}
    for _ in range(len(models) + 1):  # an abstract rule may extend another
        pending = list(schema.iter(f"{SCH}extends"))
        if not pending:
            break
        for extends in pending:
            model, parent = models.get(extends.get("rule")), extends.getparent()
            if model is None or parent is None:
                raise RulesUnreadable(f"abstract rule {extends.get('rule')} is not there")
            place = parent.index(extends)
            parent.remove(extends)
            for offset, child in enumerate(model):
                parent.insert(place + offset, deepcopy(child))
    for model in models.values():
        parent = model.getparent()
        if parent is not None:
            parent.remove(model)
