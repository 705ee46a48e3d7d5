"""Messages of the volet that must be refused: the table of the volet says the condition, the place is where to look.

Several places mean that the rules leave the choice.
"""

from dataclasses import dataclass
from typing import Any

from tests.support.volet_corpus.drafts import (
    DOCTOR,
    DOCUMENT,
    FORMER,
    OID,
    PAT,
    PATIENT_BOX,
    SB,
    SECOND,
    STRANGER,
    Paper,
    b64,
    draft,
    papers,
)


@dataclass(frozen=True, slots=True)
class Refused:
    """A message and its ERR: conditions of table 0357 and places that the rules allow."""

    message: bytes
    conditions: str
    places: str
    production: bool = False


def _no(conditions: str, places: str, *edits: str, **base: Any) -> Refused:
    return Refused(draft(*edits, **base), conditions, places)


N3, N1 = papers("initial", "N3", "N1")
RO: dict[str, Any] = {"request": "replacement"}
CA: dict[str, Any] = {"request": "deletion"}
MDM: dict[str, Any] = {"kind": "MDM"}
V20: dict[str, Any] = {"profile": "2.0"}
DOCTYPE = b'<!DOCTYPE ClinicalDocument [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
EXTRA_OBX = f"OBX|9|ED|11502-2^CR^LN||^TEXT^XML^Base64^{b64(Paper('1.2.250.1.99998.4.30').data())}||||||F"

HEADER = {
    "unknown type": _no("200", "MSH^1^9", "MSH1.9=SIU^R01^ORU_R01"),
    "unknown event of a result": _no("201", "MSH^1^9", "MSH1.9=ORU^R99^ORU_R01"),
    "unknown event of a document": _no("201", "MSH^1^9", "MSH1.9=MDM^T06^MDM_T02", **MDM),
    "another unknown event of a document": _no("201", "MSH^1^9", "MSH1.9=MDM^T11^MDM_T01", **MDM),
    "no type at all": _no("101 200", "MSH^1^9", "MSH1.9="),
    "no control id": _no("101", "MSH^1^10", "MSH1.10="),
    "processing X": _no("202", "MSH^1^11", "MSH1.11=X"),
    "processing absent": _no("101 202", "MSH^1^11", "MSH1.11="),
    "test in production": Refused(draft("MSH1.11=T"), "202", "MSH^1^11", production=True),
    "debug in production": Refused(draft("MSH1.11=D", **MDM), "202", "MSH^1^11", production=True),
    "version 2.3": _no("203", "MSH^1^12", "MSH1.12=2.3"),
    "version 2.3 of a document": _no("203", "MSH^1^12", "MSH1.12=2.3", **MDM),
    "version 9": _no("203", "MSH^1^12", "MSH1.12=9"),
    "version absent": _no("101 203", "MSH^1^12", "MSH1.12="),
    "profile of tomorrow": _no("203", "MSH^1^21 MSH^1^12", profile="3.0^CISIS_CDA_HL7_V2"),
    "profile of a LPS": _no("200 203", "MSH^1^21", profile="1.1^CISIS_CDA_HL7_LPS", **MDM),
    "document without profile": _no("101 200 203", "MSH^1^21", "MSH1.21=", **MDM),
    "character set unknown": _no("103", "MSH^1^18", "MSH1.18=KLINGON"),
    "Latin said to be UTF-8": Refused(
        draft(after=lambda data: data.replace("libellé".encode(), "libellé".encode("latin-1"))), "102", "MSH^1^18"
    ),
    "doubled separators": Refused(draft(after=lambda data: data.replace(b"^~\\&|", b"^^\\&|", 1)), "102", "MSH^1^2"),
    "not HL7": Refused(b"Bonjour, ceci n'est pas un message.\r", "100 199", "MSH^1"),
    "a header alone": Refused(draft()[: draft().index(b"\r") + 1], "100", "PID^1 ORC^1 OBX^1"),
}  # fmt: skip

