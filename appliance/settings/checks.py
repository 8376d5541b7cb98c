"""What values must agree on with each other and with the world's rules, once each is of the right type."""

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from appliance.config import Config, split_listen
from appliance.renditions import Format

_BUCKET = re.compile(r"(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]")  # Amazon's rules
_ENDPOINT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")

Unmet = tuple[str, str]
"""An option's name and what is expected of it."""


def unmet(config: Config) -> Iterator[Unmet]:
    """Every expectation that `config` does not meet."""
    yield from _server(config)
    yield from _store(config)
    yield from _uploads(config)
    yield from _renditions(config)


def _server(config: Config) -> Iterator[Unmet]:
    server = config.server
    if not _is_listen(server.listen):
        yield "server.listen", "host:port, such as 127.0.0.1:8080 or [::1]:8080"
    if server.metrics_listen is not None and not _is_listen(server.metrics_listen):
        yield "server.metrics_listen", "host:port, such as 127.0.0.1:9180"
    elif server.metrics_listen == server.listen and not server.listen.endswith(":0"):
        yield "server.metrics_listen", "another address than server.listen has"
    if server.public_url is not None and not _is_origin(server.public_url):
        yield "server.public_url", "http:// or https:// and a host, without a path, such as https://img.example"
    if not all(_is_network(proxy) for proxy in server.trusted_proxies):
        yield "server.trusted_proxies", "addresses or networks, such as 127.0.0.1 or 10.0.0.0/8"


def _store(config: Config) -> Iterator[Unmet]:
    store = config.store
    if not _BUCKET.fullmatch(store.bucket):
        yield "store.bucket", "a bucket's name: 3 to 63 of a-z, 0-9, - and ."
    if store.endpoint is not None and not _ENDPOINT.fullmatch(store.endpoint):
        yield "store.endpoint", "host:port without http:// or a path (store.secure says whether TLS is used)"
    if store.kind == "minio":
        for key in ("endpoint", "access_key", "secret_key"):
            if getattr(store, key) is None:
                yield f"store.{key}", 'a value, since store.kind is "minio"'


def _uploads(config: Config) -> Iterator[Unmet]:
    uploads = config.uploads
    if uploads.default_expiry_days > uploads.max_expiry_days:
        yield "uploads.default_expiry_days", f"at most uploads.max_expiry_days, which is {uploads.max_expiry_days}"


def _renditions(config: Config) -> Iterator[Unmet]:
    renditions = config.renditions
    if unknown := [name for name in renditions.prewarm if renditions.preset(name) is None]:
        known = ", ".join(preset.name for preset in renditions.presets)
        yield "renditions.prewarm", f"names of presets ({known}); there is no {unknown[0]}"
    if not {Format.JPG, Format.WEBP} <= set(renditions.formats):
        yield "renditions.formats", "a list with jpg and webp, which the pages link"
    if renditions.heavy_memory_bytes < renditions.memory_bytes:
        yield "renditions.heavy_memory_bytes", f"at least renditions.memory_bytes, which is {renditions.memory_bytes}"


def _is_listen(listen: str) -> bool:
    try:
        host, _ = split_listen(listen)
        return ":" not in host or ipaddress.ip_address(host).version == 6
    except ValueError:
        return False


def _is_origin(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    bare = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.path in ("", "/")
    extras = parts.query or parts.fragment or "@" in parts.netloc or re.search(r"[\s?#]", url)
    return bare and not extras and port != 0


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
