"""The command that watches the feeds and sends alerts."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from secrets import token_hex
from socket import gethostname

import click
import structlog
from rich.console import Console
from rich.text import Text

from bot.cli import output
from bot.cli.common import in_force, rejected_text
from bot.cli.config_option import config_option
from bot.cli.event_loop import run_to_end
from bot.cli.first_polls import FirstPolls
from bot.cli.streams import discard_output, outlast_readers
from bot.cli.tables import open_console
from bot.config.load import Config
from bot.delivery.channels.terminal import TerminalChannel
from bot.errors import StoreAway, StoreBusy
from bot.feeds.poller import PollReport
from bot.model.database_address import PostgresAddress
from bot.model.nodes import node_name
from bot.service import logs
from bot.service.app import App
from bot.service.build import Wiring, open_app
from bot.service.garbage import settle, unsearched
from bot.service.last_good import Rejected
from bot.service.loop_watch import watched_if_asked
from bot.service.service_manager import ServiceManager
from bot.service.signals import handle_signals, hold_signals, stop_while_starting
from bot.service.standby import AGAIN, until_turn
from bot.service.workers import READERS

log = structlog.stdlib.get_logger("newsbell.config")


@click.command()
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
    with unsearched():
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
        run_to_end(_watch(config, rejected, once=once, as_json=as_json))
    finally:
        discard_output()


async def _watch(config: Config, rejected: Rejected | None, *, once: bool, as_json: bool) -> int:
    stop_while_starting()
    console = open_console()
    if rejected:
        console.print(Text(rejected_text(rejected, config), style="red"))
    first = FirstPolls(console)
    polls: dict[int, bool] = {}

    def polled(reports: list[PollReport]) -> None:
        polls.update({report.commit.feed_id: report.failure is None for report in reports})
        first.polled(reports)

    wiring = Wiring(
        terminal=TerminalChannel(as_json=as_json),
        documents=max(1, len(config.declared.feeds)) if once else READERS,
        polled=polled,
        settled=lambda settlement: output.settled(console, settlement),
        restored=settle,
        warned=lambda text: console.print(Text(text, style="red")),
        rejected=rejected,
        service_manager=ServiceManager.of_environment(os.environ, os.getpid()),
        node=node_name(gethostname(), token_hex(2), os.getpid()) if _is_shared(config) else "",
    )
    async with watched_if_asked(), _opened(config, wiring, console, once=once) as app:
        handle_signals(app.stop, app.take_file)
        await app.report_rejected()
        first.start(app, await app.store.admin.unread_feeds(app.clock.now()), once=once)
        try:
            link = None if once else await app.claim_link()
            if link:
                console.print(
                    "No operator yet. Open this link in Telegram within 24 hours to become it:\n"
                    f"{link}",
                    soft_wrap=True,
                )
            settle()
            await (app.run_once() if once else app.run())
        finally:
            first.close()
    return 1 if once and polls and not any(polls.values()) else 0


def _is_shared(config: Config) -> bool:
    """Whether several machines may use the database."""
    return isinstance(config.database, PostgresAddress)


@asynccontextmanager
async def _opened(
    config: Config, wiring: Wiring, console: Console, *, once: bool
) -> AsyncIterator[App]:
    """Open newsbell; where another one leads on the same database, wait for its turn first.

    Raises StoreError; StoreBusy for a single round where another one has the database.
    """
    has_waited = False

    def waiting() -> None:
        nonlocal has_waited
        has_waited = True
        wiring.service_manager.ready()
        console.print("Another newsbell leads: this one polls for it, and waits for its turn.")

    while True:
        async with AsyncExitStack() as stack:
            try:
                if isinstance(config.database, PostgresAddress) and not once:
                    turn = await until_turn(config, wiring, config.database, waiting)
                    if turn:
                        config, wiring.rejected = turn.current.config, turn.current.rejected
                        wiring.followed = turn.followed
                        logs.keep_secret(config.secrets)
                app = await stack.enter_async_context(open_app(config, wiring))
            except StoreBusy:
                if once or not _is_shared(config):
                    raise
                continue  # yet another one was quicker
            except StoreAway as error:
                if not has_waited:  # who has waited knows that its settings are right
                    raise
                log.error("database_away", error=str(error), retry_after=AGAIN.total_seconds())
                wiring.followed = None
                await asyncio.sleep(AGAIN.total_seconds())
                continue
            wiring.followed = None  # it is the committer's by now
            yield app
            return
