"""Real feeds, replayed: what newsbell makes of documents that publishers served, entry by entry."""

import csv
import gzip
import json
import re
import sqlite3
import tarfile
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from botapi import BotApi
from sampling import SEED, SOAK
from support import FeedServer, ManualClock, Recorder, newsbell, poll, query

from bot.model.chats import Subscription
from bot.model.delivery import DeliveryKind
from bot.model.entries import Article
from bot.parse.blocks import prune, scan
from bot.parse.read import read_document
from bot.query.index import Index
from bot.service.clock import FastClock

pytestmark = pytest.mark.slow

TOKEN = "123456:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr"
NOW = datetime(2026, 2, 18, 4, 0, tzinfo=UTC)


def documents(archive: Path) -> dict[str, bytes]:
    """File name to content of a tar archive, in order of names."""
    with tarfile.open(archive) as tar:
        files = [member for member in tar.getmembers() if member.isfile()]
        found = {member.name.rpartition("/")[2]: tar.extractfile(member) for member in files}
        return {name: file.read() for name, file in sorted(found.items()) if file}


def taken_at(name: str) -> datetime:
    """When a snapshot was taken, by the name of its file."""
    return datetime.strptime(name, "%Y-%m-%dT%H%M%SZ.xml").replace(tzinfo=UTC)


def everything(names: list[str]) -> list[dict[str, object]]:
    """Subscriptions that match any entry with a common word of the news in the set's languages."""
    words = (
        "the a in of to and for with on at as is s de la el en y o i it an by from after "
        "over how what who why new his her he she says say "
        "trump us u will be are was has have not no can its that this their up out more one "
        "two i'm we you your my"
    )
    return [
        {
            "name": "Everything",
            "query": " OR ".join(f'"{word}"' for word in dict.fromkeys(words.split())),
            "to": names,
        }
    ]


