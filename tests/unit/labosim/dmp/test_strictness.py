"""The DMP simulator refuses what is not exactly right: each wrong request has its code."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from lxml import etree
from pydantic import SecretStr

from dmp_feeder.adapters.keys import load_signer
from dmp_feeder.core.filing import Filing, Rules, plan
from dmp_feeder.core.lot import (
    Call,
    Installation,
    Stamp,
    build_lot,
    find_call,
    open_dossier,
    provide_call,
)
from labohub.contracts.values import BlobRef
from labohub.standards.vihf import Dialect, Software
from labohub.standards.xds import Coded
from labosim.dmp import DmpSimulator
from labosim.faults import Faults
from labosim.pki import Pki
from tests.support.dmp import INS, XDS_SCHEMAS, cda
from tests.support.dmp_service import built

BLOB = BlobRef(id="b", sha256="0" * 64, size_bytes=1, media_type="text/xml")
URL = "https://127.0.0.1:8092/si-dmp-server/v2/services/"
TLS = {"commonName": "LABORATOIRE DU GRAND CHENE"}
Change = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki.create(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def dmp(pki: Pki) -> DmpSimulator:
    return DmpSimulator(host="127.0.0.1", port=0, pki=pki, faults=Faults())


def installation(pki: Pki, name: str = "labo-sign") -> Installation:
    def signer(digest: str):  # type: ignore[no-untyped-def]
        return load_signer(pki.cert(name), pki.key(name), SecretStr(""), digest)

    return Installation(
        source_oid="1.2.250.1.999.1.1",
        identifier_root="1.2.250.1.999.1.1",
        structure_id="",
        sector=Coded("SA25", "1.2.250.1.71.4.2.4", "Laboratoire"),
        software=Software("labohub", "0.1.0", "AUCUNE"),
        dialect=Dialect(),
        authentication_class="urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified",
        vihf_signer=signer("sha256"),
        lot_signer=signer("sha1"),
    )


def filing(content: bytes) -> Filing:
    made = plan(built(content, BLOB, "r", "m"), Rules(accept_test_identities=True))
    assert made is not None
    return made


def feeding(
    who: Installation,
    content: bytes = b"",
    *,
    at: datetime | None = None,
    replaced: str = "",
    lot_change: Change = bytes,
) -> Call:
    content = content or cda()
    dossier = open_dossier(filing(content), [content], who)
    lot = build_lot(dossier, who, {dossier.filing.document_id: replaced} if replaced else {})
    lot = replace(lot, body=lot_change(lot.body))
    return provide_call(dossier, lot, who, Stamp(URL + "repository", uuid4(), at or datetime.now(UTC)))


def codes(answer: tuple[int, bytes]) -> tuple[int, str]:
    """Return the HTTP status, and the error or fault code; Success without one."""
    root = etree.fromstring(answer[1])
    error = root.find(".//{*}RegistryError")
    if error is not None:
        return answer[0], error.get("errorCode", "")
    fault = root.find(".//{*}Fault")
    if fault is not None:
        return answer[0], (fault.findtext(".//{*}Subcode/{*}Value") or fault.findtext("{*}Code/{*}Value") or "")
    return answer[0], "Success"


def give(dmp: DmpSimulator, call: Call, change: Change = bytes) -> tuple[int, str]:
    return codes(dmp.answer(call.endpoint, call.package.content_type, change(call.package.body), TLS))


def swap(old: str, new: str, count: int = -1) -> Change:
    def change(data: bytes) -> bytes:
        assert old.encode() in data
        return data.replace(old.encode(), new.encode(), count)

    return change


def test_a_right_request_is_taken(dmp: DmpSimulator, pki: Pki) -> None:
    assert give(dmp, feeding(installation(pki))) == (200, "Success")


if XDS_SCHEMAS.is_dir():

    def test_a_right_request_is_valid_and_a_disordered_one_is_not(pki: Pki) -> None:
        strict = DmpSimulator(host="127.0.0.1", port=0, pki=pki, faults=Faults(), schemas=XDS_SCHEMAS)
        name = '<rim:Name><rim:LocalizedString charset="UTF8" value="Source" xml:lang="FR"/></rim:Name>'
        moved = swap(name, "")

        def disordered(body: bytes) -> bytes:
            return moved(body).replace(b"</rim:ExtrinsicObject>", name.encode() + b"</rim:ExtrinsicObject>")

        assert give(strict, feeding(installation(pki), lot_change=disordered))[1] != "Success"
        assert give(strict, feeding(installation(pki))) == (200, "Success")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('name="hash"><rim:ValueList><rim:Value>', 'name="hash"><rim:ValueList><rim:Value>0', "XDSNonIdenticalHash"),
        ('name="size"><rim:ValueList><rim:Value>', 'name="size"><rim:ValueList><rim:Value>1', "XDSNonIdenticalSize"),
        ('Document id="Document01"', 'Document id="document01"', "XDSMissingDocument"),
        ("cid:document01@", "cid:other@", "XDSMissingDocument"),
        ("&amp;ISO^NH", "&amp;ISO^INS", "XDSUnknownPatientId"),
        (INS, "285039999900197", "XDSUnknownPatientId"),
        ("20260714073012", "20260714073012+0200", "XDSRepositoryMetadataError"),
        ("AssociationType:signs", "AssociationType:Signs", "XDSRepositoryMetadataError"),
        ("<rim:Value>1.2.250.1.213.2.2<", "<rim:Value>urn:oid:1.2.250.1.213.2.2<", "XDSRepositoryMetadataError"),
        ('nodeRepresentation="MASQUE_PS"', 'nodeRepresentation="AUTRE"', "XDSRepositoryMetadataError"),
        ('name="legalAuthenticator"', 'name="other"', "XDSRepositoryMetadataError"),
        ("^IDNPS", "^IDNPX", "XDSRepositoryMetadataError"),
        ('id="classification3"', 'id="classification2"', "XDSRepositoryMetadataError"),
        ("2.25.300000000000000000000000000000000001", "2.25.300000000000000000000000000000000009",
         "XDSDocumentUniqueIdError"),
        ("2.25.300000000000000000000000000000000001", "2.25.3^7", "XDSDocumentUniqueIdError"),
        ("IDNST^^^1999900017", "IDNST^^^1999900025", "soap:Sender"),
    ],
)  # fmt: skip
def test_wrong_metadata_are_refused(dmp: DmpSimulator, pki: Pki, old: str, new: str, code: str) -> None:
    assert give(dmp, feeding(installation(pki), lot_change=swap(old, new)))[1] == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (swap("4,6 mmol/L", "4,7 mmol/L"), "XDSNonIdenticalHash"),
        (swap("AA==", "AQ=="), "XDSNonIdenticalHash"),
        (swap(">INDIRECTE<", ">DIRECTE<"), "soap:DMPInvalidCertificate"),
        (swap("http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/"), "soap:Sender"),
        (swap('<wsa:Action soap:mustUnderstand="true">', '<wsa:Action mustUnderstand="true">'), "soap:Sender"),
        (swap("urn:uuid:", "uuid:", 1), "soap:Sender"),
        (swap("Content-ID: <document01@", "Content-ID: document01@"), "soap:Sender"),
        (swap("Content-Transfer-Encoding: binary", "Content-Transfer-Encoding: 8bit"), "soap:Sender"),
        (swap("<wsse:Security ", "<wsse:Security2 "), "soap:Sender"),
    ],
)
def test_a_wrong_package_is_refused(dmp: DmpSimulator, pki: Pki, change: Change, code: str) -> None:
    assert give(dmp, feeding(installation(pki)), change)[1] == code


def test_the_same_assertion_is_not_taken_twice(dmp: DmpSimulator, pki: Pki) -> None:
    call = feeding(installation(pki))
    assert give(dmp, call)[1] == "Success"
    assert give(dmp, call) == (500, "soap:Sender")


@pytest.mark.parametrize("minutes", [-10, 10])
def test_an_assertion_of_another_time_is_refused(dmp: DmpSimulator, pki: Pki, minutes: int) -> None:
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    assert give(dmp, feeding(installation(pki), at=at)) == (500, "soap:Sender")


def test_the_authentication_certificate_does_not_sign(dmp: DmpSimulator, pki: Pki) -> None:
    assert give(dmp, feeding(installation(pki, "labo-dmp"))) == (500, "soap:DMPInvalidCertificate")


def test_a_stranger_does_not_sign(dmp: DmpSimulator, tmp_path: Path) -> None:
    assert give(dmp, feeding(installation(Pki.create(tmp_path)))) == (500, "soap:DMPInvalidCertificate")


def test_the_vihf_must_be_of_the_same_patient(dmp: DmpSimulator, pki: Pki) -> None:
    assert give(dmp, feeding(installation(pki), lot_change=swap(INS, "185039999900149"))) == (500, "soap:Sender")


def test_a_known_document_is_a_duplicate_and_with_other_bytes_an_error(dmp: DmpSimulator, pki: Pki) -> None:
    who = installation(pki)
    give(dmp, feeding(who))
    assert give(dmp, feeding(who)) == (200, "XDSDuplicateUniqueIdInRegistry")
    assert give(dmp, feeding(who, cda(text="autre"))) == (200, "XDSNonIdenticalHash")


def test_only_the_latest_version_is_replaced(dmp: DmpSimulator, pki: Pki) -> None:
    who = installation(pki)
    give(dmp, feeding(who))
    (held,) = dmp.registry.find(lambda each: each.unique_id == "2.25.300000000000000000000000000000000001")
    assert give(dmp, feeding(who, cda(unique_id="2.25.31"), replaced=held.entry_uuid)) == (200, "Success")
    late = feeding(who, cda(unique_id="2.25.32"), replaced=held.entry_uuid)
    assert give(dmp, late) == (200, "XDSRegistryDeprecatedDocumentError")
    unknown = feeding(who, cda(unique_id="2.25.33"), replaced="urn:uuid:00000000-0000-4000-8000-000000000000")
    assert give(dmp, unknown) == (200, "UnresolvedReferenceException")


def test_a_document_is_found_by_its_unique_id(dmp: DmpSimulator, pki: Pki) -> None:
    who = installation(pki)
    give(dmp, feeding(who))
    dossier = open_dossier(filing(cda()), [cda()], who)
    for unique_id, count in ((dossier.filing.document_id, 1), ("2.25.999", 0)):
        call = find_call(dossier, unique_id, who, Stamp(URL + "registry", uuid4(), datetime.now(UTC)))
        _, answer = dmp.answer("registry", call.package.content_type, call.package.body, TLS)
        assert len(etree.fromstring(answer).findall(".//{*}ObjectRef")) == count
