"""The C extension, where it is built."""

import pytest

from appliance.imaging.fast_jpeg.extension import Extension, loaded
from tests.support.programs import require


@pytest.fixture
def extension() -> Extension:
    found = loaded()
    if isinstance(found, str):
        require("the C extension", f"gcc and libjpeg's header build it ({found})")
    assert isinstance(found, Extension)
    return found
