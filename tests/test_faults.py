"""Thousands of alerts to hundreds of chats while everything fails that can fail: none is lost, none comes a third time, order holds.

`NEWSBELL_SENDS=10000` for the long run, which takes some two minutes.
"""

import asyncio
import os
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from botapi import BotApi, DropAfter, DropBefore, Fault, NotJson, Refuse, ServerError, TooManyRequests
from botapi.faults import FaultPlan
from corridor import Place, telegram_config
from support import NOON, Recorder, newsbell

from bot.app import App
from bot.model.chats import AlertIntent
from bot.model.entries import EntryKeys, Match, NewEntry, PlacedEntry
from bot.model.feeds import FeedState
from bot.model.stories import Place as Stories
from bot.model.stories import Placement
from bot.ports import FeedCommit

SENDS = int(os.environ.get("NEWSBELL_SENDS", "2000"))
STORIES = 400  #: between two turns of the weather
PRIVATE, GROUPS, FORUMS, TOPICS = 120, 40, 10, 4
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
REFUSAL = Refuse(400, "Bad Request: can't parse entities: something")
UNDECIDABLE = (DropBefore(), DropAfter(), ServerError(502), ServerError(504, processed=True), NotJson(), NotJson(processed=True))
HARMLESS = (TooManyRequests(1), TooManyRequests(4), TooManyRequests(7, with_parameters=False), ServerError(500, html=False))


class Leaping:
    """A clock that stands while something is on its way and leaps to the next moment when nothing is."""

    def __init__(self) -> None:
        self._now = NOON
        self.busy: Callable[[], bool] = lambda: False

    def now(self) -> datetime:
        return self._now

    async def sleep(self, span: timedelta) -> None:
        if self.busy():
            await asyncio.Event().wait()
        self._now += span


@dataclass
class Weather(FaultPlan):
    """Faults by chance; one seed, one weather."""

    chance: Random = field(default_factory=lambda: Random(5))
    met: Counter[str] = field(default_factory=Counter)
    undecidable: int = 0
    _again: set[object] = field(default_factory=set)
    fine: bool = False

    def take(self, method: str, chat_id: object) -> Fault | None:
        if self.fine or method != "sendMessage":
            return None
        fault = self._draw(chat_id)
        if fault:
            self.met[repr(fault)] += 1
            self.undecidable += fault in UNDECIDABLE
        return fault

    def _draw(self, chat_id: object) -> Fault | None:
        if chat_id in self._again:
            self._again.discard(chat_id)
            return REFUSAL
        drawn = self.chance.random()
        if drawn < 0.05:
            return self.chance.choice(UNDECIDABLE)
        if drawn < 0.10:
            return self.chance.choice(HARMLESS)
        if drawn < 0.102:
            return TooManyRequests(self.chance.choice([60, 600, 10072]))
        if drawn < 0.106:
            if drawn < 0.104:
                self._again.add(chat_id)
            return REFUSAL
        return None


@dataclass
class World:
    """The chats, and what befalls them."""

    api: BotApi
    chance: Random
    places: dict[str, Place] = field(default_factory=dict)
    moved: dict[int, int] = field(default_factory=dict)
    out: set[int] = field(default_factory=set)

    def fill(self) -> None:
        for number in range(PRIVATE):
            self.api.add_private(1000 + number)
            self.places[f"p{number}"] = 1000 + number
        for number in range(GROUPS):
            self.api.add_group(-1000 - number, members={1000: "creator"})
            self.places[f"g{number}"] = -1000 - number
        for forum in range(FORUMS):
            self.api.add_supergroup(-9000 - forum, members={1000: "creator"}, forum=True)
            for topic in range(TOPICS):
                self.api.add_topic(-9000 - forum, 50 + topic)
                self.places[f"t{forum}-{topic}"] = (-9000 - forum, 50 + topic)

    def befall(self) -> None:
        """Some chats close, some open, some move."""
        for user in self.chance.sample(range(1000, 1000 + PRIVATE), 4):
            self._turn(user, self.api.block, self.api.unblock)
        for group in self.chance.sample(range(-1000 - GROUPS + 1, -999), 3):
            if group in self.moved:
                continue
            if group not in self.out and self.chance.random() < 0.5:
                self.moved[group] = group - 100_000
                self.api.migrate(group, self.moved[group])
            else:
                self._turn(group, self.api.kick, self.api.invite)
        for forum in self.chance.sample(range(FORUMS), 2):
            topic = self.api.chats[-9000 - forum].topics[50 + self.chance.randrange(TOPICS)]
            topic.closed = not topic.closed

    def clear_up(self) -> None:
        """All but a few open again."""
        for chat in sorted(self.out)[3:]:
            self._turn(chat, self.api.block, self.api.unblock if chat > 0 else self.api.invite)
        for forum in range(FORUMS):
            for topic in self.api.chats[-9000 - forum].topics.values():
                topic.closed = False

    def _turn(self, chat: int, close: Callable[[int], None], open_again: Callable[[int], None]) -> None:
        (open_again if chat in self.out else close)(chat)
        self.out ^= {chat}

    def messages(self, name: str) -> Iterator[str]:
        """What the bot wrote there, in order, before and after a move."""
        place = self.places[name]
        address, topic = place if isinstance(place, tuple) else (place, None)
        for chat in (address, self.moved.get(address)):
            if chat is not None:
                yield from (message.text for message in self.api.messages(chat, topic))


