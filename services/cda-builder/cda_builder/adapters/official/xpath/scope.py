"""What an expression being translated can see, and what is known of its value before any document is read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import lru_cache
from typing import Any

from cda_builder.adapters.official.xpath.syntax import (
    Binary,
    Bound,
    Call,
    Castable,
    ContextItem,
    Expression,
    Filter,
    If,
    Literal,
    NotTranslatable,
    Path,
    Sequence,
    Step,
    Variable,
)

NODES, UNTYPED, STRING, NUMBER = "nodes", "untyped", "string", "number"
BOOLEAN, QNAME, MOMENT, MIXED = "boolean", "qname", "moment", "mixed"
TEXTUAL = frozenset({NODES, UNTYPED, STRING})
_BOOLEANS = """not boolean empty exists true false matches contains starts-with ends-with doc-available"""
_STRINGS = """string xs:string concat substring substring-before substring-after normalize-space string-join replace
    translate upper-case lower-case name local-name namespace-uri iri-to-uri local-name-from-QName
    namespace-uri-from-QName tokenize"""
CALLS: Mapping[str, str] = {
    **dict.fromkeys(_BOOLEANS.split(), BOOLEAN),
    **dict.fromkeys(_STRINGS.split(), STRING),
    **dict.fromkeys(("count", "string-length", "number"), NUMBER),
    **dict.fromkeys(("doc", "document"), NODES),
    **dict.fromkeys(("resolve-QName", "QName"), QNAME),
    "xs:dateTime": MOMENT,
}
COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
VALUE_COMPARISONS = {"eq": "=", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


@dataclass(frozen=True, slots=True)
class Value:
    """A variable: its Python name, the kind of its items, and whether it is one value or a list of items."""

    python: str
    kind: str
    single: bool = False
    constant: bool = False
    literal: str | int | float | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """The context item as a Python expression, its kind, and the variables."""

    item: str | None = "n"
    kind: str = NODES
    variables: Mapping[str, Value] = field(default_factory=dict)

    def at(self, item: str, kind: str = NODES) -> "Scope":
        """Return the scope of another context item."""
        return replace(self, item=item, kind=kind)

    def having(self, name: str, value: Value) -> "Scope":
        """Return the scope with one more variable."""
        return replace(self, variables={**self.variables, name: value})

    def value(self, name: str) -> Value:
        """Return a variable. Raises: NotTranslatable."""
        if name not in self.variables:
            raise NotTranslatable(f"variable {name} is not there")
        return self.variables[name]

    def literal(self, expression: "Expression") -> str | int | float | None:
        """Return the value of a literal, or of a variable that stands for one; else None."""
        if isinstance(expression, Variable):
            return self.value(expression.name).literal
        return expression.value if isinstance(expression, Literal) else None

    def here(self) -> str:
        """Return the context item. Raises: NotTranslatable where there is none."""
        if self.item is None:
            raise NotTranslatable("no context item")
        return self.item

    def node(self) -> str:
        """Return the context item, a node. Raises: NotTranslatable."""
        if self.kind != NODES:
            raise NotTranslatable("a step from a value")
        return self.here()


def kind_of(expression: Expression, scope: Scope) -> str:  # noqa: PLR0912 - one case per kind of expression
    """Return the kind of the items of an expression's value."""
    match expression:
        case Literal(value):
            return STRING if isinstance(value, str) else NUMBER
        case Variable(name):
            return scope.value(name).kind
        case ContextItem():
            return scope.kind
        case Path(_, steps):
            last = steps[-1] if steps else None
            return NODES if last is None or isinstance(last, Step) else kind_of(last, scope.at("_"))
        case Filter(base, _):
            return kind_of(base, scope)
        case Call(name, arguments):
            if name in ("data", "distinct-values"):
                kind = kind_of(arguments[0], scope)
                return UNTYPED if kind == NODES else kind
            if name not in CALLS:
                raise NotTranslatable(f"function {name}")
            return CALLS[name]
        case Binary(operator, _, _):
            if operator in ("|", "union", "except", "intersect"):
                return NODES
            return NUMBER if operator in ("+", "-", "*", "div", "idiv", "mod", "to") else BOOLEAN
        case If(_, yes, no):
            return _joined(yes, no, scope=scope)
        case Bound("for", name, domain, body):
            return kind_of(body, scope.having(name, Value("_", kind_of(domain, scope), single=True)))
        case Bound() | Castable():
            return BOOLEAN
        case Sequence(items):
            return _joined(*items, scope=scope)
        case _:
            raise NotTranslatable("a lone step")


def _joined(*expressions: Expression, scope: Scope) -> str:
    kinds = {kind_of(each, scope) for each in expressions if each != Sequence(())}
    return kinds.pop() if len(kinds) == 1 else MIXED


def is_single(expression: Expression, scope: Scope) -> bool:
    """Return whether the value is always exactly one item that is no node."""
    match expression:
        case Literal() | Castable():
            return True
        case Variable(name):
            return scope.value(name).single and scope.value(name).kind != NODES
        case ContextItem():
            return scope.kind != NODES
        case Call(name, _):
            return CALLS.get(name) in (STRING, NUMBER, BOOLEAN) and name != "tokenize"
        case Binary():
            return kind_of(expression, scope) == BOOLEAN
        case Bound(word, _, _, _):
            return word != "for"
        case If(_, yes, no):
            return is_single(yes, scope) and is_single(no, scope)
        case _:
            return False


def within(expression: Any) -> Iterator[Any]:
    """Yield an expression and all parts of it."""
    yield expression
    if is_dataclass(expression):
        for each in fields(expression):
            value = getattr(expression, each.name)
            for part in value if isinstance(value, tuple) else (value,):
                if is_dataclass(part):
                    yield from within(part)


@lru_cache(8192)
def variables_of(expression: Expression) -> frozenset[str]:
    """Return the names of all variables that an expression mentions."""
    return frozenset(each.name for each in within(expression) if isinstance(each, Variable))


def is_constant(expression: Expression, scope: Scope) -> bool:
    """Return whether the value is the same for all documents: built from literals and constants alone."""
    match expression:
        case Literal():
            return True
        case Variable(name):
            return name in scope.variables and scope.variables[name].constant
        case Call(name, arguments):
            return name in ("concat", "doc", "document") and all(is_constant(each, scope) for each in arguments)
        case Path(start, steps) if isinstance(start, Call) and is_constant(start, scope):
            free = {name for step in steps for name in variables_of(step)}
            return all(name in scope.variables and scope.variables[name].constant for name in free)
        case Sequence(items):
            return bool(items) and all(is_constant(each, scope) for each in items)
        case _:
            return False
