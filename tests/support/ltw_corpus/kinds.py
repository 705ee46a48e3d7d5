"""The other messages: technical results, orders, answers, microbiology, batches."""

from tests.support.ltw_corpus.case import Case, good, refused, rejected, warned
from tests.support.ltw_corpus.draft import (
    GROUP,
    INS_AUTHORITY,
    RESULT,
    Draft,
    battery,
    filler,
    msh,
    order,
    pid,
    placer,
    result,
    specimen,
)

_WBC = "GB^Leucocytes^99MDW^6690-2^Leucocytes [Nombre/Volume] Sang ; Numérique ; Comptage automate^LN"
_BLOOD = "BLDV^Sang veineux^HL70487"


def _technical(kind: str) -> str:
    return msh("MDW-1", f"OUL^{kind}^OUL_{kind}", sender="MDW-ARDOISE")


_OBR = f"OBR|1|{filler('R1-01')}|W77^MDW-ARDOISE|NFS^Hémogramme^99ARD"
_ORC = f"ORC|SC|{filler('R1-01')}|W77^MDW-ARDOISE||CM"
SPECIMEN_CENTRED = Draft(
    (
        _technical("R22"),
        pid(),
        "PV1|1|N",
        specimen(1, "T1", _BLOOD),
        result(1, "CE", "QUAL^Qualité^99MDW", "OK^Conforme^99MDW"),
        "SAC|||T1^SGL-ARDOISE",
        _OBR,
        _ORC,
        "TQ1|1||||||||R^Routine^HL70485",
        result(1, "NM", _WBC, "6.84", "10*9/L", status="R"),
        "SID|R1^Réactif^99MDW|LOT1",
        result(2, "NA", "HIS^Histogramme^99MDW", "0^3^18", status="R"),
    )
)
"""OUL^R22: OBX[1] speaks of the tube, OBX[2] and OBX[3] are results."""

CONTAINER_CENTRED = Draft(
    (
        _technical("R23"),
        pid(),
        "PV1|1|N",
        specimen(1, "T1", _BLOOD),
        "SAC|||T1^SGL-ARDOISE",
        _OBR,
        _ORC,
        result(1, "NM", _WBC, "6.84", "10*9/L", status="R"),
    )
)
ORDER_CENTRED = Draft(
    (
        _technical("R24"),
        pid(),
        "PV1|1|N",
        _OBR,
        _ORC,
        specimen(1, "T1", _BLOOD),
        "SAC|||T1^SGL-ARDOISE",
        result(1, "NM", _WBC, "6.84", "10*9/L", status="R"),
    )
)
_CONTROL = SPECIMEN_CENTRED.drop("PID[1]", "PV1[1]")

_BAD_INS = f"ARD000501^^^LBM-ARDOISES&990000911&N^PI~271064900711899^^^{INS_AUTHORITY}^INS"

