"""Errors of a request as such: it can't be read, or asks for what this host does not serve."""

from appliance.domain.errors.base import ApplianceError

NO_IMAGES = "An album needs at least one image."
NO_IMAGES_LEFT = "An album needs at least one image. To remove the last one, delete the album."
TOO_MANY_FILES = "These are too many files. Choose fewer at a time."
TOO_MUCH_TEXT = "This is too much text. Enter less and try again."
PARTICULAR_TEXTS = (NO_IMAGES, NO_IMAGES_LEFT, TOO_MANY_FILES, TOO_MUCH_TEXT)
"""Texts of single errors, more exact than those of their classes."""


class MalformedRequest(ApplianceError):
    """The request can't be parsed as its method and path require."""

    code = "malformed-request"
    title = "The request can't be read"
    for_programmers = True
    texts = (
        "The form has {actual} fields, but at most {limit} are allowed. Send fewer at a time.",
        "The request can't be read. Reload the page and try again.",
    )


class InvalidField(ApplianceError):
    """A field of the request has a value that is not allowed."""

    code = "invalid-field"
    title = "A field has an invalid value"
    texts = (
        "A text is too long: it has {actual} characters, but at most {limit} are allowed.",
        "A field has an invalid value. Check what you entered.",
    )


class NoImageLink(InvalidField):
    """One of the images for an album isn't named by a link or a slug; `actual` is its place in the list, from 1."""

    texts = (
        "Number {actual} of these is not an image link. Links end with 17 letters and digits.",
        "One of these is not an image link. Links end with 17 letters and digits.",
    )


class UnavailableImages(InvalidField):
    """So many (`actual`) of the images for an album can't be added."""

    texts = (
        "{actual} of these images can't be added because they don't exist or are no longer available.",
        "Some of these images can't be added because they don't exist or are no longer available.",
    )


class NoSuchPage(ApplianceError):
    """Nothing is at this address."""

    code = "no-such-page"
    title = "Page not found"
    texts = ("There is nothing at this address. Check it for typos.",)


class MethodNotAllowed(ApplianceError):
    """The address exists, but not for this method."""

    code = "method-not-allowed"
    title = "This is not possible here"
    for_programmers = True
    texts = ("This is not possible at this address.",)


class FormatNotOffered(ApplianceError):
    """The response is not available in the requested format."""

    code = "format-not-offered"
    title = "This format is not available"
    texts = ("The response is not available in this format.",)


class RangeNotSatisfiable(ApplianceError):
    """The range starts after the last byte."""

    code = "range-not-satisfiable"
    title = "The range is not in the file"
    texts = ("The file ends before the requested range.",)
