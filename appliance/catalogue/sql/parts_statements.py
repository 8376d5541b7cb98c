"""The SQL of final uploads that may still need their parts."""
# ruff: noqa: S608  (only column names of this package are put into the text; values are always bound)

from appliance.catalogue.sql.rows import UPLOAD_COLUMNS

_UPLOAD = ", ".join(f"uploads.{name}" for name in UPLOAD_COLUMNS)
_OF_AN_IMAGE = f"""
    SELECT {_UPLOAD} FROM images INDEXED BY {{index}}
    JOIN uploads INDEXED BY uploads_by_slug ON uploads.slug = images.slug AND uploads.kind = 'final'
    WHERE images.location = 'spool' AND images.ended IS {{ended}} AND coalesce(images.node, '') >= ''"""

NEEDING_PARTS = f"""
    SELECT {_UPLOAD} FROM uploads INDEXED BY uploads_receiving
    WHERE state = 'receiving' AND expires_s > 0 AND kind = 'final' UNION ALL
    {_OF_AN_IMAGE.format(index="images_unshipped", ended="NULL")} UNION ALL
    {_OF_AN_IMAGE.format(index="images_ended_unshipped", ended="NOT NULL")}"""
"""Those being received, and those whose image's original is not in the store yet. One may be named twice."""
