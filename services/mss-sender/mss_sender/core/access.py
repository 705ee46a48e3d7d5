"""How the operator lets us into one mailbox, and where the software that integrates documents listens."""

from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from labohub.contracts.values import Value


class Access(Value):
    """One mailbox, and what opens it. The same certificate may open several."""

    address: str
    certificate_file: Path | None = None  # ORG AUTH_CLI, PEM
    key_file: Path | None = None
    imap_login: Literal["external", "plain"] = "plain"
    imap_password: SecretStr = SecretStr("")
    acts_as: str = ""  # RFC 4422: the mailbox to open, when the certificate is another one's
    folder: str = "INBOX"


class Lps(Value):
    """The software (SGL, DPI) that integrates what comes by mail: its MLLP listener and its names."""

    host: str
    port: int
    tls: bool = False
    ca_file: Path | None = None
    application: str  # MSH-5
    facility: str  # MSH-6
    our_application: str = "LABOHUB"  # MSH-3
    our_facility: str  # MSH-4
