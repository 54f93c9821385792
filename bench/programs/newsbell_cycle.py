"""Poll every feed once with newsbell: the whole pipeline on its own database, as `newsbell run`.

Nothing is switched off: URL guard, validators, worker processes, identity, matching against the
subscriptions of the shipped feeds.yaml, and a durable commit (`synchronous=FULL`). The terminal
channel gets the alerts. Start-up (opening, compiling, starting the workers) is not measured.
"""

from __future__ import annotations

import asyncio
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvloop
import yaml

from bench.programs.meter import Meter, Task, task
from bot.config.load import load
from bot.delivery.channels.terminal import TerminalChannel
from bot.feeds.poller import PollReport
from bot.service import logs
from bot.service.build import Wiring, open_app
from bot.service.garbage import settle

ROOT = Path(__file__).resolve().parents[2]


def configuration(work: Task) -> str:
    """Return the shipped names and subscriptions over the feeds to be polled."""
    shipped = yaml.safe_load((ROOT / "feeds.yaml").read_text(encoding="utf-8"))
    for subscription in shipped["subscriptions"]:
        subscription.pop("feeds", None)
    return json.dumps(
        {
            "settings": {"network": {"allow": ["127.0.0.0/8"]}},
            "chats": {"here": {"terminal": True}},
            "names": shipped["names"],
            "subscriptions": shipped["subscriptions"],
            "feeds": [{"url": url, "name": url} for url in work.urls],
        },
        ensure_ascii=False,
    )


async def cycle(work: Task) -> None:
    """Poll everything once."""
    new: list[str] = []
    errors = 0
    lags: list[float] = []

    def polled(reports: list[PollReport]) -> None:
        nonlocal errors
        for report in reports:
            new.extend(placed.entry.title for placed in report.commit.new)
            errors += report.failure is not None

    async def watch_lag() -> None:
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(0.01)
            lags.append(loop.time() - before - 0.01)

    path = work.state / "feeds.yaml"
    path.write_text(configuration(work), encoding="utf-8")
    wiring = Wiring(
        terminal=TerminalChannel(as_json=True, stream=io.StringIO()),
        polled=polled,
        restored=settle,  # as `newsbell run`
    )
    async with open_app(load(path, {}), wiring) as newsbell:
        warm = b"<rss version='2.0'><channel><item><guid>1</guid></item></channel></rss>"
        for _ in range(4):
            await newsbell.workers.parse(
                warm, "", "http://x.example/", frozenset(), datetime.now(UTC), False
            )
        await newsbell.store.polls.make_due(newsbell.clock.now())
        # Of a start, and beside its polls.
        await newsbell.monitoring.watched.committer.restore()
        watcher = asyncio.create_task(watch_lag())
        meter = Meter()
        await newsbell.poller.run_once()
        await newsbell.deliverer.run_once(timedelta(0))
        meter.write(work.out, len(work.urls), new, errors)
        watcher.cancel()
        figures = json.loads(work.out.read_text(encoding="utf-8"))
        lags.sort()
        figures["lag_p99_ms"] = lags[int(len(lags) * 0.99)] * 1000 if lags else 0.0
        figures["lag_max_ms"] = lags[-1] * 1000 if lags else 0.0
        work.out.write_text(json.dumps(figures), encoding="utf-8")


def main() -> None:
    """Poll once."""
    logs.use_standard_logging()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(cycle(task()))


if __name__ == "__main__":
    main()
