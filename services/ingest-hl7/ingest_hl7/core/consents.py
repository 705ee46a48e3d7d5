"""What a patient said about the DMP: informed, opposed, or not asked; and whose word it is.

Source: PAM-FR 2.11, ZFA-9 to ZFA-12; articles L1111-15 and R1111-47 of the Code de la santé publique (feeding needs no
consent, the patient may oppose it).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from labohub.contracts.codec import derived_id
from labohub.contracts.values import Ins, LocalIdentifier, Patient

OPPOSED_CODE = "dmp.opposed"
OPPOSED_LABEL = "Opposition du patient à l'alimentation du DMP"

_NATIONAL = re.compile(r"[0-9][0-9AB][0-9]{7}|[0-9]{14}")  # FINESS, SIRET: the same wherever they are written


class Feeding(StrEnum):
    """ZFA-9: information on, and opposition to, the feeding of the DMP."""

    OPPOSED = "IO"
    NOT_OPPOSED = "INO"
    NOT_COLLECTED = "NA"


class Consultation(StrEnum):
    """ZFA-11: information on, and consent to, the consultation of the DMP."""

    CONSENTS = "IC"
    REFUSES = "INC"
    NOT_COLLECTED = "NA"


@dataclass(frozen=True, slots=True)
class Consent:
    """What was collected, when (aware), from whom.

    `cause` is the message or event that said so: its identifier in the hub.
    """

    feeding: Feeding
    decided_at: datetime
    source: str  # zfa, sgl
    cause: str
    consultation: Consultation = Consultation.NOT_COLLECTED
    consultation_at: datetime | None = None


def is_opposed(history: Iterable[Consent]) -> bool:
    """Return whether the DMP must not be fed. `history` is in the order of reception, under all the patient's keys.

    The latest decision counts, whatever the order of the messages. "Not collected" is no decision: it neither
    opposes nor lifts an opposition.
    """
    decided = [each for each in history if each.feeding is not Feeding.NOT_COLLECTED]
    if not decided:
        return False
    latest = max(each.decided_at for each in decided)
    return [each for each in decided if each.decided_at == latest][-1].feeding is Feeding.OPPOSED


def subjects(patient: Patient, facility: str) -> tuple[str, ...]:
    """Return the opaque keys under which a patient is known: one per local identifier, one for the INS.

    Args:
        facility: MSH-4.1 of the message; it bounds the identifiers whose authority has no national number.
    """
    keys = [local_subject(each, facility) for each in patient.local_ids]
    if patient.ins is not None:
        keys.append(ins_subject(patient.ins))
    return tuple(dict.fromkeys(keys))


def local_subject(identifier: LocalIdentifier, facility: str) -> str:
    """Return the key of a local identifier: the same number of two authorities is two patients."""
    return derived_id("subject", authority(identifier, facility), identifier.value)


def authority(identifier: LocalIdentifier, facility: str) -> str:
    """Return who gave an identifier: its OID or national number; else its name within the sender's facility."""
    if identifier.authority_oid:
        return f"oid:{identifier.authority_oid}"
    if _NATIONAL.fullmatch(identifier.authority_id):
        return f"national:{identifier.authority_id}"
    return f"local:{facility}:{identifier.authority_name}"


def ins_subject(ins: Ins) -> str:
    """Return the key of a matricule. Its authority is not told: the test and the real one never meet."""
    return derived_id("subject", "ins", ins.matricule.upper())
