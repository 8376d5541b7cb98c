"""What a worker writes to its standard error: a little of it, as lines of the server's own log."""

import asyncio
import logging
import os
from typing import IO

_log = logging.getLogger(__name__)
_LINE_BYTES = 1000
_MAX_BYTES = 16_000
"""Of one process. A decoder or a traceback needs less; a file that has taken a worker over could fill the log."""


class Complaints:
    """Logs what comes through the pipe, without what a terminal or a parser of logs would take for more than text."""

    def __init__(self, pipe: IO[bytes], pid: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._pipe = pipe
        self._pid = pid
        self._left = _MAX_BYTES
        os.set_blocking(pipe.fileno(), False)
        self._loop.add_reader(pipe.fileno(), self.log_some)

    def log_some(self) -> None:
        """Log a line's worth of what is there. The pipe is closed at its end, and when it has brought enough."""
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

    def finish(self) -> None:
        """Log the last words of a process that has ended."""
        while not self._pipe.closed and self._left > 0:
            before = self._left
            self.log_some()
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
