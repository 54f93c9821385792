"""Decide what one poll means for its feed: state, next poll, and what the operator should know.

Which entries are new is decided by `entry_identity`, when to poll again by `poll_schedule`; here
both become one `FeedCommit`. No I/O, no clock.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from bot.feeds import poll_schedule, silence
from bot.feeds.boilerplate import Boilerplate
from bot.feeds.entry_identity import Identified, identify
from bot.feeds.feed_notices import (
    empty_text,
    failing_text,
    flood_text,
    silent_text,
    success_notices,
)
from bot.feeds.host_turns import SLOW
from bot.feeds.last_document import Document
from bot.model.changed import changed
from bot.model.delivery import NoticeKind, notice
from bot.model.entries import (
    KnownEntry,
    NewEntry,
    ParsedDocument,
    ParsedEntry,
    PlacedEntry,
)
from bot.model.feeds import (
    Failure,
    FeedDue,
    FeedState,
    FeedText,
    Fetched,
    FetchFailed,
    FetchOutcome,
    Freshness,
    NotModified,
)
from bot.model.hosts import HostAnswer, HostPace
from bot.model.nodes import KnownMatches
from bot.model.poll import FeedCommit, KnownEntries
from bot.text.channel_link import followed_channel
from bot.text.clean import headline
from bot.text.url import host_and_port

log = structlog.stdlib.get_logger("newsbell.poller")

EMPTY_PROOF = 3  #: documents without entries in a row before the operator is told
_ENTRIES_BEFORE = 5  # that a feed had, for a single remaining entry to be its tombstone
_TOMBSTONE = re.compile(
    r"no longer (?:available|active|supported|updated)"
    r"|has (?:been )?(?:moved|discontinued|retired|deprecated)"
    r"|feed (?:is|was) (?:gone|closed|deprecated)"
    r"|please update your (?:feed )?(?:reader|url|subscription)",
    re.IGNORECASE,
)
# A warning, too, is "no longer active", and a ferry "has moved".
_OF_FEEDS = re.compile(r"\b(?:feeds?|rss|atom|readers?|subscri\w+)\b", re.IGNORECASE)

INTERNAL_TEXT = "newsbell itself failed on this feed; its log says where."


@dataclass(frozen=True)  # without slots: see `changed`
class PollResponse:
    """What one poll brought, before anything is decided."""

    feed: FeedDue
    answer: FetchOutcome
    body_hash: bytes = b""  #: BLAKE2b-128 of the body
    document: ParsedDocument | None = None  #: None: a failure, a 304, or the same body as before
    seconds: float = 0.0  #: that the answer took; 0 where that is not known
    host: HostAnswer = HostAnswer()  #: what the answer says of the host
    matches: KnownMatches = KnownMatches()  #: what the node found that made the poll


def internal_failure(feed: FeedDue) -> PollResponse:
    """Return what is kept of a poll on which newsbell itself failed."""
    return PollResponse(feed, FetchFailed(Failure.INTERNAL, INTERNAL_TEXT))


@dataclass(frozen=True)  # without slots: see `changed`
class PollDecision:
    """What one poll means for its feed. Its alerts are decided when its entries are placed."""

    feed: FeedDue
    commit: FeedCommit
    new: tuple[NewEntry, ...] = ()
    placed: tuple[PlacedEntry, ...] = ()  #: the new entries with their stories
    withdrawn: tuple[KnownEntry, ...] = ()  #: entries that the feed took back


def decide_poll(
    response: PollResponse, known: KnownEntries, now: datetime, chance: float
) -> PollDecision:
    """Decide about one poll; `chance` from 0 to 1 spreads the next polls of many feeds."""
    decision = _with_rhythm(_decide(response, known, now, chance), now)
    host = response.host
    if host.pace or host.given_back:
        name = host_and_port(response.feed.address)
        pace = (name, host.pace) if host.pace else None
        commit = changed(decision.commit, host=pace, given_back=host.given_back)
        decision = changed(decision, commit=commit)
    known_seconds = response.feed.state.seconds
    if not response.seconds or (
        known_seconds and (response.seconds >= SLOW) == (known_seconds >= SLOW)
    ):
        return decision  # it only matters whether the site is slow
    state = changed(decision.commit.state, seconds=round(response.seconds, 3))
    return changed(decision, commit=changed(decision.commit, state=state))


def _with_rhythm(decision: PollDecision, now: datetime) -> PollDecision:
    """Take what a poll without fault shows of the feed's rhythm, and say if it has stopped."""
    feed, commit = decision.feed, decision.commit
    if commit.state.failures:
        return decision
    state = silence.with_news(commit.state, feed.state, decision.new)
    notices = commit.notices
    if not state.stopped and silence.is_silent(state, now):
        notices += (notice(NoticeKind.FEED_SILENT, silent_text(feed, state, now)),)
        state = changed(state, stopped=True)
    if state is commit.state and notices is commit.notices:
        return decision
    return changed(decision, commit=changed(commit, state=state, notices=notices))


