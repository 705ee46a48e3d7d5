"""Attributes and text nodes: they hold nothing but a value."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from lxml import etree

if TYPE_CHECKING:
    from cda_builder.adapters.official.xpath.tree import Document, Node

Key: TypeAlias = tuple[int, int, int, int]  # a rank in document order


class Leaf:
    """What attributes and texts have in common: they hold nothing but a value."""

    __slots__ = ("owner", "value")

    kids: "Mapping[str, list[Node]]" = MappingProxyType({})
    attrs: Mapping[str, str] = MappingProxyType({})
    elements: "Sequence[Node]" = ()
    name = uri = local = qname = full = ""
    owner: "Node"
    value: str

    @property
    def parent(self) -> "Node":
        """Return the element that holds it."""
        return self.owner

    @property
    def document(self) -> "Document":
        """Return the document."""
        return self.owner.document

    @property
    def up(self) -> "tuple[Node]":
        """Return the element that holds it."""
        return (self.owner,)

    def string(self) -> str:
        """Return the value."""
        return self.value

    def texts(self) -> "list[Text]":
        """Return nothing."""
        return []

    def attribute(self, _: str) -> "tuple[Attribute, ...]":
        """Return nothing."""
        return ()

    attributes = inside = all_texts = texts
    descendants = descendants_called = attribute

    def with_inside(self) -> "list[Leaf]":
        """Return this node."""
        return [self]


class Attribute(Leaf):
    """An attribute."""

    __slots__ = ("full",)

    def __init__(self, owner: "Node", name: str, value: str) -> None:
        self.owner, self.full, self.value = owner, name, value

    @property
    def key(self) -> Key:
        """Return the rank in document order."""
        return (self.owner.pos, 1, 0, list(self.owner.attrs).index(self.full))

    @property
    def local(self) -> str:  # type: ignore[override]
        """Return the name without namespace."""
        return self.full.rpartition("}")[2]

    @property
    def uri(self) -> str:  # type: ignore[override]
        """Return the namespace of the name."""
        return self.full[1:].partition("}")[0] if self.full[0] == "{" else ""

    @property
    def qname(self) -> str:  # type: ignore[override]
        """Return the name as the document writes it."""
        if not self.uri:
            return self.full
        if self.uri == "http://www.w3.org/XML/1998/namespace":
            return f"xml:{self.local}"
        prefixes = sorted(each or "" for each, uri in self.owner.source.nsmap.items() if uri == self.uri and each)
        return f"{prefixes[0]}:{self.local}" if prefixes else self.local


class Text(Leaf):
    """A text node."""

    __slots__ = ("rank",)

    def __init__(self, owner: "Node", value: str, rank: int) -> None:
        self.owner, self.value, self.rank = owner, value, rank

    @property
    def key(self) -> Key:
        """Return the rank in document order: after the elements that end before it, the deeper text first."""
        before, depth = self.owner.pos, sum(1 for _ in self.owner.ancestors())
        for node in self.owner.elements:
            if _texts_before(self.owner.source, node.source) > self.rank:
                break
            before = node.end - 1
        return (before, 2, -depth, self.rank)


def _texts_before(parent: etree._Element, child: etree._Element) -> int:
    count = 1 if parent.text else 0
    for each in parent:
        if each is child:
            break
        count += 1 if each.tail else 0
    return count
