"""The laboratory's own document: checked, then carried byte for byte."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from labohub.contracts.events import DocumentBuilt, DocumentRefused
from labohub.contracts.values import Identity, IdentityStatus, Ins
from labohub.standards.cda import read_header
from labohub.standards.cda.builder import build_cr_bio
from labohub.standards.xml import parse
from tests.support.cda import IDENTITY, PDF, CdaRig, model_of, results_of


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[CdaRig]:
    rig = CdaRig(tmp_path)
    await rig.start()
    yield rig
    await rig.stop()


def document(identity: Identity = IDENTITY) -> bytes:
    """Return a document as a laboratory would send it: with its own PDF and a stylesheet instruction."""
    made = build_cr_bio(model_of(results_of(), identity), PDF)
    head, _, rest = made.partition(b"?>\n")
    return head + b'?>\n<?xml-stylesheet type="text/xsl" href="feuille.xsl"?>\n' + rest


async def refusal(rig: CdaRig) -> DocumentRefused:
    event = (await rig.work())[-1]
    assert isinstance(event, DocumentRefused)
    return event


async def test_a_document_goes_on_with_the_same_bytes_and_the_pdf_it_holds(rig: CdaRig) -> None:
    sent = document()
    ref = await rig.relay(sent)

    (event,) = await rig.work()
    assert isinstance(event, DocumentBuilt)
    assert event.document == ref
    assert await rig.blobs.read(event.document) == sent
    assert event.pdf is not None
    assert await rig.blobs.read(event.pdf) == PDF
    assert (event.facts.level, event.facts.code) == ("N3", "11502-2")


async def test_a_document_without_a_pdf_gets_one_of_its_narrative(rig: CdaRig) -> None:
    sent = document()
    copy = sent.rindex(b"<component><section>")
    without = sent[:copy] + sent[sent.index(b"</structuredBody>", copy) :]
    await rig.relay(without)

    (event,) = await rig.work()
    assert isinstance(event, DocumentBuilt)
    assert event.pdf is not None
    assert (await rig.blobs.read(event.pdf)).startswith(b"%PDF-1.4")
    assert await rig.blobs.read(event.document) == without


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'<birthTime value="19850714"', b'<birthTime value="19850715"'),
        (b'<family qualifier="BR">D\'ARTOIS<', b'<family qualifier="BR">MARTIN<'),
        ('<given qualifier="BR">ÉLODIE<'.encode(), b'<given qualifier="BR">AGNES<'),
        (b'administrativeGenderCode code="F"', b'administrativeGenderCode code="M"'),
        (b"285076938314206", b"152031305504758"),
    ],
    ids=["birth date", "birth name", "given name", "sex", "matricule"],
)
async def test_a_document_about_another_patient_is_refused(rig: CdaRig, old: bytes, new: bytes) -> None:
    sent = document()
    assert old in sent
    await rig.relay(sent.replace(old, new))

    assert (await refusal(rig)).code == "cda.other-patient"


async def test_names_may_differ_by_accents_and_punctuation_only(rig: CdaRig) -> None:
    traits = IDENTITY.traits.model_copy(update={"birth_name": "D ARTOIS", "first_given_name": "ELODIE"})
    await rig.relay(document(), IDENTITY.model_copy(update={"traits": traits}))

    assert isinstance((await rig.work())[-1], DocumentBuilt)


async def test_a_matricule_without_a_qualified_identity_is_refused(rig: CdaRig) -> None:
    await rig.relay(document(), IDENTITY.model_copy(update={"status": IdentityStatus.VALIDEE, "ins": None}))

    assert (await refusal(rig)).code == "cda.ins-not-qualified"


async def test_a_matricule_under_another_authority_is_another_patient(rig: CdaRig) -> None:
    assert IDENTITY.ins is not None
    nia = Ins(matricule=IDENTITY.ins.matricule, oid="1.2.250.1.213.1.4.9")
    await rig.relay(document(), IDENTITY.model_copy(update={"ins": nia}))

    assert (await refusal(rig)).code == "cda.other-patient"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "xml.malformed"),
        (b"<ClinicalDocument", "xml.malformed"),
        (b"<a/>", "cda.malformed"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "xml.malformed"),
        (b'<ClinicalDocument xmlns="urn:hl7-org:v3"/>', "cda.malformed"),
    ],
    ids=["empty", "cut", "not a CDA", "entities", "no id"],
)
async def test_what_is_no_document_is_refused_with_its_code(rig: CdaRig, data: bytes, code: str) -> None:
    await rig.relay(data)

    assert (await refusal(rig)).code == code


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (b"<versionNumber", b'<versionNumber nullFlavor="x" ', ""),
        (b"<text>", b'<text><linkHtml href="http://a"/>', "link"),
        (b"<legalAuthenticator>", b"<legalAuthenticator><x/>", ""),
        (b'id root="2.25.', b'id extension="1" root="2.25.', "id-extension"),
        (b"285076938314206", b"285076938314207", "ins-key"),
    ],
    ids=["harmless", "link", "harmless too", "extension on the id", "wrong key"],
)
async def test_the_hubs_own_checks_always_run(rig: CdaRig, old: bytes, new: bytes, rule: str) -> None:
    identity = IDENTITY
    if rule == "ins-key" and IDENTITY.ins:
        wrong = Ins(matricule=new.decode(), oid=IDENTITY.ins.oid)
        identity = IDENTITY.model_copy(update={"ins": wrong})
    await rig.relay(document().replace(old, new, 1), identity)

    event = (await rig.work())[-1]
    if not rule:
        assert isinstance(event, DocumentBuilt)
        return
    assert isinstance(event, DocumentRefused)
    assert event.code == "cda.not-conformant"
    assert event.conformance_report is not None
    report = json.loads(await rig.blobs.read(event.conformance_report))
    assert [each["rule"] for each in report["findings"] if each["level"] == "error"] == [rule]


async def test_a_report_without_a_document_is_refused(rig: CdaRig) -> None:
    from labohub.contracts.values import Path as Road
    from tests.support.cda import qualified, report_of

    await rig.hear(qualified(report_of(Road.RELAY)))

    assert (await refusal(rig)).code == "cda.document-missing"


def level_1(sent: bytes) -> bytes:
    """Return a document's header around its PDF: the N1 that goes with it, under another identifier."""
    head = sent[: sent.rindex(b"<component><structuredBody>")]
    body = b'<component><nonXMLBody><text mediaType="application/pdf" representation="B64">'
    unique = read_header(parse(sent)).id.root.encode()
    head = head.replace(b'root="' + unique + b'"', b'root="2.25.77"', 1)
    return head + body + base64.b64encode(PDF) + b"</text></nonXMLBody></component></ClinicalDocument>"