def _decide(
    response: PollResponse, known: KnownEntries, now: datetime, chance: float
) -> PollDecision:
    feed, answer, document = response.feed, response.answer, response.document
    if isinstance(answer, FetchFailed):
        if response.host.refused:
            return PollDecision(feed, refused(feed, answer, response.host.pace, now))
        return PollDecision(feed, failed(feed, answer, now, chance))
    if isinstance(answer, NotModified) or document is None:
        return PollDecision(feed, unchanged(feed, answer, now, chance))
    if not document.entries and not document.blocks:
        return PollDecision(feed, empty(feed, answer, response.body_hash, now, chance))
    if is_tombstone(feed, document):
        text = f"All that is left of it is: “{headline(document.entries[0].title)}”."
        ended = FetchFailed(Failure.TOMBSTONE, text)
        return PollDecision(feed, failed(feed, ended, now, chance))
    for count, reason in (
        (document.skipped, "no id, no link and no headline"),
        (document.faulty, "not readable"),
    ):
        if count:
            log.warning(
                "entries_skipped", feed_id=feed.id, feed=feed.name, skipped=count, reason=reason
            )
    learnt = Boilerplate.read(feed.state.boilerplate).learn(document.entries)
    document = replace(document, entries=_matched(feed, learnt, document.entries))
    identified = identify(feed, document, known, now)
    commit = with_entries(feed, answer, document, identified, response.body_hash, now, chance)
    withdrawn = _withdrawn(document, known)
    commit = changed(commit, withdrawn=tuple(entry.id for entry in withdrawn))
    if document.entries:
        state = changed(commit.state, boilerplate=learnt.written())
        commit = changed(commit, state=state)
    return PollDecision(feed, commit, identified.new, withdrawn=withdrawn)


def _matched(
    feed: FeedDue, learnt: Boilerplate, entries: tuple[ParsedEntry, ...]
) -> tuple[ParsedEntry, ...]:
    """Return the entries with what of them is matched and grouped."""
    entries = learnt.without(entries)
    if feed.text is FeedText.TEASER:
        entries = tuple(replace(entry, body="") for entry in entries)
    if followed_channel(feed.url):  # what a channel says again and again is what it has to say
        entries = tuple(replace(entry, core="") if entry.core else entry for entry in entries)
    return entries


def unchanged(
    feed: FeedDue, answer: NotModified | Fetched, now: datetime, chance: float
) -> FeedCommit:
    """Nothing new: a 304, or the same body. Validators that came along are kept, each alone."""
    state = poll_schedule.succeeded(feed.state, now)
    if isinstance(answer, Fetched):
        state = changed(state, etag=answer.etag, last_modified=answer.last_modified)
    else:
        state = changed(
            state,
            etag=answer.etag or state.etag,
            last_modified=answer.last_modified or state.last_modified,
        )
    return _finish(feed, state, answer, now, chance)


def with_entries(
    feed: FeedDue,
    answer: Fetched,
    document: ParsedDocument,
    identified: Identified,
    body_hash: bytes,
    now: datetime,
    chance: float,
) -> FeedCommit:
    """A document was read. If only in part, no validators are kept: the rest is fetched."""
    state = poll_schedule.succeeded(identified.state, now)
    if document.truncated or identified.unfinished:
        state = changed(state, etag=None, last_modified=None, body_hash=b"")
    else:
        state = changed(
            state, etag=answer.etag, last_modified=answer.last_modified, body_hash=body_hash
        )
    reading = document.seconds if feed.state.baseline_at else 0.0  # the first is read once
    commit = _finish(feed, changed(state, empties=0), answer, now, chance, reading)
    notices = commit.notices
    if identified.flood:
        text = flood_text(feed, identified.flood, identified.archived)
        notices += (notice(NoticeKind.FLOOD, text),)
    return changed(
        commit,
        document_changed=commit.state.document != feed.state.document,
        revisions=identified.revisions,
        absent=identified.absent,
        returned=identified.returned,
        notices=notices,
    )


