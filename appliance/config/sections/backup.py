"""Section `backup`: where backups are stored, how they are protected, and how long they are kept."""

from dataclasses import dataclass, field
from pathlib import Path

from appliance.config.option_info import info


@dataclass(frozen=True, slots=True)
class Backup:
    """Places, protection and retention of backups."""

    in_store: bool = field(
        default=True, metadata=info("Whether to store backups in the object store too, under `backups/`.")
    )
    directory: Path | None = field(
        default=None, metadata=info("A folder for backups, best on a different disk from `data_dir`.")
    )
    remote: str | None = field(
        default=None, metadata=info("A second place as an rclone path: `name:bucket/folder`. Requires rclone.")
    )
    rclone_config: Path | None = field(
        default=None,
        metadata=info("The rclone configuration. Default: the credential `rclone_config`, or rclone's own default."),
    )
    age_recipients: tuple[str, ...] = field(
        default=(),
        metadata=info("Public keys that backups are encrypted for: age (`age1…`) or SSH. Empty: no encryption."),
    )
    age_identity: Path | None = field(
        default=None,
        metadata=info("Secret age keys for restore and verify. Default: the credential `age_identity`."),
    )
    remote_write_only: bool = field(
        default=False,
        metadata=info(
            "Whether the second place's key can only write. Nothing is then listed, opened or removed there, and old "
            "backups expire by the place's own rules."
        ),
    )
    signing_key: Path | None = field(
        default=None,
        metadata=info(
            "The private OpenSSH key that signs backups, without a passphrase. Default: the credential "
            "`backup_signing_key`. Without either, backups are not signed."
        ),
    )
    signers: tuple[str, ...] = field(
        default=(),
        metadata=info(
            "Public OpenSSH keys (`ssh-ed25519 AAAA…`) whose backups restore and verify trust; unsigned ones are "
            "refused. Default: the public key of the signing key, if there is one."
        ),
    )
    keep_daily: int = field(default=14, metadata=info("Number of daily backups to keep.", 1, 36_500))
    keep_weekly: int = field(default=8, metadata=info("Number of weekly backups to keep.", 0, 5_200))
