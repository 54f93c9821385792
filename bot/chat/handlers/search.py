"""What a chat looks up without changing anything: stored articles by a query, and the feeds that are watched. Part of the actions."""

from collections.abc import Awaitable, Callable, Sequence

from bot.alerts import options
from bot.chat.context import Context, busy, mistake, say
from bot.delivery.render import Composer, linkable
from bot.errors import QueryError, StoreError
from bot.model.chat_events import OwnFeed, Reply
from bot.model.status import FeedStatus, Status
from bot.ports import ChatStore
from bot.query.parser import Names, parse
from bot.query.tree import Node
from bot.search.backtest import Hit
from bot.text.clean import cut
from bot.text.fold import fold

FOUND = 10  #: articles that a search in a chat shows
SEARCH_DAYS = 30  #: how far back it looks
_FEEDS = 3300  # characters after which no further feed is listed
_MARKED = 12  # matched stretches that are marked in one headline


class Lookups:
    """The commands /search, /feeds and /status."""

    def __init__(
        self,
        search: Callable[[Node], Awaitable[Sequence[Hit]]],
        status: Callable[[], Awaitable[Status]],
        names: Callable[[], Names],
        store: ChatStore,
    ) -> None:
        self._search, self._status, self._names, self._store = search, status, names, store

    async def search(self, context: Context, _name: str, query: str) -> Reply:
        """The newest stored articles that match."""
        translator = context.translator
        if not query:
            return say(
                translator.gettext(
                    "Send the command with the words to look for, for example: {example}",
                    example='/search "air defence" AND Syria',
                )
            )
        try:
            hits = await self._search(parse(options.split(query)[1], self._names()))
        except QueryError as error:
            return Reply(mistake(error, translator))
        except StoreError:
            return say(busy(translator))
        if not hits:
            return say(
                translator.gettext(
                    "No article of the last {days} days matches.",
                    days=SEARCH_DAYS,
                )
            )
        composer = Composer().add(
            translator.ngettext("One article:", "The newest {number}:", len(hits)), "bold"
        )
        for hit in hits:
            article = hit.entry.article
            spans = [span for span in hit.spans if span.field == "title"][:_MARKED]
            link = ("text_link",) if linkable(article.link) else ()
            composer.add("\n\n• ").add_marked(
                cut(article.title, 200), spans, "underline", *link, url=article.link
            )
            at = translator.time(hit.entry.at, context.now)
            composer.add("\n  ").add_marked(
                f"{cut(article.source or article.feed_name, 60)} · {at}", (), "italic", "italic"
            )
        return Reply(composer.message())

    async def feeds(self, context: Context, _name: str, word: str) -> Reply:
        """Those of the chat whose name or address holds the word; the failing ones first."""
        translator = context.translator
        own: dict[str, OwnFeed] = {
            feed.url: feed for feed in await self._store.feeds_of(context.chat.id)
        }
        feeds = [feed for feed in (await self._status()).feeds if feed.url in own]
        wanted = [feed for feed in feeds if fold(word) in fold(f"{feed.name} {feed.url}")]
        if not feeds:
            return say(translator.gettext("No feeds yet. Add one for this chat: /addfeed ADDRESS"))
        if not wanted:
            return say(
                translator.ngettext(
                    "No feed of that name. All {number}: /feeds",
                    "No feed of that name. All {number}: /feeds",
                    len(feeds),
                )
            )
        composer = Composer().add(
            translator.ngettext("{number} feed", "{number} feeds", len(wanted)), "bold"
        )
        ordered = sorted(wanted, key=lambda feed: (not feed.state.failures, feed.name.casefold()))
        for number, feed in enumerate(ordered):
            if composer.length > _FEEDS or composer.entities > 90:
                rest = len(ordered) - number
                text = translator.ngettext(
                    "… and {number} more. To search: /feeds WORD",
                    "… and {number} more. To search: /feeds WORD",
                    rest,
                )
                composer.add(f"\n{text}")
                break
            composer.add("\n✗ " if feed.state.failures else "\n• ").add_marked(
                cut(feed.name, 60), (), "bold"
            )
            composer.add(f" – {_state(feed, context)}")
            if own[feed.url].added_here and not own[feed.url].declared:
                composer.add(" (" + translator.gettext("added here") + ")")
        return Reply(composer.message())

    async def status(self, context: Context, _name: str, _rest: str) -> Reply:
        """Whether the feeds are well."""
        return say(status_text(await self._status(), context))


def _state(feed: FeedStatus, context: Context) -> str:
    translator = context.translator
    if feed.state.failures:
        return cut(feed.state.failure_text, 150)
    if feed.state.last_ok_at is None:
        return translator.gettext("not fetched yet")
    at = translator.time(feed.state.last_ok_at, context.now)
    return translator.ngettext(
        "{number} article, checked {time}",
        "{number} articles, checked {time}",
        feed.entries,
        time=at,
    )


def status_text(status: Status, context: Context) -> str:
    """The state in a few lines."""
    translator = context.translator
    failing = [feed for feed in status.feeds if feed.state.failures]
    waiting = sum(queued for _, queued, _ in status.chats)
    feeds = translator.ngettext("{number} feed", "{number} feeds", len(status.feeds))
    subscriptions = translator.ngettext(
        "{number} subscription", "{number} subscriptions", status.subscriptions
    )
    lines = [f"{feeds}, {subscriptions}."]
    polls = [feed.state.next_poll_at for feed in status.feeds]
    if polls:
        seconds = max(0, round((min(polls) - context.now).total_seconds()))
        lines.append(
            translator.gettext(
                "Next poll in {minutes} min {seconds} s.",
                minutes=seconds // 60,
                seconds=seconds % 60,
            )
        )
    lines.append(
        translator.ngettext("{number} message queued", "{number} messages queued", waiting)
        if waiting
        else translator.gettext("No messages queued")
    )
    lines += [f"✗ {cut(feed.name, 60)}: {feed.state.failure_text}" for feed in failing[:15]]
    if not failing:
        lines.append(translator.gettext("All feeds OK"))
    elif len(failing) > 15:
        lines.append(
            translator.ngettext("… and {number} more", "… and {number} more", len(failing) - 15)
        )
    return "\n".join(lines)
