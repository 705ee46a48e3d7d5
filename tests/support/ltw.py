"""LTW and ILW messages of a fictional laboratory, line by line, and the facts a reader finds in one."""

from collections.abc import Sequence
from typing import Any

from ingest_hl7.core.decision import Receipt
from labohub.standards import er7
from labohub.standards.er7 import Message, Segment
from labohub.standards.hl7.patient import read_patient
from labohub.standards.hl7.results import Observation, OrderGroup, group_orders
from tests.support.ingest import pid
from tests.support.store import FixedClock

DOCTOR = "99700006012^MORVAN^Anne^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^RPPS"
BIOLOGIST = "99700005014^LEGUEN^Maud^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^RPPS"


def msh(
    event: str = "ORU^R01^ORU_R01", control_id: str = "M1", *, sender: str = "SGL-REMPARTS", profile: str = ""
) -> str:
    """Return a MSH."""
    return (
        f"MSH|^~\\&|{sender}|REMPARTS^990000911^N|LABOHUB|PFI|20260312093500+0100||{event}|{control_id}|P|2.5.1|||||FRA|"
        f"UNICODE UTF-8|fr||{profile}"
    )


def orc(
    number: str = "F1", *, control: str = "SC", demand: str = "D1", placer: str = "", status: str = "CM",
    parent: str = "", doctor: str = DOCTOR,
) -> str:  # fmt: skip
    """Return an ORC."""
    theirs = f"{placer or 'P-' + number}^DPI"
    return f"ORC|{control}|{theirs}|{number}|{demand}^DPI|{status}|||{parent}|20260312093000|||{doctor}"


def obr(
    number: str = "F1", *, code: str = "IONO^Ionogramme^99REM", status: str = "F", at: str = "20260312093000",
    section: str = "CH", placer: str = "", parent: str = "", parent_order: str = "", copies: str = "",
    clinical: str = "",
) -> str:  # fmt: skip
    """Return an OBR. `parent` is OBR-26, `parent_order` OBR-29."""
    return (
        f"OBR|1|{placer or 'P-' + number}^DPI|{number}|{code}|||20260312080000||||||{clinical}|||||||||{at}||{section}|"
        f"{status}|{parent}||{copies}|{parent_order}"
    )


def obx(
    code: str = "K^Potassium^99REM^2823-3^Potassium^LN", value: str = "4.1", *, kind: str = "NM", sub_id: str = "",
    unit: str = "mmol/L^mmol/L^UCUM", status: str = "F", flags: str = "N", biologist: str = BIOLOGIST, range_: str = "",
    performer: str = "", rest: str = "",
) -> str:  # fmt: skip
    """Return an OBX. `performer` is OBX-15, `rest` all behind OBX-16."""
    return (
        f"OBX|1|{kind}|{code}|{sub_id}|{value}|{unit}|{range_}|{flags}|||{status}|||20260312080000|{performer}|{biologist}"
        f"{rest}"
    )


def spm(number: str = "T1", nature: str = "SER^Sérum^HL70487", *, role: str = "P^Patient^HL70369") -> str:
    """Return a SPM."""
    return f"SPM|1|^{number}&SGL||{nature}|||||||{role}||||||20260312080000^|20260312083000"


def er7_of(*lines: str) -> bytes:
    """Return a message."""
    return "".join(line + "\r" for line in lines).encode()


def oru(*lines: str, control_id: str = "M1", patient: str | None = None) -> bytes:
    """Return an ORU^R01 of these orders."""
    return er7_of(msh(control_id=control_id), patient if patient is not None else pid(), "PV1|1|N", *lines)


def read(raw: bytes) -> Message:
    """Return the message."""
    return er7.read(raw)


def receipt() -> Receipt:
    """Return the receipt of a message."""
    return Receipt("message-1", "key", FixedClock()())


def facts_of(message: Message) -> dict[str, Any]:
    """Return what `expected.json` says of a message, from our grouping."""
    header = message.header
    facts: dict[str, Any] = {
        "type": header.value(9),
        "control_id": header.value(10),
        "version": header.value(12),
        "charset": header.value(18),
        "segments": [segment.name for segment in message],
    }
    patient = read_patient(message)
    if patient is not None:
        local = next(each.value for each in patient.identifiers if each.type == "PI")
        facts["patient"] = {
            "local": local,
            "ins": patient.ins.value if patient.ins else None,
            "reliability": "~".join(patient.reliability),
            "ins_usable": patient.ins is not None and patient.is_validated,
        }
    if header.field(15) or header.field(16):
        facts["ack_mode"] = [header.value(15), header.value(16)]
    if header.field(21):
        facts["profile"] = header.value(21)
    groups = group_orders(message, lambda obx_, obr_: True).orders
    if groups:
        has_group = header.component(9, 1) != "OUL"
        facts["orders"] = [_order(group, has_group=has_group) for group in groups]
    specimens = message.all("SPM")
    if specimens:
        facts["specimens"] = [
            {"id": each.field(2), "type": each.component(4, 1), "role": each.component(11, 1)} for each in specimens
        ]
    return facts


def _order(group: OrderGroup, *, has_group: bool) -> dict[str, Any]:
    order = group.obr
    facts: dict[str, Any] = {
        "placer": group.text(2),
        "filler": group.text(3),
        "code": order.component(4, 1) if order else "",
        "status": order.component(25, 1) if order else "",
        "results": [_result(each) for each in group.observations],
    }
    if group.orc is not None:
        facts |= {"control": group.control, "order_status": group.orc.component(5, 1)}
        if has_group:
            facts["group"] = group.orc.component(4, 1)
    if order is not None and order.field(26):
        facts |= {"parent_result": order.field(26), "parent_filler": order.subcomponent(29, 2, 1)}
    return facts


def _result(observation: Observation) -> dict[str, Any]:
    segment = observation.obx
    return {
        "code": segment.component(3, 1),
        "loinc": _loinc(segment),
        "sub_id": segment.component(4, 1),
        "type": segment.component(2, 1),
        "value": segment.field(5),
        "unit": segment.component(6, 1),
        "flags": [part.split("^")[0] for part in segment.repetitions(8)],
        "status": segment.component(11, 1),
    }


def _loinc(segment: Segment) -> str | None:
    for code, system in ((1, 3), (4, 6)):
        if segment.component(3, system) == "LN":
            return segment.component(3, code)
    return None


def lines_of(raw: bytes, name: str) -> Sequence[list[str]]:
    """Return the fields of the segments of one name, split by hand."""
    return [line.split("|") for line in raw.decode().split("\r") if line.startswith(name + "|")]
