"""Bytes in, message out: the two pipelines together, on real HTTP and a real database."""

from datetime import timedelta
from pathlib import Path

from support import NOON, FeedServer, ManualClock, Recorder, config_text, item, newsbell, poll, rss

from bot.model.delivery import DeliveryKind, Undecided


async def test_what_a_feed_holds_at_first_sends_no_alert_and_what_comes_sends_one(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    old = item("1", "Old news of the harbour", at=NOON - timedelta(days=3))
    server.put("/a.xml", rss(old))
    async with newsbell(
        tmp_path, config_text([server.url("/a.xml")], "harbour"), clock=clock, terminal=terminal
    ) as app:
        await poll(app)
        assert terminal.titles() == []

        clock.advance(timedelta(minutes=10))
        server.put("/a.xml", rss(item("2", "New harbour opens"), old))
        await poll(app)
        await poll(app)

    assert terminal.titles() == ["New harbour opens"]


async def test_a_restart_sends_no_alert_again(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    server.put("/a.xml", rss(item("1", "Harbour", at=NOON - timedelta(days=3))))
    config = config_text([server.url("/a.xml")], "harbour")
    async with newsbell(tmp_path, config, clock=clock, terminal=terminal) as app:
        await poll(app)
        server.put(
            "/a.xml",
            rss(item("2", "Harbour two"), item("1", "Harbour", at=NOON - timedelta(days=3))),
        )
        await poll(app)
    async with newsbell(tmp_path, config, clock=clock, terminal=terminal) as app:
        await poll(app)

    assert terminal.titles() == ["Harbour two"]


async def test_a_retitled_entry_changes_its_alert_and_sends_none(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    first = item("1", "Quiet day", at=NOON - timedelta(days=3))
    server.put("/a.xml", rss(first))
    async with newsbell(
        tmp_path, config_text([server.url("/a.xml")], "harbour"), clock=clock, terminal=terminal
    ) as app:
        await poll(app)
        server.put("/a.xml", rss(item("2", "Fire in the harbour"), first))
        await poll(app)
        server.put("/a.xml", rss(item("2", "Fire in the harbour is out"), first))
        await poll(app)

    assert terminal.titles() == ["Fire in the harbour"]
    assert terminal.titles(DeliveryKind.EDIT) == ["Fire in the harbour is out"]


async def test_a_repeat_goes_on_saying_so_when_its_headline_changes(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    terminal = Recorder([Undecided("the connection ended")])
    first = item("1", "Quiet day", at=NOON - timedelta(days=3))
    server.put("/a.xml", rss(first))
    async with newsbell(
        tmp_path, config_text([server.url("/a.xml")], "harbour"), clock=clock, terminal=terminal
    ) as app:
        await poll(app)
        server.put("/a.xml", rss(item("2", "Fire in the harbour"), first))
        await poll(app)
        clock.advance(timedelta(minutes=1))
        server.put("/a.xml", rss(item("2", "Fire in the harbour is out"), first))
        await poll(app)

        clock.advance(timedelta(minutes=1))
        server.put("/a.xml", rss(item("2", "Fire in the harbour is out at last"), first))
        await poll(app)

    alerts, edits = terminal.texts(DeliveryKind.ALERT), terminal.texts(DeliveryKind.EDIT)
    assert [text.startswith("(repeat)") for text in alerts] == [False, True]
    assert edits
    assert all(text.startswith("(repeat)") for text in edits)
