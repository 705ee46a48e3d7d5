"""Who gets a document: the requester and the recipients named by PRT.

Never the informationRecipient of the CDA: it says who got a copy when the document was written.
Source: CI-SIS volet "Transmission d'un document CDA-R2 en HL7v2", segments PRT.
"""

import re
from dataclasses import dataclass

from ingest_hl7.core.decision import RefusedRecipient
from labohub.contracts.values import Recipient, RecipientKind, Requester
from labohub.standards.hl7.cda_in_hl7 import Transmission
from labohub.standards.hl7.findings import Finding, warning
from labohub.standards.hl7.participation import PATIENT_DOMAIN, Participation
from labohub.standards.mail import AddressMalformed, normal_address

_PATIENT_BOX = re.compile(r"[0-9]{6}[0-9ab][0-9]{8}")  # a matricule, in small letters


@dataclass(frozen=True, slots=True)
class Destinations:
    """Who gets the document."""

    to_dmp: bool
    recipients: tuple[Recipient, ...]
    refused: tuple[RefusedRecipient, ...]
    requester: Requester
    reply_to: str


def resolve(
    transmission: Transmission, requester: Requester, *, ins_is_wrong: bool = False
) -> tuple[Destinations, tuple[Finding, ...], tuple[Finding, ...]]:
    """Return who gets the document; what is missing or wrong among the PRT; what of it is not asked for.

    Args:
        requester: stands in for a PRT SB that the message's profile did not know; empty: required as ever.
        ins_is_wrong: the matricule of PID is refused in any case: the patient's mailbox is not compared with it.
    """
    flags, errors = transmission.flags, list[Finding]()
    by_role = {
        role: [each for each in transmission.participations if each.role == role] for role in ("SB", "RCT", "REPLY")
    }
    if by_role["SB"] or not requester.organisation_id:
        requester = _requester(by_role["SB"], needed=flags["DESTDMP"], errors=errors)
    professionals = [each for each in by_role["RCT"] if not each.is_patient]
    patients = [each for each in by_role["RCT"] if each.is_patient]
    recipients: list[Recipient] = []
    refused: list[RefusedRecipient] = []
    if flags["DESTMSSANTEPS"]:
        recipients += _professionals(professionals, errors)
    if flags["DESTMSSANTEPAT"]:
        matricule = transmission.patient.ins.value if transmission.patient.ins and not ins_is_wrong else ""
        _patient(matricule.lower(), patients, recipients, refused, errors)
    unasked = (() if flags["DESTMSSANTEPS"] else professionals, () if flags["DESTMSSANTEPAT"] else patients)
    text = "Destinataire MSSanté nommé sans être demandé : rien ne lui est envoyé."
    warnings = [warning(f"{each.location}^15", "volet.recipient-not-asked", text) for some in unasked for each in some]
    replies = [each.address for each in by_role["REPLY"] if each.address and _is_box(each, errors)]
    unique = {(each.kind, each.address.lower()): each for each in recipients}
    return (
        Destinations(
            flags["DESTDMP"], tuple(unique.values()), tuple(refused), requester, replies[0] if replies else ""
        ),
        tuple(errors),
        tuple(warnings),
    )


def _requester(sent_by: list[Participation], *, needed: bool, errors: list[Finding]) -> Requester:
    if len(sent_by) > 1:
        errors.append(Finding("198", sent_by[1].location, "volet.several-requesters", "Plus d'un PRT « SB »."))
    if not sent_by:
        if needed:
            errors.append(Finding("101", "PRT^1", "volet.requester-missing", "PRT « SB » absent, requis pour le DMP."))
        return Requester()
    who = sent_by[0]
    if needed and not who.organisation_id:
        errors.append(
            Finding("101", f"{who.location}^8", "volet.requester-structure", "PRT-8.10 de « SB » requis pour le DMP.")
        )
    if needed and not (who.person_id or who.device_id):
        errors.append(
            Finding("101", f"{who.location}^5", "volet.requester-person", "PRT-5.1 ou PRT-10.1 de « SB » requis.")
        )
    return Requester(
        person_id=who.person_id,
        person_id_type=who.person_id_type,
        family_name=who.family_name,
        given_name=who.given_name,
        organisation_id=who.organisation_id,
        organisation_id_type=who.organisation_id_type,
        organisation_name=who.organisation_name,
        device_id=who.device_id,
    )


def _professionals(participations: list[Participation], errors: list[Finding]) -> list[Recipient]:
    if not participations:
        errors.append(Finding("101", "PRT^1^15", "volet.recipient-missing", "Aucun destinataire professionnel."))
    recipients = []
    for each in participations:
        if not each.address:
            errors.append(Finding("101", f"{each.location}^15", "volet.address-missing", "Adresse MSSanté absente."))
        elif _is_box(each, errors):
            recipients.append(_recipient(each, _kind(each)))
    return recipients


def _is_box(who: Participation, errors: list[Finding]) -> bool:
    """Return whether PRT-15.4 is one address and nothing more; it will be written into a mail and its envelope."""
    try:
        normal_address(who.address)
    except AddressMalformed:
        pass
    else:
        return True
    errors.append(Finding("102", f"{who.location}^15", "volet.address-malformed", "Adresse MSSanté mal formée."))
    return False


def _patient(
    matricule: str,
    participations: list[Participation],
    recipients: list[Recipient],
    refused: list[RefusedRecipient],
    errors: list[Finding],
) -> None:
    if len(participations) != 1:
        condition = "198" if participations else "101"
        errors.append(Finding(condition, "PRT^1^15", "volet.patient-recipient", "Un et un seul destinataire patient."))
        return
    who = participations[0]
    recipient = _recipient(who, RecipientKind.PATIENT)
    box, _, domain = who.address.lower().partition("@")
    if domain != PATIENT_DOMAIN or not _PATIENT_BOX.fullmatch(box):
        refused.append(RefusedRecipient(recipient, "553", "mss.patient-address-malformed"))
    elif matricule and box != matricule:
        errors.append(
            Finding("199", f"{who.location}^15", "mss.patient-address-differs", "L'adresse n'est pas celle du patient.")
        )
    else:
        recipients.append(recipient)


def _kind(who: Participation) -> RecipientKind:
    if who.person_id:
        return RecipientKind.PROFESSIONAL
    if who.device_id:
        return RecipientKind.APPLICATION
    return RecipientKind.ORGANISATION if who.organisation_id else RecipientKind.PROFESSIONAL


def _recipient(who: Participation, kind: RecipientKind) -> Recipient:
    organisation = kind is RecipientKind.ORGANISATION
    return Recipient(
        kind=kind,
        address=who.address,
        identifier=who.organisation_id if organisation else who.person_id or who.device_id,
        identifier_type=who.organisation_id_type if organisation else who.person_id_type,
        family_name=who.family_name,
        given_name=who.given_name,
        organisation_name=who.organisation_name,
    )
