"""nginx with one worker process, which serves the files of one folder."""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import free_port
from benchmarks.peers.images import Missing

SETTINGS = """
worker_processes 1;
daemon off;
pid {scratch}/nginx.pid;
error_log /dev/null;
events {{ worker_connections 1024; }}
http {{
    access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; open_file_cache max=1000;
    client_body_temp_path {scratch}/body; proxy_temp_path {scratch}/proxy; fastcgi_temp_path {scratch}/fastcgi;
    uwsgi_temp_path {scratch}/uwsgi; scgi_temp_path {scratch}/scgi;
    types {{ image/jpeg jpg; }}
    server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[str]:
    """Where the folder's files are served, without a slash at the end. Raises Missing."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        raise Missing("nginx: Debian package nginx-light")
    folder.chmod(0o755)  # its worker is another user where this one is root
    port = free_port()
    with tempfile.TemporaryDirectory() as scratch:
        settings = Path(scratch, "nginx.conf")
        settings.write_text(SETTINGS.format(scratch=scratch, port=port, folder=folder))
        process = subprocess.Popen([program, "-c", settings, "-p", scratch], stderr=subprocess.DEVNULL)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()
