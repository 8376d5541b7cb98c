"""The pages of albums, rendered: values in, HTML text out."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from appliance.albums import Contents
from appliance.config.model import Config
from appliance.delivery import Glimpse
from appliance.domain.clock import Clock
from appliance.domain.errors import ApplianceError
from appliance.domain.model import Album, Ending, Image
from appliance.http import links
from appliance.http.links import Links
from appliance.http.pages.album_embed_codes import album_codes
from appliance.http.pages.formatting import Words
from appliance.http.pages.link_previews import previews
from appliance.http.pages.render import Pages
from appliance.http.pages.share import Version, nearest

TILE_PX = 512
SMALLEST_PX = 0


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of the grid; `shown` is None for one that can't be resized."""

    image: Image
    path: str
    shown: Version | None


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person typed into the form, shown again beside the problem."""

    title: str = ""
    links: str = ""
    expires_in: str = ""


class AlbumPages:
    """Every page of albums in the language of `pages`."""

    def __init__(self, pages: Pages, config: Config, clock: Clock) -> None:
        self._pages = pages
        self._config = config
        self._clock = clock
        self._links = Links.of(config)
        self._words = Words(pages.language)

    def new_page(self, problem: ApplianceError | None = None, *, typed: Typed | None = None) -> str:
        """The form that makes an album of links: fields images, title, expires_in."""
        return self._pages.render(
            "album-new.html",
            problem=self._pages.told(problem),
            typed=typed or Typed(),
            expiries=self._pages.expiries(),
            max_images=self._config.albums.max_images,
        )

    def made_page(self, contents: Contents, delete_token: str) -> str:
        """The answer to that form: the link, and the manage link that is shown once."""
        slug = contents.album.slug
        manage_link = self._links.managing_album(slug, delete_token)
        values = self._about(contents) | {"delete_token": delete_token}
        return self._pages.render("album-made.html", manage_link=manage_link, **values)

    def key(self, contents: Contents) -> Hashable:
        """Where it is the same, so are the album's pages: what they show, in which language, and how long it stays."""
        return contents.state, self._pages.language.tag, self._expiry(contents)

    def _expiry(self, contents: Contents) -> str:
        return self._words.expiry(contents.ends_s, self._clock())

    def album_page(self, contents: Contents) -> str:
        """The page behind an album's link."""
        tiles = [self._tile(contents, image) for image in contents.images]
        cover = next((image for image in contents.images if image.original_only is None), None)
        return self._pages.render(
            "album.html",
            tiles=tiles,
            bytes=contents.bytes,
            cover=cover,
            previews=previews(cover, self._config) if cover else [],
            report_link=self._pages.report_link(self._links.album(contents.album.slug)),
            **self._about(contents),
        )

    def _tile(self, contents: Contents, image: Image) -> Tile:
        path = links.album_image_path(contents.album.slug, image.slug)
        return Tile(image, path, self._nearest(image, TILE_PX))

    def _nearest(self, image: Image, box_px: int) -> Version | None:
        return nearest(image, self._config.renditions, self._pages.language, box_px)

    def image_page(self, contents: Contents, place: int, glimpse: Glimpse) -> str:
        """One image of an album, with its neighbours; `place` counts from 0."""
        image = contents.images[place]
        return self._pages.render(
            "album-image.html",
            image=image,
            staged=self._pages.stage(image, glimpse),
            previews=previews(image, self._config),
            report_link=self._pages.report_link(self._links.share(image.slug)),
            place=place + 1,
            previous=self._neighbour(contents, place - 1),
            next=self._neighbour(contents, place + 1),
            share_url=self._links.share(image.slug),
            **self._about(contents),
        )

    def _neighbour(self, contents: Contents, place: int) -> str | None:
        if not 0 <= place < len(contents.images):
            return None
        return links.album_image_path(contents.album.slug, contents.images[place].slug)

    def manage_page(
        self,
        contents: Contents,
        *,
        problem: ApplianceError | None = None,
        notice: str | None = None,
        typed: Typed | None = None,
        delete_token: str = "",
    ) -> str:
        """The form that sends changes to `POST /a/{slug}/manage`.

        Its fields are token, title, expires_in (empty: as it is; `images`: as long as these), `place-{slug}` (numbers
        to sort by), remove (slugs), add (links) and action, `save` or `delete`.
        """
        return self._pages.render(
            "album-manage.html",
            problem=self._pages.told(problem),
            notice=notice,
            typed=typed or Typed(title=contents.album.title or ""),
            tiles=[self._small(image) for image in contents.images],
            expiries=self._pages.expiries(),
            delete_token=delete_token,
            max_images=self._config.albums.max_images,
            **self._about(contents),
        )

    def _small(self, image: Image) -> Tile:
        return Tile(image, links.share_path(image.slug), self._nearest(image, SMALLEST_PX))

    def deleted_page(self, album: Album, delete_token: str, *, undo_s: int) -> str:
        """Says that the album is gone; its form posts token and action `undo`."""
        return self._pages.render("album-deleted.html", album=album, delete_token=delete_token, undo_s=undo_s)

    def gone_page(
        self,
        slug: str,
        ended: Ending | None,
        *,
        restorable_until_s: int | None = None,
        problem: ApplianceError | None = None,
    ) -> str:
        """The 410 page, with the form that brings the album back while that can be."""
        values = {
            "slug": slug,
            "ended": ended,
            "restorable_until_s": restorable_until_s,
            "problem": self._pages.told(problem),
        }
        return self._pages.render("album-gone.html", **values)

    def _about(self, contents: Contents) -> dict[str, object]:
        album = contents.album
        return {
            "album": album,
            "count": len(contents.images),
            "name": album.title or self._pages.language.gettext("Album"),
            "page_url": self._links.album(album.slug),
            "ends_s": contents.ends_s,
            "expiry": self._expiry(contents),
            "codes": album_codes(contents, self._config, self._pages.language),
        }


def slugs_in(text: str) -> Sequence[str]:
    """The slugs in what a person pasted: links of any kind that name an image, or slugs, in lines or between blanks."""
    return tuple(dict.fromkeys(_slug_of(word) for word in text.replace(",", " ").split()))


def _slug_of(word: str) -> str:
    """`https://host/i/SLUG/large.jpg`, `/a/ALBUM/SLUG#x` and `SLUG` all name SLUG; anything else stays what it is."""
    path = word.partition("#")[0].partition("?")[0]
    if "/i/" in path:
        return path.rpartition("/i/")[2].partition("/")[0].partition(".")[0]
    if "/a/" in path:
        return path.rpartition("/a/")[2].partition("/")[2].strip("/") or word
    return word
