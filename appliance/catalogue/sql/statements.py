"""The SQL statements that run after the migrations, in one place, so that a test can check the plan of each.

`INDEXED BY` requires a partial index: without statistics the planner may prefer to walk the whole slug index. A lower
bound of '' turns a walk in slug order into a search, the only form of a walk that the test accepts.
"""
# ruff: noqa: S608  (only column names of this package are put into the text; values are always bound)

from dataclasses import fields

from appliance.catalogue.sql.node_statements import NOW_S
from appliance.catalogue.sql.rows import ALBUM_COLUMNS, COLUMNS, UPLOAD_COLUMNS
from appliance.domain.flat_image import FACTS_FIELDS
from appliance.domain.invites import Invite

_IMAGE = ", ".join(COLUMNS)
_IMAGE_ROW = f"{_IMAGE}, prewarmed, sidecar_due, erasing"
_VALUES = ", ".join(f":{name}" for name in COLUMNS)
_UPLOAD = ", ".join(UPLOAD_COLUMNS)
_UPLOAD_VALUES = ", ".join(f":{name}" for name in UPLOAD_COLUMNS)
_ALBUM = ", ".join(ALBUM_COLUMNS)
_ALBUM_VALUES = ", ".join(f":{name}" for name in ALBUM_COLUMNS)
_ALBUM_SET = ", ".join(f"{name} = :{name}" for name in ALBUM_COLUMNS)
_CHANGEABLE = (
    "title", "alt", "expires_s", "original_only", "still", "version", "ended", "ended_s", "erase_after_s",
    "lock", "one_view", "viewing", "viewing_s",
    "prewarmed", "sidecar_due", "erasing",
)  # fmt: skip
_SET = ", ".join(f"{name} = :{name}" for name in _CHANGEABLE)
_FOUND = (*FACTS_FIELDS, "bytes", "sha256", "private_data", "content_credentials")
_REVISED = ", ".join(f"{name} = :{name}" for name in dict.fromkeys((*_CHANGEABLE, *_FOUND)))
_RECORDED = ", ".join(f"{name} = :{name}" for name in dict.fromkeys((*_CHANGEABLE[:-3], *_FOUND)))
"""What sidecars record."""
_SLUGS = "(SELECT value FROM json_each(:slugs))"

# --- one image ----------------------------------------------------------------------------------------------------

ADD_IMAGE = f"""INSERT INTO images ({_IMAGE_ROW}) VALUES ({_VALUES}, :prewarmed, :sidecar_due, :erasing)
    ON CONFLICT (slug) DO NOTHING"""
IMAGE = f"SELECT {_IMAGE} FROM images WHERE slug = :slug"
IMAGE_ROW = f"SELECT {_IMAGE_ROW} FROM images WHERE slug = :slug"
CHANGE = f"UPDATE images SET {_SET} WHERE slug = :slug"
REVISE = f"UPDATE images SET {_REVISED}, location = :location, node = :node WHERE slug = :slug"
REMOVE_IMAGE = "DELETE FROM images WHERE slug = :slug"

# --- shipping, prewarming, sidecars -------------------------------------------------------------------------------

_MARK_SHIPPED = "UPDATE images SET location = 'store', node = NULL WHERE slug = :slug AND sha256 = :sha256"
MARK_SHIPPED = f"{_MARK_SHIPPED} AND ended IS NULL RETURNING {_IMAGE}"
MARK_RESTORABLE_SHIPPED = f"{_MARK_SHIPPED} AND erasing = 0 RETURNING {_IMAGE}"
CLAIM = f"UPDATE images SET node = :node WHERE slug IN {_SLUGS} AND location = 'spool'"
UNWARMED = f"""
    SELECT {_IMAGE} FROM images INDEXED BY images_unwarmed
    WHERE prewarmed = 0 AND ended IS NULL AND original_only IS NULL AND slug < :before
    ORDER BY slug DESC LIMIT :limit"""