STRUCTURE = {
    "no patient": _no("100", "PID^1", "-PID"),
    "no patient of a document": _no("100", "PID^1", "-PID", **MDM),
    "no order": _no("100", "ORC^1", "-ORC"),
    "no order of a document": _no("100", "ORC^1", "-ORC", **MDM),
    "no observation request": _no("100", "OBR^1", "-OBR"),
    "no observation request of a document": _no("100", "OBR^1", "-OBR", **MDM),
    "neither order nor request": _no("100", "ORC^1", "-ORC", "-OBR", **MDM),
    "no event": _no("100", "EVN^1", "-EVN", **MDM),
    "no visit of a document": _no("100", "PV1^1", "-PV1", **MDM),
    "no TXA": _no("100", "TXA^1", "-TXA", **MDM),
    "no TXA in 2.0": _no("100", "TXA^1", "-TXA", **MDM, **V20),
    "no document among the observations": _no("100", "OBX^1", "-OBX1"),
    "no observation": _no("100", "OBX^1", "-OBX"),
    "two orders": _no("198", "ORC^2", "+OBR1:ORC|NW"),
    "two orders of a document": _no("198", "ORC^2", "+ORC1:ORC|NW", **MDM),
    "two requests": _no("198", "OBR^2", "+OBR1:OBR|2|||11502-2^CR^LN"),
    "two TXA": _no("198", "TXA^2", f"+TXA1:TXA|2|11502-2|TEXT|||||||||{DOCUMENT}|||||AU", **MDM),
    "two events": _no("198", "EVN^2", "+EVN1:EVN||20260402", **MDM),
    "two visits": _no("198", "PV1^2", "+PV11:PV1|2|N"),
    "two patients": _no("100 198", "PID^2", "+PV11:PID|||L-56^^^A&1&M^PI||AUTRE^PERSONNE^^^^^L||19800101|M"),
    "two patients of a document": _no(
        "100 198", "PID^2", "+PV11:PID|||L-56^^^A&1&M^PI||AUTRE^PERSONNE^^^^^L||19800101|M", **MDM),
    "three documents": _no("198", "OBX^3", f"+OBX2:{EXTRA_OBX}", documents=(N3, N1)),
    "two documents in a document message": _no("198", "OBX^2", documents=(N3, N1), **MDM),
}  # fmt: skip

FIELDS = {
    "no identifier": _no("101", "PID^1^3", "PID1.3="),
    "no name": _no("101", "PID^1^5", "PID1.5="),
    "no class": _no("101", "PV1^1^2", "PV11.2="),
    **{
        f"class {class_} without its stay": _no("101", "PV1^1^19", f"PV11.2={class_}", "PV11.19=")
        for class_ in "EIOR"
    },
    "class I of a document without its stay": _no("101", "PV1^1^19", "PV11.2=I", "PV11.19=", **MDM),
    "no order control": _no("101", "ORC^1^1", "ORC1.1="),
    "an order control of another world": _no("103", "ORC^1^1", "ORC1.1=XX"),
    "SC in 2.1": _no("103 199", "ORC^1^1", "ORC1.1=SC"),
    "SC in 2.1 of a document": _no("103 199", "ORC^1^1", "ORC1.1=SC", **MDM, **RO),
    "no type": _no("101", "OBR^1^4", "OBR1.4="),
    "a type without code": _no("101", "OBR^1^4", "OBR1.4=^CR d'examens biologiques^LN"),
    "two types": _no("199", "OBX^1^3 OBR^1^4", "OBX1.3=18748-4^CR d'imagerie médicale^LN"),
    "the second document of another type": _no(
        "199", "OBX^2^3 OBR^1^4", "OBX2.3=18748-4^CR d'imagerie médicale^LN", documents=(N3, N1)),
    "no status": _no("101", "OBX^1^11", "OBX1.11="),
    "a status of another world": _no("103", "OBX^1^11", "OBX1.11=P"),
    "a status in small": _no("103", "OBX^1^11", "OBX1.11=f"),
    "no document bytes": _no("101", "OBX^1^5", "OBX1.5=^TEXT^XML^Base64^"),
    "an empty value": _no("101", "OBX^1^5", "OBX1.5="),
    "an encoding A": _no("102 103", "OBX^1^5", "OBX1.5=^TEXT^XML^A^abcd"),
    "a subtype PDF": _no("102 103", "OBX^1^5", f"OBX1.5=^TEXT^PDF^Base64^{b64(N3.data())}"),
    "a document in text": _no("100 102 103", "OBX^1^2 OBX^1^5 OBX^1", "OBX1.2=TX"),
    "TXA-2 absent": _no("101", "TXA^1^2", "TXA1.2=", **MDM),
    "TXA-3 absent": _no("101", "TXA^1^3", "TXA1.3=", **MDM),
    "TXA-12 absent": _no("101", "TXA^1^12", "TXA1.12=", **MDM),
    "TXA-12 without identifier": _no("101", "TXA^1^12", "TXA1.12=^Organisation-Y", **MDM),
    "TXA-17 absent": _no("101", "TXA^1^17", "TXA1.17=", **MDM),
    "TXA-17 of a draft": _no("103", "TXA^1^17", "TXA1.17=DI", **MDM),
    "a replacement that names nothing": _no("101", "TXA^1^13", "TXA1.13=", **MDM, **RO),
    "TXA-12 of another document": _no("199", "TXA^1^12", f"TXA1.12={SECOND}", **MDM),
    "TXA-12 of a longer document": _no("199", "TXA^1^12", f"TXA1.12={DOCUMENT}1", **MDM),
    "TXA-12 swapped with TXA-13": _no(
        "199", "TXA^1^12 TXA^1^13", f"TXA1.12={FORMER}", f"TXA1.13={DOCUMENT}", **MDM, **RO),
    "TXA-13 of another document": _no("199", "TXA^1^13", "TXA1.13=1.2.250.1.99998.4.9", **MDM, **RO),
    "TXA-12 of the root alone": _no(
        "199", "TXA^1^12", f"TXA1.12={DOCUMENT}", documents=(Paper(extension="77"),), **MDM),
    "TXA-12 with another extension": _no(
        "199", "TXA^1^12", f"TXA1.12=78^^{DOCUMENT}^ISO", documents=(Paper(extension="77"),), **MDM),
}  # fmt: skip


