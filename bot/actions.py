"""What people can do in a chat, as use-cases: who may, what changes, what is answered. Knows no Telegram library and no SQL.

Each update is answered once: changes, answer and the update's number are kept in one transaction, and the answer is sent from the outbox.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.errors import QueryError
from bot.model.chats import (
    AddSubscription,
    Answered,
    Change,
    Chat,
    ClaimBot,
    Entity,
    Incoming,
    Message,
    RemoveSubscription,
    SetPaused,
)
from bot.ports import Clock, PeopleStore, Status
from bot.query.parser import Names, parse
from bot.query.tree import show
from bot.render import Composer
from bot.text.clean import cut, plain

CLAIM_LASTS = timedelta(hours=24)
SUBSCRIPTIONS = 200  #: of one chat, beside those of the file

HELP = (
    "I watch news feeds and ring you once for each story that matches what you ask for.\n\n"
    '/subscribe QUERY - ring here for stories with these words: words, "exact phrases", AND, OR, NOT, (…), @lists\n'
    "/subscriptions - what rings here\n"
    "/unsubscribe NUMBER - stop one\n"
    "/status - whether the feeds are well\n"
    "/help - this text"
)


@dataclass(frozen=True, slots=True)
class Handled:
    """What an update came to."""

    changed: bool  #: what rings where has changed
    chat_id: int | None  #: in this chat only; None: perhaps elsewhere


class Actions:
    """The actions corridor."""

    def __init__(self, store: PeopleStore, clock: Clock, names: Callable[[], Names], status: Callable[[], Awaitable[Status]]) -> None:
        self._store, self._clock, self._names, self._status = store, clock, names, status

    async def handle(self, update: Incoming) -> Handled:
        """Answer one update. Raises StoreError, and then nothing of it happened."""
        chat = await self._store.chat_at(update.address, update.topic)
        answered = await self._answer(update, chat)
        kept = await self._store.answer(answered, self._clock.now())
        changed = kept and any(not isinstance(change, SetPaused) for change in answered.changes)
        return Handled(changed, chat.id if chat else None)

    async def _answer(self, update: Incoming, chat: Chat | None) -> Answered:
        if update.closed is not None:
            reason = "the bot was blocked or removed." if update.closed else ""
            return Answered(update, chat, None, (SetPaused(reason),) if chat else ())
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

    async def _command(self, name: str, rest: str, update: Incoming, chat: Chat) -> tuple[Message | None, tuple[Change, ...]]:
        match name:
            case "/start" | "/help":
                return Message(HELP), ()
            case "/subscribe":
                return await self._subscribe(rest, update, chat)
            case "/subscriptions":
                return await self._subscriptions(chat), ()
            case "/unsubscribe":
                return await self._unsubscribe(rest, update, chat)
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
            tree = parse(query, self._names())
        except QueryError as error:
            composer = Composer().add(f"{error.message}\n\n").add(error.caret(), "pre")
            return composer.message(), ()
        have = await self._store.subscriptions_of(chat.id)
        if any(one.query == query for one, _ in have):
            return Message("This rings here already. /subscriptions lists everything."), ()
        if len(have) >= SUBSCRIPTIONS:
            return Message(f"A chat can have {SUBSCRIPTIONS} subscriptions. Remove one with /unsubscribe first."), ()
        composer = Composer().add("Subscribed. I ring here once for each new story that matches\n").add(show(tree), "code")
        return composer.message(), (AddSubscription(query, plain(cut(query, 60))),)

    async def _subscriptions(self, chat: Chat) -> Message:
        have = await self._store.subscriptions_of(chat.id)
        if not have:
            return Message("Nothing rings here yet. /subscribe QUERY changes that.")
        composer = Composer().add("What rings here:\n")
        for one, declared in have:
            if composer.length > 3500 or composer.entities > 90:
                composer.add("\n… and more.")
                break
            composer.add(f"\n{one.id}. ").add(cut(one.query, 200), "code")
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
