"""Bans: networks and access keys that the operator keeps out, for a time or for good.

A ban's id names whom it concerns, so that a record that can't be read any more still says that much.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from appliance.domain.access_records import AccessRecord, RecordKind
from appliance.domain.networks import parse_network

KEY = "key:"
MAX_REASON_CHARS = 300
UNREADABLE_VERSION = 0
_CLIENT_BITS = 64  # of an IPv6 address: everybody in one /64 is one client
_TRANSLATED = IPv6Network("64:ff9b::/96")  # IPv4 addresses as IPv6 ones (RFC 6052)
_KEY_ID = re.compile(r"key:[0-9A-Za-z]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Ban:
    """One ban. The `subject` is a network, such as `192.0.2.0/24`, or `key:` and the id of an access key.

    Times are unix seconds; `until_s` None means for good. With `views` nothing is shown either. `version` counts
    changes. One that was removed has ended, and is kept for a while, so that nothing brings it back.
    """

    subject: str
    reason: str
    created_s: int
    until_s: int | None = None
    views: bool = False
    version: int = 1

    @property
    def id(self) -> str:
        """The subject in characters that the name of an object may have."""
        return id_of(self.subject)

    def is_in_force(self, now_s: float) -> bool:
        return self.until_s is None or self.until_s > now_s

    def refuses(self, now_s: float, *, viewing: bool) -> bool:
        """Whether it refuses a request that views something, or any other one."""
        return (self.views or not viewing) and self.is_in_force(now_s)


def network_in(text: str) -> IPv4Network | IPv6Network | None:
    """The network that the text names, as clients are compared with it; None if it names none.

    An IPv6 network has 64 bits at most, and one that stands for IPv4 addresses becomes that.
    """
    try:
        network = parse_network(text)
    except ValueError:
        return None
    if isinstance(network, IPv4Network):
        return network
    if network.subnet_of(_TRANSLATED):
        ipv4 = int(network.network_address) - int(_TRANSLATED.network_address)
        return IPv4Network((ipv4, network.prefixlen - _TRANSLATED.prefixlen))
    return network.supernet(new_prefix=min(network.prefixlen, _CLIENT_BITS))


def id_of(subject: str) -> str:
    """The id of the subject's ban."""
    return subject.replace(":", "-").replace("/", "_")


def subject_of(ban_id: str) -> str:
    """The subject of the ban with this id. Raises ValueError if no ban has such an id."""
    if _KEY_ID.fullmatch(subject := ban_id.replace("-", ":").replace("_", "/")):
        return subject
    if str(ip_network(subject)) != subject:
        raise ValueError(f"{ban_id!r} names nobody")
    return subject


def record_of(ban: Ban) -> AccessRecord:
    """What the store has to know of the ban: everything."""
    known = {"reason": ban.reason, "created_s": ban.created_s, "until_s": ban.until_s, "views": ban.views}
    return AccessRecord(RecordKind.BAN, ban.id, ban.version, known)


def ban_of(record: AccessRecord) -> Ban:
    """The ban that the record describes. Raises KeyError, TypeError or ValueError if it describes none."""
    known: dict[str, Any] = dict(record.fields or {})
    until_s = known["until_s"]
    return Ban(
        subject=subject_of(record.id),
        reason=str(known["reason"]),
        created_s=int(known["created_s"]),
        until_s=None if until_s is None else int(until_s),
        views=bool(known["views"]),
        version=record.version,
    )


def record_without_content(ban_id: str) -> AccessRecord:
    """What is left of a record that can't be read: a ban without an end. Raises ValueError if no ban has such an id."""
    return record_of(Ban(subject_of(ban_id), reason="", created_s=0, version=UNREADABLE_VERSION))
