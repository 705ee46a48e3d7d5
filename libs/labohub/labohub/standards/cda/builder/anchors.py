"""Anchors: the ids of the narrative that entries point to."""

from labohub.standards.cda.builder.model import Battery, Chapter, Isolate, Observation, Specimen


class Anchors:
    """Gives each thing of one chapter its id: short, unique in the document, the same at each run."""

    def __init__(self, chapter: Chapter, prefix: str) -> None:
        self._ids: dict[int, str] = {}
        self._comments: dict[tuple[int, str], str] = {}
        self._specimens: dict[Specimen, str] = {}
        self._prefix = prefix
        self._exams = 0
        for index, battery in enumerate(chapter.batteries, 1):
            self._number(battery, f"{self._prefix}b{index}")

    def _number(self, battery: Battery, name: str) -> None:
        self._ids[id(battery)] = name
        for observation in battery.observations:
            self._number_exam(observation)
        for rank, comment in enumerate(battery.comments, 1):
            self._comments[id(battery), comment] = f"{name}n{rank}"
            if battery.single:  # a lone result carries its battery's comments
                self._comments.setdefault((id(battery.observations[0]), comment), f"{name}n{rank}")
        for specimen in (*battery.specimens, *(s for o in battery.observations for s in o.specimens)):
            self._specimens.setdefault(specimen, f"{self._prefix}s{len(self._specimens) + 1}")
        for index, isolate in enumerate(battery.isolates, 1):
            self._ids[id(isolate)] = f"{name}i{index}"
            for observation in isolate.observations:
                self._number_exam(observation)
            for rank, antibiogram in enumerate(isolate.antibiograms, 1):
                self._number(antibiogram, f"{name}i{index}a{rank}")

    def _number_exam(self, observation: Observation) -> None:
        self._exams += 1
        name = f"{self._prefix}r{self._exams}"
        self._ids[id(observation)] = name
        for rank, comment in enumerate(observation.comments, 1):
            self._comments[id(observation), comment] = f"{name}n{rank}"

    def battery(self, battery: Battery) -> str:
        """Return the anchor of a battery's name."""
        return self._ids[id(battery)]

    def isolate(self, isolate: Isolate) -> str:
        """Return the anchor of an organism's name."""
        return self._ids[id(isolate)]

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

    def image(self, observation: Observation) -> str:
        """Return the id of a result's image."""
        return f"{self._ids[id(observation)]}i"

    def previous(self, observation: Observation, rank: int) -> str:
        """Return the anchor of an earlier result."""
        return f"{self._ids[id(observation)]}p{rank}"

    def comment(self, of: Battery | Observation, comment: str) -> str:
        """Return the anchor of a comment on a battery or a result."""
        return self._comments[id(of), comment]

    def specimen(self, specimen: Specimen) -> str:
        """Return the anchor of the sentence about a specimen."""
        return self._specimens[specimen]

    @property
    def specimens(self) -> tuple[Specimen, ...]:
        """Return the specimens of the chapter, each once."""
        return tuple(self._specimens)
