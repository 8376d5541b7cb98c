"""Section `node`: this server among others that share its catalogue and its store."""

from dataclasses import dataclass, field

from appliance.config.option_info import info
from appliance.config.units import KB, MB

MIN_SECRET_CHARS = 32


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """This server as one of several."""

    name: str | None = field(
        default=None,
        metadata=info(
            "What this server is called among those that share its catalogue: up to 40 of a-z, 0-9 and -. No two may "
            "have the same name. Default: the machine's name, and the instance of the unit if it has one (`box-1`)."
        ),
    )
    listen: str | None = field(
        default=None,
        metadata=info(
            "Address for the other nodes alone, such as `10.0.0.5:8090`. Makes this server one of several that share "
            "`catalogue.url` and the store; see [nodes.md](nodes.md). Default: it is alone."
        ),
    )
    url: str | None = field(
        default=None,
        metadata=info("Where the other nodes reach `listen`, such as `http://box-1.internal:8090`. Default: `listen`."),
    )
    secret: str | None = field(
        default=None,
        repr=False,
        metadata=info(
            "What the nodes prove to each other that they belong together: the same text of 32 characters or more on "
            "all of them. Best set as the credential `node_secret`.",
            secret=True,
        ),
    )
    segment_bytes: int = field(
        default=16 * MB,
        metadata=info(
            "While a resumable upload arrives, the store gets it in pieces of this size. When the upload's node is "
            "lost, a client sends less than one of them again, unless the store was slower than the client. Smaller "
            "ones cost more requests to the store.",
            minimum=64 * KB,
        ),
    )
