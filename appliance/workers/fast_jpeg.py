"""Whether workers may use the C extension for JPEGs: it is an accelerator, and no picture depends on it."""

import logging

logger = logging.getLogger(__name__)

MAX_CRASHES = 3


class FastJpeg:
    """On as `is_wanted` says, until the extension has ended `MAX_CRASHES` workers. Then it is off until a restart."""

    def __init__(self, *, is_wanted: bool) -> None:
        self._is_wanted = is_wanted
        self._crashes = 0

    @property
    def is_on(self) -> bool:
        return self._is_wanted and self._crashes < MAX_CRASHES

    def note_crash(self) -> None:
        """A worker crashed over an order that libvips alone has done since."""
        self._crashes += 1
        logger.warning("the fast way for JPEGs crashed a worker; libvips made the sizes")
        if self._crashes == MAX_CRASHES:
            logger.error(
                "the fast way for JPEGs is off until the server is restarted: it crashed %d workers", MAX_CRASHES
            )
