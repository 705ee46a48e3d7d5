"""A document as rules walk it: plain Python nodes, indexed by name, beside the lxml elements they stand for.

lxml makes a proxy for each element at each step; these nodes are made once, and reading them costs a dict look-up.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from lxml import etree

from cda_builder.adapters.official.xpath.leaves import Attribute, Key, Text

_STRING = etree.XPath("string()", smart_strings=False)
_TEXTS = etree.XPath("text()", smart_strings=False)
_NO_KIDS: dict[str, list["Node"]] = {}
_NO_ATTRS: dict[str, str] = {}
_SMALL = 40  # a subtree of fewer nodes is walked, a larger one is looked up by name


class Node:
    """An element."""

    __slots__ = ("attrs", "document", "elements", "end", "kids", "name", "parent", "place", "pos", "source")

    def __init__(self, source: etree._Element, parent: "Node | Document", document: "Document", pos: int) -> None:
        self.source = source
        self.name: str = source.tag
        found: Any = source.items()
        self.attrs: dict[str, str] = dict(found) if found else _NO_ATTRS
        self.parent = parent
        self.document = document
        self.pos = pos
        self.end = pos + 1
        self.elements: Sequence[Node] = ()
        self.kids: dict[str, list[Node]] = _NO_KIDS
        self.place: Any = None

    @property
    def uri(self) -> str:
        """Return the namespace of the name."""
        return self.name[1:].partition("}")[0] if self.name[0] == "{" else ""

    @property
    def local(self) -> str:
        """Return the name without namespace."""
        return self.name.rpartition("}")[2]

    @property
    def qname(self) -> str:
        """Return the name as the document writes it."""
        return f"{self.source.prefix}:{self.local}" if self.source.prefix else self.local

    @property
    def key(self) -> Key:
        """Return the rank in document order."""
        return (self.pos, 0, 0, 0)

    @property
    def up(self) -> "tuple[Node | Document]":
        """Return the parent."""
        return (self.parent,)

    def string(self) -> str:
        """Return all text inside, comments left out."""
        if not len(self.source):
            return self.source.text or ""
        return str(_STRING(self.source))

    def texts(self) -> "list[Text]":
        """Return the text nodes that are children."""
        if not len(self.source):
            return [Text(self, self.source.text, 0)] if self.source.text else []
        found: list[str] = _TEXTS(self.source)  # type: ignore[assignment]
        return [Text(self, str(each), rank) for rank, each in enumerate(found)]

    def attribute(self, name: str) -> "tuple[Attribute, ...]":
        """Return the attribute of a name, as a node."""
        return (Attribute(self, name, self.attrs[name]),) if name in self.attrs else ()

    def attributes(self) -> "list[Attribute]":
        """Return all attributes, as nodes."""
        return [Attribute(self, name, value) for name, value in self.attrs.items()]

    def inside(self) -> "Sequence[Node]":
        """Return the elements inside, in document order."""
        return self.document.all[self.pos + 1 : self.end]

    def with_inside(self) -> "Sequence[Node]":
        """Return this element and those inside."""
        return self.document.all[self.pos : self.end]

    def descendants(self, name: str) -> "Sequence[Node]":
        """Return the elements of a name inside this one."""
        pos, end, document = self.pos, self.end, self.document
        if end - pos == 1 or name not in document.by_name:
            return ()
        if end - pos < _SMALL:
            return [each for each in document.all[pos + 1 : end] if each.name == name]
        named, places = document.by_name[name], document.places[name]
        return named[bisect_left(places, pos + 1) : bisect_left(places, end)]

    def descendants_called(self, local: str) -> "list[Node]":
        """Return the elements of a local name inside this one, of any namespace."""
        called = self.document.called(local)
        return [each for each in called if self.pos < each.pos < self.end]

    def all_texts(self) -> "list[Text]":
        """Return the text nodes inside, in document order."""
        texts = [text for node in self.with_inside() for text in node.texts()]
        return texts if self.end - self.pos == 1 else sorted(texts, key=_key)

    def ancestors(self) -> "Iterator[Node]":
        """Yield the elements around this one, the nearest first."""
        node = self.parent
        while isinstance(node, Node):
            yield node
            node = node.parent

    def siblings(self, *, following: bool) -> "Sequence[Node]":
        """Return the elements beside this one, after or before it."""
        place = self.parent.elements.index(self)
        return self.parent.elements[place + 1 :] if following else self.parent.elements[:place]

    def expanded(self, lexical: str) -> tuple[str, str] | None:
        """Return a QName as this element's namespaces read it; None for an unknown prefix."""
        prefix, colon, local = lexical.strip().rpartition(":")
        uri = self.source.nsmap.get(prefix or None)
        return None if colon and uri is None else (uri or "", local)

    def path(self) -> str:
        """Return the XPath of this element: names without prefix, ranks among equal names."""
        steps = []
        node: Node | Document = self
        while isinstance(node, Node):
            same = node.parent.kids[node.name]
            steps.append(f"{node.local}[{1 + next(i for i, each in enumerate(same) if each is node)}]")
            node = node.parent
        return "/" + "/".join(reversed(steps))


