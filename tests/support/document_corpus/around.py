"""What surrounds a value: units, ranges, flags, methods, times, names."""

from tests.support.document_corpus.made import MG, MMOL, OTHER, Made, one, oru, spm
from tests.support.ltw_messages import SODIUM, obx, order


def around() -> dict[str, Made]:
    """Return them by name."""
    units = {
        "none": "",
        "text": "G/L",
        "greek mu": "μmol/L",
        "micro": "µmol/L",
        "millimetres": "/mm3",
        "unknown": "furlong/L",
        "printable": "{copies}/mL^copies/mL^UCUM",
        "second only": "^UFC/mL",
        "surface": "mL/min/{1.73_m2}^mL/min/1,73m²^UCUM",
        "index": "{index}",
        "percent": "%",
        "html": "<b>",
        "escaped": "10\\S\\9/L",
        "one": "1",
        "INR": "{INR}",
        "local words": "UA^unités arbitraires^L",
        "long": "mg d'équivalent de fibrinogène par litre",
        "spaces": " mg / L ",
    }
    spans = {
        "range": "136-145",
        "comma": "0,5 - 4,0",
        "negative": "-2.0-3.0",
        "both negative": "-5--2",
        "limit": ">=80",
        "glyph": "≤ 5",
        "men": "F: 12-16",
        "word": "Négatif",
        "two": "1-2 ou 4-5",
        "reverse": "9-3",
        "à": "3 à 5",
        "escaped": "\\X3C\\10",
        "html": "<1 & >0",
        "long": "Carence < 10 ; insuffisance 10-30 ; souhaité 30-60 ; toxique > 150",
        "unit inside": "136 - 145 mmol/L",
        "lower": "> 5",
        "quotes": '""',
    }
    flags = (
        "N",
        "H",
        "L",
        "HH",
        "LL",
        "A",
        "AA",
        "<",
        ">",
        "U",
        "D",
        "B",
        "W",
        "S",
        "I",
        "R",
        "MS",
        "VS",
        "null",
        "H~A",
        "N^^HL70078",
        "H~HH",
        "??",
        "POS",
        "h",
        "H~D",
        "<b>",
        "U~H",
    )
    made = {f"unit {name}": one("NM", "4.2", f6=unit, f7="1-2") for name, unit in units.items()}
    made |= {f"SN unit {name}": one("SN", "<^4.2", f6=units[name], f7="<5") for name in ("unknown", "percent", "INR")}
    made |= {f"range {name}": one("NM", "4.2", f6=MG, f7=span) for name, span in spans.items()}
    made |= {f"range without unit {name}": one("NM", "4.2", f7=spans[name]) for name in ("range", "word", "limit")}
    made |= {f"range of words {name}": one("ST", "Négatif", f7=spans[name]) for name in ("range", "word")}
    made |= {f"flag {flag}": one("NM", "4.2", f6=MG, f8=flag) for flag in flags}
    made |= {
        "method repeated": one("NM", "1", f6=MG, f17="A^Méthode A^99P~B^Méthode B^99P"),
        "method code": one("NM", "1", f6=MG, f17="IMM"),
        "time none": one("NM", "1", f6=MG, f14=""),
        "time date": one("NM", "1", f6=MG, f14="20260314"),
        "time other zone": one("NM", "1", f6=MG, f14="20260314120000+0400"),
        "time hour": one("NM", "1", f6=MG, f14="2026031408"),
        "time summer fold": one("NM", "1", f6=MG, f14="20251026023000"),
        "no validator": one("NM", "1", f6=MG, f16=""),
        "validator without name": one("NM", "1", f6=MG, f16="10000000025^^^^^^^^^^^^RPPS"),
        "local validator": one("NM", "1", f6=MG, f16="TECH7^LEROUX^Zoé"),
        "two validators": oru(
            order(
                "A1",
                "BIL^Bilan^99P",
                obx(1, "NM", SODIUM, "1", f6=MMOL),
                obx(2, "NM", "K^K^99P", "2", f16=OTHER),
                spm(),
            )
        ),
        "LOINC in error": one("NM", "1", "NA^Sodium^99P^2951-3^Faux^LN", f6=MMOL),
        "code without system": one("NM", "1", "XYZ^Sans table"),
        "label only": one("NM", "1", "^Que des mots"),
        "code only": one("NM", "1", "XYZ"),
        "LOINC only": one("NM", "1", "2951-2^Sodium^LN", f6=MMOL),
        "LOINC without label": one("NM", "1", "2951-2^^LN", f6=MMOL),
        "name with html": one("NM", "1", "X^a<b>\\T\\c^99P"),
        "name long": one("NM", "1", f"X^{'Recherche de très nombreuses mutations ' * 5}^99P"),
        "code with marks": one("NM", "1", "A\\T\\B/é %^Marques^99P"),
    }
    return {name: Made(raw) for name, raw in made.items()}
