"""The page of what is closed: it asks for the passphrase or offers the one view, and lets the owner in by the token."""

from appliance.domain.errors import ApplianceError, Locked
from appliance.http.pages.templates import PageTemplates


class LockPages:
    """The page in the language of `templates`. It shows nothing of the image or album itself."""

    def __init__(self, templates: PageTemplates) -> None:
        self._templates = templates

    def locked_page(self, lock: Locked, problem: ApplianceError | None = None) -> str:
        """The form that sends `passphrase` to `POST {path}/unlock`, or for one view to `POST {path}/view`.

        Another one sends the owner's token to `POST {path}/manage`. `problem` says why the last try failed.
        """
        return self._templates.render(
            "locked.html",
            lock=lock,
            is_album=lock.path.startswith("/a/"),
            problem=self._templates.localize_error(problem),
        )
