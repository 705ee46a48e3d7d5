"""Documents broken in one place each, always the same ones; and what the plain official rules say of a document.

The oracle owes nothing to the hub: it is the reference tool's own Schematron compiler, run by Saxon on the unmodified
official schemas, and slow. What it said of a document is kept under `var/`, by the SHA-256 of document, tool and rules.
"""

import hashlib
import importlib.util
import json
import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from lxml import etree

from cda_builder.adapters.official.engine import Engine
from cda_builder.adapters.official.family import Family
from cda_builder.adapters.official.xpath.tree import Document, Node

CISIS = Path(__file__).resolve().parents[2].parent / "shared" / "cisis"

TOOL = CISIS.parent / "tools" / "cisis-validate"
CACHE = Path(__file__).resolve().parents[2] / "var" / "mutations"
HL7 = "{urn:hl7-org:v3}"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_WORDS = ("", "X", "1.2.3", "20260231", "completed", "active", "fr-FR", "UNK", " two words ", "12,5", "-1", "é<&>")
_TIMES = ("20260314", "202603141015Z", "20260314101530+9900", "2026", "14/03/2026", "20261341", "202603141015+0100")
_UNITS = ("mg/l", "G/L", "{INR}", "mmol/L", "10*9/L", "1", "", "mL/min/{1.73_m2}", "[iU]/L")
_TYPES = ("PQ", "IVL_PQ", "CD", "CE", "ST", "INT", "REAL", "TS", "IVL_TS", "ED")

Finding = tuple[str, str, str, str, str]  # family, role, test, place, message


