"""What operators do from their private chat: who uses this newsbell, who asks to, its load, what was given up, a word to everyone."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.chat.access import OPERATORS, Permission
from bot.chat.context import PAGE, Context, StaticScreen, in_rows, number_in, pages, show
from bot.delivery.render import Composer
from bot.i18n.catalog import Translator
from bot.model.chat_events import (
    AllowChat,
    Broadcast,
    Change,
    Person,
    Reply,
    RetryDead,
    Role,
    Screen,
    SetRole,
    StoreToken,
)
from bot.model.chats import Chat, ChatKind
from bot.model.delivery import DeliveryState, OutboxRow
from bot.model.message import Button, Message
from bot.model.status import Status
from bot.ports import ChatStore, Members
from bot.text.clean import cut

INVITED = 72  #: hours that an invitation is good for


class Operate(StaticScreen):
    """The command /admin."""

    def __init__(
        self,
        store: ChatStore,
        members: Members,
        status: Callable[[], Awaitable[Status]],
        dead: Callable[[], Awaitable[list[OutboxRow]]],
    ) -> None:
        self._store, self._members, self._status, self._dead = store, members, status, dead

    def permission(self, screen: Screen, word: str) -> Permission:  # noqa: ARG002 (by the word alone)
        """Who operates is an owner's matter."""
        return (
            Permission.OWN
            if word.partition(" ")[0] in {"promote", "demote"}
            else Permission.OPERATE
        )

    async def command(self, context: Context, _name: str, _rest: str) -> Reply:
        """The overview. Raises StoreError."""
        return await self._overview(context, Screen("admin"))

    async def _overview(
        self, context: Context, screen: Screen, *, edit: bool = False, let_in: int = 0
    ) -> Reply:
        """As it is after so many more chats are let in."""
        translator, status = context.translator, await self._status()
        people, access_requests = await self._store.people(), await self._store.access_requests()
        waiting = sum(queued for _, queued, _ in status.chats)
        failing = sum(bool(feed.state.failures) for feed in status.feeds)
        lines = [
            translator.ngettext("{number} person", "{number} people", len(people))
            + ", "
            + translator.ngettext("{number} chat", "{number} chats", len(status.chats)),
            translator.ngettext("{number} feed", "{number} feeds", len(status.feeds))
            + ", "
            + translator.ngettext("{number} failing", "{number} failing", failing),
            translator.ngettext(
                "{number} subscription", "{number} subscriptions", status.subscriptions
            ),
            translator.ngettext("{number} message queued", "{number} messages queued", waiting),
            translator.ngettext(
                "{number} undeliverable message",
                "{number} undeliverable messages",
                status.deliveries.get(DeliveryState.DEAD, 0),
            ),
        ]
        rows = [
            [
                Button(translator.gettext("People"), "people"),
                Button(
                    translator.gettext("Requests") + f" ({len(access_requests) - let_in})",
                    "knocking",
                ),
            ],
            [
                Button(translator.gettext("Undelivered"), "dead"),
                Button(translator.gettext("Broadcast"), "tell"),
            ],
            [Button(translator.gettext("Invite someone"), "invite"), Button("⟳", "home")],
        ]
        return show(
            Message("\n".join(lines)), replace(screen, values={}, expects=""), *rows, edit=edit
        )

    async def pressed(self, context: Context, screen: Screen, word: str) -> Reply:
        """A button of the overview or of a list. Raises StoreError."""
        bare = replace(screen, expects="")
        match word.partition(" ")[0]:
            case "home":
                return await self._overview(context, screen, edit=True)
            case "people" | "page":
                return await self._people(context, bare, number_in(word))
            case "person":
                return await self._person(context, bare, number_in(word))
            case "block" | "unblock" | "promote" | "demote" as verb if screen.values.get("person"):
                return await self._set_role(context, bare, verb)
            case "knocking" | "let":
                return await self._access_requests(context, bare, number_in(word))
            case "dead" | "retry":
                return await self._given_up(context, bare, again=word == "retry")
            case "tell" | "send":
                return await self._told(context, screen, sure=word == "send")
            case "invite":
                return await self._invited(context)
            case _:
                return Reply(toast=context.translator.gettext("This button no longer works."))

    async def _told(self, context: Context, screen: Screen, *, sure: bool) -> Reply:
        """Ask what everyone shall read, or tell them what was asked for."""
        translator = context.translator
        if not sure or not screen.values.get("text"):
            text = translator.gettext("Send the message to broadcast.")
            return show(
                Message(text),
                replace(screen, values={}, expects="broadcast"),
                [_home(translator)],
                edit=True,
            )
        chats = await self._everyone()
        text = translator.ngettext("Sent to {number} chat.", "Sent to {number} chats.", len(chats))
        done = show(
            Message(text), replace(screen, values={}, expects=""), [_home(translator)], edit=True
        )
        return replace(
            done, changes=(Broadcast(str(screen.values["text"]), tuple(chat.id for chat in chats)),)
        )

    async def _invited(self, context: Context) -> Reply:
        token = f"i-{secrets.token_urlsafe(18)}"
        text = context.translator.gettext(
            "Invitation for one person, valid {hours} hours:", hours=INVITED
        )
        return Reply(
            Message(f"{text}\n{await self._members.link(token)}"),
            (StoreToken(token, "invite", hours=INVITED),),
        )

    async def answered(self, context: Context, screen: Screen, text: str) -> Reply:
        """What everyone shall read, to be looked at first. Raises StoreError."""
        chats = await self._everyone()
        composer = (
            Composer()
            .add(
                context.translator.ngettext(
                    "This goes to {number} chat:", "This goes to {number} chats:", len(chats)
                )
                + "\n\n"
            )
            .add(cut(text, 3000))
        )
        send = [Button(context.translator.gettext("Send"), "send"), _home(context.translator)]
        return show(
            composer.message(),
            replace(screen, id=0, values={"text": cut(text, 3000)}, expects=""),
            send,
        )

    async def _everyone(self) -> list[Chat]:
        return [
            chat
            for chat, _, _ in (await self._status()).chats
            if chat.kind is ChatKind.TELEGRAM and chat.allowed and not chat.paused
        ]

    async def _people(
        self, context: Context, screen: Screen, page: int, changed: Person | None = None
    ) -> Reply:
        """A page of them, with one as it is from now on."""
        people = [
            changed if changed and one.user_id == changed.user_id else one
            for one in await self._store.people()
        ]
        first = page * PAGE
        buttons = [
            Button(
                f"{cut(one.name or str(one.user_id), 24)} · {role_name(one.role, context.translator)}",
                f"person {one.user_id}",
            )
            for one in people[first : first + PAGE]
        ]
        text = context.translator.ngettext("{number} person", "{number} people", len(people))
        return show(
            Message(text),
            replace(screen, values={}),
            *in_rows(buttons, 1),
            pages(context, page, len(people)),
            [_home(context.translator)],
            edit=True,
        )

    async def _known(self, number: int) -> Person | None:
        return next((one for one in await self._store.people() if one.user_id == number), None)

    async def _person(self, context: Context, screen: Screen, number: int) -> Reply:
        translator, person = context.translator, await self._known(number)
        if person is None:
            return Reply(toast=translator.gettext("That list has changed. Open it again."))
        buttons = []
        if person.user_id != context.person.user_id and person.role is not Role.OWNER:
            blocked = person.role is Role.BLOCKED
            buttons.append(
                Button(translator.gettext("Unblock"), "unblock")
                if blocked
                else Button(translator.gettext("Block"), "block")
            )
            if context.person.role is Role.OWNER and not blocked:
                admin = person.role is Role.ADMIN
                buttons.append(
                    Button(translator.gettext("Remove as operator"), "demote")
                    if admin
                    else Button(translator.gettext("Make operator"), "promote")
                )
        text = f"{cut(person.name or '–', 60)}\n{person.user_id} · {role_name(person.role, translator)}"
        back = [Button("‹ " + translator.gettext("Back"), "people")]
        return show(
            Message(text), replace(screen, values={"person": number}), buttons, back, edit=True
        )

    async def _set_role(self, context: Context, screen: Screen, word: str) -> Reply:
        person = await self._known(int(screen.values["person"]))
        if person is None or person.role is Role.OWNER or person.user_id == context.person.user_id:
            return Reply(toast=context.translator.gettext("That cannot be changed here."))
        if person.role in OPERATORS and context.person.role is not Role.OWNER:
            return Reply(toast=context.translator.gettext("Only the owner can do that."))
        role = {
            "block": Role.BLOCKED,
            "unblock": Role.USER,
            "promote": Role.ADMIN,
            "demote": Role.USER,
        }[word]
        changes: tuple[Change, ...] = (SetRole(person.user_id, role),)
        chat = await self._store.chat_at(person.user_id, 0)
        if role is not Role.BLOCKED and chat is not None and not chat.allowed:
            changes = (*changes, AllowChat(chat.id))
        reply = await self._people(context, screen, 0, replace(person, role=role))
        return replace(reply, changes=changes, toast=context.translator.gettext("Changed."))

    async def _access_requests(self, context: Context, screen: Screen, number: int) -> Reply:
        translator, chats = context.translator, await self._store.access_requests()
        for chat in (one for one in chats if one.id == number):
            reply = await self._overview(context, screen, edit=True, let_in=1)
            changes: tuple[Change, ...] = (AllowChat(number),)
            if chat.address > 0:
                changes = (*changes, SetRole(chat.address, Role.USER, chat.name))
            return replace(reply, changes=changes, toast=translator.gettext("Access granted."))
        if not chats:
            return show(
                Message(translator.gettext("No requests.")),
                replace(screen, values={}),
                [_home(translator)],
                edit=True,
            )
        buttons = [
            [Button(f"✓ {cut(chat.name, 30)} ({chat.address})", f"let {chat.id}")]
            for chat in chats[:PAGE]
        ]
        return show(
            Message(translator.gettext("Who may use the bot?")),
            replace(screen, values={}),
            *buttons,
            [_home(translator)],
            edit=True,
        )

    async def _given_up(self, context: Context, screen: Screen, *, again: bool) -> Reply:
        translator, rows = context.translator, await self._dead()
        if again and rows:
            reply = await self._overview(context, screen, edit=True)
            return replace(
                reply, changes=(RetryDead(),), toast=translator.gettext("Sending again.")
            )
        if not rows:
            return show(
                Message(translator.gettext("No undeliverable messages.")),
                replace(screen, values={}),
                [_home(translator)],
                edit=True,
            )
        composer = Composer().add(
            translator.ngettext(
                "{number} undeliverable message", "{number} undeliverable messages", len(rows)
            )
        )
        for row in rows[:10]:
            composer.add(f"\n• {cut(row.chat, 40)}: ").add_marked(
                cut(row.title, 80), (), "bold"
            ).add(f" – {cut(row.error, 100)}")
        below = [Button(translator.gettext("Send again"), "retry"), _home(translator)]
        return show(composer.message(), replace(screen, values={}), below, edit=True)


def _home(translator: Translator) -> Button:
    return Button("‹ " + translator.gettext("Back"), "home")


def role_name(role: Role, translator: Translator) -> str:
    """As people read it."""
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
