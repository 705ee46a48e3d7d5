"""Production takes nothing of the demonstration in silence: the start stops, with the setting's name."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from embedded.hub import BUILDERS
from embedded.wiring import Ports, environment
from ingest_hl7.adapters import senders_file
from labohub.errors import Misconfigured
from labohub.runtime.run import open_platform
from labohub.runtime.service import Platform
from labohub.runtime.settings import LabohubSettings
from labosim.pki import Pki

KEY = "bGFib2h1YiBkaXN0cmlidXRlZCB0ZXN0IGtleSAhISE="
OWN = {
    "INS_QUALIFIER_ISSUER": "1999900017",  # the OU of the certificate
    "INS_QUALIFIER_AUTHORISATION": "IDAM-0042-17",
    "INS_QUALIFIER_INSTANCE": "0a4a51c5-0a3f-4f43-8f4c-7d1a7c0c9a11",
    "MSS_SENDER_LABORATORY_NAME": "Laboratoire du Grand Chêne",
    "MSS_SENDER_BAL_APPLICATIVE": "labo.app@grandchene.mssante.fr",
    "MSS_SENDER_BAL_ORGANISATIONNELLE": "labo@grandchene.mssante.fr",
    "MSS_SENDER_PRODUCT_REFERENCE": "NIL-4242",
    "MSS_SENDER_SOURCE_ID": "1.2.250.1.4242.1",
    "MSS_SENDER_MESSAGE_ID_SECRET": "0123456789abcdef0123456789abcdef",
    "MSS_SENDER_SMTP_HOST": "smtp.operator.example",
    "MSS_SENDER_IMAP_HOST": "imap.operator.example",
    "DMP_FEEDER_OID_ROOT": "1.2.250.1.4242.2",
    "DMP_FEEDER_SOURCE_OID": "1.2.250.1.4242.1",
    "DMP_FEEDER_LPS_APPROVAL": "HOM-4242",
}
DEMONSTRATION = [  # a setting of the demonstration, and the service that refuses it; None: not set
    ("ingest-hl7", "INGEST_HL7_SENDERS", None),
    ("ingest-hl7", "INGEST_HL7_SENDERS", str(senders_file.DEMO)),
    ("ins-qualifier", "INS_QUALIFIER_AUTHORISATION", None),
    ("ins-qualifier", "INS_QUALIFIER_AUTHORISATION", "LABOHUB-TEST-0001"),
    ("ins-qualifier", "INS_QUALIFIER_INSI_URL", None),
    ("ins-qualifier", "INS_QUALIFIER_ISSUER", None),
    ("ins-qualifier", "INS_QUALIFIER_INSTANCE", None),
    ("ins-qualifier", "INS_QUALIFIER_CERTIFICATE_FILE", None),
    ("cda-builder", "LABOHUB_CISIS_DIR", None),
    ("cda-builder", "LABOHUB_CISIS_DIR", ""),
    ("cda-builder", "CDA_BUILDER_LABORATORY", '{"oid_root": "1.2.250.1.999.1.1"}'),
    ("cda-builder", "CDA_BUILDER_LABORATORIES", '{"NORD": {"oid_root": "1.2.250.1.99999.7"}}'),
    ("mss-sender", "MSS_SENDER_MESSAGE_ID_SECRET", None),
    ("mss-sender", "MSS_SENDER_MESSAGE_ID_SECRET", ""),
    ("mss-sender", "MSS_SENDER_MESSAGE_ID_SECRET", "short"),
    ("mss-sender", "MSS_SENDER_BAL_APPLICATIVE", None),
    ("mss-sender", "MSS_SENDER_BAL_ORGANISATIONNELLE", None),
    ("mss-sender", "MSS_SENDER_LABORATORY_NAME", None),
    ("mss-sender", "MSS_SENDER_PRODUCT_REFERENCE", "LABOHUB-DEMO"),
    ("mss-sender", "MSS_SENDER_SOURCE_ID", "1.2.250.1.999.7"),
    ("mss-sender", "MSS_SENDER_SMTP_HOST", None),
    ("mss-sender", "MSS_SENDER_IMAP_HOST", None),
    ("mss-sender", "MSS_SENDER_IMAP_TLS", "none"),
    ("mss-sender", "MSS_SENDER_CERTIFICATE_FILE", None),
    ("dmp-feeder", "DMP_FEEDER_OID_ROOT", "1.2.250.1.999.1.1"),
    ("dmp-feeder", "DMP_FEEDER_SOURCE_OID", None),
    ("dmp-feeder", "DMP_FEEDER_LPS_APPROVAL", "NON-HOMOLOGUE"),
]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki.create(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def production(tmp_path: Path, pki: Pki, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The settings of an installation that is complete."""
    for needed in ("infrastructure/cda/CDA_extended.xsd", "schematrons/profils/IHE.sch", "jeuxDeValeurs/x"):
        (tmp_path / "cisis" / needed).mkdir(parents=True)
    senders = tmp_path / "senders.toml"
    senders.write_text('[[sender]]\napplication = "SGL"\noid_root = "1.2.250.1.4242.9"\n')
    files = {"INGEST_HL7_SENDERS": str(senders), "LABOHUB_CISIS_DIR": str(tmp_path / "cisis")}
    for name, value in {**environment(pki.ca_pem.parent, Ports()), **files, **OWN}.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Platform]:
    shared = LabohubSettings(data_dir=tmp_path, environment="production", blob_key=KEY)
    platform = await open_platform(shared)
    yield platform
    await platform.bus.close()
    await platform.blobs.close()


@pytest.mark.parametrize("service", BUILDERS)
async def test_a_complete_installation_is_built(
    service: str, platform: Platform, production: pytest.MonkeyPatch
) -> None:
    assert BUILDERS[service](platform).name == service


@pytest.mark.parametrize(("service", "name", "value"), DEMONSTRATION)
async def test_what_is_left_of_the_demonstration_stops_the_start(
    service: str, name: str, value: str | None, platform: Platform, production: pytest.MonkeyPatch
) -> None:
    if value is None:
        production.delenv(name)
    else:
        production.setenv(name, value)

    with pytest.raises(Misconfigured) as caught:
        BUILDERS[service](platform)

    assert name in str(caught.value)
    assert not value or value not in str(caught.value)


async def test_a_sender_with_an_oid_of_the_demonstration_stops_the_start(
    tmp_path: Path, platform: Platform, production: pytest.MonkeyPatch
) -> None:
    (tmp_path / "senders.toml").write_text('[[sender]]\napplication = "SGL"\noid_root = "1.2.250.1.99999.1"\n')
    with pytest.raises(senders_file.SendersMisconfigured):
        BUILDERS["ingest-hl7"](platform)


async def test_senders_may_be_unnamed_when_the_installation_says_so(
    platform: Platform, production: pytest.MonkeyPatch
) -> None:
    production.delenv("INGEST_HL7_SENDERS")
    production.setenv("INGEST_HL7_UNKNOWN_SENDER", "accept")
    assert BUILDERS["ingest-hl7"](platform).name == "ingest-hl7"


@pytest.mark.parametrize("service", BUILDERS)
async def test_the_test_environment_needs_none_of_it(
    service: str, tmp_path: Path, pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(pki.ca_pem.parent, Ports()).items():
        monkeypatch.setenv(name, value)
    platform = await open_platform(LabohubSettings(data_dir=tmp_path))
    try:
        assert BUILDERS[service](platform).name == service
    finally:
        await platform.bus.close()
        await platform.blobs.close()
