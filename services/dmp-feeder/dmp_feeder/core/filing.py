"""What to do about a built document: file it, delete it, leave it, or refuse."""

from collections.abc import Sequence
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


class FiledDocument(Value):
    """One CDA of a filing."""

    document_id: str  # unique_id of the CDA
    set_id: str
    content: BlobRef
    replaces: str  # unique_id, empty when nothing is replaced


class Filing(Value):
    """One operation on the DMP, with all that it needs: one document, or two formats of one report."""

    operation: str  # TD2.1, RPLC or TD3.3c
    report_id: ReportId
    documents: tuple[FiledDocument, ...]
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
        return filing_id([each.document_id for each in self.documents], self.operation)

    @property
    def document_id(self) -> str:
        """Return the document that outcomes name: the first."""
        return self.documents[0].document_id


def filing_id(document_ids: Sequence[str], operation: str) -> str:
    """Return the identifier of what is done to documents: fed (new or as replacements) or deleted."""
    first, *others = document_ids
    return derived_id("submission", first, DELETE if operation == DELETE else FEED, *others)


def operation_of(event: DocumentBuilt) -> str:
    """Return the operation that documents ask for: their own headers say whether they replace others."""
    if event.report.request is Request.DELETION:
        return DELETE
    replaces = event.report.request is Request.REPLACEMENT or any(each.facts.replaces for each in event.documents)
    return REPLACE if replaces else FEED


def plan(event: DocumentBuilt, rules: Rules) -> Filing | None:
    """Return what to file; None when the sender did not ask for the DMP.

    Raises:
        FilingRefused: the document may not go; each cause is a class of its own.
    """
    report = event.report
    if not report.to_dmp:
        return None
    ins = event.identity.ins
    if event.identity.status is not IdentityStatus.QUALIFIEE or ins is None:
        raise IdentityNotQualified("the identity is not qualified")
    if ins.oid in TEST_OIDS and not rules.accept_test_identities:
        raise FictitiousIdentity("a test matricule, outside a test environment")
    if not all(is_oid(each.facts.unique_id) for each in event.documents):
        raise DocumentIdMalformed("the document's id is not a plain OID")
    if report.visibility.secret_connection:
        raise SecretConnectionOff("secret connections are not served")
    masks = masks_of(report.visibility)
    if {names.MASQUE_PS, names.INVISIBLE_PATIENT} <= set(masks) and not rules.accept_both_masks:
        raise MasksContradict("masked from professionals and hidden from the patient")
    return Filing(
        operation=operation_of(event),
        report_id=report.report_id,
        documents=tuple(
            FiledDocument(
                document_id=each.facts.unique_id,
                set_id=each.facts.set_id,
                content=each.content,
                replaces=each.facts.replaces,
            )
            for each in event.documents
        ),
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