MARK_PREWARMED = f"UPDATE images SET prewarmed = 1 WHERE slug IN {_SLUGS}"
SIDECARS_DUE = f"""
    SELECT {_IMAGE} FROM images INDEXED BY images_sidecar_due
    WHERE sidecar_due = 1 AND location = 'store' AND ended IS NULL AND slug > :after ORDER BY slug LIMIT :limit"""
MARK_SIDECAR_WRITTEN = """
    UPDATE images SET sidecar_due = 0
    WHERE slug = :slug AND version = :version AND location = 'store' AND ended IS NULL"""

# --- ending and erasing -------------------------------------------------------------------------------------------

DUE = """
    SELECT slug FROM images INDEXED BY images_due
    WHERE ended IS NULL AND expires_s <= :now_s ORDER BY expires_s LIMIT :limit"""
# The unary plus makes the planner use the given slugs: the index on expiry may have a year's backlog.
EXPIRE = f"""
    UPDATE images SET ended = 'expired', ended_s = :now_s, erase_after_s = :erase_after_s, version = version + 1
    WHERE slug IN {_SLUGS} AND ended IS NULL AND +expires_s <= :now_s RETURNING {_IMAGE}"""
ERASABLE = f"""
    SELECT {_IMAGE} FROM images INDEXED BY images_ended
    WHERE ended IS NOT NULL AND erase_after_s <= :now_s ORDER BY erase_after_s LIMIT :limit OFFSET :skipped"""
BEGIN_ERASE = "UPDATE images SET erasing = 1 WHERE slug = :slug AND ended IS NOT NULL AND erase_after_s <= :now_s"

# --- tombstones, idempotency, notes -------------------------------------------------------------------------------

TOMBSTONE = "SELECT slug, ended, ended_s FROM tombstones WHERE slug = :slug"
ADD_TOMBSTONE = f"""
    INSERT INTO tombstones (slug, ended, ended_s, erased_s) VALUES (:slug, :ended, :ended_s, CAST({NOW_S} AS INTEGER))
    ON CONFLICT (slug) DO UPDATE SET ended = excluded.ended, ended_s = excluded.ended_s, erased_s = excluded.erased_s"""
FORGET_TOMBSTONES = """
    DELETE FROM tombstones WHERE slug IN
    (SELECT slug FROM tombstones WHERE ended_s < :before_s ORDER BY ended_s LIMIT :limit) RETURNING slug"""
ENQUEUE_TOMBSTONE = """
    INSERT INTO tombstones_due (slug, version) VALUES (:slug, :version)
    ON CONFLICT (slug) DO UPDATE SET version = max(tombstones_due.version, excluded.version)"""
TOMBSTONES_DUE = "SELECT slug FROM tombstones_due WHERE slug > :after ORDER BY slug LIMIT :limit"
MARK_TOMBSTONE_WRITTEN = "DELETE FROM tombstones_due WHERE slug = :slug AND version <= coalesce(:version, version)"
IDEMPOTENCY = "SELECT key_hash, slug, fingerprint, created_s, secret FROM idempotency WHERE key_hash = :key_hash"
ADD_IDEMPOTENCY = """
    INSERT INTO idempotency (key_hash, slug, fingerprint, created_s, secret)
    VALUES (:key_hash, :slug, :fingerprint, :created_s, :secret) ON CONFLICT (key_hash) DO NOTHING"""
FORGET_IDEMPOTENCY = """
    DELETE FROM idempotency WHERE key_hash IN
    (SELECT key_hash FROM idempotency WHERE created_s < :before_s ORDER BY created_s LIMIT :limit)"""
NOTE = "SELECT value FROM notes WHERE name = :name"
SET_NOTE = """
    INSERT INTO notes (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value"""

# --- resumable uploads --------------------------------------------------------------------------------------------

