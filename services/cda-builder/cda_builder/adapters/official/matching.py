"""The contexts of rules: which elements they can match, judged by names alone, and what is left to test on each.

The names on the way from the root to an element, its *place*, and its templates decide for most rules whether they can
match. That is worked out once for each place; a document then asks only the predicates that remain.
"""

from dataclasses import dataclass

from cda_builder.adapters.official.xpath.paths import ANYWHERE
from cda_builder.adapters.official.xpath.scope import Scope
from cda_builder.adapters.official.xpath.syntax import (
    ANY,
    Binary,
    ContextItem,
    Expression,
    Literal,
    Name,
    NotTranslatable,
    Path,
    Step,
)
from cda_builder.adapters.official.xpath.translate import Translator

TEMPLATE = "{urn:hl7-org:v3}templateId"


@dataclass(frozen=True, slots=True)
class Link:
    """One step of a context: its name, its predicates, and whether any elements may lie before it."""

    name: Name
    predicates: tuple[Expression, ...]
    after_any: bool


@dataclass(frozen=True, slots=True)
class Context:
    """One alternative of a rule's context, from the left to the element that it matches; no link: the document."""

    links: tuple[Link, ...]

    @property
    def last(self) -> Name:
        """Return the name that the element must have."""
        return self.links[-1].name

    @property
    def template(self) -> str | None:
        """Return a template that the element must declare, if the context wants one."""
        return next((root for each in self.links[-1].predicates if (root := _template(each)) is not None), None)

    def fits(self, names: tuple[str, ...]) -> bool:
        """Return whether an element at these names, from the root on, can match."""
        return self._fits(len(self.links) - 1, names)

    def _fits(self, place: int, names: tuple[str, ...]) -> bool:
        link = self.links[place]
        if not names or not _named(link.name, names[-1]):
            return False
        rest = names[:-1]
        if place == 0:
            return link.after_any or not rest
        if not link.after_any:
            return self._fits(place - 1, rest)
        return any(self._fits(place - 1, rest[:end]) for end in range(len(rest), 0, -1))

    def condition(self, translator: Translator, scope: Scope) -> str:
        """Return source of what is left to test on an element `n` that fits; empty for nothing."""
        return self._condition(len(self.links) - 1, "n", translator, scope, named=True)

    def _condition(self, place: int, node: str, translator: Translator, scope: Scope, *, named: bool) -> str:
        link = self.links[place]
        at_end = place == len(self.links) - 1
        tests = [] if named else [_name_test(link.name, node)]
        for each in link.predicates:
            if not (at_end and _template(each) is not None and _template(each) == self.template):
                tests.append(translator.paths.condition(each, scope.at(node)))
        if place and link.after_any:
            ancestor = translator.fresh("a")
            inner = self._condition(place - 1, ancestor, translator, scope, named=False)
            tests.append(f"any(True for {ancestor} in {node}.ancestors() if {inner or 'True'})")
        elif place:
            tests.append(self._condition(place - 1, f"{node}.parent", translator, scope, named=named))
        return " and ".join(each for each in tests if each)


def contexts(expression: Expression) -> list[Context]:
    """Return the alternatives of a match pattern. Raises: NotTranslatable for attributes, texts, positions."""
    if isinstance(expression, Binary) and expression.operator in ("|", "union"):
        return [*contexts(expression.left), *contexts(expression.right)]
    if not isinstance(expression, Path) or not (expression.start is None or expression.start == "/"):
        raise NotTranslatable("a context that is no path")
    links, after_any = [], expression.start is None
    for step in expression.steps:
        if step == ANYWHERE:
            after_any = True
            continue
        if not isinstance(step, Step) or step.axis != "child" or not isinstance(step.test, Name):
            raise NotTranslatable("a context that is no element")
        if any(isinstance(each, Literal) for each in step.predicates):
            raise NotTranslatable("a context with a position")
        links.append(Link(step.test, step.predicates, after_any))
        after_any = False
    return [Context(tuple(links))]


def _named(test: Name, name: str) -> bool:
    if test.exact:
        return test.key == name
    uri, _, local = name[1:].partition("}") if name[0] == "{" else ("", "", name)
    return test.uri in (ANY, uri) and test.local in (ANY, local)


def _name_test(test: Name, node: str) -> str:
    if test.exact:
        return f"{node}.name == {test.key!r}"
    parts = (("uri", test.uri), ("local", test.local))
    return " and ".join(f"{node}.{part} == {text!r}" for part, text in parts if text != ANY)


def _template(predicate: Expression) -> str | None:
    """Return the root that a predicate `templateId/@root = '…'` or `templateId[@root = '…']` asks for, if it is one."""
    match predicate:
        case Binary(
            "=", Path(start, (*before, Step("child", Name() as name, ()), Step() as root)), Literal(str(value))
        ):
            pass
        case Path(
            start,
            (
                *before,
                Step("child", Name() as name, (Binary("=", Path(None, (Step() as root,)), Literal(str(value))),)),
            ),
        ):
            pass
        case _:
            return None
    here = start in (None, ContextItem()) and not before
    wanted = root == Step("attribute", Name("", "root"))
    return value if here and wanted and name.key == TEMPLATE else None
