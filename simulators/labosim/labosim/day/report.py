"""The CR-BIO that the sample laboratory's SGL makes: CDA R2 N3, volet 2024.01, with its PDF copy."""

import base64
import hashlib
import io
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from labosim.day.exams import CHAPTERS, Exam, Figure
from labosim.day.people import LABORATORY, Doctor, Laboratory
from labosim.identities import TestIdentity

_LOINC = "2.16.840.1.113883.6.1"
_PS, _STRUCTURE = "1.2.250.1.71.4.2.1", "1.2.250.1.71.4.2.2"
_FLAGS = {"N": "Normal", "H": "Anormalement haut", "L": "Anormalement bas"}
_JOBS = "1.2.250.1.213.1.1.4.5"


@dataclass(frozen=True, slots=True)
class Copy:
    """One version of one report."""

    set_id: str  # OID
    version: int
    order_number: str
    file_number: str
    validated_at: datetime  # aware
    exams: tuple[Exam, ...]
    prescriber: Doctor

    @property
    def unique_id(self) -> str:
        """Return the document's own OID."""
        return f"{self.set_id}.{self.version}"


def _time(at: datetime) -> str:
    return at.strftime("%Y%m%d%H%M%S%z")


def _person(doctor: Doctor) -> str:
    return (
        f"<assignedPerson><name><family>{escape(doctor.family_name)}</family>"
        f"<given>{escape(doctor.given_name)}</given><suffix>DR</suffix></name></assignedPerson>"
    )


def _organisation(laboratory: Laboratory, tag: str = "representedOrganization", industry: str = "") -> str:
    return (
        f'<{tag}><id root="{_STRUCTURE}" extension="{laboratory.struct_idnat}"/><name>{escape(laboratory.name)}</name>'
        '<telecom value="tel:0199000017" use="WP"/><addr><streetAddressLine>4 allée du Grand Chêne</streetAddressLine>'
        f"<streetAddressLine>00000 VALDOR</streetAddressLine></addr>{industry}</{tag}>"
    )


def _biologist(laboratory: Laboratory, tag: str, *, organisation: str = "") -> str:
    doctor = laboratory.biologist
    return (
        f'<{tag}><id root="{_PS}" extension="{doctor.ps_idnat}"/>'
        f'<code code="G15_10/SM03" displayName="Médecin - Biologie médicale (SM)" codeSystem="{_JOBS}"/>'
        f'<addr nullFlavor="NAV"/><telecom nullFlavor="NAV"/>{_person(doctor)}{organisation}</{tag}>'
    )


def _patient(person: TestIdentity, local_id: str, laboratory: Laboratory, *, with_ins: bool) -> str:
    gender = {"F": "Féminin", "M": "Masculin"}[person.sex]
    ins = f'<id root="{person.oid}" extension="{person.matricule}"/>' if with_ins else ""
    return (
        f'<recordTarget><patientRole>{ins}<id root="{laboratory.oid}.1" extension="{local_id}"/>'
        '<addr nullFlavor="UNK"/><telecom nullFlavor="UNK"/>'
        f'<patient><name><family qualifier="BR">{escape(person.birth_name)}</family>'
        f"<given>{escape(person.given_names)}</given>"
        f'<given qualifier="BR">{escape(person.first_given_name)}</given></name>'
        f'<administrativeGenderCode code="{person.sex}" displayName="{gender}" codeSystem="2.16.840.1.113883.5.1"/>'
        f'<birthTime value="{person.birth_date}"/>'
        f"<birthplace><place><addr><county>{person.birth_place}</county></addr></place></birthplace>"
        "</patient></patientRole></recordTarget>"
    )


def _limits(figure: Figure) -> str:
    analyte = figure.analyte
    unit = quoteattr(analyte.unit)
    low = f'<low value="{analyte.low:g}" unit={unit}/>' if analyte.low is not None else ""
    high = f'<high value="{analyte.high:g}" unit={unit}/>' if analyte.high is not None else ""
    return f'<value xsi:type="IVL_PQ">{low}{high}</value>'


