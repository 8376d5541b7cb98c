"""Every route of the host, in one table."""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from appliance.http.api import (
    albums,
    challenges,
    details,
    images,
    invites,
    me,
    oembed,
    sharex,
    status,
    upload_events,
    uploads,
)
from appliance.http.compression import compress
from appliance.http.cors import preflight
from appliance.http.forms import MAX_FORM_FIELDS
from appliance.http.iiif import handlers as iiif
from appliance.http.iiif import manifests
from appliance.http.middleware import add_headers, observe
from appliance.http.pages import album_forms, album_handlers, guests, invite_forms, lock_forms, site_files, view_form
from appliance.http.pages import handlers as pages
from appliance.http.problems import MAX_FORM_BYTES
from appliance.http.resumable_draft import handlers as resumable_draft
from appliance.http.transport.expect_continue import ask_later
from appliance.http.transport.multipart import ignore_unreadable_names
from appliance.http.tus import handlers as tus
from appliance.http.views import album_zip, health, qr, renditions

SLUG = r"{slug:[0-9A-Za-z]{1,64}}"
UPLOAD = r"{id:[0-9A-Za-z_-]{1,64}}"
GUEST = r"{token:[0-9A-Za-z_-]{1,64}}"
WORD = r"[0-9A-Za-z_-]{1,64}"
ASKS_LATER: Final[Mapping[str, Any]] = {"expect_handler": ask_later}


def application(*outermost: Middleware) -> web.Application:
    """The application with its routes; `container` adds the services. `outermost` see a request first."""
    ignore_unreadable_names()
    site = web.Application(
        middlewares=[*outermost, observe, compress],
        client_max_size=MAX_FORM_BYTES,
        client_max_fields=MAX_FORM_FIELDS,
    )
    site.on_response_prepare.append(add_headers)
    site.router.add_routes([*_images(), *_albums(), *_api(), *_pages()])
    return site


def _images() -> list[web.RouteDef]:
    """Routes are tried in this order, so renditions, which are requested most, come first."""
    return [
        web.get(f"/i/{SLUG}/preview.jpg", renditions.show_preview),
        web.get(f"/i/{SLUG}/qr.svg", qr.show_qr),
        web.get(f"/i/{SLUG}/{{preset:{WORD}}}.{{extension:[a-z0-9]{{1,5}}}}", renditions.show_rendition),
        web.get(f"/i/{SLUG}", pages.show_share),
        web.get(f"/i/{SLUG}/", pages.redirect_to_share),
        web.get(f"/i/{SLUG}/manage", pages.show_manage),
        web.post(f"/i/{SLUG}/manage", pages.manage),
        web.get(f"/i/{SLUG}/details", pages.show_details),
        web.get(f"/i/{SLUG}/unlock", lock_forms.redirect_to_locked),
        web.post(f"/i/{SLUG}/unlock", lock_forms.unlock_image),
        web.get(f"/i/{SLUG}/view", lock_forms.redirect_to_locked),
        web.post(f"/i/{SLUG}/view", view_form.view),
        web.get(f"/i/{SLUG}/original", renditions.show_original),
        web.get(f"/i/{SLUG}.{{extension:[a-z0-9]{{1,5}}}}", renditions.show_original),
        web.get(f"/i/{SLUG}/{{preset:{WORD}}}", renditions.show_negotiated),
        web.get(f"/iiif/3/{SLUG}", iiif.redirect),
        web.get(f"/iiif/3/{SLUG}/info.json", iiif.show_info),
        web.get(f"/iiif/3/{SLUG}/{{region}}/{{size}}/{{rotation}}/{{last}}", iiif.show_region),
        web.get(f"/iiif/presentation/3/{SLUG}/manifest.json", manifests.show_manifest),
        web.options("/i/{rest:.*}", preflight),
        web.options("/iiif/{rest:.*}", preflight),
    ]


def _albums() -> list[web.RouteDef]:
    return [
        web.get(f"/a/{SLUG}", album_handlers.show_album),
        web.get(f"/a/{SLUG}/", album_handlers.redirect_to_album),
        web.get("/a", album_forms.show_creation),
        web.post("/a", album_forms.create),
        web.get(f"/a/{SLUG}/zip", album_zip.show_zip),
        web.get(f"/a/{SLUG}/qr.svg", qr.show_album_qr),
        web.get(f"/a/{SLUG}/codes", album_handlers.show_codes),
        web.get(f"/a/{SLUG}/created", album_forms.show_created),
        web.get(f"/a/{SLUG}/manage", album_forms.show_manage),
        web.post(f"/a/{SLUG}/manage", album_forms.manage),
        web.get(f"/a/{SLUG}/unlock", lock_forms.redirect_to_locked),
        web.post(f"/a/{SLUG}/unlock", lock_forms.unlock_album),
        web.get(f"/a/{SLUG}/invites", invite_forms.redirect_to_manage),
        web.post(f"/a/{SLUG}/invites", invite_forms.manage_invites),
        web.get(f"/c/{GUEST}", guests.show_guest_page),
        web.post(f"/c/{GUEST}", guests.add_images, **ASKS_LATER),
        web.get(f"/a/{SLUG}/{{image:[0-9A-Za-z]{{1,64}}}}", album_handlers.show_image),
    ]


