"""Several machines: what one server takes, another shows; none is missed when it stops, dies or is upgraded."""

import asyncio
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import aiohttp

from tests.deploy.breaking import goes_on, until
from tests.deploy.cluster import Cluster
from tests.deploy.load import URL, broken_promises, session
from tests.support.images import pictures

SERVERS = ("app1", "app2")
FILE = "/var/lib/appliance/catalogue.sqlite"
VIEWED = ('route="/i/', 'route="/iiif/')
SIZES = ("thumbnail.jpg", "small.jpg", "medium.jpg", "small.webp")


def everything(cluster: Cluster, version: str, next_release: Path, next_version: str) -> None:
    """The fast path."""
    install(cluster, version)
    upload_and_view(cluster)
    one_server_an_image(cluster)
    only_those_who_may(cluster)
    stop_a_server(cluster)
    for name in SERVERS:
        kill_a_server(cluster, name)
    upgrade_under_load(cluster, next_release, next_version)
    every_promise_is_kept(cluster)


def install(cluster: Cluster, version: str) -> None:
    with cluster.table.step("a catalogue in a file is not left behind"):
        cluster.machines["app1"].do("touch", FILE)
        recap = cluster.play("site", "--limit", "app1")
        assert recap.status != 0
        assert f"The catalogue of app1 is in {FILE}" in recap.output, recap.output[-3000:]
        cluster.machines["app1"].do("rm", FILE)
    with cluster.table.step("install on several machines (site.yml)") as step:
        recap = cluster.play("site").ok()
        all_know(cluster, version)
        step.note = f"changed={recap.changed}; status shows {' and '.join(SERVERS)}"
    with cluster.table.step("second run") as step:
        recap = cluster.play("site").ok()
        step.note = f"changed={recap.changed}"
        assert recap.changed == 0, recap.output[-8000:]
    cluster.trust()


def nodes(cluster: Cluster, name: str) -> list[dict[str, Any]]:
    """All servers, as the status of one shows them."""
    return list(json.loads(cluster.machines[name].do("/usr/local/sbin/appliance", "status"))["nodes"])


def all_know(cluster: Cluster, version: str) -> None:
    """Each server's status shows all of them alive, with this release."""
    for name in SERVERS:
        seen = {node["name"]: (node["state"], node["version"]) for node in nodes(cluster, name)}
        assert seen == dict.fromkeys(SERVERS, ("alive", version)), (name, seen)


def upload_and_view(cluster: Cluster) -> None:
    """By each server itself, past the front, from a machine that may ask them."""
    with cluster.table.step("upload to one server, view by the other"):
        slug = upload_to(cluster, "app1", seed=5)
        second = cluster.addresses["app2"]
        size = cluster.machines["front1"].sh(f"curl -sf http://{second}:8080/i/{slug}/thumbnail.jpg | wc -c")
        assert int(size) > 500, size


def upload_to(cluster: Cluster, name: str, seed: int) -> str:
    """The slug of a new image that this server has accepted, past the front. Raises Broken if it hasn't."""
    data = pictures.photo(seed=seed)
    (cluster.machines["front1"].root / "root" / "one.jpg").write_bytes(data)
    place = f"http://{cluster.addresses[name]}:8080/"
    link = cluster.machines["front1"].do("curl", "-sf", "--upload-file", "/root/one.jpg", place)
    slug = link.strip().rpartition("/")[2]
    cluster.promises[slug] = hashlib.sha256(data).hexdigest()
    return slug


def one_server_an_image(cluster: Cluster) -> None:
    """The front sends all requests of an image to one server, and images to both."""
    with cluster.table.step("all requests of an image reach one server") as step:
        shares = asyncio.run(_shares(cluster))
        step.note = f"{len(shares)} images: {shares}"
        assert all(0 in share for share in shares), shares
        assert {share.index(0) for share in shares} == {0, 1}, shares


async def _shares(cluster: Cluster) -> list[tuple[int, ...]]:
    shares = []
    async with session(cluster.authority, front=cluster.front) as client:
        for number in range(8):
            data = pictures.photo(seed=100 + number)
            async with client.post(f"{URL}/api/v1/images?filename=a.jpg", data=data) as reply:
                assert reply.status == 201, await reply.text()
                slug = (await reply.json())["slug"]
            before = [_views(cluster, name) for name in SERVERS]
            for path in [f"/i/{slug}", f"/iiif/3/{slug}/info.json", *(f"/i/{slug}/{size}" for size in SIZES)]:
                async with client.get(f"{URL}{path}", headers={"Appliance-Image": path}) as reply:
                    assert reply.status == 200, await reply.text()
            shares.append(tuple(_views(cluster, name) - was for name, was in zip(SERVERS, before, strict=True)))
    return shares


