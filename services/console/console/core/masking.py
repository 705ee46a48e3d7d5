"""Patient traits as the console shows them when nobody asked for more."""

from labohub.contracts.values import Recipient, RecipientKind, Traits

HIDDEN = "•••"


def masked_traits(traits: Traits) -> str:
    """Return initial, sex and birth year, e.g. `D••• M. 1954`: enough to tell two rows apart."""
    title = {"M": "M.", "F": "Mme"}.get(traits.sex, "")
    parts = (f"{traits.birth_name[:1]}{HIDDEN}", title, traits.birth_date[:4])
    return " ".join(part for part in parts if part)


def shown_target(recipient: Recipient) -> str:
    """Return the address of a recipient; a patient's, which holds the matricule, without its local part."""
    if recipient.kind is RecipientKind.PATIENT:
        return f"{HIDDEN}@{recipient.address.partition('@')[2]}"
    return recipient.address


def shown_name(recipient: Recipient) -> str:
    """Return the name of a professional or of a structure; nothing for a patient."""
    if recipient.kind is RecipientKind.PATIENT:
        return ""
    return f"{recipient.family_name} {recipient.given_name}".strip() or recipient.organisation_name
