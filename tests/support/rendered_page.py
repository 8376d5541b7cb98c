"""An image to render pages of, and a page as a parser reads it."""

from html.parser import HTMLParser

from appliance.config.model import Config, Server
from appliance.domain.model import Image
from appliance.domain.renditions import Facts

Attributes = dict[str, str]
SLUG = "1A2b7Qw9ZxCvBnMkL"
TOKEN = "kX3_t0kEn-abcdefghijkl"
NOW_S = 1_795_449_728  # 2026-11-23T16:02:08Z
CONFIG = Config(server=Server(public_url="https://pics.example"))
PHOTO = Image(
    slug=SLUG,
    filename="cat.jpg",
    facts=Facts("image/jpeg", 2725, 2225),
    bytes=829_183,
    sha256="a" * 64,
    created_s=NOW_S,
    expires_s=NOW_S + 365 * 86_400,
    token_hash="b" * 64,
)
VOID = {"meta", "link", "img", "source", "input", "br", "rect", "circle", "path"}


class Page(HTMLParser):
    """What a test asks of a page: its elements with their attributes, and the text one reads.

    Elements inside of a template are no part of the page; scripts make parts of it from them, as browser tests see.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, Attributes]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if "template" not in self.open:
            self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "template" not in self.open:
            self.text += data

    def all(self, tag: str, **wanted: str) -> list[Attributes]:
        return [has for name, has in self.elements if name == tag and wanted.items() <= has.items()]

    def one(self, tag: str, **wanted: str) -> Attributes:
        found = self.all(tag, **wanted)
        assert len(found) == 1, (tag, wanted, found)
        return found[0]

    def meta(self, name: str) -> str:
        return next(m["content"] for m in self.all("meta") if name in (m.get("property"), m.get("name")))
