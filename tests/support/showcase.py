"""Reports as laboratories print them, composed and fictional: what people look at, and what all forms must say."""

import base64
import math
from collections.abc import Mapping
from functools import cache
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw

from cda_builder.core.report import cr_bio
from cda_builder.core.versions import Numbering
from labohub.contracts.laboratory import (
    Attachment,
    Battery,
    Code,
    LaboratoryReport,
    Organisation,
    PreviousResult,
    Professional,
    Result,
    Specimen,
)
from labohub.contracts.values import Identity
from labohub.standards.cda.builder import CrBio
from tests.support.cda import IDENTITY, PROFILE, battery, report_of, result, results_of
from tests.support.microbiology import COLI, antibiogram, antibiotic, culture, germ

LABORATORY = PROFILE.model_copy(
    update={
        "name": "Laboratoire de biologie médicale du Vieux-Port",
        "address": ("3 quai des Essais", "13002 Marseille"),
        "telecoms": ("tel:0400000001", "mailto:contact@lbm-vieux-port.example"),
        "accreditation": "8-0000",
    }
)
ELSEWHERE = Organisation(
    identifier="990000218",
    name="LBM spécialisé des Alpilles",
    address="12 chemin des Amandiers, 13210 Saint-Rémy",
    director=Professional(identifier="10000000033", family_name="ROUMANILLE", given_name="Judith"),
)
_DATES = ("20251103081500", "20250612090000", "20241128074500")


def _exam(
    code: str, label: str, loinc: str, value: str, unit: str, limits: str = "", flag: str = "", **more: Any
) -> Result:
    earlier = more.pop("earlier", ())
    facts: dict[str, Any] = {
        "reference_range": limits,
        "flags": (flag,) if flag else (("N",) if limits else ()),
        "previous": tuple(
            PreviousResult(value_type="NM", value=each, unit=unit, observed_at=at)
            for each, at in zip(earlier, _DATES, strict=False)
        ),
    }
    return result((code, label, loinc, label), value, unit, **{**facts, **more})


def _tube(number: str, nature: str, label: str) -> tuple[Specimen, ...]:
    return (
        Specimen(
            identifier=number,
            nature=Code(code=nature, label=label, system="HL70487"),
            collected_at="20260314080500",
            received_at="20260314083000",
        ),
    )


def _group(name: str, section: str, *results: Result, **more: Any) -> Battery:
    facts: dict[str, Any] = {
        "code": Code(code=name[:6].upper(), label=name, system="99LAB"),
        "loinc": None,
        "section": section,
    }
    return battery(*results, **{**facts, **more})


