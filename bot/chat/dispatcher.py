"""What people can do in a chat: who may, which room answers, what is kept. Knows no Telegram library and no SQL.

    store.chat_at, store.person | access.refusal | a room of `dialogue` | store.answer

Each update is answered once: changes, answer and the update's number are kept in one transaction, and the answer is sent from the outbox.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.chat.access import Access, Deed, Refusal, Seat, admitted, refusal
from bot.chat.context import Room, Turn, headed, only_admins, say
from bot.chat.handlers.start import Start
from bot.i18n.catalog import LANGUAGES, Voice
from bot.model.chat_events import (
    RINGING_CHANGES,
    WIDE_CHANGES,
    Answered,
    Change,
    Event,
    Incoming,
    Judge,
    LetIn,
    Person,
    Role,
    Said,
    Screen,
    SetPaused,
    SetRole,
    SetSettings,
)
from bot.model.chats import Chat, ChatKind, ChatSettings
from bot.model.message import Entity, Message
from bot.ports import Clock, Members, PeopleStore
from bot.text.clean import cut

TOAST = 200  #: characters that a person is shown for a moment
_FOR = "for"  # in the values of a screen: the number of the chat that it is about, where that is not the one it stands in
_GLAD, _SORRY = frozenset("👍❤🔥👏🎉🙏👌💯😁🤩⚡🏆"), frozenset("👎🤮💩🤬🥱😡🤡🥴🖕")

Command = Callable[
    [Turn, str, str], Awaitable[Said]
]  #: the turn, the command's name, what stands behind it


@dataclass(frozen=True, slots=True)
class Handled:
    """What an update came to."""

    changed: bool  #: what rings where has changed
    chat_id: int | None  #: in this chat only; None: perhaps elsewhere
    toast: str = ""  #: for the person who pressed a button
    hours: bool = False  #: a chat's quiet hours or digests may have changed
    busy: bool = False  #: a screen says that something is being done


@dataclass(frozen=True, slots=True)
class Rules:
    """Whom this newsbell serves, and how much of it one may use."""

    access: Access = Access.PRIVATE
    commands_a_minute: int = 30


@dataclass(frozen=True, slots=True)
class Desk:
    """The rooms by what leads to them."""

    commands: Mapping[str, tuple[Deed, Command]]  #: by name, with its slash
    screens: Mapping[str, Room]  #: by a screen's name
    presses: Mapping[str, tuple[Deed, Command]]  #: by the word of an alert's button
    here: frozenset[
        str
    ]  #: commands that are about the chat in which they are written, whomever one acts for
    unasked: (
        Command  #: what is written without a command and without being asked for, in a private chat
    )
    start: Start


class Actions:
    """The actions corridor."""

    def __init__(
        self,
        store: PeopleStore,
        clock: Clock,
        members: Members,
        voice: Callable[[ChatSettings], Voice],
        rules: Callable[[], Rules],
        desk: Desk,
    ) -> None:
        self._store, self._clock, self._members, self._voice, self._rules, self._desk = (
            store,
            clock,
            members,
            voice,
            rules,
            desk,
        )
        self._recent: dict[int, deque[datetime]] = {}

    async def handle(self, update: Incoming) -> Handled:
        """Answer one update. Raises StoreError, and then nothing of it happened."""
        here = await self._store.chat_at(update.address, update.topic)
        person = await self._store.person(update.user_id) if update.user_id else Person(0)
        said, chat = await self._said(update, here, person)
        if here is not None and here.paused and update.event is Event.MESSAGE and said.reply:
            said = replace(said, changes=(SetPaused(""), *said.changes))
        target = chat.id if chat and here and chat.id != here.id else None
        kept = await self._store.answer(Answered(update, here, said, target), self._clock.now())
        # What was answered before has changed since: what would be said of it now would be wrong.
        # What it came to may have been kept without being acted upon: it comes again where something failed in between.
        return _handled(said, chat) if kept else Handled(changed=True, chat_id=None, busy=True)

    async def work(self, chat_id: int, screen: Screen, user_id: int) -> None:
        """Do what takes long, for a screen that says it is being done, and change its message. Raises StoreError."""
        here = await self._store.chat(chat_id)
        if here is None:
            return
        chat = await self._chat_of(here, screen)
        update = Incoming(0, here.address, here.topic, here.name, user_id, "", channel=here.channel)
        person = await self._store.person(user_id)
        turn = Turn(update, here, chat, person, self._voice(chat.settings), self._clock.now())
        said = _fitting(await self._desk.screens[screen.name].work(turn, screen), turn)
        await self._store.finish(here.id, user_id, screen, said, self._clock.now())

    async def _meant(
        self, update: Incoming, here: Chat, command: str, rest: str
    ) -> tuple[Chat, Screen | None]:
        """The chat that is meant by what is written or pressed here, and the screen it is for.

        An alert is its own chat's, and a screen that of the chat it was opened for, whomever one acts for by now.
        """
        if update.press:
            number = update.press.partition(":")[0]
            asked = ":" in update.press and number.isdecimal() and len(number) < 16
            screen = await self._store.screen(here.id, int(number)) if asked else None
            return await self._chat_of(here, screen), screen
        if not command:
            answers = bool(update.user_id) and (update.address > 0 or update.reply_to is not None)
            reply_to = None if update.address > 0 else update.reply_to
            screen = (
                await self._store.expecting(here.id, update.user_id, self._clock.now(), reply_to)
                if answers
                else None
            )
            if screen:
                return await self._chat_of(here, screen), screen
        if (
            here.acts_for is None
            or command in self._desk.here
            or (command == "/why" and not rest and update.reply_to is not None)
        ):
            return here, None
        return await self._store.chat(here.acts_for) or here, None

    async def _chat_of(self, here: Chat, screen: Screen | None) -> Chat:
        """The chat that a screen was opened for."""
        number = screen.values.get(_FOR) if screen else None
        return (await self._store.chat(int(number)) if number is not None else None) or here

    async def _said(
        self, update: Incoming, here: Chat | None, person: Person
    ) -> tuple[Said, Chat | None]:
        """What is said, and the chat that it is about."""
        if (
            not update.address
        ):  # an update that is nothing to newsbell: it counts as taken, and nobody is answered
            return Said(), here
        if update.event is not Event.MESSAGE:
            return self._befell(update, here, person), here
        if person.role is Role.BLOCKED:
            voice = self._voice(ChatSettings(language=_language(update)))
            return Said(
                toast=voice.say("This newsbell does not serve you.")
            ) if update.press else Said(), here
        if update.reaction is not None:
            return _judged(update, here), here
        command = (
            update.text.split(maxsplit=1)[0].partition("@")[0].lower()
            if update.text.startswith("/")
            else ""
        )
        rest = (*update.text.split(maxsplit=1), "", "")[1].strip() if command else update.text
        if (command == "/start" and rest) or here is None or not here.allowed:
            return await self._come_in(update, here, person, command, rest), here
        if (update.file is not None or update.file_problem) and (command or update.address > 0):
            command = "/import"
        chat, screen = await self._meant(update, here, command, rest)
        turn = Turn(update, here, chat, person, self._voice(chat.settings), self._clock.now())
        if self._too_many(update):
            return Said(toast=_slower(turn.voice)) if update.press else Said(), chat
        said = await (
            self._pressed(turn, screen)
            if update.press
            else self._written(turn, screen, command, rest)
        )
        return _fitting(said, turn), chat

    async def _come_in(
        self, update: Incoming, here: Chat | None, person: Person, command: str, rest: str
    ) -> Said:
        """A link, or a chat that is not let in."""
        voice = self._voice(
            ChatSettings(language=_language(update)).over(here.settings if here else ChatSettings())
        )
        link = (
            await self._store.token(rest, self._clock.now())
            if command == "/start" and rest and len(rest) <= 64
            else None
        )
        known = here is not None and here.allowed
        turn = Turn(
            update,
            here or _nowhere(update),
            here or _nowhere(update),
            person,
            voice,
            self._clock.now(),
        )
        if link:
            turn = replace(turn, may_change=await self._is_admin(turn))
            return await self._desk.start.opened(
                turn, rest, *link, known=known, access=self._rules().access
            )
        if known:
            return (
                await self._desk.start.welcome(turn)
                if update.address > 0
                else await self._desk.start.greet(turn, "/start", "")
            )
        if (
            command
            and admitted(self._rules().access, person.role)
            and (update.address > 0 or await self._is_admin(turn))
        ):
            return await self._desk.start.let_in(turn)
        if update.press:
            return Said(toast=voice.say("This newsbell does not serve this chat."))
        if command == "/start" and rest:
            return say(
                voice.say(
                    "This link was used or is too old. Restart newsbell to get a new one in its terminal."
                )
            )
        return _stranger(update, command, voice, self._rules().access)

    def _befell(self, update: Incoming, here: Chat | None, person: Person) -> Said:
        """The bot was thrown out, or let in."""
        if update.event is Event.CLOSED:
            return Said(changes=(SetPaused("the bot was blocked or removed."),) if here else ())
        changes: tuple[Change, ...] = (SetPaused(""),) if here else ()
        if (
            update.address < 0
            and (here is None or not here.allowed)
            and admitted(self._rules().access, person.role)
        ):
            changes = (
                *changes,
                LetIn(),
                *(
                    (SetRole(person.user_id, Role.USER, update.user_name),)
                    if person.role is Role.STRANGER
                    else ()
                ),
            )
        return Said(changes=changes)

    async def _pressed(self, turn: Turn, screen: Screen | None) -> Said:
        """A button. Who may not use it is told so, and nothing else happens."""
        word = turn.update.press
        _, colon, rest = word.partition(":")
        if not colon:
            if word not in self._desk.presses:
                return Said(toast=turn.voice.say("I do not know this button any more."))
            deed, command = self._desk.presses[word]
            return await self._refused(turn, deed) or await command(
                await self._allowed(turn), word, ""
            )
        if screen is None or screen.name not in self._desk.screens:
            return Said(toast=turn.voice.say("This button is too old. Send the command again."))
        room = self._desk.screens[screen.name]
        return await self._refused(turn, room.deed(screen, rest)) or await room.pressed(
            await self._allowed(turn), screen, rest
        )

    async def _written(self, turn: Turn, screen: Screen | None, command: str, rest: str) -> Said:
        if not command:
            return await self._answered(turn, screen)
        if command not in self._desk.commands:
            if turn.update.address > 0:
                return say(
                    turn.voice.say(
                        "I do not know {command}. /help shows what I know.",
                        command=cut(command, 40),
                    )
                )
            return Said()  # in a group it is probably another bot's
        deed, action = self._desk.commands[command]
        return await self._refused(turn, deed) or await action(
            await self._allowed(turn), command, rest
        )

    async def _answered(self, turn: Turn, screen: Screen | None) -> Said:
        """Words without a command: what a screen waits for, else, in a private chat, something to begin with."""
        update = turn.update
        if screen and screen.name in self._desk.screens:
            room = self._desk.screens[screen.name]
            refused = await self._refused(turn, room.deed(screen, ""))
            return refused or _no_longer_waiting(
                await room.told(await self._allowed(turn), screen, update.text)
            )
        return await self._desk.unasked(turn, "", update.text) if update.address > 0 else Said()

    async def _refused(self, turn: Turn, deed: Deed) -> Said | None:
        """What is said to who may not; None for who may."""
        seat = _seat(turn)
        needed = seat is not Seat.PRIVATE and (deed is Deed.CHANGE or seat is Seat.CHANNEL)
        chat_admin = await self._is_admin(turn) if needed or turn.chat.id != turn.here.id else False
        why = refusal(
            deed,
            turn.person.role,
            seat,
            allowed=turn.here.allowed and turn.chat.allowed,
            chat_admin=chat_admin,
        )
        if why is None and turn.chat.id != turn.here.id and not chat_admin:
            why = Refusal.NO_ADMIN
        if why is None:
            return None
        text = _why_not(why, turn.voice)
        return Said(toast=text) if turn.update.press else say(text) if text else Said()

    async def _allowed(self, turn: Turn) -> Turn:
        """The turn with what this person may do in the chat, for what shows more to who may more."""
        return (
            turn
            if _seat(turn) is Seat.PRIVATE
            else replace(turn, may_change=await self._is_admin(turn))
        )

    async def _is_admin(self, turn: Turn) -> bool:
        if turn.chat.id == turn.here.id and turn.update.may_change:
            return True
        return bool(turn.update.user_id) and await self._members.is_admin(
            turn.chat.address, turn.update.user_id
        )

    def _too_many(self, update: Incoming) -> bool:
        """Whether one person writes more than anyone needs to. Their further messages of that minute are passed by."""
        now = self._clock.now()
        recent = self._recent.setdefault(
            update.user_id or update.address, deque(maxlen=self._rules().commands_a_minute)
        )
        full = len(recent) == recent.maxlen and recent[0] > now - timedelta(minutes=1)
        if not full:
            recent.append(now)
        if len(self._recent) > 10_000:
            self._recent = {
                who: times
                for who, times in self._recent.items()
                if times and times[-1] > now - timedelta(minutes=1)
            }
        return full


def _handled(said: Said, chat: Chat | None) -> Handled:
    changed = any(isinstance(change, RINGING_CHANGES) for change in said.changes)
    wide = any(isinstance(change, WIDE_CHANGES) for change in said.changes)
    hours = any(isinstance(change, SetSettings) for change in said.changes)
    busy = said.screen is not None and bool(said.screen.values.get("busy"))
    return Handled(changed, chat.id if chat and not wide else None, said.toast, hours, busy)


def _no_longer_waiting(said: Said) -> Said:
    """Words that a screen took are not waited for once more, whichever message shows what came of them."""
    return (
        replace(said, screen=replace(said.screen, expects=said.screen.expects or "-"))
        if said.screen
        else said
    )


def _fitting(said: Said, turn: Turn) -> Said:
    """What is said for another chat says for which, and its screen remembers it; what is shown for a moment is short."""
    reply = said.reply
    if reply and turn.chat.id != turn.here.id and not said.changes:
        reply = headed(reply, f"📣 {turn.chat.name}")
    screen = said.screen
    if screen and turn.chat.id != turn.here.id:
        screen = replace(screen, values={**screen.values, _FOR: turn.chat.id})
    return replace(said, reply=reply, screen=screen, toast=cut(said.toast, TOAST))


def _seat(turn: Turn) -> Seat:
    if turn.here.address > 0:
        return Seat.PRIVATE
    return Seat.CHANNEL if turn.update.channel else Seat.GROUP


def _nowhere(update: Incoming) -> Chat:
    """A chat that the store does not know yet."""
    return Chat(0, update.title, ChatKind.TELEGRAM, update.address, update.topic, allowed=False)


def _language(update: Incoming) -> str | None:
    code = update.language.partition("-")[0].lower()
    return code if code in LANGUAGES else None


def _why_not(why: Refusal, voice: Voice) -> str:
    match why:
        case Refusal.NO_ADMIN:
            return only_admins(voice)
        case Refusal.NO_OPERATOR:
            return voice.say("Only the operators of this newsbell can do that.")
        case Refusal.NOT_HERE:
            return voice.say("Do that in a private chat with me.")
        case Refusal.STRANGER:
            return voice.say("This newsbell does not serve this chat.")
        case Refusal.BLOCKED:
            return ""


def _slower(voice: Voice) -> str:
    return voice.say("That is a lot in one minute. Wait a little.")


def _judged(update: Incoming, here: Chat | None) -> Said:
    """A reaction to a message of ours says whether the alert was welcome."""
    if here is None or not here.allowed or update.reply_to is None:
        return Said()
    first = (update.reaction or "")[:1]
    verdict = 1 if first in _GLAD else -1 if first in _SORRY else 0
    return Said(changes=(Judge(update.reply_to, verdict),))


def _stranger(update: Incoming, command: str, voice: Voice, access: Access) -> Said:
    if update.address < 0 and command not in {"/start", "/subscribe"}:
        return Said()
    if access is not Access.PRIVATE:
        return say(
            voice.say("This newsbell serves those who were invited. Ask its operator for a link.")
        )
    topic = f", topic: {update.topic}" if update.topic else ""
    entry = f"chats:\n  my-chat: {{telegram: {update.address}{topic}}}"
    text = (
        voice.say(
            "This newsbell serves only chats that its operator lets in. Give them this for feeds.yaml:"
        )
        + "\n\n"
    )
    return Said(
        Message(text + entry, (Entity("pre", len(text.encode("utf-16-le")) // 2, len(entry)),))
    )
