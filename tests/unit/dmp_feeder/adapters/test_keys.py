"""Keys from files."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from pydantic import SecretStr

from dmp_feeder.adapters.keys import CertificateUnusable, load_signer
from tests.support.dmp import identity

NONE = SecretStr("")


def written(folder: Path, name: str = "cachet", password: bytes = b"") -> tuple[Path, Path]:
    made = identity(name)
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    key = made.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    (folder / f"{name}.pem").write_bytes(made.pem + made.ca_pem)
    (folder / f"{name}.key").write_bytes(key)
    return folder / f"{name}.pem", folder / f"{name}.key"


def test_a_signer_names_its_certificate_and_chain(tmp_path: Path) -> None:
    signer = load_signer(*written(tmp_path), NONE, "sha256")
    assert signer.subject == "CN=cachet,OU=1999900017,O=LBM DU GRAND CHENE,ST=Fictif (99),C=FR"
    assert len(signer.chain) == 2
    assert signer.chain[0].serial == identity("cachet").certificate.serial_number
    assert len(signer.sign(b"x")) == 256


def test_a_password_opens_the_key(tmp_path: Path) -> None:
    files = written(tmp_path, password=b"secret")
    assert load_signer(*files, SecretStr("secret"), "sha1").algorithm.name == "sha1"
    with pytest.raises(CertificateUnusable):
        load_signer(*files, SecretStr("other"), "sha1")


def test_the_key_of_another_certificate_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(CertificateUnusable):
        load_signer(written(tmp_path)[0], written(tmp_path, "other")[1], NONE, "sha256")


def test_a_missing_file_stops_the_start_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(CertificateUnusable, match=r"none\.pem"):
        load_signer(tmp_path / "none.pem", tmp_path / "none.key", NONE, "sha256")
