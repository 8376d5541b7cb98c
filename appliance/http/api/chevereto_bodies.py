"""What clients of Chevereto's API send: a file, Base64 or a data URL in `source`, and its names of fields."""

from collections.abc import AsyncGenerator
from enum import StrEnum

from aiohttp import web

from appliance.config.model import Uploads
from appliance.domain.errors import MissingFile
from appliance.domain.upload_options import parse_iso_duration
from appliance.http.transport.base64_files import open_base64
from appliance.http.transport.form_bodies import FormBody
from appliance.http.transport.upload_bodies import RawBody, RequestBody, TranslateField
from appliance.http.transport.urlencoded import UrlencodedReader
from appliance.shared.concurrency_limit import Permit
from appliance.uploads.ingest import ArrivingFile

FILE_FIELD = "source"
ENCODED_BYTES = 4  # at most, of an urlencoded form for each byte of its file: `%2B` for 6 bits


class ReplyFormat(StrEnum):
    """What the client wants to read; `format` in a form or query."""

    JSON = "json"
    TXT = "txt"
    """The address of the file as text; of an error, its sentence."""
    REDIRECT = "redirect"
    """A redirect to the share page."""


_FORMATS = {each.value: each for each in ReplyFormat}


class CheveretoFields:
    """Translates Chevereto's fields into ours, and notes which reply the client wants. Unknown formats are JSON."""

    def __init__(self) -> None:
        self.reply_format = ReplyFormat.JSON

    def translate(self, name: str, text: str) -> tuple[str, str]:
        """Raises InvalidExpiry."""
        match name:
            case "format":
                self.reply_format = _FORMATS.get(text.strip().lower(), ReplyFormat.JSON)
            case "description":
                return "alt", text
            case "expiration":
                return "expires_in", str(parse_iso_duration(text)) if text.strip() else ""
        return name, text


def chevereto_body(request: web.Request, limits: Uploads, translate_field: TranslateField) -> RequestBody:
    """The body of an upload by Chevereto's API, in any form that its clients send."""
    if request.content_type.startswith("multipart/"):
        return FormBody(request, limits, file_field=FILE_FIELD, accepts_base64=True, translate_field=translate_field)
    if request.content_type == "application/x-www-form-urlencoded":
        return UrlencodedBody(request, limits, translate_field=translate_field)
    return RawBody(request, limits, translate_field=translate_field)


class UrlencodedBody(RequestBody):
    """An urlencoded form with the file as Base64 or data URL in `source`."""

    @property
    def has_fields(self) -> bool:
        return True

    def _announced_bytes(self) -> int:
        return super()._announced_bytes() // ENCODED_BYTES

    async def files(self, permit: Permit) -> AsyncGenerator[ArrivingFile, None]:
        """As `UploadBody.files`; there is one file at most."""
        count = 0
        chunks = self._received(self._content(), permit)
        async for name, value in UrlencodedReader(chunks).fields():
            if name != FILE_FIELD or count:
                self._note_field(name, await self._text(name, value))
            elif (stream := await open_base64(value)) is not None:
                count += 1
                self._require_options()
                yield ArrivingFile("", stream, self._left_bytes())
        if not count:
            raise MissingFile(f"The form has no file field named “{FILE_FIELD}”.")
        self._require_options()