ADD_UPLOAD = f"INSERT INTO uploads ({_UPLOAD}) VALUES ({_UPLOAD_VALUES})"
UPLOAD = f"SELECT {_UPLOAD} FROM uploads WHERE id_hash = :id_hash"
UPLOAD_BY_SLUG = f"SELECT {_UPLOAD} FROM uploads INDEXED BY uploads_by_slug WHERE slug = :slug"
SET_UPLOAD_LENGTH = """
    UPDATE uploads SET length = :length WHERE id_hash = :id_hash AND state = 'receiving' AND length IS NULL"""
COMPLETE_UPLOAD = """
    UPDATE uploads SET length = :length, is_open = 0
    WHERE id_hash = :id_hash AND state = 'receiving' AND is_open = 1"""
SET_UPLOAD_EDITS = """
    UPDATE uploads SET edits = :edits, had_credentials = max(had_credentials, :credentials)
    WHERE id_hash = :id_hash AND state = 'receiving'"""
MOVE_UPLOAD = """
    UPDATE uploads SET node = :node WHERE id_hash = :id_hash AND state = 'receiving' AND node = :former"""
KEEP_UPLOAD = "UPDATE uploads SET expires_s = :expires_s WHERE id_hash = :id_hash AND state = 'receiving'"
END_UPLOAD = """
    UPDATE uploads SET state = :state, refusal = :refusal, expires_s = :expires_s, sealed_address = NULL
    WHERE id_hash = :id_hash AND state = 'receiving' AND coalesce(node, '') = :node"""
END_OVERDUE_UPLOAD = f"{END_UPLOAD} AND expires_s <= :now_s"
GIVE_UP_ENDED = "UPDATE uploads SET state = 'gone' WHERE id_hash = :id_hash AND state <> 'receiving'"
UPLOADS_DUE = f"""
    SELECT {_UPLOAD} FROM uploads INDEXED BY uploads_receiving
    WHERE state = 'receiving' AND expires_s <= :now_s AND expires_s > :after_s ORDER BY expires_s LIMIT :limit"""
CLEAR_GONE_UPLOAD = """
    UPDATE uploads SET filename = '', title = NULL, alt = NULL, metadata = '', lock = NULL
    WHERE id_hash = :id_hash AND state = 'gone'"""
CLEAR_GONE_PARTS = "UPDATE uploads SET concat = '' WHERE id_hash = :id_hash AND state = 'gone'"
UNFINISHED_UPLOADS = """
    SELECT count(*) FROM
    (SELECT 1 FROM uploads INDEXED BY uploads_receiving
    WHERE state = 'receiving' AND expires_s > :now_s LIMIT :limit) AS found"""
FORGET_UPLOADS = """
    DELETE FROM uploads WHERE id_hash IN
    (SELECT id_hash FROM uploads INDEXED BY uploads_ended
    WHERE state <> 'receiving' AND expires_s <= :now_s AND NOT EXISTS
    (SELECT 1 FROM images WHERE images.slug = uploads.slug AND images.location = 'spool')
    ORDER BY expires_s LIMIT :limit)"""

# --- albums -------------------------------------------------------------------------------------------------------

ADD_ALBUM = f"""
    INSERT INTO albums ({_ALBUM}, sidecar_due) VALUES ({_ALBUM_VALUES}, :sidecar_due) ON CONFLICT (slug) DO NOTHING"""
ALBUM = f"SELECT {_ALBUM} FROM albums WHERE slug = :slug"
CHANGE_ALBUM = f"""
    UPDATE albums SET {_ALBUM_SET}, sidecar_due = :sidecar_due WHERE slug = :slug AND version = :version - 1"""
ALBUM_IMAGES = f"SELECT {_IMAGE} FROM images WHERE slug IN {_SLUGS}"
ALBUMS_DUE = f"""
    SELECT {_ALBUM} FROM albums INDEXED BY albums_due
    WHERE ended IS NULL AND due_s <= :now_s AND due_s > :after_s ORDER BY due_s LIMIT :limit"""
ALBUMS_ERASABLE = f"""
    SELECT {_ALBUM} FROM albums INDEXED BY albums_erasable
    WHERE erase_after_s IS NOT NULL AND erase_after_s <= :now_s ORDER BY erase_after_s LIMIT :limit OFFSET :skipped"""
