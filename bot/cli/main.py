"""The command line: parse, call, exit. 0 fine, 1 the work failed, 2 wrong usage or configuration."""

import asyncio
import json
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import uvloop
from rich.console import Console

from bot import __version__
from bot.cli import output
from bot.cli.common import DEFAULT, Fault, Misconfigured, config_option, loaded, read_only
from bot.cli.queries import backtest, explain, export, names, search, story
from bot.config.load import Config
from bot.config.query_tests import failures
from bot.config.schema import FileShape
from bot.delivery.channels.terminal import TerminalChannel
from bot.demo.play import play
from bot.errors import NewsbellError, StoreBusy
from bot.feeds.poller import PollReport
from bot.model.delivery import DeliveryState
from bot.service import logs
from bot.service.app import stop_on_signals
from bot.service.build import Wiring, open_app
from bot.service.control import ask
from bot.store.sqlite import SqliteStore


def _run(work: Coroutine[Any, Any, int]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            code = runner.run(work)
        except NewsbellError as error:
            raise Fault(str(error)) from None
        except KeyboardInterrupt:
            code = 130
    if code:
        raise SystemExit(code)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="newsbell")
def main() -> None:
    """An alarm bell for the news.

    newsbell watches the feeds of feeds.yaml and rings a chat once for each story that matches what the chat asked for, in Telegram or in
    this terminal. `newsbell demo` shows it on an invented newswire within a minute; `newsbell run` does it for real.
    """
    logs.use_standard_logging()


@main.command()
@config_option
@click.option("--once", is_flag=True, help="Poll every feed, deliver, exit: for cron.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="One JSON line per alert and revision on standard output; logs on standard error.",
)
@click.option("--verbose", "-v", is_flag=True, help="Say more in the log.")
def run(path: Path, *, once: bool, as_json: bool, verbose: bool) -> None:
    """Watch the feeds and ring the chats.

    The first look at a feed is a silent baseline; the terminal shows what matches of its last 24 hours, marked as catch-up. Changes of
    the configuration file are taken in while newsbell runs. The bot's token comes from TELEGRAM_BOT_TOKEN or settings.telegram.token_file.
    """
    config = loaded(path)
    secrets: tuple[str, ...] = (config.token.get_secret_value(),) if config.token else ()
    secrets += tuple(value for headers in config.headers.values() for value in headers.values())
    logs.set_up(secrets=secrets, verbose=verbose)
    _run(_watch(config, once=once, as_json=as_json))


async def _watch(config: Config, *, once: bool, as_json: bool) -> int:
    console = output.console()
    first = output.FirstPolls(console)
    polls: dict[int, bool] = {}

    def polled(reports: list[PollReport]) -> None:
        polls.update({report.commit.feed_id: report.failure is None for report in reports})
        first.polled(reports)

    wiring = Wiring(
        terminal=TerminalChannel(as_json=as_json),
        polled=polled,
        settled=lambda settlement: output.settled(console, settlement),
    )
    async with open_app(config, wiring) as made:
        stop_on_signals(made)
        status = await made.store.admin.status()
        now = made.clock.now()
        new = sum(
            feed.state.baseline_at is None and feed.state.next_poll_at <= now
            for feed in status.feeds
        )
        first.ready(made, new, once=once)
        try:
            link = None if once else await made.claim_link()
            if link:
                console.print(
                    f"Nobody runs this newsbell in Telegram yet. Open this link once to become its operator:\n{link}",
                    soft_wrap=True,
                )
            await (made.run_once() if once else made.run())
        finally:
            first.close()
    return 1 if once and polls and not any(polls.values()) else 0


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default=DEFAULT)
def check(file: Path) -> None:
    """Check a configuration file: say everything that is wrong with it, each with its place, and hold queries against their tests."""
    config = loaded(file)
    failed = failures(config.tests, config.names)
    if failed:
        lines = "\n".join(mistake.at(str(file)) for mistake in failed)
        raise Misconfigured(
            f"{lines}\n\n{len(failed)} of {len(config.tests)} tests of {file} fail{'s' if len(failed) == 1 else ''}."
        )
    declared = config.declared
    tested = f", {len(config.tests)} tests of them passed" if config.tests else ""
    click.echo(
        f"{file} is fine: {len(declared.feeds)} feeds, {len(declared.chats)} chats, {len(declared.subscriptions)} subscriptions{tested}."
    )
    for key in config.outdated:
        click.echo(f"{key.at(str(file))} (the old name still works)")
    if not config.token and any(chat.kind == "telegram" for chat in declared.chats):
        click.echo(
            "It names Telegram chats, but no token is set: set TELEGRAM_BOT_TOKEN before `newsbell run`."
        )


