"""What a handler gets of one update, and the replies that several of them give.

Decides nothing about permissions.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from bot.chat.access import ChatType, Permission
from bot.chat.callbacks import Callback, button
from bot.delivery.composer import Composer, units
from bot.errors import QueryError
from bot.i18n.catalog import LANGUAGES, Translator
from bot.model.chat_events import ChatUpdate, Person, Reply, Screen
from bot.model.chats import Chat
from bot.model.message import Button, Entity, Message
from bot.text.clean import cut

CARET = 1_500  #: characters of a query that a reply shows whole
PAGE = 8  #: items on one page of a screen


@dataclass(frozen=True, slots=True)
class Context:
    """One update with what is known about it."""

    update: ChatUpdate
    current_chat: Chat  #: where the update came from, and where the reply goes
    chat: Chat  #: the one that is managed: `current_chat`, or a channel managed from there
    person: Person
    translator: Translator
    now: datetime
    may_change: bool = True  #: subscriptions, feeds and settings of the chat

    @property
    def manages_other(self) -> bool:
        """Whether another chat is managed from this one."""
        return self.chat.id != self.current_chat.id

    @property
    def chat_type(self) -> ChatType:
        """What kind of chat the update came from."""
        if self.current_chat.address > 0:
            return ChatType.PRIVATE
        return ChatType.CHANNEL if self.update.channel else ChatType.GROUP


class ScreenHandler(Protocol):
    """A handler with screens."""

    @property
    def actions(self) -> type[StrEnum]:
        """What the buttons of its screens do."""
        ...

    def permission(self, screen: Screen, callback: Callback | None, /) -> Permission:
        """Return what pressing this button needs; with None, what writing for the screen needs."""
        ...

    def is_slow(self, screen: Screen, callback: Callback | None, /) -> bool:
        """Return whether pressing this button may take seconds; with None, writing for it."""
        ...

    async def press(self, context: Context, screen: Screen, callback: Callback, /) -> Reply:
        """Handle a pressed button of one of its screens. Raises StoreError."""
        ...

    async def read_input(self, context: Context, screen: Screen, text: str, /) -> Reply:
        """Handle the text that one of its screens waits for. Raises StoreError."""
        ...

    async def run_task(self, context: Context, screen: Screen, /) -> Reply:
        """Do what takes long (`screen.task`). Raises StoreError."""
        ...


class StaticScreen:
    """The parts of a handler whose screens wait for no input and have no task.

    Everybody who presses a button, or writes for a screen, needs the permission `needs`.
    """

    needs: ClassVar[Permission] = Permission.CHANGE

    def permission(self, _screen: Screen, _callback: Callback | None, /) -> Permission:
        """Return the one permission that everything needs."""
        return self.needs

    def is_slow(self, _screen: Screen, _callback: Callback | None, /) -> bool:
        """Return that nothing takes seconds."""
        return False

    async def read_input(self, _context: Context, _screen: Screen, _text: str, /) -> Reply:
        """Return an empty reply: no input is asked for."""
        return Reply()

    async def run_task(self, _context: Context, _screen: Screen, /) -> Reply:
        """Return an empty reply: nothing takes long."""
        return Reply()


def text_reply(text: str) -> Reply:
    """Return a plain reply."""
    return Reply(Message(text))


def show(message: Message, screen: Screen, *rows: Sequence[Button], edit: bool = False) -> Reply:
    """Return a reply with the buttons of a screen, or with the new state of one."""
    return Reply(
        replace(message, buttons=tuple(tuple(row) for row in rows if row)), screen=screen, edit=edit
    )


def in_rows(buttons: Iterable[Button], width: int) -> list[list[Button]]:
    """Return the buttons in rows of `width`."""
    sequence = list(buttons)
    return [sequence[start : start + width] for start in range(0, len(sequence), width)]


def page_buttons(
    context: Context, action: StrEnum, page: int, items: int, size: int = PAGE
) -> list[Button]:
    """Return the buttons to the previous and the next page."""
    last = max(0, -(-items // size) - 1)
    buttons = []
    if page > 0:
        label = "‹ " + context.translator.gettext("Back")
        buttons.append(button(label, action, page - 1))
    if page < last:
        label = context.translator.gettext("More") + " ›"
        buttons.append(button(label, action, page + 1))
    return buttons


def back_button(context: Context, action: StrEnum, value: object = "") -> Button:
    """Return the button to the screen before."""
    return button("‹ " + context.translator.gettext("Back"), action, value)


def time_format(context: Context) -> Callable[[datetime], str]:
    """Return how a sentence in the context's language says a time."""

    def time(moment: datetime) -> str:
        return context.translator.gettext(
            "at {time}", time=context.translator.time(moment, context.now)
        )

    return time


def language_of(update: ChatUpdate) -> str | None:
    """Return the language of the person's client; None where newsbell does not speak it."""
    code = update.language.partition("-")[0].lower()
    return code if code in LANGUAGES else None


def query_mistake(error: QueryError, translator: Translator) -> Message:
    """Return what is wrong with a query, with a caret under the place."""
    composer = Composer().add(f"{error.translated(translator.gettext)}\n\n")
    caret = error.caret()
    if len(caret) < CARET:
        return composer.add(caret, "pre").message()
    return composer.add(
        translator.gettext("at character {position}", position=error.position + 1)
    ).message()


def headed(message: Message, head: str, kind: str = "bold", url: str = "") -> Message:
    """Return the message under a line that says which chat or person it is about."""
    lead = f"{cut(head, 100)}\n\n"
    shift = units(lead)
    moved = tuple(replace(entity, offset=entity.offset + shift) for entity in message.entities)
    return replace(
        message,
        text=lead + message.text,
        entities=(Entity(kind, 0, units(lead.rstrip()), url), *moved),
    )
