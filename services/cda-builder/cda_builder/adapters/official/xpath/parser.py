"""XPath 2.0 read into `syntax`. Recursive descent over tokens, one method per level of precedence."""

import re
from collections.abc import Callable, Mapping

from cda_builder.adapters.official.xpath.syntax import (
    ANY,
    Binary,
    Bound,
    Call,
    Castable,
    ContextItem,
    Expression,
    Filter,
    If,
    Literal,
    Name,
    NotTranslatable,
    Path,
    Sequence,
    Step,
    Variable,
)

_NCNAME = r"[^\W\d][\w.\-]*"
_TOKEN = re.compile(
    rf"""\s*(?:\(:.*?:\)\s*)*(?:
      (?P<number>\d+\.\d*|\.\d+|\d+)
    | (?P<string>"(?:[^"]|"")*"|'(?:[^']|'')*')
    | (?P<name>{_NCNAME}(?::(?!:)(?:{_NCNAME}|\*))?|\*:{_NCNAME})
    | (?P<symbol>//|::|\.\.|!=|<=|>=|<<|>>|[/()\[\],|=<>+\-*.@$])
    )""",
    re.VERBOSE | re.DOTALL,
)
_COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">=", "eq", "ne", "lt", "le", "gt", "ge"})
_AXES = frozenset({"child", "descendant", "descendant-or-self", "self", "attribute", "parent", "ancestor"})
_AXES |= {"following-sibling", "preceding-sibling"}
_KIND_TESTS = frozenset({"text", "node", "element"})
_ANYWHERE = Step("descendant-or-self", "node()")
FUNCTIONS = "http://www.w3.org/2005/xpath-functions"
XS = "http://www.w3.org/2001/XMLSchema"


