"""Panels of a general laboratory and figures drawn for one patient."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Analyte:
    """One exam: its code, unit (UCUM), reference interval and how its figures spread."""

    local: str
    name: str
    loinc: str
    label: str
    unit: str
    low: float | None
    high: float | None
    mean: float
    spread: float
    decimals: int = 0


@dataclass(frozen=True, slots=True)
class Panel:
    """Exams ordered together, in one chapter of the report and one section of HL7 table 0074."""

    local: str
    name: str
    chapter: str
    section: str
    specimen: tuple[str, str]
    analytes: tuple[Analyte, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """One result: the figure as the laboratory prints it, and its flag (N, L, H)."""

    analyte: Analyte
    text: str
    flag: str


@dataclass(frozen=True, slots=True)
class Exam:
    """A panel with its figures."""

    panel: Panel
    figures: tuple[Figure, ...]


CHAPTERS = {"18719-5": "Biochimie", "18723-7": "Hématologie", "92895-2": "Endocrinologie"}

_SERUM = "Sérum/Plasma ; Numérique"
_ENZYME = f"[Enzymatique/Volume] {_SERUM}"
IONOGRAM = Panel(
    "IONO", "Ionogramme sanguin", "18719-5", "CH", ("SER", "Sérum"),
    (
        Analyte("NA", "Sodium", "2951-2", f"Sodium [Moles/Volume] {_SERUM}", "mmol/L", 136, 145, 140, 2.2),
        Analyte("K", "Potassium", "2823-3", f"Potassium [Moles/Volume] {_SERUM}", "mmol/L", 3.5, 5.1, 4.2, 0.4, 1),
        Analyte("CL", "Chlorure", "2075-0", f"Chlorure [Moles/Volume] {_SERUM}", "mmol/L", 98, 107, 103, 2.4),
        Analyte("CO2", "Bicarbonates", "1963-8", f"Bicarbonate [Moles/Volume] {_SERUM}", "mmol/L", 22, 29, 25, 1.8),
    ),
)  # fmt: skip
KIDNEY = Panel(
    "REIN", "Fonction rénale", "18719-5", "CH", ("SER", "Sérum"),
    (
        Analyte("UREE", "Urée", "22664-7", f"Urée [Moles/Volume] {_SERUM}", "mmol/L", 2.8, 8.1, 5.6, 1.6, 1),
        Analyte("CREA", "Créatinine", "14682-9", f"Créatinine [Moles/Volume] {_SERUM}", "umol/L", 62, 106, 82, 17),
    ),
)  # fmt: skip
LIVER = Panel(
    "FOIE", "Bilan hépatique", "18719-5", "CH", ("SER", "Sérum"),
    (
        Analyte("ASAT", "ASAT", "1920-8", f"Aspartate aminotransférase {_ENZYME}", "U/L", None, 40, 27, 9),
        Analyte("ALAT", "ALAT", "1742-6", f"Alanine aminotransférase {_ENZYME}", "U/L", None, 41, 29, 11),
        Analyte("GGT", "Gamma-GT", "2324-2", f"Gamma-glutamyltransférase {_ENZYME}", "U/L", None, 60, 36, 18),
    ),
)  # fmt: skip
CRP = Panel(
    "CRP", "Protéine C réactive", "18719-5", "CH", ("SER", "Sérum"),
    (Analyte("CRP", "CRP", "1988-5", f"C Réactive protéine [Masse/Volume] {_SERUM}", "mg/L", None, 5, 4.2, 3.5, 1),),
)  # fmt: skip
THYROID = Panel(
    "THYR", "Bilan thyroïdien", "92895-2", "CH", ("SER", "Sérum"),
    (
        Analyte(
            "TSH", "TSH", "3016-3", f"Thyréostimuline [Arbitraire/Volume] {_SERUM}",
            "m[IU]/L", 0.27, 4.2, 1.9, 1.0, 2,
        ),
        Analyte(
            "T4L", "T4 libre", "14920-3", f"Thyroxine libre [Moles/Volume] {_SERUM}",
            "pmol/L", 12, 22, 16.4, 2.1, 1,
        ),
    ),
)  # fmt: skip
_BLOOD = "Sang ; Numérique ; Comptage automate"
_COUNT = f"[Nombre/Volume] {_BLOOD}"
BLOOD_COUNT = Panel(
    "NFS", "Numération sanguine", "18723-7", "HM", ("BLDV", "Sang veineux"),
    (
        Analyte("GB", "Leucocytes", "6690-2", f"Leucocytes {_COUNT}", "10*9/L", 4, 10, 6.9, 1.7, 2),
        Analyte("GR", "Érythrocytes", "789-8", f"Érythrocytes {_COUNT}", "10*12/L", 3.8, 5.9, 4.8, 0.4, 2),
        Analyte("HB", "Hémoglobine", "718-7", "Hémoglobine [Masse/Volume] Sang ; Numérique", "g/L", 115, 175, 141, 12),
        Analyte(
            "HT", "Hématocrite", "4544-3", f"Hématocrite [Fraction volumique] {_BLOOD}",
            "L/L", 0.34, 0.53, 0.42, 0.03, 3,
        ),
        Analyte("PLQ", "Plaquettes", "777-3", f"Plaquettes {_COUNT}", "10*9/L", 150, 400, 251, 52),
    ),
)  # fmt: skip
ORDERS = (
    (IONOGRAM, KIDNEY),
    (IONOGRAM, KIDNEY, BLOOD_COUNT),
    (CRP, BLOOD_COUNT),
    (LIVER,),
    (THYROID,),
    (IONOGRAM, LIVER, CRP),
    (BLOOD_COUNT,),
    (KIDNEY, THYROID, BLOOD_COUNT),
)


def draw_exam(panel: Panel, random: Random) -> Exam:
    """Return a panel with figures, most of them ordinary."""
    figures = []
    for analyte in panel.analytes:
        value = max(10.0**-analyte.decimals, random.gauss(analyte.mean, analyte.spread))
        text = f"{value:.{analyte.decimals}f}"
        figures.append(Figure(analyte, text, _flag(analyte, float(text))))
    return Exam(panel, tuple(figures))


def _flag(analyte: Analyte, value: float) -> str:
    if analyte.low is not None and value < analyte.low:
        return "L"
    if analyte.high is not None and value > analyte.high:
        return "H"
    return "N"


def reference_range(analyte: Analyte) -> str:
    """Return the reference interval as OBX-7 writes it."""
    if analyte.low is None:
        return f"<{analyte.high:g}"
    return f"{analyte.low:g}-{analyte.high:g}"
