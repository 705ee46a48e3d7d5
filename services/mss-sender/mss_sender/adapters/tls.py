"""TLS towards the operator: its certificate is always verified, ours is shown."""

import ssl

from labohub.errors import Misconfigured
from mss_sender.settings import MssSenderSettings


class CertificateUnusable(Misconfigured):
    """A certificate or key file is missing, or they do not belong together."""

    code = "mss.certificate-unusable"


def client_context(settings: MssSenderSettings) -> ssl.SSLContext:
    """Return the context of all connections to the operator: TLS 1.2 at least, host name checked.

    Raises:
        CertificateUnusable: the files of the settings cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
        if settings.certificate_file:
            context.load_cert_chain(settings.certificate_file, settings.key_file)
    except (OSError, ssl.SSLError):
        raise CertificateUnusable("MSS_SENDER_CA_FILE, _CERTIFICATE_FILE or _KEY_FILE cannot be used") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
