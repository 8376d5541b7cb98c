"""Section `albums`: the limits of albums."""

from dataclasses import dataclass, field

from appliance.config.option_info import info


@dataclass(frozen=True, slots=True)
class AlbumsConfig:
    """Limits of albums."""

    max_images: int = field(
        default=500, metadata=info("Maximum number of images in an album.", minimum=1, maximum=2000)
    )
