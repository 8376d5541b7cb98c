"""Section `catalogue`: which database has the rows of images."""

from dataclasses import dataclass, field

from appliance.config.option_info import info


@dataclass(frozen=True, slots=True)
class CatalogueConfig:
    """The catalogue."""

    url: str | None = field(
        default=None,
        repr=False,
        metadata=info(
            "A PostgreSQL database (15 or newer) for the catalogue, such as `postgresql://appliance@db/appliance`; any "
            "parameter of libpq's can follow, such as `?sslmode=verify-full`. In a password, percent-encode `/`, `@`, "
            "`%` and spaces. Best set as the credential `catalogue_url`. Default: a file in `data_dir`.",
            secret=True,
        ),
    )
    stale_s: int = field(
        default=60,
        metadata=info(
            "While the database of `url` doesn't answer, images that were looked up within so many seconds are still "
            "shown, unless they are locked or have expired.",
            minimum=0,
            maximum=60,
        ),
    )
