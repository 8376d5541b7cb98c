"""Errors of nodes, which share a catalogue and a store: why one doesn't join, or isn't there."""

from appliance.domain.errors.base import ApplianceError


class NodeNameInUse(ApplianceError):
    """Another node has this name, and is alive."""

    code = "node-name-in-use"
    title = "Another node has this name"


class NodeDirectoryInUse(ApplianceError):
    """A node with another name runs with this data directory, or with what it was copied from."""

    code = "node-directory-in-use"
    title = "Another node has this data directory"


class NodeSchemaDiffers(ApplianceError):
    """Nodes of an older release are connected, which don't understand what this one would do to the schema."""

    code = "node-schema-differs"
    title = "Nodes of another release are running"


class NodeClockDiffers(ApplianceError):
    """This machine's clock is too far from the database's."""

    code = "node-clock-differs"
    title = "The clock differs from the database's"


class NodeStoreDiffers(ApplianceError):
    """This node's store is not the one that the other nodes use."""

    code = "node-store-differs"
    title = "The store is not that of the other nodes"


class NodeSecretDiffers(ApplianceError):
    """This node's secret is not the one that the other nodes have."""

    code = "node-secret-differs"
    title = "The secret is not that of the other nodes"


class NodeUnavailable(ApplianceError):
    """Another node has the bytes, and doesn't answer."""

    code = "node-unavailable"
    title = "A server of this host is not responding"
    texts = ("A server of this host is not responding, and what you asked for is there. Try again in a moment.",)
