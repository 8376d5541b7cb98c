"""Signatures of calls between nodes, by the secret that all of them have.

A signature holds for one call to one node: it covers who calls whom for what, names a moment, and is accepted once.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from cachetools import TTLCache

from appliance.domain.clock import Clock

WINDOW_S = 30
"""How far a signature's moment may be from this node's clock, which is within two seconds of every other node's."""
NONCE_BYTES = 16
MAX_NONCES = 500_000
"""More than nodes call each other within a window; beyond it the oldest are forgotten."""
CONTEXT = "appliance call between nodes"


class NotFromANode(Exception):
    """A call whose signature is missing, wrong, too old or used."""


@dataclass(frozen=True, slots=True)
class NodeCall:
    """What a signature covers. `path` includes the query. `client` and `user` are those whose request is passed on."""

    sender: str
    recipient: str
    method: str
    path: str
    client: str = ""
    user: str = ""


class Signatures:
    """Signs calls, and checks the signatures of others. `clock` is the wall clock, in unix seconds."""

    def __init__(self, secret: str, clock: Clock) -> None:
        self._key = hmac.new(secret.encode(), CONTEXT.encode(), hashlib.sha256).digest()
        self._clock = clock
        self._seen: TTLCache[str, None] = TTLCache(MAX_NONCES, 2 * WINDOW_S, timer=clock)

    def sign(self, call: NodeCall) -> str:
        """The signature: a moment, a nonce and a MAC, with points between them."""
        moment, nonce = str(int(self._clock())), secrets.token_hex(NONCE_BYTES)
        return f"{moment}.{nonce}.{self._mac(call, moment, nonce)}"

    def check(self, call: NodeCall, signature: str) -> None:
        """Raises NotFromANode, also for a signature that was accepted before."""
        moment, _, rest = signature.partition(".")
        nonce, _, mac = rest.partition(".")
        if not hmac.compare_digest(self._mac(call, moment, nonce).encode(), mac.encode(errors="replace")):
            raise NotFromANode("The signature is wrong.")
        if abs(self._clock() - int(moment)) > WINDOW_S:
            raise NotFromANode("The signature is too old, or a clock is wrong.")
        if nonce in self._seen:
            raise NotFromANode("The signature was used before.")
        self._seen[nonce] = None

    def _mac(self, call: NodeCall, moment: str, nonce: str) -> str:
        parts = (call.sender, call.recipient, call.method, call.path, call.client, call.user, moment, nonce)
        text = "".join(f"{len(part)}:{part}" for part in parts)  # no part can reach into the next
        return hmac.new(self._key, text.encode(errors="surrogateescape"), hashlib.sha256).hexdigest()
