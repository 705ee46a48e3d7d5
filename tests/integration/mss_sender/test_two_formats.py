"""One report as N3 and N1 in one mail; and documents that come after what replaced or deleted them."""

import email
import io
import zipfile
from email import policy

from labohub.contracts.events import DocumentBuilt, MailAccepted, MailBounced
from labohub.contracts.values import Request
from labosim.mss import MssSimulator
from tests.support.mss import PDF, Bench, cda, doctor, document_built, patient

N3, N1, NEXT = "1.2.250.1.999.7.1", "1.2.250.1.999.7.2", "1.2.250.1.999.7.3"
OTHER_PDF = PDF.replace(b"1.4", b"1.5")


async def pair(bench: Bench, *, message: str = "message-1", request: Request = Request.INITIAL) -> DocumentBuilt:
    first, second = await bench.document(cda(N3)), await bench.document(cda(N1))
    event = document_built(doctor(), patient(), unique_id=N3, message=message, request=request, **first)
    facts = event.facts.model_copy(update={"unique_id": N1, "level": "N1"})
    copy = await bench.platform.blobs.put(OTHER_PDF, "application/pdf")
    return event.model_copy(update={"companion": second["document"], "companion_facts": facts, "companion_pdf": copy})


async def test_both_formats_and_their_copies_go_in_one_mail_to_each_recipient(
    rig: Bench, simulator: MssSimulator
) -> None:
    await rig.handle(await pair(rig))
    await rig.work("send")
    kept = [event.evidence for event in await rig.told() if isinstance(event, MailAccepted) and event.evidence]
    mails = [await rig.platform.blobs.read(each) for each in kept]
    assert len(mails) == 2
    for raw in mails:
        message = email.message_from_bytes(raw, policy=policy.default)
        assert message["X-MSS-CODECDA"] == "11502-2,11502-2"
        assert message["Subject"] == "XDM/1.0/DDM+2 documents DURAND ELODIE 12/03/1985"
        parts = {str(part.get_filename()): bytes(part.get_content()) for part in message.iter_attachments()}
        copies = {name: content for name, content in parts.items() if name.endswith(".pdf")}
        assert list(copies.values()) == [PDF, OTHER_PDF]
        assert [name.endswith("_N1.pdf") for name in copies] == [False, True]
        with zipfile.ZipFile(io.BytesIO(parts["IHE_XDM.zip"])) as archive:
            documents = [archive.read(f"IHE_XDM/SUBSET01/DOC000{rank}.XML") for rank in (1, 2)]
            metadata = archive.read("IHE_XDM/SUBSET01/METADATA.XML")
        assert documents == [cda(N3), cda(N1)]
        assert metadata.count(b"<rim:ExtrinsicObject ") == 2
        assert metadata.count(b"HasMember") == 2
        assert [metadata.count(name) for name in (b">DOC0001.XML<", b">DOC0002.XML<")] == [1, 1]


async def test_the_pair_asked_for_twice_goes_once_and_its_deletion_is_another_mail(
    rig: Bench, simulator: MssSimulator
) -> None:
    await rig.handle(await pair(rig))
    await rig.handle(await pair(rig, message="again"))
    await rig.handle(await pair(rig, message="gone", request=Request.DELETION))
    while await rig.work("send"):
        pass
    assert len({event.mail_id for event in await rig.told() if isinstance(event, MailAccepted)}) == 4


async def test_what_was_replaced_first_is_not_mailed_afterwards_whatever_its_report(
    rig: Bench, simulator: MssSimulator
) -> None:
    refs = await rig.document(cda(NEXT))
    event = document_built(doctor(), unique_id=NEXT, request=Request.REPLACEMENT, **refs)
    await rig.handle(event.model_copy(update={"facts": event.facts.model_copy(update={"replaces": N3})}))
    late = await rig.document(cda(N3))
    await rig.handle(document_built(doctor(), patient(), unique_id=N3, message="late", report="report-2", **late))
    while await rig.work("send"):
        pass
    told = await rig.told()
    (stopped,) = [each for each in told if isinstance(each, MailBounced)]
    assert (stopped.message_id, stopped.recipient, stopped.code) == ("late", doctor(), "mss.document-superseded")
    went = {(each.message_id, each.recipient.address) for each in told if isinstance(each, MailAccepted)}
    assert went == {("message-1", doctor().address), ("late", patient().address)}  # the patient had no correction


async def test_what_was_deleted_first_is_not_mailed_afterwards(rig: Bench, simulator: MssSimulator) -> None:
    refs = await rig.document(cda(N3))
    await rig.handle(document_built(doctor(), unique_id=N3, request=Request.DELETION, **refs))
    await rig.handle(document_built(doctor(), unique_id=N3, message="late", **refs))
    while await rig.work("send"):
        pass
    (stopped,) = [each for each in await rig.told() if isinstance(each, MailBounced)]
    assert (stopped.message_id, stopped.code) == ("late", "mss.document-superseded")
