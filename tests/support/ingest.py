"""Messages of fictional laboratories, and the whole intake service on loopback."""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from ingest_hl7.adapters import tables
from ingest_hl7.adapters.mllp import MllpListener
from ingest_hl7.main import build
from ingest_hl7.settings import IngestSettings
from labohub.contracts.codec import from_record, to_record
from labohub.contracts.envelope import Record
from labohub.contracts.events import Event
from labohub.runtime.run import Hub, open_platform
from labohub.runtime.service import Platform, Service
from labohub.runtime.settings import LabohubSettings
from labohub.standards.ins.matricule import with_key
from labohub.standards.mllp import FrameReader, write_frame

TEST_OID = "1.2.250.1.213.1.4.10"
MATRICULE = with_key("2840533063041")
OTHER_MATRICULE = with_key("1760269123045")
MAILBOX = "anne.morvan@test-ci-sis.mssante.fr"
PATIENCE_SECONDS = 20.0

FLAGS = {
    "MASQUE_PS": "N",
    "INVISIBLE_PATIENT": "N",
    "INVISIBLE_REP_LEGAUX": "N",
    "CONNEXION_SECRETE": "N",
    "MODIF_CONF_CODE": "N",
    "DESTDMP": "Y",
    "DESTMSSANTEPS": "Y",
    "DESTMSSANTEPAT": "N",
    "ACK_RECEPTION": "Y",
    "ACK_LECTURE_MSS": "N",
}
REQUESTS = {"initial": ("NW", "F", "T02"), "replacement": ("RO", "C", "T10"), "deletion": ("CA", "D", "T04")}

SB = (
    "PRT||UC||SB^Send by^participation|899700005014^LEGUEN^Maud^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS|||"
    "LABO DES REMPARTS^^^^^ASIP-SANTE-ST&1.2.250.1.71.4.2.2&ISO^IDNST^^^1990000911"
)


def pid(matricule: str = MATRICULE, *, oid: str = TEST_OID, reliability: str = "VALI", name: str = "KERMADEC") -> str:
    """Return a PID."""
    ins = f"~{matricule}^^^ASIP-SANTE-INS-NIR&{oid}&ISO^INS" if matricule else ""
    return (
        f"PID|1||R000451^^^REMPARTS&990000911&N^PI{ins}||{name}^JEANNE^JEANNE LOUISE^^^^L||19840512|F|||"
        f"3 RUE DES HALLES^^BORDEAUX^^33000^FRA^H~^^^^^^BDL^^33063|||||||||||||||||||||{reliability}"
    )


def results_message(
    control_id: str = "LTW-0001",
    *,
    demand: str = "D26030001",
    status: str = "F",
    value: str = "4.1",
    reported_at: str = "20260312093000",
    charset: str = "UNICODE UTF-8",
    patient: str | None = None,
    filler: str = "",
    prescriber: str = "99700006012",
    modes: str = "|",
    extra: Sequence[str] = (),
) -> bytes:
    """Return an ORU^R01 of LTW: one battery, two results."""
    filler = filler or f"{demand}-F1"
    doctor = f"{prescriber}^MORVAN^Anne^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^RPPS"
    biologist = "99700005014^LEGUEN^Maud^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^RPPS"
    codec = {"UNICODE UTF-8": "utf-8", "8859/15": "iso8859-15", "8859/1": "latin-1"}[charset]
    lines = [
        f"MSH|^~\\&|SGL-REMPARTS|REMPARTS^990000911^N|LABOHUB|PFI|20260312093500+0100||ORU^R01^ORU_R01|{control_id}|P|"
        f"2.5.1|||{modes}|FRA|{charset}|fr",
        patient if patient is not None else pid(),
        "PV1|1|N",
        f"ORC|SC|{demand}-P1|{filler}|{demand}|CM||||20260312093000|||{doctor}",
        f"OBR|1|{demand}-P1|{filler}|IONO^Ionogramme sanguin^99REM|||20260312080000|||||||||{doctor}||||||"
        f"{reported_at}||CH|{status}",
        f"OBX|1|NM|K^Potassium^99REM^2823-3^Potassium^LN||{value}|mmol/L^mmol/L^UCUM|3.5-5.1|N|||{status}|||"
        f"20260312080000||{biologist}|ISE^Potentiométrie^99REM||20260312090000",
        "NTE|1|L|Échantillon conforme.",
        f"OBX|2|SN|CRP^Protéine C réactive^99REM^1988-5^CRP^LN||<^4|mg/L^mg/L^UCUM|<5|N|||{status}|||"
        f"20260312080000||{biologist}",
        "SPM|1|^T260312-1&SGL&1.2.250.1.99999.9.2&ISO||SER^Sérum^HL70487|||||||P^Patient^HL70369||||||20260312080000|"
        "20260312083000",
        *extra,
    ]
    return "".join(line + "\r" for line in lines).encode(codec)


