"""The contract as served: `openapi.json` with this host's address, sizes, formats and limits filled in."""

import functools
import json
from pathlib import Path
from typing import Any

from appliance.config.model import Config
from appliance.http.localization import formatting

_FILE = Path(__file__).with_name("openapi.json")


@functools.lru_cache(maxsize=1)
def build_contract(config: Config) -> dict[str, Any]:
    """The OpenAPI 3.1 document in force for `config`, to be dumped as JSON."""
    document: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    document["servers"] = [{"url": config.server.base_url}]
    components = document["components"]
    components["parameters"]["Preset"]["schema"]["enum"] = [preset.name for preset in config.renditions.presets]
    formats = [image_format.value for image_format in config.renditions.formats]
    components["parameters"]["Format"]["schema"]["enum"] = formats
    seconds = components["schemas"]["ExpiresIn"]["oneOf"][0]
    seconds["maximum"] = config.uploads.max_expiry_days * formatting.DAY_S
    schemas = components["schemas"]
    for images in (schemas["NewAlbum"]["properties"]["images"], schemas["AlbumChanges"]["properties"]["add"]):
        images["maxItems"] = config.albums.max_images
    return document
