"""Checks beyond types: values that depend on each other or follow rules of other systems."""

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from appliance.config import database_url
from appliance.config.model import (
    LOGO_ENDINGS,
    MAX_LOGO_BYTES,
    MIN_SECRET_CHARS,
    SIGNED_IN,
    Config,
    split_listen,
)
from appliance.domain.colours import is_colour
from appliance.domain.networks import are_too_wide, parse_network
from appliance.domain.renditions import Format

_REGION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_BUCKET = re.compile(r"(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]")  # S3's rules
_ENDPOINT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
_NODE_NAME = re.compile(r"[a-z0-9-]{1,40}")
_ZONE = re.compile(r"[A-Za-z0-9]{1,64}")
_TOKEN = re.compile(r"[!-~]{1,512}")
_RECIPIENT = re.compile(r"age1|ssh-")
_SIGNER = re.compile(r"(?:ssh|ecdsa|sk)-[\w.@-]+ [A-Za-z0-9+/=]+(?: [^\n\r]*)?")
_REMOTE = re.compile(r"[^\s:-][^:\n]*:[^\n]*|/[^\n]+")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
_MAIL = re.compile(r"[^@\s,;?&:/]+@[^@\s,;?&:/]+")

_OTHER_HEADERS = ("authorization", "cookie", "host", "x-api-key", "x-forwarded-for", "x-request-id")
"""What clients send themselves, or what has another meaning here."""

MIN_REQUESTS = 60
MIN_QUOTA_BYTES = 1_000_000

Unmet = tuple[str, str]
"""An option's name, and what is expected of it."""


def unmet(config: Config) -> Iterator[Unmet]:
    """Every expectation that `config` doesn't meet."""
    yield from _server(config)
    yield from _processes(config)
    yield from _access(config)
    yield from _store(config)
    yield from _catalogue(config)
    yield from _node(config)
    yield from _uploads(config)
    yield from _renditions(config)
    yield from _limits(config)
    yield from _cdn(config)
    yield from _site(config)
    yield from _backup(config)


def _server(config: Config) -> Iterator[Unmet]:
    server = config.server
    if not _is_listen(server.listen):
        yield "server.listen", "host:port, such as 127.0.0.1:8080 or [::1]:8080"
    if server.metrics_listen is not None and not _is_listen(server.metrics_listen):
        yield "server.metrics_listen", "host:port, such as 127.0.0.1:9180"
    elif server.metrics_listen == server.listen and not server.listen.endswith(":0"):
        yield "server.metrics_listen", "a different address from server.listen"
    if server.public_url is not None and not _is_origin(server.public_url):
        yield "server.public_url", "http:// or https:// and a host, without a path, such as https://img.example"
    if not all(_is_network(proxy) for proxy in server.trusted_proxies):
        yield "server.trusted_proxies", "addresses or networks, such as 127.0.0.1 or 10.0.0.0/8"
    elif are_too_wide(map(parse_network, server.trusted_proxies)):
        yield "server.trusted_proxies", "the addresses of your proxies alone: anybody else could claim to be anyone"


def _processes(config: Config) -> Iterator[Unmet]:
    """What several processes need of the others' sections, and ports for each of them."""
    server, count = config.server, config.server.processes
    if server.process_listen is not None and not _has_ports(server.process_listen, count):
        yield "server.process_listen", f"host:port, with a port for each of the {count} processes from that on"
    if count == 1:
        return
    if config.catalogue.url is None:
        yield "server.processes", "1, unless catalogue.url is set: processes can't share a catalogue in a file"
    if config.store.kind != "minio":
        yield "server.processes", '1, unless store.kind is "minio": one process owns the directory of a store'
    if config.node.listen is not None and not _has_ports(config.node.listen, count):
        yield "node.listen", f"host:port, with a port for each of the {count} processes from that on"
    if config.node.url is not None:
        yield "node.url", "no value with several server.processes: others reach each of them at its port of node.listen"


