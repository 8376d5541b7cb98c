"""The ShareX uploader: a file that ShareX on Windows imports to upload to this host."""

from aiohttp import web

from appliance.config.model import Config
from appliance.http.keys import CONFIG
from appliance.http.links import Links
from appliance.http.responses import json_answer
from appliance.http.site_name import site_name


async def show_sharex(request: web.Request) -> web.Response:
    """GET /sharex.sxcu"""
    headers = {"Content-Disposition": 'attachment; filename="sharex.sxcu"', "Cache-Control": "no-store"}
    return json_answer(sharex_uploader(request.app[CONFIG]), headers=headers)


def sharex_uploader(config: Config) -> dict[str, object]:
    """A ShareX custom uploader (.sxcu). ShareX replaces the braces with values from the JSON reply to an upload."""
    links = Links.of(config)
    return {
        "Version": "15.0.0",
        "Name": site_name(config),
        "DestinationType": "ImageUploader",
        "RequestMethod": "POST",
        "RequestURL": links.absolute("/api/v1/images"),
        "Body": "MultipartFormData",
        "FileFormName": "file",
        "URL": "{json:url}",
        "ThumbnailURL": "{json:renditions.thumbnail.url}",
        "DeletionURL": "{json:url}#{json:delete_token}",
        "ErrorMessage": "{json:detail}",
    }
