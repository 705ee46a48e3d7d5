"""What we know of each laboratory system that may send: one entry each. `core/registry.py` finds the right one.

Every field has a default: a laboratory says only what is its own. Who reads a field is said where it is not evident.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, PositiveFloat, PositiveInt, field_validator

from labohub.contracts.laboratory import Organisation, Professional
from labohub.contracts.values import Requester, Value, Visibility

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


class Transaction(StrEnum):
    """What a sender may use the hub for. Several share a message type: the entry says which, nothing is guessed."""

    CDA = "CDA"  # ORU and MDM of the volet "CDA en HL7v2"
    LAB_1 = "LAB-1"  # orders of a placer
    LAB_2 = "LAB-2"  # orders born in the laboratory
    LAB_3 = "LAB-3"  # results of record: ORU^R01, and OUL^R22/R24 where this is declared
    LAB_4 = "LAB-4"  # work orders to the automation
    LAB_5 = "LAB-5"  # technical results
    LAB_28 = "LAB-28"  # work orders to an analyser
    LAB_29 = "LAB-29"  # results of an analyser
    LAB_35 = "LAB-35"  # sub-orders
    LAB_36 = "LAB-36"  # a subcontractor's results
    PAM = "PAM"  # identity and stays: ADT


class ReportPolicy(StrEnum):
    """When results become a report (structuring path)."""

    FINAL = "final"  # once every battery of the demand is final, corrected or cancelled
    PARTIAL = "partial"  # at once, marked partial, and replaced at each step
    DISCIPLINE = "discipline"  # one discipline (OBR-24) after the other
    ON_EVENT = "on-event"  # when the laboratory's system says `report.validated`


class ReportKey(StrEnum):
    """What makes results belong to one report."""

    DEMAND = "demand"  # ORC-38, else ORC-4, else the filler number
    ACCOUNT = "account"  # PID-18, else as above
    FILLER_PREFIX = "filler-prefix"  # the filler number up to its last `filler_separator`


class Antibiogram(StrEnum):
    """How a sender ties antibiotics to an isolate."""

    CHILD_ORDER = "child-order"  # OBR-26 and OBR-29 name the parent's isolate
    SUB_ID = "sub-id"  # in the same order, by OBX-4
    ONLY_ISOLATE = "only-isolate"  # no link: accepted when there is exactly one isolate


class Stage(StrEnum):
    """Whether a system is in use or on trial. An installation in production has none on trial."""

    INSTALLATION = ""  # as the installation
    TEST = "test"
    PRODUCTION = "production"  # MSH-11 `P` and real INS alone, even in a test installation


class Names(Value):
    """MSH-3 and MSH-4 (first components) under which a system also writes."""

    application: str
    facility: str = ANYONE


class Mllp(Value):
    """How a sender frames, applied to connections whose client certificate is in its entry; unset: the listener's."""

    end_without_cr: bool | None = None
    max_frame_bytes: PositiveInt | None = None
    idle_timeout_seconds: PositiveFloat | None = None
    frame_timeout_seconds: PositiveFloat | None = None


class Quirks(Value):
    """What a sender writes against the standard, and how it is meant. Each use leaves a warning on the message."""

    comparator_in_numbers: bool = False  # OBX-5 of a NM is `<0.02`: read as SN `<^0.02`
    decimal_comma: bool = False  # OBX-5 of a NM or SN is `5,2`: read as `5.2`


class Webhook(Value):
    """Where news of a laboratory's reports go as they happen: identifiers and codes, never a patient's data."""

    id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")  # for people and logs
    url: str  # https; http on loopback alone
    secret_file: str  # holds `whsec_` and 24 to 64 random bytes in base64
    events: tuple[str, ...] = ()  # steps, e.g. `message.settled`, `report.held`, `mail.bounced`; empty: all
    allow_private: bool = False  # addresses of the internal network may be called

    @property
    def is_loopback(self) -> bool:
        """Return whether it is on this machine."""
        return urlsplit(self.url).hostname in ("127.0.0.1", "::1", "localhost")

    @field_validator("url")
    @classmethod
    def _is_callable(cls, url: str) -> str:
        parts = urlsplit(url)
        loopback = parts.hostname in ("127.0.0.1", "::1", "localhost")
        if not parts.hostname or parts.username or parts.fragment or parts.scheme not in ("https", "http"):
            raise ValueError("not an address of HTTPS")
        if parts.scheme == "http" and not loopback:
            raise ValueError("https outside this machine")
        return url


