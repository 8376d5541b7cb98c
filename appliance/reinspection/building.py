"""Building the reinspector: every part of `appliance.reinspection`, wired together."""

from appliance.cache import Caches
from appliance.catalogue import Catalogue
from appliance.config.model import Config
from appliance.delivery.originals import Originals
from appliance.domain.this_node import ThisNode
from appliance.lifecycle.shipping import Shipper
from appliance.lifecycle.sidecars import Sidecars
from appliance.objectstore import ObjectStore
from appliance.reinspection.examiner import Examiner
from appliance.reinspection.replacer import Replacer
from appliance.reinspection.service import Reinspector
from appliance.spool import Spool
from appliance.workers import Workers


def build_reinspector(  # noqa: PLR0917 - one of each part
    config: Config,
    catalogue: Catalogue,
    spool: Spool,
    store: ObjectStore,
    caches: Caches,
    workers: Workers,
    originals: Originals,
    shipper: Shipper,
    sidecars: Sidecars,
    this_node: ThisNode,
) -> Reinspector:
    """What brings stored images up to today's rules, over parts that the caller starts and stops."""
    replacer = Replacer(
        spool=spool,
        workers=workers,
        catalogue=catalogue,
        originals=originals,
        shipper=shipper,
        sidecars=sidecars,
        caches=caches,
        this_node=this_node,
    )
    examiner = Examiner(config.renditions, workers=workers)
    return Reinspector(catalogue=catalogue, spool=spool, store=store, examiner=examiner, replacer=replacer)
