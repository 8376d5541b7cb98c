"""The text of an error in the language of the page, with its figures, and which language that is."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from babel.numbers import format_decimal

from appliance.domain import refusals
from appliance.domain.errors import ApplianceError, Banned, LimitReached, ban_figures, figures_of, fill_in
from appliance.domain.limit_texts import limit_texts
from appliance.domain.model import Image
from appliance.http.localization.formatting import Formatter
from appliance.http.localization.languages import ENGLISH, Language


@dataclass(frozen=True, slots=True)
class LocalizedError:
    """A text for people and the tag of its language, which pages mark if it isn't their own."""

    text: str
    lang: str


def localize_error(fault: ApplianceError, language: Language) -> LocalizedError:
    """The error in the page's language, or its English detail if there is no translation.

    English pages show the detail, which is more exact, unless it is written for programmers.
    """
    if language.tag != ENGLISH.tag or fault.for_programmers:
        texts = [*_policy_texts(fault, language), *(language.gettext(text) for text in fault.texts)]
        if text := fill_in(texts, _figures(fault, language)):
            return LocalizedError(text, language.tag)
    return LocalizedError(fault.detail, ENGLISH.tag)


def localize_original_only(image: Image, max_pixels: int, language: Language) -> LocalizedError | None:
    """Why the image can't be resized; None if it can."""
    if image.original_only is None:
        return None
    if language.tag == ENGLISH.tag:
        return LocalizedError(image.original_only, ENGLISH.tag)
    if image.width * image.height > max_pixels:
        figures = {
            "pixels": _number(image.width * image.height, language),
            "limit": _number(max_pixels, language),
        }
        text = language.gettext("It has {pixels} pixels. This host resizes images of up to {limit} pixels.")
        return LocalizedError(text.format_map(figures), language.tag)
    if image.original_only in refusals.REASONS:
        return LocalizedError(language.gettext(image.original_only), language.tag)
    text = language.gettext("The file is damaged or incomplete, or too much memory is needed to resize it.")
    return LocalizedError(text, language.tag)


def _figures(fault: ApplianceError, language: Language) -> Mapping[str, str]:
    formatter = Formatter(language)
    if isinstance(fault, Banned):
        return ban_figures(fault.reason, "" if fault.until_s is None else formatter.moment(fault.until_s))
    values, waiting = {"limit": fault.limit, "actual": fault.actual}, dict[str, str]()
    if isinstance(fault, LimitReached):
        values["left"] = fault.left
        waiting["when"] = formatter.wait(fault.retry_after_s or fault.wait_s)
    return {**figures_of(values, partial(_number, language=language), formatter.size), **waiting}


def _policy_texts(fault: ApplianceError, language: Language) -> tuple[str, ...]:
    """The sentence of the limit that is reached, if it has one."""
    if not isinstance(fault, LimitReached) or fault.policy is None:
        return ()
    text = limit_texts(language.gettext).get(fault.policy.name)
    return () if text is None else (text,)


def _number(value: int, language: Language) -> str:
    return format_decimal(value, locale=language.locale)
