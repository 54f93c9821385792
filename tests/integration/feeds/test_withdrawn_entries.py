"""An article that its publisher takes back: the message that was sent says so."""

import json
from datetime import timedelta
from html import escape
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from click.testing import CliRunner
from support import FeedServer, ManualClock, Recorder, config_text, newsbell, poll, query

from bot.cli.main import main
from bot.model.delivery import DeliveryKind

HEAD = (
    "<feed xmlns='http://www.w3.org/2005/Atom' "
    "xmlns:at='http://purl.org/atompub/tombstones/1.0'><title>Mill Post</title>"
)


def entry(number: int, title: str) -> str:
    return (
        f"<entry><id>urn:mill:{number}</id><link href='https://mill.example/{number}'/>"
        f"<title>{title}</title></entry>"
    )


async def test_a_tombstone_and_a_word_before_the_headline_are_shown_once(
    tmp_path: Path, server: FeedServer
) -> None:
    clock, terminal = ManualClock(), Recorder()
    async with newsbell(
        tmp_path, config_text([server.url("/mill")]), clock=clock, terminal=terminal
    ) as app:

        async def publish(inside: str) -> None:
            clock.advance(timedelta(minutes=10))
            server.put("/mill", f"{HEAD}{inside}</feed>")
            await poll(app)

        await publish(entry(1, "Quiet morning"))
        await publish(entry(2, "Harbour burns") + entry(3, "Harbour fees of Lorne rise by half"))
        assert len(terminal.titles()) == 2
        gone = "<at:deleted-entry ref='urn:mill:2' when='2026-03-02T12:00:00Z'/>"
        corrected = entry(3, "CORRECTED: Harbour fees of Lorne rise by a tenth")
        for _ in range(2):
            await publish(gone + corrected)
        texts = terminal.texts(DeliveryKind.EDIT)
        assert sorted("withdrawn" in text for text in texts) == [False, True]
        assert sum("corrected by the publisher" in text for text in texts) == 1
        assert len(terminal.titles()) == 2
        assert query(app, "select count(*) from entries where withdrawn_at is not null") == [(1,)]
        command = ["explain", "https://mill.example/2", "-c", str(tmp_path / "feeds.yaml")]
        assert "Its feed withdrew it" in CliRunner().invoke(main, command).stdout


def told(terminal: Recorder) -> list[str]:
    """The first lines of the replies about changes."""
    return [
        message.text.partition("\n")[0]
        for delivery, message in terminal.sent
        if delivery.kind is DeliveryKind.ALERT and delivery.alerts[0].update
    ]


def config_with_updates(feed: str | dict[str, Any], choice: str, **more: Any) -> str:
    config = json.loads(config_text([feed]))
    config["chats"]["here"]["updates"] = choice
    config["settings"]["network"]["spacing"] = "0s"
    return json.dumps(config | more)


@pytest.mark.parametrize("choice", ["note", "alert"])
async def test_a_tombstone_that_stays_is_told_once_over_restarts(
    tmp_path: Path, server: FeedServer, choice: str
) -> None:
    clock, terminal = ManualClock(), Recorder()
    config = config_with_updates(server.url("/mill"), choice)
    gone = "<at:deleted-entry ref='urn:mill:2' when='2026-03-02T12:00:00Z'/>"
    documents = [
        entry(1, "Quiet morning"),
        entry(1, "Quiet morning") + entry(2, "Harbour burns"),
        entry(1, "Quiet morning") + entry(2, "WITHDRAWN: Harbour burns"),
        entry(1, "Quiet morning") + gone,
        entry(1, "Quiet evening") + gone,
        entry(1, "Quiet night"),
        entry(1, "Quiet morning") + gone,
    ]
    for inside in documents:
        async with newsbell(tmp_path, config, clock=clock, terminal=terminal) as app:
            clock.advance(timedelta(minutes=10))
            server.put("/mill", f"{HEAD}{inside}</feed>")
            await poll(app)
    assert told(terminal) == ["⚠ withdrawn by the publisher: Harbour burns"]
    assert terminal.titles()[0] == "Harbour burns"


INCIDENT = "Harbour API errors"


def incident(*updates: tuple[str, str, str]) -> str:
    """An entry as many status pages write it: the newest update first."""
    text = "".join(
        f"<p><small>Mar <var data-var='date'> 2</var>, <var data-var='time'>{at}</var> UTC</small>"
        f"<br /><strong>{status}</strong> - {said}</p>"
        for at, status, said in reversed(updates)
    )
    return (
        "<entry><id>tag:status.mill.example,2026:Incident/7</id>"
        f"<title>{INCIDENT}</title><content type='html'>{escape(text)}</content></entry>"
    )


async def test_each_update_of_an_incident_is_told_once(tmp_path: Path, server: FeedServer) -> None:
    clock, terminal = ManualClock(), Recorder()
    config = config_with_updates(server.url("/history.atom"), "note")
    updates = [
        ("11:50", "Investigating", "Calls to the harbour API fail."),
        ("11:58", "Identified", "A cable was cut."),
        ("12:07", "Monitoring", "Ships take another way."),
        ("12:30", "Resolved", "All calls work again."),
    ]
    async with newsbell(tmp_path, config, clock=clock, terminal=terminal) as app:
        for known in (0, 1, 2, 2, 4, 4):  # two came between two polls
            clock.advance(timedelta(minutes=10))
            inside = incident(*updates[:known]) if known else ""
            server.put("/history.atom", f"{HEAD}{entry(1, 'Quiet morning')}{inside}</feed>")
            await poll(app)
    assert told(terminal) == [f"↻ Identified: {INCIDENT}", f"↻ Resolved: {INCIDENT}"]
    assert terminal.titles() == [INCIDENT] * 3  # the alert and two replies
    last = [
        message.text for delivery, message in terminal.sent if delivery.kind is DeliveryKind.ALERT
    ][-1]
    assert last.endswith("All calls work again.")


@pytest.mark.parametrize(("status", "is_told"), [(410, True), (404, False), (403, False)])
async def test_an_article_whose_page_is_gone_for_good_is_withdrawn(
    tmp_path: Path, server: FeedServer, status: int, *, is_told: bool
) -> None:
    clock, terminal = ManualClock(), Recorder()

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="no", status=status, content_type="text/html")

    server.handle("/1", answer)
    feed = {"url": server.url("/mill"), "text": "full"}
    async with newsbell(
        tmp_path, config_with_updates(feed, "note"), clock=clock, terminal=terminal
    ) as app:
        link = f"<link href='{server.url('/1')}'/>"
        burns = f"<entry><id>urn:mill:2</id><title>Harbour burns</title>{link}</entry>"
        gone = "<at:deleted-entry ref='urn:mill:2' when='2026-03-02T12:00:00Z'/>"
        for inside in ("", burns):
            clock.advance(timedelta(minutes=10))
            server.put("/mill", f"{HEAD}{entry(1, 'Quiet morning')}{inside}</feed>")
            await poll(app)
        await app.jobs.read_pages()
        await app.deliverer.run_once(timedelta(minutes=2))
        withdrawn = "⚠ withdrawn by the publisher: Harbour burns"
        assert told(terminal) == ([withdrawn] if is_told else [])
        # The feed says so as well: that is nothing new.
        clock.advance(timedelta(minutes=10))
        server.put("/mill", f"{HEAD}{entry(1, 'Quiet morning')}{gone}</feed>")
        await poll(app)
        assert told(terminal) == [withdrawn]