def _withdrawn(document: ParsedDocument, known: KnownEntries) -> tuple[KnownEntry, ...]:
    """The known entries that a feed takes back, for the first time, and does not show again."""
    shown = {entry.keys.guid for entry in document.entries}
    gone = frozenset(document.withdrawn) - shown
    return tuple(
        entry for entry in known.entries if entry.keys.guid in gone and not entry.withdrawn
    )


def empty(
    feed: FeedDue, answer: Fetched, body_hash: bytes, now: datetime, chance: float
) -> FeedCommit:
    """A feed without entries. What was known stays known.

    If it had entries, the operator gets one notice after a while.
    """
    state = changed(
        poll_schedule.succeeded(feed.state, now),
        etag=answer.etag,
        last_modified=answer.last_modified,
        body_hash=body_hash,
    )
    state = changed(state, empties=state.empties + 1, baseline_at=state.baseline_at or now)
    commit = _finish(feed, state, answer, now, chance)
    if state.empties == EMPTY_PROOF and feed.state.document:
        told = notice(NoticeKind.EMPTY, empty_text(feed, EMPTY_PROOF))
        return changed(commit, notices=(*commit.notices, told))
    return commit


def is_tombstone(feed: FeedDue, document: ParsedDocument) -> bool:
    """Whether all that is left of a feed is one entry that says the feed has ended."""
    if len(document.entries) != 1 or len(document.blocks) > 1:
        return False
    entries_before = len(Document.unpack(feed.state.document).entries)
    entry = document.entries[0]
    text = f"{headline(entry.title)} {entry.summary[:300]}"
    says_so = bool(_TOMBSTONE.search(text) and _OF_FEEDS.search(text))
    return says_so and entries_before >= _ENTRIES_BEFORE


def failed(feed: FeedDue, failure: FetchFailed, now: datetime, chance: float) -> FeedCommit:
    """A poll failed: back off, and notify the operator once."""
    state = poll_schedule.failed(
        feed.state, failure.failure, failure.text, now, drop_validators=failure.drop_validators
    )
    plan = poll_schedule.after_failure(feed, state, failure.freshness, now, chance)
    state = changed(state, next_poll_at=plan.at, interval=plan.interval, reason=plan.reason)
    return _with_notice(feed, state, now, is_due=poll_schedule.notice_due(state, now))


def refused(
    feed: FeedDue, failure: FetchFailed, pace: HostPace | None, now: datetime
) -> FeedCommit:
    """Its host refused: the feed keeps its turn, and is asked for first when the host may be.

    Refused again, it lets the others go first: it may be the only one.
    """
    kind, text = failure.failure, failure.text
    if kind is Failure.BLOCKED:
        kind, text = Failure.SLOW_DOWN, f"{text} It answered before: it may limit requests."
    state = poll_schedule.refused(feed.state, kind, text, now)
    if feed.state.failure is kind:
        state = changed(state, next_poll_at=max(state.next_poll_at, now))
    if pace and pace.not_before:
        state = changed(state, interval=pace.not_before - now, reason=pace.reason)
    since = now - (state.failing_since or now)
    is_due = not state.noticed and since >= poll_schedule.NOTICE_AFTER
    return _with_notice(feed, state, now, is_due=is_due)


def _with_notice(feed: FeedDue, state: FeedState, now: datetime, *, is_due: bool) -> FeedCommit:
    if not is_due:
        return FeedCommit(feed.id, state)
    state = changed(state, noticed=True)
    told = notice(NoticeKind.FEED_FAILING, failing_text(feed, state, now))
    return FeedCommit(feed.id, state, notices=(told,))


def _finish(
    feed: FeedDue,
    state: FeedState,
    answer: NotModified | Fetched,
    now: datetime,
    chance: float,
    reading: float = 0.0,
) -> FeedCommit:
    asked_whole = not poll_schedule.conditional(feed.state, now) or not (
        feed.state.etag or feed.state.last_modified
    )
    state = poll_schedule.redirected(state, answer.permanent_url, now)
    fresh: Freshness = answer.freshness
    plan = poll_schedule.after_success(feed, state, fresh, now, chance, reading)
    full_at = now if asked_whole else state.full_at
    state = changed(
        state,
        full_at=full_at,
        next_poll_at=plan.at,
        interval=plan.interval,
        reason=plan.reason,
        hint=plan.hint,
        hint_reason=plan.hint_reason,
    )
    return FeedCommit(
        feed.id,
        state,
        notices=tuple(success_notices(feed, state, now)),
        wakes=poll_schedule.failures_over(feed.state.failure),
    )
