"""Which elements the rules of a pattern can match, read from their contexts: the engine then looks at those alone."""

import re
from collections.abc import Iterator

from lxml import etree

from cda_builder.adapters.official.schema import SCH

_NAME = re.compile(r"(?:[A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*|\*|[A-Za-z_][\w.-]*:\*")
_TEMPLATE = re.compile(r"""(?:[A-Za-z]+:)?templateId\s*/\s*@root\s*=\s*["']([\d.]+)["']\s*\]""")
TEMPLATE_KEY = "labohub-by-template"
_OPEN, _CLOSE = "[(", "])"


def candidates(pattern: etree._Element) -> str | None:
    """Return an XPath over all elements that some rule of the pattern can match.

    None when a context ends in anything else than an element: then every node has to be tried.
    """
    paths: dict[str, None] = {}
    for rule in pattern.findall(f"{SCH}rule"):
        for alternative in _split(rule.get("context", ""), "|"):
            path = _path(alternative)
            if path is None:
                return None
            paths[path] = None
    return "//*" if "//*" in paths else " | ".join(paths)


def _path(alternative: str) -> str | None:
    """Return where the elements of one match pattern lie: by name, by template, or under a name."""
    *before, last = _split(alternative, "/")
    name, predicates = _step(last)
    if name is None or name != "*":
        return None if name is None else f"//{name}"
    template = _TEMPLATE.fullmatch(predicates[0]) if predicates else None
    if template:
        return f"key('{TEMPLATE_KEY}', '{template[1]}')"
    parent = _step(before[-1])[0] if before else None
    return f"//{parent}/*" if parent not in (None, "*") else "//*"


def _step(step: str) -> tuple[str | None, list[str]]:
    """Return the element name of a step and its predicates; None for attributes, functions and axes."""
    name, *predicates = (each.strip() for each in _split(step.strip(), "["))
    if not _NAME.fullmatch(name) or not all(each.endswith("]") for each in predicates):
        return None, []
    return name, predicates


def _split(text: str, separator: str) -> Iterator[str]:
    """Yield the parts of an XPath between separators that are outside brackets, parentheses and quotes."""
    depth, quote, start = 0, "", 0
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif depth == 0 and character == separator:
            yield text[start:position]
            start = position + 1
            depth += separator in _OPEN
        elif character in _OPEN:
            depth += 1
        elif character in _CLOSE:
            depth -= 1
    yield text[start:]