def _observation(figure: Figure, reference: str, at: str) -> str:
    analyte = figure.analyte
    return (
        '<observation classCode="OBS" moodCode="EVN">'
        '<templateId root="1.3.6.1.4.1.19376.1.3.1.6"/><templateId root="1.2.250.1.213.1.1.3.80"/>'
        f'<code code="{analyte.loinc}" displayName={quoteattr(analyte.label)} codeSystem="{_LOINC}">'
        f'<originalText><reference value="#{reference}"/></originalText></code><statusCode code="completed"/>'
        f'<effectiveTime value="{at}"/><value xsi:type="PQ" value="{figure.text}" unit={quoteattr(analyte.unit)}/>'
        f'<interpretationCode code="{figure.flag}" displayName="{_FLAGS[figure.flag]}"'
        ' codeSystem="2.16.840.1.113883.5.83"/>'
        f'<referenceRange typeCode="REFV"><observationRange>{_limits(figure)}'
        '<interpretationCode code="N" displayName="Normal" codeSystem="2.16.840.1.113883.5.83"/>'
        "</observationRange></referenceRange></observation>"
    )


def _range_text(figure: Figure) -> str:
    low, high = figure.analyte.low, figure.analyte.high
    return f"< {high:g}" if low is None else f"{low:g} - {high:g}"


def _chapter(code: str, exams: Sequence[Exam], at: str) -> str:
    name = CHAPTERS[code]
    lines, batteries = [], []
    for exam in exams:
        observations = []
        for figure in exam.figures:
            reference = f"r-{exam.panel.local}-{figure.analyte.local}".lower()
            lines.append(
                f'<tr><td><content ID="{reference}">{escape(figure.analyte.name)}</content></td>'
                f"<td>{figure.text} {escape(figure.analyte.unit)}</td><td>{_FLAGS[figure.flag]}</td>"
                f"<td>{escape(_range_text(figure))}</td></tr>"
            )
            observations.append(f"<component>{_observation(figure, reference, at)}</component>")
        batteries.append(
            '<entryRelationship typeCode="COMP"><organizer classCode="BATTERY" moodCode="EVN">'
            '<templateId root="1.3.6.1.4.1.19376.1.3.1.4"/><templateId root="1.2.250.1.213.1.1.3.78"/>'
            f'<code><originalText><reference value="#b-{exam.panel.local.lower()}"/></originalText></code>'
            f'<statusCode code="completed"/><effectiveTime value="{at}"/>{"".join(observations)}'
            "</organizer></entryRelationship>"
        )
    titles = "".join(
        f'<paragraph ID="b-{exam.panel.local.lower()}">{escape(exam.panel.name)}</paragraph>' for exam in exams
    )
    chapter = f'<code code="{code}" displayName="{name}" codeSystem="{_LOINC}"/>'
    return (
        '<component><section><templateId root="1.3.6.1.4.1.19376.1.3.3.2.1"/>'
        f'<templateId root="1.2.250.1.213.1.1.2.70"/>{chapter}<title>{name}</title><text>{titles}<table>'
        "<thead><tr><th>Examen</th><th>Résultat</th><th>Interprétation</th><th>Référence</th></tr></thead>"
        f'<tbody>{"".join(lines)}</tbody></table></text><entry typeCode="DRIV">'
        '<templateId root="1.3.6.1.4.1.19376.1.3.1"/><templateId root="1.2.250.1.213.1.1.3.21"/>'
        f'<act classCode="ACT" moodCode="EVN">{chapter}<statusCode code="completed"/>{"".join(batteries)}</act>'
        "</entry></section></component>"
    )


