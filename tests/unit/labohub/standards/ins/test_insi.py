"""The wire form of INSi: requests against the official XSD, answers and faults as observed."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from labohub.standards import soap
from labohub.standards.ins import insi_answer, insi_request, matricule
from labohub.standards.ins.insi_answer import Answer, AnswerUnusable, FaultClass, InsiFault
from labohub.standards.ins.insi_context import BAM_NS, CallContext, Software
from labohub.standards.ins.insi_request import SearchQuery
from labohub.standards.soap import EnvelopeMalformed
from labohub.standards.xml import XmlMalformed

INSI = Path(__file__).parents[6] / "shared/insi"
XSD = INSI / "wsdl/xsd"
SOFTWARE = Software("1999900017", "A-1", "0.1.0", "6f1d6a56-8b8e-4c77-9a44-2f6f3c1f0001", "urn:lps:labohub:0.1.0")
CONTEXT = CallContext(
    "0b2f0f5e-6f0e-4a52-9b39-0000000000a1",
    "0b2f0f5e-6f0e-4a52-9b39-0000000000a2",
    "0b2f0f5e-6f0e-4a52-9b39-0000000000a3",
    datetime(2026, 3, 12, 9, 30, 1, 250_000, tzinfo=UTC),
    "https://insi.example/lps",
)
QUERY = SearchQuery("D'AMBERRE", "ANNE-LISE", "F", "1970-04-02", "33063")
SHAPES = {
    "ContexteBAM": XSD / "CTX/ROOT_ctxbam_CTXBAM_V01_02.xsd",
    "ContexteLPS": XSD / "CTX/ROOT_ctxlps_CTXLPS_V01_00.xsd",
    "RECSANSVITALE": XSD / "ServiceIdentiteCertifiee/INSi_RECSANS_INS.xsd",
}
SAMPLES = sorted((INSI / "samples").glob("[co]*/*.xml")) if INSI.exists() else []


def answer(person: str, code: str = "00") -> bytes:
    return (
        '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>'
        '<r:RESULTAT xmlns:r="http://www.cnamts.fr/INSiResultat">'
        f"<r:CR><r:CodeCR>{code}</r:CodeCR><r:LibelleCR>x</r:LibelleCR></r:CR>{person}</r:RESULTAT></e:Body></e:Envelope>"
    ).encode()


def person(
    number: str = "<r:NumIdentifiant>2700433063123</r:NumIdentifiant><r:Cle>42</r:Cle>",
    oid: str = "<r:OID>1.2.250.1.213.1.4.8</r:OID>",
    name: str = "<r:NomNaissance>D'AMBERRE</r:NomNaissance>",
    history: str = "",
) -> str:
    return (
        f"<r:INDIVIDU><r:INSACTIF><r:IdIndividu>{number}</r:IdIndividu>{oid}</r:INSACTIF>{history}<r:TIQ>{name}"
        "<r:ListePrenom>ANNE LISE</r:ListePrenom><r:Sexe>F</r:Sexe><r:DateNaissance>1970-04-02</r:DateNaissance>"
        "</r:TIQ></r:INDIVIDU>"
    )


def fault(subcode: str, code: str) -> bytes:
    detail = etree.Element("{urn:siram}Erreur", code=code, severite="fatal")
    return soap.build_envelope([], soap.build_fault("Sender", subcode, "Non", detail))


def test_each_part_of_a_request_is_valid_against_its_official_schema() -> None:
    """The schemas lie beside the repository, or not: they may not be published here."""
    envelope = soap.read_envelope(insi_request.build_search(QUERY, SOFTWARE, CONTEXT))
    for part in (*envelope.headers, envelope.body):
        file = SHAPES.get(etree.QName(part).localname)
        if file is not None and file.exists():
            schema = etree.XMLSchema(etree.parse(str(file)))
            assert schema.validate(part), schema.error_log


def test_a_request_names_its_action_its_message_and_its_moment() -> None:
    envelope = soap.read_envelope(insi_request.build_search(QUERY, SOFTWARE, CONTEXT))

    assert envelope.header_text(soap.WSA_NS, "Action") == insi_request.SEARCH_BY_TRAITS
    assert envelope.header_text(soap.WSA_NS, "MessageID") == f"uuid:{CONTEXT.message_id}"
    assert insi_request.SEARCH_BY_TRAITS in insi_request.CONTENT_TYPE
    bam = envelope.header(BAM_NS, "ContexteBAM")
    assert bam is not None
    assert [child.text for child in bam] == [CONTEXT.bam_id, "2026-03-12T09:30:01.250Z", "1999900017", None]
    values = [(etree.QName(child).localname, child.text) for child in envelope.body]
    assert values == [
        ("NomNaissance", "D'AMBERRE"),
        ("Prenom", "ANNE-LISE"),
        ("Sexe", "F"),
        ("DateNaissance", "1970-04-02"),
        ("LieuNaissance", "33063"),
    ]


def test_an_unknown_birth_place_is_not_sent() -> None:
    query = SearchQuery("D'AMBERRE", "ANNE-LISE", "F", "1970-04-02")

    assert b"LieuNaissance" not in insi_request.build_search(query, SOFTWARE, CONTEXT)


def test_every_observed_answer_is_read() -> None:
    for sample in SAMPLES:
        read = insi_answer.read_answer(sample.read_bytes().strip())
        if sample.name.startswith("fault"):
            continue
        assert isinstance(read, Answer), sample.name
        expected = "02" if "02" in sample.name.split("_") else "01" if "CR01" in sample.name else "00"
        assert read.code == expected, sample.name
        assert (read.individual is not None) == (expected == "00")
        if read.individual:
            assert len(read.individual.active.matricule) == 15
            assert read.individual.traits.given_names


def test_every_observed_fault_is_read() -> None:
    for sample in (sample for sample in SAMPLES if sample.name.startswith("fault")):
        read = insi_answer.read_answer(sample.read_bytes())
        assert isinstance(read, InsiFault), sample.name
        subcode, code = sample.stem.split("_")[2:]
        assert (read.subcode.replace("_", ""), read.code.replace("_", "")) == (subcode, code)
        expected = FaultClass.CONFIGURATION if subcode == "siram100" else FaultClass.TRANSIENT
        assert read.fault_class is expected, sample.name


def test_the_published_test_patients_are_read_with_their_matricule() -> None:
    by_number = {}
    for sample in SAMPLES:
        read = insi_answer.read_answer(sample.read_bytes().strip())
        if isinstance(read, Answer) and read.individual:
            by_number[read.individual.active.matricule] = read.individual.traits.birth_name
    table = INSI / "test_patients.csv"
    if table.exists():
        with table.open(encoding="utf-8", newline="") as file:
            known = {row["matricule13"] + row["cle"]: row["nom_naissance"] for row in csv.DictReader(file)}
        shared = by_number.keys() & known.keys()
        assert len(shared) >= 8
        assert {number: by_number[number] for number in shared} == {number: known[number] for number in shared}
    else:
        assert by_number == {}


def test_an_answer_without_a_key_gets_the_computed_one_and_says_so() -> None:
    read = insi_answer.read_answer(answer(person("<r:NumIdentifiant>253072b073004</r:NumIdentifiant>")))

    assert isinstance(read, Answer)
    assert read.individual is not None
    assert read.individual.active.matricule == matricule.with_key("253072B073004")
    assert not read.individual.active.key_given


def test_a_history_is_kept_as_received_even_with_a_wrong_key() -> None:
    former = (
        "<r:INSHISTO><r:DateDeb>2019-03-01</r:DateDeb><r:IdIndividu><r:NumIdentifiant>1700433063123</r:NumIdentifiant>"
        "<r:Cle>00</r:Cle></r:IdIndividu><r:OID>1.2.250.1.213.1.4.9</r:OID></r:INSHISTO>"
    )

    read = insi_answer.read_answer(answer(person(history=former)))

    assert isinstance(read, Answer)
    assert read.individual is not None
    (number,) = read.individual.history
    assert (number.matricule, number.oid, number.started_on) == (
        "170043306312300",
        "1.2.250.1.213.1.4.9",
        "2019-03-01",
    )


@pytest.mark.parametrize(
    "data",
    [answer(""), answer(person(oid="")), answer(person(number="")), answer(person(name="")), answer("", code="07")],
    ids=["nobody", "no authority", "no number", "no name", "unknown code"],
)
def test_an_answer_without_all_that_a_decision_needs_is_unusable(data: bytes) -> None:
    with pytest.raises(AnswerUnusable):
        insi_answer.read_answer(data)


@pytest.mark.parametrize("data", [b"<html><body>later</body></html>", b"", b"<a>", b"Service Unavailable"])
def test_what_is_not_soap_is_refused(data: bytes) -> None:
    with pytest.raises((XmlMalformed, EnvelopeMalformed)):
        insi_answer.read_answer(data)


@pytest.mark.parametrize(
    ("subcode", "code", "expected"),
    [
        ("siram_40", "desir_1020", FaultClass.TRANSIENT),
        ("siram_40", "insi_102", FaultClass.TRANSIENT),
        ("siram_10", "insi_19", FaultClass.INPUT),
        ("siram_10", "insi_77", FaultClass.INPUT),
        ("", "insi_24", FaultClass.INPUT),
        ("siram_100", "desir_550", FaultClass.CONFIGURATION),
        ("", "desir_560", FaultClass.CONFIGURATION),
        ("siram_77", "insi_77", FaultClass.TRANSIENT),
    ],
)
def test_a_fault_is_classed_by_its_siram_code_never_by_its_side(subcode: str, code: str, expected: FaultClass) -> None:
    read = insi_answer.read_answer(fault(subcode, code))

    assert isinstance(read, InsiFault)
    assert (read.subcode, read.code, read.severity) == (subcode, code, "fatal")
    assert read.fault_class is expected
