"""The INSi client over real mutual TLS, and the simulator's strictness."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from ins_qualifier.adapters.insi import InsiClient
from ins_qualifier.ports import InsiMisconfigured, InsiUnavailable
from ins_qualifier.settings import InsQualifierSettings
from labohub.runtime.clock import system_clock
from labohub.standards.ins.insi_answer import Answer, InsiFault, read_answer
from labohub.standards.ins.insi_context import CallContext
from labohub.standards.ins.insi_request import CONTENT_TYPE, SearchQuery, build_search
from labosim.faults import Faults
from labosim.identities import PUBLIC, generated_identity
from labosim.insi import InsiSimulator
from labosim.pki import Pki

OFFICIAL = Path(__file__).parents[4] / "shared/insi"
SCHEMAS = OFFICIAL if OFFICIAL.exists() else None
ZOE = SearchQuery("ADRUN", "ZOE", "F", "1975-12-31")


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki.create(tmp_path_factory.mktemp("pki"))


@pytest.fixture
async def simulator(pki: Pki) -> AsyncIterator[InsiSimulator]:
    """The simulator, with the official schemas when they lie beside the repository."""
    simulator = InsiSimulator(host="127.0.0.1", port=0, pki=pki, faults=Faults(), schemas=SCHEMAS)
    await simulator.start()
    yield simulator
    await simulator.stop()


Settings = Callable[..., InsQualifierSettings]


@pytest.fixture
def settings(pki: Pki, simulator: InsiSimulator) -> Settings:
    def make(name: str = "labo-auth", **changes: object) -> InsQualifierSettings:
        base = {
            "insi_url": simulator.url,
            "ca_file": pki.ca_pem,
            "certificate_file": pki.cert(name),
            "key_file": pki.key(name),
        }
        return InsQualifierSettings.model_validate(base | changes)

    return make


async def search(settings: InsQualifierSettings, query: SearchQuery = ZOE) -> Answer | InsiFault | None:
    client = InsiClient(settings, system_clock)
    try:
        return (await client.search(query, str(uuid4()))).outcome
    finally:
        await client.close()


async def test_a_public_test_identity_is_found_with_its_matricule(settings: Settings) -> None:
    found = await search(settings())

    assert isinstance(found, Answer)
    assert found.individual is not None
    assert found.individual.active.matricule == "275126322074974"
    assert found.individual.traits.birth_place == "63220"


async def test_every_public_identity_answers_to_all_its_traits(settings: Settings) -> None:
    client = InsiClient(settings(), system_clock)
    for person in PUBLIC:
        born = f"{person.birth_date[:4]}-{person.birth_date[4:6]}-{person.birth_date[6:]}"
        query = SearchQuery(person.birth_name, person.given_names, person.sex, born, person.birth_place)
        found = (await client.search(query, str(uuid4()))).outcome
        assert isinstance(found, Answer)
        assert found.individual is not None
        assert found.individual.active.matricule == person.matricule
    await client.close()


async def test_the_place_of_birth_resolves_an_ambiguous_search(settings: Settings) -> None:
    query = SearchQuery("DE VINCI", "LEONARDO", "M", "2014-02-01")

    ambiguous = await search(settings(), query)
    found = await search(settings(), SearchQuery("DE VINCI", "LEONARDO", "M", "2014-02-01", "63220"))

    assert isinstance(ambiguous, Answer)
    assert (ambiguous.code, ambiguous.individual) == ("02", None)
    assert isinstance(found, Answer)
    assert found.individual is not None
    assert found.individual.active.matricule == "114026322083356"


async def test_without_a_client_certificate_there_is_no_conversation(settings: Settings) -> None:
    with pytest.raises(InsiUnavailable):  # the server closes: it does not say why
        await search(settings(certificate_file=None, key_file=None))


async def test_a_server_of_another_authority_is_not_believed(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(InsiMisconfigured):
        await search(settings(ca_file=Pki.create(tmp_path / "other").ca_pem))


async def test_a_certificate_that_is_no_file_stops_the_start(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(InsiMisconfigured) as error:
        InsiClient(settings(certificate_file=tmp_path / "none.pem"), system_clock)
    assert str(tmp_path) not in str(error.value)


async def test_a_certificate_with_another_name_has_no_rights(settings: Settings) -> None:
    fault = await search(settings("labo-bal"))

    assert isinstance(fault, InsiFault)
    assert (fault.subcode, fault.code) == ("siram_100", "desir_560")


async def test_an_unknown_software_is_refused(settings: Settings) -> None:
    fault = await search(settings(authorisation="OTHER"))

    assert isinstance(fault, InsiFault)
    assert fault.code == "desir_550"


async def test_a_slow_service_is_given_up_in_time(settings: Settings, simulator: InsiSimulator) -> None:
    simulator.latency_seconds = 5
    with pytest.raises(InsiUnavailable):
        await search(settings(call_timeout_seconds=0.1))


async def test_a_service_that_is_away_is_unavailable(settings: Settings, simulator: InsiSimulator) -> None:
    await simulator.stop()
    with pytest.raises(InsiUnavailable):
        await search(settings())


async def test_the_qualification_environment_says_fault_where_nobody_is_found(pki: Pki, settings: Settings) -> None:
    other = InsiSimulator(host="127.0.0.1", port=0, pki=pki, faults=Faults(), unknown_is_fault=True)
    await other.start()
    try:
        fault = await search(settings(insi_url=other.url), SearchQuery("NOBODY", "ANNE", "F", "1970-04-02"))
    finally:
        await other.stop()

    assert isinstance(fault, InsiFault)
    assert (fault.subcode, fault.code) == ("siram_40", "insi_102")


async def test_a_prepared_answer_replaces_the_search(settings: Settings, simulator: InsiSimulator) -> None:
    simulator.inject("ADRUN", "ZOE", b"<html/>")
    with pytest.raises(InsiUnavailable):
        await search(settings())
    simulator.reset()

    assert isinstance(await search(settings()), Answer)


def request(settings: InsQualifierSettings) -> bytes:
    ids = [str(uuid4()) for _ in range(3)]
    return build_search(ZOE, settings.software(), CallContext(ids[0], ids[1], ids[2], system_clock(), ""))


BREAKS: dict[str, tuple[bytes, bytes, str]] = {
    "no MessageID": (b"MessageID", b"MessageIdentifier", "sim_request"),
    "MessageID not a UUID": (b">uuid:", b">uuid:x", "sim_request"),
    "other Action": (b":1.0.0:", b":1.1.0:", "sim_request"),
    "other body": (b"RECSANSVITALE", b"RECVITALE", "sim_request"),
    "other namespace": (b"INSiRecSans", b"INSiRecVit", "sim_request"),
    "SOAP 1.1": (
        b"http://www.w3.org/2003/05/soap-envelope",
        b"http://schemas.xmlsoap.org/soap/envelope/",
        "sim_request",
    ),
    "no COUVERTURE": (b"<ctxbam:COUVERTURE/>", b"", "sim_request"),
    "other BAM version": (b'Version="01_02"', b'Version="02_00"', "sim_request"),
    "other LPS nature": (b'"CTXLPS"', b'"CTXBAM"', "sim_request"),
    "Temps without a zone": (b"Z</ctxbam:Temps>", b"</ctxbam:Temps>", "sim_request"),
    "other Emetteur": (b"<ctxbam:Emetteur>1", b"<ctxbam:Emetteur>2", "sim_request"),
    "IDAM of another kind": (b'R="4"', b'R="3"', "desir_550"),
    "no birth name": (b">ADRUN<", b"><", "insi_19"),
    "no sex": (b">F<", b"><", "insi_24"),
    "lower case": (b">ADRUN<", b">Adrun<", "sim_traits"),
    "accent": (b">ZOE<", ">ZOÉ<".encode(), "sim_traits"),
    "digit": (b">ADRUN<", b">ADRUN2<", "sim_traits"),
    "first name ends with a hyphen": (b">ZOE<", b">ZOE-<", "sim_traits"),
    "date as in HL7": (b">1975-12-31<", b">19751231<", "sim_traits"),
    "cut": (b"</soap:Envelope>", b"", "sim_request"),
}


@pytest.mark.parametrize("name", BREAKS)
async def test_the_simulator_refuses_each_departure_from_the_published_shape(
    name: str, pki: Pki, simulator: InsiSimulator, settings: Settings
) -> None:
    before, after, code = BREAKS[name]
    good = request(settings())
    assert before in good
    tls = ssl.create_default_context(cafile=pki.ca_pem)
    tls.load_cert_chain(pki.cert("labo-auth"), pki.key("labo-auth"))

    async with httpx.AsyncClient(verify=tls, trust_env=False, headers={"Content-Type": CONTENT_TYPE}) as client:
        answer = await client.post(simulator.url, content=good.replace(before, after))

    assert answer.status_code == 500
    fault = read_answer(answer.content)
    assert isinstance(fault, InsiFault)
    assert fault.code == code


async def test_two_first_names_in_two_elements_are_refused(
    pki: Pki, simulator: InsiSimulator, settings: Settings
) -> None:
    twice = request(settings()).replace(b"</ins:Prenom>", b"</ins:Prenom><ins:Prenom>ANNE</ins:Prenom>")
    tls = ssl.create_default_context(cafile=pki.ca_pem)
    tls.load_cert_chain(pki.cert("labo-auth"), pki.key("labo-auth"))

    async with httpx.AsyncClient(verify=tls, trust_env=False, headers={"Content-Type": CONTENT_TYPE}) as client:
        answer = await client.post(simulator.url, content=twice)

    assert answer.status_code == 500
    assert [call.outcome for call in simulator.calls] == ["sim_request"]


async def test_many_calls_share_few_connections(settings: Settings, simulator: InsiSimulator) -> None:
    client = InsiClient(settings(connections=4), system_clock)
    people = [generated_identity(number) for number in range(40)]
    before = len(os.listdir("/proc/self/fd"))

    async def one(number: int) -> str:
        person = people[number]
        born = f"{person.birth_date[:4]}-{person.birth_date[4:6]}-{person.birth_date[6:]}"
        query = SearchQuery(person.birth_name, person.first_given_name, person.sex, born)
        return (await client.search(query, str(uuid4()))).code

    codes = await asyncio.gather(*(one(number) for number in range(40)))
    opened = len(os.listdir("/proc/self/fd")) - before
    await client.close()

    assert codes == ["00"] * 40
    assert opened <= 2 * 8  # both ends are in this process
