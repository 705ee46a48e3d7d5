"""Who may use the HTTP doors: a key opens its scopes, for its senders; what is refused leaves a trace, not a flood."""

import hashlib
import ssl
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner

from embedded.cli import app
from ingest_hl7.adapters.api_keys import KeyRing, KeysMisconfigured, read_keys
from labosim.pki import Pki
from tests.support.ingest import msa, relay_message, running
from tests.support.sgl import event, http

HL7 = {"Content-Type": "application/hl7-v2"}


def made(folder: Path, *scopes: str, facility: str = "REMPARTS", more: str = "") -> tuple[str, Path]:
    """Return a key made by the command, and the file that holds its entry."""
    options = [part for scope in scopes for part in ("--scope", scope)]
    names = ["--application", "SGL-REMPARTS", "--facility", facility]
    result = CliRunner().invoke(app, ["api-key", "new", "--name", f"key-{facility}", *names, *options])
    assert result.exit_code == 0, result.output
    key, _, entry = result.output.partition("\n")
    path = folder / "keys.toml"
    path.write_text(entry + more)
    return key, path


def bearer(key: str) -> dict[str, str]:
    """Return the header of a key."""
    return {"Authorization": f"Bearer {key}"}


async def test_a_key_opens_its_scopes_for_its_sender(tmp_path: Path) -> None:
    key, path = made(tmp_path, "hl7", "events")
    assert key not in path.read_text()
    async with running(tmp_path, api_keys=path) as hub, http(hub) as client:
        none = await client.post("/hl7", content=relay_message(), headers=HL7)
        wrong = await client.post("/events", json=event("report.hold", "D"), headers=bearer(key + "x"))
        right = await client.post("/hl7", content=relay_message(), headers={**HL7, **bearer(key)})
        held = await client.post("/events", json=event("report.hold", "D"), headers=bearer(key))
        unread = await client.get("/events/x", headers=bearer(key))
        [taken] = await hub.rows("sgl_events")
    assert (none.status_code, none.json()["code"]) == (401, "auth.required")
    assert none.headers["WWW-Authenticate"] == "Bearer"
    assert (wrong.status_code, wrong.json()["code"]) == (401, "auth.key-unknown")
    assert (right.status_code, msa(right.content)[0]) == (200, "AA")
    assert held.status_code == 202
    assert (unread.status_code, unread.json()["code"]) == (403, "auth.scope")
    assert taken["key_id"] == "key-REMPARTS"


async def test_a_key_does_not_speak_for_another_laboratory(tmp_path: Path) -> None:
    key, path = made(tmp_path, "hl7", "events", "read", facility="TILLEULS")
    async with running(tmp_path, api_keys=path) as hub, http(hub, **bearer(key)) as client:
        message = await client.post("/hl7", content=relay_message(), headers=HL7)
        both = relay_message("A").replace(b"|REMPARTS|", b"|TILLEULS|", 1) + relay_message("B")
        batch = await client.post("/hl7", content=b"FHS|^~\\&\r" + both + b"FTS|1\r", headers=HL7)
        said = await client.post("/events", json=event("report.hold", "D"))
        assert await hub.rows("messages") == []
        assert await hub.rows("sgl_marks") == []
    for answer in (message, batch, said):
        assert (answer.status_code, answer.json()["code"]) == (403, "auth.other-sender")


async def test_refusals_are_audited_once_a_minute_for_each_caller(tmp_path: Path) -> None:
    _, path = made(tmp_path)
    async with running(tmp_path, api_keys=path) as hub, http(hub) as client:
        for _ in range(5):
            await client.post("/events", json={})
        await client.get("/events/x")
        rows = await hub.rows("refused_calls")
    assert [(row["route"], row["code"], row["caller"]) for row in rows] == [
        ("/api/v1/events", "auth.required", "127.0.0.1"),
        ("/api/v1/events/{event_id}", "auth.required", "127.0.0.1"),
    ]


async def test_in_production_no_key_means_no_door(tmp_path: Path) -> None:
    senders = tmp_path / "senders.toml"
    senders.write_text('[[sender]]\napplication = "SGL-REMPARTS"\nfacility = "REMPARTS"\noid_root = "1.2.250.1.4242"\n')
    async with running(tmp_path, environment="production", senders=senders) as hub, http(hub) as client:
        message = await client.post("/hl7", content=relay_message(), headers=HL7)
        said = await client.post("/events", json=event("report.hold", "D"))
    assert (message.status_code, said.status_code) == (401, 401)