def _access(config: Config) -> Iterator[Unmet]:
    access = config.access
    if not access.uploads:
        yield "access.uploads", "at least one of anyone, key and signed-in"
    if access.user_header is not None and not _HEADER.fullmatch(access.user_header):
        yield "access.user_header", "the name of a header, such as Remote-User"
    elif access.user_header is not None and access.user_header.lower() in _OTHER_HEADERS:
        yield "access.user_header", "a header of its own, which nothing else uses"
    elif access.user_header is not None and not config.server.trusted_proxies:
        yield "access.user_header", "server.trusted_proxies to be set too: nobody else is believed about it"
    if access.sign_in_url is not None and not _is_path(access.sign_in_url) and not _is_url(access.sign_in_url):
        yield "access.sign_in_url", "a path such as /oauth2/sign_in, or a link such as https://auth.example.org"
    if SIGNED_IN in access.uploads and access.user_header is None:
        yield "access.user_header", "the name of a header, since access.uploads has signed-in"


def _store(config: Config) -> Iterator[Unmet]:
    store = config.store
    if not _BUCKET.fullmatch(store.bucket):
        yield "store.bucket", "a bucket name: 3 to 63 characters of a-z, 0-9, - and ."
    if store.endpoint is not None and not _ENDPOINT.fullmatch(store.endpoint):
        yield "store.endpoint", "host:port without http:// or a path (store.secure says whether TLS is used)"
    if not _REGION.fullmatch(store.region):
        yield "store.region", "a region's name, such as us-east-1, eu-central-1 or garage"
    if store.kind == "minio":
        for key in ("endpoint", "access_key", "secret_key"):
            if getattr(store, key) is None:
                yield f"store.{key}", 'a value, since store.kind is "minio"'


def _catalogue(config: Config) -> Iterator[Unmet]:
    url = config.catalogue.url
    if url is not None and not database_url.is_database_url(url):
        yield "catalogue.url", database_url.EXPECTED


def _node(config: Config) -> Iterator[Unmet]:
    node = config.node
    if node.name is not None and not _NODE_NAME.fullmatch(node.name):
        yield "node.name", "1 to 40 of a-z, 0-9 and -, such as box-1"
    if node.url is not None and not _is_origin(node.url):
        yield "node.url", "http:// or https:// and a host, without a path, such as http://10.0.0.5:8090"
    if node.listen is None:
        return
    if not _is_listen(node.listen):
        yield "node.listen", "host:port, such as 10.0.0.5:8090"
    elif _is_any_address(node.listen) and config.server.processes > 1:
        yield "node.listen", "an address at which the other nodes reach this machine, such as 10.0.0.5:8090"
    elif node.url is None and _is_any_address(node.listen):
        yield "node.url", "where the other nodes reach this one, since node.listen names no address"
    if config.catalogue.url is None:
        yield "node.listen", "catalogue.url to be set too: servers can't share a catalogue in a file"
    if node.secret is None or len(node.secret) < MIN_SECRET_CHARS:
        yield "node.secret", f"at least {MIN_SECRET_CHARS} characters, the same on all nodes, since node.listen is set"


def _uploads(config: Config) -> Iterator[Unmet]:
    uploads = config.uploads
    if uploads.default_expiry_days > uploads.max_expiry_days:
        yield "uploads.default_expiry_days", f"at most uploads.max_expiry_days, which is {uploads.max_expiry_days}"


def _renditions(config: Config) -> Iterator[Unmet]:
    renditions = config.renditions
    if unknown := [name for name in renditions.prewarm if renditions.preset(name) is None]:
        known = ", ".join(preset.name for preset in renditions.presets)
        yield "renditions.prewarm", f"names of presets ({known}); {unknown[0]} is none"
    if not {Format.JPG, Format.WEBP} <= set(renditions.formats):
        yield "renditions.formats", "a list with jpg and webp, which the pages need"
    if renditions.heavy_memory_bytes < renditions.memory_bytes:
        yield "renditions.heavy_memory_bytes", f"at least renditions.memory_bytes, which is {renditions.memory_bytes}"


