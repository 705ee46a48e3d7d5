"""A urine culture with two germs and their antibiograms, an electrophoresis with its curve: results with structure."""

import base64
import struct
import zlib
from typing import Any

from labohub.contracts.laboratory import Attachment, Battery, Code, ParentResult, PreviousResult, Result, Specimen
from tests.support.cda import battery, result

CULTURE = ("CULT", "Culture bactérienne", "630-4", "Bactérie identifiée [Identification] Urine ; Culture")
COUNT = ("NUM", "Numération", "51480-2", "Bactérie [Nombre/Volume] Urine ; Numérique")
COLI = Code(code="112283007", label="Escherichia coli", system="SCT")
FAECALIS = Code(code="EFAE", label="Enterococcus faecalis", system="99LAB")
MIC = "CMI en milieu liquide (EUCAST/CA-SFM 2025)"


def png(width: int = 4, height: int = 3) -> str:
    """Return a grey picture, base64."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes((x * 40 + y * 20) % 256 for x in range(width)) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + data).decode()


def germ(number: str, organism: Code, count: str, *more: Result) -> tuple[Result, ...]:
    """Return what a culture says of one germ: its name, its count, anything more."""
    named = result(
        CULTURE, "", "", value_type="CE", value_code=organism, sub_id=number, flags=("A",), method="MALDI-TOF"
    )
    return (named, result(COUNT, count, "[CFU]/mL", value_type="SN", sub_id=number, flags=("H",)), *more)


def culture(*results: Result, **changes: Any) -> Battery:
    """Return a urine culture: a direct examination, and two germs unless others are given."""
    direct = result(("LEUC", "Leucocytes", "30405-5", "Leucocytes [Nombre/Volume] Urine"), "650", "/uL")
    facts: dict[str, Any] = {
        "code": Code(code="ECBU", label="Examen cytobactériologique des urines", system="99LAB"),
        "loinc": None,
        "filler_number": "L-2-01",
        "section": "MB",
        "specimens": (
            Specimen(
                identifier="T-2",
                nature=Code(code="UR", label="Urine", system="HL70487"),
                collected_at="20260314080500",
                received_at="20260314083000",
                method=Code(code="MIDS", label="Milieu de jet", system="99LAB"),
                body_site=Code(code="64033007", label="Rein", system="SCT"),
                volume="20 mL",
                conditions=("Conservé à température ambiante",),
            ),
        ),
    }
    germs = results or (*germ("1", COLI, ">=^1000000"), *germ("2", FAECALIS, "^10000"))
    return battery(direct, *germs, **{**facts, **changes})


def antibiotic(name: str, value: str, category: str, **changes: Any) -> Result:
    """Return how a germ answers to an antibiotic: a minimal concentration and its category."""
    facts: dict[str, Any] = {"value_type": "SN", "flags": (category,), "method": MIC}
    return result((name[:3].upper(), name, "", ""), value, "mg/L", **{**facts, **changes})


def category_of(name: str, code: str, label: str) -> Result:
    """Return a category alone, written as a coded value."""
    return antibiotic(
        name, "", code, value_type="CE", value_code=Code(code=code, label=label, system="HL70078"), method="Disque"
    )


def antibiogram(number: str, *results: Result, **changes: Any) -> Battery:
    """Return the antibiogram of one germ of `culture()`."""
    facts: dict[str, Any] = {
        "code": Code(code="ATB", label="Antibiogramme", system="99LAB"),
        "loinc": Code(code="18769-0", label="Antibiogramme", system="LN"),
        "filler_number": f"L-2-01{number}",
        "section": "MB",
        "specimens": (),
        "parent": ParentResult(
            code=Code(code="CULT", label="Culture bactérienne", system="99LAB"), sub_id=number, filler_number="L-2-01"
        ),
    }
    given = results or (
        antibiotic("Amoxicilline", ">^8", "R"),
        antibiotic("Gentamicine", "<=^1", "S"),
        antibiotic("Ciprofloxacine", "^0.5", "I"),
        antibiotic("Triméthoprime + sulfaméthoxazole", "^4^:^76", "R"),
        category_of("Vancomycine", "S", "Sensible"),
    )
    return battery(*given, **{**facts, **changes})


def electrophoresis() -> Battery:
    """Return a serum protein electrophoresis: fractions, an earlier one, a curve, a comment."""
    gamma = ("G", "Gammaglobulines", "2874-6", "Gamma globulines [Masse/Volume] Sérum/Plasma ; Numérique")
    earlier = (PreviousResult(value_type="NM", value="19.8", unit="g/L", flags=("H",), observed_at="20251103081500"),)
    curve = result(("EPSI", "Courbe", "", ""), "", "", value_type="ED")
    return battery(
        result(gamma, "22.5", "g/L", reference_range="8.0-13.5", flags=("H",), previous=earlier),
        curve.model_copy(update={"attachment": Attachment(media_type="image/png", data=png())}),
        code=Code(code="EPS", label="Électrophorèse des protéines sériques", system="99LAB"),
        loinc=Code(code="14340-4", label="Electrophorèse des protéines", system="LN"),
        comments=("Pic d'allure monoclonale.",),
    )
