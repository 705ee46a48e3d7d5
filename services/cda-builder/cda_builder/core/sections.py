"""Which chapter a battery belongs to."""

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


def chapter_code(battery: Battery, default: str) -> Coded:
    """Return the chapter of a battery: by OBR-24, else the laboratory's default."""
    code = _CHAPTERS.get(battery.section, default)
    return Coded(code, LOINC, labels("chapters")[code], "LOINC")


def chapter_title(code: Coded) -> str:
    """Return the title that readers see."""
    return _TITLES.get(code.code, code.label)
