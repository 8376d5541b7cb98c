"""The pages of an album: the album, one of its images, creating, managing, deleted and gone."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from appliance.albums import Contents
from appliance.config.model import Config
from appliance.delivery import RenditionSummary
from appliance.domain import tokens
from appliance.domain.clock import Clock
from appliance.domain.errors import ApplianceError, ProofRequired
from appliance.domain.model import Album, Ending, Image
from appliance.domain.renditions import is_tall
from appliance.http import links
from appliance.http.links import Links
from appliance.http.pages.album_embed_codes import ORIGINAL, album_codes, image_codes
from appliance.http.pages.figure import ImageFigure, build_figure
from appliance.http.pages.link_previews import previews
from appliance.http.pages.rendition_links import RenditionLink, nearest_rendition_link, preset_label, rendition_links
from appliance.http.pages.templates import PageTemplates

TILE_PX = 512
SMALLEST_PX = 0


@dataclass(frozen=True, slots=True)
class Tile:
    """One image of the grid; `shown` is None for an image that is closed or can't be resized."""

    image: Image
    path: str
    shown: RenditionLink | None

    @property
    def is_closed(self) -> bool:
        """Whether nothing of it is told here, not even its name."""
        return self.image.is_closed

    @property
    def is_tall(self) -> bool:
        """Whether `shown` has the image's top alone."""
        return is_tall(self.image.width, self.image.height)


@dataclass(frozen=True, slots=True)
class AlbumFormValues:
    """What a person entered in an album's form; shown again next to a problem, so that nothing is lost."""

    title: str = ""
    links: str = ""
    expires_in: str = ""
    description: str = ""
    form_key: str = ""
    has_passphrase: bool = False
    """It isn't shown again, so it has to be entered again: else an album would be open that was to be locked."""


