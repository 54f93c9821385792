"""Decide which entries of a document are new, which are known, and which have other words.

Keys are BLAKE2b-128. A date never identifies. The rules are those of docs/design.md, "Entry
identity"; each names the trouble it answers. Which new entries get no alert is decided by
`flood_guard`. No I/O, no clock.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from bot.feeds.flood_guard import guard
from bot.feeds.last_document import NO_BLOCK, Document
from bot.model.entries import (
    EntryKeys,
    KnownEntry,
    NewEntry,
    ParsedDocument,
    ParsedEntry,
    Revision,
)
from bot.model.feeds import FeedDue, FeedState, Policy
from bot.model.poll import KnownEntries, Lookup
from bot.text.fold import folded_key
from bot.text.url import canonical, names_page

_LOOKED_UP = 200  # entries that left the document, for one lookup
_ALIKE = 0.6  # share of words that two versions of a headline have in common
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Identified:
    """What a document turned out to hold."""

    new: tuple[NewEntry, ...]
    revisions: tuple[Revision, ...]
    absent: tuple[int, ...]
    returned: tuple[int, ...]
    state: FeedState  #: identity fields brought up to date
    flood: int = 0  #: how many new entries came at once; 0: an ordinary poll
    archived: int = 0  #: how many of these are the feed's archive
    next_id: int = 0


def lookup_for(feed: FeedDue, document: ParsedDocument) -> Lookup:
    """What has to be known before `identify` can decide."""
    last = Document.unpack(feed.state.document)
    gone = sorted(last.entries - _unchanged(last, document)) if document.entries else []
    keys = tuple(entry.keys for entry in document.entries)
    return Lookup(feed.id, keys, tuple(gone[:_LOOKED_UP]))


def _unchanged(last: Document, document: ParsedDocument) -> frozenset[int]:
    """Entries whose blocks are in the document as they were."""
    present = frozenset(document.blocks)
    return frozenset(entry for block, entry in last.records if entry and block in present)


class _Recogniser:
    """Compares the entries of one document with those the store knows."""

    def __init__(self, feed: FeedDue, document: ParsedDocument, known: KnownEntries) -> None:
        own = known.entries
        self.state = feed.state
        self.unchanged = _unchanged(Document.unpack(feed.state.document), document)
        self.before = Document.unpack(feed.state.document).entries
        self.by_guid = {entry.keys.guid: entry for entry in own if entry.keys.guid}
        self.by_link = {entry.keys.link: entry for entry in own if entry.keys.link}
        self.by_title = {entry.keys.title: entry for entry in own if entry.keys.title}
        self.by_guid_link = {(entry.keys.guid, entry.keys.link): entry for entry in own}
        self.by_all = {(entry.keys.guid, entry.keys.link, entry.keys.title): entry for entry in own}
        bearers = Counter(entry.keys.article for entry in own)
        # A number that several articles bear is that of a section.
        self.by_article = {
            entry.keys.article: entry
            for entry in own
            if entry.keys.article and bearers[entry.keys.article] == 1
        }
        self.vanished = [
            entry for entry in own if entry.id in self.before and entry.id not in self.unchanged
        ]
        self.home = canonical(document.link)
        self.articles = Counter(
            entry.keys.article for entry in document.entries if entry.keys.article
        )
        self.links = {entry.keys.link for entry in document.entries if entry.keys.link}
        self.guids_changed = _changed(
            document,
            ((entry.keys.guid, entry.keys.title) for entry in document.entries),
            self.by_guid,
            self.by_title,
        )
        self.links_changed = _changed(
            document,
            ((entry.keys.link, entry.keys.title) for entry in document.entries),
            self.by_link,
            self.by_title,
        )

    def find(
        self, entry: ParsedEntry, keys: EntryKeys, policy: Policy, links_identify: bool
    ) -> KnownEntry | None:
        match policy:
            case Policy.TITLE:
                return self.by_title.get(keys.title)
            case Policy.LINK_TITLE:
                return self._by_link_or_title(entry, keys, links_identify)
            case Policy.GUID_LINK:
                return self._by_guid_and_link(keys, links_identify) or self._by_link(
                    entry, keys, links_identify
                )
            case Policy.GUID:
                return (
                    self._by_guid(keys)
                    or self._by_link(entry, keys, links_identify)
                    or self._renamed(entry, keys)
                )

    def _by_guid(self, keys: EntryKeys) -> KnownEntry | None:
        known = self.by_guid.get(keys.guid)
        return None if known and self.is_another(known, keys) else known

    def is_another(self, known: KnownEntry, keys: EntryKeys) -> bool:
        """Whether the known entry stands in this document beside the one with these keys."""
        beside = known.keys.link != keys.link and known.keys.link in self.links
        return known.keys.title != keys.title and (known.id in self.unchanged or beside)

    def _by_guid_and_link(self, keys: EntryKeys, links_identify: bool) -> KnownEntry | None:
        if not keys.link:
            return self.by_title.get(keys.title)
        known = self.by_all.get((keys.guid, keys.link, keys.title))
        if known or not links_identify:
            return known
        known = self.by_guid_link.get((keys.guid, keys.link))
        return None if known and self.is_another(known, keys) else known

    def _by_link_or_title(
        self, entry: ParsedEntry, keys: EntryKeys, links_identify: bool
    ) -> KnownEntry | None:
        """By link; by headline where links say nothing, all have changed or a link was replaced.

        A daily column keeps its headline, too, so the headline alone does not identify.
        """
        link_counts = links_identify and self._names_a_page(entry)
        known = self.by_link.get(keys.link) if link_counts else None
        if known:
            return known
        known = self.by_title.get(keys.title)
        replaced = known in self.vanished and known.keys.link not in self.links if known else False
        return known if replaced or self.links_changed or not link_counts else None

    def _names_a_page(self, entry: ParsedEntry) -> bool:
        return (
            bool(entry.keys.link) and names_page(entry.link) and canonical(entry.link) != self.home
        )

    def _by_link(
        self, entry: ParsedEntry, keys: EntryKeys, links_identify: bool
    ) -> KnownEntry | None:
        known = self.by_link.get(keys.link) if keys.link else None
        if not known or not self._names_a_page(entry):
            return None
        if known.keys.title == keys.title:
            return known
        return known if links_identify and known.id not in self.unchanged else None

    def _renamed(self, entry: ParsedEntry, keys: EntryKeys) -> KnownEntry | None:
        """A headline edit that changed the slug, and with it link and guid.

        The article number or the date of publication stayed.
        """
        known = (
            self.by_article.get(keys.article)
            if keys.article and self.articles[keys.article] == 1
            else None
        )
        if known and known in self.vanished:
            return known
        # Feeds that date by the day or the hour give one moment to many entries.
        moment = (
            entry.published
            if entry.published and (entry.published.minute or entry.published.second)
            else None
        )
        for candidate in self.vanished:
            if moment and candidate.published == moment and _alike(candidate.title, entry.title):
                return candidate
            same = (
                candidate.keys.title == keys.title
                and candidate.summary == entry.summary
                and candidate.published == entry.published
            )
            if same and not self._names_a_page(entry):
                return candidate
        return None


def _changed(
    document: ParsedDocument,
    pairs: Iterable[tuple[bytes, bytes]],
    known: Mapping[bytes, KnownEntry],
    by_title: Mapping[bytes, KnownEntry],
) -> bool:
    """Whether most entries have another key of a kind than before.

    A key is another one if it is new while the headline is known and this entry's alone.
    """
    titles = Counter(entry.keys.title for entry in document.entries)
    count = sum(
        bool(key) and key not in known and title in by_title and titles[title] == 1
        for key, title in pairs
    )
    return count >= 3 and 2 * count > max(len(document.blocks), len(document.entries))


def _alike(first: str, second: str) -> bool:
    words, others = set(folded_key(first).split()), set(folded_key(second).split())
    numbers = {word for word in words ^ others if any(map(str.isdigit, word))}
    return bool(words) and not numbers and len(words & others) >= _ALIKE * len(words | others)


def _without_twins(
    entries: Iterable[tuple[ParsedEntry, EntryKeys]],
) -> list[tuple[ParsedEntry, EntryKeys]]:
    """Entries that differ only in guid count once in a document (`#0` and `#1` behind a guid)."""
    seen: set[tuple[bytes, bytes]] = set()
    unique: list[tuple[ParsedEntry, EntryKeys]] = []
    for entry, keys in entries:
        twin = (keys.link or keys.guid, keys.title)
        if twin not in seen:
            unique.append((entry, keys))
        seen.add(twin)
    return unique


def _policy(
    feed: FeedDue, pairs: list[tuple[ParsedEntry, EntryKeys]], recogniser: _Recogniser
) -> tuple[Policy, bool]:
    """The policy from now on, and whether links tell entries apart. Sticky: it never goes back."""
    policy, links_identify = feed.state.policy, feed.state.links_identify
    if urlsplit(feed.address).hostname == "news.google.com":
        return Policy.TITLE, links_identify
    titles_of_link: dict[bytes, set[bytes]] = {}
    links_of_guid: dict[bytes, set[tuple[bytes, bytes]]] = {}
    for _, keys in pairs:
        if keys.link:
            titles_of_link.setdefault(keys.link, set()).add(keys.title)
        links_of_guid.setdefault(keys.guid, set()).add((keys.link, keys.title))
        known = recogniser.by_guid.get(keys.guid)
        if known and recogniser.is_another(known, keys):
            links_of_guid[keys.guid].add((known.keys.link, known.keys.title))
    if any(len(titles) > 1 for titles in titles_of_link.values()):
        links_identify = False
    if policy is Policy.GUID and any(
        guid and len(links) > 1 for guid, links in links_of_guid.items()
    ):
        policy = Policy.GUID_LINK
    if policy in {Policy.GUID, Policy.GUID_LINK} and recogniser.guids_changed:
        policy = Policy.LINK_TITLE
    return policy, links_identify


def identify(
    feed: FeedDue, document: ParsedDocument, known: KnownEntries, now: datetime
) -> Identified:
    """Tell new entries of a document from known ones, and mark those that get no alert."""
    recogniser = _Recogniser(feed, document, known)
    pairs = [(entry, entry.keys) for entry in document.entries]
    policy, links_identify = _policy(feed, pairs, recogniser)
    ids_by_block = {
        block: entry
        for block, entry in Document.unpack(feed.state.document).records
        if block != NO_BLOCK
    }
    order: list[int] = []
    seen_ids: set[int] = set(recogniser.unchanged)
    new: list[NewEntry] = []
    revisions: list[Revision] = []
    next_id = known.next_id
    chosen = {id(entry) for entry, _ in _without_twins(pairs)}
    fresh_by_twin: dict[tuple[bytes, bytes], int] = {}
    for entry, keys in pairs:
        match = recogniser.find(entry, keys, policy, links_identify)
        if match:
            entry_id = match.id
            if entry_id not in seen_ids and (revision := _revised(match, entry, keys)):
                revisions.append(revision)
        elif id(entry) in chosen:
            entry_id, next_id = next_id, next_id + 1
            new.append(_new(feed, entry, keys, entry_id, now))
            fresh_by_twin[(keys.link or keys.guid, keys.title)] = entry_id
        else:
            entry_id = fresh_by_twin.get((keys.link or keys.guid, keys.title), 0)
        seen_ids.add(entry_id)
        order.append(entry_id)
        ids_by_block[entry.block] = entry_id
    if document.blocks:
        order = [ids_by_block.get(block, 0) for block in document.blocks]
    present = frozenset(seen_ids - {0})
    fresh = frozenset(entry.id for entry in new)
    guarded = guard(feed.state, new, order, now, cut=bool(feed.state.cut or document.cut))
    state = _remember(guarded.state, document, ids_by_block, present, now)
    lost_sight = bool(new) and not guarded.flood and not present - fresh
    gap = lost_sight and feed.state.baseline_at is not None and bool(feed.state.document)
    return Identified(
        new=guarded.entries,
        revisions=tuple(revisions),
        absent=tuple(sorted(recogniser.before - present)),
        returned=tuple(sorted(present - recogniser.before - fresh)),
        state=replace(state, policy=policy, links_identify=links_identify, gaps=state.gaps + gap),
        flood=guarded.flood,
        archived=guarded.archived,
        next_id=next_id,
    )


def _new(
    feed: FeedDue, entry: ParsedEntry, keys: EntryKeys, entry_id: int, now: datetime
) -> NewEntry:
    return NewEntry(
        id=entry_id,
        feed_id=feed.id,
        keys=keys,
        guid=entry.guid,
        link=entry.link,
        title=entry.title,
        summary=entry.summary,
        author=entry.author,
        source=entry.source,
        published=entry.published,
        updated=entry.updated,
        first_seen_at=now,
        language=entry.language,
    )


def _revised(known: KnownEntry, entry: ParsedEntry, keys: EntryKeys) -> Revision | None:
    """The revision, unless the words are the same or this is an older copy from a cache."""
    stamp, known_stamp = entry.updated or entry.published, known.updated or known.published
    if stamp and known_stamp and stamp < known_stamp:
        return None
    retitled = keys.title != known.keys.title
    if not retitled and entry.title == known.title and _same_but_numbers(entry, known):
        return None
    return Revision(
        known,
        entry.title,
        entry.summary,
        entry.link,
        keys,
        stamp or known.updated,
        retitled,
        author=entry.author,
        source=entry.source,
        language=entry.language,
    )


def _same_but_numbers(entry: ParsedEntry, known: KnownEntry) -> bool:
    """Whether a summary is the same but for its numbers: a counter changes at every poll."""
    return entry.summary == known.summary or (
        _NUMBER.sub("0", entry.summary) == _NUMBER.sub("0", known.summary)
    )


def _unread(state: FeedState, document: ParsedDocument, ids_by_block: dict[bytes, int]) -> int:
    """How many entries that could not be read before are still in the document."""
    if not state.unread:
        return 0
    return min(state.unread, sum(ids_by_block.get(block) == 0 for block in document.blocks))


def _remember(
    state: FeedState,
    document: ParsedDocument,
    ids_by_block: dict[bytes, int],
    present: frozenset[int],
    now: datetime,
) -> FeedState:
    """The state with what this document holds."""
    if document.blocks:
        records = tuple(
            (block, ids_by_block.get(block, 0)) for block in dict.fromkeys(document.blocks)
        )
        covered = {entry for _, entry in records}
        records += tuple((b"", entry) for entry in sorted(present - covered))
    else:
        records = tuple((b"", entry) for entry in sorted(present))
    return replace(
        state,
        document=Document(records).pack(),
        unread=_unread(state, document, ids_by_block) + document.faulty,
        cut=len(document.cut)
        or (state.cut if document.blocks else 0)
        or int(state.baseline_at is None and document.truncated),
        baseline_at=state.baseline_at or now,
        hints=document.hints if document.entries else state.hints,
    )
