"""One schema of official rules, translated: the rules of each pattern, compiled when a document first needs them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

from lxml import etree

from cda_builder.adapters.official.compiler import active_patterns, pattern_name
from cda_builder.adapters.official.matching import Context, contexts
from cda_builder.adapters.official.schema import SCH, RulesUnreadable, read_schema
from cda_builder.adapters.official.xpath.constants import Constants, Library
from cda_builder.adapters.official.xpath.parser import parse
from cda_builder.adapters.official.xpath.scope import Scope, Value, is_constant, is_single, kind_of, variables_of
from cda_builder.adapters.official.xpath.syntax import Expression, Literal, NotTranslatable
from cda_builder.adapters.official.xpath.translate import Translator

if TYPE_CHECKING:
    from cda_builder.adapters.official.saxon import Stylesheet

Hit = tuple["Rule", int, Any]  # the rule, which of its checks, the node
Run = Callable[[Any, list[Hit]], None]
_CHECKS = (f"{SCH}assert", f"{SCH}report")


@dataclass(frozen=True, slots=True)
class Check:
    """An assertion (or a report): its test, its role, and the parts of its message, texts and expressions."""

    test: Expression
    holds: bool  # an assertion must hold, a report must not
    role: str
    message: tuple[str | Expression, ...]
    source: str  # the test as the rules write it


class Rule:
    """A rule of a pattern. `run(node, hits)` adds what is wrong with a node."""

    __slots__ = ("_family", "_messages", "checks", "contexts", "lets", "pattern", "run")

    def __init__(
        self,
        family: "Family",
        pattern: str,
        found: tuple[Context, ...],
        lets: Mapping[str, Expression],
        checks: tuple[Check, ...],
    ) -> None:
        self._family, self.pattern, self.contexts, self.lets, self.checks = family, pattern, found, lets, checks
        self.run: Run = self._first
        self._messages: dict[int, Callable[[Any], str]] = {}

    def _first(self, node: Any, hits: list[Hit]) -> None:
        self.run = self._family.compiled(self)
        self.run(node, hits)

    def message(self, number: int, node: Any) -> str:
        """Return what a check says of a node."""
        if number not in self._messages:
            self._messages[number] = self._family.compiled_message(self, number)
        return self._messages[number](node)


@dataclass(slots=True)
class Pattern:
    """The rules of one pattern, in order: the first that matches a node is the one that speaks."""

    name: str
    rules: list[Rule] = field(default_factory=list)


class Family:
    """The patterns of a schema that are translated, and those that another engine has to run."""

    def __init__(self, step: str, path: Path, folder: Path) -> None:
        """Translate the schema at `path`, in the `folder` of rules. Raises: RulesUnreadable."""
        schema = read_schema(path)
        self.step = step
        self.patterns: list[Pattern] = []
        remainder: list[etree._Element] = []
        self._namespaces = {each.get("prefix", ""): each.get("uri", "") for each in schema.findall(f"{SCH}ns")}
        self._constants = Constants(Library(path.parent, folder))
        self._translator = Translator(self._constants)
        self._parsed: dict[str, Expression] = {}
        self._code: dict[str, CodeType] = {}  # hundreds of rules say the same of other elements
        active = active_patterns(schema)
        lets = [*schema.findall(f"{SCH}let"), *(let for each in active for let in each.findall(f"{SCH}let"))]
        try:
            self._scope = self._globals(lets)
        except NotTranslatable:
            remainder, active = active, []
        for number, pattern in enumerate(active, 1):
            try:
                self.patterns.append(self._pattern(pattern, number))
            except NotTranslatable:
                remainder.append(pattern)
        self.remainder = _stylesheet(schema, remainder, path) if remainder else None

    def _parse(self, text: str) -> Expression:
        if text not in self._parsed:
            self._parsed[text] = parse(text, self._namespaces)
        return self._parsed[text]

    def _globals(self, lets: list[etree._Element]) -> Scope:
        scope = Scope()
        for let in lets:
            value = self._parse(let.get("value", ""))
            if not is_constant(value, scope):
                raise NotTranslatable("a variable of the schema that reads the document")
            name = let.get("name", "")
            if isinstance(value, Literal):
                known = Value(repr(value.value), kind_of(value, scope), True, True, value.value)
            else:
                known = Value(
                    self._constants.value_of(self._translator, value, scope), kind_of(value, scope), False, True
                )
            if scope.variables.get(name, known) != known:
                raise RulesUnreadable(f"variable {name} has two values")
            scope = scope.having(name, known)
        return scope

    def _pattern(self, pattern: etree._Element, number: int) -> Pattern:
        name = pattern_name(pattern, number)
        made = Pattern(name)
        for each in pattern.findall(f"{SCH}rule"):
            lets = {let.get("name", ""): self._parse(let.get("value", "")) for let in each.findall(f"{SCH}let")}
            checks = tuple(self._check(check, each) for check in each if check.tag in _CHECKS)
            rule = Rule(self, name, tuple(contexts(self._parse(each.get("context", "")))), lets, checks)
            self._try(rule)
            made.rules.append(rule)
        return made

    def _try(self, rule: Rule) -> None:
        """Translate all of a rule, so that what cannot be is known before a document comes."""
        scope = self._scope
        for name, value in rule.lets.items():
            kind = kind_of(value, scope)
            if not isinstance(value, Literal):
                self._translator.items(value, scope)
            literal = value.value if isinstance(value, Literal) else None
            scope = scope.having(name, Value("_", kind, is_single(value, scope), False, literal))
        for check in rule.checks:
            self._translator.truth(check.test, scope)
            for part in check.message:
                if not isinstance(part, str):
                    self._translator.items(part, scope)
        for context in rule.contexts:
            if context.links:
                context.condition(self._translator, self._scope)

    def _check(self, check: etree._Element, rule: etree._Element) -> Check:
        test = check.get("test", "")
        role = (check.get("role") or rule.get("role") or "").lower()
        return Check(self._parse(test), check.tag == _CHECKS[0], role, tuple(self._message(check)), test)

    def _message(self, check: etree._Element) -> list[str | Expression]:
        parts: list[str | Expression] = [check.text or ""]
        for part in check:
            if part.tag == f"{SCH}value-of":
                parts.append(self._parse(part.get("select", "")))
            elif part.tag == f"{SCH}name":
                parts.append(self._parse(f"name({part.get('path', '.')})"))
            else:
                parts.append("".join(str(text) for text in part.itertext()))
            parts.append(part.tail or "")
        return parts

    def condition(self, context: Context) -> Callable[[Any], object] | None:
        """Return what tells whether a node that fits by its names matches; None when all do."""
        source = context.condition(self._translator, self._scope)
        if not source:
            return None
        return eval(f"lambda n: {source}", self._constants.namespace)  # type: ignore[no-any-return]  # noqa: S307

    def compiled(self, rule: Rule) -> Run:
        """Return the function of a rule's checks."""
        lines: list[str] = []
        scope, done = self._scope, set[str]()
        self._translator.restart()
        for number, check in enumerate(rule.checks):
            scope = self._bind(rule, check.test, scope, done, lines)
            truth = self._translator.truth(check.test, scope)
            lines.append(f"    if {'not ' if check.holds else ''}({truth}): hits.append((rule, {number}, n))")
        body = "\n".join(lines) or "    pass"
        run: Run = self._function(f"def made(rule):\n  def run(n, hits):\n{_indented(body)}\n  return run\n")(rule)
        return run

    def compiled_message(self, rule: Rule, number: int) -> Callable[[Any], str]:
        """Return the function that words one check."""
        lines: list[str] = []
        scope, done, parts = self._scope, set[str](), []
        for part in rule.checks[number].message:
            if isinstance(part, str):
                parts.append(repr(part))
            else:
                scope = self._bind(rule, part, scope, done, lines)
                parts.append(f"' '.join(map(written, atoms({self._translator.items(part, scope)})))")
        lines.append(f"    return normalized({' + '.join(parts)})")
        message: Callable[[Any], str] = self._function("def made(n):\n" + "\n".join(lines) + "\n")
        return message

    def _bind(self, rule: Rule, expression: Expression, scope: Scope, done: set[str], lines: list[str]) -> Scope:
        """Return the scope with the rule's variables that an expression needs; their source goes to `lines`."""
        for name in rule.lets:  # in the order of the rule: each sees those before it
            if name in done or name not in _needed(rule.lets, expression):
                continue
            done.add(name)
            value = rule.lets[name]
            if isinstance(value, Literal):
                scope = scope.having(name, Value(repr(value.value), kind_of(value, scope), True, True, value.value))
                continue
            single = is_single(value, scope)
            python = self._translator.fresh("v")
            kind = kind_of(value, scope)
            source = self._translator.one(kind, value, scope) if single else self._translator.items(value, scope)
            lines.append(f"    {python} = {source}")
            scope = scope.having(name, Value(python, kind, single))
        return scope

    def _function(self, source: str) -> Any:
        namespace: dict[str, Any] = {}
        if source not in self._code:
            self._code[source] = compile(source, f"<{self.step}>", "exec")
        exec(self._code[source], self._constants.namespace, namespace)  # noqa: S102 - source of our own making
        return namespace["made"]


def _stylesheet(schema: etree._Element, patterns: list[etree._Element], path: Path) -> "Stylesheet":
    from cda_builder.adapters.official.saxon import Stylesheet  # takes hundreds of MB: only where it is needed

    return Stylesheet(schema, patterns, path)


def _needed(lets: Mapping[str, Expression], expression: Expression) -> set[str]:
    """Return the names of the variables that an expression needs, those of its variables included."""
    needed: set[str] = set()
    todo = set(variables_of(expression)) & set(lets)
    while todo:
        name = todo.pop()
        needed.add(name)
        todo |= (variables_of(lets[name]) & set(lets)) - needed
    return needed


def _indented(body: str) -> str:
    return "\n".join(f"  {line}" for line in body.splitlines())
