"""What operators do from their private chat.

People, access requests, invitations, undelivered messages, broadcasts.
"""

import secrets
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

from bot.chat.access import OPERATORS, Permission
from bot.chat.callbacks import Callback, button
from bot.chat.context import PAGE, Context, StaticScreen, back_button, in_rows, page_buttons, show
from bot.chat.replies import list_changed, unknown_button
from bot.chat.services import AdminService
from bot.delivery.composer import Composer
from bot.i18n.catalog import Translator
from bot.model.chat_events import (
    AllowChat,
    Broadcast,
    Change,
    ExpectedInput,
    Person,
    Reply,
    RetryDead,
    RetryFeeds,
    Role,
    Screen,
    SetRole,
    StoreToken,
    Tell,
)
from bot.model.chats import Chat, ChatKind, ChatSettings, TokenPurpose
from bot.model.delivery import DeliveryState
from bot.model.message import Button, Message
from bot.model.status import Status
from bot.ports import ChatStore, Members
from bot.text.clean import cut, plain

INVITATION_HOURS = 72  #: for how long an invitation can be used
_BROADCAST_LENGTH = 3000  # characters
_DEAD_SHOWN = 10  # undelivered messages that are listed


class AdminAction(StrEnum):
    """What the buttons of /admin do."""

    HOME = "home"
    PEOPLE = "people"
    PAGE = "page"  #: of people
    PERSON = "person"  #: value: the person's number
    BLOCK = "block"
    UNBLOCK = "unblock"
    PROMOTE = "promote"
    DEMOTE = "demote"
    REQUESTS = "knocking"
    ALLOW = "let"  #: value: the chat's number
    LET_IN = "in"  #: the chat of a notice
    REFUSE = "refuse"
    DEAD = "dead"
    RETRY = "retry"
    RETRY_FEEDS = "poll"
    WRITE = "tell"  #: a broadcast
    SEND = "send"  #: it
    INVITE = "invite"


_ROLES = {
    AdminAction.BLOCK: Role.BLOCKED,
    AdminAction.UNBLOCK: Role.USER,
    AdminAction.PROMOTE: Role.ADMIN,
    AdminAction.DEMOTE: Role.USER,
}


