"""Random XPath expressions, always the same for a seed, over the names of the document that they are tried on."""

import random
from collections.abc import Iterator

_NAMES = ("c:b", "c:d", "c:t", "c:e", "*", "c:*", "*:b", "o:b", "e", "c:a", "c:z")
_ATTRIBUTES = ("@n", "@x", "@value", "@*", "@o:mark", "@xsi:type")
_PLACES = (".", "..", "self::c:a", "/", "c:b/..", "descendant-or-self::*", "child::c:b", "c:b/text()", ".//text()")
_TEXTS = (
    "normalize-space(%s)",
    "upper-case(%s)",
    "substring(%s,2)",
    "substring(%s,1,2)",
    "concat(%s,'1')",
    "substring-before(%s,'n')",
    "substring-after(%s,'o')",
    "replace(%s,'[a-z]','z')",
    "translate(%s,'on','1')",
)


def expressions(count: int, seed: int) -> Iterator[str]:
    """Yield expressions that have a truth, or fail."""
    writer = _Writer(random.Random(seed))
    for _ in range(count):
        yield writer.truth(3)


class _Writer:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def _one(self, *choices: str) -> str:
        return self._chance.choice(choices)

    def path(self, depth: int) -> str:
        """Return a path."""
        steps = (*_NAMES, *_ATTRIBUTES)
        text = self._one(
            self._one(*_NAMES),
            f"//{self._one(*_NAMES)}",
            f".//{self._one(*_NAMES)}",
            self._one(*_PLACES),
            f"{self._one(*_NAMES)}{self._one('/', '//')}{self._one(*steps)}",
            self._one(*_ATTRIBUTES, "//@n", ".//@x"),
        )
        if text == "/":
            return text
        if depth and self._chance.random() < 0.35:
            text += f"[{self.truth(depth - 1) if self._chance.random() < 0.8 else self._chance.randint(1, 3)}]"
        if self._chance.random() < 0.2:
            text += self._one("/", "//") + self._one(*steps, "..")
        return text

    def text(self, depth: int) -> str:
        """Return an expression whose value is a text."""
        if depth <= 0 or self._chance.random() < 0.3:
            return self._one("'1'", "'2'", "''", "'one'", "'x'", "'six'", "'2026'")
        if self._chance.random() < 0.3:
            return f"string({self.path(depth - 1)}[1])"
        return self._one(*_TEXTS) % self.text(depth - 1)

    def number(self, depth: int) -> str:
        """Return an expression whose value is a number."""
        if depth <= 0 or self._chance.random() < 0.3:
            return str(self._chance.randint(0, 4))
        kinds = (
            f"count({self.path(depth - 1)})",
            f"string-length({self.text(depth - 1)})",
            f"number({self.path(depth - 1)}[1])",
            f"({self.number(depth - 1)} {self._one('+', '-', '*')} {self.number(depth - 1)})",
        )
        return self._one(*kinds)

    def truth(self, depth: int) -> str:
        """Return an expression that is true, false, or fails."""
        if depth <= 0:
            return self.path(0)
        below = depth - 1
        path, sign = self.path(below), self._one("=", "!=", "<", ">=")
        return self._one(
            path,
            f"{path} {sign} {self.text(below)}",
            f"{path} {sign} {self.path(below)}",
            f"{path} {sign} {self.number(below)}",
            f"{self.number(below)} {sign} {self.number(below)}",
            f"not({self.truth(below)})",
            f"({self.truth(below)} {self._one('and', 'or')} {self.truth(below)})",
            f"{self._one('contains', 'starts-with')}({self.text(below)}, {self.text(below)})",
            f"{self._one('every', 'some')} $v in {path} satisfies $v {sign} {self.path(0)}",
            f"({path} | {self.path(below)})",
            f"distinct-values({path}) = {self.text(below)}",
            f"string-join({path}, '') = string-join({self.path(below)}, '')",
        )