def parse(text: str, namespaces: Mapping[str, str]) -> Expression:
    """Return an expression. Raises: NotTranslatable for what is not XPath 2.0 or not read here."""
    reader = _Reader(_tokens(text), namespaces)
    expression = reader.sequence()
    reader.expect("end", "")
    return expression


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, position, text = [], 0, text.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise NotTranslatable(f"unknown character at {position}")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return [*tokens, ("end", "")]


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]], namespaces: Mapping[str, str]) -> None:
        self._tokens, self._at, self._namespaces = tokens, 0, namespaces

    def _next(self, ahead: int = 0) -> tuple[str, str]:
        return self._tokens[min(self._at + ahead, len(self._tokens) - 1)]

    def _is(self, *words: str, ahead: int = 0) -> bool:
        kind, text = self._next(ahead)
        return kind in ("symbol", "name") and text in words

    def _take(self, *words: str) -> str:
        if not self._is(*words):
            return ""
        self._at += 1
        return self._tokens[self._at - 1][1]

    def expect(self, kind: str, text: str) -> str:
        """Take a token of a kind, and of a text when one is given."""
        found = self._next()
        if found[0] != kind or (text and found[1] != text):
            raise NotTranslatable(f"expected {text or kind}")
        self._at += 1
        return found[1]

    def sequence(self) -> Expression:
        """Return one expression, or several separated by commas."""
        items = [self._single()]
        while self._take(","):
            items.append(self._single())
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _single(self) -> Expression:
        if self._is("for", "some", "every") and self._is("$", ahead=1):
            return self._bound(self._take("for", "some", "every"))
        if self._is("if") and self._is("(", ahead=1):
            self._at += 2
            condition = self.sequence()
            self.expect("symbol", ")")
            self.expect("name", "then")
            yes = self._single()
            self.expect("name", "else")
            return If(condition, yes, self._single())
        return self._left(self._and, "or")

    def _bound(self, word: str) -> Expression:
        self.expect("symbol", "$")
        name = self.expect("name", "")
        self.expect("name", "in")
        domain = self._single()
        if self._take(","):
            return Bound(word, name, domain, self._bound(word))
        self.expect("name", "return" if word == "for" else "satisfies")
        return Bound(word, name, domain, self._single())

    def _left(self, operand: Callable[[], Expression], *operators: str) -> Expression:
        left = operand()
        while operator := self._take(*operators):
            left = Binary(operator, left, operand())
        return left

    def _and(self) -> Expression:
        return self._left(self._comparison, "and")

    def _comparison(self) -> Expression:
        left = self._range()
        operator = self._take(*_COMPARISONS)
        return Binary(operator, left, self._range()) if operator else left

    def _range(self) -> Expression:
        return self._left(lambda: self._left(self._product, "+", "-"), "to")

    def _product(self) -> Expression:
        return self._left(self._union, "*", "div", "idiv", "mod")

    def _union(self) -> Expression:
        return self._left(lambda: self._left(self._cast, "intersect", "except"), "|", "union")

    def _cast(self) -> Expression:
        operand = self._unary()
        if self._take("castable"):
            self.expect("name", "as")
            name = self._qualified(self.expect("name", ""))
            return Castable(operand, name)
        if self._is("instance", "treat", "cast"):
            raise NotTranslatable("instance of, treat as, cast as")
        return operand

    def _unary(self) -> Expression:
        if self._take("-"):
            return Binary("-", Literal(0), self._unary())
        return self._path()

    def _path(self) -> Expression:
        if self._take("//"):
            return Path("/", (_ANYWHERE, *self._steps()))
        if self._take("/"):
            begins = self._next()[0] == "name" or self._is("@", "*", ".", "..")
            return Path("/", self._steps() if begins else ())
        first = self._step()
        if not self._is("/", "//"):
            return Path(None, (first,)) if isinstance(first, Step) else first
        steps = self._more()
        return Path(None, (first, *steps)) if isinstance(first, Step) else Path(first, steps)

    def _steps(self) -> tuple[Step | Expression, ...]:
        return (self._step(), *self._more())

    def _more(self) -> tuple[Step | Expression, ...]:
        steps: list[Step | Expression] = []
        while separator := self._take("/", "//"):
            if separator == "//":
                steps.append(_ANYWHERE)
            steps.append(self._step())
        return tuple(steps)

    def _step(self) -> Expression:
        kind, text = self._next()
        if self._take(".."):
            return Step("parent", "node()", self._predicates())
        if self._take("@"):
            return Step("attribute", self._test("attribute"), self._predicates())
        if kind == "name" and self._is("::", ahead=1):
            if text not in _AXES:
                raise NotTranslatable(f"axis {text}")
            self._at += 2
            return Step(text, self._test(text), self._predicates())
        called = kind == "name" and self._is("(", ahead=1)
        if (kind == "name" and (not called or text in _KIND_TESTS)) or self._is("*"):
            return Step("child", self._test("child"), self._predicates())
        base = self._primary()
        predicates = self._predicates()
        return Filter(base, predicates) if predicates else base

    def _test(self, axis: str) -> Name | str:
        if self._take("*"):
            return Name(ANY, ANY)
        text = self.expect("name", "")
        if self._take("("):
            self.expect("symbol", ")")
            if text not in _KIND_TESTS:
                raise NotTranslatable(f"{text}()")
            return f"{text}()"
        prefix, colon, local = text.partition(":")
        if not colon:
            return Name("", text)
        return Name(ANY if prefix == ANY else self._uri(prefix), local)

    def _predicates(self) -> tuple[Expression, ...]:
        predicates = []
        while self._take("["):
            predicates.append(self.sequence())
            self.expect("symbol", "]")
        return tuple(predicates)

    def _primary(self) -> Expression:
        kind, text = self._next()
        self._at += 1
        if kind == "string":
            return Literal(text[1:-1].replace(text[0] * 2, text[0]))
        if kind == "number":
            return Literal(float(text) if "." in text else int(text))
        if (kind, text) == ("symbol", "$"):
            return Variable(self.expect("name", ""))
        if (kind, text) == ("symbol", "."):
            return ContextItem()
        if (kind, text) == ("symbol", "("):
            if self._take(")"):
                return Sequence(())
            inner = self.sequence()
            self.expect("symbol", ")")
            return inner
        if kind == "name" and self._take("("):
            return Call(self._qualified(text), self._arguments())
        raise NotTranslatable(f"unexpected {text or 'end'}")

    def _arguments(self) -> tuple[Expression, ...]:
        if self._take(")"):
            return ()
        arguments = [self._single()]
        while self._take(","):
            arguments.append(self._single())
        self.expect("symbol", ")")
        return tuple(arguments)

    def _qualified(self, text: str) -> str:
        prefix, colon, local = text.partition(":")
        if not colon:
            return text
        uri = self._uri(prefix)
        if uri == FUNCTIONS:
            return local
        return f"xs:{local}" if uri == XS else f"{{{uri}}}{local}"

    def _uri(self, prefix: str) -> str:
        known = {"xs": XS, "xsi": "http://www.w3.org/2001/XMLSchema-instance", "fn": FUNCTIONS}
        if prefix in self._namespaces:
            return self._namespaces[prefix]
        if prefix == "xml":
            return "http://www.w3.org/XML/1998/namespace"
        if prefix not in known or prefix == "xsi":
            raise NotTranslatable(f"prefix {prefix}")
        return known[prefix]
