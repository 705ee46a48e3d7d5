"""Namespaces and fixed identifiers of XDS.b, ebRIM 3.0 and the DMP.

Source: IHE ITI TF-3 4.2; DMP WSDL and schemas 2.01.04 (editions in docs/standards.md).
"""

from typing import Final

RIM: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
LCM: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
RS: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"
QUERY: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"
XDS: Final = "urn:ihe:iti:xds-b:2007"
XOP: Final = "http://www.w3.org/2004/08/xop/include"
XML: Final = "http://www.w3.org/XML/1998/namespace"

STABLE_DOCUMENT: Final = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"
_OBJECT: Final = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:"
REGISTRY_PACKAGE: Final = _OBJECT + "RegistryPackage"
CLASSIFICATION: Final = _OBJECT + "Classification"
EXTERNAL_IDENTIFIER: Final = _OBJECT + "ExternalIdentifier"
ASSOCIATION: Final = _OBJECT + "Association"

# submission set
SUBMISSION_SET_NODE: Final = "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"
SET_AUTHOR: Final = "urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d"
SET_CONTENT_TYPE: Final = "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500"
SET_PATIENT_ID: Final = "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446"
SET_SOURCE_ID: Final = "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832"
SET_UNIQUE_ID: Final = "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8"

# document entry
AUTHOR: Final = "urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d"
CLASS_CODE: Final = "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a"
TYPE_CODE: Final = "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983"
CONFIDENTIALITY_CODE: Final = "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f"
FORMAT_CODE: Final = "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d"
FACILITY_CODE: Final = "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1"
PRACTICE_CODE: Final = "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead"
EVENT_CODE: Final = "urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4"
PATIENT_ID: Final = "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"
UNIQUE_ID: Final = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"

# associations
HAS_MEMBER: Final = "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
SIGNS: Final = "urn:ihe:iti:2007:AssociationType:signs"
REPLACES: Final = "urn:ihe:iti:2007:AssociationType:RPLC"
UPDATES_STATUS: Final = "urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus"

APPROVED: Final = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
DEPRECATED: Final = "urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated"
DELETED: Final = "urn:asip:ci-sis:2010:StatusType:Deleted"

GET_DOCUMENTS: Final = "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"

PROVIDE_AND_REGISTER: Final = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"
STORED_QUERY: Final = "urn:ihe:iti:2007:RegistryStoredQuery"
UPDATE_DOCUMENT_SET: Final = "urn:ihe:iti:2010:UpdateDocumentSet"

MASKS: Final = "1.2.250.1.213.1.1.4.13"  # system of the visibility codes
MASQUE_PS: Final = "MASQUE_PS"
INVISIBLE_PATIENT: Final = "INVISIBLE_PATIENT"
INVISIBLE_REPRESENTANTS_LEGAUX: Final = "INVISIBLE_REPRESENTANTS_LEGAUX"
