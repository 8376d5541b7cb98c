"""Upload options: parses, limits and cleans the names, texts and durations that come with a file."""

import re
import unicodedata
from dataclasses import replace

from appliance.domain import tokens
from appliance.domain.clock import DAY_S
from appliance.domain.errors import IdempotencyKeyInvalid, InvalidExpiry, InvalidField
from appliance.domain.model import KeepMetadata, UploadOptions
from appliance.domain.passphrases import check_passphrase, only_passphrase

MAX_TITLE_CHARS = 200
MAX_ALT_CHARS = 2000
MAX_FILENAME_BYTES = 255  # the limit of filesystems, so that a download can be saved under the name
UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": DAY_S, "w": 7 * DAY_S}
OPTION_NAMES = ("filename", "title", "alt", "expires_in", "expires_at", "keep_metadata", "passphrase", "one_view")
DIRECTION_MARKS = frozenset(  # they can disguise an extension
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
MAX_NAME_CHARS = 1024  # of a name before cleaning: normalizing long runs of accents does not take linear time
_ISO_UNITS_S = (365 * DAY_S, 30 * DAY_S, 7 * DAY_S, DAY_S, 3600, 60, 1)
_ISO_DURATION = re.compile(
    r"P(?:([0-9]{1,9})Y)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})W)?(?:([0-9]{1,9})D)?"
    r"(?:T(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})S)?)?",
    re.ASCII,
)
_TO_BLANKS = str.maketrans("\r\n\t", "   ")
_YES_OR_NO = {  # forms and people say it in many ways
    **dict.fromkeys(("", "0", "false", "no", "off"), False),
    **dict.fromkeys(("1", "true", "yes", "on"), True),
}
_KEEP_METADATA = {text: KeepMetadata.ALL if yes else KeepMetadata.NOTHING for text, yes in _YES_OR_NO.items()} | {
    "credits": KeepMetadata.CREDITS
}
_CLOSING = {
    **dict.fromkeys(
        ("passphrase", "password", "passwd", "passcode", "passwort", "kennwort", "pass", "pwd"), "passphrase"
    ),
    **dict.fromkeys(("oneview", "viewonce"), "one_view"),
}
"""What people and programs call the options that close an image or album, in small letters and without joints."""
_NO_JOINTS = str.maketrans("", "", " -_")
NEVER_IN_NAMES = ("Cc", "Cs", "Co", "Cn", "Zl", "Zp")  # control, surrogate, private, unassigned, line breaks


def with_option(options: UploadOptions, name: str, text: str, max_expiry_days: int) -> UploadOptions:
    """The options with one more, from its text in a form or query string. Options are checked and cleaned only here.

    Other names change nothing, but for misspelt ones of what closes an image, which would be public then. An empty
    passphrase or `one_view` takes back no other. Raises InvalidField, InvalidExpiry, with limit and actual value.
    """
    match name:
        case "filename":
            return replace(options, filename=clean_filename(text) if text else "")
        case "title" | "alt":
            return _described(options, name, text)
        case "expires_in":
            return replace(options, expires_in_s=_parse_expiry(text, max_expiry_days) if text else None)
        case "expires_at" if text:
            raise InvalidExpiry(
                "Uploads accept expires_in (3600, 12h, 30d). Use expires_at to change the expiry later."
            )
        case "keep_metadata":
            return replace(options, keep_metadata=parse_keep_metadata(text))
        case "passphrase" | "one_view":
            return _closed(options, name, text) if text else options
    refuse_misspelt(name, text)
    return options


def closing_option(name: str) -> str | None:
    """The option of those that close an image or album that a field of this name means; None for other names."""
    return _CLOSING.get(name.lower().translate(_NO_JOINTS))


def refuse_misspelt(name: str, text: str) -> None:
    """Raises InvalidField for another name of an option that closes an image or album, which would be public then."""
    if text and (meant := closing_option(name)) not in (None, name):
        raise InvalidField(f"The field is called {meant}, not {name[:40]}.")


def _described(options: UploadOptions, name: str, text: str) -> UploadOptions:
    if name == "title":
        return replace(options, title=clean_text(name, text, MAX_TITLE_CHARS))
    return replace(options, alt=clean_text(name, text, MAX_ALT_CHARS))


def _closed(options: UploadOptions, name: str, text: str) -> UploadOptions:
    if name == "one_view":
        return replace(options, one_view=_parse_yes_or_no(name, text))
    return replace(options, passphrase=only_passphrase(options.passphrase, check_passphrase(text)))


def _parse_expiry(text: str, max_expiry_days: int) -> int:
    expires_in_s = parse_duration(text)
    check_expiry(expires_in_s, max_expiry_days)
    return expires_in_s


def clean_options(options: UploadOptions) -> UploadOptions:
    """Cleans options from a row: older releases recorded them as they came."""
    return replace(
        options,
        filename=clean_filename(options.filename),
        title=_one_line(options.title or "") or None,
        alt=_one_line(options.alt or "") or None,
    )


def check_expiry(expires_in_s: int, max_expiry_days: int) -> None:
    """Raises InvalidExpiry if an image may not be kept for that many seconds."""
    check_expiry_s(expires_in_s, max_expiry_days * DAY_S)


def check_expiry_s(expires_in_s: int, longest_s: int) -> None:
    """The same for a limit in seconds."""
    if not 1 <= expires_in_s <= longest_s:
        longest = f"{longest_s:,} seconds"
        if longest_s % DAY_S == 0:
            longest = f"{longest_s // DAY_S:,} days ({longest})"
        raise InvalidExpiry(
            f"An image can be kept from 1 second to {longest}, not {expires_in_s:,} seconds.",
            limit=longest_s,
            actual=expires_in_s,
        )


def parse_duration(text: str) -> int:
    """Seconds from `3600`, `12h`, `30d` (s, m, h, d, w). Raises InvalidExpiry."""
    match = re.fullmatch(r"([0-9]{1,12})([smhdw]?)", text.strip(), re.ASCII)
    if match is None:
        raise InvalidExpiry("expires_in must be whole seconds (3600) or a number with a unit (12h, 30d, 4w).")
    return int(match[1]) * UNITS_S[match[2] or "s"]


def parse_iso_duration(text: str) -> int:
    """Seconds from an ISO 8601 duration (`P30D`, `PT12H`), with years of 365 and months of 30 days, or from seconds.

    Raises InvalidExpiry.
    """
    text = text.strip().upper()
    if text.isascii() and text.isdecimal():
        return parse_duration(text)
    match = _ISO_DURATION.fullmatch(text)
    if match is None or text.endswith(("P", "T")):
        raise InvalidExpiry("expiration must be an ISO 8601 duration (P30D, PT12H) or whole seconds.")
    return sum(int(count) * unit_s for count, unit_s in zip(match.groups("0"), _ISO_UNITS_S, strict=True))


def parse_keep_metadata(text: str | None) -> KeepMetadata:
    """How much of a file's metadata to keep; by default nothing. Raises InvalidField."""
    if (keep := keep_metadata_of(text or "")) is None:
        raise InvalidField("keep_metadata must be false, credits or true.", texts=InvalidField.texts)
    return keep


def _parse_yes_or_no(name: str, text: str) -> bool:
    """A choice of a form, by default no. Raises InvalidField."""
    if (choice := _YES_OR_NO.get(text.strip().lower())) is None:
        raise InvalidField(f"{name} must be true or false.")
    return choice


def keep_metadata_of(text: str) -> KeepMetadata | None:
    """The choice that the text names; None if it names none."""
    return _KEEP_METADATA.get(text.strip().lower())


def clean_text(name: str, text: str | None, max_chars: int) -> str | None:
    """A title or alt text: trimmed, None if empty. Raises InvalidField if it is too long or has control characters."""
    if text is None:
        return None
    text = _one_line(text)
    if len(text) > max_chars:
        raise InvalidField(
            f"{name} has {len(text):,} characters, but at most {max_chars:,} are allowed.",
            limit=max_chars,
            actual=len(text),
            texts=InvalidField.texts,
        )
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in text):
        raise InvalidField(f"{name} contains control characters. Use plain text.", texts=InvalidField.texts)
    return text or None


