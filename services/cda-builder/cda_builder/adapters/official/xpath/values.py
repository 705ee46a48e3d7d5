"""What translated expressions call while they run: values of items, comparisons, sets of nodes.

Items are nodes of `tree`, or Python values: str, int, float, bool, a pair (namespace, local name), a `Moment`. A node
taken as a value is *untyped*: beside a number it is read as one, elsewhere it is its text.
Source: W3C, XQuery 1.0 and XPath 2.0 Functions and Operators, second edition.
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from math import isnan
from typing import Any

from cda_builder.adapters.official.xpath.failing import EvaluationFailed, fail
from cda_builder.adapters.official.xpath.leaves import Attribute, Text
from cda_builder.adapters.official.xpath.moments import Moment, moment
from cda_builder.adapters.official.xpath.tree import Document, Node, in_order

_NODES = (Node, Attribute, Text, Document)
_INTEGER = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|-?INF|NaN")
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


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


def distinct(values: Iterable[Any]) -> list[Any]:
    """Return each value once."""
    return list(dict.fromkeys(values))


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


def picked(items: Sequence[Any], place: int) -> Sequence[Any]:
    """Return the item at a place, counted from 1, as a list of at most one."""
    return items[place - 1 : place]


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


def part_of(items: Sequence[Any], place: int) -> str:
    """Return a part of at most one QName: its namespace (0) or its local name (1)."""
    pair = one_or_none(items)
    return "" if pair is None else str(pair[place])


def name_of(items: Sequence[Any], part: str) -> str:
    """Return the name, local name or namespace of at most one node."""
    node = one_or_none(items)
    return "" if node is None else str(getattr(node, part))
