"""Which chapter a battery belongs to."""

from cda_builder.core.context import Context
from labohub.contracts.laboratory import Battery
from labohub.standards.cda import Coded
from labohub.standards.cda.names import LOINC
from labohub.standards.cda.tables import labels

# HL7 table 0074 (diagnostic service section) to the chapters of biology; what is absent takes the laboratory's default
_CHAPTERS = {
    "CH": "18719-5",
    "HM": "18723-7",
    "MB": "18725-2",
    "MCB": "18725-2",
    "MYC": "18725-2",
    "PAR": "18725-2",
    "VR": "18725-2",
    "SR": "18727-8",
    "IMM": "18727-8",
    "BLB": "18717-9",
    "GE": "26435-8",
    "CG": "26435-8",
    "TX": "18728-6",
    "BG": "18767-4",
    "ICU": "18719-5",
    "CUS": "26436-6",
    "CP": "27898-6",
    "SP": "27898-6",
}
_TITLES = {"18727-8": "Sérologie, immunologie"}  # LOINC's "serology studies" is wider than its French label


def chapter_code(battery: Battery, context: Context) -> Coded:
    """Return the chapter of a battery: by the laboratory's catalogue, by OBR-24, else the laboratory's default."""
    codes = [battery.code, *(each.local_code for each in battery.results)]
    exams = (context.exam(code) for code in codes)
    code = next((exam.chapter for exam in exams if exam and exam.chapter), "")
    code = code or _CHAPTERS.get(battery.section, context.profile.default_chapter)
    return chapter_named(code)


def chapter_named(code: str) -> Coded:
    """Return a chapter by its code. Raises: KeyError for a code that is no chapter."""
    return Coded(code, LOINC, labels("chapters")[code], "LOINC")


def chapter_title(code: Coded) -> str:
    """Return the title that readers see."""
    return _TITLES.get(code.code, code.label)
