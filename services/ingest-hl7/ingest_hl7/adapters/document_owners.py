"""Whose the documents are that a message replaces or deletes: never another patient's."""

from sqlalchemy import select

from ingest_hl7.adapters.knowledge import Batch
from ingest_hl7.adapters.patient_tables import request_patients
from ingest_hl7.adapters.patients import KnownPatients
from ingest_hl7.core.corrections import is_one_person
from ingest_hl7.core.decision import Refusal, Relayed
from ingest_hl7.ports import IngestUnit
from labohub.contracts.values import Patient, Request
from labohub.standards.hl7.acknowledgement import AnswerStyle
from labohub.standards.hl7.findings import Finding
from labohub.store.sql import among

_OF_REPORTS = select(request_patients.c.patient, request_patients.c.facility).where(
    among(request_patients.c.report_id, "reports")
)


async def of_another_patient(
    unit: IngestUnit, batch: Batch, patients: KnownPatients, decision: Relayed
) -> Refusal | None:
    """Return the refusal of a message that replaces or deletes a document of somebody else; None otherwise.

    Patients are those that the hub knows now, corrected and merged. A report put under the wrong patient is deleted,
    then sent again: a replacement would leave its readers with two patients in one chain of documents.
    """
    report = decision.report
    if report.request is Request.INITIAL:
        return None
    known = {
        batch.documents[each.target_id].report_id for each in decision.documents if each.target_id in batch.documents
    }
    if not known:
        return None
    found = await unit.connection.execute(_OF_REPORTS, {"reports": sorted(known)})
    owners = [(Patient.model_validate_json(patient), facility) for patient, facility in found]
    owners += patients.remembered(known)
    if not owners or any(is_one_person((report.patient, report.sender.facility), each) for each in owners):
        return None
    text = "Le document visé est celui d'un autre patient."
    findings = [Finding("199", "PID^1^3", "document.other-patient", text)]
    findings += [Finding("199", each.location, "document.other-patient", text) for each in decision.documents]
    return Refusal("AE", tuple(findings), AnswerStyle.VOLET)
