"""One subscription of a chat and its controls.

Pausing, editing, options, feeds, sharing, removing. The list is `subscriptions`'.
"""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum

from bot.alerts import options as alert_options
from bot.chat.callbacks import Callback, button
from bot.chat.context import (
    CARET,
    PAGE,
    Context,
    back_button,
    in_rows,
    page_buttons,
    query_mistake,
    show,
    text_reply,
)
from bot.chat.handlers.article_updates import updates_name, updates_text
from bot.chat.handlers.developments import developments_name, developments_text
from bot.chat.handlers.subscriber import NAME_LENGTH, Subscriber, add_newest, add_warnings
from bot.chat.replies import list_changed, unknown_button
from bot.delivery.composer import Composer
from bot.errors import QueryError
from bot.i18n.catalog import Translator
from bot.model.chat_events import (
    Change,
    EditSubscription,
    ExpectedInput,
    RemoveSubscription,
    Reply,
    Screen,
    StoreToken,
)
from bot.model.chats import AlertOptions, Developments, Subscription, TokenPurpose, Updates, Urgency
from bot.model.message import Button, Message
from bot.ports import ChatStore, Members
from bot.query.tree import show as as_query
from bot.search.backtest import PERIOD
from bot.search.forecast_text import forecast_text, result_text
from bot.text.clean import cut, plain
from bot.text.duration import parse_duration

RATING_SPAN_DAYS = 30  #: for how long reactions to alerts are counted
_WAITS = ("15m", "30m", "1h", "3h")
_NEVER = "never"
_ALL = "all"
_AS_CHAT = "chat"  # developments or updates as the chat chose
_PAGE_PREFIX = "page "


class SubscriptionAction(StrEnum):
    """What the buttons of subscriptions do."""

    LIST = "list"
    PAGE = "page"  #: of the list
    OPEN = "open"  #: value: the subscription's number
    BACK = "back"  #: to the subscription
    SUBSCRIBE = "yes"  #: to a query that would alert a lot
    DIGEST = "digest"  #: the same, in the digest
    CANCEL = "no"
    UNDO = "undo"  #: the removal
    SHARE = "share"
    PAUSE = "pause"
    RESUME = "resume"
    DELETE = "delete"
    URGENCY = "urgency"  #: without a value: show the choices
    PUBLISHERS = "publishers"
    WAIT = "wait"
    DEVELOPMENTS = "developments"
    UPDATES = "updates"
    FEEDS = "feeds"  #: value: a choice's number, `page N` or `all`
    EDIT = "edit"  #: the query
    SAVE = "save"  #: the edited query


async def find_subscription(
    store: ChatStore, context: Context, subscription_id: int = 0, *, number: int = 0
) -> tuple[Subscription | None, bool]:
    """Return a subscription by its id or the chat's number, and whether feeds.yaml declares it."""
    for subscription, declared in await store.subscriptions_of(context.chat.id):
        if subscription.id == subscription_id or (number and subscription.number == number):
            return subscription, declared
    return None, False


def short_text(subscription: Subscription) -> str:
    """Return the query of a subscription, or its name where it is to all of a feed."""
    return cut(subscription.name if subscription.query == "*" else subscription.query, 300)


def fixed_in_file(context: Context, subscription: Subscription) -> Reply:
    """Return that a subscription can only be changed in feeds.yaml."""
    text = context.translator.gettext(
        "“{name}” is set in feeds.yaml; edit it there.", name=subscription.name
    )
    return Reply(toast=text)


