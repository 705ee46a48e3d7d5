"""ORU^R01 of the volet « CDA en HL7 v2 » 2.1: a report that the SGL has structured itself."""

import base64
from dataclasses import dataclass, replace
from datetime import datetime

from labosim.day.people import LABORATORY, Doctor, Laboratory
from labosim.identities import TestIdentity

_LABELS = {
    "MASQUE_PS": "Masqué aux professionnels de Santé",
    "INVISIBLE_PATIENT": "Document Non Visible par le patient",
    "INVISIBLE_REP_LEGAUX": "Non visible par les représentants Légaux du patient",
    "CONNEXION_SECRETE": "Connexion Secrete",
    "MODIF_CONF_CODE": "Modification Confidentiality Code",
    "DESTDMP": "Destinataire DMP",
    "DESTMSSANTEPS": "Destinataire (Professionnel de Santé, organisation ou BAL applicative)",
    "DESTMSSANTEPAT": "Destinataire Patient",
    "ACK_RECEPTION": "Accusé de réception",
    "ACK_LECTURE_MSS": "Accusé de lecture",
}
_PS = "ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO"
_ST = "ASIP-SANTE-ST&1.2.250.1.71.4.2.2&ISO"
_ACTIONS = {"initial": ("NW", "F"), "replacement": ("RO", "C"), "deletion": ("CA", "D")}
_AUTHORITY = {"1.2.250.1.213.1.4.9": "ASIP-SANTE-INS-NIA"}


@dataclass(frozen=True, slots=True)
class Destinations:
    """Where a report is to go, and what the sender wants to hear back."""

    to_dmp: bool = True
    doctors: tuple[Doctor, ...] = ()
    to_patient: bool = False
    wants_reception_ack: bool = True
    wants_reading_ack: bool = False
    hidden_from_patient: bool = False

    def without_patient(self) -> "Destinations":
        """Return the same without the patient's mail."""
        return replace(self, to_patient=False)


def authority(person: TestIdentity) -> str:
    """Return the assigning authority of a matricule, as CX.4 writes it."""
    return f"{_AUTHORITY.get(person.oid, 'ASIP-SANTE-INS-NIR')}&{person.oid}&ISO"


def pid(
    person: TestIdentity, local_id: str, laboratory: Laboratory, *, reliability: str = "VALI", with_ins: bool = True
) -> str:
    """Return the PID of a person: local number, INS when asked, traits, birth place."""
    ids = [f"{local_id}^^^{laboratory.facility}&{laboratory.finess}&N^PI"]
    if with_ins:
        ids.insert(0, f"{person.matricule}^^^{authority(person)}^INS")
    fields = [""] * 33
    fields[0], fields[3] = "PID", "~".join(ids)
    fields[5] = f"{person.birth_name}^{person.first_given_name}^{person.given_names}^^^^L"
    fields[7], fields[8] = person.birth_date, person.sex
    fields[11] = f"^^^^^^BDL^^{person.birth_place}"
    fields[18] = f"D{local_id}^^^{laboratory.facility}&{laboratory.finess}&N^AN"
    fields[32] = reliability
    return "|".join(fields)


def _yes(value: bool) -> str:
    return "Y" if value else "N"


def _recipients(person: TestIdentity, destinations: Destinations) -> list[str]:
    lines = []
    for doctor in destinations.doctors:
        who = f"{doctor.rpps}^{doctor.family_name}^{doctor.given_name}^^^^^^{_PS}^D^^^RPPS"
        lines.append(f"PRT||UC||RCT^Result Copies To^participation|{who}||||||||||^^X.400^{doctor.address}")
    if destinations.to_patient:
        who = f"{person.matricule}^{person.birth_name}^{person.first_given_name}^^^^^^{authority(person)}^L^^^INS"
        address = f"{person.matricule}@patient.mssante.fr"
        lines.append(f"PRT||UC||RCT^Result Copies To^participation|{who}||||||||||^^X.400^{address}")
    return lines


def relay_message(
    *,
    control_id: str,
    sent_at: datetime,
    person: TestIdentity,
    document: bytes,
    destinations: Destinations,
    local_id: str,
    order_number: str,
    file_number: str,
    request: str = "initial",
    reliability: str = "VALI",
    with_ins: bool = True,
    processing_id: str = "P",
    laboratory: Laboratory = LABORATORY,
) -> bytes:
    """Return the ORU^R01 that asks for the sending of a CDA; `request` is initial, replacement or deletion."""
    order_control, status = _ACTIONS[request]
    biologist = laboratory.biologist
    kind = "11502-2^CR d'examens biologiques^LN"
    metadata = {
        "MASQUE_PS": False,
        "INVISIBLE_PATIENT": destinations.hidden_from_patient,
        "INVISIBLE_REP_LEGAUX": destinations.hidden_from_patient,
        "CONNEXION_SECRETE": False,
        "MODIF_CONF_CODE": False,
        "DESTDMP": destinations.to_dmp,
        "DESTMSSANTEPS": bool(destinations.doctors),
        "DESTMSSANTEPAT": destinations.to_patient,
        "ACK_RECEPTION": destinations.wants_reception_ack,
        "ACK_LECTURE_MSS": destinations.wants_reading_ack,
    }
    asker = f"{biologist.rpps}^{biologist.family_name}^{biologist.given_name}^^^^^^{_PS}^D^^^RPPS"
    structure = f"{laboratory.name}^^^^^{_ST}^FINEG^^^{laboratory.struct_idnat}"
    lines = [
        f"MSH|^~\\&|{laboratory.application}|{laboratory.facility}|LABOHUB|PFI|{sent_at:%Y%m%d%H%M%S%z}||ORU^R01^ORU_R01"
        f"|{control_id}|{processing_id}|2.5|||||FRA|UNICODE UTF-8|||2.1^CISIS_CDA_HL7_V2",
        pid(person, local_id, laboratory, reliability=reliability, with_ins=with_ins),
        "PV1|1|N",
        f"ORC|{order_control}|{order_number}|{file_number}",
        f"OBR|1|{order_number}|{file_number}|{kind}",
        f"OBX|1|ED|{kind}||^TEXT^XML^Base64^{base64.b64encode(document).decode()}||||||{status}",
        f"PRT||UC||SB^Send by^participation|{asker}|||{structure}",
        *_recipients(person, destinations),
        f"PRT||UC||REPLY^Reply To^participation|||||||||||^^X.400^{laboratory.mailbox}",
        *(
            f"OBX|{number}|CE|{code}^{_LABELS[code]}^MetaDMPMSS||{_yes(value)}^^expandedYes-NoIndicator||||||F"
            for number, (code, value) in enumerate(metadata.items(), 2)
        ),
    ]
    return "".join(f"{line}\r" for line in lines).encode()
