"""Machines for the role `postgresql`, without machines: each has a PostgreSQL of its own and a systemctl that runs it.

Certificates, access rules and settings lie below /etc, so of the role only the tasks that decide about data are run.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.support.postgres import USER, as_postgres, database_url, plain_user, postgres_programs, postgres_server
from tests.support.programs import ROOT, ansible_program

WITHIN_S = 300.0
PLAYBOOK = """
- hosts: db1:db2
  gather_facts: false
  any_errors_fatal: true
  tasks:
    - ansible.builtin.import_role: {name: postgresql, tasks_from: preflight}
    - ansible.builtin.import_role: {name: postgresql, tasks_from: only_primary}
      when: postgresql_is_primary | bool
    - ansible.builtin.import_role: {name: postgresql, tasks_from: history}
    - ansible.builtin.import_role: {name: postgresql, tasks_from: primary}
      when: postgresql_is_primary | bool
    - ansible.builtin.command:
        argv: "{{ postgresql_psql + ['-c', item] }}"
      loop:
        - ALTER SYSTEM SET synchronous_standby_names = '{{ postgresql_awaited }}'
        - SELECT pg_reload_conf()
      when: postgresql_is_primary | bool
    - ansible.builtin.import_role: {name: postgresql, tasks_from: replica}
      when: not postgresql_is_primary | bool
"""
PROMOTION = """
- hosts: db2
  gather_facts: false
  tasks:
    - ansible.builtin.import_role: {name: postgresql, tasks_from: promote}
"""
CLUSTERS = """#!/bin/sh
echo 15 main 5432 online
"""
IS_READY = """#!/bin/sh
exec {programs}/pg_isready --host 127.0.0.1 --port "$(cat {others}/$2.port || echo 1)"
"""
SYSTEMCTL = """#!/bin/sh
case "$1" in
show)
    echo LoadState=loaded
    if {run} status -D {data} >/dev/null; then echo ActiveState=active; else echo ActiveState=inactive; fi ;;
is-enabled) echo enabled ;;
start) exec {run} start -w -D {data} -l {folder}/postgres.log -o "-c port={port} -c listen_addresses=127.0.0.1 \\
    -c unix_socket_directories= -c fsync=off" ;;
stop) exec {run} stop -w -m fast -D {data} ;;
*) exit 1 ;;
esac
"""
INTERPRETER = """#!/bin/sh
export PATH={folder}/bin:{programs}:$PATH PGHOST=127.0.0.1 PGPORT={port} PGUSER={user}
exec {python} "$@"
"""


class DatabaseMachine:
    """One of them; its PostgreSQL is stopped at first."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.address = address
        (folder / "bin").mkdir(parents=True)
        (folder / "etc").mkdir()
        if os.geteuid() == 0:
            shutil.chown(folder, plain_user())
        self.server = postgres_server(folder)
        self.data = folder / "data"
        self.record = folder / "etc" / "set-up"
        programs = postgres_programs()
        words = {
            "folder": folder,
            "others": folder.parent,
            "data": self.data,
            "programs": programs,
            "port": self.server.port,
            "user": USER,
            "python": sys.executable,
            "run": " ".join(as_postgres([str(programs / "pg_ctl")])),
        }
        (folder.parent / f"{address}.port").write_text(str(self.server.port))
        self._write("systemctl", SYSTEMCTL.format(**words))
        self._write("pg_lsclusters", CLUSTERS)
        self._write("pg_isready", IS_READY.format(**words))
        self.interpreter = self._write("python", INTERPRETER.format(**words))

    def _write(self, name: str, text: str) -> Path:
        path = self.folder / "bin" / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def systemctl(self, order: str) -> None:
        subprocess.run([self.folder / "bin" / "systemctl", order], check=True, capture_output=True, cwd="/")

    def is_up(self) -> bool:
        shown = subprocess.run([self.folder / "bin" / "systemctl", "show"], check=True, capture_output=True, cwd="/")
        return b"ActiveState=active" in shown.stdout

    def ask(self, statement: str, database: str = "postgres") -> list[object]:
        """The first column of the rows, empty for a statement without any."""
        url = database_url(self.server).removesuffix("postgres") + database
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return [row[0] for row in cursor.fetchall()] if cursor.description else []

    @contextmanager
    def watched(self, statement: str, seen: set[object]) -> Iterator[None]:
        """While the block lasts, what the statement finds is added again and again to what was seen."""
        is_over = threading.Event()

        def watch() -> None:
            while not is_over.wait(0.01):
                seen.update(self.ask(statement))

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            yield
        finally:
            is_over.set()
            watching.join()

    def put_aside(self) -> list[Path]:
        return sorted(self.folder.glob("data.before-*"))


