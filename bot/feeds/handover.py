"""Polls that one node makes and another one decides about: as bytes, on their way, and back.

    node:   Poller -> HandoverCommitter -> store.nodes.hand_over, or store.polls.commit
    leader: store.nodes.handed_over -> Intake -> BatchCommitter

Most polls bring nothing: the node that made them keeps those itself. What brings news, changes an
article, or has to be told to somebody is for the one that leads.
Nothing is lost on the way: a poll waits in the database from one transaction to another, and where
it never gets there its feed's claim ends and the feed is polled again. A poll that was overtaken is
known by the token of its claim, as one of this process is.
"""

import asyncio
import io
import pickle
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import structlog

from bot.alerts.decide import article
from bot.errors import StoreError
from bot.feeds.batch import BatchCommitter, decide_polls
from bot.feeds.poll_result import PollDecision, PollResponse
from bot.feeds.poller import BATCH, PollReport, reports_of
from bot.feeds.yielding import yielding
from bot.model.changed import changed
from bot.model.entries import RECENT, Match, NewEntry, Revision, Silence
from bot.model.feeds import Fetched
from bot.model.nodes import HandedOver, KnownMatches
from bot.model.poll import FeedCommit
from bot.ports import Clock, NodeStore, PollStore
from bot.query.index import Index
from bot.query.known_matches import article_key

LOOK = timedelta(seconds=2)  #: between two looks for polls of other nodes that nobody told of
#: polls that wait for the one that decides, from which no further ones are brought
MOST_WAITING = 3000
BEHIND = timedelta(seconds=1)  #: between two looks whether they have become fewer
HELD = timedelta(minutes=15)  #: how long a feed whose poll waits stays claimed
PAUSE = timedelta(seconds=2)  #: after the database failed
# The values of a poll, and what they are made of. A pickle can name anything, and a database may
# hold what others wrote; so nothing else is ever made of one.
_PACKAGES = ("bot.model.",)
_OTHERS = frozenset(
    {
        ("bot.feeds.poll_result", "PollResponse"),
        ("builtins", "frozenset"),
        ("builtins", "set"),
        ("datetime", "datetime"),
        ("datetime", "timedelta"),
        ("datetime", "timezone"),
    }
)

log = structlog.stdlib.get_logger("newsbell.nodes")


