"""The doctor's checks of libvips, the workers' sandbox and the object store."""

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator
from typing import Any

from appliance.config.model import Config
from appliance.doctor.findings import Finding, fault, ok, warn
from appliance.domain.errors import ApplianceError
from appliance.objectstore import ObjectStore, StoreNotCreated, open_store

_PROBE_WITHIN_S = 60.0
_STORE_WITHIN_S = 30.0
_PROBE_BYTES = b"a probe of appliance doctor"
_PROTECTIONS = {
    "landlock": "this kernel doesn't support Landlock, which needs Linux 5.13 or later (lsm=landlock)",
    "seccomp": "this kernel lacks seccomp filters (CONFIG_SECCOMP_FILTER; x86_64 and aarch64): no calls are blocked",
}
"""How the names of a worker's protections begin, and what to say where one is missing."""


class ProbeFailed(Exception):
    """A probe process did not answer. The text says how it ended."""


async def libvips(_config: Config) -> AsyncIterator[Finding]:
    try:
        found = await run_probe("libvips")
    except ProbeFailed as error:
        yield fault("libvips", f"can't be loaded ({error}). Reinstall the wheels: make clean run")
        return
    words = f"{found['version']} with {', '.join(found['formats'])}"
    yield fault("libvips", found["unfit"]) if found["unfit"] else ok("libvips", words)


async def fast_jpeg(config: Config) -> AsyncIterator[Finding]:
    if not config.renditions.fast_jpeg:
        yield ok(
            "fast-jpeg", "off by renditions.fast_jpeg: libvips makes the sizes of JPEGs, which takes twice as long"
        )
        return
    try:
        found = await run_probe("fast-jpeg")
    except ProbeFailed as error:
        yield fault("fast-jpeg", f"the C extension breaks the process ({error}). Set renditions.fast_jpeg = false")
        return
    if found["lacking"]:
        yield warn("fast-jpeg", f"sizes of JPEGs take twice as long, made by libvips alone: {found['lacking']}")
    elif found["lacking_webp"]:
        yield warn("fast-jpeg", f"WebPs of JPEGs take longer, made by libvips alone: {found['lacking_webp']}")
    else:
        yield ok("fast-jpeg", f"{found['kernels']} kernels with {' and '.join(found['libraries'])}")


async def sandbox(_config: Config) -> AsyncIterator[Finding]:
    try:
        on = (await run_probe("sandbox"))["protections"]
    except ProbeFailed as error:
        yield fault("sandbox", f"workers can't drop their privileges ({error})")
        return
    words = f"workers decode with {', '.join(on) or 'no sandbox'}"
    lacking = [advice for name, advice in _PROTECTIONS.items() if not any(each.startswith(name) for each in on)]
    yield warn("sandbox", "; ".join([words, *lacking])) if lacking else ok("sandbox", words)


async def store(config: Config) -> AsyncIterator[Finding]:
    where = config.store.endpoint if config.store.kind == "minio" else str(config.store_dir)
    try:
        objects = open_store(config.store, config.data_dir)
        try:
            async with asyncio.timeout(_STORE_WITHIN_S):
                await _round_trip(objects)
        finally:
            await objects.close()
    except StoreNotCreated:
        is_bucket = config.store.kind == "minio"
        missing = f"bucket {config.store.bucket}" if is_bucket else "folder"
        condition = ", if the key may (s3:CreateBucket)" if is_bucket else ""
        yield warn(
            "store", f"{config.store.kind} at {where} has no {missing} yet; the first start creates it{condition}"
        )
    except ApplianceError as error:
        yield fault("store", f"{config.store.kind} at {where}: {error.detail}")
    except TimeoutError:
        yield fault(
            "store", f"{config.store.kind} at {where} didn't answer within {_STORE_WITHIN_S:.0f} s: is it running?"
        )
    else:
        yield ok("store", f"{config.store.kind} at {where} accepts, returns and deletes objects")


async def _round_trip(objects: ObjectStore) -> None:
    await objects.check()
    key = f"probe/{secrets.token_hex(8)}"
    await objects.put_bytes(key, _PROBE_BYTES, media_type="text/plain")
    try:
        async with await objects.open(key) as reader:
            got = b"".join([chunk async for chunk in reader])
    finally:
        await objects.delete(key)
    if got != _PROBE_BYTES:
        raise CorruptingStore("it returned different bytes from those stored: don't trust it with images")


class CorruptingStore(ApplianceError):
    """The store returns other bytes than it was given."""

    code = "store-lies"
    title = "The object store corrupts objects"


async def run_probe(name: str) -> dict[str, Any]:
    """What a probe finds, in a process of its own. Raises ProbeFailed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "appliance.doctor.probes",
        name,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_PROBE_WITHIN_S):
            output, complaints = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise ProbeFailed("no answer") from None
    try:
        return dict(json.loads(output))
    except ValueError:
        last = complaints.decode(errors="replace").strip().splitlines()[-1:]
        raise ProbeFailed(last[0] if last else f"exit status {process.returncode}") from None
