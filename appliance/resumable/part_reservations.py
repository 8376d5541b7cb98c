"""Claims: a partial upload becomes part of one final upload at a time, or the same bytes would be many images."""

from collections.abc import Sequence

from appliance.domain.errors import PartsUnfinished


class Claims:
    """Who puts which parts together now. All go by the hashes of their ids."""

    def __init__(self) -> None:
        self._taken: dict[str, str] = {}

    def take(self, parts: Sequence[str], final: str) -> None:
        """All parts are this upload's until they are released. Raises PartsUnfinished, and takes none."""
        if any(self._taken.get(part, final) != final for part in parts):
            raise PartsUnfinished("One of the parts is being assembled into another upload. Try again in a moment.")
        self._taken.update(dict.fromkeys(parts, final))

    def release(self, final: str) -> None:
        """It has ended; its parts are gone with it, or free again."""
        for part in [part for part, owner in self._taken.items() if owner == final]:
            del self._taken[part]
