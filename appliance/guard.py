"""The guard before every writer of the catalogue: where one was lost, no empty one may take its place unnoticed."""

from appliance.config import Config
from appliance.errors import UnfitInstallation


def refuse_lost_catalogue(config: Config) -> None:
    """A new catalogue beside old originals would take them for strangers. Raises UnfitInstallation."""
    if config.restore_dir.exists():
        raise UnfitInstallation(
            f"A restore is at work on {config.data_dir}, or was broken off. Run `appliance restore` again, or remove "
            f"{config.restore_dir} if nothing is to be restored."
        )
    kept = (
        *(config.spool_dir / name for name in ("landed", "copies", "orphans", "sidecars")),
        config.store_dir / "objects",
    )
    if not config.catalogue_path.exists() and any(folder.is_dir() and any(folder.iterdir()) for folder in kept):
        raise UnfitInstallation(
            f"{config.data_dir} holds originals, but no catalogue. Restore a backup as {config.catalogue_path}, "
            "or run `appliance catalogue rebuild`, which makes it anew from the originals."
        )
