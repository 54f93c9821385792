"""What the command line shows: progress of the first polls, tables, articles with what matched. Reads values, changes nothing."""

import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, tzinfo

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from bot.delivery.render import snippet
from bot.feeds.poll_schedule import in_words
from bot.feeds.poller import PollReport
from bot.i18n.catalog import Translator
from bot.model.delivery import DeliveryState, OutboxRow, Settlement
from bot.model.entries import Span
from bot.model.status import FeedStatus, Status
from bot.search.backtest import Forecast, Hit
from bot.search.timeline import TimelineStory, format_delay, summary, who_was_first
from bot.service.app import App
from bot.service.jobs import OFFLINE


class FirstPolls:
    """Follows the polls of a run: a bar until every feed was looked at once, then a line that says what is watched."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress: Progress | None = None
        self._app: App | None = None
        self._due = 0
        self._once = False
        self._looked_at: set[int] = set()  # feeds by id: several may have one name
        self._failed: dict[int, PollReport] = {}
        self._baselines = 0
        self._said_offline = False

    def ready(self, app: App, due: int, *, once: bool = False) -> None:
        """Polling begins; so many feeds are new to newsbell."""
        self._app = app
        self._due = due
        self._once = once
        feeds = len(app.config.declared.feeds)
        where = "Telegram and this terminal" if app.bot else "this terminal"
        self._console.print(
            f"newsbell watches {feeds} feeds for {len(app.config.declared.subscriptions)} subscriptions; alerts go to {where}."
        )
        if not self._due:
            self._wait()
            return
        if self._console.is_terminal:
            columns = (
                TextColumn("Reading the feeds for the first time"),
                BarColumn(),
                MofNCompleteColumn(),
            )
            self._progress = Progress(*columns, console=self._console, transient=True)
            self._progress.start()
            self._progress.add_task("baseline", total=self._due)

    def polled(self, reports: list[PollReport]) -> None:
        """Some feeds were polled."""
        for report in reports:
            feed = report.commit.feed_id
            if report.failure:
                self._failed[feed] = report
            else:
                self._failed.pop(feed, None)
            self._baselines += report.baseline
            is_new = report.baseline or report.commit.state.baseline_at is None
            if is_new and feed not in self._looked_at and len(self._looked_at) < self._due:
                self._looked_at.add(feed)
                if self._progress:
                    self._progress.advance(self._progress.task_ids[0])
                if len(self._looked_at) == self._due:
                    self._done()
        self._offline(reports)

    def _offline(self, reports: list[PollReport]) -> None:
        feeds = len(self._app.config.declared.feeds) if self._app else 0
        offline = [report for report in self._failed.values() if report.failure in OFFLINE]
        if feeds and len(offline) == feeds and not self._said_offline:
            self._said_offline = True
            self._console.print(
                "No feed can be reached: there seems to be no network. newsbell keeps trying.",
                style="yellow",
            )
        elif self._said_offline and any(report.failure is None for report in reports):
            self._said_offline = False
            self._console.print("The network is back.", style="green")

    def _done(self) -> None:
        self.close()
        if self._baselines:  # what cannot be read at all is told by `_offline`
            failed = (
                f"; {len(self._failed)} cannot be read at present (`newsbell status` says why)"
                if self._failed
                else ""
            )
            self._console.print(
                f"{self._baselines} feeds read{failed}. What they hold now rings nobody; what comes from now on does."
            )
        if self._app and not self._app.bot:
            self._console.print(
                "To be rung in Telegram: get a token from @BotFather, set TELEGRAM_BOT_TOKEN, start again.",
                style="dim",
            )
        self._wait()

    def _wait(self) -> None:
        if not self._once:
            self._console.print("Waiting for news. Ctrl-C stops; nothing is lost.", style="dim")

    def close(self) -> None:
        """Take the bar away."""
        if self._progress:
            self._progress.stop()
            self._progress = None


def settled(console: Console, settlement: Settlement) -> None:
    """Say what did not go well with a delivery."""
    chat = settlement.delivery.chat.name
    if settlement.state is DeliveryState.DEAD:
        console.print(f"{chat}: a message was refused for good: {settlement.error}", style="red")
    elif settlement.pause:
        console.print(f"{chat}: paused: {settlement.pause}", style="red")
    elif settlement.retry_at and settlement.error:
        console.print(f"{chat}: {settlement.error}; it waits and is tried again", style="yellow")


def status_table(status: Status, now: datetime, zone: tzinfo) -> list[Table | Text]:
    """The state of everything."""
    feeds = Table(
        "feed",
        "last poll",
        "next poll",
        "entries",
        "state",
        box=None,
        pad_edge=False,
        header_style="bold",
    )
    for feed in status.feeds:
        state = feed.state
        last = Translator(zone).time(state.last_poll_at, now) if state.last_poll_at else "never"
        wait = state.next_poll_at - now
        next_poll = f"in {in_words(wait)}" if wait.total_seconds() > 0 else "now"
        feeds.add_row(Text(feed.name), last, next_poll, str(feed.entries), _feed_state(feed, now))
    parts: list[Table | Text] = [feeds, Text()]
    waiting = [
        (chat, queued, until)
        for chat, queued, until in status.chats
        if queued or chat.paused or (until and until > now)
    ]
    for chat, queued, until in waiting:
        pause = (
            f", paused: {chat.paused}"
            if chat.paused
            else f", not before {Translator(zone).time(until, now)}"
            if until and until > now
            else ""
        )
        parts.append(Text(f"{chat.name}: {queued} messages wait{pause}", style="yellow"))
    for host, until in status.hosts:
        if until > now:
            parts.append(
                Text(
                    f"{host} asked to be left alone until {Translator(zone).time(until, now)}",
                    style="yellow",
                )
            )
    counts = (
        ", ".join(f"{count} {state}" for state, count in sorted(status.deliveries.items()))
        or "none yet"
    )
    parts.append(
        Text(
            f"{len(status.feeds)} feeds, {status.subscriptions} subscriptions, deliveries: {counts}"
        )
    )
    return parts


def _feed_state(feed: FeedStatus, now: datetime) -> Text:
    state = feed.state
    if state.failures:
        since = f" for {in_words(now - state.failing_since)}" if state.failing_since else ""
        return Text(f"✗ {state.failure_text} ({state.failures} times{since})", style="red")
    if state.last_poll_at is None:
        return Text("not looked at yet", style="dim")
    notes = [f"every {in_words(state.interval)}: {state.reason}"]
    if state.empties:
        notes.append(f"empty {state.empties} times in a row")
    if state.cut:
        notes.append(f"cut: {state.cut} older entries are not read")
    if state.gaps:
        notes.append(f"{state.gaps} gaps: some entries may have come and gone between two polls")
    if state.adopted_url:
        notes.append(f"moved to {state.adopted_url}")
    return Text(f"✓ {'; '.join(notes)}", style="green" if len(notes) == 1 else "yellow")


def outbox_table(rows: Iterable[OutboxRow], now: datetime, zone: tzinfo) -> Table:
    """Deliveries that are not done."""
    table = Table(
        "id",
        "state",
        "kind",
        "chat",
        "since",
        "tries",
        "what",
        "why",
        box=None,
        pad_edge=False,
        header_style="bold",
    )
    for row in rows:
        title = row.title if len(row.title) <= 60 else row.title[:59] + "…"
        table.add_row(
            str(row.id),
            row.state,
            row.kind,
            Text(row.chat),
            Translator(zone).time(row.created_at, now),
            str(row.attempts),
            Text(title),
            Text(row.error),
        )
    return table


def console(*, error: bool = True) -> Console:
    """The console for what people read beside the alerts."""
    return Console(
        file=sys.stderr if error else sys.stdout, highlight=False, soft_wrap=not sys.stdout.isatty()
    )


def marked(text: str, spans: Iterable[Span], style: str = "bold") -> Text:
    """A text with what matched underlined."""
    shown = Text(text, style=style)
    for span in spans:
        shown.stylize("underline", span.start, span.end)
    return shown


def hit(console: Console, found: Hit, at: str) -> None:
    """A stored article that matches: when, where from, its headline, the summary around the first match."""
    article = found.entry.article
    in_title = [span for span in found.spans if span.field == "title"]
    console.print(Text(f"{at}  ").append_text(marked(article.title, in_title)))
    text, inside = snippet(article.summary, found.spans)
    if text and inside:
        console.print(Text("    ").append_text(marked(text, inside, "")))
    console.print(Text(f"    {article.source or article.feed_name}  {article.link}", style="dim"))


def storyline(
    made: Console, told: Sequence[TimelineStory], when: Callable[[datetime], str]
) -> None:
    """A storyline, the story that was asked for with the reasons of each article."""
    made.print(Text(f"Storyline: {summary(told)}", style="bold"))
    for story in told:
        made.print()
        sign = "▶" if story.requested else "○"
        made.print(Text(f"{sign} {story.title}", style="bold" if story.requested else ""))
        made.print(Text(f"  {who_was_first(story)}", style="dim"))
        for line in story.entries:
            entry = line.entry
            name = f"via {entry.agency}: {entry.name}" if entry.agency else entry.name
            made.print(
                Text(f"  {when(entry.at)}  {format_delay(line.delay):>9}  {name}: {entry.title}")
            )
            if story.requested:
                made.print(Text(f"      {line.reason}", style="dim"))


def forecast(
    console: Console, made: Forecast, names: dict[int, str], when: Callable[[datetime], str]
) -> None:
    """A backtest: the chart of days, how many messages to expect, what overlaps, the newest matches."""
    if made.nothing_stored:
        console.print("There are no stored articles yet to try it on: run `newsbell run` first.")
        return
    console.print(
        Text(
            f"{made.about}{made.stories} stories in {made.about}{made.entries} articles of the last {made.span}"
        )
    )
    most = max((count for _, count in made.by_day), default=0)
    for day, count in made.by_day:
        bar = "█" * round(40 * count / most) if most else ""
        console.print(Text(f"  {day:%a %d %b}  {bar or ('▏' if count else '')} {count}"))
    console.print(
        Text(
            f"Expect about {made.alerts_per_day:.1f} alerts a day, {made.alerts_per_week:.0f} a week."
        )
    )
    if made.share < 1:
        console.print(
            Text(
                f"The query is broad: the counts are estimates from every {round(1 / made.share)}th article."
            )
        )
    for number, count in made.overlap[:5]:
        console.print(
            Text(f"{count} of the stories ring for “{names.get(number, number)}” already.")
        )
    if made.hits:
        console.print()
    for one in made.hits:
        hit(console, one, when(one.entry.at))
