"""The web application: the routes, and the parts that their handlers call."""

from aiohttp import web

from appliance.container.parts import Container
from appliance.container.status import status
from appliance.http import keys
from appliance.http.log_budget import LogBudget
from appliance.http.nodes.relay import Relay
from appliance.http.pages.background_rendering import BackgroundRenderer
from appliance.http.pages.localized_pages import build_pages
from appliance.http.routes import application
from appliance.http.transport.event_stream import EventStreams
from appliance.http.transport.form_limits import FormLimits
from appliance.http.transport.open_connections import OpenConnections
from appliance.http.transport.small_bodies import small_body_limit
from appliance.http.transport.start_limiter import MAX_CHANGES_PER_TURN, MAX_READS_PER_TURN, StartLimiter
from appliance.http.transport.streamed_responses import download_limit
from appliance.http.views.album_zip import resumed_zip_limit
from appliance.http.wrong_token_delay import WrongTokenDelay


def site_of(container: Container) -> web.Application:
    """The web application over the parts."""
    site = application()
    site[keys.CONFIG] = container.config
    site[keys.CLOCK] = container.clock
    site[keys.PAGES] = build_pages(container.config, container.clock)
    site[keys.ACCESS_KEYS] = container.access_keys
    site[keys.BANS] = container.bans
    site[keys.UPLOADERS] = container.uploaders
    site[keys.ADMISSION] = container.admission
    site[keys.INGEST] = container.ingest
    site[keys.RESUMABLE] = container.resumable
    site[keys.DELIVERY] = container.delivery
    site[keys.TILES] = container.tiles
    site[keys.MANAGEMENT] = container.management
    site[keys.ALBUMS] = container.albums
    site[keys.LOCKSMITH] = container.locksmith
    site[keys.ONE_VIEWS] = container.one_views
    site[keys.INVITES] = container.invites
    site[keys.METRICS] = container.metrics
    site[keys.HEALTH] = container.health
    site[keys.STATUS] = lambda: status(container)
    if container.calls is not None:
        site[keys.PASS_ON] = Relay(container.calls.neighbours).pass_on
    site[keys.EVENT_STREAMS] = EventStreams()
    site[keys.WRONG_TOKEN_DELAY] = WrongTokenDelay()
    site[keys.BACKGROUND_RENDERER] = rendering = BackgroundRenderer()
    site.on_cleanup.append(lambda _: rendering.close())
    site[keys.TRUSTED_PROXIES] = trusted_proxies = container.forwarding_watch.proxies
    site[keys.FORWARDING_WATCH] = container.forwarding_watch
    site[keys.LIMITS] = container.limits
    site[keys.LOG_BUDGET] = LogBudget()
    site[keys.SMALL_BODIES] = small_body_limit()
    site[keys.DOWNLOADS] = download_limit()
    site[keys.RESUMED_ZIPS] = resumed_zip_limit()
    site[keys.FORM_LIMITS] = FormLimits()
    site[keys.START_LIMITER] = StartLimiter(MAX_READS_PER_TURN)
    site[keys.CHANGE_START_LIMITER] = StartLimiter(MAX_CHANGES_PER_TURN)
    site[keys.OPEN_CONNECTIONS] = connections = OpenConnections(trusted_proxies)
    site.cleanup_ctx.append(connections.watch)
    return site
