"""Makes the membership of a server from its settings."""

from appliance import __version__
from appliance.catalogue import Catalogue
from appliance.config.model import Config
from appliance.config.node_name import node_name
from appliance.domain.clock import Clock, system_boot_clock
from appliance.domain.nodes import Node
from appliance.membership.home import home_at
from appliance.membership.membership import Membership
from appliance.membership.store_proof import StoreProof
from appliance.objectstore import ObjectStore


def membership_of(config: Config, catalogue: Catalogue, store: ObjectStore, clock: Clock) -> Membership | None:
    """This server's membership; None where it is alone. Raises UnfitInstallation."""
    settings = config.node
    if settings.listen is None:
        return None
    assert settings.secret is not None  # checked with the settings
    home = home_at(config.node_id_path, clock)
    url = settings.url or f"http://{settings.listen}"
    return Membership(
        Node(node_name(settings), url.rstrip("/"), home.id, __version__),
        home=home,
        secret=settings.secret,
        nodes=catalogue.nodes,
        store_proof=StoreProof(_address_of(config), nodes=catalogue.nodes, notes=catalogue.notes, store=store),
        clock=clock,
        boot_clock=system_boot_clock,
    )


def _address_of(config: Config) -> str:
    store = config.store
    if store.kind == "directory":
        return f"The directory {config.store_dir}"
    return f"The bucket {store.bucket} at {store.endpoint}"
