"""PRT after the document: who asks (SB), who receives (RCT), where answers go (REPLY).

PRT is pre-adopted from HL7 2.9. Codes are compared, labels never: they vary even inside the volet.
"""

from dataclasses import dataclass

from labohub.standards.er7 import Message, Segment
from labohub.standards.ins.oids import is_ins

PATIENT_DOMAIN = "patient.mssante.fr"


@dataclass(frozen=True, slots=True)
class Participation:
    """One PRT."""

    role: str  # PRT-4.1: SB, RCT, REPLY
    person_id: str  # PRT-5.1
    person_id_type: str  # PRT-5.13
    person_authority: str  # OID of PRT-5.9, in its second sub-component, or in its first for some
    family_name: str
    given_name: str
    organisation_id: str  # PRT-8.10
    organisation_id_type: str  # PRT-8.7
    organisation_name: str
    device_id: str  # PRT-10.1
    address: str  # PRT-15.4
    location: str  # as ERR-2

    @property
    def is_patient(self) -> bool:
        """Return True for the patient's mailbox: by its domain, since PRT-5 is often missing, else by PRT-5."""
        by_address = self.address.lower().endswith("@" + PATIENT_DOMAIN)
        return by_address or self.person_id_type.startswith("INS") or is_ins(self.person_authority)


def read_participations(message: Message) -> tuple[Participation, ...]:
    """Return every PRT of a message, in order."""
    return tuple(_read(prt) for prt in message.all("PRT"))


def _read(prt: Segment) -> Participation:
    return Participation(
        role=prt.component(4, 1).upper(),
        person_id=prt.component(5, 1),
        person_id_type=prt.component(5, 13).upper(),
        person_authority=prt.subcomponent(5, 9, 2) or prt.subcomponent(5, 9, 1),
        family_name=prt.subcomponent(5, 2, 1),
        given_name=prt.component(5, 3),
        organisation_id=prt.component(8, 10),
        organisation_id_type=prt.component(8, 7).upper(),
        organisation_name=prt.component(8, 1),
        device_id=prt.component(10, 1),
        address=prt.component(15, 4),
        location=prt.location,
    )
