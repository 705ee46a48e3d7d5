"""MDM to the laboratory's or hospital's software: a document that came by MSSanté (flow 6).

Source: ANS volet "Transmission au LPS de documents CDA provenant d'un courriel MSSanté" 1.1.
"""

import base64
from dataclasses import dataclass
from datetime import datetime

from labohub.standards import cda
from labohub.standards.cda.names import INS_OIDS, LOINC
from labohub.standards.er7 import Message, escape
from labohub.standards.hl7.acknowledgement import timestamp
from labohub.standards.hl7.zam import Parties, answers_to

PROFILE = "1.1^CISIS_CDA_HL7_LPS"
_NIA = "1.2.250.1.213.1.4.9"
_EVENTS = {"": ("T02", "NW", "F"), "C": ("T10", "RO", "C"), "D": ("T04", "CA", "D")}  # MSH-9.2, ORC-1, OBX-11
_FLAGS = (
    ("MASQUE_PS", "Masqué aux professionnels de Santé"),
    ("INVISIBLE_PATIENT", "Document Non Visible par le patient"),
    ("INVISIBLE_REP_LEGAUX", "Non visible par les représentants Légaux du patient"),
    ("MODIF_CONF_CODE", "Modification Confidentiality Code"),
)


@dataclass(frozen=True, slots=True)
class IncomingMail:
    """What the MDM says of the mail."""

    message_id: str  # with its angle brackets
    subject: str
    text: str
    sender: str
    recipient: str
    received_at: datetime  # aware


@dataclass(frozen=True, slots=True)
class LpsAnswer:
    """The acknowledgement of the software: AA says that the document is integrated, not only received."""

    code: str
    error_code: str = ""  # ERR-5.1
    error_label: str = ""


def write_mdm(
    document: bytes,
    header: cda.Header,
    action: str,
    flags: frozenset[str],
    mail: IncomingMail,
    *,
    parties: Parties,
    control_id: str,
    processing_id: str,
    at: datetime,
) -> bytes:
    """Return the MDM of one document in ER7, UTF-8; the document's bytes are carried as they came.

    Args:
        action: "" (integrate), "C" (replace) or "D" (delete), as METADATA.XML says.
        flags: those of MASQUE_PS, INVISIBLE_PATIENT… that are Y.
    """
    event, order, status = _EVENTS[action]
    code = "^".join((escape(header.code.code), escape(header.code.label or header.title), _system(header.code.system)))
    head = "|".join((parties.our_application, parties.our_facility, parties.their_application, parties.their_facility))
    lines = [
        f"MSH|^~\\&|{head}|{timestamp(at)}||MDM^{event}^MDM_T02|{control_id}|{processing_id}|2.6|||||FRA|"
        f"UNICODE UTF-8|||{PROFILE}",
        f"EVN||{timestamp(mail.received_at)}",
        _pid(header.patient),
        "PV1|1|N",
        f"ORC|{order}",
        f"OBR|1|||{code}",
        f"TXA|1|{escape(header.code.code)}|TEXT|||||||||{_number(header.id)}|{_parent(header)}||||AU",
        f"OBX|1|ED|{code}||^text^XML^Base64^{_base64(document)}||||||{status}",
        f"PRT||UC||SB^Send by^participation|||||||||||^^X.400^{escape(mail.sender)}",
        f"PRT||UC||RCT^Result Copies To^participation|||||||||||^^X.400^{escape(mail.recipient)}",
        f"OBX|2|ED|{escape(mail.message_id)}^{escape(mail.subject)}||^text^^Base64^{_base64(mail.text.encode())}"
        "||||||F",
    ]
    for rank, (name, label) in enumerate(_FLAGS, start=3):
        value = "Y" if name in flags else "N"
        lines.append(f"OBX|{rank}|CWE|{name}^{label}^MetaDMPMSS||{value}^^expandedYes-NoIndicator||||||F")
    return "".join(line + "\r" for line in lines).encode()


def read_answer(message: Message) -> tuple[str, LpsAnswer]:
    """Return the control id that an acknowledgement names, and what it says."""
    code, answered = answers_to(message)
    err = message.first("ERR")
    error, label = (err.component(5, 1), err.component(5, 2)) if err else ("", "")
    return answered, LpsAnswer(code, error, label)


def _pid(patient: cda.Patient) -> str:
    ins = patient.ins(INS_OIDS)
    identifiers = []
    if ins is not None:
        authority = "ASIP-SANTE-INS-NIA" if ins.root == _NIA else "ASIP-SANTE-INS-NIR"
        identifiers.append(f"{escape(ins.extension)}^^^{authority}&{ins.root}&ISO^INS")
    identifiers += [
        f"{escape(each.extension)}^^^&{escape(each.root)}&ISO^PI"
        for each in patient.ids
        if each.root not in INS_OIDS and each.extension
    ]
    birth_name = patient.family_birth or patient.family_plain or patient.family_used
    first = patient.given_birth or patient.given_list.split(" ")[0]
    names = [f"{escape(birth_name)}^{escape(first)}^{escape(patient.given_list or first)}^^^^L"]
    if patient.family_used and patient.family_used != birth_name:
        names.append(f"{escape(patient.family_used)}^{escape(patient.given_used or first)}^^^^^D")
    place = f"^^^^^^BDL^^{escape(patient.birth_place)}" if patient.birth_place else ""
    sex = patient.gender if patient.gender in ("M", "F") else "U"
    fields = ["PID", "", "", "~".join(identifiers), "", "~".join(names), "", escape(patient.birth_time[:8]), sex]
    fields += ["", "", place, *[""] * 20, "VALI" if ins is not None else "PROV"]
    return "|".join(fields)


def _number(identifier: cda.Id) -> str:
    """Return TXA-12: an identifier without extension stands alone."""
    if identifier.extension:
        return f"{escape(identifier.extension)}^^{escape(identifier.root)}^ISO"
    return escape(identifier.root)


def _parent(header: cda.Header) -> str:
    """Return TXA-13: the document this one replaces."""
    replaced = next((each.id for each in header.related if each.type_code == "RPLC" and each.id), None)
    return _number(replaced) if replaced else ""


def _system(oid: str) -> str:
    return "LN" if oid in ("", LOINC) else "TRE_A05"


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
