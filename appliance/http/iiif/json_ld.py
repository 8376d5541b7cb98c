"""JSON-LD responses: with the media type that the client accepts, an ETag for each, and 304."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import hdrs, web

from appliance.http.etags import is_not_modified, page_etag


@dataclass(frozen=True, slots=True)
class JsonLd:
    """A JSON document in the words of `context`, a URL; `is_plain` for a client that wants it as plain JSON."""

    body: bytes
    context: str
    is_plain: bool

    @classmethod
    def for_request(cls, request: web.Request, body: bytes, context: str) -> "JsonLd":
        """Plain only for clients that name JSON and not JSON-LD; everybody else gets what IIIF recommends."""
        accept = request.headers.get(hdrs.ACCEPT, "")
        return cls(body, context, "application/json" in accept and "application/ld+json" not in accept)

    @property
    def etag(self) -> str:
        return page_etag(self.body + b"json" * self.is_plain)

    def response(self, request: web.Request, headers: Mapping[str, str]) -> web.Response:
        """The document, or 304. `headers` are those of what it describes, with this ETag."""
        ld_json = f'application/ld+json;profile="{self.context}"'
        headers = {**headers, hdrs.VARY: hdrs.ACCEPT}
        if is_not_modified(request, self.etag):
            return web.Response(status=304, headers=headers)
        if self.is_plain:
            link = f'<{self.context}>;rel="http://www.w3.org/ns/json-ld#context";type="application/ld+json"'
            headers[hdrs.LINK] = f"{headers[hdrs.LINK]}, {link}" if hdrs.LINK in headers else link
        headers[hdrs.CONTENT_TYPE] = "application/json" if self.is_plain else ld_json
        return web.Response(body=self.body, headers=headers)
