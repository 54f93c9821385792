"""One turn of a conversation as the rooms get it, and the few things that all of them say. Decides nothing about rights; `access` does."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from bot.chat.access import Permission
from bot.delivery.render import Composer, units
from bot.errors import QueryError
from bot.i18n.catalog import Translator
from bot.model.chat_events import Incoming, Person, Reply, Screen
from bot.model.chats import Chat
from bot.model.message import Button, Entity, Message
from bot.text.clean import cut

CARET = 1_500  #: characters of a query that an answer shows whole
PAGE = 8  #: items on one page of a screen


@dataclass(frozen=True, slots=True)
class Context:
    """What somebody wrote or pressed, where, and how they are spoken to."""

    update: Incoming
    here: Chat  #: where it was written, and is answered
    chat: Chat  #: the one that is meant
    person: Person
    translator: Translator
    now: datetime
    may_change: bool = True  #: what rings in the chat


class ScreenHandler(Protocol):
    """A room with screens."""

    def permission(self, screen: Screen, word: str) -> Permission:
        """What pressing this button is."""
        ...

    async def pressed(self, context: Context, screen: Screen, word: str) -> Reply:
        """A button of one of its screens was pressed. Raises StoreError."""
        ...

    async def answered(self, context: Context, screen: Screen, text: str) -> Reply:
        """Somebody wrote what a screen of it waits for. Raises StoreError."""
        ...

    async def work(self, context: Context, screen: Screen) -> Reply:
        """Do what takes long, for a screen that says it is being done. Raises StoreError."""
        ...


class StaticScreen:
    """A room whose screens wait for nothing and do nothing that takes long."""

    async def answered(self, context: Context, screen: Screen, text: str) -> Reply:  # noqa: ARG002 (as the protocol says)
        """Nobody is asked to write."""
        return Reply()

    async def work(self, context: Context, screen: Screen) -> Reply:  # noqa: ARG002 (as the protocol says)
        """Nothing takes long."""
        return Reply()


def say(text: str) -> Reply:
    """A plain answer."""
    return Reply(Message(text))


def show(message: Message, screen: Screen, *rows: Sequence[Button], edit: bool = False) -> Reply:
    """An answer with the buttons of a screen, or the new state of one."""
    return Reply(
        replace(message, buttons=tuple(tuple(row) for row in rows if row)), screen=screen, edit=edit
    )


def in_rows(buttons: Iterable[Button], width: int) -> list[list[Button]]:
    """Buttons, so many a row."""
    every = list(buttons)
    return [every[at : at + width] for at in range(0, len(every), width)]


def pages(context: Context, page: int, items: int, size: int = PAGE) -> list[Button]:
    """Buttons to the pages before and behind."""
    last = max(0, -(-items // size) - 1)
    found = []
    if page > 0:
        found.append(Button("‹ " + context.translator.gettext("Back"), f"page {page - 1}"))
    if page < last:
        found.append(Button(context.translator.gettext("More") + " ›", f"page {page + 1}"))
    return found


def number_in(word: str) -> int:
    """The number behind a button's word; 0 for none."""
    found = word.rpartition(" ")[2]
    return int(found) if found.isdecimal() and len(found) < 12 else 0


def mistake(error: QueryError, translator: Translator) -> Message:
    """A query that cannot be read, with a caret under the place."""
    composer = Composer().add(f"{error.translated(translator.gettext)}\n\n")
    caret = error.caret()
    if len(caret) < CARET:
        return composer.add(caret, "pre").message()
    return composer.add(
        translator.gettext("at character {position}", position=error.position + 1)
    ).message()


def headed(message: Message, head: str) -> Message:
    """The message under a line that says whom it is about."""
    lead = f"{cut(head, 100)}\n\n"
    shift = units(lead)
    moved = tuple(replace(one, offset=one.offset + shift) for one in message.entities)
    return replace(
        message,
        text=lead + message.text,
        entities=(Entity("bold", 0, units(lead.rstrip())), *moved),
    )


def busy(translator: Translator) -> str:
    """The stored articles cannot be read."""
    return translator.gettext("Cannot read the stored articles right now. Try again in a minute.")


def only_admins(translator: Translator) -> str:
    """The person may not."""
    return translator.gettext("Only administrators of this chat can change its alerts.")
