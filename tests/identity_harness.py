"""A feed between polls, for the rules of identity and floods. Not assertions, no store."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from support import NOON

from bot.feeds.entry_identity import Identified, identify, lookup_for
from bot.feeds.last_document import Document
from bot.model.entries import KnownEntry, ParsedDocument, ParsedEntry
from bot.model.feeds import FeedDue, FeedState
from bot.model.poll import KnownEntries
from bot.model.stories import StoryIds
from bot.parse.blocks import block_hash
from bot.parse.entry_keys import with_keys

HOUR = timedelta(hours=1)


def entry(
    name: str,
    *,
    title: str | None = None,
    link: str | None = None,
    at: datetime | None = None,
    summary: str = "",
    guid: str | None = None,
) -> ParsedEntry:
    """A parsed entry with the block hash that its words give it."""
    title = f"Story of {name}" if title is None else title
    link = f"https://zoo.example/{name}" if link is None else link
    block = block_hash(repr((name, guid, title, link, at, summary)).encode())
    return with_keys(
        ParsedEntry(
            block=block,
            guid=name if guid is None else guid,
            link=link,
            title=title,
            summary=summary,
            published=at,
            updated=None,
        )
    )


@dataclass
class Feed:
    """A feed between polls: its state, and the entries it brought, as the store would have them."""

    state: FeedState = field(default_factory=lambda: FeedState(NOON))
    now: datetime = NOON
    entries: dict[int, KnownEntry] = field(default_factory=dict)
    url: str = "https://zoo.example/feed.xml"

    def shows(
        self, *parsed: ParsedEntry, after: timedelta = HOUR, whole: bool = False, **more: Any
    ) -> Identified:
        """Poll a document with these entries; with `whole` none is recognised by its block."""
        self.now += after
        due = FeedDue(1, self.url, "Zoo", "Zoo", (), None, self.state)
        known = frozenset() if whole else Document.unpack(self.state.document).blocks
        blocks = () if whole else tuple(item.block for item in parsed)
        changed = tuple(item for item in parsed if item.block not in known)
        document = ParsedDocument(changed, blocks, **more)
        lookup = lookup_for(due, document)
        searched = {
            value
            for keys in lookup.keys
            for value in (keys.guid, keys.link, keys.title, keys.article)
        } - {b""}
        own = tuple(
            item
            for number, item in sorted(self.entries.items())
            if number in lookup.entry_ids
            or searched & {item.keys.guid, item.keys.link, item.keys.title, item.keys.article}
        )
        result = identify(due, document, KnownEntries(own, len(self.entries) + 1), self.now)
        for new in result.new:
            self.entries[new.id] = KnownEntry(
                new.id,
                1,
                StoryIds(new.id, new.id, new.id),
                new.keys,
                new.title,
                new.summary,
                new.published,
                new.updated,
                new.first_seen_at,
            )
        for item in result.revisions:
            self.entries[item.known.id] = replace(
                item.known,
                keys=item.keys,
                title=item.title,
                summary=item.summary,
                updated=item.updated,
            )
        self.state = replace(result.state, last_ok_at=self.now)
        return result


def loud(result: Identified) -> list[str]:
    """The guids of the new entries that alert one by one."""
    return [item.guid for item in result.new if not item.silent]