async def test_a_certificate_that_a_sender_names_stands_for_a_key(tmp_path: Path) -> None:
    pki = Pki.create(tmp_path / "pki")
    der = x509.load_pem_x509_certificate(pki.cert("labo-auth").read_bytes()).public_bytes(Encoding.DER)
    path = tmp_path / "senders.toml"
    path.write_text(
        '[[sender]]\napplication = "SGL-REMPARTS"\nfacility = "REMPARTS"\noid_root = "1.2.250.1.4242"\n'
        f'certificates = ["{hashlib.sha256(der).hexdigest()}"]\n'
        '[[sender]]\napplication = "SGL-AUTRE"\nfacility = "AUTRE"\noid_root = "1.2.250.1.4243"\n'
    )
    tls = {
        "http_tls_certificate": pki.cert("hub-server"),
        "http_tls_key": pki.key("hub-server"),
        "http_tls_client_ca": pki.ca_pem,
    }
    async with running(tmp_path, environment="production", senders=path, shared=tls) as hub:
        url = f"https://127.0.0.1:{hub.hub.http.port}/api/v1"
        context = ssl.create_default_context(cafile=str(pki.ca_pem))
        async with httpx.AsyncClient(base_url=url, verify=context) as nobody:
            refused = await nobody.post("/events", json=event("report.hold", "D"))
        context.load_cert_chain(pki.cert("labo-auth"), pki.key("labo-auth"))
        async with httpx.AsyncClient(base_url=url, verify=context) as client:
            taken = await client.post("/events", json=event("report.hold", "D"))
            message = await client.post("/hl7", content=relay_message(), headers=HL7)
            other = event("report.hold", "D") | {"source": {"application": "SGL-AUTRE", "facility": "AUTRE"}}
            foreign = await client.post("/events", json=other)
    assert refused.status_code == 401
    assert taken.status_code == 202
    assert message.headers["content-type"].startswith("application/hl7-v2")
    assert (foreign.status_code, foreign.json()["code"]) == (403, "auth.other-sender")


def test_a_key_taken_out_of_the_file_opens_nothing_at_once_and_a_wrong_file_changes_nothing(tmp_path: Path) -> None:
    key, path = made(tmp_path)
    ring = KeyRing(path, lambda: datetime(2026, 3, 12, tzinfo=UTC))
    assert ring.find(key) is not None
    path.write_text("[[key]]\nid = 3")
    assert ring.find(key) is not None
    path.write_text("")
    assert ring.find(key) is None


def test_a_key_ends_after_its_last_day(tmp_path: Path) -> None:
    key, path = made(tmp_path, more="not_after = 2026-03-12\n")
    days = iter((12, 13))
    ring = KeyRing(path, lambda: datetime(2026, 3, next(days), 23, tzinfo=UTC))
    assert ring.find(key) is not None
    assert ring.find(key) is None


DIGEST = hashlib.sha256(b"x").hexdigest()
ENTRY = f'[[key]]\nid = "a"\nsha256 = "{DIGEST}"\nscopes = ["read"]\nsenders = [{{application = "A"}}]\n'


@pytest.mark.parametrize(
    "text",
    [
        "[[key]",
        "other = 1",
        ENTRY.replace(DIGEST, "x"),
        ENTRY.replace('["read"]', "[]"),
        ENTRY.replace('"read"', '"write"'),
        ENTRY + 'secret = "lbh_x"\n',
        ENTRY + ENTRY,
    ],
)
def test_a_wrong_file_is_refused_at_the_start_without_its_values(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(text)
    with pytest.raises(KeysMisconfigured) as refused:
        read_keys(path)
    assert DIGEST not in str(refused.value)
    assert "lbh_" not in str(refused.value)


def test_the_entry_that_the_command_prints_is_read(tmp_path: Path) -> None:
    assert len(tomllib.loads(ENTRY)["key"]) == 1
    key, path = made(tmp_path, "read")
    [entry] = read_keys(path)
    assert entry.sha256 == hashlib.sha256(key.encode()).hexdigest()
    assert len(key) >= 43
