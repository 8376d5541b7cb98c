"""What people read when something goes wrong is in the language of the page."""

import json
import re
from dataclasses import fields

import pytest

from appliance.config.model import LimitsConfig
from appliance.domain import errors
from appliance.domain.errors import ApplianceError
from appliance.domain.limit_texts import format_wait, limit_texts
from appliance.domain.quotas import Policy, QuotaScope, Unit
from appliance.http.localization.formatting import Formatter
from appliance.http.localization.languages import ENGLISH, read_languages
from appliance.http.localization.localized_errors import LocalizedError, localize_error
from appliance.http.pages.assets import web_root
from appliance.http.problems import STATUSES

GERMAN = next(each for each in read_languages(web_root() / "locale") if each.tag == "de")


ONLY_PROGRAMS_MEET = frozenset(
    {
        "invalid-idempotency-key",  # our pages make these keys themselves
        "idempotency-key-reused",
        "unsupported-tus-version",  # nor do they speak tus wrongly
        "encoded-body",
        "partial-upload",
        "precondition-failed",
        "wrong-content-type",
        "completed-upload",
        "inconsistent-upload-length",
        "parts-unfinished",
        "upload-is-final",
        "invalid-image-request",  # below /iiif/ every problem is JSON
        "unsupported-image-request",
    }
)


@pytest.mark.parametrize("fault", list(STATUSES))
def test_every_problem_that_people_meet_has_a_text_of_its_own(fault: type[ApplianceError]) -> None:
    assert bool(fault.texts) != (fault.code in ONLY_PROGRAMS_MEET)
    for text in fault.texts:
        assert GERMAN.gettext(text) != text


@pytest.mark.parametrize("fault", list(STATUSES))
def test_a_text_is_found_without_figures_too(fault: type[ApplianceError]) -> None:
    assert fault().detail == (fault.texts[-1] if fault.texts else f"{fault.title}.")
    if fault.texts:
        assert localize_error(fault(), GERMAN) == LocalizedError(GERMAN.gettext(fault.texts[-1]), "de")


def test_api_log_and_pages_say_the_same() -> None:
    fault = errors.TooManyImages(limit=1000, actual=1200)
    assert fault.detail == str(fault) == localize_error(fault, ENGLISH).text
    assert fault.detail == "An album can have up to 1,000 images, but these are 1,200."
    assert localize_error(fault, GERMAN).text == "Ein Album fasst höchstens 1.000 Bilder; das sind 1.200."
    assert errors.TooLarge(limit=1_500_000).detail == "The file is too large. Up to 1.5 MB is allowed."


def test_numbers_are_written_as_the_language_has_them() -> None:
    fault = errors.TooLarge("Words of a program.", limit=1_500_000, actual=2_000_000)
    assert localize_error(fault, GERMAN) == LocalizedError(
        "Die Datei ist zu groß (2 MB oder mehr). Erlaubt sind bis zu 1,5 MB.", "de"
    )
    kept = errors.InvalidExpiry("Words of a program.", limit=2000 * 86_400)
    assert localize_error(kept, GERMAN).text == "Ein Bild kann höchstens 2.000 Tage lang aufbewahrt werden."


@pytest.mark.parametrize(
    ("limit_s", "said"), [(90, "Wähle eine andere"), (5400, "90 Minuten"), (3600, "60 Minuten"), (90_000, "25 Stunden")]
)
def test_a_limit_below_some_days_is_not_written_in_days(limit_s: int, said: str) -> None:
    assert said in localize_error(errors.InvalidExpiry("Words of a program.", limit=limit_s), GERMAN).text


def test_what_an_access_key_or_a_guest_link_allows_is_named() -> None:
    used_up = errors.KeyBytesUsedUp(limit=100_000, actual=150_000)
    assert used_up.detail.startswith("This access key allows 100 KB on this host. With this image it would be 150 KB.")
    assert "erlaubt: 1." in localize_error(errors.KeyImagesUsedUp(limit=1), GERMAN).text
    assert "erlaubt: 20." in localize_error(errors.InviteImagesFull(limit=20), GERMAN).text
    assert (
        "erlaubt 2 GB von allen Gästen"
        in localize_error(errors.InviteBytesFull(limit=2 * 10**9, actual=2 * 10**9 + 1), GERMAN).text
    )


