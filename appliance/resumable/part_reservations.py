"""Part reservations: a partial upload becomes part of one final upload at a time, so that its bytes are one image."""

from collections.abc import Sequence

from appliance.domain.errors import PartsUnfinished


class PartReservations:
    """Which final upload each part is reserved for. All uploads go by the hashes of their ids."""

    def __init__(self) -> None:
        self._final_of: dict[str, str] = {}

    def reserve(self, parts: Sequence[str], final: str) -> None:
        """Reserve all parts for the final upload until they are released. Raises PartsUnfinished, and reserves none."""
        if any(self.is_for_another(part, final) for part in parts):
            raise PartsUnfinished("One of the parts is being assembled into another upload. Try again in a moment.")
        self._final_of.update(dict.fromkeys(parts, final))

    def is_for_another(self, part: str, final: str) -> bool:
        """Whether the part is reserved for another final upload than this one."""
        return self._final_of.get(part, final) != final

    def release(self, final: str) -> None:
        """Release the parts of a final upload that has ended."""
        for part in [part for part, reserved_for in self._final_of.items() if reserved_for == final]:
            del self._final_of[part]
