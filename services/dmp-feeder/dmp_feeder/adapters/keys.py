"""Keys and certificates from files: the cachet that signs, the certificate that opens TLS."""

import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from dmp_feeder.settings import DmpFeederSettings
from labohub.errors import Misconfigured
from labohub.standards.xmldsig import ALGORITHMS, CertificateFacts, Signer

_HASHES = {"sha1": hashes.SHA1, "sha256": hashes.SHA256}
_NAMES = {NameOID.GIVEN_NAME: "GN", NameOID.SURNAME: "SN"}
_SUITES = ":".join(
    (
        "ECDHE-RSA-CHACHA20-POLY1305",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-SHA384",
    )
)  # those of the DMP's TLS sheet of 07/2025


class CertificateUnusable(Misconfigured):
    """A certificate or key file is missing, unreadable, or does not belong to the other."""

    code = "dmp.certificate-unusable"


def load_signer(certificate: Path, key: Path, password: SecretStr, algorithm: str) -> Signer:
    """Return a signer of these files. Raises: CertificateUnusable with the file's name."""
    try:
        chain = x509.load_pem_x509_certificates(certificate.read_bytes())
        secret = password.get_secret_value().encode() or None
        private = serialization.load_pem_private_key(key.read_bytes(), secret)
    except (OSError, ValueError, TypeError):
        raise CertificateUnusable(f"{certificate.name} or {key.name} cannot be read") from None
    if not isinstance(private, rsa.RSAPrivateKey) or private.public_key() != chain[0].public_key():
        raise CertificateUnusable(f"{key.name} is not the RSA key of {certificate.name}")
    digest = _HASHES[algorithm]()
    rsa_key = private
    return Signer(
        sign=lambda data: rsa_key.sign(data, padding.PKCS1v15(), digest),
        algorithm=ALGORITHMS[algorithm],
        subject=chain[0].subject.rfc4514_string(_NAMES),
        chain=tuple(
            CertificateFacts(
                each.public_bytes(serialization.Encoding.DER), each.issuer.rfc4514_string(_NAMES), each.serial_number
            )
            for each in chain
        ),
    )


def tls_context(settings: DmpFeederSettings) -> ssl.SSLContext:
    """Return the TLS context of the DMP: version 1.2, its suites, our certificate. Raises: CertificateUnusable."""
    try:
        context = ssl.create_default_context(cafile=str(settings.ca_file))
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_SUITES)
        password = settings.auth_key_password.get_secret_value() or ""  # empty: never ask on a terminal
        context.load_cert_chain(settings.auth_certificate, settings.auth_key, password)
    except (OSError, ssl.SSLError):
        raise CertificateUnusable("the TLS certificate, its key or the authorities cannot be read") from None
    return context