def biochemistry() -> LaboratoryReport:
    """Return chemistry: earlier results, comments, an exam done elsewhere, one without LOINC, one not done."""
    ions = _group(
        "Ionogramme sanguin",
        "CH",
        _exam(
            "NA",
            "Sodium",
            "2951-2",
            "139",
            "mmol/L",
            "136-145",
            earlier=("141", "140", "138"),
            method="Potentiométrie indirecte",
        ),
        _exam(
            "K",
            "Potassium",
            "2823-3",
            "5.6",
            "mmol/L",
            "3.5-5.1",
            "H",
            earlier=("4.4", "4.2", "4.3"),
            method="Potentiométrie indirecte",
            comments=("Absence d'hémolyse. Résultat contrôlé sur un second tube.",),
        ),
        _exam("CL", "Chlorures", "2075-0", "103", "mmol/L", "98-107", earlier=("104",)),
        _exam("HCO3", "Bicarbonates", "1963-8", "19", "mmol/L", "22-29", "L", earlier=("23",)),
    )
    kidney = _group(
        "Fonction rénale",
        "CH",
        _exam(
            "CREA",
            "Créatinine",
            "14682-9",
            "148",
            "µmol/L",
            "45-84",
            "HH",
            earlier=("131", "122", "98"),
            method="Enzymatique, IDMS",
        ),
        _exam(
            "DFG",
            "Débit de filtration glomérulaire estimé (CKD-EPI 2009)",
            "62238-1",
            "36",
            "mL/min/1,73 m²",
            ">=90",
            "L",
            earlier=("42", "46", "60"),
        ),
        _exam("UREE", "Urée", "22664-7", "11.2", "mmol/L", "2.8-7.2", "H", earlier=("9.8",)),
        comments=("Insuffisance rénale chronique modérée à sévère, stade 3B, en aggravation depuis novembre 2024.",),
    )
    lipids = _group(
        "Exploration d'une anomalie lipidique",
        "CH",
        _exam("CHOL", "Cholestérol total", "14647-2", "5.9", "mmol/L", "<5.0", "H", earlier=("6.3", "6.1")),
        _exam("HDL", "Cholestérol HDL", "14646-4", "1.42", "mmol/L", ">1.30"),
        _exam("TG", "Triglycérides", "14927-8", "1.31", "mmol/L", "<1.70"),
        _exam(
            "LDL",
            "Cholestérol LDL (Friedewald)",
            "39469-2",
            "3.88",
            "mmol/L",
            "selon le risque cardiovasculaire",
            comments=("Risque élevé : objectif inférieur à 1,8 mmol/L (ESC/EAS 2019).",),
        ),
    )
    lone = _group(
        "CRP", "CH", _exam("CRP", "Protéine C réactive (CRP)", "1988-5", "<4.0", "mg/L", "<5.0", value_type="ST")
    )
    elsewhere = _group(
        "Vitamines",
        "CH",
        _exam("VITD", "25-hydroxy-vitamine D2 + D3", "", "21.4", "nmol/L", "75-150", "L", performer=ELSEWHERE),
        _exam(
            "B1",
            "Vitamine B1",
            "",
            "",
            "nmol/L",
            status="X",
            performer=ELSEWHERE,
            comments=("Tube non protégé de la lumière : examen à prescrire de nouveau.",),
        ),
        specimens=_tube("T-3", "PLAS", "Plasma"),
    )
    return results_of(
        ions,
        kidney,
        lipids,
        lone,
        elsewhere,
        conclusion="Hyperkaliémie modérée et acidose métabolique sur insuffisance rénale chronique. "
        "Avis néphrologique souhaitable ; contrôle de la kaliémie sous 48 heures.",
        copies_to=(
            Professional(
                identifier="810000000041", identifier_type="IDNPS", family_name="DELMAS", given_name="Aurélie"
            ),
        ),
    )


def haematology() -> LaboratoryReport:
    """Return a blood count and a coagulation."""
    blood = _tube("T-4", "BLD", "Sang total")
    count = _group(
        "Numération",
        "HM",
        _exam("HEM", "Hématies", "789-8", "3.92", "T/L", "4.00-5.30", "L", earlier=("4.05", "4.31", "4.40")),
        _exam(
            "HB",
            "Hémoglobine",
            "718-7",
            "10.4",
            "g/dL",
            "12.0-16.0",
            "L",
            earlier=("11.2", "12.6", "12.9"),
            method="Spectrophotométrie",
        ),
        _exam("HT", "Hématocrite", "4544-3", "31.8", "%", "35.0-47.0", "L", earlier=("34.5", "37.9", "38.4")),
        _exam("VGM", "Volume globulaire moyen", "787-2", "81.1", "fL", "80.0-100.0", earlier=("85.2", "88.0", "87.3")),
        _exam("LEU", "Leucocytes", "6690-2", "14.82", "G/L", "4.00-10.00", "H", earlier=("7.10", "6.85", "7.40")),
        _exam("PLA", "Plaquettes", "777-3", "412", "G/L", "150-400", "H", earlier=("320", "298")),
        specimens=blood,
    )
    differential = _group(
        "Formule leucocytaire",
        "HM",
        _exam("PNN", "Polynucléaires neutrophiles", "751-8", "11.90", "G/L", "1.80-7.00", "H"),
        _exam("PNE", "Polynucléaires éosinophiles", "711-2", "0.21", "G/L", "0.04-0.50"),
        _exam("LYM", "Lymphocytes", "731-0", "1.86", "G/L", "1.00-4.00"),
        _exam("MON", "Monocytes", "742-7", "0.85", "G/L", "0.20-1.00"),
        _exam("MYE", "Myélémie", "", "Absence", "", value_type="ST"),
        specimens=blood,
        comments=(
            "Lecture au microscope : polynucléose neutrophile sans anomalie morphologique.",
            "Hématies hypochromes.",
        ),
    )
    clotting = _group(
        "Hémostase",
        "HM",
        _exam("TP", "Taux de prothrombine", "5894-1", "88", "%", "70-130", earlier=("92",)),
        _exam("INR", "INR", "6301-6", "1.1", "", "", value_type="NM"),
        _exam("TCA", "TCA, rapport malade/témoin", "3173-2", "1.02", "", "0.80-1.20"),
        _exam("DD", "D-dimères", "48065-7", "620", "µg/L", "<500", "H", status="P"),
        specimens=_tube("T-5", "PLAS", "Plasma"),
    )
    return results_of(count, differential, clotting)


