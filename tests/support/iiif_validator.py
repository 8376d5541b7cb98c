"""The IIIF community's own validator: its picture, and its verdicts on a host."""

from PIL import Image

from tests.support.images import pictures
from tests.support.programs import require

LEVEL = 2
AGAINST_THE_SPECIFICATION = {
    # It wants 400 for `!2000,3000`. Section 4.2 has `!w,h` be as large as the region at most: that is no error.
    "size_noup",
}


def load_validator() -> None:
    """Skips, or fails where everything has to be there."""
    try:
        import iiif_validator.validator  # noqa: F401
    except ImportError as error:
        require("iiif-validator", f"it reads file types with a C library, libmagic1 on Debian ({error})")


def squares() -> bytes:
    """Ten times ten squares of 100 pixels, in the colours that the validator looks for."""
    from iiif_validator.validator import ValidationInfo

    picture = Image.new("RGB", (1000, 1000))
    for column, colours in enumerate(ValidationInfo().colorInfo):
        for row, colour in enumerate(colours):
            picture.paste(colour, (column * 100, row * 100, column * 100 + 100, row * 100 + 100))
    return pictures.saved(picture, "png")


def judged(port: int, slug: str) -> dict[str, str]:
    """The validator's tests up to our level, and what each found wrong."""
    from iiif_validator.validator import ImageAPI, TestSuite, ValidationInfo

    suite = TestSuite(ValidationInfo())
    names = [name for name, about in suite.list_tests("3.0").items() if about["level"] <= LEVEL]
    found = {}
    for name in names:
        result = ImageAPI(slug, f"127.0.0.1:{port}", "iiif/3", "http", "", "3.0", debug=False)
        try:
            suite.run_test(name, result)
        except Exception as fault:  # its own mistakes come this way
            found[name] = repr(fault)
        else:
            wrong = result.exception
            found[name] = "" if wrong is None else f"{wrong.type} is {wrong.got}, not {wrong.expected}: {result.urls}"
    return found