def _changed(old: bytes, new: bytes) -> tuple[bytes]:
    assert old in N3.data()
    return (N3.data().replace(old, new, 1),)


DOCUMENTS = {
    "base64 cut at one character of four": _no(
        "102", "OBX^1^5", f"OBX1.5=^TEXT^XML^Base64^{b64(N3.data())[: len(N3.data()) // 3 * 4 - 3]}"),
    "base64 with a foreign letter": _no("102", "OBX^1^5", f"OBX1.5=^TEXT^XML^Base64^é{b64(N3.data())}"),
    "base64 with padding inside": _no("102", "OBX^1^5", f"OBX1.5=^TEXT^XML^Base64^QUJD===={b64(N3.data())}"),
    "a sentence": _no("102", "OBX^1^5", documents=(b"ici vient le CDA",)),
    "nothing in base64": _no("101 102", "OBX^1^5", documents=(b"",)),
    "XML cut": _no("102", "OBX^1^5", documents=(N3.data()[:-9],)),
    "another root": _no("102", "OBX^1^5", documents=(b'<Bundle xmlns="http://hl7.org/fhir"/>',)),
    "another namespace": _no("102", "OBX^1^5", documents=_changed(b"urn:hl7-org:v3", b"urn:hl7-org:v2")),
    "no namespace": _no("102", "OBX^1^5", documents=_changed(b' xmlns="urn:hl7-org:v3"', b"")),
    "a document type": _no("102", "OBX^1^5", documents=(
        N3.data().replace(b"<ClinicalDocument", DOCTYPE + b"<ClinicalDocument").replace(b"LECOQ", b"&x;"),)),
    "no identifier": _no("102", "OBX^1^5", documents=_changed(f'<id root="{DOCUMENT}"/>'.encode(), b"")),
    "an identifier that is none": _no("102", "OBX^1^5", documents=_changed(DOCUMENT.encode(), b"")),
    "two formats, the second a sentence": _no("102", "OBX^2^5", documents=(N3, b"ici vient le second")),
    "two formats with one identifier": _no("199", "OBX^2^5", documents=(N3, Paper(level="N1"))),
    "two requests in two documents": _no("199", "OBX^2^11 OBX^1^11 ORC^1^1", "OBX2.11=D", documents=(N3, N1)),
    "two requests, the second right": _no("199", "OBX^1^11 OBX^2^11 ORC^1^1", "OBX1.11=C", documents=(N3, N1)),
    "a replacement of nothing": _no("199", "OBX^1^5", documents=(N3,), **RO),
    "a document that replaces itself": _no("199", "OBX^1^5", documents=(Paper(replaces=DOCUMENT),), **RO),
    "a second format that replaces nothing": _no(
        "199", "OBX^2^5", documents=(papers("replacement", "N3")[0], N1), **RO),
}  # fmt: skip