class Endpoint(Value):
    """Where business acknowledgements go."""

    host: str
    port: int = Field(ge=1, le=65535)


class Sender(Value):
    """One laboratory system. The entry `*`/`*` stands for senders nobody named."""

    # who
    application: str = ANYONE  # MSH-3, first component
    facility: str = ANYONE  # MSH-4, first component
    also: tuple[Names, ...] = ()  # other names under which it writes
    name: str = ""  # for people and logs; empty: `application|facility`
    stage: Stage = Stage.INSTALLATION
    role: Role = Role.LABORATORY
    certificates: tuple[str, ...] = ()  # SHA-256 (hex) or subject (`CN=…`) of its client certificates; empty: any peer
    drop_folder: str = ""  # its own folder inside INGEST_HL7_DROP_FOLDER; files there speak for it alone
    laboratory: Organisation = Organisation()
    oid_root: str = ""  # of the identifiers the hub makes for this laboratory
    # what it may send
    transactions: tuple[Transaction, ...] = ()  # empty: any
    versions: tuple[str, ...] = ()  # MSH-12, first component; empty: all that the hub knows
    receiving_applications: tuple[str, ...] = ()  # MSH-5 accepted; empty: any
    receiving_facilities: tuple[str, ...] = ()  # MSH-6 (first component) accepted; empty: any
    # answers
    answers: Endpoint | None = None
    answer_charset: str = "utf-8"
    webhooks: tuple[Webhook, ...] = ()  # `[[sender.webhooks]]`
    rejects_as_ar: bool = True  # MSH-9, 11, 12 on LTW: AR (HL7); False: AE (the volet's reading)
    # reading
    mllp: Mllp = Mllp()
    charsets: Mapping[str, str] = Field(default_factory=dict)  # MSH-18 as this sender writes it, to a codec
    charset_fallback: str = ""  # codec when MSH-18 is empty
    timezone: str = ""  # of its times without offset, e.g. `Indian/Reunion`; empty: they stay as written
    authorities: Mapping[str, str] = Field(default_factory=dict)  # name of an assigning authority, to its OID
    quirks: Quirks = Quirks()
    same_control_id_is_refused: bool = True  # False: a constant MSH-10, only the hash tells messages apart
    ins_policy: InsPolicy = InsPolicy.REFUSE
    matrix: MatrixMode = MatrixMode.DEFAULT
    # from results to reports
    snapshot: bool = False  # a message repeats all results of its batteries: what it omits is withdrawn
    report_key: ReportKey = ReportKey.DEMAND
    filler_separator: str = Field("-", min_length=1, max_length=1)
    report_policy: ReportPolicy = ReportPolicy.FINAL
    whole_report_codes: tuple[str, ...] = ()  # OBX-3 (first component) of the PDF that is the laboratory's whole report
    analytes: tuple[str, ...] = ()  # OUL^R24: OBX-3 (first component) that are results directly behind SPM; `*`: all
    previous_results: int = Field(0, ge=0, le=10)  # earlier values to quote from the patient's former demands
    antibiogram: Antibiogram = Antibiogram.CHILD_ORDER
    eucast_i: Literal["I", "SDD"] = "I"  # how its `I` of an antibiogram is coded in the document
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

    @property
    def names(self) -> tuple[Names, ...]:
        """Return all names of the system, the main one first."""
        return (Names(application=self.application, facility=self.facility), *self.also)

    @property
    def label(self) -> str:
        """Return how people call it."""
        return self.name or f"{self.application}|{self.facility}"

    def environment(self, installation: str) -> str:
        """Return `test` or `production`: which INS and MSH-11 this sender may write."""
        return self.stage or installation
