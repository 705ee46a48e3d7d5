"""Messages of the volet that must be accepted: what is asked, for whom; and all of them together."""

from dataclasses import replace

from tests.support.volet_corpus import accepted_writing
from tests.support.volet_corpus.asked import (
    BASE,
    BOTH,
    CA,
    DELETED,
    MDM,
    PAIR,
    PAIR_REPLACED,
    PATIENT,
    PRO,
    REPLACED,
    RO,
    V12,
    ok,
)
from tests.support.volet_corpus.drafts import (
    APP,
    DESK,
    DEVICE,
    DOCTOR,
    DOCUMENT,
    FINEG,
    FORMER,
    MATRICULE,
    OID,
    PAT,
    RCT,
    SB,
    SECOND,
    UF,
    Paper,
    papers,
)

REQUESTS = {
    **{
        f"{kind} {profile} {request}": ok(
            replace(BASE, request=request, documents=((DOCUMENT, FORMER if request == "replacement" else DOCUMENT),)),
            kind=kind, profile=profile, request=request)
        for kind in ("ORU", "MDM")
        for profile in ("2.1", "2.0", "1.2")
        for request in ("initial", "replacement", "deletion")
    },
    "an N1 alone": ok(BASE, documents=papers("initial", "N1")),
    "an N1 alone, document": ok(BASE, documents=papers("initial", "N1"), **MDM),
    **{
        f"both formats {request}, {profile}": ok(
            replace(BASE, request=request, documents=PAIR_REPLACED if request == "replacement" else PAIR),
            request=request, profile=profile, documents=papers(request, "N3", "N1"))
        for request in ("initial", "replacement", "deletion")
        for profile in ("2.1", "2.0")
    },
    "both formats, N1 first": ok(
        replace(BASE, documents=PAIR[::-1]), documents=(papers("initial", "N1")[0], Paper(SECOND))),
    **{
        f"2.0, SC with {request}, {kind}": ok(
            replace(BASE, request=request, documents=((DOCUMENT, FORMER if request == "replacement" else DOCUMENT),)),
            "ORC1.1=SC", kind=kind, request=request, profile="2.0")
        for kind in ("ORU", "MDM")
        for request in ("initial", "replacement", "deletion")
    },
    **{
        f"2.0, no order, {request}": ok(
            replace(BASE, request=request, documents=((DOCUMENT, FORMER if request == "replacement" else DOCUMENT),)),
            "-ORC", "-OBR", kind="MDM", request=request, profile="2.0")
        for request in ("initial", "replacement", "deletion")
    },
    "a change of visibility": ok(
        replace(REPLACED, hidden="35", to=(PRO, PATIENT)), "INVISIBLE_REP_LEGAUX=Y", "MODIF_CONF_CODE=Y", **RO),
    "a change of visibility, document": ok(replace(REPLACED, hidden="5"), "MODIF_CONF_CODE=Y", **RO, **MDM),
    "a deletion without TXA-13": ok(DELETED, "TXA1.13=", **CA, **MDM),
    "a deletion of a replacement": ok(DELETED, documents=papers("replacement", "N3"), **CA),
    "a deletion of a replacement, document": ok(
        DELETED, documents=papers("replacement", "N3"), **CA, **MDM),
    "an initial with TXA-13 of nothing": ok(BASE, "TXA1.13=", **MDM),
}  # fmt: skip

DESTINATIONS = {
    "the DMP alone": ok(replace(BASE, to=()), "DESTMSSANTEPS=N", "DESTMSSANTEPAT=N", "-PRT3", "-PRT2"),
    "the DMP alone, masked": ok(
        replace(BASE, to=(), hidden="1"), "MASQUE_PS=Y", "DESTMSSANTEPS=N", "DESTMSSANTEPAT=N", "-PRT3", "-PRT2"),
    "the DMP alone, though people are named": ok(replace(BASE, to=()), "DESTMSSANTEPS=N", "DESTMSSANTEPAT=N"),
    "the DMP in secret": ok(replace(BASE, hidden="4"), "CONNEXION_SECRETE=Y"),
    "professionals alone": ok(replace(BASE, to_dmp=False, to=(PRO,)), "DESTDMP=N", "DESTMSSANTEPAT=N", "-PRT3"),
    "professionals alone, nobody asks": ok(
        replace(BASE, to_dmp=False, to=(PRO,), person="", organisation=""),
        "DESTDMP=N", "DESTMSSANTEPAT=N", "-PRT3", "-PRT1"),
    "professionals, invisible to the patient": ok(
        replace(BASE, to=(PRO,), hidden="2"), "INVISIBLE_PATIENT=Y", "DESTMSSANTEPAT=N", "-PRT3"),
    "professionals, the patient named and not asked": ok(
        replace(BASE, to=(PRO,)), "DESTMSSANTEPAT=N", warnings=("volet.recipient-not-asked",)),
    "the patient alone": ok(
        replace(BASE, to_dmp=False, to=(PATIENT,)), "DESTDMP=N", "DESTMSSANTEPS=N", "-PRT2"),
    "the patient alone, the doctor named and not asked": ok(
        replace(BASE, to_dmp=False, to=(PATIENT,)), "DESTDMP=N", "DESTMSSANTEPS=N"),
    "the patient alone, masked, as the third row says": ok(
        replace(BASE, to_dmp=False, to=(PATIENT,), hidden="13"),
        "DESTDMP=N", "DESTMSSANTEPS=N", "MASQUE_PS=Y", "INVISIBLE_REP_LEGAUX=Y"),
    "no acknowledgement": ok(replace(BASE, reception=False), "ACK_RECEPTION=N"),
    "both acknowledgements": ok(replace(BASE, reading=True), "ACK_LECTURE_MSS=Y"),
    "acknowledgements not spoken of": ok(
        replace(BASE, reception=False), "-ACK_RECEPTION", "-ACK_LECTURE_MSS", warnings=("volet.flag-assumed",)),
    "1.2 without destinations to the patient": ok(replace(BASE, to=(PRO,)), "-DESTMSSANTEPAT", **V12),
}  # fmt: skip

