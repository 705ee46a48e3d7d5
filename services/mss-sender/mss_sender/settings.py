"""Settings of mss-sender, read once."""

from pathlib import Path
from typing import Literal

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from mss_sender.core.laboratory import Laboratory


class MssSenderSettings(BaseSettings):
    """How to reach the operator, in whose name, and with which patience."""

    model_config = SettingsConfigDict(env_prefix="MSS_SENDER_", frozen=True, hide_input_in_errors=True)

    laboratory_name: str = "Laboratoire de démonstration"
    laboratory_contact: str = ""  # a line of each mail: address, telephone
    bal_applicative: str = "labo.app@labo-demo.mssante.fr"  # the mailbox the laboratory sends from
    bal_organisationnelle: str = "labo.retours@labo-demo.mssante.fr"  # where people's answers go
    product_reference: str = "LABOHUB-DEMO"  # X-MSS-NIL
    source_id: str = "1.2.250.1.999.1.1.1"  # OID of this installation
    allowed_domains: tuple[str, ...] = ("mssante.fr",)  # the liste blanche; names below these are inside too
    message_id_secret: SecretStr = SecretStr("")  # makes our message identifiers unguessable; keep it once set

    smtp_host: str = "127.0.0.1"
    smtp_port: PositiveInt = 2525
    smtp_tls: Literal["starttls", "implicit", "none"] = "starttls"  # none: tests only
    smtp_login: Literal["certificate", "external"] = "certificate"  # external: SASL EXTERNAL after the handshake
    smtp_connections: PositiveInt = 4
    smtp_mails_per_connection: PositiveInt = 100
    send_timeout_seconds: PositiveFloat = 60
    max_mail_bytes: PositiveInt = 25 * 1024 * 1024  # limit of Mon espace santé; the operator's own is read at EHLO

    imap_host: str = "127.0.0.1"
    imap_port: PositiveInt = 2143
    imap_tls: Literal["starttls", "implicit", "none"] = "starttls"
    imap_login: Literal["external", "plain"] = "plain"
    imap_password: SecretStr = SecretStr("")
    imap_folder: str = "INBOX"
    imap_enabled: bool = True
    imap_poll_seconds: PositiveFloat = 60  # IDLE tells sooner; this is the net below it
    imap_timeout_seconds: PositiveFloat = 30
    max_return_bytes: PositiveInt = 40 * 1024 * 1024  # a longer mail is kept by its head only

    ca_file: Path | None = None  # who signs the operator's certificates; None: the system's
    certificate_file: Path | None = None  # our client certificate (ORG AUTH_CLI)
    key_file: Path | None = None

    batch_size: PositiveInt = 16
    lease_seconds: PositiveFloat = 180  # longer than a send with all its timeouts
    retry_first_seconds: PositiveFloat = 60
    retry_cap_seconds: PositiveFloat = 3600
    give_up_after_seconds: PositiveFloat = 24 * 3600
    halt_seconds: PositiveFloat = 300  # pause after the operator refused us
    outage_pause_seconds: PositiveFloat = 5  # pause after the operator could not be reached
    cached_documents: NonNegativeInt = 32

    def laboratory(self) -> Laboratory:
        """Return what these settings say of the laboratory."""
        return Laboratory(
            name=self.laboratory_name,
            contact=self.laboratory_contact,
            bal_applicative=self.bal_applicative,
            bal_organisationnelle=self.bal_organisationnelle,
            product_reference=self.product_reference,
            source_id=self.source_id,
            allowed_domains=tuple(domain.lower().lstrip(".") for domain in self.allowed_domains),
            message_id_secret=self.message_id_secret.get_secret_value().encode(),
        )
