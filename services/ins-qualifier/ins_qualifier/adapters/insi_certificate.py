"""The software certificate that INSi knows us by: organisation certificate of the IGC-Santé."""

import ssl
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from ins_qualifier.ports import InsiMisconfigured
from ins_qualifier.settings import InsQualifierSettings

COMMON_NAMES = frozenset({"INSI-AUTO", "INSI-MANU"})  # exactly so, else desir_560


def tls_context(settings: InsQualifierSettings) -> ssl.SSLContext:
    """Return the context of mutual TLS. Raises: InsiMisconfigured, without naming a file's place."""
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.certificate_file is not None:
            context.load_cert_chain(settings.certificate_file, settings.key_file)
    except (OSError, ssl.SSLError):
        raise InsiMisconfigured("INS_QUALIFIER_CA_FILE, CERTIFICATE_FILE or KEY_FILE cannot be used") from None
    return context


def serial_number(certificate_file: Path | None) -> str:
    """Return a certificate's serial number in hexadecimal; empty without one."""
    return "" if certificate_file is None else f"{_read(certificate_file).serial_number:x}"


def check_names(settings: InsQualifierSettings) -> None:
    """Return when the certificate names what INSi asks for: CN INSI-AUTO or INSI-MANU, OU the issuer of the calls.

    Raises: InsiMisconfigured.
    """
    if settings.certificate_file is None:
        return
    subject = _read(settings.certificate_file).subject
    if {value.value for value in subject.get_attributes_for_oid(NameOID.COMMON_NAME)}.isdisjoint(COMMON_NAMES):
        raise InsiMisconfigured("the common name of INS_QUALIFIER_CERTIFICATE_FILE is neither INSI-AUTO nor INSI-MANU")
    units = {value.value for value in subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)}
    if settings.issuer not in units:
        raise InsiMisconfigured("INS_QUALIFIER_ISSUER is not the OU of INS_QUALIFIER_CERTIFICATE_FILE")


def _read(file: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError):
        raise InsiMisconfigured("INS_QUALIFIER_CERTIFICATE_FILE is not a certificate") from None
