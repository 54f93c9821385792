"""The command line. Exit codes: 0 fine, 1 the work failed, 2 wrong usage or configuration."""

import asyncio
import gc
import json
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import structlog
import uvloop
from rich.console import Console
from rich.text import Text

from bot import __version__
from bot.cli import output
from bot.cli.by_hand import by_hand, retry
from bot.cli.common import (
    DEFAULT,
    Fault,
    Misconfigured,
    Stopped,
    config_option,
    in_force,
    loaded,
    plural,
    read_only,
    readable,
    rejected_text,
)
from bot.cli.explain import explain, story
from bot.cli.first_polls import FirstPolls
from bot.cli.queries import backtest, export, names, search
from bot.cli.streams import discard_output, outlast_readers
from bot.config.load import Config
from bot.config.query_tests import failures
from bot.config.schema import FileShape
from bot.delivery.channels.terminal import TerminalChannel
from bot.demo.play import play
from bot.errors import InternalFailure, NewsbellError
from bot.feeds.poller import PollReport
from bot.model.delivery import DeliveryState
from bot.search.feed_state import overruled_hint
from bot.service import logs
from bot.service.build import Wiring, open_app
from bot.service.last_good import Rejected
from bot.service.loop_watch import watched_if_asked
from bot.service.signals import handle_signals, hold_signals, stop_while_starting
from bot.store.admin import UNFINISHED
from bot.store.sqlite import ReadOnlyDatabase
from bot.text.clean import plain
from bot.text.output_charset import takes_unicode
from bot.text.stem import INFLECTED

log = structlog.stdlib.get_logger("newsbell.config")


def _run(work: Coroutine[Any, Any, int]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            code = runner.run(work)
        except asyncio.CancelledError:  # it was stopped while it started
            code = 0
        except InternalFailure as error:
            raise Stopped(str(error)) from None
        except NewsbellError as error:
            raise Fault(str(error)) from None
        except KeyboardInterrupt:
            code = 130
    if code:
        raise SystemExit(code)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="newsbell")
def main() -> None:
    """Alerts for news feeds.

    newsbell watches the feeds of feeds.yaml and sends each chat one alert per story that matches
    its subscriptions, in Telegram or in this terminal. See it on an invented newswire with
    `newsbell demo`; start it with `newsbell run`.
    """
    logs.use_standard_logging()


@main.command()
@config_option
@click.option("--once", is_flag=True, help="Poll every feed, deliver, exit (for cron).")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="One JSON line per alert and revision on standard output; logs on standard error.",
)
@click.option("--verbose", "-v", is_flag=True, help="Log more.")
def run(path: Path, *, once: bool, as_json: bool, verbose: bool) -> None:
    """Watch the feeds and send alerts.

    On the first fetch of a feed its existing articles are stored and nobody is alerted; the
    terminal shows matches of the last 24 hours, marked as catch-up. Changes of the configuration
    file take effect while newsbell runs. The bot's token comes from TELEGRAM_BOT_TOKEN or
    settings.telegram.token_file.
    """
    outlast_readers()
    hold_signals()
    current = in_force(path, held=not once)  # one round has no later
    config, rejected = current.config, current.rejected
    logs.set_up(secrets=config.secrets, verbose=verbose)
    if rejected:
        log.error(
            "config_rejected",
            file=rejected.file,
            effect="the last good configuration goes on",
            error=str(rejected.error),
        )
    try:
        _run(_watch(config, rejected, once=once, as_json=as_json))
    finally:
        discard_output()