def microbiology() -> LaboratoryReport:
    """Return a urine culture: two germs with their antibiograms."""
    first = germ(
        "1",
        COLI,
        ">=^1000000",
        _exam("BLSE", "Bêta-lactamase à spectre étendu", "", "Absence", "", value_type="ST", sub_id="1"),
    )
    second = germ("2", Code(code="78065002", label="Enterococcus faecalis", system="SCT"), "^10000")
    drugs = (
        antibiotic("Amoxicilline", ">^8", "R"),
        antibiotic(
            "Amoxicilline + acide clavulanique",
            "^16",
            "R",
            comments=("Valable pour les cystites : concentration critique 32 mg/L.",),
        ),
        antibiotic("Céfotaxime", "<=^0.25", "S"),
        antibiotic("Ertapénème", "<=^0.12", "S"),
        antibiotic("Gentamicine", "<=^1", "S"),
        antibiotic("Ciprofloxacine", "^0.5", "I"),
        antibiotic("Triméthoprime + sulfaméthoxazole", "^4^:^76", "R"),
        antibiotic("Fosfomycine", "<=^4", "S"),
        antibiotic("Nitrofurantoïne", "<=^16", "S"),
    )
    others = (
        antibiotic("Amoxicilline", "<=^2", "S"),
        antibiotic("Vancomycine", "^1", "S"),
        antibiotic("Linézolide", "^2", "S"),
    )
    direct = (
        _exam("LEUC", "Leucocytes", "30405-5", "650", "/µL", "<10", "H"),
        _exam("HEMU", "Hématies", "30391-7", "35", "/µL", "<10", "H"),
        _exam(
            "GRAM",
            "Examen direct après coloration de Gram",
            "664-3",
            "Présence de bacilles à Gram négatif",
            "",
            value_type="ST",
        ),
    )
    made = culture(
        *direct,
        *first,
        *second,
        clinical_information="Fièvre à 38,6 °C, douleurs lombaires droites.",
        specimens=_tube("T-2", "UR", "Urine"),
    )
    return results_of(
        made.model_copy(update={"results": made.results[1:]}),
        antibiogram("1", *drugs),
        antibiogram("2", *others),
        conclusion="Bactériurie significative à Escherichia coli, avec leucocyturie : infection urinaire probable. "
        "Enterococcus faecalis à un titre plus faible.",
        patient_instructions=("Consultez votre médecin dans la journée ; ne prenez pas d'antibiotique sans son avis.",),
    )


@cache
def curve() -> str:
    """Return the densitometry of a serum, as an analyser draws it: PNG in base64."""
    wide, high, scale = 620, 220, 2
    picture = Image.new("RGB", (wide * scale, high * scale), "white")
    pen = ImageDraw.Draw(picture)
    peaks = (
        (90, 1.0, 15),
        (205, 0.10, 12),
        (265, 0.16, 14),
        (355, 0.17, 17),
        (390, 0.10, 12),
        (520, 0.34, 26),
        (528, 0.36, 7),
    )
    points = []
    for x in range(20, wide - 20):
        level = sum(height * math.exp(-(((x - centre) / spread) ** 2) / 2) for centre, height, spread in peaks)
        points.append((x * scale, (high - 20 - level * (high - 50)) * scale))
    base = (high - 20) * scale
    pen.polygon([(20 * scale, base), *points, ((wide - 20) * scale, base)], fill=(222, 233, 238))
    for cut in (140, 232, 308, 373, 430):
        pen.line([(cut * scale, 40 * scale), (cut * scale, base)], fill=(150, 165, 175), width=scale)
    pen.line(points, fill=(10, 70, 95), width=3 * scale)
    pen.line([(20 * scale, base), ((wide - 20) * scale, base)], fill=(60, 70, 80), width=scale)
    out = BytesIO()
    picture.save(out, "PNG", optimize=True)
    return base64.b64encode(out.getvalue()).decode()


