"""Decide which articles have their pages read for their text. No I/O, no clock."""

from collections.abc import Iterable, Iterator

from bot.model.entries import NewEntry
from bot.model.feeds import FeedDue, FeedText
from bot.model.pages import PageRequest
from bot.text.url import names_page

FULL_ENOUGH = 2_000  #: code points of a text that a feed carries, of which no page is read


def pages_to_read(feed: FeedDue, entries: Iterable[NewEntry]) -> tuple[PageRequest, ...]:
    """Return the pages of a feed's new entries, where the feed asks for them.

    Only of those that may alert by themselves, whose link leads to a page, and of which the feed
    does not carry enough itself.
    """
    return tuple(_requests(entries)) if feed.text is FeedText.FULL else ()


def _requests(entries: Iterable[NewEntry]) -> Iterator[PageRequest]:
    for entry in entries:
        is_read = entry.silent is None and len(entry.body) < FULL_ENOUGH
        if is_read and entry.keys.link and names_page(entry.link):
            yield PageRequest(entry.id, entry.link, entry.keys.link)
