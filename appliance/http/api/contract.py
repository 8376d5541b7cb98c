"""The API description as served: `openapi.json` with this host's address, sizes, formats and limits filled in."""

import functools
import json
from pathlib import Path
from typing import Any

from appliance.config.model import Config
from appliance.http.localization.formatting import DAY_S
from appliance.http.site_name import site_name

_FILE = Path(__file__).with_name("openapi.json")


@functools.lru_cache(maxsize=1)
def build_contract(config: Config) -> dict[str, Any]:
    """The OpenAPI 3.1 document in force for `config`, ready to be dumped as JSON."""
    document: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    document["servers"] = [{"url": config.server.base_url}]
    document["info"]["contact"] = {"name": site_name(config), "url": config.server.base_url}
    _fill_in_renditions(document["components"]["parameters"], config)
    _fill_in_limits(document["components"]["schemas"], config)
    return document


def _fill_in_renditions(parameters: dict[str, Any], config: Config) -> None:
    names = [preset.name for preset in config.renditions.presets]
    formats = [image_format.value for image_format in config.renditions.formats]
    for parameter, values in ((parameters["Preset"], names), (parameters["Format"], formats)):
        parameter["schema"]["enum"] = values
        if parameter["example"] not in values:
            del parameter["example"]


def _fill_in_limits(schemas: dict[str, Any], config: Config) -> None:
    seconds = schemas["ExpiresIn"]["oneOf"][0]
    seconds["maximum"] = config.uploads.max_expiry_days * DAY_S
    for images in (schemas["AlbumCreation"]["properties"]["images"], schemas["AlbumChanges"]["properties"]["add"]):
        images["maxItems"] = config.albums.max_images
