"""What clients read at a limit: a sentence for each policy, by its name.

`{limit}` and `{left}` are numbers, `{limit_size}` and `{left_size}` bytes; `{when}` is a time, such as `in 42 seconds`.
"""

from collections.abc import Callable, Mapping

from appliance.domain.quotas import WHO

OF_SETTINGS: Mapping[str, str] = {
    "requests": "This host allows {limit} requests a minute {who}. Continue {when}.",
    "uploads": "This host allows {limit} uploads a minute {who}. Continue {when}.",
    "minute-bytes": "This host accepts {limit_size} a minute {who}. Continue {when}.",
    "day-bytes": "This host accepts {limit_size} a day {who}. Left today: {left_size}. Continue {when}.",
    "processor-s": "In ten minutes, this host spends {limit} seconds on making sizes for requests {who}. "
    "Continue {when}.",
    "guesses": "In ten minutes, this host allows {limit} wrong passphrases {who}. Try again {when}.",
}
"""By the end of the policy's name; its beginning says who counts together."""
OF_OTHERS: Mapping[str, str] = {
    "prefix-day-share": "One network may upload {limit_size} at present, its share of what this host accepts today. "
    "Left today: {left_size}. Continue {when}.",
    "key-uploads-a-minute": "With this access key, the number of uploads a minute is limited to {limit}. "
    "Continue {when}.",
    "key-images-a-day": "With this access key, the number of images a day is limited to {limit}. Left today: {left}. "
    "Continue {when}.",
    "key-bytes-a-day": "With this access key, {limit_size} can be uploaded in a day. Left today: {left_size}. "
    "Continue {when}.",
}
"""By the whole name."""
MESSAGES = (*OF_SETTINGS.values(), *WHO.values(), *OF_OTHERS.values())
"""Everything that is translated."""


def limit_texts(translate: Callable[[str], str] = str) -> Mapping[str, str]:
    """The sentences by the names of policies."""
    of_settings = {
        f"{scope}-{setting}": translate(text).replace("{who}", translate(who))
        for scope, who in WHO.items()
        for setting, text in OF_SETTINGS.items()
    }
    return of_settings | {name: translate(text) for name, text in OF_OTHERS.items()}


def format_wait(seconds: int) -> str:
    """`in 1 second`, `in 42 seconds`, `in 5 minutes`, `in 3 hours`: never less than there is to wait."""
    count, unit = round_wait(seconds)
    return f"in {count} {unit}{'' if count == 1 else 's'}"


def round_wait(seconds: int) -> tuple[int, str]:
    """The count and the unit, rounded up."""
    for unit_s, unit in ((3600, "hour"), (60, "minute")):
        if seconds >= 1.5 * unit_s:
            return -(-seconds // unit_s), unit
    return max(1, seconds), "second"
