"""Decide which entries of a document are new, which are known, and which have other words.

Keys are BLAKE2b-128. A date never identifies. The rules are those of docs/design.md, "Entry
identity"; each names the trouble it answers. Which new entries get no alert is decided by
`flood_guard`. No I/O, no clock.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from bot.feeds.entry_match import Recogniser, is_same_item, unchanged_entries
from bot.feeds.flood_guard import guard
from bot.feeds.last_document import NO_BLOCK, Document
from bot.model.changed import changed
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
from bot.text.channel_link import followed_channel
from bot.text.counters import same_but_counting, steady_headline
from bot.text.fold import folded_key

_LOOKED_UP = 200  # entries that left the document, for one lookup


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
    unfinished: bool = False  #: there were more new entries than are read at once
    next_id: int = 0


def lookup_for(feed: FeedDue, document: ParsedDocument) -> Lookup:
    """What has to be known before `identify` can decide."""
    last = Document.unpack(feed.state.document)
    gone = sorted(last.entries - unchanged_entries(last, document)) if document.entries else []
    withdrawn = (EntryKeys(guid, b"", b"") for guid in document.withdrawn)
    keys = (*(entry.keys for entry in document.entries), *withdrawn)
    return Lookup(feed.id, keys, tuple(gone[:_LOOKED_UP]))


def _policy(
    feed: FeedDue, pairs: list[tuple[ParsedEntry, EntryKeys]], recogniser: Recogniser
) -> tuple[Policy, bool]:
    """The policy from now on, and whether links tell entries apart. Sticky: it never goes back."""
    policy, links_identify = feed.state.policy, feed.state.links_identify
    if urlsplit(feed.address).hostname == "news.google.com":
        return Policy.TITLE, links_identify
    if followed_channel(feed.url):  # it says the same again and again, under numbers of Telegram
        return Policy.GUID, True
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
    recogniser = Recogniser(feed, document, known, now)
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
    fresh: dict[tuple[bytes, bytes], list[tuple[ParsedEntry, int]]] = {}
    for entry, keys in pairs:
        match = recogniser.find(entry, keys, policy, links_identify)
        if match:
            entry_id = match.id
            if entry_id not in seen_ids and (revision := _revised(match, entry, keys)):
                revisions.append(revision)
        else:
            # Entries that differ only in guid count once (`#0` and `#1` behind a guid).
            twins = fresh.setdefault((keys.link or keys.guid, keys.title), [])
            entry_id = next((number for twin, number in twins if is_same_item(twin, entry)), 0)
            if not entry_id:
                entry_id, next_id = next_id, next_id + 1
                new.append(_new(feed, entry, keys, entry_id, now))
                twins.append((entry, entry_id))
        seen_ids.add(entry_id)
        order.append(entry_id)
        ids_by_block[entry.block] = entry_id
    if document.blocks:
        order = [ids_by_block.get(block, 0) for block in document.blocks]
    present = frozenset(seen_ids - {0})
    new_ids = frozenset(entry.id for entry in new)
    guarded = guard(feed.state, new, order, now, cut=bool(feed.state.cut or document.cut))
    # The rest of news is read with the next polls. That of an archive is not, nor that of a
    # document whose blocks all look otherwise.
    is_news = 2 * len(new) > len(document.entries) and not guarded.archived
    begun = feed.state.baseline_at is not None
    rest = frozenset(document.cut) if begun and is_news else frozenset()
    state = _remember(guarded.state, document, ids_by_block, present, rest, now)
    lost_sight = bool(new) and not guarded.flood and not present - new_ids
    gap = lost_sight and begun and bool(feed.state.document)
    return Identified(
        new=guarded.entries,
        revisions=tuple(revisions),
        absent=tuple(sorted(recogniser.before - present)),
        returned=tuple(sorted(present - recogniser.before - new_ids)),
        state=changed(state, policy=policy, links_identify=links_identify, gaps=state.gaps + gap),
        flood=guarded.flood,
        archived=guarded.archived,
        unfinished=bool(rest),
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
        core=entry.core,
        body=entry.body,
        categories=entry.categories,
    )


def _revised(known: KnownEntry, entry: ParsedEntry, keys: EntryKeys) -> Revision | None:
    """The revision, unless the words are the same or this is an older copy from a cache."""
    stamp, known_stamp = entry.updated or entry.published, known.updated or known.published
    if stamp and known_stamp and stamp < known_stamp:
        return None
    retitled = keys.title != known.keys.title
    same_headline = not retitled and steady_headline(entry.title) == steady_headline(known.title)
    same_body = entry.body == known.body or same_but_counting(entry.body, known.body)
    if same_headline and same_body and same_but_counting(entry.summary, known.summary):
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
        flips=_flips(known, entry),
        body=entry.body,
        categories=entry.categories,
    )


def _flips(known: KnownEntry, entry: ParsedEntry) -> bool:
    """Whether these words were there before: a site tries two headlines in turn."""
    if (entry.title, entry.summary) == (known.title, known.summary):
        return False  # its body changed
    if entry.title == known.title:
        return (entry.title, entry.summary) in known.earlier
    headline = folded_key(entry.title)
    return any(folded_key(title) == headline for title, _ in known.earlier)


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
    rest: frozenset[bytes],
    now: datetime,
) -> FeedState:
    """The state with what this document holds, without the `rest` that is to be read."""
    if document.blocks:
        records = tuple(
            (block, ids_by_block.get(block, 0))
            for block in dict.fromkeys(document.blocks)
            if block not in rest
        )
        covered = {entry for _, entry in records}
        records += tuple((b"", entry) for entry in sorted(present - covered))
    else:
        records = tuple((b"", entry) for entry in sorted(present))
    return changed(
        state,
        document=Document(records).pack(),
        unread=_unread(state, document, ids_by_block) + document.faulty,
        cut=len(document.cut)
        or (state.cut if document.blocks else 0)
        or int(state.baseline_at is None and document.truncated),
        baseline_at=state.baseline_at or now,
        hints=document.hints if document.entries else state.hints,
    )
