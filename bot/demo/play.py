"""Play the script: serve the newswire, run a whole newsbell on it, narrate, end."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from rich.console import Console

from bot.config.load import load
from bot.delivery.channels.terminal import TerminalChannel
from bot.demo.script import CONFIG, SCENES, outlets
from bot.demo.wire import Newswire, serve
from bot.feeds.poller import PollReport
from bot.model.delivery import DeliveryKind, DeliveryState, Settlement
from bot.service.app import App
from bot.service.build import Wiring, open_app
from bot.service.clock import FastClock
from bot.service.signals import handle_signals, stop_while_starting

HOURS = 76.0  #: how much time passes on the demo's clock
BEGINS = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)  #: a Sunday, so that its night is a night


async def play(seconds: float, console: Console) -> int:
    """Play for that long; return the exit code, 0."""
    stop_while_starting()
    clock = FastClock(HOURS * 3600 / seconds, BEGINS)
    wire = Newswire(clock)
    outlets(wire, clock.now())
    sent: Counter[DeliveryKind] = Counter()
    entries: Counter[str] = Counter()

    def settled(settlement: Settlement) -> None:
        if settlement.state is DeliveryState.SENT:
            sent[settlement.delivery.kind] += 1

    def polled(reports: list[PollReport]) -> None:
        for report in reports:
            entries["new"] += len(report.commit.new)

    with TemporaryDirectory(prefix="newsbell-demo-") as folder:
        async with serve(wire) as base:
            path = Path(folder) / "feeds.yaml"
            path.write_text(CONFIG.format(base=base), encoding="utf-8")
            console.print(
                f"An invented newswire of seven outlets, {HOURS:.0f} hours of it in "
                f"{seconds:.0f} seconds. "
                "Every poll, alert and failure below is real; only the news is not.\n",
            )
            wiring = Wiring(
                clock=clock,
                terminal=TerminalChannel(),
                chance=Random(7),
                tick=timedelta(milliseconds=50),
                polled=polled,
                settled=settled,
            )
            async with open_app(load(path, {}), wiring) as app:
                handle_signals(app.stop, app.take_file)
                async with asyncio.TaskGroup() as group:
                    running = group.create_task(app.run())
                    narrating = group.create_task(_narrate(app, wire, seconds, console))
                    await asyncio.wait({running, narrating}, return_when=asyncio.FIRST_COMPLETED)
                    narrating.cancel()
                    app.stop()
    console.print(
        f"\nThat was {HOURS:.0f} hours: {wire.polls} polls, {entries['new']} articles stored, "
        f"{_counted(sent[DeliveryKind.ALERT], 'alert')}, "
        f"{_counted(sent[DeliveryKind.EDIT], 'silent change')}, "
        f"{_counted(sent[DeliveryKind.NOTICE], 'notice')} to the operator.\n"
        "Now for real: `newsbell init`, then `newsbell run`.",
    )
    return 0


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


async def _narrate(app: App, wire: Newswire, seconds: float, console: Console) -> None:
    loop = asyncio.get_running_loop()
    start = loop.time()
    console.print(
        "— First fetch: existing articles are stored and nobody is alerted. "
        "Matches of the last 24 hours are shown, as catch-up.\n",
        style="cyan",
    )
    for scene in SCENES:
        await asyncio.sleep(max(0.0, start + scene.at * seconds - loop.time()))
        console.print(f"— {app.clock.now():%A %H:%M}. {scene.text}\n", style="cyan")
        scene.act(wire)
    await asyncio.sleep(max(0.0, start + seconds - loop.time()))
