"""What is decided about a built document, before any call."""

import pytest

from dmp_feeder.core.errors import (
    DocumentIdMalformed,
    FictitiousIdentity,
    FilingRefused,
    IdentityNotQualified,
    MasksContradict,
    SecretConnectionOff,
)
from dmp_feeder.core.filing import Filing, Rules, masks_of, plan
from labohub.contracts.events import DocumentBuilt
from labohub.contracts.values import BlobRef, IdentityStatus, Request
from tests.support.dmp import cda
from tests.support.dmp_service import OPEN, built

BLOB = BlobRef(id="b", sha256="0" * 64, size_bytes=1, media_type="text/xml")
HERE = Rules(accept_test_identities=True)
FIRST, SECOND = "2.25.300000000000000000000000000000000001", "2.25.300000000000000000000000000000000002"


def event(content: bytes = b"", **changes: object) -> DocumentBuilt:
    return built(content or cda(), BLOB, "r", "m", **changes)


def filed(made: DocumentBuilt, rules: Rules = HERE) -> Filing:
    filing = plan(made, rules)
    assert filing is not None
    return filing


def test_a_document_not_meant_for_the_dmp_has_no_filing() -> None:
    assert plan(event(to_dmp=False), HERE) is None


@pytest.mark.parametrize(
    ("content", "request_", "operation"),
    [
        (cda(), Request.INITIAL, "TD2.1"),
        (cda(unique_id=SECOND, replaces=FIRST), Request.REPLACEMENT, "RPLC"),
        (cda(unique_id=SECOND, replaces=FIRST), Request.INITIAL, "RPLC"),  # the document's own word counts
        (cda(), Request.REPLACEMENT, "RPLC"),
        (cda(), Request.DELETION, "TD3.3c"),
    ],
)
def test_the_operation_follows_the_request_and_the_document(content: bytes, request_: Request, operation: str) -> None:
    assert filed(event(content, request=request_)).operation == operation


def test_a_document_is_filed_once_whatever_the_request_and_deleted_once() -> None:
    ids = {kind: filed(event(request=kind)).filing_id for kind in Request}
    assert ids[Request.INITIAL] == ids[Request.REPLACEMENT] != ids[Request.DELETION]


@pytest.mark.parametrize(
    ("made", "rules", "refusal"),
    [
        (event(status=IdentityStatus.VALIDEE), HERE, IdentityNotQualified),
        (event(), Rules(), FictitiousIdentity),
        (event(cda(extension="1")), HERE, DocumentIdMalformed),
        (event(visibility={"secret_connection": True}), HERE, SecretConnectionOff),
        (
            event(visibility={"masked_from_professionals": True, "invisible_to_patient": True}),
            HERE,
            MasksContradict,
        ),
    ],
)
def test_what_may_not_go_is_refused(made: DocumentBuilt, rules: Rules, refusal: type[FilingRefused]) -> None:
    with pytest.raises(refusal) as caught:
        plan(made, rules)
    assert type(caught.value) is refusal


def test_both_masks_pass_where_the_dmp_allows_them() -> None:
    both = {"masked_from_professionals": True, "invisible_to_patient": True}
    rules = Rules(accept_test_identities=True, accept_both_masks=True)
    assert filed(event(visibility=both), rules).masks == ("MASQUE_PS", "INVISIBLE_PATIENT")


def test_guardians_have_the_long_name_of_the_dmp() -> None:
    assert masks_of(OPEN.model_copy(update={"invisible_to_guardians": True})) == ("INVISIBLE_REPRESENTANTS_LEGAUX",)
