"""Checkpoints: the writing thread moves the write-ahead log into the file when it is idle or the log has grown."""

import contextlib
import sqlite3
from pathlib import Path

CHANGES_BETWEEN = 4000  # rows changed; a row touches some four pages, so the log stays near 80 MB
MAX_LOG_BYTES = 128 * 2**20
TRUNCATE_TIMEOUT_MS = 25


class Checkpoints:
    """Decides when to checkpoint, and how.

    A passive checkpoint lets the log be written over from its start, which costs less than growing a new one. Only a
    long reader (a backup) makes it grow further; above `max_log_bytes` it is cut once that reader is gone.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, *, max_log_bytes: int = MAX_LOG_BYTES) -> None:
        self._connection = connection
        self._log = path.with_name(path.name + "-wal")
        self._max_log_bytes = self._cut_above_bytes = max_log_bytes
        self._done_at = -1  # what an earlier run left goes into the file at the first idle moment

    @property
    def wanted(self) -> bool:
        return self._connection.total_changes != self._done_at

    def after_commit(self) -> None:
        if self._connection.total_changes - self._done_at >= CHANGES_BETWEEN:
            self._passive()
        size = self._log_bytes()
        if size >= self._cut_above_bytes:
            self._cut_above_bytes = self._max_log_bytes + (0 if self._truncate() else size)

    def after_fault(self) -> None:
        """On a full disk, cutting the log may free the room that is needed."""
        self._truncate()

    def when_idle(self) -> None:
        if self.wanted:
            self._passive()

    def last(self) -> None:
        self._truncate()

    def _passive(self) -> None:
        self._done_at = self._connection.total_changes
        with contextlib.suppress(sqlite3.Error):  # a full disk: the commits are in the log
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _truncate(self) -> bool:
        try:
            [before] = self._connection.execute("PRAGMA busy_timeout").fetchone()
            self._connection.execute(f"PRAGMA busy_timeout = {TRUNCATE_TIMEOUT_MS}")
            busy, _, _ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._connection.execute(f"PRAGMA busy_timeout = {before}")
        except sqlite3.Error:
            return False
        return not busy

    def _log_bytes(self) -> int:
        try:
            return self._log.stat().st_size
        except OSError:
            return 0