def cda(
    unique_id: str = "1.2.250.1.99999.9.1.1",
    *,
    replaces: str = "",
    matricule: str = MATRICULE,
    name: str = "KERMADEC",
    birth: str = "19840512",
    level: str = "N3",
    extension: str = "",
) -> bytes:
    """Return the header of a CDA with an empty body: enough for an intake, not for a reader."""
    body = "<structuredBody/>" if level == "N3" else '<nonXMLBody><text mediaType="application/pdf"/></nonXMLBody>'
    more = f' extension="{extension}"' if extension else ""
    related = (
        f'<relatedDocument typeCode="RPLC"><parentDocument><id root="{replaces}"/></parentDocument></relatedDocument>'
        if replaces
        else ""
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\r\n'
        '<ClinicalDocument xmlns="urn:hl7-org:v3">'
        f'<id root="{unique_id}"{more}/><code code="11502-2" codeSystem="2.16.840.1.113883.6.1"/>'
        "<title>CR de biologie</title>"
        '<effectiveTime value="20260312093000+0100"/><confidentialityCode code="N"/><languageCode code="fr-FR"/>'
        f'<setId root="{unique_id}"/><versionNumber value="1"/>'
        f'<recordTarget><patientRole><id root="{TEST_OID}" extension="{matricule}"/><patient>'
        f'<name><given>JEANNE LOUISE</given><given qualifier="BR">JEANNE</given><family qualifier="BR">{name}</family>'
        f'</name><administrativeGenderCode code="F"/><birthTime value="{birth}"/></patient>'
        "</patientRole></recordTarget>"
        f"{related}<component>{body}</component></ClinicalDocument>\n"
    ).encode()


def relay_message(
    control_id: str = "CDA-0001",
    *,
    document: bytes | None = None,
    companion: bytes | None = None,
    companion_status: str = "",
    request: str = "initial",
    flags: dict[str, str] | None = None,
    prts: Sequence[str] | None = None,
    patient: str | None = None,
    kind: str = "ORU",
    txa_12: str = "1.2.250.1.99999.9.1.1",
    txa_13: str = "",
    order_control: str = "",
    profile: str = "2.1^CISIS_CDA_HL7_V2",
) -> bytes:
    """Return a message of the CDA-in-HL7 volet, as ORU (2.5) or MDM (2.6); with a `companion`, of two documents."""
    control, status, event = REQUESTS[request]
    text, coded, version = ("TEXT", "CE", "2.5") if kind == "ORU" else ("text", "CWE", "2.6")
    msh_9 = "ORU^R01^ORU_R01" if kind == "ORU" else f"MDM^{event}^MDM_T02"
    data = base64.b64encode(document if document is not None else cda()).decode()
    people = prts if prts is not None else (SB, rct())
    lines = [
        f"MSH|^~\\&|SGL-REMPARTS|REMPARTS|LABOHUB|PFI|20260312093500||{msh_9}|{control_id}|P|{version}|||||FRA|"
        f"UNICODE UTF-8|||{profile}",
        *(["EVN||20260312093500"] if kind == "MDM" else []),
        patient if patient is not None else pid(),
        "PV1|1|N",
        f"ORC|{order_control or control}|P-77^SGL|F-77^SGL",
        "OBR|1|P-77^SGL|F-77^SGL|11502-2^CR d'examens biologiques^LN",
        *([f"TXA|1|11502-2|TEXT|||||||||{txa_12}|{txa_13}||||AU"] if kind == "MDM" else []),
        f"OBX|1|ED|11502-2^CR d'examens biologiques^LN||^{text}^XML^Base64^{data}||||||{status}",
        *people,
        *(
            [
                f"OBX|2|ED|11502-2^CR d'examens biologiques^LN||^{text}^XML^Base64^"
                f"{base64.b64encode(companion).decode()}||||||{companion_status or status}"
            ]
            if companion is not None
            else []
        ),
        *(
            f"OBX|{number}|{coded}|{name}^{name}^MetaDMPMSS||{value}^^expandedYes-NoIndicator||||||F"
            for number, (name, value) in enumerate({**FLAGS, **(flags or {})}.items(), start=3 if companion else 2)
            if value
        ),
    ]
    return "".join(line + "\r" for line in lines).encode()


def swapped(message: bytes, *changes: tuple[str, str]) -> bytes:
    """Return a message with texts replaced, each of which it must hold exactly once."""
    for old, new in changes:
        assert message.count(old.encode()) == 1, old
        message = message.replace(old.encode(), new.encode())
    return message


def without(message: bytes, *starts: str) -> bytes:
    """Return a message without the segments that begin so, each of which must be there."""
    lines = message.split(b"\r")
    for start in starts:
        assert any(line.startswith(start.encode()) for line in lines), start
        lines = [line for line in lines if not line.startswith(start.encode())]
    return b"\r".join(lines)


