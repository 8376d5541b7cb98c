"""The download of an album as one zip file, whole or resumed."""

from contextlib import AsyncExitStack, aclosing

from aiohttp import hdrs, web

from appliance.albums import Contents
from appliance.albums.zip_download import AlbumZip
from appliance.domain.clients import Clients
from appliance.domain.upload_options import clean_filename
from appliance.http.album_lookup import find_album
from appliance.http.byte_ranges import requested_range
from appliance.http.client_address import client_of
from appliance.http.content_disposition import content_disposition
from appliance.http.etags import is_not_modified
from appliance.http.keys import BACKGROUND_RENDERER, DELIVERY, LIMITS, RESUMED_ZIPS
from appliance.http.links import EXTENSIONS
from appliance.http.transport.streamed_responses import download_permit
from appliance.shared.concurrency_limit import ConcurrencyLimit, Permit

MAX_RESUMED_ZIPS = 8
"""How many downloads may skip to their range at once: the originals before it are read again, as fast as they come."""
RETRY_AFTER_S = 5


def resumed_zip_limit() -> ConcurrencyLimit:
    return ConcurrencyLimit("album downloads are being resumed", MAX_RESUMED_ZIPS, RETRY_AFTER_S)


async def show_zip(request: web.Request) -> web.StreamResponse:
    """GET /a/{slug}/zip: the original of every open image, in the album's order, whole or one range"""
    contents = (await find_album(request)).opened()
    response = web.StreamResponse(headers=_headers(contents))
    response.content_type = "application/zip"
    if request.method == hdrs.METH_HEAD:
        response.content_length, response.headers[hdrs.ETAG] = await _length_and_etag(request, contents)
        await response.prepare(request)
        return response
    budget, client = request.app[LIMITS].processor, client_of(request).id
    budget.require(Clients(client))
    async with download_permit(request, response) as permit:
        archive = await _prepared_archive(request, contents)
        etag = response.headers[hdrs.ETAG] = _etag(archive)
        if is_not_modified(request, etag):
            return web.Response(status=304, headers={hdrs.ETAG: etag, hdrs.CACHE_CONTROL: "no-store"})
        part = requested_range(request, archive.length, etag)
        start, length = part or (0, archive.length)
        if part is not None:
            response.set_status(206)
            response.headers[hdrs.CONTENT_RANGE] = f"bytes {start}-{start + length - 1}/{archive.length}"
        response.content_length = length
        permit.on_moved = lambda count: budget.charge_zip(client, count)
        await _pour(request, archive, response, start, permit)
    await response.write_eof()
    return response


def _headers(contents: Contents) -> dict[str, str]:
    return {
        hdrs.CONTENT_DISPOSITION: content_disposition(zip_name(contents.album.title), attachment=True),
        hdrs.CACHE_CONTROL: "no-store",
        hdrs.ACCEPT_RANGES: "bytes",
        "X-Robots-Tag": "noindex",
    }


def zip_name(title: str | None) -> str:
    """The name of an album's zip file. Slashes in a title are no folders."""
    return clean_filename((title or "album").replace("/", "_").replace("\\", "_")) + ".zip"


def _archive(request: web.Request, contents: Contents) -> AlbumZip:
    return AlbumZip(contents, request.app[DELIVERY], EXTENSIONS)


def _etag(archive: AlbumZip) -> str:
    return f'"{archive.fingerprint}"'


async def _prepared_archive(request: web.Request, contents: Contents) -> AlbumZip:
    renderer, client = request.app[BACKGROUND_RENDERER], client_of(request).id
    with renderer.reserve(client):
        return await renderer.run_in_turn(client, lambda: _archive(request, contents))


async def _length_and_etag(request: web.Request, contents: Contents) -> tuple[int, str]:
    """Of the whole download; the cache key is a hash, because the value is short too."""

    def describe() -> bytes:
        archive = _archive(request, contents)
        return f"{archive.length} {_etag(archive)}".encode()

    key = "zip", contents.album.slug, hash(contents.state)
    described = await request.app[BACKGROUND_RENDERER].cached(client_of(request).id, key, describe)
    length, etag = described.decode().split()
    return int(length), etag


async def _pour(
    request: web.Request, archive: AlbumZip, response: web.StreamResponse, start: int, permit: Permit
) -> None:
    """Stream the response's length from byte `start` on.

    What is before it is made and dropped, because the end of a zip file has the checksums of all that is in it. An
    error before the first byte becomes a problem response; later ones cut the connection.
    """
    position, end = 0, start + (response.content_length or 0)
    async with AsyncExitStack() as skipping, aclosing(archive.blocks()) as blocks:
        if start:
            await skipping.enter_async_context(request.app[RESUMED_ZIPS].permit(client_of(request).id))
        async for block in blocks:
            if not response.prepared:
                await response.prepare(request)
            permit.moved(len(block))
            if position + len(block) > start:
                await skipping.aclose()
                await response.write(block[max(0, start - position) : end - position])
            position += len(block)
            if position >= end:
                break
