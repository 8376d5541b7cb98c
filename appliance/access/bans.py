"""Bans as the operator and those who are banned meet them: added, listed, removed and enforced."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from appliance.access.ban_list import BanList
from appliance.access.keys import TellStore, tell_later
from appliance.catalogue import BanCatalogue, KeyCatalogue
from appliance.domain.access_records import RecordKind
from appliance.domain.bans import KEY, MAX_REASON_CHARS, Ban, network_in
from appliance.domain.clients import Client
from appliance.domain.clock import DAY_S, Clock
from appliance.domain.errors import Banned, Conflict, InvalidField, UnknownKey
from appliance.domain.networks import parse_network
from appliance.domain.upload_options import clean_text

KEPT_S = 365 * DAY_S
"""How long an ended ban is kept: an older backup, in which it has not ended, doesn't bring it back."""
_THIS_MACHINE = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


@dataclass(frozen=True, slots=True)
class NewBan:
    """A ban that is to be made: of an address, a network, or an access key by its name or id.

    `until_s` (unix seconds) None means for good. Only with `force` may it concern this machine or a trusted proxy.
    """

    whom: str
    reason: str = ""
    until_s: int | None = None
    views: bool = False
    force: bool = False


class Bans:
    """Every change is durable when its method returns, and in force with the next request."""

    def __init__(
        self,
        catalogue: BanCatalogue,
        *,
        keys: KeyCatalogue,
        trusted_proxies: Sequence[str],
        clock: Clock,
        tell_store: TellStore = tell_later,
    ) -> None:
        self._catalogue = catalogue
        self._keys = keys
        self._protected = (*_THIS_MACHINE, *map(parse_network, trusted_proxies))
        self._clock = clock
        self._tell_store = tell_store
        self._list = BanList()
        self._changes = 0

    async def load(self) -> None:
        """Put the bans into force, as the catalogue has them: other nodes change them too. Raises its faults."""
        while True:
            changes = self._changes
            loaded = await asyncio.to_thread(BanList, await self.all())
            if changes == self._changes:
                break
        self._list = loaded

    @property
    def count(self) -> int:
        """How many bans are in force."""
        self._list.drop_ended(self._clock())
        return len(self._list)

    def require_not_banned(self, client: Client, *, viewing: bool) -> None:
        """Raises Banned for a request that views something, or for any other one: for its address, or its key."""
        now_s, key = self._clock(), client.access_key
        ban = self._list.of_address(client.address, now_s, viewing=viewing)
        if ban is None and key is not None:
            ban = self._list.of_key(key.id, now_s, viewing=viewing)
        if ban is not None:
            raise Banned(ban.reason, ban.until_s)

    def require_may_upload(self, client: Client, access_key: str | None = None) -> None:
        """Raises Banned for the client, and for the key with this id, with which an upload was begun."""
        self.require_not_banned(client, viewing=False)
        if access_key is not None:
            self.require_key_not_banned(access_key)

    def require_key_not_banned(self, access_key: str) -> None:
        """Raises Banned where the key with this id may not upload."""
        if (ban := self._list.of_key(access_key, self._clock(), viewing=False)) is not None:
            raise Banned(ban.reason, ban.until_s)

    async def add(self, new: NewBan) -> Ban:
        """Ban somebody, in place of an earlier ban of the same. Raises InvalidField, UnknownKey, Conflict."""
        now_s = int(self._clock())
        if new.until_s is not None and new.until_s <= now_s:
            raise InvalidField("The ban would have ended already.")
        network = network_in(new.whom)
        if network is not None and not new.force:
            self._refuse_protected(network)
        subject = f"{KEY}{await self._key_id(new.whom)}" if network is None else str(network)
        ban = await self._catalogue.put(Ban(subject, _sentence(new.reason), now_s, new.until_s, new.views))
        self._put(ban)
        await self._tell_store(RecordKind.BAN, ban.id)
        return ban

    async def remove(self, whom: str) -> Ban:
        """End the ban of an address, a network or a key; wider and narrower ones stay.

        Raises UnknownBan, UnknownKey.
        """
        network = network_in(whom)
        if network is not None:
            subject = str(network)
        else:
            subject = whom if whom.startswith(KEY) else f"{KEY}{await self._key_id(whom)}"
        ban = await self._catalogue.end(subject, int(self._clock()))
        self._put(ban)
        await self._tell_store(RecordKind.BAN, ban.id)
        return ban

    async def all(self) -> list[Ban]:
        """The bans that are in force."""
        now_s = self._clock()
        return [ban for ban in await self._catalogue.all() if ban.is_in_force(now_s)]

    async def name_of(self, ban: Ban) -> str | None:
        """The name of the access key that is banned; None for a network, and for a key that is unknown."""
        key = await self._keys.get(ban.subject.removeprefix(KEY)) if ban.subject.startswith(KEY) else None
        return None if key is None else key.name

    async def forget(self) -> int:
        """The job: forget what ended long ago. Returns how many bans that were."""
        self._list.drop_ended(self._clock())
        return await self._catalogue.forget(int(self._clock()) - KEPT_S)

    def _put(self, ban: Ban) -> None:
        self._changes += 1
        self._list.put(ban)

    def _refuse_protected(self, network: IPv4Network | IPv6Network) -> None:
        for protected in self._protected:
            if protected.version == network.version and network.overlaps(ip_network(protected)):
                raise Conflict(
                    f"{network} has addresses of this machine or of a trusted proxy in it ({protected}). "
                    "Use --force if you mean it."
                )

    async def _key_id(self, name: str) -> str:
        """Of the key with this id or, among those that aren't revoked, this name."""
        for key in await self._keys.all():
            if name.removeprefix(KEY) == key.id or (key.name == name and key.revoked_s is None):
                return key.id
        raise UnknownKey(f"{name!r:.80} is no address, no network and no access key. See `appliance key list`.")


def _sentence(reason: str) -> str:
    """The reason as it can follow other sentences. Raises InvalidField."""
    cleaned = clean_text("The reason", reason, MAX_REASON_CHARS) or ""
    return cleaned if cleaned.endswith((".", "!", "?", "…")) or not cleaned else f"{cleaned}."
