"""The messages of scripts are found in the scripts that say them."""

import json
import re
from pathlib import Path

import pytest

from appliance.domain import errors
from appliance.http.localization.languages import ENGLISH, read_languages
from appliance.http.pages.assets import BUILT, web_root
from appliance.http.pages.message_scripts import OWN, message_scripts, messages_name, says
from tests.support.programs import ROOT

BUILT_SCRIPTS = web_root() / "static" / BUILT
GERMAN = next(each for each in read_languages(web_root() / "locale") if each.tag == "de")

OF_THE_EDITOR = "Area {number}: {width} × {height} pixels at {x}, {y}"
"""The upload page loads it on demand."""


def test_every_message_is_found_in_a_built_script() -> None:
    code = "".join(path.read_text() for path in BUILT_SCRIPTS.glob("*.js"))
    assert [message for message in GERMAN.script_messages if not says(code, message)] == []


@pytest.mark.parametrize("script", OWN)
def test_a_page_gets_the_messages_that_its_scripts_say(script: str) -> None:
    defined = message_scripts(BUILT_SCRIPTS, [GERMAN])[messages_name("de", script)]
    match = re.search(rb"applianceMessages=(\{.*?\});globalThis", defined)
    assert match is not None
    given = json.loads(match[1])
    assert given.keys() <= GERMAN.script_messages.keys()
    assert {"Copied", "Couldn’t copy. Select the text and copy it yourself."} <= given.keys()  # of every page
    assert ("Queued, {whole}" in given) == (script == "upload")
    assert (OF_THE_EDITOR in given) == (script == "upload")


def test_the_template_of_a_page_names_its_own_script() -> None:
    for script in OWN:
        template = Path(ROOT / "web" / "templates" / f"{script}.html").read_text()
        assert f"messages_url('{script}')" in template
        assert f"built/{script}.js" in template


def test_english_pages_show_people_no_details_for_programmers() -> None:
    defined = message_scripts(BUILT_SCRIPTS, [ENGLISH])[messages_name("en")]
    given = json.loads(defined.removeprefix(b"globalThis.applianceProblems="))
    assert given["proof-required"] == list(errors.ProofRequired.texts)
    assert "not-an-image" not in given  # its detail is the more exact one
