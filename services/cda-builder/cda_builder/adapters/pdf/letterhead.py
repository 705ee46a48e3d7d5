"""The head of a report: laboratory, patient, demand; and its foot on each page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reportlab.lib.utils import ImageReader

from cda_builder.adapters.pdf.fonts import BOLD, ITALIC, REGULAR, drawable, width, wrap
from cda_builder.adapters.pdf.look import HEIGHT, INK, LEFT, LOGO, RIGHT, SOFT, Look
from cda_builder.adapters.pdf.marks import draw_symbol
from cda_builder.adapters.pdf.pages import Frame
from cda_builder.adapters.pdf.sheet import Point, Sheet
from labohub.errors import Refused
from labohub.standards.cda.builder import CrBio, PatientIdentity
from labohub.standards.cda.builder.times import french_time
from labohub.standards.datamatrix import data_matrix
from labohub.standards.ins.datamatrix import datamatrix_text

TITLE: Final = "Compte rendu d'examens de biologie médicale"
NEXT_TOP: Final = HEIGHT - 72
_TOP: Final = HEIGHT - 34
_SYMBOL: Final = 62.0  # 22 mm: a module of a 40 by 40 symbol is half a millimetre
_LABEL: Final = 76.0
_STEP: Final = 11.4
_GENDERS: Final = {"F": "Féminin", "M": "Masculin", "UN": "Inconnu"}

Fact = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Card:
    """A panel of facts: its lines are already cut to its width, nothing is left out."""

    title: str
    who: list[str]
    facts: list[tuple[str, list[str]]]
    wide: float
    symbol: tuple[str, ...] = ()

    @property
    def height(self) -> float:
        lines = sum(len(each) for _, each in self.facts)
        return max(22 + 15 * len(self.who) + _STEP * lines, _SYMBOL + 30 if self.symbol else 0) + 4


class Letterhead:
    """What each page has around its results. `first_top` is where the first page has room."""

    def __init__(self, report: CrBio, look: Look) -> None:
        self._report, self._look = report, look
        self._name = patient_name(report.patient)
        space = RIGHT - LEFT - 10
        symbol = ins_symbol(report.patient)
        self._patient = _card("PATIENT", self._name, _patient_facts(report), space * 0.58, symbol)
        self._demand = _card("DEMANDE", "", _demand_facts(report), space * 0.42)
        self._contacts = wrap(_contacts(report), REGULAR, 7.6, (RIGHT - LEFT) * 0.74 - self._logo_width)
        self._laboratory = wrap(report.laboratory.name, BOLD, 15, (RIGHT - LEFT) * 0.66 - self._logo_width)
        self._rule = _TOP - max(17 * len(self._laboratory) + 10 * len(self._contacts) + 6, 44)
        self._cards = self._rule - 34
        self.first_top = self._cards - max(self._patient.height, self._demand.height) - 12
        self._mentions = wrap("  ·  ".join(report.mentions), ITALIC, 6.5, RIGHT - LEFT - 70)

    @property
    def mentions_fit(self) -> bool:
        """Return whether the mentions are at the foot of the pages; else they are said once, at the end."""
        return len(self._mentions) <= 2

    @property
    def frame(self) -> Frame:
        """Return what draws it."""
        return self._draw

    @property
    def _logo_width(self) -> float:
        return _fitted(self._look.logo)[0] + 12 if self._look.logo else 0.0

    def _draw(self, sheet: Sheet, page: int, of: int) -> None:
        if page == 1:
            self._first(sheet)
        else:
            self._next(sheet)
        self._foot(sheet, page, of)

    def _first(self, sheet: Sheet) -> None:
        accent, report, x = self._look.accent, self._report, LEFT
        if self._look.logo:
            wide, high = _fitted(self._look.logo)
            sheet.image(self._look.logo, (x, _TOP), (wide, high))
            x += self._logo_width
        y = _TOP - 15
        sheet.lines((x, y), self._laboratory, BOLD, 15, step=17, colour=accent)
        sheet.lines((x, y - 17 * len(self._laboratory) + 4), self._contacts, REGULAR, 7.6, step=10, colour=SOFT)
        sheet.text((RIGHT, _TOP - 9), "Biologiste responsable", REGULAR, 7, SOFT, right=True)
        sheet.text((RIGHT, _TOP - 21), report.biologist.printed, BOLD, 9.5, right=True)
        sheet.box((LEFT, self._rule), (RIGHT - LEFT, 1.4), accent)
        sheet.text((LEFT, self._rule - 21), TITLE, BOLD, 13)
        height = max(self._patient.height, self._demand.height)
        self._card(sheet, self._patient, LEFT, height)
        self._card(sheet, self._demand, RIGHT - self._demand.wide, height)

    def _card(self, sheet: Sheet, card: _Card, x: float, height: float) -> None:
        top = self._cards
        sheet.box((x, top), (card.wide, height), self._look.tint)
        y = top - 14
        sheet.text((x + 10, y), card.title, BOLD, 6.6, self._look.accent)
        if card.who:
            sheet.lines((x + 10, y - 16), card.who, BOLD, 12.5, step=15)
            y -= 15 * len(card.who) + 1
        y -= 13.5
        for name, lines in card.facts:
            sheet.text((x + 10, y), name, REGULAR, 7.4, SOFT)
            sheet.lines((x + 10 + _LABEL, y), lines, REGULAR, 8.4, step=_STEP)
            y -= _STEP * len(lines)
        if card.symbol:
            corner = (x + card.wide - _SYMBOL - 8, top - 8)
            draw_symbol(sheet, corner, _SYMBOL, card.symbol)
            sheet.text((corner[0] + _SYMBOL / 2 - 8, corner[1] - _SYMBOL - 9), "INS", BOLD, 8, INK)

    def _next(self, sheet: Sheet) -> None:
        patient = self._report.patient
        line = f"né(e) le {french_time(patient.birth_date)}   Dossier {self._report.demand.extension}"
        line += f"   version {self._report.version}" if self._report.version > 1 else ""
        line += "   partiel" if self._report.active else ""
        sheet.text((LEFT, HEIGHT - 36), self._name, BOLD, _fitting(self._name, 10, 330))
        sheet.text((LEFT, HEIGHT - 48), line, REGULAR, 8, SOFT)
        laboratory = self._report.laboratory.name
        sheet.text(
            (RIGHT, HEIGHT - 36), laboratory, BOLD, _fitting(laboratory, 8.5, 175), self._look.accent, right=True
        )
        sheet.box((LEFT, HEIGHT - 55), (RIGHT - LEFT, 0.8), self._look.accent)

    def _foot(self, sheet: Sheet, page: int, of: int) -> None:
        sheet.line((LEFT, 46), (RIGHT, 46))
        if self.mentions_fit:
            sheet.lines((LEFT, 36), self._mentions, ITALIC, 6.5, step=8, colour=SOFT)
        left = f"{self._name}   Dossier {self._report.demand.extension}   Document {self._report.id}"
        sheet.lines((LEFT, 18), wrap(left, REGULAR, 6.5, RIGHT - LEFT), REGULAR, 6.5, step=7.5, colour=SOFT)
        sheet.text((RIGHT, 34), f"Page {page} / {of}", BOLD, 8, right=True)


def patient_name(patient: PatientIdentity) -> str:
    """Return the name that the patient uses."""
    return f"{patient.family_used or patient.family_birth} {patient.given_used or patient.given_birth}"


def ins_symbol(patient: PatientIdentity) -> tuple[str, ...]:
    """Return the datamatrix INS of a qualified identity; nothing when a trait does not fit its format."""
    if patient.ins is None:
        return ()
    try:
        text = datamatrix_text(
            patient.ins.extension,
            patient.ins.root,
            given_names=patient.given_list,
            birth_name=patient.family_birth,
            sex=patient.gender,
            birth_date=patient.birth_date,
            birth_place=patient.birth_place,
        )
        return data_matrix(text)
    except Refused:
        return ()


def _fitting(words: str, size: float, available: float) -> float:
    """Return the largest size, up to one, at which bold words have room on a line."""
    return min(size, round(available / (width(drawable(words, BOLD), BOLD, 1) or 1), 2))


def _fitted(logo: ImageReader) -> Point:
    wide, high = logo.getSize()
    scale = min(LOGO[0] / wide, LOGO[1] / high)
    return wide * scale, high * scale


def _card(title: str, who: str, facts: Sequence[Fact], wide: float, symbol: tuple[str, ...] = ()) -> _Card:
    available = wide - 20 - (_SYMBOL + 6 if symbol else 0)
    cut = [(name, wrap(value, REGULAR, 8.4, available - _LABEL)) for name, value in facts]
    return _Card(title, wrap(who, BOLD, 12.5, available) if who else [], cut, wide, symbol)


def _contacts(report: CrBio) -> str:
    laboratory = report.laboratory
    telecoms = [each.partition(":")[2] for each in laboratory.telecoms]
    cofrac = [f"Cofrac n° {laboratory.accreditation.extension}"] if laboratory.accreditation else []
    return "  ·  ".join([*laboratory.address, *telecoms, *cofrac])


def _patient_facts(report: CrBio) -> list[Fact]:
    patient = report.patient
    born = french_time(patient.birth_date) + (f" (lieu {patient.birth_place})" if patient.birth_place else "")
    facts = [("Nom de naissance", patient.family_birth), ("Prénoms", patient.given_list), ("Né(e) le", born)]
    facts.append(("Sexe", _GENDERS[patient.gender]))
    if patient.ins:
        matricule = f"{patient.ins.extension[:13]} {patient.ins.extension[13:]}"
        facts += [("Matricule INS", matricule), ("OID", patient.ins.root)]
    else:
        facts.append(("Identité", "non qualifiée (INS absente)"))
    if patient.local_ids:
        facts.append(("Dossier patient", patient.local_ids[0].extension))
    return facts


def _demand_facts(report: CrBio) -> list[Fact]:
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
    if report.recipients:
        facts.append(("Copie à", ", ".join(each.printed for each in report.recipients)))
    if report.version > 1:
        facts.append(("Version", f"{report.version}, remplace la précédente"))
    return facts
