"""The link by which a reader reports a page to the operator: a form of the operator's, or a prepared email."""

from dataclasses import dataclass
from urllib.parse import quote

from appliance.http.localization.languages import Language

_MAX_NAME_CHARS = 80
"""Of the title in a subject: mail programs limit the length of the whole link."""


@dataclass(frozen=True, slots=True)
class ReportLink:
    """Where a page is reported. `address` is the email address, for people without a mail program."""

    url: str
    address: str | None = None


def report_link(setting: str, page_url: str, name: str, language: Language) -> ReportLink:
    """The link for the page of the image or album `name`. `setting` is an address, or a URL with `{url}` in it."""
    if "@" not in setting or "://" in setting:
        return ReportLink(setting.replace("{url}", quote(page_url, safe="")))
    subject = language.gettext("Report: %(name)s (%(link)s)") % {"name": name[:_MAX_NAME_CHARS], "link": page_url}
    fields = f"subject={quote(subject, safe='')}&body={quote(_body(page_url, language), safe='')}"
    return ReportLink(f"mailto:{quote(setting, safe='@+')}?{fields}", setting)


def _body(page_url: str, language: Language) -> str:
    _ = language.gettext
    reasons = (
        _("It shows me, or somebody I speak for, without consent."),
        _("It infringes my copyright."),
        _("It is illegal or abusive."),
        _("Another reason:"),
    )
    lines = (page_url, "", _("Keep the reason that applies:"), *(f"- {reason}" for reason in reasons), "")
    return "\r\n".join((*lines, _("More details:"), ""))