FORGET_ALBUMS = """
    DELETE FROM albums WHERE slug IN
    (SELECT slug FROM albums INDEXED BY albums_erased
    WHERE ended IS NOT NULL AND erase_after_s IS NULL AND ended_s < :before_s ORDER BY ended_s LIMIT :limit)"""
ALBUM_SIDECARS_DUE = f"""
    SELECT {_ALBUM} FROM albums INDEXED BY albums_sidecar_due
    WHERE sidecar_due = 1 AND slug > :after ORDER BY slug LIMIT :limit"""
MARK_ALBUM_SIDECAR_WRITTEN = "UPDATE albums SET sidecar_due = 0 WHERE slug = :slug AND version = :version"

# --- access keys, and records that the store doesn't have yet ------------------------------------------------------

_KEY = "id, name, secret_hash, former_hash, scopes, limits, created_s, expires_s, revoked_s, version"
_KEY_VALUES = """
    :id, :name, :secret_hash, :former_hash, :scopes, :limits, :created_s, :expires_s, :revoked_s, :version"""
_KEY_SET = """
    name = :name, secret_hash = :secret_hash, former_hash = :former_hash, scopes = :scopes, limits = :limits,
    created_s = :created_s, expires_s = :expires_s, revoked_s = :revoked_s, version = :version"""
ADD_KEY = f"INSERT INTO keys ({_KEY}) VALUES ({_KEY_VALUES}) ON CONFLICT (id) DO NOTHING"
KEY = f"SELECT {_KEY} FROM keys WHERE id = :id"
KEY_BY_NAME = "SELECT id FROM keys INDEXED BY keys_by_name WHERE name = :name AND revoked_s IS NULL"
KEYS = f"SELECT {_KEY} FROM keys INDEXED BY keys_by_time WHERE created_s > 0 ORDER BY created_s, id"
CHANGE_KEY = f"UPDATE keys SET {_KEY_SET} WHERE id = :id"
CHANGE_KEY_IF_OLDER = f"UPDATE keys SET {_KEY_SET} WHERE id = :id AND version < :version"
KEY_USAGE = "SELECT images, bytes, day, day_images, day_bytes FROM key_usage WHERE id = :id"
SET_KEY_USAGE = """
    INSERT INTO key_usage (id, images, bytes, day, day_images, day_bytes)
    VALUES (:id, :images, :bytes, :day, :day_images, :day_bytes) ON CONFLICT (id) DO UPDATE SET
    images = excluded.images, bytes = excluded.bytes,
    day = excluded.day, day_images = excluded.day_images, day_bytes = excluded.day_bytes"""
GIVE_BACK = """
    UPDATE key_usage SET images = max(0, images - :images), bytes = max(0, bytes - :bytes) WHERE id = :id"""
ENQUEUE_RECORD = """
    INSERT INTO records_due (kind, id, version, body) VALUES (:kind, :id, :version, :body)
    ON CONFLICT (kind, id) DO UPDATE SET version = excluded.version, body = excluded.body
    WHERE excluded.version >= records_due.version"""
RECORD_DUE = "SELECT kind, id, version, body FROM records_due WHERE kind = :kind AND id = :id"
RECORDS_DUE = """
    SELECT kind, id, version, body FROM records_due
    WHERE (kind, id) > (:kind, :id) ORDER BY kind, id LIMIT :limit"""
MARK_RECORD_WRITTEN = "DELETE FROM records_due WHERE kind = :kind AND id = :id AND version <= :version"

# --- invites ------------------------------------------------------------------------------------------------------

