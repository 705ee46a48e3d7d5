"""What the installation says of the laboratories that send: whose mailboxes, for whose reports, read by which sites."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from labohub.contracts.values import Sender
from labohub.standards.mail import same_address
from mss_sender.core.access import Lps


@dataclass(frozen=True, slots=True)
class Laboratory:
    """The sender of mails, and the rules it set."""

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
    senders: tuple[str, ...] = ()  # `MSH-3|MSH-4` of its reports; `*` stands for anything
    sites: Mapping[str, str] = field(default_factory=dict)  # MSH-4 of a site: its own organisational mailbox
    lps: Lps | None = None  # the software that integrates what comes by mail; none: a person does

    @property
    def domain(self) -> str:
        """The domain of the applicative mailbox."""
        return self.bal_applicative.rpartition("@")[2].lower()

    @property
    def boxes(self) -> tuple[str, ...]:
        """All its mailboxes."""
        return (self.bal_applicative, self.bal_organisationnelle, *self.sites.values())

    def allows(self, address: str) -> bool:
        """Return whether the address is inside the espace de confiance."""
        domain = address.rpartition("@")[2].lower()
        return any(domain == allowed or domain.endswith("." + allowed) for allowed in self.allowed_domains)

    def answers_box(self, sender: Sender | None) -> str:
        """Return the mailbox where people of the site that sent a report read answers."""
        return self.sites.get(sender.facility, self.bal_organisationnelle) if sender else self.bal_organisationnelle

    def sends_for(self, sender: Sender) -> bool:
        """Return whether the reports of this sender are this laboratory's."""
        said = f"{sender.application}|{sender.facility}"
        return any(fnmatchcase(said, pattern) for pattern in self.senders)


@dataclass(frozen=True, slots=True)
class Laboratories:
    """The laboratories of the installation; the first is whose reports no other claims."""

    all: tuple[Laboratory, ...]

    def of(self, sender: Sender) -> Laboratory:
        """Return whose reports a sender's are."""
        return next((each for each in self.all if each.sends_for(sender)), self.all[0])

    def of_box(self, address: str) -> Laboratory:
        """Return whose mailbox it is; the first when it is nobody's."""
        mine = (each for each in self.all if any(same_address(box, address) for box in each.boxes))
        return next(mine, self.all[0])

    def own(self, address: str) -> bool:
        """Return whether the mailbox is one of ours."""
        return any(same_address(box, address) for each in self.all for box in each.boxes)

    def sends_from(self, address: str) -> bool:
        """Return whether we send mails from this mailbox."""
        return any(same_address(each.bal_applicative, address) for each in self.all)

    def wrote(self, message_id: str) -> bool:
        """Return whether a Message-ID is of our making, by its domain."""
        domain = message_id.rstrip(">").rpartition("@")[2].lower()
        return any(domain == each.domain for each in self.all)

    def allows(self, address: str) -> bool:
        """Return whether the address is inside the espace de confiance."""
        return any(each.allows(address) for each in self.all)
