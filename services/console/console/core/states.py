"""Where a message stands, and where one of its destinations stands. Ranks make facts commute:
topics are read independently, so a later fact may be seen first; the highest rank wins."""

from enum import StrEnum


class Stage(StrEnum):
    """How far a message went; shown until its terminal state is known."""

    SEEN = "seen"  # only named by another fact so far
    HELD = "held"  # complete, and waits at the intake for its laboratory's word
    RECEIVED = "received"
    WAITING_IDENTITY = "waiting-identity"
    IDENTIFIED = "identified"
    BUILT = "built"
    REFUSED = "refused"
    SENDING = "sending"


STAGE_RANK = {stage: rank for rank, stage in enumerate(Stage)}

TERMINAL = ("delivered", "partly-delivered", "uncertain", "failed", "stopped", "archived")
IN_PROGRESS = tuple(stage.value for stage in Stage)
NEEDS_SOMEONE = ("waiting-identity", "refused", "failed", "stopped", "partly-delivered", "uncertain")


class Outcome(StrEnum):
    """Where one destination (a mailbox, the DMP) stands."""

    PLANNED = "planned"
    DELAYED = "delayed"
    ACCEPTED = "accepted"
    UNCERTAIN = "uncertain"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    REFUSED = "refused"
    READ_FAILED = "read-failed"
    READ = "read"
    ANSWERED = "answered"


OUTCOME_RANK = {outcome: rank for rank, outcome in enumerate(Outcome)}

WORKLISTS = ("identity", "recipients", "returns", "conformance", "dead")
