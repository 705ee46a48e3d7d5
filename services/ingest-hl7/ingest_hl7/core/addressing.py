"""Whom a report goes to, and in whose name, when its message does not say it itself."""

from ingest_hl7.core.senders import Sender
from labohub.contracts.laboratory import LaboratoryReport, Professional
from labohub.contracts.values import Patient, Recipient, RecipientKind, Requester
from labohub.standards.hl7.participation import PATIENT_DOMAIN


def recipients(people: tuple[Professional, ...], patient: Patient, sender: Sender) -> tuple[Recipient, ...]:
    found: dict[str, Recipient] = {}
    for person in people:
        address = sender.mailboxes.get(person.identifier)
        if address:
            found[address.lower()] = Recipient(
                kind=RecipientKind.PROFESSIONAL,
                address=address,
                identifier=person.identifier,
                identifier_type=person.identifier_type,
                family_name=person.family_name,
                given_name=person.given_name,
            )
    if sender.to_patient and patient.ins is not None and not sender.visibility.invisible_to_patient:
        address = f"{patient.ins.matricule}@{PATIENT_DOMAIN}"
        found[address.lower()] = Recipient(
            kind=RecipientKind.PATIENT, address=address, identifier=patient.ins.matricule, identifier_type="INS"
        )
    return tuple(found.values())


def requester(sender: Sender, results: LaboratoryReport) -> Requester:
    if sender.requester.organisation_id or sender.requester.person_id:
        return sender.requester
    biologist, laboratory = results.biologist or Professional(), results.laboratory
    return Requester(
        person_id=biologist.identifier,
        person_id_type=biologist.identifier_type,
        family_name=biologist.family_name,
        given_name=biologist.given_name,
        organisation_id=laboratory.identifier,
        organisation_id_type=laboratory.identifier_type,
        organisation_name=laboratory.name,
    )


def order_numbers(results: LaboratoryReport) -> tuple[str, ...]:
    numbers = [results.number]
    for battery in results.batteries:
        numbers += [battery.placer_number, battery.filler_number]
    return tuple(dict.fromkeys(each for each in numbers if each))
