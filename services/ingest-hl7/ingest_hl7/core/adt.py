"""Patient administration (PAM-FR): what an ADT tells of a patient, or why it is refused."""

from ingest_hl7.core import consents, identity
from ingest_hl7.core.decision import Archived, Merge, PatientNews, Refusal, Stated
from ingest_hl7.core.senders import InsPolicy, Role, Sender
from labohub.contracts.values import LocalIdentifier, Patient
from labohub.standards.er7 import Message
from labohub.standards.hl7.findings import Finding, warning
from labohub.standards.hl7.pam import Adt, DmpStatus, Matter, read_adt

NOT_OF_RECORD = "pam.not-of-record"
_REASONS = {Matter.IDENTITY: "pam.identity", Matter.MERGE: "pam.merge", Matter.MOVEMENT: "pam.movement"}
_FEEDING = frozenset(consents.Feeding) | {""}
_CONSULTATION = frozenset(consents.Consultation) | {""}


def decide(message: Message, sender: Sender, environment: str) -> PatientNews | Archived | Refusal:
    """Return what an ADT tells. It is refused when the hub could not tell of whom, or what was said."""
    if sender.role is not Role.LABORATORY:
        text = "Émetteur déclaré sous-traitant ou technique : identité et consentement non appliqués."
        return Archived(NOT_OF_RECORD, warnings=(warning("MSH^1^4", NOT_OF_RECORD, text),))
    adt = read_adt(message)
    errors = _whom(message, adt)
    if adt is None or errors:
        return _refusal(errors)
    policy = InsPolicy.DROP if adt.matter is Matter.MOVEMENT else sender.ins_policy
    patient, errors, warnings = identity.to_patient(adt.patient, environment=environment, policy=policy)
    if not patient.local_ids and patient.ins is None and not errors:
        text = "PID-3 ne porte ni identifiant local (PI) ni INS validé."
        errors = (Finding("101", "PID^1^3", "patient.identifier-missing", text),)
    facility = message.header.component(4, 1)
    merges, merge_errors = _merges(adt, patient, facility)
    errors = (*errors, *merge_errors, *_consent_errors(adt.dmp))
    if errors:
        return _refusal(errors)
    return PatientNews(
        reason=_REASONS[adt.matter],
        patient=patient,
        facility=facility,
        recorded_at=adt.recorded_at,
        tells_identity=adt.matter is not Matter.MOVEMENT,
        withdraws_ins=adt.withdraws_ins,
        merges=merges,
        stated=_stated(adt.dmp),
        warnings=(*warnings, *_tolerated(message, adt)),
    )


def _whom(message: Message, adt: Adt | None) -> tuple[Finding, ...]:
    """Return why the patient cannot be told."""
    if adt is None:
        return (Finding("100", "PID^1", "patient.missing", "Segment PID absent."),)
    if len(message.all("PID")) > 1:
        return (Finding("100", "PID^2", "patient.several", "Un seul patient par message."),)
    found = _twice(message)
    if not adt.patient.identifiers:
        found.append(Finding("101", "PID^1^3", "patient.identifier-missing", "PID-3 est vide."))
    if adt.matter is Matter.IDENTITY and not adt.patient.birth_name:
        found.append(Finding("101", "PID^1^5", "patient.name-missing", "PID-5 est vide."))
    return tuple(found)


def _twice(message: Message) -> list[Finding]:
    """Return what is said twice: of two words on the DMP, or two merges, one would be lost."""
    found = []
    for name in ("ZFA", "MRG"):
        if len(message.all(name)) > 1:
            found.append(Finding("198", f"{name}^2", "pam.said-twice", f"Un seul {name} par message."))
    zfa = message.first("ZFA")
    for position in (9, 11):
        if zfa is not None and len(zfa.repetitions(position)) > 1:
            text = f"ZFA-{position} ne se répète pas."
            found.append(Finding("198", f"ZFA^1^{position}", "pam.said-twice", text))
    return found


def _merges(adt: Adt, patient: Patient, facility: str) -> tuple[tuple[Merge, ...], tuple[Finding, ...]]:
    """Return which identifier takes the place of which: each within its own authority."""
    if adt.matter is not Matter.MERGE:
        return (), ()
    prior = identity.local_identifiers(adt.prior)
    if not prior:
        text = "Fusion ou changement d'identifiant sans identifiant antérieur (MRG-1)."
        missing = "100" if not adt.prior else "101"
        return (), (Finding(missing, "MRG^1" if not adt.prior else "MRG^1^1", "pam.merge-prior-missing", text),)
    found = []
    for each in prior:
        survivor = _same_authority(each, patient.local_ids, facility)
        if survivor is None:
            text = "MRG-1 et PID-3 n'ont pas d'identifiant de la même autorité."
            return (), (Finding("199", "MRG^1^1", "pam.merge-authority", text),)
        if survivor.value == each.value:
            text = "MRG-1 et PID-3 portent le même identifiant."
            return (), (Finding("199", "MRG^1^1", "pam.merge-same", text),)
        found.append(Merge(each, survivor))
    return tuple(found), ()


def _same_authority(
    prior: LocalIdentifier, candidates: tuple[LocalIdentifier, ...], facility: str
) -> LocalIdentifier | None:
    authority = consents.authority(prior, facility)
    same = [each for each in candidates if consents.authority(each, facility) == authority]
    return same[0] if len(same) == 1 else None


def _consent_errors(dmp: DmpStatus | None) -> tuple[Finding, ...]:
    """An opposition that is not understood must not pass for none."""
    if dmp is None:
        return ()
    found = []
    for position, value, table in ((9, dmp.feeding, _FEEDING), (11, dmp.consultation, _CONSULTATION)):
        if value not in table:
            text = f"Valeur de ZFA-{position} non prévue."
            found.append(Finding("103", f"ZFA^1^{position}", "pam.consent-unknown", text))
    return tuple(found)


def _stated(dmp: DmpStatus | None) -> Stated | None:
    if dmp is None or not (dmp.feeding or dmp.consultation):
        return None
    return Stated(dmp.feeding, dmp.feeding_at, dmp.consultation, dmp.consultation_at)


def _tolerated(message: Message, adt: Adt) -> tuple[Finding, ...]:
    found = []
    if message.first("EVN") is None:
        found.append(warning("EVN^1", "pam.event-missing", "Segment EVN absent : la date de MSH-7 est retenue."))
    if adt.movement is not None and adt.movement.is_shifted:
        found.append(warning("ZBE^1^4", "pam.movement-shifted", "ZBE décalé d'un champ : lu comme tel."))
    if adt.patient.ins is None and not adt.patient.reliability and adt.matter is not Matter.MOVEMENT:
        found.append(warning("PID^1^32", "patient.reliability-missing", "PID-32 est vide."))
    return tuple(found)


def _refusal(findings: tuple[Finding, ...]) -> Refusal:
    return Refusal("AE", findings)