def _one_line(text: str) -> str:
    return text.translate(_TO_BLANKS).strip()


def check_idempotency_key(key: str) -> None:
    """Raises IdempotencyKeyInvalid: the key gives access to the delete token, so it must be long enough."""
    if not tokens.MIN_KEY_CHARS <= len(key) <= tokens.MAX_KEY_CHARS or not key.isprintable() or not key.isascii():
        raise IdempotencyKeyInvalid(
            f"An Idempotency-Key must have {tokens.MIN_KEY_CHARS} to {tokens.MAX_KEY_CHARS} ASCII characters, "
            f"for example a random UUID. This one has {len(key)}.",
            limit=tokens.MIN_KEY_CHARS if len(key) < tokens.MIN_KEY_CHARS else tokens.MAX_KEY_CHARS,
            actual=len(key),
        )


def clean_filename(name: str) -> str:
    """A name in any script that can be saved anywhere: without folders and control characters, and limited."""
    name = name.encode("utf-8", "replace").decode()
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    if len(name) > MAX_NAME_CHARS:
        name = name[: MAX_NAME_CHARS // 2] + name[-MAX_NAME_CHARS // 2 :]
    name = "".join(char for char in name if unicodedata.category(char) not in NEVER_IN_NAMES)
    name = "".join(char for char in name if char not in DIRECTION_MARKS)
    name = _trimmed(unicodedata.normalize("NFC", name))
    stem, dot, extension = name.rpartition(".")
    if len(name.encode()) > MAX_FILENAME_BYTES and dot and len(extension.encode()) <= 16:
        room = MAX_FILENAME_BYTES - len(extension.encode()) - 1
        return f"{_cut(stem, room)}.{extension}"
    return _trimmed(_cut(name, MAX_FILENAME_BYTES)) or "image"


def _trimmed(name: str) -> str:
    """The name without blanks and dots at its ends, which hide files or are dropped by some systems."""
    kept = [place for place, char in enumerate(name) if char != "." and not char.isspace()]
    return name[kept[0] : kept[-1] + 1] if kept else ""


def _cut(text: str, max_bytes: int) -> str:
    return text.encode()[:max_bytes].decode(errors="ignore")
