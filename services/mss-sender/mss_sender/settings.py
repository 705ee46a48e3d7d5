"""Settings of mss-sender, read once."""

from pathlib import Path
from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from labohub.errors import Misconfigured
from labohub.runtime.settings import check_production
from labohub.standards.mail import AddressMalformed, normal_address
from mss_sender.core.access import Access, Lps
from mss_sender.core.laboratory import Laboratory

MIN_SECRET_CHARACTERS = 16
# What production must say itself: in whose name, and where.
OWN = (
    "laboratory_name",
    "bal_applicative",
    "bal_organisationnelle",
    "product_reference",
    "source_id",
    "message_id_secret",
)
SAID = ("smtp_host", "certificate_file", "key_file")


class MailboxMalformed(Misconfigured):
    """A mailbox of the settings is not an address inside the espace de confiance."""

    code = "mss.mailbox-malformed"


class Unprotected(Misconfigured):
    """In production: patients' documents would travel without TLS, or message identifiers could be guessed."""

    code = "mss.unprotected"


class MssSenderSettings(BaseSettings):
    """How to reach the operator, in whose name, and with which patience."""

    model_config = SettingsConfigDict(
        env_prefix="MSS_SENDER_", env_ignore_empty=True, frozen=True, hide_input_in_errors=True
    )

    laboratory_name: str = Field(
        "Laboratoire de démonstration", description="Display name of the sender, and signature of the mails."
    )
    laboratory_contact: str = Field("", description="Address or telephone that closes each mail.")
    bal_applicative: str = Field(
        "labo.app@labo-demo.mssante.fr",
        description="Mailbox the laboratory sends from; notices and receipts come back to it.",
    )
    bal_organisationnelle: str = Field(
        "labo.retours@labo-demo.mssante.fr", description="Mailbox that people's answers go to."
    )
    product_reference: str = Field("LABOHUB-DEMO", description="X-MSS-NIL: reference of the product, given by the ANS.")
    source_id: str = Field(
        "1.2.250.1.999.1.1.1", description="OID of this installation: sourceId of the submission sets."
    )
    allowed_domains: tuple[str, ...] = Field(
        ("mssante.fr",), description="The liste blanche, JSON list: each domain, and what lies below it."
    )
    message_id_secret: SecretStr = Field(
        SecretStr(""),
        description="Makes message identifiers unguessable: 16 characters or more in production. Once set, keep it.",
    )

    smtp_host: str = Field("127.0.0.1", description="The operator's submission server.")
    smtp_port: PositiveInt = Field(2525, description="Its port.")
    smtp_tls: Literal["starttls", "implicit", "none"] = Field(
        "starttls", description="How TLS begins; `none` is for tests only."
    )
    smtp_login: Literal["certificate", "external"] = Field(
        "certificate",
        description="`external`: SASL EXTERNAL after the handshake; `certificate`: the handshake is enough.",
    )
    smtp_connections: PositiveInt = Field(4, description="Mails under way at the same time.")
    smtp_mails_per_connection: PositiveInt = Field(100, description="A connection is closed after so many mails.")
    send_timeout_seconds: PositiveFloat = Field(45, description="Limit of each exchange with the SMTP server.")
    max_mail_bytes: PositiveInt = Field(
        25 * 1024 * 1024, description="Limit of a mail (Mon espace santé: 25 MB); the operator's own is read at EHLO."
    )

    imap_host: str = Field("127.0.0.1", description="The operator's IMAP server.")
    imap_port: PositiveInt = Field(2143, description="Its port.")
    imap_tls: Literal["starttls", "implicit", "none"] = Field(
        "starttls", description="How TLS begins; `none` is for tests only."
    )
    imap_login: Literal["external", "plain"] = Field(
        "plain", description="`external`: by the certificate; `plain`: by MSS_SENDER_IMAP_PASSWORD."
    )
    imap_password: SecretStr = Field(SecretStr(""), description="Password of the applicative mailbox, with `plain`.")
    imap_folder: str = Field("INBOX", description="Folder that is read.")
    imap_enabled: bool = Field(True, description="Whether our mailboxes are read.")
    imap_reads_organisational: bool = Field(
        False,
        description="Whether the organisational mailbox is read too, where answers arrive by Reply-To; never changed.",
    )
    imap_organisational_certificate_file: Path | None = Field(
        None, description="Certificate of the organisational mailbox, PEM, when it has one of its own."
    )
    imap_organisational_key_file: Path | None = Field(None, description="Its key, PEM.")
    laboratories_file: Path | None = Field(
        None, description="TOML: other laboratories, each with its mailboxes, certificates, senders and sites."
    )
    replies_per_hour: PositiveInt = Field(
        30, description="Mails of one correspondent sent on to people in an hour; more is a loop, left to the worklist."
    )
    imap_poll_seconds: PositiveFloat = Field(
        60, description="The mailbox is looked at so often even when IDLE tells nothing."
    )
    imap_timeout_seconds: PositiveFloat = Field(30, description="Limit of each exchange with the IMAP server.")
    max_return_bytes: PositiveInt = Field(
        40 * 1024 * 1024, description="A longer mail is kept by its beginning only, for a person."
    )

    lps_host: str = Field("", description="Who integrates documents that come by mail (MLLP). Empty: a person does.")
    lps_port: PositiveInt = Field(2577, description="Its port.")
    lps_tls: bool = Field(False, description="Whether it is reached over TLS.")
    lps_ca_file: Path | None = Field(
        None, description="Who signs its certificate, PEM. Empty: the system's authorities."
    )
    lps_application: str = Field("DPI", description="MSH-5 of the MDM.")
    lps_facility: str = Field("LABO", description="MSH-6 of the MDM.")
    lps_own_application: str = Field("LABOHUB", description="MSH-3 of the MDM.")
    lps_own_facility: str = Field("LABOHUB", description="MSH-4 of the MDM.")
    lps_timeout_seconds: PositiveFloat = Field(30, description="How long it may take to integrate one document.")
    mdn_profile: Literal["1.1.2", "1.1.3"] = Field(
        "1.1.3",
        description="Edition of the guide whose error form our MDN take; 1.1.2 repeats the error in Disposition.",
    )

    ca_file: Path | None = Field(
        None, description="Who signs the operator's certificates (IGC-Santé), PEM. Empty: the system's authorities."
    )
    certificate_file: Path | None = Field(None, description="Our client certificate (ORG AUTH_CLI), PEM.")
    key_file: Path | None = Field(None, description="Its key, PEM.")

    batch_size: PositiveInt = Field(16, description="Mails leased together.")
    lease_seconds: PositiveFloat = Field(
        120, description="How long a mail is ours while it is sent; longer than two times `send_timeout_seconds`."
    )
    retry_first_seconds: PositiveFloat = Field(60, description="Wait after the first failure; doubled each time.")
    retry_cap_seconds: PositiveFloat = Field(3600, description="Longest wait between two attempts.")
    give_up_after_seconds: PositiveFloat = Field(
        24 * 3600, description="A mail that could not go for so long ends as a failure."
    )
    halt_seconds: PositiveFloat = Field(
        300, description="Pause of all sending after the operator refused our certificate, address or rights."
    )
    outage_pause_seconds: PositiveFloat = Field(
        5, description="Pause of all sending after the operator could not be reached."
    )
    cached_documents: NonNegativeInt = Field(
        32, description="Documents whose attachments are kept ready for their other recipients."
    )

    def access(self) -> Access:
        """Return what opens the applicative mailbox."""
        return Access(
            address=self.bal_applicative,
            certificate_file=self.certificate_file,
            key_file=self.key_file,
            imap_login=self.imap_login,
            imap_password=self.imap_password,
            folder=self.imap_folder,
        )

    def laboratory(self) -> Laboratory:
        """Return what these settings say of the laboratory.

        Raises:
            MailboxMalformed: one of its mailboxes is no address of the liste blanche.
        """
        laboratory = self._laboratory()
        for address in (self.bal_applicative, self.bal_organisationnelle):
            try:
                inside = laboratory.allows(normal_address(address))
            except AddressMalformed:
                inside = False
            if not inside:
                raise MailboxMalformed("MSS_SENDER_BAL_APPLICATIVE or _BAL_ORGANISATIONNELLE is no MSSanté address")
        return laboratory

    def check(self, environment: str) -> None:
        """Return when these settings may serve there.

        Raises:
            Unprotected: no TLS in production, or message identifiers that can be guessed.
            NotForProduction: something there is still the demonstration's.
        """
        if environment != "production":
            return
        if "none" in (self.smtp_tls, self.imap_tls):
            raise Unprotected("MSS_SENDER_SMTP_TLS and MSS_SENDER_IMAP_TLS must ask for TLS in production")
        check_production(self, environment, own=OWN, said=SAID + (("imap_host",) if self.imap_enabled else ()))
        if len(self.message_id_secret.get_secret_value()) < MIN_SECRET_CHARACTERS:
            raise Unprotected(f"MSS_SENDER_MESSAGE_ID_SECRET must have {MIN_SECRET_CHARACTERS} characters or more")

    def _laboratory(self) -> Laboratory:
        return Laboratory(
            name=self.laboratory_name,
            contact=self.laboratory_contact,
            bal_applicative=self.bal_applicative,
            bal_organisationnelle=self.bal_organisationnelle,
            product_reference=self.product_reference,
            source_id=self.source_id,
            allowed_domains=tuple(domain.lower().lstrip(".") for domain in self.allowed_domains),
            message_id_secret=self.message_id_secret.get_secret_value().encode(),
            lps=self._lps(),
        )

    def _lps(self) -> Lps | None:
        if not self.lps_host:
            return None
        return Lps(
            host=self.lps_host,
            port=self.lps_port,
            tls=self.lps_tls,
            ca_file=self.lps_ca_file,
            application=self.lps_application,
            facility=self.lps_facility,
            our_application=self.lps_own_application,
            our_facility=self.lps_own_facility,
        )
