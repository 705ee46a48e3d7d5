"""What translated expressions call while they run: comparisons, functions and the errors of XPath 2.0.

Items are nodes of `tree`, or Python values: str, int, float, bool, a pair (namespace, local name), a `Moment`. A node
taken as a value is *untyped*: beside a number it is read as one, elsewhere it is its text.
Source: W3C, XQuery 1.0 and XPath 2.0 Functions and Operators, second edition.
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import product
from math import isnan
from typing import Any, NoReturn
from urllib.parse import quote

from cda_builder.adapters.official.xpath.syntax import NotTranslatable
from cda_builder.adapters.official.xpath.tree import Attribute, Document, Node, Text, in_order

_NODES = (Node, Attribute, Text, Document)
_SPACE = r" \t\r\n"
_SPACES = re.compile(r"[ \t\r\n]+")
_INTEGER = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|-?INF|NaN")
_DATE_TIME = re.compile(
    r"(-?(?:[1-9]\d{3,}|0\d{3}))-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII
)
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class EvaluationFailed(Exception):
    """An expression has no value for this document: the standard's dynamic and type errors."""


def fail(reason: str = "no value") -> NoReturn:
    """Raise the error of an expression without value."""
    raise EvaluationFailed(reason)


def atom(item: Any) -> Any:
    """Return an item as a value."""
    return item.string() if isinstance(item, _NODES) else item


def atoms(items: Iterable[Any]) -> list[Any]:
    """Return items as values."""
    return [atom(item) for item in items]


def one_text(items: Sequence[Any]) -> str:
    """Return the text of at most one item; the empty text for none. Raises: EvaluationFailed for more."""
    if not items:
        return ""
    return written(atom(items[0])) if len(items) == 1 else fail("more than one item")


def one_or_none(items: Sequence[Any]) -> Any:
    """Return at most one item, or None. Raises: EvaluationFailed for more."""
    if not items:
        return None
    return items[0] if len(items) == 1 else fail("more than one item")


