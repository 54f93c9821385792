"""Reading what somebody subscribes to, saying what it would have alerted of, and subscribing.

No screens.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.alerts import options as alert_options
from bot.chat.context import CARET, Context, query_mistake
from bot.chat.services import ChatConfig, SearchService
from bot.delivery.composer import Composer
from bot.errors import QueryError, StoreError
from bot.i18n.catalog import Translator
from bot.model.chat_events import AddSubscription, Reply
from bot.model.chats import AlertOptions, Developments, Updates, Urgency
from bot.model.message import Message
from bot.ports import ChatStore
from bot.query.price import CHAT_LIMIT
from bot.query.tree import Node
from bot.query.tree import show as as_query
from bot.query.warnings import query_warnings
from bot.search.backtest import Forecast
from bot.search.forecast_text import counts_text, expectation_lines
from bot.search.past_alerts import Terms
from bot.text.clean import cut, plain

NAME_LENGTH = 60  #: characters of a subscription's name, taken from its query


class Subscriber:
    """Subscribes chats, and tries queries on the past."""

    def __init__(
        self, store: ChatStore, search: SearchService, config: Callable[[], ChatConfig]
    ) -> None:
        self.store, self._search, self._config = store, search, config

    async def read(self, text: str) -> tuple[AlertOptions, Node]:
        """Return the options and the tree of what somebody writes.

        Raises QueryError, also where the query costs too much.
        """
        options, query = alert_options.split(text)
        if misplaced := alert_options.misplaced(query):
            raise misplaced
        return options, await self._search.affordable(query)

    async def mistake(self, context: Context, query: str) -> Message | None:
        """Return what is wrong with a stored query by now, as a list that the file dropped."""
        try:
            await self._search.parse(query)
        except QueryError as error:
            return query_mistake(error, context.translator)
        return None

    async def forecast(
        self, tree: Node, context: Context, options: AlertOptions, feeds: Sequence[str] = ()
    ) -> Forecast | None:
        """Return what the subscription would have sent to the chat, and may send.

        None where stored articles cannot be read now, which need not keep anyone from subscribing.
        """
        chat, default = context.chat, Terms()
        terms = Terms(
            tuple(feeds),
            options,
            self._config().grouping_of(chat.id),
            chat.settings.developments or default.developments,
        )
        try:
            return await self._search.forecast(tree, chat.id, terms, context.translator.zone)
        except StoreError:
            return None

    async def obstacle(
        self, text: str, context: Context, feeds: Sequence[str] = ()
    ) -> Message | None:
        """Return why the chat cannot have this subscription. Raises QueryError."""
        options, query = alert_options.split(text)
        return await self.obstacle_to(context, query, options, tuple(feeds))

    async def obstacle_to(
        self,
        context: Context,
        query: str,
        options: AlertOptions,
        feeds: tuple[str, ...],
        replaced: int | None = None,
    ) -> Message | None:
        """Return why the chat cannot have this one, too, or instead of the one `replaced`."""
        translator = context.translator
        subscriptions = await self.store.subscriptions_of(context.chat.id)
        existing = [
            (entry.query, entry.options, entry.feeds)
            for entry, _ in subscriptions
            if entry.id != replaced
        ]
        if (query, options, feeds) in existing:
            return Message(
                translator.gettext(
                    "This chat already has this subscription. All subscriptions: /subscriptions"
                )
            )
        if replaced is not None:
            return None
        excess = self._excess(sum(not declared for _, declared in subscriptions), translator)
        return Message(excess) if excess else None

    async def too_dear(self, context: Context, query: str, instead_of: int = 0) -> Message | None:
        """Return that the chat's queries would cost too much with this one.

        `instead_of` is the subscription whose query it replaces.
        """
        subscriptions = await self.store.subscriptions_of(context.chat.id)
        queries = [
            subscription.query
            for subscription, declared in subscriptions
            if not declared and subscription.id != instead_of
        ]
        if await self._search.chat_price([query, *queries]) <= CHAT_LIMIT:
            return None
        return Message(
            context.translator.gettext(
                "The subscriptions of this chat would take too long for each article: more than "
                "{most} ms. Remove one, or use fewer expressions, names and NEAR.",
                most=f"{CHAT_LIMIT:g}",
            )
        )

    def _excess(self, own: int, translator: Translator) -> str:
        """Return that a chat with so many subscriptions gets no other; empty where it may."""
        limit = self._config().subscriptions
        if own < limit:
            return ""
        return translator.ngettext(
            "A chat can have at most {number} subscription. Remove one first: /unsubscribe",
            "A chat can have at most {number} subscriptions. Remove one first: /unsubscribe",
            limit,
        )

    async def subscribe(
        self,
        context: Context,
        text: str,
        forecast: Forecast | None = None,
        feeds: Sequence[str] = (),
        urgency: Urgency | None = None,
        name: str = "",
    ) -> Reply:
        """Subscribe the chat, or say why not. Its name is its query where no `name` is given."""
        try:
            obstacle = await self.obstacle(text, context, feeds)
            options, tree = await self.read(text)
        except QueryError as error:
            return Reply(query_mistake(error, context.translator))
        if obstacle := obstacle or await self.too_dear(context, alert_options.split(text)[1]):
            return Reply(obstacle)
        if urgency:
            options = replace(options, urgency=urgency)
        query = alert_options.split(text)[1]
        # What was told before is not told again, but compared in a week.
        known = forecast or await self.forecast(tree, context, options, feeds)
        called = plain(cut(name or query, NAME_LENGTH))
        change = AddSubscription(query, called, options, tuple(feeds), _weekly(known))
        names = await self.feed_names(context, feeds)
        message = subscribed_message(context.translator, options, tree, forecast, names)
        return Reply(message, (change,))

    async def feed_names(self, context: Context, feeds: Sequence[str]) -> list[str]:
        """Return what the chat calls the feeds of a subscription; tags stay as they are."""
        if not feeds:
            return []
        names = {feed.url: feed.name for feed in await self.store.feeds_of(context.chat.id)}
        return [names.get(feed, feed) for feed in feeds]


def _weekly(forecast: Forecast | None) -> tuple[int, int] | None:
    """Return the alerts a week that are forecast, to be compared with what comes."""
    if forecast is None or forecast.expectation is None:
        return None
    week = forecast.expectation.next_week
    return week.low, week.high


def subscribed_message(
    translator: Translator,
    options: AlertOptions,
    tree: Node,
    forecast: Forecast | None,
    feeds: Sequence[str] = (),
) -> Message:
    """Return that the chat is subscribed, and how many alerts to expect."""
    lead = translator.gettext("Done. You get one alert here per new story matching:")
    composer = Composer().add(f"{lead}\n").add(cut(as_query(tree), CARET), "code")
    lines = []
    if feeds:
        lines.append(translator.gettext("Feeds: {feeds}", feeds=cut(", ".join(feeds), 300)))
    lines += _option_lines(translator, options)
    if forecast and not forecast.nothing_stored:
        if forecast.expectation is None:
            lines.append(counts_text(forecast, translator))
        lines += expectation_lines(forecast, translator)
    for line in lines:
        composer.add(f"\n{line}")
    add_warnings(composer, tree, translator)
    return composer.message()


def add_warnings(composer: Composer, tree: Node, translator: Translator) -> None:
    """Add what may be a mistake in an accepted query, each warning in a paragraph."""
    for warning in query_warnings(tree):
        composer.add(f"\n\n⚠ {warning.translated(translator.gettext)}")


def _option_lines(translator: Translator, options: AlertOptions) -> list[str]:
    lines = []
    if options.publishers > 1:
        line = translator.gettext(
            "once {number} independent publishers report it", number=options.publishers
        )
        if options.or_after:
            line += ", " + translator.gettext(
                "or {span} after the first", span=translator.duration(options.or_after)
            )
        lines.append(line)
    if options.alert_again_at:
        lines.append(
            translator.gettext(
                "and again once {number} publishers report it", number=options.alert_again_at
            )
        )
    lines += _told_lines(translator, options)
    if options.urgency is Urgency.DIGEST:
        lines.append(translator.gettext("bundled in the digest; times: /settings"))
    return lines


def _told_lines(translator: Translator, options: AlertOptions) -> list[str]:
    """How what comes after the alert is told, where the subscription chooses."""
    lines = []
    match options.developments:
        case Developments.NOTE:
            lines.append(translator.gettext("developments come as silent replies"))
        case Developments.ALERT:
            lines.append(translator.gettext("developments come as new alerts"))
        case Developments.EDIT:
            lines.append(translator.gettext("developments only change the alert"))
    match options.updates:
        case Updates.NOTE:
            lines.append(translator.gettext("corrections and updates come as silent replies"))
        case Updates.ALERT:
            lines.append(translator.gettext("corrections and updates come as replies with a sound"))
        case Updates.EDIT:
            lines.append(translator.gettext("corrections and updates only change the alert"))
    return lines


def add_newest(composer: Composer, forecast: Forecast, limit: int) -> None:
    """Add the newest stories of a backtest with what matched, each on a line."""
    for hit in forecast.hits[:limit]:
        article = hit.entry.article
        composer.add("\n• ").add_marked(
            cut(article.title, 200),
            [span for span in hit.spans if span.field == "title"],
            "underline",
        )
        composer.add(f" – {article.source or article.feed_name}")