_INVITE_COLUMNS = tuple(field.name for field in fields(Invite))
_INVITE = ", ".join(_INVITE_COLUMNS)
_INVITE_VALUES = ", ".join(f":{name}" for name in _INVITE_COLUMNS)
_INVITE_SET = ", ".join(f"{name} = :{name}" for name in _INVITE_COLUMNS)
ADD_INVITE = f"INSERT INTO invites ({_INVITE}) VALUES ({_INVITE_VALUES}) ON CONFLICT (id) DO NOTHING"
INVITE = f"SELECT {_INVITE}, images, bytes FROM invites WHERE id = :id"
INVITE_BY_TOKEN = f"""
    SELECT {_INVITE}, images, bytes FROM invites INDEXED BY invites_by_token WHERE token_hash = :token_hash"""
INVITES_OF = f"""
    SELECT {_INVITE}, images, bytes FROM invites INDEXED BY invites_by_album
    WHERE album = :album ORDER BY created_s DESC, id DESC"""
CHANGE_INVITE = f"UPDATE invites SET {_INVITE_SET} WHERE id = :id"
CHANGE_INVITE_IF_OLDER = f"UPDATE invites SET {_INVITE_SET} WHERE id = :id AND version < :version"
REMOVE_INVITE = "DELETE FROM invites WHERE id = :id"
COUNT_GUEST_IMAGE = "UPDATE invites SET images = images + 1, bytes = bytes + :bytes WHERE id = :id"

# --- day budgets --------------------------------------------------------------------------------------------------

DAY_BUDGETS = "SELECT name, bytes FROM day_budgets WHERE day = :day"
ADD_TO_DAY_BUDGET = """
    INSERT INTO day_budgets (day, name, bytes) VALUES (:day, :name, max(0, :bytes))
    ON CONFLICT (day, name) DO UPDATE SET bytes = max(0, day_budgets.bytes + :bytes)"""
FORGET_DAY_BUDGETS = """
    DELETE FROM day_budgets WHERE (day, name) IN (SELECT day, name FROM day_budgets WHERE day < :day LIMIT :limit)"""

# --- purges -------------------------------------------------------------------------------------------------------

ENQUEUE_PURGE = """
    INSERT INTO purges (tag, due_s, rounds, turn) VALUES (:tag, :due_s, :rounds, 1)
    ON CONFLICT (tag) DO UPDATE SET
    due_s = min(purges.due_s, excluded.due_s), rounds = max(purges.rounds, excluded.rounds), turn = purges.turn + 1"""
PURGES_DUE = """
    SELECT tag, due_s, rounds, turn FROM purges INDEXED BY purges_due
    WHERE due_s <= :now_s ORDER BY due_s LIMIT :limit"""
END_PURGE = "DELETE FROM purges WHERE tag = :tag AND turn = :generation AND rounds <= 1"
REPEAT_PURGE = """
    UPDATE purges SET rounds = rounds - 1, due_s = :due_s, turn = turn + 1 WHERE tag = :tag AND turn = :generation"""
COUNT_PURGES = """
    SELECT count(*), min(due_s) FROM
    (SELECT due_s FROM purges INDEXED BY purges_due WHERE due_s <= :now_s ORDER BY due_s LIMIT :cap) AS found"""

# --- walks and counts ---------------------------------------------------------------------------------------------

PAGE = f"SELECT {_IMAGE} FROM images WHERE slug > :after ORDER BY slug LIMIT :limit"
KNOWN = f"""
    SELECT slug FROM images WHERE slug IN {_SLUGS} UNION ALL
    SELECT slug FROM tombstones WHERE slug IN {_SLUGS}"""
TOMBSTONED = f"""
    SELECT slug FROM tombstones WHERE slug IN {_SLUGS}
    AND NOT EXISTS (SELECT 1 FROM images WHERE images.slug = tombstones.slug)"""
NEWEST = "SELECT created_s FROM images WHERE slug > '' ORDER BY slug DESC LIMIT 1000"
COUNT_UNWARMED = """
    SELECT count(*) FROM (SELECT 1 FROM images INDEXED BY images_unwarmed
    WHERE prewarmed = 0 AND ended IS NULL AND original_only IS NULL AND slug > '' LIMIT :cap) AS found"""
