"""The stored articles that somebody asks for. What a text may mean is read by `asked`.

Each way to look is stricter than the next, and the first that finds something ends the search:
addresses, what an address may be written as, numbers and words in addresses, headlines, parts of
headlines. All work is bounded, however old the database is.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from bot.errors import QueryError
from bot.i18n.catalog import ENGLISH, Translator
from bot.model.archive import AskedKeys, FoundEntry
from bot.parse.entry_keys import guid_key, link_key, number_key, title_key
from bot.ports import AskedArchive
from bot.query.parser import parse
from bot.query.prefilter import fts_expression
from bot.search.asked import (
    Asked,
    Headline,
    is_same_page,
    marks_of,
    names_site,
    phrase,
    read,
    slug_words,
    variants,
    written_forms,
)
from bot.text.fold import folded_key
from bot.text.url import canonical

MOST = 50  #: entries that one address or headline is taken to mean
HITS = 200  #: entries with its words that are compared with it
NEWEST = 500  #: entries that are compared without the index: it may not know them yet

FoundBy = Literal["link", "guid", "headline", "words"]


@dataclass(frozen=True, slots=True)
class Found:
    """The articles that a text asks for."""

    asked: Asked
    entries: tuple[FoundEntry, ...] = ()  #: what alerted the chat first, then the oldest
    by: FoundBy = "headline"
    are_all: bool = True  #: not only the newest or the oldest of many

    @property
    def entry_id(self) -> int:
        """The one that is meant most likely; 0 for none."""
        return self.entries[0].id if self.entries else 0


def find(text: str, archive: AskedArchive) -> Found:
    """Return the stored articles that a text asks for. Raises StoreError."""
    asked = read(text)
    for found in _ways(asked, archive):
        if found.entries:
            return found
    return Found(asked)


def _ways(asked: Asked, archive: AskedArchive) -> Iterator[Found]:
    for link in asked.links:
        yield _by_address(asked, link, archive)
    newest = _Newest(archive)
    for link in asked.links:
        yield _by_page(asked, link, archive, newest)
    guids = archive.with_keys(AskedKeys(guids=(guid_key(asked.text),)), MOST + 1)
    yield _found(asked, guids, "guid")
    for headline in asked.headlines:
        yield _by_headline(asked, headline, archive)
    for headline in asked.headlines:
        if headline.is_part:
            yield _by_words(asked, headline, archive, newest)


class _Newest:
    """The newest entries, read once and only where they are needed; headlines are folded."""

    def __init__(self, archive: AskedArchive) -> None:
        self._archive = archive
        self._entries: list[FoundEntry] | None = None
        self._titles: list[str] | None = None
        self._links: list[str] | None = None

    def entries(self) -> list[FoundEntry]:
        if self._entries is None:
            self._entries = self._archive.newest(NEWEST)
        return self._entries

    def with_any(self, marks: Sequence[str]) -> list[FoundEntry]:
        if self._links is None:
            self._links = [unquote(entry.link).lower() for entry in self.entries()]
        return [
            entry
            for entry, link in zip(self.entries(), self._links, strict=True)
            if any(mark in link for mark in marks)
        ]

    def with_words(self, words: str) -> list[FoundEntry]:
        if self._titles is None:
            self._titles = [_padded(entry.title) for entry in self.entries()]
        return [
            entry
            for entry, title in zip(self.entries(), self._titles, strict=True)
            if words in title
        ]


def _padded(text: str) -> str:
    return f" {folded_key(text)} "


def _found(asked: Asked, entries: Iterable[FoundEntry], by: FoundBy, *, most: int = MOST) -> Found:
    known = {entry.id: entry for entry in entries}
    ordered = sorted(known.values(), key=lambda entry: (not entry.alerted, entry.id))
    return Found(asked, tuple(ordered[:most]), by, are_all=len(ordered) <= most)


def _by_address(asked: Asked, link: str, archive: AskedArchive) -> Found:
    """The entries under an address, else those under another form of it."""
    forms = variants(link)
    keys = AskedKeys(
        links=tuple(link_key(form) for form in forms),
        guids=tuple(guid_key(form) for form in written_forms(link)),
    )
    entries = archive.with_keys(keys, MOST + 1)
    address = canonical(link)
    exact = [
        entry
        for entry in entries
        if canonical(entry.link) == address or guid_key(entry.guid) in keys.guids
    ]
    chosen = exact or entries
    by_link = any(is_same_page(link, entry.link) for entry in chosen)
    return _found(asked, chosen, "link" if by_link else "guid")


def _by_page(asked: Asked, link: str, archive: AskedArchive, newest: _Newest) -> Found:
    """The entries whose own address leads to the page of this one."""
    numbers = tuple(
        filter(None, dict.fromkeys(number_key(f"https:{form}") for form in variants(link)))
    )
    candidates = archive.with_keys(AskedKeys(numbers=numbers), HITS) if numbers else []
    same = _same_page(link, candidates)
    if not same and (slug := slug_words(link)):
        same = _same_page(link, _with_words(" ".join(f'"{word}"' for word in slug), archive))
    if not same:
        same = _same_page(link, newest.with_any(marks_of(link)))
    return _found(asked, same, "link")


def _same_page(link: str, entries: Iterable[FoundEntry]) -> list[FoundEntry]:
    return [entry for entry in entries if is_same_page(link, entry.link)]


def _by_headline(asked: Asked, headline: Headline, archive: AskedArchive) -> Found:
    keys = AskedKeys(titles=(title_key(headline.text),))
    return _found(asked, filter(_is_of(headline), archive.with_keys(keys, MOST + 1)), "headline")


def _by_words(asked: Asked, headline: Headline, archive: AskedArchive, newest: _Newest) -> Found:
    words = headline.sought
    hits = _with_words(phrase(headline.text, is_cut=headline.is_cut), archive)
    entries = [entry for entry in hits if words in _padded(entry.title)]
    entries += newest.with_words(words)
    found = _found(asked, filter(_is_of(headline), entries), "words")
    return found if len(hits) < HITS else Found(asked, found.entries, "words", are_all=False)


def _is_of(headline: Headline) -> Callable[[FoundEntry], bool]:
    """Whether an entry is of the site that is named beside a headline, if one is."""
    return lambda entry: not headline.rest or names_site(headline.rest, *entry.names, entry.link)


def _with_words(query: str, archive: AskedArchive) -> list[FoundEntry]:
    """The newest entries with all words of a query of words and phrases."""
    try:
        tree = parse(query, {})
    except QueryError:  # there is no word in it
        return []
    expression = fts_expression(tree, archive.languages())
    return archive.with_words(expression, HITS) if expression else []


def first_with_link(entry_id: int, archive: AskedArchive) -> FoundEntry | None:
    """Return the first entry with the link of an entry, perhaps itself; None without a link."""
    return next(iter(archive.with_link_of(entry_id, 1)), None)


def more_found(found: Found, translator: Translator = ENGLISH) -> str:
    """Say how many articles were found besides the one that is shown; empty for none."""
    number = len(found.entries) - 1
    if number < 1 and found.are_all:
        return ""
    if not found.are_all:
        return translator.gettext(
            "More articles were found. For another one, send its address or its whole headline."
        )
    match found.by:
        case "words":
            return translator.ngettext(
                "{number} more article has these words in its headline.",
                "{number} more articles have these words in their headlines.",
                number,
            )
        case "headline":
            return translator.ngettext(
                "{number} more article has this headline.",
                "{number} more articles have this headline.",
                number,
            )
        case _:
            return translator.ngettext(
                "{number} more article has this address.",
                "{number} more articles have this address.",
                number,
            )
