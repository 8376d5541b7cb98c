"""Where originals live: one contract, kept by a directory on disk and by any S3 (MinIO beside the server)."""

from pathlib import Path

from appliance.config.model import Store
from appliance.domain.errors import ConfigError
from appliance.objectstore.base import ObjectEntry, ObjectInfo, ObjectStore
from appliance.objectstore.directory import DirectoryStore
from appliance.objectstore.minio import MinioStore
from appliance.objectstore.reader import ObjectReader

__all__ = ["DirectoryStore", "MinioStore", "ObjectEntry", "ObjectInfo", "ObjectReader", "ObjectStore", "open_store"]


def open_store(config: Store, data_dir: Path, *, journal: Path | None = None) -> ObjectStore:
    """The store that the configuration names, not started yet; it touches neither disk nor network.

    `journal` is another folder for what is begun, for who works beside the owner of the data directory.

    Raises ConfigError where something that this kind needs is not set.
    """
    if config.kind == "directory":
        return DirectoryStore(data_dir / "store")
    if not (config.endpoint and config.access_key and config.secret_key):
        raise ConfigError(
            "store.endpoint, store.access_key and store.secret_key must be set where store.kind is minio."
        )
    try:
        return MinioStore(
            endpoint=config.endpoint,
            bucket=config.bucket,
            access_key=config.access_key,
            secret_key=config.secret_key,
            journal=journal or data_dir / "spool" / "shipping",
            secure=config.secure,
        )
    except ValueError as error:
        raise ConfigError(f"store.endpoint or store.bucket can't be used: {error}.") from error
