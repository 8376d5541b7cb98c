"""Takes images from anywhere in a file."""

import random
import sqlite3

from appliance.catalogue.sql.rows import images_of
from appliance.catalogue.sqlite import file_statements as sql
from appliance.domain.model import Image


def sample(connection: sqlite3.Connection, max_images: int) -> list[Image]:
    """Images from anywhere in the file; all of them if there are no more than `max_images`."""
    [last] = connection.execute(sql.LAST_ROWID).fetchone()
    places = range(1, (last or 0) + 1)
    chosen = places if len(places) <= max_images else sorted(random.sample(places, max_images))
    found = [images_of(connection.execute(sql.FROM_ROWID, {"rowid": rowid})) for rowid in chosen]
    return list({image.slug: image for images in found for image in images}.values())
