"""Hundreds of chats and faults for the sends to them, for the fault test and the soak of `bench`.

Not assertions, except `judge`. The clock leaps, so that an hour of pacing takes seconds; the
sockets, the endpoint and the database are real.
"""

import asyncio
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from botapi import (
    BotApi,
    DropAfter,
    DropBefore,
    Fault,
    NotJson,
    Refuse,
    ServerError,
    TooManyRequests,
)
from botapi.faults import FaultPlan
from support import NOON
from telegram_harness import Address

from bot.model.alerts import AlertIntent, Priority
from bot.model.entries import EntryKeys, Match, NewEntry, PlacedEntry
from bot.model.feeds import FeedState
from bot.model.poll import FeedCommit
from bot.model.stories import Placement
from bot.model.stories import StoryIds as Stories
from bot.service.app import App

DAY = timedelta(days=1)
REFUSAL = Refuse(400, "Bad Request: can't parse entities: something")
UNDECIDABLE = (
    DropBefore(),
    DropAfter(),
    ServerError(502),
    ServerError(504, processed=True),
    NotJson(),
    NotJson(processed=True),
)
HARMLESS = (
    TooManyRequests(1),
    TooManyRequests(4),
    TooManyRequests(7, with_parameters=False),
    ServerError(500, html=False),
)


class Leaping:
    """A clock that stands while newsbell sends, and otherwise leaps to the next moment."""

    def __init__(self) -> None:
        self._now = NOON
        self.busy: Callable[[], bool] = lambda: False

    def watch(self, app: App) -> None:
        """Stand still while this newsbell sends."""
        self.busy = lambda: app.deliverer.is_busy

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._now.timestamp()

    async def sleep(self, span: timedelta) -> None:
        if self.busy():
            await asyncio.Event().wait()
        self._now += span


@dataclass
class FaultInjector(FaultPlan):
    """Faults by chance; a seed gives the same ones."""

    chance: Random = field(default_factory=lambda: Random(5))
    met: Counter[str] = field(default_factory=Counter)
    undecidable: Counter[object] = field(
        default_factory=Counter
    )  #: by the Telegram chat that was written to
    _again: set[object] = field(default_factory=set)
    fine: bool = False

    def take(self, method: str, chat_id: object) -> Fault | None:
        if self.fine or method != "sendMessage":
            return None
        fault = self._draw(chat_id)
        if fault:
            self.met[repr(fault)] += 1
            self.undecidable[chat_id] += fault in UNDECIDABLE
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
    """The chats, and how they close, open and move."""

    api: BotApi
    chance: Random
    privates: int = 120
    groups: int = 40
    forums: int = 10
    topics: int = 4  #: of each forum
    places: dict[str, Address] = field(default_factory=dict)
    moved: dict[int, int] = field(default_factory=dict)
    out: set[int] = field(default_factory=set)

    def fill(self) -> None:
        for number in range(self.privates):
            self.api.add_private(1000 + number)
            self.places[f"p{number}"] = 1000 + number
        for number in range(self.groups):
            self.api.add_group(-1000 - number, members={1000: "creator"})
            self.places[f"g{number}"] = -1000 - number
        for forum in range(self.forums):
            self.api.add_supergroup(-9000 - forum, members={1000: "creator"}, forum=True)
            for topic in range(self.topics):
                self.api.add_topic(-9000 - forum, 50 + topic)
                self.places[f"t{forum}-{topic}"] = (-9000 - forum, 50 + topic)

    def change_chats(self) -> None:
        """Some chats close, some open, some move."""
        for user in self.chance.sample(range(1000, 1000 + self.privates), 4):
            self._turn(user, self.api.block, self.api.unblock)
        for group in self.chance.sample(range(-1000 - self.groups + 1, -999), 3):
            if group in self.moved:
                continue
            if group not in self.out and self.chance.random() < 0.5:
                self.moved[group] = group - 100_000
                self.api.migrate(group, self.moved[group])
            else:
                self._turn(group, self.api.kick, self.api.invite)
        for forum in self.chance.sample(range(self.forums), 2):
            topic = self.api.chats[-9000 - forum].topics[50 + self.chance.randrange(self.topics)]
            topic.closed = not topic.closed

    def clear_up(self) -> None:
        """All but a few open again."""
        for chat in sorted(self.out)[3:]:
            self._turn(chat, self.api.block, self.api.unblock if chat > 0 else self.api.invite)
        for forum in range(self.forums):
            for topic in self.api.chats[-9000 - forum].topics.values():
                topic.closed = False

    @property
    def closed(self) -> set[str]:
        """The names of the chats that take nothing."""
        return {name for name, place in self.places.items() if place in self.out}

    def messages(self, name: str) -> Iterator[str]:
        """What the bot wrote there, in order, before and after a move."""
        place = self.places[name]
        topic = place[1] if isinstance(place, tuple) else None
        for chat in self.addresses(name):
            yield from (message.text for message in self.api.messages(chat, topic))

    def addresses(self, name: str) -> list[int]:
        """The Telegram chat of this name, and that to which it moved."""
        place = self.places[name]
        address = place[0] if isinstance(place, tuple) else place
        return [address, *([self.moved[address]] if address in self.moved else [])]

    def _turn(
        self, chat: int, close: Callable[[int], None], open_again: Callable[[int], None]
    ) -> None:
        (open_again if chat in self.out else close)(chat)
        self.out ^= {chat}