def rct(address: str = MAILBOX, identifier: str = "899700006012") -> str:
    """Return a PRT of a professional recipient."""
    who = f"{identifier}^MORVAN^Anne^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS" if identifier else ""
    return f"PRT||UC||RCT^Result Copies To^participation|{who}||||||||||^^X.400^{address}"


def fields(answer: bytes) -> dict[str, list[list[str]]]:
    """Return the segments of an answer by name, split by hand: a reader that shares no code with ours."""
    found: dict[str, list[list[str]]] = {}
    for line in answer.decode("utf-8").split("\r"):
        if line:
            parts = line.split("|")
            found.setdefault(parts[0], []).append(["MSH", "|", *parts[1:]] if parts[0] == "MSH" else parts)
    return found


def msa(answer: bytes) -> tuple[str, str]:
    """Return MSA-1 and MSA-2."""
    segment = fields(answer)["MSA"][0]
    return segment[1], segment[2]


def errors(answer: bytes) -> list[tuple[str, str, str]]:
    """Return ERR-3.1, ERR-2 and ERR-4 of each ERR."""
    return [(err[3].split("^")[0], err[2], err[4]) for err in fields(answer).get("ERR", [])]


class Peer:
    """A sender's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self._frames = FrameReader()
        self._waiting: list[bytes] = []

    async def send(self, *messages: bytes) -> list[bytes]:
        """Send messages at once; return as many answers."""
        self.writer.write(b"".join(map(write_frame, messages)))
        return [await self.answer() for _ in messages]

    async def answer(self) -> bytes:
        """Return the next answer."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self._waiting:
                data = await self._reader.read(65536)
                if not data:
                    raise ConnectionResetError
                self._waiting += self._frames.feed(data)
        return self._waiting.pop(0)

    async def is_closed(self) -> bool:
        """Return True when the other side has closed, having sent nothing."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                return not await self._reader.read(65536)
            except ConnectionError:
                return True


@dataclass
class Running:
    """A whole service under test."""

    hub: Hub
    service: Service
    platform: Platform

    @property
    def port(self) -> int:
        listener = self.service.listeners[0]
        assert isinstance(listener, MllpListener)
        return listener.port

    @asynccontextmanager
    async def connect(self, port: int = 0, **tls: Any) -> AsyncIterator[Peer]:
        """Open a connection as a sender does."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port or self.port, limit=1 << 20, **tls)
        try:
            yield Peer(reader, writer)
        finally:
            writer.close()

    async def send(self, *messages: bytes) -> list[bytes]:
        """Send messages on a connection of their own; return the answers."""
        async with self.connect() as peer:
            return await peer.send(*messages)

    async def rows(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of a table."""
        async with self.service.database.reading() as connection:
            found = await connection.execute(select(tables.metadata.tables[name]))
            return [dict(row) for row in found.mappings()]

    async def events(self, topic: str, count: int) -> list[Event]:
        """Return the first `count` events of a topic, read from the log as any service would."""
        found: list[Record] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            batches = self.platform.bus.read(topic, f"test-{uuid4()}", max_records=100)
            try:
                while len(found) < count:
                    batch = await anext(batches)
                    found += batch.records
                    await batch.done()
            finally:
                await batches.aclose()  # type: ignore[attr-defined]
        return [from_record(record) for record in found]

    async def tell(self, *events: Event) -> None:
        """Publish events as another service would."""
        for event in events:
            await self.platform.bus.publish(event.TOPIC, [to_record(event)])

    async def settled_rows(self, name: str, is_done: Any) -> list[dict[str, Any]]:
        """Return the rows of a table once they satisfy `is_done`."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                changed = self.service.database.changed.listen()
                rows = await self.rows(name)
                if is_done(rows):
                    return rows
                await asyncio.wait_for(changed.wait(), PATIENCE_SECONDS)


@asynccontextmanager
async def running(
    folder: Path,
    *,
    environment: str = "test",
    store_url: str = "",
    shared: Mapping[str, Any] | None = None,
    **settings: Any,
) -> AsyncIterator[Running]:
    """Run the service whole: its listeners, its database, its part of the log."""
    key = base64.b64encode(bytes(32)).decode()
    common = LabohubSettings(
        data_dir=folder,
        environment=environment,  # type: ignore[arg-type]
        http_port=0,
        blob_key=key,  # type: ignore[arg-type]
        store_url=store_url,
        **(shared or {}),
    )
    platform = await open_platform(common)
    settings.setdefault("mllp_port", 0)
    service = build(IngestSettings(**settings), platform)
    hub = Hub([service], platform)
    try:
        await hub.start()
        yield Running(hub, service, platform)
    finally:
        await hub.stop()
        await platform.bus.close()
        await platform.blobs.close()
