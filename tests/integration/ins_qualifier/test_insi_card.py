"""Searches by Vitale card, verification, and what the simulator can be told: over real mutual TLS."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from ins_qualifier.adapters.insi import InsiClient
from ins_qualifier.adapters.insi_certificate import check_names
from ins_qualifier.adapters.insi_verification import BenchVerifier, NoVerifier, verifier
from ins_qualifier.ports import Conformance, InsiMisconfigured, InsiUnavailable, Verdict, VerificationUncertified
from ins_qualifier.settings import InsQualifierSettings
from labohub.contracts.values import Identity, IdentityStatus, Ins, Traits
from labohub.runtime.clock import system_clock
from labohub.standards.ins.insi_answer import Answer, FaultClass, InsiFault
from labohub.standards.ins.insi_card import CardQuery, CardUnusable
from labohub.standards.ins.insi_request import SearchQuery
from labohub.standards.ins.matricule import with_key
from labosim.faults import Faults
from labosim.identities import PUBLIC, TestIdentity, generated_identity
from labosim.insi import InsiSimulator
from labosim.insi.faults import KNOWN
from labosim.insi.people import Person
from labosim.pki import Pki

OFFICIAL = Path(__file__).parents[4] / "shared/insi"
SCHEMAS = OFFICIAL if OFFICIAL.exists() else None
ASSERTION = b'<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Version="2.0" ID="_a1"/>'
CARD = CardQuery(holder="2751263220749", own="275126322074974", birth_date="1975-12-31", birth_rank="1")
PARENT = "1810363220456"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki.create(tmp_path_factory.mktemp("pki"))


@pytest.fixture
async def simulator(pki: Pki) -> AsyncIterator[InsiSimulator]:
    simulator = InsiSimulator(host="127.0.0.1", port=0, pki=pki, faults=Faults(), schemas=SCHEMAS)
    await simulator.start()
    yield simulator
    await simulator.stop()


@pytest.fixture
def settings(pki: Pki, simulator: InsiSimulator) -> InsQualifierSettings:
    return InsQualifierSettings(
        insi_url=simulator.url,
        ca_file=pki.ca_pem,
        certificate_file=pki.cert("labo-auth"),
        key_file=pki.key("labo-auth"),
        verification_url=simulator.url.replace("/lps", "/verification"),
        insi_dir=SCHEMAS,
    )


@pytest.fixture
async def client(settings: InsQualifierSettings) -> AsyncIterator[InsiClient]:
    client = InsiClient(settings, system_clock)
    yield client
    await client.close()


def query_of(person: TestIdentity, place: str = "") -> SearchQuery:
    born = f"{person.birth_date[:4]}-{person.birth_date[4:6]}-{person.birth_date[6:]}"
    return SearchQuery(person.birth_name, person.first_given_name, person.sex, born, place)


def person_of(identity: TestIdentity, **more: object) -> Person:
    return Person.model_validate({name: getattr(identity, name) for name in TestIdentity.__dataclass_fields__} | more)


async def found(client: InsiClient, query: SearchQuery) -> tuple[str, str]:
    """Return the code of an answer and the birth name it gives."""
    reply = await client.search(query, str(uuid4()))
    individual = reply.outcome.individual if isinstance(reply.outcome, Answer) else None
    return reply.code, individual.traits.birth_name if individual else ""


async def by_card(
    client: InsiClient, query: CardQuery, assertions: tuple[bytes, ...] = ()
) -> Answer | InsiFault | None:
    return (await client.search_by_card(query, str(uuid4()), assertions)).outcome


async def test_a_card_with_the_patients_own_number_finds_him(client: InsiClient, simulator: InsiSimulator) -> None:
    answer = await by_card(client, CARD)

    assert isinstance(answer, Answer)
    assert answer.individual is not None
    assert answer.individual.active.matricule == "275126322074974"
    assert [call.operation for call in simulator.calls] == ["rechercherInsAvecCarteVitale"]


async def test_a_childs_card_shows_a_parents_number_and_the_answer_the_childs(
    client: InsiClient, simulator: InsiSimulator
) -> None:
    child = next(person for person in PUBLIC if person.birth_name == "ECETINSI")
    simulator.register.enrol(PARENT, child)

    answer = await by_card(client, CardQuery(PARENT, "2009-07-14", "1"))

    assert isinstance(answer, Answer)
    assert answer.individual is not None
    assert answer.individual.active.matricule == child.matricule
    assert not child.matricule.startswith(PARENT)


async def test_twins_on_one_card_are_told_apart_by_their_rank(client: InsiClient, simulator: InsiSimulator) -> None:
    one = TestIdentity("DUMAS", "LEA", "20180501", "F", "33063", with_key("2180533063101"))
    two = replace(one, given_names="LOU", matricule=with_key("2180533063102"))
    simulator.register.enrol(PARENT, one, "1")
    simulator.register.enrol(PARENT, two, "2")

    answers = [await by_card(client, CardQuery(PARENT, "2018-05-01", rank)) for rank in ("1", "2", "3")]

    names = [
        each.individual.traits.given_names if each.individual else "" for each in answers if isinstance(each, Answer)
    ]
    assert names == ["LEA", "LOU", ""]


async def test_assertions_of_the_reader_travel_in_the_security_header(client: InsiClient) -> None:
    assert isinstance(await by_card(client, CARD, (ASSERTION, ASSERTION)), Answer)

    fault = await by_card(client, CARD, (b"<not-an-assertion/>",))
    assert isinstance(fault, InsiFault)
    assert fault.code == "sim_request"


async def test_a_card_that_is_not_a_card_is_never_sent(client: InsiClient, simulator: InsiSimulator) -> None:
    with pytest.raises(CardUnusable) as error:
        await by_card(client, replace(CARD, holder="27512632207"))

    assert "27512632207" not in str(error.value)
    assert not simulator.calls


async def test_namesakes_are_ambiguous_until_their_birth_place_is_said(client: InsiClient) -> None:
    twin = replace(generated_identity(4), birth_name=generated_identity(4).birth_name.replace("TEST-", "TWIN-"))

    assert await found(client, query_of(twin)) == ("02", "")
    assert await found(client, query_of(twin, twin.birth_place)) == ("00", twin.birth_name)
    assert await found(client, query_of(twin, "59350")) == ("00", twin.birth_name)


async def test_a_person_can_change_between_two_calls(client: InsiClient, simulator: InsiSimulator) -> None:
    person = generated_identity(7)
    renamed = replace(person, birth_name="NOUVEAU", former=(person.matricule,), matricule=with_key("1500333063777"))
    simulator.tell(person_of(renamed, after_calls=2))

    answers = [await found(client, query_of(person)) for _ in range(3)]

    assert answers == [("00", person.birth_name), ("00", person.birth_name), ("01", "")]
    assert await found(client, query_of(renamed)) == ("00", "NOUVEAU")
    simulator.reset()
    assert await found(client, query_of(person)) == ("00", person.birth_name)


async def test_a_thousand_generated_persons_are_each_found_once(client: InsiClient) -> None:
    people = [generated_identity(number) for number in range(1000)]
    replies = await asyncio.gather(*(client.search(query_of(person), str(uuid4())) for person in people))

    numbers = [
        reply.outcome.individual.active.matricule
        for reply in replies
        if isinstance(reply.outcome, Answer) and reply.outcome.individual
    ]
    assert numbers == [person.matricule for person in people]
    assert len(set(numbers)) == 1000


@pytest.mark.parametrize("code", sorted(KNOWN))
async def test_each_fault_of_insi_is_read_and_says_who_must_act(
    code: str, client: InsiClient, simulator: InsiSimulator
) -> None:
    simulator._faults.order("insi", "fault", code=code)

    fault = (await client.search(query_of(generated_identity(3)), str(uuid4()))).outcome

    classes = {"10": FaultClass.INPUT, "40": FaultClass.TRANSIENT, "100": FaultClass.CONFIGURATION}
    assert isinstance(fault, InsiFault)
    assert (fault.code, fault.subcode) == (code, KNOWN[code].subcode)
    assert fault.fault_class is classes[KNOWN[code].subcode.removeprefix("siram_")]
    assert fault.message_id.startswith("uuid:")


async def test_an_answer_cut_in_the_middle_is_no_answer(client: InsiClient, simulator: InsiSimulator) -> None:
    simulator._faults.order("insi", "cut")
    with pytest.raises(InsiUnavailable):
        await client.search(query_of(generated_identity(1)), str(uuid4()))

    simulator._faults.clear()
    assert (await found(client, query_of(generated_identity(1))))[0] == "00"


@pytest.mark.parametrize(
    ("flaw", "conformance", "is_usable"),
    [
        ("", Conformance.VALID, True),
        ("no-key", Conformance.VALID, True),
        ("no-place", Conformance.VALID, True),
        ("no-names", Conformance.VALID, False),
        ("disordered", Conformance.INVALID, True),  # as a kit file of 2021: read all the same
    ],
)
async def test_an_answer_is_read_leniently_and_its_departure_from_the_schema_is_noted(
    flaw: str, conformance: Conformance, is_usable: bool, client: InsiClient, simulator: InsiSimulator
) -> None:
    if flaw:
        simulator._faults.order("insi", flaw)

    reply = await client.search(query_of(generated_identity(3)), str(uuid4()))

    assert (reply.outcome is not None) == is_usable
    assert reply.conformance == (conformance if SCHEMAS else Conformance.NOT_CHECKED)


async def test_a_fault_that_says_fatal_is_read_and_noted_as_outside_its_schema(
    client: InsiClient, simulator: InsiSimulator
) -> None:
    simulator._faults.order("insi", "fault", code="insi_102")

    reply = await client.search(query_of(generated_identity(3)), str(uuid4()))

    assert reply.code == "insi_102"
    assert reply.conformance == (Conformance.INVALID if SCHEMAS else Conformance.NOT_CHECKED)


def test_a_folder_without_the_official_package_stops_the_start(settings: InsQualifierSettings, tmp_path: Path) -> None:
    with pytest.raises(InsiMisconfigured):
        InsiClient(settings.model_copy(update={"insi_dir": tmp_path}), system_clock)


def known(person: TestIdentity, matricule: str = "") -> Identity:
    return Identity(
        status=IdentityStatus.QUALIFIEE,
        traits=Traits(
            birth_name=person.birth_name,
            first_given_name=person.first_given_name,
            given_names=person.given_names,
            birth_date=person.birth_date,
            sex=person.sex,
            birth_place=person.birth_place,
        ),
        ins=Ins(matricule=matricule or person.matricule, oid=person.oid),
    )


async def test_a_known_identity_is_confirmed_or_refuted_one_at_a_time_and_as_a_list(
    settings: InsQualifierSettings, client: InsiClient
) -> None:
    bench = verifier(settings, "test", client)
    assert isinstance(bench, BenchVerifier)
    one, other = generated_identity(1), generated_identity(2)
    try:
        assert await bench.verify_one(known(one)) is Verdict.CONFIRMED
        assert await bench.verify_one(known(one, other.matricule)) is Verdict.REFUTED
        ticket = await bench.deposit({"a": known(one), "b": known(other, one.matricule)})
        assert await bench.collect(ticket) is None
        assert await bench.collect(ticket) == {"a": Verdict.CONFIRMED, "b": Verdict.REFUTED}
        with pytest.raises(InsiUnavailable):
            await bench.collect("unknown")
    finally:
        await bench.close()
    assert not bench.is_certified


async def test_nothing_that_is_not_certified_verifies_in_production(
    settings: InsQualifierSettings, client: InsiClient
) -> None:
    with pytest.raises(InsiMisconfigured):
        verifier(settings, "production", client)
    nobody = verifier(settings.model_copy(update={"verification_url": ""}), "production", client)

    assert isinstance(nobody, NoVerifier)
    with pytest.raises(VerificationUncertified):
        await nobody.verify_one(known(generated_identity(1)))


def test_the_certificate_has_to_name_insi_and_the_issuer(settings: InsQualifierSettings, pki: Pki) -> None:
    check_names(settings)
    with pytest.raises(InsiMisconfigured, match="common name"):
        check_names(settings.model_copy(update={"certificate_file": pki.cert("labo-bal")}))
    with pytest.raises(InsiMisconfigured, match="ISSUER"):
        check_names(settings.model_copy(update={"issuer": "1999900099"}))
    with pytest.raises(InsiMisconfigured, match="not a certificate"):
        check_names(settings.model_copy(update={"certificate_file": pki.key("labo-auth")}))


async def test_the_trace_of_a_call_can_name_the_certificate(client: InsiClient) -> None:
    assert int(client.certificate, 16) > 0
