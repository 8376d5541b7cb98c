"""What the pages, the scripts and the errors say, collected for translation. `make words` runs it.

Messages are named by file alone and ordered by themselves, so that two changes of code seldom meet in a catalogue.
"""

import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from appliance.domain import limit_texts, refusals
from appliance.domain.errors import PARTICULAR_TEXTS
from appliance.http.problems import STATUSES

MessageText = str | list[str] | tuple[str, ...]
ROOT = Path(__file__).resolve().parents[2]
LOCALES = ROOT / "web" / "locale"
TEMPLATE = LOCALES / "appliance.pot"
HEAD = """\
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural_forms}\\n"

"""
SOURCES: tuple[tuple[str, str, dict[str, str], dict[str, tuple[int, ...] | None]], ...] = (
    ("jinja2", "web/templates/**/*.html", {"trimmed": "true"}, {"_": None, "gettext": None, "ngettext": (1, 2)}),
    ("python", "appliance/http/**/*.py", {}, {"_": None, "gettext": None, "ngettext": (1, 2)}),
    ("javascript", "web/src/**/*.ts", {}, {"t": None, "tn": (1, 2)}),
)


def collected() -> Catalog:
    """Every message that there is now, without translations."""
    catalogue = Catalog(project="appliance", charset="utf-8", fuzzy=False)
    for message, place in _messages():
        catalogue.add(message, locations=[(place, 0)])
    return catalogue


def _messages() -> Iterator[tuple[str | tuple[str, ...], str]]:
    for method, pattern, options, keywords in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            place = path.relative_to(ROOT).as_posix()
            for _, message, _, _ in extract_from_file(method, path, keywords=keywords, options=options):
                yield message, place
    for fault in STATUSES:
        for text in (fault.title, *fault.texts):
            yield text, "appliance/domain/errors"
    for text in PARTICULAR_TEXTS:
        yield text, "appliance/domain/errors"
    for text in limit_texts.MESSAGES:
        yield text, "appliance/domain/limit_texts.py"
    for reason in refusals.REASONS:
        yield reason, "appliance/domain/refusals.py"


def catalogues() -> dict[str, Path]:
    """Each translation's file, by its language."""
    return {path.parts[-3]: path for path in sorted(LOCALES.glob("*/LC_MESSAGES/appliance.po"))}


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=None if path == TEMPLATE else path.parts[-3])


def written(catalogue: Catalog, language: str | None = None) -> bytes:
    """The file: no dates and no names in its head, which would differ with every run."""
    body = io.BytesIO()
    write_po(body, catalogue, width=120, omit_header=True, sort_output=True, include_lineno=False, ignore_obsolete=True)
    if language is None:
        return body.getvalue()
    return HEAD.format(language=language, plural_forms=catalogue.plural_forms).encode() + body.getvalue()


def main() -> None:
    """Bring the files up to date: new messages are added without a translation, those that went are dropped."""
    template = collected()
    TEMPLATE.write_bytes(written(template))
    for language, path in catalogues().items():
        catalogue = read(path)
        catalogue.update(template, no_fuzzy_matching=True, update_creation_date=False)
        path.write_bytes(written(catalogue, language))
        missing = [message.id for message in catalogue if message.id and not is_whole(message)]
        print(f"{path.relative_to(ROOT)}: {len(catalogue)} messages, {len(missing)} without a translation")


def is_whole(message: Message) -> bool:
    """Whether it is translated in all of its forms."""
    return all(forms(message.string)) and not message.fuzzy


def forms(message: MessageText | None) -> tuple[str, ...]:
    """One form, or those for one and for many."""
    return (message or "",) if message is None or isinstance(message, str) else tuple(message)


if __name__ == "__main__":
    main()