class SubscriptionControls:
    """The screen of one subscription."""

    def __init__(self, subscriber: Subscriber, members: Members) -> None:
        self._subscriber, self._store, self._members = subscriber, subscriber.store, members

    async def press(
        self,
        context: Context,
        screen: Screen,
        callback: Callback,
        subscription: Subscription,
        *,
        declared: bool,
    ) -> Reply:
        """Handle a button of the subscription. Raises StoreError."""
        action = SubscriptionAction(callback.action)
        own = replace(
            screen,
            name="subscription",
            values={"page": screen.values.get("page", 0), "id": subscription.id},
            expects=ExpectedInput.NOTHING,
        )
        if action in {SubscriptionAction.OPEN, SubscriptionAction.BACK}:
            return await self._show(context, own, subscription, declared=declared)
        if action is SubscriptionAction.SHARE:
            return await self._share(context, subscription)
        if declared:
            return fixed_in_file(context, subscription)
        if action is SubscriptionAction.SAVE:
            return await self._save(context, own, subscription, screen)
        return await self._change(context, own, callback, subscription)

    async def _change(
        self, context: Context, screen: Screen, callback: Callback, subscription: Subscription
    ) -> Reply:
        number = subscription.id
        match callback.action:
            case SubscriptionAction.PAUSE | SubscriptionAction.RESUME as action:
                paused = action is SubscriptionAction.PAUSE
                mistake = await self._subscriber.mistake(context, subscription.query)
                if mistake and not paused:
                    return Reply(mistake)
                change = EditSubscription(number, paused=paused)
                return await self._changed(
                    context, screen, change, replace(subscription, paused=paused)
                )
            case SubscriptionAction.DELETE:
                return self.removed(context, subscription, screen, edit=True)
            case SubscriptionAction.FEEDS:
                return await self._choose_feeds(context, screen, subscription, callback.value)
            case SubscriptionAction.EDIT:
                return _edit_query(context, screen, subscription)
            case (
                SubscriptionAction.URGENCY
                | SubscriptionAction.PUBLISHERS
                | SubscriptionAction.WAIT
                | SubscriptionAction.DEVELOPMENTS
                | SubscriptionAction.UPDATES
            ) if not callback.value:
                return _option_choices(context, screen, callback, subscription)
            case _:
                options = _with_choice(subscription.options, callback)
                if options is None:
                    return unknown_button(context)
                return await self._changed(
                    context,
                    screen,
                    EditSubscription(number, options=options),
                    replace(subscription, options=options),
                )

    async def _save(
        self, context: Context, screen: Screen, subscription: Subscription, edited: Screen
    ) -> Reply:
        """Store the query that was tried on `edited`."""
        query = str(edited.values.get("query", ""))
        if not query:
            return unknown_button(context)
        number, feeds = subscription.id, subscription.feeds
        obstacle = (
            await self._subscriber.mistake(context, query)
            or await self._subscriber.obstacle_to(
                context, query, subscription.options, feeds, number
            )
            or await self._subscriber.too_dear(context, query, number)
        )
        if obstacle:
            return Reply(obstacle)
        name = plain(cut(query, NAME_LENGTH))
        change = EditSubscription(subscription.id, query=query, name=name)
        changed = replace(subscription, query=query, name=name or subscription.name)
        return await self._changed(context, screen, change, changed)

    async def _changed(
        self, context: Context, screen: Screen, change: Change, changed: Subscription
    ) -> Reply:
        reply = await self._show(context, screen, changed, declared=False)
        return replace(reply, changes=(change,), toast=context.translator.gettext("Changed."))

    def removed(
        self, context: Context, subscription: Subscription, screen: Screen, *, edit: bool = False
    ) -> Reply:
        """Remove a subscription, with a button that restores it."""
        lead = context.translator.gettext("Removed:")
        composer = Composer().add(f"{lead} ").add(short_text(subscription), "code")
        screen = replace(
            screen,
            name="deleted",
            values={"id": subscription.id},
            expects=ExpectedInput.NOTHING,
        )
        undo = button(context.translator.gettext("Undo"), SubscriptionAction.UNDO)
        reply = show(composer.message(), screen, [undo], edit=edit)
        return replace(reply, changes=(RemoveSubscription(subscription.id),))

    async def read_query(self, context: Context, screen: Screen, text: str) -> Reply:
        """Try the new query of a subscription, and ask whether to save it. Raises StoreError."""
        translator = context.translator
        number = int(screen.values.get("id", 0))
        subscription, declared = await find_subscription(self._store, context, number)
        if subscription is None or declared:
            return text_reply(translator.gettext("That subscription no longer exists."))
        try:
            if alert_options.split(text)[1] != text.strip():
                return text_reply(
                    translator.gettext("Send only the query; use the buttons for everything else.")
                )
            _, tree = await self._subscriber.read(text)
        except QueryError as error:
            return Reply(query_mistake(error, translator))
        if obstacle := await self._subscriber.too_dear(context, text.strip(), number):
            return Reply(obstacle)
        forecast = await self._subscriber.forecast(
            tree, context, subscription.options, subscription.feeds
        )
        lead = translator.gettext("The new query:")
        composer = Composer().add(f"{lead}\n").add(cut(as_query(tree), CARET), "code")
        if forecast:
            composer.add("\n\n" + forecast_text(forecast, translator))
            add_newest(composer, forecast, 5)
        add_warnings(composer, tree, translator)
        screen = replace(screen, values={**screen.values, "query": text.strip()}, id=0)
        row = [
            button(translator.gettext("Save"), SubscriptionAction.SAVE),
            button(translator.gettext("Keep"), SubscriptionAction.BACK),
        ]
        return show(composer.message(), screen, row)

    async def _show(
        self, context: Context, screen: Screen, subscription: Subscription, *, declared: bool
    ) -> Reply:
        translator = context.translator
        title = f"{subscription.number}. {cut(subscription.name, 100)}"
        composer = Composer().add(title, "bold")
        if subscription.name != subscription.query:
            composer.add("\n").add(cut(subscription.query, CARET), "code")
        for line in await self._details(context, subscription):
            composer.add(f"\n{line}")
        below = [
            button(translator.gettext("Share"), SubscriptionAction.SHARE),
            back_button(context, SubscriptionAction.LIST),
        ]
        if declared:
            fixed = translator.gettext("Set in feeds.yaml; edit it there.")
            composer.add(f"\n\n{fixed}")
        rows = [] if declared or not context.may_change else _controls(translator, subscription)
        return show(composer.message(), screen, *rows, below, edit=True)

    async def _details(self, context: Context, subscription: Subscription) -> list[str]:
        translator, options = context.translator, subscription.options
        lines = ["⏸ " + translator.gettext("paused")] if subscription.paused else []
        urgency = urgency_name(options.urgency, translator)
        lines += ["", translator.gettext("Urgency: {urgency}", urgency=urgency)]
        needed = translator.gettext("Minimum publishers: {number}", number=options.publishers)
        if options.or_after:
            span = translator.duration(options.or_after)
            needed += " " + translator.gettext("(or {span} after the first)", span=span)
        lines.append(needed)
        if options.alert_again_at:
            lines.append(
                translator.gettext(
                    "Alerts again at {number} publishers", number=options.alert_again_at
                )
            )
        chosen = options.developments or context.chat.settings.developments or Developments.NOTE
        how = developments_name(chosen, translator)
        lines.append(translator.gettext("Developments: {how}", how=how))
        chosen_updates = options.updates or context.chat.settings.updates
        how = updates_name(chosen_updates, context.chat, translator)
        lines.append(translator.gettext("Updates: {how}", how=how))
        names = await self._subscriber.feed_names(context, subscription.feeds)
        feeds = cut(", ".join(names), 300) or translator.gettext("all")
        lines.append(translator.gettext("Feeds: {feeds}", feeds=feeds))
        results = await self._store.forecast_results(context.chat.id, context.now - PERIOD)
        if subscription.id in results:
            lines.append(result_text(results[subscription.id], translator))
        since = context.now - timedelta(days=RATING_SPAN_DAYS)
        ratings = await self._store.ratings(context.chat.id, since)
        good, bad = ratings.get(subscription.id, (0, 0))
        if good or bad:
            lines.append(
                translator.gettext(
                    "Reactions of the last 30 days: 👍 {good} 👎 {bad}", good=good, bad=bad
                )
            )
        return lines

    async def _choose_feeds(
        self, context: Context, screen: Screen, subscription: Subscription, value: str
    ) -> Reply:
        """Show tags and feeds; each press turns one on or off."""
        translator = context.translator
        labels = await self._selectors(context)
        choices = list(labels)
        chosen, page = set(subscription.feeds), 0
        changes: tuple[Change, ...] = ()
        if value.startswith(_PAGE_PREFIX):
            page = Callback(SubscriptionAction.PAGE, value.removeprefix(_PAGE_PREFIX)).number
        elif value == _ALL:
            chosen, changes = set(), (EditSubscription(subscription.id, feeds=()),)
        elif value:
            number = Callback(SubscriptionAction.FEEDS, value).number
            if not 0 < number <= len(choices):
                return list_changed(context)
            page = (number - 1) // PAGE
            chosen ^= {choices[number - 1]}
            changes = (EditSubscription(subscription.id, feeds=tuple(sorted(chosen))),)
        text = translator.gettext(
            "Limit to feeds: pick tags or single feeds. Current: {feeds}",
            feeds=", ".join(sorted(labels.get(choice, choice) for choice in chosen))
            or translator.gettext("all"),
        )
        rows = _feed_buttons(context, labels, chosen, page)
        reply = show(Message(cut(text, 3000)), screen, *rows, edit=True)
        return replace(reply, changes=changes)

    async def _selectors(self, context: Context) -> dict[str, str]:
        """Return what feeds can be chosen by, each with how it is shown.

        A feed that the chat added goes by its address: its name is the chat's own.
        """
        feeds = await self._store.feeds_of(context.chat.id)
        tags = {tag: tag for tag in sorted({tag for feed in feeds for tag in feed.tags})}
        names = {feed.name if feed.declared else feed.url: feed.name for feed in feeds}
        return tags | names

    async def _share(self, context: Context, subscription: Subscription) -> Reply:
        token = f"s-{secrets.token_urlsafe(12)}"
        link = await self._members.link(token)
        options = alert_options.words(subscription.options)
        values = {
            "query": f"{options} {subscription.query}".strip(),
            "feeds": list(subscription.feeds),
        }
        text = context.translator.gettext("Anyone who opens this link gets the same subscription:")
        return Reply(Message(f"{text}\n{link}"), (StoreToken(token, TokenPurpose.SHARE, values),))


