"""Messages of the volet that must be accepted, in all the ways that real senders write them."""

from dataclasses import replace

from tests.support.volet_corpus.asked import (
    BASE,
    BOTH,
    CA,
    DELETED,
    MDM,
    PAIR,
    PATIENT,
    PRO,
    REPLACED,
    RO,
    V20,
    ok,
    shuffled,
    wrapped,
)
from tests.support.volet_corpus.drafts import DEVICE, DOCUMENT, MATRICULE, OID, UF, Paper, b64

ROWS = {
    "rows in another order": ok(BASE, after=shuffled),
    "texts before acknowledgements": ok(
        BASE, "-CORPSMAIL_PS",
        f"+OBX3:OBX|20|ED|CORPSMAIL_PS^x^MetaDMPMSS||^TEXT^^Base64^{b64('Cher confrère,')}||||||F"),
    "former names": ok(
        BASE, after=lambda data: data.replace(b"INVISIBLE_REP_LEGAUX", b"INVISIBLE_REPRESENTANTS_LEGAUX")
                        .replace(b"MODIF_CONF_CODE", b"MODIF_CONFIDENTIALITYCODE")
                        .replace(b"ACK_LECTURE_MSS", b"ACK_LECTURE"), **V20),
    "former names in 2.1": ok(BASE, after=lambda data: data.replace(b"ACK_LECTURE_MSS", b"ACK_LECTURE"), **MDM),
    "COMP_LOT": ok(BASE, "+OBX13:OBX|14|CE|COMP_LOT^x^MetaDMPMSS||Y||||||F", **V20),
    "REPLY_TO": ok(BASE, "+OBX13:OBX|14|XTN|REPLY_TO^x^MetaDMPMSS||^^X.400^x@y.mssante.fr||||||F"),
    "a row of the future": ok(BASE, "+OBX13:OBX|14|CE|MASQUE_TIERS^x^MetaDMPMSS||Y||||||F"),
    "no system of values": ok(BASE, "DESTDMP.5=Y", "MASQUE_PS.5=N"),
    "the former system of values": ok(BASE, "DESTDMP.5=Y^^HL70136", "INVISIBLE_PATIENT.5=N^Non^HL70136"),
    "a meaningless OBX-11": ok(BASE, "MASQUE_PS.11=D", "DESTDMP.11=C"),
    "an empty OBX-11 of a row": ok(BASE, "MASQUE_PS.11="),
    "wrong sequence numbers": ok(BASE, "MASQUE_PS.1=99", "DESTDMP.1=1", "OBX1.1=7"),
    "blanks in a value": ok(BASE, "DESTDMP.5= Y ^^x", "MASQUE_PS.5=N\u00a0"),
    "FIN": ok(replace(BASE, patient_may_answer=False), "+DESTMSSANTEPAT:NTE|1|||FIN"),
    "FIN in a document": ok(replace(BASE, patient_may_answer=False), "+DESTMSSANTEPAT:NTE|1|||FIN", **MDM),
    "fin in small, with a label": ok(replace(BASE, patient_may_answer=False), "+DESTMSSANTEPAT:NTE|1|||fin^Fin"),
    "FIN as a comment": ok(BASE, "+DESTMSSANTEPAT:NTE|1||FIN"),
    "FIN of another row": ok(BASE, "+DESTDMP:NTE|1|||FIN"),
    "FIN of the document": ok(BASE, "+OBX1:NTE|1|||FIN"),
    "FIN behind a first note": ok(
        replace(BASE, patient_may_answer=False), "+DESTMSSANTEPAT:NTE|2|||FIN", "+DESTMSSANTEPAT:NTE|1||mot"),
    "a truncated text": ok(
        replace(BASE, professional_text=None), "CORPSMAIL_PS.5=^TEXT^^Base64^" + "Q2hl" * 23 + "Q",
        warnings=("volet.mail-text-undecodable",)),
    "a text without padding": ok(BASE, f"CORPSMAIL_PS.5=^TEXT^^Base64^{b64('Cher confrère,').rstrip('=')}"),
    "a text that is not in base64": ok(replace(BASE, professional_text="Bonsoir"), "CORPSMAIL_PS.5=^TEXT^^A^Bonsoir"),
    "no text": ok(replace(BASE, professional_text=None, patient_text=None), "-CORPSMAIL_PS", "-CORPSMAIL_PATIENT"),
    "a text with lines": ok(
        replace(BASE, patient_text="Bonjour,\n\nvoici"),
        f"CORPSMAIL_PATIENT.5=^text^^Base64^{b64('Bonjour,' + chr(10) * 2 + 'voici')}"),
}  # fmt: skip