def _views(cluster: Cluster, name: str) -> int:
    """How many requests for images the server has answered, as its own metrics say."""
    text = cluster.machines[name].do("curl", "-sf", "http://127.0.0.1:9180/metrics")
    lines = [line for line in text.splitlines() if line.startswith("appliance_requests_total{")]
    return sum(int(float(line.split()[-1])) for line in lines if any(route in line for route in VIEWED))


def only_those_who_may(cluster: Cluster) -> None:
    """Firewall and filters let through what the parts need of each other, and nothing else; doctor agrees."""
    with cluster.table.step("nobody else reaches database, store and servers") as step:
        tried = 0
        for source, target, port, may in (
            ("app1", "db1", 5432, True), ("app1", "store1", 9000, True), ("app1", "app2", 8090, True),
            ("front1", "app1", 8080, True), ("front1", "db1", 5432, False), ("front1", "app1", 8090, False),
            ("app1", "app2", 8080, False), ("db1", "app1", 8080, False), ("db1", "store1", 9000, False),
            ("front1", "store1", 9000, False),
        ):  # fmt: skip
            assert reaches(cluster, source, target, port, 20 if may else 2) is may, (source, target, port)
            tried += 1
        doctor = cluster.machines["app1"].do("/usr/local/sbin/appliance", "doctor")
        assert re.search(r"ok +network +connects to .*the database .*the store .*the server app2", doctor), doctor
        assert "not permitted by this server's own filter" in behind_a_filter(cluster)
        step.note = f"{tried} ways; doctor agrees"


def reaches(cluster: Cluster, source: str, target: str, port: int, within_s: int) -> bool:
    """Whether one machine can connect to a port of another."""
    connect = f"timeout {within_s} bash -c '</dev/tcp/{cluster.addresses[target]}/{port}' && echo yes"
    return cluster.machines[source].try_("bash", "-c", connect) == "yes"


def behind_a_filter(cluster: Cluster) -> str:
    """What keeps a process from the database whose unit doesn't allow its address."""
    ask = (
        "import asyncio; from appliance.doctor.network import Endpoint, find_obstacle; "
        f"print(asyncio.run(find_obstacle(Endpoint('database', '{cluster.addresses['db1']}', 5432))))"
    )
    unit = (
        "systemd-run",
        "--quiet",
        "--pipe",
        "--wait",
        "--collect",
        "-pIPAddressDeny=any",
        "-pIPAddressAllow=localhost",
    )
    return cluster.machines["app1"].do(*unit, "/opt/appliance/current/bin/python3", "-c", ask)


def stop_a_server(cluster: Cluster) -> None:
    with cluster.table.step("stop a server under load, start it again") as step, cluster.load(seed=51) as account:
        step.under(account)
        cluster.machines["app1"].do("systemctl", "stop", "appliance.socket", "appliance.service")
        asyncio.run(asyncio.sleep(3))
        cluster.machines["app1"].do("systemctl", "start", "appliance.socket", "appliance.service")
    cluster.keep(account)


def kill_a_server(cluster: Cluster, name: str) -> None:
    """What it was receiving or answering is cut off, and nothing else fails: the front asks the other one."""
    with cluster.table.step(f"kill -9 {name} under load") as step, cluster.load(seed=53) as account:
        step.under(account, may_fail=True)
        machine = cluster.machines[name]
        before = machine.main_pid("appliance")
        machine.do("systemctl", "kill", "--signal=KILL", "appliance.service")
        until(lambda: machine.main_pid("appliance") not in (0, before) and is_ready(cluster, name), f"{name} is ready")
        goes_on(account)
        step.note = "only what was under way was cut off"
    assert account.failed == account.cut <= account.clients, account.words
    cluster.keep(account)


def upgrade_under_load(cluster: Cluster, release: Path, version: str) -> None:
    with cluster.table.step("rolling upgrade under load") as step, cluster.load(seed=52) as account:
        step.under(account)
        cluster.variables["appliance_release"] = str(release)
        recap = cluster.play("upgrade").ok()
        step.note = f"changed={recap.changed}"
        all_know(cluster, version)
    cluster.keep(account)


def is_ready(cluster: Cluster, name: str) -> bool:
    return '"ready": true' in cluster.machines[name].try_("/usr/local/sbin/appliance", "status")


async def uploaded(cluster: Cluster) -> tuple[str, str] | None:
    """Slug and delete token of a new image. None where it was not accepted."""
    async with session(cluster.authority, front=cluster.front) as client:
        try:
            async with client.post(f"{URL}/api/v1/images?filename=one.jpg", data=pictures.photo(seed=7)) as reply:
                image = await reply.json() if reply.status == 201 else {}
        except (aiohttp.ClientError, OSError):
            return None
    return (image["slug"], image["delete_token"]) if image else None


def every_promise_is_kept(cluster: Cluster) -> None:
    with cluster.table.step("every image that was acknowledged, byte for byte") as step:
        broken = asyncio.run(broken_promises(cluster.authority, cluster.promises, cluster.front))
        step.note = f"{len(cluster.promises)} images"
        assert broken == []
