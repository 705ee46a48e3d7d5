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


class Specimen(Value):
    """A specimen (SPM). Times are HL7 TS text, as received."""

    identifier: str = ""
    nature: Code  # SPM-4, table 0487
    collected_at: str = ""
    received_at: str = ""


class Result(Value):
    """One result (OBX). `value` is unescaped text; `value_type` is OBX-2."""

    local_code: Code | None = None
    loinc: Code | None = None
    sub_id: str = ""
    value_type: str
    value: str = ""
    value_code: Code | None = None  # CE, CWE
    unit: str = ""
    reference_range: str = ""  # OBX-7 text
    flags: tuple[str, ...] = ()  # OBX-8, table 0078
    status: str  # OBX-11
    observed_at: str = ""  # OBX-14: collection
    analysed_at: str = ""  # OBX-19
    method: str = ""
    validated_by: Professional | None = None  # OBX-16
    performer: Organisation | None = None  # OBX-23 or OBX-15: who did it, when not the sender
    comments: tuple[str, ...] = ()


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
    specimens: tuple[Specimen, ...] = ()
    results: tuple[Result, ...] = ()
    comments: tuple[str, ...] = ()


class LaboratoryReport(Value):
    """What one CR-BIO says: the batteries of one demand for one patient."""

    number: str  # the laboratory's number of the demand (ORC-38, ORC-4 or ORC-3)
    version: int = 1
    partial: bool = False
    prescribed_at: str = ""
    prescriber: Professional | None = None
    biologist: Professional | None = None  # who validated; the legal authenticator
    laboratory: Organisation = Organisation()
    encounter_class: str = ""
    visit_number: str = ""
    batteries: tuple[Battery, ...] = ()
