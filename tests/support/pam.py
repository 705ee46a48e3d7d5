"""ADT messages of a fictional hospital, PAM-FR 2.11."""

from tests.support.ingest import MATRICULE, pid

STRUCTURES = {
    "A08": "A01",
    "A04": "A01",
    "A13": "A01",
    "A11": "A09",
    "A28": "A05",
    "A31": "A05",
    "A40": "A39",
    "A47": "A30",
}
UNIT = "Chir^^^^^CHU&990000911&N^UF^^^6268"
ZBE = f"ZBE|312^CHU^990000911|20260312080000||INSERT|N||{UNIT}|{UNIT}|HMS"


def local(value: str, authority: str = "REMPARTS&990000911&N") -> str:
    """Return a repetition of PID-3 or MRG-1."""
    return f"{value}^^^{authority}^PI"


def zfa(feeding: str, at: str = "20260312090000", *, consultation: str = "NA") -> str:
    """Return a ZFA that says this about the feeding of the DMP."""
    return f"ZFA|ACTIF|{at}|||||||{feeding}|{at}|{consultation}|{at}"


def adt_message(
    event: str,
    control_id: str,
    *segments: str,
    patient: str | None = None,
    recorded_at: str = "20260312094000",
    application: str = "GAM",
    facility: str = "REMPARTS",
) -> bytes:
    """Return an ADT; `segments` follow PV1."""
    lines = [
        f"MSH|^~\\&|{application}|{facility}|LABOHUB|PFI|{recorded_at}||ADT^{event}^ADT_{STRUCTURES.get(event, event)}|"
        f"{control_id}|P|2.5^FRA^2.11|||||FRA|UNICODE UTF-8|FR||2.11^IHE_FRANCE-2.11-PAM",
        f"EVN||{recorded_at}||||{recorded_at}",
        patient if patient is not None else pid(MATRICULE),
        "PV1|1|I",
        *segments,
    ]
    return "".join(line + "\r" for line in lines).encode()
