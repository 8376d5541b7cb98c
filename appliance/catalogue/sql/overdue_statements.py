"""The SQL of what is overdue at one of several nodes."""

from appliance.catalogue.sql.statements import UPLOADS_DUE

UPLOADS_DUE_AT = UPLOADS_DUE.replace(
    " ORDER BY",
    """ AND node IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM nodes WHERE nodes.name = uploads.node AND nodes.name <> :node
    AND nodes.home <> coalesce((SELECT home FROM nodes WHERE name = :node), '')) ORDER BY""",
)
"""Those of the node, under this name or a former one, and those whose node is forgotten."""
