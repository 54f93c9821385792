"""What a poll reads from the store and what it changes. Not how that is decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.model.alerts import AlertGrowth, AlertIntent, AlertRevision, AlertUpdate, MatchRecord
from bot.model.delivery import NoticeIntent
from bot.model.entries import EntryKeys, KnownEntry, PlacedEntry, Revision
from bot.model.feeds import Failure, FeedState
from bot.model.hosts import HostPace
from bot.model.pages import PageRequest
from bot.model.stories import StoryIds


@dataclass(frozen=True, slots=True)
class HostShare:
    """How many feeds of each host may be claimed at once."""

    by_host: Mapping[str, int] = field(default_factory=dict)  #: of hosts that differ
    others: int = 1_000_000

    def of(self, host: str) -> int:
        """Return how many of this host."""
        return self.by_host.get(host, self.others)


ANY_SHARE = HostShare()


@dataclass(frozen=True, slots=True)
class Lookup:
    """What the decisions about a feed need from the store."""

    feed_id: int
    keys: tuple[EntryKeys, ...]  #: of all parsed entries
    #: entries that were in the last document and are not in this one
    entry_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownEntries:
    """The store's answer to a Lookup."""

    entries: tuple[KnownEntry, ...]  #: of this feed: by any key, or asked for by id
    next_id: int  #: free ids for entries and stories from here upward


@dataclass(frozen=True, slots=True)
class AffectedStories:
    """The stories that a batch adds entries to or merges."""

    story_ids: frozenset[StoryIds]
    originals: frozenset[int] = frozenset()  #: entries that new ones are copies of


@dataclass(frozen=True)  # without slots: see `changed`
class FeedCommit:
    """All that a poll changes; kept in one transaction or not at all."""

    feed_id: int
    state: FeedState
    document_changed: bool = False  #: `state.document` has to be written
    new: tuple[PlacedEntry, ...] = ()
    revisions: tuple[Revision, ...] = ()
    absent: tuple[int, ...] = ()  #: entries that left the document
    returned: tuple[int, ...] = ()  #: entries that came back
    alerts: tuple[AlertIntent, ...] = ()
    alert_revisions: tuple[AlertRevision, ...] = ()
    growths: tuple[AlertGrowth, ...] = ()
    records: tuple[MatchRecord, ...] = ()  #: what was decided about each match
    notices: tuple[NoticeIntent, ...] = ()
    host: tuple[str, HostPace] | None = None  #: the host, and how often it may be asked from now
    given_back: tuple[int, ...] = ()  #: feeds that were claimed, and are not asked for now
    #: failing like this, further feeds of the host are tried at once
    wakes: frozenset[Failure] = frozenset()
    lease: int = 0  #: token of the feed's claim; 0: the feed was not claimed
    withdrawn: tuple[int, ...] = ()  #: entries that the feed took back
    updates: tuple[AlertUpdate, ...] = ()  #: what changes of entries mean for their alerts
    pages: tuple[PageRequest, ...] = ()  #: of new entries, that are to be read for their text
