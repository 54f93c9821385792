"""A changed feeds.yaml takes effect while newsbell runs: a good file at once, a faulty never."""

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.typing import EventDict
from support import FeedServer, Recorder, item, newsbell, rss, stored

from bot.model.chats import ChatKind, DeclaredChat, DeclaredSubscription
from bot.model.delivery import DeliveryKind
from bot.model.desired_config import DesiredConfig
from bot.model.feeds import DeclaredFeed
from bot.service.app import App
from bot.service.clock import SystemClock
from bot.service.losses import most_lost
from bot.store.engines import sqlite as engine

OLD = datetime.now(UTC) - timedelta(days=3)


def written(server: FeedServer, *paths: str, **parts: Any) -> str:
    """A feeds.yaml with these feeds; `parts` replace its own."""
    return json.dumps(
        {
            "settings": {"network": {"allow": ["127.0.0.0/8"]}},
            "chats": {"here": {"terminal": True}},
            "feeds": [{"url": server.url(path), "name": path} for path in paths],
            "subscriptions": [{"name": "All", "query": "harbour", "to": ["here"]}],
        }
        | parts
    )


async def until(
    true: Callable[[], object], nudge: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Wait for it; `nudge` is called again and again meanwhile."""
    async with asyncio.timeout(30):
        while not true():
            if nudge:
                await nudge()
            await asyncio.sleep(0.05)


async def polled(made: App, server: FeedServer, *paths: str) -> None:
    """Wait until each of these was asked for twice more: the first of the two is committed then."""
    before = Counter(seen.path for seen in server.seen)

    async def nudge() -> None:
        await made.store.polls.make_due(made.clock.now())
        made.poller.tick()

    await until(
        lambda: all(
            Counter(seen.path for seen in server.seen)[path] > before[path] + 1 for path in paths
        ),
        nudge,
    )


async def changed(folder: Path, config: str, taken: Callable[[], bool]) -> None:
    """Write the file, again where the watch on it had not begun yet, until the change shows."""
    async with asyncio.timeout(30):
        while not taken():
            (folder / "feeds.yaml").write_text(config, encoding="utf-8")
            with suppress(TimeoutError):
                async with asyncio.timeout(3):
                    await until(taken)


@asynccontextmanager
async def running(
    folder: Path,
    config: str,
    terminal: Recorder,
    *,
    settle: timedelta = timedelta(seconds=0.1),
    hold: timedelta = timedelta(seconds=0.2),
) -> AsyncIterator[App]:
    """A newsbell at work on the real clock; it waits for a file that changes shorter than usual."""
    async with (
        newsbell(folder, config, clock=SystemClock(), terminal=terminal) as made,
        asyncio.TaskGroup() as group,
    ):
        made.reloader.settle, made.reloader.hold = settle, hold
        group.create_task(made.run())
        try:
            yield made
        finally:
            made.stop()


async def rows(made: App, sql: str) -> list[tuple[Any, ...]]:
    return await stored(made)._writer.run(
        "look", lambda db: [tuple(row) for row in db.execute(sql).fetchall()]
    )


def logged(events: list[EventDict], event: str, words: str = "") -> Callable[[], bool]:
    """Whether such an event was logged with these words in one of its fields."""
    return lambda: any(
        entry["event"] == event and words in " ".join(str(value) for value in entry.values())
        for entry in events
    )


async def test_a_new_feed_and_a_new_query_are_taken_in_without_a_restart(
    tmp_path: Path, server: FeedServer, terminal: Recorder, events: list[EventDict]
) -> None:
    server.put("/a", rss(item("1", "Old harbour news", at=OLD)))
    server.put("/b", rss(item("2", "Old lighthouse news", at=OLD)))
    async with running(tmp_path, written(server, "/a"), terminal) as made:
        await polled(made, server, "/a")
        lighthouse = [{"name": "All", "query": "lighthouse", "to": ["here"]}]
        fresh = written(server, "/a", "/b", subscriptions=lighthouse)
        await changed(
            tmp_path,
            fresh,
            logged(events, "config_reloaded", "feeds added: /b; subscriptions changed: All"),
        )
        await polled(made, server, "/b")
        server.put(
            "/b", rss(item("3", "The lighthouse is lit"), item("2", "Old lighthouse news", at=OLD))
        )
        server.put("/a", rss(item("4", "The harbour opens"), item("1", "Old harbour news", at=OLD)))
        await polled(made, server, "/a", "/b")
        await until(terminal.titles)
    assert terminal.titles() == ["The lighthouse is lit"]


async def test_of_very_many_new_feeds_the_first_are_named(
    tmp_path: Path, server: FeedServer, terminal: Recorder, events: list[EventDict]
) -> None:
    many = [f"/{number:04}" for number in range(1200)]
    async with running(tmp_path, written(server, "/a"), terminal):
        await changed(
            tmp_path,
            written(server, "/a", *many),
            logged(
                events, "config_reloaded", f"feeds added: {', '.join(many[:20])} and 1,180 more"
            ),
        )


async def test_a_file_that_an_editor_replaces_by_renaming_is_taken_in(
    tmp_path: Path, server: FeedServer, terminal: Recorder, events: list[EventDict]
) -> None:
    server.put("/a", rss(item("1", "Old harbour news", at=OLD)))
    async with running(tmp_path, written(server, "/a"), terminal):
        await changed(
            tmp_path,
            written(server, "/a", "/b"),
            logged(events, "config_reloaded", "feeds added: /b"),
        )
        for name in ("/c", "/d"):
            (tmp_path / "feeds.yaml~").write_text(written(server, "/a", name), encoding="utf-8")
            (tmp_path / "feeds.yaml~").replace(tmp_path / "feeds.yaml")
            await until(logged(events, "config_reloaded", f"feeds added: {name}"))


async def test_what_the_file_no_longer_has_keeps_its_history_and_comes_back_without_an_alert(
    tmp_path: Path, server: FeedServer, terminal: Recorder, events: list[EventDict]
) -> None:
    old = [item(str(number), f"Harbour report {number}", at=OLD) for number in range(3)]
    server.put("/a", rss(*old))
    server.put("/b", rss(item("b", "Quiet", at=OLD)))
    async with running(tmp_path, written(server, "/a", "/b"), terminal) as made:
        await polled(made, server, "/a", "/b")
        server.put("/a", rss(item("new", "The harbour opens"), *old))
        await polled(made, server, "/a")
        await until(terminal.titles)
        before = await rows(made, "select id, first_seen_at from entries order by id")
        baselines = await rows(made, "select url, baseline_at from feeds order by id")
        assert len(before) == 5

        gone = logged(events, "config_reloaded", "feeds removed: /a; subscriptions removed: All")
        await changed(tmp_path, written(server, "/b", subscriptions=[]), gone)
        await polled(made, server, "/b")
        polls = [seen.path for seen in server.seen].count("/a")
        await polled(made, server, "/b")
        assert [seen.path for seen in server.seen].count("/a") == polls
        assert await rows(made, "select id, first_seen_at from entries order by id") == before

        await changed(
            tmp_path,
            written(server, "/a", "/b"),
            logged(events, "config_reloaded", "feeds added: /a; subscriptions added: All"),
        )
        await polled(made, server, "/a")
        assert await rows(made, "select id, first_seen_at from entries order by id") == before
        assert await rows(made, "select url, baseline_at from feeds order by id") == baselines

        server.put(
            "/a", rss(item("newer", "The harbour closes"), item("new", "The harbour opens"), *old)
        )
        await polled(made, server, "/a")
        await until(lambda: len(terminal.titles()) > 1)
    assert terminal.titles() == ["The harbour opens", "The harbour closes"]


@pytest.mark.parametrize(
    ("faulty", "words"),
    [
        ("feeds: [", "is not valid YAML"),
        ("", "is empty"),
        ("feeds: []\nsubscriptions: [{name: a, query: '(', to: [x]}]", "there is no chat 'x'"),
    ],
)
async def test_a_faulty_file_changes_nothing_and_says_why(
    tmp_path: Path,
    server: FeedServer,
    terminal: Recorder,
    events: list[EventDict],
    faulty: str,
    words: str,
) -> None:
    server.put("/a", rss(item("1", "Old harbour news", at=OLD)))
    async with running(tmp_path, written(server, "/a"), terminal) as made:
        await polled(made, server, "/a")
        before = made.config
        await changed(tmp_path, faulty, logged(events, "config_rejected", "the old settings stay"))
        assert logged(events, "config_rejected", words)()
        assert made.config is before
        await until(lambda: terminal.texts(DeliveryKind.NOTICE))
        assert words in terminal.texts(DeliveryKind.NOTICE)[0]
        server.put("/a", rss(item("2", "The harbour opens"), item("1", "Old harbour news", at=OLD)))
        await polled(made, server, "/a")
        await until(terminal.titles)
    assert terminal.titles() == ["The harbour opens"]


async def test_a_file_that_drops_a_list_which_a_chat_still_uses_changes_nothing(
    tmp_path: Path, server: FeedServer, terminal: Recorder, events: list[EventDict]
) -> None:
    async with running(tmp_path, written(server, names={"ports": ["harbour"]}), terminal) as made:
        await stored(made)._writer.run(
            "subscribe",
            lambda db: (
                db.execute(
                    "insert into subscriptions (name, query, created_at) "
                    "values ('own', '@ports', '2026')"
                ),
                db.execute(
                    "insert into routes select max(s.id), min(c.id) from subscriptions s, chats c"
                ),
            ),
        )
        await changed(
            tmp_path,
            written(server),
            logged(events, "config_rejected", "a chat still subscribes to '@ports'"),
        )
        assert made.config.names == {"ports": ("harbour",)}


async def test_settings_that_need_a_start_are_named(
    tmp_path: Path, server: FeedServer, terminal: Recorder, events: list[EventDict]
) -> None:
    async with running(tmp_path, written(server), terminal):
        network = {"allow": ["127.0.0.0/8", "10.0.0.0/8"]}
        settings = {"network": network, "timezone": "Europe/Berlin", "language": "de"}
        await changed(
            tmp_path,
            written(server, settings=settings),
            logged(
                events,
                "config_reloaded",
                "settings.timezone, settings.language changed, in force now; "
                "settings.network.allow changed, in force after a restart",
            ),
        )


async def test_a_file_is_taken_in_only_when_it_stands_still(
    tmp_path: Path, server: FeedServer, terminal: Recorder, events: list[EventDict]
) -> None:
    """Written in pieces: the first is valid, and lacks the subscription."""
    whole = written(server, "/a", "/b")
    part = written(server, "/a", "/b", subscriptions=[])
    async with running(
        tmp_path, written(server, "/a"), terminal, settle=timedelta(seconds=1), hold=timedelta(0)
    ) as made:
        await changed(tmp_path, whole, logged(events, "config_reloaded", "feeds added: /b"))
        for _ in range(4):
            (tmp_path / "feeds.yaml").write_text(part, encoding="utf-8")
            await asyncio.sleep(0.3)
            (tmp_path / "feeds.yaml").write_text(whole, encoding="utf-8")
            await asyncio.sleep(0.3)
        await until(lambda: sum(logged([e], "config_reloaded")() for e in events) > 1)
        assert len(made.config.declared.subscriptions) == 1
        assert not logged(events, "config_held_back")()
        assert not logged(events, "config_reloaded", "removed")()


async def test_a_file_that_lost_most_is_held_back_and_said_until_it_is_whole_again(
    tmp_path: Path, server: FeedServer, terminal: Recorder, events: list[EventDict]
) -> None:
    whole, part = written(server, "/a"), written(server, "/a", subscriptions=[])
    server.put("/a", rss(item("1", "Old harbour news", at=OLD)))
    hold = timedelta(seconds=60)
    async with running(tmp_path, whole, terminal, hold=hold) as made:
        await polled(made, server, "/a")
        await changed(tmp_path, part, logged(events, "config_held_back", "any subscriptions"))
        server.put("/a", rss(item("2", "The harbour opens"), item("1", "Old harbour news", at=OLD)))
        await polled(made, server, "/a")
        (tmp_path / "feeds.yaml").write_text(whole, encoding="utf-8")
        await until(logged(events, "config_reloaded", "no changes"))
        await until(terminal.titles)
        [notice] = terminal.texts(DeliveryKind.NOTICE)
        assert "no longer has any subscriptions" in notice
        assert "kill -HUP" in notice
    assert terminal.titles() == ["The harbour opens"]


async def test_a_file_that_is_asked_for_is_taken_in_at_once(
    tmp_path: Path, server: FeedServer, terminal: Recorder, events: list[EventDict]
) -> None:
    hold = timedelta(seconds=60)
    async with running(tmp_path, written(server, "/a"), terminal, hold=hold) as made:
        part = written(server, "/a", subscriptions=[])
        await changed(tmp_path, part, logged(events, "config_held_back"))
        made.take_file()
        await until(logged(events, "config_reloaded", "subscriptions removed: All"))


def _declared(*sizes: int) -> DesiredConfig:
    """A configuration of so many feeds, chats and subscriptions."""
    feeds, chats, subscriptions = sizes
    return DesiredConfig(
        tuple(DeclaredFeed(f"https://{n}.example/", f"F{n}", "", (), None) for n in range(feeds)),
        tuple(DeclaredChat(f"c{n}", ChatKind.TELEGRAM, n + 1) for n in range(chats)),
        tuple(DeclaredSubscription(f"s{n}", "harbour", (), ()) for n in range(subscriptions)),
    )


@pytest.mark.parametrize(
    ("before", "after", "loss"),
    [
        ((12, 2, 4), (12, 2, 4), ""),
        ((12, 2, 4), (12, 2, 0), "any subscriptions"),
        ((12, 2, 4), (3, 2, 4), "9 of 12 feeds"),
        ((12, 2, 4), (5, 0, 1), "7 of 12 feeds, any chats, 3 of 4 subscriptions"),
        ((12, 2, 4), (6, 1, 2), ""),
        ((1, 1, 1), (0, 1, 1), "any feeds"),
        ((0, 0, 0), (5, 1, 1), ""),
    ],
)
def test_a_loss_is_most_of_the_feeds_chats_or_subscriptions(
    before: tuple[int, int, int], after: tuple[int, int, int], loss: str
) -> None:
    assert str(most_lost(_declared(*before), _declared(*after)) or "") == loss


def test_what_is_replaced_by_as_much_else_is_no_loss() -> None:
    old = _declared(1, 1, 1)
    new = replace(old, feeds=(DeclaredFeed("https://other.example/", "Other", "", (), None),))
    assert most_lost(old, new) is None


@pytest.mark.parametrize(
    "part",
    [
        {"subscriptions": []},
        {"subscriptions": [{"name": "All", "query": "lighthouse", "to": ["here"]}]},
        {
            "chats": {"here": {"terminal": True}, "there": {"terminal": True}},
            "subscriptions": [{"name": "All", "query": "harbour", "to": ["there"]}],
        },
    ],
    ids=["without subscriptions", "with another query", "to another chat"],
)
async def test_what_came_under_a_file_that_was_withdrawn_is_matched_again(
    tmp_path: Path,
    server: FeedServer,
    terminal: Recorder,
    events: list[EventDict],
    part: dict[str, Any],
) -> None:
    """Alerted once in the chat that the whole file names, and never what was alerted before."""
    old = item("1", "Old harbour news", at=OLD)
    first, second = item("2", "The harbour opens"), item("3", "Ferry leaves harbour at night")
    whole = written(server, "/a")
    server.put("/a", rss(old))
    async with running(tmp_path, whole, terminal) as made:
        await polled(made, server, "/a")
        server.put("/a", rss(first, old))
        await polled(made, server, "/a")
        await until(terminal.titles)
        (tmp_path / "feeds.yaml").write_text(written(server, "/a", **part), encoding="utf-8")
        made.take_file()
        await until(logged(events, "config_reloaded"))
        server.put("/a", rss(second, first, old))
        await polled(made, server, "/a")
        (tmp_path / "feeds.yaml").write_text(whole, encoding="utf-8")
        await until(logged(events, "entries_matched_again"))
        await until(lambda: _alerts_of(terminal, "here") == 2)
        await polled(made, server, "/a")
    assert _alerts_of(terminal, "here") == 2


@pytest.mark.parametrize("query", ["@ports", "ferry AND ＠ports"])
async def test_a_list_that_is_set_back_is_matched_again(
    tmp_path: Path, server: FeedServer, terminal: Recorder, events: list[EventDict], query: str
) -> None:
    old, fresh = item("1", "Old ferry news", at=OLD), item("2", "A ferry waits in the harbour")
    subscriptions = [
        {"name": "All", "query": query, "to": ["here"]},
        {"name": "Other", "query": "lighthouse", "to": ["here"]},
    ]
    lists = ({"ports": ["harbour"], "hills": ["hill"]}, {"ports": ["quay"], "hills": ["hill"]})
    whole, other = (
        written(server, "/a", names=names, subscriptions=subscriptions) for names in lists
    )
    server.put("/a", rss(old))
    async with running(tmp_path, whole, terminal) as made:
        await polled(made, server, "/a")
        (tmp_path / "feeds.yaml").write_text(other, encoding="utf-8")
        made.take_file()
        await until(logged(events, "config_reloaded", "names changed"))
        server.put("/a", rss(fresh, old))
        await polled(made, server, "/a")
        assert not terminal.titles()
        (tmp_path / "feeds.yaml").write_text(whole, encoding="utf-8")
        await until(logged(events, "entries_matched_again"))
        await until(terminal.titles)
    assert terminal.titles() == ["A ferry waits in the harbour"]
    assert [entry["subscriptions"] for entry in events if "again" in entry["event"]] == [1]


def _alerts_of(terminal: Recorder, chat: str) -> int:
    return sum(
        delivery.chat.name == chat and delivery.kind is DeliveryKind.ALERT
        for delivery, _ in terminal.sent
    )


async def test_each_change_of_a_configmap_is_taken_in(
    tmp_path: Path, server: FeedServer, terminal: Recorder, events: list[EventDict]
) -> None:
    """Kubernetes: a new folder each time, a link swapped to it, the old folder removed."""
    folder = tmp_path / "mounted"

    def put(number: int, *paths: str) -> None:
        (folder / f"..{number}").mkdir(parents=True)
        (folder / f"..{number}" / "feeds.yaml").write_text(
            written(server, *paths, settings=settings), encoding="utf-8"
        )
        (folder / "..new").symlink_to(f"..{number}")
        (folder / "..new").rename(folder / "..data")
        if number > 1:
            (folder / f"..{number - 1}" / "feeds.yaml").unlink()
            (folder / f"..{number - 1}").rmdir()

    settings = {
        "network": {"allow": ["127.0.0.0/8"]},
        "database": str(tmp_path / "newsbell.db"),
    }
    put(1, "/a")
    (folder / "feeds.yaml").symlink_to("..data/feeds.yaml")
    async with running(folder, written(server, "/a", settings=settings), terminal):
        for number in (2, 3, 4):
            put(number, "/a", f"/{number}")
            await until(logged(events, "config_reloaded", f"/{number}"))
    assert sum(entry["event"] == "config_reloaded" for entry in events) == 3


@pytest.mark.own_engine("a file that is locked")
async def test_a_file_saved_while_another_program_locks_the_database_is_taken_in_afterwards(
    tmp_path: Path,
    server: FeedServer,
    terminal: Recorder,
    events: list[EventDict],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "_BUSY_SECONDS", 1)
    async with running(tmp_path, written(server, "/a"), terminal) as made:
        lock = sqlite3.connect(tmp_path / "newsbell.db", isolation_level=None)
        lock.execute("begin immediate")
        try:
            (tmp_path / "feeds.yaml").write_text(written(server, "/a", "/b"), encoding="utf-8")
            await until(logged(events, "reload_failed"))
        finally:
            lock.execute("rollback")
            lock.close()
        await until(logged(events, "config_reloaded", "/b"))
        assert {feed.name for feed in (await made.store.admin.status()).feeds} == {"/a", "/b"}
