"""A real PostgreSQL as a subprocess, with a schema for each test, and its standby."""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.support.programs import free_port, require
from tests.support.servers import Server

USER = "appliance"
_schemas = itertools.count(1)


def postgres_programs() -> Path:
    """The folder of PostgreSQL's programs; without them the test is skipped or fails (see `require`)."""
    of_debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    places = [os.environ.get("POSTGRES_BIN"), *reversed(of_debian), *os.get_exec_path()]
    for place in places:
        if place and Path(place, "initdb").exists() and Path(place, "postgres").exists():
            return Path(place)
    require("postgresql", "apt-get install postgresql, or set POSTGRES_BIN to the folder of initdb and postgres")
    raise AssertionError


def postgres_server(folder: Path, *, syncing: bool = False) -> Server:
    """A PostgreSQL that is not started yet, with its data below `folder`, which other users must be able to reach.

    What it writes is on disk only if it is `syncing`. May skip the test (see `require`).
    """
    programs, port, data = postgres_programs(), free_port(), folder / "data"
    data.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(data, plain_user())
    make = [str(programs / "initdb"), "--no-sync", "--auth=trust", f"--username={USER}", "--encoding=UTF8"]
    subprocess.run(as_postgres([*make, f"--pgdata={data}"]), check=True, capture_output=True, cwd="/")
    return _server(folder, port, fsync="on" if syncing else "off")


def standby_server(folder: Path, primary: Server, *, syncing: bool = False) -> Server:
    """A streaming standby of a running primary, not started yet; see `replicate`. Else as `postgres_server`.

    It looks for the primary as often as with the role `postgresql`.
    """
    programs, data = postgres_programs(), folder / "data"
    data.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(data, plain_user())
    copy = [str(programs / "pg_basebackup"), "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
    subprocess.run(
        as_postgres([*copy, f"--dbname={database_url(primary)}", f"--pgdata={data}"]),
        check=True,
        capture_output=True,
        cwd="/",
    )
    return _server(folder, free_port(), fsync="on" if syncing else "off", wal_retrieve_retry_interval="1s")


def replicate(primary: Server) -> None:
    """From now on a commit of the primary returns once its standby has it too."""
    with psycopg.connect(database_url(primary), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        connection.execute("SELECT pg_reload_conf()")
        while not connection.execute("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'").fetchone():
            time.sleep(0.05)


@dataclass(frozen=True)
class Databases:
    """A primary, and the standby that has each commit before it is answered."""

    primary: Server
    standby: Server


@contextmanager
def replicated_servers(*, syncing: bool = False) -> Iterator[Databases]:
    """Both, running as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / name for name in ("primary", "standby")]
        for place in (Path(folder), *places):
            place.mkdir(exist_ok=True)
            place.chmod(0o755)
        with (
            postgres_server(places[0], syncing=syncing) as primary,
            standby_server(places[1], primary, syncing=syncing) as standby,
        ):
            replicate(primary)
            yield Databases(primary, standby)


def promote(standby: Server) -> None:
    """Make the standby a primary."""
    with psycopg.connect(database_url(standby), autocommit=True) as connection:
        connection.execute("SELECT pg_promote()")


def database_url(*servers: Server) -> str:
    """The URL of the servers' database, on whichever of them accepts changes."""
    hosts = ",".join(f"127.0.0.1:{server.port}" for server in servers)
    return f"postgresql://{USER}@{hosts}/postgres"


def _server(folder: Path, port: int, **more: str) -> Server:
    settings = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": "", **more}
    command = [str(postgres_programs() / "postgres"), "-D", str(folder / "data")]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    return Server(as_postgres(command), port, folder / "postgres.log", _answers, {})


def new_schema(server: Server) -> str:
    """The URL of a schema without tables, each time of another one."""
    name = f"schema_{next(_schemas)}"
    with psycopg.connect(database_url(server), autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}".encode())
    return f"{database_url(server)}?options=-csearch_path%3D{name}"


def _answers(port: int) -> bool:
    try:
        psycopg.connect(host="127.0.0.1", port=port, user=USER, dbname="postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def as_postgres(command: list[str]) -> list[str]:
    """The same command by a user that isn't root, under whom PostgreSQL refuses to run."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", f"--reuid={plain_user()}", "--clear-groups", *command]


def plain_user() -> str:
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return "nobody"
