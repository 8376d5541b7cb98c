"""An image as one flat record: what rows, sidecars and objects' metadata consist of. Its names are released."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from appliance.domain.model import Image
from appliance.domain.renditions import Facts

FACTS_FIELDS = {"original_only" if field.name == "refusal" else field.name: field.name for field in fields(Facts)}
"""The names of facts in a flat record, in the order of `Facts`, and their names there."""
OWN_FIELDS = tuple(field.name for field in fields(Image) if field.name != "facts")
"""The names of everything else, in the order of `Image`."""


def flatten(image: Image) -> dict[str, Any]:
    """Every field of the image and of its facts by its name in a flat record."""
    values = {name: getattr(image, name) for name in OWN_FIELDS}
    return values | {name: getattr(image.facts, field) for name, field in FACTS_FIELDS.items()}


def unflatten(values: Mapping[str, Any]) -> Image:
    """The image that the record describes. A name that is missing gets its default; other names are ignored.

    Raises TypeError if a name without a default is missing.
    """
    own = {name: values[name] for name in OWN_FIELDS if name in values}
    facts = {field: values[name] for name, field in FACTS_FIELDS.items() if name in values}
    return Image(**own, facts=Facts(**facts))
