"""What a command says of a change that the store doesn't know of yet."""

import sys
from collections.abc import Mapping
from typing import Any

NOT_IN_STORE = (
    "The store doesn't know of this yet. The server sends it as soon as it can; "
    "until then only this machine and its backups have it."
)


def warn_unless_in_store(answer: Mapping[str, Any]) -> None:
    """Prints a line on standard error where `in_store` of the answer is false."""
    if not answer["in_store"]:
        print(NOT_IN_STORE, file=sys.stderr)
