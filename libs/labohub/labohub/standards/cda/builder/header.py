"""The header of a CR-BIO, in the order of the schema.

Source: CI-SIS, volet CR-BIO 2024.01 and structuration minimale (editions in docs/standards.md).
"""

from dataclasses import replace

from lxml import etree

from labohub.standards.cda.builder.model import CrBio, PatientIdentity, Professional, Validation
from labohub.standards.cda.builder.parties import (
    add_address,
    add_laboratory,
    add_name,
    add_professional,
    add_telecoms,
)
from labohub.standards.cda.builder.xml import add, add_code, add_id, add_templates
from labohub.standards.cda.facts import Coded, Id
from labohub.standards.cda.names import LAB, LOINC

DOCUMENT_CODE = Coded("11502-2", LOINC, "CR d'examens biologiques", "LOINC")
TITLE = "Compte rendu d'examens biologiques"
_GENDERS = {"F": "Féminin", "M": "Masculin", "UN": "Inconnu"}
_GENDER_SYSTEM = "2.16.840.1.113883.5.1"


def add_header(root: etree._Element, report: CrBio, *kinds: tuple[str, str]) -> None:
    """Write the whole header into an empty ClinicalDocument.

    Args:
        kinds: the templates that say which kind of document this is, each with its version.
    """
    _identity(root, report, kinds)
    _patient(add(add(root, "recordTarget"), "patientRole"), report.patient)
    _authors(root, report)
    custodian = add(add(root, "custodian"), "assignedCustodian")
    reached = replace(report.laboratory, telecoms=report.laboratory.telecoms[:1])  # a custodian has one at most
    add_laboratory(add(custodian, "representedCustodianOrganization"), reached)
    for recipient in report.recipients:
        _recipient(add(root, "informationRecipient"), recipient)
    _signature(add(root, "legalAuthenticator"), Validation(report.biologist, report.effective_time), report)
    for validation in report.validations:
        authenticator = add(root, "authenticator")
        add_templates(authenticator, "1.3.6.1.4.1.19376.1.3.3.1.5")
        _signature(authenticator, validation, report)
    _prescriber(root, report)
    if report.order:
        add_id(add(add(root, "inFulfillmentOf"), "order"), report.order)
    _acts(root, report)
    if report.replaces:
        related = add(root, "relatedDocument", typeCode="RPLC")
        add_id(add(related, "parentDocument"), Id(report.replaces))
    _encounter(add(add(root, "componentOf"), "encompassingEncounter"), report)


def _identity(root: etree._Element, report: CrBio, kinds: tuple[tuple[str, str], ...]) -> None:
    add(root, "realmCode", code="FR")
    add(root, "typeId", root="2.16.840.1.113883.1.3", extension="POCD_HD000040")
    add_templates(root, "2.16.840.1.113883.2.8.2.1", "1.2.250.1.213.1.1.1.1")
    for template, version in kinds:
        add_id(root, Id(template, version), "templateId")
    add(root, "id", root=report.id)
    add_code(root, DOCUMENT_CODE)
    add(root, "title", TITLE)
    add(root, "effectiveTime", value=report.effective_time)
    add(root, "confidentialityCode", code="N", displayName="Normal", codeSystem="2.16.840.1.113883.5.25")
    add(root, "languageCode", code="fr-FR")
    add(root, "setId", root=report.set_id)
    add(root, "versionNumber", value=str(report.version))


def _patient(role: etree._Element, patient: PatientIdentity) -> None:
    if patient.ins:
        add_id(role, patient.ins)
    for local in patient.local_ids:
        add_id(role, local)
    if not patient.ins and not patient.local_ids:
        add_id(role, None)
    add(role, "addr", nullFlavor="UNK")
    add(role, "telecom", nullFlavor="UNK")
    person = add(role, "patient")
    name = add(person, "name")
    add(name, "family", patient.family_birth, qualifier="BR")
    add(name, "given", patient.given_list or patient.given_birth)
    add(name, "given", patient.given_birth, qualifier="BR")
    if patient.family_used:
        add(name, "family", patient.family_used, qualifier="CL")
    if patient.given_used:
        add(name, "given", patient.given_used, qualifier="CL")
    add(
        person,
        "administrativeGenderCode",
        code=patient.gender,
        displayName=_GENDERS[patient.gender],
        codeSystem=_GENDER_SYSTEM,
    )
    add(person, "birthTime", value=patient.birth_date)
    if patient.birth_place:
        add(add(add(add(person, "birthplace"), "place"), "addr"), "county", patient.birth_place)


