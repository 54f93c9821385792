"""Take one update to its handler, and have its reply stored once. No Telegram library, no SQL.

    store.chat_at, store.person | admission, or router.resolve and guard.run | store.answer

Changes, reply and the update's number are stored in one transaction; the outbox sends the reply.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

from bot.chat import postponed
from bot.chat.access import ChatType, Permission
from bot.chat.command_quota import CommandQuota, GroupQuota
from bot.chat.context import Context, headed, language_of, text_reply
from bot.chat.guard import Guard, Route
from bot.chat.handlers import questions
from bot.chat.handlers.admission import Admission
from bot.chat.postponed import Postponed
from bot.chat.router import Router
from bot.i18n.catalog import Translator
from bot.model.chat_events import (
    SUBSCRIPTION_CHANGES,
    WIDE_CHANGES,
    AlertAction,
    ChatUpdate,
    Command,
    ExpectedInput,
    HandledUpdate,
    LinkChannel,
    ManageChat,
    Membership,
    Person,
    Press,
    RateAlert,
    Reaction,
    Reply,
    Role,
    Screen,
    ScreenTask,
    SetPaused,
    Text,
    TopicOpened,
    WrittenMessage,
)
from bot.model.chats import Chat, ChatSettings
from bot.model.message import MENTION, Message
from bot.ports import ChatStore, Clock
from bot.text.clean import cut

TOAST = 200  #: characters that a person is shown for a moment
_SCREEN_DIGITS = 15
_PERSONAL = frozenset({"/web"})  # each person who writes it in a group asks for something else
_FAILED = "failed"  # a value of a screen that was given what it could not read
_PRAISE = frozenset("👍❤🔥👏🎉🙏👌💯😁🤩⚡🏆")
_COMPLAINT = frozenset("👎🤮💩🤬🥱😡🤡🥴🖕")


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """What an update led to."""

    changed: bool  #: subscriptions, or what decides about them, have changed
    chat_id: int | None  #: of this chat only; None: perhaps of others
    toast: str = ""  #: for the person who pressed a button
    has_task: bool = False  #: a screen waits for a task


class Dispatcher:
    """Handles the updates of all chats."""

    def __init__(
        self,
        store: ChatStore,
        clock: Clock,
        router: Router,
        guard: Guard,
        admission: Admission,
        quota: CommandQuota,
        translator: Callable[[ChatSettings], Translator],
    ) -> None:
        self._store, self._clock, self.router, self._guard = store, clock, router, guard
        self._admission, self._quota, self._translator = admission, quota, translator
        self._postponed, self._group_quota = Postponed(), GroupQuota()

    async def handle(self, update: ChatUpdate) -> UpdateResult:
        """Handle one update. Raises StoreError, and then nothing of it is stored."""
        chat = await self._store.chat_at(update.address, update.topic)
        person = await self._store.person(update.user_id) if update.user_id else Person(0)
        reply, target = await self._reply(update, chat, person)
        if (
            chat is not None
            and chat.paused
            and _is_spoken(update)
            and (reply.message or reply.screen)
        ):
            reply = replace(reply, changes=(SetPaused(""), *reply.changes))
        other = target.id if target and chat and target.id != chat.id else None
        handled = HandledUpdate(update, chat, reply, other)
        if await self._store.answer(handled, self._clock.now()):
            if chat and reply.screen and reply.screen.task is ScreenTask.WORK:
                self._postponed.add(chat.id)
            return _result(reply, target)
        # A repeated update: what was answered has changed since, so the reply would be wrong now.
        # Its changes may have been stored without being acted upon, where something failed then.
        return UpdateResult(changed=True, chat_id=None, has_task=True)

    async def run_task(self, chat_id: int, screen: Screen, user_id: int) -> UpdateResult:
        """Run the task of a screen and change its message. Raises StoreError."""
        current = await self._store.chat(chat_id)
        if current is None:
            return UpdateResult(changed=False, chat_id=None)
        if screen.task is ScreenTask.WORK:
            return await self._run_postponed(current, screen)
        update = ChatUpdate(
            update_id=0,
            address=current.address,
            topic=current.topic,
            title=current.name,
            user_id=user_id,
            channel=current.channel,
        )
        person = await self._store.person(user_id)
        context = self._context(update, current, await self._target(current, screen), person)
        idle = replace(screen, task=ScreenTask.NONE)
        reply = await self.router.screens[screen.name].run_task(context, idle)
        reply = _finished(reply, context)
        await self._store.finish(current.id, user_id, idle, reply, self._clock.now())
        return UpdateResult(changed=False, chat_id=None)

    async def _run_postponed(self, current: Chat, screen: Screen) -> UpdateResult:
        """Do what an update asked for, and reply to it. The person's rights are those of now."""
        update = postponed.restored(screen.values)
        person = await self._store.person(update.user_id) if update.user_id else Person(0)
        reply, target = await self._route(update, current, person, postpone=False)
        if reply.message is None and reply.toast and isinstance(update, Press):
            reply = replace(reply, message=Message(reply.toast))  # the press was acknowledged
        other = target.id if target and target.id != current.id else None
        handled = HandledUpdate(update, current, reply, other)
        await self._store.finish_work(handled, screen, self._clock.now())
        self._postponed.done(current.id)
        return _result(reply, target)

    def forget_postponed(self, chat_id: int) -> None:
        """A postponed update failed and is not tried again."""
        self._postponed.done(chat_id)

    async def _reply(
        self, update: ChatUpdate, chat: Chat | None, person: Person
    ) -> tuple[Reply, Chat | None]:
        """Return the reply, and the chat that it is about."""
        if not update.address:
            return Reply(), chat
        if isinstance(update, TopicOpened):
            return Reply(), chat  # that it was opened is all that counts
        if isinstance(update, Membership):
            return self._admission.membership_change(update, chat, person), chat
        if person.role is Role.BLOCKED:
            return self._blocked(update), chat
        if self._quota.exceeded(update, self._clock.now()):
            return self._over_quota(update, chat), chat
        if isinstance(update, Reaction):
            return _rating(update, chat), chat
        opens_link = isinstance(update, Command) and update.name == "/start" and update.argument
        if opens_link or chat is None or not chat.allowed:
            current = chat or self._admission.unknown_chat(update)
            settings = ChatSettings(language=language_of(update)).over(current.settings)
            context = replace(
                self._context(update, current, current, person),
                translator=self._translator(settings),
            )
            return await self._admission.enter(context), chat
        return await self._routed(update, chat, person)

    async def _routed(
        self, update: ChatUpdate, current: Chat, person: Person
    ) -> tuple[Reply, Chat | None]:
        return await self._route(update, current, person, postpone=True)

    async def _route(
        self, update: ChatUpdate, current: Chat, person: Person, *, postpone: bool
    ) -> tuple[Reply, Chat | None]:
        """Handle what a chat with access sends; with `postpone`, later what takes long."""
        update = self._as_meant(update)
        screen = await self._screen(update, current)
        target = await self._managed(update, current, screen)
        context = self._context(update, target, current, person)
        idle = replace(screen, task=ScreenTask.NONE) if screen else None
        route = self.router.resolve(context, idle)
        if postpone and await self._silent(route, context):
            return self._too_many(update), target
        if isinstance(route, Route) and postpone and self._waits(route, context):
            reply = await self._guard.run(replace(route, handle=self._postpone), context)
            return _finished(reply, context), target
        reply = route if isinstance(route, Reply) else await self._guard.run(route, context)
        if isinstance(update, Text) and screen:
            if update.private and reply.screen is None and screen.values.get(_FAILED):
                return await self._unasked(update, current, person), target
            reply = _input_taken(reply, screen, update)
        elif isinstance(update, Command) and isinstance(route, Route):
            reply = replace(reply, ends_input=True)
        return _asking(_finished(reply, context), context), target

    def _as_meant(self, update: ChatUpdate) -> ChatUpdate:
        """Return a regular expression as a text: only at first sight is it a command."""
        if not isinstance(update, Command) or self.router.is_command(update):
            return update
        common = {
            field.name: getattr(update, field.name)
            for field in fields(update)
            if field.name not in {"name", "argument"}
        }
        return Text(**common)

    async def _unasked(self, update: Text, current: Chat, person: Person) -> Reply:
        """Handle what again is no answer to what a screen asked: it is something else."""
        target = await self._managed(update, current, None)
        context = self._context(update, target, current, person)
        route = self.router.resolve(context, None)
        reply = route if isinstance(route, Reply) else await self._guard.run(route, context)
        return _finished(replace(reply, ends_input=True), context)

    async def _silent(self, route: Route | Reply, context: Context) -> bool:
        """Whether a group has had enough replies to those who only read there."""
        update, address = context.update, context.current_chat.address
        if context.chat_type is not ChatType.GROUP or not isinstance(
            update, Command | Text | Press
        ):
            return False
        if isinstance(update, Press) and update.data == AlertAction.CLAIM:
            return False  # no message: the alert says who has the story
        changes = isinstance(route, Route) and route.permission is not Permission.READ
        if isinstance(route, Route) and changes and await self._guard.allows(route, context):
            self._group_quota.changed(address)
            return False
        if isinstance(route, Reply) and not (route.message or route.toast):
            return False  # not for this bot
        question = None
        if isinstance(update, Command):
            argument = str(update.user_id) if update.name in _PERSONAL else update.argument
            question = (update.name, argument, update.reply_to, update.topic)
        return self._group_quota.exceeded(address, question, context.now)

    def _waits(self, route: Route, context: Context) -> bool:
        """Whether a route is postponed: it is slow, or is to come after one that is."""
        written = isinstance(context.update, Command | Text)
        behind = written and self._postponed.waiting(context.current_chat.id) > 0
        return (route.slow or behind) and postponed.can_wait(context.update)

    async def _postpone(self, context: Context) -> Reply:
        """Store the update, to be handled beside those of other chats."""
        if self._postponed.is_full(context.current_chat.id):
            slower = context.translator.gettext("Too many requests. Wait a minute.")
            return Reply(toast=slower) if isinstance(context.update, Press) else Reply()
        values = postponed.stored(context.update)
        return Reply(screen=Screen("postponed", values, task=ScreenTask.WORK))

    def _context(self, update: ChatUpdate, target: Chat, current: Chat, person: Person) -> Context:
        settings = target.settings
        if update.private and target.id == current.id:  # until somebody chooses a language there
            settings = settings.over(ChatSettings(language=language_of(update)))
        translator = self._translator(settings)
        return Context(update, current, target, person, translator, self._clock.now())

    async def _screen(self, update: ChatUpdate, current: Chat) -> Screen | None:
        """Return the screen whose button was pressed, or that waits for the text."""
        if isinstance(update, Press):
            number, is_screen, _ = update.data.partition(":")
            if not is_screen or not number.isdecimal() or len(number) > _SCREEN_DIGITS:
                return None
            return await self._store.screen(current.id, int(number))
        if not isinstance(update, Text):
            return None
        now, reply_to = self._clock.now(), None if update.private else update.reply_to
        if not update.private and reply_to is None:
            return None  # in a group only a reply is meant for the bot
        if update.user_id:
            screen = await self._store.expecting(current.id, update.user_id, now, reply_to)
            return None if screen and _is_forwarded(update, screen) else screen
        if update.is_admin and reply_to is not None:  # who writes as the group or channel itself
            return await self._store.expecting_at(current.id, reply_to, now)
        return None

    async def _managed(self, update: ChatUpdate, current: Chat, screen: Screen | None) -> Chat:
        """Return the chat that the update is about.

        An alert belongs to its own chat, and a screen to the chat for which it was opened,
        whichever chat is managed by now.
        """
        if isinstance(update, Press) or screen:
            return await self._target(current, screen)
        if current.managed_chat is None or self._about_current(update):
            return current
        return await self._store.chat(current.managed_chat) or current

    def _about_current(self, update: ChatUpdate) -> bool:
        if not isinstance(update, Command):
            return False
        route = self.router.commands.get(update.name)
        about_alert = update.name == "/why" and not update.argument and update.reply_to is not None
        return about_alert or (route is not None and route.current_chat)

    async def _target(self, current: Chat, screen: Screen | None) -> Chat:
        if screen is None or screen.target_chat is None:
            return current
        return await self._store.chat(screen.target_chat) or current

    def _over_quota(self, update: ChatUpdate, chat: Chat | None) -> Reply:
        """Return what a person hears who wrote too often: once a minute, in their private chat."""
        if not update.private or chat is None or not chat.allowed:
            return self._too_many(update)
        if not isinstance(update, WrittenMessage):
            return self._too_many(update)
        if not self._quota.is_told(update, self._clock.now()):
            return Reply()
        settings = chat.settings.over(ChatSettings(language=language_of(update)))
        return text_reply(self._translator(settings).gettext("Too many requests. Wait a minute."))

    def _too_many(self, update: ChatUpdate) -> Reply:
        if not isinstance(update, Press):
            return Reply()
        translator = self._translator(ChatSettings(language=language_of(update)))
        return Reply(toast=translator.gettext("Too many requests. Wait a minute."))

    def _blocked(self, update: ChatUpdate) -> Reply:
        if not isinstance(update, Press):
            return Reply()
        translator = self._translator(ChatSettings(language=language_of(update)))
        return Reply(toast=translator.gettext("You have no access to this bot."))


