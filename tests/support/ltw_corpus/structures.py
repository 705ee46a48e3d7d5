"""Which segments stand where, which fields are required, which numbers agree."""

from tests.support.ltw_corpus.case import Case, good, refused, warned
from tests.support.ltw_corpus.draft import (
    ASAT,
    GROUP,
    INS_AUTHORITY,
    NA,
    RESULT,
    K,
    battery,
    filler,
    ins,
    order,
    pid,
    result,
)

_OTHER = pid(
    "ARD000502", ins("1520377123044"), "OSTREVANT^BAPTISTE^BAPTISTE JEAN", "19520314", "M", "77123", "26105002"
)
_NO_ORC = RESULT.drop("ORC[1]", "ORC[2]")
_UNTYPED = "||||||||"

PATIENTS: tuple[Case, ...] = (
    refused("no patient", RESULT.drop("PID[1]"), "100", "PID^1"),
    refused("no patient, a visit though", RESULT.drop("PID[1]").put("PV1[1]-19", "V1"), "100", "PID^1"),
    refused("two patients", RESULT.before("ORC[2]", _OTHER), "100", "PID^2"),
    refused("two patients, one after the other", RESULT.after("PID[1]", _OTHER), "100", "PID^2"),
    refused("two patients, the second with nothing", RESULT.after("SPM[2]", _OTHER), "100", "PID^2"),
    refused("the same patient twice", RESULT.before("ORC[2]", RESULT.segments[1]), "100", "PID^2"),
    refused("the patient after his results", RESULT.drop("PID[1]").after("SPM[2]", _OTHER), "100", "PID^1"),
    refused("no identifier of the patient", RESULT.put("PID[1]-3", ""), "101", "PID^1^3"),
    refused("no name of the patient", RESULT.put("PID[1]-5", ""), "101", "PID^1^5"),
    refused("a birth on a 31 November", RESULT.put("PID[1]-7", "19711131"), "102", "PID^1^7"),
    good("no visit", RESULT.drop("PV1[1]")),
    good("race, religion and ethnic group", RESULT.put("PID[1]-10", "1").put("PID[1]-17", "CAT").put("PID[1]-22", "N")),
    good(
        "the used name before the birth name",
        RESULT.put("PID[1]-5", "DUVAL^SOLENE^^^^^D~QUENNEVAL^SOLENE^SOLENE ODILE^^^^L"),
    ),
)

_LOCAL = "ARD000501^^^LBM-ARDOISES&990000911&N^PI"


def _matricule(value: str, at: str = INS_AUTHORITY) -> str:
    return f"{value}^^^{at}^INS"


_GOOD_KEY = ins("2710649007118")
_BAD_KEY = _GOOD_KEY[:13] + f"{(int(_GOOD_KEY[13:]) % 97) + 1:02d}"
_CORSICAN = ins("274052A004021")
_CORSICAN_WRONG = _CORSICAN[:13] + ins("2740520004021")[13:]
_NIA = "ASIP-SANTE-INS-NIA&1.2.250.1.213.1.4.9&ISO"

