"""Decide what a batch of polls means, and commit it in one transaction.

    store.lookup | poll_result.decide_poll | stories.assign | store.stories | alerts | store.commit

Calls the deciders in this order; fetches nothing and sends nothing. Batches come one after
another, so that what is decided about an entry is known when the next one is looked at.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import partial
from random import Random

import structlog

from bot.alerts.decide import AlertDecisions, AlertRules, FeedAlerts
from bot.alerts.state import AlertState
from bot.feeds.entry_identity import lookup_for
from bot.feeds.page_match import decide_page
from bot.feeds.page_requests import pages_to_read
from bot.feeds.poll_result import PollDecision, PollResponse, decide_poll
from bot.feeds.rematch import rematch
from bot.feeds.window_reader import WindowReader
from bot.feeds.yielding import yielding
from bot.model.alerts import StoryState
from bot.model.changed import changed
from bot.model.chats import Developments, Updates
from bot.model.entries import PlacedEntry
from bot.model.pages import PageDue, PageFailed, PageText
from bot.model.poll import AffectedStories, FeedCommit, KnownEntries
from bot.model.stories import Grouping, StoryIds
from bot.ports import Clock, PageStore, PollStore
from bot.query.index import Index
from bot.query.known_matches import KnownFirst
from bot.stories.assign import Assigner, Merges, resolve_placements
from bot.stories.publishers import PublisherGroups
from bot.stories.window import Window

REMOVED = 50  #: entries removed from the window before other tasks get their turn

log = structlog.stdlib.get_logger("newsbell.poller")


def _nothing() -> None:
    """Nobody waits for the window."""


class BatchCommitter:
    """Commits batches of polls; keeps the live window of stories between them."""

    def __init__(
        self,
        store: PollStore,
        clock: Clock,
        random: Random,
        *,
        index: Index,
        publisher_groups: Callable[[], PublisherGroups],
        grouping: Callable[[int], Grouping],
        developments: Callable[[int], Developments],
        updates: Callable[[int], Updates | None],
        restored: Callable[[], None] = _nothing,
        followed: WindowReader | None = None,
    ) -> None:
        """`restored` is called whenever the window was read from the store.

        `followed`: the window as it was read already, while another node led.
        """
        self._followed = followed
        self._store, self._clock, self._random = store, clock, random
        self._index, self._publisher_groups, self._grouping = index, publisher_groups, grouping
        self._developments, self._updates, self._restored = developments, updates, restored
        # None while it may be ahead of the store: then it is read anew.
        self._window: Window | None = None
        self._reading = asyncio.Lock()
        self._offset = self._clock_offset()
        self._deciding = asyncio.Lock()
        self._languages: frozenset[str] = frozenset()  # for which the window is prepared
        self.window_size = 0  #: entries of the window, after the last batch

    async def commit(
        self, responses: Sequence[PollResponse], taken: Collection[int] = ()
    ) -> list[FeedCommit]:
        """Decide and commit; the commits, without feeds that another poller claimed meanwhile.

        `taken`: the numbers of polls that other nodes handed over, and that wait no longer then.

        Raises StoreError: nothing was kept then.
        """
        while responses:
            async with self._deciding:
                commits, superseded = await self._try_commit(responses, taken)
            if not superseded:
                return commits
            for response in responses:
                if response.feed.id in superseded:
                    log.warning(
                        "poll_superseded", feed_id=response.feed.id, feed=response.feed.name
                    )
            responses = [item for item in responses if item.feed.id not in superseded]
        return []

    async def rematch(self, subscriptions: Collection[int], since: datetime) -> int:
        """Alert what these subscriptions match of the entries seen since; return how many alerts.

        Between two batches, so that both know what the other decided. Raises StoreError.
        """
        async with self._deciding:
            now = self._clock.now()
            return await rematch(
                self._store, self._index, self._grouping, subscriptions, since, now
            )

    async def page_read(self, pages: PageStore, due: PageDue, page: PageText | PageFailed) -> bool:
        """Decide about an entry whose page was read, or is gone for good.

        Return whether there is something to send.

        Between two batches, like `rematch`. Raises StoreError.
        """
        async with self._deciding:
            now = self._clock.now()
            current = await pages.current(due)  # its story may be part of another by now
            if current is None:
                return False
            affected = AffectedStories(frozenset({current.known.story_ids}))
            stored = await self._store.stories(affected, now)
            commit = decide_page(current, page, stored, self._rules(now))
            kept = await pages.commit(commit, now)
        return kept and bool(
            commit.alerts or commit.alert_revisions or commit.growths or commit.updates
        )

    def _rules(self, now: datetime, responses: Sequence[PollResponse] = ()) -> AlertRules:
        known = [item.matches for item in responses if item.matches.by_article]
        index = KnownFirst(self._index, known) if known else self._index
        return AlertRules(index, self._grouping, now, self._developments, self._updates)

    async def _try_commit(
        self, responses: Sequence[PollResponse], taken: Collection[int]
    ) -> tuple[list[FeedCommit], frozenset[int]]:
        """The commits, and the feeds claimed by another poller meanwhile: if any, none is kept."""
        now = self._clock.now()
        decisions = await decide_polls(self._store, self._clock, self._random, responses)
        window: Window | None = None
        merges = Merges.of(())
        if any(decision.new for decision in decisions):
            window = await self.restore()
            self._window = None  # what it takes in now is only true once it is committed
            decisions, merges = await self._place(window, decisions)
        rules = self._rules(now, responses)
        commits = await decide_commits(self._store, decisions, merges, rules)
        superseded = await self._store.commit(commits, now, merges.done, taken)
        if not superseded and window is not None:
            self._window, self.window_size = window, len(window)
        return commits, superseded

    @property
    def is_restored(self) -> bool:
        """Whether a batch with new entries is decided without reading the window first."""
        return self._window is not None

    async def restore(self) -> Window:
        """Return the live window, read from the store if need be and kept for the next batch.

        Batches without new entries are committed meanwhile: they need no window, and bring nothing
        that would be in it. Raises StoreError.
        """
        async with self._reading:
            if self._window is None:
                # The window's present is its newest entry, which a quiet time leaves behind.
                reader = self._followed or WindowReader()
                window = await reader.read(self._store, self._clock.now() - self._clock_ahead)
                self._followed = None
                await asyncio.to_thread(window.prepare)
                self._window, self.window_size = window, len(window)
                self._restored()
            return self._window

    def clock_is_behind(self, span: timedelta) -> None:
        """The clock is behind that of the stored entries by this negative span; 0 for right."""
        self._offset -= span.total_seconds()

    def _clock_offset(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic()

    @property
    def _clock_ahead(self) -> timedelta:
        """How far the clock was set meanwhile: stories end by the time that passed."""
        return timedelta(seconds=round(self._clock_offset() - self._offset))

    async def _place(
        self, window: Window, decisions: Sequence[PollDecision]
    ) -> tuple[list[PollDecision], Merges]:
        """The decisions with stories for their new entries, and what merged because of them."""
        languages = {entry.language for decision in decisions for entry in decision.new}
        if not languages <= self._languages:
            await asyncio.to_thread(window.prepare, languages)
            self._languages |= languages
        assigner = Assigner(window, self._publisher_groups(), self._clock_ahead)
        placed: list[list[PlacedEntry]] = [[] for _ in decisions]
        # One loop for all feeds, for most bring one entry.
        new = [
            (entry, decision.feed.publisher, entries)
            for decision, entries in zip(decisions, placed, strict=True)
            for entry in decision.new
        ]
        async for entry, publisher, entries in yielding(new):
            async for _ in yielding(iter(partial(assigner.make_room, entry, REMOVED), True), 1):
                pass  # until nothing is left to remove
            entries.append(assigner.assign(entry, publisher))
        return [
            changed(decision, placed=tuple(entries)) if entries else decision
            for decision, entries in zip(decisions, placed, strict=True)
        ], assigner.merges


async def decide_polls(
    store: PollStore, clock: Clock, random: Random, responses: Sequence[PollResponse]
) -> list[PollDecision]:
    """What the polls mean for their feeds. Raises StoreError."""
    lookups = [
        lookup_for(response.feed, response.document)
        for response in responses
        if response.document and (response.document.entries or response.document.withdrawn)
    ]
    known = await store.lookup(lookups) if lookups else {}
    decisions: list[PollDecision] = []
    async for response in yielding(responses, is_long=has_entries):
        known_entries = known.get(response.feed.id, KnownEntries((), 0))
        decisions.append(decide_poll(response, known_entries, clock.now(), random.random()))
    return decisions


async def decide_commits(
    store: PollStore, decisions: Sequence[PollDecision], merges: Merges, rules: AlertRules
) -> list[FeedCommit]:
    """The commits of a batch whose entries are placed, with the alerts; in the batch's order."""
    affected = affected_stories(decisions, merges)
    stored = await store.stories(affected, rules.now) if affected.story_ids else StoryState()
    state = AlertState.of(stored, merges)
    commits: list[FeedCommit] = []
    async for decision in yielding(decisions, is_long=_is_placed):
        commit, entries = (
            decision.commit,
            resolve_placements(decision.placed, merges, stored.originals),
        )
        alerts = AlertDecisions()
        if entries or commit.revisions or decision.withdrawn:
            feed_alerts = FeedAlerts(decision.feed, state, rules)
            async for entry in yielding(entries):
                feed_alerts.add_entry(entry)
            async for revision in yielding(commit.revisions):
                feed_alerts.add_revision(revision)
            for known in decision.withdrawn:
                feed_alerts.add_withdrawal(known)
            alerts, state = feed_alerts.result()
        commits.append(
            changed(
                commit,
                lease=decision.feed.lease,
                new=tuple(entries),
                alerts=alerts.alerts,
                alert_revisions=alerts.revisions,
                growths=alerts.growths,
                records=alerts.records,
                updates=alerts.updates,
                pages=pages_to_read(decision.feed, (placed.entry for placed in entries)),
            )
        )
    return commits


def affected_stories(decisions: Sequence[PollDecision], merges: Merges) -> AffectedStories:
    """The stored stories that matter to a batch.

    Those that its entries join, those that merge, and those of changed entries.
    """
    placed = [entry for decision in decisions for entry in decision.placed]
    new = {entry.entry.id for entry in placed}
    story_ids = {
        ids
        for entry in placed
        for ids in (entry.story_ids, merges.resolve(entry.story_ids))
        if not (ids.strict in new and ids.story in new and ids.storyline in new)
    }
    for decision in decisions:
        story_ids |= {revision.known.story_ids for revision in decision.commit.revisions}
        story_ids |= {entry.story_ids for entry in decision.withdrawn}
    for merge in merges.done:
        story_ids |= {StoryIds(number, number, number) for number in (merge.gone, merge.kept)}
    originals = {entry.placement.copy_of for entry in placed} - {0}
    return AffectedStories(frozenset(story_ids), frozenset(originals))


def has_entries(response: PollResponse) -> bool:
    """Whether a poll may bring new entries."""
    return response.document is not None and bool(response.document.entries)


def _is_placed(decision: PollDecision) -> bool:
    return bool(decision.placed)
