"""Who may upload: anyone, holders of an access key, people whom a proxy in front has signed in, or several of them."""

from appliance.access.keys import AccessKeys
from appliance.config.model import ANYONE, KEY, SIGNED_IN, Access
from appliance.domain.access_keys import Scope
from appliance.domain.clients import Client
from appliance.domain.clock import Clock
from appliance.domain.errors import KeyRequired, SignInRequired
from appliance.domain.key_rules import require_expiry, require_scope, require_within
from appliance.uploads.admission import AdmissionRequest, UploadStage


class Uploaders:
    """An admission rule: refuses uploads of those who may not, and those beyond the limits of their key.

    Guests of an album may always: its owner has let them in.
    """

    def __init__(self, access: Access, *, keys: AccessKeys, clock: Clock) -> None:
        self.allowed = access.uploads
        self._keys = keys
        self._clock = clock

    async def check(self, request: AdmissionRequest) -> None:
        """Raises as `require` and `require_within` do, and InvalidExpiry.

        A repeat makes no image, so the limits of its key don't concern it. Anyone who continues an upload shows by
        its secret id that it was admitted. The row that makes an image of it is not added for a key that
        has ended meanwhile.
        """
        key = request.client.access_key
        if request.stage is UploadStage.CONTINUING or (request.key_may_follow and key is None):
            return
        if request.client.invite is None:
            self.require(request.client)
        if key is not None and not request.is_repeat:
            require_expiry(key, request.expires_in_s)
            require_within(key, await self._keys.usage(key), request.bytes, self._clock())

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