def _is_spoken(update: ChatUpdate) -> bool:
    """Whether a person did something in the chat, so that the bot can speak there again."""
    return bool(update.address) and not isinstance(update, Membership | TopicOpened)


def _result(reply: Reply, target: Chat | None) -> UpdateResult:
    changed = any(isinstance(change, SUBSCRIPTION_CHANGES) for change in reply.changes)
    wide = any(isinstance(change, WIDE_CHANGES) for change in reply.changes)
    has_task = reply.screen is not None and reply.screen.task is not ScreenTask.NONE
    chat_id = target.id if target and not wide else None
    return UpdateResult(changed, chat_id, reply.toast, has_task)


def _is_forwarded(update: Text, screen: Screen) -> bool:
    """Whether a text was forwarded, which answers nothing, but can be passed on to all."""
    return bool(update.forwarded_from) and screen.expects is not ExpectedInput.BROADCAST


def _input_taken(reply: Reply, screen: Screen, update: Text) -> Reply:
    """Return the reply so that the input is not waited for again, whatever its screen says.

    What could not be read may be sent once more; in a private chat, where each text may be meant
    for something else, only what can be read is taken then.
    """
    if questions.asked_command(screen):
        return replace(reply, ends_input=True, answered=screen.id)
    shown = reply.screen
    if shown is None:
        failed = replace(screen, values={**screen.values, _FAILED: True})
        return replace(reply, screen=failed) if update.private else reply
    if shown.id != screen.id:
        reply = replace(reply, answered=screen.id)
    if shown.expects is not ExpectedInput.NOTHING:
        return reply
    return replace(reply, screen=replace(shown, expects=ExpectedInput.CANCEL))