TECHNICAL: tuple[Case, ...] = (
    good("R22", SPECIMEN_CENTRED),
    good("R23", CONTAINER_CENTRED),
    good("R24", ORDER_CENTRED),
    *(
        refused(f"a wrong key in {name}", message.put("PID[1]-3", _BAD_INS), "102", "PID^1^3^2^1")
        for name, message in (("R22", SPECIMEN_CENTRED), ("R23", CONTAINER_CENTRED), ("R24", ORDER_CENTRED))
    ),
    *(
        warned(f"a matricule that is not validated in {name}", message.put("PID[1]-32", "PROV"), "PID^1^32")
        for name, message in (("R22", SPECIMEN_CENTRED), ("R24", ORDER_CENTRED))
    ),
    good("a control without patient", _CONTROL.put("SPM[1]-11", "Q^Control^HL70369")),
    good("a control with a patient", SPECIMEN_CENTRED.put("SPM[1]-11", "Q")),
    good("an analyser of LAW without patient", _CONTROL.put("MSH[1]-21", "LAB-29^IHE")),
    *(
        refused(f"{m.get('MSH[1]-9')[4:7]} without patient", m.drop("PID[1]"), "100", "PID^1")
        for m in (SPECIMEN_CENTRED, CONTAINER_CENTRED, ORDER_CENTRED)
    ),
    refused("no role and no patient", _CONTROL.put("SPM[1]-11", ""), "100", "PID^1"),
    refused(
        "a control and a patient's tube, no patient",
        _CONTROL.put("SPM[1]-11", "Q").after("OBX[3]", specimen(2, "T2", _BLOOD), _OBR, result(1, "NM", _WBC, "1")),
        "100",
        "PID^1",
    ),
    refused("two patients in R22", SPECIMEN_CENTRED.after("OBX[3]", pid("ARD000777", "")), "100", "PID^2"),
    refused("an unknown status in R22", SPECIMEN_CENTRED.put("OBX[2]-11", "U"), "103", "OBX^2^11"),
    refused("no status in R23", CONTAINER_CENTRED.put("OBX[1]-11", ""), "101", "OBX^1^11"),
    refused("a comma in R24", ORDER_CENTRED.put("OBX[1]-5", "6,84"), "102", "OBX^1^5"),
    refused("no type in the third OBX of R22", SPECIMEN_CENTRED.put("OBX[3]-2", ""), "101", "OBX^3^2"),
    refused("a wrong tube quality in R22", SPECIMEN_CENTRED.put("OBX[1]-11", "Z"), "103", "OBX^1^11"),
    refused("ORC-3 and OBR-3 differ in R22", SPECIMEN_CENTRED.put("ORC[1]-3", "W78^MDW-ARDOISE"), "102", "OBR^1^3"),
    refused(
        "no number in R23", CONTAINER_CENTRED.put("OBR[1]-2", "").put("OBR[1]-3", "").drop("ORC[1]"), "101", "OBR^1^3"
    ),
    refused(
        "month 13 in SPM-17 of R22", SPECIMEN_CENTRED.put("SPM[1]-17", "20261302"), "102", "SPM^1^17", "SPM^1^17^1^1"
    ),
    refused("negative counter in R24", ORDER_CENTRED.put("SPM[1]-1", "-4"), "102", "SPM^1^1"),
    refused("a wrong charset in R22", SPECIMEN_CENTRED.put("MSH[1]-18", "UTF8"), "103", "MSH^1^18"),
    rejected("version 2.3 in R23", CONTAINER_CENTRED.put("MSH[1]-12", "2.3"), "203", "MSH^1^12"),
    rejected("training in R24", ORDER_CENTRED.put("MSH[1]-11", "T"), "202", "MSH^1^11"),
    good("the reagent after the result", SPECIMEN_CENTRED.after("OBX[2]", "INV|DIL^Diluant^99MDW|OK|DI")),
)


def _new_order(rank: int, *more: str) -> tuple[str, ...]:
    number = placer(f"{GROUP}-{rank:02d}")
    return (
        f"ORC|NW|{number}||{placer(GROUP)}|||||20260502073000",
        "TQ1|1||||||||R^Routine^HL70485",
        f"OBR|{rank}|{number}||E{rank}^Examen {rank}^99DPI",
        *more,
    )


_QUESTION = "OBX|1|CE|JEUN^A jeun ?^99DPI||Y^Oui^HL70136||||||O"
_TUBE = specimen(1, "T1")
ORDERS = Draft(
    (
        msh("DPI-1", "OML^O21^OML_O21", sender="DPI-ARDOISE"),
        pid(),
        "PV1|1|I",
        *_new_order(1, _QUESTION, _TUBE),
        *_new_order(2, _TUBE),
        *_new_order(3),
    )
)
PRIOR = (
    "PID|1||ARD000501^^^LBM-ARDOISES&990000911&N^PI||QUENNEVAL^SOLENE",
    f"ORC|PR|{placer('OLD-01')}",
    f"OBR|1|{placer('OLD-01')}||E9^Ancien^99DPI",
    result(1, "NM", "E9^Ancien^99DPI", "7"),
)
BY_SPECIMEN = Draft(
    (msh("DPI-2", "OML^O33^OML_O33"), pid(), "PV1|1|I", _TUBE, "SAC|||T1", *_new_order(1), *_new_order(2))
)
BY_CONTAINER = Draft(
    (msh("DPI-3", "OML^O35^OML_O35"), pid(), "PV1|1|I", _TUBE, "SAC|||T1", *_new_order(1), *_new_order(2))
)