class AlbumPages:
    """Every page of an album in the language of `templates`."""

    def __init__(self, templates: PageTemplates, config: Config, clock: Clock) -> None:
        self._templates = templates
        self._config = config
        self._clock = clock
        self._links = Links.of(config)

    def creation_page(
        self,
        problem: ApplianceError | None = None,
        *,
        form_values: AlbumFormValues | None = None,
        user: str | None = None,
    ) -> str:
        """The form that creates an album from links: fields images, title, expires_in, form_key.

        `user` is who is signed in.
        """
        values = form_values or AlbumFormValues(form_key=tokens.generate_secret())
        return self._templates.render(
            "album-creation.html",
            user=user,
            problem=self._templates.localize_error(problem),
            challenge=problem.challenge if isinstance(problem, ProofRequired) else None,
            form_values=values,
            expiry_options=self._templates.expiry_options(),
            max_images=self._config.albums.max_images,
        )

    def created_page(self, contents: Contents, delete_token: str = "") -> str:
        """The reply to that form: the link to share, a form for the texts, and the manage link.

        Without a token, a script fills in the one of the address.
        """
        slug = contents.album.slug
        manage_link = self._links.manage_album(slug, delete_token) if delete_token else ""
        values = self._describe(contents) | {"delete_token": delete_token}
        return self._templates.render("album-created.html", manage_link=manage_link, **values)

    def cache_key(self, contents: Contents) -> Hashable:
        """Equal keys mean equal pages: it covers the content, the language, and the remaining time in words."""
        return contents.state, self._templates.language.tag, self._expiry(contents)

    def _expiry(self, contents: Contents) -> str:
        return self._templates.formatter.expiry(contents.ends_s, self._clock())

    def album_page(self, contents: Contents) -> str:
        """The page behind an album's link."""
        tiles, cover = [self._tile(contents, image) for image in contents.images], contents.cover
        return self._templates.render(
            "album.html",
            tiles=tiles,
            bytes=contents.bytes,
            closed_count=len(contents.images) - len(contents.open_images),
            cover=cover,
            previews=previews(cover, self._config) if cover and not contents.album.is_closed else [],
            oembed_url=self._links.album_oembed(contents.album.slug),
            report_link=self._templates.report_link(self._links.album(contents.album.slug), self._name(contents.album)),
            **self._describe(contents),
        )

    def codes_page(self, contents: Contents, size: str, sizes: Sequence[str]) -> str:
        """Embed codes of all images in one of `sizes`, with links to the others."""
        language = self._templates.language
        labels = {name: preset_label(name, language) for name in sizes} | {ORIGINAL: language.gettext("Original")}
        codes = image_codes(contents, size, self._config, language)
        return self._templates.render(
            "album-codes.html", **(self._describe(contents) | {"codes": codes, "size": size, "labels": labels})
        )

    def _tile(self, contents: Contents, image: Image) -> Tile:
        if image.is_closed:
            return Tile(image, links.share_path(image.slug), None)
        path = links.album_image_path(contents.album.slug, image.slug)
        return Tile(image, path, self._nearest(image, TILE_PX))

    def _nearest(self, image: Image, box_px: int) -> RenditionLink | None:
        return nearest_rendition_link(image, self._config.renditions, self._templates.language, box_px)

    def image_page(self, contents: Contents, place: int, summary: RenditionSummary) -> str:
        """One image of an album, with its neighbours; `place` counts from 0."""
        image = contents.images[place]
        return self._templates.render(
            "album-image.html",
            image=image,
            figure=self._figure(image, summary),
            previews=[] if contents.album.is_closed else previews(image, self._config),
            report_link=self._templates.report_link(self._links.share(image.slug), image.title or image.filename),
            place=place + 1,
            previous=self._neighbour(contents, reversed(contents.images[:place])),
            next=self._neighbour(contents, contents.images[place + 1 :]),
            share_url=self._links.share(image.slug),
            **self._describe(contents),
        )

    def _figure(self, image: Image, summary: RenditionSummary) -> ImageFigure:
        config, language = self._config.renditions, self._templates.language
        sizes = rendition_links(image, config, language, summary.sizes)
        return build_figure(image, sizes, config, language, summary.placeholder)

    def _neighbour(self, contents: Contents, images: Iterable[Image]) -> str | None:
        """The path of the first open one of the images."""
        found = next((image for image in images if not image.is_closed), None)
        return None if found is None else links.album_image_path(contents.album.slug, found.slug)

    def manage_page(
        self,
        contents: Contents,
        *,
        problem: ApplianceError | None = None,
        notice: str | None = None,
        form_values: AlbumFormValues | None = None,
        delete_token: str = "",
    ) -> str:
        """The form that sends changes to `POST /a/{slug}/manage`.

        Its fields are token, title, description, expires_in (empty for no change; `images` for the last image's
        expiry), `place-{slug}` (numbers to sort by), cover (a slug), remove (slugs), add (links) and action (`save` or
        `delete`).
        """
        return self._templates.render(
            "album-manage.html",
            problem=self._templates.localize_error(problem),
            notice=notice,
            form_values=form_values
            or AlbumFormValues(title=contents.album.title or "", description=contents.album.description or ""),
            tiles=[self._small(image) for image in contents.images],
            expiry_options=self._templates.expiry_options(),
            delete_token=delete_token,
            max_images=self._config.albums.max_images,
            max_bytes=self._config.uploads.max_bytes,
            **self._describe(contents),
        )

    def _small(self, image: Image) -> Tile:
        shown = None if image.is_closed else self._nearest(image, SMALLEST_PX)
        return Tile(image, links.share_path(image.slug), shown)

    def deleted_page(self, album: Album, delete_token: str, *, restorable_until_s: int | None = None) -> str:
        """Says that the album was deleted, with a form to restore it from the bin or to have it erased now.

        Without `restorable_until_s` (unix seconds) it is not in the bin, and the form undoes the deletion.
        """
        values = self._templates.describe_bin(restorable_until_s, self._clock())
        return self._templates.render("album-deleted.html", album=album, delete_token=delete_token, **values)

    def gone_page(
        self,
        slug: str,
        ended: Ending | None,
        *,
        restorable_until_s: int | None = None,
        problem: ApplianceError | None = None,
    ) -> str:
        """The 410 page; with a form to restore the album, or to erase it now, while that is possible."""
        return self._templates.render(
            "album-gone.html",
            slug=slug,
            ended=ended,
            problem=self._templates.localize_error(problem),
            **self._templates.describe_bin(restorable_until_s, self._clock()),
        )

    def _name(self, album: Album) -> str:
        return album.title or self._templates.language.gettext("Album")

    def _describe(self, contents: Contents) -> dict[str, object]:
        album = contents.album
        return {
            "album": album,
            "count": len(contents.images),
            "name": self._name(album),
            "page_url": self._links.album(album.slug),
            "ends_s": contents.ends_s,
            "expiry": self._expiry(contents),
            "expires_in": self._templates.formatter.time_left(contents.ends_s, self._clock()),
            "codes": album_codes(contents, self._config, self._templates.language),
        }


def slugs_in(text: str) -> Sequence[str]:
    """The slugs in what a person pasted: links of any kind to an image, or slugs, separated by whitespace or commas."""
    return tuple(dict.fromkeys(_slug_of(word) for word in text.replace(",", " ").split()))


def _slug_of(word: str) -> str:
    """`https://host/i/SLUG/large.jpg`, `/a/ALBUM/SLUG#x` and `SLUG` all name SLUG; anything else stays as it is."""
    path = word.partition("#")[0].partition("?")[0]
    if "/i/" in path:
        return path.rpartition("/i/")[2].partition("/")[0].partition(".")[0]
    if "/a/" in path:
        return path.rpartition("/a/")[2].partition("/")[2].strip("/") or word
    return word
