"""Subscribing, trying a query, and the list of a chat's subscriptions.

One subscription's controls are `subscription`'s.
"""

from collections.abc import Sequence
from dataclasses import replace

from bot.alerts import options as alert_options
from bot.chat.access import Permission
from bot.chat.callbacks import Callback, button
from bot.chat.context import (
    PAGE,
    Context,
    StaticScreen,
    in_rows,
    page_buttons,
    query_mistake,
    show,
    text_reply,
)
from bot.chat.handlers.subscriber import Subscriber, add_newest, add_warnings
from bot.chat.handlers.subscription import (
    SubscriptionAction,
    SubscriptionControls,
    find_subscription,
    short_text,
)
from bot.chat.replies import archive_unavailable
from bot.delivery.composer import Composer
from bot.errors import QueryError
from bot.model.chat_events import (
    AskConfirmation,
    ExpectedInput,
    RemoveSubscription,
    Reply,
    Screen,
)
from bot.model.chats import Subscription, Urgency
from bot.model.message import Message
from bot.ports import Members
from bot.query.tree import Node
from bot.search.backtest import PERIOD, Forecast
from bot.search.forecast_text import a_day_text, counts_text, forecast_text, result_text
from bot.text.clean import cut, plain

_REMOVABLE = 12  # subscriptions that are offered for removal at once; of more, the list is shown
_READING = frozenset(
    {
        SubscriptionAction.PAGE,
        SubscriptionAction.OPEN,
        SubscriptionAction.LIST,
        SubscriptionAction.BACK,
        SubscriptionAction.SHARE,
    }
)


_SLOW = frozenset(
    {
        SubscriptionAction.SUBSCRIBE,
        SubscriptionAction.DIGEST,
        SubscriptionAction.UNDO,
    }
)