async def _watch(config: Config, rejected: Rejected | None, *, once: bool, as_json: bool) -> int:
    stop_while_starting()
    console = output.console()
    if rejected:
        console.print(Text(rejected_text(rejected, config), style="red"))
    first = FirstPolls(console)
    polls: dict[int, bool] = {}

    def polled(reports: list[PollReport]) -> None:
        polls.update({report.commit.feed_id: report.failure is None for report in reports})
        first.polled(reports)

    wiring = Wiring(
        terminal=TerminalChannel(as_json=as_json),
        polled=polled,
        settled=lambda settlement: output.settled(console, settlement),
        warned=lambda text: console.print(Text(text, style="red")),
        rejected=rejected,
    )
    async with watched_if_asked(), open_app(config, wiring) as app:
        handle_signals(app.stop, app.take_file)
        await app.report_rejected()
        status = await app.store.admin.status()
        now = app.clock.now()
        new = sum(
            feed.state.baseline_at is None and feed.state.next_poll_at <= now
            for feed in status.feeds
        )
        first.start(app, new, once=once)
        try:
            link = None if once else await app.claim_link()
            if link:
                console.print(
                    "No operator yet. Open this link in Telegram within 24 hours to become it:\n"
                    f"{link}",
                    soft_wrap=True,
                )
            # What is there now stays: looking through it for what does not stopped all for 150 ms.
            gc.freeze()
            await (app.run_once() if once else app.run())
        finally:
            first.close()
    return 1 if once and polls and not any(polls.values()) else 0


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default=DEFAULT)
def check(file: Path) -> None:
    """Check a configuration file and test its queries.

    Lists every mistake with its line and column.
    """
    config = loaded(file)
    failed = failures(config.tests, config.names)
    if failed:
        lines = "\n".join(mistake.at(str(file)) for mistake in failed)
        raise Misconfigured(
            f"{lines}\n\n{len(failed)} of {plural(len(config.tests), 'test')} in {file} failed."
        )
    declared = config.declared
    counts = [
        plural(len(declared.feeds), "feed"),
        plural(len(declared.chats), "chat"),
        plural(len(declared.subscriptions), "subscription"),
    ]
    if config.tests:
        counts.append(f"{plural(len(config.tests), 'test')} passed")
    click.echo(f"{file} is valid: {', '.join(counts)}.")
    for line in _overruled_hints(config):
        click.echo(line)
    for warning in config.warnings:
        click.echo(warning.at(str(file)))
    if config.has_uninflected_words:
        click.echo(f"Words are inflected in these languages: {', '.join(sorted(INFLECTED))}.")
    for key in config.outdated:
        click.echo(f"{key.at(str(file))} (the old name still works)")
    if not config.token and any(chat.kind == "telegram" for chat in declared.chats):
        click.echo(
            "It has Telegram chats, but no token: set TELEGRAM_BOT_TOKEN before `newsbell run`."
        )


@main.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def status(path: Path, *, as_json: bool) -> None:
    """Show the state of feeds, queues and deliveries. Works while newsbell runs."""
    used = in_force(path)
    config, rejected = used.config, used.rejected
    current = read_only(config).status()
    if as_json:
        feeds = [
            {
                "name": feed.name,
                "url": feed.url,
                "entries": feed.entries,
                "last_poll": _iso(feed.state.last_poll_at),
                "next_poll": _iso(feed.state.next_poll_at),
                "failures": feed.state.failures,
                "failure": feed.state.failure,
                "failure_text": feed.state.failure_text,
                "interval": feed.state.interval.total_seconds(),
                "reason": feed.state.reason,
                "hint": overruled_hint(feed.state, feed.every),
            }
            for feed in current.feeds
        ]
        chats = [
            {"name": chat.name, "queued": queued, "paused": chat.paused, "not_before": _iso(until)}
            for chat, queued, until in current.chats
        ]
        click.echo(
            json.dumps(
                {
                    "config": rejected
                    and {
                        "mistakes": [item.at(rejected.file) for item in rejected.error.mistakes],
                        "in_force_since": _iso(rejected.since),
                    },
                    "feeds": feeds,
                    "chats": chats,
                    "subscriptions": current.subscriptions,
                    "deliveries": current.deliveries,
                    "outage": current.outage
                    and {
                        "fault": current.outage.fault,
                        "reason": current.outage.reason,
                        "since": _iso(current.outage.since),
                    },
                },
                ensure_ascii=not takes_unicode(sys.stdout),
            )
        )
        return
    console = output.console(error=False)
    if rejected:
        console.print(Text(f"{rejected_text(rejected, config)}\n{rejected.places()}", style="red"))
    for part in output.status_table(current, datetime.now(UTC), ZoneInfo(config.settings.timezone)):
        console.print(part)


