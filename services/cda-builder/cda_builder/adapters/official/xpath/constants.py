"""What no document changes in an expression: value sets, read and indexed once, and regular expressions."""

from itertools import product
from pathlib import Path as File
from typing import TYPE_CHECKING, Any

from lxml import etree

from cda_builder.adapters.official.xpath import failing, functions, moments, texts, values
from cda_builder.adapters.official.xpath.scope import TEXTUAL, Scope, is_constant, kind_of, variables_of, within
from cda_builder.adapters.official.xpath.syntax import (
    Binary,
    Call,
    ContextItem,
    Expression,
    Literal,
    Name,
    Path,
    Step,
)
from cda_builder.adapters.official.xpath.tree import Document, Node

if TYPE_CHECKING:
    from cda_builder.adapters.official.xpath.translate import Translator


_TEXT = "text()"
_MAX_ADDRESSES = 1000


class Library:
    """The documents that rules open, below one folder."""

    def __init__(self, base: File, folder: File) -> None:
        """`base` is where relative addresses begin; nothing outside `folder` is read."""
        self._base, self._folder = base, folder.resolve()
        self._documents: dict[File, Document] = {}
        self._files: dict[str, File | None] = {}

    def has(self, address: str) -> bool:
        """Return whether a document is there."""
        return self._file(address) is not None

    def documents(self, address: str) -> list[Document]:
        """Return the document at an address, in a list. Raises: EvaluationFailed."""
        file = self._file(address)
        if file is None:
            failing.fail("a document that is not there")
        if file not in self._documents:
            parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
            try:
                self._documents[file] = Document(etree.parse(str(file), parser).getroot())
            except (OSError, etree.XMLSyntaxError):
                failing.fail("a document that cannot be read")
        return [self._documents[file]]

    def _file(self, address: str) -> File | None:
        if address not in self._files:
            if len(self._files) >= _MAX_ADDRESSES:  # a rule may build addresses from what a document says
                self._files.clear()
            self._files[address] = self._resolved(address)
        return self._files[address]

    def _resolved(self, address: str) -> File | None:
        try:
            file = (self._base / address).resolve()
            return file if file.is_relative_to(self._folder) and file.is_file() else None
        except (OSError, ValueError):
            return None


class Constants:
    """Names of values in the namespace in which translated source runs."""

    def __init__(self, library: Library) -> None:
        self.namespace: dict[str, Any] = {
            name: value
            for module in (failing, texts, moments, values)
            for name, value in vars(module).items()
            if not name.startswith("_")
        }
        self._known: dict[Any, str] = {}
        self.library = self.keep(library)

    def keep(self, value: Any) -> str:
        """Return the name of a value."""
        name = f"K{len(self.namespace)}"
        self.namespace[name] = value
        return name

    def value_of(self, t: "Translator", expression: Expression, scope: Scope) -> str:
        """Return source of the items of a constant expression, evaluated now; of its error where it has none."""
        key = (expression, tuple(sorted((name, scope.variables[name].python) for name in variables_of(expression))))
        if key not in self._known:
            bare = Scope(item=None, variables=scope.variables)
            match expression:
                case Path():
                    source = t.paths.items(expression, bare)
                case Call():
                    source = functions.items(t, expression, bare)
                case _:
                    source = t.items(expression, bare)
            try:
                self._known[key] = self.keep(list(eval(source, self.namespace)))  # noqa: S307 - source of our own
            except failing.EvaluationFailed:
                self._known[key] = "fail('a document that is not there')"
        return self._known[key]

    def atoms_of(self, name: str) -> str:
        """Return source of the values of constant items."""
        if name not in self.namespace:
            return f"atoms({name})"
        if ("atoms", name) not in self._known:
            self._known["atoms", name] = self.keep(values.atoms(self.namespace[name]))
        return self._known["atoms", name]

    def set_of(self, t: "Translator", expression: Expression, scope: Scope) -> str:
        """Return source of the set of values of a constant expression."""
        name = self.value_of(t, expression, scope)
        if name not in self.namespace:
            return name
        if ("set", name) not in self._known:
            self._known["set", name] = self.keep(frozenset(values.atoms(self.namespace[name])))
        return self._known["set", name]

    def prefix(self, t: "Translator", path: Path, scope: Scope) -> tuple[str, tuple[Step | Expression, ...]] | None:
        """Return source of the nodes at the constant beginning of a path, and the steps that remain; None without one.

        Where the step that follows picks nodes by equality with variables, they are looked up in an index.
        """
        if not isinstance(path.start, Call) or not is_constant(path.start, scope) or is_constant(path, scope):
            return None
        length = max(each for each in range(len(path.steps)) if is_constant(Path(path.start, path.steps[:each]), scope))
        step, rest = path.steps[length], path.steps[length + 1 :]
        if not isinstance(step, Step) or any(isinstance(each, Literal) for each in step.predicates):
            return None
        nodes = self.value_of(t, Path(path.start, (*path.steps[:length], Step(step.axis, step.test))), scope)
        wanted = [_keyed(each, scope) for predicate in step.predicates for each in _conjuncts(predicate)]
        keys = [each for each in wanted if each is not None]
        if nodes not in self.namespace or len(keys) != len(wanted):
            return nodes, (Step("self", "node()", step.predicates), *rest)
        index = self._index(nodes, tuple(key for key, _ in keys))
        return f"looked_up({index}, {', '.join(t.atoms(other, scope) for _, other in keys)})", rest

    def _index(self, nodes: str, keys: tuple[str, ...]) -> str:
        if ("index", nodes, keys) not in self._known:
            index: dict[tuple[str, ...], list[Node]] = {}
            for node in self.namespace[nodes]:
                for values_of_node in product(*(_values(node, key) for key in keys)):
                    index.setdefault(values_of_node, []).append(node)
            self._known["index", nodes, keys] = self.keep(index)
        return self._known["index", nodes, keys]


def _conjuncts(predicate: Expression) -> list[Expression]:
    if isinstance(predicate, Binary) and predicate.operator == "and":
        return [*_conjuncts(predicate.left), *_conjuncts(predicate.right)]
    return [predicate]


def _keyed(predicate: Expression, scope: Scope) -> tuple[str, Expression] | None:
    """Return the key of `@name = other` or `text() = other`, and the other side, which no node decides."""
    if not isinstance(predicate, Binary) or predicate.operator != "=":
        return None
    for one, other in ((predicate.left, predicate.right), (predicate.right, predicate.left)):
        parts = list(within(other))
        free = not any(isinstance(each, ContextItem | Path | Step) for each in parts)
        match one:
            case Path(None, (Step("attribute", Name() as name, ()),)) if name.exact:
                key = name.key
            case Path(None, (Step("child", "text()", ()),)):
                key = _TEXT
            case _:
                continue
        if free and kind_of(other, scope) in TEXTUAL:
            return key, other
    return None


def _values(node: Node, key: str) -> list[str]:
    if key == _TEXT:
        return [each.value for each in node.texts()]
    return [node.attrs[key]] if key in node.attrs else []
