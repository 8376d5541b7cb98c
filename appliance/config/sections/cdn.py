"""Section `cdn`: shared caches in front of this host, and how they are purged."""

from dataclasses import dataclass, field

from appliance.config.option_info import info

PURGES = ("none", "http", "cloudflare")


@dataclass(frozen=True, slots=True)
class Cdn:
    """Shared caches, and how an image is purged from them."""

    purge: str = field(
        default="none",
        metadata=info(
            "How shared caches are purged: `http` sends PURGE requests, which Varnish accepts with the VCL in "
            "docs/cdn.md; `cloudflare` calls its API. With `none`, they cache images no longer than browsers do.",
            choices=PURGES,
        ),
    )
    urls: tuple[str, ...] = field(
        default=(),
        metadata=info("Caches that receive PURGE requests, each by its own address, such as `http://127.0.0.1:6081`."),
    )
    zone: str | None = field(default=None, metadata=info("Cloudflare zone ID."))
    token: str | None = field(
        default=None,
        repr=False,
        metadata=info(
            "A Cloudflare API token that can purge the zone's cache. Best set as the credential `cdn_token`.",
            secret=True,
        ),
    )
    api_url: str = field(
        default="https://api.cloudflare.com/client/v4", metadata=info("Base URL of the Cloudflare API.")
    )
    shared_max_age_s: int = field(
        default=30 * 86_400,
        metadata=info(
            "How long shared caches may keep an image if `purge` is set, in seconds; never past its expiry.",
            minimum=0,
            maximum=366 * 86_400,
        ),
    )

    @property
    def is_purged(self) -> bool:
        """Whether images can be purged from shared caches."""
        return self.purge != "none"
