"""What handlers find in the application: the services and values that `app` puts there."""

from aiohttp import web

from appliance.admission import Admission
from appliance.albums import Albums
from appliance.clock import Clock
from appliance.concurrency_limit import ConcurrencyLimit
from appliance.config import Config
from appliance.delivery import Delivery
from appliance.delivery.tiles import Tiles
from appliance.http import callers
from appliance.http.crowd import Crowd
from appliance.http.html import Pages
from appliance.http.readiness import Health
from appliance.http.rendering import Rendering
from appliance.http.wrong_tokens import WrongTokens
from appliance.ingest import Ingest
from appliance.lifecycle.managing import Management
from appliance.metrics import Metrics
from appliance.resumable import Resumable

CALLERS = callers.CALLERS
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
RESUMABLE = web.AppKey("resumable", Resumable)
HEALTH = web.AppKey("health", Health)
LISTENERS = web.AppKey("listeners", ConcurrencyLimit)
RENDERING = web.AppKey("rendering", Rendering)
WRONG_TOKENS = web.AppKey("wrong_tokens", WrongTokens)
SMALL_BODIES = web.AppKey("small_bodies", ConcurrencyLimit)
DOWNLOADS = web.AppKey("downloads", ConcurrencyLimit)
CROWD = web.AppKey("crowd", Crowd)
