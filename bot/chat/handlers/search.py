"""Looking things up without changing anything: articles, feeds, and the state of newsbell."""

from datetime import timedelta

from bot.alerts import options
from bot.chat.context import Context, query_mistake, text_reply
from bot.chat.replies import archive_unavailable
from bot.chat.services import SEARCH_DAYS, FeedService, SearchService
from bot.delivery.composer import Composer, linkable
from bot.errors import QueryError, StoreError
from bot.i18n.catalog import Translator
from bot.model.chat_events import OwnFeed, Reply
from bot.model.status import FeedStatus, Status
from bot.ports import ChatStore
from bot.search.backtest import Hit
from bot.search.failures import describe_failure
from bot.text.clean import cut
from bot.text.fold import fold

_LENGTH = 3300  # characters after which no further feed is listed
_ENTITIES = 90  # the same for bold names
_SPANS = 12  # matched spans that are marked in one headline
_FAILING = 15  # failing feeds that /status lists


class Search:
    """The commands /search, /feeds and /status."""

    def __init__(self, search: SearchService, feeds: FeedService, store: ChatStore) -> None:
        self._search, self._feeds, self._store = search, feeds, store

    async def search(self, context: Context, query: str) -> Reply:
        """/search: show the newest stored articles that match."""
        translator = context.translator
        if not query:
            return text_reply(
                translator.gettext(
                    "Send the command with the words to look for, for example: {example}",
                    example='/search "air defence" AND Syria',
                )
            )
        try:
            hits = await self._search.search(self._search.parse(options.split(query)[1]))
        except QueryError as error:
            return Reply(query_mistake(error, translator))
        except StoreError:
            return text_reply(archive_unavailable(translator))
        if not hits:
            return text_reply(
                translator.gettext(
                    "No article of the last {days} days matches.",
                    days=SEARCH_DAYS,
                )
            )
        lead = translator.ngettext("One article:", "The newest {number}:", len(hits))
        composer = Composer().add(lead, "bold")
        for hit in hits:
            _add_hit(composer, hit, context)
        return Reply(composer.message())

    async def feeds(self, context: Context, word: str) -> Reply:
        """/feeds: list the chat's feeds whose name or address has the word, failing first."""
        translator = context.translator
        own = {feed.url: feed for feed in await self._store.feeds_of(context.chat.id)}
        feeds = [feed for feed in (await self._feeds.status()).feeds if feed.url in own]
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
        return Reply(composer.message())

    async def status(self, context: Context, _argument: str) -> Reply:
        """/status: show whether feeds and deliveries work."""
        return text_reply(status_text(await self._feeds.status(), context))


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
    composer.add(f" – {_feed_state(feed, context)}")
    if own.added_here and not own.declared:
        composer.add(" (" + context.translator.gettext("added here") + ")")


def _feed_state(feed: FeedStatus, context: Context) -> str:
    translator = context.translator
    if feed.state.failures:
        return cut(_failure(feed, translator), 150)
    if feed.state.last_ok_at is None:
        return translator.gettext("not fetched yet")
    time = translator.time(feed.state.last_ok_at, context.now)
    return translator.ngettext(
        "{number} article, checked {time}",
        "{number} articles, checked {time}",
        feed.entries,
        time=time,
    )


def _failure(feed: FeedStatus, translator: Translator) -> str:
    return describe_failure(feed.state.failure, feed.state.failure_text, translator)


def status_text(status: Status, context: Context) -> str:
    """Return the state of newsbell in a few lines."""
    translator = context.translator
    failing = [feed for feed in status.feeds if feed.state.failures]
    waiting = sum(queued for _, queued, _ in status.chats)
    feeds = translator.ngettext("{number} feed", "{number} feeds", len(status.feeds))
    subscriptions = translator.ngettext(
        "{number} subscription", "{number} subscriptions", status.subscriptions
    )
    lines = [f"{feeds}, {subscriptions}"]
    polls = [feed.state.next_poll_at for feed in status.feeds]
    if polls:
        wait = translator.duration(max(timedelta(0), min(polls) - context.now))
        lines.append(translator.gettext("Next check in {span}", span=wait))
    lines.append(
        translator.ngettext("{number} message queued", "{number} messages queued", waiting)
        if waiting
        else translator.gettext("No messages queued")
    )
    lines += [
        f"✗ {cut(feed.name, 60)}: {_failure(feed, translator)}" for feed in failing[:_FAILING]
    ]
    if not failing:
        lines.append(translator.gettext("All feeds OK"))
    elif len(failing) > _FAILING:
        hidden = len(failing) - _FAILING
        lines.append(translator.ngettext("… and {number} more", "… and {number} more", hidden))
    return "\n".join(lines)
