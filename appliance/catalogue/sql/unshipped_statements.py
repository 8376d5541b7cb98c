"""The SQL of images whose original is not in the store yet, which `images_unshipped` has by node; "" is none."""
# ruff: noqa: S608  (only column names of this package are put into the text; values are always bound)

from appliance.catalogue.sql.rows import COLUMNS

_WAITING = """
    FROM images INDEXED BY images_unshipped WHERE location = 'spool' AND ended IS NULL AND coalesce(node, '')"""

UNSHIPPED = f"SELECT {', '.join(COLUMNS)} {_WAITING} = :node AND slug > :after ORDER BY slug LIMIT :limit"
UNSHIPPED_SLUGS = f"SELECT slug {_WAITING} = :node ORDER BY slug LIMIT :limit"
NEXT_UNSHIPPED_NODE = f"SELECT node {_WAITING} > :node ORDER BY coalesce(node, '') LIMIT 1"
COUNT_UNSHIPPED = f"SELECT count(*) FROM (SELECT 1 {_WAITING} >= '' LIMIT :cap) AS found"
COUNT_UNSHIPPED_OF_NODE = f"SELECT count(*) FROM (SELECT 1 {_WAITING} = :node LIMIT :cap) AS found"