IDENTITIES: tuple[Case, ...] = (
    refused(
        "a wrong key, second repetition",
        RESULT.put("PID[1]-3", f"{_LOCAL}~{_matricule(_BAD_KEY)}"),
        "102",
        "PID^1^3^2^1",
    ),
    refused(
        "a wrong key, first repetition",
        RESULT.put("PID[1]-3", f"{_matricule(_BAD_KEY)}~{_LOCAL}"),
        "102",
        "PID^1^3^1^1",
    ),
    refused(
        "a wrong key, third repetition",
        RESULT.put("PID[1]-3", f"{_LOCAL}~IPP9^^^CH-A&990000341&N^PI~{_matricule(_BAD_KEY)}"),
        "102",
        "PID^1^3^3^1",
    ),
    refused(
        "thirteen characters", RESULT.put("PID[1]-3", f"{_LOCAL}~{_matricule(_GOOD_KEY[:13])}"), "102", "PID^1^3^2^1"
    ),
    refused(
        "sixteen characters", RESULT.put("PID[1]-3", f"{_LOCAL}~{_matricule(_GOOD_KEY + '0')}"), "102", "PID^1^3^2^1"
    ),
    refused(
        "letters in the matricule",
        RESULT.put("PID[1]-3", f"{_LOCAL}~{_matricule('27106490071XX42')}"),
        "102",
        "PID^1^3^2^1",
    ),
    refused(
        "blanks in the matricule",
        RESULT.put("PID[1]-3", f"{_LOCAL}~{_matricule('2 71 06 49 007 118 ' + _GOOD_KEY[13:])}"),
        "102",
        "PID^1^3^2^1",
    ),
    good("a Corsican matricule", RESULT.put("PID[1]-3", f"{_LOCAL}~{_matricule(_CORSICAN)}")),
    refused(
        "a Corsican key with A read as nought",
        RESULT.put("PID[1]-3", f"{_LOCAL}~{_matricule(_CORSICAN_WRONG)}"),
        "102",
        "PID^1^3^2^1",
    ),
    good("a matricule of Haute-Corse", RESULT.put("PID[1]-3", f"{_LOCAL}~{_matricule(ins('180032B033017'))}")),
    good(
        "the invoicing number is no INS",
        RESULT.put("PID[1]-3", f"{_LOCAL}~{_BAD_KEY}^^^CNAM&1.2.250.1.213.1.4.8&ISO^NH"),
    ),
    good(
        "the obsolete calculated INS is no INS",
        RESULT.put("PID[1]-3", f"{_LOCAL}~0123456789012345678901^^^ASIP&1.2.250.1.213.1.4.2&ISO^INS-C"),
    ),
    warned("a provisional identity with a matricule", RESULT.put("PID[1]-32", "PROV"), "PID^1^32"),
    warned("a matricule and no reliability", RESULT.put("PID[1]-32", ""), "PID^1^32"),
    warned("a matricule and a doubtful identity", RESULT.put("PID[1]-32", "DOUTE~PROV"), "PID^1^32"),
    good("a validated identity without matricule", RESULT.put("PID[1]-3", _LOCAL)),
    good("a provisional identity without matricule", RESULT.put("PID[1]-3", _LOCAL).put("PID[1]-32", "PROV")),
)

SEQUENCES: tuple[Case, ...] = (
    refused("a patient and nothing else", RESULT.upto("PID[1]", 40), "100", "OBR^1"),
    refused("an order without battery", RESULT.upto("ORC[1]", 40), "100", "OBR^1"),
    refused("a result before any battery", RESULT.before("ORC[1]", RESULT.segments[5]), "100", "OBX^1"),
    refused("a result between order and battery", RESULT.before("OBR[2]", result(1, "NM", NA, "1")), "100", "OBX^4"),
    good("no ORC", _NO_ORC),
    good(
        "a segment of the house", RESULT.after("PID[1]", "ZPI|1|x").after("OBX[1]", "ZBX|1|y").after("SPM[2]", "ZEN|z")
    ),
    good("segments of later versions", RESULT.after("OBX[1]", "PRT|1|UC||AUT").after("OBR[1]", "ROL|1|AD|PP")),
    good("a segment nobody knows", RESULT.after("OBX[1]", "QQQ|1|x")),
    good("blank lines between segments", RESULT.raw().replace(b"\rOBR", b"\r\rOBR")),
    good("trailing separators", RESULT.put("OBX[1]-60", "")),
    good("a continuation mark at the end", RESULT.after("SPM[2]", "DSC|")),
    good("SFT after the header", RESULT.after("MSH[1]", "SFT|Editeur|1|SGL|1.0")),
    good("lines ended with CR LF", RESULT.raw(end="\r\n")),
    good("lines ended with LF", RESULT.raw(end="\n")),
    good("the last line not ended", RESULT.raw()[:-1]),
)

