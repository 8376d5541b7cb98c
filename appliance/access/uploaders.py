"""Who may upload: anyone, holders of an access key, people whom a proxy in front has signed in, or several of them."""

from appliance.access.keys import AccessKeys
from appliance.config.model import ANYONE, KEY, SIGNED_IN, Access
from appliance.domain.access_keys import Scope
from appliance.domain.clients import Client
from appliance.domain.clock import Clock
from appliance.domain.errors import InviteKeyFull, KeyRequired, KeyUsedUp, SignInRequired
from appliance.domain.key_rules import require_expiry, require_scope, require_valid, require_within
from appliance.uploads.admission import AdmissionRequest, UploadStage


class Uploaders:
    """An admission rule: refuses uploads of those who may not, and those beyond the limits of their key.

    Guests of an album may always: its owner has let them in. They count for the key of the album.
    """

    def __init__(self, access: Access, *, keys: AccessKeys, clock: Clock) -> None:
        self.allowed = access.uploads
        self._keys = keys
        self._clock = clock

    async def check(self, request: AdmissionRequest) -> None:
        """Raises as `require` and `require_within` do, InvalidExpiry, and InviteKeyFull for guests.

        A repeat makes no image, so the limits of its key don't concern it. Anyone who continues an upload shows by
        its secret id that it was admitted, and is refused once the key has ended with which that was.
        """
        client, key = request.client, request.client.charged_key
        if request.stage is UploadStage.CONTINUING:
            await self._require_valid(request.access_key)
            return
        if request.key_may_follow and (client.access_key is None or Scope.UPLOAD not in client.access_key.scopes):
            return  # a field may bring a key, or a guest link, that lets it in
        if client.invite is None:
            self.require(client)
        if key is None or request.is_repeat:
            return
        require_expiry(key, request.expires_in_s)
        try:
            require_within(key, await self._keys.usage(key), request.bytes, self._clock())
        except KeyUsedUp as fault:
            if key is client.access_key:
                raise
            raise InviteKeyFull from fault

    async def _require_valid(self, key_id: str | None) -> None:
        """Raises KeyInvalid, KeyExpired, KeyRevoked where the key with which an upload was begun has ended since."""
        if key_id is not None:
            require_valid(await self._keys.get(key_id), self._clock())

    def require(self, client: Client) -> None:
        """Raises KeyRequired, SignInRequired, KeyScope."""
        key, allowed = client.access_key, self.allowed
        if SIGNED_IN in allowed and client.user is not None:
            return
        if key is not None and (KEY in allowed or ANYONE in allowed):
            require_scope(key, Scope.UPLOAD)
        elif ANYONE in allowed:
            return
        elif KEY not in allowed:
            raise SignInRequired
        elif SIGNED_IN in allowed:
            raise KeyRequired("You need to be signed in, or to have an access key, to upload here.")
        else:
            raise KeyRequired
