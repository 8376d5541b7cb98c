"""Two languages that nobody speaks, made from the English messages: one with longer words, one from right to left.

They have the tags of real languages, for dates and numbers. Each is one file, as a translator's is.
"""

import re
from pathlib import Path

from babel.messages.catalog import Catalog

from tests.support import wording
from tests.support.programs import ROOT

LONG, MIRRORED = "eo", "he"
_KEPT = re.compile(r"(%\(\w+\)[sd]|%%|\{\w+\}|<[^>]+>|&\w+;)")
_ACCENTED = str.maketrans("aceghijosuAEINOSU", "äĉëĝĥîĵöŝûÄËÎÑÖŜÛ")
_LETTERS = "אבגדהוזחטיכלמנסעפצקרשת"
_HEBREW = {ord(letter): _LETTERS[at % len(_LETTERS)] for at, letter in enumerate("abcdefghijklmnopqrstuvwxyz")}


def _longer(word: str) -> str:
    """40 % longer, as translations of short texts often are."""
    return word.translate(_ACCENTED) + "ä" * round(0.4 * len(word))


def _mirrored(word: str) -> str:
    return word.lower().translate(_HEBREW)


def _translated(text: str, tag: str) -> str:
    """The text with each of its words changed, and its placeholders and elements kept."""
    change = _longer if tag == LONG else _mirrored
    parts = _KEPT.split(text)
    parts[::2] = [re.sub(r"[A-Za-z]+", lambda word: change(word[0]), part) for part in parts[::2]]
    return "".join(parts)


def write_language(folder: Path, tag: str) -> None:
    """Write the language's only file below `folder`."""
    catalogue = Catalog(locale=tag)
    for message in wording.collected():
        if not message.id:
            continue
        forms = (message.id,) if isinstance(message.id, str) else message.id
        translated = tuple(_translated(form, tag) for form in forms)
        catalogue.add(message.id, translated if len(forms) > 1 else translated[0], message.locations)
    path = folder / tag / "LC_MESSAGES" / "appliance.po"
    path.parent.mkdir(parents=True)
    path.write_bytes(wording.written(catalogue, tag))


def checkout_with(folder: Path, *tags: str) -> Path:
    """A folder that a server runs in as in this checkout, with these languages besides English."""
    (folder / "web" / "locale").mkdir(parents=True)
    (folder / "appliance").symlink_to(ROOT / "appliance")
    for name in ("static", "templates"):
        (folder / "web" / name).symlink_to(ROOT / "web" / name)
    for tag in tags:
        write_language(folder / "web" / "locale", tag)
    return folder
