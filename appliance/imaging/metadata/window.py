"""A window over a file being cleaned: it is read in pieces, so that a hundred thousand small parts are few reads."""

from appliance.imaging.metadata.cleaning import Cleaning

_PIECE_BYTES = 4096  # as quickly read as eight bytes; large parts, of which the head alone is looked at, cost no more


class Window:
    """What lies around the place that was read last."""

    def __init__(self, cleaning: Cleaning, piece_bytes: int = _PIECE_BYTES) -> None:
        self._cleaning = cleaning
        self._piece_bytes = piece_bytes
        self.start, self.data = 0, b""

    def read(self, at: int, length: int) -> bytes:
        """As `Cleaning.read` does."""
        if at < self.start or at + length > self.start + len(self.data):
            self.start, self.data = at, self._cleaning.read(at, max(length, self._piece_bytes))
        return self.data[at - self.start : at - self.start + length]