def mutations(document: bytes, wanted: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield `wanted` documents that differ from the given one in one place, with a name each."""
    chance = random.Random(seed)
    names = sorted(_MUTATIONS)
    made = 0
    seen = {document}
    while made < wanted:
        root = etree.fromstring(document, etree.XMLParser(huge_tree=True, resolve_entities=False))
        name = names[made % len(names)] if chance.random() < 0.8 else chance.choice(names)
        elements = [each for each in root.iter(etree.Element) if each is not root]
        if not _MUTATIONS[name](elements, chance):
            continue
        changed = etree.tostring(root, encoding="UTF-8")
        if changed not in seen:
            seen.add(changed)
            made += 1
            yield f"{made:03} {name}", changed


def _attributed(elements: list[Any], chance: random.Random, name: str = "") -> tuple[Any, str] | None:
    found = [(each, key) for each in elements for key in each.attrib if not name or key == name]
    return chance.choice(found) if found else None


def _drop_attribute(elements: list[Any], chance: random.Random) -> bool:
    element, key = _attributed(elements, chance) or (None, "")
    if element is not None:
        del element.attrib[key]
    return element is not None


def _change_attribute(elements: list[Any], chance: random.Random) -> bool:
    element, key = _attributed(elements, chance) or (None, "")
    if element is not None:
        element.set(key, chance.choice(_WORDS))
    return element is not None


def _borrow_attribute(elements: list[Any], chance: random.Random) -> bool:
    element, key = _attributed(elements, chance) or (None, "")
    others = [each.get(key) for each in elements if each.get(key) is not None]
    if element is None:
        return False
    element.set(key, chance.choice(others))
    return True


def _set(name: str, values: tuple[str, ...]) -> Callable[[list[Any], random.Random], bool]:
    def change(elements: list[Any], chance: random.Random) -> bool:
        found = _attributed(elements, chance, name)
        if found is None:
            return False
        found[0].set(name, chance.choice(values))
        return True

    return change


def _mangle_date(elements: list[Any], chance: random.Random) -> bool:
    times = ("effectiveTime", "time", "low", "high", "birthTime")
    dated = [each for each in elements if etree.QName(each).localname in times and each.get("value")]
    if not dated:
        return False
    chance.choice(dated).set("value", chance.choice(_TIMES))
    return True


def _drop_element(elements: list[Any], chance: random.Random) -> bool:
    element = chance.choice(elements)
    element.getparent().remove(element)
    return True


def _repeat_element(elements: list[Any], chance: random.Random) -> bool:
    element = chance.choice(elements)
    element.addnext(deepcopy(element))
    return True


def _swap_elements(elements: list[Any], chance: random.Random) -> bool:
    movable = [each for each in elements if isinstance(each.getnext(), etree._Element)]
    if not movable:
        return False
    element = chance.choice(movable)
    element.getnext().addnext(element)
    return True


def _drop_template(elements: list[Any], chance: random.Random) -> bool:
    templates = [each for each in elements if each.tag == f"{HL7}templateId"]
    if not templates:
        return False
    return _drop_element(templates, chance)


def _copy_template(elements: list[Any], chance: random.Random) -> bool:
    templates = [each for each in elements if each.tag == f"{HL7}templateId"]
    if not templates:
        return False
    chance.choice(elements).insert(0, deepcopy(chance.choice(templates)))
    return True


def _rename(elements: list[Any], chance: random.Random) -> bool:
    chance.choice(elements).tag = chance.choice(elements).tag
    return True


def _change_namespace(elements: list[Any], chance: random.Random) -> bool:
    element = chance.choice(elements)
    element.tag = chance.choice(("{urn:other}", "", "{urn:hl7-org:sdtc}")) + etree.QName(element).localname
    return True


def _no_information(elements: list[Any], chance: random.Random) -> bool:
    chance.choice(elements).set("nullFlavor", chance.choice(("UNK", "NA", "NI", "MSK", "NAV", "ZZZ")))
    return True


def _empty_element(elements: list[Any], chance: random.Random) -> bool:
    filled = [each for each in elements if len(each) or each.text]
    element = chance.choice(filled)
    attributes = dict(element.attrib)
    element.clear(keep_tail=True)
    element.attrib.update(attributes)
    return True


def _change_text(elements: list[Any], chance: random.Random) -> bool:
    chance.choice(elements).text = chance.choice(_WORDS)
    return True


def _add_comment(elements: list[Any], chance: random.Random) -> bool:
    chance.choice(elements).insert(0, etree.Comment(" nothing "))
    return True


def _add_attribute(elements: list[Any], chance: random.Random) -> bool:
    names = ("code", "codeSystem", "displayName", "value", "use", "root", "extension", "qualifier", "unit")
    chance.choice(elements).set(chance.choice(names), chance.choice(_WORDS))
    return True


def _move_element(elements: list[Any], chance: random.Random) -> bool:
    element, target = chance.choice(elements), chance.choice(elements)
    if element is target or element in target.iterancestors():
        return False
    target.append(element)
    return True


_MUTATIONS: dict[str, Callable[[list[Any], random.Random], bool]] = {
    "an attribute removed": _drop_attribute,
    "an attribute changed": _change_attribute,
    "an attribute of another": _borrow_attribute,
    "an attribute more": _add_attribute,
    "a code changed": _set("code", ("XYZ", "", "18719-5", "H", "active", "completed")),
    "a system changed": _set("codeSystem", ("2.16.840.1.113883.6.1", "1.2.3", "2.16.840.1.113883.6.96")),
    "a unit changed": _set("unit", _UNITS),
    "a type changed": _set(XSI_TYPE, _TYPES),
    "an oid changed": _set("root", ("1.2.250.1.213.1.4.8", "not an oid", "1.2.250.1.71.4.2.1", "1.2.250.1.71.4.2.2")),
    "a qualifier changed": _set("qualifier", ("SP", "BR", "CL", "BR CL", "")),
    "a date mangled": _mangle_date,
    "an element removed": _drop_element,
    "an element repeated": _repeat_element,
    "an element emptied": _empty_element,
    "an element renamed": _rename,
    "an element moved": _move_element,
    "two elements swapped": _swap_elements,
    "a namespace changed": _change_namespace,
    "no information": _no_information,
    "a template removed": _drop_template,
    "a template more": _copy_template,
    "a text changed": _change_text,
    "a comment": _add_comment,
}


@cache
def _tool() -> ModuleType:
    loader = SourceFileLoader("cisis_validate", str(TOOL))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@cache
def _validator() -> Any:
    return _tool().Validator(CISIS, set(_tool().STEPS), True)


@cache
def _edition() -> str:
    digest = hashlib.sha256(TOOL.read_bytes())
    for path in sorted(each for each in CISIS.rglob("*") if each.is_file()):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def plain_findings(document: bytes, volet: str) -> list[Finding]:
    """Return what the plain official Schematrons find, in order; a family that fails has one finding, `evaluation`."""
    name = hashlib.sha256(f"2 {_edition()} {volet} ".encode() + document).hexdigest()
    kept = CACHE / name[:2] / f"{name}.json"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(_plain_findings(document, volet), ensure_ascii=False), encoding="utf-8")
    return [tuple(each) for each in json.loads(kept.read_text(encoding="utf-8"))]


def translated(volet: str) -> Engine:
    """Return the hub's engine for the official Schematrons, with the reference tool's names of the families."""
    families = dict(_tool().PROFILES) | ({"volet": _tool().VOLETS[volet]} if volet else {})
    return Engine([_family(step, path) for step, path in families.items()])


@cache
def _family(step: str, path: str) -> Family:
    return Family(step, CISIS / path, CISIS)


def translated_findings(engine: Engine, document: bytes) -> list[Finding]:
    """Return what the hub's engine finds, as `plain_findings` says it."""
    root = etree.fromstring(document, etree.XMLParser(huge_tree=True, resolve_entities=False))
    found: list[Finding] = []
    for family, hits in zip(engine.families, engine.check(Document(root)), strict=True):
        assert family.remainder is None
        if hits is None:
            found.append((family.step, "", "evaluation", "", ""))
            continue
        for rule, number, node in hits:
            check = rule.checks[number]
            words = "".join(rule.message(number, node).split())
            found.append((family.step, check.role, " ".join(check.source.split()), _ranks(node), words))
    return sorted(found)


def _ranks(node: Any) -> str:
    """Return the place of an element as the reference tool says it: its rank at each level."""
    ranks: list[str] = []
    while isinstance(node, Node):
        ranks.insert(0, str(1 + [each is node for each in node.parent.elements].index(True)))
        node = node.parent
    return "/".join(ranks)


def _plain_findings(document: bytes, volet: str) -> list[Finding]:
    tool, validator = _tool(), _validator()
    families = dict(tool.PROFILES) | ({"volet": tool.VOLETS[volet]} if volet else {})
    root = etree.fromstring(document, etree.XMLParser(huge_tree=True, resolve_entities=False))
    node = validator.saxon().parse_xml(xml_text=etree.tostring(root, encoding="unicode"))
    found: list[Finding] = []
    for step, schema in families.items():
        try:
            result = validator.executable(schema).transform_to_string(xdm_node=node)
        except Exception as error:
            if type(error).__name__ != "PySaxonApiError":
                raise
            found.append((step, "", "evaluation", "", ""))
            continue
        for hit in etree.fromstring(result.encode(), etree.XMLParser(huge_tree=True)):
            words = "".join("".join(map(str, hit.itertext())).split())
            test = " ".join((hit.get("test") or "").split())
            found.append((step, (hit.get("role") or "").lower(), test, hit.get("at") or "", words))
    return sorted(found)
