"""Checks before anything writes to the catalogue: an empty one may not replace a lost one unnoticed."""

from appliance.catalogue.opening import catalogue_left_behind, stored_catalogue
from appliance.config.model import Config
from appliance.domain.errors import UnfitInstallation


def refuse_lost_catalogue(config: Config) -> None:
    """Raises UnfitInstallation where originals lie without their catalogue: a new one would not know them."""
    refuse_unfinished_recovery(config)
    kept = (
        *(config.spool_dir / name for name in ("landed", "copies", "orphans", "sidecars")),
        config.store_dir / "objects",
    )
    has_originals = any(folder.is_dir() and any(folder.iterdir()) for folder in kept)
    left_behind = catalogue_left_behind(config)
    if not (has_originals or left_behind) or (catalogue := stored_catalogue(config)).exists:
        return
    if left_behind:
        raise UnfitInstallation(
            f"The images of this host are in {left_behind}, and {catalogue} is empty. Unset catalogue.url, "
            "then move them with `appliance catalogue copy`; or set data_dir to a new folder and store to a new bucket."
        )
    if config.catalogue.url is not None:
        raise UnfitInstallation(
            f"{config.data_dir} has originals, but {catalogue} is empty. Run `appliance restore`, which restores its "
            "backup; or `appliance catalogue rebuild`, which rebuilds it from the originals."
        )
    raise UnfitInstallation(
        f"{config.data_dir} has originals, but no catalogue. Restore a backup as {catalogue}, "
        "or run `appliance catalogue rebuild`, which rebuilds it from the originals."
    )


def refuse_unfinished_recovery(config: Config) -> None:
    """Raises UnfitInstallation where the catalogue is being restored or rebuilt, or that was interrupted."""
    if config.restore_dir.exists():
        raise UnfitInstallation(
            f"A restore or rebuild of {config.data_dir} is running or was interrupted. Run it again, or remove "
            f"{config.restore_dir} if you want neither."
        )
