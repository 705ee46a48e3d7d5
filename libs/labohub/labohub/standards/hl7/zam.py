"""Business acknowledgements (accusés métier): ZAM^Z01 for the DMP, Z02 and Z03 for MSSanté.

Source: CI-SIS volet "Transmission d'un document CDA-R2 en HL7v2" 2.1.3, flux 3, 4 and 5. Where text and official
examples differ (ERR-3 label, ERR-5 system) the text's form is written.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from labohub.standards.er7 import Message, escape
from labohub.standards.hl7.acknowledgement import timestamp
from labohub.standards.hl7.tables import ACK_METIER, APPLICATION_ERROR, SMTP_ERROR

PROFILE = "2.1^CISIS_CDA_HL7_V2"
PERMANENT, TRANSIENT = "554", "451"  # of SMTPERRORCODE
OTHER = "906"  # of table 0533


class ZamKind(StrEnum):
    """Which outcome a ZAM tells."""

    DMP_RECEPTION = "Z01"
    MSS_RECEPTION = "Z02"
    MSS_READING = "Z03"


_STATUS = {
    ZamKind.DMP_RECEPTION: "ACK_RECEPTION_DMP",
    ZamKind.MSS_RECEPTION: "ACK_RECEPTION_MSS",
    ZamKind.MSS_READING: "ACK_LECTURE_MSS",
}
_WHO = {ZamKind.MSS_RECEPTION: "DESTINATAIRE_MSS", ZamKind.MSS_READING: "LECTEUR_MSS"}
_ERROR_SYSTEM = {
    ZamKind.DMP_RECEPTION: "DMP_ERROR_CODE",
    ZamKind.MSS_RECEPTION: "SMTPERRORCODE",
    ZamKind.MSS_READING: "applicationErrorCondition",
}


@dataclass(frozen=True, slots=True)
class Parties:
    """MSH-3 to MSH-6 of the ZAM, raw ER7: the hub, then the source."""

    our_application: str
    our_facility: str
    their_application: str
    their_facility: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is told. `error_code` is empty in success; `address` is the recipient's, of Z02 and Z03."""

    kind: ZamKind
    request_control_id: str  # MSH-10 of the message that carried the document, raw
    error_code: str = ""
    error_label: str = ""  # of the DMP; the other tables give their own
    address: str = ""
    identifier: str = ""


def write_zam(
    outcome: Outcome, parties: Parties, *, at: datetime, control_id: str, processing_id: str, codec: str = "utf-8"
) -> bytes:
    """Return a ZAM in ER7.

    Args:
        at: when the acknowledged event happened (EVN-2) and the message is dated, in the zone it is written in.
        codec: `utf-8` or `iso8859-15`; what the latter cannot hold becomes a question mark.
    """
    msh_18 = "8859/15" if codec == "iso8859-15" else "UNICODE UTF-8"
    when = timestamp(at)
    status = _STATUS[outcome.kind]
    lines = [
        (
            f"MSH|^~\\&|{parties.our_application}|{parties.our_facility}|{parties.their_application}|"
            f"{parties.their_facility}|{when}||ZAM^{outcome.kind}^ZAM_Z01|{control_id}|{processing_id}|2.6|||||FRA|"
            f"{msh_18}|||{PROFILE}"
        ),
        f"EVN||{when}",
        (
            f"OBX|1|CWE|{status}^{ACK_METIER[status]}^AckMetierZAM|{outcome.request_control_id}|"
            f"{'N' if outcome.error_code else 'Y'}^^expandedYes-NoIndicator||||||F"
        ),
    ]
    who = _WHO.get(outcome.kind)
    if who:
        lines.append(
            f"OBX|2|XTN|{who}^{ACK_METIER[who]}^AckMetierZAM|{escape(outcome.identifier)}|"
            f"^^X.400^{escape(outcome.address)}||||||F"
        )
    if outcome.error_code:
        error = "^".join((*map(escape, _error(outcome)), _ERROR_SYSTEM[outcome.kind]))
        lines.append(f"ERR|||207^Application error^messageErrorCondition|E|{error}")
    return "".join(line + "\r" for line in lines).encode(codec, "replace")


def _error(outcome: Outcome) -> tuple[str, str]:
    """Return code and label of ERR-5. An SMTP code that the table has not is told as its class's general one."""
    code = outcome.error_code
    if outcome.kind is ZamKind.MSS_RECEPTION:
        code = code if code in SMTP_ERROR else TRANSIENT if code.startswith("4") else PERMANENT
        return code, SMTP_ERROR[code]
    if outcome.kind is ZamKind.MSS_READING:
        return code, APPLICATION_ERROR.get(code, APPLICATION_ERROR[OTHER])
    return code, outcome.error_label


def answers_to(message: Message) -> tuple[str, str]:
    """Return MSA-1 and MSA-2 of an acknowledgement; "" for what is not there."""
    msa = message.first("MSA")
    return (msa.component(1, 1), msa.value(2)) if msa else ("", "")
