"""Who may send, and what we know of each: one entry per laboratory system."""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field

from labohub.contracts.laboratory import Organisation, Professional
from labohub.contracts.values import Requester, Value, Visibility
from labohub.standards.er7 import Header

ANYONE = "*"


class Role(StrEnum):
    """What a sender's results are worth."""

    LABORATORY = "laboratory"  # LAB-3: results of record
    SUBCONTRACTOR = "subcontractor"  # LAB-36: the requester's system relays them, we archive
    MIDDLEWARE = "middleware"  # LAB-5, LAB-29: technical results, never a report


class MatrixMode(StrEnum):
    """How the volet's table of destinations is read."""

    DEFAULT = "default"  # the ordinary case is accepted, contradictions are refused
    STRICT = "strict"  # exactly the table


class InsPolicy(StrEnum):
    """What becomes of a message whose INS is wrong."""

    REFUSE = "refuse"
    DROP = "drop"  # accepted without the INS: the identity goes to the worklist


class Endpoint(Value):
    """Where business acknowledgements go."""

    host: str
    port: int = Field(ge=1, le=65535)


class Sender(Value):
    """One laboratory system. The entry `*`/`*` stands for senders nobody named."""

    application: str = ANYONE
    facility: str = ANYONE
    role: Role = Role.LABORATORY
    laboratory: Organisation = Organisation()
    oid_root: str = ""  # of the identifiers the hub makes for this laboratory
    answers: Endpoint | None = None
    answer_charset: str = "utf-8"
    # reading
    charsets: Mapping[str, str] = Field(default_factory=dict)  # MSH-18 as this sender writes it, to a codec
    charset_fallback: str = ""
    same_control_id_is_refused: bool = True  # False: a constant MSH-10, only the hash tells messages apart
    rejects_as_ar: bool = True  # MSH-9, 11, 12 on LTW: AR (HL7); False: AE (the volet's reading)
    ins_policy: InsPolicy = InsPolicy.REFUSE
    matrix: MatrixMode = MatrixMode.DEFAULT
    receiving_applications: tuple[str, ...] = ()  # MSH-5 accepted; empty: any
    # structuring path: what the results do not say
    to_dmp: bool = True
    to_patient: bool = False
    wants_reception_ack: bool = False
    wants_reading_ack: bool = False
    requester: Requester = Requester()
    biologist: Professional | None = None
    reply_to: str = ""
    visibility: Visibility = Visibility(
        masked_from_professionals=False,
        invisible_to_patient=False,
        invisible_to_guardians=False,
        secret_connection=False,
        changes_visibility=False,
    )
    mailboxes: Mapping[str, str] = Field(default_factory=dict)  # RPPS or other identifier, to a MSSanté address


class Registry:
    """The senders of one installation."""

    def __init__(self, senders: tuple[Sender, ...]) -> None:
        self._exact = {(sender.application, sender.facility): sender for sender in senders}

    def find(self, header: Header | None) -> Sender | None:
        """Return the entry for MSH-3 and MSH-4 (first components), the more exact first; None when nobody fits."""
        if header is None:
            return self._exact.get((ANYONE, ANYONE))
        application, facility = header.component(3, 1), header.component(4, 1)
        for key in ((application, facility), (application, ANYONE), (ANYONE, facility), (ANYONE, ANYONE)):
            if key in self._exact:
                return self._exact[key]
        return None
