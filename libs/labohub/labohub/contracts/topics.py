"""The topics. They name the thing; the suffix is the version of the contract."""

REPORT = "labohub.report.v1"
IDENTITY = "labohub.identity.v1"
DOCUMENT = "labohub.document.v1"
DELIVERY = "labohub.delivery.v1"
SUBMISSION = "labohub.submission.v1"
MESSAGE = "labohub.message.v1"
DEAD = "labohub.dead.v1"

ALL = (REPORT, IDENTITY, DOCUMENT, DELIVERY, SUBMISSION, MESSAGE, DEAD)


def dead_letters(topic: str, group: str) -> str:
    """Return the topic that holds what `group` could not handle of `topic`."""
    return f"{topic}.{group}.dead"
