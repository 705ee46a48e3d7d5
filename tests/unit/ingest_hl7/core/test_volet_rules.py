"""Rules and tolerances of the volet CDA-in-HL7, one message each: what is refused with which place, what is read."""

import base64

import pytest

from ingest_hl7.core import intake
from ingest_hl7.core.decision import Decision, Refusal, Relayed
from ingest_hl7.core.registry import Registry
from ingest_hl7.core.senders import Sender
from labohub.contracts.values import RecipientKind, Request, Requester
from tests.support.ingest import MATRICULE, SB, cda, pid, rct, relay_message, swapped, without
from tests.support.store import FixedClock

ID, OTHER, FORMER_ID = "1.2.250.1.99999.9.1.1", "1.2.250.1.99999.9.1.2", "1.2.250.1.99999.9.1.0"
N3, N1 = cda(), cda(OTHER, level="N1")
BASE64 = base64.b64encode(N3).decode()
MDM = relay_message(kind="MDM")
V20, V12 = "2.0^CISIS_CDA_HL7_V2", "1.2^CISIS_CDA_HL7_V1"
PATIENT_BOX = f"PRT||UC||RCT^Result Copies To^participation|||||||||||^^X.400^{MATRICULE}@patient.mssante.fr"
TO_PATIENT = {"DESTMSSANTEPAT": "Y"}


def decide(message: bytes, sender: Sender | None = None) -> Decision:
    policy = intake.Policy("test", frozenset("PT"), Registry((sender or Sender(),)))
    return intake.decide(intake.arrive(message, policy, FixedClock()()), policy)[0]


def accepted(message: bytes, sender: Sender | None = None) -> Relayed:
    decision = decide(message, sender)
    assert isinstance(decision, Relayed), getattr(decision, "findings", decision)
    return decision


def warnings(message: bytes) -> set[str]:
    return {each.reason for each in accepted(message).warnings}


def with_body(message: bytes, obx_5: str) -> bytes:
    """Return a message with a body proposed for the mail to professionals."""
    line = f"OBX|12|ED|CORPSMAIL_PS^Corps du mail pour un PS^MetaDMPMSS||{obx_5}||||||F\r"
    return message + line.encode()


