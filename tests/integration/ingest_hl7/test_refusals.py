"""What is wrong is refused with a code and a place, kept, and goes no further."""

from pathlib import Path

import pytest

from tests.support.ingest import (
    MAILBOX,
    OTHER_MATRICULE,
    SB,
    cda,
    errors,
    fields,
    msa,
    pid,
    rct,
    relay_message,
    results_message,
    running,
)

PATIENT_PRT = f"PRT||UC||RCT^Result Copies To^participation|||||||||||^^X.400^{OTHER_MATRICULE}@patient.mssante.fr"
WRONG_KEY = pid().replace("84053", "84054")

REFUSED = {
    "no MSH": (b"GET / HTTP/1.1\r\nHost: labo\r\n", "AE", "100", "MSH^1"),
    "an unknown version": (results_message().replace(b"|2.5.1|", b"|2.2|"), "AR", "203", "MSH^1^12"),
    "an unknown version of a document": (relay_message().replace(b"|P|2.5|", b"|P|2.3|"), "AE", "203", "MSH^1^12"),
    "an unknown type": (results_message().replace(b"ORU^R01^ORU_R01", b"SIU^S12^SIU_S12"), "AR", "200", "MSH^1^9^1"),
    "a debugging message": (results_message().replace(b"|P|2.5.1|", b"|D|2.5.1|"), "AR", "202", "MSH^1^11"),
    "a truncated result": (results_message().split(b"|F|||20260312080000||997")[0], "AE", "101", "OBX^1^11"),
    "a wrong matricule": (results_message(patient=WRONG_KEY), "AE", "102", "PID^1^3^2^1"),
    "a wrong matricule of a document": (relay_message(patient=WRONG_KEY), "AE", "102", "PID^1^3^2^1"),
    "PID and CDA of two patients": (relay_message(document=cda(matricule=OTHER_MATRICULE)), "AE", "199", "PID^1^3"),
    "another birth date in the CDA": (relay_message(document=cda(birth="19850101")), "AE", "199", "PID^1^3"),
    "two names without matricule": (
        relay_message(patient=pid(""), document=cda(name="QUERE")), "AE", "199", "PID^1^3"),
    "a document that is not XML": (relay_message(document=b"voir la piece jointe"), "AE", "102", "OBX^1^5"),
    "XML that is not a CDA": (relay_message(document=b"<a/>"), "AE", "102", "OBX^1^5"),
    "ORC-1 against OBX-11": (relay_message(order_control="RO"), "AE", "199", "ORC^1^1"),
    "an event against OBX-11": (
        relay_message(kind="MDM").replace(b"MDM^T02", b"MDM^T04"), "AE", "199", "ORC^1^1"),
    "an order control of another profile": (relay_message(order_control="SC"), "AE", "103", "ORC^1^1"),
    "a masking flag that is absent": (relay_message(flags={"MASQUE_PS": ""}), "AE", "101", "OBX"),
    "no destination": (relay_message(flags={"DESTDMP": "N", "DESTMSSANTEPS": "N"}), "AE", "199", "OBX"),
    "masked from professionals and sent to one": (relay_message(flags={"MASQUE_PS": "Y"}), "AE", "199", "OBX"),
    "invisible to the patient and sent to him": (
        relay_message(flags={"INVISIBLE_PATIENT": "Y", "DESTMSSANTEPAT": "Y"}), "AE", "199", "OBX"),
    "a change of visibility that replaces nothing": (
        relay_message(flags={"MODIF_CONF_CODE": "Y"}), "AE", "199", "OBX"),
    "the DMP without a requester": (relay_message(prts=[rct()]), "AE", "101", "PRT^1"),
    "a professional without an address": (relay_message(prts=[SB, rct("")]), "AE", "101", "PRT^2^15"),
    "another patient's mailbox": (
        relay_message(prts=[SB, rct(), PATIENT_PRT], flags={"DESTMSSANTEPAT": "Y"}), "AE", "199", "PRT^3^15"),
    "TXA-12 of another document": (relay_message(kind="MDM", txa_12="1.2.3.4"), "AE", "199", "TXA^1^12"),
    "a replacement that replaces nothing": (relay_message(request="replacement"), "AE", "199", "OBX^1^5"),
    "TXA-13 of another document": (
        relay_message(document=cda(replaces="1.2.3"), request="replacement", kind="MDM", txa_13="1.2.9"),
        "AE", "199", "TXA^1^13"),
}  # fmt: skip


