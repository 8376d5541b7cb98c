"""Landed files that were shipped before, without this node's knowing: it was killed, or got no answer.

Since then, another node may have replaced the original.
"""

from appliance.domain.model import Image, Location
from appliance.domain.this_node import ThisNode
from appliance.spool import Spool


async def settle_landed(spool: Spool, this_node: ThisNode, row: Image) -> bool:
    """Make a copy of the landed file if it is what the store has, and remove it if it is what was replaced.

    False, with the file as it was, if it has yet to be shipped.
    """
    is_stored = row.location is Location.STORE
    if not (is_stored or this_node.lacks(row.node)):
        return False
    if await spool.landed_sha256(row.slug) != row.sha256:
        await spool.discard(row.slug)
        return True
    if is_stored:
        await spool.release(row.slug)
    return is_stored