class Admin(StaticScreen):
    """The command /admin."""

    actions = AdminAction

    def __init__(
        self,
        store: ChatStore,
        members: Members,
        admin: AdminService,
        translator: Callable[[ChatSettings], Translator],
    ) -> None:
        self._store, self._members, self._admin = store, members, admin
        self._translator = translator

    def permission(self, _screen: Screen, callback: Callback | None, /) -> Permission:
        """Return that only owners make operators."""
        owns = callback and callback.action in {AdminAction.PROMOTE, AdminAction.DEMOTE}
        return Permission.OWN if owns else Permission.OPERATE

    async def overview(self, context: Context, _argument: str) -> Reply:
        """/admin: show the load and what waits for a decision. Raises StoreError."""
        return await self._overview(context, Screen("admin"))

    async def _overview(
        self, context: Context, screen: Screen, *, edit: bool = False, allowed: int = 0
    ) -> Reply:
        """Show it as it is after `allowed` more requests are granted."""
        translator, status = context.translator, await self._admin.status()
        people, requests = await self._store.people(), await self._store.access_requests()
        waiting = sum(queued for _, queued, _ in status.chats)
        chats = sum(chat.allowed for chat, _, _ in status.chats)
        failing = sum(bool(feed.state.failures) for feed in status.feeds)
        dead = _undelivered_count(status)
        lines = [
            translator.ngettext("{number} person", "{number} people", len(people))
            + ", "
            + translator.ngettext("{number} chat", "{number} chats", chats),
            translator.ngettext("{number} feed", "{number} feeds", len(status.feeds))
            + ", "
            + translator.ngettext("{number} failing", "{number} failing", failing),
            translator.ngettext(
                "{number} subscription", "{number} subscriptions", status.subscriptions
            ),
            translator.ngettext("{number} message queued", "{number} messages queued", waiting),
            translator.ngettext(
                "{number} undeliverable message", "{number} undeliverable messages", dead
            ),
        ]
        asking = translator.gettext("Requests") + f" ({len(requests) - allowed})"
        rows = [
            [
                button(translator.gettext("People"), AdminAction.PEOPLE),
                button(asking, AdminAction.REQUESTS),
            ],
            [
                button(translator.gettext("Undelivered"), AdminAction.DEAD),
                button(translator.gettext("Broadcast"), AdminAction.WRITE),
            ],
            [
                button(translator.gettext("Invite someone"), AdminAction.INVITE),
                button("⟳", AdminAction.HOME),
            ],
        ]
        if failing:
            retry = button(translator.gettext("Try failing feeds"), AdminAction.RETRY_FEEDS)
            rows.append([retry])
        return show(Message("\n".join(lines)), _idle(screen), *rows, edit=edit)

    async def _overview_or_retry(
        self, context: Context, screen: Screen, callback: Callback
    ) -> Reply:
        """Show the overview anew; before that, have failing feeds polled where that is asked."""
        reply = await self._overview(context, screen, edit=True)
        if callback.action != AdminAction.RETRY_FEEDS:
            return reply
        toast = context.translator.gettext("newsbell tries the failing feeds now.")
        return replace(reply, changes=(RetryFeeds(),), toast=toast)

    async def press(  # noqa: C901, PLR0912 (one case an action)
        self, context: Context, screen: Screen, callback: Callback
    ) -> Reply:
        """Handle a button of the overview or of a list. Raises StoreError."""
        bare = replace(screen, expects=ExpectedInput.NOTHING)
        match callback.action:
            case AdminAction.PEOPLE | AdminAction.PAGE:
                return await self._people(context, bare, callback.number)
            case AdminAction.PERSON:
                return await self._person(context, bare, callback.number)
            case AdminAction.REQUESTS:
                return await self._requests(context, bare)
            case AdminAction.ALLOW:
                return await self._allow(context, bare, callback.number)
            case AdminAction.LET_IN | AdminAction.REFUSE as action:
                return await self._decide(context, bare, let_in=action is AdminAction.LET_IN)
            case AdminAction.DEAD:
                return await self._undelivered(context, bare)
            case AdminAction.RETRY:
                return await self._retry(context, bare)
            case AdminAction.RETRY_FEEDS | AdminAction.HOME:
                return await self._overview_or_retry(context, screen, callback)
            case AdminAction.WRITE:
                return self._write_broadcast(context, screen)
            case AdminAction.SEND:
                return await self._broadcast(context, screen)
            case AdminAction.INVITE:
                return await self._invite(context)
            case _ if screen.values.get("person"):
                return await self._set_role(context, bare, AdminAction(callback.action))
            case _:
                return unknown_button(context)

    def _write_broadcast(self, context: Context, screen: Screen) -> Reply:
        text = context.translator.gettext("Send the message to broadcast.")
        waiting = replace(screen, values={}, expects=ExpectedInput.BROADCAST)
        return show(Message(text), waiting, [_home_button(context)], edit=True)

    async def read_input(self, context: Context, screen: Screen, text: str) -> Reply:
        """Show a broadcast before it is sent. Raises StoreError."""
        translator, chats = context.translator, await self._recipients()
        lead = translator.ngettext(
            "This goes to {number} chat:", "This goes to {number} chats:", len(chats)
        )
        text = cut(text, _BROADCAST_LENGTH)
        composer = Composer().add(f"{lead}\n\n").add(text)
        send = [button(translator.gettext("Send"), AdminAction.SEND), _home_button(context)]
        preview = replace(screen, id=0, values={"text": text}, expects=ExpectedInput.NOTHING)
        return show(composer.message(), preview, send)

    async def _broadcast(self, context: Context, screen: Screen) -> Reply:
        text = str(screen.values.get("text", ""))
        if not text:
            return self._write_broadcast(context, screen)
        chats = await self._recipients()
        sent = context.translator.ngettext(
            "Sent to {number} chat.", "Sent to {number} chats.", len(chats)
        )
        reply = show(Message(sent), _idle(screen), [_home_button(context)], edit=True)
        return replace(reply, changes=(Broadcast(text, tuple(chat.id for chat in chats)),))

    async def _recipients(self) -> list[Chat]:
        return [
            chat
            for chat, _, _ in (await self._admin.status()).chats
            if chat.kind is ChatKind.TELEGRAM and chat.allowed and not chat.paused
        ]

    async def _invite(self, context: Context) -> Reply:
        token = f"i-{secrets.token_urlsafe(18)}"
        text = context.translator.gettext(
            "Invitation for one person, valid {hours} hours:",
            hours=INVITATION_HOURS,
        )
        link = await self._members.link(token)
        return Reply(
            Message(f"{text}\n{link}"),
            (StoreToken(token, TokenPurpose.INVITE, hours=INVITATION_HOURS),),
        )

    async def _people(
        self, context: Context, screen: Screen, page: int, changed: Person | None = None
    ) -> Reply:
        """Show a page of them; `changed` is shown as that person is from now on."""
        translator = context.translator
        people = [
            changed if changed and person.user_id == changed.user_id else person
            for person in await self._store.people()
        ]
        first = page * PAGE
        buttons = [
            button(
                f"{cut(plain(person.name) or str(person.user_id), 24)} · "
                f"{role_name(person.role, translator)}",
                AdminAction.PERSON,
                person.user_id,
            )
            for person in people[first : first + PAGE]
        ]
        text = translator.ngettext("{number} person", "{number} people", len(people))
        return show(
            Message(text),
            replace(screen, values={}),
            *in_rows(buttons, 1),
            page_buttons(context, AdminAction.PAGE, page, len(people)),
            [_home_button(context)],
            edit=True,
        )

    async def _find_person(self, number: int) -> Person | None:
        people = await self._store.people()
        return next((person for person in people if person.user_id == number), None)

    async def _person(self, context: Context, screen: Screen, number: int) -> Reply:
        translator, person = context.translator, await self._find_person(number)
        if person is None:
            return list_changed(context)
        role = role_name(person.role, translator)
        text = f"{cut(plain(person.name) or '–', 60)}\n{person.user_id} · {role}"
        return show(
            Message(text),
            replace(screen, values={"person": number}),
            _role_buttons(context, person),
            [back_button(context, AdminAction.PEOPLE)],
            edit=True,
        )

    async def _set_role(self, context: Context, screen: Screen, action: AdminAction) -> Reply:
        translator = context.translator
        person = await self._find_person(int(screen.values["person"]))
        if person is None or person.role is Role.OWNER or person.user_id == context.person.user_id:
            return Reply(toast=translator.gettext("That cannot be changed here."))
        if person.role in OPERATORS and context.person.role is not Role.OWNER:
            return Reply(toast=translator.gettext("Only the owner can do that."))
        role = _ROLES[action]
        changes: tuple[Change, ...] = (SetRole(person.user_id, role),)
        chat = await self._store.chat_at(person.user_id, 0)
        if role is not Role.BLOCKED and chat is not None and not chat.allowed:
            changes = (*changes, AllowChat(chat.id))
        reply = await self._people(context, screen, 0, replace(person, role=role))
        return replace(reply, changes=changes, toast=translator.gettext("Changed."))

    async def _allow(self, context: Context, screen: Screen, number: int) -> Reply:
        requests = await self._store.access_requests()
        chat = next((chat for chat in requests if chat.id == number), None)
        if chat is None:
            return await self._requests(context, screen)
        reply = await self._overview(context, screen, edit=True, allowed=1)
        toast = context.translator.gettext("Access granted.")
        return replace(reply, changes=self._granted(chat), toast=toast)

    def _granted(self, chat: Chat) -> tuple[Change, ...]:
        """Let a chat in, and tell it so in its language."""
        translator = self._translator(chat.settings)
        text = translator.gettext("You have access now. To begin: /start")
        changes: tuple[Change, ...] = (AllowChat(chat.id), Tell(chat.id, Message(text)))
        if chat.address > 0:
            changes = (*changes, SetRole(chat.address, Role.USER, chat.name))
        return changes

    async def _decide(self, context: Context, screen: Screen, *, let_in: bool) -> Reply:
        """Let in or refuse the chat that a notice names."""
        translator, address = context.translator, int(screen.values.get("address", 0))
        name = str(screen.values.get("name", ""))
        requests = await self._store.access_requests()
        chat = next((chat for chat in requests if chat.address == address), None)
        done = _idle(screen)
        if chat is None:
            text = translator.gettext("{name}: somebody has decided about this.", name=name)
            return show(Message(text), done, edit=True)
        if let_in:
            text = translator.gettext("{name} has access.", name=name)
            return replace(show(Message(text), done, edit=True), changes=self._granted(chat))
        text = translator.gettext("{name} was refused. To undo: /admin", name=name)
        refused = (
            SetRole(address, Role.BLOCKED, name)
            if address > 0
            else AllowChat(chat.id, allowed=False)
        )
        return replace(show(Message(text), done, edit=True), changes=(refused,))

    async def _requests(self, context: Context, screen: Screen) -> Reply:
        translator, requests = context.translator, await self._store.access_requests()
        bare, home = replace(screen, values={}), [_home_button(context)]
        if not requests:
            none = translator.gettext("No requests.")
            return show(Message(none), bare, home, edit=True)
        rows = [
            [button(f"✓ {cut(plain(chat.name), 30)} ({chat.address})", AdminAction.ALLOW, chat.id)]
            for chat in requests[:PAGE]
        ]
        text = translator.gettext("Who may use the bot?")
        return show(Message(text), bare, *rows, home, edit=True)

    async def _undelivered(self, context: Context, screen: Screen) -> Reply:
        translator, dead = context.translator, await self._admin.dead()
        bare = replace(screen, values={})
        if not dead:
            none = translator.gettext("No undeliverable messages.")
            return show(Message(none), bare, [_home_button(context)], edit=True)
        lead = translator.ngettext(
            "{number} undeliverable message",
            "{number} undeliverable messages",
            _undelivered_count(await self._admin.status()),
        )
        composer = Composer().add(lead)
        for row in dead[:_DEAD_SHOWN]:
            composer.add(f"\n• {cut(plain(row.chat), 40)}: ")
            composer.add_marked(cut(row.title, 80), (), "bold").add(f" – {cut(row.error, 100)}")
        retry = button(translator.gettext("Send again"), AdminAction.RETRY)
        return show(composer.message(), bare, [retry, _home_button(context)], edit=True)

    async def _retry(self, context: Context, screen: Screen) -> Reply:
        if not await self._admin.dead():
            return await self._undelivered(context, screen)
        reply = await self._overview(context, screen, edit=True)
        toast = context.translator.gettext("Sending again.")
        return replace(reply, changes=(RetryDead(),), toast=toast)


