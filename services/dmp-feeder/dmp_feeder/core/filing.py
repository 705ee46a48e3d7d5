"""What to do about a built document: file it, delete it, leave it, or refuse."""

from typing import Final

from dmp_feeder.core.errors import (
    DocumentIdMalformed,
    FictitiousIdentity,
    IdentityNotQualified,
    MasksContradict,
    SecretConnectionOff,
)
from labohub.contracts.codec import derived_id
from labohub.contracts.events import DocumentBuilt
from labohub.contracts.values import (
    BlobRef,
    IdentityStatus,
    Ins,
    MessageId,
    ReportId,
    Request,
    Requester,
    Value,
    Visibility,
)
from labohub.standards.xds import names
from labohub.standards.xds.values import is_oid

FEED: Final = "TD2.1"
REPLACE: Final = "RPLC"
DELETE: Final = "TD3.3c"
# states of a filing
DUE, TRANSMITTING, ACCEPTED, REPLACED, DELETED, REFUSED = (
    "due", "transmitting", "accepted", "replaced", "deleted", "refused",
)  # fmt: skip
TEST_OIDS: Final = frozenset({"1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.11"})


class Rules(Value):
    """What the installation allows."""

    accept_test_identities: bool = False
    accept_both_masks: bool = False  # the DMP's parameter cumul-invisible_patient-masque_ps


class Filing(Value):
    """One operation on the DMP, with all that it needs."""

    operation: str  # TD2.1, RPLC or TD3.3c
    report_id: ReportId
    document_id: str  # unique_id of the CDA
    set_id: str
    document: BlobRef
    replaces: str  # unique_id, empty when nothing is replaced
    ins: Ins
    masks: tuple[str, ...]
    requester: Requester
    encounter_class: str
    planned_at: str  # ISO 8601, UTC: the lot's own time, the same at each attempt
    rereads: int = 0  # how often the replaced document was looked for again
    failures: int = 0  # answers without a known cause

    @property
    def filing_id(self) -> str:
        """Return the identifier that a repetition is recognised by."""
        return filing_id(self.document_id, self.operation)


def filing_id(document_id: str, operation: str) -> str:
    """Return the identifier of what is done to a document: fed (new or as a replacement) or deleted."""
    return derived_id("submission", document_id, DELETE if operation == DELETE else FEED)


def operation_of(event: DocumentBuilt) -> str:
    """Return the operation that a document asks for: its own header says whether it replaces another."""
    if event.report.request is Request.DELETION:
        return DELETE
    replaces = event.facts.replaces or event.report.request is Request.REPLACEMENT
    return REPLACE if replaces else FEED


def plan(event: DocumentBuilt, rules: Rules) -> Filing | None:
    """Return what to file; None when the sender did not ask for the DMP.

    Raises:
        FilingRefused: the document may not go; each cause is a class of its own.
    """
    report, facts = event.report, event.facts
    if not report.to_dmp:
        return None
    ins = event.identity.ins
    if event.identity.status is not IdentityStatus.QUALIFIEE or ins is None:
        raise IdentityNotQualified("the identity is not qualified")
    if ins.oid in TEST_OIDS and not rules.accept_test_identities:
        raise FictitiousIdentity("a test matricule, outside a test environment")
    if not is_oid(facts.unique_id):
        raise DocumentIdMalformed("the document's id is not a plain OID")
    if report.visibility.secret_connection:
        raise SecretConnectionOff("secret connections are not served")
    masks = masks_of(report.visibility)
    if {names.MASQUE_PS, names.INVISIBLE_PATIENT} <= set(masks) and not rules.accept_both_masks:
        raise MasksContradict("masked from professionals and hidden from the patient")
    return Filing(
        operation=operation_of(event),
        report_id=report.report_id,
        document_id=facts.unique_id,
        set_id=facts.set_id,
        document=event.document,
        replaces=facts.replaces,
        ins=ins,
        masks=masks,
        requester=report.requester,
        encounter_class=report.encounter_class,
        planned_at=event.occurred_at.isoformat(),
    )


def masks_of(visibility: Visibility) -> tuple[str, ...]:
    """Return the visibility codes of the DMP for the sender's flags."""
    flags = (
        (visibility.masked_from_professionals, names.MASQUE_PS),
        (visibility.invisible_to_patient, names.INVISIBLE_PATIENT),
        (visibility.invisible_to_guardians, names.INVISIBLE_REPRESENTANTS_LEGAUX),
    )
    return tuple(code for flag, code in flags if flag)


class Asker(Value):
    """A message that waits for a filing's outcome."""

    report_id: ReportId
    message_id: MessageId