def _pdf_section(pdf: bytes, unique_id: str) -> str:
    first = uuid.uuid5(uuid.NAMESPACE_OID, f"{unique_id}.pdf")
    second = uuid.uuid5(uuid.NAMESPACE_OID, f"{unique_id}.pdf.type")
    copy = f'code="55108-5" displayName="Copie du document" codeSystem="{_LOINC}"'
    return (
        f'<component><section><templateId root="1.2.250.1.213.1.1.2.243"/><code {copy}/>'
        '<title>Copie du document</title><text><paragraph ID="pdf">Copie PDF du compte rendu</paragraph>'
        '<renderMultiMedia referencedObject="PDF1"/></text><entry><organizer classCode="CLUSTER" moodCode="EVN">'
        f'<templateId root="1.2.250.1.213.1.1.3.18"/><id root="{str(first).upper()}"/>'
        f'<code code="55107-7" displayName="Document attaché" codeSystem="{_LOINC}"/><statusCode code="completed"/>'
        '<component><observation classCode="OBS" moodCode="EVN">'
        '<templateId root="1.3.6.1.4.1.19376.1.5.3.1.4.13"/><templateId root="1.2.250.1.213.1.1.3.48"/>'
        f'<templateId root="1.2.250.1.213.1.1.3.48.18"/><id root="{str(second).upper()}"/>'
        f'<code code="69764-9" displayName="Type de document" codeSystem="{_LOINC}"/>'
        '<text><reference value="#pdf"/></text><statusCode code="completed"/><effectiveTime nullFlavor="NA"/>'
        f'<value xsi:type="CD" {copy}/></observation></component>'
        '<component><observationMedia classCode="OBS" moodCode="EVN" ID="PDF1">'
        f'<value mediaType="application/pdf" representation="B64">{base64.b64encode(pdf).decode()}</value>'
        "</observationMedia></component></organizer></entry></section></component>"
    )


def cr_bio(
    person: TestIdentity, copy: Copy, *, local_id: str, laboratory: Laboratory = LABORATORY, with_ins: bool = True
) -> bytes:
    """Return the CDA of one version of a report, UTF-8; the same bytes for the same values."""
    at = _time(copy.validated_at)
    chapters: dict[str, list[Exam]] = {}
    for exam in copy.exams:
        chapters.setdefault(exam.panel.chapter, []).append(exam)
    first, *others = chapters
    industry = (
        '<standardIndustryClassCode code="AMBULATOIRE" displayName="Ambulatoire" codeSystem="1.2.250.1.213.1.1.4.9"/>'
    )
    main_act = (
        f'<documentationOf><serviceEvent><id root="{laboratory.oid}.2" extension="{copy.file_number}"/>'
        f'<code code="{first}" displayName="{CHAPTERS[first]}" codeSystem="{_LOINC}"/>'
        '<lab:statusCode code="completed"/>'
        f'<effectiveTime><low value="{at}"/><high value="{at}"/></effectiveTime><performer typeCode="PRF">'
        '<templateId root="1.3.6.1.4.1.19376.1.3.3.1.7"/><templateId root="1.2.250.1.213.1.1.3.23"/>'
        f'<time><high value="{at}"/></time>'
        f"{_biologist(laboratory, 'assignedEntity', organisation=_organisation(laboratory, industry=industry))}"
        "</performer></serviceEvent></documentationOf>"
    )
    other_acts = "".join(
        f'<documentationOf><serviceEvent><code code="{code}" displayName="{CHAPTERS[code]}" codeSystem="{_LOINC}"/>'
        "</serviceEvent></documentationOf>"
        for code in others
    )
    replaced = (
        f'<relatedDocument typeCode="RPLC"><parentDocument><id root="{copy.set_id}.{copy.version - 1}"/>'
        "</parentDocument></relatedDocument>"
        if copy.version > 1
        else ""
    )
    organisation = _organisation(laboratory)
    body = "".join(_chapter(code, exams, at) for code, exams in chapters.items())
    pdf = pdf_copy(person, copy, laboratory)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:lab="urn:oid:1.3.6.1.4.1.19376.1.3.2"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><realmCode code="FR"/>'
        '<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>'
        '<templateId root="2.16.840.1.113883.2.8.2.1"/><templateId root="1.2.250.1.213.1.1.1.1"/>'
        '<templateId root="1.3.6.1.4.1.19376.1.3.3"/><templateId root="1.2.250.1.213.1.1.1.55" extension="2024.01"/>'
        f'<id root="{copy.unique_id}"/>'
        f'<code code="11502-2" displayName="CR d\'examens biologiques" codeSystem="{_LOINC}"/>'
        f'<title>Compte rendu d\'examens biologiques</title><effectiveTime value="{at}"/>'
        '<confidentialityCode code="N" displayName="Normal" codeSystem="2.16.840.1.113883.5.25"/>'
        f'<languageCode code="fr-FR"/><setId root="{copy.set_id}"/><versionNumber value="{copy.version}"/>'
        f"{_patient(person, local_id, laboratory, with_ins=with_ins)}"
        f'<author><time value="{at}"/>{_biologist(laboratory, "assignedAuthor", organisation=organisation)}</author>'
        "<custodian><assignedCustodian>"
        f"{_organisation(laboratory, 'representedCustodianOrganization')}</assignedCustodian></custodian>"
        f'<legalAuthenticator><time value="{at}"/><signatureCode code="S"/>'
        f"{_biologist(laboratory, 'assignedEntity', organisation=organisation)}</legalAuthenticator>"
        f'<participant typeCode="REF"><templateId root="1.3.6.1.4.1.19376.1.3.3.1.6"/><time nullFlavor="NA"/>'
        f'<associatedEntity classCode="PROV"><id root="{_PS}" extension="{copy.prescriber.ps_idnat}"/>'
        f'<addr nullFlavor="NAV"/><telecom nullFlavor="NAV"/><associatedPerson><name><family>'
        f"{escape(copy.prescriber.family_name)}</family><given>{escape(copy.prescriber.given_name)}</given></name>"
        "</associatedPerson></associatedEntity></participant>"
        f'<inFulfillmentOf><order><id root="{laboratory.oid}.3" extension="{copy.order_number}"/></order>'
        "</inFulfillmentOf>"
        f"{main_act}{other_acts}{replaced}<componentOf><encompassingEncounter>"
        '<code code="AMB" displayName="Ambulatoire (hors établissement)" codeSystem="2.16.840.1.113883.5.4"/>'
        f'<effectiveTime><low value="{at}"/></effectiveTime><responsibleParty>'
        f"{_biologist(laboratory, 'assignedEntity', organisation=organisation)}</responsibleParty><location>"
        '<healthCareFacility><code code="SA25" displayName="Laboratoire de biologie médicale"'
        ' codeSystem="1.2.250.1.71.4.2.4"/></healthCareFacility></location></encompassingEncounter></componentOf>'
        f"<component><structuredBody>{body}{_pdf_section(pdf, copy.unique_id)}</structuredBody></component>"
        "</ClinicalDocument>\n"
    ).encode()


