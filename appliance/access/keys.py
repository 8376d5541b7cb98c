"""Access keys as their operator and their holders meet them: minted, listed, replaced, revoked and checked."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from appliance.catalogue import KeyCatalogue
from appliance.domain import access_keys
from appliance.domain.access_keys import MAX_NAME_CHARS, NO_LIMITS, AccessKey, KeyLimits, KeyUsage, Scope
from appliance.domain.access_records import RecordKind
from appliance.domain.bans import network_in
from appliance.domain.clock import YEAR_10000_S, Clock
from appliance.domain.errors import Conflict, InvalidField, KeyInvalid, KeyRotated, UnknownKey
from appliance.domain.key_rules import require_valid
from appliance.domain.tokens import hash_secret
from appliance.domain.upload_options import clean_text

TellStore = Callable[[RecordKind, str], Awaitable[None]]
"""Sends a change to the store before it is answered, if that succeeds in time."""

_NOBODYS_HASH = "0" * 64
_NOBODY = (_NOBODYS_HASH, _NOBODYS_HASH)
_TYPO = "The access key has a typo or is incomplete. Copy the whole key again."


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that is to be made. `expires_in_s` None means that it never expires."""

    name: str
    scopes: tuple[Scope, ...] = (Scope.UPLOAD, Scope.MANAGE)
    expires_in_s: int | None = None
    limits: KeyLimits = NO_LIMITS


async def tell_later(_kind: RecordKind, _record_id: str) -> None:
    """The `TellStore` of a command without a server: the next server tells the store."""


class AccessKeys:
    """Every change is durable when its method returns, and in force with the next request."""

    def __init__(self, catalogue: KeyCatalogue, *, clock: Clock, tell_store: TellStore = tell_later) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._tell_store = tell_store

    async def authenticate(self, text: str) -> AccessKey:
        """The key, if it is valid now. Raises KeyInvalid, KeyExpired, KeyRevoked, KeyRotated."""
        key_id = access_keys.id_of(text)
        if key_id is None:
            raise KeyInvalid(_TYPO)
        key = await self._catalogue.get(key_id)
        sent, known = hash_secret(text), _NOBODY if key is None else (key.secret_hash, key.former_hash or _NOBODYS_HASH)
        is_current, is_former = [hmac.compare_digest(sent, each) for each in known]
        if key is None or not (is_current or is_former):
            raise KeyInvalid
        require_valid(key, self._clock())
        if not is_current:
            raise KeyRotated
        return key

    async def add(self, new: NewKey) -> tuple[AccessKey, str]:
        """A new key, and its text, which nobody can ask for again. Raises InvalidField, Conflict."""
        name = clean_text("The name", new.name, MAX_NAME_CHARS)
        if not name or access_keys.is_key(name) or network_in(name) is not None:
            raise InvalidField("A key needs a name, such as the person or the program that uses it.")
        if not new.scopes:
            raise InvalidField(f"A key needs a scope: {', '.join(Scope)}.")
        if new.expires_in_s is not None and new.expires_in_s < 1:
            raise InvalidField("The key would have expired already. Name a time to come.")
        now_s = int(self._clock())
        expires_s = None if new.expires_in_s is None else now_s + new.expires_in_s
        if expires_s is not None and expires_s >= YEAR_10000_S:
            raise InvalidField("A key can expire before the year 10000. Without an expiry it is valid for good.")
        key_id, text = access_keys.generate_key()
        key = AccessKey(
            id=key_id,
            name=name,
            secret_hash=hash_secret(text),
            scopes=tuple(dict.fromkeys(new.scopes)),
            created_s=now_s,
            expires_s=expires_s,
            limits=new.limits,
        )
        await self._catalogue.add(key)
        await self._tell_store(RecordKind.KEY, key.id)
        return key, text

    async def all(self) -> list[tuple[AccessKey, KeyUsage]]:
        """Every key, and what was uploaded with it, in the order in which they were made."""
        return [(key, await self.usage(key)) for key in await self._catalogue.all()]

    async def get(self, key_id: str) -> AccessKey:
        """The key with this id, ended ones included. Raises KeyInvalid."""
        key = await self._catalogue.get(key_id)
        if key is None:
            raise KeyInvalid
        return key

    async def usage(self, key: AccessKey) -> KeyUsage:
        """What was uploaded with the key, as of today."""
        return (await self._catalogue.usage(key.id)).on(access_keys.day_of(self._clock()))

    async def revoke(self, name: str) -> AccessKey:
        """End the key with this name or id, at once and for good. Raises UnknownKey."""
        now_s = int(self._clock())
        return await self._change(name, lambda key: replace(key, revoked_s=key.revoked_s or now_s))

    async def rotate(self, name: str) -> tuple[AccessKey, str]:
        """Replace the secret of the key with this name or id; the old one ends at once. Raises UnknownKey, Conflict."""
        found = await self._find(name)
        text = access_keys.generate_key_for(found.id)

        def replaced(key: AccessKey) -> AccessKey:
            if key.revoked_s is not None:
                raise Conflict(f"The key “{key.name}” was revoked. Add a new one.")
            return replace(key, secret_hash=hash_secret(text), former_hash=key.secret_hash)

        return await self._change(found.id, replaced), text

    async def _change(self, name: str, change: Callable[[AccessKey], AccessKey]) -> AccessKey:
        changed = await self._catalogue.change((await self._find(name)).id, change)
        await self._tell_store(RecordKind.KEY, changed.id)
        return changed

    async def _find(self, name: str) -> AccessKey:
        """By id or name; of several with one name all but one are revoked."""
        found = [key for key in await self._catalogue.all() if name in (key.id, key.name)]
        if found:
            return min(found, key=lambda key: (key.id != name, key.revoked_s is not None))
        raise UnknownKey(f"There is no access key {name!r:.80}. See `appliance key list`.")
