"""What a page is made of: values that the template shows. No HTML, no texts of their own.

Texts are in the reader's language; `foreign` marks what others wrote (headlines, names), whose
direction is found out by the browser. The template escapes all of them.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Tone(StrEnum):
    """How much attention something wants."""

    PLAIN = ""
    QUIET = "quiet"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text."""

    text: str
    href: str = ""
    foreign: bool = False  #: others wrote it
    tone: Tone = Tone.PLAIN
    code: bool = False  #: to be read letter by letter, from left to right
    #: where the text is a time: the moment itself
    moment: datetime | None = None

    @property
    def is_outside(self) -> bool:
        """Whether the link leaves the page."""
        return "://" in self.href


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Pieces of text in a row."""

    parts: tuple[Text, ...]
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with what they stand for."""

    pairs: tuple[tuple[str, tuple[Text, ...]], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first cell of a row names it."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Text, ...], ...]
    is_headed: bool = False  #: the heading above it says what the caption does


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of a list: a line that leads somewhere, and what is said of it below."""

    head: Text
    lines: tuple[tuple[Text, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Items:
    """A list of entries."""

    items: tuple[Item, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form."""

    name: str
    label: str
    value: str = ""
    hint: tuple[Text, ...] = ()
    #: choices, each with its text; empty: a line of text
    choices: tuple[tuple[str, str], ...] = ()
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """A form; what it changes is sent by POST."""

    action: str
    submit: str
    fields: tuple[Field, ...] = ()
    post: bool = False
    live: bool = False  #: with JavaScript its answer replaces the part of the page called `results`
    label: str = ""  #: of the form itself, for screen readers
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture for a light and for a dark page; `text` says the same."""

    light: str
    dark: str
    text: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Pages:
    """Ways to the pages before and behind; empty for none."""

    label: str
    back: Text | None = None
    more: Text | None = None


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Lines to be read letter by letter, such as a query with a caret below it."""

    text: str


Block = Verbatim | Paragraph | Facts | Table | Items | Form | Picture | Pages


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page under a heading."""

    heading: Text
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A page without what surrounds it."""

    title: Text
    lead: tuple[Block, ...] = ()  #: above what a form may replace
    sections: tuple[Section, ...] = ()
    status: int = 200
    headers: tuple[tuple[str, str], ...] = field(default=())


def line(*texts: str | Text) -> tuple[Text, ...]:
    """Return pieces of text."""
    return tuple(text if isinstance(text, Text) else Text(text) for text in texts)


def paragraph(*texts: str | Text, tone: Tone = Tone.PLAIN) -> Paragraph:
    """Return a paragraph of pieces of text."""
    return Paragraph(line(*texts), tone)


def outside(link: str) -> str:
    """Return the address of somebody's page; empty where it is not one of the web."""
    return link if link.startswith(("http://", "https://")) else ""
