"""How long responses may be cached: by browsers, which can't be purged, and by shared caches, some of which can."""

from dataclasses import dataclass

from appliance.config.model import Cdn

BROWSER_S = 3600  # an hour at most, and never past the expiry


@dataclass(frozen=True, slots=True)
class Freshness:
    """`Cache-Control` for what shows an image; `shared_s` is None if no shared cache can be purged."""

    shared_s: int | None

    @classmethod
    def of(cls, config: Cdn) -> "Freshness":
        return cls(config.shared_max_age_s if config.is_purged else None)

    def public(self, left_s: int) -> str:
        """For an image that expires in `left_s` seconds."""
        browsers = f"public, max-age={min(BROWSER_S, left_s)}"
        return browsers if self.shared_s is None else f"{browsers}, s-maxage={min(self.shared_s, left_s)}"

    @staticmethod
    def private(left_s: int) -> str:
        """For responses that depend on request headers that shared caches ignore."""
        return f"private, max-age={min(BROWSER_S, left_s)}"
