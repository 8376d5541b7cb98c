"""The SQL of nodes and leases, and of what nodes have to follow.

Times are the database's own: `NOW_S` is replaced by each database's clock.
"""
# ruff: noqa: S608  (only texts of this package are put into the text; values are always bound)

from appliance.domain.nodes import MAX_CLOCK_SKEW_S

NOW_S = "((julianday('now') - 2440587.5) * 86400.0)"
_NOW = f"CAST({NOW_S} AS INTEGER)"
_NODE = "name, url, home, version, schema, started_s, seen_s"
_IS_ALIVE = f"left_s IS NULL AND seen_s > {_NOW} - :dead_after_s"
_HOLDER_IS_ALIVE = f"""
    (leases.until_s > {_NOW} AND EXISTS (SELECT 1 FROM nodes WHERE nodes.name = leases.node AND {_IS_ALIVE}))"""

NOW = f"SELECT {NOW_S}"
JOIN = f"""
    INSERT INTO nodes ({_NODE}) VALUES (:name, :url, :home, :version, :schema, {_NOW}, {_NOW})
    ON CONFLICT (name) DO UPDATE SET url = excluded.url, home = excluded.home, version = excluded.version,
    schema = excluded.schema, started_s = excluded.started_s, seen_s = excluded.seen_s, left_s = NULL"""
NAMESAKE = f"SELECT 1 FROM nodes WHERE name = :name AND home <> :home AND {_IS_ALIVE}"
TWIN = f"SELECT name FROM nodes WHERE name > '' AND home = :home AND name <> :name AND {_IS_ALIVE}"
BEAT = f"UPDATE nodes SET seen_s = {_NOW} WHERE name = :name"
LEAVE = f"UPDATE nodes SET left_s = {_NOW} WHERE name = :name"
FORGET_NODE = "DELETE FROM nodes WHERE name = :name"
NODES = f"SELECT {_NODE}, {_NOW} - seen_s, left_s FROM nodes WHERE name > '' ORDER BY name"
ACQUIRE = f"""
    INSERT INTO leases (name, node, until_s) VALUES (:name, :node, {_NOW} + :for_s)
    ON CONFLICT (name) DO UPDATE SET node = excluded.node, until_s = excluded.until_s
    WHERE leases.node = excluded.node OR NOT {_HOLDER_IS_ALIVE}"""
RELEASE = "DELETE FROM leases WHERE name = :name AND node = :node"
RELEASE_ALL = "DELETE FROM leases WHERE node = :node"
LEASES = f"SELECT name, node, until_s - {_NOW} FROM leases WHERE name > '' AND {_HOLDER_IS_ALIVE} ORDER BY name"
CLAIM_UPLOAD = """
    UPDATE uploads SET node = :node WHERE id_hash = :id_hash AND state = 'receiving' AND NOT EXISTS
    (SELECT 1 FROM nodes WHERE nodes.name = uploads.node AND nodes.name <> :node
    AND nodes.home <> (SELECT home FROM nodes WHERE name = :node))"""
TAKE_OVER_UPLOAD = f"""
    UPDATE uploads SET node = :node WHERE id_hash = :id_hash AND state = 'receiving' AND node = :former
    AND NOT EXISTS (SELECT 1 FROM nodes WHERE nodes.name = :former AND nodes.seen_s > {_NOW} - :dead_after_s)"""
ERASED = """
    SELECT slug, erased_s FROM tombstones INDEXED BY tombstones_by_erasure
    WHERE (erased_s, slug) > (:since_s, :after) ORDER BY erased_s, slug LIMIT :limit"""
ADD_REVISION = f"""
    INSERT INTO revisions (slug, version, renews, revised_s) VALUES (:slug, :version, :renews, {_NOW})
    ON CONFLICT (slug) DO UPDATE SET version = excluded.version, renews = max(revisions.renews, excluded.renews),
    revised_s = excluded.revised_s"""
REMOVE_REVISION = "DELETE FROM revisions WHERE slug = :slug"
REVISED = """
    SELECT slug, revised_s, version, renews FROM revisions INDEXED BY revisions_by_time
    WHERE (revised_s, slug) > (:since_s, :after) ORDER BY revised_s, slug LIMIT :limit"""
RESTORABLE_OF_NODE = f"""
    SELECT slug FROM images INDEXED BY images_ended_unshipped
    WHERE location = 'spool' AND ended IS NOT NULL AND coalesce(node, '') = :node
    AND erase_after_s > {_NOW} + {MAX_CLOCK_SKEW_S:.0f} ORDER BY erase_after_s LIMIT :limit"""
