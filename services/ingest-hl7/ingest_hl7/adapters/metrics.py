"""What the intake counts. No label ever holds anything of a patient."""

from prometheus_client import Counter, Gauge, Histogram

RECEIVED = Counter("ingest_hl7_messages_received_total", "Messages read from a transport", ["transport"])
ANSWERED = Counter("ingest_hl7_messages_answered_total", "Messages answered, by MSA-1", ["code"])
REFUSED = Counter("ingest_hl7_messages_refused_total", "Refusals, by the code of their first error", ["reason"])
REPLAYED = Counter("ingest_hl7_messages_replayed_total", "Messages received again and answered as the first time")
TOLERATED = Counter("ingest_hl7_tolerances_total", "What a strict reader would have refused", ["warning"])
BUGS = Counter("ingest_hl7_bugs_total", "Messages that met a fault of ours")
ANSWER_SECONDS = Histogram(
    "ingest_hl7_answer_seconds",
    "From the last byte of a message to its answer",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
IN_FLIGHT = Gauge("ingest_hl7_messages_in_flight", "Messages read and not yet answered")
CONNECTIONS = Gauge("ingest_hl7_connections_open", "MLLP connections")
BUFFERED_BYTES = Gauge("ingest_hl7_buffered_bytes", "Bytes of unfinished messages")
NOISE_BYTES = Counter("ingest_hl7_noise_bytes_total", "Bytes outside blocks")
RESTARTED_FRAMES = Counter("ingest_hl7_restarted_frames_total", "Blocks cut by the start of another")
OLDEST_UNFINISHED_SECONDS = Gauge("ingest_hl7_oldest_unfinished_seconds", "Age of the oldest message not yet whole")
CHARSETS = Counter("ingest_hl7_charsets_total", "Frames, by what their bytes look like", ["charset"])
CLOSED = Counter("ingest_hl7_connections_closed_total", "Connections that ended, and why", ["reason"])
RETURNS = Counter("ingest_hl7_returns_total", "ZAM, by type and outcome", ["message_type", "outcome"])
SENDERS = Gauge("ingest_hl7_senders", "Entries in force")
SENDERS_STALE = Gauge(
    "ingest_hl7_senders_stale", "1 while the senders' files of now are wrong and the former are in force"
)
SENDERS_READ = Counter("ingest_hl7_senders_read_total", "Times the senders' files were read", ["outcome"])
DROPPED_FILES = Counter("ingest_hl7_dropped_files_total", "Files dropped, by what became of them", ["outcome"])
DROP_UNUSABLE = Gauge("ingest_hl7_drop_folders_unusable", "Drop folders that cannot be read or written")
QUARANTINE = Counter("ingest_hl7_quarantine_total", "Messages held, released and refused", ["outcome"])
INSPECTED = Counter("ingest_hl7_inspected_total", "Messages examined beside the road, by verdict", ["verdict"])
