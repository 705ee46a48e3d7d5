"""Rules of several families run over one document: each element is asked once what concerns it."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any

from cda_builder.adapters.official.family import Family, Hit, Rule
from cda_builder.adapters.official.matching import TEMPLATE, Context
from cda_builder.adapters.official.xpath.failing import EvaluationFailed
from cda_builder.adapters.official.xpath.tree import Document, Node

_MAX_PLANS = 20_000  # a document with that many different places is nobody's report: the memory starts afresh
_MAX_DEPTH = 98  # a report has some thirty levels: deeper ones cannot be evaluated, as with the plain rules

Condition = Callable[[Any], object] | None
Group = tuple[int, list[tuple[Condition, Rule]]]  # the family, and the rules of one pattern that may match


@dataclass(slots=True)
class Place:
    """The names from the root to some elements, and what concerns the elements there, by the templates they declare."""

    names: tuple[str, ...]
    inside: "dict[str, Place]" = field(default_factory=dict)
    plans: dict[tuple[str, ...], list[Group]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """A context with the rank of its rule: family, pattern, rule."""

    rank: tuple[int, int, int]
    rule: Rule
    context: Context


class Engine:
    """The translated rules that documents of one version are checked by."""

    def __init__(self, families: Sequence[Family]) -> None:
        self.families = families
        self._root = Place(())
        self._count = 0
        self._conditions: dict[tuple[int, Context], Condition] = {}
        self._by_name: defaultdict[str, list[Entry]] = defaultdict(list)
        self._by_template: defaultdict[str, list[Entry]] = defaultdict(list)
        self._anywhere: list[Entry] = []
        self._of_document: list[Group] = []
        for number, family in enumerate(families):
            for place, pattern in enumerate(family.patterns):
                for rank, rule in enumerate(pattern.rules):
                    for context in rule.contexts:
                        self._file(Entry((number, place, rank), rule, context))

    def _file(self, entry: Entry) -> None:
        if not entry.context.links:
            self._of_document.append((entry.rank[0], [(None, entry.rule)]))
        elif entry.context.last.exact:
            self._by_name[entry.context.last.key].append(entry)
        elif entry.context.template is not None:
            self._by_template[entry.context.template].append(entry)
        else:
            self._anywhere.append(entry)

    def check(self, document: Document) -> list[list[Hit] | None]:
        """Return what each family finds; None for one that met a rule without value."""
        hits: list[list[Hit] | None] = [[] for _ in self.families]
        _run(self._of_document, document, hits)
        for node in document.all:
            parent = node.parent
            above: Place = parent.place if isinstance(parent, Node) else self._root
            if len(above.names) > _MAX_DEPTH:
                return [None for _ in self.families]
            node.place = place = above.inside.get(node.name) or self._settle(above, node.name)
            declared = node.kids.get(TEMPLATE)
            templates = tuple([each.attrs.get("root", "") for each in declared]) if declared else ()
            plan = place.plans.get(templates)
            _run(self._plan(place, templates) if plan is None else plan, node, hits)
        return hits

    def _settle(self, above: Place, name: str) -> Place:
        place = above.inside[name] = Place((*above.names, name))
        return place

    def _plan(self, place: Place, templates: tuple[str, ...]) -> list[Group]:
        """Return the rules that may match an element at a place with these templates, by pattern, in order."""
        self._count += 1
        if self._count > _MAX_PLANS:
            self._count, self._root.inside = 0, {}
        filed = [*self._by_name.get(place.names[-1], ()), *self._anywhere]
        for template in set(templates):
            filed += self._by_template.get(template, ())
        fitting = [each for each in filed if each.context.template in (None, *templates)]
        fitting = sorted((each for each in fitting if each.context.fits(place.names)), key=attrgetter("rank"))
        plan = []
        for (family, _), entries in groupby(fitting, key=lambda each: each.rank[:2]):
            rules: list[tuple[Condition, Rule]] = []
            for entry in entries:
                condition = self._condition(family, entry.context)
                rules.append((condition, entry.rule))
                if condition is None:
                    break
            plan.append((family, rules))
        place.plans[templates] = plan
        return plan

    def _condition(self, family: int, context: Context) -> Condition:
        key = (family, context)
        if key not in self._conditions:
            self._conditions[key] = self.families[family].condition(context)
        return self._conditions[key]


def _run(plan: list[Group], node: Any, hits: list[list[Hit] | None]) -> None:
    """Run on a node the first rule that matches, of each pattern."""
    for family, rules in plan:
        found = hits[family]
        if found is None:
            continue
        try:
            for condition, rule in rules:
                if condition is None or condition(node):
                    rule.run(node, found)
                    break
        except EvaluationFailed:
            hits[family] = None