def access_to(machine: DatabaseMachine) -> str:
    """How replicas reach it."""
    return f"host=127.0.0.1 port={machine.server.port} user={USER}"


class DatabaseMachines:
    """`db1`, the primary, which is up, and `db2`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.primary = DatabaseMachine(folder / "db1", "127.0.0.1")
        self.other = DatabaseMachine(folder / "db2", "127.0.0.2")
        self._hidden: set[DatabaseMachine] = set()
        self.primary.systemctl("start")

    def stop(self) -> None:
        for machine in (self.primary, self.other):
            if machine.is_up():
                machine.systemctl("stop")

    def play(self, *lost: str, **variables: str) -> tuple[bool, str]:
        """Run the role's tasks on both, in an inventory that has lost machines too.

        Whether all went well, and what Ansible printed.
        """
        return self._run(PLAYBOOK, self._inventory(*lost), variables)

    def promote(self, *lost: str, **variables: str) -> tuple[bool, str]:
        """Make `db2` the primary, in an inventory that has lost machines too. Returns what `play` does."""
        return self._run(PROMOTION, self._inventory(*lost), variables)

    def cut_off(self, machine: DatabaseMachine) -> None:
        """From now on the other ones can't reach its database, but Ansible can."""
        (self.folder / f"{machine.address}.port").unlink()

    def hide(self, machine: DatabaseMachine) -> None:
        """From now on Ansible can't reach it either. Whatever is connected to its database stays so."""
        self.cut_off(machine)
        self._hidden.add(machine)

    def _run(self, text: str, machines: dict[str, Any], variables: dict[str, str]) -> tuple[bool, str]:
        playbook, inventory = self.folder / "play.yml", self.folder / "inventory.json"
        playbook.write_text(text)
        inventory.write_text(json.dumps(machines))
        done = subprocess.run(
            [ansible_program(), "-i", str(inventory), "-e", json.dumps(self._extra() | variables), str(playbook)],
            cwd=ROOT / "ansible",
            env=os.environ | {"ANSIBLE_HOME": str(self.folder / "ansible"), "ANSIBLE_NOCOLOR": "1"},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=WITHIN_S,
        )
        return done.returncode == 0, done.stdout

    def _inventory(self, *lost: str) -> dict[str, Any]:
        hosts: dict[str, Any] = {
            machine.folder.name: {
                "ansible_connection": "local",
                "ansible_python_interpreter": str(machine.interpreter),
                "cluster_address": machine.address,
                "folder": str(machine.folder),
            }
            for machine in (self.primary, self.other)
        }
        for machine in self._hidden:
            hosts[machine.folder.name] = {"cluster_address": machine.address}
        for number, name in enumerate(lost, 3):
            hosts[name] = {"cluster_address": f"127.0.0.{number}"}
        return {"database": {"hosts": hosts}}

    def _extra(self) -> dict[str, object]:
        """What stands in the role's vars, which an inventory can't change."""
        return {
            "postgresql_as": as_postgres([]),
            "postgresql_version": "15",
            "postgresql_folder": "{{ folder }}/etc",
            "postgresql_data": "{{ folder }}/data",
            "postgresql_access": access_to(self.primary),
            "postgresql_apps": ["127.0.0.1"],
            "postgresql_password": "a password for the tests",
            "postgresql_replication_password": "another password for the tests",
        }
