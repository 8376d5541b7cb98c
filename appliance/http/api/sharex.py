"""The ShareX uploader: a file that ShareX on Windows imports to upload to this host."""

from aiohttp import web

from appliance.config.model import ANYONE, KEY, Config
from appliance.http.keys import CONFIG
from appliance.http.links import Links
from appliance.http.responses import json_answer
from appliance.http.site_name import site_name

KEY_PLACEHOLDER = "imgk_YOUR-KEY"
"""What a person replaces by an access key, in the settings of the uploader."""


async def show_sharex(request: web.Request) -> web.Response:
    """GET /sharex.sxcu"""
    headers = {"Content-Disposition": 'attachment; filename="sharex.sxcu"', "Cache-Control": "no-store"}
    return json_answer(sharex_uploader(request.app[CONFIG]), headers=headers)


def sharex_uploader(config: Config) -> dict[str, object]:
    """A ShareX custom uploader (.sxcu). ShareX replaces the braces with values from the JSON reply to an upload.

    Where a key is needed, it has a header for one.
    """
    links = Links.of(config)
    needs_key = KEY in config.access.uploads and ANYONE not in config.access.uploads
    headers = {"Headers": {"X-API-Key": KEY_PLACEHOLDER}} if needs_key else {}
    return {
        "Version": "15.0.0",
        "Name": site_name(config),
        "DestinationType": "ImageUploader",
        "RequestMethod": "POST",
        "RequestURL": links.absolute("/api/v1/images"),
        **headers,
        "Body": "MultipartFormData",
        "FileFormName": "file",
        "URL": "{json:url}",
        "ThumbnailURL": "{json:renditions.thumbnail.url}",
        "DeletionURL": "{json:url}#{json:delete_token}",
        "ErrorMessage": "{json:detail}",
    }
