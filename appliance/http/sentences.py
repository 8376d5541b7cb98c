"""What a person is told when something goes wrong, by the problem's code: translated with the rest of the pages.

Each code has its ways to say it, the most exact first; the first whose figures are all known is taken. The figures are
the problem's `limit` and `actual`: as numbers, as bytes (`limit_size`), or as days (`limit_days`). English readers get
the problem's own words, which know more.
"""

from collections.abc import Mapping


def _(message: str) -> str:
    """Marks what is to be translated."""
    return message


_NOT_TAKEN = _("This file is no picture of a kind that is taken here. Save it as JPEG or PNG and try again.")
_IMAGE_CHANGED = _("The picture changed meanwhile. Load the page again, then try once more.")
_LATER = _("This does not work just now. Try again in a moment.")
_BROKEN_OFF = _("The connection ended before everything was here. Send it again.")

SENTENCES: Mapping[str, tuple[str, ...]] = {
    "malformed-request": (
        _("The form has {actual} fields, and at most {limit} are read. Send fewer at a time."),
        _("What was sent can’t be read. Load the page again, then try once more."),
    ),
    "missing-file": (_("No file came along. Choose a picture first."),),
    "empty-upload": (_("The file has no bytes. Choose a file that has some."),),
    "invalid-field": (
        _("A text is too long: it has {actual} characters, and at most {limit} are taken."),
        _("A field holds something that is not taken. Check what was typed or pasted."),
    ),
    "invalid-expiry": (
        _("A picture can be kept for {limit_days} days at most."),
        _("This is no time that a picture can be kept for."),
    ),
    "too-large": (
        _("This is too large: {actual_size} or more, and at most {limit_size} are taken."),
        _("This is too large; at most {limit_size} are taken."),
        _("This is too large."),
    ),
    "unsupported-format": (_NOT_TAKEN,),
    "not-an-image": (_NOT_TAKEN,),
    "unreadable-image": (_("This picture can’t be read: the file is damaged or incomplete."),),
    "incomplete-upload": (_BROKEN_OFF,),
    "upload-timeout": (
        _("Next to nothing came for {limit} seconds. Send the file again."),
        _("Next to nothing came for a while. Send the file again."),
    ),
    "checksum-mismatch": (_("Bytes changed on their way. Send the file again."),),
    "offset-mismatch": (_("This upload goes on at another place than was thought. Try again."),),
    "remote-url-refused": (_("Links to pictures are not fetched. Download the picture and choose its file."),),
    "not-found": (_("No picture has this link. Check it for typing errors; upper and lower case matter."),),
    "gone": (_("This picture is not here any more: it was deleted, never arrived whole, or its time is over."),),
    "album-not-found": (_("No album has this link. Check it for typing errors; upper and lower case matter."),),
    "album-gone": (_("This album is not here any more: it was deleted, is empty, or its time is over."),),
    "too-many-images": (
        _("An album holds {limit} pictures at most; these would be {actual}."),
        _("These are more pictures than an album holds."),
    ),
    "unknown-rendition": (_("This picture is not made in this size or format."),),
    "not-here-yet": (_("This picture is still being uploaded. Come back in a moment."),),
    "upload-not-found": (_("This upload is not here any more. Start it anew."),),
    "upload-gone": (_("This upload was given up. Start it anew."),),
    "cannot-resize": (_("No other size of this picture can be made. The original can be downloaded."),),
    "no-such-page": (_("Nothing is at this address. Check it for typing errors."),),
    "format-not-offered": (_("The answer can’t be given in this format."),),
    "method-not-allowed": (_("This can’t be done at this address."),),
    "range-not-satisfiable": (_("The file has no bytes there."),),
    "token-required": (_("The delete token is missing. It is the last part of the manage link."),),
    "token-wrong": (_("This delete token is not the right one. Copy it, or the whole manage link, once more."),),
    "conflict": (_IMAGE_CHANGED,),
    "disk-full": (
        _("There is no room for this just now: {actual_size} are needed. Try again later."),
        _("There is no room for this just now. Try again later."),
    ),
    "busy": (_("Too much is going on just now. Try again in a moment."),),
    "upload-paused": (_("There is no room for more just now. What has come is kept. Try again later."),),
    "upload-locked": (_("Another tab or connection works on this upload. Try again in a moment."),),
    "store-unavailable": (_("The store of the pictures does not answer. Try again in a moment."),),
    "object-missing": (_("The file of this picture can’t be found just now. Try again later."),),
    "stopping": (_("The server is restarting. Try again in a moment."),),
    "draining": (_("No pictures are taken just now; those that are here can be seen. Try again later."),),
    "catalogue-unavailable": (_LATER,),
    "internal-error": (_("Something went wrong here. It was noted; please try again."),),
}

NEVER_SHOWN = frozenset(
    {
        "invalid-idempotency-key",  # our pages make these keys themselves
        "idempotency-key-in-use",
        "idempotency-key-reused",
        "unsupported-tus-version",  # nor do they speak tus wrongly
        "encoded-body",
        "wrong-content-type",
        "parts-unfinished",
        "upload-is-final",
        "invalid-image-request",  # below /iiif/ every problem is JSON
        "unsupported-image-request",
    }
)
"""Codes that only programs meet."""
