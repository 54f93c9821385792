"""The commands that Telegram offers while one types, by the kind of chat and language. Cosmetic: what one may do is decided elsewhere."""

import logging
from collections.abc import Iterable

from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
)
from telegram.error import TelegramError

from bot.i18n.catalog import Voice

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
_PRIVATE = ("trend", "import", "export", "channels", "cancel")

log = logging.getLogger("newsbell.commands")


def menu(voice: Voice) -> dict[str, str]:
    """Each command with what it does, in a few words."""
    return {
        "subscribe": voice.say("ring for a query"),
        "test": voice.say("what a query would have rung"),
        "search": voice.say("stored articles that match"),
        "trend": voice.say("a picture of how much was told"),
        "subscriptions": voice.say("what rings here"),
        "unsubscribe": voice.say("stop a subscription"),
        "why": voice.say("why an article rang, or did not"),
        "story": voice.say("all who carry a story"),
        "feeds": voice.say("what is watched"),
        "addfeed": voice.say("watch a site"),
        "removefeed": voice.say("watch a site no longer"),
        "import": voice.say("feeds from an OPML file"),
        "export": voice.say("feeds and subscriptions as files"),
        "settings": voice.say("language, time zone, quiet hours, digests"),
        "language": voice.say("the language I speak here"),
        "stories": voice.say("how much belongs to one alert"),
        "channels": voice.say("act for a channel"),
        "status": voice.say("whether the feeds are well"),
        "cancel": voice.say("leave what we were at"),
        "help": voice.say("all commands"),
    }


async def register(bot: Bot, voices: Iterable[Voice]) -> bool:
    """Tell Telegram the commands, for each scope and language; False where it does not listen, which hurts nobody."""
    try:
        for voice in voices:
            texts = menu(voice)
            code = "" if voice.catalog.language == "en" else voice.catalog.language
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
        log.warning("Telegram did not take the list of commands: %s", type(error).__name__)
        return False
    return True