class Document:
    """The document node, with its index: all elements in order, and those of each name."""

    __slots__ = ("all", "by_name", "elements", "end", "kids", "places", "pos", "source")

    attrs: Mapping[str, str] = _NO_ATTRS
    name = uri = local = qname = ""
    parent = None
    up: tuple[Node, ...] = ()

    def __init__(self, root: etree._Element) -> None:
        self.source = root
        self.all: list[Node] = []
        self.by_name: dict[str, list[Node]] = {}
        self._fill(root)
        self.places = {name: [each.pos for each in nodes] for name, nodes in self.by_name.items()}
        self.pos, self.end = -1, len(self.all)
        top = self.all[0]
        self.elements: Sequence[Node] = (top,)
        self.kids = {top.name: [top]}

    def _fill(self, root: etree._Element) -> None:
        everything, by_name = self.all, self.by_name
        open_nodes: list[tuple[Node, Iterator[etree._Element]]] = []
        top = Node(root, self, self, 0)
        everything.append(top)
        by_name[top.name] = [top]
        open_nodes.append((top, root.iterchildren("*")))  # no comments
        while open_nodes:
            parent, rest = open_nodes[-1]
            source = next(rest, None)
            if source is None:
                open_nodes.pop()
                parent.end = len(everything)
                continue
            node = Node(source, parent, self, len(everything))
            everything.append(node)
            name = node.name
            by_name.setdefault(name, []).append(node)
            if parent.kids is _NO_KIDS:
                parent.kids = {name: [node]}
                parent.elements = [node]
            else:
                parent.kids.setdefault(name, []).append(node)
                parent.elements.append(node)  # type: ignore[attr-defined]
            if len(source):
                open_nodes.append((node, source.iterchildren("*")))

    key: Key = (-1, 0, 0, 0)

    def release(self) -> None:
        """Let go of the nodes: without their parents they end at once, and the collector has nothing to look for."""
        for node in self.all:
            del node.parent, node.document

    def path(self) -> str:
        """Return the XPath of a document."""
        return "/"

    def string(self) -> str:
        """Return all text of the document."""
        return self.all[0].string()

    def texts(self) -> list[Text]:
        """Return nothing: a document holds an element."""
        return []

    def attribute(self, _: str) -> tuple[Attribute, ...]:
        """Return nothing."""
        return ()

    attributes = texts

    def inside(self) -> Sequence[Node]:
        """Return all elements."""
        return self.all

    def with_inside(self) -> "Sequence[Node | Document]":
        """Return the document node and all elements."""
        return [self, *self.all]

    @property
    def document(self) -> "Document":
        """Return this document."""
        return self

    def descendants(self, name: str) -> Sequence[Node]:
        """Return the elements of a name."""
        return self.by_name.get(name, ())

    def called(self, local: str) -> list[Node]:
        """Return the elements of a local name, in document order."""
        names = [name for name in self.by_name if name == local or name.endswith(f"}}{local}")]
        found = [node for name in names for node in self.by_name[name]]
        return found if len(names) < 2 else sorted(found, key=_key)

    descendants_called = called

    def all_texts(self) -> list[Text]:
        """Return the text nodes of the document."""
        return self.all[0].all_texts()


Item: TypeAlias = Node | Attribute | Text | Document


def _key(item: Item) -> Key:
    return item.key


def in_order(items: Sequence[Item]) -> Sequence[Item]:
    """Return nodes in document order, each once."""
    if len(items) < 2:
        return items
    return list({item.key: item for item in sorted(items, key=_key)}.values())
