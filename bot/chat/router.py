"""Put the rooms of the chat together: which command, button and screen leads where, and who may. Says nothing itself."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.chat.access import Permission
from bot.chat.context import Context, say
from bot.chat.dispatcher import Command, Routes
from bot.chat.handlers.admin import Operate
from bot.chat.handlers.channels import Channels
from bot.chat.handlers.exclusions import Unwanted
from bot.chat.handlers.explain import Reasons
from bot.chat.handlers.feeds import FeedQuota, Feeds
from bot.chat.handlers.search import Lookups
from bot.chat.handlers.settings import Settings
from bot.chat.handlers.start import Start
from bot.chat.handlers.storylines import Storylines
from bot.chat.handlers.subscriptions import Subscribing, Subscriptions
from bot.chat.handlers.trends import Days, Trends
from bot.i18n.catalog import Translator
from bot.model.chat_events import NOTHING, Press, Reply, Screen
from bot.model.chats import ChatSettings
from bot.model.delivery import OutboxRow
from bot.model.status import Status
from bot.model.stories import Grouping
from bot.ports import Archive, ChatStore, Members, Sites, StoryArchive
from bot.query.parser import Names
from bot.query.tree import Node
from bot.search.backtest import Forecast, Hit

_LINK = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class ChatServices:
    """What the rooms work with."""

    store: ChatStore
    archive: Archive
    stories: StoryArchive
    members: Members
    sites: Sites
    names: Callable[[], Names]
    translator: Callable[[ChatSettings], Translator]
    grouping: Callable[[int], Grouping]
    forecast: Callable[[Node, Sequence[str]], Awaitable[Forecast]]
    search: Callable[[Node], Awaitable[Sequence[Hit]]]
    counted: Callable[[Node, int, Context], Awaitable[Days]]
    drawn: Callable[[Days, Context], Awaitable[bytes]]
    status: Callable[[], Awaitable[Status]]  #: without the chats in which nothing waits
    overview: Callable[[], Awaitable[Status]]  #: the whole
    dead: Callable[[], Awaitable[list[OutboxRow]]]
    yaml_of: Callable[[Sequence[int]], Awaitable[str]]
    subscriptions: Callable[[], int]  #: that a chat may have
    feeds: Callable[[], FeedQuota]


def build_routes(services: ChatServices) -> Routes:
    """The rooms by what leads to them."""
    store = services.store
    subscribing = Subscribing(store, services.names, services.forecast, services.subscriptions)
    start = Start(subscribing)
    subscriptions = Subscriptions(subscribing, services.members)
    lookups = Lookups(services.search, services.status, services.names, store)
    storylines = Storylines(store, services.stories, services.grouping)
    reasons = Reasons(store, services.stories, services.names)
    settings = Settings(services.grouping, services.translator)
    feeds = Feeds(store, services.sites, services.feeds, services.yaml_of)
    operate = Operate(store, services.members, services.overview, services.dead)
    channels = Channels(store, services.members)
    unwanted = Unwanted(store, services.archive, services.stories, services.names)
    trends = Trends(services.names, services.counted, services.drawn)
    read, change = Permission.READ, Permission.CHANGE
    return Routes(
        commands={
            "/start": (read, start.greet),
            "/help": (read, start.help),
            "/subscribe": (change, subscriptions.subscribe),
            "/confirm": (change, subscriptions.confirm),
            "/test": (read, subscriptions.test),
            "/subscriptions": (read, subscriptions.listed),
            "/unsubscribe": (change, subscriptions.unsubscribe),
            "/search": (read, lookups.search),
            "/feeds": (read, lookups.feeds),
            "/status": (read, lookups.status),
            "/trend": (read, trends.command),
            "/story": (read, storylines.story),
            "/stories": (read, storylines.levels),
            "/follow": (change, storylines.stance),
            "/unfollow": (change, storylines.stance),
            "/mute": (change, storylines.stance),
            "/unmute": (change, storylines.stance),
            "/why": (read, reasons.command),
            "/settings": (change, settings.command),
            "/language": (change, settings.command),
            "/addfeed": (change, feeds.add),
            "/removefeed": (change, feeds.remove),
            "/import": (change, feeds.take_in),
            "/export": (change, feeds.give_out),  # addresses of feeds may hold secrets
            "/channels": (read, channels.command),
            "/admin": (Permission.OPERATE, operate.command),
            "/cancel": (read, _cancel),
        },
        screens={
            "start": start,
            "subscriptions": subscriptions,
            "subscription": subscriptions,
            "confirm": subscriptions,
            "deleted": subscriptions,
            "settings": settings,
            "feeds": feeds,
            "admin": operate,
            "channels": channels,
            "unwanted": unwanted,
            "trend": trends,
        },
        presses={
            Press.WHY: (read, reasons.press),
            Press.MUTE: (change, storylines.press),
            Press.FOLLOW: (change, storylines.press),
            Press.UNWANTED: (change, unwanted.press),
            Press.MINE: (read, storylines.take),
        },
        here=frozenset(
            {
                "/help",
                "/channels",
                "/admin",
                "/cancel",
                "/story",
                "/follow",
                "/unfollow",
                "/mute",
                "/unmute",
            }
        ),
        unasked=_unasked(start, feeds),
        start=start,
    )


def _unasked(start: Start, feeds: Feeds) -> Command:
    """What is written without a command: a link alone is looked at, a forwarded post's topic offered."""

    async def answer(context: Context, name: str, text: str) -> Reply:
        if _LINK.fullmatch(text.strip()):
            return await feeds.shared(context, text)
        return await start.unasked(context, name, text)

    return answer


async def _cancel(context: Context, _name: str, _rest: str) -> Reply:
    """Nothing is waited for any more: a newer screen that expects nothing takes the place of what did."""
    reply = say(context.translator.gettext("Cancelled. All commands: /help"))
    return Reply(reply.message, screen=Screen("cancelled", {}, NOTHING))
