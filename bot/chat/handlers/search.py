"""Looking things up without changing anything: articles, feeds, and the state of newsbell."""

from collections.abc import Mapping
from dataclasses import replace

from bot.alerts import options
from bot.chat.access import OPERATORS, ChatType
from bot.chat.context import Context, query_mistake, show, text_reply
from bot.chat.handlers.feed_text import text_buttons
from bot.chat.handlers.feeds import FeedAction
from bot.chat.replies import archive_unavailable, no_article, search_too_long
from bot.chat.services import SEARCH_DAYS, AdminService, FeedService, SearchService
from bot.delivery.composer import Composer, linkable
from bot.errors import QueryError, StoreError, StoreTimeout
from bot.model.chat_events import OwnFeed, Reply, Screen
from bot.model.status import FeedStatus, Status
from bot.ports import ChatStore
from bot.search.feed_state import feed_state, status_text
from bot.search.health_text import health_text
from bot.search.matches import Hit
from bot.text.clean import cut
from bot.text.fold import fold

_LENGTH = 3300  # characters after which no further feed is listed
_ENTITIES = 90  # the same for bold names
_SPANS = 12  # matched spans that are marked in one headline


class Search:
    """The commands /search, /feeds and /status."""

    def __init__(
        self, search: SearchService, feeds: FeedService, store: ChatStore, admin: AdminService
    ) -> None:
        self._search, self._feeds, self._store, self._admin = search, feeds, store, admin

    async def search(self, context: Context, query: str) -> Reply:
        """/search: show the newest stored articles that match."""
        translator = context.translator
        try:
            tree = await self._search.affordable(options.split(query)[1])
            hits = await self._search.search(tree, context.chat.id)
        except QueryError as error:
            return Reply(query_mistake(error, translator))
        except StoreTimeout:
            return text_reply(search_too_long(translator))
        except StoreError:
            return text_reply(archive_unavailable(translator))
        if not hits:
            return text_reply(no_article(translator, SEARCH_DAYS))
        lead = translator.ngettext("One article:", "The newest {number}:", len(hits))
        composer = Composer().add(lead, "bold")
        for hit in hits:
            _add_hit(composer, hit, context)
        return Reply(composer.message())

    async def feeds(self, context: Context, word: str) -> Reply:
        """/feeds: list the chat's feeds whose name or address has the word, failing first."""
        translator = context.translator
        own = {feed.url: feed for feed in await self._store.feeds_of(context.chat.id)}
        feeds = _own_feeds(await self._feeds.status(), own)
        matching = [feed for feed in feeds if fold(word) in fold(f"{feed.name} {feed.url}")]
        if not feeds:
            return text_reply(
                translator.gettext("No feeds yet. Add one for this chat: /addfeed ADDRESS")
            )
        if not matching:
            return text_reply(
                translator.ngettext(
                    "No feed of that name. All {number}: /feeds",
                    "No feed of that name. All {number}: /feeds",
                    len(feeds),
                )
            )
        lead = translator.ngettext("{number} feed", "{number} feeds", len(matching))
        composer = Composer().add(lead, "bold")
        ordered = sorted(matching, key=lambda feed: (not feed.state.failures, feed.name.casefold()))
        for number, feed in enumerate(ordered):
            if composer.length > _LENGTH or composer.entities > _ENTITIES:
                more = translator.ngettext(
                    "… and {number} more. To search: /feeds WORD",
                    "… and {number} more. To search: /feeds WORD",
                    len(ordered) - number,
                )
                composer.add(f"\n{more}")
                break
            _add_feed(composer, feed, own[feed.url], context)
        if len(matching) > 1 or not word:
            return Reply(composer.message())
        choices = text_buttons(context, own[matching[0].url], FeedAction.TEXT)
        if not choices:
            return Reply(composer.message())
        composer.add("\n\n" + translator.gettext("What of its articles is matched?"))
        return show(composer.message(), Screen("feeds"), *([choice] for choice in choices))

    async def status(self, context: Context, _argument: str) -> Reply:
        """/status: show whether the chat's feeds and deliveries work. Nothing of other chats.

        Operators read how newsbell is as well, where nobody else does.
        """
        status = await self._feeds.status()
        own = {feed.url: feed for feed in await self._store.feeds_of(context.chat.id)}
        subscriptions = await self._store.subscriptions_of(context.chat.id)
        status = replace(
            status,
            feeds=tuple(_own_feeds(status, own)),
            chats=tuple(row for row in status.chats if row[0].id == context.chat.id),
            subscriptions=len(subscriptions),
        )
        text = status_text(status, context.now, context.translator)
        is_alone = context.chat_type is ChatType.PRIVATE
        if is_alone and context.person.role in OPERATORS:
            health = health_text(self._admin.health(), context.now, context.translator)
            text = f"{text}\n\n{health}"
        return text_reply(text)


def _own_feeds(status: Status, own: Mapping[str, OwnFeed]) -> list[FeedStatus]:
    """Return the state of a chat's feeds, under the names that they have there."""
    return [replace(feed, name=own[feed.url].name) for feed in status.feeds if feed.url in own]


def _add_hit(composer: Composer, hit: Hit, context: Context) -> None:
    article = hit.entry.article
    spans = [span for span in hit.spans if span.field == "title"][:_SPANS]
    link = ("text_link",) if linkable(article.link) else ()
    composer.add("\n\n• ").add_marked(
        cut(article.title, 200), spans, "underline", *link, url=article.link
    )
    time = context.translator.time(hit.entry.at, context.now)
    source = cut(article.source or article.feed_name, 60)
    composer.add("\n  ").add_marked(f"{source} · {time}", (), "italic", "italic")


def _add_feed(composer: Composer, feed: FeedStatus, own: OwnFeed, context: Context) -> None:
    mark = "\n✗ " if feed.state.failures else "\n• "
    composer.add(mark).add_marked(cut(feed.name, 60), (), "bold")
    composer.add(f" – {feed_state(feed, context.now, context.translator)}")
    if own.added_here and not own.declared:
        composer.add(" (" + context.translator.gettext("added here") + ")")
