"""The laboratories of the installation: the one of the settings, and those of a TOML file.

[[laboratory]]
name = "Laboratoire du Sud"
bal_applicative = "sud.app@labo.mssante.fr"
bal_organisationnelle = "sud@labo.mssante.fr"
senders = ["SGL-SUD|*"]
certificate_file = "/etc/labohub/sud.pem"
key_file = "/etc/labohub/sud.key"
[laboratory.sites]
LABO_ARLES = "arles@labo.mssante.fr"
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field, SecretStr, ValidationError

from labohub.contracts.values import Value
from labohub.errors import Misconfigured
from labohub.standards.mail import AddressMalformed, normal_address
from mss_sender.core.access import Access, Lps
from mss_sender.core.laboratory import Laboratories, Laboratory
from mss_sender.settings import MailboxMalformed, MssSenderSettings


class LaboratoriesUnusable(Misconfigured):
    """The file of laboratories is missing, or one of its entries cannot be used."""

    code = "mss.laboratories-unusable"


@dataclass(frozen=True, slots=True)
class Installation:
    """All laboratories, what opens the mailbox each sends from, and the mailboxes that are read."""

    laboratories: Laboratories
    senders: tuple[Access, ...]
    readers: tuple[Access, ...]


class _Entry(Value):
    """One laboratory of the file. What is absent is as in the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str
    contact: str = ""
    bal_applicative: str
    bal_organisationnelle: str
    product_reference: str = ""
    source_id: str = ""
    senders: tuple[str, ...]
    sites: Mapping[str, str] = Field(default_factory=dict)
    certificate_file: Path | None = None
    key_file: Path | None = None
    imap_login: Literal["external", "plain"] | None = None
    imap_password_file: Path | None = None
    reads_organisational: bool = False
    organisational_certificate_file: Path | None = None  # when the mailbox has one of its own
    organisational_key_file: Path | None = None
    lps: Lps | None = None


class _File(Value):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    laboratory: tuple[_Entry, ...] = ()


def installation(settings: MssSenderSettings) -> Installation:
    """Return the laboratories, that of the settings first.

    Raises:
        LaboratoriesUnusable: the file cannot be read, an entry is wrong, or two send from one mailbox.
        MailboxMalformed: a mailbox is no address of the liste blanche.
    """
    first, access = settings.laboratory(), settings.access()
    laboratories, senders = [first], [access]
    own = (settings.imap_organisational_certificate_file, settings.imap_organisational_key_file)
    readers = [access, *_organisational(first, access, own, reads=settings.imap_reads_organisational)]
    for entry in _entries(settings.laboratories_file):
        laboratory, access = _laboratory(entry, first), _access(entry, settings)
        laboratories.append(laboratory)
        senders.append(access)
        own = (entry.organisational_certificate_file, entry.organisational_key_file)
        readers += [access, *_organisational(laboratory, access, own, reads=entry.reads_organisational)]
    if len({each.address.lower() for each in readers}) < len(readers):
        raise LaboratoriesUnusable("MSS_SENDER_LABORATORIES_FILE: one mailbox stands twice")
    return Installation(Laboratories(tuple(laboratories)), tuple(senders), tuple(readers))


def _entries(path: Path | None) -> tuple[_Entry, ...]:
    if path is None:
        return ()
    try:
        return _File.model_validate(tomllib.loads(path.read_text())).laboratory
    except (OSError, ValueError, ValidationError):
        raise LaboratoriesUnusable("MSS_SENDER_LABORATORIES_FILE cannot be read") from None


def _laboratory(entry: _Entry, first: Laboratory) -> Laboratory:
    laboratory = replace(
        first,
        name=entry.name,
        contact=entry.contact,
        bal_applicative=entry.bal_applicative,
        bal_organisationnelle=entry.bal_organisationnelle,
        product_reference=entry.product_reference or first.product_reference,
        source_id=entry.source_id or first.source_id,
        senders=entry.senders,
        sites=entry.sites,
        lps=entry.lps,
    )
    for address in laboratory.boxes:
        try:
            if laboratory.allows(normal_address(address)):
                continue
        except AddressMalformed:
            pass
        raise MailboxMalformed("MSS_SENDER_LABORATORIES_FILE: a mailbox is no MSSanté address")
    return laboratory


def _access(entry: _Entry, settings: MssSenderSettings) -> Access:
    common = settings.access()
    try:
        password = SecretStr(entry.imap_password_file.read_text().strip()) if entry.imap_password_file else None
    except OSError:
        raise LaboratoriesUnusable("MSS_SENDER_LABORATORIES_FILE: a password file cannot be read") from None
    return Access(
        address=entry.bal_applicative,
        certificate_file=entry.certificate_file or common.certificate_file,
        key_file=entry.key_file or common.key_file,
        imap_login=entry.imap_login or common.imap_login,
        imap_password=password or common.imap_password,
        folder=common.folder,
    )


def _organisational(
    laboratory: Laboratory, access: Access, own: tuple[Path | None, Path | None], *, reads: bool
) -> list[Access]:
    """Return what opens the mailboxes where people answer; without a certificate of its own, we say which we open."""
    boxes = dict.fromkeys((laboratory.bal_organisationnelle, *laboratory.sites.values())) if reads else {}
    found = []
    for box in boxes:
        if own[0] and box == laboratory.bal_organisationnelle:
            changes = {"address": box, "certificate_file": own[0], "key_file": own[1]}
        else:
            changes = {"address": box, "acts_as": box}
        found.append(access.model_copy(update=changes))
    return found
