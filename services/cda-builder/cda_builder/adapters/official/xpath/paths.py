"""Location paths as Python source: one comprehension per path, whose clauses are the steps."""

from typing import TYPE_CHECKING

from cda_builder.adapters.official.xpath.axes import Walk, along
from cda_builder.adapters.official.xpath.scope import (
    MIXED,
    NODES,
    NUMBER,
    STRING,
    Scope,
    is_constant,
    is_single,
    kind_of,
)
from cda_builder.adapters.official.xpath.syntax import (
    ContextItem,
    Expression,
    Filter,
    Literal,
    Name,
    NotTranslatable,
    Path,
    Sequence,
    Step,
    Variable,
)

if TYPE_CHECKING:
    from cda_builder.adapters.official.xpath.translate import Translator

ANYWHERE = Step("descendant-or-self", "node()")
_FROM_ELEMENTS = frozenset({"child", "descendant", "attribute", "self"})  # texts and comments have none of these


class Paths:
    """Writes paths, in each of the views that the translator asks for."""

    def __init__(self, translator: "Translator") -> None:
        self._t = translator

    def attribute_of_item(self, expression: Expression, scope: Scope) -> tuple[str, str] | None:
        """Return the context item and the attribute's name, when a path is just that."""
        match expression:
            case Path(None, (Step("attribute", Name() as name, ()),)) if name.exact and scope.kind == NODES:
                return scope.here(), name.key
        return None

    def exists(self, expression: Expression, scope: Scope) -> str:
        """Return source of whether there is a node."""
        match expression:
            case ContextItem():
                return "True"
            case Variable(name):
                value = scope.value(name)
                return "True" if value.single else value.python
            case Sequence(parts):
                return f"({' or '.join(self._t.truth(each, scope) for each in parts)})"
        if not isinstance(expression, Path | Filter) or is_constant(expression, scope):
            return self._t.items(expression, scope)
        walk = self._walk(expression, scope)
        if walk.tail is not None:
            raise NotTranslatable("the existence of values")
        if not walk.attribute:
            return self._plain_child(walk) or walk.source("1") if walk.clauses else "True"
        found = f"{walk.attribute!r} in {walk.node}.attrs"
        return walk.source("1", found) if walk.clauses else f"({found})"

    def items(self, expression: Expression, scope: Scope) -> str:
        """Return source of the list of nodes, or values, of a path."""
        walk = self._walk(expression, scope)
        if walk.tail is not None:
            each = self._t.fresh("v")
            inner = self._t.items(walk.tail, scope.at(walk.node))
            walk.clauses.append(f"for {each} in {inner}")
            return walk.source(each)
        if walk.attribute:
            each = self._t.fresh()
            walk.clauses.append(f"for {each} in {walk.node}.attribute({walk.attribute!r})")
            walk.node = each
            if len(walk.clauses) == 1:
                return walk.clauses[0].partition(" in ")[2]
        found = self._only_source(walk) or walk.source(walk.node)
        if not walk.clauses:
            return f"[{walk.node}]"
        return found if walk.in_order else f"in_order({found})"

    def count(self, expression: Expression, scope: Scope) -> str:
        """Return source of how many items there are."""
        optional = self.attribute_of_item(expression, scope)
        if optional:
            return f"int({optional[1]!r} in {optional[0]}.attrs)"
        return f"len({self._t.items(expression, scope)})"

    def atoms(self, expression: Expression, scope: Scope) -> str:
        """Return source of the values of nodes."""
        if not isinstance(expression, Path | Filter):
            return f"atoms({self._t.items(expression, scope)})"
        walk = self._walk(expression, scope)
        if walk.tail is not None or not walk.in_order:
            return f"atoms({self.items(expression, scope)})"
        if walk.attribute:
            value, found = f"{walk.node}.attrs[{walk.attribute!r}]", f"{walk.attribute!r} in {walk.node}.attrs"
            return walk.source(value, found) if walk.clauses else f"([{value}] if {found} else [])"
        return walk.source(f"{walk.node}.string()") if walk.clauses else f"[{walk.node}.string()]"

    def tested(self, expression: Expression, scope: Scope, test: str) -> str:
        """Return source of whether some value passes a test, which is false for None."""
        match expression:
            case ContextItem():
                return f"({scope.here()}{'.string()' if scope.kind == NODES else ''} {test})"
            case Variable(name) if scope.value(name).single:
                known = scope.value(name)
                return f"({known.python}{'.string()' if known.kind == NODES else ''} {test})"
        if is_single(expression, scope) and kind_of(expression, scope) == STRING:
            return f"({self._t.text(expression, scope)} {test})"
        if not isinstance(expression, Path | Filter) or is_constant(expression, scope):
            each = self._t.fresh("v")
            return f"[1 for {each} in {self._t.atoms(expression, scope)} if {each} {test}]"
        walk = self._walk(expression, scope)
        if walk.tail is not None:
            each = self._t.fresh("v")
            walk.clauses.append(f"for {each} in {self._t.atoms(walk.tail, scope.at(walk.node))}")
            return walk.source("1", f"{each} {test}")
        value = f"{walk.node}.attrs.get({walk.attribute!r})" if walk.attribute else f"{walk.node}.string()"
        return walk.source("1", f"{value} {test}") if walk.clauses else f"({value} {test})"

    def condition(self, predicate: Expression, scope: Scope) -> str:
        """Return source of a predicate that does not count. Raises: NotTranslatable for one that may."""
        if kind_of(predicate, scope) in (NUMBER, MIXED):
            raise NotTranslatable("a predicate that may be a position")
        return self._t.truth(predicate, scope)

    def _plain_child(self, walk: Walk) -> str:
        """Return a look-up in place of a comprehension, for the children of one name."""
        if len(walk.clauses) == 1 and " if " not in walk.clauses[0]:
            source = self._only_source(walk)
            if source.endswith(", ())") and ".kids.get(" in source and source.count("(") == 2:
                owner, _, name = source.removesuffix(", ())").partition(".kids.get(")
                return f"({name} in {owner}.kids)"
        return ""

    def _only_source(self, walk: Walk) -> str:
        """Return what the only clause runs over, when it has no condition."""
        head = f"for {walk.node} in "
        if len(walk.clauses) == 1 and walk.clauses[0].startswith(head):
            return walk.clauses[0].removeprefix(head)
        return ""

    def _walk(self, expression: Expression, scope: Scope) -> Walk:
        match expression:
            case Filter(base, predicates):
                walk = Walk(self._t.fresh(), many=True, nested=True)
                walk.clauses.append(f"for {walk.node} in {self._t.items(base, scope)}")
                self._keep(walk, predicates, scope, kind_of(base, scope))
                return walk
            case Path(start, steps):
                known = self._t.constants.prefix(self._t, expression, scope)
                if known is not None:
                    walk = Walk(self._t.fresh(), many=True, nested=True)
                    walk.clauses.append(f"for {walk.node} in {known[0]}")
                    steps = known[1]
                elif start is None:
                    walk = Walk(scope.node())
                elif isinstance(start, str):
                    walk = Walk(f"{scope.node()}.document")
                else:
                    walk = self._from(start, scope)
                self._steps(walk, steps, scope)
                return walk
        raise NotTranslatable("not a path")

    def _from(self, base: Expression, scope: Scope) -> Walk:
        if isinstance(base, ContextItem):
            return Walk(scope.node())
        walk = Walk(self._t.fresh(), many=True, nested=True)
        walk.clauses.append(f"for {walk.node} in {self._t.items(base, scope)}")
        return walk

    def _keep(self, walk: Walk, predicates: tuple[Expression, ...], scope: Scope, kind: str) -> None:
        """Add the predicates of a filter on items of a kind."""
        for predicate in predicates:
            if isinstance(predicate, Literal) and isinstance(predicate.value, int):
                source = f"picked({walk.source(walk.node)}, {predicate.value})"
                walk.node = self._t.fresh()
                walk.clauses = [f"for {walk.node} in {source}"]
            else:
                walk.clauses.append(f"if {self.condition(predicate, scope.at(walk.node, kind))}")

    def _steps(self, walk: Walk, steps: tuple[Step | Expression, ...], scope: Scope) -> None:
        anywhere = False
        for place, step in enumerate(steps):
            last = place == len(steps) - 1
            if step == ANYWHERE and not last:
                anywhere = True
                continue
            if not isinstance(step, Step):
                self._expression(walk, step, scope, anywhere=anywhere, last=last)
            elif step.axis == "attribute" and last and isinstance(step.test, Name) and step.test.exact:
                if anywhere:
                    self._move(walk, f"{walk.node}.with_inside()", below=True)
                if step.predicates:
                    self._move(walk, f"{walk.node}.attribute({step.test.key!r})")
                    self._keep_here(walk, step.predicates, scope)
                else:
                    walk.attribute = step.test.key
            else:
                self._step(walk, step, scope, anywhere=anywhere)
            anywhere = False

    def _expression(self, walk: Walk, step: Expression, scope: Scope, *, anywhere: bool, last: bool) -> None:
        if anywhere:
            raise NotTranslatable("any step from any node")
        inner = scope.at(walk.node)
        if kind_of(step, inner) == NODES:
            self._move(walk, self._t.items(step, inner))
            walk.in_order = False
        elif last:
            walk.tail = step
        else:
            raise NotTranslatable("a step from a value")

    def _step(self, walk: Walk, step: Step, scope: Scope, *, anywhere: bool) -> None:
        counted = any(isinstance(each, Literal) for each in step.predicates)
        axis = step.axis
        if anywhere and (axis not in _FROM_ELEMENTS or (axis == "self" and not isinstance(step.test, Name))):
            raise NotTranslatable("a step from texts and comments too")
        if anywhere:
            if axis == "child" and not counted:
                axis = "descendant"
            else:
                self._move(walk, f"{walk.node}.with_inside()", below=True)
        source, test = along(walk.node, axis, step.test)
        if axis in ("parent", "ancestor", "following-sibling", "preceding-sibling"):
            walk.in_order = False
        if not counted:
            self._move(walk, source, below=axis.startswith("descendant"))
            if test:
                walk.clauses.append(f"if {test.format(walk.node)}")
            self._keep_here(walk, step.predicates, scope)
            return
        for predicate in (None, *step.predicates):  # counted: the list of one parent, cut as each predicate says
            each = self._t.fresh()
            if isinstance(predicate, Literal) and isinstance(predicate.value, int):
                source = f"picked({source}, {predicate.value})"
            elif predicate is not None:
                source = f"[{each} for {each} in {source} if {self.condition(predicate, scope.at(each))}]"
            elif test:
                source = f"[{each} for {each} in {source} if {test.format(each)}]"
        self._move(walk, source)

    def _keep_here(self, walk: Walk, predicates: tuple[Expression, ...], scope: Scope) -> None:
        for predicate in predicates:
            walk.clauses.append(f"if {self.condition(predicate, scope.at(walk.node))}")

    def _move(self, walk: Walk, source: str, *, below: bool = False) -> None:
        """Add the clause of a step, and what it does to the order."""
        if walk.nested and walk.many:
            walk.in_order = False
        walk.many = True
        walk.nested = walk.nested or below
        walk.node = self._t.fresh()
        walk.clauses.append(f"for {walk.node} in {source}")
