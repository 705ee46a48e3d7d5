"""A laboratory report as values: what ingest-hl7 reads in LTW/ILW results and cda-builder turns into a CR-BIO."""

from labohub.contracts.values import Value


class Code(Value):
    """A coded value with its system: `system` is LN (LOINC), L or 99xxx (local), or an OID."""

    code: str
    label: str = ""
    system: str = ""


class Professional(Value):
    """A person by national identifier (RPPS…) and name (XCN)."""

    identifier: str = ""
    identifier_type: str = ""
    family_name: str = ""
    given_name: str = ""


class Organisation(Value):
    """A structure by FINESS (or another typed identifier) and name (XON)."""

    identifier: str = ""
    identifier_type: str = ""
    name: str = ""
    address: str = ""  # one line, as printed (OBX-24, ORC-22)
    director: Professional | None = None  # OBX-25


class Attachment(Value):
    """An embedded object (ED) or a pointer to one (RP), as received. `data` is base64 without line breaks."""

    media_type: str = ""  # e.g. image/png, application/pdf; "" when the message does not say
    data: str = ""
    pointer: str = ""  # RP: where the sender says it lies; never fetched
    title: str = ""


class Specimen(Value):
    """A specimen (SPM). Times are HL7 TS text, as received."""

    identifier: str = ""
    nature: Code  # SPM-4, table 0487
    collected_at: str = ""
    collected_until: str = ""  # SPM-17.2, a collection over time
    received_at: str = ""
    body_site: Code | None = None  # SPM-8, else SPM-10
    method: Code | None = None  # SPM-7
    volume: str = ""  # SPM-12, number and unit
    role: str = ""  # SPM-11, table 0369
    rejected_for: tuple[str, ...] = ()  # SPM-21, texts
    conditions: tuple[str, ...] = ()  # SPM-24, indices of SAC, SPM-6 and 14, comments: texts


class PreviousResult(Value):
    """An earlier result of the same analysis for the same patient, as the sender or our own store gives it."""

    value_type: str
    value: str
    unit: str = ""
    flags: tuple[str, ...] = ()
    observed_at: str  # HL7 TS text


class Result(Value):
    """One result (OBX). `value` is unescaped text; `value_type` is OBX-2.

    A structured number (SN), a range or a ratio keeps its components as received, separated by `^`.
    """

    local_code: Code | None = None
    loinc: Code | None = None
    sub_id: str = ""
    value_type: str
    value: str = ""
    value_code: Code | None = None  # CE, CWE
    value_translations: tuple[Code, ...] = ()  # other codings of the same value
    attachment: Attachment | None = None  # ED, RP
    unit: str = ""
    unit_text: str = ""  # OBX-6.2: the unit as it is printed, when the code is another
    reference_range: str = ""  # OBX-7 text
    flags: tuple[str, ...] = ()  # OBX-8, table 0078
    status: str  # OBX-11
    observed_at: str = ""  # OBX-14: collection
    analysed_at: str = ""  # OBX-19
    method: str = ""
    validated_by: Professional | None = None  # OBX-16
    performer: Organisation | None = None  # OBX-23 or OBX-15: who did it, when not the sender
    equipment: str = ""  # OBX-18
    comments: tuple[str, ...] = ()
    previous: tuple[PreviousResult, ...] = ()  # the latest first


class ParentResult(Value):
    """The result that a battery refines: an isolate for its antibiogram (OBR-26 and OBR-29)."""

    code: Code | None = None  # OBR-26.1: OBX-3 of the parent
    sub_id: str = ""  # OBR-26.2: OBX-4 of the parent
    text: str = ""  # OBR-26.3
    placer_number: str = ""  # OBR-29.1
    filler_number: str = ""  # OBR-29.2


class Battery(Value):
    """One order of the laboratory (OBR) and its results."""

    code: Code
    loinc: Code | None = None
    placer_number: str = ""
    filler_number: str = ""
    group_number: str = ""
    section: str = ""  # OBR-24, table 0074
    status: str  # OBR-25
    collected_at: str = ""
    reported_at: str = ""  # OBR-22
    collector: Professional | None = None  # OBR-10: who took the specimens
    specimens: tuple[Specimen, ...] = ()
    results: tuple[Result, ...] = ()
    specimen_observations: tuple[Result, ...] = ()  # OBX that describe a specimen, not the patient
    parent: ParentResult | None = None
    clinical_information: str = ""  # OBR-13
    comments: tuple[str, ...] = ()


class LaboratoryReport(Value):
    """What one CR-BIO says: the batteries of one demand for one patient."""

    number: str  # the laboratory's number of the demand (ORC-38, ORC-4 or ORC-3)
    version: int = 1
    partial: bool = False
    prescribed_at: str = ""
    prescriber: Professional | None = None
    copies_to: tuple[Professional, ...] = ()  # the prescriber, then OBR-28: whom the laboratory writes to
    biologist: Professional | None = None  # who validated; the legal authenticator
    laboratory: Organisation = Organisation()
    encounter_class: str = ""
    visit_number: str = ""
    batteries: tuple[Battery, ...] = ()
    attached_reports: tuple[Attachment, ...] = ()  # whole reports (PDF) that came with the results
    comments: tuple[str, ...] = ()  # on the whole report (NTE after PID, general comment)
    conclusion: str = ""
    patient_instructions: tuple[str, ...] = ()  # what the patient must do (NTE-4 PI)
