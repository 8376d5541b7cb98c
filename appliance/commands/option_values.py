"""Values of options that begin with a hyphen, such as `--expires -3d`, so that a check can refuse them."""

import re
from collections.abc import Sequence

_OPTION = re.compile(r"--[a-z-]+")
_VALUE = re.compile(r"-[0-9].*")


def joined(arguments: Sequence[str]) -> list[str]:
    """The same arguments with such a value in one with its option, since `argparse` takes it for an option alone."""
    result: list[str] = []
    for argument in arguments:
        if result and _VALUE.fullmatch(argument) and _OPTION.fullmatch(result[-1]):
            result[-1] += f"={argument}"
        else:
            result.append(argument)
    return result
