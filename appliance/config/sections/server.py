"""Section `server`: where the server listens, and how the outside world reaches it."""

import ipaddress
import re
from dataclasses import dataclass, field

from appliance.config.option_info import info

LOG_LEVELS = ("debug", "info", "warning", "error")
MAX_PROCESSES = 64

_HOST = re.compile(r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Server:
    """Where the server listens, and its public address."""

    listen: str = field(
        default="127.0.0.1:8080",
        metadata=info("Address and port to serve on, `host:port`; IPv6 as `[::1]:8080`. Port 0 uses any free port."),
    )
    processes: int = field(
        default=1,
        metadata=info(
            "How many server processes share `listen` and the machine, each a node of its own; see "
            "[scaling.md](scaling.md#one-box-all-cores). More than one needs `catalogue.url` and a store of the kind "
            "`minio`. `appliance serve --processes` overrides it.",
            minimum=1,
            maximum=MAX_PROCESSES,
        ),
    )
    process_listen: str | None = field(
        default=None,
        metadata=info(
            "Where each of several processes also listens alone: the first at this `host:port`, the others at the "
            "ports after it. For a proxy that sends the requests for an image to one process."
        ),
    )
    public_url: str | None = field(
        default=None,
        metadata=info("Base of absolute links, such as `https://img.example`. Default: derived from `listen`."),
    )
    trusted_proxies: tuple[str, ...] = field(
        default=(),
        metadata=info("Addresses or networks whose X-Forwarded-For and X-Request-ID are trusted."),
    )
    metrics_listen: str | None = field(
        default=None,
        metadata=info("Address and port for Prometheus metrics, `host:port`. Unset: no metrics."),
    )
    log_level: str = field(
        default="info",
        metadata=info("Minimum log level.", choices=LOG_LEVELS),
    )

    @property
    def base_url(self) -> str:
        """The base of absolute links, without a trailing slash. It never comes from a request."""
        return (self.public_url or f"http://{self.listen}").rstrip("/")

    @property
    def links_work(self) -> bool:
        """Whether anybody can follow a link that begins with `base_url`."""
        return self.public_url is not None or split_listen(self.listen)[0] not in ("0.0.0.0", "::")  # noqa: S104 - read


def split_listen(listen: str) -> tuple[str, int]:
    """The host (IPv6 without brackets) and port (0 to 65535; 0 is any free port) of `host:port`.

    Raises ValueError for any other text.
    """
    host, colon, port = listen.rpartition(":")
    if not colon or not _HOST.fullmatch(host) or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise ValueError(listen)
    return host.strip("[]"), int(port)


def counted_on(listen: str, by: int) -> str:
    """The same `host:port` with a port that is higher by so many; port 0 stays any free port."""
    host, _, port = listen.rpartition(":")
    return listen if int(port) == 0 else f"{host}:{int(port) + by}"


def is_loopback(listen: str) -> bool:
    """Whether only programs on this machine can connect to `host:port`. A name other than localhost counts as open."""
    host = listen.rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
