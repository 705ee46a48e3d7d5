"""What the service counts. No label ever names a person or an address."""

from prometheus_client import Counter, Gauge, Histogram

SUBMITTED = Counter("mss_sender_submissions_total", "Mails handed to the operator, by outcome.", ["outcome"])
SUBMISSION_SECONDS = Histogram(
    "mss_sender_submission_seconds",
    "Time from a free connection to the operator's answer.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
REJECTED = Gauge("mss_sender_rejected_by_operator", "1 while the operator refuses our certificate, address or rights.")
FACTS = Counter("mss_sender_facts_total", "Things learnt of mails: accepted, delivered, failed, displayed…", ["fact"])
FETCHED = Counter("mss_sender_returns_total", "Mails read from our mailboxes.")
MAILBOX_DOWN = Gauge("mss_sender_mailbox_down", "1 while a mailbox cannot be read.", ["mailbox"])
