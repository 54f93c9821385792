"""The tables of the command line: feeds with what waits for them, deliveries. Its console.

Reads values, changes nothing. Texts that chats show as well come from bot/search.
"""

import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, tzinfo
from typing import IO, cast

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.cli.faults import plural
from bot.i18n.catalog import Translator
from bot.model.delivery import DeliveryState, OutboxRow, WaitCause
from bot.model.status import FeedStatus, Status
from bot.search.feed_state import feed_state, overruled_hint, status_counts
from bot.text.clean import cut, plain
from bot.text.duration import in_words

_WAITS = {
    WaitCause.QUIET_HOURS: "quiet hours",
    WaitCause.DIGEST: "waits for the digest",
    WaitCause.CHAT_PACE: "the chat takes nothing",
    WaitCause.RETRY: "tried in vain",
    WaitCause.EDIT_PACE: "the message was changed recently",
    WaitCause.PAUSED: "the chat is paused",
    WaitCause.NOT_ALLOWED: "the chat is not allowed",
    WaitCause.SERVICE_DOWN: "Telegram takes no messages",
    WaitCause.COLLECTED: "gathered into one message, in line",
    WaitCause.IN_LINE: "in line",
}
_REASONS = {"every": "set in feeds.yaml"}  # of an interval; the others read well as stored


def open_console(*, error: bool = True) -> Console:
    """Return the console for what people read beside the alerts.

    On standard error, where it is no terminal, each line is an event of the log: whoever reads the
    log gets JSON alone.
    """
    if error and not sys.stderr.isatty():
        from bot.cli.log_lines import LogLines  # noqa: PLC0415 (a log takes 40 ms to import)

        return Console(
            file=cast("IO[str]", LogLines()), highlight=False, soft_wrap=True, force_terminal=False
        )
    return Console(
        file=sys.stderr if error else sys.stdout, highlight=False, soft_wrap=not sys.stdout.isatty()
    )


def status_table(status: Status, now: datetime, zone: tzinfo) -> list[Table | Text]:
    """Return the state of all feeds, of chats and hosts that wait, and counts."""
    translator = Translator(zone)
    feeds = _table("feed", "state", "next poll", "notes")
    for feed in status.feeds:
        wait = feed.state.next_poll_at - now
        next_poll = f"in {in_words(wait)}" if wait.total_seconds() > 0 else "now"
        state, notes = _feed_state(feed, now, translator), "; ".join(_notes(feed, now))
        feeds.add_row(Text(plain(feed.name)), state, next_poll, Text(notes))
    parts: list[Table | Text] = [feeds, Text()]
    if status.outage:
        since = translator.time(status.outage.since, now)
        reason = status.outage.reason.rstrip(".")
        parts.append(Text(f"Telegram takes no messages since {since}: {reason}.", style="red"))
    for chat, queued, until in status.chats:
        parked = until if until and until > now else None
        if not (queued or chat.paused or parked):
            continue
        text = f"{plain(chat.name)}: {plural(queued, 'message')} queued"
        if chat.paused:
            text += f", paused: {chat.paused}"
        elif not chat.allowed:
            text += ", not allowed"
        elif parked:
            text += f", not before {translator.time(parked, now)}"
        parts.append(Text(text, style="yellow"))
    parts += [Text(line, style="yellow") for line in _host_lines(status, now, translator)]
    counts = ", ".join(f"{count} {state}" for state, count in sorted(status.deliveries.items()))
    parts.append(Text(f"{status_counts(status)}. Deliveries: {counts or 'none yet'}."))
    return parts


def _host_lines(status: Status, now: datetime, translator: Translator) -> Iterator[str]:
    """Yield a line for each host that waits long, or that is asked more slowly."""
    for host in status.hosts:
        if host.refusals and host.not_before > now:
            at = translator.time(host.not_before, now)
            yield f"{host.host} asked for no requests until {at}"
        elif host.interval:
            span = in_words(host.interval)
            yield f"{host.host} is asked every {span} at most: it refused more requests"
        elif host.not_before > now:
            at = translator.time(host.not_before, now)
            yield f"{host.host} is left alone until {at}: {host.reason}"


def _table(*columns: str) -> Table:
    return Table(*columns, box=None, pad_edge=False, header_style="bold")


def _feed_state(feed: FeedStatus, now: datetime, translator: Translator) -> Text:
    text, state = feed_state(feed, now, translator), feed.state
    if state.failures:
        return Text(f"✗ {text}", style="red")
    if state.last_ok_at is None:
        return Text(text, style="dim")
    is_whole = not (
        state.empties
        or state.cut
        or state.gaps
        or state.adopted_url
        or state.unread
        or state.stopped
    )
    return Text(f"✓ {text}", style="green" if is_whole else "yellow")


def _notes(feed: FeedStatus, now: datetime) -> list[str]:
    """Return how often a feed is polled, and what a person may want to do about it."""
    state = feed.state
    if state.failures:
        since = f" for {in_words(now - state.failing_since)}" if state.failing_since else ""
        return [f"failing{since} ({plural(state.failures, 'poll')})"]
    if state.last_poll_at is None:
        return []
    notes = [f"every {in_words(state.interval)} ({_REASONS.get(state.reason, state.reason)})"]
    if hint := overruled_hint(state, feed.every):
        notes.append(hint)
    if state.stopped and state.news_at:
        longest = in_words(timedelta(seconds=state.longest_pause))
        notes.append(f"silent for {in_words(now - state.news_at)}; longest pause so far {longest}")
    if state.empties:
        notes.append(f"empty {plural(state.empties, 'time')} in a row")
    if state.cut:
        notes.append(f"too long: {plural(state.cut, 'older article')} not read")
    if state.unread:
        notes.append(f"{plural(state.unread, 'article')} left out: not readable")
    if state.gaps:
        gaps = plural(state.gaps, "gap")
        notes.append(f"{gaps}: articles may have been missed between polls; set a shorter `every`")
    if state.adopted_url:
        notes.append(f"moved to {state.adopted_url}; put this address into feeds.yaml")
    return notes


def outbox_table(rows: Iterable[OutboxRow], now: datetime, zone: tzinfo) -> Table:
    """Return deliveries as a table."""
    table = _table("id", "state", "kind", "chat", "since", "tries", "what", "why")
    for row in rows:
        table.add_row(
            str(row.id),
            row.state,
            row.kind,
            Text(plain(row.chat)),
            Translator(zone).time(row.created_at, now),
            str(row.attempts),
            Text(cut(plain(row.title), 60)),
            Text(plain(_why(row, now, Translator(zone)))),
        )
    return table


def _why(row: OutboxRow, now: datetime, translator: Translator) -> str:
    """Return why a delivery waits and until when, or what became of it."""
    if row.state is DeliveryState.SENDING:
        return "being sent"
    wait = row.wait
    if wait is None:
        return row.error
    text, reason = _WAITS[wait.cause], wait.reason.rstrip(".")
    if reason:
        text += f": {reason}"
    return f"{text}; until {translator.time(wait.until, now)}" if wait.until else text
