"""Expiry: due images end."""

import logging

from appliance.cache import Caches
from appliance.catalogue import ImageCatalogue
from appliance.domain.clock import DAY_S
from appliance.observability.metrics import Metrics

GRACE_S = 7 * DAY_S  # how long an expired image keeps its bytes, and an album its rows; the manage link restores them
EXPIRE_BATCH = 1000

log = logging.getLogger(__name__)


async def expire_images(
    catalogue: ImageCatalogue, cache: Caches, metrics: Metrics, now_s: int, *, batch: int = EXPIRE_BATCH
) -> int:
    """End every image that is due, in batches; an extension that comes meanwhile wins. Returns how many ended."""
    ended = 0
    while slugs := await catalogue.due(now_s, batch):
        images = await catalogue.expire(slugs, now_s=now_s, erase_after_s=now_s + GRACE_S)
        for image in images:
            await cache.evict(image.slug)
        ended += len(images)
        metrics.expired.inc(len(images))
    if ended:
        log.info("expired %d images", ended)
    return ended
