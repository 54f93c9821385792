"""Forecasts of subscriptions against what a replay of recorded news then brings.

    python -m bench.forecasts [--data FOLDER] [--ages 0.5,2,6,24,72] [--every 12]

newsbell starts anew every so many hours of the stream; at each age it forecasts sixty queries with
six sets of options, and lives on for 24 hours. What came is counted from the deliveries that its
own grouping and decisions led to. Where the recorded stream is absent, nothing is measured; the
small size invents one. Asserts nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.command_line import DATA, parse, write_record
from bench.replay import STREAM, Item, Replay, Wish, read
from bot.model.chats import AlertOptions
from bot.model.stories import Grouping
from bot.query.parser import parse as parse_query
from bot.search.backtest import Forecast, backtest
from bot.search.past_alerts import Terms
from bot.store.stores import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MANY = 5  #: alerts from which an error counts as a share of what came
#: words of general news, chosen before any count of them was seen
QUERIES = (
    "*",
    "trump",
    "iran",
    "israel OR gaza",
    "ukraine OR russia",
    "china",
    "court",
    "police",
    "election",
    "senate OR congress",
    "white house",
    "economy OR inflation",
    "storm OR flood OR hurricane",
    "fire OR wildfire",
    "school",
    "health",
    "climate",
    "ai OR chatbot",
    "market*",
    "tariff*",
    "immigration",
    "judge",
    "murder OR killed",
    "war",
    "president",
    "minister",
    "football OR soccer",
    "nfl",
    "film OR movie",
    "music",
    "apple OR google OR microsoft",
    "tesla OR musk",
    "space OR nasa",
    "vaccine",
    "oil",
    "bank",
    "strike",
    "protest*",
    "nuclear",
    "drone*",
    "ceasefire",
    "sanctions",
    "supreme court",
    "border",
    "gun OR shooting",
    "crash",
    "earthquake",
    "abortion",
    "tax",
    "housing",
    "lawsuit",
    "california",
    "texas",
    "new york",
    "london OR britain",
    "france",
    "germany",
    "india",
    "africa",
    "democrat* NOT trump",
)


@dataclass(frozen=True)
class Trial:
    """A forecast and what came in the 24 hours that followed."""

    age: float  #: of newsbell, in hours
    wish: Wish
    options: str
    low: int | None  #: None: too early to say
    high: int | None
    middle: int | None
    came: int
    notes: int

    @property
    def inside(self) -> bool:
        """Whether what came is within the range."""
        return self.low is not None and self.high is not None and self.low <= self.came <= self.high

    @property
    def error(self) -> float:
        """The middle's distance from what came, as a share of that."""
        return abs((self.middle or 0) - self.came) / max(self.came, 1)


def option_sets(outlets: Sequence[str]) -> dict[str, Wish]:
    """Return a wish without a query for each set of options."""
    return {
        "plain": Wish(""),
        "publishers:2": Wish("", AlertOptions(publishers=2)),
        "publishers:3 or_after:1h": Wish("", AlertOptions(publishers=3, or_after=HOUR)),
        "strict": Wish("", grouping=Grouping.STRICT),
        "loose": Wish("", grouping=Grouping.LOOSE),
        "a third of the feeds": Wish("", feeds=tuple(outlets[::3])),
    }


def forecast(replay: Replay, store: SqliteStore, chat: int, wish: Wish) -> Forecast:
    """Return what newsbell says now."""
    terms = Terms(wish.feeds, wish.options, wish.grouping)
    archive = store.archive.of_chat(chat, 60)
    return backtest(parse_query(wish.query), archive, replay.now, terms=terms)


async def trials(
    folder: Path,
    items: Sequence[Item],
    wishes: Sequence[tuple[str, Wish]],
    start: datetime,
    ages: Sequence[float],
) -> list[Trial]:
    """Start newsbell at a moment, and try its forecasts at each age that the stream allows."""
    # What was recorded later is no more than the rest of these days.
    end = max(item.published or items[0].seen for item in items)
    ages = [age for age in sorted(ages) if start + age * HOUR + DAY <= end]
    said: dict[float, list[Forecast]] = {}
    async with SqliteStore(folder / f"{start:%d-%H}.db") as store:
        replay = Replay(store, items, [wish for _, wish in wishes])
        await replay.start(start)
        for age in ages:
            await replay.run_until(start + age * HOUR)
            said[age] = [
                forecast(replay, store, chat, wish) for chat, (_, wish) in enumerate(wishes, 1)
            ]
        if ages:
            await replay.run_until(start + ages[-1] * HOUR + DAY)
        came = replay.came()
    return [
        _trial(age, name, wish, forecast, (came[chat].alerts, came[chat].notes), start)
        for age in ages
        for chat, ((name, wish), forecast) in enumerate(zip(wishes, said[age], strict=True), 1)
    ]


