"""A test public-key infrastructure, made at start: one authority, short lives, fictional names."""

import os
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFE = timedelta(days=30)
STRUCTURE = "1999900017"  # Struct_IdNat of the fictional laboratory: 1 + FINESS
SERVERS = ("insi-server", "dmp-server", "mss-server", "hub-server")
CLIENTS = {  # name -> (CN, OU)
    "labo-auth": ("INSI-AUTO", STRUCTURE),
    "labo-dmp": ("LABORATOIRE DU GRAND CHENE", STRUCTURE),
    "labo-sign": ("LABORATOIRE DU GRAND CHENE CACHET", STRUCTURE),
    "labo-bal": ("labo.app@labo-demo.mssante.fr", STRUCTURE),
    "labo-org": ("labo.retours@labo-demo.mssante.fr", STRUCTURE),
    "labo-nord": ("nord.app@labo-demo.mssante.fr", STRUCTURE),
    "sgl-client": ("SGL-DEMO", STRUCTURE),
}


class Pki:
    """Certificates and keys as files: `ca.pem`, `<name>.pem`, `<name>.key`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def ca_pem(self) -> Path:
        """Return the authority's certificate."""
        return self.folder / "ca.pem"

    def cert(self, name: str) -> Path:
        """Return a certificate, PEM."""
        return self.folder / f"{name}.pem"

    def key(self, name: str) -> Path:
        """Return a private key, PEM, readable by us alone."""
        return self.folder / f"{name}.key"

    @classmethod
    def create(cls, folder: Path) -> "Pki":
        """Return the infrastructure of a folder; made now when it is not there or soon over."""
        pki = cls(folder)
        if pki._usable():
            return pki
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        now = datetime.now(UTC)
        ca_key = _new_key()
        ca_name = _name("LABOHUB TEST CA", "0002 000000000")
        ca = (
            x509.CertificateBuilder()
            .subject_name(ca_name)
            .issuer_name(ca_name)
            .public_key(ca_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(sign_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
            .sign(ca_key, hashes.SHA256())
        )
        names = [(name, "localhost", "SIMULATOR", True) for name in SERVERS]
        names += [(name, common, unit, False) for name, (common, unit) in CLIENTS.items()]
        for name, common, unit, server in names:
            key = _new_key()
            builder = (
                x509.CertificateBuilder()
                .subject_name(_name(common, unit))
                .issuer_name(ca_name)
                .public_key(key.public_key())
                .serial_number(x509.random_serial_number())
                .not_valid_before(now - timedelta(minutes=5))
                .not_valid_after(now + LIFE)
                .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
                .add_extension(_usage(sign_certificates=False), critical=True)
                .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
                .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
            )
            if server:
                hosts = [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]
                builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
            purpose = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            _write_key(pki.key(name), key)
            pki.cert(name).write_bytes(builder.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        pki.ca_pem.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
        return pki

    def _usable(self) -> bool:
        if not all(self.cert(name).exists() and self.key(name).exists() for name in (*SERVERS, *CLIENTS)):
            return False
        if not self.ca_pem.exists():
            return False
        ca = x509.load_pem_x509_certificate(self.ca_pem.read_bytes())
        return ca.not_valid_after_utc > datetime.now(UTC) + timedelta(days=1)


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _name(common: str, unit: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
            x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, "Paris (75)"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "LABORATOIRE DU GRAND CHENE"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=not sign_certificates,
        key_encipherment=not sign_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _write_key(path: Path, key: rsa.RSAPrivateKey) -> None:
    data = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