class Subscriptions(StaticScreen):
    """The commands /subscribe, /confirm, /test, /subscriptions, /unsubscribe, and their screens."""

    actions = SubscriptionAction

    def __init__(self, subscriber: Subscriber, members: Members) -> None:
        self._subscriber, self._store = subscriber, subscriber.store
        self._controls = SubscriptionControls(subscriber, members)

    def permission(self, screen: Screen, callback: Callback | None) -> Permission:
        """Return that lists are for everybody, and changes for administrators."""
        reads = callback is not None and callback.action in _READING
        is_list = screen.name in {"subscriptions", "subscription"}
        return Permission.READ if is_list and reads else Permission.CHANGE

    def is_slow(self, _screen: Screen, callback: Callback | None) -> bool:
        """Return that queries are tried, and their price is looked at."""
        return callback is None or callback.action in _SLOW

    async def subscribe(self, context: Context, query: str) -> Reply:
        """/subscribe: subscribe to a query; ask first where it would alert a lot."""
        translator = context.translator
        try:
            options, tree = await self._subscriber.read(query)
            obstacle = await self._subscriber.obstacle(query, context)
        except QueryError as error:
            return Reply(query_mistake(error, translator))
        if obstacle:
            return Reply(obstacle)
        forecast = await self._subscriber.forecast(tree, context, options)
        if forecast and forecast.is_noisy:
            return _confirmation(context, query, tree, forecast)
        return await self._subscriber.subscribe(context, query, forecast)

    async def confirm(self, context: Context, _argument: str) -> Reply:
        """/confirm: subscribe to what was asked about."""
        query = await self._store.pending_query(context.chat.id, context.now)
        if not query:
            return text_reply(
                context.translator.gettext("Nothing to confirm. Start with /subscribe QUERY")
            )
        return await self._subscriber.subscribe(context, query)

    async def test(self, context: Context, query: str) -> Reply:
        """/test: show what a query would have alerted of."""
        translator = context.translator
        try:
            options, tree = await self._subscriber.read(query)
        except QueryError as error:
            return Reply(query_mistake(error, translator))
        forecast = await self._subscriber.forecast(tree, context, options)
        if forecast is None:
            return text_reply(archive_unavailable(translator))
        composer = Composer().add(forecast_text(forecast, translator))
        add_newest(composer, forecast, 10)
        add_warnings(composer, tree, translator)
        return Reply(composer.message())

    async def list(self, context: Context, _argument: str) -> Reply:
        """/subscriptions: list them, a page at a time."""
        return await self._list(context, Screen("subscriptions"), 0)

    async def _removable(self, context: Context) -> Reply:
        """Ask which subscription to remove."""
        translator = context.translator
        own = [
            subscription
            for subscription, declared in await self._store.subscriptions_of(context.chat.id)
            if not declared
        ]
        if not own or len(own) > _REMOVABLE:
            return await self._list(context, Screen("subscriptions"), 0)
        rows = [
            [button(_removal_label(subscription), SubscriptionAction.DELETE, subscription.id)]
            for subscription in own
        ]
        text = translator.gettext("Which subscription do you want to remove?")
        return show(Message(text), Screen("subscriptions"), *rows)

    async def _list(
        self, context: Context, screen: Screen, page: int, *, edit: bool = False
    ) -> Reply:
        translator = context.translator
        subscriptions = await self._store.subscriptions_of(context.chat.id)
        page = min(page, max(0, (len(subscriptions) - 1) // PAGE))
        screen = replace(
            screen, name="subscriptions", values={"page": page}, expects=ExpectedInput.NOTHING
        )
        if not subscriptions:
            none = translator.gettext("No subscriptions here yet. Add one: /subscribe QUERY")
            return show(Message(none), screen, edit=edit)
        composer = Composer().add(translator.gettext("Subscriptions in this chat:") + "\n")
        visible = subscriptions[page * PAGE : (page + 1) * PAGE]
        results = await self._store.forecast_results(context.chat.id, context.now - PERIOD)
        for subscription, declared in visible:
            feeds = await self._subscriber.feed_names(context, subscription.feeds)
            _add_line(composer, context, subscription, feeds, declared=declared)
            result = results.get(subscription.id)
            if result and not result.is_right:
                composer.add(f"\n{result_text(result, translator)}")
        composer.add("\n\n" + translator.gettext("Remove one: /unsubscribe NUMBER"))
        numbers = in_rows(
            (
                button(f"{subscription.number}", SubscriptionAction.OPEN, subscription.id)
                for subscription, _ in visible
            ),
            4,
        )
        pages = page_buttons(context, SubscriptionAction.PAGE, page, len(subscriptions))
        return show(composer.message(), screen, *numbers, pages, edit=edit)

    async def unsubscribe(self, context: Context, number: str) -> Reply:
        """/unsubscribe: remove a subscription by its number; without one, choose."""
        if not number:
            return await self._removable(context)
        wanted = int(number) if number.isdecimal() and len(number) < 12 else 0
        subscription, declared = await find_subscription(self._store, context, number=wanted)
        if subscription is None:
            return text_reply(
                context.translator.gettext(
                    "Send the command with the number of a subscription. To see the numbers: "
                    "/subscriptions"
                )
            )
        if declared:
            return text_reply(
                context.translator.gettext(
                    "“{name}” is set in feeds.yaml; remove it there.", name=subscription.name
                )
            )
        return self._controls.removed(context, subscription, Screen("deleted"))

    async def press(self, context: Context, screen: Screen, callback: Callback) -> Reply:
        """Handle a button of the list, of one subscription, or of a question. Raises StoreError."""
        match screen.name, callback.action:
            case "subscriptions", SubscriptionAction.PAGE:
                return await self._list(context, screen, callback.number, edit=True)
            case (
                "confirm",
                SubscriptionAction.SUBSCRIBE
                | SubscriptionAction.DIGEST
                | SubscriptionAction.CANCEL,
            ):
                return await self._confirmed(context, screen, callback)
            case "deleted", SubscriptionAction.UNDO:
                return await self._restore(context, screen)
            case _, SubscriptionAction.LIST:
                page = int(screen.values.get("page", 0))
                return await self._list(context, screen, page, edit=True)
        in_list = callback.action in {SubscriptionAction.OPEN, SubscriptionAction.DELETE}
        number = callback.number if in_list else 0
        number = number or int(screen.values.get("id", 0))
        subscription, declared = await find_subscription(self._store, context, number)
        if subscription is None:
            gone = context.translator.gettext("That subscription no longer exists.")
            return replace(await self._list(context, screen, 0, edit=True), toast=gone)
        return await self._controls.press(
            context, screen, callback, subscription, declared=declared
        )

    async def read_input(self, context: Context, screen: Screen, text: str) -> Reply:
        """Read the new query of a subscription. Raises StoreError."""
        return await self._controls.read_query(context, screen, text)

    async def _restore(self, context: Context, screen: Screen) -> Reply:
        translator = context.translator
        subscription = await self._store.removed_subscription(
            context.chat.id, int(screen.values["id"])
        )
        if subscription is None:
            return Reply(toast=translator.gettext("This subscription is already active."))
        query, options, feeds = subscription.query, subscription.options, subscription.feeds
        if mistake := await self._subscriber.mistake(context, query):
            return Reply(mistake)
        obstacle = await self._subscriber.obstacle_to(context, query, options, feeds)
        obstacle = obstacle or await self._subscriber.too_dear(context, query)
        if obstacle:
            return Reply(obstacle)
        lead = translator.gettext("Restored:")
        composer = Composer().add(f"{lead} ").add(short_text(subscription), "code")
        to_list = button(translator.gettext("All subscriptions"), SubscriptionAction.LIST)
        screen = replace(screen, name="subscriptions", values={"page": 0})
        reply = show(composer.message(), screen, [to_list], edit=True)
        return replace(reply, changes=(RemoveSubscription(subscription.id, undo=True),))

    async def _confirmed(self, context: Context, screen: Screen, callback: Callback) -> Reply:
        done = replace(screen, values={**screen.values}, expects=ExpectedInput.NOTHING)
        if callback.action is SubscriptionAction.CANCEL:
            return show(Message(context.translator.gettext("Nothing changed.")), done, edit=True)
        feeds = tuple(str(selector) for selector in screen.values.get("feeds", ()))
        urgency = Urgency.DIGEST if callback.action is SubscriptionAction.DIGEST else None
        reply = await self._subscriber.subscribe(
            context, str(screen.values["query"]), feeds=feeds, urgency=urgency
        )
        return replace(reply, screen=done, edit=True)


def _removal_label(subscription: Subscription) -> str:
    return f"✕ {subscription.number}. {cut(plain(subscription.name), 34)}"


def _add_line(
    composer: Composer,
    context: Context,
    subscription: Subscription,
    feeds: Sequence[str],
    *,
    declared: bool,
) -> None:
    paused = "⏸ " if subscription.paused else ""
    options = alert_options.words(subscription.options)
    composer.add(f"\n{subscription.number}. {paused}")
    composer.add(f"{options} {cut(subscription.query, 200)}".strip(), "code")
    if declared:
        name = context.translator.gettext("{name}, from feeds.yaml", name=subscription.name)
        composer.add(f" ({name})")
    elif feeds:
        composer.add(f" ({cut(', '.join(feeds), 100)})")


def _confirmation(context: Context, query: str, tree: Node, forecast: Forecast) -> Reply:
    """Ask whether a query that would alert a lot is meant."""
    translator = context.translator
    if forecast.expectation:
        lead = translator.gettext(
            "That is a lot of alerts: {range} a day. Latest:",
            range=a_day_text(forecast.expectation, translator),
        )
    else:
        so_far = counts_text(forecast, translator)
        lead = translator.gettext("That is a lot: {counts} Latest:", counts=so_far)
    composer = Composer().add(f"{lead}\n")
    add_newest(composer, forecast, 3)
    hint = translator.gettext("Narrow the query, or subscribe anyway: /confirm")
    composer.add(f"\n\n{hint}")
    add_warnings(composer, tree, translator)
    row = [
        button(translator.gettext("Subscribe anyway"), SubscriptionAction.SUBSCRIBE),
        button(translator.gettext("Add to digest"), SubscriptionAction.DIGEST),
        button(translator.gettext("No"), SubscriptionAction.CANCEL),
    ]
    reply = show(composer.message(), Screen("confirm", {"query": query}), row)
    return replace(reply, changes=(AskConfirmation(query),))
