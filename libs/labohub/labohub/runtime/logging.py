"""One JSON line per fact, with fields from an allow-list: nothing about a patient can be logged by accident."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from prometheus_client import Counter

ALLOWED_FIELDS = frozenset(
    {
        "action", "address", "attempt", "attempts", "batch_size", "bytes", "call_id", "certificate", "code",
        "connection_id", "control_id", "count", "days", "document_id", "dmp_code", "elapsed_ms", "environment",
        "error", "error_type", "event_id", "event_type", "expires_at", "fault", "folder", "group", "host", "kind",
        "mail_id", "message_id", "message_type", "name", "operation", "outcome", "partition", "path", "pid", "port",
        "queue", "reason", "receiver", "recipient_kind", "report_id", "requests", "retaken", "rule", "seconds",
        "sender", "service", "setting", "signal", "size_bytes", "smtp_code", "state", "status", "step",
        "submission_id", "topic", "trace_id", "uid", "url", "version", "warning", "worker",
    }
)  # fmt: skip
DROPPED = Counter("labohub_log_fields_dropped_total", "Log fields left out because the allow-list does not name them.")
FOREIGN = Counter("labohub_log_foreign_records_total", "Log records of other libraries, kept without their text.")

_ROOT = "labohub"


class Logger:
    """A logger whose lines are an event's name and allow-listed fields."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(f"{_ROOT}.{name}")

    def debug(self, event: str, **fields: Any) -> None:
        """Log a detail."""
        self._log(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: Any) -> None:
        """Log a fact."""
        self._log(logging.INFO, event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        """Log what someone should look at."""
        self._log(logging.WARNING, event, fields)

    def error(self, event: str, **fields: Any) -> None:
        """Log what someone must look at."""
        self._log(logging.ERROR, event, fields)

    def bug(self, event: str, error: BaseException, **fields: Any) -> None:
        """Log a fault of ours: the error's type and place in our code, never its text."""
        trace = error.__traceback__
        place = ""
        while trace is not None:
            place = f"{trace.tb_frame.f_globals.get('__name__', '')}:{trace.tb_lineno}"
            trace = trace.tb_next
        self._log(logging.ERROR, event, {**fields, "error_type": type(error).__name__, "path": place})

    def _log(self, level: int, event: str, fields: dict[str, Any]) -> None:
        if not self._logger.isEnabledFor(level):
            return
        kept = {name: value for name, value in fields.items() if name in ALLOWED_FIELDS}
        if len(kept) != len(fields):
            DROPPED.inc(len(fields) - len(kept))
        self._logger.log(level, event, extra={"labohub_fields": kept})


def get_logger(name: str) -> Logger:
    """Return the logger of a module."""
    return Logger(name)


class _JsonLines(logging.Formatter):
    """Our own records in full; those of other libraries by name and level only: their text may quote a patient."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one JSON line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
        }
        if record.name.startswith(_ROOT + "."):
            line["logger"] = record.name.removeprefix(_ROOT + ".")
            line["event"] = record.getMessage()
            line.update(getattr(record, "labohub_fields", {}))
        else:
            FOREIGN.inc()
            line["logger"] = record.name
            line["event"] = "foreign.record"
            if record.exc_info and record.exc_info[0] is not None:
                line["error_type"] = record.exc_info[0].__name__
        return json.dumps(line, default=str, ensure_ascii=False)


def configure(level: str = "INFO") -> None:
    """Send all logs to standard error as JSON lines; other libraries from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(_ROOT).setLevel(level)
