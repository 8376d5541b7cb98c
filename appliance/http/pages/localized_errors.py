"""A problem in the words of the page that tells it, and their language, for what is not the page's is marked."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from babel.numbers import format_decimal

from appliance.domain.errors import ApplianceError, figures_of, fill_in
from appliance.domain.model import Image
from appliance.http.pages.formatting import Words
from appliance.http.pages.languages import ENGLISH, Language


@dataclass(frozen=True, slots=True)
class Told:
    """Words for a person, and the tag of the language that they are in."""

    text: str
    lang: str


def told(fault: ApplianceError, language: Language) -> Told:
    """The problem in the page's language; where that has no words for it, in the problem's own English ones."""
    if language.tag != ENGLISH.tag:
        texts = [language.gettext(text) for text in fault.texts]
        if text := fill_in(texts, _figures(fault.limit, fault.actual, language)):
            return Told(text, language.tag)
    return Told(fault.detail, ENGLISH.tag)


def told_original_only(image: Image, max_pixels: int, language: Language) -> Told | None:
    """Why a picture has no sizes; None when it has."""
    if image.original_only is None:
        return None
    if language.tag == ENGLISH.tag:
        return Told(image.original_only, ENGLISH.tag)
    if image.width * image.height > max_pixels:
        figures = {
            "pixels": _number(image.width * image.height, language),
            "limit": _number(max_pixels, language),
        }
        text = language.gettext("It has {pixels} pixels. This host resizes images of up to {limit} pixels.")
        return Told(text.format_map(figures), language.tag)
    text = language.gettext("The file is damaged or incomplete, or too much memory is needed to resize it.")
    return Told(text, language.tag)


def _figures(limit: int | None, actual: int | None, language: Language) -> Mapping[str, str]:
    return figures_of(limit, actual, partial(_number, language=language), Words(language).size)


def _number(value: int, language: Language) -> str:
    return format_decimal(value, locale=language.locale)
