"""Recorded windows of news served as feeds, end to end, with faults and kills.

Alerts are few, no entry is without its message, edits keep to their budget. A run takes every
window in fair weather and another one in foul weather each day; `SOAK=1` takes all.
"""

import csv
import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path
from random import Random

import pytest
from aiohttp import web
from botapi import BotApi
from crash_driver import TOKEN
from fault_injection import FaultInjector, Leaping
from sampling import SEED, amount, share
from support import FeedServer, Recorder, item, newsbell, poll, rss
from telegram_harness import first_line
from test_crash import drive

from bot.store.outbox import EDIT_GAP

pytestmark = pytest.mark.slow

KILLS = amount(usual=8, soak=200)
HOUR = timedelta(hours=1)
STEP = timedelta(minutes=20)
WINDOWS = ("kagi_2026-02-17", "lede_2026-08-16")
PRIVATE, GROUP = 701, -702


@dataclass(frozen=True)
class PrintedArticle:
    """An item of a window."""

    number: str
    source: str
    at: datetime
    title: str
    text: str
    link: str

    @property
    def rss(self) -> str:
        return item(self.number, self.title, text=self.text, link=self.link, at=self.at)


def window(shared: Path, name: str) -> list[PrintedArticle]:
    """The items of a window in order of time."""
    with (shared / "handlabelled_2026" / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    articles = [
        PrintedArticle(
            row["id"],
            row["source"],
            datetime.fromisoformat(row["published"]),
            row["title"],
            row["summary"],
            row["url"],
        )
        for row in rows
    ]
    return sorted(articles, key=lambda article: (article.at, article.number))


def configured(api: BotApi, feeds: Mapping[str, str]) -> str:
    return json.dumps(
        {
            "settings": {"network": {"allow": ["127.0.0.0/8"]}, "telegram": {"api": api.url}},
            "chats": {"desk": {"telegram": PRIVATE}, "group": {"telegram": GROUP}},
            "feeds": [
                {"url": url, "name": source, "publisher": source} for source, url in feeds.items()
            ],
            "subscriptions": [{"name": "All", "query": "*", "to": ["desk", "group"]}],
        }
    )


def judge(path: Path, api: BotApi, printed: list[PrintedArticle]) -> dict[str, float]:
    """Every item is stored, and its story has one alert in each chat; return figures of the run."""
    with closing(sqlite3.connect(path)) as db:
        stored = Counter(guid for (guid,) in db.execute("select guid from entries"))
        stories: dict[int, list[int]] = {}
        for number, story in db.execute(
            "select id, story_id from entries where silent in ('', 'flood') order by id"
        ):
            stories.setdefault(story, []).append(number)
        alerts = db.execute(
            "select c.address, coalesce(merged_into, a.story_id), merged_into is not null, "
            "message_id from alerts a join chats c on c.id = a.chat_id "
            "join entries e on e.id = a.entry_id where note_of is null"
        ).fetchall()
        notes = db.execute(
            "select c.address, a.message_id from alerts a join chats c on c.id = a.chat_id "
            "where note_of is not null"
        ).fetchall()
        undecided = {
            story
            for (story,) in db.execute(
                "select coalesce(merged_into, story_id) from outbox "
                "join outbox_alerts on outbox_id = id join alerts using (chat_id, story_id) "
                "where state in ('unknown', 'dead')"
            )
        }
        waiting = db.execute(
            "select count(*) from outbox where state in ('queued', 'sending')"
        ).fetchone()[0]
        assert db.execute("pragma foreign_key_check").fetchall() == []
    assert waiting == 0
    assert {article.number for article in printed if stored[article.number] != 1} == set()
    for chat in (PRIVATE, GROUP):
        alerted = Counter(story for address, story, _, _ in alerts if address == chat)
        assert {story for story in stories if not alerted[story]} == set(), (
            "a story without an alert"
        )
        texts = {message.message_id: message.text for message in api.messages(chat)}
        lost = [
            story
            for address, story, _, message in alerts
            if address == chat and message not in texts
        ]
        assert set(lost) <= undecided
        told = [message for address, message in notes if address == chat]
        assert len([message for message in told if message not in texts]) <= len(undecided)
        for address, story, superseded, message in alerts:
            if (
                address != chat or superseded or message not in texts
            ):  # a superseded alert shows in the message that took it in
                continue
            members, text = stories[story], texts[message]
            if len(members) > 1 and " stories" not in text.partition("\n")[0]:
                assert "publisher" in text, (story, text)
                assert (f"and {len(members) - 9} more" in text) == (len(members) > 9), (
                    story,
                    len(members),
                    text,
                )
    assert notes, "no development in a window"
    alert_count = sum(address == PRIVATE for address, _, _, _ in alerts)
    return {
        "entries": len(printed),
        "stories": len(stories),
        "alerts": alert_count,
        "notes": sum(address == PRIVATE for address, _ in notes),
        "undecided": len(undecided),
    }


def edits_in_budget(api: BotApi) -> None:
    """No message is changed twice within a minute."""
    at: dict[tuple[object, object], list[float]] = {}
    for call in api.calls:
        if call.method == "editMessageText":
            at.setdefault((call.params["chat_id"], call.params["message_id"]), []).append(call.time)
    gap = EDIT_GAP.total_seconds()
    assert [
        times
        for times in at.values()
        if any(later - earlier < gap - 0.01 for earlier, later in pairwise(times))
    ] == []


#: One of both windows goes well a day, and the other is rough.
REPLAYS = [(WINDOWS[0], False), (WINDOWS[1], False), (WINDOWS[1], True), (WINDOWS[0], True)]


@pytest.mark.parametrize(("name", "rough"), share(REPLAYS, 2))
async def test_each_entry_of_a_window_is_in_one_message_and_messages_are_few(
    shared: Path, tmp_path: Path, server: FeedServer, name: str, *, rough: bool
) -> None:
    """`rough`: Telegram fails by chance, and newsbell is started anew every few hours."""
    printed = window(shared, name)
    sources = sorted({article.source for article in printed})
    feeds = {source: server.url(f"/{number}.xml") for number, source in enumerate(sources)}
    shown: dict[str, list[str]] = {
        source: [item("old", f"Before it all, at {source}", at=printed[0].at - 90 * 24 * HOUR)]
        for source in sources
    }
    clock = Leaping()
    clock._now = printed[0].at - HOUR
    left = list(printed)

    def publish() -> None:
        while left and left[0].at <= clock.now():
            shown[left[0].source].insert(0, left.pop(0).rss)
        for number, source in enumerate(sources):
            server.put(f"/{number}.xml", rss(*shown[source][:200], title=source))

    async with BotApi(token=TOKEN, clock=lambda: clock.now().timestamp()) as api:
        api.add_private(PRIVATE)
        api.add_group(GROUP)
        api.enforce_limits = True
        faults = FaultInjector(chance=Random(SEED))
        faults.fine = not rough
        api._faults = faults
        text = configured(api, feeds)
        publish()
        last = printed[-1].at + 2 * HOUR
        while clock.now() < last:
            until = min(last, clock.now() + 6 * HOUR) if rough else last
            environment = {"TELEGRAM_BOT_TOKEN": TOKEN}
            async with newsbell(
                tmp_path, text, clock=clock, terminal=Recorder(), environment=environment
            ) as app:
                clock.watch(app)
                while clock.now() < until:
                    publish()
                    await poll(app)
                    await app.deliverer.run_once(STEP)
                    clock._now += STEP
                if until == last:
                    faults.fine = True
                    await app.deliverer.run_once(72 * HOUR)
        figures = judge(tmp_path / "newsbell.db", api, printed)
        if not rough:
            assert api.violations == []
        edits_in_budget(api)
        assert figures["alerts"] <= len(printed)
        print(name, "rough" if rough else "fine", figures)  # noqa: T201 (for the reader)


async def test_after_kills_at_random_each_story_of_a_window_is_alerted_once(
    shared: Path, tmp_path: Path, server: FeedServer
) -> None:
    printed = window(shared, WINDOWS[0])
    sources = sorted({article.source for article in printed})
    shown: dict[str, list[str]] = {source: [] for source in sources}
    asked: Counter[str] = Counter()
    left = iter(printed)
    stop = tmp_path / "stop"
    released: list[PrintedArticle] = []

    def answer(source: str) -> str:
        asked[source] += 1
        if all(asked[name] for name in sources):  # every feed was looked at before anything comes
            for article in list(left) if stop.exists() else list(islice(left, 2)):
                released.append(article)
                shown[article.source].insert(
                    0,
                    item(
                        article.number, article.title, text=article.text, link=article.link, at=None
                    ),
                )
        return rss(
            *shown[source], item("old", f"Before it all, at {source}", at=None), title=source
        )

    async with BotApi(token=TOKEN) as api:
        api.add_private(PRIVATE)
        api.add_group(GROUP)
        for number, source in enumerate(sources):

            async def feed(request: web.Request, source: str = source) -> web.StreamResponse:
                return web.Response(text=answer(source), content_type="application/rss+xml")

            server.handle(f"/{number}.xml", feed)
        given = {
            "what": "random",
            "feeds": [server.url(f"/{number}.xml") for number in range(len(sources))],
            "api": api.url,
            "chats": [PRIVATE, GROUP],
            "kills": KILLS,
            "seed": SEED,
            "stop": str(stop),
            "query": "*",
        }
        result = await drive(tmp_path, given)
        assert (result["again"], result["killed"]) == (0, KILLS)
        figures = judge(tmp_path / "load" / "newsbell.db", api, released)
        with closing(sqlite3.connect(tmp_path / "load" / "newsbell.db")) as db:
            single = {
                title
                for title, count in db.execute("select title, count(*) from entries group by title")
                if count == 1
            }
        alerted = Counter(first_line(message) for message in api.messages(PRIVATE))
        assert [title for title in single if alerted[title] > 1] == [], "an unmarked repeat"
    print(KILLS, "kills:", figures)  # noqa: T201 (for the reader)
