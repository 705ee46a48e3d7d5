"""A message and what must become of it; the segments that messages are made of."""

import base64
import io
from dataclasses import dataclass

from PIL import Image

from tests.support.ltw_messages import SODIUM, obx, order

OTHER = "10000000025^MOREAU^Agathe^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^RPPS"
MG, MMOL = "mg/L^mg/L^UCUM", "mmol/L^mmol/L^UCUM"
LEAVES, REFUSED, KEPT = "leaves", "refused", "kept"
_HEAD = (
    "MSH|^~\\&|SGL|LBM-DU-PORT^990000127^N|HUB|HUB|20260314112000+0100||ORU^R01^ORU_R01|OWN-1|P|2.5.1"
    "|||||FRA|UNICODE UTF-8"
)
_BIRTH = "D'ARTOIS^ÉLODIE^ÉLODIE MARIE^^^^L"


@dataclass(frozen=True)
class Made:
    """A message, and what must become of it: the code of a refusal where one is right."""

    raw: bytes
    end: str = LEAVES
    code: str = ""


def pid(names: str = _BIRTH, notes: tuple[str, ...] = (), born: str = "19850714", sex: str = "F") -> list[str]:
    """Return a PID with a qualified identity, and the NTE behind it."""
    line = (
        "PID|1||P1^^^LBM&990000127&N^PI~285076938314206^^^INS&1.2.250.1.213.1.4.10&ISO^INS"
        f"||{names}||{born}|{sex}|||^^^^^^BDL^^69383|||||||||||||||||||||VALI"
    )
    return [line, *(f"NTE|{rank}|L|{note}" for rank, note in enumerate(notes, 1))]


def spm(number: str = "T-9", nature: str = "SER^Sérum^HL70487", at: str = "20260314080500", **fields: str) -> str:
    """Return a SPM; `fields` by number."""
    given = {"f11": "P^Patient^HL70369", "f17": at, "f18": "20260314083000", **fields}
    cells = [given.get(f"f{place}", "") for place in range(5, 26)]
    return "|".join(["SPM", "1", f"^{number}&SGL", "", nature, *cells]).rstrip("|")


def oru(*orders: list[str], patient: list[str] | None = None, visit: str = "PV1|1|N", end: str = "") -> bytes:
    """Return an ORU^R01: every order has its own segments, specimens included."""
    lines = [_HEAD, *(patient or pid()), visit, *(line for each in orders for line in each)]
    return ("\r".join(lines) + "\r" + end).encode()


def one(kind: str, value: str, code: str = "EXA^Examen maison^99P", **fields: str) -> bytes:
    """Return a message of one result."""
    return oru(order("A1", "BIL^Bilan^99P", obx(1, kind, code, value, **fields), spm()))


def notes(*texts: str, kind: str = "") -> list[str]:
    """Return NTE segments."""
    return [f"NTE|{rank}|L|{text}" + (f"|{kind}" if kind else "") for rank, text in enumerate(texts, 1)]


def picture(kind: str) -> str:
    """Return a small picture in base64."""
    out = io.BytesIO()
    Image.new("RGB", (120, 40), "#336699").save(out, kind)
    return base64.b64encode(out.getvalue()).decode()


def b64(data: bytes) -> str:
    """Return base64."""
    return base64.b64encode(data).decode()


PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def ed(kind: str, subtype: str, data: str, **fields: str) -> bytes:
    """Return a message of one number and one object."""
    first = obx(1, "NM", SODIUM, "139", f6=MMOL)
    second = obx(2, "ED", "DOC^Document^99P", f"SGL^{kind}^{subtype}^Base64^{data}", **fields)
    return oru(order("A1", "BIL^Bilan^99P", first, second, spm()))
