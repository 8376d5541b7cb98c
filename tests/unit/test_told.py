"""What people read when something goes wrong is in the language of the page."""

import json
import re

import pytest

from appliance import errors
from appliance.errors import ApplianceError
from appliance.http.assets import web_root
from appliance.http.languages import ENGLISH, read_languages
from appliance.http.problems import STATUSES
from appliance.http.sentences import NEVER_SHOWN, SENTENCES
from appliance.http.told import Told, told

GERMAN = next(each for each in read_languages(web_root() / "locale") if each.tag == "de")


@pytest.mark.parametrize("code", sorted({fault.code for fault in STATUSES}))
def test_every_problem_has_its_own_words_or_is_never_shown(code: str) -> None:
    assert (code in SENTENCES) != (code in NEVER_SHOWN), code
    for sentence in SENTENCES.get(code, ()):
        assert GERMAN.gettext(sentence) != sentence


def test_no_words_are_left_over() -> None:
    assert SENTENCES.keys() | NEVER_SHOWN == {fault.code for fault in STATUSES}


@pytest.mark.parametrize("fault", list(STATUSES))
def test_words_are_found_without_figures_too(fault: type[ApplianceError]) -> None:
    if fault.code in SENTENCES:
        assert told(fault("Words of a program."), GERMAN).lang == "de"


def test_figures_are_told_as_the_language_has_them() -> None:
    fault = errors.TooLarge("Words of a program.", limit=1_500_000, actual=2_000_000)
    assert told(fault, GERMAN) == Told("Das ist zu groß: 2 MB oder mehr, höchstens 1,5 MB werden angenommen.", "de")
    kept = errors.InvalidExpiry("Words of a program.", limit=2000 * 86_400)
    assert told(kept, GERMAN).text == "Ein Bild kann höchstens 2.000 Tage lang aufbewahrt werden."


def test_english_readers_get_the_problems_own_words() -> None:
    assert told(errors.NotAnImage("This is a BMP."), ENGLISH) == Told("This is a BMP.", "en")


def test_a_problem_that_pages_have_no_words_for_is_told_in_english_and_marked() -> None:
    assert told(errors.FinalUpload("It takes no bytes."), GERMAN) == Told("It takes no bytes.", "en")


def test_scripts_get_the_same_sentences() -> None:
    match = re.search(rb"globalThis\.applianceProblems=(\{.*\})$", GERMAN.script)
    assert match is not None
    given = json.loads(match[1])
    assert given.keys() == SENTENCES.keys()
    assert given["empty-upload"] == ["Die Datei ist leer. Wähle eine andere aus."]
