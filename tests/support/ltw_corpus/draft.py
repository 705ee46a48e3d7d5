"""Messages of a laboratory of our own invention, written as a base and named edits."""

import re
from dataclasses import dataclass
from typing import Self

_AT = re.compile(r"(?P<name>[A-Z][A-Z0-9]{2})\[(?P<nth>\d+)\](?:-(?P<field>\d+))?$")


def ins(first_thirteen: str) -> str:
    """Return the fifteen characters of an INS: key = 97 - (13 characters mod 97), 2A read as 19, 2B as 18."""
    return f"{first_thirteen}{97 - int(first_thirteen.replace('2A', '19').replace('2B', '18')) % 97:02d}"


@dataclass(frozen=True)
class Draft:
    """Segments of one message; places are written `OBX[2]-11`: the second OBX of the message, its field 11."""

    segments: tuple[str, ...]

    def _find(self, at: str) -> tuple[int, int]:
        match = _AT.fullmatch(at)
        assert match is not None, at
        found = [i for i, segment in enumerate(self.segments) if segment[:3] == match["name"]]
        return found[int(match["nth"]) - 1], int(match["field"] or 0)

    def _with(self, index: int, *instead: str) -> Self:
        return type(self)((*self.segments[:index], *instead, *self.segments[index + 1 :]))

    def put(self, at: str, value: str) -> Self:
        """Return the message with one field written."""
        index, number = self._find(at)
        name, *fields = self.segments[index].split("|")
        number -= name == "MSH"  # MSH-1 is the separator itself
        fields += [""] * (number - len(fields))
        fields[number - 1] = value
        return self._with(index, "|".join((name, *fields)))

    def line(self, at: str, segment: str) -> Self:
        """Return the message with one segment written as given."""
        return self._with(self._find(at)[0], segment)

    def drop(self, *places: str) -> Self:
        """Return the message without these segments."""
        gone = {self._find(at)[0] for at in places}
        return type(self)(tuple(segment for i, segment in enumerate(self.segments) if i not in gone))

    def after(self, at: str, *new: str) -> Self:
        """Return the message with segments added behind one."""
        index = self._find(at)[0]
        return self._with(index, self.segments[index], *new)

    def before(self, at: str, *new: str) -> Self:
        """Return the message with segments added in front of one."""
        index = self._find(at)[0]
        return self._with(index, *new, self.segments[index])

    def upto(self, at: str, fields: int) -> Self:
        """Return the message cut behind the given number of fields of a segment, as a broken transfer leaves it."""
        index = self._find(at)[0]
        return type(self)((*self.segments[:index], "|".join(self.segments[index].split("|")[: fields + 1])))

    def get(self, at: str) -> str:
        """Return one field."""
        index, number = self._find(at)
        parts = self.segments[index].split("|")
        return parts[number - (parts[0] == "MSH")]

    def named(self, control_id: str) -> Self:
        """Return the message under another MSH-10."""
        return self.put("MSH[1]-10", control_id)

    def raw(self, charset: str = "utf-8", end: str = "\r") -> bytes:
        """Return the bytes as sent, every segment ended."""
        return (end.join(self.segments) + end).encode(charset)


LAB, HUB = "LBM-ARDOISES^990000911^N", "ACCUEIL^990000929^N"
INS_SOLENE = ins("2710649007118")
INS_AUTHORITY = "ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO"
DOCTOR = "99700001037^HALLEGOT^Corentin^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^RPPS"
BIOLOGIST = "99700002035^PERRODIN^Nadia^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^RPPS"


def msh(
    control_id: str, kind: str = "ORU^R01^ORU_R01", at: str = "20260502101500+0200", sender: str = "SGL-ARDOISE"
) -> str:
    """Return the header of a message to the hub."""
    return f"MSH|^~\\&|{sender}|{LAB}|LABOHUB|{HUB}|{at}||{kind}|{control_id}|P|2.5.1|||||FRA|UNICODE UTF-8|fr"


def pid(
    local: str = "ARD000501",
    matricule: str = INS_SOLENE,
    name: str = "QUENNEVAL^SOLENE^SOLENE ODILE",
    born: str = "19710623",
    sex: str = "F",
    place: str = "49007",
    account: str = "26105001",
    reliability: str = "VALI",
) -> str:
    """Return a patient; without a matricule only the laboratory's own number."""
    known = f"~{matricule}^^^{INS_AUTHORITY}^INS" if matricule else ""
    return (
        f"PID|1||{local}^^^LBM-ARDOISES&990000911&N^PI{known}||{name}^^^^L||{born}|{sex}|||"
        f"3 RUE DES SCHISTES^^ANGERS^^49000^FRA^H~^^^^^^BDL^^{place}|||||||"
        f"{account}^^^LBM-ARDOISES&990000911&N^AN||||||||||||||{reliability}"
    )


