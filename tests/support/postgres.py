"""A real PostgreSQL as a subprocess, with a schema for each test."""

import itertools
import os
import pwd
import shutil
import subprocess
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
        shutil.chown(data, _plain_user())
    make = [str(programs / "initdb"), "--no-sync", "--auth=trust", f"--username={USER}", "--encoding=UTF8"]
    subprocess.run(_as_postgres([*make, f"--pgdata={data}"]), check=True, capture_output=True, cwd="/")
    settings: dict[str, object] = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": ""}
    settings["fsync"] = "on" if syncing else "off"
    command = [str(programs / "postgres"), "-D", str(data)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    return Server(_as_postgres(command), port, folder / "postgres.log", _answers, {})


def new_schema(server: Server) -> str:
    """The URL of a schema without tables, each time of another one."""
    name = f"schema_{next(_schemas)}"
    with psycopg.connect(_url(server.port), autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}".encode())
    return f"{_url(server.port)}?options=-csearch_path%3D{name}"


def _url(port: int) -> str:
    return f"postgresql://{USER}@127.0.0.1:{port}/postgres"


def _answers(port: int) -> bool:
    try:
        psycopg.connect(_url(port), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _as_postgres(command: list[str]) -> list[str]:
    """The same command by a user that isn't root, under whom PostgreSQL refuses to run."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", f"--reuid={_plain_user()}", "--clear-groups", *command]


def _plain_user() -> str:
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return "nobody"