UNPADDED = Paper(given="BRUNO  ")  # of a length that wants padding
IDS = "PID1.3=L-55^^^LABO-VAUBAN&990001234&N^PI"
WRITTEN = {
    "line feeds": ok(BASE, after=lambda data: data.replace(b"\r", b"\n")),
    "line feeds of a document": ok(BASE, after=lambda data: data.replace(b"\r", b"\n"), **MDM),
    "both line ends": ok(BASE, after=lambda data: data.replace(b"\r", b"\r\n")),
    "no last line end": ok(BASE, after=lambda data: data[:-1]),
    "bars at each end": ok(BASE, after=lambda data: data.replace(b"\r", b"||\r")),
    "a byte order mark": ok(BASE, after=lambda data: b"\xef\xbb\xbf" + data),
    "empty lines before": ok(BASE, after=lambda data: b"\r\n\r\n" + data),
    "a fancy repetition separator": ok(BASE, after=lambda data: data.replace(b"^~\\&", "^˜\\&".encode(), 1)),
    "a fancy repetition separator, used": ok(
        BASE, after=lambda data: data.replace(b"^~\\&", "^˜\\&".encode(), 1).replace(b"PI~", "PI˜".encode()), **V20),
    "8859/15": ok(BASE, charset="8859/15"),
    "8859/1": ok(BASE, charset="8859/1"),
    "no character set": ok(BASE, "MSH1.18="),
    "a blank behind the profile": ok(BASE, profile="2.1^CISIS_CDA_HL7_V2 "),
    "a blank behind the separator": ok(BASE, profile="2.1^ CISIS_CDA_HL7_V2"),
    "a version with its country": ok(BASE, "MSH1.12=2.5^FRA^2.11"),
    "no country": ok(BASE, "MSH1.17="),
    "acknowledgement conditions of original mode": ok(BASE, "MSH1.15=", "MSH1.16="),
    "a test message in test": ok(BASE, "MSH1.11=T"),
    "a specimen": ok(BASE, "+OBX13:SPM|1|X^Y^Z"),
    "a segment of its own": ok(BASE, "+OBX13:ZXT|1|x^y|z"),
    "all the optional segments": ok(
        BASE, "+MSH1:SFT|EDITEUR|1.0|SGL|1.0", "+PID1:PD1||||x", "+PV11:PV2|||x", "+OBR1:CTD|x", "+TQ11:TQ2|1"),
    "optional segments of a document": ok(BASE, "+MSH1:UAC|x", "+MSH1:SFT|EDITEUR|1.0|SGL|1.0", **MDM),
    "a note behind each row": ok(BASE, "+MASQUE_PS:NTE|1|L|x", "+ACK_RECEPTION:NTE|1|L|x", "+OBX1:NTE|1|L|x"),
    "base64 without padding": ok(
        BASE, f"OBX1.5=^TEXT^XML^Base64^{b64(UNPADDED.data()).rstrip('=')}", documents=(UNPADDED,)),
    "base64 in lines of 76": ok(BASE, after=wrapped(76, b"\r\n")),
    "base64 in lines of 64": ok(BASE, after=wrapped(64, b"\n"), **MDM),
    "base64 with breaks": ok(BASE, after=wrapped(76, b"\\.br\\")),
    "base64 with escaped line ends": ok(BASE, after=wrapped(76, b"\\X0D\\\\X0A\\")),
    "base64 with blanks": ok(BASE, after=wrapped(60, b" ")),
    "small letters": ok(BASE, f"OBX1.5=^Text^xml^base64^{b64(Paper().data())}"),
    "a source application": ok(BASE, f"OBX1.5=SGL^TEXT^XML^Base64^{b64(Paper().data())}"),
    "another label": ok(BASE, "OBX1.3=11502-2^Compte rendu de biologie^LN"),
    "a code without system": ok(BASE, "OBR1.4=11502-2", "OBX1.3=11502-2"),
    "a code of TRE_A05": ok(BASE, "OBR1.4=11502-2^x^TRE_A05", "OBX1.3=11502-2^x^TRE_A05"),
    "a document in ISO 8859-15": ok(BASE, documents=(Paper(encoding="ISO-8859-15"),)),
    "a document in UTF-16": ok(BASE, documents=(Paper(encoding="UTF-16"),)),
    "a document without declaration": ok(BASE, documents=(Paper(declaration=False),)),
    "a document with a mark": ok(BASE, documents=(b"\xef\xbb\xbf" + Paper().data(),)),
    "a document with a stylesheet": ok(BASE, documents=(
        Paper().data().replace(b"<ClinicalDocument",
        b'<?xml-stylesheet type="text/xsl" href="x.xsl"?><ClinicalDocument'),)),
    "TXA-12 with an organisation": ok(BASE, f"TXA1.12={DOCUMENT}^Organisation-Y", **MDM),
    "TXA-12 of root and extension": ok(
        replace(BASE, documents=((f"{DOCUMENT}^77", f"{DOCUMENT}^77"),)), documents=(Paper(extension="77"),), **MDM),
    "TXA-12 of root and extension, with an organisation": ok(
        replace(BASE, documents=((f"{DOCUMENT}^77", f"{DOCUMENT}^77"),)), f"TXA1.12=77^Org^{DOCUMENT}^ISO",
        documents=(Paper(extension="77"),), **MDM),
    "TXA-17 of former editions": ok(BASE, "TXA1.17=LA", **MDM, **V20),
    "no visit": ok(replace(BASE, encounter=""), "-PV1", warnings=("volet.visit-missing",)),
    "an outsider without stay": ok(replace(BASE, encounter="N"), "PV11.2=N", "PV11.19="),
    "urgent, with its stay": ok(replace(BASE, encounter="E"), "PV11.2=E", **MDM),
    "no local identifier": ok(BASE, f"PID1.3={MATRICULE}^^^ASIP-SANTE-INS-NIR&{OID}&ISO^INS"),
    "the INS first": ok(
        BASE, f"PID1.3={MATRICULE}^^^ASIP-SANTE-INS-NIR&{OID}&ISO^INS~L-55^^^LABO-VAUBAN&990001234&N^PI"),
    "an INS with its date": ok(
        BASE, f"PID1.3={MATRICULE}^^^ASIP-SANTE-INS-NIR&{OID}&ISO^INS^^20240101~L-55^^^A&1&M^PI"),
    "a provisional identity": ok(
        replace(BASE, to=(PRO,), matricule=""), "PID1.32=PROV", "DESTMSSANTEPAT=N", warnings=("ins.not-validated",)),
    "no INS, a doctor": ok(
        replace(BASE, to=(PRO,), to_dmp=False, matricule=""), IDS, "DESTDMP=N", "DESTMSSANTEPAT=N", "-PRT3"),
    "a name written otherwise": ok(BASE, "PID1.5=Lecoq^Bruno^Bruno Paul^^^^L"),
    "a sex unknown to us": ok(BASE, "PID1.9=alias"),
    "an escaped name": ok(BASE, "PID1.5=LECOQ^BRUNO^BRUNO \\T\\ CIE^^^^L"),
}  # fmt: skip

