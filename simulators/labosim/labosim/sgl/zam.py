"""What the volet says of a ZAM, checked strictly. Source: volet CDA en HL7 v2, 2.1, accusés métier."""

from labosim.sgl.er7 import Segment, first

_FIRST_CODE = {"Z01": "ACK_RECEPTION_DMP", "Z02": "ACK_RECEPTION_MSS", "Z03": "ACK_LECTURE_MSS"}
_SECOND_CODE = {"Z02": "DESTINATAIRE_MSS", "Z03": "LECTEUR_MSS"}
_ERROR_SYSTEM = {
    "Z01": {"DMP_ERROR_CODE", "DMPERRORCODE"},
    "Z02": {"SMTPERRORCODE"},
    "Z03": {"applicationErrorCondition", "applicationErrorCode"},
}


def defects(segments: list[Segment]) -> list[str]:
    """Return what a ZAM breaks, as HL7 positions with a word; empty when it conforms."""
    found: list[str] = []

    def expect(condition: bool, what: str) -> None:
        if not condition:
            found.append(what)

    msh = segments[0]
    event = msh.component(9, 2)
    expect(msh.field(9) == f"ZAM^{event}^ZAM_Z01" and event in _FIRST_CODE, "MSH-9 event")
    if event not in _FIRST_CODE:
        return found
    expect(msh.component(12, 1) == "2.6", "MSH-12 version")
    expect(msh.field(17) == "FRA", "MSH-17 country")
    expect(msh.field(18) in {"UNICODE UTF-8", "8859/15"}, "MSH-18 charset")
    expect(msh.field(21) == "2.1^CISIS_CDA_HL7_V2", "MSH-21 profile")
    expect(bool(msh.field(10)), "MSH-10 empty")
    evn = first(segments, "EVN")
    expect(evn is not None and bool(evn.field(2)), "EVN-2 missing")
    results = [segment for segment in segments if segment.name == "OBX"]
    expect(len(results) == (1 if event == "Z01" else 2), "OBX count")
    if not results:
        return found
    status = results[0]
    expect(status.field(2) == "CWE", "OBX[1]-2 type")
    expect(status.component(3, 1) == _FIRST_CODE[event], "OBX[1]-3 code")
    expect(status.component(3, 3) == "AckMetierZAM", "OBX[1]-3 system")
    expect(bool(status.field(4)), "OBX[1]-4 control id of the request")
    answer = status.component(5, 1)
    expect(answer in {"Y", "N"}, "OBX[1]-5 value")
    expect(status.field(11) == "F", "OBX[1]-11 status")
    if event in _SECOND_CODE and len(results) > 1:
        mailbox = results[1]
        expect(mailbox.field(2) == "XTN", "OBX[2]-2 type")
        expect(mailbox.component(3, 1) == _SECOND_CODE[event], "OBX[2]-3 code")
        expect(mailbox.component(5, 3) == "X.400" and "@" in mailbox.component(5, 4), "OBX[2]-5 address")
    error = first(segments, "ERR")
    expect((error is not None) == (answer == "N"), "ERR present only with N")
    if error is not None:
        expect(error.component(3, 1) == "207", "ERR-3 code")
        expect(error.field(4) in {"E", "F", "I", "W"}, "ERR-4 severity")
        expect(error.component(5, 3) in _ERROR_SYSTEM[event], "ERR-5 system")
    return found


def acknowledgement(segments: list[Segment], code: str, at: str, control_id: str, error: str = "") -> bytes:
    """Return the ACK^Z0x^ACK that answers a ZAM, in UTF-8; `at` is an HL7 time."""
    msh = segments[0]
    head = [
        "MSH", "^~\\&", msh.field(5), msh.field(6), msh.field(3), msh.field(4), at, "",
        f"ACK^{msh.component(9, 2)}^ACK", control_id, msh.field(11), "2.6", "", "", "", "", "FRA", "UNICODE UTF-8",
    ]  # fmt: skip
    lines = ["|".join(head), f"MSA|{code}|{msh.field(10)}"]
    if error:
        lines.append(f"ERR||{error}|100^Segment sequence error^messageErrorCondition|E")
    return "".join(f"{line}\r" for line in lines).encode()
