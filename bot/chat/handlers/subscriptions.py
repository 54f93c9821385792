"""What rings in a chat: subscribing with a look at the past, and the list with its controls. The forecast itself is `lookback`'s."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.alerts import options
from bot.chat.access import Permission
from bot.chat.context import (
    CARET,
    PAGE,
    Context,
    StaticScreen,
    in_rows,
    mistake,
    number_in,
    pages,
    say,
    show,
)
from bot.delivery.render import Composer
from bot.errors import QueryError, StoreError
from bot.i18n.catalog import Translator
from bot.model.chat_events import (
    AddSubscription,
    AskConfirmation,
    Change,
    EditSubscription,
    RemoveSubscription,
    Reply,
    Screen,
    StoreToken,
)
from bot.model.chats import AlertOptions, Subscription, Urgency
from bot.model.message import Button, Message
from bot.ports import ChatStore, Members
from bot.query.parser import Names, parse
from bot.query.tree import Node
from bot.query.tree import show as as_query
from bot.search.backtest import MANY_ALERTS_A_DAY, Forecast
from bot.text.clean import cut, plain
from bot.text.duration import format_duration, parse_duration

JUDGED = timedelta(days=30)  #: for how long reactions are counted
_WAITS = ("15m", "30m", "1h", "3h")
_READS = ("page", "open", "list", "back", "share")
_NAME = 60

ForecastQuery = Callable[[Node, Sequence[str]], Awaitable[Forecast]]


class Subscribing:
    """Reads what somebody wants to be rung for, and says what it would have rung."""

    def __init__(
        self,
        store: ChatStore,
        names: Callable[[], Names],
        forecast: ForecastQuery,
        most: Callable[[], int],
    ) -> None:
        self.store, self._names, self._forecast, self._most = store, names, forecast, most

    def read(self, text: str) -> tuple[AlertOptions, Node]:
        """How a subscription is to ring, and its query. Raises QueryError."""
        how, query = options.split(text)
        if wrong := options.misplaced(query):
            raise wrong
        return how, parse(query, self._names())

    async def forecast_for(self, tree: Node, feeds: Sequence[str] = ()) -> Forecast | None:
        """What the query would have rung; None where the past cannot be read now, which need not keep anyone from subscribing."""
        try:
            return await self._forecast(tree, feeds)
        except StoreError:
            return None

    async def denial_reason(
        self, text: str, context: Context, feeds: Sequence[str] = ()
    ) -> Message | None:
        """Why the chat cannot have this one more. Raises QueryError."""
        have = await self.store.subscriptions_of(context.chat.id)
        how, asked = options.split(text)
        if any(
            one.query == asked and one.options == how and one.feeds == tuple(feeds)
            for one, _ in have
        ):
            return Message(
                context.translator.gettext(
                    "This chat already has this subscription. All subscriptions: /subscriptions"
                )
            )
        most = self._most()
        if sum(not declared for _, declared in have) >= most:
            text = context.translator.gettext(
                "A chat can have at most {most} subscriptions. Remove one first: /unsubscribe",
                most=most,
            )
            return Message(text)
        return None

    async def subscribed(
        self,
        context: Context,
        text: str,
        forecast: Forecast | None = None,
        feeds: Sequence[str] = (),
        urgency: Urgency | None = None,
    ) -> Reply:
        """Subscribe the chat, or say why not."""
        try:
            denial_reason = await self.denial_reason(text, context, feeds)
            how, tree = self.read(text)
        except QueryError as error:
            return Reply(mistake(error, context.translator))
        if denial_reason:
            return Reply(denial_reason)
        if urgency:
            how = replace(how, urgency=urgency)
        query = options.split(text)[1]
        change = AddSubscription(query, plain(cut(query, _NAME)), how, tuple(feeds))
        return Reply(subscribed_text(context.translator, how, tree, forecast, feeds), (change,))


class Subscriptions(StaticScreen):
    """The commands /subscribe, /confirm, /test, /subscriptions and /unsubscribe, and their screens."""

    def __init__(self, subscribing: Subscribing, members: Members) -> None:
        self._subscribing, self._members = subscribing, members
        self._store = subscribing.store

    def permission(self, screen: Screen, word: str) -> Permission:
        """Looking is reading, all else is changing."""
        return (
            Permission.READ
            if screen.name in {"subscriptions", "subscription"} and word.partition(" ")[0] in _READS
            else Permission.CHANGE
        )

    async def subscribe(self, context: Context, _name: str, query: str) -> Reply:
        """Take a query in; one that would ring a lot is asked about first."""
        translator = context.translator
        if not query:
            return say(
                translator.gettext(
                    "Send the command with the words to look for, for example: {example}",
                    example='/subscribe "air defence" AND Syria',
                )
            )
        try:
            _, tree = self._subscribing.read(query)
            denial_reason = await self._subscribing.denial_reason(query, context)
        except QueryError as error:
            return Reply(mistake(error, translator))
        if denial_reason:
            return Reply(denial_reason)
        forecast = await self._subscribing.forecast_for(tree)
        if forecast and forecast.alerts_per_day > MANY_ALERTS_A_DAY:
            return self._asked(context, query, forecast)
        return await self._subscribing.subscribed(context, query, forecast)

    def _asked(self, context: Context, query: str, forecast: Forecast) -> Reply:
        translator = context.translator
        lead = translator.gettext(
            "That would be about {number} alerts a day. Latest:",
            number=f"{forecast.alerts_per_day:.0f}",
        )
        composer = Composer().add(f"{lead}\n")
        add_newest(composer, forecast, 3)
        composer.add("\n\n" + translator.gettext("Narrow the query, or subscribe anyway: /confirm"))
        screen = Screen("confirm", {"query": query})
        row = [
            Button(translator.gettext("Subscribe anyway"), "yes"),
            Button(translator.gettext("Add to digest"), "digest"),
            Button(translator.gettext("No"), "no"),
        ]
        return replace(show(composer.message(), screen, row), changes=(AskConfirmation(query),))

    async def confirm(self, context: Context, _name: str, _rest: str) -> Reply:
        """Subscribe to what was asked about."""
        query = await self._store.pending_query(context.chat.id, context.now)
        if not query:
            return say(
                context.translator.gettext("Nothing to confirm. Start with /subscribe QUERY")
            )
        return await self._subscribing.subscribed(context, query)

    async def test(self, context: Context, _name: str, query: str) -> Reply:
        """What a query would have rung."""
        translator = context.translator
        if not query:
            return say(
                translator.gettext(
                    "Send the command with a query, for example: {example}",
                    example='/test "air defence" AND Syria',
                )
            )
        try:
            _, tree = self._subscribing.read(query)
        except QueryError as error:
            return Reply(mistake(error, translator))
        forecast = await self._subscribing.forecast_for(tree)
        if forecast is None:
            return say(
                translator.gettext(
                    "Cannot read the stored articles right now. Try again in a minute."
                )
            )
        composer = Composer().add(forecast_text(forecast, translator))
        add_newest(composer, forecast, 10)
        return Reply(composer.message())

    async def listed(self, context: Context, _name: str, _rest: str) -> Reply:
        """The list, a page at a time."""
        return await self._list(context, Screen("subscriptions"), 0)

    async def _list(
        self, context: Context, screen: Screen, page: int, *, edit: bool = False
    ) -> Reply:
        translator, have = context.translator, await self._store.subscriptions_of(context.chat.id)
        page = min(page, max(0, (len(have) - 1) // PAGE))
        screen = replace(screen, name="subscriptions", values={"page": page}, expects="")
        if not have:
            return show(
                Message(translator.gettext("No subscriptions here yet. Add one: /subscribe QUERY")),
                screen,
                edit=edit,
            )
        composer = Composer().add(translator.gettext("Subscriptions in this chat:") + "\n")
        shown = have[page * PAGE : (page + 1) * PAGE]
        for one, declared in shown:
            composer.add(f"\n{one.id}. {'⏸ ' if one.paused else ''}").add(
                f"{options.words(one.options)} {cut(one.query, 200)}".strip(), "code"
            )
            if declared:
                composer.add(
                    " (" + translator.gettext("{name}, from feeds.yaml", name=one.name) + ")"
                )
        composer.add("\n\n" + translator.gettext("Remove one: /unsubscribe NUMBER"))
        numbers = in_rows((Button(f"{one.id}", f"open {one.id}") for one, _ in shown), 4)
        return show(
            composer.message(), screen, *numbers, pages(context, page, len(have)), edit=edit
        )

    async def unsubscribe(self, context: Context, _name: str, rest: str) -> Reply:
        """Stop one by its number."""
        one, declared = await self._one(
            context, int(rest) if rest.isdecimal() and len(rest) < 12 else 0
        )
        if one is None:
            return say(
                context.translator.gettext(
                    "Send the command with the number of a subscription. To see the "
                    "numbers: /subscriptions"
                )
            )
        if declared:
            return say(
                context.translator.gettext(
                    "“{name}” is set in feeds.yaml; remove it there.", name=one.name
                )
            )
        return self._deleted(context, one, Screen("deleted"))

    def _deleted(
        self, context: Context, one: Subscription, screen: Screen, *, edit: bool = False
    ) -> Reply:
        composer = (
            Composer()
            .add(context.translator.gettext("Removed:") + " ")
            .add(cut(one.query, 300), "code")
        )
        screen = replace(screen, name="deleted", values={"id": one.id}, expects="")
        reply = show(
            composer.message(),
            screen,
            [Button(context.translator.gettext("Undo"), "undo")],
            edit=edit,
        )
        return replace(reply, changes=(RemoveSubscription(one.id),))

    async def _one(self, context: Context, number: int) -> tuple[Subscription | None, bool]:
        have = {
            one.id: (one, declared)
            for one, declared in await self._store.subscriptions_of(context.chat.id)
        }
        return have.get(number, (None, False))

    async def pressed(self, context: Context, screen: Screen, word: str) -> Reply:
        """A button of the list, of one subscription, or of a question. Raises StoreError."""
        match screen.name, word.partition(" ")[0]:
            case "subscriptions", "page":
                return await self._list(context, screen, number_in(word), edit=True)
            case "confirm", "yes" | "digest" | "no":
                return await self._decided(context, screen, word)
            case "deleted", "undo":
                one = await self._store.removed_subscription(
                    context.chat.id, int(screen.values["id"])
                )
                if one is None:
                    return Reply(
                        toast=context.translator.gettext("This subscription is already active.")
                    )
                composer = (
                    Composer()
                    .add(context.translator.gettext("Restored:") + " ")
                    .add(cut(one.query, 300), "code")
                )
                return replace(
                    show(
                        composer.message(),
                        replace(screen, name="subscriptions", values={"page": 0}),
                        [_to_list(context)],
                        edit=True,
                    ),
                    changes=(RemoveSubscription(one.id, undo=True),),
                )
            case _, "list":
                return await self._list(
                    context, screen, int(screen.values.get("page", 0)), edit=True
                )
        number = number_in(word) if word.startswith("open") else int(screen.values.get("id", 0))
        one, declared = await self._one(context, number)
        if one is None:
            return replace(
                await self._list(context, screen, 0, edit=True),
                toast=context.translator.gettext("That subscription no longer exists."),
            )
        at = replace(
            screen,
            name="subscription",
            values={"page": screen.values.get("page", 0), "id": one.id},
            expects="",
        )
        if word.startswith(("open", "back")):
            return await self._show_one(context, at, one, declared=declared)
        if word == "share":
            return await self._shared(context, one)
        if declared:
            return Reply(
                toast=context.translator.gettext(
                    "“{name}” is set in feeds.yaml; edit it there.", name=one.name
                )
            )
        return await self._change(context, at, one, word, screen)

    async def _decided(self, context: Context, screen: Screen, word: str) -> Reply:
        query = str(screen.values["query"])
        feeds = tuple(str(one) for one in screen.values.get("feeds", ()))
        done = replace(screen, values={**screen.values}, expects="")
        if word == "no":
            return show(Message(context.translator.gettext("Nothing changed.")), done, edit=True)
        reply = await self._subscribing.subscribed(
            context, query, feeds=feeds, urgency=Urgency.DIGEST if word == "digest" else None
        )
        return replace(reply, screen=done, edit=True)

    async def _change(
        self, context: Context, screen: Screen, one: Subscription, word: str, before: Screen
    ) -> Reply:
        """A control of one subscription of the chat."""
        verb, _, value = word.partition(" ")
        match verb:
            case "pause" | "resume":
                return await self._changed(
                    context,
                    screen,
                    EditSubscription(one.id, paused=verb == "pause"),
                    replace(one, paused=verb == "pause"),
                )
            case "delete":
                return self._deleted(context, one, screen, edit=True)
            case "urgency" | "publishers" | "wait" if not value:
                return self._choices(context, screen, one, verb)
            case "urgency" | "publishers" | "wait":
                how = _with(one.options, verb, value)
                if how is None:
                    return Reply(toast=context.translator.gettext("This button no longer works."))
                return await self._changed(
                    context,
                    screen,
                    EditSubscription(one.id, options=how),
                    replace(one, options=how),
                )
            case "feeds":
                return await self._feeds(context, screen, one, value)
            case "edit":
                text = (
                    Composer()
                    .add(context.translator.gettext("Send the new query. Current:") + "\n")
                    .add(cut(one.query, CARET), "code")
                )
                back = [Button("‹ " + context.translator.gettext("Back"), "back")]
                return show(text.message(), replace(screen, expects="query"), back, edit=True)
            case "save" if before.values.get("query"):
                query = str(before.values["query"])
                change = EditSubscription(one.id, query=query, name=plain(cut(query, _NAME)))
                return await self._changed(
                    context, screen, change, replace(one, query=query, name=change.name or one.name)
                )
            case _:
                return Reply(toast=context.translator.gettext("This button no longer works."))

    async def _changed(
        self, context: Context, screen: Screen, change: Change, after: Subscription
    ) -> Reply:
        reply = await self._show_one(context, screen, after, declared=False)
        return replace(reply, changes=(change,), toast=context.translator.gettext("Changed."))

    async def answered(self, context: Context, screen: Screen, text: str) -> Reply:
        """The new query of a subscription. Raises StoreError."""
        one, declared = await self._one(context, int(screen.values.get("id", 0)))
        if one is None or declared:
            return say(context.translator.gettext("That subscription no longer exists."))
        try:
            if options.split(text)[1] != text.strip():
                return say(
                    context.translator.gettext(
                        "Send only the query; use the buttons for everything else."
                    )
                )
            _, tree = self._subscribing.read(text)
        except QueryError as error:
            return Reply(mistake(error, context.translator))
        forecast = await self._subscribing.forecast_for(tree, one.feeds)
        composer = (
            Composer()
            .add(context.translator.gettext("The new query:") + "\n")
            .add(cut(as_query(tree), CARET), "code")
        )
        if forecast:
            composer.add("\n\n" + forecast_text(forecast, context.translator))
            add_newest(composer, forecast, 5)
        asked = replace(screen, values={**screen.values, "query": text.strip()}, id=0)
        row = [
            Button(context.translator.gettext("Save"), "save"),
            Button(context.translator.gettext("Keep"), "back"),
        ]
        return show(composer.message(), asked, row)

    async def _show_one(
        self, context: Context, screen: Screen, one: Subscription, *, declared: bool
    ) -> Reply:
        translator, how = context.translator, one.options
        composer = (
            Composer()
            .add(f"{one.id}. {cut(one.name, 100)}", "bold")
            .add("\n")
            .add(cut(one.query, CARET), "code")
        )
        if one.paused:
            composer.add("\n⏸ " + translator.gettext("paused"))
        composer.add(
            "\n\n"
            + translator.gettext(
                "Urgency: {urgency}", urgency=urgency_name(how.urgency, translator)
            )
        )
        composer.add(
            "\n" + translator.gettext("Minimum publishers: {number}", number=how.publishers)
        )
        if how.or_after:
            composer.add(
                " "
                + translator.gettext(
                    "(or {span} after the first)", span=format_duration(how.or_after)
                )
            )
        if how.alert_again_at:
            composer.add(
                "\n"
                + translator.gettext(
                    "Alerts again at {number} publishers", number=how.alert_again_at
                )
            )
        composer.add(
            "\n"
            + translator.gettext(
                "Feeds: {feeds}", feeds=cut(", ".join(one.feeds), 300) or translator.gettext("all")
            )
        )
        good, bad = (await self._store.ratings(context.chat.id, context.now - JUDGED)).get(
            one.id, (0, 0)
        )
        if good or bad:
            composer.add(
                "\n"
                + translator.gettext(
                    "Reactions of the last 30 days: 👍 {good} 👎 {bad}", good=good, bad=bad
                )
            )
        back = [
            Button(translator.gettext("Share"), "share"),
            Button("‹ " + translator.gettext("Back"), "list"),
        ]
        if declared:
            composer.add("\n\n" + translator.gettext("Set in feeds.yaml; edit it there."))
        if declared or not context.may_change:
            return show(composer.message(), screen, back, edit=True)
        stop = (
            Button(translator.gettext("Resume"), "resume")
            if one.paused
            else Button(translator.gettext("Pause"), "pause")
        )
        return show(
            composer.message(),
            screen,
            [
                stop,
                Button(translator.gettext("Edit query"), "edit"),
                Button(translator.gettext("Delete"), "delete"),
            ],
            [
                Button(translator.gettext("Feeds"), "feeds"),
                Button(translator.gettext("Publishers"), "publishers"),
                Button(translator.gettext("Urgency"), "urgency"),
            ],
            back,
            edit=True,
        )

    def _choices(self, context: Context, screen: Screen, one: Subscription, what: str) -> Reply:
        translator, back = (
            context.translator,
            [Button("‹ " + context.translator.gettext("Back"), "back")],
        )
        if what == "urgency":
            row = [
                Button(urgency_name(each, translator), f"urgency {each.value}") for each in Urgency
            ]
            text = translator.gettext(
                "Breaking: at once, even in quiet hours. Normal: after quiet "
                "hours. Digest: bundled, at the times in /settings."
            )
            return show(Message(text), screen, row, back, edit=True)
        if what == "publishers":
            text = translator.gettext("Alert me once this many independent publishers report it:")
            row = [Button(str(number), f"publishers {number}") for number in range(1, 6)]
            wait = (
                [Button(translator.gettext("Longest wait"), "wait")]
                if one.options.publishers > 1
                else []
            )
            return show(Message(text), screen, row, wait, back, edit=True)
        text = translator.gettext(
            "Longest wait. After that you are alerted anyway, marked “single publisher”:"
        )
        row = [Button(each, f"wait {each}") for each in _WAITS]
        return show(
            Message(text),
            screen,
            row,
            [Button(translator.gettext("No limit"), "wait never")],
            back,
            edit=True,
        )

    async def _feeds(
        self, context: Context, screen: Screen, one: Subscription, value: str
    ) -> Reply:
        """Tags and feeds to be chosen; each press turns one on or off."""
        choices = await self._selectors(context)
        chosen, page = set(one.feeds), 0
        change: tuple[Change, ...] = ()
        if value.startswith("page"):
            page = number_in(value)
        elif value == "all":
            chosen, change = set(), (EditSubscription(one.id, feeds=()),)
        elif value:
            number = number_in(f" {value}")
            if not 0 < number <= len(choices):
                return Reply(
                    toast=context.translator.gettext("That list has changed. Open it again.")
                )
            page = (number - 1) // PAGE
            chosen ^= {choices[number - 1]}
            change = (EditSubscription(one.id, feeds=tuple(sorted(chosen))),)
        translator, first = context.translator, page * PAGE
        buttons = [
            Button(f"{'✓ ' if each in chosen else ''}{cut(each, 40)}", f"feeds {first + at}")
            for at, each in enumerate(choices[first : first + PAGE], 1)
        ]
        steps = [
            Button(step.text, f"feeds {step.word}") for step in pages(context, page, len(choices))
        ]
        text = translator.gettext(
            "Limit to feeds: pick tags or single feeds. Current: {feeds}",
            feeds=", ".join(sorted(chosen)) or translator.gettext("all"),
        )
        last = [
            Button(translator.gettext("All feeds"), "feeds all"),
            Button("‹ " + translator.gettext("Back"), "back"),
        ]
        return replace(
            show(Message(cut(text, 3000)), screen, *in_rows(buttons, 2), steps, last, edit=True),
            changes=change,
        )

    async def _selectors(self, context: Context) -> list[str]:
        feeds = await self._store.feeds_of(context.chat.id)
        tags = sorted({tag for feed in feeds for tag in feed.tags})
        return list(dict.fromkeys([*tags, *(feed.name for feed in feeds)]))

    async def _shared(self, context: Context, one: Subscription) -> Reply:
        token = f"s-{secrets.token_urlsafe(12)}"
        link = await self._members.link(token)
        values = {
            "query": f"{options.words(one.options)} {one.query}".strip(),
            "feeds": list(one.feeds),
        }
        text = context.translator.gettext("Anyone who opens this link gets the same subscription:")
        return Reply(Message(f"{text}\n{link}"), (StoreToken(token, "share", values),))


def _to_list(context: Context) -> Button:
    return Button(context.translator.gettext("All subscriptions"), "list")


def _with(how: AlertOptions, verb: str, value: str) -> AlertOptions | None:
    match verb:
        case "urgency" if value in set(Urgency):
            return replace(how, urgency=Urgency(value))
        case "publishers" if value.isdecimal() and 0 < int(value) <= options.MOST_PUBLISHERS:
            number = int(value)
            again = how.alert_again_at if how.alert_again_at > number else 0
            return replace(
                how,
                publishers=number,
                or_after=how.or_after if number > 1 else None,
                alert_again_at=again,
            )
        case "wait" if value == "never":
            return replace(how, or_after=None)
        case "wait" if value in _WAITS and how.publishers > 1:
            return replace(how, or_after=parse_duration(value))
        case _:
            return None


def urgency_name(urgency: Urgency, translator: Translator) -> str:
    """As people read it."""
    match urgency:
        case Urgency.BREAKING:
            return translator.gettext("breaking")
        case Urgency.NORMAL:
            return translator.gettext("normal")
        case Urgency.DIGEST:
            return translator.gettext("digest")


def subscribed_text(
    translator: Translator,
    how: AlertOptions,
    tree: Node,
    forecast: Forecast | None,
    feeds: Sequence[str] = (),
) -> Message:
    """That it rings from now on, and how often by the past."""
    lead = translator.gettext("Done. You get one alert here per new story matching:")
    composer = Composer().add(f"{lead}\n").add(cut(as_query(tree), CARET), "code")
    if feeds:
        composer.add("\n" + translator.gettext("Feeds: {feeds}", feeds=cut(", ".join(feeds), 300)))
    if how.publishers > 1:
        wait = (
            ", "
            + translator.gettext("or {span} after the first", span=format_duration(how.or_after))
            if how.or_after
            else ""
        )
        composer.add(
            "\n"
            + translator.gettext(
                "once {number} independent publishers report it", number=how.publishers
            )
            + wait
        )
    if how.alert_again_at:
        composer.add(
            "\n"
            + translator.gettext(
                "and again once {number} publishers report it", number=how.alert_again_at
            )
        )
    if how.urgency is Urgency.DIGEST:
        composer.add("\n" + translator.gettext("bundled in the digest; times: /settings"))
    if forecast and not forecast.nothing_stored:
        number = round(forecast.alerts_per_week)
        rare = translator.gettext("Judging by the last days: less than one alert a week.")
        often = translator.ngettext(
            "Judging by the last days: about {number} alert a week.",
            "Judging by the last days: about {number} alerts a week.",
            number,
        )
        composer.add("\n" + (rare if forecast.alerts_per_week < 1 else often))
    return composer.message()


def forecast_text(forecast: Forecast, translator: Translator) -> str:
    """The figures of a backtest in a few lines, with a bar for each day."""
    if forecast.nothing_stored:
        return translator.gettext("No articles stored yet, so there is no preview.")
    most = max((count for _, count in forecast.by_day), default=0)
    bars = [
        f"{translator.weekday(day)} {'▇' * (-(-12 * count // most)) if most else ''} {count}"
        for day, count in forecast.by_day
    ]
    stories = translator.ngettext("{number} story", "{number} stories", forecast.stories)
    span = (
        translator.ngettext("{number} day", "{number} days", round(forecast.days))
        if forecast.days >= 1.5
        else translator.ngettext("{number} hour", "{number} hours", round(24 * forecast.days))
    )
    lead = (
        translator.gettext("About {stories} in the last {span}.", stories=stories, span=span)
        if forecast.share < 1
        else translator.gettext("{stories} in the last {span}.", stories=stories, span=span)
    )
    expect = translator.gettext(
        "Expect about {day} alerts a day, {week} a week.",
        day=f"{forecast.alerts_per_day:.1f}",
        week=f"{forecast.alerts_per_week:.0f}",
    )
    return "\n".join((lead, expect, "", *bars))


def add_newest(composer: Composer, forecast: Forecast, most: int) -> None:
    """The newest stories of a backtest with what matched, each a line."""
    for hit in forecast.hits[:most]:
        article = hit.entry.article
        composer.add("\n• ").add_marked(
            cut(article.title, 200),
            [span for span in hit.spans if span.field == "title"],
            "underline",
        )
        composer.add(f" – {article.source or article.feed_name}")
