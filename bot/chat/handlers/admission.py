"""Who may use the bot: links that are opened, chats that are not admitted yet, joining and leaving.

Decides by `access`; what operators do about it is `admin`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.chat.access import Access, admitted
from bot.chat.callbacks import button
from bot.chat.context import Context, language_of, text_reply
from bot.chat.guard import Guard, only_admins
from bot.chat.handlers.admin import AdminAction
from bot.chat.handlers.start import Start
from bot.chat.handlers.subscriber import Subscriber
from bot.chat.services import ChatConfig
from bot.i18n.catalog import Translator
from bot.model.chat_events import (
    AllowChat,
    Change,
    ChatUpdate,
    Command,
    Membership,
    Person,
    Press,
    Reply,
    Role,
    Screen,
    SetPaused,
    SetRole,
    SetSettings,
    Tell,
    UseToken,
)
from bot.model.chats import Chat, ChatKind, ChatSettings, TokenPurpose
from bot.model.message import Entity, Message
from bot.ports import ChatStore
from bot.text.clean import cut, plain

_TOKEN_LENGTH = 64  # characters that Telegram passes on from a link
_REQUESTS = 20  # open requests, after which operators are told of no other


class Admission:
    """Replies to whoever is not admitted, and to those who open a link."""

    def __init__(
        self,
        store: ChatStore,
        guard: Guard,
        start: Start,
        subscriber: Subscriber,
        config: Callable[[], ChatConfig],
        translator: Callable[[ChatSettings], Translator],
    ) -> None:
        self._store, self._guard, self._start = store, guard, start
        self._subscriber, self._config = subscriber, config
        self._translator = translator

    @staticmethod
    def unknown_chat(update: ChatUpdate) -> Chat:
        """Return a chat that the store does not know yet."""
        return Chat(0, update.title, ChatKind.TELEGRAM, update.address, update.topic, allowed=False)

    def membership_change(self, update: Membership, chat: Chat | None, person: Person) -> Reply:
        """The bot was blocked and removed, or let into a chat."""
        if not update.joined:
            return Reply(changes=(SetPaused("the bot was blocked or removed."),) if chat else ())
        changes: tuple[Change, ...] = (SetPaused(""),) if chat else ()
        is_new = not update.private and (chat is None or not chat.allowed)
        if is_new and admitted(self._config().access, person.role):
            changes = (*changes, *_entering(update, person, self._config().access))
        return Reply(changes=changes)

    async def enter(self, context: Context) -> Reply:
        """Handle a link, or whatever a chat that is not admitted sends. Raises StoreError."""
        update, translator = context.update, context.translator
        command = update if isinstance(update, Command) else None
        token = command.argument if command and command.name == "/start" else ""
        link = None
        if token and len(token) <= _TOKEN_LENGTH:
            link = await self._store.token(token, context.now)
        if link:
            context = replace(context, may_change=await self._guard.is_admin(context))
            return await self._open(context, token, *link)
        if context.current_chat.allowed:
            return await self._start.greet(context, "")
        if command and await self._may_enter(context):
            greeting = await self._start.greet(context, "")
            entering = _entering(update, context.person, self._config().access)
            return replace(greeting, changes=(*entering, *greeting.changes))
        if isinstance(update, Press):
            return Reply(toast=translator.gettext("This chat has no access to this bot."))
        if token:
            return text_reply(
                translator.gettext(
                    "This link was used already, or is too old. Restart newsbell; a new one is "
                    "printed in its terminal."
                )
            )
        return await self._stranger(context, command.name if command else "")

    async def _may_enter(self, context: Context) -> bool:
        if not admitted(self._config().access, context.person.role):
            return False
        return context.update.private or await self._guard.is_admin(context)

    async def _open(
        self, context: Context, token: str, purpose: TokenPurpose, values: Mapping[str, Any]
    ) -> Reply:
        """Handle a link that is good."""
        translator, update = context.translator, context.update
        if purpose is TokenPurpose.SHARE:
            return await self._subscribe_shared(context, values)
        if not update.private:
            claim = translator.gettext("Open this link in a private chat with me.")
            invitation = translator.gettext("Open the invitation in a private chat with me.")
            return text_reply(claim if purpose is TokenPurpose.CLAIM else invitation)
        if purpose is TokenPurpose.CLAIM:
            return self._claim(context, token)
        if context.current_chat.allowed:
            return await self._start.greet(context, "")
        entering = _entering(update, context.person)
        changes = (UseToken(token), *entering, *_language_change(context))
        return replace(self._start.greeting(context), changes=changes)

    def _claim(self, context: Context, token: str) -> Reply:
        update = context.update
        text = context.translator.gettext(
            "Welcome. You are now the operator of this bot; its notices come to this chat. "
            "To manage it: /admin"
        )
        changes: tuple[Change, ...] = (
            UseToken(token),
            SetRole(update.user_id, Role.OWNER, update.user_name or update.title),
            AllowChat(operator=True),
            *_language_change(context),
        )
        return replace(self._start.greeting(context, lead=text), changes=changes)

    async def _subscribe_shared(self, context: Context, values: Mapping[str, Any]) -> Reply:
        """Subscribe to a shared query in one tap."""
        changes: tuple[Change, ...] = ()
        refused = not context.update.private and not context.may_change
        if context.current_chat.allowed:
            if refused:
                return text_reply(only_admins(context.translator))
        elif refused or not admitted(self._config().access, context.person.role):
            return text_reply(
                context.translator.gettext("This bot is private. Ask its operator for access.")
            )
        else:
            entering = _entering(context.update, context.person, self._config().access)
            changes = (*entering, *_language_change(context))
        feeds = [str(selector) for selector in values.get("feeds", ())]
        reply = await self._subscriber.subscribe(context, str(values["query"]), feeds=feeds)
        return replace(reply, changes=(*changes, *reply.changes))

    async def _stranger(self, context: Context, command: str) -> Reply:
        update, translator = context.update, context.translator
        if not update.private and command not in {"/start", "/subscribe"}:
            return Reply()
        operators = await self._store.operator_chats()
        if operators:
            told = translator.gettext(
                "This bot is private. Its operator knows now that you ask for access; you get a "
                "message here once you have it."
            )
            language = _language_change(context) if update.private else ()
            return Reply(Message(told), (*language, *await self._ask(context, operators)))
        if self._config().access is not Access.PRIVATE:
            return text_reply(
                translator.gettext("This bot is by invitation only. Ask its operator for a link.")
            )
        topic = f", topic: {update.topic}" if update.topic else ""
        entry = f"chats:\n  my-chat: {{telegram: {update.address}{topic}}}"
        text = translator.gettext(
            "This bot is private. Ask its operator for access; they can paste this into feeds.yaml:"
        )
        text = f"{text}\n\n"
        offset = len(text.encode("utf-16-le")) // 2
        return Reply(Message(text + entry, (Entity("pre", offset, len(entry)),)))

    async def _ask(self, context: Context, operators: Sequence[Chat]) -> list[Change]:
        """Tell operators who asks for access, once; not of more than they can look through."""
        current, requests = context.current_chat, await self._store.access_requests()
        if len(requests) >= _REQUESTS or any(chat.address == current.address for chat in requests):
            return []
        name = cut(plain(current.name), 60) or str(current.address)
        return [
            _request(chat.id, name, current.address, self._translator(chat.settings))
            for chat in operators
        ]


def _request(operator: int, name: str, address: int, translator: Translator) -> Tell:
    """Return what an operator hears of somebody who asks for access."""
    text = translator.gettext("{name} ({number}) asks for access.", name=name, number=address)
    row = (
        button(translator.gettext("Let in"), AdminAction.LET_IN),
        button(translator.gettext("Refuse"), AdminAction.REFUSE),
    )
    return Tell(
        operator, Message(text, buttons=(row,)), Screen("admin", {"address": address, "name": name})
    )


def _entering(
    update: ChatUpdate, person: Person, access: Access = Access.INVITE
) -> tuple[Change, ...]:
    """Admit the chat, and with it a person who is not known. An operator stays one.

    With `access` open, nobody let them in: they are shut out when that ends.
    """
    openly = access is Access.OPEN and (person.openly or person.role is Role.STRANGER)
    allow = AllowChat(openly=openly)
    if person.role is not Role.STRANGER or not person.user_id:
        return (allow,)
    name = update.user_name or update.title
    return allow, SetRole(person.user_id, Role.USER, name, openly=openly)


def _language_change(context: Context) -> tuple[Change, ...]:
    language = language_of(context.update)
    return (SetSettings(ChatSettings(language=language)),) if language else ()