ORDER_CONTROLS, STATUSES, EVENTS = ("NW", "RO", "CA"), ("F", "C", "D"), ("T02", "T10", "T04")
COHERENCE = {
    **{
        f"result {control} with {status}": _no(
            "199", "ORC^1^1 OBX^1^11", f"ORC1.1={control}", f"OBX1.11={status}",
            documents=(Paper(replaces=FORMER),))
        for at, control in enumerate(ORDER_CONTROLS)
        for to, status in enumerate(STATUSES)
        if at != to
    },
    **{
        f"document {event} with {control} and {status}": _no(
            "199", "ORC^1^1 OBX^1^11 MSH^1^9", f"MSH1.9=MDM^{event}^MDM_T02", f"ORC1.1={control}",
            f"OBX1.11={status}", documents=(Paper(replaces=FORMER),), **MDM)
        for event, control, status in (
            ("T02", "RO", "C"), ("T02", "NW", "D"), ("T10", "NW", "F"), ("T10", "RO", "F"), ("T04", "CA", "F"),
            ("T04", "RO", "C"), ("T04", "NW", "D"),
        )
    },
    "2.0, SC, T02 and a replacement": _no(
        "199", "ORC^1^1 OBX^1^11 MSH^1^9", "ORC1.1=SC", "MSH1.9=MDM^T02^MDM_T02", **MDM, **RO, **V20),
    "2.0, no order, T10 and a deletion": _no(
        "199", "ORC^1^1 OBX^1^11 MSH^1^9", "-ORC", "-OBR", "OBX1.11=D", **MDM, **RO, **V20),
}  # fmt: skip

NO_INS = "PID1.3=L-55^^^LABO-VAUBAN&990001234&N^PI"
PATIENTS = {
    "another matricule": _no("199", "PID^1^3", documents=(Paper(matricule=STRANGER),)),
    "another matricule of a document": _no("199", "PID^1^3", documents=(Paper(matricule=STRANGER),), **MDM),
    "another birth": _no("199", "PID^1^3 PID^1^7", documents=(Paper(birth="19790413"),)),
    "another sex": _no("199", "PID^1^3 PID^1^8", documents=(Paper(sex="F"),)),
    "another name, no matricule": _no(
        "199", "PID^1^3 PID^1^5", NO_INS, documents=(Paper(matricule="", family="MOREL"),)),
    "another first name, no matricule": _no(
        "199", "PID^1^3 PID^1^5", NO_INS, documents=(Paper(matricule="", given="LOUIS"),)),
    "another birth, no matricule": _no(
        "199", "PID^1^3 PID^1^7", NO_INS, documents=(Paper(matricule="", birth="19790421"),)),
    "the second format of another": _no(
        "199", "PID^1^3", documents=(N3, Paper(SECOND, level="N1", matricule=STRANGER))),
    "a deletion of another's": _no("199", "PID^1^3", documents=(Paper(matricule=STRANGER),), **CA),
    "a wrong key": _no("102", "PID^1^3^1^1", f"PID1.3=179046311302799^^^ASIP-SANTE-INS-NIR&{OID}&ISO^INS"),
    "a matricule of 14": _no("102", "PID^1^3^1^1", f"PID1.3=17904631130279^^^ASIP-SANTE-INS-NIR&{OID}&ISO^INS"),
    "test authority in production": Refused(draft(), "103", "PID^1^3^2^4^2", production=True),
}  # fmt: skip

NOT_CIRCLE = "PRT||UC||RCT^^participation|||||||||||^^X.400^yves.talbot@gmail.example"
PEOPLE = {
    "nobody asks": _no("101", "PRT^1 PRT^1^4 PRT^1^5 PRT^1^8", "-PRT1"),
    "nobody asks, document": _no("101", "PRT^1 PRT^1^4 PRT^1^5 PRT^1^8", "-PRT1", **MDM),
    "two ask": _no("198", "PRT^2", f"+PRT1:{SB}"),
    "two ask, apart": _no("198", "PRT^5", f"+PRT4:{SB}"),
    "nobody's structure": _no("101", "PRT^1^8", "PRT1.8="),
    "a structure with a name alone": _no("101", "PRT^1^8", "PRT1.8=LABO VAUBAN"),
    "a structure that asks for nobody": _no("101", "PRT^1^5", "PRT1.5="),
    "no doctor": _no("101", "PRT^1^15", "-PRT2"),
    "a doctor without address": _no("101", "PRT^2^15 PRT^1^15", "PRT2.15="),
    "a doctor with an address of another kind": _no("101 102", "PRT^2^15 PRT^1^15", f"PRT2.15=^^Internet^^{DOCTOR}"),
    "no patient's address": _no("101", "PRT^1^15", "-PRT3"),
    "two patients": _no(
        "198", "PRT^1^15 PRT^4^15 PRT^4", f"+PRT3:{PAT.replace(PATIENT_BOX, STRANGER + PATIENT_BOX[15:])}"),
    "another's box": _no("199", "PRT^3^15", f"PRT3.15=^^X.400^{STRANGER}@patient.mssante.fr"),
    "an unknown participation": _no("103", "PRT^2^4", "PRT2.4=CC^Copie^participation"),
    "no participation": _no("101 103", "PRT^2^4", "PRT2.4="),
    "an address that is none": _no("102 199", "PRT^2^15", "PRT2.15=^^X.400^yves.talbot"),
    "an address with two at signs": _no("102 199", "PRT^2^15", "PRT2.15=^^X.400^yves@talbot@labo.mssante.fr"),
    "an address with a line end": _no(
        "102 199", "PRT^2^15", "PRT2.15=^^X.400^yves.talbot@labo.mssante.fr\\X0D0A\\Bcc: espion@labo.mssante.fr"),
}  # fmt: skip

