"""The state of feeds, and of the whole, as text for chats and the command line.

Not the layout of a screen. No I/O, no clock.
"""

from datetime import datetime

from bot.i18n.catalog import ENGLISH, Translator
from bot.model.status import FeedStatus, Status
from bot.text.clean import cut

_FAILURE_LENGTH = 150  # characters of why a feed cannot be read
_FAILING_FEEDS = 15  # feeds that are named


def feed_state(feed: FeedStatus, now: datetime, translator: Translator = ENGLISH) -> str:
    """Return why a feed cannot be read, or how many of its articles are stored and since when."""
    state = feed.state
    if state.failures:
        return cut(state.failure_text, _FAILURE_LENGTH)
    if state.last_ok_at is None:
        return translator.gettext("not fetched yet")
    return translator.ngettext(
        "{number} article, checked {time}",
        "{number} articles, checked {time}",
        feed.entries,
        time=translator.time(state.last_ok_at, now),
    )


def status_counts(status: Status, translator: Translator = ENGLISH) -> str:
    """Return how many feeds and subscriptions there are, as a sentence."""
    feeds = translator.ngettext("{number} feed", "{number} feeds", len(status.feeds))
    subscriptions = translator.ngettext(
        "{number} subscription", "{number} subscriptions", status.subscriptions
    )
    return f"{feeds}, {subscriptions}."


def status_text(status: Status, now: datetime, translator: Translator = ENGLISH) -> str:
    """Return the state of the whole in a few lines: counts, next poll, queue, failing feeds."""
    failing = [feed for feed in status.feeds if feed.state.failures]
    lines = [status_counts(status, translator)]
    polls = [feed.state.next_poll_at for feed in status.feeds]
    if polls:
        seconds = max(0, round((min(polls) - now).total_seconds()))
        lines.append(
            translator.gettext(
                "Next poll in {minutes} min {seconds} s.",
                minutes=seconds // 60,
                seconds=seconds % 60,
            )
        )
    queued = sum(count for _, count, _ in status.chats)
    lines.append(
        translator.ngettext("{number} message queued", "{number} messages queued", queued)
        if queued
        else translator.gettext("No messages queued")
    )
    lines += [
        f"✗ {cut(feed.name, 60)}: {feed.state.failure_text}" for feed in failing[:_FAILING_FEEDS]
    ]
    rest = len(failing) - _FAILING_FEEDS
    if not failing:
        lines.append(translator.gettext("All feeds OK"))
    elif rest > 0:
        lines.append(translator.ngettext("… and {number} more", "… and {number} more", rest))
    return "\n".join(lines)
