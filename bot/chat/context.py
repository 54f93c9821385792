"""One turn of a conversation as the rooms get it, and the few things that all of them say. Decides nothing about rights; `access` does."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from bot.chat.access import Deed
from bot.delivery.render import Composer, units
from bot.errors import QueryError
from bot.i18n.catalog import Voice
from bot.model.chat_events import Incoming, Person, Said, Screen
from bot.model.chats import Chat
from bot.model.message import Button, Entity, Message
from bot.text.clean import cut

CARET = 1_500  #: characters of a query that an answer shows whole
PAGE = 8  #: items on one page of a screen


@dataclass(frozen=True, slots=True)
class Turn:
    """What somebody wrote or pressed, where, and how they are spoken to."""

    update: Incoming
    here: Chat  #: where it was written, and is answered
    chat: Chat  #: the one that is meant
    person: Person
    voice: Voice
    now: datetime
    may_change: bool = True  #: what rings in the chat


class Room(Protocol):
    """A room with screens."""

    def deed(self, screen: Screen, word: str) -> Deed:
        """What pressing this button is."""
        ...

    async def pressed(self, turn: Turn, screen: Screen, word: str) -> Said:
        """A button of one of its screens was pressed. Raises StoreError."""
        ...

    async def told(self, turn: Turn, screen: Screen, text: str) -> Said:
        """Somebody wrote what a screen of it waits for. Raises StoreError."""
        ...

    async def work(self, turn: Turn, screen: Screen) -> Said:
        """Do what takes long, for a screen that says it is being done. Raises StoreError."""
        ...


class Still:
    """A room whose screens wait for nothing and do nothing that takes long."""

    async def told(self, turn: Turn, screen: Screen, text: str) -> Said:  # noqa: ARG002 (as the protocol says)
        """Nobody is asked to write."""
        return Said()

    async def work(self, turn: Turn, screen: Screen) -> Said:  # noqa: ARG002 (as the protocol says)
        """Nothing takes long."""
        return Said()


def say(text: str) -> Said:
    """A plain answer."""
    return Said(Message(text))


def show(message: Message, screen: Screen, *rows: Sequence[Button], edit: bool = False) -> Said:
    """An answer with the buttons of a screen, or the new state of one."""
    return Said(
        replace(message, buttons=tuple(tuple(row) for row in rows if row)), screen=screen, edit=edit
    )


def in_rows(buttons: Iterable[Button], width: int) -> list[list[Button]]:
    """Buttons, so many a row."""
    every = list(buttons)
    return [every[at : at + width] for at in range(0, len(every), width)]


def pages(turn: Turn, page: int, items: int, size: int = PAGE) -> list[Button]:
    """Buttons to the pages before and behind."""
    last = max(0, -(-items // size) - 1)
    found = []
    if page > 0:
        found.append(Button("‹ " + turn.voice.say("Back"), f"page {page - 1}"))
    if page < last:
        found.append(Button(turn.voice.say("More") + " ›", f"page {page + 1}"))
    return found


def number_in(word: str) -> int:
    """The number behind a button's word; 0 for none."""
    found = word.rpartition(" ")[2]
    return int(found) if found.isdecimal() and len(found) < 12 else 0


def mistake(error: QueryError, voice: Voice) -> Message:
    """A query that cannot be read, with a caret under the place."""
    composer = Composer().add(f"{error.said(voice.say)}\n\n")
    caret = error.caret()
    if len(caret) < CARET:
        return composer.add(caret, "pre").message()
    return composer.add(voice.say("at character {position}", position=error.position + 1)).message()


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


def busy(voice: Voice) -> str:
    """The stored articles cannot be read."""
    return voice.say("The stored articles cannot be read now; try again in a minute.")


def only_admins(voice: Voice) -> str:
    """The person may not."""
    return voice.say("Only administrators of this chat can change what rings here.")
