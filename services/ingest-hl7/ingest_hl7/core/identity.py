"""The patient of a message as our values, and whether PID and CDA name the same person."""

import unicodedata
from collections.abc import Iterable

from ingest_hl7.core.senders import InsPolicy
from labohub.contracts.values import Ins, LocalIdentifier, Patient, Traits
from labohub.standards.cda.facts import Patient as CdaPatient
from labohub.standards.hl7.findings import Finding, warning
from labohub.standards.hl7.patient import DELETED, INS_TYPE, Cx, PatientFacts
from labohub.standards.ins import matricule, oids

_LOCAL_TYPES = ("PI", "")


def to_patient(
    facts: PatientFacts, *, environment: str, policy: InsPolicy
) -> tuple[Patient, tuple[Finding, ...], tuple[Finding, ...]]:
    """Return the patient, the errors and the warnings.

    The INS is integrated only when PID-32 says VALI (PAM-FR); a wrong one is refused or dropped, by policy.
    """
    ins, errors, warnings = _ins(facts, environment, policy)
    traits = Traits(
        birth_name=facts.birth_name,
        first_given_name=facts.first_given_name,
        given_names=facts.given_names,
        birth_date=facts.birth_date,
        sex=facts.sex if facts.sex in ("M", "F") else "U",
        birth_place=facts.birth_place,
        used_name=facts.used_name,
        used_given_name=facts.used_given_name,
    )
    local_ids = local_identifiers(facts.identifiers)
    patient = Patient(traits=traits, ins=ins, reliability=facts.reliability, local_ids=local_ids)
    return patient, errors, warnings


def local_identifiers(identifiers: Iterable[Cx]) -> tuple[LocalIdentifier, ...]:
    """Return the identifiers that a laboratory or hospital gave (type PI, or none)."""
    return tuple(
        LocalIdentifier(
            value=each.value,
            authority_oid=each.authority_oid,
            authority_name=each.authority,
            authority_id=each.authority_id,
        )
        for each in identifiers
        if each.type in _LOCAL_TYPES and each.value not in ("", DELETED)
    )


def _ins(
    facts: PatientFacts, environment: str, policy: InsPolicy
) -> tuple[Ins | None, tuple[Finding, ...], tuple[Finding, ...]]:
    all_ins = [each for each in facts.identifiers if each.type == INS_TYPE and each.value != DELETED]
    if len({each.value for each in all_ins}) > 1:
        return None, (Finding("198", "PID^1^3", "ins.several", "Plusieurs matricules INS dans PID-3."),), ()
    if not all_ins:
        return None, (), ()
    given = all_ins[0]
    location = f"PID^1^3^{given.repetition}"
    verdict = matricule.check(given.value, given.authority_oid, environment=environment)
    if verdict.outcome is matricule.Outcome.REJECT:
        return _wrong(given, verdict.reason, location, policy)
    if not facts.is_validated:
        text = "INS reçu sans identité validée (PID-32 sans VALI) : message intégré, INS ignoré."
        return None, (), (warning("PID^1^32", "ins.not-validated", text),)
    return Ins(matricule=given.value, oid=given.authority_oid), (), ()


def _wrong(
    given: Cx, reason: str, location: str, policy: InsPolicy
) -> tuple[None, tuple[Finding, ...], tuple[Finding, ...]]:
    of_authority = reason.startswith(("OID", "INSC"))
    place = f"{location}^4^2" if of_authority else f"{location}^1"
    code = f"ins.{reason.lower().replace('_', '-')}"
    if policy is InsPolicy.DROP:
        return None, (), (warning(place, code, "Matricule INS invalide : message intégré, INS ignoré."),)
    text = "Autorité d'affectation de l'INS non admise ici." if of_authority else "Matricule INS invalide."
    return None, (Finding("103" if of_authority else "102", place, code, text),), ()


def contradicts(facts: PatientFacts, document: CdaPatient) -> bool:
    """Return True when PID and the CDA name different people.

    Decided by the matricule when both have one (the test and the real authority are not told apart), then by birth date
    and sex; without matricules by birth date, sex, name and first names: twins differ in nothing else.
    """
    theirs = {each.extension for each in document.ids if oids.is_ins(each.root)}
    ours = facts.ins
    if ours is not None and theirs:
        return ours.value not in theirs or _other_birth(facts, document)
    return _other_birth(facts, document) or _other_name(facts, document) or _other_first_name(facts, document)


def _other_birth(facts: PatientFacts, document: CdaPatient) -> bool:
    written = document.birth_time[:8]
    if len(written) == 8 and len(facts.birth_date) == 8 and written != facts.birth_date:
        return True
    return document.gender in ("M", "F") and facts.sex in ("M", "F") and document.gender != facts.sex


def _other_name(facts: PatientFacts, document: CdaPatient) -> bool:
    ours = {_plain(name) for name in (facts.birth_name, facts.used_name) if name}
    theirs = {_plain(name) for name in (document.family_birth, document.family_used, document.family_plain) if name}
    return bool(ours and theirs) and ours.isdisjoint(theirs)


def _other_first_name(facts: PatientFacts, document: CdaPatient) -> bool:
    """Return True when both write first names and have none in common, as written or one by one."""
    ours = _first_names(facts.first_given_name, facts.given_names, facts.used_given_name)
    theirs = _first_names(document.given_birth, document.given_list, document.given_used)
    return bool(ours and theirs) and ours.isdisjoint(theirs)


def _first_names(*written: str) -> set[str]:
    return {_plain(name) for text in written for name in (text, *text.replace("-", " ").split())} - {""}


def _plain(name: str) -> str:
    decomposed = unicodedata.normalize("NFD", name.upper())
    return "".join(sign for sign in decomposed if sign.isalnum())
