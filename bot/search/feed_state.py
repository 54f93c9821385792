"""The state of feeds, and of the whole, as text for chats and the command line.

Not the layout of a screen. No I/O, no clock.
"""

from datetime import datetime, timedelta

from bot.i18n.catalog import ENGLISH, Translator
from bot.i18n.phrase import span_phrase
from bot.model.feeds import FeedState, Hint
from bot.model.status import FeedStatus, Status
from bot.search.failures import describe_failure
from bot.text.clean import cut
from bot.text.duration import in_words

_FAILURE_LENGTH = 150  # characters of why a feed cannot be read
_FAILING_FEEDS = 15  # feeds that are named
_HINTS: dict[str, str] = {
    Hint.TTL: "the feed asks for {span} (ttl or update period)",
    Hint.MAX_AGE: "the server asks for {span} (Cache-Control or Expires)",
    Hint.SKIPS: "the feed asks to be left alone at some hours or days (skipHours, skipDays)",
}


def feed_state(feed: FeedStatus, now: datetime, translator: Translator = ENGLISH) -> str:
    """Return why a feed cannot be read, or how many of its articles are stored and since when."""
    state = feed.state
    if state.failures:
        return cut(_failure(feed, translator), _FAILURE_LENGTH)
    if state.last_ok_at is None:
        return translator.gettext("not fetched yet")
    return translator.ngettext(
        "{number} article, checked {time}",
        "{number} articles, checked {time}",
        feed.entries,
        time=translator.time(state.last_ok_at, now),
    )


def _failure(feed: FeedStatus, translator: Translator) -> str:
    return describe_failure(feed.state.failure, feed.state.failure_text, translator)


def overruled_hint(state: FeedState, every: timedelta | None) -> str:
    """Return, in English, what the publisher asks for and `every` overrules; empty for nothing."""
    reason, span = state.hint_reason, state.hint
    if not reason and state.reason in {
        Hint.TTL,
        Hint.MAX_AGE,
    }:  # `every` is newer than the last poll
        reason, span = state.reason, state.interval
    if not every or reason not in _HINTS or (reason != Hint.SKIPS and span <= every):
        return ""
    return f"{_HINTS[reason].format(span=in_words(span))}; every: {in_words(every)} wins"


def silence_text(feed: FeedStatus, now: datetime, translator: Translator = ENGLISH) -> str:
    """Return since when a feed that is silent has had nothing new."""
    span = span_phrase(now - (feed.state.news_at or now)).read(translator)
    return translator.gettext("nothing new for {span}, longer than ever", span=span)


def _silent_line(feed: FeedStatus, now: datetime, translator: Translator) -> str:
    return f"◌ {cut(feed.name, 60)}: {silence_text(feed, now, translator)}"


def status_counts(status: Status, translator: Translator = ENGLISH) -> str:
    """Return how many feeds and subscriptions there are, as one line."""
    return counts_text(len(status.feeds), status.subscriptions, translator)


def counts_text(feeds: int, subscriptions: int, translator: Translator = ENGLISH) -> str:
    """Return a number of feeds and of subscriptions, as one line."""
    counts = (
        translator.ngettext("{number} feed", "{number} feeds", feeds),
        translator.ngettext("{number} subscription", "{number} subscriptions", subscriptions),
    )
    return ", ".join(counts)


def status_text(status: Status, now: datetime, translator: Translator = ENGLISH) -> str:
    """Return the state of the whole: counts, next poll, queue, feeds that fail or stopped."""
    failing = [feed for feed in status.feeds if feed.state.failures]
    silent = [feed for feed in status.feeds if feed.state.stopped and not feed.state.failures]
    lines = [status_counts(status, translator)]
    polls = [feed.state.next_poll_at for feed in status.feeds]
    if polls:
        wait = translator.duration(max(timedelta(0), min(polls) - now))
        lines.append(translator.gettext("Next check in {span}", span=wait))
    queued = sum(count for _, count, _ in status.chats)
    lines.append(
        translator.ngettext("{number} message queued", "{number} messages queued", queued)
        if queued
        else translator.gettext("No messages queued")
    )
    lines += [
        f"✗ {cut(feed.name, 60)}: {_failure(feed, translator)}" for feed in failing[:_FAILING_FEEDS]
    ]
    rest = len(failing) - _FAILING_FEEDS
    if not failing and not silent:
        lines.append(translator.gettext("All feeds OK"))
    elif rest > 0:
        lines.append(translator.ngettext("… and {number} more", "… and {number} more", rest))
    lines += [_silent_line(feed, now, translator) for feed in silent[:_FAILING_FEEDS]]
    rest = len(silent) - _FAILING_FEEDS
    if rest > 0:
        lines.append(translator.ngettext("… and {number} more", "… and {number} more", rest))
    return "\n".join(lines)
