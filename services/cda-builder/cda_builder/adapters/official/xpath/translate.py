"""XPath to Python source. Each method returns the source of one view of a value: its truth, its items, its text.

Asking for the view that the place needs keeps the source short: `not(@x = 'a')` becomes `not n.attrs.get('x') == 'a'`.
"""

from collections.abc import Sequence as Many
from itertools import count

from cda_builder.adapters.official.xpath import functions
from cda_builder.adapters.official.xpath.constants import Constants
from cda_builder.adapters.official.xpath.paths import Paths
from cda_builder.adapters.official.xpath.scope import (
    BOOLEAN,
    COMPARISONS,
    NODES,
    NUMBER,
    STRING,
    TEXTUAL,
    UNTYPED,
    VALUE_COMPARISONS,
    Scope,
    Value,
    is_constant,
    is_single,
    kind_of,
)
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
    Variable,
)

_TYPES = frozenset({"xs:integer", "xs:dateTime", "xs:anyURI", "xs:string"})


class Translator:
    """Writes Python for the expressions of one schema."""

    def __init__(self, constants: Constants) -> None:
        self.constants = constants
        self.paths = Paths(self)
        self._numbers = count()

    def restart(self) -> None:
        """Begin the names anew, for source that stands alone: equal expressions then have equal source."""
        self._numbers = count()

    def fresh(self, stem: str = "c") -> str:
        """Return a Python name not used yet."""
        return f"{stem}{next(self._numbers)}"

    def truth(self, expression: Expression, scope: Scope) -> str:
        """Return source whose Python truth is the effective boolean value."""
        match expression:
            case Binary("or" | "and" as operator, left, right):
                return f"({self.truth(left, scope)} {operator} {self.truth(right, scope)})"
            case Binary("|" | "union", left, right):
                return f"({self.truth(left, scope)} or {self.truth(right, scope)})"
            case Binary(operator, left, right) if operator in COMPARISONS:
                return self._compared(operator, left, right, scope)
            case Binary(operator, left, right) if operator in VALUE_COMPARISONS:
                return self._value_compared(VALUE_COMPARISONS[operator], left, right, scope)
            case If(condition, yes, no):
                cases = self.truth(yes, scope), self.truth(condition, scope), self.truth(no, scope)
                return "({} if {} else {})".format(*cases)
            case Bound("some" | "every" as word, name, domain, body):
                item, inner, source = self._each(name, domain, scope)
                test = "any" if word == "some" else "all"
                return f"{test}({self.truth(body, inner)} for {item} in {source})"
            case Castable(operand, kind):
                if kind not in _TYPES:
                    raise NotTranslatable(f"castable as {kind}")
                return f"castable({self.items(operand, scope)}, {kind!r})"
            case Sequence(()):
                return "False"
        kind = kind_of(expression, scope)
        if kind == NODES:
            return self.paths.exists(expression, scope)
        if isinstance(expression, Call) and kind == BOOLEAN:
            return functions.truth(self, expression, scope)
        if kind == STRING and is_single(expression, scope):
            return f"({self.text(expression, scope)} != '')"
        return f"truth({self.items(expression, scope)})"

    def items(self, expression: Expression, scope: Scope) -> str:
        """Return source of a list or tuple of items, in order."""
        match expression:
            case Sequence(parts):
                return f"[{', '.join('*' + self.items(each, scope) for each in parts)}]"
            case If(condition, yes, no):
                cases = self.items(yes, scope), self.truth(condition, scope), self.items(no, scope)
                return "({} if {} else {})".format(*cases)
            case Bound("for", name, domain, body):
                item, inner, source = self._each(name, domain, scope)
                result = self.fresh("r")
                return f"[{result} for {item} in {source} for {result} in {self.items(body, inner)}]"
            case Variable(name):
                value = scope.value(name)
                return f"[{value.python}]" if value.single else value.python
            case ContextItem():
                return f"[{scope.here()}]"
        kind = kind_of(expression, scope)
        if is_single(expression, scope):
            return f"[{self.one(kind, expression, scope)}]"
        if is_constant(expression, scope):
            return self.constants.value_of(self, expression, scope)
        return self._many(kind, expression, scope)

    def _many(self, kind: str, expression: Expression, scope: Scope) -> str:
        match expression:
            case Binary("|" | "union", left, right):
                return f"in_order([*{self.items(left, scope)}, *{self.items(right, scope)}])"
            case Binary("except" | "intersect" as operator, left, right):
                helper = "without" if operator == "except" else "common"
                return f"{helper}({self.items(left, scope)}, {self.items(right, scope)})"
            case Binary(operator, left, right) if kind == NUMBER and operator != "to":
                return f"arithmetic({operator!r}, {self.items(left, scope)}, {self.items(right, scope)})"
            case Path() | Filter():
                return self.paths.items(expression, scope)
            case Call():
                return functions.items(self, expression, scope)
        raise NotTranslatable("an expression of a kind not known")

    def atoms(self, expression: Expression, scope: Scope) -> str:
        """Return source of a list of values."""
        if kind_of(expression, scope) != NODES or is_constant(expression, scope):
            source = self.items(expression, scope)
            return source if kind_of(expression, scope) != NODES else self.constants.atoms_of(source)
        return self.paths.atoms(expression, scope)

    def text(self, expression: Expression, scope: Scope) -> str:
        """Return source of the text of at most one item, empty for none."""
        optional = self.paths.attribute_of_item(expression, scope)
        if optional:
            return f"{optional[0]}.attrs.get({optional[1]!r}, '')"
        if expression == ContextItem() and scope.kind == NODES:
            return f"{scope.here()}.string()"
        kind = kind_of(expression, scope)
        if kind == STRING and is_single(expression, scope):
            return self.one(kind, expression, scope)
        return f"one_text({self.items(expression, scope)})"

    def number(self, expression: Expression, scope: Scope) -> str:
        """Return source of a number. Raises: NotTranslatable where it is not certain that there is one."""
        if kind_of(expression, scope) != NUMBER or not is_single(expression, scope):
            raise NotTranslatable("a number that may be missing")
        return self.one(NUMBER, expression, scope)

    def one(self, kind: str, expression: Expression, scope: Scope) -> str:
        """Return source of the one value of an expression that always has one."""
        match expression:
            case Literal(value):
                return repr(value)
            case Variable(name):
                return scope.value(name).python
            case ContextItem():
                return scope.here()
            case If(condition, yes, no):
                cases = self.one(kind, yes, scope), self.truth(condition, scope), self.one(kind, no, scope)
                return "({} if {} else {})".format(*cases)
        if kind == BOOLEAN:
            return f"bool({self.truth(expression, scope)})"
        if isinstance(expression, Call):
            return functions.one(self, expression, scope)
        raise NotTranslatable("a single value of a kind not known")

    def _each(self, name: str, domain: Expression, scope: Scope) -> tuple[str, Scope, str]:
        item = self.fresh("x")
        return item, scope.having(name, Value(item, kind_of(domain, scope), single=True)), self.items(domain, scope)

    def _compared(self, operator: str, left: Expression, right: Expression, scope: Scope) -> str:
        kinds = kind_of(left, scope), kind_of(right, scope)
        if kinds == (NUMBER, NUMBER) and is_single(left, scope) and is_single(right, scope):
            return self._numbers_compared(operator, left, right, scope)
        if operator in ("=", "!=") and set(kinds) <= TEXTUAL:
            return self._texts_compared(operator, left, right, scope)
        if UNTYPED in kinds and not set(kinds) <= TEXTUAL:
            raise NotTranslatable("an untyped value beside a number")
        return f"compare({operator!r}, {self.items(left, scope)}, {self.items(right, scope)})"

    def _numbers_compared(self, operator: str, left: Expression, right: Expression, scope: Scope) -> str:
        sign = "==" if operator == "=" else operator
        return f"({self.number(left, scope)} {sign} {self.number(right, scope)})"

    def _texts_compared(self, operator: str, left: Expression, right: Expression, scope: Scope) -> str:
        for one, other in ((left, right), (right, left)):
            if is_constant(one, scope) and not isinstance(one, Literal | Variable) and operator == "=":
                return self.paths.tested(other, scope, f"in {self.constants.set_of(self, one, scope)}")
            if is_single(one, scope) and kind_of(one, scope) == STRING and kind_of(other, scope) == NODES:
                return self._tested(operator, self.one(STRING, one, scope), other, scope)
        if all(is_single(each, scope) for each in (left, right)):
            sign = "==" if operator == "=" else "!="
            return f"({self.one(STRING, left, scope)} {sign} {self.one(STRING, right, scope)})"
        helper = "some_equal" if operator == "=" else "some_differ"
        return f"{helper}({self.atoms(left, scope)}, {self.atoms(right, scope)})"

    def _tested(self, operator: str, text: str, nodes: Expression, scope: Scope) -> str:
        """Return source of whether some node has, or has not, a text; the text is evaluated first, and once."""
        name = self.fresh("t")
        plain = text.isidentifier() or text[0] in "'\""
        value = text if plain else name
        found = self.paths.tested(nodes, scope, f"== {value}" if operator == "=" else f"not in (None, {value})")
        return found if plain else f"(lambda {name}: {found})({text})"

    def _value_compared(self, operator: str, left: Expression, right: Expression, scope: Scope) -> str:
        sides: Many[Expression] = (left, right)
        if all(kind_of(each, scope) == NUMBER and is_single(each, scope) for each in sides):
            return self._numbers_compared(operator, left, right, scope)
        return f"compare_values({operator!r}, {self.items(left, scope)}, {self.items(right, scope)})"
