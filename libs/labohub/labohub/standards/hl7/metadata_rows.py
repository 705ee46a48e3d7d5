"""The metadata OBX of the volet (table MetaDMP/MSS): flags, mail bodies, and whether the patient may answer.

Rows are found by code, in whatever order, their code and value systems unread: both vary from one version to another.
Source: CI-SIS volet "Transmission d'un document CDA-R2 en HL7v2", 2.1.3.
"""

from labohub.standards.er7 import Message, Segment
from labohub.standards.hl7.embedded import Base64Corrupt, decode_base64
from labohub.standards.hl7.reading import Reading
from labohub.standards.hl7.tables import FORMER_NAMES, MASKING, METADATA

PROFESSIONAL_TEXT, PATIENT_TEXT = "CORPSMAIL_PS", "CORPSMAIL_PATIENT"
MAIL_TEXTS = (PROFESSIONAL_TEXT, PATIENT_TEXT)
METADATA_SYSTEM = "METADMPMSS"  # OBX-3.3, in capitals


def read_rows(reading: Reading) -> tuple[dict[str, bool], dict[str, str]]:
    """Return the flags and the mail bodies.

    An absent masking flag has no default: refused. An absent destination is refused, except in profile 1.2; an absent
    request for acknowledgement is N.
    """
    flags: dict[str, bool] = {}
    texts: dict[str, str] = {}
    for obx in reading.message.all("OBX"):
        name = row_name(obx)
        if name in METADATA:
            _flag(reading, obx, name, flags)
        elif name in MAIL_TEXTS:
            _mail_text(reading, obx, name, texts)
    for name in METADATA:
        if name in flags:
            continue
        if name in MASKING or (name.startswith("DEST") and not reading.is_lenient):
            reading.error("101", "OBX", "volet.flag-missing", f"{name} est absent.")
        else:
            flags[name] = False
            reading.warn("OBX", "volet.flag-assumed", f"{name} est absent : N.")
    return flags, texts


def row_name(obx: Segment) -> str:
    """Return OBX-3.1, in the name that the current profile gives it."""
    name = obx.component(3, 1).upper()
    return FORMER_NAMES.get(name, name)


def forbids_answers(message: Message) -> bool:
    """Return True when NTE-4 = FIN follows the DESTMSSANTEPAT row."""
    after = False
    for segment in message:
        if segment.name == "OBX":
            after = segment.component(3, 1).upper() == "DESTMSSANTEPAT"
        elif segment.name == "NTE" and after and segment.component(4, 1).upper() == "FIN":
            return True
    return False


def _flag(reading: Reading, obx: Segment, name: str, flags: dict[str, bool]) -> None:
    value = obx.component(5, 1)
    if value not in ("Y", "N"):
        condition = "103" if value else "101"
        reading.error(condition, f"{obx.location}^5", "volet.flag-value", f"{name} n'est ni Y ni N.")
    if flags.setdefault(name, value == "Y") != (value == "Y"):
        reading.error("198", f"{obx.location}^3", "volet.flag-twice", f"{name} figure deux fois.")


def _mail_text(reading: Reading, obx: Segment, name: str, texts: dict[str, str]) -> None:
    """Keep a body. One that cannot be decoded gives way to the hub's own text: the document matters more."""
    parts = obx.components(5)
    try:
        if len(parts) == 5 and parts[3].strip().upper() == "BASE64":
            texts[name] = decode_base64(parts[4]).decode("utf-8")
        elif parts:
            texts[name] = obx.text(parts[-1])
    except (Base64Corrupt, UnicodeDecodeError):
        reading.warn(f"{obx.location}^5", "volet.mail-text-undecodable", f"{name} illisible : texte par défaut.")