def _controls(translator: Translator, subscription: Subscription) -> list[list[Button]]:
    pause = (
        button(translator.gettext("Resume"), SubscriptionAction.RESUME)
        if subscription.paused
        else button(translator.gettext("Pause"), SubscriptionAction.PAUSE)
    )
    return [
        [
            pause,
            button(translator.gettext("Edit query"), SubscriptionAction.EDIT),
            button(translator.gettext("Delete"), SubscriptionAction.DELETE),
        ],
        [
            button(translator.gettext("Feeds"), SubscriptionAction.FEEDS),
            button(translator.gettext("Publishers"), SubscriptionAction.PUBLISHERS),
            button(translator.gettext("Urgency"), SubscriptionAction.URGENCY),
        ],
        [
            button(translator.gettext("Developments"), SubscriptionAction.DEVELOPMENTS),
            button(translator.gettext("Updates"), SubscriptionAction.UPDATES),
        ],
    ]


def _edit_query(context: Context, screen: Screen, subscription: Subscription) -> Reply:
    lead = context.translator.gettext("Send the new query. Current:")
    composer = Composer().add(f"{lead}\n").add(cut(subscription.query, CARET), "code")
    waiting = replace(screen, expects=ExpectedInput.QUERY)
    back = [back_button(context, SubscriptionAction.BACK)]
    return show(composer.message(), waiting, back, edit=True)