def written(value: Any) -> str:
    """Return a value as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    return str(value)


def truth(items: Sequence[Any]) -> bool:
    """Return the effective boolean value."""
    if not items:
        return False
    first = items[0]
    if isinstance(first, _NODES):
        return True
    if len(items) > 1:
        fail("no truth of several values")
    if isinstance(first, tuple | Moment):
        fail("no truth of such a value")
    return bool(first) and not _is_nan(first)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and isnan(value)


def number(value: Any) -> float:
    """Return a value as `number()` does: NaN where it is none."""
    try:
        return as_number(value) if value is not None else float("nan")
    except EvaluationFailed:
        return float("nan")


def as_number(value: Any) -> float:
    """Return a value as a double. Raises: EvaluationFailed."""
    if isinstance(value, int | float):
        return value
    text = value.strip(" \t\r\n") if isinstance(value, str) else ""
    if not _NUMBER.fullmatch(text):
        fail("not a number")
    return float(text)


def compare(sign: str, left: Sequence[Any], right: Sequence[Any]) -> bool:
    """Return whether a general comparison holds between some item of each side."""
    return any(_compared(sign, a, b) for a in left for b in right)


def _compared(sign: str, left: Any, right: Any) -> bool:
    left_untyped, right_untyped = isinstance(left, _NODES), isinstance(right, _NODES)
    a, b = atom(left), atom(right)
    if left_untyped and not right_untyped:
        a = _cast_like(a, b)
    elif right_untyped and not left_untyped:
        b = _cast_like(b, a)
    return _checked(sign, a, b)


def _cast_like(text: str, value: Any) -> Any:
    if isinstance(value, bool):
        if text.strip() not in ("true", "false", "1", "0"):
            fail("not a boolean")
        return text.strip() in ("true", "1")
    if isinstance(value, int | float):
        return as_number(text)
    if isinstance(value, Moment):
        return moment(text)
    return text


def _checked(sign: str, a: Any, b: Any) -> bool:
    numbers = isinstance(a, int | float), isinstance(b, int | float)
    if numbers[0] != numbers[1] or (not numbers[0] and type(a) is not type(b)):
        fail("values of different kinds")
    return _OPERATORS[sign](a, b)


def compare_values(sign: str, left: Sequence[Any], right: Sequence[Any]) -> bool:
    """Return whether `eq`, `lt`… holds between single values: untyped ones are texts; false where one is missing."""
    a, b = atom(one_or_none(left)), atom(one_or_none(right))
    return False if a is None or b is None else _checked(sign, a, b)


def some_equal(left: Sequence[str], right: Sequence[str]) -> bool:
    """Return whether two lists of texts share one."""
    return any(each in right for each in left)


def some_differ(left: Sequence[str], right: Sequence[str]) -> bool:
    """Return whether some text of one list is not some text of the other."""
    return any(a != b for a in left for b in right)


def arithmetic(sign: str, left: Sequence[Any], right: Sequence[Any]) -> list[float]:
    """Return the result as a list of at most one number."""
    a, b = atom(one_or_none(left)), atom(one_or_none(right))
    if a is None or b is None:
        return []
    x, y = as_number(a), as_number(b)
    if sign in ("div", "idiv", "mod") and y == 0:
        fail("division by zero")
    results: dict[str, Callable[[], float]] = {
        "+": lambda: x + y,
        "-": lambda: x - y,
        "*": lambda: x * y,
        "div": lambda: x / y,
        "idiv": lambda: int(x / y),
        "mod": lambda: x - y * int(x / y),
    }
    return [results[sign]()]


def substring(text: str, start: float, length: float | None = None) -> str:
    """Return the part of a text: positions are counted from 1 and rounded."""
    first = _rounded(start)
    last = float("inf") if length is None else first + _rounded(length)
    return "".join(each for place, each in enumerate(text, 1) if first <= place < last)


def _rounded(value: float) -> float:
    return value if _is_nan(value) else float((value + 0.5) // 1)


def normalized(text: str) -> str:
    """Return a text without spaces at its ends, and single ones inside."""
    return _SPACES.sub(" ", text).strip(" ")


@lru_cache(1024)
def pattern(text: str, flags: str = "") -> re.Pattern[str]:
    """Return a regular expression of XPath as Python writes it. Raises: NotTranslatable."""
    if set(flags) - {"i"} or re.search(r"\\[pPiIcCSwW]|\(\?", text):
        raise NotTranslatable("a regular expression with more than is translated")
    inside, parts = False, []
    for part in re.findall(r"\\.|\^\+\?|.", text, re.DOTALL):
        if part == r"\s":
            parts.append(_SPACE if inside else f"[{_SPACE}]")
        elif inside:
            if part == "[":
                raise NotTranslatable("a class of characters within another")
            inside = part != "]"
            parts.append(part)
        else:
            inside = part == "["
            parts.append({"$": r"\Z", ".": r"[^\n\r]", "^+?": "^"}.get(part, part))
    try:
        return re.compile("".join(parts), re.IGNORECASE if flags else 0)
    except re.error:
        raise NotTranslatable("a regular expression that Python does not read") from None


def matches(text: str, expression: str, flags: str = "") -> bool:
    """Return whether a part of the text fits."""
    return pattern(expression, flags).search(text) is not None


def replaced(text: str, expression: str, by: str) -> str:
    """Return the text with each part that fits replaced; `$1` stands for a group."""
    found = pattern(expression)
    if found.search(""):
        fail("the expression fits the empty text")
    return found.sub(lambda match: re.sub(r"\$(\d)", lambda group: match[int(group[1])] or "", by), text)


def tokens(text: str, expression: str) -> list[str]:
    """Return the parts between what fits; none of an empty text."""
    found = pattern(expression)
    return found.split(text) if text else []


def distinct(values: Iterable[Any]) -> list[Any]:
    """Return each value once."""
    return list(dict.fromkeys(values))


@dataclass(frozen=True, order=True, slots=True)
class Moment:
    """An `xs:dateTime`, in seconds."""

    seconds: float


def moment(text: str) -> Moment:
    """Return an `xs:dateTime`; without offset it is read as UTC. Raises: EvaluationFailed."""
    match = _DATE_TIME.fullmatch(text.strip(" \t\r\n"))
    if match is None:
        fail("not a date and time")
    year, month, day, hour, minute = (int(match[group]) for group in range(1, 6))
    second = float(match[6] + (match[7] or ""))
    offset, sign = match[8] or "Z", -1 if (match[8] or "").startswith("-") else 1
    shift = 0 if offset == "Z" else int(offset[1:3]) * 60 + int(offset[4:6])
    in_range = (hour < 24 and minute < 60 and second < 60) or (hour, minute, second) == (24, 0, 0)
    cycle, rest = divmod(year, 400)  # the calendar repeats, and Python's has no year 0
    try:
        days = date(2000 + rest, month, day).toordinal() + cycle * 146_097
    except ValueError:
        fail("not a date")
    if not in_range or shift > 14 * 60 or (offset != "Z" and int(offset[4:6]) > 59):
        fail("not a time")
    return Moment(days * 86_400 + hour * 3600 + (minute - sign * shift) * 60 + second)


def castable(items: Sequence[Any], kind: str) -> bool:
    """Return whether one item can be read as a type."""
    if len(items) != 1:
        return False
    value = atom(items[0])
    if kind == "xs:integer":
        return not isinstance(value, str) or _INTEGER.fullmatch(value.strip(" \t\r\n")) is not None
    if kind == "xs:dateTime":
        try:
            return bool(moment(value)) if isinstance(value, str) else isinstance(value, Moment)
        except EvaluationFailed:
            return False
    return True  # xs:string, xs:anyURI: any text


def resolved(items: Sequence[Any], element: Any) -> list[tuple[str, str]]:
    """Return `resolve-QName`, as a list of at most one pair."""
    lexical = one_or_none(items)
    if lexical is None:
        return []
    pair = element.expanded(atom(lexical)) if isinstance(element, Node) else None
    return [pair] if pair is not None else fail("a prefix without namespace")


def as_uri(text: str) -> str:
    """Return `iri-to-uri`: what a URI may not hold is escaped."""
    return quote(text, safe="".join(chr(code) for code in range(33, 127) if chr(code) not in '<>"{}|\\^`'))


def picked(items: Sequence[Any], place: int) -> Sequence[Any]:
    """Return the item at a place, counted from 1, as a list of at most one."""
    return items[place - 1 : place]


def filtered(items: Sequence[Any], keep: Callable[[Any], bool]) -> list[Any]:
    """Return the items that a predicate keeps."""
    return [each for each in items if keep(each)]


def without(left: Sequence[Any], right: Sequence[Any]) -> Sequence[Any]:
    """Return the nodes of one side that are not on the other."""
    keys = {each.key for each in right}
    return in_order([each for each in left if each.key not in keys])


def common(left: Sequence[Any], right: Sequence[Any]) -> Sequence[Any]:
    """Return the nodes of both sides."""
    keys = {each.key for each in right}
    return in_order([each for each in left if each.key in keys])


def looked_up(index: Mapping[tuple[str, ...], list[Any]], *wanted: Sequence[str]) -> list[Any]:
    """Return the nodes of an index under some combination of the wanted values."""
    return [node for key in product(*wanted) for node in index.get(key, ())]


def before(text: str, mark: str) -> str:
    """Return `substring-before`."""
    return text.partition(mark)[0] if mark and mark in text else ""


def after(text: str, mark: str) -> str:
    """Return `substring-after`."""
    return text.partition(mark)[2] if mark else text


def translated(text: str, old: str, new: str) -> str:
    """Return `translate`: each character of one list replaced by its peer in the other, or left out."""
    peers = {each: new[place] if place < len(new) else "" for place, each in reversed(list(enumerate(old)))}
    return "".join(peers.get(each, each) for each in text)


def part_of(items: Sequence[Any], place: int) -> str:
    """Return a part of at most one QName: its namespace (0) or its local name (1)."""
    pair = one_or_none(items)
    return "" if pair is None else str(pair[place])


def name_of(items: Sequence[Any], part: str) -> str:
    """Return the name, local name or namespace of at most one node."""
    node = one_or_none(items)
    return "" if node is None else str(getattr(node, part))
