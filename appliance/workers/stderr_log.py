"""The standard error of a worker: a limited amount of it becomes lines of the server's log."""

import asyncio
import logging
import os
from typing import IO

_log = logging.getLogger(__name__)
_LINE_BYTES = 1000
_MAX_BYTES = 16_000
"""Of one process. A traceback needs less, and a worker that a hostile file controls could fill the log."""


class StderrLog:
    """Logs what comes through the pipe, without characters that a terminal or a log parser would interpret."""

    def __init__(self, pipe: IO[bytes], pid: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._pipe = pipe
        self._pid = pid
        self._left = _MAX_BYTES
        os.set_blocking(pipe.fileno(), False)
        self._loop.add_reader(pipe.fileno(), self.log_available)

    def log_available(self) -> None:
        """Log what is there, up to a line's worth. Closes the pipe at its end, and beyond the limit."""
        if self._pipe.closed:
            return
        try:
            text = os.read(self._pipe.fileno(), _LINE_BYTES)
        except BlockingIOError:
            return
        self._left -= len(text)
        if text.strip():
            _log.warning("a worker wrote: %s", _plain(text), extra={"pid": self._pid})
        if not text or self._left <= 0:
            self.close()

    def log_rest(self) -> None:
        """Log what a process wrote before it ended."""
        while not self._pipe.closed and self._left > 0:
            before = self._left
            self.log_available()
            if self._left == before:
                break
        self.close()

    def close(self) -> None:
        if not self._pipe.closed:
            self._loop.remove_reader(self._pipe.fileno())
            self._pipe.close()


def _plain(text: bytes) -> str:
    lines = text.decode("utf-8", "backslashreplace").splitlines()
    return " | ".join("".join(each if each.isprintable() else "?" for each in line) for line in lines if line.strip())
