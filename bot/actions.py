"""What people can do in a chat, as use-cases: who may, what changes, what is answered. Knows no Telegram library and no SQL.

Each update is answered once: changes, answer and the update's number are kept in one transaction, and the answer is sent from the outbox.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from bot import ringing
from bot.errors import QueryError, StoreError
from bot.lookback import MANY_A_DAY, Forecast
from bot.lookups import Lookups
from bot.model.chats import (
    AddSubscription,
    Answered,
    AskFirst,
    Change,
    Chat,
    ClaimBot,
    Entity,
    Incoming,
    Message,
    Press,
    RemoveSubscription,
    Ringing,
    SetPaused,
    SetStance,
)
from bot.ports import Clock, PeopleStore, Status
from bot.query.parser import Names, parse
from bot.query.tree import Node, show
from bot.reasons import Reasons
from bot.render import Composer
from bot.storylines import Storylines
from bot.text.clean import cut, plain
from bot.text.duration import written

CLAIM_LASTS = timedelta(hours=24)
CARET = 1_500  #: characters of a query that an answer shows whole
SUBSCRIPTIONS = 200  #: of one chat, beside those of the file

HELP = (
    "I watch news feeds and ring you once for each story that matches what you ask for.\n\n"
    '/subscribe QUERY - ring here for stories with these words: words, "exact phrases", AND, OR, NOT, (…), ~names, word*\n'
    "/subscribe publishers:2 or_after:30m QUERY - when two independent publishers carry it, or after half an hour\n"
    "/test QUERY - what it would have rung this week\n"
    "/search QUERY - stored articles that match\n"
    "/feeds - what is watched, and whether it is well\n"
    "/subscriptions - what rings here\n"
    "/unsubscribe NUMBER - stop one\n"
    "/story - as an answer to an alert: all who carry the story, in order of time\n"
    "/follow, /mute - as an answer to an alert: ring for all that comes of it, or for nothing more of it\n"
    "/why - as an answer to an alert, or with an address: why an article rang here, or why it did not\n"
    "/stories strict, normal or loose - how much belongs to one alert\n"
    "/status - whether the feeds are well\n"
    "/help - this text"
)


@dataclass(frozen=True, slots=True)
class Handled:
    """What an update came to."""

    changed: bool  #: what rings where has changed
    chat_id: int | None  #: in this chat only; None: perhaps elsewhere
    toast: str = ""  #: for the person who pressed a button


class Actions:
    """The actions corridor."""

    def __init__(
        self,
        store: PeopleStore,
        clock: Clock,
        names: Callable[[], Names],
        status: Callable[[], Awaitable[Status]],
        forecast: Callable[[Node], Awaitable[Forecast]],
        *,
        storylines: Storylines,
        reasons: Reasons,
        lookups: Lookups,
    ) -> None:
        self._store, self._clock, self._names, self._status, self._forecast = store, clock, names, status, forecast
        self._storylines, self._reasons, self._lookups = storylines, reasons, lookups

    async def handle(self, update: Incoming) -> Handled:
        """Answer one update. Raises StoreError, and then nothing of it happened."""
        chat = await self._store.chat_at(update.address, update.topic)
        answered = await self._answer(update, chat)
        kept = await self._store.answer(answered, self._clock.now())
        changed = kept and any(not isinstance(change, SetPaused | AskFirst | SetStance) for change in answered.changes)
        return Handled(changed, chat.id if chat else None, answered.toast)

    async def _answer(self, update: Incoming, chat: Chat | None) -> Answered:
        if update.closed is not None:
            reason = "the bot was blocked or removed." if update.closed else ""
            return Answered(update, chat, None, (SetPaused(reason),) if chat else ())
        if update.press:
            return await self._pressed(update, chat)
        command, rest = (*update.text.split(maxsplit=1), "", "")[:2]
        rest = rest.strip()
        name = command.partition("@")[0].lower()
        if not name.startswith("/"):
            return Answered(update, chat, None)
        if name == "/start" and rest:
            return await self._claim(update, chat, rest)
        if chat is None or not chat.allowed:
            return Answered(update, chat, _stranger(update))
        reply, changes = await self._command(name, rest, update, chat)
        if chat.paused:
            changes = (SetPaused(""), *changes)
        return Answered(update, chat, reply, changes)

    async def _pressed(self, update: Incoming, chat: Chat | None) -> Answered:
        """A button. Who may not use it is told so, and nothing else happens."""
        if chat is None or not chat.allowed:
            return Answered(update, chat, None, toast="This newsbell does not serve this chat.")
        match update.press:
            case Press.WHY:
                return Answered(update, chat, await self._reasons.of_alert(chat, update.reply_to or 0))
            case Press.MUTE | Press.FOLLOW:
                toast, changes = await self._storylines.press(Press(update.press), update, chat)
                return Answered(update, chat, None, changes, toast)
            case _:
                return Answered(update, chat, None, toast="I do not know this button any more.")

    async def _about(self, name: str, rest: str, update: Incoming, chat: Chat) -> tuple[Message, tuple[Change, ...]]:
        """What is asked of an alert, or of an article."""
        if name != "/why":
            return await self._storylines.command(name, rest, update, chat)
        if not rest and update.reply_to is not None:
            return await self._reasons.of_alert(chat, update.reply_to), ()
        return await self._reasons.of_text(chat, rest), ()

    async def _command(self, name: str, rest: str, update: Incoming, chat: Chat) -> tuple[Message | None, tuple[Change, ...]]:
        match name:
            case "/start" | "/help":
                return Message(HELP), ()
            case "/subscribe":
                return await self._subscribe(rest, update, chat)
            case "/confirm":
                return await self._confirm(update, chat)
            case "/test" | "/search" | "/feeds":
                return await self._look_up(name, rest), ()
            case "/subscriptions":
                return await self._subscriptions(chat), ()
            case "/unsubscribe":
                return await self._unsubscribe(rest, update, chat)
            case "/story" | "/follow" | "/unfollow" | "/mute" | "/unmute" | "/stories" | "/why":
                return await self._about(name, rest, update, chat)
            case "/status":
                return Message(status_text(await self._status(), self._clock)), ()
            case _ if update.address > 0:
                return Message(f"I do not know {cut(name, 40)}. /help shows what I know."), ()
            case _:  # in a group it is probably another bot's
                return None, ()

    async def _claim(self, update: Incoming, chat: Chat | None, token: str) -> Answered:
        if update.address < 0:
            return Answered(update, chat, Message("Open the claim link in a private chat with me."))
        if await self._store.use_claim(token, self._clock.now()):
            text = f"Welcome. You are newsbell's operator now, and this chat gets its notices.\n\n{HELP}"
            return Answered(update, chat, Message(text), (ClaimBot(update.user_id, update.title),))
        if chat is not None and chat.allowed:
            return Answered(update, chat, Message(HELP))
        return Answered(
            update,
            chat,
            Message("This link was used or is too old. Restart newsbell to get a new one in its terminal."),
        )

    async def _subscribe(self, query: str, update: Incoming, chat: Chat) -> tuple[Message, tuple[Change, ...]]:
        if not update.may_change:
            return Message("Only administrators of this chat can change what rings here."), ()
        if not query:
            return Message('Write what to look for after the command, for example: /subscribe "air defence" AND Syria'), ()
        try:
            how, tree = self._read(query)
        except QueryError as error:
            return _mistake(error), ()
        refusal = await self._refusal(query, chat)
        if refusal:
            return refusal, ()
        forecast = await self._foreseen(tree)
        if forecast and forecast.a_day > MANY_A_DAY:
            composer = Composer().add(f"That would ring about {forecast.a_day:.0f} times a day, here is what came last:\n")
            add_newest(composer, forecast, 3)
            return composer.add("\n\n/confirm subscribes to it all the same; a narrower query rings less.").message(), (AskFirst(query),)
        return _subscribed(query, how, tree, forecast)

    def _read(self, text: str) -> tuple[Ringing, Node]:
        """How a subscription is to ring, and its query. Raises QueryError."""
        how, query = ringing.split(text)
        if mistake := ringing.misplaced(query):
            raise mistake
        return how, parse(query, self._names())

    async def _refusal(self, query: str, chat: Chat) -> Message | None:
        have = await self._store.subscriptions_of(chat.id)
        how, asked = ringing.split(query)
        if any(one.query == asked and one.ringing == how for one, _ in have):
            return Message("This rings here already. /subscriptions lists everything.")
        if len(have) >= SUBSCRIPTIONS:
            return Message(f"A chat can have {SUBSCRIPTIONS} subscriptions. Remove one with /unsubscribe first.")
        return None

    async def _foreseen(self, tree: Node) -> Forecast | None:
        """What the query would have rung; None where the past cannot be read now, which need not keep anyone from subscribing."""
        try:
            return await self._forecast(tree)
        except StoreError:
            return None

    async def _confirm(self, update: Incoming, chat: Chat) -> tuple[Message, tuple[Change, ...]]:
        if not update.may_change:
            return Message("Only administrators of this chat can change what rings here."), ()
        query = await self._store.asked(chat.id, self._clock.now())
        if not query:
            return Message("Nothing waits to be confirmed. /subscribe QUERY begins."), ()
        refusal = await self._refusal(query, chat)
        if refusal:
            return refusal, ()
        try:
            how, tree = self._read(query)
        except QueryError as error:
            return _mistake(error), ()
        return _subscribed(query, how, tree, None)

    async def _look_up(self, name: str, rest: str) -> Message:
        try:
            return await (self._test(rest) if name == "/test" else self._lookups.command(name, rest))
        except QueryError as error:
            return _mistake(error)

    async def _test(self, query: str) -> Message:
        if not query:
            return Message('Write a query after the command, for example: /test "air defence" AND Syria')
        _, tree = self._read(query)
        forecast = await self._foreseen(tree)
        if forecast is None:
            return Message("The stored articles cannot be read now; try again in a minute.")
        composer = Composer().add(forecast_text(forecast))
        add_newest(composer, forecast, 10)
        return composer.message()

    async def _subscriptions(self, chat: Chat) -> Message:
        have = await self._store.subscriptions_of(chat.id)
        if not have:
            return Message("Nothing rings here yet. /subscribe QUERY changes that.")
        composer = Composer().add("What rings here:\n")
        for one, declared in have:
            if composer.length > 3500 or composer.entities > 90:
                composer.add("\n… and more.")
                break
            how = ringing.words(one.ringing)
            composer.add(f"\n{one.id}. ").add(f"{how} {cut(one.query, 200)}".strip(), "code")
            if declared:
                composer.add(f" ({one.name}, from feeds.yaml)")
        return composer.add("\n\n/unsubscribe NUMBER stops one.").message()

    async def _unsubscribe(self, rest: str, update: Incoming, chat: Chat) -> tuple[Message, tuple[Change, ...]]:
        if not update.may_change:
            return Message("Only administrators of this chat can change what rings here."), ()
        have = {one.id: (one, declared) for one, declared in await self._store.subscriptions_of(chat.id)}
        number = int(rest) if rest.isdecimal() and len(rest) < 12 else 0
        if number not in have:
            return Message("Write the number of a subscription after the command. /subscriptions lists them."), ()
        one, declared = have[number]
        if declared:
            return Message(f"“{one.name}” stands in feeds.yaml: remove it there."), ()
        composer = Composer().add("Stopped: ").add(cut(one.query, 300), "code")
        return composer.message(), (RemoveSubscription(number),)


def _mistake(error: QueryError) -> Message:
    composer = Composer().add(f"{error.message}\n\n")
    caret = error.caret()
    return (composer.add(caret, "pre") if len(caret) < CARET else composer.add(f"at character {error.position + 1}")).message()


def _subscribed(text: str, how: Ringing, tree: Node, forecast: Forecast | None) -> tuple[Message, tuple[Change, ...]]:
    composer = Composer().add("Subscribed. I ring here once for each new story that matches\n").add(cut(show(tree), CARET), "code")
    if how.publishers > 1:
        wait = f", or {written(how.or_after)} after the first" if how.or_after else ""
        composer.add(f"\nand that {how.publishers} independent publishers carry{wait}")
    if how.ring_again_at:
        composer.add(f"\nand once more when {how.ring_again_at} publishers carry it")
    if forecast and not forecast.nothing_stored:
        rare = "less than one story a week" if forecast.a_week < 1 else f"about {forecast.a_week:.0f} stories a week"
        composer.add(f"\nBy the past days, expect {rare}.")
    query = ringing.split(text)[1]
    return composer.message(), (AddSubscription(query, plain(cut(query, 60)), how),)


def forecast_text(forecast: Forecast) -> str:
    """The figures of a backtest in a few lines, with a bar for each day."""
    if forecast.nothing_stored:
        return "There are no stored articles yet to try it on."
    most = max((count for _, count in forecast.by_day), default=0)
    bars = [f"{day:%a %d} {'▇' * (-(-12 * count // most)) if most else ''} {count}" for day, count in forecast.by_day]
    expect = f"Expect about {forecast.a_day:.1f} alerts a day, {forecast.a_week:.0f} a week."
    return "\n".join((f"{forecast.about}{forecast.stories} stories in the last {forecast.span}.".capitalize(), expect, "", *bars))


def add_newest(composer: Composer, forecast: Forecast, most: int) -> None:
    """The newest stories of a backtest with what matched, each a line."""
    for hit in forecast.hits[:most]:
        article = hit.entry.article
        composer.add("\n• ").add_marked(cut(article.title, 200), [span for span in hit.spans if span.field == "title"], "underline")
        composer.add(f" – {article.source or article.feed_name}")


def _stranger(update: Incoming) -> Message | None:
    if update.address < 0 and not update.text.startswith(("/start", "/subscribe")):
        return None
    topic = f", topic: {update.topic}" if update.topic else ""
    entry = f"chats:\n  my-chat: {{telegram: {update.address}{topic}}}"
    text = "This newsbell serves only chats that its operator lets in. Give them this for feeds.yaml:\n\n"
    return Message(text + entry, (Entity("pre", len(text), len(entry)),))


def status_text(status: Status, clock: Clock) -> str:
    """The state in a few lines."""
    failing = [feed for feed in status.feeds if feed.state.failures]
    waiting = sum(queued for _, queued, _ in status.chats)
    lines = [f"{len(status.feeds)} feeds, {status.subscriptions} subscriptions."]
    polls = [feed.state.next_poll_at for feed in status.feeds]
    if polls:
        seconds = max(0, round((min(polls) - clock.now()).total_seconds()))
        lines.append(f"Next poll in {seconds // 60} min {seconds % 60} s.")
    lines.append(f"{waiting} messages wait." if waiting else "Nothing waits to be sent.")
    lines += [f"✗ {cut(feed.name, 60)}: {feed.state.failure_text}" for feed in failing[:15]]
    if not failing:
        lines.append("All feeds are well.")
    elif len(failing) > 15:
        lines.append(f"… and {len(failing) - 15} more.")
    return "\n".join(lines)
