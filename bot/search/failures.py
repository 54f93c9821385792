"""Say in a chat's language why a feed could not be read. Decides nothing; no I/O.

What is stored with a feed is an English sentence with the details of the failure, and its kind.
"""

from bot.i18n.catalog import ENGLISH, Translator
from bot.model.feeds import Failure


def describe_failure(failure: Failure | None, text: str, translator: Translator = ENGLISH) -> str:
    """Return the stored sentence in English, and in other languages the one of its kind."""
    if failure is None or (text and translator.catalog.language == "en"):
        return text
    return (
        _connection(failure, translator)
        or _refusal(failure, translator)
        or _document(failure, translator)
        or _page(failure, translator)
        or text
    )


def _connection(failure: Failure, translator: Translator) -> str:
    match failure:
        case Failure.DNS:
            return translator.gettext("There is no site of this name.")
        case Failure.CONNECT:
            return translator.gettext("No connection to the site.")
        case Failure.TLS:
            return translator.gettext("No secure connection to the site.")
        case Failure.TIMEOUT:
            return translator.gettext("The site does not answer in time.")
        case Failure.PRIVATE:
            return translator.gettext("The address is not public, or not valid.")
        case Failure.REDIRECT:
            return translator.gettext("The site's redirects lead nowhere.")
        case _:
            return ""


def _refusal(failure: Failure, translator: Translator) -> str:
    match failure:
        case Failure.NOT_FOUND:
            return translator.gettext("There is nothing at this address (404).")
        case Failure.GONE:
            return translator.gettext("The site says that the feed is gone for good (410).")
        case Failure.LOGIN:
            return translator.gettext("The feed needs a login.")
        case Failure.BLOCKED:
            return translator.gettext("The site blocks newsbell.")
        case Failure.SLOW_DOWN:
            return translator.gettext("The site asks for fewer requests (429).")
        case Failure.SERVER:
            return translator.gettext("The site's server has a fault.")
        case Failure.HTTP:
            return translator.gettext("The site gives an unexpected answer.")
        case _:
            return ""


def _document(failure: Failure, translator: Translator) -> str:
    match failure:
        case Failure.TOO_LARGE:
            return translator.gettext("The feed is too large.")
        case Failure.ENCODING:
            return translator.gettext("The site's answer is damaged.")
        case Failure.NOT_A_FEED:
            return translator.gettext("There is no feed at this address.")
        case Failure.HOSTILE:
            return translator.gettext("The feed could not be read safely.")
        case Failure.EMPTY:
            return translator.gettext("The feed is empty.")
        case Failure.TOMBSTONE:
            return translator.gettext("The feed says that it has ended.")
        case Failure.INTERNAL | Failure.LOCAL:
            return translator.gettext("newsbell itself failed on this feed.")
        case _:
            return ""


def _page(failure: Failure, translator: Translator) -> str:
    match failure:
        case Failure.NO_PREVIEW:
            return translator.gettext("This channel shows no preview on the web.")
        case Failure.NO_CHANNEL:
            return translator.gettext("Telegram has no public channel of this name.")
        case Failure.NOT_A_CHANNEL:
            return translator.gettext("This is a person, bot or group, not a channel.")
        case Failure.CHANGED_PAGE:
            return translator.gettext("The page reads differently than it used to.")
        case Failure.ROBOTS:
            return translator.gettext("The site asks programs not to read this page.")
        case _:
            return ""
