"""What the installation says of the laboratory that sends."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Laboratory:
    """The sender of all mails, and the rules it set."""

    name: str
    contact: str
    bal_applicative: str  # sends; receives DSN and MDN
    bal_organisationnelle: str  # people answer to it
    product_reference: str  # X-MSS-NIL, given by the ANS
    source_id: str  # OID of the installation: sourceId of the submission set
    allowed_domains: tuple[str, ...]  # the liste blanche: each name, and what lies below it
    message_id_secret: bytes = b""
    application: str = "Labohub"
    editor: str = "Labohub"

    @property
    def domain(self) -> str:
        """The domain of the applicative mailbox."""
        return self.bal_applicative.rpartition("@")[2].lower()

    def allows(self, address: str) -> bool:
        """Return whether the address is inside the espace de confiance."""
        domain = address.rpartition("@")[2].lower()
        return any(domain == allowed or domain.endswith("." + allowed) for allowed in self.allowed_domains)