def _limits(config: Config) -> Iterator[Unmet]:
    """What nobody can mean: limits that refuse every page or image, or wider scopes that allow less."""
    limits = config.limits
    for scope in ("address", "prefix", "key"):
        if 0 < getattr(limits, f"{scope}_requests") < MIN_REQUESTS:
            yield f"limits.{scope}_requests", f"0 for no limit, or at least {MIN_REQUESTS}: a page alone takes dozens"
    for key in ("minute_bytes", "day_bytes"):
        for scope in ("address", "prefix", "key", "anonymous"):
            if 0 < getattr(limits, f"{scope}_{key}") < MIN_QUOTA_BYTES:
                yield f"limits.{scope}_{key}", f"0 for no limit, or at least {MIN_QUOTA_BYTES} bytes"
    for key in ("requests", "uploads", "minute_bytes", "day_bytes", "processor_s"):
        least, wider = getattr(limits, f"address_{key}"), getattr(limits, f"prefix_{key}")
        if 0 < wider < least:
            yield f"limits.prefix_{key}", f"at least limits.address_{key}, which is {least}"


def _cdn(config: Config) -> Iterator[Unmet]:
    cdn = config.cdn
    if not all(_is_url(url) for url in cdn.urls):
        yield "cdn.urls", "URLs of caches, such as http://127.0.0.1:6081"
    elif cdn.purge == "http" and not cdn.urls:
        yield "cdn.urls", 'at least one URL, since cdn.purge is "http"'
    if cdn.zone is not None and not _ZONE.fullmatch(cdn.zone):
        yield "cdn.zone", "letters and digits, as in the overview of the zone"
    if not _is_url(cdn.api_url):
        yield "cdn.api_url", "the base URL of an API, such as https://api.cloudflare.com/client/v4"
    if cdn.token is not None and not _TOKEN.fullmatch(cdn.token):
        yield "cdn.token", "a token without spaces"
    if cdn.purge == "cloudflare":
        for key in ("zone", "token"):
            if getattr(cdn, key) is None:
                yield f"cdn.{key}", 'a value, since cdn.purge is "cloudflare"'


def _site(config: Config) -> Iterator[Unmet]:
    site = config.site
    if site.logo is not None and not _is_logo(site.logo):
        yield "site.logo", "an existing .svg, .png or .webp file of up to 200 KB"
    if site.accent is not None and not is_colour(site.accent):
        yield "site.accent", "a colour such as #0c6b64"
    for key in ("imprint_url", "privacy_url"):
        url = getattr(site, key)
        if url is not None and not _is_url(url):
            yield f"site.{key}", "a link such as https://example.org/imprint"
    if site.report is not None and not (_MAIL.fullmatch(site.report) or _is_url(site.report)):
        yield "site.report", "an email address, or a link such as https://example.org/report?page={url}"


def _backup(config: Config) -> Iterator[Unmet]:
    backup = config.backup
    if not all(_RECIPIENT.match(recipient) for recipient in backup.age_recipients):
        yield "backup.age_recipients", "public keys, which start with age1 or ssh- (never AGE-SECRET-KEY-)"
    if not all(_SIGNER.fullmatch(signer) for signer in backup.signers):
        yield "backup.signers", "public OpenSSH keys, such as ssh-ed25519 AAAA… (the line of a .pub file)"
    if backup.remote is not None and not _REMOTE.fullmatch(backup.remote):
        yield "backup.remote", "an rclone remote and a folder, such as offsite:bucket/appliance"


def _is_logo(path: Path) -> bool:
    try:
        return path.suffix in LOGO_ENDINGS and path.is_file() and path.stat().st_size <= MAX_LOGO_BYTES
    except (OSError, ValueError):
        return False


def _is_path(text: str) -> bool:
    return re.fullmatch(r"/(?![/\\])\S*", text) is not None


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not re.search(r"\s", url)


def _is_listen(listen: str) -> bool:
    try:
        host, _ = split_listen(listen)
        return ":" not in host or ipaddress.ip_address(host).version == 6
    except ValueError:
        return False


def _has_ports(listen: str, count: int) -> bool:
    """Whether it is `host:port`, and the ports that follow exist too."""
    return _is_listen(listen) and 0 < split_listen(listen)[1] <= 65536 - count


def _is_any_address(listen: str) -> bool:
    host, port = split_listen(listen)
    return host in ("", "0.0.0.0", "::") or port == 0  # noqa: S104 - compared, not bound


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