def _api() -> list[web.RouteDef]:
    return [
        web.post("/api/v1/albums", albums.create_album),
        web.get(f"/api/v1/albums/{SLUG}", albums.show_album),
        web.patch(f"/api/v1/albums/{SLUG}", albums.change_album),
        web.delete(f"/api/v1/albums/{SLUG}", albums.delete_album),
        web.post(f"/api/v1/albums/{SLUG}/invites", invites.create_invite),
        web.get(f"/api/v1/albums/{SLUG}/invites", invites.list_invites),
        web.delete(f"/api/v1/albums/{SLUG}/invites/{{invite:{WORD}}}", invites.close_invite),
        web.options("/api/v1/images", resumable_draft.show_options),
        web.post("/api/v1/images", uploads.create_image, **ASKS_LATER),
        web.get(f"/api/v1/images/{SLUG}", images.show_image),
        web.get(f"/api/v1/images/{SLUG}/details", details.show_details),
        web.get(f"/api/v1/images/{SLUG}/events", upload_events.show_events, allow_head=False),
        web.patch(f"/api/v1/images/{SLUG}", images.change_image),
        web.delete(f"/api/v1/images/{SLUG}", images.delete_image),
        web.options("/api/v1/uploads", tus.show_options),
        web.post("/api/v1/uploads", tus.create, **ASKS_LATER),
        web.options("/api/v1/uploads/{id:.*}", tus.show_options),
        web.head(f"/api/v1/uploads/{UPLOAD}", tus.handle_upload),
        web.patch(f"/api/v1/uploads/{UPLOAD}", tus.handle_upload, **ASKS_LATER),
        web.delete(f"/api/v1/uploads/{UPLOAD}", tus.handle_upload),
        web.get(f"/api/v1/uploads/{UPLOAD}", tus.handle_upload, allow_head=False),
        web.post(f"/api/v1/uploads/{UPLOAD}", tus.handle_upload, **ASKS_LATER),
        web.head(f"/api/v1/resumable-uploads/{UPLOAD}", resumable_draft.show_offset),
        web.patch(f"/api/v1/resumable-uploads/{UPLOAD}", resumable_draft.append, **ASKS_LATER),
        web.delete(f"/api/v1/resumable-uploads/{UPLOAD}", resumable_draft.cancel),
        web.get(f"/api/v1/resumable-uploads/{UPLOAD}", resumable_draft.show_state, allow_head=False),
        web.options("/api/{rest:.*}", preflight),
        web.get("/api/v1/limits", images.show_limits),
        web.get("/api/v1/me", me.show_me),
        web.get("/api/v1/challenge", challenges.show_challenge),
        web.get("/api/v1/status", status.show_status),
        web.get("/api/v1/openapi.json", images.show_contract),
        web.post("/api/1/upload", uploads.chevereto, **ASKS_LATER),
    ]


def _pages() -> list[web.RouteDef]:
    """The last of these match any name, so they come after all others."""
    return [
        web.get("/", pages.show_upload),
        web.post("/", uploads.post_form, **ASKS_LATER),
        web.get("/images", pages.show_library),
        web.get("/sharex.sxcu", sharex.show_sharex),
        web.get("/oembed", oembed.show_oembed),
        web.get("/manifest.webmanifest", site_files.show_manifest),
        web.get("/sw.js", site_files.show_worker),
        web.get("/robots.txt", site_files.show_robots),
        web.get("/favicon.ico", site_files.show_favicon),
        web.get(r"/static/{name:[a-zA-Z0-9_./-]{1,200}}", site_files.show_static),
        web.get("/healthz", health.healthz),
        web.get("/readyz", health.readyz),
        web.put(r"/{filename:[^/]+}", uploads.put_file, **ASKS_LATER),
        web.get(r"/{filename:[^/]+}", site_files.show_nothing),
        web.put("/", uploads.put_file, **ASKS_LATER),
    ]
