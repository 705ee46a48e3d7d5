"""What the volet requires of each segment around the document: EVN, PID, PV1, ORC, OBR, TXA, PRT.

Source: CI-SIS volet "Transmission d'un document CDA-R2 en HL7v2", 2.1.3 (structures, field tables, cardinalities).
"""

from labohub.standards.hl7.patient import PatientFacts, read_patient
from labohub.standards.hl7.reading import Reading

ROLES = frozenset({"SB", "RCT", "REPLY"})  # PRT-4.1
WITH_VISIT_NUMBER = frozenset("EIOR")  # PV1-2 for which PV1-19 is required
TXA_REQUIRED = (
    (1, "volet.txa-number-missing"),
    (2, "volet.document-type-missing"),
    (3, "volet.presentation-missing"),
    (17, "volet.completion-missing"),
)
COMPLETION = frozenset({"AU", "LA"})  # TXA-17; LA is what profiles up to 2.0 wrote


def check_segments(reading: Reading) -> None:
    """Keep what is wrong with the segments, whatever is asked."""
    _check_orders(reading)
    if reading.is_mdm:
        _check_mdm(reading)
    for prt in reading.message.all("PRT"):
        role = prt.component(4, 1).upper()
        if role not in ROLES:
            condition = "103" if role else "101"
            text = "PRT-4 n'est ni SB, ni RCT, ni REPLY."
            reading.error(condition, f"{prt.location}^4", "volet.participation-unknown", text)


def check_patient(reading: Reading) -> PatientFacts | None:
    """Return the patient, or None without PID; keep what PID and PV1 lack."""
    patient = read_patient(reading.message)
    if patient is None:
        reading.error("100", "PID^1", "patient.missing", "Segment PID absent.")
        return None
    if len(reading.message.all("PID")) > 1:
        reading.error("100", "PID^2", "patient.several", "Un seul patient par message.")
    if not patient.identifiers:
        reading.error("101", "PID^1^3", "patient.identifier-missing", "PID-3 est vide.")
    if not patient.birth_name:
        reading.error("101", "PID^1^5", "patient.name-missing", "PID-5 est vide.")
    _check_visit(reading, patient)
    return patient


def _check_visit(reading: Reading, patient: PatientFacts) -> None:
    """PV1 is required in an MDM; for an ORU the volet says both "RE" and "requis". Never twice."""
    if len(reading.message.all("PV1")) > 1:
        reading.error("198", "PV1^2", "volet.several-visits", "Un seul PV1 est permis.")
    if reading.message.first("PV1") is None:
        strict = reading.is_mdm and not reading.is_former
        reading.required(False, "100", "PV1^1", "volet.visit-missing", "Segment PV1 absent.", strict=strict)
        return
    text = "PV1-2 est vide."
    reading.required(bool(patient.encounter_class), "101", "PV1^1^2", "volet.visit-class-missing", text, strict=True)
    if patient.encounter_class in WITH_VISIT_NUMBER:
        text = "PV1-19 est vide pour une classe E, I, O ou R."
        present, strict = bool(patient.visit_number), not reading.is_lenient
        reading.required(present, "101", "PV1^1^19", "volet.visit-number-missing", text, strict=strict)


def _check_orders(reading: Reading) -> None:
    """One ORC and one OBR: required since 2.1, where ORC-1 says what is asked."""
    orders, observations = reading.message.all("ORC"), reading.message.all("OBR")
    strict = not reading.is_former
    reading.required(bool(orders), "100", "ORC^1", "volet.order-missing", "Segment ORC absent.", strict=strict)
    text = "Segment OBR absent."
    reading.required(bool(observations), "100", "OBR^1", "volet.observation-missing", text, strict=strict)
    for name, found in (("ORC", orders), ("OBR", observations)):
        if len(found) > 1:
            reading.error("198", f"{name}^2", "volet.several-orders", "Un seul groupe ORC/OBR est permis.")
    if observations and not observations[0].component(4, 1):
        reading.error("101", "OBR^1^4", "volet.document-code-missing", "OBR-4 est vide.")


def _check_mdm(reading: Reading) -> None:
    strict, message = not reading.is_former, reading.message
    reading.required(
        bool(message.all("EVN")), "100", "EVN^1", "volet.event-missing", "Segment EVN absent.", strict=strict
    )
    if len(message.all("EVN")) > 1:
        reading.error("198", "EVN^2", "volet.several-events", "Un seul EVN est permis.")
    if len(message.all("TXA")) > 1:
        reading.error("198", "TXA^2", "volet.several-txa", "Un seul TXA est permis.")
    txa = message.first("TXA")
    if txa is None:
        reading.error("100", "TXA^1", "volet.txa-missing", "Segment TXA absent.")
        return
    if not txa.component(12, 1):
        reading.error("101", "TXA^1^12", "volet.document-id-missing", "TXA-12 est vide.")
    for number, reason in TXA_REQUIRED:
        present = bool(txa.component(number, 1))
        reading.required(present, "101", f"TXA^1^{number}", reason, f"TXA-{number} est vide.", strict=strict)
    if txa.component(17, 1) and txa.component(17, 1).upper() not in COMPLETION:
        reading.error("103", "TXA^1^17", "volet.completion-unknown", "TXA-17 n'est pas AU.")