async def test_both_formats_go_on_with_their_bytes_their_facts_and_their_pdf(rig: CdaRig) -> None:
    first, second = document(), level_1(document())
    companion = await rig.blobs.put(second, "text/xml")
    await rig.relay(first, companion=companion)

    (event,) = await rig.work()
    assert isinstance(event, DocumentBuilt)
    assert [await rig.blobs.read(each.content) for each in event.documents] == [first, second]
    assert [each.facts.level for each in event.documents] == ["N3", "N1"]
    assert event.documents[1].facts.unique_id == "2.25.77"
    assert [await rig.blobs.read(each.pdf) for each in event.documents if each.pdf] == [PDF, PDF]
    assert len({each.conformance_report.sha256 for each in event.documents if each.conformance_report}) == 2


@pytest.mark.parametrize("which", [0, 1])
async def test_one_format_about_another_patient_stops_both(rig: CdaRig, which: int) -> None:
    pair = [document(), level_1(document())]
    old, new = b'<family qualifier="BR">D\'ARTOIS<', b'<family qualifier="BR">MARTIN<'
    assert old in pair[which]
    pair[which] = pair[which].replace(old, new)
    await rig.relay(pair[0], companion=await rig.blobs.put(pair[1], "text/xml"))

    assert (await refusal(rig)).code == "cda.other-patient"
