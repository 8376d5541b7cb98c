"""Where originals are kept: one port, and two stores behind it, a directory and any S3 server."""

from pathlib import Path

from appliance.config.model import Store
from appliance.domain.errors import ConfigError
from appliance.objectstore.directory import DirectoryStore
from appliance.objectstore.minio import MinioStore
from appliance.objectstore.port import ObjectEntry, ObjectInfo, ObjectStore, StoreNotCreated
from appliance.objectstore.reader import ObjectReader

__all__ = [
    "DirectoryStore",
    "MinioStore",
    "ObjectEntry",
    "ObjectInfo",
    "ObjectReader",
    "ObjectStore",
    "StoreNotCreated",
    "open_store",
]


def open_store(config: Store, data_dir: Path, *, journal: Path | None = None) -> ObjectStore:
    """The configured store, not started yet. Touches neither disk nor network.

    `journal` is the folder for uploads in progress; a process that doesn't own the data directory needs its own.

    Raises ConfigError where a setting that this kind needs is missing.
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
            region=config.region,
        )
    except ValueError as error:
        raise ConfigError(f"store.endpoint, store.bucket or store.region can't be used: {error}.") from error
