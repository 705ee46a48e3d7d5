"""Why an SGL event has no effect. Its id is not used up: the same event may come again."""

from typing import ClassVar

from labohub.errors import Refused


class EventRefused(Refused):
    """An event that cannot have its effect, now or ever. Its id is not used up. `status` is HTTP's."""

    code = "event.refused"
    status: ClassVar[int] = 409


class ReportUnknown(EventRefused):
    """No report of this sender is known under this name: send the event after the message was acknowledged."""

    code = "report.unknown"
    status = 404


class ReportUnderWay(EventRefused):
    """Too late: the report has left the intake."""

    code = "report.under-way"


class ReportAlreadySent(EventRefused):
    """Too late: the report has reached its end."""

    code = "report.already-sent"


class NothingWaits(EventRefused):
    """The report is known and no version of it waits: perhaps the message was not acknowledged yet."""

    code = "report.nothing-waits"


class AuthorMustReplace(EventRefused):
    """The document is the laboratory's own, carried byte for byte: its author sends the replacement."""

    code = "report.author-must-replace"


class ReportDeleted(EventRefused):
    """The laboratory had this report deleted."""

    code = "report.deleted"


class RecipientRefused(EventRefused):
    """A mailbox that this report may not go to."""

    code = "recipients.refused"
    status = 422


class FlagsContradict(EventRefused):
    """Masking, visibility and destinations together are outside the official table."""

    code = "recipients.flags-contradict"
    status = 422


class EventIdReused(EventRefused):
    """This source used this id for another event."""

    code = "event.id-reused"