NUMBERS: tuple[Case, ...] = (
    refused(
        "ORC-2 and OBR-2 differ", RESULT.put("ORC[1]-2", "AUTRE^DPI-ARDOISE^1.2.250.1.99999.21.1^ISO"), "102", "OBR^1^2"
    ),
    refused("ORC-3 and OBR-3 differ", RESULT.put("OBR[1]-3", filler("RAUTRE")), "102", "OBR^1^3"),
    refused("ORC-3 and OBR-3 differ in the second battery", RESULT.put("OBR[2]-3", filler("RAUTRE")), "102", "OBR^2^3"),
    refused(
        "ORC-3 and OBR-3 differ by their OID",
        RESULT.put("OBR[2]-3", f"R{GROUP}-02^SGL-ARDOISE^1.2.250.1.99999.29.9^ISO"),
        "102",
        "OBR^2^3",
    ),
    refused("no number at all", _NO_ORC.put("OBR[1]-2", "").put("OBR[1]-3", ""), "101", "OBR^1^3"),
    refused(
        "no number at all in the second battery", _NO_ORC.put("OBR[2]-2", "").put("OBR[2]-3", ""), "101", "OBR^2^3"
    ),
    good("only the prescriber's number", _NO_ORC.put("OBR[1]-3", "").put("OBR[2]-3", "")),
    good(
        "only the laboratory's number",
        RESULT.put("OBR[1]-2", "").put("ORC[1]-2", "").put("OBR[2]-2", "").put("ORC[2]-2", ""),
    ),
    good(
        "numbers without namespace",
        RESULT.put("OBR[1]-3", "77").put("ORC[1]-3", "77").put("OBR[2]-3", "78").put("ORC[2]-3", "78"),
    ),
    good("the order repeats nothing of the battery", RESULT.put("ORC[1]-2", "").put("ORC[1]-3", "")),
)

REQUIRED: tuple[Case, ...] = (
    refused("no analyte", RESULT.put("OBX[1]-3", ""), "101", "OBX^1^3"),
    refused("no analyte in the fourth result", RESULT.put("OBX[4]-3", ""), "101", "OBX^4^3"),
    refused("no status", RESULT.put("OBX[2]-11", ""), "101", "OBX^2^11"),
    refused("no status under the second battery", RESULT.put("OBX[5]-11", ""), "101", "OBX^5^11"),
    refused("no type though a value", RESULT.put("OBX[3]-2", ""), "101", "OBX^3^2"),
    refused("no type though a value, second battery", RESULT.put("OBX[4]-2", ""), "101", "OBX^4^2"),
    refused(
        "no type though a value that is cancelled", RESULT.put("OBX[1]-2", "").put("OBX[1]-11", "X"), "101", "OBX^1^2"
    ),
    refused(
        "final without type or value", RESULT.line("OBX[1]", f"OBX|1||{NA}{_UNTYPED}F"), "101", "OBX^1^2", "OBX^1^5"
    ),
    *(good(f"status {s} without type or value", RESULT.line("OBX[2]", f"OBX|2||{K}{_UNTYPED}{s}")) for s in "XDI"),
    refused("no battery code", RESULT.put("OBR[1]-4", ""), "101", "OBR^1^4"),
    refused("no battery status", RESULT.put("OBR[2]-25", ""), "101", "OBR^2^25"),
    good("no battery time", RESULT.put("OBR[1]-22", "")),
    good("no collection time", RESULT.put("OBR[1]-7", "").put("OBX[1]-14", "")),
    refused("cut behind the type", RESULT.upto("OBX[3]", 2), "101", "OBX^3^3"),
    refused("cut behind the value", RESULT.upto("OBX[5]", 5), "101", "OBX^5^11"),
    refused("cut inside the analyte", RESULT.upto("OBX[2]", 3), "101", "OBX^2^11"),
)

STATUSES: tuple[Case, ...] = (
    *(good(f"result status {s}", RESULT.put("OBX[1]-11", s)) for s in "OIRPSFCDXNW"),
    *(
        refused(f"result status {s!r}", RESULT.put("OBX[2]-11", s), "103", "OBX^2^11")
        for s in ("U", "f", "Z", "FF", "1", "V")
    ),
    refused("result status U in the second battery", RESULT.put("OBX[4]-11", "U"), "103", "OBX^4^11"),
    *(good(f"battery status {s}", RESULT.put("OBR[1]-25", s)) for s in "OSIARPFCX"),
    *(refused(f"battery status {s}", RESULT.put("OBR[1]-25", s), "103", "OBR^1^25") for s in ("Y", "Z", "Q", "f")),
    refused("battery status Z in the second battery", RESULT.put("OBR[2]-25", "Z"), "103", "OBR^2^25"),
    *(good(f"order control {c}", RESULT.put("ORC[1]-1", c)) for c in ("RE", "PA", "CH", "OK")),
    good("an order status that disagrees", RESULT.put("ORC[1]-5", "IP")),
)

