"""Images as an older release left them: rows that say what it knew, originals with what it didn't clean."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from appliance.catalogue.sql.outcome import Outcome
from appliance.catalogue.sqlite.catalogue import SqliteCatalogue
from appliance.domain.slugs import object_key
from appliance.reinspection.steps import StepRequest
from tests.support.gates import row
from tests.support.host import Host
from tests.support.images import private_pictures
from tests.support.managed_images import original, resource

OLD_RULES = {"keep_metadata": "false", "private_data": "removed", "content_credentials": "none"}


async def set_columns(host: Host, slug: str, **values: object) -> None:
    """Write into the image's row, past every rule."""
    catalogue = host.appliance.catalogue
    assert isinstance(catalogue, SqliteCatalogue)
    columns = ", ".join(f"{name} = :{name}" for name in values)

    def write(connection: Any) -> Outcome[None]:
        connection.execute(f"UPDATE images SET {columns} WHERE slug = :slug", values | {"slug": slug})
        return Outcome(None, {slug: None})

    await catalogue.writer.run(write)


def only(slug: str, *, clean: bool = False, dry_run: bool = False) -> StepRequest:
    """The step that looks at this image alone."""
    return StepRequest(after=slug[:-1], max_images=1, clean=clean, dry_run=dry_run, max_examples=10)


async def uploaded_before(host: Host, data: bytes | None = None, filename: str = "photo.jpg") -> dict[str, Any]:
    """An image that was uploaded when less was cleaned; its original is in the store."""
    image = await host.upload(private_pictures.jpeg() if data is None else data, filename, keep_metadata="true")
    await set_columns(host, image["slug"], **OLD_RULES)
    return image


def object_path(host: Host, slug: str) -> Path:
    """The file of its original in the directory store."""
    return host.appliance.config.data_dir / "store/objects" / object_key(slug)


async def agreeing(host: Host, slug: str) -> Mapping[str, Any]:
    """The image's resource, which row, served bytes, object, its metadata, ETag and sidecar must agree with."""
    await host.appliance.image_lifecycle.sync_records()
    told, served, found = await resource(host, slug), await original(host, slug), await row(host, slug)
    reply = await host.get(f"/i/{slug}/original")
    assert told["sha256"] == found.sha256 == hashlib.sha256(served).hexdigest()
    assert told["bytes"] == found.bytes == len(served)
    assert reply.headers["ETag"] == f'"{found.sha256[:32]}"'
    info = await host.appliance.store.stat(object_key(slug))
    assert (info.metadata["sha256"], info.bytes) == (found.sha256, found.bytes)
    async with await host.appliance.store.open(object_key(slug)) as reader:
        assert b"".join([chunk async for chunk in reader]) == served
    return told
