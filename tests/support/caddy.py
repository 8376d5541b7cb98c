"""A Caddy in front of a port: plain, or as the role writes its configuration."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import jinja2

from tests.support.programs import ROOT, caddy_program, free_port
from tests.support.servers import Server, listens

TEMPLATE = ROOT / "ansible/roles/caddy/templates/Caddyfile.j2"
PLAIN = """
{{
    admin off
    auto_https off
}}
http://:{port} {{
    bind 127.0.0.1
    encode zstd gzip
    reverse_proxy 127.0.0.1:{behind}
}}
"""


def plain_caddyfile(port: int, behind: int) -> str:
    """HTTP on `port`, compressed, before the port `behind`."""
    return PLAIN.format(port=port, behind=behind)


def role_caddyfile(port: int, behind: int) -> str:
    """What the role writes, with HTTPS on `port`, except for the socket of its own commands."""
    text = jinja2.Environment(autoescape=False, undefined=jinja2.StrictUndefined).from_string(TEMPLATE.read_text())
    written = text.render(
        caddy_http_port=free_port(),
        caddy_https_port=port,
        caddy_acme_email="",
        caddy_acme_directory="",
        caddy_tls="internal",
        caddy_metrics_listen="",
        caddy_trusted_proxies=[],
        caddy_try_s=30,
        caddy_hosts=["localhost"],
        caddy_upstream=f"127.0.0.1:{behind}",
        caddy_upstreams=[],
    )
    return written.replace("admin unix//run/caddy/admin.sock", "admin off")


@contextlib.asynccontextmanager
async def caddy(
    folder: Path, behind: int, caddyfile: Callable[[int, int], str] = plain_caddyfile
) -> AsyncIterator[int]:
    """A running Caddy before the port `behind`; its own port."""
    port, file = free_port(), folder / "Caddyfile"
    file.write_text(caddyfile(port, behind))
    command = [caddy_program(), "run", "--config", str(file), "--adapter", "caddyfile"]
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    server = Server(command, port, folder / "caddy.log", listens, home)
    await asyncio.to_thread(server.start)
    try:
        yield port
    finally:
        await asyncio.to_thread(server.stop)
