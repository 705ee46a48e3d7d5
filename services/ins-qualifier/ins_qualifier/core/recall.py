"""A patient corrected after his report left: are the documents that left still his?"""

from enum import StrEnum

from ins_qualifier.core.check import Check
from ins_qualifier.core.decision import Finding
from ins_qualifier.core.local import CONTROLLED, Detail, check_patient
from labohub.contracts.values import Identity, IdentityStatus, Patient
from labohub.standards.ins import traits


class RecallCode(StrEnum):
    """Why a report that left is on the recall list."""

    CHANGED_AFTER = "ins.changed-after-qualification"  # the source names the patient otherwise
    COLLISION = "ins.collision"  # the matricule it left with is claimed by another local patient
    REFUTED = "ins.refuted"  # a verification says that the matricule is not this person's
    WITHDRAWN = "ins.withdrawn"  # a person took the matricule from the identity


def why_wrong(left_as: Identity, patient: Patient, *, environment: str) -> tuple[Detail, ...]:
    """Return what makes documents that left as one identity wrong for a corrected patient; nothing when they are his.

    A trait that the correction does not give contradicts nothing.
    """
    now = check_patient(patient, environment=environment)
    then = check_patient(Patient(traits=left_as.traits), environment=environment)
    found = [
        Detail(difference.trait, difference.reason)
        for difference in traits.differences(traits.compare(now.traits, then.traits))
        if getattr(now.traits, difference.trait) not in ("", "U")
    ]
    if patient.ins is not None and left_as.ins is not None and patient.ins.matricule != left_as.ins.matricule:
        found.append(Detail("matricule", "OTHER_THAN_SENT"))
    if Finding.ATTRIBUTE in now.findings:
        found += [detail for detail in now.details if detail.subject == "reliability"]
    elif patient.reliability and not set(patient.reliability) & CONTROLLED:
        found.append(Detail("reliability", "NOT_VALIDATED"))
    return tuple(dict.fromkeys(found))


def left_as(check: Check) -> Identity:
    """Return the identity that a report went on with."""
    patient = check.event.report.patient
    return check.left_as or Identity(status=IdentityStatus.QUALIFIEE, traits=patient.traits, ins=patient.ins)
