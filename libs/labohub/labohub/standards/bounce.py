"""Notices in free words: servers that write no RFC 3464 notice, Mon espace santé among them.

The words are looked for in the part that the server wrote, never in the mail it quotes.

Source: habits of Exim, qmail, Exchange, Domino and of French operators; RFC 3463 for the status they stand for.
"""

import re
from dataclasses import dataclass
from email.message import Message

from labohub.standards.dsn import SMTP_CODES, smtp_code
from labohub.standards.mail_reading import body_text, header


def _any(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE | re.MULTILINE)


_BOUNCE_SUBJECT = _any(
    r"undeliver|undelivr|delivery (status|failure|error|has failed|problem)|mail delivery (failed|system)",
    r"failed (mail )?delivery|returned (e?-?mail|to sender)|failure (notice|notification)",
    r"delivery.{0,20}(incomplete|not possible)|non[ -]?(remis|distribu)|retour à l'expéditeur",
    r"(échec|erreur|impossible|impossibilité).{0,20}(remise|remettre|distribu|livraison|acheminement|envoi du message)",
    r"n'a pas pu être (remis|distribué|délivré)",
)
_DELAY = _any(
    r"\bdelayed\b|warning:.{0,40}(could not|delay|not yet)|still (being )?(trying|retried|in the queue)",
    r"(will|shall) (keep trying|continue|be retried|retry|try again)|no action is required|do not need to resend",
    r"retard(é|ée)?\b.{0,60}(remise|message|distribution)|(remise|distribution|message).{0,60}\bretard",
    r"nouvelles? tentatives?|sera (à nouveau |de nouveau )?(réessayé|retenté|représenté)|tentatives? se poursui",
)
_FINAL = _any(
    r"permanent(ly)? (error|fail)|fatal error|giv(ing|en) up|gave up|abandon",
    r"too long|retry (time|timeout) (not|exceed)",
    r"erreur permanente|définiti",
)
_QUOTED = _any(
    r"^-{2,}\s*(below this line|this is a copy|original|the header|message d'origine|en-têtes|message initial).*$",
    r"^-{2,}\s*(undelivered message|returned message).*$|^.*\bcopy of (the|your) (original )?message\b.*$",
    r"^.*en-têtes (du message )?d'origine.*$|^original message headers.*$",
)
_STATUS = re.compile(r"(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
_REPLY = re.compile(r"(?<![\d.])([45]\d\d)(?=[ -](?:#?[45]\.\d|[A-Za-z#<é]))")
_BOX, _WHO = r"(messagerie|bo[iî]te( aux lettres)?|compte|profil)", r"(patient|usager|destinataire|adresse|utilisateur)"
_CAUSES = (  # the status that words stand for; the first that fits
    (
        "5.2.1",
        _any(
            _BOX + r"[^.\n]{0,40}(ferm|clos|clôtur|désactiv|résili)",
            r"(mailbox|account|user)[^.\n]{0,30}(disabled|inactive|closed|suspended)",
        ),
    ),
    (
        "5.2.2",
        _any(_BOX + r"[^.\n]{0,40}(pleine|satur)|quota|mailbox (is )?full|storage.{0,20}exceed"),
    ),
    (
        "5.3.4",
        _any(
            r"trop (volumineux|gros|grand|lourd)|taille[^.\n]{0,60}(dépass|maxim|limite)",
            r"too (large|big)|size (limit|exceed)",
        ),
    ),
    (
        "5.1.1",
        _any(
            f"({_WHO}|{_BOX})" + r"[^.\n]{0,50}(inconnu|inexistant|non trouv|introuvable|n'existe pas)",
            f"({_WHO}|{_BOX})" + r"[^.\n]{0,50}n'a pas (été )?(trouv|activ|de messagerie|d'espace)",
            r"(unknown|no such|invalid|unrouteable|nonexistent) (local )?(user|recipient|mailbox|address|alias)",
            r"(user|recipient|mailbox|address)[^.\n]{0,30}(unknown|not found|does not exist|doesn't exist|no longer)",
            r"(user|recipient|mailbox)[^.\n]{0,30}unavailable|not listed in|couldn't be found",
        ),
    ),
    ("5.1.3", _any(r"adresse[^.\n]{0,40}(invalide|incorrecte|mal form|erron)|(bad|malformed) (address|destination)")),
    ("5.1.2", _any(r"(host|domain|domaine|serveur)[^.\n]{0,40}(unknown|not found|inconnu|introuvable)|find any host")),
    (
        "5.7.1",
        _any(
            r"liste blanche|espace de confiance|not (authori[sz]ed|allowed|permitted)|denied|rejected|refusé",
            r"blocked|bloqué|spam|policy|politique de sécurité",
        ),
    ),
    ("4.4.7", _any(r"retry (time|timeout)|expired|expir|too long|timed out|délai|in the queue")),
    ("4.4.1", _any(r"(connection|connexion)[^.\n]{0,30}(refused|refus|impossible)|no (mail )?server|ne répond pas")),
)
_NO_BOX = frozenset(("5.1.1", "5.1.10", "5.2.1"))


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a free notice says of its one mail. `status` is empty when no cause was found."""

    status: str
    smtp_code: str  # three digits of table SMTPERRORCODE
    is_delay: bool = False  # the server goes on trying: not an end

    @property
    def says_something(self) -> bool:
        """Whether a cause was found."""
        return bool(self.status)


def is_bounce_subject(subject: str) -> bool:
    """Return whether a subject is that of a notice of non-delivery, or of delay."""
    return bool(_BOUNCE_SUBJECT.search(subject) or _DELAY.search(subject))


def read_bounce(message: Message) -> Bounce:
    """Return what a server says in free words."""
    subject, text = header(message, "Subject"), own_words(body_text(message))
    is_delay = bool(_DELAY.search(subject) or _DELAY.search(text)) and not _FINAL.search(text)
    said, meant = _STATUS.search(text), cause(text)
    status = said.group(1) if said and not said.group(1).endswith(".0.0") else meant or (said.group(1) if said else "")
    reply = next((each for each in _REPLY.findall(text) if each in SMTP_CODES), "")
    if not status and reply:
        status = f"{reply[0]}.0.0"
    return Bounce(status, reply or smtp_code(status or "5.0.0"), is_delay)


def cause(text: str) -> str:
    """Return the enhanced status that words stand for; empty when they say nothing known."""
    return next((status for status, words in _CAUSES if words.search(text)), "")


def says_no_box(status: str, text: str = "") -> bool:
    """Return whether a failure means that the mailbox does not exist, or is closed."""
    return status in _NO_BOX or (status in ("", "5.0.0", "5.7.1", "5.4.1", "5.2.0") and cause(text) in _NO_BOX)


def own_words(text: str) -> str:
    """Return what the server itself wrote, without the mail that it quotes."""
    found = _QUOTED.search(text)
    return text[: found.start()] if found else text
