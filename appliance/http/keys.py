"""What handlers find in the application: the services and values that `app` puts there."""

from aiohttp import web

from appliance.clock import Clock
from appliance.config import Config
from appliance.delivery import Delivery
from appliance.http.callers import Callers
from appliance.http.html import Pages
from appliance.http.readiness import Health
from appliance.ingest import Ingest
from appliance.lifecycle.managing import Management
from appliance.metrics import Metrics
from appliance.resumable import Resumable

CONFIG = web.AppKey("config", Config)
CLOCK = web.AppKey[Clock]("clock")
PAGES = web.AppKey("pages", Pages)
INGEST = web.AppKey("ingest", Ingest)
DELIVERY = web.AppKey("delivery", Delivery)
MANAGEMENT = web.AppKey("management", Management)
METRICS = web.AppKey("metrics", Metrics)
RESUMABLE = web.AppKey("resumable", Resumable)
HEALTH = web.AppKey("health", Health)
CALLERS = web.AppKey("callers", Callers)
