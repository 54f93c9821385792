"""Decide what one poll means for its feed: state, next poll, and what the operator should know.

Which entries are new is decided by `entry_identity`, when to poll again by `poll_schedule`; here
both become one `FeedCommit`. No I/O, no clock.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog

from bot.feeds import poll_schedule
from bot.feeds.entry_identity import Identified, identify
from bot.feeds.host_turns import SLOW
from bot.feeds.last_document import Document
from bot.model.delivery import NoticeIntent, NoticeKind
from bot.model.entries import NewEntry, ParsedDocument, PlacedEntry
from bot.model.feeds import (
    Failure,
    FeedDue,
    FeedState,
    Fetched,
    FetchFailed,
    FetchOutcome,
    Freshness,
    NotModified,
)
from bot.model.poll import FeedCommit, KnownEntries
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

INTERNAL_TEXT = "newsbell itself failed on this feed; its log says where."
REMEDIES = {
    Failure.INTERNAL: (
        "Please report it with the lines of the log. newsbell tries again at the next poll."
    ),
    Failure.LOCAL: "Raise newsbell's limit of open files (LimitNOFILE= of its unit).",
    Failure.DNS: "Check the address for a typo; if the site is gone, remove the feed.",
    Failure.CONNECT: "The site may be down; newsbell keeps trying.",
    Failure.TLS: "The site must fix this; newsbell does not skip the check.",
    Failure.TIMEOUT: "The site is very slow or down; newsbell keeps trying.",
    Failure.PRIVATE: (
        "If the address is right, add its range to settings.network.allow, "
        "or its port to settings.network.ports."
    ),
    Failure.REDIRECT: "Open the address in a browser and put the final one into feeds.yaml.",
    Failure.NOT_FOUND: "Look for the feed's new address on the site, or remove it.",
    Failure.GONE: "Look for the feed's new address on the site, or remove it.",
    Failure.LOGIN: "Set the feed's credentials under `headers:`.",
    Failure.BLOCKED: (
        "The site blocks programs. Ask it to allow this feed to be read, "
        "or look for another address."
    ),
    Failure.SLOW_DOWN: "newsbell waits as asked. Increase `every` for feeds of this site.",
    Failure.SERVER: "The site must fix this; newsbell keeps trying.",
    Failure.HTTP: "Open the address in a browser to see what the site expects.",
    Failure.TOO_LARGE: "Ask the site for a shorter feed, or increase settings.limits.body.",
    Failure.ENCODING: "The site must fix this; newsbell keeps trying.",
    Failure.NOT_A_FEED: "Look for the feed's address on the site; a web page is not a feed.",
    Failure.HOSTILE: "If you trust the site, report this to it; otherwise remove the feed.",
    Failure.EMPTY: "Open the address in a browser: the site may have moved its news elsewhere.",
    Failure.TOMBSTONE: "Look for the feed's new address on the site.",
}


@dataclass(frozen=True, slots=True)
class PollResponse:
    """What one poll brought, before anything is decided."""

    feed: FeedDue
    answer: FetchOutcome
    body_hash: bytes = b""  #: BLAKE2b-128 of the body
    document: ParsedDocument | None = None  #: None: a failure, a 304, or the same body as before
    seconds: float = 0.0  #: that the answer took; 0 where that is not known


def internal_failure(feed: FeedDue) -> PollResponse:
    """Return what is kept of a poll on which newsbell itself failed."""
    return PollResponse(feed, FetchFailed(Failure.INTERNAL, INTERNAL_TEXT))


@dataclass(frozen=True, slots=True)
class PollDecision:
    """What one poll means for its feed. Its alerts are decided when its entries are placed."""

    feed: FeedDue
    commit: FeedCommit
    new: tuple[NewEntry, ...] = ()
    placed: tuple[PlacedEntry, ...] = ()  #: the new entries with their stories


def decide_poll(
    response: PollResponse, known: KnownEntries, now: datetime, chance: float
) -> PollDecision:
    """Decide about one poll; `chance` from 0 to 1 spreads the next polls of many feeds."""
    decision = _decide(response, known, now, chance)
    known_seconds = response.feed.state.seconds
    if not response.seconds or (
        known_seconds and (response.seconds >= SLOW) == (known_seconds >= SLOW)
    ):
        return decision  # it only matters whether the site is slow
    state = replace(decision.commit.state, seconds=round(response.seconds, 3))
    return replace(decision, commit=replace(decision.commit, state=state))


def _decide(
    response: PollResponse, known: KnownEntries, now: datetime, chance: float
) -> PollDecision:
    feed, answer, document = response.feed, response.answer, response.document
    if isinstance(answer, FetchFailed):
        return PollDecision(feed, failed(feed, answer, now, chance))
    if isinstance(answer, NotModified) or document is None:
        return PollDecision(feed, unchanged(feed, answer, now, chance))
    if not document.entries and not document.blocks:
        return PollDecision(feed, empty(feed, answer, response.body_hash, now, chance))
    if is_tombstone(feed, document):
        text = f"All that is left of it is: “{document.entries[0].title}”."
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
    identified = identify(feed, document, known, now)
    commit = with_entries(feed, answer, document, identified, response.body_hash, now, chance)
    return PollDecision(feed, commit, identified.new)


def unchanged(
    feed: FeedDue, answer: NotModified | Fetched, now: datetime, chance: float
) -> FeedCommit:
    """Nothing new: a 304, or the same body. Validators that came along are kept, each alone."""
    state = poll_schedule.succeeded(feed.state, now)
    if isinstance(answer, Fetched):
        state = replace(state, etag=answer.etag, last_modified=answer.last_modified)
    else:
        state = replace(
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
    """A document was read. If it is truncated, no validators are kept: the rest is fetched."""
    state = poll_schedule.succeeded(identified.state, now)
    if document.truncated:
        state = replace(state, etag=None, last_modified=None, body_hash=b"")
    else:
        state = replace(
            state, etag=answer.etag, last_modified=answer.last_modified, body_hash=body_hash
        )
    reading = document.seconds if feed.state.baseline_at else 0.0  # the first is read once
    commit = _finish(feed, replace(state, empties=0), answer, now, chance, reading)
    notices = commit.notices
    if identified.flood:
        notices += (NoticeIntent(NoticeKind.FLOOD, _flood_text(feed, identified)),)
    return replace(
        commit,
        document_changed=commit.state.document != feed.state.document,
        revisions=identified.revisions,
        absent=identified.absent,
        returned=identified.returned,
        notices=notices,
    )


def empty(
    feed: FeedDue, answer: Fetched, body_hash: bytes, now: datetime, chance: float
) -> FeedCommit:
    """A feed without entries. What was known stays known.

    If it had entries, the operator gets one notice after a while.
    """
    state = replace(
        poll_schedule.succeeded(feed.state, now),
        etag=answer.etag,
        last_modified=answer.last_modified,
        body_hash=body_hash,
    )
    state = replace(state, empties=state.empties + 1, baseline_at=state.baseline_at or now)
    commit = _finish(feed, state, answer, now, chance)
    if state.empties == EMPTY_PROOF and feed.state.document:
        text = (
            f"{feed.name} has been empty {EMPTY_PROOF} times in a row. "
            f"{REMEDIES[Failure.EMPTY]}\n{shown_url(feed.url)}"
        )
        return replace(commit, notices=(*commit.notices, NoticeIntent(NoticeKind.EMPTY, text)))
    return commit


def is_tombstone(feed: FeedDue, document: ParsedDocument) -> bool:
    """Whether all that is left of a feed is one entry that says the feed has ended."""
    if len(document.entries) != 1 or len(document.blocks) > 1:
        return False
    entries_before = len(Document.unpack(feed.state.document).entries)
    entry = document.entries[0]
    text = f"{entry.title} {entry.summary[:300]}"
    return entries_before >= _ENTRIES_BEFORE and bool(_TOMBSTONE.search(text))


def failed(feed: FeedDue, failure: FetchFailed, now: datetime, chance: float) -> FeedCommit:
    """A poll failed: back off, also from the host where it asks, and notify the operator once."""
    state = poll_schedule.failed(
        feed.state, failure.failure, failure.text, now, drop_validators=failure.drop_validators
    )
    plan = poll_schedule.after_failure(feed, state, failure.freshness, now, chance)
    state = replace(state, next_poll_at=plan.at, interval=plan.interval, reason=plan.reason)
    notices: tuple[NoticeIntent, ...] = ()
    if poll_schedule.notice_due(state, now):
        state = replace(state, noticed=True)
        notices = (NoticeIntent(NoticeKind.FEED_FAILING, _failing_text(feed, state, now)),)
    wait = poll_schedule.wait_asked(failure.failure, failure.freshness)
    park = (host_and_port(feed.address), now + wait) if wait else None
    return FeedCommit(feed.id, state, notices=notices, park_host=park)


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
    state = replace(
        state,
        full_at=full_at,
        next_poll_at=plan.at,
        interval=plan.interval,
        reason=plan.reason,
        hint=plan.hint,
        hint_reason=plan.hint_reason,
    )
    park = None
    if fresh.retry_after:
        wait = min(fresh.retry_after, poll_schedule.LONGEST_WAIT)
        park = (host_and_port(feed.address), now + wait)
    return FeedCommit(
        feed.id, state, notices=tuple(_success_notices(feed, state, now)), park_host=park
    )


def _success_notices(feed: FeedDue, state: FeedState, now: datetime) -> Iterator[NoticeIntent]:
    if feed.state.noticed:
        since = now - (feed.state.failing_since or now)
        text = f"{feed.name} works again after {_span(since)}."
        yield NoticeIntent(NoticeKind.FEED_RECOVERED, text)
    if state.adopted_url and state.adopted_url != feed.state.adopted_url:
        text = (
            f"{feed.name} has moved permanently to {shown_url(state.adopted_url)}. "
            "Put that address into feeds.yaml."
        )
        yield NoticeIntent(NoticeKind.FEED_MOVED, text)


def _failing_text(feed: FeedDue, state: FeedState, now: datetime) -> str:
    since = now - (state.failing_since or now)
    span = f" for {_span(since)}" if since >= timedelta(minutes=1) else ""
    remedy = REMEDIES.get(state.failure, "") if state.failure else ""
    return (
        f"{feed.name} has failed {state.failures} times in a row{span}: "
        f"{state.failure_text} {remedy}\n{shown_url(feed.url)}"
    )


def _flood_text(feed: FeedDue, identified: Identified) -> str:
    count, archived = identified.flood, identified.archived
    shown = count - archived
    parts = [f"{feed.name} suddenly showed {count} new entries at once. They are stored."]
    if archived:
        which = "They" if not shown else f"{archived} of them"
        parts.append(f"{which} look like its archive and send no alert.")
    if shown:
        which = "Those" if not archived else f"Of the other {shown}, those"
        parts.append(f"{which} that match a subscription come together, not one by one.")
    return f"{' '.join(parts)}\n{shown_url(feed.url)}"


def _span(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    if hours < 2:
        return f"{max(1, round(hours * 60))} minutes"
    return f"{round(hours)} hours" if hours < 48 else f"{round(hours / 24)} days"


def shown_url(url: str) -> str:
    """A feed URL without what may be secret in it: user names and the values of its query."""
    parts = urlsplit(url)
    pairs = (pair.partition("=") for pair in parts.query.split("&"))
    query = "&".join(f"{name}=…" if equals else name for name, equals, _ in pairs)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}{'?' if query else ''}{query}"
