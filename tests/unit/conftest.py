"""The pages that the tests of templates render."""

import pytest

from appliance.http.pages.localized_pages import LocalizedPages
from tests.support.rendered_page import CONFIG, NOW_S


@pytest.fixture(scope="module")
def pages() -> LocalizedPages:
    return LocalizedPages(CONFIG, clock=lambda: NOW_S)