def electrophoresis() -> LaboratoryReport:
    """Return a serum protein electrophoresis with its curve."""
    image = _exam("EPSI", "Courbe", "", "", "", value_type="ED")
    fractions = _group(
        "Électrophorèse des protéines sériques",
        "CH",
        _exam("PROT", "Protéines totales", "2885-2", "82", "g/L", "64-83", earlier=("79", "77")),
        _exam("ALB", "Albumine", "2862-1", "41.8", "g/L", "40.2-47.6", earlier=("42.0",)),
        _exam("A1", "Alpha-1-globulines", "2865-4", "2.7", "g/L", "2.1-3.5"),
        _exam("A2", "Alpha-2-globulines", "2868-8", "6.4", "g/L", "5.1-8.5"),
        _exam("B1", "Bêta-1-globulines", "32732-0", "4.6", "g/L", "3.4-5.2"),
        _exam("B2", "Bêta-2-globulines", "32733-8", "3.5", "g/L", "2.3-4.7"),
        _exam(
            "GAM",
            "Gammaglobulines",
            "2874-6",
            "22.5",
            "g/L",
            "8.0-13.5",
            "H",
            earlier=("19.8", "17.1", "14.2"),
            method="Électrophorèse capillaire",
        ),
        image.model_copy(update={"attachment": Attachment(media_type="image/png", data=curve())}),
        comments=(
            "Pic d'allure monoclonale en zone gamma, estimé à 9,6 g/L, en augmentation. Un immunotypage est conseillé.",
        ),
        loinc=Code(code="14340-4", label="Electrophorèse des protéines", system="LN"),
    )
    return results_of(fractions)


def long() -> LaboratoryReport:
    """Return two hundred results, long names and words among them, on many pages."""
    exams = [
        _exam(
            f"A{rank}",
            f"Analyte de très longue dénomination numéro {rank}, dosage par spectrométrie"
            if rank % 9 == 4
            else f"Analyte {rank}",
            "",
            f"{rank}.5",
            "mmol/L",
            "3.5-150.1",
            "H" if rank % 11 == 0 else "",
            earlier=(f"{rank}.1",) * (rank % 4),
            comments=(f"Remarque numéro {rank}. " * 6,) if rank % 17 == 3 else (),
        )
        for rank in range(200)
    ]
    groups = (
        _group(f"Groupe {at // 8 + 1}", "CH" if at < 100 else "HM", *exams[at : at + 8]) for at in range(0, 200, 8)
    )
    return results_of(*groups)


def partial() -> LaboratoryReport:
    """Return chemistry of which something is to come."""
    to_come = _exam("VITC", "Vitamine C", "", "", "µmol/L", status="I")
    made = biochemistry()
    last = made.batteries[-1]
    return made.model_copy(
        update={
            "partial": True,
            "batteries": (*made.batteries[:-1], last.model_copy(update={"results": (*last.results, to_come)})),
        }
    )


KINDS: Mapping[str, LaboratoryReport] = {
    "biochemistry": biochemistry(),
    "haematology": haematology(),
    "microbiology": microbiology(),
    "electrophoresis": electrophoresis(),
    "partial": partial(),
    "long": long(),
}


def showcase(kind: str, *, identity: Identity = IDENTITY, **changes: Any) -> CrBio:
    """Return the model of a report; `corrected` replaces a chemistry whose potassium was another."""
    numbering, results = Numbering(1), KINDS.get(kind)
    if results is None:
        results = KINDS["biochemistry"]
        ions, *others = results.batteries
        wrong = ions.results[1].model_copy(update={"value": "4.9", "flags": ("N",), "comments": ()})
        before = ions.model_copy(update={"results": (ions.results[0], wrong, *ions.results[2:])})
        right = ions.model_copy(
            update={"results": (ions.results[0], ions.results[1].model_copy(update={"status": "C"}), *ions.results[2:])}
        )
        results = results.model_copy(update={"batteries": (right, *others)})
        told = results.model_copy(update={"batteries": (before, *others)})
        numbering = Numbering(2, "1.2.250.1.999.1.42.1", 1, "20260314111230+0100", told)
    profile = LABORATORY.model_copy(update=changes)
    return cr_bio(report_of(), results, identity, profile, numbering)


ALL = (*KINDS, "corrected")