PAIRS = {
    "both formats, line feeds, a mark and texts first": ok(
        replace(BASE, documents=PAIR), after=lambda data: b"\xef\xbb\xbf" + shuffled(data).replace(b"\r",
        b"\n"), **BOTH),
    "2.0 with SC, former names and a fancy separator": ok(
        REPLACED, "ORC1.1=SC",
        after=lambda data: data.replace(b"^~\\&", "^˜\\&".encode(), 1).replace(b"MODIF_CONF_CODE",
        b"MODIF_CONFIDENTIALITYCODE"),
        **RO, **V20),
    "LA, an organisation and no padding": ok(
        BASE, "TXA1.17=LA", f"TXA1.12={DOCUMENT}^Org", f"OBX1.5=^text^XML^Base64^{b64(UNPADDED.data()).rstrip('=')}",
        documents=(UNPADDED,), **MDM, **V20),
    "8859/15 with wrapped base64": ok(BASE, after=wrapped(76, b"\r\n"), charset="8859/15"),
    "a device and a unit, no acknowledgement, FIN": ok(
        replace(BASE, person="", organisation="1990001234", device="SGL-VAUBAN-1", reception=False,
                patient_may_answer=False, to=(PRO, ("organisation", "uf3435@ght.mssante.fr"), PATIENT)),
        "-PRT1", f"+OBX1:{DEVICE}", f"+PRT2:{UF}", "ACK_RECEPTION=N", "+DESTMSSANTEPAT:NTE|1|||FIN"),
    "a secret deletion of both, to the doctor": ok(
        replace(DELETED, documents=PAIR, hidden="24", to=(PRO,)), "INVISIBLE_PATIENT=Y", "CONNEXION_SECRETE=Y",
        "DESTMSSANTEPAT=N", **CA, **BOTH),
    "a deletion without visit, without padding": ok(
        replace(DELETED, encounter=""), "-PV1", f"OBX1.5=^TEXT^XML^Base64^{b64(UNPADDED.data()).rstrip('=')}",
        documents=(UNPADDED,), **CA),
}  # fmt: skip

GROUPS = {"rows": ROWS, "written": WRITTEN, "pairs": PAIRS}
