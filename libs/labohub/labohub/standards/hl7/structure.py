"""Whether segments follow an abstract syntax of HL7: `MSH [{SFT}] PID { OBR [{OBX [{NTE}]}] }`.

`[ ]` may be absent, `{ }` may repeat. Read as an automaton, all ways at once: no guess, no way back, linear in time.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(r"[A-Z][A-Z0-9]{2}|[\[\]{}]")


@dataclass(frozen=True, slots=True)
class Fault:
    """What does not follow. `index` is the segment's, from 0; the number of segments at the end of the message."""

    index: int
    name: str  # the segment found; "" at the end
    expected: tuple[str, ...]
    is_gap: bool  # it would follow if something required stood before it; False: it has no place here


class Grammar:
    """One abstract syntax."""

    def __init__(self, syntax: str) -> None:
        """Raises: ValueError for a syntax whose brackets do not pair."""
        self._steps: list[dict[str, int]] = []  # per state: segment to state
        self._free: list[set[int]] = []  # per state: states reached without a segment
        tokens = _TOKEN.findall(syntax)
        self.names = frozenset(token for token in tokens if len(token) == 3)
        start = self._state()
        end, rest = self._sequence(start, tokens, 0, "")
        if rest != len(tokens):
            raise ValueError("unpaired brackets")
        self._end = end
        self._start = self._closure({start})

    def faults(self, names: Sequence[str]) -> list[Fault]:
        """Return where these segments leave the syntax.

        Reading goes on as if the fewest segments had been missing before the one that does not follow. One that has no
        place further on, or after which nothing would fit, is passed over.
        """
        found = []
        states = self._start
        for index, name in enumerate(names):
            following = self._after(states, name)
            if not following:
                following = self._ahead(states, name)
                if index + 1 < len(names) and self._strays(states, following, names[index + 1]):
                    following = frozenset()
                found.append(Fault(index, name, self._expected(states), is_gap=bool(following)))
            states = following or states
        if self._end not in states:
            found.append(Fault(len(names), "", self._expected(states), is_gap=True))
        return found

    def _strays(self, states: frozenset[int], jumped: frozenset[int], following: str) -> bool:
        """Return True when the next segment goes on from here, and not from where this one would lead."""
        return bool(self._after(states, following)) and not self._after(jumped, following)

    def _after(self, states: Iterable[int], name: str) -> frozenset[int]:
        return self._closure({self._steps[state][name] for state in states if name in self._steps[state]})

    def _ahead(self, states: frozenset[int], name: str) -> frozenset[int]:
        """Return the states after `name` with the fewest segments skipped before it; empty when it never comes."""
        seen = states
        while True:
            states = self._closure({after for state in states for after in self._steps[state].values()}) - seen
            if not states:
                return frozenset()
            if following := self._after(states, name):
                return following
            seen |= states

    def _expected(self, states: Iterable[int]) -> tuple[str, ...]:
        return tuple(sorted({name for state in states for name in self._steps[state]}))

    def _state(self) -> int:
        self._steps.append({})
        self._free.append(set())
        return len(self._steps) - 1

    def _sequence(self, state: int, tokens: Sequence[str], at: int, closing: str) -> tuple[int, int]:
        """Build states from `tokens[at]` to the closing bracket; return the last state and what comes after."""
        while at < len(tokens) and tokens[at] != closing:
            sign = tokens[at]
            if sign in "]}":
                raise ValueError("unpaired brackets")
            if sign in "[{":
                first = self._state()
                self._free[state].add(first)
                last, at = self._sequence(first, tokens, at + 1, "]" if sign == "[" else "}")
                at += 1
                after = self._state()
                self._free[last].add(after)
                if sign == "[":
                    self._free[first].add(after)
                else:
                    self._free[last].add(first)
                state = after
            else:
                after = self._state()
                self._steps[state][sign] = after
                state, at = after, at + 1
        if closing and at == len(tokens):
            raise ValueError("unpaired brackets")
        return state, at

    def _closure(self, states: Iterable[int]) -> frozenset[int]:
        seen: set[int] = set()
        waiting = list(states)
        while waiting:
            state = waiting.pop()
            if state not in seen:
                seen.add(state)
                waiting += self._free[state]
        return frozenset(seen)
