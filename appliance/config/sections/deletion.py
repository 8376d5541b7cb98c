"""Section `deletion`: how long deleted images and albums can be restored."""

from dataclasses import dataclass, field

from appliance.config.option_info import info


@dataclass(frozen=True, slots=True)
class Deletion:
    """How long deleted images and albums can be restored."""

    bin_days: int = field(
        default=7,
        metadata=info(
            "How long what is deleted on the pages, or with ?bin=true, waits in the bin, in days. 0: no bin; a "
            "deletion can be undone for ten seconds.",
            minimum=0,
            maximum=90,
        ),
    )
