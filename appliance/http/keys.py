"""What handlers find in the application: the services and values that `app` puts there."""

from aiohttp import web

from appliance.albums import Albums
from appliance.config.model import Config
from appliance.delivery import Delivery
from appliance.delivery.tiles import Tiles
from appliance.domain.clock import Clock
from appliance.health.health import Health
from appliance.http import client_address
from appliance.http.pages.background_rendering import Rendering
from appliance.http.pages.render import Pages
from appliance.http.transport.open_connections import Crowd
from appliance.http.wrong_token_delay import WrongTokens
from appliance.lifecycle.management import Management
from appliance.observability.metrics import Metrics
from appliance.resumable import ResumableUploads
from appliance.shared.concurrency_limit import ConcurrencyLimit
from appliance.uploads.admission import Admission
from appliance.uploads.ingest import Ingest

CALLERS = client_address.CALLERS
CONFIG = web.AppKey("config", Config)
CLOCK = web.AppKey[Clock]("clock")
PAGES = web.AppKey[list[Pages]]("pages")
"""In each language; the first where a browser asks for none of them. `requests.pages_of` picks."""
ADMISSION = web.AppKey("admission", Admission)
INGEST = web.AppKey("ingest", Ingest)
DELIVERY = web.AppKey("delivery", Delivery)
TILES = web.AppKey("tiles", Tiles)
MANAGEMENT = web.AppKey("management", Management)
ALBUMS = web.AppKey("albums", Albums)
METRICS = web.AppKey("metrics", Metrics)
RESUMABLE = web.AppKey("resumable", ResumableUploads)
HEALTH = web.AppKey("health", Health)
LISTENERS = web.AppKey("listeners", ConcurrencyLimit)
RENDERING = web.AppKey("rendering", Rendering)
WRONG_TOKENS = web.AppKey("wrong_tokens", WrongTokens)
SMALL_BODIES = web.AppKey("small_bodies", ConcurrencyLimit)
DOWNLOADS = web.AppKey("downloads", ConcurrencyLimit)
CROWD = web.AppKey("crowd", Crowd)
