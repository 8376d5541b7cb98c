"""The rules of the role `firewall` in a kernel: two network namespaces with a wire between them."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest

from tests.support.programs import ROOT, require

TEMPLATE = ROOT / "ansible/roles/firewall/templates/nftables.conf.j2"
HERE, THERE = f"fw{os.getpid()}a", f"fw{os.getpid()}b"
ADDRESSES = (
    "10.9.0.2/16",
    "10.9.0.3/16",
    "10.9.7.1/16",
    "2001:db8:1:1::2/48",
    "2001:db8:1:1::3/48",
    "2001:db8:1:2::2/48",
)
LISTENER = """
import selectors, socket
looking = selectors.DefaultSelector()
here = socket.create_server(("::", 443), family=socket.AF_INET6, dualstack_ipv6=True)
looking.register(here, selectors.EVENT_READ)
print("ready", flush=True)
while True:
    for key, _ in looking.select():
        if key.fileobj is here:
            looking.register(here.accept()[0], selectors.EVENT_READ)
        elif not key.fileobj.recv(10):
            looking.unregister(key.fileobj)
            key.fileobj.close()
"""
CALLER = """
import socket, sys
def opened(source, count):
    there, held = "2001:db8:1::1" if ":" in source else "10.9.0.1", []
    for _ in range(count):
        one = socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET)
        one.settimeout(0.7)
        one.bind((source, 0))
        try:
            one.connect((there, 443))
            held.append(one)
        except TimeoutError:
            one.close()
    return held
everything = []
for source in sys.argv[1:]:
    held = opened(source, 8)
    print(source, len(held))
    everything += held
for one in everything:
    one.close()
while not (again := opened(sys.argv[1], 1)):
    pass
print("again", len(again))
"""


def rules(**changed: object) -> str:
    variables: dict[str, object] = {
        "firewall_ssh_port": 22,
        "firewall_ssh_from": [],
        "firewall_private": [],
        "firewall_open_tcp": [80, 443],
        "firewall_open_udp": [443],
        "firewall_extra_rules": [],
        "firewall_connections_per_address": 5,
        "firewall_uncounted": ["10.9.7.0/24"],
    }
    environment = jinja2.Environment(autoescape=False, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return environment.from_string(TEMPLATE.read_text()).render(variables | changed)


def run(*words: str, text: str | None = None) -> str:
    return subprocess.run(words, input=text, check=True, capture_output=True, text=True, timeout=60).stdout


def inside(namespace: str, *words: str) -> tuple[str, ...]:
    return ("ip", "netns", "exec", namespace, *words)


@pytest.fixture
def wire() -> Iterator[None]:
    """Two namespaces that see each other, or a skipped test where there can be none."""
    if shutil.which("nft") is None or shutil.which("ip") is None or os.geteuid() != 0:
        require("nftables, iproute2 or root", "the firewall's rules were not tried in a kernel")
    Path("/run/netns").mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack:
        for name in (HERE, THERE):
            try:
                run("ip", "netns", "add", name)
            except subprocess.CalledProcessError as fault:
                require("a network namespace", f"the firewall's rules were not tried in a kernel: {fault.stderr}")
            stack.callback(run, "ip", "netns", "del", name)
        run("ip", "link", "add", "here", "netns", HERE, "type", "veth", "peer", "name", "there", "netns", THERE)
        for name, link, addresses in ((HERE, "here", ("10.9.0.1/16", "2001:db8:1::1/48")), (THERE, "there", ADDRESSES)):
            for address in addresses:
                run("ip", "-n", name, "addr", "add", address, "dev", link, *(["nodad"] if ":" in address else []))
            run("ip", "-n", name, "link", "set", link, "up")
        yield


@pytest.mark.parametrize(
    "changed", [{}, {"firewall_connections_per_address": 0}, {"firewall_ssh_from": ["10.0.0.0/8"]}]
)
def test_the_kernel_takes_the_rules(wire: None, changed: dict[str, object]) -> None:
    run(*inside(HERE, "nft", "-f", "-"), text=rules(**changed))
    assert "policy drop" in run(*inside(HERE, "nft", "list", "table", "inet", "appliance"))


def test_an_address_has_only_so_many_connections_and_others_do_not_notice(wire: None) -> None:
    run(*inside(HERE, "nft", "-f", "-"), text=rules())
    with subprocess.Popen(inside(HERE, sys.executable, "-c", LISTENER), stdout=subprocess.PIPE, text=True) as listener:
        try:
            assert listener.stdout is not None
            assert listener.stdout.readline() == "ready\n"
            sources = [address.partition("/")[0] for address in ADDRESSES]
            said = run(*inside(THERE, sys.executable, "-c", CALLER, *sources)).splitlines()
        finally:
            listener.kill()
    counts = dict(line.split() for line in said)
    assert counts == {
        "10.9.0.2": "5",
        "10.9.0.3": "5",
        "10.9.7.1": "8",  # not counted
        "2001:db8:1:1::2": "5",
        "2001:db8:1:1::3": "0",  # the same network of 64 bits
        "2001:db8:1:2::2": "5",
        "again": "1",
    }
