"""A server's catalogue, read past the server."""

import contextlib
import sqlite3
from pathlib import Path

from appliance.catalogue.postgres.catalogue import PostgresCatalogue
from appliance.catalogue.sqlite.catalogue import SqliteCatalogue
from appliance.domain.model import Image
from tests.support.server_process import ServerProcess


async def rows_of(served: ServerProcess) -> dict[str, Image]:
    """Every row of a server that is stopped."""
    url = served.environment.get("APPLIANCE_CATALOGUE_URL")
    stopped = PostgresCatalogue(url) if url else SqliteCatalogue(served.data_dir / "catalogue.sqlite")
    async with stopped as catalogue:
        return {image.slug: image for image in await catalogue.images.page()}


def edits_are_recorded(data_dir: Path) -> bool:
    with contextlib.closing(sqlite3.connect(f"file:{data_dir}/catalogue.sqlite?mode=ro", uri=True)) as db:
        return bool(db.execute("SELECT 1 FROM uploads WHERE length(edits) > 0").fetchone())
