"""TLS towards the operator: its certificate is always verified, ours is shown."""

import ssl
from pathlib import Path

from labohub.errors import Misconfigured
from mss_sender.core.access import Access


class CertificateUnusable(Misconfigured):
    """A certificate or key file is missing, or they do not belong together."""

    code = "mss.certificate-unusable"


def client_context(ca_file: Path | None, access: Access) -> ssl.SSLContext:
    """Return the context of a mailbox's connections to the operator: TLS 1.2 at least, host name checked.

    Raises:
        CertificateUnusable: the files cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        if access.certificate_file:
            context.load_cert_chain(access.certificate_file, access.key_file)
    except (OSError, ssl.SSLError):
        raise CertificateUnusable(
            "MSS_SENDER_CA_FILE, or a mailbox's certificate_file or key_file, cannot be used"
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
