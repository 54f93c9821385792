"""Turn a page into HTML. Everything that is shown is escaped; no text of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot import __version__
from bot.i18n.catalog import Translator, zone_name
from bot.web.address import address
from bot.web.blocks import Page, Text, paragraph

RIGHT_TO_LEFT = frozenset({"ar"})  #: languages of the interface


@dataclass(frozen=True, slots=True)
class Way:
    """A link of the menu."""

    text: str
    href: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around a page: the menu, the choice of a chat, the way out."""

    path: str = "/"
    ways: tuple[Way, ...] = ()
    chats: tuple[tuple[str, str], ...] = ()  #: to choose from; empty where there is one
    chat: str = ""
    kept: tuple[tuple[str, str], ...] = ()  #: other values of the address
    signed_in: bool = False


class Renderer:
    """Holds the template."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=PackageLoader("bot.web", "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )

    def html(self, page: Page, around: Surroundings, translator: Translator) -> str:
        """Return a page as a document of HTML."""
        language = translator.catalog.language
        frame = {
            "language": language,
            "direction": "rtl" if language in RIGHT_TO_LEFT else "ltr",
            "version": __version__,
            "zone": zone_name(translator.zone),
            "scripts": around.signed_in,
            "path": around.path,
            "ways": around.ways,
            "chats": around.chats,
            "chat": around.chat,
            "kept": around.kept,
            "skip": translator.gettext("To the content"),
            "ways_label": translator.gettext("Pages"),
            "chat_label": translator.gettext("Chat"),
            "choose": translator.gettext("Show"),
            "sign_out": translator.gettext("Sign out") if around.signed_in else "",
        }
        return self._templates.get_template("page.html").render(page=page, frame=frame)


def message_page(title: str, *lines: str, status: int = 200) -> Page:
    """Return a page that only says something."""
    return Page(Text(title), tuple(paragraph(text) for text in lines), status=status)


def menu(translator: Translator, path: str, chat: str, *, operates: bool) -> Sequence[Way]:
    """Return the links to all pages."""
    ways = [
        ("/", translator.gettext("Status")),
        ("/alerts", translator.gettext("Alerts")),
        ("/feeds", translator.gettext("Feeds")),
        ("/search", translator.gettext("Search")),
        ("/try", translator.gettext("Try a query")),
    ]
    if operates:
        ways.append(("/outbox", translator.gettext("Undelivered")))
    return [Way(text, address(way, chat=chat), way == path) for way, text in ways]
