"""What handlers find in the application and in a request: the services and values that `container` puts there."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from aiohttp import web

from appliance.access.bans import Bans
from appliance.access.keys import AccessKeys
from appliance.access.uploaders import Uploaders
from appliance.albums import Albums
from appliance.albums.invites import Invites
from appliance.config.model import Config
from appliance.delivery import Delivery
from appliance.delivery.tiles import Tiles
from appliance.domain.clock import Clock
from appliance.health.health import Health
from appliance.http.forwarding_watch import ForwardingWatch
from appliance.http.log_budget import LogBudget
from appliance.http.pages.background_rendering import BackgroundRenderer
from appliance.http.pages.localized_pages import LocalizedPages
from appliance.http.transport.event_stream import EventStreams
from appliance.http.transport.form_limits import FormLimits
from appliance.http.transport.open_connections import OpenConnections
from appliance.http.transport.start_limiter import StartLimiter
from appliance.http.trusted_proxies import TrustedProxies
from appliance.http.wrong_token_delay import WrongTokenDelay
from appliance.lifecycle.management import Management
from appliance.lifecycle.one_view import OneViews
from appliance.limits import Limits
from appliance.locks import Locksmith
from appliance.observability.metrics import Metrics
from appliance.resumable import ResumableUploads
from appliance.shared.concurrency_limit import ConcurrencyLimit
from appliance.uploads.admission import Admission
from appliance.uploads.ingest import Ingest


class PassOn(Protocol):
    """Passes a request on to the node that has what it is about."""

    async def __call__(self, request: web.Request, node: str, /, *, is_stream: bool = False) -> web.StreamResponse:
        """That node's response. With `is_stream` it may last for hours. Raises NodeUnavailable."""


CONFIG = web.AppKey("config", Config)
CLOCK = web.AppKey[Clock]("clock")
PAGES = web.AppKey[list[LocalizedPages]]("pages")
"""One for each language, the default first. `pages.selection.pages_of` chooses."""
ACCESS_KEYS = web.AppKey("access_keys", AccessKeys)
BANS = web.AppKey("bans", Bans)
UPLOADERS = web.AppKey("uploaders", Uploaders)
ADMISSION = web.AppKey("admission", Admission)
INGEST = web.AppKey("ingest", Ingest)
DELIVERY = web.AppKey("delivery", Delivery)
TILES = web.AppKey("tiles", Tiles)
MANAGEMENT = web.AppKey("management", Management)
ALBUMS = web.AppKey("albums", Albums)
LOCKSMITH = web.AppKey("locksmith", Locksmith)
ONE_VIEWS = web.AppKey("one_views", OneViews)
INVITES = web.AppKey("invites", Invites)
METRICS = web.AppKey("metrics", Metrics)
RESUMABLE = web.AppKey("resumable", ResumableUploads)
HEALTH = web.AppKey("health", Health)
STATUS: web.AppKey[Callable[[], Awaitable[Mapping[str, object]]]] = web.AppKey("status")
BACKGROUND_RENDERER = web.AppKey("background_renderer", BackgroundRenderer)
LIMITS = web.AppKey("limits", Limits)
LOG_BUDGET = web.AppKey("log_budget", LogBudget)
FORWARDING_WATCH = web.AppKey("forwarding_watch", ForwardingWatch)
TRUSTED_PROXIES = web.AppKey("trusted_proxies", TrustedProxies)
WRONG_TOKEN_DELAY = web.AppKey("wrong_token_delay", WrongTokenDelay)
OPEN_CONNECTIONS = web.AppKey("open_connections", OpenConnections)
START_LIMITER = web.AppKey("start_limiter", StartLimiter)
CHANGE_START_LIMITER = web.AppKey("change_start_limiter", StartLimiter)
EVENT_STREAMS = web.AppKey("event_streams", EventStreams)
SMALL_BODIES = web.AppKey("small_bodies", ConcurrencyLimit)
RESUMED_ZIPS = web.AppKey("resumed_zips", ConcurrencyLimit)
DOWNLOADS = web.AppKey("downloads", ConcurrencyLimit)
FORM_LIMITS = web.AppKey("form_limits", FormLimits)

PASS_ON: web.AppKey[PassOn] = web.AppKey("pass_on")

REQUEST_ID = web.RequestKey("request_id", str)
CLOSED = web.RequestKey("closed", bool)
"""Set once the request has met a locked image or album, or one for one view: its response is for nobody else."""
ROUTINE = web.RequestKey("routine", bool)
"""Set for what nodes ask of each other all the time: it fills no log."""
REFUSED_EARLY = web.RequestKey("refused_early", bool)
"""Set once the request was refused as a flood's may be: it fills no log."""