@main.group(invoke_without_command=True)
@config_option
@click.pass_context
def outbox(context: click.Context, path: Path) -> None:
    """List, retry or drop undelivered messages."""
    context.obj = path
    if context.invoked_subcommand is None:
        context.invoke(outbox_list)


@outbox.command("list")
@click.option("--all", "everything", is_flag=True, help="Also deliveries that are done.")
@click.pass_obj
def outbox_list(path: Path, *, everything: bool = False) -> None:
    """List deliveries that are queued, undecided or dead."""
    config = readable(path)
    states = tuple(DeliveryState) if everything else None
    now = datetime.now(UTC)
    rows = read_only(config).outbox(now, states)
    if not rows:
        click.echo("The outbox is empty.")
        return
    output.console(error=False).print(
        output.outbox_table(rows, now, ZoneInfo(config.settings.timezone))
    )
    counts = read_only(config).status().deliveries
    rest = sum(counts.get(state, 0) for state in states or UNFINISHED) - len(rows)
    if rest > 0:
        click.echo(f"… and {rest:,} more.")


@outbox.command("retry")
@click.argument("ids", type=int, nargs=-1)
@click.pass_obj
def outbox_retry(path: Path, ids: tuple[int, ...]) -> None:
    """Send deliveries again: those with these ids, or all dead and undecided ones."""
    click.echo(_outcome(by_hand(readable(path), "retry", ids), ids, "queued again"))


@outbox.command("drop")
@click.argument("ids", type=int, nargs=-1)
@click.pass_obj
def outbox_drop(path: Path, ids: tuple[int, ...]) -> None:
    """Drop deliveries: those with these ids, or all dead ones."""
    click.echo(_outcome(by_hand(readable(path), "drop", ids), ids, "dropped"))


@main.command()
@click.option(
    "--seconds",
    type=click.FloatRange(5, 300),
    default=40,
    show_default=True,
    help="How long it plays.",
)
def demo(seconds: float) -> None:
    """Play an invented newswire through all of newsbell.

    Runs at high speed and ends by itself.
    """
    logs.set_up()
    _run(play(seconds, Console(highlight=False)))


@main.command()
def schema() -> None:
    """Print the JSON Schema of the configuration file, for editors."""
    click.echo(schema_text(), nl=False)


for command in (search, backtest, explain, names, story, export, retry):
    main.add_command(command)


def schema_text() -> str:
    """Return the JSON Schema of feeds.yaml."""
    document = FileShape.model_json_schema()
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    document["title"] = "feeds.yaml of newsbell"
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _overruled_hints(config: Config) -> list[str]:
    """Return what publishers ask for and `every` overrules, as far as newsbell polled the feeds."""
    try:
        known = {feed.url: feed for feed in ReadOnlyDatabase(config.database).status().feeds}
    except (NewsbellError, IndexError):  # none yet, or one of an earlier version: no column
        return []
    hints = (
        (feed.name, overruled_hint(known[feed.url].state, feed.every))
        for feed in config.declared.feeds
        if feed.url in known
    )
    return [f"{plain(name)}: {hint}." for name, hint in hints if hint]


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _outcome(count: int, ids: tuple[int, ...], participle: str) -> str:
    """Return what became of deliveries; `ids` are those asked for, none for all dead ones."""
    if count:
        verb = "is" if count == 1 else "are"
        return f"{plural(count, 'delivery', 'deliveries')} {verb} {participle}."
    if not ids:
        return "No delivery is dead."
    numbers = f"number {ids[0]}" if len(ids) == 1 else "one of these numbers"
    return f"No undelivered message has {numbers}. `newsbell outbox` lists them."
