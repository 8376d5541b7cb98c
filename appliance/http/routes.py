"""Every address of the host, in one table."""

from aiohttp import web

from appliance.http import api, health, images, pages, tus, uploads
from appliance.http.middleware import add_headers, observe
from appliance.http.preflight import preflight
from appliance.http.problems import MAX_FORM_BYTES

SLUG = r"{slug:[0-9A-Za-z]{1,64}}"
UPLOAD = r"{id:[0-9A-Za-z_-]{1,64}}"
WORD = r"[0-9A-Za-z_-]{1,64}"


def application() -> web.Application:
    """The application with its routes; `app` puts the services in."""
    site = web.Application(middlewares=[observe], client_max_size=MAX_FORM_BYTES)
    site.on_response_prepare.append(add_headers)
    takes_body = {"expect_handler": uploads.continue_if_wanted}
    site.router.add_routes(
        [
            web.get("/", pages.show_upload),
            web.post("/", uploads.post_form, **takes_body),
            web.get(f"/i/{SLUG}", pages.show_share),
            web.get(f"/i/{SLUG}/manage", pages.show_manage),
            web.post(f"/i/{SLUG}/manage", pages.manage),
            web.get(f"/i/{SLUG}/original", images.show_original),
            web.get(f"/i/{SLUG}.{{extension:[a-z0-9]{{1,5}}}}", images.show_original),
            web.get(f"/i/{SLUG}/{{preset:{WORD}}}.{{extension:[a-z0-9]{{1,5}}}}", images.show_rendition),
            web.get(f"/i/{SLUG}/{{preset:{WORD}}}", images.show_negotiated),
            web.post("/api/v1/images", uploads.create_image, **takes_body),
            web.get(f"/api/v1/images/{SLUG}", api.show_image),
            web.patch(f"/api/v1/images/{SLUG}", api.change_image),
            web.delete(f"/api/v1/images/{SLUG}", api.delete_image),
            web.options("/api/v1/uploads", tus.show_options),
            web.post("/api/v1/uploads", tus.create),
            web.options("/api/v1/uploads/{id:.*}", tus.show_options),
            web.head(f"/api/v1/uploads/{UPLOAD}", tus.act),
            web.patch(f"/api/v1/uploads/{UPLOAD}", tus.act),
            web.delete(f"/api/v1/uploads/{UPLOAD}", tus.act),
            web.get(f"/api/v1/uploads/{UPLOAD}", tus.act, allow_head=False),
            web.post(f"/api/v1/uploads/{UPLOAD}", tus.act),
            web.options("/api/{rest:.*}", preflight),
            web.options("/i/{rest:.*}", preflight),
            web.get("/api/v1/limits", api.show_limits),
            web.get("/api/v1/openapi.json", api.show_contract),
            web.post("/api/1/upload", uploads.chevereto, **takes_body),
            web.get("/sharex.sxcu", pages.show_sharex),
            web.get("/oembed", pages.show_oembed),
            web.get("/robots.txt", pages.show_robots),
            web.get("/favicon.ico", pages.show_favicon),
            web.get(r"/static/{name:[a-zA-Z0-9_./-]{1,200}}", pages.show_static),
            web.get("/healthz", health.healthz),
            web.get("/readyz", health.readyz),
            web.put(r"/{filename:[^/]+}", uploads.put_file, **takes_body),
            web.get(r"/{filename:[^/]+}", pages.show_nothing),
            web.put("/", uploads.put_file, **takes_body),
        ]
    )
    return site