PRESCRIBED: tuple[Case, ...] = (
    good("three orders", ORDERS),
    good("three orders with an earlier result", ORDERS.before("ORC[2]", *PRIOR)),
    good("orders by specimen", BY_SPECIMEN),
    good("orders by container", BY_CONTAINER),
    *(good(f"order control {code}", ORDERS.put("ORC[1]-1", code)) for code in ("CA", "RP", "RU", "XO", "SC", "OC")),
    good(
        "an order of the laboratory asks for a number",
        ORDERS.put("ORC[1]-1", "SN")
        .put("ORC[1]-2", "")
        .put("OBR[1]-2", "")
        .put("ORC[1]-3", filler("R9"))
        .put("OBR[1]-3", filler("R9")),
    ),
    refused(
        "an order's own key is wrong",
        ORDERS.put("PID[1]-3", "271064900711899^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS"),
        "102",
        "PID^1^3^1^1",
    ),
    refused("an order without control code", ORDERS.put("ORC[2]-1", ""), "101", "ORC^2^1"),
    refused("the answer to a question without code", ORDERS.put("OBX[1]-3", ""), "101", "OBX^1^3"),
    refused("ORC-2 and OBR-2 differ in the third order", ORDERS.put("OBR[3]-2", placer("AUTRE")), "102", "OBR^3^2"),
    refused("orders in Latin bytes", ORDERS.put("OBX[1]-3", "JEUN^À jeun^99DPI").raw("latin-1"), "102", "MSH^1^18"),
    rejected("orders of version 2.3", ORDERS.put("MSH[1]-12", "2.3"), "203", "MSH^1^12"),
    rejected("orders of training", ORDERS.put("MSH[1]-11", "T"), "202", "MSH^1^11"),
    rejected("orders for another", ORDERS.put("MSH[1]-5", "AUTRE"), "207", "MSH^1^5"),
)


def _reply(kind: str, code: str, *more: str) -> bytes:
    return Draft((msh("REP-1", kind), f"MSA|{code}|HUB-1", *more)).raw()


SILENT: tuple[tuple[str, bytes], ...] = (
    ("an acknowledgement", _reply("ACK^R01^ACK", "AA")),
    ("a refusal", _reply("ACK^R01^ACK", "AE", "ERR||PID^1|101^Required field missing^HL70357|E")),
    ("an acknowledgement of a version unknown here", _reply("ACK^R01^ACK", "AA").replace(b"|2.5.1|", b"|2.2|")),
    ("an acknowledgement of training", _reply("ACK", "CA").replace(b"|P|2.5.1", b"|T|2.5.1")),
    ("an acknowledgement without control id", _reply("ACK^R22^ACK", "AA").replace(b"|REP-1|", b"||")),
    ("an acknowledgement in an unknown charset", _reply("ACK^R01^ACK", "AA").replace(b"UNICODE UTF-8", b"UTF8")),
    ("an acknowledgement for another", _reply("ACK^R01^ACK", "AA").replace(b"LABOHUB", b"AUTRE")),
    ("an answer to orders", _reply("ORL^O22^ORL_O22", "AA", *_new_order(1))),
    ("an answer to orders by specimen", _reply("ORL^O34^ORL_O34", "AE")),
    ("the answer to orders of before 2.5", _reply("ORR^O02^ORR_O02", "AA")),
)
"""Messages that are never answered."""

CULTURE_CODE = "CULT^Culture^99ARD^630-4^Bactérie identifiée^LN"
_ECOLI, _KLEB = "112283007^Escherichia coli^SCT", "56415008^Klebsiella pneumoniae^SCT"
_MICRO = "D260502009"


def susceptibility(
    rank: int, isolate: str, *, code: str = "CULT&Culture&99ARD&630-4&Bactérie identifiée&LN", parent: str | None = None
) -> tuple[str, ...]:
    """Return the ORC, OBR and OBX of an antibiogram that names its isolate."""
    of = (
        parent
        if parent is not None
        else f"{_MICRO}-01&DPI-ARDOISE&1.2.250.1.99999.21.1&ISO^R{_MICRO}-01&SGL-ARDOISE&1.2.250.1.99999.22.1&ISO"
    )
    obr = battery(_MICRO, rank, "ATB^Antibiogramme^99ARD^18769-0^Antibiogramme^LN", section="MB")
    return (
        order(_MICRO, rank),
        f"{obr}|{code}^{isolate}^x|||{of}",
        result(1, "SN", "AMX^Amoxicilline^99ARD", ">^8", "mg/L", flags="R"),
    )


