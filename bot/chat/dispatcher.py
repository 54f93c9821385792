"""What people can do in a chat: who may, which room answers, what is kept. Knows no Telegram library and no SQL.

    store.chat_at, store.person | access.refusal | a room of `dialogue` | store.answer

Each update is answered once: changes, answer and the update's number are kept in one transaction, and the answer is sent from the outbox.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.chat.access import Access, ChatType, DenialReason, Permission, admitted, denial_reason
from bot.chat.context import Context, ScreenHandler, headed, only_admins, say
from bot.chat.handlers.start import Start
from bot.i18n.catalog import LANGUAGES, Translator
from bot.model.chat_events import (
    SUBSCRIPTION_CHANGES,
    WIDE_CHANGES,
    AllowChat,
    Change,
    Event,
    HandledUpdate,
    Incoming,
    Person,
    RateAlert,
    Reply,
    Role,
    Screen,
    SetPaused,
    SetRole,
    SetSettings,
)
from bot.model.chats import Chat, ChatKind, ChatSettings
from bot.model.message import Entity, Message
from bot.ports import ChatStore, Clock, Members
from bot.text.clean import cut

TOAST = 200  #: characters that a person is shown for a moment
_FOR = "for"  # in the values of a screen: the number of the chat that it is about, where that is not the one it stands in
_GLAD, _SORRY = frozenset("👍❤🔥👏🎉🙏👌💯😁🤩⚡🏆"), frozenset("👎🤮💩🤬🥱😡🤡🥴🖕")

Command = Callable[
    [Context, str, str], Awaitable[Reply]
]  #: the turn, the command's name, what stands behind it


@dataclass(frozen=True, slots=True)
class UpdateResult:
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
class Routes:
    """The rooms by what leads to them."""

    commands: Mapping[str, tuple[Permission, Command]]  #: by name, with its slash
    screens: Mapping[str, ScreenHandler]  #: by a screen's name
    presses: Mapping[str, tuple[Permission, Command]]  #: by the word of an alert's button
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
        store: ChatStore,
        clock: Clock,
        members: Members,
        translator: Callable[[ChatSettings], Translator],
        rules: Callable[[], Rules],
        build_routes: Routes,
    ) -> None:
        self._store, self._clock, self._members, self._translator, self._rules, self._routes = (
            store,
            clock,
            members,
            translator,
            rules,
            build_routes,
        )
        self._recent: dict[int, deque[datetime]] = {}

    async def handle(self, update: Incoming) -> UpdateResult:
        """Answer one update. Raises StoreError, and then nothing of it happened."""
        here = await self._store.chat_at(update.address, update.topic)
        person = await self._store.person(update.user_id) if update.user_id else Person(0)
        reply, chat = await self._said(update, here, person)
        if here is not None and here.paused and update.event is Event.MESSAGE and reply.message:
            reply = replace(reply, changes=(SetPaused(""), *reply.changes))
        target = chat.id if chat and here and chat.id != here.id else None
        kept = await self._store.answer(
            HandledUpdate(update, here, reply, target), self._clock.now()
        )
        # What was answered before has changed since: what would be said of it now would be wrong.
        # What it came to may have been kept without being acted upon: it comes again where something failed in between.
        return (
            _handled(reply, chat) if kept else UpdateResult(changed=True, chat_id=None, busy=True)
        )

    async def work(self, chat_id: int, screen: Screen, user_id: int) -> None:
        """Do what takes long, for a screen that says it is being done, and change its message. Raises StoreError."""
        here = await self._store.chat(chat_id)
        if here is None:
            return
        chat = await self._chat_of(here, screen)
        update = Incoming(0, here.address, here.topic, here.name, user_id, "", channel=here.channel)
        person = await self._store.person(user_id)
        context = Context(
            update, here, chat, person, self._translator(chat.settings), self._clock.now()
        )
        reply = _fitting(await self._routes.screens[screen.name].work(context, screen), context)
        await self._store.finish(here.id, user_id, screen, reply, self._clock.now())

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
            here.managed_chat is None
            or command in self._routes.here
            or (command == "/why" and not rest and update.reply_to is not None)
        ):
            return here, None
        return await self._store.chat(here.managed_chat) or here, None

    async def _chat_of(self, here: Chat, screen: Screen | None) -> Chat:
        """The chat that a screen was opened for."""
        number = screen.values.get(_FOR) if screen else None
        return (await self._store.chat(int(number)) if number is not None else None) or here

    async def _said(
        self, update: Incoming, here: Chat | None, person: Person
    ) -> tuple[Reply, Chat | None]:
        """What is said, and the chat that it is about."""
        if (
            not update.address
        ):  # an update that is nothing to newsbell: it counts as taken, and nobody is answered
            return Reply(), here
        if update.event is not Event.MESSAGE:
            return self._membership_change(update, here, person), here
        if person.role is Role.BLOCKED:
            translator = self._translator(ChatSettings(language=_language(update)))
            return Reply(
                toast=translator.gettext("You have no access to this bot.")
            ) if update.press else Reply(), here
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
        context = Context(
            update, here, chat, person, self._translator(chat.settings), self._clock.now()
        )
        if self._too_many(update):
            return Reply(toast=_slower(context.translator)) if update.press else Reply(), chat
        reply = await (
            self._pressed(context, screen)
            if update.press
            else self._written(context, screen, command, rest)
        )
        return _fitting(reply, context), chat

    async def _come_in(
        self, update: Incoming, here: Chat | None, person: Person, command: str, rest: str
    ) -> Reply:
        """A link, or a chat that is not let in."""
        translator = self._translator(
            ChatSettings(language=_language(update)).over(here.settings if here else ChatSettings())
        )
        link = (
            await self._store.token(rest, self._clock.now())
            if command == "/start" and rest and len(rest) <= 64
            else None
        )
        known = here is not None and here.allowed
        context = Context(
            update,
            here or _nowhere(update),
            here or _nowhere(update),
            person,
            translator,
            self._clock.now(),
        )
        if link:
            context = replace(context, may_change=await self._is_admin(context))
            return await self._routes.start.opened(
                context, rest, *link, known=known, access=self._rules().access
            )
        if known:
            return (
                await self._routes.start.welcome(context)
                if update.address > 0
                else await self._routes.start.greet(context, "/start", "")
            )
        if (
            command
            and admitted(self._rules().access, person.role)
            and (update.address > 0 or await self._is_admin(context))
        ):
            return await self._routes.start.let_in(context)
        if update.press:
            return Reply(toast=translator.gettext("This chat has no access to this bot."))
        if command == "/start" and rest:
            return say(
                translator.gettext(
                    "This link was used already, or is too old. Restart newsbell; a "
                    "new one is printed in its terminal."
                )
            )
        return _stranger(update, command, translator, self._rules().access)

    def _membership_change(self, update: Incoming, here: Chat | None, person: Person) -> Reply:
        """The bot was thrown out, or let in."""
        if update.event is Event.CLOSED:
            return Reply(changes=(SetPaused("the bot was blocked or removed."),) if here else ())
        changes: tuple[Change, ...] = (SetPaused(""),) if here else ()
        if (
            update.address < 0
            and (here is None or not here.allowed)
            and admitted(self._rules().access, person.role)
        ):
            changes = (
                *changes,
                AllowChat(),
                *(
                    (SetRole(person.user_id, Role.USER, update.user_name),)
                    if person.role is Role.STRANGER
                    else ()
                ),
            )
        return Reply(changes=changes)

    async def _pressed(self, context: Context, screen: Screen | None) -> Reply:
        """A button. Who may not use it is told so, and nothing else happens."""
        word = context.update.press
        _, colon, rest = word.partition(":")
        if not colon:
            if word not in self._routes.presses:
                return Reply(toast=context.translator.gettext("This button no longer works."))
            permission, command = self._routes.presses[word]
            return await self._refused(context, permission) or await command(
                await self._allowed(context), word, ""
            )
        if screen is None or screen.name not in self._routes.screens:
            return Reply(
                toast=context.translator.gettext("This button is too old. Send the command again.")
            )
        handler = self._routes.screens[screen.name]
        return await self._refused(
            context, handler.permission(screen, rest)
        ) or await handler.pressed(await self._allowed(context), screen, rest)

    async def _written(
        self, context: Context, screen: Screen | None, command: str, rest: str
    ) -> Reply:
        if not command:
            return await self._answered(context, screen)
        if command not in self._routes.commands:
            if context.update.address > 0:
                return say(
                    context.translator.gettext(
                        "Unknown command {command}. All commands: /help",
                        command=cut(command, 40),
                    )
                )
            return Reply()  # in a group it is probably another bot's
        permission, action = self._routes.commands[command]
        return await self._refused(context, permission) or await action(
            await self._allowed(context), command, rest
        )

    async def _answered(self, context: Context, screen: Screen | None) -> Reply:
        """Words without a command: what a screen waits for, else, in a private chat, something to begin with."""
        update = context.update
        if screen and screen.name in self._routes.screens:
            handler = self._routes.screens[screen.name]
            refused = await self._refused(context, handler.permission(screen, ""))
            return refused or _no_longer_waiting(
                await handler.answered(await self._allowed(context), screen, update.text)
            )
        return (
            await self._routes.unasked(context, "", update.text) if update.address > 0 else Reply()
        )

    async def _refused(self, context: Context, permission: Permission) -> Reply | None:
        """What is said to who may not; None for who may."""
        chat_type = _chat_type(context)
        needed = chat_type is not ChatType.PRIVATE and (
            permission is Permission.CHANGE or chat_type is ChatType.CHANNEL
        )
        chat_admin = (
            await self._is_admin(context) if needed or context.chat.id != context.here.id else False
        )
        why = denial_reason(
            permission,
            context.person.role,
            chat_type,
            allowed=context.here.allowed and context.chat.allowed,
            chat_admin=chat_admin,
        )
        if why is None and context.chat.id != context.here.id and not chat_admin:
            why = DenialReason.NOT_CHAT_ADMIN
        if why is None:
            return None
        text = _why_not(why, context.translator)
        return Reply(toast=text) if context.update.press else say(text) if text else Reply()

    async def _allowed(self, context: Context) -> Context:
        """The turn with what this person may do in the chat, for what shows more to who may more."""
        return (
            context
            if _chat_type(context) is ChatType.PRIVATE
            else replace(context, may_change=await self._is_admin(context))
        )

    async def _is_admin(self, context: Context) -> bool:
        if context.chat.id == context.here.id and context.update.may_change:
            return True
        return bool(context.update.user_id) and await self._members.is_admin(
            context.chat.address, context.update.user_id
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


def _handled(reply: Reply, chat: Chat | None) -> UpdateResult:
    changed = any(isinstance(change, SUBSCRIPTION_CHANGES) for change in reply.changes)
    wide = any(isinstance(change, WIDE_CHANGES) for change in reply.changes)
    hours = any(isinstance(change, SetSettings) for change in reply.changes)
    busy = reply.screen is not None and bool(reply.screen.values.get("busy"))
    return UpdateResult(changed, chat.id if chat and not wide else None, reply.toast, hours, busy)


def _no_longer_waiting(reply: Reply) -> Reply:
    """Words that a screen took are not waited for once more, whichever message shows what came of them."""
    return (
        replace(reply, screen=replace(reply.screen, expects=reply.screen.expects or "-"))
        if reply.screen
        else reply
    )


def _fitting(reply: Reply, context: Context) -> Reply:
    """What is said for another chat says for which, and its screen remembers it; what is shown for a moment is short."""
    message = reply.message
    if message and context.chat.id != context.here.id and not reply.changes:
        message = headed(message, f"📣 {context.chat.name}")
    screen = reply.screen
    if screen and context.chat.id != context.here.id:
        screen = replace(screen, values={**screen.values, _FOR: context.chat.id})
    return replace(reply, message=message, screen=screen, toast=cut(reply.toast, TOAST))


def _chat_type(context: Context) -> ChatType:
    if context.here.address > 0:
        return ChatType.PRIVATE
    return ChatType.CHANNEL if context.update.channel else ChatType.GROUP


def _nowhere(update: Incoming) -> Chat:
    """A chat that the store does not know yet."""
    return Chat(0, update.title, ChatKind.TELEGRAM, update.address, update.topic, allowed=False)


def _language(update: Incoming) -> str | None:
    code = update.language.partition("-")[0].lower()
    return code if code in LANGUAGES else None


def _why_not(why: DenialReason, translator: Translator) -> str:
    match why:
        case DenialReason.NOT_CHAT_ADMIN:
            return only_admins(translator)
        case DenialReason.NOT_OPERATOR:
            return translator.gettext("Only the operators of this bot can do that.")
        case DenialReason.NOT_HERE:
            return translator.gettext("This works only in a private chat with me.")
        case DenialReason.STRANGER:
            return translator.gettext("This chat has no access to this bot.")
        case DenialReason.BLOCKED:
            return ""


def _slower(translator: Translator) -> str:
    return translator.gettext("Too many requests. Wait a minute.")


def _judged(update: Incoming, here: Chat | None) -> Reply:
    """A reaction to a message of ours says whether the alert was welcome."""
    if here is None or not here.allowed or update.reply_to is None:
        return Reply()
    first = (update.reaction or "")[:1]
    verdict = 1 if first in _GLAD else -1 if first in _SORRY else 0
    return Reply(changes=(RateAlert(update.reply_to, verdict),))


def _stranger(update: Incoming, command: str, translator: Translator, access: Access) -> Reply:
    if update.address < 0 and command not in {"/start", "/subscribe"}:
        return Reply()
    if access is not Access.PRIVATE:
        return say(
            translator.gettext("This bot is by invitation only. Ask its operator for a link.")
        )
    topic = f", topic: {update.topic}" if update.topic else ""
    entry = f"chats:\n  my-chat: {{telegram: {update.address}{topic}}}"
    text = (
        translator.gettext(
            "This bot is private. Ask its operator for access; they can paste this into feeds.yaml:"
        )
        + "\n\n"
    )
    return Reply(
        Message(text + entry, (Entity("pre", len(text.encode("utf-16-le")) // 2, len(entry)),))
    )
