"""Hot views: a rendition that was just served is served again from where the connection's bytes come in.

A view costs aiohttp about a hundred microseconds for a request, a response and a task, and the kernel 20 for the bytes.
Nothing is decided here: the head is what the handlers answered, and an address is remembered only as long as the
catalogue and the cache, asked on every view, know image and rendition in memory. All else goes the usual way.
"""

import logging
import re
import time
from collections import OrderedDict
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final

from aiohttp import HttpVersion11, hdrs, web

from appliance.cache import Rendition
from appliance.delivery import Delivery
from appliance.http.callers import Callers
from appliance.http.heads import is_host
from appliance.http.readiness import Health
from appliance.metrics import Metrics

ENTRIES = 16_384
MAX_HEAD_BYTES = 4096
MAX_ADDRESS_BYTES = 256
ROUTE = "/i/{slug}/{preset}.{extension}"
VERSION = b" HTTP/1.1\r\n"
WITHOUT_BODY = (b"GET ", b"HEAD ")
_FRAMING = re.compile(rb"\n(?:content-length|transfer-encoding|expect|upgrade|[ \t])", re.IGNORECASE)
"""Headers that change how the bytes behind them are to be read."""
_CONDITIONS = re.compile(rb"\n(?:if-|x-request-id|connection:(?! *keep-alive\r))", re.IGNORECASE)
"""Headers that change the answer."""
_HOST = re.compile(rb"\nhost[ \t]*:([^\n]*)", re.IGNORECASE)
_FRESH = frozenset({"Date", "X-Request-ID"})

access = logging.getLogger("appliance.access")


@dataclass(frozen=True, slots=True)
class Served:
    """What a response showed: whose rendition, under which name, which bytes, and for how long they may be kept."""

    slug: str
    name: str
    rendition: Rendition
    longest_s: int


SERVED: Final = web.ResponseKey("served", Served)


@dataclass(frozen=True, slots=True)
class _Entry:
    slug: str
    name: str
    checksum: str
    longest_s: int
    head: bytes


class Hot:
    """Answers that can be given again. Touched by the event loop's thread alone."""

    def __init__(self, delivery: Delivery, health: Health, metrics: Metrics, callers: Callers) -> None:
        self._delivery = delivery
        self._health = health
        self._callers = callers
        self._lookups = metrics.cache_lookups.labels("memory")
        self._requests = metrics.requests.labels(ROUTE, "GET", "2xx")
        self._seconds = metrics.request_seconds.labels(ROUTE, "GET")
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._date = (0, b"")

    def remember(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        """Keep the head of a whole rendition that was sent."""
        served, address = response.get(SERVED), request.raw_path.encode()
        if served is None or len(address) > MAX_ADDRESS_BYTES or b"?" in address:
            return
        if (request.method, request.version, response.status) != (hdrs.METH_GET, HttpVersion11, 200):
            return
        lines = [f"{name}: {value}\r\n" for name, value in response.headers.items() if name not in _FRESH]
        head = "".join(["HTTP/1.1 200 OK\r\n", *lines]).encode()
        checksum = served.rendition.checksum
        self._entries[address] = _Entry(served.slug, served.name, checksum, served.longest_s, head)
        self._entries.move_to_end(address)
        if len(self._entries) > ENTRIES:
            self._entries.popitem(last=False)

    def answer(self, data: bytes) -> bytes | None:
        """The whole answer to `data`, one whole request, if that is for a rendition that is at hand."""
        end = data.find(VERSION, 5, MAX_ADDRESS_BYTES + len(VERSION) + 4)
        entry = self._entries.get(data[4:end])
        if entry is None or not data.startswith(b"GET ") or _CONDITIONS.search(data) or not self._may_answer():
            return None
        started_s = time.monotonic()
        found = self._delivery.at_hand(entry.slug, entry.name, left_s=entry.longest_s)
        if found is None or found.checksum != entry.checksum:
            return None
        fresh = b"Date: %b\r\nX-Request-ID: %b\r\n\r\n" % (self._now(), self._callers.fresh_id().encode())
        self._lookups.inc()
        self._requests.inc()
        self._seconds.observe(time.monotonic() - started_s)
        return b"".join((entry.head, fresh, found.data))

    def _may_answer(self) -> bool:
        """Not while stopping, for connections are to end; and not where each view is to have its line in the log."""
        return not self._health.stopping and not access.isEnabledFor(logging.DEBUG)

    def _now(self) -> bytes:
        second = int(time.time())
        if self._date[0] != second:
            self._date = (second, formatdate(second, usegmt=True).encode())
        return self._date[1]


def is_whole(data: bytes) -> bool:
    """Whether `data` is one request without a body, from its first byte to its last, however it is read."""
    return (
        data.startswith(WITHOUT_BODY)
        and len(data) <= MAX_HEAD_BYTES
        and data.find(b"\r\n\r\n") == len(data) - 4
        and data.count(b"\n") == data.count(b"\r\n")
        and _FRAMING.search(data) is None
        and len(hosts := _HOST.findall(data)) == 1
        and is_host(hosts[0].strip())
    )
