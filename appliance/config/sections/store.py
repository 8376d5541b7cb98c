"""Section `store`: where originals are stored."""

from dataclasses import dataclass, field

from appliance.config.option_info import info


@dataclass(frozen=True, slots=True)
class Store:
    """The object store."""

    kind: str = field(
        default="directory",
        metadata=info(
            "`directory` stores objects below `data_dir`; `minio` uses MinIO or any S3 store.",
            choices=("directory", "minio"),
        ),
    )
    endpoint: str | None = field(
        default=None, metadata=info("`host:port` of the store, without `http://`. Required for `minio`.")
    )
    bucket: str = field(default="images", metadata=info("The bucket for images. It is created if it doesn't exist."))
    access_key: str | None = field(
        default=None,
        repr=False,
        metadata=info("The store's access key. Best set as the credential `store_access_key`.", secret=True),
    )
    secret_key: str | None = field(
        default=None,
        repr=False,
        metadata=info("The store's secret key. Best set as the credential `store_secret_key`.", secret=True),
    )
    secure: bool = field(default=True, metadata=info("Whether to use TLS to connect to the store."))
    region: str = field(
        default="us-east-1",
        metadata=info("The store's region, which is part of every signature. MinIO's default is `us-east-1`."),
    )