COUNTERS: tuple[Case, ...] = (
    *(
        refused(f"{place} is {value!r}", RESULT.put(place, value), "102", f"{place[:3]}^{place[4]}^1")
        for place, value in (
            ("OBX[2]-1", "-2"),
            ("OBX[4]-1", "-1"),
            ("OBR[1]-1", "-1"),
            ("OBR[2]-1", "A"),
            ("PID[1]-1", "-1"),
            ("SPM[2]-1", "-1"),
            ("NTE[1]-1", "-1"),
            ("OBX[1]-1", "1.5"),
            ("OBX[3]-1", "x"),
        )
    ),
    good("results not in order", RESULT.put("OBX[1]-1", "3").put("OBX[3]-1", "1")),
    good("all results numbered one", RESULT.put("OBX[2]-1", "1").put("OBX[3]-1", "1")),
    good("no counters", RESULT.put("OBX[1]-1", "").put("OBR[1]-1", "").put("SPM[1]-1", "")),
)

SEVERAL: tuple[Case, ...] = (
    refused("patient before values", RESULT.drop("PID[1]").put("OBX[1]-11", "U"), "100", "PID^1"),
    refused("the first wrong result of two", RESULT.put("OBX[2]-5", "<1").put("OBX[4]-11", "U"), "102", "OBX^2^5"),
    refused(
        "the first wrong field of two",
        RESULT.put("OBX[2]-5", "<1").put("OBX[2]-2", "").put("OBX[2]-11", "U"),
        "101",
        "OBX^2^2",
    ),
    refused("battery before result", RESULT.put("OBR[1]-25", "Z").put("OBX[1]-11", "U"), "103", "OBR^1^25"),
    refused(
        "result of the first before the second battery",
        RESULT.put("OBX[3]-11", "U").put("OBR[2]-25", "Z"),
        "103",
        "OBX^3^11",
    ),
    refused(
        "identity before value", RESULT.put("PID[1]-3", _matricule(_BAD_KEY)).put("OBX[1]-5", "x"), "102", "PID^1^3^1^1"
    ),
)

LINES: tuple[Case, ...] = (
    refused("a line feed in a note", RESULT.put("NTE[1]-3", "Garrot\nprolongé"), "100", "NTE^1"),
    refused("a carriage return in a note", RESULT.put("NTE[1]-3", "Garrot\rprolongé"), "100", "NTE^1"),
    refused("a line feed in an address", RESULT.put("PID[1]-11", "3 RUE\nDES SCHISTES"), "100", "PID^1"),
    refused("a line feed in a text result", RESULT.put("OBX[5]-5", "limpide\nclair"), "100", "OBX^5"),
    refused("a line feed in a specimen", RESULT.put("SPM[1]-14", "deux\nlignes"), "100", "SPM^1"),
    refused("a segment in lower case", RESULT.line("OBX[2]", RESULT.segments[6].replace("OBX", "obx")), "100", "OBX^1"),
    refused("a name of two letters", RESULT.after("OBR[1]", "OB|1|x"), "100", "OBR^1"),
)

_ADDED = (order(GROUP, 3), battery(GROUP, 3, "ALAT^ALAT^99ARD"))
TWINS: tuple[Case, ...] = (
    good("the same analyte under two batteries", RESULT.after("SPM[2]", *_ADDED, result(1, "NM", ASAT, "32", "U/L"))),
    good("the same analyte told apart by OBX-4", RESULT.after("OBX[4]", result(2, "NM", ASAT, "33", "U/L", sub="2"))),
    warned(
        "the same analyte twice with two values", RESULT.after("OBX[4]", result(2, "NM", ASAT, "77", "U/L")), "OBX^5^4"
    ),
    good(
        "an analyte cancelled, then done",
        RESULT.after("OBX[3]", result(4, "NM", NA, "140", "mmol/L")).put("OBX[1]-11", "X"),
    ),
)

STRUCTURES = (*PATIENTS, *IDENTITIES, *SEQUENCES, *NUMBERS, *REQUIRED, *STATUSES, *COUNTERS, *SEVERAL, *LINES, *TWINS)