async def test_each_entry_that_26_real_feeds_release_reaches_each_chat_exactly_once(
    shared: Path, tmp_path: Path, server: FeedServer
) -> None:
    """A baseline, then replays that release what was held back, to a terminal and to Telegram."""
    feeds = documents(shared / "real_feeds_kagi200" / "news.tar.xz")
    chance = Random(20260218)
    held: dict[str, list[int]] = {}
    for name, body in feeds.items():
        many = len(scan(body))
        held[name] = sorted(chance.sample(range(many), min(8, many // 2)))
    terminal, clock = Recorder(), FastClock(600)
    config = {
        "settings": {"network": {"allow": ["127.0.0.0/8"]}},
        "chats": {"here": {"terminal": True}, "desk": {"telegram": 77}, "group": {"telegram": -5}},
        "feeds": [{"url": server.url(f"/{name}"), "name": name} for name in feeds],
        "subscriptions": everything(["here", "desk", "group"]),
    }

    def publish(released: int) -> None:
        for name, body in feeds.items():
            blocks = scan(body)
            back = set(held[name][released:])
            kept = frozenset(range(len(blocks))) - back
            server.put(
                f"/{name}", prune(body, blocks, kept), headers={"ETag": f'"{name}{released}"'}
            )

    async with BotApi(token=TOKEN) as api:
        api.add_private(77)
        api.add_group(-5)
        config["settings"] = {"network": {"allow": ["127.0.0.0/8"]}, "telegram": {"api": api.url}}
        environment = {"TELEGRAM_BOT_TOKEN": TOKEN}
        async with newsbell(
            tmp_path, json.dumps(config), clock=clock, terminal=terminal, environment=environment
        ) as app:
            publish(0)
            await poll(app)
            assert terminal.titles() == []
            for released in range(1, 9):
                publish(released)
                await poll(app)
            await poll(app)
            await app.deliverer.run_once(timedelta(days=1))
            failed = [
                feed.name for feed in (await app.store.admin.status()).feeds if feed.state.failures
            ]
        private = [message.text for message in api.messages(77)]
        group = [message.text for message in api.messages(-5)]

    expected = _expected(feeds, held)
    headlines = _headlines(tmp_path / "newsbell.db")
    alerted = Counter(terminal.titles())
    assert failed == []
    assert len(expected) > 100
    alerts = _alerts(tmp_path / "newsbell.db", notes=False)
    notes = _alerts(tmp_path / "newsbell.db", notes=True)
    told = {title: sum(alerted[each] for each in headlines[title]) for title in expected}
    assert {
        title: count
        for title, count in told.items()
        if not 0 <= count - alerts["here", title] <= notes["here", title]
    } == {}
    assert sum(alerts["here", title] > 1 for title in expected) < len(expected) / 10, (
        "few merge later"
    )
    assert set(alerted) - set(expected) == set(), "only what was released is alerted"
    for name, texts in (("desk", private), ("group", group)):
        copies = {
            title: sum(_shows(text, headline) for headline in headlines[title] for text in texts)
            for title in expected
        }
        wrong = {
            title: count
            for title, count in copies.items()
            if not 0 <= count - alerts[name, title] <= notes[name, title]
        }
        assert wrong == {}


def _alerts(path: Path, *, notes: bool) -> Counter[tuple[str, str]]:
    """Return for each chat and headline how many alerts, or notes, its story has.

    Of alerts that were merged later, all stay.
    """
    with closing(sqlite3.connect(path)) as db:
        counts: Counter[tuple[str, str]] = Counter()
        for name, title, count in db.execute(
            "select c.name, e.title, count(*) from entries e "
            "join alerts a on coalesce(a.note_of, a.merged_into, a.story_id) = e.story_id "
            "join chats c on c.id = a.chat_id "
            "where (a.note_of is not null) = ? group by c.id, e.id",
            [notes],
        ):
            counts[name, title] = count
        return counts


def _headlines(path: Path) -> dict[str, set[str]]:
    """Return for each headline those of all entries of its story, which messages may show."""
    with closing(sqlite3.connect(path)) as db:
        stories: dict[int, set[str]] = {}
        for story, title in db.execute("select story_id, title from entries"):
            stories.setdefault(story, set()).add(title)
        return {
            title: stories[story]
            for story, title in db.execute("select story_id, title from entries")
        }


def _shows(text: str, title: str) -> bool:
    """Whether a message has this headline; zero-width characters keep names from becoming links."""
    plain = text.replace("\u200c", "").replace("\u2068", "").replace("\u2069", "")
    return any(
        line.removeprefix("• ").removeprefix("\u2022 ") == title for line in plain.split("\n")
    )


def _expected(feeds: dict[str, bytes], held: dict[str, list[int]]) -> list[str]:
    """Return the headlines held back that match and whose link no entry of the baseline has."""
    subscription = everything(["x"])[0]
    index = Index({})
    index.set(Subscription(1, "Everything", str(subscription["query"]), (), (1,)))
    known_links: set[bytes] = set()
    released = []
    for name, body in feeds.items():
        document = read_document(body, "", f"http://x.example/{name}", frozenset(), NOW)
        back = {block.hash for position, block in enumerate(scan(body)) if position in held[name]}
        back -= {
            block.hash for position, block in enumerate(scan(body)) if position not in held[name]
        }  # some feeds repeat an item
        for entry in document.entries:  # type: ignore[union-attr]
            if entry.block in back:
                released.append(entry)
            else:
                known_links.add(entry.keys.link)
    expected: dict[bytes, str] = {}
    for entry in released:
        if entry.keys.link not in known_links and index.match(
            Article(entry.title, entry.summary, entry.language)
        ):
            expected.setdefault(entry.keys.link or entry.keys.guid, entry.title)
    return list(expected.values())


async def test_the_bbc_history_yields_each_new_guid_once_and_its_new_headlines_send_no_alert(
    shared: Path, tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    """Snapshots of a week, of three in a soak, in order, at the moments when they were taken."""
    folder = shared / "bbcrss_history" / "events_dev_home_uk_feb_mar.tsv.gz"
    with gzip.open(folder, "rt", encoding="utf-8", newline="") as file:
        events = [row for row in csv.DictReader(file, delimiter="\t") if row["feed"] == "home_uk"]
    with tarfile.open(shared / "bbcrss_history" / "home_uk_2021-02-21_03-14.tar.xz") as tar:
        snapshots = {
            member.name.rpartition("/")[2]: member_file.read()
            for member in tar.getmembers()
            if "/home_uk/" in f"/{member.name}" and (member_file := tar.extractfile(member))
        }
    names = sorted(snapshots)
    third = len(names) // 3
    week = names if SOAK else names[SEED % 3 * third :][:third]
    first, last = (taken_at(week[index]) for index in (0, -1))
    told = [row for row in events if first < datetime.fromisoformat(row["snapshot_time"]) <= last]
    terminal = Recorder()
    config = json.dumps(
        {
            "settings": {"network": {"allow": ["127.0.0.0/8"]}},
            "chats": {"here": {"terminal": True}},
            "feeds": [{"url": server.url("/home_uk"), "name": "BBC"}],
            "subscriptions": everything(["here"]),
        }
    )
    stored: list[str] = []
    async with newsbell(tmp_path, config, clock=clock, terminal=terminal) as app:
        for name in week:
            clock.advance(taken_at(name) - clock.now())
            server.put("/home_uk", snapshots[name])
            await poll(app)
        stored = [guid for (guid,) in query(app, "select guid from entries")]

    shown = (re.findall(rb"<guid[^>]*>([^<]+)</guid>", snapshots[name]) for name in week)
    expected = {guid.decode() for guids in shown for guid in guids}
    assert not SOAK or expected == {row["guid"] for row in events if row["event"] == "new"}
    assert len(stored) == len(set(stored))
    missing, extra = expected - set(stored), set(stored) - expected
    assert (missing, extra) == (set(), set())
    alerts = terminal.titles(DeliveryKind.ALERT)
    retitled = sum(row["event"] == "title" for row in told)
    assert retitled > (400 if SOAK else 50)
    assert len(alerts) <= len(stored)
