"""How an identity told later changes the patient of a report."""

import unicodedata

from ingest_hl7.core.consents import subjects
from ingest_hl7.core.decision import PatientNews
from labohub.contracts.values import LocalIdentifier, Patient, Traits
from labohub.standards.hl7.patient import VALIDATED

_STRICT = ("birth_name", "first_given_name", "birth_date", "sex")


def corrected(patient: Patient, news: PatientNews) -> Patient:
    """Return the patient of a report as the news make him; his own identifiers stay.

    The news is the whole state: a used name that it does not give is no more. It may leave out the list of given names
    and the place of birth: they stay while nothing else changed. So does a matricule, unless the identity is not
    validated any more; a strict trait that changes takes it away.
    """
    if not news.patient.traits.birth_name:
        return patient
    traits = _completed(news.patient.traits, patient.traits)
    same = not strict_differences(traits, patient.traits)
    reliability = news.patient.reliability or patient.reliability
    ins = news.patient.ins
    if ins is None and same and not news.withdraws_ins and VALIDATED in reliability:
        ins = patient.ins
    return patient.model_copy(update={"traits": traits, "ins": ins, "reliability": reliability})


def strict_differences(one: Traits, other: Traits) -> tuple[str, ...]:
    """Return the names of the strict traits that differ, apart from case, accents and separators."""
    return tuple(name for name in _STRICT if _plain(getattr(one, name)) != _plain(getattr(other, name)))


def is_another_identity(one: Patient, other: Patient) -> bool:
    """Return whether documents that left for one would be wrong for the other."""
    moved = one.ins is not None and other.ins is not None and one.ins.matricule != other.ins.matricule
    lost = one.ins is not None and other.ins is None
    doubtful = set(other.reliability) - {VALIDATED} - set(one.reliability)
    return bool(moved or lost or doubtful or strict_differences(one.traits, other.traits))


def is_one_person(one: tuple[Patient, str], other: tuple[Patient, str]) -> bool:
    """Return whether two requests, each with its facility, are about one person: by an identifier or the traits."""
    same = strict_differences(one[0].traits, other[0].traits) == ()
    return same or not set(subjects(*one)).isdisjoint(subjects(*other))


def differs_from_known(patient: Patient, known: Patient) -> bool:
    """Return whether a message contradicts what an ADT said. What one of them leaves out is no contradiction."""
    moved = patient.ins is not None and known.ins is not None and patient.ins.matricule != known.ins.matricule
    return moved or bool(strict_differences(patient.traits, known.traits))


def with_values(patient: Patient, values: dict[LocalIdentifier, str]) -> Patient:
    """Return the patient with these identifiers' values in place of theirs, each once."""
    changed = (each.model_copy(update={"value": values.get(each, each.value)}) for each in patient.local_ids)
    return patient.model_copy(update={"local_ids": tuple(dict.fromkeys(changed))})


def _completed(told: Traits, known: Traits) -> Traits:
    if strict_differences(told, known):
        return told
    kept = {name: getattr(known, name) for name in ("given_names", "birth_place") if not getattr(told, name)}
    return told.model_copy(update=kept)


def _plain(value: str) -> str:
    decomposed = unicodedata.normalize("NFD", value.upper())
    return "".join(sign for sign in decomposed if sign.isalnum())
