"""The SQLite file that holds the embedded log: its schema and what can be asked of it. No thread, no event loop."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import orjson

from labohub.bus.port import MAX_BATCH_BYTES
from labohub.contracts.envelope import Record

BUSY_SECONDS = 10.0  # another process of the hub holds the write lock for milliseconds
PRUNE_ROWS = 2_000  # rows of one deletion, so that a publication never waits long behind it

_SCHEMA = """
CREATE TABLE IF NOT EXISTS topic (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS record (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    topic_id INTEGER NOT NULL,
    published_ms INTEGER NOT NULL,
    key TEXT NOT NULL,
    headers TEXT NOT NULL,
    value BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS record_of_topic ON record (topic_id);
CREATE TABLE IF NOT EXISTS position (
    topic_id INTEGER NOT NULL,
    reader_group TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (topic_id, reader_group)
) WITHOUT ROWID;
"""


class LogFile:
    """One connection to the file. Sequences are given under the write lock: they commit in their order."""

    def __init__(self, path: Path) -> None:
        # Threads take turns on a connection: it is made in one and used in another.
        self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        self._topics: dict[str, int] = {}
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA secure_delete = ON")  # what retention erases is overwritten
            self._db.execute("PRAGMA journal_size_limit = 67108864")
        except sqlite3.Error:
            self._db.close()
            raise

    def create(self) -> None:
        """Create the tables that are missing."""
        self._db.executescript("BEGIN IMMEDIATE;" + _SCHEMA + "COMMIT;")

    def begin(self) -> None:
        """Take the write lock."""
        self._db.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Make the transaction durable: the write-ahead log is synchronised before this returns."""
        self._db.execute("COMMIT")

    def rollback(self) -> None:
        """Forget the transaction, if there is one."""
        self._topics.clear()  # it may hold what the transaction had created
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def append(self, topic: str, records: Iterable[Record], published_ms: int) -> int:
        """Return the sequence of the last record appended."""
        topic_id = self._topic(topic, create=True)
        self._db.executemany(
            "INSERT INTO record (topic_id, published_ms, key, headers, value) VALUES (?, ?, ?, ?, ?)",
            [(topic_id, published_ms, r.key, orjson.dumps(dict(r.headers)).decode(), r.value) for r in records],
        )
        return int(self._db.execute("SELECT last_insert_rowid()").fetchone()[0])

    def after(self, topic: str, sequence: int, limit: int) -> tuple[int, list[Record]]:
        """Return the records beyond `sequence`, at least one when there is one, and the sequence of the last."""
        records: list[Record] = []
        size = 0
        rows = self._db.execute(
            "SELECT sequence, key, headers, value FROM record WHERE topic_id = ? AND sequence > ? "
            "ORDER BY sequence LIMIT ?",
            (self._topic(topic), sequence, limit),
        )
        try:
            for number, key, headers, value in rows:
                size += len(value)
                if records and size > MAX_BATCH_BYTES:
                    break
                records.append(Record(key=key, value=value, headers=orjson.loads(headers)))
                sequence = number
        finally:
            rows.close()  # a statement left open would hold back the checkpoint
        return sequence, records

    def join(self, topic: str, group: str) -> int:
        """Return the group's position in the topic; from now on, retention waits for this group."""
        where = (self._topic(topic, create=True), group)
        self._db.execute("INSERT OR IGNORE INTO position VALUES (?, ?, 0)", where)
        row = self._db.execute("SELECT sequence FROM position WHERE topic_id = ? AND reader_group = ?", where)
        return int(row.fetchone()[0])

    def advance(self, topic: str, group: str, sequence: int) -> None:
        """Move the group's position forwards, never back."""
        self._db.execute(
            "UPDATE position SET sequence = ? WHERE topic_id = ? AND reader_group = ? AND sequence < ?",
            (sequence, self._topic(topic), group, sequence),
        )

    def heads(self) -> Mapping[str, int]:
        """Return the sequence of the last record of each topic."""
        rows: Sequence[tuple[str, int | None]] = self._db.execute(
            "SELECT name, (SELECT MAX(sequence) FROM record WHERE topic_id = topic.id) FROM topic"
        ).fetchall()
        return {name: head or 0 for name, head in rows}

    def data_version(self) -> int:
        """Return a number that changes when another connection has written."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def lag(self, topic: str, group: str) -> int:
        """Return how many records the group has not done."""
        topic_id = self._topic(topic)
        row = self._db.execute(
            "SELECT COUNT(*) FROM record WHERE topic_id = ? AND sequence > COALESCE("
            "(SELECT sequence FROM position WHERE topic_id = ? AND reader_group = ?), 0)",
            (topic_id, topic_id, group),
        ).fetchone()
        return int(row[0])

    def prune(self, topic: str, before_ms: int) -> int:
        """Return how many of the oldest records were erased: older than `before_ms`, and done by every known group.

        A topic that no group has ever read keeps all. Erases at most `PRUNE_ROWS`.
        """
        topic_id = self._topic(topic)
        done = self._db.execute("SELECT MIN(sequence) FROM position WHERE topic_id = ?", (topic_id,)).fetchone()[0]
        oldest = self._db.execute(
            "SELECT sequence, published_ms FROM record WHERE topic_id = ? AND sequence <= ? ORDER BY sequence LIMIT ?",
            (topic_id, done or 0, PRUNE_ROWS),
        ).fetchall()
        old = [(number,) for number, published_ms in oldest if published_ms < before_ms]
        self._db.executemany("DELETE FROM record WHERE sequence = ?", old)
        return len(old)

    def _topic(self, name: str, *, create: bool = False) -> int:
        known = self._topics.get(name)
        if known is not None:
            return known
        if create:
            self._db.execute("INSERT OR IGNORE INTO topic (name) VALUES (?)", (name,))
        row = self._db.execute("SELECT id FROM topic WHERE name = ?", (name,)).fetchone()
        if row is None:
            return 0  # no row has it
        self._topics[name] = int(row[0])
        return int(row[0])
