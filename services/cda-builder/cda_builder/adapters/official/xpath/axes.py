"""Single steps of a path as Python source, and a path under way."""

from dataclasses import dataclass, field

from cda_builder.adapters.official.xpath.syntax import ANY, Expression, Name, NotTranslatable

_ELEMENT = Name(ANY, ANY)


@dataclass(slots=True)
class Walk:
    """A path under way: the clauses so far, the node that they lead to, and what is known of the order."""

    node: str
    clauses: list[str] = field(default_factory=list)
    attribute: str = ""  # the last step is this attribute of `node`, without predicate
    tail: Expression | None = None  # the last step is no step: a value for each node
    many: bool = False
    nested: bool = False
    in_order: bool = True

    def source(self, result: str, *conditions: str) -> str:
        """Return the comprehension."""
        clauses = [*self.clauses, *(f"if {each}" for each in conditions)]
        return f"[{result} {' '.join(clauses)}]"


def along(node: str, axis: str, test: Name | str) -> tuple[str, str]:
    """Return source of the nodes along an axis, and a condition on each (`{}` is the node)."""
    if test == "text()":
        sources = {"child": f"{node}.texts()", "descendant": f"{node}.all_texts()"}
        if axis not in sources:
            raise NotTranslatable(f"text() along {axis}")
        return sources[axis], ""
    if test == "node()" and axis not in ("parent", "self"):
        raise NotTranslatable(f"node() along {axis}")
    name = test if isinstance(test, Name) else _ELEMENT
    if axis in ("child", "descendant") and name.exact:
        return f"{node}.kids.get({name.key!r}, ())" if axis == "child" else f"{node}.descendants({name.key!r})", ""
    if axis == "descendant" and name.local != ANY and name.uri == ANY:
        return f"{node}.descendants_called({name.local!r})", ""
    sources = {
        "child": f"{node}.elements",
        "attribute": f"{node}.attributes()",
        "self": f"({node},)",
        "parent": f"{node}.up",
        "ancestor": f"{node}.ancestors()",
        "descendant": f"{node}.inside()",
        "descendant-or-self": f"{node}.with_inside()",
        "following-sibling": f"{node}.siblings(following=True)",
        "preceding-sibling": f"{node}.siblings(following=False)",
    }
    if axis not in sources:
        raise NotTranslatable(f"axis {axis}")
    element = axis in ("self", "descendant-or-self") and test != "node()"
    return sources[axis], name_test(name, attribute=axis == "attribute") or ("{}.name" if element else "")


def name_test(name: Name, *, attribute: bool) -> str:
    if name.exact:
        return f"{{}}.{'full' if attribute else 'name'} == {_braced(name.key)}"
    if name.uri == ANY:
        return "" if name.local == ANY else f"{{}}.local == {_braced(name.local)}"
    return f"{{}}.uri == {_braced(name.uri)}"


def _braced(text: str) -> str:
    return repr(text).replace("{", "{{").replace("}", "}}")