class ForeignPoll(Exception):  # noqa: N818 (no mistake of ours: it is of another version)
    """Bytes that are no poll of this version."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _OTHERS or module.startswith(_PACKAGES):
            return super().find_class(module, name)
        raise ForeignPoll(f"{module}.{name}")


def pack(response: PollResponse, version: str) -> bytes:
    """Return a poll as bytes. Of a document that was read, the body is left out."""
    if isinstance(response.answer, Fetched):
        response = changed(response, answer=replace(response.answer, body=b""))
    return pickle.dumps((version, response), protocol=5)


def unpack(packed: bytes, version: str) -> PollResponse:
    """Inverse of `pack`. Raises ForeignPoll, also for a poll of another version."""
    try:
        made_by, response = _Unpickler(io.BytesIO(packed)).load()
    except ForeignPoll:
        raise
    except Exception as error:  # what a pickle raises is whatever it leads to
        raise ForeignPoll(type(error).__name__) from error
    if made_by != version:
        raise ForeignPoll(f"of version {made_by}")
    if not isinstance(response, PollResponse):
        raise ForeignPoll(type(response).__name__)
    return response


class HandoverCommitter:
    """Stands in the place of a BatchCommitter on a node that does not lead."""

    is_restored = True

    def __init__(
        self,
        nodes: NodeStore,
        polls: PollStore,
        clock: Clock,
        random: Random,
        *,
        index: Index,
        node: str,
        version: str,
    ) -> None:
        """`index` has the subscriptions, as far as this node knows them."""
        self._nodes, self._polls, self._clock, self._random = nodes, polls, clock, random
        self._index, self._node, self._version = index, node, version

    async def restore(self) -> None:
        """Do nothing: the window of stories is with who decides."""

    async def commit(self, responses: Sequence[PollResponse]) -> list[FeedCommit]:
        """Keep what brought nothing, and hand the other polls over; return what was kept.

        Raises StoreError: those that were not kept or handed over are made again then.
        """
        decisions = await decide_polls(self._polls, self._clock, self._random, responses)
        own = [
            changed(decision.commit, lease=decision.feed.lease)
            for decision in decisions
            if brings_nothing(decision)
        ]
        kept = await self._keep(own) if own else []
        left = {commit.feed_id for commit in own}
        polls: list[HandedOver] = []
        async for response, decision in yielding(tuple(zip(responses, decisions, strict=True)), 1):
            if response.feed.id not in left:
                matched = changed(response, matches=await self._matches(decision))
                polls.append(HandedOver(response.feed.id, pack(matched, self._version)))
        if polls:
            await self._hand_over(polls)
        return kept

    async def _hand_over(self, polls: list[HandedOver]) -> None:
        """Hand polls over; wait where the one that decides has enough of them. Raises StoreError.

        Else it would have ever more of them, and each would be made again before it is its turn.
        """
        waiting = await self._nodes.hand_over(self._node, polls, self._clock.now() + HELD)
        if waiting > MOST_WAITING:
            log.warning("leader_is_behind", polls=waiting, effect="this node polls no further")
        while waiting > MOST_WAITING:
            await asyncio.sleep(BEHIND.total_seconds())
            waiting = await self._nodes.backlog()

    async def _matches(self, decision: PollDecision) -> KnownMatches:
        """What matches the articles that alerts may be decided about."""
        index, digest = self._index, self._index.digest
        since = self._clock.now() - RECENT
        new = [entry for entry in decision.new if _may_alert(entry, since)]
        asked: list[NewEntry | Revision] = [*new, *decision.commit.revisions]
        found: dict[bytes, tuple[Match, ...]] = {}
        async for entry in yielding(asked):
            words = article(entry, decision.feed)
            found[article_key(words)] = tuple(index.match(words))
        if index.digest != digest:  # subscriptions changed between two articles
            return KnownMatches()
        return KnownMatches(digest, found)

    async def _keep(self, commits: list[FeedCommit]) -> list[FeedCommit]:
        """Keep polls, without those whose feed was claimed by another one meanwhile."""
        while commits:
            superseded = await self._polls.commit(commits, self._clock.now())
            if not superseded:
                break
            log.warning("polls_superseded", feed_ids=sorted(superseded))
            commits = [commit for commit in commits if commit.feed_id not in superseded]
        return commits


def _may_alert(entry: NewEntry, since: datetime) -> bool:
    """Whether the words of a new entry are asked for at all."""
    if entry.silent is Silence.BASELINE:
        return entry.published is not None and entry.published > since
    return entry.silent is not Silence.ARCHIVE


def brings_nothing(decision: PollDecision) -> bool:
    """Whether a poll changes nothing but what is known of its feed, its host and its document."""
    commit = decision.commit
    return not (
        decision.new
        or decision.withdrawn
        or commit.revisions
        or commit.notices
        or commit.wakes
        or decision.feed.state.baseline_at is None
    )


class Intake:
    """Takes the polls of other nodes to where they are decided."""

    def __init__(
        self,
        nodes: NodeStore,
        committer: BatchCommitter,
        committed: Callable[[list[PollReport]], None],
        version: str,
    ) -> None:
        self._nodes, self._committer, self._committed = nodes, committer, committed
        self._version = version
        self._come = asyncio.Event()

    def wake(self) -> None:
        """Look for polls now."""
        self._come.set()

    async def run(self) -> None:
        """Take polls in until cancelled."""
        while True:
            self._come.clear()
            try:
                taken = await self.take_in()
            except StoreError as error:
                log.error("intake_failed", error=str(error), retry_after=PAUSE.total_seconds())
                await asyncio.sleep(PAUSE.total_seconds())
                continue
            if not taken:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._come.wait(), LOOK.total_seconds())

    async def take_in(self) -> int:
        """Take the next polls in; return how many. Raises StoreError."""
        polls = await self._nodes.handed_over(0, BATCH)
        responses: dict[int, PollResponse] = {}
        useless: list[int] = []
        for poll in polls:
            try:
                responses[poll.id] = unpack(poll.packed, self._version)
            except ForeignPoll as error:
                log.warning("poll_of_another_version", feed_id=poll.feed_id, reason=str(error))
                useless.append(poll.id)
        if useless:
            await self._nodes.give_back(useless)
        if responses:
            await self._commit(responses)
        return len(polls)

    async def _commit(self, responses: dict[int, PollResponse]) -> None:
        # Two polls of one feed are decided one after the other.
        batch: dict[int, PollResponse] = {}
        feeds: set[int] = set()
        for number, response in responses.items():
            if response.feed.id in feeds:
                break
            feeds.add(response.feed.id)
            batch[number] = response
        try:
            await self._keep(batch)
        except StoreError:
            raise
        except Exception:  # one feed's fault must not cost the others of its batch
            log.exception("batch_failed", feeds=len(batch))
            for number, response in batch.items():
                await self._keep_alone(number, response)

    async def _keep_alone(self, number: int, response: PollResponse) -> None:
        try:
            await self._keep({number: response})
        except StoreError:
            raise
        except Exception:
            log.exception("feed_failed", feed_id=response.feed.id, feed=response.feed.name)
            await self._nodes.drop([number])  # its claim ends, and it is polled again

    async def _keep(self, batch: dict[int, PollResponse]) -> None:
        commits = await self._committer.commit(tuple(batch.values()), tuple(batch))
        if len(commits) < len(batch):  # some were overtaken
            await self._nodes.drop(tuple(batch))
        self._committed(reports_of(tuple(batch.values()), commits))