def placer(number: str) -> str:
    """Return a number of the prescriber's system."""
    return f"{number}^DPI-ARDOISE^1.2.250.1.99999.21.1^ISO"


def filler(number: str) -> str:
    """Return a number of the laboratory."""
    return f"{number}^SGL-ARDOISE^1.2.250.1.99999.22.1^ISO"


def order(group: str, rank: int, at: str = "20260502101400", control: str = "SC", state: str = "CM") -> str:
    """Return the ORC of the battery of this rank in a demand."""
    numbers = f"{placer(f'{group}-{rank:02d}')}|{filler(f'R{group}-{rank:02d}')}|{placer(group)}"
    return f"ORC|{control}|{numbers}|{state}||||{at}|||{DOCTOR}"


def battery(
    group: str, rank: int, code: str, status: str = "F", at: str = "20260502101400", section: str = "CH"
) -> str:
    """Return the OBR of the battery of this rank in a demand."""
    numbers = f"{placer(f'{group}-{rank:02d}')}|{filler(f'R{group}-{rank:02d}')}"
    return f"OBR|{rank}|{numbers}|{code}|||20260502080000|||||||||{DOCTOR}||||||{at}||{section}|{status}"


def result(
    rank: int, kind: str, code: str, value: str, unit: str = "", span: str = "", flags: str = "", **more: str
) -> str:
    """Return an OBX; `sub` is OBX-4, `status` OBX-11, `analysed` OBX-19."""
    units = f"{unit}^{unit}^UCUM" if unit else ""
    return (
        f"OBX|{rank}|{kind}|{code}|{more.get('sub', '')}|{value}|{units}|{span}|{flags}|||{more.get('status', 'F')}|||"
        f"20260502080000||{BIOLOGIST}|||{more.get('analysed', '20260502094500')}"
    )


def specimen(rank: int, number: str, kind: str = "SER^Sérum^HL70487", role: str = "P^Patient^HL70369") -> str:
    """Return a SPM collected and received on 2 May 2026."""
    numbered = f"SPM|{rank}|^{number}&SGL-ARDOISE&1.2.250.1.99999.22.2&ISO"
    return f"{numbered}||{kind}|||||||{role}||||||20260502080000|20260502083000"


NA = "NA^Sodium^99ARD^2951-2^Sodium [Moles/Volume] Sérum/Plasma ; Numérique^LN"
K = "K^Potassium^99ARD^2823-3^Potassium [Moles/Volume] Sérum/Plasma ; Numérique^LN"
TROPO = "TROP^Troponine T hs^99ARD"
ASAT = "ASAT^ASAT^99ARD^1920-8^Aspartate aminotransférase [Enzymatique/Volume] Sérum/Plasma ; Numérique^LN"
ASPECT = "ASP^Aspect du sérum^99ARD"
GROUP = "D260502001"

RESULT = Draft(
    (
        msh("ARD-0001"),
        pid(),
        "PV1|1|N",
        order(GROUP, 1),
        battery(GROUP, 1, "IONO^Ionogramme^99ARD^24326-1^Electrolytes 1998 panel - Serum or Plasma^LN"),
        result(1, "NM", NA, "139", "mmol/L", "136-145", "N"),
        result(2, "NM", K, "5.20", "mmol/L", "3.5-5.1", "H"),
        "NTE|1|L|Garrot prolongé : à contrôler.|RE^Remark^HL70364",
        result(3, "SN", TROPO, "<^3", "ng/L", "<14", "N"),
        specimen(1, "2605020001-1"),
        order(GROUP, 2),
        battery(GROUP, 2, "HEPA^Bilan hépatique^99ARD"),
        result(1, "NM", ASAT, "31", "U/L", "<40", "N"),
        result(2, "TX", ASPECT, "Limpide~légèrement ictérique"),
        specimen(1, "2605020001-2"),
    )
)
"""Two final batteries: OBX[1] to OBX[3] under OBR[1], OBX[4] and OBX[5] under OBR[2]."""