def _undelivered_count(status: Status) -> int:
    states = (DeliveryState.DEAD, DeliveryState.UNKNOWN)
    return sum(status.deliveries.get(state, 0) for state in states)


def _idle(screen: Screen) -> Screen:
    return replace(screen, values={}, expects=ExpectedInput.NOTHING)


def _home_button(context: Context) -> Button:
    return back_button(context, AdminAction.HOME)


def _role_buttons(context: Context, person: Person) -> list[Button]:
    """Return what may be done about a person."""
    translator = context.translator
    if person.user_id == context.person.user_id or person.role is Role.OWNER:
        return []
    if person.role is Role.BLOCKED:
        return [button(translator.gettext("Unblock"), AdminAction.UNBLOCK)]
    buttons = [button(translator.gettext("Block"), AdminAction.BLOCK)]
    if context.person.role is Role.OWNER:
        buttons.append(
            button(translator.gettext("Remove as operator"), AdminAction.DEMOTE)
            if person.role is Role.ADMIN
            else button(translator.gettext("Make operator"), AdminAction.PROMOTE)
        )
    return buttons


def role_name(role: Role, translator: Translator) -> str:
    """Return the display name of a role."""
    match role:
        case Role.OWNER:
            return translator.gettext("owner")
        case Role.ADMIN:
            return translator.gettext("operator")
        case Role.USER:
            return translator.gettext("user")
        case Role.BLOCKED:
            return translator.gettext("blocked")
        case Role.STRANGER:
            return translator.gettext("no access")
