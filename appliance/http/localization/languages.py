"""The languages of the pages: their catalogues of words, and which of them a browser asks for."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from appliance.domain.errors import ApplianceError
from appliance.http.negotiation import parse_accept

CATALOGUE = "appliance.po"
SCRIPTS = "web/src/"


@dataclass(frozen=True, slots=True)
class Language:
    """One language. `locale` says how dates and figures are written, `script_messages` is what scripts may show.

    Its methods are named as the tools that collect what there is to translate expect them.
    """

    tag: str
    locale: Locale
    translations: NullTranslations = field(default_factory=NullTranslations)
    script_messages: Mapping[str, object] = field(default_factory=dict)

    def gettext(self, message: str) -> str:
        return self.translations.gettext(message)

    def ngettext(self, one: str, many: str, count: int) -> str:
        return self.translations.ngettext(one, many, count)

    @property
    def script(self) -> bytes:
        """A script that hands the words to the others, and those for problems by their codes."""
        faults = [fault for fault in ApplianceError.__subclasses__() if fault.texts]
        problems = {fault.code: [self.gettext(text) for text in fault.texts] for fault in faults}
        given = {"applianceMessages": self.script_messages, "applianceProblems": problems}
        return ";".join(f"globalThis.{name}={_json(values)}" for name, values in given.items()).encode()


ENGLISH = Language("en", Locale.parse("en_GB"))
"""The language that the messages are written in."""


def read_languages(folder: Path) -> tuple[Language, ...]:
    """English, and each language that has a catalogue below `folder`."""
    files = sorted(folder.glob(f"*/LC_MESSAGES/{CATALOGUE}"))
    return (ENGLISH, *(_read(path) for path in files))


def choose_language(accept_language: str, languages: Sequence[Language]) -> Language:
    """The language that an Accept-Language header asks for most; the first where it asks for none of them."""
    wanted = parse_accept(accept_language)
    liked = {tag: liking for tag, liking in wanted.items() if liking > 0}
    for tag in sorted(liked, key=lambda tag: -liked[tag]):
        for language in languages:
            if tag.partition("-")[0] == language.tag:
                return language
    return languages[0]


def _read(path: Path) -> Language:
    tag = path.parts[-3]
    with path.open("rb") as file:
        catalogue = read_po(file, locale=tag)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Language(tag, Locale.parse(tag), GNUTranslations(compiled), _script_messages(catalogue))


def _json(values: Mapping[str, object]) -> str:
    return json.dumps(dict(values), ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _script_messages(catalogue: Catalog) -> dict[str, Any]:
    """What is said in scripts, by the English words (of a plural: those for one)."""
    return {
        message.id if isinstance(message.id, str) else message.id[0]: message.string
        for message in catalogue
        if message.id and any(place.startswith(SCRIPTS) for place, _ in message.locations)
    }
