"""Segments of unfinished uploads, as a test finds them in the store."""

from appliance.domain import tokens
from appliance.resumable.segments import PREFIX
from tests.support.host import Host
from tests.support.tus_client import Tus, sha256
from tests.support.waiting import until

SEGMENT_BYTES = 100_000


def id_of(where: str) -> str:
    """What an upload is called in rows, files and keys."""
    return tokens.hash_secret(where.rpartition("/")[2])


async def content_of(host: Host, where: str) -> bytes:
    """The bytes that the store has of the upload, as far as they have no gap."""
    store, content = host.appliance.store, b""
    for key in [entry.key async for entry in store.list(f"{PREFIX}{id_of(where)}/")]:
        if int(key.rpartition("/")[2]) != len(content):
            break
        async with await store.open(key) as reader:
            content += b"".join([block async for block in reader])
    return content


async def stored_at_least(host: Host, where: str, length: int) -> None:
    """Returns once the store has so much of the upload."""

    async def is_there() -> bool:
        return len(await content_of(host, where)) >= length

    await until(is_there, f"{length} bytes in the store")


async def is_empty(host: Host, where: str) -> bool:
    """Whether the store has nothing of the upload."""
    return not [entry async for entry in host.appliance.store.list(f"{PREFIX}{id_of(where)}/")]


async def begun(host: Host, data: bytes, here: int, **metadata: str) -> str:
    """An upload of which `here` bytes are here, and all whole segments of them in the store."""
    tus = Tus(host)
    where = await tus.create(len(data), **metadata)
    assert (await tus.patch(where, 0, data[:here])).status == 204
    await stored_at_least(host, where, here - here % SEGMENT_BYTES)
    return where


async def finished(host: Host, where: str, data: bytes) -> None:
    """The upload continues where the host says, and becomes the right image."""
    tus = Tus(host)
    offset = await tus.offset(where)
    assert (await tus.patch(where, offset, data[offset:])).status == 204
    image = await tus.image(where)
    assert image["sha256"] == sha256([data])
    assert sha256([await tus.original(image["slug"])]) == sha256([data])
