"""Forms without a file: reading one within bounds, and its text fields."""

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from multidict import MultiDictProxy

from appliance.catalogue import UNCHANGED, Unchanged
from appliance.domain.errors import InvalidField, MalformedRequest
from appliance.domain.passphrases import check_passphrase, only_passphrase
from appliance.domain.upload_options import closing_option, refuse_misspelt
from appliance.http.transport.multipart import fields_of, too_many_fields
from appliance.http.transport.request_heads import refuse_other_charsets
from appliance.http.transport.small_bodies import small_body

Form = MultiDictProxy[str] | MultiDictProxy[str | bytearray | bytes | web.FileField]
MAX_FORM_FIELDS = 4096
"""Two for each image of the largest album that can be configured, and some to spare."""


async def read_form(request: web.Request) -> Form:
    """The fields of a form. Raises MalformedRequest, EncodedBody, SlowUpload, Busy."""
    try:
        async with small_body(request):
            refuse_other_charsets(request.charset)
            if request.content_type == "multipart/form-data":
                return await fields_of(request)
            if request.content_type == "application/x-www-form-urlencoded":
                count = (await request.read()).count(b"&") + 1
                if count > MAX_FORM_FIELDS:
                    raise too_many_fields(MAX_FORM_FIELDS, count)
            return await request.post()
    except (ValueError, AssertionError, LookupError, HttpProcessingError) as fault:
        raise MalformedRequest("The form can't be read because it is malformed.") from fault


def text_field(form: Form, name: str) -> str:
    """The field's text; empty if it is missing or a file."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def entered_passphrase(form: Form) -> str | None:
    """The passphrase that was entered to lock something; None without one.

    Raises InvalidField, also for what means to close it in another way, because it would stay open.
    """
    passphrase: str | None = None
    for name, value in form.items():
        if not isinstance(value, str) or not value or (meant := closing_option(name)) is None:
            continue
        refuse_misspelt(name, value)
        if meant != "passphrase":
            raise InvalidField(f"This form can't set {meant}. Set it with the upload of an image, or by the API.")
        passphrase = only_passphrase(passphrase, check_passphrase(value))
    return passphrase


def changed_passphrase(form: Form) -> str | Unchanged | None:
    """A new passphrase, None to remove it, UNCHANGED where none was entered. Raises InvalidField."""
    if text_field(form, "remove_passphrase"):
        return None
    return entered_passphrase(form) or UNCHANGED


def changed_text(form: Form, name: str) -> str | Unchanged:
    """The field's text; UNCHANGED where the form has no such field."""
    return text_field(form, name) if name in form else UNCHANGED
