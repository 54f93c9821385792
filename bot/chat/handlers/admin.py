"""What operators do from their private chat: who uses this newsbell, who asks to, its load, what was given up, a word to everyone."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.chat.access import OPERATORS, Deed
from bot.chat.context import PAGE, Still, Turn, in_rows, number_in, pages, show
from bot.delivery.render import Composer
from bot.i18n.catalog import Voice
from bot.model.chat_events import (
    Broadcast,
    Change,
    KeepToken,
    LetIn,
    Person,
    RetryDead,
    Role,
    Said,
    Screen,
    SetRole,
)
from bot.model.chats import Chat, ChatKind
from bot.model.delivery import OutboxRow
from bot.model.message import Button, Message
from bot.model.status import Status
from bot.ports import Members, PeopleStore
from bot.text.clean import cut

INVITED = 72  #: hours that an invitation is good for


class Operate(Still):
    """The command /admin."""

    def __init__(
        self,
        store: PeopleStore,
        members: Members,
        status: Callable[[], Awaitable[Status]],
        dead: Callable[[], Awaitable[list[OutboxRow]]],
    ) -> None:
        self._store, self._members, self._status, self._dead = store, members, status, dead

    def deed(self, screen: Screen, word: str) -> Deed:  # noqa: ARG002 (by the word alone)
        """Who operates is an owner's matter."""
        return Deed.OWN if word.partition(" ")[0] in {"promote", "demote"} else Deed.OPERATE

    async def command(self, turn: Turn, _name: str, _rest: str) -> Said:
        """The overview. Raises StoreError."""
        return await self._overview(turn, Screen("admin"))

    async def _overview(
        self, turn: Turn, screen: Screen, *, edit: bool = False, let_in: int = 0
    ) -> Said:
        """As it is after so many more chats are let in."""
        voice, status = turn.voice, await self._status()
        people, knocking = await self._store.people(), await self._store.knocking()
        waiting = sum(queued for _, queued, _ in status.chats)
        failing = sum(bool(feed.state.failures) for feed in status.feeds)
        lines = [
            voice.count("{number} person", "{number} people", len(people))
            + ", "
            + voice.count("{number} chat", "{number} chats", len(status.chats)),
            voice.count("{number} feed", "{number} feeds", len(status.feeds))
            + ", "
            + voice.count("{number} of them failing", "{number} of them failing", failing),
            voice.count("{number} subscription", "{number} subscriptions", status.subscriptions),
            voice.count("{number} message waits.", "{number} messages wait.", waiting),
            voice.count(
                "{number} message was given up.",
                "{number} messages were given up.",
                status.deliveries.get("dead", 0),
            ),
        ]
        rows = [
            [
                Button(voice.say("People"), "people"),
                Button(voice.say("Asking to come in") + f" ({len(knocking) - let_in})", "knocking"),
            ],
            [Button(voice.say("Given up"), "dead"), Button(voice.say("Tell everyone"), "tell")],
            [Button(voice.say("Invite somebody"), "invite"), Button("⟳", "home")],
        ]
        return show(
            Message("\n".join(lines)), replace(screen, values={}, expects=""), *rows, edit=edit
        )

    async def pressed(self, turn: Turn, screen: Screen, word: str) -> Said:
        """A button of the overview or of a list. Raises StoreError."""
        bare = replace(screen, expects="")
        match word.partition(" ")[0]:
            case "home":
                return await self._overview(turn, screen, edit=True)
            case "people" | "page":
                return await self._people(turn, bare, number_in(word))
            case "person":
                return await self._person(turn, bare, number_in(word))
            case "block" | "unblock" | "promote" | "demote" as verb if screen.values.get("person"):
                return await self._set_role(turn, bare, verb)
            case "knocking" | "let":
                return await self._knocking(turn, bare, number_in(word))
            case "dead" | "retry":
                return await self._given_up(turn, bare, again=word == "retry")
            case "tell" | "send":
                return await self._told(turn, screen, sure=word == "send")
            case "invite":
                return await self._invited(turn)
            case _:
                return Said(toast=turn.voice.say("I do not know this button any more."))

    async def _told(self, turn: Turn, screen: Screen, *, sure: bool) -> Said:
        """Ask what everyone shall read, or tell them what was asked for."""
        voice = turn.voice
        if not sure or not screen.values.get("text"):
            text = voice.say("Write what everyone who uses this newsbell shall read.")
            return show(
                Message(text),
                replace(screen, values={}, expects="broadcast"),
                [_home(voice)],
                edit=True,
            )
        chats = await self._everyone()
        text = voice.count("Told {number} chat.", "Told {number} chats.", len(chats))
        done = show(
            Message(text), replace(screen, values={}, expects=""), [_home(voice)], edit=True
        )
        return replace(
            done, changes=(Broadcast(str(screen.values["text"]), tuple(chat.id for chat in chats)),)
        )

    async def _invited(self, turn: Turn) -> Said:
        token = f"i-{secrets.token_urlsafe(18)}"
        text = turn.voice.say(
            "Whoever opens this link first is let in; it is good for {hours} hours:", hours=INVITED
        )
        return Said(
            Message(f"{text}\n{await self._members.link(token)}"),
            (KeepToken(token, "invite", hours=INVITED),),
        )

    async def told(self, turn: Turn, screen: Screen, text: str) -> Said:
        """What everyone shall read, to be looked at first. Raises StoreError."""
        chats = await self._everyone()
        composer = (
            Composer()
            .add(
                turn.voice.count(
                    "{number} chat will read:", "{number} chats will read:", len(chats)
                )
                + "\n\n"
            )
            .add(cut(text, 3000))
        )
        send = [Button(turn.voice.say("Send"), "send"), _home(turn.voice)]
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
        self, turn: Turn, screen: Screen, page: int, changed: Person | None = None
    ) -> Said:
        """A page of them, with one as it is from now on."""
        people = [
            changed if changed and one.user_id == changed.user_id else one
            for one in await self._store.people()
        ]
        first = page * PAGE
        buttons = [
            Button(
                f"{cut(one.name or str(one.user_id), 24)} · {role_name(one.role, turn.voice)}",
                f"person {one.user_id}",
            )
            for one in people[first : first + PAGE]
        ]
        text = turn.voice.count("{number} person", "{number} people", len(people))
        return show(
            Message(text),
            replace(screen, values={}),
            *in_rows(buttons, 1),
            pages(turn, page, len(people)),
            [_home(turn.voice)],
            edit=True,
        )

    async def _known(self, number: int) -> Person | None:
        return next((one for one in await self._store.people() if one.user_id == number), None)

    async def _person(self, turn: Turn, screen: Screen, number: int) -> Said:
        voice, person = turn.voice, await self._known(number)
        if person is None:
            return Said(toast=voice.say("That list has changed. Open it again."))
        buttons = []
        if person.user_id != turn.person.user_id and person.role is not Role.OWNER:
            blocked = person.role is Role.BLOCKED
            buttons.append(
                Button(voice.say("Let in again"), "unblock")
                if blocked
                else Button(voice.say("Block"), "block")
            )
            if turn.person.role is Role.OWNER and not blocked:
                admin = person.role is Role.ADMIN
                buttons.append(
                    Button(voice.say("Operator no more"), "demote")
                    if admin
                    else Button(voice.say("Make operator"), "promote")
                )
        text = f"{cut(person.name or '–', 60)}\n{person.user_id} · {role_name(person.role, voice)}"
        back = [Button("‹ " + voice.say("Back"), "people")]
        return show(
            Message(text), replace(screen, values={"person": number}), buttons, back, edit=True
        )

    async def _set_role(self, turn: Turn, screen: Screen, word: str) -> Said:
        person = await self._known(int(screen.values["person"]))
        if person is None or person.role is Role.OWNER or person.user_id == turn.person.user_id:
            return Said(toast=turn.voice.say("That cannot be changed here."))
        if person.role in OPERATORS and turn.person.role is not Role.OWNER:
            return Said(toast=turn.voice.say("Only the owner can do that."))
        role = {
            "block": Role.BLOCKED,
            "unblock": Role.USER,
            "promote": Role.ADMIN,
            "demote": Role.USER,
        }[word]
        changes: tuple[Change, ...] = (SetRole(person.user_id, role),)
        chat = await self._store.chat_at(person.user_id, 0)
        if role is not Role.BLOCKED and chat is not None and not chat.allowed:
            changes = (*changes, LetIn(chat.id))
        said = await self._people(turn, screen, 0, replace(person, role=role))
        return replace(said, changes=changes, toast=turn.voice.say("Changed."))

    async def _knocking(self, turn: Turn, screen: Screen, number: int) -> Said:
        voice, chats = turn.voice, await self._store.knocking()
        for chat in (one for one in chats if one.id == number):
            said = await self._overview(turn, screen, edit=True, let_in=1)
            changes: tuple[Change, ...] = (LetIn(number),)
            if chat.address > 0:
                changes = (*changes, SetRole(chat.address, Role.USER, chat.name))
            return replace(said, changes=changes, toast=voice.say("The chat is let in."))
        if not chats:
            return show(
                Message(voice.say("Nobody asks to come in.")),
                replace(screen, values={}),
                [_home(voice)],
                edit=True,
            )
        buttons = [
            [Button(f"✓ {cut(chat.name, 30)} ({chat.address})", f"let {chat.id}")]
            for chat in chats[:PAGE]
        ]
        return show(
            Message(voice.say("They wrote to me. Whom shall I let in?")),
            replace(screen, values={}),
            *buttons,
            [_home(voice)],
            edit=True,
        )

    async def _given_up(self, turn: Turn, screen: Screen, *, again: bool) -> Said:
        voice, rows = turn.voice, await self._dead()
        if again and rows:
            said = await self._overview(turn, screen, edit=True)
            return replace(said, changes=(RetryDead(),), toast=voice.say("They are sent again."))
        if not rows:
            return show(
                Message(voice.say("Nothing was given up.")),
                replace(screen, values={}),
                [_home(voice)],
                edit=True,
            )
        composer = Composer().add(
            voice.count(
                "{number} message was given up.", "{number} messages were given up.", len(rows)
            )
        )
        for row in rows[:10]:
            composer.add(f"\n• {cut(row.chat, 40)}: ").add_marked(
                cut(row.title, 80), (), "bold"
            ).add(f" – {cut(row.error, 100)}")
        below = [Button(voice.say("Send again"), "retry"), _home(voice)]
        return show(composer.message(), replace(screen, values={}), below, edit=True)


def _home(voice: Voice) -> Button:
    return Button("‹ " + voice.say("Back"), "home")


def role_name(role: Role, voice: Voice) -> str:
    """As people read it."""
    match role:
        case Role.OWNER:
            return voice.say("owner")
        case Role.ADMIN:
            return voice.say("operator")
        case Role.USER:
            return voice.say("user")
        case Role.BLOCKED:
            return voice.say("blocked")
        case Role.STRANGER:
            return voice.say("stranger")
