"""From a report's values to the model of its document. Nothing is guessed: what is missing is said missing."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from cda_builder.core import numbers
from cda_builder.core.batteries import Context, chapters_of
from cda_builder.core.errors import (
    CdaBiologistMissing,
    CdaIdentityIncomplete,
    CdaLaboratoryMissing,
    CdaNoResult,
)
from cda_builder.core.laboratory import LaboratoryProfile
from cda_builder.core.people import professional, signatory, specialty, structure_id
from cda_builder.core.times import cda_time, from_datetime, instant
from labohub.contracts.laboratory import LaboratoryReport
from labohub.contracts.values import Identity, IdentityStatus, Report
from labohub.standards.cda import Coded, Id, builder
from labohub.standards.cda.builder import Chapter, CrBio, PatientIdentity
from labohub.standards.cda.tables import concepts

SOFTWARE = "Labohub"
_ENCOUNTERS = {"I": "IMP", "E": "EMER", "O": "EXTERNE", "R": "SEANCE", "N": "AMB", "U": "AMB", "P": "IMP", "B": "IMP"}
_GENDERS = {"F": "F", "M": "M"}


@dataclass(frozen=True, slots=True)
class Numbering:
    """Which version this is, and the document it replaces."""

    version: int
    replaces: str = ""


def cr_bio(
    report: Report,
    results: LaboratoryReport,
    identity: Identity,
    profile: LaboratoryProfile,
    numbering: Numbering,
) -> CrBio:
    """Return the model of the document.

    Raises:
        CdaBiologistMissing, CdaLaboratoryMissing, CdaIdentityIncomplete: someone without whom there is no report.
        CdaNoResult: nothing may be published.
        CdaNotSupportedYet: results that the builder does not write.
    """
    zone = ZoneInfo(profile.zone)
    laboratory = _laboratory(results, profile)
    biologist = _biologist(results, profile)
    context = Context(profile, laboratory.id, biologist, zone)
    chapters = chapters_of(results, context)
    if not chapters:
        raise CdaNoResult("no result to publish")
    effective = from_datetime(report.received_at, zone)
    started, ended = _period(chapters, results, zone, effective)
    set_oid = numbers.set_id(profile.oid_root, report.report_id)
    others = {v.by.id: v for chapter in chapters for v in chapter.validations if v.by.id != biologist.id}
    number = results.number or (report.order_numbers[0] if report.order_numbers else report.report_id)
    return CrBio(
        id=numbers.document_id(set_oid, numbering.version),
        set_id=set_oid,
        version=numbering.version,
        replaces=numbering.replaces,
        effective_time=effective,
        patient=_patient(identity, context),
        laboratory=laboratory,
        biologist=biologist,
        demand=context.local_id("demand", number),
        chapters=chapters,
        started_at=started,
        ended_at=ended,
        software=SOFTWARE,
        software_id=Id(numbers.uuid_oid("software"), SOFTWARE),
        prescriber=professional(results.prescriber) if results.prescriber and results.prescriber.family_name else None,
        prescribed_at=_prescribed_at(results, zone, started),
        order=context.local_id("order", report.order_numbers[0] if report.order_numbers else number),
        validations=tuple(others.values()),
        encounter=_encounter(results.encounter_class or report.encounter_class),
        encounter_id=context.local_id("visit", results.visit_number) if results.visit_number else None,
        active=results.partial or any(chapter.status == "active" for chapter in chapters),
    )


def _laboratory(results: LaboratoryReport, profile: LaboratoryProfile) -> builder.Laboratory:
    identifier = results.laboratory.identifier or profile.identifier
    if not identifier:
        raise CdaLaboratoryMissing("no laboratory identifier")
    return builder.Laboratory(
        id=structure_id(identifier),
        name=profile.name or results.laboratory.name or identifier,
        industry=concepts("practice_setting")[profile.practice_setting],
        facility=concepts("facility_type")[profile.facility_type],
        address=profile.address,
        telecoms=profile.telecoms,
        mentions=profile.mentions,
    )


def _biologist(results: LaboratoryReport, profile: LaboratoryProfile) -> builder.Professional:
    """Return who answers for the report: named by the message, else by the installation, else the first validator."""
    if results.biologist and results.biologist.family_name and results.biologist.identifier:
        return professional(results.biologist, specialty("G15_10/SM03"))
    if profile.biologist:
        return signatory(profile.biologist)
    for battery in results.batteries:
        for result in battery.results:
            if result.validated_by and result.validated_by.family_name and result.validated_by.identifier:
                return professional(result.validated_by, specialty("G15_10/SM03"))
    raise CdaBiologistMissing("no biologist")


def _prescribed_at(results: LaboratoryReport, zone: ZoneInfo, started: str) -> str:
    """Return the date of the prescription; "" for one after the collection, which is the date of something else."""
    written = cda_time(results.prescribed_at, zone)
    return written if written and instant(written) <= instant(started) else ""


def _patient(identity: Identity, context: Context) -> PatientIdentity:
    traits = identity.traits
    if not (traits.birth_name and traits.first_given_name and traits.birth_date):
        raise CdaIdentityIncomplete("a strict trait is missing")
    qualified = identity.status is IdentityStatus.QUALIFIEE and identity.ins is not None
    return PatientIdentity(
        family_birth=traits.birth_name,
        given_birth=traits.first_given_name,
        given_list=traits.given_names or traits.first_given_name,
        gender=_GENDERS.get(traits.sex, "UN"),
        birth_date=traits.birth_date,
        birth_place=traits.birth_place or ("99999" if qualified else ""),
        family_used=traits.used_name,
        given_used=traits.used_given_name,
        ins=Id(identity.ins.oid, identity.ins.matricule) if qualified and identity.ins else None,
        local_ids=tuple(
            Id(each.authority_oid or context.local_root("patient", each.authority_name), each.value)
            for each in identity.local_ids
            if each.value
        ),
    )


def _encounter(patient_class: str) -> Coded:
    return concepts("encounter")[_ENCOUNTERS.get(patient_class, "AMB")]


def _period(
    chapters: tuple[Chapter, ...], results: LaboratoryReport, zone: ZoneInfo, effective: str
) -> tuple[str, str]:
    """Return the beginning (first collection) and the end (last release) of the act; the document's date by default."""
    collected = [cda_time(battery.collected_at, zone) for battery in results.batteries]
    collected += [s.collected_low or s.collected_high for c in chapters for b in c.batteries for s in b.specimens]
    reported = [cda_time(battery.reported_at, zone) for battery in results.batteries]
    reported += [validation.at for chapter in chapters for validation in chapter.validations]
    started = min((each for each in collected if each), key=instant, default=effective)
    return started, max((each for each in reported if each), key=instant, default=effective)