async def test_each_wrong_message_is_refused_kept_and_goes_no_further(tmp_path: Path) -> None:
    got = {}
    async with running(tmp_path) as hub:
        for name, (message, *_) in REFUSED.items():
            [answer] = await hub.send(message)
            got[name] = (msa(answer)[0], *errors(answer)[0][:2])
        messages = await hub.rows("messages")
        requests = await hub.rows("requests")
        outbox = await hub.rows("outbox")
        [still] = await hub.send(results_message())
    assert got == {name: tuple(wanted) for name, (_, *wanted) in REFUSED.items()}
    assert {row["state"] for row in messages} == {"refused"}
    assert all(row["raw"] and row["reason"] for row in messages)
    assert requests == outbox == []
    assert msa(still)[0] == "AA"


async def test_no_error_says_anything_of_the_patient(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        answers = [(await hub.send(message))[0] for message, *_ in REFUSED.values()]
    said = b"\n".join(answer.split(b"\rMSA", 1)[1] for answer in answers)
    assert not any(word in said for word in (b"KERMADEC", b"JEANNE", b"84053", b"19840512", MAILBOX.encode()))


async def test_a_strict_installation_reads_the_table_of_destinations_literally(tmp_path: Path) -> None:
    (tmp_path / "senders.toml").write_text('[[sender]]\nmatrix = "strict"\n')
    async with running(tmp_path, senders=tmp_path / "senders.toml") as hub:
        [answer] = await hub.send(relay_message())
    assert errors(answer) == [("199", "OBX", "E")]


async def test_a_sender_may_have_wrong_matricules_dropped_instead(tmp_path: Path) -> None:
    (tmp_path / "senders.toml").write_text('[[sender]]\nins_policy = "drop"\n')
    async with running(tmp_path, senders=tmp_path / "senders.toml") as hub:
        [answer] = await hub.send(results_message(patient=WRONG_KEY))
    assert msa(answer)[0] == "AA"
    assert errors(answer) == [("0", "PID^1^3^2^1", "W")]


async def test_production_refuses_test_identities_test_messages_and_unknown_senders(tmp_path: Path) -> None:
    (tmp_path / "senders.toml").write_text('[[sender]]\napplication = "SGL-REMPARTS"\n')
    other = results_message("LTW-9").replace(b"SGL-REMPARTS", b"SGL-AUTRE")
    async with running(tmp_path, environment="production", senders=tmp_path / "senders.toml") as hub:
        identity, processing, stranger = await hub.send(
            results_message(), results_message("LTW-8").replace(b"|P|2.5.1|", b"|T|2.5.1|"), other
        )
    assert errors(identity)[0][:2] == ("103", "PID^1^3^2^4^2")
    assert errors(processing)[0][:2] == ("202", "MSH^1^11")
    assert errors(stranger)[0][:2] == ("207", "MSH^1^3")


@pytest.mark.parametrize(
    ("charset", "message"),
    [("8859/15", results_message(charset="8859/15")), ("UNICODE UTF-8", results_message())],
)
async def test_answers_come_in_the_character_set_of_the_question(charset: str, message: bytes, tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        [answer] = await hub.send(message)
    assert fields(answer)["MSH"][0][18] == charset


@pytest.mark.parametrize("role", ["subcontractor", "middleware"])
async def test_a_document_of_a_sender_that_only_performs_is_refused(role: str, tmp_path: Path) -> None:
    senders = tmp_path / "senders.toml"
    senders.write_text(f'[[sender]]\napplication = "*"\nfacility = "*"\nrole = "{role}"\n')
    async with running(tmp_path, senders=senders) as hub:
        [answer] = await hub.send(relay_message())
        rows = await hub.rows("messages")
    assert (msa(answer)[0], errors(answer)[0][:2]) == ("AE", ("199", "MSH^1^4"))
    assert [row["reason"] for row in rows] == ["volet.not-of-record"]


@pytest.mark.parametrize("known", [True, False], ids=["known before", "comes late"])
@pytest.mark.parametrize("request_", ["replacement", "deletion"])
async def test_nobody_gets_a_document_after_its_correction_or_deletion(
    request_: str, *, known: bool, tmp_path: Path
) -> None:
    one, two = "1.2.250.1.99999.9.1.1", "1.2.250.1.99999.9.1.2"
    first = relay_message("A", document=cda(one))
    later = cda(two, replaces=one) if request_ == "replacement" else cda(one)
    async with running(tmp_path) as hub:
        if known:
            await hub.send(first)
        [taken] = await hub.send(relay_message("B", document=later, request=request_))
        [refused] = await hub.send(relay_message("C", document=cda(one)))
    assert msa(taken)[0] == "AA"
    assert (msa(refused)[0], errors(refused)[0][:2]) == ("AE", ("199", "OBX^1^5"))
