"""Show the first polls of a run: a bar until each new feed was fetched once, then what is watched.

Changes nothing.
"""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from bot.cli.faults import plural
from bot.feeds.poller import PollReport
from bot.model.chats import ChatKind
from bot.service.app import App
from bot.service.jobs import OFFLINE


class FirstPolls:
    """Follows the polls of a run and prints what a person waits for."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress: Progress | None = None
        self._app: App | None = None
        self._due = 0
        self._once = False
        self._fetched: set[int] = set()  # new feeds by id: several may have the same name
        self._failed: dict[int, PollReport] = {}
        self._baselines = 0
        self._is_offline = False

    def start(self, app: App, due: int, *, once: bool = False) -> None:
        """Print what is watched; `due` is the number of new feeds."""
        self._app, self._due, self._once = app, due, once
        declared = app.config.declared
        feeds = plural(len(declared.feeds), "feed")
        subscriptions = plural(len(declared.subscriptions), "subscription")
        self._console.print(f"Watching {feeds}, {subscriptions}. {_where(app)}.")
        if _lacks_token(app):
            self._console.print(
                "The Telegram chats of the file get nothing without a token: set "
                "TELEGRAM_BOT_TOKEN, restart.",
                style="yellow",
            )
        if not due:
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
            self._progress.add_task("baseline", total=due)

    def polled(self, reports: list[PollReport]) -> None:
        """Take in that some feeds were polled."""
        for report in reports:
            feed = report.commit.feed_id
            if report.failure:
                self._failed[feed] = report
            else:
                self._failed.pop(feed, None)
            self._baselines += report.baseline
            is_new = report.baseline or report.commit.state.baseline_at is None
            if is_new and feed not in self._fetched and len(self._fetched) < self._due:
                self._fetched.add(feed)
                if self._progress:
                    self._progress.advance(self._progress.task_ids[0])
                if len(self._fetched) == self._due:
                    self._finish()
        self._check_network(reports)

    def _check_network(self, reports: list[PollReport]) -> None:
        feeds = len(self._app.config.declared.feeds) if self._app else 0
        offline = [report for report in self._failed.values() if report.failure in OFFLINE]
        if feeds and len(offline) == feeds and not self._is_offline:
            self._is_offline = True
            self._console.print(
                "No feed can be reached: there seems to be no network. newsbell keeps trying.",
                style="yellow",
            )
        elif self._is_offline and any(report.failure is None for report in reports):
            self._is_offline = False
            self._console.print("The network is back.", style="green")

    def _finish(self) -> None:
        self.close()
        if self._baselines:  # where no feed can be read at all, `_check_network` says so
            failed = (
                f"; {len(self._failed)} could not be read (`newsbell status` says why)"
                if self._failed
                else ""
            )
            self._console.print(
                f"Read {plural(self._baselines, 'feed')}{failed}. "
                "What is already in them does not alert; new articles do."
            )
        if self._app and not self._app.bot and not _lacks_token(self._app):
            self._console.print(
                "For alerts in Telegram: create a bot with @BotFather, set TELEGRAM_BOT_TOKEN, "
                "restart.",
                style="dim",
            )
        self._wait()

    def _wait(self) -> None:
        if not self._once:
            self._console.print("Waiting for news. Stop with Ctrl-C.", style="dim")

    def close(self) -> None:
        """Remove the bar."""
        if self._progress:
            self._progress.stop()
            self._progress = None


def _where(app: App) -> str:
    """Where alerts go."""
    others = len(app.config.destinations)
    places = ["Telegram"] if app.bot else []
    if others:
        places.append(f"{plural(others, 'chat')} of other services")
    if not places:
        return "Alerts appear here"
    return f"Alerts go to {' and '.join(places)}, and appear here"


def _lacks_token(app: App) -> bool:
    """Whether the file has Telegram chats, but newsbell has no token to reach them."""
    chats = app.config.declared.chats
    return not app.bot and any(chat.kind is ChatKind.TELEGRAM for chat in chats)