COUNT_SIDECARS_DUE = """
    SELECT count(*) FROM (SELECT 1 FROM images INDEXED BY images_sidecar_due
    WHERE sidecar_due = 1 AND location = 'store' AND ended IS NULL AND slug > '' LIMIT :cap) AS found"""
COUNT_ERASABLE = """
    SELECT count(*) FROM (SELECT 1 FROM images INDEXED BY images_ended
    WHERE ended IS NOT NULL AND erase_after_s <= :now_s LIMIT :cap) AS found"""

# --- copies: restored, merged, verified ---------------------------------------------------------------------------

COUNT_IMAGES = "SELECT count(*) FROM images WHERE slug > ''"
COUNT_TOMBSTONES = "SELECT count(*) FROM tombstones WHERE slug > ''"
COUNT_ALBUMS = "SELECT count(*) FROM albums WHERE slug > ''"
CHANGE_IF_OLDER = f"UPDATE images SET {_RECORDED}, sidecar_due = 0 WHERE slug = :slug AND version < :version"
END_IF_OLDER = """
    UPDATE images SET ended = :ended, ended_s = :ended_s, erase_after_s = :restorable_until_s, version = :version
    WHERE slug = :slug AND version < :version"""
ADD_TOMBSTONE_IF_UNKNOWN = """
    INSERT INTO tombstones (slug, ended, ended_s) SELECT :slug, :ended, :ended_s
    WHERE NOT EXISTS (SELECT 1 FROM images WHERE slug = :slug) ON CONFLICT (slug) DO NOTHING"""
CHANGE_ALBUM_IF_OLDER = f"UPDATE albums SET {_ALBUM_SET}, sidecar_due = 0 WHERE slug = :slug AND version < :version"
LOCK_IMAGE = "UPDATE images SET lock = :lock WHERE slug = :slug"
LOCK_IMAGE_IF_OPEN = f"{LOCK_IMAGE} AND lock IS NULL AND one_view = 0"
_LOCK_SET = "lock = :lock, one_view = :one_view, version = :version, sidecar_due = 1"
LOCK_IMAGE_IF_OLDER = f"UPDATE images SET {_LOCK_SET} WHERE slug = :slug AND version < :version"
LOCK_ALBUM = "UPDATE albums SET lock = :lock WHERE slug = :slug"
OLDEST = "SELECT slug FROM images WHERE slug > '' ORDER BY slug LIMIT 1"
LAST = "SELECT slug FROM images WHERE slug > '' ORDER BY slug DESC LIMIT 1"
RECEIVING = """
    SELECT slug FROM uploads INDEXED BY uploads_receiving
    WHERE state = 'receiving' AND expires_s > 0 AND slug IS NOT NULL"""
FORGET_FINISHED_UPLOADS = """
    DELETE FROM uploads WHERE id_hash IN
    (SELECT id_hash FROM uploads INDEXED BY uploads_receiving WHERE state = 'receiving' AND expires_s > 0
    AND EXISTS (SELECT 1 FROM images WHERE images.slug = uploads.slug))"""

# --- invariants, for `check` --------------------------------------------------------------------------------------

HALF_ENDED = """
    SELECT slug FROM images WHERE slug > '' AND
    ((ended IS NULL) <> (ended_s IS NULL) OR (ended IS NULL) <> (erase_after_s IS NULL)) LIMIT :limit"""
ERASING_ALIVE = "SELECT slug FROM images WHERE slug > '' AND erasing = 1 AND ended IS NULL LIMIT :limit"
IMPOSSIBLE_FACTS = """
    SELECT slug FROM images WHERE slug > '' AND
    (bytes < 1 OR width < 1 OR height < 1 OR frames < 1 OR version < 1 OR location NOT IN ('spool', 'store'))
    LIMIT :limit"""
LIVING_TOMBSTONES = """
    SELECT tombstones.slug FROM tombstones WHERE tombstones.slug > '' AND EXISTS
    (SELECT 1 FROM images WHERE images.slug = tombstones.slug) LIMIT :limit"""
