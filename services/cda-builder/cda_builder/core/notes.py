"""What is said of the whole report, beside its results."""

from cda_builder.core.changes import changes_between
from cda_builder.core.context import Context
from cda_builder.core.observations import said
from cda_builder.core.versions import Numbering
from labohub.contracts.laboratory import LaboratoryReport
from labohub.standards.cda.builder import Chapter, Note
from labohub.standards.cda.builder.times import french_time

_PARTIAL = "Compte rendu partiel : des résultats sont encore attendus. Un compte rendu complet le remplacera."
_ENDED = frozenset("FCP")  # OBR-25; X is an exam that was not done, with its comments
_UNCHANGED = "Les résultats sont inchangés."


def opening_notes(
    results: LaboratoryReport, numbering: Numbering, context: Context, *, active: bool
) -> tuple[Note, ...]:
    """Return what a reader must know first: what changed, that something is to come, what was asked."""
    notes = []
    if numbering.replaces:
        notes.append(Note("Modifications", _replacement(results, numbering, context)))
    if active:
        notes.append(Note("Compte rendu partiel", (_PARTIAL,)))
    asked = said(battery.clinical_information for battery in results.batteries)
    if asked and context.profile.prints_clinical_information:
        notes.append(Note("Renseignements cliniques", asked))
    return tuple(notes)


def closing_notes(results: LaboratoryReport) -> tuple[Note, ...]:
    """Return the conclusion, the comments on the whole report and the instructions to the patient.

    What is said of an order that has no result to stand beside is a comment on the whole report.
    """
    alone = (each for each in results.batteries if each.status in _ENDED and not each.results)
    orphans = [f"{each.code.label or each.code.code} : {comment}" for each in alone for comment in said(each.comments)]
    notes = (
        Note("Conclusion", said((results.conclusion,))),
        Note("Commentaire", said((*results.comments, *orphans))),
        Note("Instructions au patient", said(results.patient_instructions)),
    )
    return tuple(note for note in notes if note.lines)


def mentions(chapters: tuple[Chapter, ...], context: Context) -> tuple[str, ...]:
    """Return the accreditation and legal mentions, and what is said of results that a system released."""
    automatic = any(each.automatic for c in chapters for battery in c.batteries for each in battery.everything())
    return (*context.profile.mentions, *((context.profile.automatic_validation,) if automatic else ()))


def _replacement(results: LaboratoryReport, numbering: Numbering, context: Context) -> tuple[str, ...]:
    when = f" du {french_time(numbering.replaced_at)}" if numbering.replaced_at else ""
    first = f"Ce compte rendu annule et remplace la version {numbering.replaced_version}{when}."
    if numbering.before is None:
        return (first,)
    return (first, *(changes_between(numbering.before, results, context) or (_UNCHANGED,)))