async def commit_alerts(
    app: App,
    chats: dict[str, int],
    stories: list[tuple[int, str]],
    priority: Priority = Priority.NORMAL,
) -> None:
    """Commit these stories, each for one chat, as the poller would."""
    now = app.clock.now()
    place_of = {name: 1 + number for number, name in enumerate(chats)}
    new, alerts = [], []
    for number, name in stories:
        key = number.to_bytes(16, "big")
        title = f"Story {number:06}"
        link = f"https://news.example/{number}"
        entry = NewEntry(
            number,
            1,
            EntryKeys(key, key, key),
            str(number),
            link,
            title,
            "",
            "",
            "",
            now,
            None,
            now,
        )
        new.append(
            PlacedEntry(
                entry, Placement(number, Stories(number, number, number)), "publisher", "publisher"
            )
        )
        alerts.append(
            AlertIntent(chats[name], number, number, (Match(place_of[name]),), priority=priority)
        )
    state = FeedState(next_poll_at=now + 1000 * DAY, baseline_at=now)
    await app.store.polls.commit([FeedCommit(1, state, new=tuple(new), alerts=tuple(alerts))], now)


async def chat_ids(app: App, places: dict[str, Address]) -> dict[str, int]:
    """The store's chat of each name."""
    ids = {}
    for name, place in places.items():
        chat = await app.store.chats.chat_at(*(place if isinstance(place, tuple) else (place, 0)))
        assert chat is not None
        ids[name] = chat.id
    return ids


async def poll_updates(app: App, api: BotApi) -> None:
    """Let the bot take all updates about its chats."""
    while api.updates.pending:
        await app.listener.poll_once()  # type: ignore[union-attr]
        taken = await app.store.chats.last_update()
        api.updates._confirm(taken + 1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the stories that were alerted."""

    arrived: int
    repeats: int
    copies: int  #: stories that came more than once
    listed: int  #: stories that `outbox list` names as dead or undecided
    waiting: int  #: stories that wait in closed chats


def judge(folder: Path, world: World, faults: FaultInjector, story_of: dict[int, str]) -> Outcome:
    """Compare what arrived with what was sent."""
    arrived: dict[int, list[bool]] = {}  # story to its copies: is each marked?
    repeats: Counter[str] = Counter()
    for name in world.places:
        last = 0
        for text in world.messages(name):
            repeat = text.startswith("(repeat) ")
            repeats[name] += repeat
            for number in map(int, re.findall(r"Story (\d{6})", text)):
                assert story_of[number] == name
                first = number not in arrived
                assert not first or number > last, f"{name}: {number} came after {last}"
                last = max(last, number)
                arrived.setdefault(number, []).append(repeat)
    listed, waiting = pending_stories(folder)
    lost = set(story_of) - set(arrived) - listed - waiting
    assert lost == set()
    assert {story_of[number] for number in waiting} <= world.closed, (
        "only closed chats have something waiting"
    )
    unmarked = [number for number, copies in arrived.items() if not all(copies[1:])]
    assert unmarked == [], "every copy but the first is marked"
    _repeats_were_in_doubt(world, faults, repeats)
    assert len(listed) < len(story_of) / 50
    assert len(arrived) > len(story_of) * 0.9
    twice = sum(len(copies) > 1 for copies in arrived.values())
    return Outcome(len(arrived), repeats.total(), twice, len(listed), len(waiting))


def _repeats_were_in_doubt(world: World, faults: FaultInjector, repeats: Counter[str]) -> None:
    """One repeat at most for each send that was in doubt, chat by chat; topics share theirs."""
    marked: Counter[int] = Counter()
    for name, count in repeats.items():
        marked[world.addresses(name)[0]] += count
    became = {new: old for old, new in world.moved.items()}
    doubted: Counter[object] = Counter()
    for chat, count in faults.undecidable.items():
        doubted[became.get(chat, chat)] += count  # type: ignore[call-overload]  # or a name
    assert {chat: count for chat, count in marked.items() if count > doubted[chat]} == {}
    assert repeats.total() > 0


def pending_stories(folder: Path) -> tuple[set[int], set[int]]:
    """Stories that `outbox list` would name as dead or undecided, and those that wait."""
    connection = sqlite3.connect(folder / "newsbell.db")
    try:
        rows = connection.execute(
            "select state, story_id from outbox join outbox_alerts on outbox_id = id"
        ).fetchall()
    finally:
        connection.close()
    assert {state for state, _ in rows} <= {"queued", "sent", "dead", "unknown", "merged"}
    return {story for state, story in rows if state in {"dead", "unknown"}}, {
        story for state, story in rows if state == "queued"
    }