def test_english_readers_get_the_problems_own_words() -> None:
    assert localize_error(errors.NotAnImage("This is a BMP."), ENGLISH) == LocalizedError("This is a BMP.", "en")


def test_english_readers_are_spared_what_only_programmers_understand() -> None:
    no_token = errors.MissingToken("Send Authorization: Bearer <token>.")
    assert no_token.detail == "Send Authorization: Bearer <token>."
    assert localize_error(no_token, ENGLISH) == LocalizedError(
        "The delete token is missing. It is the last part of the manage link.", "en"
    )
    no_images = errors.InvalidField("List them in images.", texts=(errors.NO_IMAGES,))
    assert localize_error(no_images, ENGLISH).text == "An album needs at least one image."
    assert localize_error(no_images, GERMAN).text == "Ein Album braucht mindestens ein Bild."
    assert errors.InvalidField().texts == errors.InvalidField.texts


def test_a_limit_is_named_with_its_figure_and_the_time_in_every_language() -> None:
    policy = Policy("address-uploads", QuotaScope.ADDRESS, Unit.UPLOADS, 6000, 60)
    fault = errors.RateLimited(limit=6000, retry_after_s=42, policy=policy)
    assert fault.detail == "This host allows 6,000 uploads a minute from one address. Continue in 42 seconds."
    assert localize_error(fault, ENGLISH).text == fault.detail
    assert localize_error(fault, GERMAN).text == (
        "Dieser Server erlaubt pro Minute 6.000 Uploads von einer Adresse. Weiter geht es in 42 Sekunden."
    )
    policy = Policy("key-bytes-a-day", QuotaScope.KEY, Unit.BYTES, 2_000_000, 86_400)
    spent = errors.BudgetSpent(limit=2_000_000, left=1500, retry_after_s=7200, policy=policy)
    assert spent.detail == (
        "With this access key, 2 MB can be uploaded in a day. Left today: 1.5 KB. Continue in 2 hours."
    )
    assert "Heute noch frei: 1,5 KB. Weiter geht es in 2 Stunden." in localize_error(spent, GERMAN).text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1, "in 1 second"),
        (89, "in 89 seconds"),
        (90, "in 2 minutes"),
        (5399, "in 90 minutes"),
        (5400, "in 2 hours"),
        (86_400, "in 24 hours"),
    ],
)
def test_nobody_is_told_to_wait_for_too_short_a_time(seconds: int, said: str) -> None:
    assert format_wait(seconds) == Formatter(ENGLISH).wait(seconds) == said


@pytest.mark.parametrize("setting", [field.name for field in fields(LimitsConfig)])
def test_every_limit_has_a_sentence_of_its_own(setting: str) -> None:
    if setting not in ("mode", "proof_of_work", "proof_of_work_cost"):
        assert setting.replace("_", "-") in limit_texts()


def test_a_problem_without_a_translation_is_shown_in_english_and_marked() -> None:
    assert localize_error(errors.FinalUpload("It takes no bytes."), GERMAN) == LocalizedError(
        "It takes no bytes.", "en"
    )


@pytest.mark.parametrize("made_up", [10**400, -(10**400)])
def test_numbers_beyond_every_format_are_cut(made_up: int) -> None:
    told = localize_error(errors.TooLarge(limit=5, actual=made_up), GERMAN)
    assert len(told.text) < 200


def test_scripts_get_the_same_sentences() -> None:
    match = re.search(rb"globalThis\.applianceProblems=(\{.*\})$", GERMAN.script)
    assert match is not None
    given = json.loads(match[1])
    codes = {fault.code for fault in STATUSES if fault.texts}
    assert {name for name in given if " " not in name} == codes | limit_texts().keys()
    assert given["empty-upload"] == ["Die Datei ist leer. Wähle eine andere aus."]
    assert given["key-invalid"] == [GERMAN.gettext(errors.KeyInvalid.texts[0])]


@pytest.mark.parametrize("fault", [kind for kind in ApplianceError.kinds() if kind.__base__ is not ApplianceError])
def test_scripts_tell_errors_of_one_code_apart_by_their_english_texts(fault: type[ApplianceError]) -> None:
    given = json.loads(GERMAN.script.rpartition(b"globalThis.applianceProblems=")[2])
    for place, text in enumerate(fault.texts):
        translated = GERMAN.gettext(text)
        assert translated != text
        assert given.get(text) == [translated] or given[fault.code][place] == translated