def _option_choices(
    context: Context, screen: Screen, callback: Callback, subscription: Subscription
) -> Reply:
    """Show what an option may be."""
    translator = context.translator
    match callback.action:
        case SubscriptionAction.URGENCY:
            text = translator.gettext(
                "Breaking: at once, even in quiet hours. Normal: after quiet hours. Digest: "
                "bundled, at the times in /settings."
            )
            choices = [(urgency_name(urgency, translator), urgency.value) for urgency in Urgency]
            below = []
        case SubscriptionAction.DEVELOPMENTS:
            text = developments_text(translator)
            choices = [
                (developments_name(choice, translator), choice.value) for choice in Developments
            ]
            below = [
                button(
                    translator.gettext("As in /settings"), SubscriptionAction.DEVELOPMENTS, _AS_CHAT
                )
            ]
        case SubscriptionAction.UPDATES:
            text = updates_text(translator)
            choices = [
                (updates_name(choice, context.chat, translator), choice.value) for choice in Updates
            ]
            below = [
                button(translator.gettext("As in /settings"), SubscriptionAction.UPDATES, _AS_CHAT)
            ]
        case SubscriptionAction.PUBLISHERS:
            text = translator.gettext("Alert me once this many independent publishers report it:")
            choices = [(str(number), str(number)) for number in range(1, 6)]
            wait = translator.gettext("Longest wait")
            waits = subscription.options.publishers > 1
            below = [button(wait, SubscriptionAction.WAIT)] if waits else []
        case _:
            text = translator.gettext(
                "Longest wait. After that you are alerted anyway, marked “single publisher”:"
            )
            choices = [(translator.duration(parse_duration(wait)), wait) for wait in _WAITS]
            no_limit = translator.gettext("No limit")
            below = [button(no_limit, SubscriptionAction.WAIT, _NEVER)]
    row = [button(label, callback.action, value) for label, value in choices]
    back = [back_button(context, SubscriptionAction.BACK)]
    return show(Message(text), screen, row, below, back, edit=True)


