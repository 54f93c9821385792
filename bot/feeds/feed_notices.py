"""What the operator reads about a feed: that it fails, what to do, that it works again.

Decides nothing; `poll_result` does.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from bot.i18n.phrase import (
    Phrase,
    counted_phrase,
    gettext_noop,
    joined,
    phrase,
    span_phrase,
    verbatim,
)
from bot.model.delivery import NoticeIntent, NoticeKind, notice
from bot.model.feeds import Failure, FeedDue, FeedState
from bot.search.failures import describe_failure

REMEDIES = {
    Failure.INTERNAL: gettext_noop(
        "Please report it with the lines of the log. newsbell tries again at the next poll."
    ),
    Failure.LOCAL: gettext_noop("Raise newsbell's limit of open files (LimitNOFILE= of its unit)."),
    Failure.DNS: gettext_noop(
        "Check the address for a typo; if the site is gone, remove the feed."
    ),
    Failure.CONNECT: gettext_noop("The site may be down; newsbell keeps trying."),
    Failure.TLS: gettext_noop("The site must fix this; newsbell does not skip the check."),
    Failure.TIMEOUT: gettext_noop("The site is very slow or down; newsbell keeps trying."),
    Failure.PRIVATE: gettext_noop(
        "If the address is right, add its range to settings.network.allow, "
        "or its port to settings.network.ports."
    ),
    Failure.REDIRECT: gettext_noop(
        "Open the address in a browser and put the final one into feeds.yaml."
    ),
    Failure.NOT_FOUND: gettext_noop("Look for the feed's new address on the site, or remove it."),
    Failure.GONE: gettext_noop("Look for the feed's new address on the site, or remove it."),
    Failure.LOGIN: gettext_noop("Set the feed's credentials under `headers:`."),
    Failure.BLOCKED: gettext_noop(
        "The site blocks programs. Ask it to allow this feed to be read, "
        "or look for another address."
    ),
    Failure.SLOW_DOWN: gettext_noop(
        "newsbell waits as asked. Increase `every` for feeds of this site."
    ),
    Failure.SERVER: gettext_noop("The site must fix this; newsbell keeps trying."),
    Failure.HTTP: gettext_noop("Open the address in a browser to see what the site expects."),
    Failure.TOO_LARGE: gettext_noop(
        "Ask the site for a shorter feed, or increase settings.limits.body."
    ),
    Failure.ENCODING: gettext_noop("The site must fix this; newsbell keeps trying."),
    Failure.NOT_A_FEED: gettext_noop(
        "Look for the feed's address on the site; a web page is not a feed."
    ),
    Failure.NO_PREVIEW: gettext_noop(
        "Ask its owner to allow the preview, or remove it: newsbell reads only what the web shows."
    ),
    Failure.NO_CHANNEL: gettext_noop("Look for the channel's new name in Telegram, or remove it."),
    Failure.NOT_A_CHANNEL: gettext_noop("Remove it: only public channels can be read."),
    Failure.CHANGED_PAGE: gettext_noop(
        "If you chose its selectors, check them; otherwise look for a newer version of newsbell."
    ),
    Failure.ROBOTS: gettext_noop("Ask the site for a feed, or remove the page."),
    Failure.HOSTILE: gettext_noop(
        "If you trust the site, report this to it; otherwise remove the feed."
    ),
    Failure.EMPTY: gettext_noop(
        "Open the address in a browser: the site may have moved its news elsewhere."
    ),
    Failure.TOMBSTONE: gettext_noop("Look for the feed's new address on the site."),
}


def success_notices(feed: FeedDue, state: FeedState, now: datetime) -> Iterator[NoticeIntent]:
    """What is said of a feed that works again, or has moved."""
    if feed.state.noticed:
        since = now - (feed.state.failing_since or now)
        text = phrase("{feed} works again after {span}.", feed=feed.name, span=_span(since))
        yield notice(NoticeKind.FEED_RECOVERED, text)
    if state.adopted_url and state.adopted_url != feed.state.adopted_url:
        text = phrase(
            "{feed} has moved permanently to {address}. Put that address into feeds.yaml.",
            feed=feed.name,
            address=shown_url(state.adopted_url),
        )
        yield notice(NoticeKind.FEED_MOVED, text)


def empty_text(feed: FeedDue, times: int) -> Phrase:
    """What is said of a feed that has no entries any more."""
    text = phrase(
        "{feed} has been empty {times} times in a row. {remedy}",
        feed=feed.name,
        times=times,
        remedy=Phrase(REMEDIES[Failure.EMPTY]),
    )
    return _with_address(text, feed)


def failing_text(feed: FeedDue, state: FeedState, now: datetime) -> Phrase:
    """What is said of a feed that fails for long, and what to do about it."""
    since = now - (state.failing_since or now)
    failure = state.failure or Failure.INTERNAL
    values: dict[str, str | Phrase] = {
        "feed": feed.name,
        "why": Phrase(describe_failure(failure, ""), english=state.failure_text),
        "remedy": Phrase(REMEDIES[failure]),
    }
    if since < timedelta(minutes=1):
        text = counted_phrase(
            "{feed} has failed {number} time in a row: {why} {remedy}",
            "{feed} has failed {number} times in a row: {why} {remedy}",
            state.failures,
            **values,
        )
    else:
        text = counted_phrase(
            "{feed} has failed {number} time in a row for {span}: {why} {remedy}",
            "{feed} has failed {number} times in a row for {span}: {why} {remedy}",
            state.failures,
            span=_span(since),
            **values,
        )
    return _with_address(text, feed)


def silent_text(feed: FeedDue, state: FeedState, now: datetime) -> Phrase:
    """What is said of a feed that has published nothing for unusually long."""
    text = phrase(
        "{feed} has published nothing for {span}; its longest pause so far was about {longest}. "
        "Open its address in a browser: it may have moved or ended.",
        feed=feed.name,
        span=_span(now - (state.news_at or now)),
        longest=_span(timedelta(seconds=state.longest_pause)),
    )
    return _with_address(text, feed)


def flood_text(feed: FeedDue, count: int, archived: int) -> Phrase:
    """What is said of a feed with more new entries than ever; `archived` of them are old."""
    shown = count - archived
    parts = [
        counted_phrase(
            "{feed} suddenly showed {number} new entry at once. It is stored.",
            "{feed} suddenly showed {number} new entries at once. They are stored.",
            count,
            feed=feed.name,
        )
    ]
    if archived and not shown:
        parts.append(phrase("They look like its archive and send no alert."))
    elif archived:
        parts += (
            counted_phrase(
                "{number} of them looks like its archive and sends no alert.",
                "{number} of them look like its archive and send no alert.",
                archived,
            ),
            counted_phrase(
                "The other one is sent if it matches a subscription.",
                "Of the other {number}, those that match a subscription come together, "
                "not one by one.",
                shown,
            ),
        )
    else:
        parts.append(phrase("Those that match a subscription come together, not one by one."))
    return _with_address(joined(" ", *parts), feed)


def _with_address(text: Phrase, feed: FeedDue) -> Phrase:
    return joined("\n", text, verbatim(shown_url(feed.url)))


def _span(span: timedelta) -> Phrase:
    """Return a span in minutes at least."""
    return span_phrase(max(span, timedelta(minutes=1)))


def shown_url(url: str) -> str:
    """A feed URL without what may be secret in it: user names and the values of its query."""
    parts = urlsplit(url)
    pairs = (pair.partition("=") for pair in parts.query.split("&"))
    query = "&".join(f"{name}=…" if equals else name for name, equals, _ in pairs)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}{'?' if query else ''}{query}"
