"""The words of an XPath 2.0 expression, as values. Names are resolved: no prefix is left in them.

Source: W3C, XML Path Language (XPath) 2.0, second edition, appendix A.
"""

from dataclasses import dataclass
from typing import TypeAlias

ANY = "*"


class NotTranslatable(Exception):
    """An expression uses more of XPath than is translated: another engine has to evaluate it."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name test; `*` for any namespace or any local name."""

    uri: str
    local: str

    @property
    def key(self) -> str:
        """Return the name as lxml writes it."""
        return f"{{{self.uri}}}{self.local}" if self.uri else self.local

    @property
    def exact(self) -> bool:
        """Return whether the test names one name."""
        return ANY not in (self.uri, self.local)


@dataclass(frozen=True, slots=True)
class Literal:
    """A string or a number."""

    value: str | int | float


@dataclass(frozen=True, slots=True)
class Variable:
    """`$name`."""

    name: str


@dataclass(frozen=True, slots=True)
class ContextItem:
    """`.`."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step along an axis; `test` is a name, `text()`, `node()` or `element()`."""

    axis: str
    test: "Name | str"
    predicates: "tuple[Expression, ...]" = ()


@dataclass(frozen=True, slots=True)
class Path:
    """Steps from the context item (`start` None), from the document (`/`), or from an expression."""

    start: "Expression | str | None"
    steps: "tuple[Step | Expression, ...]"


@dataclass(frozen=True, slots=True)
class Filter:
    """A primary expression with predicates."""

    base: "Expression"
    predicates: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; the name without the prefix `fn`, and `xs:…` for constructors."""

    name: str
    arguments: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands of `or`, `and`, a comparison, arithmetic, or an operation on sets of nodes."""

    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class If:
    """`if (condition) then yes else no`."""

    condition: "Expression"
    yes: "Expression"
    no: "Expression"


@dataclass(frozen=True, slots=True)
class Bound:
    """`for`, `some` or `every`: one variable, what it ranges over, and the expression for each value."""

    word: str
    variable: str
    domain: "Expression"
    body: "Expression"


@dataclass(frozen=True, slots=True)
class Sequence:
    """Items between parentheses, separated by commas."""

    items: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Castable:
    """`operand castable as type`."""

    operand: "Expression"
    type: str


Expression: TypeAlias = (
    Literal | Variable | ContextItem | Path | Filter | Call | Binary | If | Bound | Sequence | Castable | Step
)