@main.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def status(path: Path, *, as_json: bool) -> None:
    """Show feeds with last and next poll, failures in words, queues and dead letters. Works while newsbell runs."""
    config = loaded(path)
    found = read_only(config).status()
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
            }
            for feed in found.feeds
        ]
        chats = [
            {"name": chat.name, "queued": queued, "paused": chat.paused, "not_before": _iso(until)}
            for chat, queued, until in found.chats
        ]
        click.echo(
            json.dumps(
                {
                    "feeds": feeds,
                    "chats": chats,
                    "subscriptions": found.subscriptions,
                    "deliveries": found.deliveries,
                },
                ensure_ascii=False,
            )
        )
        return
    console = output.console(error=False)
    for part in output.status_table(found, datetime.now(UTC), ZoneInfo(config.settings.timezone)):
        console.print(part)


@main.group(invoke_without_command=True)
@config_option
@click.pass_context
def outbox(context: click.Context, path: Path) -> None:
    """Look after deliveries that are not done: list, retry, drop."""
    context.obj = path
    if context.invoked_subcommand is None:
        context.invoke(outbox_list)


@outbox.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that are done as well.")
@click.pass_obj
def outbox_list(path: Path, *, everything: bool = False) -> None:
    """List deliveries that wait, are undecided or dead."""
    config = loaded(path)
    states = tuple(DeliveryState) if everything else None
    rows = read_only(config).outbox(states)
    if not rows:
        click.echo("Nothing waits and nothing is dead.")
        return
    output.console(error=False).print(
        output.outbox_table(rows, datetime.now(UTC), ZoneInfo(config.settings.timezone))
    )


@outbox.command("retry")
@click.argument("ids", type=int, nargs=-1)
@click.pass_obj
def outbox_retry(path: Path, ids: tuple[int, ...]) -> None:
    """Send again what is dead or undecided: these deliveries, or all dead ones."""
    click.echo(f"{_by_hand(loaded(path), 'retry', ids)} deliveries are queued again.")


@outbox.command("drop")
@click.argument("ids", type=int, nargs=-1)
@click.pass_obj
def outbox_drop(path: Path, ids: tuple[int, ...]) -> None:
    """Give up deliveries: these, or all dead ones."""
    click.echo(f"{_by_hand(loaded(path), 'drop', ids)} deliveries are dropped.")


@main.command()
@click.option(
    "--seconds",
    type=click.FloatRange(5, 300),
    default=40,
    show_default=True,
    help="How long it plays.",
)
def demo(seconds: float) -> None:
    """Play an invented newswire on this machine through the whole of newsbell, at high speed. Ends by itself."""
    logs.set_up()
    _run(play(seconds, Console(highlight=False)))


@main.command()
def schema() -> None:
    """Print the JSON Schema of the configuration file, for editors."""
    click.echo(schema_text(), nl=False)


for command in (search, backtest, explain, names, story, export):
    main.add_command(command)


def schema_text() -> str:
    """The JSON Schema of feeds.yaml."""
    made = FileShape.model_json_schema()
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["title"] = "feeds.yaml of newsbell"
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _by_hand(config: Config, do: str, ids: tuple[int, ...]) -> int:
    """Ask the newsbell that runs; where none runs, do it here under its lock."""
    read_only(config)
    try:
        done = ask(config.database, do, ids)
    except NewsbellError as error:
        raise Fault(str(error)) from None
    if done is not None:
        return done

    async def work() -> int:
        async with SqliteStore(config.database) as store:
            operator = store.admin
            return await (
                operator.retry(ids) if do == "retry" else operator.drop(ids, datetime.now(UTC))
            )

    try:
        return asyncio.run(work())
    except StoreBusy as error:
        raise Fault(f"{error} It did not answer; try again.") from None
    except NewsbellError as error:
        raise Fault(str(error)) from None
