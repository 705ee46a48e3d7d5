"""The laboratory's catalogue: its own codes, and what it says that they are. Nothing is ever matched by likeness."""

from labohub.contracts.values import Value


class Exam(Value):
    """One exam or battery of the laboratory, as its catalogue describes it."""

    system: str = ""  # the name of the code table in messages (OBX-3.3); "": any
    code: str
    label: str = ""
    loinc: str = ""  # "": looked at, and without LOINC
    loinc_label: str = ""
    unit: str = ""  # the unit that results of this exam are expected in, UCUM
    chapter: str = ""  # LOINC code of the discipline
    method: str = ""
    accredited: bool = True


class Catalogue:
    """The exams of one laboratory, by code table and code."""

    def __init__(self, exams: tuple[Exam, ...] = ()) -> None:
        self._exams = {(exam.system, exam.code): exam for exam in exams}

    def find(self, system: str, code: str) -> Exam | None:
        """Return the exam of a code; one given for any table when its own has none."""
        return self._exams.get((system, code)) or self._exams.get(("", code))

    def __len__(self) -> int:
        return len(self._exams)
