"""A problem in the words of the page that tells it, and their language, for what is not the page's is marked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from babel.numbers import format_decimal

from appliance.errors import ApplianceError
from appliance.http.languages import ENGLISH, Language
from appliance.http.sentences import SENTENCES
from appliance.http.words import DAY_S, Words
from appliance.model import Image


@dataclass(frozen=True, slots=True)
class Told:
    """Words for a person, and the tag of the language that they are in."""

    text: str
    lang: str


def told(fault: ApplianceError, language: Language) -> Told:
    """The problem in the page's language; where that has no words for it, in the problem's own English ones."""
    if language.tag != ENGLISH.tag:
        figures = _figures(fault, language)
        for sentence in SENTENCES.get(fault.code, ()):
            if set(re.findall(r"\{(\w+)\}", sentence)) <= figures.keys():
                return Told(language.gettext(sentence).format_map(figures), language.tag)
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


def _figures(fault: ApplianceError, language: Language) -> Mapping[str, str]:
    figures: dict[str, str] = {}
    for name, value in (("limit", fault.limit), ("actual", fault.actual)):
        if value is not None:
            figures |= {
                name: _number(value, language),
                f"{name}_size": Words(language).size(value),
                f"{name}_days": _number(value // DAY_S, language),
            }
    return figures


def _number(value: int, language: Language) -> str:
    return format_decimal(value, locale=language.locale)
