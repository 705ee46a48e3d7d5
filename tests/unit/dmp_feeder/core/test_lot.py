"""What is put on the wire, and what is kept of it."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from lxml import etree

from dmp_feeder.core.errors import MetadataIncomplete, PatientMismatch, StructureMismatch
from dmp_feeder.core.filing import Filing, Rules, plan
from dmp_feeder.core.lot import Installation, Lot, Stamp, build_lot, lot_of, open_dossier, provide_call
from labohub.contracts.values import BlobRef
from labohub.standards.mtom import read_package
from labohub.standards.vihf import Dialect, Software
from labohub.standards.xds import Coded
from tests.support.dmp import NOW, cda, identity
from tests.support.dmp_service import built

BLOB = BlobRef(id="b", sha256="0" * 64, size_bytes=1, media_type="text/xml")
UUID_OF_FIRST = "urn:uuid:7953af1a-0000-4000-816f-0050569e0001"


def installation(structure_id: str = "") -> Installation:
    return Installation(
        source_oid="1.2.250.1.999.1.1",
        identifier_root="1.2.250.1.999.1.1",
        structure_id=structure_id,
        sector=Coded("SA25", "1.2.250.1.71.4.2.4", "Laboratoire de biologie médicale"),
        software=Software("labohub", "0.1.0", "AUCUNE"),
        dialect=Dialect(),
        authentication_class="urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified",
        vihf_signer=identity().signer("sha256"),
        lot_signer=identity().signer("sha1"),
    )


def filing(content: bytes) -> Filing:
    made = plan(built(content, BLOB, "r", "m"), Rules(accept_test_identities=True))
    assert made is not None
    return made.model_copy(update={"planned_at": NOW.isoformat()})


def lot(content: bytes = b"", replaced: str = "") -> Lot:
    content = content or cda()
    dossier = open_dossier(filing(content), [content], installation())
    return build_lot(dossier, installation(), {dossier.filing.document_id: replaced} if replaced else {})


def unique_ids(made: Lot) -> list[str]:
    root = etree.fromstring(made.body)
    return [
        each.get("value", "")
        for each in root.iter("{*}ExternalIdentifier")
        if (each.findtext("{*}Name") is not None and ".uniqueId" in etree.tostring(each).decode())
    ]


def test_the_same_document_gives_the_same_lot() -> None:
    assert lot() == lot()


def test_identifiers_are_oids_below_the_root_of_the_installation() -> None:
    submission_set, document, signature = unique_ids(lot())
    assert document == "2.25.300000000000000000000000000000000001"
    for each in (submission_set, signature):
        assert each.startswith("1.2.250.1.999.1.1.")
        assert len(each) <= 64
    assert submission_set != signature


def test_two_documents_have_different_lots() -> None:
    first, second = lot(), lot(cda(unique_id="2.25.31"))
    assert set(unique_ids(first)).isdisjoint(unique_ids(second))


def test_a_replacement_keeps_the_identifiers_and_adds_the_target() -> None:
    assert unique_ids(lot(replaced=UUID_OF_FIRST)) == unique_ids(lot())
    assert UUID_OF_FIRST.encode() in lot(replaced=UUID_OF_FIRST).body


def test_the_lot_comes_back_from_what_is_kept_and_the_document_is_not_kept_twice() -> None:
    content = cda()
    dossier = open_dossier(filing(content), [content], installation())
    call = provide_call(dossier, lot(content), installation(), Stamp("https://dmp/", uuid4(), NOW))
    assert lot_of(call.evidence) == lot(content)
    assert content not in call.evidence.body
    sent = read_package(call.package.content_type, call.package.body)
    kept = read_package(call.evidence.content_type, call.evidence.body)
    assert [part.data for part in sent] == [kept[0].data, content, kept[1].data]


def test_two_attempts_differ_only_before_the_body() -> None:
    content = cda()
    dossier = open_dossier(filing(content), [content], installation())
    stamps = (Stamp("https://dmp/", UUID(int=number), NOW + timedelta(seconds=number)) for number in (1, 2))
    first, second = (provide_call(dossier, lot(content), installation(), stamp).evidence for stamp in stamps)
    assert first.body != second.body
    assert lot_of(first) == lot_of(second)


@pytest.mark.parametrize(
    ("content", "structure", "refusal"),
    [
        (cda(ins="285039999900293"), "", PatientMismatch),
        (cda(), "1999900025", StructureMismatch),
        (cda().replace(b"standardIndustryClassCode", b"otherClassCode"), "", MetadataIncomplete),
    ],
)
def test_a_document_that_is_not_what_was_announced_is_refused(
    content: bytes, structure: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        open_dossier(filing(cda()), [content], installation(structure))