def _trial(
    age: float,
    name: str,
    wish: Wish,
    forecast: Forecast,
    came: tuple[list[datetime], list[datetime]],
    start: datetime,
) -> Trial:
    since = start + age * HOUR
    alerts, notes = (sum(since < at <= since + DAY for at in times) for times in came)
    if not forecast.expectation:
        return Trial(age, wish, name, None, None, None, alerts, notes)
    day = forecast.expectation.next_day
    return Trial(age, wish, name, day.low, day.high, day.middle, alerts, notes)


def invented(days: float = 2.5) -> list[Item]:
    """Return a stream of invented articles: six outlets, more of them by day than by night."""
    chance = random.Random(5)
    begin = datetime(2026, 3, 2, tzinfo=UTC)
    words = "harbour mill tram ferry bridge council quarry lighthouse market orchard".split()
    items = []
    for hour in range(int(24 * days)):
        for number in range(chance.randrange(3) if hour % 24 < 7 else chance.randrange(2, 5)):
            seen = begin + hour * HOUR + number * timedelta(minutes=6)
            subject, other = chance.sample(words, 2)
            title = f"{subject} {chance.randrange(10**6)} meets {other} {chance.randrange(10**6)}"
            outlet = f"outlet{chance.randrange(6)}"
            link = f"https://{outlet}.example/{hour}-{number}"
            items.append(Item(outlet, title.capitalize(), "", link, seen - 9 * HOUR / 60, seen))
    return items


def table(rows: Sequence[Trial]) -> Iterator[str]:
    """Yield the lines of the results."""
    yield (
        "| age | forecasts | too early | within the range | width of the range "
        f"| median error | of {MANY} alerts and more | of {MANY} to 20 | of more than 20 |"
    )
    yield "|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    groups: dict[str, list[Trial]] = defaultdict(list)
    for trial in rows:
        groups[f"{trial.age:g} h"].append(trial)
    for trial in rows:
        if trial.age >= 6:
            groups[f"from 6 h: {trial.options}"].append(trial)
            groups["from 6 h: all"].append(trial)
    for name, group in groups.items():
        told = [trial for trial in group if trial.low is not None]
        inside = sum(trial.inside for trial in told) / (len(told) or 1)
        width = statistics.median([(t.high or 0) - (t.low or 0) for t in told] or [0])
        errors = (
            _median_error(told),
            _median_error([trial for trial in told if trial.came >= MANY]),
            _median_error([trial for trial in told if MANY <= trial.came <= 20]),
            _median_error([trial for trial in told if trial.came > 20]),
        )
        yield (
            f"| {name} | {len(group)} | {len(group) - len(told)} | {inside:.1%} | {width:g} | "
            + " | ".join(errors)
            + " |"
        )


def _median_error(rows: Sequence[Trial]) -> str:
    return f"{statistics.median(trial.error for trial in rows):.0%}" if rows else "–"


def main() -> None:
    """Replay, print and write the figures."""
    parser = argparse.ArgumentParser(description="forecasts against what came")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of recorded news")
    parser.add_argument("--ages", default="0.5,2,6,24,72", help="hours, with commas")
    parser.add_argument("--every", type=float, default=12, help="hours between two starts")
    parser.add_argument("--starts", type=int, default=8, help="how many")
    parser.add_argument("--queries", type=int, default=len(QUERIES), help="how many")
    options = parse(parser, {"ages": "2,24", "starts": 1, "queries": 3})
    path = options.data / STREAM
    if options.size != "small" and not path.exists():
        print(f"{path} is absent: skipped")
        return
    queries = QUERIES[:: -(-len(QUERIES) // options.queries)]
    if options.size == "small":
        queries = ("*", "harbour", "mill AND tram")
    items = invented() if options.size == "small" else read(path)
    outlets = sorted({item.outlet for item in items})
    wishes = [
        (name, Wish(query, wish.options, wish.grouping, wish.feeds))
        for query in queries
        for name, wish in option_sets(outlets).items()
    ]
    ages = [float(age) for age in options.ages.split(",")]
    first = items[0].seen.replace(minute=0) + HOUR
    rows: list[Trial] = []
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.starts):
            start = first + number * options.every * HOUR
            rows += asyncio.run(trials(Path(folder), items, wishes, start, ages))
    print("\n".join(table(rows)), flush=True)
    print(f"\n{len(rows)} forecasts, {time.perf_counter() - began:.0f} s")
    write_record(options, [_figures(trial) for trial in rows])


def _figures(trial: Trial) -> dict[str, Any]:
    return {
        "age": trial.age,
        "query": trial.wish.query,
        "options": trial.options,
        "low": trial.low,
        "middle": trial.middle,
        "high": trial.high,
        "came": trial.came,
        "notes": trial.notes,
    }


if __name__ == "__main__":
    main()
