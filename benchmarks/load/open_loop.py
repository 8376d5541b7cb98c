"""The design load as an open loop: uploads, and views of popular, newly uploaded and cold images.

Requests arrive at random instants (Poisson), whether or not earlier ones have been answered, and each is timed from the
instant at which it was due. So a server that stalls is charged for every request that had to wait.
"""

import http.client
import itertools
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from benchmarks.harness import distinct
from benchmarks.inputs.photographs import mean_photo
from benchmarks.load.kept_connections import KeptConnections, Reply

UPLOADS_PER_S, VIEWS_PER_S = 5.8, 58.0  # half a million and five million a day
UPLOAD, POPULAR, OWN, COLD, PAGE = "upload", "popular", "just uploaded", "cold", "share page"
MIX = {POPULAR: 0.70, PAGE: 0.15, OWN: 0.10, COLD: 0.05}
"""Of the views. Uploaders look at what they sent; the cold are `appliance capacity`'s: half of what a CDN asks for."""
PRESETS = ("thumbnail", "small", "medium", "large")
PROXIED = {"SERVER_TRUSTED_PROXIES": "127.0.0.1", "LIMITS_MODE": "off"}
"""Settings of a server that believes from which addresses views come."""
AT_ONCE = 2048  # more than ever wait, or they would wait here and not at the host
UPLOADERS = 8  # when images are laid down before anything is measured


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is due, in seconds from the beginning."""

    at_s: float
    kind: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """One request: seconds from when it was due to the end of its answer; what went wrong, in a few words."""

    kind: str
    took_s: float
    fault: str | None


def rates(multiple: float) -> dict[str, float]:
    """Arrivals a second of each kind, at a multiple of the design load."""
    views = {kind: VIEWS_PER_S * share * multiple for kind, share in MIX.items()}
    return {UPLOAD: UPLOADS_PER_S * multiple, **views}


def arrivals(chance: random.Random, rates_per_s: Mapping[str, float], seconds: float) -> list[Arrival]:
    """Those of so many seconds, in their order."""
    found = []
    for kind, rate in rates_per_s.items():
        gaps = (chance.expovariate(rate) for _ in itertools.count())
        instants = itertools.takewhile(lambda at_s: at_s < seconds, itertools.accumulate(gaps))
        found += [Arrival(at_s, kind) for at_s in instants]
    return sorted(found, key=lambda arrival: arrival.at_s)


def play(due: Sequence[Arrival], act: Callable[[str], Reply]) -> list[Outcome]:
    """Each arrival at its instant; returns when all are answered."""
    began_s = time.perf_counter()

    def one(arrival: Arrival) -> Outcome:
        try:
            reply = act(arrival.kind)
            fault = None if reply.status in (200, 201) else f"{reply.status} {reply.body[:80]!r}"
        except (OSError, http.client.HTTPException) as error:
            fault = repr(error)
        return Outcome(arrival.kind, time.perf_counter() - began_s - arrival.at_s, fault)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = []
        for arrival in due:
            time.sleep(max(0.0, began_s + arrival.at_s - time.perf_counter()))
            futures.append(pool.submit(one, arrival))
        return [future.result() for future in futures]


class Gallery:
    """The slugs of a host: those that people look at, by Zipf's law, and those that nobody has asked for."""

    def __init__(self, popular: Sequence[str], cold: Iterator[str], chance: random.Random) -> None:
        self._popular = list(popular)
        self._weights = list(itertools.accumulate(1 / rank for rank in range(1, len(popular) + 1)))
        self._cold = cold
        self._newest = self._popular[0]
        self._chance = chance

    def add(self, slug: str) -> None:
        """What comes takes the place of an image that is as popular as chance wants."""
        self._popular[self._chance.randrange(len(self._popular))] = self._newest = slug

    def pick(self, kind: str) -> str:
        if kind == OWN:
            return self._newest
        if kind == COLD:
            return next(self._cold)
        return self._chance.choices(self._popular, cum_weights=self._weights)[0]


class Host:
    """A server, asked as its people do."""

    def __init__(self, url: str, chance: random.Random, first: int = 0) -> None:
        """`first`: the number of the first picture, so that several hosts on one store send different ones."""
        self.connections = KeptConnections(url)
        self._numbers = itertools.count(first)
        self._photo = mean_photo()
        self._chance = chance

    def upload(self) -> Reply:
        """A picture that nobody has sent before."""
        photo = distinct(self._photo, next(self._numbers))
        return self.connections.ask("POST", "/api/v1/images?filename=a.jpg", photo)

    def fill(self, count: int) -> list[str]:
        """The slugs of so many uploads."""
        with ThreadPoolExecutor(UPLOADERS) as pool:
            return [slug_of(reply.good()) for reply in pool.map(lambda _: self.upload(), range(count))]

    def lay_down(self, count: int) -> list[str]:
        """The same, and all of their sizes are made."""
        slugs = self.fill(count)
        addresses = [f"/i/{slug}/{preset}.jpg" for slug in slugs for preset in PRESETS]
        with ThreadPoolExecutor(UPLOADERS) as pool:
            for reply in pool.map(lambda address: self.connections.ask("GET", address), addresses):
                reply.good()
        return slugs

    def act(self, gallery: Gallery, kind: str) -> Reply:
        """One arrival."""
        if kind == UPLOAD:
            reply = self.upload()
            if reply.status == 201:
                gallery.add(slug_of(reply))
            return reply
        address = f"/i/{gallery.pick(kind)}"
        if kind != PAGE:
            preset = "medium" if kind == OWN else self._chance.choice(PRESETS)
            address += f"/{preset}.jpg"
        return self.connections.ask("GET", address, headers=self._from_somebody())

    def _from_somebody(self) -> dict[str, str]:
        """Each view comes from an address of its own, as a trusted proxy says: a host sheds by how many people wait."""
        return {"X-Forwarded-For": f"198.18.{self._chance.randrange(256)}.{self._chance.randrange(256)}"}


def slug_of(reply: Reply) -> str:
    return str(json.loads(reply.body)["slug"])