Y = "Y^^expandedYes-NoIndicator"
FLAGS = {
    **{
        f"no {row}": _no("101", "OBX", f"-{row}")
        for row in ("MASQUE_PS", "INVISIBLE_PATIENT", "INVISIBLE_REP_LEGAUX", "CONNEXION_SECRETE", "MODIF_CONF_CODE",
                    "DESTDMP", "DESTMSSANTEPS", "DESTMSSANTEPAT")
    },
    **{
        f"{row} empty": _no("101", f"OBX^{at}^5", f"{row}=")
        for at, row in ((2, "MASQUE_PS"), (5, "CONNEXION_SECRETE"), (7, "DESTDMP"))
    },
    **{
        f"{row} is {value}": _no("103", f"OBX^{at}^5", f"{row}={value}")
        for at, row, value in ((2, "MASQUE_PS", "O"), (3, "INVISIBLE_PATIENT", "1"), (8, "DESTMSSANTEPS", "OUI"),
                               (10, "ACK_RECEPTION", "?"), (11, "ACK_LECTURE_MSS", "Z"))
    },
    "said twice, differently": _no("198", "OBX^14 OBX^14^3", f"+OBX13:OBX|14|CE|MASQUE_PS^x^MetaDMPMSS||{Y}||||||F"),
    "no masking row in a document": _no("101", "OBX", "-MASQUE_PS", **MDM),
    "no masking row in 2.0": _no("101", "OBX", "-INVISIBLE_REP_LEGAUX", **V20),
    "nothing to do": _no("199", "OBX", "DESTDMP=N", "DESTMSSANTEPS=N", "DESTMSSANTEPAT=N"),
    "to a patient who must not see": _no("199", "OBX", "INVISIBLE_PATIENT=Y"),
    "to a patient who must not see, alone": _no(
        "199", "OBX", "INVISIBLE_PATIENT=Y", "DESTMSSANTEPS=N", "DESTDMP=N", **MDM),
    "to professionals from whom it is masked": _no("199", "OBX", "MASQUE_PS=Y", "DESTMSSANTEPAT=N"),
    "a change of visibility of nothing": _no("199", "OBX", "MODIF_CONF_CODE=Y"),
}  # fmt: skip

PAIRS = {
    "no PID and no ORC": _no("100", "PID^1 ORC^1", "-PID", "-ORC"),
    "no control id and an unknown event": _no("101 201", "MSH^1^10 MSH^1^9", "MSH1.10=", "MSH1.9=ORU^R77^ORU_R01"),
    "another patient and masked": _no(
        "199", "PID^1^3 OBX", "MASQUE_PS=Y", documents=(Paper(matricule=STRANGER),)),
    "a wrong key and a wrong base64": _no(
        "102", "PID^1^3^1^1 OBX^1^5", f"PID1.3=179046311302799^^^ASIP-SANTE-INS-NIR&{OID}&ISO^INS",
        "OBX1.5=^TEXT^XML^Base64^A"),
    "no requester and no doctor": _no("101", "PRT^1 PRT^1^4 PRT^1^5 PRT^1^8 PRT^1^15", "-PRT2", "-PRT1"),
    "an address outside the circle and none for the patient": _no(
        "101 199", "PRT^1^15 PRT^2^15 PRT^3^15", "-PRT3", "-PRT2", f"+PRT1:{NOT_CIRCLE}"),
    "incoherent and without TXA": _no("100 199", "TXA^1 ORC^1^1", "-TXA", "ORC1.1=CA", **MDM),
}  # fmt: skip

GROUPS = {
    "header": HEADER, "structure": STRUCTURE, "fields": FIELDS, "documents": DOCUMENTS, "coherence": COHERENCE,
    "patients": PATIENTS, "people": PEOPLE, "flags": FLAGS, "pairs": PAIRS,
}  # fmt: skip
ALL = {f"{group}: {name}": case for group, cases in GROUPS.items() for name, case in cases.items()}
