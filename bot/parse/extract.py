"""Find what a document says, by one of two readers. Not what it means, and nothing is cleaned.

Blocks that are plain are read by `plain`, in a tenth of the time; all others by feedparser, as is
every document whose head is not plain.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.parse.blocks import Block, prune
from bot.parse.charset import to_utf8
from bot.parse.feedparser_reader import entry_fields, feed_fields, parse_xml_feed
from bot.parse.fields import EntryFields, FeedFields
from bot.parse.plain import PlainDocument, read_plain
from bot.parse.repair import fault, mend


@dataclass(frozen=True, slots=True)
class Extract:
    """What is said in a document, or in some blocks of it."""

    feed: FeedFields
    entries: tuple[tuple[EntryFields, bytes], ...]  #: with the hash of the block; empty: no blocks
    faulty: int = 0  #: entries that cannot be read
    is_feed: bool = True  #: whether the format is one of feeds


@dataclass(frozen=True, slots=True)
class Cut:
    """A document, as bytes in which a tag begins with `<`, and where its blocks are."""

    text: bytes
    charset: str  #: as Python's codec
    blocks: tuple[Block, ...]

    def utf8(self, positions: tuple[int, ...]) -> bytes:
        """Return the document with only the blocks at these positions, in clean UTF-8."""
        return to_utf8(prune(self.text, self.blocks, frozenset(positions)), "", self.charset)


def extract_whole(text: bytes) -> Extract:
    """Read all of a document in UTF-8 of which the blocks are not known."""
    parsed = _parse(text)
    entries, faulty = _entries((raw, b"") for raw in parsed.entries)
    is_feed = bool(parsed.entries or parsed.get("version"))
    return Extract(feed_fields(parsed.feed), entries, faulty, is_feed)


def extract_blocks(cut: Cut, positions: tuple[int, ...]) -> Extract | None:
    """Read the blocks at these positions; None if what was cut are no entries."""
    text = cut.utf8(positions)
    plain = read_plain(text)
    if plain is None or len(plain.entries) != len(positions):
        return _by_feedparser(cut, positions, text)
    return _with_the_others(cut, positions, plain)


def _with_the_others(cut: Cut, positions: tuple[int, ...], plain: PlainDocument) -> Extract | None:
    """All blocks, those that are not plain by feedparser."""
    found = dict(zip(positions, plain.entries, strict=True))
    others = tuple(position for position, fields in found.items() if fields is None)
    faulty = 0
    if others:
        rest = _by_feedparser(cut, others, cut.utf8(others))
        if rest is None:
            return None
        faulty = rest.faulty
        by_hash = {block: fields for fields, block in rest.entries}
        found |= {position: by_hash.get(cut.blocks[position].hash) for position in others}
    entries = ((fields, cut.blocks[at].hash) for at, fields in found.items() if fields)
    return Extract(plain.feed, tuple(entries), faulty)


def _by_feedparser(cut: Cut, positions: tuple[int, ...], text: bytes) -> Extract | None:
    try:
        parsed = _parse(text)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 (an item costs itself, not its feed)
        return _halved(cut, positions)
    if len(parsed.entries) != len(positions):
        return None
    hashes = (cut.blocks[position].hash for position in positions)
    entries, faulty = _entries(zip(parsed.entries, hashes, strict=True))
    return Extract(feed_fields(parsed.feed), entries, faulty)


def _halved(cut: Cut, positions: tuple[int, ...]) -> Extract:
    """What feedparser can read, by halving what it cannot."""
    feed, found = FeedFields(), []
    for parsed, raw, block in _readable(cut, positions):
        feed = feed_fields(parsed.feed)
        found.append((raw, block))
    entries, faulty = _entries(iter(found))
    return Extract(feed, entries, faulty + len(positions) - len(found))


def _readable(cut: Cut, positions: tuple[int, ...]) -> Iterator[tuple[Any, Any, bytes]]:
    """Yield document, entry and block of what feedparser can read."""
    middle = len(positions) // 2
    for half in (positions[:middle], positions[middle:]):
        try:
            parsed = _parse(cut.utf8(half))
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 (as above)
            if len(half) > 1:
                yield from _readable(cut, half)
            continue
        if len(parsed.entries) == len(half):
            for raw, position in zip(parsed.entries, half, strict=True):
                yield parsed, raw, cut.blocks[position].hash


def _parse(text: bytes) -> Any:
    if fault(text) is not None:
        text = mend(text)
    return parse_xml_feed(text)


def _entries(
    raws: Iterator[tuple[Any, bytes]],
) -> tuple[tuple[tuple[EntryFields, bytes], ...], int]:
    """What feedparser found of entries, and of how many it cannot be told."""
    entries: list[tuple[EntryFields, bytes]] = []
    faulty = 0
    for raw, block in raws:
        try:
            entries.append((entry_fields(raw), block))
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 (an item costs itself, not its feed)
            faulty += 1
    return tuple(entries), faulty
