"""What a feed is besides a document of RSS, Atom or JSON Feed: how its address is read.

A plain feed has none of these.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChannelSource:
    """A public channel of Telegram, read from the preview that its site shows to everyone."""

    name: str  #: in lower case, without `@`


@dataclass(frozen=True, slots=True)
class PageSource:
    """A web page of which CSS selectors say what is an article."""

    item: str  #: what holds one article
    title: str = ""  #: within it; empty: the text of the link
    link: str = ""  #: within it; empty: the item itself, where it is a link, else its first link
    time: str = ""  #: within it; empty: its first `<time>`
    summary: str = ""  #: within it; empty: no text


Source = ChannelSource | PageSource


@dataclass(frozen=True, slots=True)
class PageProposal:
    """Selectors for a page, and what they give."""

    source: PageSource
    articles: int
    dated: int  #: of them, those with a time
    newest: tuple[tuple[str, str], ...]  #: headline and link of the first of them