REFUSED = {
    "two orders": (relay_message() + b"ORC|NW\rOBR|2|||11502-2^CR^LN\r", "198", "ORC^2"),
    "two observations": (relay_message() + b"OBR|2|||11502-2^CR^LN\r", "198", "OBR^2"),
    "no OBR": (without(relay_message(), "OBR"), "100", "OBR^1"),
    "no ORC": (without(relay_message(), "ORC"), "100", "ORC^1"),
    "ORC-1 empty": (swapped(relay_message(), ("ORC|NW|", "ORC||")), "101", "ORC^1^1"),
    "OBR-4 empty": (swapped(relay_message(), ("F-77^SGL|11502-2^CR d'examens biologiques^LN\r", "F-77^SGL|\r")),
                    "101", "OBR^1^4"),
    "OBX-3 of another type than OBR-4": (
        swapped(relay_message(), ("OBX|1|ED|11502-2", "OBX|1|ED|18748-4")), "199", "OBX^1^3"),
    "OBX-11 empty": (swapped(relay_message(), ("||||||F\rPRT||UC||SB", "||||||\rPRT||UC||SB")), "101", "OBX^1^11"),
    "OBX-11 unknown": (swapped(relay_message(), ("||||||F\rPRT||UC||SB", "||||||X\rPRT||UC||SB")), "103", "OBX^1^11"),
    "no document": (without(relay_message(), "OBX|1|"), "100", "OBX^1"),
    "a document that is not base64": (
        swapped(relay_message(), ("^TEXT^XML^Base64^", "^TEXT^XML^A^")), "102", "OBX^1^5"),
    "truncated base64": (
        swapped(relay_message(), (BASE64, BASE64[: len(BASE64) // 4 * 4 - 3])), "102", "OBX^1^5"),
    "a type of participation that does not exist": (
        relay_message(prts=[SB, rct(), "PRT||UC||CC^Copie^participation|||||||||||^^X.400^a@b.mssante.fr"]),
        "103", "PRT^3^4"),
    "two requesters": (relay_message(prts=[SB, SB, rct()]), "198", "PRT^2"),
    "a requester without structure": (
        relay_message(prts=["PRT||UC||SB^Send by^participation|899700005014^LEGUEN", rct()]), "101", "PRT^1^8"),
    "a requester without person or device": (
        relay_message(prts=[SB.replace("899700005014^LEGUEN^Maud", "^LEGUEN^Maud"), rct()]), "101", "PRT^1^5"),
    "no professional": (relay_message(prts=[SB]), "101", "PRT^1^15"),
    "no patient's box": (relay_message(flags=TO_PATIENT), "101", "PRT^1^15"),
    "two patients' boxes": (relay_message(flags=TO_PATIENT, prts=[SB, rct(), PATIENT_BOX, PATIENT_BOX]),
                            "198", "PRT^1^15"),
    "a flag that is neither Y nor N": (relay_message(flags={"DESTDMP": "O"}), "103", "OBX^7^5"),
    "a flag without value": (
        swapped(relay_message(), ("DESTDMP^DESTDMP^MetaDMPMSS||Y^^", "DESTDMP^DESTDMP^MetaDMPMSS||^^")),
        "101", "OBX^7^5"),
    "a destination absent in 2.1": (relay_message(flags={"DESTDMP": ""}), "101", "OBX"),
    "a destination absent in 2.0": (relay_message(flags={"DESTDMP": ""}, profile=V20), "101", "OBX"),
    "a masking absent in 1.2": (relay_message(flags={"MASQUE_PS": ""}, profile=V12), "101", "OBX"),
    "a flag twice, with two values": (
        relay_message() + b"OBX|20|CE|MASQUE_PS^x^MetaDMPMSS||Y||||||F\r", "198", "OBX^12^3"),
    "a stay without its number": (swapped(relay_message(), ("PV1|1|N", "PV1|1|I")), "101", "PV1^1^19"),
    "a stay without its number in 2.0": (swapped(relay_message(profile=V20), ("PV1|1|N", "PV1|1|E")),
                                         "101", "PV1^1^19"),
    "a visit without class": (swapped(relay_message(), ("PV1|1|N", "PV1|1|")), "101", "PV1^1^2"),
    "no PID": (without(relay_message(), "PID"), "100", "PID^1"),
    "two patients": (relay_message() + pid().encode() + b"\r", "100", "PID^2"),
    "MDM without EVN": (without(MDM, "EVN"), "100", "EVN^1"),
    "MDM without PV1": (without(MDM, "PV1"), "100", "PV1^1"),
    "MDM without TXA": (without(MDM, "TXA"), "100", "TXA^1"),
    "MDM with two TXA": (MDM + b"TXA|2|11502-2|TEXT|||||||||1.2|||||AU\r", "198", "TXA^2"),
    "MDM without TXA-2": (swapped(MDM, ("TXA|1|11502-2|", "TXA|1||")), "101", "TXA^1^2"),
    "MDM without TXA-12": (relay_message(kind="MDM", txa_12=""), "101", "TXA^1^12"),
    "MDM without TXA-17": (swapped(MDM, ("||||AU\r", "||||\r")), "101", "TXA^1^17"),
    "MDM with another completion": (swapped(MDM, ("||||AU\r", "||||DI\r")), "103", "TXA^1^17"),
    "MDM T10 without TXA-13": (
        relay_message(kind="MDM", request="replacement", document=cda(replaces=FORMER_ID)), "101", "TXA^1^13"),
    "MDM with two documents": (relay_message(kind="MDM", document=N3, companion=N1), "198", "OBX^2"),
    "three documents": (
        swapped(relay_message(companion=N1), ("OBX|2|ED|", f"OBX|9|ED|11502-2^x^LN||^TEXT^XML^Base64^"
                f"{base64.b64encode(N1).decode()}||||||F\rOBX|2|ED|")), "198", "OBX^3"),
    "two documents of different requests": (relay_message(companion=N1, companion_status="C"), "199", "ORC^1^1"),
    "two documents of one level": (relay_message(companion=cda(OTHER)), "199", "OBX^2^5"),
    "two documents of one identifier": (relay_message(companion=cda(level="N1")), "199", "OBX^2^5"),
    "the second document of another patient": (
        relay_message(companion=cda(OTHER, level="N1", birth="19850512")), "199", "PID^1^3"),
    "the second document not a CDA": (relay_message(companion=b"un compte rendu"), "102", "OBX^2^5"),
    "the second document replaces nothing": (
        relay_message(request="replacement", document=cda(OTHER, replaces=FORMER_ID), companion=cda(level="N1")),
        "199", "OBX^2^5"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_broken_rule_is_refused_with_its_code_and_its_place(name: str) -> None:
    message, condition, location = REFUSED[name]
    decision = decide(message)
    assert isinstance(decision, Refusal)
    assert decision.code == "AE"
    assert (decision.findings[0].condition, decision.findings[0].location) == (condition, location)


CONTROLS = {"NW": "F", "RO": "C", "CA": "D"}
EVENTS = {"T02": "F", "T10": "C", "T04": "D"}


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("status", "FCD")
@pytest.mark.parametrize("control", CONTROLS)
def test_order_control_status_and_event_agree_or_nothing_goes_on(control: str, status: str, event: str) -> None:
    document = cda(OTHER, replaces=FORMER_ID)
    message = relay_message(kind="MDM", document=document, order_control=control, txa_12=OTHER, txa_13=FORMER_ID)
    message = swapped(message, ("MDM^T02^", f"MDM^{event}^"), ("||||||F\rPRT||UC||SB", f"||||||{status}\rPRT||UC||SB"))
    agree = CONTROLS[control] == status == EVENTS[event]
    decision = decide(message)
    assert isinstance(decision, Relayed) is agree
    if isinstance(decision, Refusal):
        places = {each.location for each in decision.findings}
        assert places == {"ORC^1^1", "MSH^1^9", "OBX^1^11"}
        assert {each.condition for each in decision.findings} == {"199"}


TOLERATED = {
    "lower-case subtype and encoding": swapped(relay_message(), ("^TEXT^XML^Base64^", "^Text^xml^BASE64^")),
    "labels and systems that vary": relay_message(
        prts=[SB.replace("by^participation", "By^HL70912"), rct().replace("RCT^Result Copies To", "RCT^")]),
    "codes without system of values": relay_message().replace(b"^^expandedYes-NoIndicator", b"^^HL70136"),
    "values without system": relay_message().replace(b"^^expandedYes-NoIndicator", b""),
    "a bar too many at each end": relay_message().replace(b"\r", b"|\r"),
    "an address after another kind": relay_message(prts=[SB, rct().replace("^^X.400^", "^NET^X.400^")]),
    "an organisation's box": relay_message(prts=[SB, (
        "PRT||UC||RCT^Result Copies To^participation||||Biologie^^^^^990000001^UF^^^3435|||||||^^X.400^"
        "bio@chu.mssante.fr")]),
    "an application's box": relay_message(prts=[SB, (
        "PRT||UC||RCT^Result Copies To^participation||||||DPI-7|||||^^X.400^dpi@chu.mssante.fr")]),
    "a device that asks": relay_message(prts=[
        "PRT||UC||SB^Send by^participation||||LABO^^^^^ASIP-SANTE-ST&1.2.250.1.71.4.2.2&ISO^FINEG^^^990000911||"
        "SGL-REMPARTS", rct()]),
    "blanks that no eye sees": relay_message(prts=[SB.replace("1990000911", "1990000911\u00a0\u00a0"), rct()]),
    "no acknowledgement asked": relay_message(flags={"ACK_RECEPTION": "", "ACK_LECTURE_MSS": ""}),
    "no visit": without(relay_message(), "PV1"),
    "an SPM": relay_message() + b"SPM|1|X\r",
    "a leftover row": relay_message() + b"OBX|20|XTN|REPLY_TO^Reponse^MetaDMPMSS||^^X.400^a@b.mssante.fr||||||F\r",
    "an organisation name in TXA-12": relay_message(kind="MDM", txa_12=f"{ID}^Organisation"),
    "former names of rows": relay_message().replace(b"INVISIBLE_REP_LEGAUX", b"INVISIBLE_REPRESENTANTS_LEGAUX").replace(
        b"MODIF_CONF_CODE", b"MODIF_CONFIDENTIALITYCODE").replace(b"ACK_LECTURE_MSS", b"ACK_LECTURE"),
    "a row of another edition": relay_message()
    + b"OBX|20|ED|CORPSMAIL_TUTEUR^Corps du mail^MetaDMPMSS||^TEXT^^Base64^Qm9uam91cg==||||||F\r",
    "rows in another order": b"\r".join(
        [*relay_message().split(b"\r")[:8], *reversed(relay_message().split(b"\r")[8:-1]), b""]),
    "2.0 without orders": without(relay_message(profile=V20, kind="MDM"), "ORC", "OBR"),
    "2.0 with SC": relay_message(profile=V20, order_control="SC"),
    "2.0 with LA": swapped(relay_message(profile=V20, kind="MDM"), ("||||AU\r", "||||LA\r")),
    "2.0 with root and extension in one": relay_message(
        profile=V20, kind="MDM", document=cda("1.2.250.7", extension="A71"), txa_12="1.2.250.7.A71"),
    "2.0 with them in one, without the point": relay_message(
        profile=V20, kind="MDM", document=cda("1.2.250.7", extension="A71"), txa_12="1.2.250.7A71"),
    "root and extension as the text says": relay_message(
        kind="MDM", document=cda("1.2.250.7", extension="71"), txa_12="71^^1.2.250.7^ISO"),
    "1.2 without its destinations to patients": relay_message(profile=V12, flags={"DESTMSSANTEPAT": ""}),
    "a stay and its number": swapped(relay_message(), ("PV1|1|N", "PV1|1|I|||||||||||||||||000897406^^^A&1&M^VN")),
}  # fmt: skip


@pytest.mark.parametrize("name", TOLERATED)
def test_what_real_senders_write_is_read(name: str) -> None:
    relayed = accepted(TOLERATED[name])
    assert relayed.documents[0].content.startswith(b"<?xml")
    assert len(relayed.report.recipients) == 1


@pytest.mark.parametrize("order", ["N3 first", "N1 first"])
def test_two_formats_go_on_the_structured_one_first(order: str) -> None:
    pair = (N3, N1) if order == "N3 first" else (N1, N3)
    relayed = accepted(relay_message(document=pair[0], companion=pair[1]))
    assert [each.content for each in relayed.documents] == [N3, N1]
    assert [each.document_id for each in relayed.documents] == [ID, OTHER]
    assert relayed.report.request is Request.INITIAL


def test_each_format_has_its_own_chain() -> None:
    n3, n1 = cda("1.2.3.31", replaces="1.2.3.30"), cda("1.2.3.11", replaces="1.2.3.10", level="N1")
    relayed = accepted(relay_message(request="replacement", document=n3, companion=n1))
    assert [(each.document_id, each.target_id) for each in relayed.documents] == [
        ("1.2.3.31", "1.2.3.30"), ("1.2.3.11", "1.2.3.10"),
    ]  # fmt: skip


def test_a_deletion_is_about_the_documents_it_carries() -> None:
    relayed = accepted(relay_message(request="deletion", document=cda(replaces=FORMER_ID), companion=N1))
    assert [each.target_id for each in relayed.documents] == [ID, OTHER]


def test_a_change_of_visibility_is_a_replacement_that_says_so() -> None:
    message = relay_message(request="replacement", document=cda(OTHER, replaces=ID), flags={"MODIF_CONF_CODE": "Y"})
    report = accepted(message).report
    assert report.visibility.changes_visibility
    assert report.request is Request.REPLACEMENT


@pytest.mark.parametrize(
    ("obx_5", "read"),
    [
        ("^TEXT^^Base64^" + base64.b64encode("Cher confrère".encode()).decode(), "Cher confrère"),
        ("^TEXT^^Base64^" + base64.b64encode("Cher confrère".encode()).decode().rstrip("="), "Cher confrère"),
        ("^TEXT^^Base64^" + "Q2hl" * 23 + "Q", None),  # 93 characters: no decoder reads them
        ("^TEXT^^A^Bonjour", "Bonjour"),
        ("Bonjour \\T\\ merci", "Bonjour & merci"),
    ],
)
def test_a_proposed_body_is_read_or_gives_way_to_ours(obx_5: str, read: str | None) -> None:
    relayed = accepted(with_body(relay_message(), obx_5))
    assert relayed.report.texts.professional == read
    assert ("volet.mail-text-undecodable" in {each.reason for each in relayed.warnings}) is (read is None)


@pytest.mark.parametrize(("nte", "may_answer"), [("NTE|1|||FIN", False), ("NTE|1|||fin", False), ("NTE|1||FIN|", True)])
def test_the_patient_may_answer_unless_the_note_of_his_row_ends_the_exchange(nte: str, may_answer: bool) -> None:
    message = relay_message(flags=TO_PATIENT, prts=[SB, rct(), PATIENT_BOX])
    row = "DESTMSSANTEPAT^DESTMSSANTEPAT^MetaDMPMSS||Y^^expandedYes-NoIndicator||||||F\r"
    assert accepted(swapped(message, (row, f"{row}{nte}\r"))).report.texts.patient_may_answer is may_answer
    other = "DESTDMP^DESTDMP^MetaDMPMSS||Y^^expandedYes-NoIndicator||||||F\r"
    assert accepted(swapped(message, (other, f"{other}{nte}\r"))).report.texts.patient_may_answer


@pytest.mark.parametrize(
    "prt",
    [
        PATIENT_BOX,
        f"PRT||UC||RCT|{MATRICULE}^KERMADEC^JEANNE^^^^^^1.2.250.1.213.1.4.10^L^^^INS||||||||||"
        f"^^X.400^{MATRICULE}@patient.mssante.fr",
    ],
)
def test_the_patient_is_known_by_his_box_or_by_his_number(prt: str) -> None:
    report = accepted(relay_message(flags=TO_PATIENT, prts=[SB, rct(), prt])).report
    assert [each.kind for each in report.recipients] == [RecipientKind.PROFESSIONAL, RecipientKind.PATIENT]


def test_a_patients_number_without_a_box_of_his_domain_is_no_professional() -> None:
    odd = (
        f"PRT||UC||RCT|{MATRICULE}^KERMADEC^^^^^^^&1.2.250.1.213.1.4.10&ISO||||||||||^^X.400^jeanne@medecin.mssante.fr"
    )
    decision = accepted(relay_message(flags=TO_PATIENT, prts=[SB, rct(), odd]))
    assert [each.reason for each in decision.refused_recipients] == ["mss.patient-address-malformed"]
    assert [each.address for each in decision.report.recipients] == ["anne.morvan@test-ci-sis.mssante.fr"]


@pytest.mark.parametrize("box", ["27707279035121518989", "2790351215189890", "27903512151898"])
def test_a_patients_box_that_is_no_matricule_is_the_one_not_served(box: str) -> None:
    prt = f"PRT||UC||RCT^^participation|||||||||||^^X.400^{box}@patient.mssante.fr"
    decision = accepted(relay_message(flags=TO_PATIENT, prts=[SB, rct(), prt]))
    assert [(each.smtp_code, each.reason) for each in decision.refused_recipients] == [
        ("553", "mss.patient-address-malformed")
    ]


def test_a_recipient_nobody_asked_for_gets_nothing_and_is_noted() -> None:
    message = relay_message(prts=[SB, rct(), PATIENT_BOX])
    assert len(accepted(message).report.recipients) == 1
    assert "volet.recipient-not-asked" in warnings(message)


def test_recipients_of_the_document_itself_get_nothing() -> None:
    copy = (
        b'<informationRecipient><intendedRecipient><telecom value="mailto:autre@medecin.mssante.fr"/>'
        b"</intendedRecipient></informationRecipient><component>"
    )
    report = accepted(relay_message(document=cda().replace(b"<component>", copy))).report
    assert [each.address for each in report.recipients] == ["anne.morvan@test-ci-sis.mssante.fr"]


def test_profile_1_2_names_no_requester_and_takes_the_senders() -> None:
    message = relay_message(profile=V12, prts=[rct()])
    assert isinstance(decide(message), Refusal)
    known = Requester(person_id="899700005014", organisation_id="1990000911")
    assert accepted(message, Sender(requester=known)).report.requester == known
    assert isinstance(decide(relay_message(prts=[rct()]), Sender(requester=known)), Refusal)  # 2.1 says it itself


@pytest.mark.parametrize(
    ("message", "noted"),
    [
        (without(relay_message(), "PV1"), "volet.visit-missing"),
        (relay_message(flags={"ACK_RECEPTION": ""}), "volet.flag-assumed"),
        (relay_message(), "matrix.outside-table"),
        (swapped(relay_message(), ("OBX|1|ED|11502-2^CR d'examens biologiques^LN", "OBX|1|ED|11502-2^CR")),
         "volet.code-system-missing"),
        (relay_message(patient=pid(reliability="PROV")), "ins.not-validated"),
    ],
)  # fmt: skip
def test_each_tolerance_leaves_its_warning(message: bytes, noted: str) -> None:
    assert noted in warnings(message)


def test_the_bytes_of_the_document_are_those_that_were_sent() -> None:
    wrapped = "\\.br\\".join(base64.b64encode(N3).decode()[at : at + 76] for at in range(0, len(N3) * 4 // 3 + 4, 76))
    message = swapped(relay_message(), (base64.b64encode(N3).decode(), wrapped.rstrip("=")))
    assert accepted(message).documents[0].content == N3