def _with_choice(options: AlertOptions, callback: Callback) -> AlertOptions | None:
    """Return the options as a button changes them; None where it cannot."""
    value = callback.value
    match callback.action:
        case SubscriptionAction.URGENCY if value in set(Urgency):
            return replace(options, urgency=Urgency(value))
        case SubscriptionAction.PUBLISHERS if 0 < callback.number <= alert_options.MAX_PUBLISHERS:
            number = callback.number
            again = options.alert_again_at if options.alert_again_at > number else 0
            wait = options.or_after if number > 1 else None
            return replace(options, publishers=number, or_after=wait, alert_again_at=again)
        case SubscriptionAction.DEVELOPMENTS if value == _AS_CHAT:
            return replace(options, developments=None)
        case SubscriptionAction.DEVELOPMENTS if value in set(Developments):
            return replace(options, developments=Developments(value))
        case SubscriptionAction.UPDATES if value == _AS_CHAT:
            return replace(options, updates=None)
        case SubscriptionAction.UPDATES if value in set(Updates):
            return replace(options, updates=Updates(value))
        case SubscriptionAction.WAIT if value == _NEVER:
            return replace(options, or_after=None)
        case SubscriptionAction.WAIT if value in _WAITS and options.publishers > 1:
            return replace(options, or_after=parse_duration(value))
        case _:
            return None


def _feed_buttons(
    context: Context, labels: Mapping[str, str], chosen: set[str], page: int
) -> list[list[Button]]:
    first = page * PAGE
    buttons = [
        button(
            f"{'✓ ' if choice in chosen else ''}{cut(label, 40)}",
            SubscriptionAction.FEEDS,
            first + number,
        )
        for number, (choice, label) in enumerate(list(labels.items())[first : first + PAGE], 1)
    ]
    pages = [
        replace(step, word=f"{SubscriptionAction.FEEDS} {step.word}")
        for step in page_buttons(context, SubscriptionAction.PAGE, page, len(labels))
    ]
    every = button(context.translator.gettext("All feeds"), SubscriptionAction.FEEDS, _ALL)
    return [*in_rows(buttons, 2), pages, [every, back_button(context, SubscriptionAction.BACK)]]


def urgency_name(urgency: Urgency, translator: Translator) -> str:
    """Return the display name of an urgency."""
    match urgency:
        case Urgency.BREAKING:
            return translator.gettext("breaking")
        case Urgency.NORMAL:
            return translator.gettext("normal")
        case Urgency.DIGEST:
            return translator.gettext("digest")
