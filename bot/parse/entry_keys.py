"""The keys by which an entry is recognised: BLAKE2b-128 digests that contain no dates.

Whether a key is known, and what that means, is decided in `feeds.entry_identity`.
"""

from dataclasses import replace
from hashlib import blake2b

from bot.model.entries import EntryKeys, ParsedEntry
from bot.text.clean import headline
from bot.text.counters import steady_headline, without_counters
from bot.text.fold import folded_key
from bot.text.url import article_number, canonical


def digest(kind: str, text: str) -> bytes:
    """Return the BLAKE2b-128 digest of a text of this kind; empty for no text."""
    return (
        blake2b(f"{kind}\0{text}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if text
        else b""
    )


def keys_of(entry: ParsedEntry) -> EntryKeys:
    """Return the keys of an entry.

    A guid that is a link is compared without scheme and trailing slash, but with its fragment.
    """
    return keys_for(entry.guid, entry.link, entry.title, entry.summary)


def keys_for(guid: str, link: str, title: str, summary: str) -> EntryKeys:
    """Return the keys of an entry of which this is known."""
    number = article_number(link)
    guid, link, title = _guid(guid), canonical(link), _title(title)
    if not (guid or link):
        text = folded_key(without_counters(summary))
        return EntryKeys(digest("content", f"{title}\0{text}"), b"", digest("title", title))
    return EntryKeys(
        digest("guid", guid),
        digest("link", link),
        digest("title", title),
        digest("article", number),
    )


def _guid(guid: str) -> str:
    if guid.startswith(("http://", "https://")):
        return guid.partition("://")[2].rstrip("/")
    return guid


def _title(title: str) -> str:
    # The part by which earlier versions knew it: they kept no more.
    title = headline(title)
    return folded_key(steady_headline(title)) or title


def link_key(link: str) -> bytes:
    """Return the key of entries with this link."""
    return digest("link", canonical(link))


def guid_key(guid: str) -> bytes:
    """Return the key of entries with this guid."""
    return digest("guid", _guid(guid))


def title_key(title: str) -> bytes:
    """Return the key of entries with this headline."""
    return digest("title", _title(title))


def number_key(link: str) -> bytes:
    """Return the key of entries with the article number of a link; empty where it has none."""
    return digest("article", article_number(link))


def with_keys(entry: ParsedEntry) -> ParsedEntry:
    """Return the entry with its keys."""
    return replace(entry, keys=keys_of(entry))