CULTURE = Draft(
    (
        msh("ARD-9001"),
        pid(account="26105009"),
        "PV1|1|N",
        order(_MICRO, 1),
        battery(_MICRO, 1, "ECBU^ECBU^99ARD", section="MB"),
        result(1, "CE", CULTURE_CODE, _ECOLI, sub="1"),
        result(2, "CE", CULTURE_CODE, _KLEB, sub="2"),
        specimen(1, "U1", "UR^Urine^HL70487"),
        *susceptibility(2, "1"),
        *susceptibility(3, "2"),
    )
)
"""A urine with two isolates (OBX-4 = 1 and 2) and one antibiogram each."""
_PARENT, _FIRST = CULTURE.segments[3:8], CULTURE.segments[8:11]
CHILD_FIRST = Draft((*CULTURE.segments[:3], *_FIRST, *_PARENT))


def _linked(**how: str) -> Draft:
    return Draft((*CULTURE.segments[:8], *susceptibility(2, how.pop("isolate", "1"), **how)))


MICROBIOLOGY: tuple[Case, ...] = (
    good("two isolates and two antibiograms", CULTURE),
    good("the antibiogram before the culture", CHILD_FIRST),
    good("the isolate named by LOINC alone", _linked(code="630-4&Bactérie identifiée&LN")),
    good(
        "a culture that grew nothing", Draft((*CULTURE.segments[:5], result(1, "TX", CULTURE_CODE, "Culture stérile")))
    ),
    refused("an isolate that does not exist", _linked(isolate="7"), "204", "OBR^2^26"),
    refused("no isolate named though two exist", _linked(isolate=""), "204", "OBR^2^26"),
    refused("another analyte than the culture", _linked(code="GRAM&Gram&99ARD"), "204", "OBR^2^26"),
    refused("the culture's code of another system", _linked(code="CULT&Culture&99AUTRE"), "204", "OBR^2^26"),
    refused(
        "a parent order nobody knows",
        _linked(parent="X-1&DPI-ARDOISE^RX-1&SGL-ARDOISE&1.2.250.1.99999.22.1&ISO"),
        "204",
        "OBR^2^29",
        "OBR^2^26",
    ),
    refused(
        "the second antibiogram is lost", Draft((*CULTURE.segments[:11], *susceptibility(3, "9"))), "204", "OBR^3^26"
    ),
    refused(
        "the first antibiogram is lost",
        Draft((*CULTURE.segments[:8], *susceptibility(2, "9"), *susceptibility(3, "2"))),
        "204",
        "OBR^2^26",
    ),
)

_FHS = f"FHS|^~\\&|SGL-ARDOISE|{RESULT.get('MSH[1]-4')}|LABOHUB|X|20260502||JOUR||FIC-1"
_BHS = _FHS.replace("FHS", "BHS").replace("FIC-1", "LOT-1")


def demand(number: str, **who: str) -> Draft:
    """Return a final result of its own demand, named after it."""
    return Draft(
        (
            msh(f"ARD-{number}"),
            pid(**who),
            "PV1|1|N",
            order(number, 1),
            battery(number, 1, "GLY^Glycémie^99ARD"),
            result(1, "NM", "GLY^Glycémie^99ARD", "5.2", "mmol/L"),
        )
    )


def batch(*children: Draft | bytes, head: str = f"{_FHS}\r{_BHS}\r", count: str = "", tail: str | None = None) -> bytes:
    """Return a file of messages; `count` replaces the right number, `tail` the last two segments."""
    bodies = b"".join(child if isinstance(child, bytes) else child.raw() for child in children)
    return head.encode() + bodies + (tail if tail is not None else f"BTS|{count or len(children)}\rFTS|1\r").encode()


KINDS = (*TECHNICAL, *PRESCRIBED, *MICROBIOLOGY)
