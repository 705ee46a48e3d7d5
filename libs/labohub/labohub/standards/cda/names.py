"""Namespaces, roots and template identifiers of CDA R2 and of the CR-BIO volet.

Source: CI-SIS, volet CR-BIO 2024.01; IHE PaLM TF-3 (editions in docs/standards.md).
"""

from typing import Final

HL7: Final = "urn:hl7-org:v3"
LAB: Final = "urn:oid:1.3.6.1.4.1.19376.1.3.2"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
NAMESPACES: Final = {"c": HL7, "lab": LAB, "xsi": XSI}

INS_OIDS: Final = frozenset(
    {
        "1.2.250.1.213.1.4.8",  # NIR
        "1.2.250.1.213.1.4.9",  # NIA
        "1.2.250.1.213.1.4.10",  # test
        "1.2.250.1.213.1.4.11",  # demonstration
    }
)
PROFESSIONALS: Final = "1.2.250.1.71.4.2.1"
STRUCTURES: Final = "1.2.250.1.71.4.2.2"
NCBI: Final = "2.16.840.1.113883.3.9471"
LOINC: Final = "2.16.840.1.113883.6.1"

CR_BIO: Final = "1.2.250.1.213.1.1.1.55"
IHE_LAB_REPORT: Final = "1.3.6.1.4.1.19376.1.3.3"
PDF_COPY_SECTION: Final = "1.2.250.1.213.1.1.2.243"
SECOND_INTENTION_SECTION: Final = "1.2.250.1.213.1.1.2.60"
XDS_SD: Final = "1.3.6.1.4.1.19376.1.2.20"
LABORATORY: Final = "1.3.6.1.4.1.19376.1.3.3.1.7"

CDA_TYPE: Final = "text/xml"  # XDS mimeType of a document
SELF_PRESENTING_TYPE: Final = "application/xslt+xml"  # of one inside its own stylesheet
