"""The VIHF (vecteur d'identification et d'habilitation formelles): the SAML assertion that each DMP call carries.

Source: CI-SIS, Transmission d'un document CDA en HL7 v2, 2.1.2 (VIHF of indirect authentication); SAML 2.0 (OASIS).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from lxml import etree

from labohub.standards.xds.values import Coded, Cx
from labohub.standards.xmldsig import Signer, enveloped_signature

SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
XS: Final = "http://www.w3.org/2001/XMLSchema"
HL7: Final = "urn:hl7-org:v3"
WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"

SUBJECT_ID: Final = "urn:oasis:names:tc:xspa:1.0:subject:subject-id"
ROLE: Final = "urn:oasis:names:tc:xacml:2.0:subject:role"
PURPOSE: Final = "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse"
RESOURCE_ID: Final = "urn:oasis:names:tc:xacml:2.0:resource:resource-id"
CONFIDENTIALITY: Final = "urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code"

_X509_SUBJECT: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"
_S: Final = f"{{{SAML}}}"
_TYPE: Final = f"{{{XSI}}}type"
NORMAL_ACCESS: Final = Coded("normal", "1.2.250.1.213.1.1.4.248", "Accès normal")


@dataclass(frozen=True, slots=True)
class Software:
    """The software as it was approved."""

    name: str
    version: str
    approval: str  # LPS_ID_HOMOLOGATION_DMP
    identifier: str = ""  # LPS_ID, optional


@dataclass(frozen=True, slots=True)
class Dialect:
    """What official documents write in two ways: see docs/standards.md."""

    version: str = "3.0"
    mode_attribute: str = "Authentification_Mode"


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is vouched for, and for which patient."""

    person_id: str  # PS_IdNat, or structure and internal identifier
    person_name: str  # surname and given name; for a machine, its name and model
    roles: tuple[Coded, ...]  # one or two: profession, then speciality
    structure_id: str  # Struct_IdNat
    sector: Coded
    patient: Cx
    authentication_class: str = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
    confidentiality: str = ""  # only for a secret connection


def build_vihf(
    subject: Subject, software: Software, *, issuer: str, issued_at: datetime, assertion_id: str, dialect: Dialect
) -> etree._Element:
    """Return the assertion of indirect authentication, unsigned.

    Args:
        issuer: DN of the cachet certificate, RFC 2253.
        issued_at: aware; also the instant of authentication.
        assertion_id: an xs:ID: it begins with a letter or an underscore.
    """
    instant = issued_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{issued_at.microsecond // 1000:03d}Z"
    root = etree.Element(
        _S + "Assertion",
        {"ID": assertion_id, "IssueInstant": instant, "Version": "2.0"},
        nsmap={"saml2": SAML, "xs": XS, "xsi": XSI},
    )
    etree.SubElement(root, _S + "Issuer", {"Format": _X509_SUBJECT}).text = issuer
    etree.SubElement(etree.SubElement(root, _S + "Subject"), _S + "NameID").text = subject.person_id
    statement = etree.SubElement(root, _S + "AuthnStatement", {"AuthnInstant": instant})
    context = etree.SubElement(statement, _S + "AuthnContext")
    etree.SubElement(context, _S + "AuthnContextClassRef").text = subject.authentication_class
    attributes = etree.SubElement(root, _S + "AttributeStatement")
    for name, value in _texts(subject, software, dialect):
        if value:
            _attribute(attributes, name).text = value
    roles = etree.SubElement(attributes, _S + "Attribute", {"Name": ROLE})
    for role in subject.roles:
        _code(etree.SubElement(roles, _S + "AttributeValue"), "Role", role)
    purpose = etree.SubElement(attributes, _S + "Attribute", {"Name": PURPOSE})
    value_element = etree.SubElement(purpose, _S + "AttributeValue")
    _code(value_element, "PurposeOfUse", NORMAL_ACCESS, system_name="mode acces VIHF 2.0")
    return root


def sign_vihf(assertion: etree._Element, signer: Signer) -> bytes:
    """Return the signed assertion's bytes, to be carried as they are: the signature follows the Issuer."""
    assertion.insert(1, enveloped_signature(assertion, assertion.get("ID", ""), signer))
    return etree.tostring(assertion, encoding="UTF-8", xml_declaration=False)


def _texts(subject: Subject, software: Software, dialect: Dialect) -> tuple[tuple[str, str], ...]:
    return (
        ("VIHF_Version", dialect.version),
        (dialect.mode_attribute, "INDIRECTE"),
        ("Identifiant_Structure", subject.structure_id),
        ("Secteur_Activite", f"{subject.sector.code}^{subject.sector.system}"),
        (SUBJECT_ID, subject.person_name),
        (RESOURCE_ID, subject.patient.text()),
        ("Ressource_URN", "urn:dmp"),
        (CONFIDENTIALITY, subject.confidentiality),
        ("LPS_ID", software.identifier),
        ("LPS_Nom", software.name),
        ("LPS_Version", software.version),
        ("LPS_ID_HOMOLOGATION_DMP", software.approval),
    )


def _attribute(parent: etree._Element, name: str) -> etree._Element:
    attribute = etree.SubElement(parent, _S + "Attribute", {"Name": name})
    return etree.SubElement(attribute, _S + "AttributeValue", {_TYPE: "xs:string"})


def _code(parent: etree._Element, tag: str, coded: Coded, system_name: str = "") -> None:
    default: Any = {None: HL7}  # the stubs do not know the default prefix
    element = etree.SubElement(parent, f"{{{HL7}}}{tag}", nsmap=default)
    element.set(_TYPE, "CE")
    element.set("code", coded.code)
    element.set("codeSystem", coded.system)
    if system_name:
        element.set("codeSystemName", system_name)
    element.set("displayName", coded.label)