def _finished(reply: Reply, context: Context) -> Reply:
    """Return the reply with the name of the chat that it is about, where that is another one."""
    message, screen = reply.message, reply.screen
    leaves = any(isinstance(change, ManageChat | LinkChannel) for change in reply.changes)
    if message and context.manages_other and not leaves:
        message = headed(message, f"📣 {context.chat.name}")
    if screen:
        target = context.chat.id if context.manages_other else None
        screen = replace(screen, target_chat=target)
    return replace(reply, message=message, screen=screen, toast=cut(reply.toast, TOAST))


def _asking(reply: Reply, context: Context) -> Reply:
    """Return the reply so that it can be answered where newsbell sees only replies to it.

    In a group, a question without choices is a message of its own, to which the client of the
    person who is asked opens a reply.
    """
    message, screen, update = reply.message, reply.screen, context.update
    waits = screen and screen.expects not in {ExpectedInput.NOTHING, ExpectedInput.CANCEL}
    if not waits or message is None or screen is None or context.chat_type is ChatType.PRIVATE:
        return reply
    hint = context.translator.gettext("Answer by replying to this message.")
    message = replace(message, text=f"{message.text}\n\n{hint}")
    if context.chat_type is ChatType.CHANNEL or sum(map(len, message.buttons)) > 1:
        return replace(reply, message=message)
    if isinstance(update, Press):
        name = update.user_name or str(update.user_id)
        message = headed(message, name, "text_mention", f"{MENTION}{update.user_id}")
    asking = replace(message, buttons=(), asks=True)
    return replace(reply, message=asking, screen=replace(screen, id=0), edit=False)


def _rating(reaction: Reaction, chat: Chat | None) -> Reply:
    """Return whether a reaction to a message says that the alert was welcome."""
    if chat is None or not chat.allowed or reaction.reply_to is None:
        return Reply()
    first = reaction.emoji[:1]
    rating = 1 if first in _PRAISE else -1 if first in _COMPLAINT else 0
    return Reply(changes=(RateAlert(reaction.reply_to, rating),))
