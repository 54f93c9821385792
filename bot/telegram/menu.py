"""The commands that Telegram offers while one types, by the kind of chat and language.

Cosmetic: what one may do is decided elsewhere.
"""

from collections.abc import Iterable

import structlog
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
)
from telegram.error import TelegramError

from bot.i18n.catalog import Translator

_GROUP = ("why", "story", "search", "subscriptions", "feeds", "status", "help")
_CHANGES = (
    "subscribe",
    "test",
    "unsubscribe",
    "settings",
    "language",
    "addfeed",
    "removefeed",
    "stories",
)
_PRIVATE = ("trend", "import", "export", "channels", "web", "cancel")

log = structlog.stdlib.get_logger("newsbell.telegram")


def menu(translator: Translator) -> dict[str, str]:
    """Each command with what it does, in a few words."""
    return {
        "subscribe": translator.gettext("get alerts for a query"),
        "test": translator.gettext("try a query on past articles"),
        "search": translator.gettext("search stored articles"),
        "trend": translator.gettext("coverage chart"),
        "subscriptions": translator.gettext("subscriptions in this chat"),
        "unsubscribe": translator.gettext("remove a subscription"),
        "why": translator.gettext("why you were alerted to an article, or not"),
        "story": translator.gettext("who reports a story"),
        "feeds": translator.gettext("feeds and their status"),
        "addfeed": translator.gettext("add a site"),
        "removefeed": translator.gettext("remove a feed"),
        "import": translator.gettext("feeds from an OPML file"),
        "export": translator.gettext("feeds and subscriptions as files"),
        "settings": translator.gettext("language, time zone, quiet hours, digest"),
        "language": translator.gettext("language of the bot in this chat"),
        "stories": translator.gettext("how articles are grouped into alerts"),
        "channels": translator.gettext("manage a channel"),
        "status": translator.gettext("feed status"),
        "web": translator.gettext("open the web page"),
        "cancel": translator.gettext("cancel"),
        "help": translator.gettext("all commands"),
    }


async def register(bot: Bot, translators: Iterable[Translator]) -> bool:
    """Tell Telegram the commands, for each scope and language.

    Return False where it does not answer, which harms nobody.
    """
    try:
        for translator in translators:
            texts = menu(translator)
            code = "" if translator.catalog.language == "en" else translator.catalog.language
            for scope, names in (
                (BotCommandScopeAllPrivateChats(), (*_CHANGES, *_PRIVATE, *_GROUP)),
                (BotCommandScopeAllGroupChats(), _GROUP),
                (BotCommandScopeAllChatAdministrators(), (*_CHANGES, *_GROUP)),
            ):
                ordered = [name for name in texts if name in names]
                await bot.set_my_commands(
                    [BotCommand(name, texts[name]) for name in ordered], scope, code or None
                )
    except TelegramError as error:
        log.warning("menu_rejected", error=type(error).__name__)
        return False
    return True
