"""Identity domains: whose word on an identity is believed, and how far."""

from collections.abc import Sequence
from enum import StrEnum

from labohub.contracts.values import Sender, Value

ANY = "*"


class Trust(StrEnum):
    """What a domain's own word on its identities is worth here."""

    REFERENTIAL = "referential"  # one shared identity base with us: what it qualified is qualified, INSi is not asked
    CONTROLLED = "controlled"  # it controls documents, as us or by contract: its VALI is axis C, INSi gives axis I
    FOREIGN = "foreign"  # another structure: verified again, and somebody here controls a document


class Domain(Value):
    """Senders that share one identity base. A sender is `APPLICATION|FACILITY`; `*` stands for any."""

    name: str
    senders: tuple[str, ...]
    trust: Trust = Trust.CONTROLLED


def domain_of(sender: Sender, domains: Sequence[Domain]) -> Domain:
    """Return the first domain that names the sender; else one of his own, that controls documents."""
    for domain in domains:
        if any(_names(pattern, sender) for pattern in domain.senders):
            return domain
    own = f"{sender.application}|{sender.facility}"
    return Domain(name=own, senders=(own,))


def _names(pattern: str, sender: Sender) -> bool:
    application, _, facility = pattern.partition("|")
    return application in (ANY, sender.application) and (facility or ANY) in (ANY, sender.facility)
