"""`settings.retention`: what is older goes after the operator was told; what is in a feed stays."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from support import NOON, FeedServer, ManualClock, Recorder, config_text, item, newsbell, poll, rss
from support import execute as change
from support import query as look

from bot.model.delivery import DeliveryKind
from bot.model.retention import Obsolete, Retention
from bot.service.app import App
from bot.store.read_only import ReadOnlyDatabase

DAY = timedelta(days=1)
SHORT = {"articles": "10d", "alerts": "30d", "explanations": "5d", "messages": "9d"}
TITLES = "select title from entries order by id"
ALERTS = "select first_title from alerts order by story_id"


def count(app: App, table: str) -> Any:
    return look(app, f"select count(*) from {table}")[0][0]  # noqa: S608


async def test_a_shorter_retention_deletes_what_is_older_a_day_after_it_was_told(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    config = config_text([server.url("/a")], retention=SHORT)
    old, stays = item("0", "Mill", at=NOON - 3 * DAY), item("1", "Harbour stays", at=NOON)
    async with newsbell(tmp_path, config, clock=clock, terminal=terminal) as app:
        server.put("/a", rss(old))
        await poll(app)
        news = [item("2", "Harbour opens", at=NOON), item("3", "Silo burns", at=NOON)]
        server.put("/a", rss(stays, *news, old))
        await poll(app)
        assert sorted(terminal.titles()) == ["Harbour opens", "Harbour stays"]
        server.put("/a", rss(stays, old))
        clock.advance(timedelta(hours=1))
        await poll(app)

        clock.advance(40 * DAY)
        reader = ReadOnlyDatabase(app.config.database)
        wanted = app.config.settings.retention.value
        assert reader.obsolete(wanted, Retention(), clock.now()) == Obsolete(articles=1, alerts=1)
        await app.jobs.prune()
        await app.deliverer.run_once(timedelta(0))
        [notice] = terminal.texts(DeliveryKind.NOTICE)
        assert notice.startswith("settings.retention is shorter than before.")
        assert notice.endswith("\n1 alert with its articles\n1 article that alerted nobody")
        clock.advance(timedelta(hours=12))
        await app.jobs.prune()
        assert count(app, "entries") == 4
        assert reader.retention().announced == wanted

        clock.advance(timedelta(hours=13))
        await app.jobs.prune()
        assert look(app, TITLES) == [("Mill",), ("Harbour stays",)]
        assert look(app, ALERTS) == [("Harbour stays",)]
        assert count(app, "alert_matches") == 1
        assert count(app, "match_records") == 0
        assert reader.obsolete(wanted, Retention(), clock.now()) == Obsolete()
        assert len(terminal.texts(DeliveryKind.NOTICE)) == 1

        server.put("/a", rss(item("1", "Harbour stays, and grows", at=NOON), old))
        await poll(app)  # its alert is known
        assert sorted(terminal.titles()) == ["Harbour opens", "Harbour stays"]


async def test_an_alert_stays_while_anything_needs_it(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    retention = {"alerts": "30d", "articles": "10d"}
    config = config_text([server.url("/a"), server.url("/b")], retention=retention)
    async with newsbell(tmp_path, config, clock=clock) as app:
        for path in ("/a", "/b"):
            server.put(path, rss(item("0", "Mill", at=NOON - 3 * DAY)))
        await poll(app)
        news = [
            item(str(number), f"Harbour {word}", at=NOON)
            for number, word in enumerate(("opens its gates", "crane falls", "tax is cut"), 1)
        ]
        server.put("/a", rss(*news))
        await poll(app)
        server.put("/a", rss(item("9", "Mill", at=NOON)))
        clock.advance(timedelta(hours=1))
        await poll(app)
        clock.advance(40 * DAY)
        assert count(app, "alerts") == 3
        # One waits to be sent again, one has a note, and of one another article is in a feed.
        stories = [story for (story,) in look(app, "select story_id from alerts order by 1")]
        change(app, "update outbox set state = 'dead' where id = (select min(id) from outbox)")
        change(app, "update alerts set note_of = ? where story_id = ?", stories[1], stories[0])
        change(app, "update entries set story_id = ? where title = 'Mill'", stories[2])
        await app.store.admin.prune(clock.now(), app.config.settings.retention.value)
        assert count(app, "alerts") == 3

        change(app, "update outbox set state = 'dropped', settled_at = created_at")
        change(app, "update entries set absent_since = first_seen_at")
        for _ in range(2):  # a note goes before its alert
            await app.store.admin.prune(clock.now(), app.config.settings.retention.value)
        assert count(app, "alerts") == 0
        assert count(app, "entries") == 0


async def test_a_feed_whose_alerts_are_forgotten_is_forgotten_too(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    settings = {"articles": "10d", "alerts": "10d", "removed": "10d"}
    async with newsbell(tmp_path, config_text([server.url("/a")]), clock=clock) as app:
        server.put("/a", rss(item("0", "Mill", at=NOON - 3 * DAY)))
        await poll(app)
        server.put("/a", rss(item("1", "Harbour opens", at=NOON)))
        await poll(app)
    async with newsbell(tmp_path, config_text([], retention=settings), clock=clock) as app:
        retention = app.config.settings.retention.value
        change(app, "update subscriptions set removed_at = created_at")
        for _ in range(4):
            await app.store.admin.prune(clock.now(), retention)
            clock.advance(11 * DAY)
        for table in ("alerts", "entries", "feeds", "subscriptions", "match_records"):
            assert count(app, table) == 0, table
