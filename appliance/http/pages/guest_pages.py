"""The pages of invites: where guests add images to an album, and where its owner makes and closes guest links."""

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.albums.invites import DEFAULT_BYTES, DEFAULT_EXPIRY_S, DEFAULT_IMAGES, InviteStatus
from appliance.config.model import Config
from appliance.domain.clock import DAY_S, Clock
from appliance.domain.errors import ApplianceError
from appliance.domain.invites import InviteState, Sees
from appliance.domain.model import Album
from appliance.http.links import guests_path
from appliance.http.pages.site_pages import SitePages, UploadFormValues
from appliance.http.pages.templates import PageTemplates
from appliance.http.qr_codes import qr_data_url

_SIZES = (500_000_000, DEFAULT_BYTES, 10 * 10**9, 50 * 10**9)


@dataclass(frozen=True, slots=True)
class NewLink:
    """A guest link that was just made, which is shown only once, and its QR code as a data URL."""

    url: str
    qr: str


class GuestPages:
    """The pages of invites, in the language of `templates`."""

    def __init__(self, templates: PageTemplates, config: Config, site: SitePages, clock: Clock) -> None:
        self._templates = templates
        self._config = config
        self._site = site
        self._clock = clock

    def upload_page(
        self,
        status: InviteStatus,
        token: str,
        problem: ApplianceError | None = None,
        *,
        form_values: UploadFormValues | None = None,
        asks_for_proof: bool = False,
    ) -> str:
        """The upload form for guests, which sends files to `POST /c/{token}`, with the token in a field as well.

        A page that `asks_for_proof` solves a challenge before a file is chosen.
        """
        values = self._site.upload_values(problem, form_values)
        values |= {
            "action": guests_path(token),
            "asks_for_proof": asks_for_proof,
            "max_bytes": min(self._config.uploads.max_bytes, status.bytes_left),
            "invite": token,
            "name": status.album.title,
            "album": status.album if status.invite.sees is Sees.ALBUM else None,
            "invite_id": status.invite.id if status.invite.sees is Sees.OWN else None,
            "images_left": min(status.images_left, self._config.albums.max_images - len(status.album.images)),
            "bytes_left": status.bytes_left,
            "ends_s": status.invite.expires_s,
            "ends": self._templates.formatter.expiry(status.invite.expires_s, self._clock()),
        }
        return self._templates.render("guests.html", **values)

    def invites_page(
        self,
        album: Album,
        invites: Sequence[InviteStatus],
        delete_token: str,
        *,
        problem: ApplianceError | None = None,
        notice: str | None = None,
        new_link: str | None = None,
    ) -> str:
        """The guest links of an album, with forms that send to `POST /a/{slug}/invites`.

        Their fields are token, action (`make`), expires_in, max_images, max_bytes and sees, or close (an id).
        """
        formatter = self._templates.formatter
        return self._templates.render(
            "album-invites.html",
            album=album,
            name=album.title,
            delete_token=delete_token,
            problem=self._templates.localize_error(problem),
            notice=notice,
            new_link=None if new_link is None else NewLink(new_link, qr_data_url(new_link)),
            invites=[(each, self._state(each)) for each in invites],
            expiry_options=self._templates.expiry_options(DEFAULT_EXPIRY_S // DAY_S),
            default_expiry=f"{DEFAULT_EXPIRY_S // DAY_S}d",
            default_images=min(DEFAULT_IMAGES, self._config.albums.max_images),
            max_images=self._config.albums.max_images,
            sizes=[(size, formatter.size(size)) for size in _SIZES],
            default_bytes=DEFAULT_BYTES,
        )

    def _state(self, status: InviteStatus) -> str:
        _ = self._templates.language.gettext
        if status.state is InviteState.CLOSED:
            return _("Closed")
        if status.state is InviteState.EXPIRED:
            return _("Ended")
        if status.state is InviteState.FULL:
            return _("Full")
        return self._templates.formatter.expiry(status.invite.expires_s, self._clock())
