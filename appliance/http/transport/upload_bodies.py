"""Upload bodies, parsed as they arrive: what all have in common, and raw bodies. Forms are in `form_bodies`."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import replace

from aiohttp import web

from appliance.config.model import Uploads
from appliance.domain.access_keys import key_in
from appliance.domain.clients import Client
from appliance.domain.errors import (
    TOO_MUCH_TEXT,
    ApplianceError,
    InvalidField,
    KeyInvalid,
    MalformedRequest,
    MissingFile,
)
from appliance.domain.model import UploadOptions
from appliance.domain.upload_options import (
    OPTION_NAMES,
    check_idempotency_key,
    clean_filename,
    closing_option,
    with_option,
)
from appliance.http.authentication import SEVERAL_KEYS, client_with_key, guest_with_invite, names_key
from appliance.http.invite_header import INVITE_FIELD, names_invite, only_invite, refuse_misnamed
from appliance.http.passphrase_header import new_passphrase
from appliance.http.transport.body_faults import translate_faults
from appliance.http.transport.completeness import refuse_unfinished
from appliance.http.transport.connections import open_body
from appliance.http.transport.content_digest import ContentDigest, parse_content_digest
from appliance.http.transport.request_heads import refuse_chunks, refuse_encoded, refuse_partial
from appliance.http.transport.timeouts import Timeouts
from appliance.shared.concurrency_limit import Permit
from appliance.uploads.admission import AdmissionRequest, UploadStage
from appliance.uploads.ingest import ArrivingFile

MAX_FIELD_BYTES = 16_384  # enough for an alt text of 2,000 characters in any script


TranslateField = Callable[[str, str], tuple[str, str]]
"""Name and text of a field in our own words, from those of another API."""


def keep_field(name: str, text: str) -> tuple[str, str]:
    """The `TranslateField` of our own API."""
    return name, text


def parse_query_options(
    request: web.Request, max_expiry_days: int, translate_field: TranslateField = keep_field
) -> UploadOptions:
    """The options in the query string, of a repeated one the first counts; and the passphrase, which has a header.

    Raises as `with_option`.
    """
    options = UploadOptions(passphrase=new_passphrase(request))
    for name in dict.fromkeys(request.query):
        options = with_option(options, *translate_field(name, request.query[name]), max_expiry_days)
    return options


class RequestBody(ABC):
    """What all bodies have in common: options in the request's head, timeouts, and errors that end the body.

    `filename` is used if the body doesn't name its file.
    """

    def __init__(
        self,
        request: web.Request,
        limits: Uploads,
        filename: str = "",
        *,
        translate_field: TranslateField = keep_field,
    ) -> None:
        self._request = request
        self._limits = limits
        self._filename = filename
        self._translate_field = translate_field
        self._timeouts = Timeouts(limits.idle_timeout_s)
        self._options = UploadOptions()
        self._arrived_bytes = 0
        self._fault: Exception | None = None
        self._digest: ContentDigest | None = None
        self._fields: dict[str, str] = {}
        self._refusal: ApplianceError | None = None
        self._key: str | None = None
        self._invite: str | None = None
        self._has_identified = False
        self.skipped = 0
        """How many files exceeded the limit of one form."""

    @property
    def takes_several(self) -> bool:
        return False

    @property
    def form_values(self) -> dict[str, str]:
        """The text fields that have arrived, for showing the form again."""
        return {
            name: text for name, text in self._fields.items() if name not in ("filename", "expires_at", "passphrase")
        }

    def admission_request(self, client: Client) -> AdmissionRequest:
        refuse_encoded(self._request)
        refuse_unfinished(self._request)
        refuse_partial(self._request)
        if expected := parse_content_digest(self._request):
            self._digest = ContentDigest(expected)
        self._options = parse_query_options(self._request, self._limits.max_expiry_days, self._translate_field)
        if (key := self._request.headers.get("Idempotency-Key")) is not None:
            check_idempotency_key(key)
            self._options = replace(self._options, idempotency_key=key)
        return AdmissionRequest(
            client, UploadStage.WHOLE, self._announced_bytes(), self._options.expires_in_s, self.has_fields, key
        )

    @property
    def has_fields(self) -> bool:
        """Whether fields may come with the file."""
        return False

    async def identified(self, client: Client) -> Client:
        self._has_identified = True
        if self._key is not None:
            known = await client_with_key(self._request, self._key)
            client = replace(known, invite=client.invite, album_key=client.album_key)
        return client if self._invite is None else await guest_with_invite(self._request, client, self._invite)

    def options(self, file: ArrivingFile) -> UploadOptions:
        return replace(self._options, filename=self._options.filename or clean_filename(file.name or self._filename))

    def _announced_bytes(self) -> int:
        return self._request.content_length or 0

    def _left_bytes(self) -> int | None:
        """The announced bytes of a file in a form: what is left of the form, because its other parts are small."""
        if self._request.content_length is None:
            return None
        return min(self._request.content_length - self._arrived_bytes, self._limits.max_bytes)

    def _note_field(self, name: str, text: str) -> None:
        """Note a field of a form. An error in it is raised by `_require_options`, when all fields have been read."""
        try:
            if names_key(name) and (key := key_in(text)) is not None:
                self._require_before_file(name)
                if self._key not in (None, key):
                    raise KeyInvalid(SEVERAL_KEYS)
                self._key = key
                return
            if name == INVITE_FIELD and text:
                self._require_before_file(name)
                self._invite = only_invite(text, self._invite or text)
                return
            if text:
                refuse_misnamed(name)
            refuse_chunks(name, text)
            name, text = self._translate_field(name, text)
            if name in OPTION_NAMES:
                self._fields[name] = text
            self._options = with_option(self._options, name, text, self._limits.max_expiry_days)
        except ApplianceError as fault:
            self._refusal = self._refusal or fault

    def _require_before_file(self, name: str) -> None:
        """Raises InvalidField behind the first file, which was accepted or refused without the field by then."""
        if self._has_identified:
            raise InvalidField(f"The field “{name}” must come before the file.")

    def _require_options(self) -> None:
        """Raises the first error in the options."""
        if self._refusal is not None:
            raise self._refusal

    async def _text(self, name: str, chunks: AsyncIterator[bytes]) -> str:
        """The text of a field. Raises InvalidField if it is too long, MalformedRequest."""
        content = bytearray()
        async for chunk in chunks:
            content += chunk
            if len(content) > MAX_FIELD_BYTES:
                raise InvalidField(
                    f"The field “{name[:40]}” has more than {MAX_FIELD_BYTES:,} bytes.",
                    limit=MAX_FIELD_BYTES,
                    actual=len(content),
                    texts=(TOO_MUCH_TEXT,),
                )
        try:
            return content.decode()
        except UnicodeDecodeError as fault:
            raise MalformedRequest("A form field is not UTF-8 text.") from fault

    @staticmethod
    def _is_text(name: str) -> bool:
        """Whether a field of this name is a text, also where a program sends it from a file."""
        return name in OPTION_NAMES or closing_option(name) is not None or names_key(name) or names_invite(name)

    @abstractmethod
    def files(self, permit: Permit) -> AsyncGenerator[ArrivingFile, None]:
        """As `UploadBody.files`."""

    async def _content(self) -> AsyncIterator[bytes]:
        """The content as it arrives. Raises DigestMismatch behind its last chunk."""
        open_body(self._request)
        async for chunk in self._request.content.iter_any():
            if self._digest is not None:
                self._digest.update(chunk)
            yield chunk
        if self._digest is not None:
            self._digest.require_match()

    async def _received(self, chunks: AsyncIterator[bytes], permit: Permit) -> AsyncIterator[bytes]:
        """The chunks, counted, with timeouts. An error is remembered, because nothing can be read after it."""
        try:
            with translate_faults(self._limits):
                async for chunk in permit.counted(self._timeouts.stream(chunks)):
                    self._arrived_bytes += len(chunk)
                    yield chunk
        except Exception as fault:
            self._fault = fault
            raise


class RawBody(RequestBody):
    """A body that is the file."""

    async def files(self, permit: Permit) -> AsyncGenerator[ArrivingFile, None]:
        if self._request.content_length == 0 or not self._request.body_exists:
            raise MissingFile("The request has no body. Send the file as the body, or as the form field “file”.")
        stream = self._received(self._content(), permit)
        yield ArrivingFile("", stream, self._request.content_length, is_exact=True)
