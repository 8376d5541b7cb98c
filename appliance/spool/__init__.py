"""The spool: the local disk that every upload passes through, and that keeps copies of recent originals."""

from appliance.spool.digests import ALGORITHMS, Checksum, Digest
from appliance.spool.disk import Spool
from appliance.spool.folders import ATTRIBUTE, kept_metadata
from appliance.spool.resumed import UploadFiles
from appliance.spool.room import Room, no_room
from appliance.spool.transfers import Incoming, too_large

__all__ = [
    "ALGORITHMS",
    "ATTRIBUTE",
    "Checksum",
    "Digest",
    "Incoming",
    "Room",
    "Spool",
    "UploadFiles",
    "kept_metadata",
    "no_room",
    "too_large",
]
