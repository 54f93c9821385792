"""What is common to all answers: headers, documents, and what is said where nothing is shown."""

from aiohttp import web

from bot.chat.handlers.web import LINK_MINUTES
from bot.i18n.catalog import LANGUAGES, Translator
from bot.model.chats import ChatSettings
from bot.web.blocks import Page
from bot.web.render import Renderer, Surroundings, message_page
from bot.web.services import WebServices

#: Nothing but our own files is loaded, nothing is run that stands in a page, nobody frames it.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # With `no-referrer` a browser would send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "newsbell",  # and neither version nor library
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Refused(Exception):  # noqa: N818 (a refusal, not a fault)
    """A request that is not answered with what it asks for."""

    def __init__(self, status: int, retry_after: int = 0) -> None:
        """`retry_after` is in seconds; with 0 nothing is said of it."""
        super().__init__(status)
        self.status, self.retry_after = status, retry_after


class Answers:
    """Makes documents of pages."""

    def __init__(self, services: WebServices) -> None:
        self._services, self._renderer = services, Renderer()

    def document(
        self, page: Page, translator: Translator, around: Surroundings | None = None
    ) -> web.Response:
        """Return a page as an answer."""
        html = self._renderer.html(page, around or Surroundings(), translator)
        return web.Response(text=html, content_type="text/html", status=page.status)

    def refusal(self, request: web.Request, refusal: Refused) -> web.Response:
        """Return a page that says why nothing is shown, and what to do."""
        translator = self.stranger(request)
        response = self.document(refusal_page(refusal.status, translator), translator)
        if refusal.retry_after:
            response.headers["Retry-After"] = str(refusal.retry_after)
        return response

    def stranger(self, request: web.Request) -> Translator:
        """Return the language that a browser asks for, where nobody is known."""
        for part in request.headers.get("Accept-Language", "")[:200].split(","):
            code = part.partition(";")[0].strip().partition("-")[0].lower()
            if code in LANGUAGES:
                return self._services.translator(ChatSettings(language=code))
        return self._services.translator(ChatSettings())


def refusal_page(status: int, translator: Translator) -> Page:
    """Return why a request is refused, and what to do."""
    match status:
        case 401:
            return message_page(
                translator.gettext("Please sign in"),
                translator.gettext(
                    "Send /web to the bot in your private chat with it, and open the link that it "
                    "sends. Operators can also run {command}.",
                    command="newsbell web-link",
                ),
                status=status,
            )
        case 403:
            title = translator.gettext("Not allowed")
            text = translator.gettext("You may not see or do this.")
        case 404:
            title = translator.gettext("Not found")
            text = translator.gettext("There is nothing here, or it is no longer stored.")
        case 421:
            title = translator.gettext("Wrong address")
            text = translator.gettext(
                "newsbell is not reached by this name. Operators set it in feeds.yaml: {key}",
                key="settings.web.public",
            )
        case 429:
            title = translator.gettext("Too many requests. Wait a minute.")
            text = translator.gettext("Then load this page again.")
        case 503:
            title = translator.gettext("Not now")
            text = translator.gettext("newsbell is busy. Load this page again in a moment.")
        case _:
            title = translator.gettext("No answer")
            text = translator.gettext("newsbell does not understand this request.")
    return message_page(title, text, status=status)


def link_over(translator: Translator) -> Page:
    """Return that a link opens nothing any more."""
    return message_page(
        translator.gettext("This link is no longer good"),
        translator.gettext(
            "Links work once and for {number} minutes. Send /web to the bot for another one.",
            number=LINK_MINUTES,
        ),
        status=404,
    )