def pdf_copy(person: TestIdentity, copy: Copy, laboratory: Laboratory = LABORATORY) -> bytes:
    """Return the report as the laboratory prints it; the same bytes for the same values."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=1, pageCompression=0)  # compression has global settings
    canvas.setTitle("Compte rendu d'examens biologiques")
    canvas.setFont("Helvetica-Bold", 14)
    canvas.drawString(60, 780, laboratory.name)
    canvas.setFont("Helvetica", 10)
    canvas.drawString(60, 762, f"Compte rendu {copy.file_number}, version {copy.version}")
    canvas.drawString(60, 746, f"{person.birth_name} {person.first_given_name}, {person.birth_date}")
    line = 715
    for exam in copy.exams:
        canvas.setFont("Helvetica-Bold", 11)
        canvas.drawString(60, line, exam.panel.name)
        canvas.setFont("Helvetica", 10)
        for figure in exam.figures:
            line -= 16
            canvas.drawString(72, line, figure.analyte.name)
            canvas.drawRightString(320, line, f"{figure.text} {figure.analyte.unit}")
            canvas.drawString(340, line, "" if figure.flag == "N" else figure.flag)
            canvas.drawString(370, line, _range_text(figure))
        line -= 26
    canvas.drawString(60, 60, f"Validé par Dr {laboratory.biologist.given_name} {laboratory.biologist.family_name}")
    canvas.save()
    return out.getvalue()


def digest(document: bytes) -> str:
    """Return the SHA-256 of a document, hexadecimal."""
    return hashlib.sha256(document).hexdigest()
