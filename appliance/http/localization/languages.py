"""The languages of the pages: their message catalogues, and choosing the one that a browser asks for."""

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
from appliance.domain.limit_texts import limit_texts
from appliance.http.negotiation import parse_accept

CATALOGUE = "appliance.po"
SCRIPTS = "web/src/"


@dataclass(frozen=True, slots=True)
class Language:
    """One language. `locale` is for dates and numbers; `script_messages` are the translated messages of scripts.

    `plural_rule` is the expression in `n`, in C, by which gettext chooses among a message's forms. Methods have
    gettext's names, so that the tools that collect messages recognise them.
    """

    tag: str
    locale: Locale
    translations: NullTranslations = field(default_factory=NullTranslations)
    script_messages: Mapping[str, object] = field(default_factory=dict)
    plural_rule: str = "(n != 1)"

    def gettext(self, message: str) -> str:
        return self.translations.gettext(message)

    def ngettext(self, one: str, many: str, count: int) -> str:
        return self.translations.ngettext(one, many, count)

    @property
    def direction(self) -> str:
        """In which direction it is written: `ltr` or `rtl`."""
        return self.locale.text_direction

    @property
    def script(self) -> bytes:
        """A script that defines the messages of other scripts, their plural rule, and problems' texts by code."""
        given = {"applianceMessages": self.script_messages, "applianceProblems": self._problems()}
        defined = [f"globalThis.{name}={_json(values)}" for name, values in given.items()]
        return ";".join([f"globalThis.appliancePlural=n=>Number({self.plural_rule})", *defined]).encode()

    def limit_problems(self) -> dict[str, Sequence[str]]:
        """The texts of limits by their policies, with the `{time}` of day at which to continue."""
        when = self.gettext("at {time}")
        return {name: [text.replace("{when}", when)] for name, text in limit_texts(self.gettext).items()}

    def _problems(self) -> Mapping[str, Sequence[str]]:
        """By code; those of an error that shares its code with a wider one by their English text, which tells them.

        Those of limits are by the names of their policies.
        """
        problems: dict[str, Sequence[str]] = self.limit_problems()
        for fault in ApplianceError.kinds():
            texts = [self.gettext(text) for text in fault.texts]
            if not texts:
                continue
            if fault.code in problems:
                problems |= {text: [translated] for text, translated in zip(fault.texts, texts, strict=True)}
            else:
                problems[fault.code] = texts
        return problems


ENGLISH = Language("en", Locale.parse("en_GB"))
"""The language in which messages are written."""


def read_languages(folder: Path) -> tuple[Language, ...]:
    """English, and each language with a catalogue in `folder`."""
    files = sorted(folder.glob(f"*/LC_MESSAGES/{CATALOGUE}"))
    return (ENGLISH, *(_read(path) for path in files))


def choose_language(accept_language: str, languages: Sequence[Language]) -> Language:
    """The language that an Accept-Language header prefers; the first one if it names none of them."""
    weights = {tag: weight for tag, weight in parse_accept(accept_language).items() if weight > 0}
    for tag in sorted(weights, key=lambda tag: -weights[tag]):
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
    locale, translations = Locale.parse(tag), GNUTranslations(compiled)
    return Language(tag, locale, translations, _script_messages(catalogue), catalogue.plural_expr)


def _json(values: Mapping[str, object]) -> str:
    return json.dumps(dict(values), ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _script_messages(catalogue: Catalog) -> dict[str, Any]:
    """The messages of scripts by their English text (of a plural: the singular)."""
    return {
        message.id if isinstance(message.id, str) else message.id[0]: message.string
        for message in catalogue
        if message.id and any(place.startswith(SCRIPTS) for place, _ in message.locations)
    }
