"""The head of a report: laboratory, patient, demand; and its foot on each page."""

from collections.abc import Sequence

from reportlab.pdfgen.canvas import Canvas

from cda_builder.adapters.pdf.fonts import BOLD, ITALIC, REGULAR, drawable, width, wrap
from cda_builder.adapters.pdf.pages import (
    ACCENT,
    HEIGHT,
    LEFT,
    RIGHT,
    SOFT,
    Frame,
    Point,
    panel,
    right_text,
    rule,
    text,
)
from labohub.standards.cda.builder import CrBio
from labohub.standards.cda.builder.times import french_time

TITLE = "Compte rendu d'examens de biologie médicale"
FIRST_TOP = HEIGHT - 236
NEXT_TOP = HEIGHT - 84
_GENDERS = {"F": "Féminin", "M": "Masculin", "UN": "Inconnu"}


def frame_of(report: CrBio) -> Frame:
    """Return what each page has around its results."""
    patient = report.patient
    name = drawable(f"{patient.family_used or patient.family_birth} {patient.given_used or patient.given_birth}", BOLD)

    def frame(canvas: Canvas, page: int, of: int) -> None:
        if page == 1:
            _laboratory(canvas, report)
            _panels(canvas, report)
            _title(canvas, report)
        else:
            text(canvas, (LEFT, HEIGHT - 50), report_name(report), BOLD, 9, colour=ACCENT)
            line = f"{name}, né(e) le {french_time(patient.birth_date)}   Dossier {report.demand.extension}"
            right_text(canvas, (RIGHT, HEIGHT - 50), drawable(line), REGULAR, 8, colour=SOFT)
            rule(canvas, HEIGHT - 58, 0.8, ACCENT)
        _foot(canvas, report, name, page, of)

    return frame


def report_name(report: CrBio) -> str:
    """Return the laboratory's name as it can be drawn."""
    return drawable(report.laboratory.name, BOLD)


def _laboratory(canvas: Canvas, report: CrBio) -> None:
    laboratory = report.laboratory
    text(canvas, (LEFT, HEIGHT - 54), report_name(report), BOLD, 14, colour=ACCENT)
    phones = [each.partition(":")[2] for each in laboratory.telecoms]
    line = "  ·  ".join([*laboratory.address, *phones])
    text(canvas, (LEFT, HEIGHT - 67), drawable(line), REGULAR, 7.5, colour=SOFT)
    right_text(canvas, (RIGHT, HEIGHT - 52), "Biologiste responsable", REGULAR, 7, colour=SOFT)
    right_text(canvas, (RIGHT, HEIGHT - 63), drawable(report.biologist.printed, BOLD), BOLD, 9)
    rule(canvas, HEIGHT - 76, 1.4, ACCENT)


def _panels(canvas: Canvas, report: CrBio) -> None:
    middle = LEFT + (RIGHT - LEFT) * 0.52
    panel(canvas, (LEFT, HEIGHT - 86), (middle - LEFT - 8, 112))
    _facts(canvas, (LEFT + 10, HEIGHT - 100), "PATIENT", _patient_facts(report), middle - LEFT - 28)
    panel(canvas, (middle, HEIGHT - 86), (RIGHT - middle, 112))
    _facts(canvas, (middle + 10, HEIGHT - 100), "DEMANDE", _demand_facts(report), RIGHT - middle - 20)


def _facts(canvas: Canvas, at: Point, title: str, facts: Sequence[tuple[str, str]], available: float) -> None:
    x, y = at
    text(canvas, (x, y), title, BOLD, 7, colour=ACCENT)
    y -= 14
    for index, (name, value) in enumerate(facts):
        font, size = (BOLD, 10.5) if index == 0 and not name else (REGULAR, 8)
        if name:
            text(canvas, (x, y), name, REGULAR, 7.2, colour=SOFT)
        offset = 82.0 if name else 0.0
        line = wrap(value, font, size, available - offset)[0]
        text(canvas, (x + offset, y), line, font, size)
        y -= 15 if index == 0 and not name else 11.6


def _patient_facts(report: CrBio) -> list[tuple[str, str]]:
    patient = report.patient
    used = f"{patient.family_used or patient.family_birth} {patient.given_used or patient.given_birth}"
    facts = [("", used), ("Nom de naissance", patient.family_birth), ("Prénoms", patient.given_list)]
    born = french_time(patient.birth_date)
    facts.append(("Né(e) le", f"{born}   (lieu {patient.birth_place})" if patient.birth_place else born))
    facts.append(("Sexe", _GENDERS[patient.gender]))
    if patient.ins:
        facts.append(("Matricule INS", f"{patient.ins.extension[:13]} {patient.ins.extension[13:]}"))
        facts.append(("OID", patient.ins.root))
    elif patient.local_ids:
        facts.append(("Dossier patient", patient.local_ids[0].extension))
    return facts


def _demand_facts(report: CrBio) -> list[tuple[str, str]]:
    facts = [("Dossier n°", report.demand.extension)]
    if report.order and report.order.extension != report.demand.extension:
        facts.append(("Prescription n°", report.order.extension))
    if report.prescriber:
        facts.append(("Prescripteur", report.prescriber.printed))
    if report.prescribed_at:
        facts.append(("Prescrit le", french_time(report.prescribed_at)))
    facts.append(("Prélevé le", french_time(report.started_at)))
    facts.append(("Validé le", french_time(report.ended_at)))
    facts.append(("Édité le", french_time(report.effective_time)))
    if report.version > 1:
        facts.append(("Version", f"{report.version}, remplace la précédente"))
    return facts


def _title(canvas: Canvas, report: CrBio) -> None:
    text(canvas, (LEFT, HEIGHT - 220), TITLE, BOLD, 12.5)
    badge = "PARTIEL : des examens sont en cours" if report.active else ""
    if badge:
        size = width(badge, BOLD, 7.5) + 14
        panel(canvas, (RIGHT - size, HEIGHT - 209), (size, 15), colour=ACCENT)
        text(canvas, (RIGHT - size + 7, HEIGHT - 219.5), badge, BOLD, 7.5, colour=(1, 1, 1))


def _foot(canvas: Canvas, report: CrBio, name: str, page: int, of: int) -> None:
    rule(canvas, 46)
    mentions = wrap("  ·  ".join(report.mentions), ITALIC, 6.5, RIGHT - LEFT - 60) if page else []
    for index, line in enumerate(mentions[:2]):
        text(canvas, (LEFT, 36 - 8 * index), line, ITALIC, 6.5, colour=SOFT)
    left = f"{name}   Dossier {report.demand.extension}   Document {report.id}"
    text(canvas, (LEFT, 18), drawable(left), REGULAR, 6.5, colour=SOFT)
    right_text(canvas, (RIGHT, 34), f"Page {page} / {of}", BOLD, 8)