PEOPLE = {
    "a unit, its FINESS as authority": ok(
        replace(BASE, to=(PRO, ("organisation", "uf3435@ght.mssante.fr"), PATIENT)), f"+PRT2:{UF}"),
    "an establishment": ok(
        replace(BASE, to=(PRO, ("organisation", "pins@ght.mssante.fr"), PATIENT)), f"+PRT2:{FINEG}"),
    "an application": ok(replace(BASE, to=(PRO, ("application", "dpi@ght.mssante.fr"), PATIENT)), f"+PRT2:{APP}"),
    "all kinds": ok(
        replace(BASE, to=(PRO, ("organisation", "uf3435@ght.mssante.fr"), ("application",
        "dpi@ght.mssante.fr"), PATIENT)),
        f"+PRT2:{APP}", f"+PRT2:{UF}"),
    "the same doctor twice": ok(BASE, f"+PRT2:{RCT}"),
    "the same doctor in capitals": ok(
        BASE, f"+PRT1:{RCT.replace(DOCTOR, 'Yves.TALBOT@Test-CI-SIS.mssante.fr')}"),
    "a device asks": ok(
        replace(BASE, person="", organisation="1990001234", device="SGL-VAUBAN-1"), "-PRT1", f"+OBX1:{DEVICE}"),
    "codes alone": ok(BASE, "PRT1.4=SB", "PRT2.4=RCT", "PRT3.4=RCT", "PRT4.4=REPLY"),
    "other labels": ok(
        BASE, "PRT1.4=SB^send by^HL70912", "PRT2.4=RCT^results Copies To^HL70912", "PRT4.4=REPLY^^participation"),
    "nobody to answer to": ok(replace(BASE, reply_to=""), "-PRT4"),
    "the requester last": ok(BASE, "-PRT1", f"+PRT3:{SB}"),
    "participations at the end": ok(
        BASE, "-PRT4", "-PRT3", "-PRT2", f"+OBX13:{RCT}", f"+OBX13:{PAT}",
        f"+OBX13:PRT||UC||REPLY^Reply To^participation|||||||||||^^X.400^{DESK}"),
    "participations behind the second document": ok(
        replace(BASE, documents=PAIR), "-PRT3", f"+OBX2:{PAT}", **BOTH),
    "no action code": ok(BASE, "PRT1.2=", "PRT2.2=", "PRT3.2="),
    "a FINESS with invisible blanks": ok(
        BASE, "PRT1.8=LABO VAUBAN^^^^^ASIP-SANTE-ST&1.2.250.1.71.4.2.2&ISO^FINEG^^^990001234" + "\u00a0" * 18),
    "a box with blanks": ok(BASE, f"PRT2.15=^^X.400^ {DOCTOR} "),
    "a patient with his number as HD": ok(
        BASE, f"PRT3.5={MATRICULE}^LECOQ^BRUNO^^^^^^{OID}^D^^^INS"),
    "a patient's box of 20 digits": ok(
        replace(BASE, to=(PRO,), not_served=1), "PRT3.15=^^X.400^27707279035121518989@patient.mssante.fr"),
    "a patient's box of 16 digits": ok(
        replace(BASE, to=(PRO,), not_served=1), f"PRT3.15=^^X.400^{MATRICULE}1@patient.mssante.fr", **MDM),
}  # fmt: skip

GROUPS = {"request": REQUESTS, "destinations": DESTINATIONS, "people": PEOPLE, **accepted_writing.GROUPS}
ALL = {f"{group}: {name}": case for group, cases in GROUPS.items() for name, case in cases.items()}