def _authors(root: etree._Element, report: CrBio) -> None:
    """The biologist answers for the content; the hub is the device that wrote it down."""
    author = add(root, "author")
    add(author, "time", value=report.effective_time)
    add_professional(add(author, "assignedAuthor"), report.biologist, report.laboratory)
    device = add(root, "author")
    add(device, "time", value=report.effective_time)
    assigned = add(device, "assignedAuthor")
    add_id(assigned, report.software_id)
    machine = add(assigned, "assignedAuthoringDevice")
    add(machine, "manufacturerModelName", "Labohub")
    add(machine, "softwareName", report.software)
    add_laboratory(add(assigned, "representedOrganization"), report.laboratory)


def _signature(element: etree._Element, validation: Validation, report: CrBio) -> None:
    add(element, "time", value=validation.at)
    add(element, "signatureCode", code="S")
    add_professional(add(element, "assignedEntity"), validation.by, report.laboratory)


def _recipient(element: etree._Element, recipient: Professional) -> None:
    """Write who gets a copy. The header's rules know neither a templateId here nor an unknown id."""
    intended = add(element, "intendedRecipient")
    if recipient.id:
        add_id(intended, recipient.id)
    add_address(intended, ())
    add_telecoms(intended, recipient.telecoms)
    add_name(add(intended, "informationRecipient"), recipient.person)


def _prescriber(root: etree._Element, report: CrBio) -> None:
    if report.prescriber is None:
        return
    participant = add(root, "participant", typeCode="REF")
    add_templates(participant, "1.3.6.1.4.1.19376.1.3.3.1.6")
    if report.prescribed_at:
        add(add(participant, "time", xsi_type="IVL_TS"), "high", value=report.prescribed_at)
    else:
        add(participant, "time", nullFlavor="NA")
    entity = add(participant, "associatedEntity", classCode="PROV")
    add_id(entity, report.prescriber.id)
    if report.prescriber.code:
        add_code(entity, report.prescriber.code)
    add_address(entity, ())
    add_telecoms(entity, report.prescriber.telecoms)
    add_name(add(entity, "associatedPerson"), report.prescriber.person)


def _acts(root: etree._Element, report: CrBio) -> None:
    """One act a discipline; the first one carries the laboratory, the dates and the state."""
    main, *others = report.acts
    event = add(add(root, "documentationOf"), "serviceEvent")
    add_id(event, report.demand)
    add_code(event, main)
    etree.SubElement(event, f"{{{LAB}}}statusCode", {"code": "active" if report.active else "completed"})
    period = add(event, "effectiveTime")
    add(period, "low", value=report.started_at)
    add(period, "high", value=report.ended_at)
    performer = add(event, "performer", typeCode="PRF")
    add_templates(performer, "1.3.6.1.4.1.19376.1.3.3.1.7", "1.2.250.1.213.1.1.3.23")
    add(add(performer, "time"), "high", value=report.ended_at)
    add_professional(add(performer, "assignedEntity"), report.biologist, report.laboratory, industry=True)
    for code in others:
        add_code(add(add(root, "documentationOf"), "serviceEvent"), code)


def _encounter(encounter: etree._Element, report: CrBio) -> None:
    if report.encounter_id:
        add_id(encounter, report.encounter_id)
    if report.encounter:
        add_code(encounter, report.encounter)
    add(add(encounter, "effectiveTime"), "low", value=report.started_at)
    responsible = add(add(encounter, "responsibleParty"), "assignedEntity")
    add_professional(responsible, report.biologist, report.laboratory)
    facility = add(add(encounter, "location"), "healthCareFacility")
    add_code(facility, report.laboratory.facility)
    place = add(facility, "location")
    add(place, "name", report.laboratory.name)
    add_address(place, report.laboratory.address)
