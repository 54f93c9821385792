"""Put the rooms of the chat together: which command, button and screen leads where, and who may. Says nothing itself."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.chat.access import Deed
from bot.chat.context import Turn, say
from bot.chat.dispatcher import Command, Desk
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
from bot.i18n.catalog import Voice
from bot.model.chat_events import NOTHING, Press, Said, Screen
from bot.model.chats import ChatSettings
from bot.model.delivery import OutboxRow
from bot.model.status import Status
from bot.model.stories import Grouping
from bot.ports import Archive, Members, PeopleStore, Sites, StoryArchive
from bot.query.parser import Names
from bot.query.tree import Node
from bot.search.backtest import Forecast, Hit

_LINK = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class Means:
    """What the rooms work with."""

    store: PeopleStore
    archive: Archive
    stories: StoryArchive
    members: Members
    sites: Sites
    names: Callable[[], Names]
    voice: Callable[[ChatSettings], Voice]
    grouping: Callable[[int], Grouping]
    forecast: Callable[[Node, Sequence[str]], Awaitable[Forecast]]
    search: Callable[[Node], Awaitable[Sequence[Hit]]]
    counted: Callable[[Node, int, Turn], Awaitable[Days]]
    drawn: Callable[[Days, Turn], Awaitable[bytes]]
    status: Callable[[], Awaitable[Status]]  #: without the chats in which nothing waits
    overview: Callable[[], Awaitable[Status]]  #: the whole
    dead: Callable[[], Awaitable[list[OutboxRow]]]
    yaml_of: Callable[[Sequence[int]], Awaitable[str]]
    subscriptions: Callable[[], int]  #: that a chat may have
    feeds: Callable[[], FeedQuota]


def desk(means: Means) -> Desk:
    """The rooms by what leads to them."""
    store = means.store
    subscribing = Subscribing(store, means.names, means.forecast, means.subscriptions)
    start = Start(subscribing)
    subscriptions = Subscriptions(subscribing, means.members)
    lookups = Lookups(means.search, means.status, means.names, store)
    storylines = Storylines(store, means.stories, means.grouping)
    reasons = Reasons(store, means.stories, means.names)
    settings = Settings(means.grouping, means.voice)
    feeds = Feeds(store, means.sites, means.feeds, means.yaml_of)
    operate = Operate(store, means.members, means.overview, means.dead)
    channels = Channels(store, means.members)
    unwanted = Unwanted(store, means.archive, means.stories, means.names)
    trends = Trends(means.names, means.counted, means.drawn)
    read, change = Deed.READ, Deed.CHANGE
    return Desk(
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
            "/admin": (Deed.OPERATE, operate.command),
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

    async def answer(turn: Turn, name: str, text: str) -> Said:
        if _LINK.fullmatch(text.strip()):
            return await feeds.shared(turn, text)
        return await start.unasked(turn, name, text)

    return answer


async def _cancel(turn: Turn, _name: str, _rest: str) -> Said:
    """Nothing is waited for any more: a newer screen that expects nothing takes the place of what did."""
    said = say(turn.voice.say("Left. /help shows what I know."))
    return Said(said.reply, screen=Screen("cancelled", {}, NOTHING))
