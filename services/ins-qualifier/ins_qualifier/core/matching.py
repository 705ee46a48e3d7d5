"""Is the one identity that INSi returns this patient? And if so, what the hub calls him from now on."""

from ins_qualifier.core.decision import Finding
from ins_qualifier.core.local import Detail, LocalCheck
from labohub.contracts.values import Identity, IdentityStatus, Ins, Patient
from labohub.standards.ins import matricule, traits
from labohub.standards.ins.insi_answer import Individual
from labohub.standards.ins.matricule import Origin, Outcome, Verdict


def judge(
    patient: Patient, local: LocalCheck, individual: Individual, *, environment: str
) -> tuple[tuple[Finding, ...], tuple[Detail, ...]]:
    """Return the findings on an answer 00, none when it is this patient, with their details."""
    found: list[tuple[Finding, Detail]] = []
    active = individual.active
    verdict = matricule.check(active.matricule, active.oid, environment=environment, origin=Origin.INSI)
    if (finding := _on_active(verdict)) is not None:
        found.append((finding, Detail("insi_matricule", verdict.reason)))
    for difference in traits.differences(traits.compare(local.traits, individual.traits)):
        found.append((Finding.TRAITS_MISMATCH, Detail(difference.trait, difference.reason)))
    if patient.ins is not None and Finding.MATRICULE_REJECTED not in local.findings:
        received = (patient.ins.matricule.upper(), patient.ins.oid)
        former = {(number.matricule, number.oid) for number in individual.history}
        if received != (active.matricule, active.oid) and received not in former:
            found.append((Finding.CONFLICT, Detail("matricule", "OTHER_THAN_INSI")))
    return tuple(dict.fromkeys(finding for finding, _ in found)), tuple(detail for _, detail in found)


def qualified(patient: Patient, individual: Individual) -> Identity:
    """Return the qualified identity: INSi's traits verbatim in place of the local ones, the used names kept.

    The first given name stays as received: where a composite name ends, no program can tell.
    """
    known = individual.traits
    replaced = patient.traits.model_copy(
        update={
            "birth_name": known.birth_name,
            "first_given_name": patient.traits.first_given_name or known.given_names.split(" ")[0],
            "given_names": known.given_names,
            "birth_date": known.birth_date.replace("-", ""),
            "sex": known.sex,
            "birth_place": known.birth_place,
        }
    )
    return Identity(
        status=IdentityStatus.QUALIFIEE,
        traits=replaced,
        ins=Ins(matricule=individual.active.matricule, oid=individual.active.oid),
        local_ids=patient.local_ids,
    )


def taken_over(patient: Patient, local: LocalCheck) -> Identity | None:
    """Return the identity that a shared identity base qualified, as it says; None when it is not whole.

    Whole: validated, a matricule of this environment, the five strict traits, nothing for the local rules to find.
    """
    known = patient.traits
    if local.findings or not local.controlled or patient.ins is None or not (known.given_names and known.birth_place):
        return None
    return Identity(status=IdentityStatus.QUALIFIEE, traits=known, ins=patient.ins, local_ids=patient.local_ids)


def _on_active(verdict: Verdict) -> Finding | None:
    if verdict.outcome is Outcome.ACCEPT:
        return None
    if verdict.outcome is Outcome.REJECT or verdict.reason == "INSI_KEY":
        return Finding.ANSWER_UNUSABLE  # an incident with the téléservice
    return Finding.MATRICULE_REVIEW
