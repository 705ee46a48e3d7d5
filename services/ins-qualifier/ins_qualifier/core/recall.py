"""A patient corrected after his report left: are the documents that left still his?"""

from ins_qualifier.core.decision import Finding
from ins_qualifier.core.local import CONTROLLED, Detail, check_patient
from labohub.contracts.values import Identity, Patient
from labohub.standards.ins import traits


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