def sends(api: BotApi) -> int:
    """How often a message was to be sent."""
    return sum(call.method == "sendMessage" for call in api.calls)


async def ring(made: App, chats: dict[str, int], stories: list[tuple[int, str]]) -> None:
    """Commit these stories, each for one chat, as ingest would."""
    now = made.clock.now()
    names = list(chats)
    new, alerts = [], []
    for number, name in stories:
        key = number.to_bytes(16, "big")
        title = f"Story {number:06}"
        link = f"https://news.example/{number}"
        entry = NewEntry(number, 1, EntryKeys(key, key, key), str(number), link, title, "", "", "", now, None, now)
        new.append(PlacedEntry(entry, Placement(number, Stories(number, number, number)), "house", "house"))
        alerts.append(AlertIntent(chats[name], number, number, (Match(1 + names.index(name)),)))
    state = FeedState(next_poll_at=now + 1000 * DAY, baseline_at=now)
    await made.store.ingest.commit([FeedCommit(1, state, new=tuple(new), alerts=tuple(alerts))], now)


async def chat_ids(made: App, places: dict[str, Place]) -> dict[str, int]:
    found = {}
    for name, place in places.items():
        chat = await made.store.people.chat_at(*(place if isinstance(place, tuple) else (place, 0)))
        assert chat is not None
        found[name] = chat.id
    return found


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
async def test_through_all_faults_none_is_lost_none_comes_a_third_time_and_order_holds(tmp_path: Path, seed: int) -> None:
    clock, chance = Leaping(), Random(seed)
    story_of: dict[int, str] = {}
    async with BotApi(clock=lambda: clock.now().timestamp()) as api:
        world = World(api, chance)
        world.fill()
        api.enforce_limits = True
        weather = Weather(chance=Random(seed))
        api._faults = weather
        config = telegram_config(api, world.places)
        async with newsbell(tmp_path, config, clock=clock, terminal=Recorder(), environment={"TELEGRAM_BOT_TOKEN": api.token}) as made:
            clock.busy = lambda: bool(made.deliver._busy)
            chats = await chat_ids(made, world.places)
            names = list(chats)
            while sends(api) < SENDS:
                stories = [(len(story_of) + number, chance.choice(names)) for number in range(1, STORIES + 1)]
                story_of.update(stories)
                await ring(made, chats, stories)
                await made.deliver.run_once(MINUTE)
                world.befall()
                if api.updates.pending:
                    await made._listener._take()  # type: ignore[union-attr]
                await made.deliver.run_once(10 * MINUTE)
            weather.fine = True
            world.clear_up()
            await made._listener._take()  # type: ignore[union-attr]
            await made.deliver.run_once(3 * DAY)

        shown = {name: list(world.messages(name)) for name in names}
        closed = {name for name in names if world.places[name] in world.out}
        violations = api.violations
    judge(tmp_path, story_of, shown, closed, weather)
    assert violations == []


def judge(folder: Path, story_of: dict[int, str], shown: dict[str, list[str]], closed: set[str], weather: Weather) -> None:
    """Hold what arrived against what was to arrive."""
    arrived: dict[int, list[bool]] = {}  # story to its copies: is each marked?
    for name, messages in shown.items():
        last = 0
        for text in messages:
            repeat = text.startswith("(repeat) ")
            for number in map(int, re.findall(r"Story (\d{6})", text)):
                assert story_of[number] == name
                first = number not in arrived
                assert not first or number > last, f"{name}: {number} came after {last}"
                last = max(last, number)
                arrived.setdefault(number, []).append(repeat)
    listed, waiting = kept(folder)
    lost = set(story_of) - set(arrived) - listed - waiting
    assert lost == set()
    assert {story_of[number] for number in waiting} <= closed, "only closed chats have something waiting"
    assert [number for number, copies in arrived.items() if len(copies) > 2] == []
    assert [number for number, copies in arrived.items() if copies not in ([False], [True], [False, True])] == [], "the second is marked"
    repeats = sum(text.startswith("(repeat) ") for messages in shown.values() for text in messages)
    assert 0 < repeats <= weather.undecidable, "one repeat at most for each send that was in doubt"
    assert len(listed) < len(story_of) / 50
    assert len(arrived) > len(story_of) * 0.9
    assert len(weather.met) >= 10, "all weathers were met"


def kept(folder: Path) -> tuple[set[int], set[int]]:
    """Stories that `outbox list` would name as dead or undecided, and those that wait."""
    connection = sqlite3.connect(folder / "newsbell.db")
    try:
        rows = connection.execute("select state, story_id from outbox join outbox_alerts on outbox_id = id").fetchall()
    finally:
        connection.close()
    assert {state for state, _ in rows} <= {"queued", "sent", "dead", "unknown", "merged"}
    return {story for state, story in rows if state in {"dead", "unknown"}}, {story for state, story in rows if state == "queued"}
