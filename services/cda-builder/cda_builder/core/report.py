"""From a report's values to the model of its document. Nothing is guessed: what is missing is said missing."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from cda_builder.core import numbers
from cda_builder.core.attachments import PDF, media_type_of
from cda_builder.core.catalogue import Catalogue
from cda_builder.core.chapters import chapters_of
from cda_builder.core.context import Context
from cda_builder.core.errors import (
    CdaBiologistMissing,
    CdaIdentityIncomplete,
    CdaLaboratoryMissing,
    CdaNoResult,
)
from cda_builder.core.laboratory import LaboratoryProfile
from cda_builder.core.notes import closing_notes, mentions, opening_notes
from cda_builder.core.observations import attached_of
from cda_builder.core.people import is_national, professional, signatory, specialty, structure_id
from cda_builder.core.sections import chapter_code, chapter_named
from cda_builder.core.times import cda_time, from_datetime, instant
from cda_builder.core.versions import Numbering
from labohub.contracts.laboratory import LaboratoryReport
from labohub.contracts.values import Identity, IdentityStatus, Report
from labohub.standards.cda import Coded, Id, builder
from labohub.standards.cda.builder import Attached, Chapter, CrBio, PatientIdentity
from labohub.standards.cda.names import STRUCTURES
from labohub.standards.cda.tables import concepts

SOFTWARE = "Labohub"
_ENCOUNTERS = {"I": "IMP", "E": "EMER", "O": "EXTERNE", "R": "SEANCE", "N": "AMB", "U": "AMB", "P": "IMP", "B": "IMP"}
_GENDERS = {"F": "F", "M": "M"}
_WHOLE_REPORT = "Compte rendu du laboratoire"
_COFRAC = "1.2.250.1.213.6.3.1"


def cr_bio(
    report: Report,
    results: LaboratoryReport,
    identity: Identity,
    profile: LaboratoryProfile,
    numbering: Numbering,
    *,
    catalogue: Catalogue | None = None,
) -> CrBio:
    """Return the model of the document: without chapters, that of a level 1 around the PDF that came alone.

    Raises:
        CdaBiologistMissing, CdaLaboratoryMissing, CdaIdentityIncomplete: someone without whom there is no report.
        CdaNoResult: nothing may be published.
        CdaAttachmentUnreadable: an embedded object is not what it is said to be.
    """
    zone = ZoneInfo(profile.zone)
    laboratory = _laboratory(results, profile)
    context = Context(profile, laboratory.id, zone, catalogue or Catalogue())
    biologist = _biologist(results, context)
    chapters = chapters_of(results, biologist, context)
    own, others = _whole_reports(results, alone=not chapters, wanted=profile.pdf_copy == "laboratory")
    if not chapters and (own is None or profile.pdf_only == "refuse"):
        raise CdaNoResult("no result to publish")
    if results.partial and not any(each.status == "active" for each in chapters):  # what is to come is in none of them
        chapters = tuple(replace(each, status="active") for each in chapters)
    effective = from_datetime(report.received_at, zone)
    started, ended = _period(chapters, results, zone, effective)
    set_oid = numbers.set_id(profile.oid_root, report.report_id)
    validated = {v.by.id: v for chapter in chapters for v in chapter.validations if v.by.id != biologist.id}
    number = results.number or (report.order_numbers[0] if report.order_numbers else report.report_id)
    active = results.partial or any(chapter.status == "active" for chapter in chapters)
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
        acts=_acts(chapters, results, context),
        started_at=started,
        ended_at=ended,
        software=SOFTWARE,
        software_id=Id(numbers.uuid_oid("software"), SOFTWARE),
        volet=profile.volet,
        prescriber=_prescriber(results, context),
        recipients=_recipients(results, context),
        prescribed_at=_prescribed_at(results, zone, started),
        order=context.local_id("order", report.order_numbers[0] if report.order_numbers else number),
        validations=tuple(each for each in validated.values() if is_national(each.by)),
        encounter=_encounter(results.encounter_class or report.encounter_class),
        encounter_id=context.local_id("visit", results.visit_number) if results.visit_number else None,
        active=active,
        opening=opening_notes(results, numbering, context, active=active),
        closing=closing_notes(results),
        attached=(*attached_of(results.batteries, context), *others),
        mentions=mentions(chapters, context),
        copy=own,
    )


def _whole_reports(
    results: LaboratoryReport, *, alone: bool, wanted: bool
) -> tuple[Attached | None, tuple[Attached, ...]]:
    """Return the laboratory's own PDF of this report, and the PDFs that are only attached.

    Its own is the copy when it is the only one, and the laboratory wants it so or there is nothing else.
    """
    found = tuple(
        Attached(each.title or _WHOLE_REPORT, PDF, each.data)
        for each in results.attached_reports
        if each.data and media_type_of(each.data) == PDF
    )
    if len(found) == 1 and (wanted or alone):
        return found[0], ()
    return None, found


def _acts(chapters: tuple[Chapter, ...], results: LaboratoryReport, context: Context) -> tuple[Coded, ...]:
    codes = [chapter.code for chapter in chapters] or [chapter_code(each, context) for each in results.batteries]
    return tuple(dict.fromkeys(codes)) or (chapter_named(context.profile.default_chapter),)


def _laboratory(results: LaboratoryReport, profile: LaboratoryProfile) -> builder.Laboratory:
    identifier = results.laboratory.identifier or profile.identifier
    if not identifier:
        raise CdaLaboratoryMissing("no laboratory identifier")
    kind = results.laboratory.identifier_type if results.laboratory.identifier else ""
    return builder.Laboratory(
        id=structure_id(identifier, kind) or structure_id(identifier) or Id(STRUCTURES, identifier),
        name=profile.name or results.laboratory.name or identifier,
        industry=concepts("practice_setting")[profile.practice_setting],
        facility=concepts("facility_type")[profile.facility_type],
        address=profile.address,
        telecoms=profile.telecoms,
        accreditation=Id(_COFRAC, profile.accreditation, "COFRAC") if profile.accreditation else None,
    )


def _biologist(results: LaboratoryReport, context: Context) -> builder.Professional:
    """Return who answers for the report: named by the message, else by the installation, else the first validator.

    Only a national identifier can sign.
    """
    biologist = specialty("G15_10/SM03")
    validators = (result.validated_by for battery in results.batteries for result in battery.results)
    named = [
        professional(who, context, biologist) for who in (results.biologist, *validators) if who and who.family_name
    ]
    first = named[0] if named and results.biologist and results.biologist.family_name else None
    if first is not None and is_national(first):
        return first
    if context.profile.biologist:
        return signatory(context.profile.biologist)
    for who in named:
        if is_national(who):
            return who
    raise CdaBiologistMissing("no biologist")


def _prescriber(results: LaboratoryReport, context: Context) -> builder.Professional | None:
    who = results.prescriber
    return professional(who, context) if who and who.family_name else None


def _recipients(results: LaboratoryReport, context: Context) -> tuple[builder.Professional, ...]:
    """Return whom the laboratory writes to, but for the prescriber."""
    prescriber = results.prescriber.identifier if results.prescriber else ""
    others = (who for who in results.copies_to if who.family_name and who.identifier != prescriber)
    return tuple(professional(who, context) for who in others)


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
