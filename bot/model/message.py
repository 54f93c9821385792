"""A message: text, entities, buttons, file. Not where it goes."""

from dataclasses import dataclass
from hashlib import blake2b

MENTION = "tg://user?id="  #: begins the address of a mentioned person


@dataclass(frozen=True, slots=True)
class Entity:
    """A stretch of styled text; offset and length in UTF-16 code units, as Telegram counts."""

    kind: str  #: "bold", "italic", "underline", "text_link", "pre", "code", "text_mention"
    offset: int
    length: int
    url: str = ""  #: of a "text_mention": `tg://user?id=` and the person's number


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message: it sends a word to the bot, or opens an address."""

    text: str
    word: str = ""  #: of an alert's button; under a screen, behind the screen's number
    url: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """Text with entities, ready to be sent. Never markup."""

    text: str
    entities: tuple[Entity, ...] = ()
    preview: str = ""  #: URL whose preview may be shown; empty: none
    buttons: tuple[tuple[Button, ...], ...] = ()  #: row by row
    file: "File | None" = None  #: sent with the text as its caption
    #: the client opens a reply to it, for who is mentioned or replied to; it has no buttons then
    asks: bool = False

    @property
    def digest(self) -> bytes:
        """Return a hash of what is seen of it, file apart: equal for what reads the same."""
        seen = (self.text, self.entities, self.preview, self.buttons)
        return blake2b(repr(seen).encode(), digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class File:
    """A document or a picture."""

    name: str
    content: bytes
    picture: bool = False
