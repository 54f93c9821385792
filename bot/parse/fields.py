"""What a document says of itself and of an entry, as text: found, but neither cleaned nor read.

Both readers of documents give these: `document` by feedparser, `plain` by itself.
"""

from typing import NamedTuple

from bot.text.clean import label


class EntryFields(NamedTuple):
    """An entry. A tuple, for a document has hundreds of them."""

    title: str = ""
    title_type: str = ""  #: the media type that its element declares
    language: str = ""  #: xml:lang of the headline
    guid: str = ""
    links: tuple[str, ...] = ()  #: that may be the entry's, the best first
    texts: tuple[tuple[str, str], ...] = ()  #: with their declared types, the best first
    authors: tuple[str, ...] = ()  #: as they are written; a name, an address or both
    source: str = ""  #: the outlet that an aggregator names
    published: str | None = None
    updated: str | None = None
    categories: tuple[str, ...] = ()


class FeedFields(NamedTuple):
    """The head of a document."""

    title: str = ""
    link: str = ""
    language: str = ""
    dates: tuple[str, ...] = ()
    ttl: str = ""  #: of RSS 2.0
    period: str = ""  #: of the Syndication module, as is `frequency`
    frequency: str = ""


def declared_language(value: object) -> str:
    """Return the language that a document declares, as a short clean line."""
    return label(value or "", 20)


def own_link(link: str, guid: str) -> str:
    """Return the link of an entry; nothing for a guid that is wrongly declared a permalink."""
    return "" if link == guid and "://" not in link else link
