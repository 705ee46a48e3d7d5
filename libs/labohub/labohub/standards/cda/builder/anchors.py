"""Anchors: the ids of the narrative that entries point to."""

from labohub.standards.cda.builder.model import Battery, Chapter, Observation


class Anchors:
    """Gives each thing of one chapter its id: short, unique in the document, the same at each run."""

    def __init__(self, chapter: Chapter, number: int) -> None:
        self._ids: dict[int, str] = {}
        self._comments: dict[tuple[int, str], str] = {}
        exam = 0
        for index, battery in enumerate(chapter.batteries, 1):
            self._ids[id(battery)] = f"c{number}b{index}"
            for observation in battery.observations:
                exam += 1
                self._ids[id(observation)] = f"c{number}r{exam}"
            self._number_comments(battery)

    def _number_comments(self, battery: Battery) -> None:
        for observation in battery.observations:
            for rank, comment in enumerate(observation.comments, 1):
                self._comments[id(observation), comment] = f"{self._ids[id(observation)]}n{rank}"
        for rank, comment in enumerate(battery.comments, 1):
            self._comments[id(battery), comment] = f"{self._ids[id(battery)]}n{rank}"
            if battery.single:  # a lone result carries its battery's comments
                self._comments.setdefault((id(battery.observations[0]), comment), self._comments[id(battery), comment])

    def battery(self, battery: Battery) -> str:
        """Return the anchor of a battery's name."""
        return self._ids[id(battery)]

    def exam(self, observation: Observation) -> str:
        """Return the anchor of an exam's name."""
        return self._ids[id(observation)]

    def value(self, observation: Observation) -> str:
        """Return the anchor of a result's value."""
        return f"{self._ids[id(observation)]}v"

    def method(self, observation: Observation) -> str:
        """Return the anchor of a method."""
        return f"{self._ids[id(observation)]}m"

    def range(self, observation: Observation) -> str:
        """Return the anchor of a reference range."""
        return f"{self._ids[id(observation)]}f"

    def comment(self, of: Battery | Observation, comment: str) -> str:
        """Return the anchor of a comment on a battery or a result."""
        return self._comments[id(of), comment]
