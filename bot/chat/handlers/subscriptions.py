"""What rings in a chat: subscribing with a look at the past, and the list with its controls. The forecast itself is `lookback`'s."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.alerts import options
from bot.chat.access import Deed
from bot.chat.context import CARET, PAGE, Still, Turn, in_rows, mistake, number_in, pages, say, show
from bot.delivery.render import Composer
from bot.errors import QueryError, StoreError
from bot.i18n.catalog import Voice
from bot.model.chat_events import (
    AddSubscription,
    AskFirst,
    Change,
    EditSubscription,
    KeepToken,
    RemoveSubscription,
    Said,
    Screen,
)
from bot.model.chats import Ringing, Subscription, Urgency
from bot.model.message import Button, Message
from bot.ports import Members, PeopleStore
from bot.query.parser import Names, parse
from bot.query.tree import Node
from bot.query.tree import show as as_query
from bot.search.backtest import MANY_A_DAY, Forecast
from bot.text.clean import cut, plain
from bot.text.duration import duration, written

JUDGED = timedelta(days=30)  #: for how long reactions are counted
_WAITS = ("15m", "30m", "1h", "3h")
_READS = ("page", "open", "list", "back", "share")
_NAME = 60

Foresee = Callable[[Node, Sequence[str]], Awaitable[Forecast]]


class Subscribing:
    """Reads what somebody wants to be rung for, and says what it would have rung."""

    def __init__(
        self,
        store: PeopleStore,
        names: Callable[[], Names],
        forecast: Foresee,
        most: Callable[[], int],
    ) -> None:
        self.store, self._names, self._forecast, self._most = store, names, forecast, most

    def read(self, text: str) -> tuple[Ringing, Node]:
        """How a subscription is to ring, and its query. Raises QueryError."""
        how, query = options.split(text)
        if wrong := options.misplaced(query):
            raise wrong
        return how, parse(query, self._names())

    async def foreseen(self, tree: Node, feeds: Sequence[str] = ()) -> Forecast | None:
        """What the query would have rung; None where the past cannot be read now, which need not keep anyone from subscribing."""
        try:
            return await self._forecast(tree, feeds)
        except StoreError:
            return None

    async def refusal(self, text: str, turn: Turn, feeds: Sequence[str] = ()) -> Message | None:
        """Why the chat cannot have this one more. Raises QueryError."""
        have = await self.store.subscriptions_of(turn.chat.id)
        how, asked = options.split(text)
        if any(
            one.query == asked and one.ringing == how and one.feeds == tuple(feeds)
            for one, _ in have
        ):
            return Message(
                turn.voice.say("This rings here already. /subscriptions lists everything.")
            )
        most = self._most()
        if sum(not declared for _, declared in have) >= most:
            text = turn.voice.say(
                "A chat can have {most} subscriptions. Remove one with /unsubscribe first.",
                most=most,
            )
            return Message(text)
        return None

    async def subscribed(
        self,
        turn: Turn,
        text: str,
        forecast: Forecast | None = None,
        feeds: Sequence[str] = (),
        urgency: Urgency | None = None,
    ) -> Said:
        """Subscribe the chat, or say why not."""
        try:
            refusal = await self.refusal(text, turn, feeds)
            how, tree = self.read(text)
        except QueryError as error:
            return Said(mistake(error, turn.voice))
        if refusal:
            return Said(refusal)
        if urgency:
            how = replace(how, urgency=urgency)
        query = options.split(text)[1]
        change = AddSubscription(query, plain(cut(query, _NAME)), how, tuple(feeds))
        return Said(subscribed_text(turn.voice, how, tree, forecast, feeds), (change,))


class Subscriptions(Still):
    """The commands /subscribe, /confirm, /test, /subscriptions and /unsubscribe, and their screens."""

    def __init__(self, subscribing: Subscribing, members: Members) -> None:
        self._subscribing, self._members = subscribing, members
        self._store = subscribing.store

    def deed(self, screen: Screen, word: str) -> Deed:
        """Looking is reading, all else is changing."""
        return (
            Deed.READ
            if screen.name in {"subscriptions", "subscription"} and word.partition(" ")[0] in _READS
            else Deed.CHANGE
        )

    async def subscribe(self, turn: Turn, _name: str, query: str) -> Said:
        """Take a query in; one that would ring a lot is asked about first."""
        voice = turn.voice
        if not query:
            return say(
                voice.say(
                    "Write what to look for after the command, for example: {example}",
                    example='/subscribe "air defence" AND Syria',
                )
            )
        try:
            _, tree = self._subscribing.read(query)
            refusal = await self._subscribing.refusal(query, turn)
        except QueryError as error:
            return Said(mistake(error, voice))
        if refusal:
            return Said(refusal)
        forecast = await self._subscribing.foreseen(tree)
        if forecast and forecast.a_day > MANY_A_DAY:
            return self._asked(turn, query, forecast)
        return await self._subscribing.subscribed(turn, query, forecast)

    def _asked(self, turn: Turn, query: str, forecast: Forecast) -> Said:
        voice = turn.voice
        lead = voice.say(
            "That would ring about {number} times a day, here is what came last:",
            number=f"{forecast.a_day:.0f}",
        )
        composer = Composer().add(f"{lead}\n")
        add_newest(composer, forecast, 3)
        composer.add(
            "\n\n"
            + voice.say("/confirm subscribes to it all the same; a narrower query rings less.")
        )
        screen = Screen("confirm", {"query": query})
        row = [
            Button(voice.say("Subscribe all the same"), "yes"),
            Button(voice.say("As a digest"), "digest"),
            Button(voice.say("No"), "no"),
        ]
        return replace(show(composer.message(), screen, row), changes=(AskFirst(query),))

    async def confirm(self, turn: Turn, _name: str, _rest: str) -> Said:
        """Subscribe to what was asked about."""
        query = await self._store.asked(turn.chat.id, turn.now)
        if not query:
            return say(turn.voice.say("Nothing waits to be confirmed. /subscribe QUERY begins."))
        return await self._subscribing.subscribed(turn, query)

    async def test(self, turn: Turn, _name: str, query: str) -> Said:
        """What a query would have rung."""
        voice = turn.voice
        if not query:
            return say(
                voice.say(
                    "Write a query after the command, for example: {example}",
                    example='/test "air defence" AND Syria',
                )
            )
        try:
            _, tree = self._subscribing.read(query)
        except QueryError as error:
            return Said(mistake(error, voice))
        forecast = await self._subscribing.foreseen(tree)
        if forecast is None:
            return say(voice.say("The stored articles cannot be read now; try again in a minute."))
        composer = Composer().add(forecast_text(forecast, voice))
        add_newest(composer, forecast, 10)
        return Said(composer.message())

    async def listed(self, turn: Turn, _name: str, _rest: str) -> Said:
        """The list, a page at a time."""
        return await self._list(turn, Screen("subscriptions"), 0)

    async def _list(self, turn: Turn, screen: Screen, page: int, *, edit: bool = False) -> Said:
        voice, have = turn.voice, await self._store.subscriptions_of(turn.chat.id)
        page = min(page, max(0, (len(have) - 1) // PAGE))
        screen = replace(screen, name="subscriptions", values={"page": page}, expects="")
        if not have:
            return show(
                Message(voice.say("Nothing rings here yet. /subscribe QUERY changes that.")),
                screen,
                edit=edit,
            )
        composer = Composer().add(voice.say("What rings here:") + "\n")
        shown = have[page * PAGE : (page + 1) * PAGE]
        for one, declared in shown:
            composer.add(f"\n{one.id}. {'⏸ ' if one.paused else ''}").add(
                f"{options.words(one.ringing)} {cut(one.query, 200)}".strip(), "code"
            )
            if declared:
                composer.add(" (" + voice.say("{name}, from feeds.yaml", name=one.name) + ")")
        composer.add("\n\n" + voice.say("/unsubscribe NUMBER stops one."))
        numbers = in_rows((Button(f"{one.id}", f"open {one.id}") for one, _ in shown), 4)
        return show(composer.message(), screen, *numbers, pages(turn, page, len(have)), edit=edit)

    async def unsubscribe(self, turn: Turn, _name: str, rest: str) -> Said:
        """Stop one by its number."""
        one, declared = await self._one(
            turn, int(rest) if rest.isdecimal() and len(rest) < 12 else 0
        )
        if one is None:
            return say(
                turn.voice.say(
                    "Write the number of a subscription after the command. /subscriptions lists them."
                )
            )
        if declared:
            return say(
                turn.voice.say("“{name}” stands in feeds.yaml: remove it there.", name=one.name)
            )
        return self._deleted(turn, one, Screen("deleted"))

    def _deleted(
        self, turn: Turn, one: Subscription, screen: Screen, *, edit: bool = False
    ) -> Said:
        composer = Composer().add(turn.voice.say("Stopped:") + " ").add(cut(one.query, 300), "code")
        screen = replace(screen, name="deleted", values={"id": one.id}, expects="")
        said = show(composer.message(), screen, [Button(turn.voice.say("Undo"), "undo")], edit=edit)
        return replace(said, changes=(RemoveSubscription(one.id),))

    async def _one(self, turn: Turn, number: int) -> tuple[Subscription | None, bool]:
        have = {
            one.id: (one, declared)
            for one, declared in await self._store.subscriptions_of(turn.chat.id)
        }
        return have.get(number, (None, False))

    async def pressed(self, turn: Turn, screen: Screen, word: str) -> Said:
        """A button of the list, of one subscription, or of a question. Raises StoreError."""
        match screen.name, word.partition(" ")[0]:
            case "subscriptions", "page":
                return await self._list(turn, screen, number_in(word), edit=True)
            case "confirm", "yes" | "digest" | "no":
                return await self._decided(turn, screen, word)
            case "deleted", "undo":
                one = await self._store.removed(turn.chat.id, int(screen.values["id"]))
                if one is None:
                    return Said(toast=turn.voice.say("It rings here again already."))
                composer = (
                    Composer()
                    .add(turn.voice.say("It rings here again:") + " ")
                    .add(cut(one.query, 300), "code")
                )
                return replace(
                    show(
                        composer.message(),
                        replace(screen, name="subscriptions", values={"page": 0}),
                        [_to_list(turn)],
                        edit=True,
                    ),
                    changes=(RemoveSubscription(one.id, undo=True),),
                )
            case _, "list":
                return await self._list(turn, screen, int(screen.values.get("page", 0)), edit=True)
        number = number_in(word) if word.startswith("open") else int(screen.values.get("id", 0))
        one, declared = await self._one(turn, number)
        if one is None:
            return replace(
                await self._list(turn, screen, 0, edit=True),
                toast=turn.voice.say("That subscription is gone."),
            )
        at = replace(
            screen,
            name="subscription",
            values={"page": screen.values.get("page", 0), "id": one.id},
            expects="",
        )
        if word.startswith(("open", "back")):
            return await self._show_one(turn, at, one, declared=declared)
        if word == "share":
            return await self._shared(turn, one)
        if declared:
            return Said(
                toast=turn.voice.say(
                    "“{name}” stands in feeds.yaml: change it there.", name=one.name
                )
            )
        return await self._change(turn, at, one, word, screen)

    async def _decided(self, turn: Turn, screen: Screen, word: str) -> Said:
        query = str(screen.values["query"])
        feeds = tuple(str(one) for one in screen.values.get("feeds", ()))
        done = replace(screen, values={**screen.values}, expects="")
        if word == "no":
            return show(Message(turn.voice.say("Nothing changed.")), done, edit=True)
        said = await self._subscribing.subscribed(
            turn, query, feeds=feeds, urgency=Urgency.DIGEST if word == "digest" else None
        )
        return replace(said, screen=done, edit=True)

    async def _change(
        self, turn: Turn, screen: Screen, one: Subscription, word: str, before: Screen
    ) -> Said:
        """A control of one subscription of the chat."""
        verb, _, value = word.partition(" ")
        match verb:
            case "pause" | "resume":
                return await self._changed(
                    turn,
                    screen,
                    EditSubscription(one.id, paused=verb == "pause"),
                    replace(one, paused=verb == "pause"),
                )
            case "delete":
                return self._deleted(turn, one, screen, edit=True)
            case "urgency" | "publishers" | "wait" if not value:
                return self._choices(turn, screen, one, verb)
            case "urgency" | "publishers" | "wait":
                how = _with(one.ringing, verb, value)
                if how is None:
                    return Said(toast=turn.voice.say("I do not know this button any more."))
                return await self._changed(
                    turn, screen, EditSubscription(one.id, ringing=how), replace(one, ringing=how)
                )
            case "feeds":
                return await self._feeds(turn, screen, one, value)
            case "edit":
                text = (
                    Composer()
                    .add(turn.voice.say("Write the new query. It is now:") + "\n")
                    .add(cut(one.query, CARET), "code")
                )
                back = [Button("‹ " + turn.voice.say("Back"), "back")]
                return show(text.message(), replace(screen, expects="query"), back, edit=True)
            case "save" if before.values.get("query"):
                query = str(before.values["query"])
                change = EditSubscription(one.id, query=query, name=plain(cut(query, _NAME)))
                return await self._changed(
                    turn, screen, change, replace(one, query=query, name=change.name or one.name)
                )
            case _:
                return Said(toast=turn.voice.say("I do not know this button any more."))

    async def _changed(
        self, turn: Turn, screen: Screen, change: Change, after: Subscription
    ) -> Said:
        said = await self._show_one(turn, screen, after, declared=False)
        return replace(said, changes=(change,), toast=turn.voice.say("Changed."))

    async def told(self, turn: Turn, screen: Screen, text: str) -> Said:
        """The new query of a subscription. Raises StoreError."""
        one, declared = await self._one(turn, int(screen.values.get("id", 0)))
        if one is None or declared:
            return say(turn.voice.say("That subscription is gone."))
        try:
            if options.split(text)[1] != text.strip():
                return say(
                    turn.voice.say("Write the query alone; the buttons change how it rings.")
                )
            _, tree = self._subscribing.read(text)
        except QueryError as error:
            return Said(mistake(error, turn.voice))
        forecast = await self._subscribing.foreseen(tree, one.feeds)
        composer = (
            Composer()
            .add(turn.voice.say("The new query:") + "\n")
            .add(cut(as_query(tree), CARET), "code")
        )
        if forecast:
            composer.add("\n\n" + forecast_text(forecast, turn.voice))
            add_newest(composer, forecast, 5)
        asked = replace(screen, values={**screen.values, "query": text.strip()}, id=0)
        row = [
            Button(turn.voice.say("Save"), "save"),
            Button(turn.voice.say("Leave as it is"), "back"),
        ]
        return show(composer.message(), asked, row)

    async def _show_one(
        self, turn: Turn, screen: Screen, one: Subscription, *, declared: bool
    ) -> Said:
        voice, how = turn.voice, one.ringing
        composer = (
            Composer()
            .add(f"{one.id}. {cut(one.name, 100)}", "bold")
            .add("\n")
            .add(cut(one.query, CARET), "code")
        )
        if one.paused:
            composer.add("\n⏸ " + voice.say("paused"))
        composer.add(
            "\n\n" + voice.say("Urgency: {urgency}", urgency=urgency_name(how.urgency, voice))
        )
        composer.add("\n" + voice.say("Publishers needed: {number}", number=how.publishers))
        if how.or_after:
            composer.add(" " + voice.say("(or {span} after the first)", span=written(how.or_after)))
        if how.ring_again_at:
            composer.add(
                "\n" + voice.say("Rings again at {number} publishers", number=how.ring_again_at)
            )
        composer.add(
            "\n"
            + voice.say("Feeds: {feeds}", feeds=cut(", ".join(one.feeds), 300) or voice.say("all"))
        )
        good, bad = (await self._store.verdicts(turn.chat.id, turn.now - JUDGED)).get(
            one.id, (0, 0)
        )
        if good or bad:
            composer.add(
                "\n"
                + voice.say("Reactions of the last 30 days: 👍 {good} 👎 {bad}", good=good, bad=bad)
            )
        back = [Button(voice.say("Share"), "share"), Button("‹ " + voice.say("Back"), "list")]
        if declared:
            composer.add("\n\n" + voice.say("It stands in feeds.yaml: change it there."))
        if declared or not turn.may_change:
            return show(composer.message(), screen, back, edit=True)
        stop = (
            Button(voice.say("Resume"), "resume")
            if one.paused
            else Button(voice.say("Pause"), "pause")
        )
        return show(
            composer.message(),
            screen,
            [stop, Button(voice.say("Edit query"), "edit"), Button(voice.say("Delete"), "delete")],
            [
                Button(voice.say("Feeds"), "feeds"),
                Button(voice.say("Publishers"), "publishers"),
                Button(voice.say("Urgency"), "urgency"),
            ],
            back,
            edit=True,
        )

    def _choices(self, turn: Turn, screen: Screen, one: Subscription, what: str) -> Said:
        voice, back = turn.voice, [Button("‹ " + turn.voice.say("Back"), "back")]
        if what == "urgency":
            row = [Button(urgency_name(each, voice), f"urgency {each.value}") for each in Urgency]
            text = voice.say(
                "How soon it rings: breaking comes at once, also in quiet hours; normal waits for their end; "
                "digest comes together with others at the times of /settings."
            )
            return show(Message(text), screen, row, back, edit=True)
        if what == "publishers":
            text = voice.say("Ring when so many independent publishers carry a story:")
            row = [Button(str(number), f"publishers {number}") for number in range(1, 6)]
            wait = (
                [Button(voice.say("How long to wait for them"), "wait")]
                if one.ringing.publishers > 1
                else []
            )
            return show(Message(text), screen, row, wait, back, edit=True)
        text = voice.say(
            "How long to wait for enough publishers; then it rings all the same, marked as a single source:"
        )
        row = [Button(each, f"wait {each}") for each in _WAITS]
        return show(
            Message(text),
            screen,
            row,
            [Button(voice.say("As long as it takes"), "wait never")],
            back,
            edit=True,
        )

    async def _feeds(self, turn: Turn, screen: Screen, one: Subscription, value: str) -> Said:
        """Tags and feeds to be chosen; each press turns one on or off."""
        choices = await self._selectors(turn)
        chosen, page = set(one.feeds), 0
        change: tuple[Change, ...] = ()
        if value.startswith("page"):
            page = number_in(value)
        elif value == "all":
            chosen, change = set(), (EditSubscription(one.id, feeds=()),)
        elif value:
            number = number_in(f" {value}")
            if not 0 < number <= len(choices):
                return Said(toast=turn.voice.say("That list has changed. Open it again."))
            page = (number - 1) // PAGE
            chosen ^= {choices[number - 1]}
            change = (EditSubscription(one.id, feeds=tuple(sorted(chosen))),)
        voice, first = turn.voice, page * PAGE
        buttons = [
            Button(f"{'✓ ' if each in chosen else ''}{cut(each, 40)}", f"feeds {first + at}")
            for at, each in enumerate(choices[first : first + PAGE], 1)
        ]
        steps = [
            Button(step.text, f"feeds {step.word}") for step in pages(turn, page, len(choices))
        ]
        text = voice.say(
            "Which feeds it looks at: tags, or feeds by name. Now: {feeds}",
            feeds=", ".join(sorted(chosen)) or voice.say("all"),
        )
        last = [
            Button(voice.say("All feeds"), "feeds all"),
            Button("‹ " + voice.say("Back"), "back"),
        ]
        return replace(
            show(Message(cut(text, 3000)), screen, *in_rows(buttons, 2), steps, last, edit=True),
            changes=change,
        )

    async def _selectors(self, turn: Turn) -> list[str]:
        feeds = await self._store.feeds_of(turn.chat.id)
        tags = sorted({tag for feed in feeds for tag in feed.tags})
        return list(dict.fromkeys([*tags, *(feed.name for feed in feeds)]))

    async def _shared(self, turn: Turn, one: Subscription) -> Said:
        token = f"s-{secrets.token_urlsafe(12)}"
        link = await self._members.link(token)
        values = {
            "query": f"{options.words(one.ringing)} {one.query}".strip(),
            "feeds": list(one.feeds),
        }
        text = turn.voice.say("Whoever opens this link subscribes to the same query:")
        return Said(Message(f"{text}\n{link}"), (KeepToken(token, "share", values),))


def _to_list(turn: Turn) -> Button:
    return Button(turn.voice.say("All subscriptions"), "list")


def _with(how: Ringing, verb: str, value: str) -> Ringing | None:
    match verb:
        case "urgency" if value in set(Urgency):
            return replace(how, urgency=Urgency(value))
        case "publishers" if value.isdecimal() and 0 < int(value) <= options.MOST_PUBLISHERS:
            number = int(value)
            again = how.ring_again_at if how.ring_again_at > number else 0
            return replace(
                how,
                publishers=number,
                or_after=how.or_after if number > 1 else None,
                ring_again_at=again,
            )
        case "wait" if value == "never":
            return replace(how, or_after=None)
        case "wait" if value in _WAITS and how.publishers > 1:
            return replace(how, or_after=duration(value))
        case _:
            return None


def urgency_name(urgency: Urgency, voice: Voice) -> str:
    """As people read it."""
    match urgency:
        case Urgency.BREAKING:
            return voice.say("breaking")
        case Urgency.NORMAL:
            return voice.say("normal")
        case Urgency.DIGEST:
            return voice.say("digest")


def subscribed_text(
    voice: Voice, how: Ringing, tree: Node, forecast: Forecast | None, feeds: Sequence[str] = ()
) -> Message:
    """That it rings from now on, and how often by the past."""
    lead = voice.say("Subscribed. I ring here once for each new story that matches")
    composer = Composer().add(f"{lead}\n").add(cut(as_query(tree), CARET), "code")
    if feeds:
        composer.add("\n" + voice.say("Feeds: {feeds}", feeds=cut(", ".join(feeds), 300)))
    if how.publishers > 1:
        wait = (
            ", " + voice.say("or {span} after the first", span=written(how.or_after))
            if how.or_after
            else ""
        )
        composer.add(
            "\n"
            + voice.say("and that {number} independent publishers carry", number=how.publishers)
            + wait
        )
    if how.ring_again_at:
        composer.add(
            "\n"
            + voice.say("and once more when {number} publishers carry it", number=how.ring_again_at)
        )
    if how.urgency is Urgency.DIGEST:
        composer.add("\n" + voice.say("together, in the digest; /settings says when."))
    if forecast and not forecast.nothing_stored:
        number = round(forecast.a_week)
        rare = voice.say("By the past days, expect less than one story a week.")
        often = voice.count(
            "By the past days, expect about {number} story a week.",
            "By the past days, expect about {number} stories a week.",
            number,
        )
        composer.add("\n" + (rare if forecast.a_week < 1 else often))
    return composer.message()


def forecast_text(forecast: Forecast, voice: Voice) -> str:
    """The figures of a backtest in a few lines, with a bar for each day."""
    if forecast.nothing_stored:
        return voice.say("There are no stored articles yet to try it on.")
    most = max((count for _, count in forecast.by_day), default=0)
    bars = [
        f"{voice.weekday(day)} {'▇' * (-(-12 * count // most)) if most else ''} {count}"
        for day, count in forecast.by_day
    ]
    stories = voice.count("{number} story", "{number} stories", forecast.stories)
    span = (
        voice.count("{number} day", "{number} days", round(forecast.days))
        if forecast.days >= 1.5
        else voice.count("{number} hour", "{number} hours", round(24 * forecast.days))
    )
    lead = (
        voice.say("About {stories} in the last {span}.", stories=stories, span=span)
        if forecast.share < 1
        else voice.say("{stories} in the last {span}.", stories=stories, span=span)
    )
    expect = voice.say(
        "Expect about {day} alerts a day, {week} a week.",
        day=f"{forecast.a_day:.1f}",
        week=f"{forecast.a_week:.0f}",
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
