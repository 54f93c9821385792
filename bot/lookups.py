"""What a chat looks up without changing anything: stored articles by a query, and the feeds that are watched. Part of the actions."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import tzinfo

from bot import ringing
from bot.errors import QueryError, StoreError
from bot.lookback import Hit
from bot.model.chats import Message
from bot.ports import Clock, FeedStatus, Status
from bot.query.parser import Names, parse
from bot.query.tree import Node
from bot.render import Composer, linkable, local_time
from bot.text.clean import cut
from bot.text.fold import fold

FOUND = 10  #: articles that a search in a chat shows
SEARCH_DAYS = 30  #: how far back it looks
_FEEDS = 3300  # characters after which no further feed is listed
_MARKED = 12  # matched stretches that are marked in one headline


class Lookups:
    """The commands /search and /feeds."""

    def __init__(
        self,
        search: Callable[[Node], Awaitable[Sequence[Hit]]],
        status: Callable[[], Awaitable[Status]],
        names: Callable[[], Names],
        clock: Clock,
        zone: Callable[[], tzinfo],
    ) -> None:
        self._search, self._status, self._names, self._clock, self._zone = search, status, names, clock, zone

    async def command(self, name: str, rest: str) -> Message:
        """Answer one of them. Raises QueryError, and StoreError where the chat's own data cannot be read."""
        return await (self._feeds(rest) if name == "/feeds" else self._found(rest))

    async def _found(self, query: str) -> Message:
        if not query:
            return Message('Write what to look for after the command, for example: /search "air defence" AND Syria')
        try:
            hits = await self._search(parse(ringing.split(query)[1], self._names()))
        except QueryError:
            raise
        except StoreError:
            return Message("The stored articles cannot be read now; try again in a minute.")
        if not hits:
            return Message(f"No article of the last {SEARCH_DAYS} days matches. /test QUERY says what it would have rung.")
        composer = Composer().add(f"The newest {len(hits)}:" if len(hits) > 1 else "One article:", "bold")
        for hit in hits:
            article = hit.entry.article
            spans = [span for span in hit.spans if span.field == "title"][:_MARKED]
            link = ("text_link",) if linkable(article.link) else ()
            composer.add("\n\n• ").add_marked(cut(article.title, 200), spans, "underline", *link, url=article.link)
            at = local_time(hit.entry.at, self._clock.now(), self._zone())
            composer.add("\n  ").add_marked(f"{cut(article.source or article.feed_name, 60)} · {at}", (), "italic", "italic")
        return composer.message()

    async def _feeds(self, word: str) -> Message:
        """Those whose name or address holds the word; the failing ones first."""
        feeds = (await self._status()).feeds
        wanted = [feed for feed in feeds if fold(word) in fold(f"{feed.name} {feed.url}")]
        if not wanted:
            return Message(
                f"No feed is called so. /feeds lists all {len(feeds)}." if feeds else "No feed is watched yet; feeds.yaml names them."
            )
        composer = Composer().add(f"{len(wanted)} feeds" if len(wanted) > 1 else "1 feed", "bold")
        ordered = sorted(wanted, key=lambda feed: (not feed.state.failures, feed.name.casefold()))
        for number, feed in enumerate(ordered):
            if composer.length > _FEEDS or composer.entities > 90:
                composer.add(f"\n… and {len(ordered) - number} more. /feeds WORD finds some of them.")
                break
            composer.add("\n✗ " if feed.state.failures else "\n• ").add_marked(cut(feed.name, 60), (), "bold")
            composer.add(f" – {self._state(feed)}")
        return composer.message()

    def _state(self, feed: FeedStatus) -> str:
        if feed.state.failures:
            return cut(feed.state.failure_text, 150)
        if feed.state.last_ok_at is None:
            return "not looked at yet"
        at = local_time(feed.state.last_ok_at, self._clock.now(), self._zone())
        return f"{feed.entries} article{'' if feed.entries == 1 else 's'}, looked at {at}"
