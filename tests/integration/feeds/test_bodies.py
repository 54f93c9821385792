"""The text that feeds carry, from the feed to the alert, the search and its explanation."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from support import (
    FeedServer,
    ManualClock,
    Recorder,
    config_text,
    item,
    newsbell,
    poll,
    query,
    rss,
    sqlite,
)

from bot.model.delivery import DeliveryKind
from bot.query.parser import parse
from bot.search.matches import search
from bot.service.app import App

MINUTE = timedelta(minutes=1)
FILLING = "Nothing else is known of it so far. " * 20


def article(guid: str, title: str, text: str, body: str) -> str:
    encoded = f"<content:encoded><![CDATA[<p>{body}</p>]]></content:encoded>" if body else ""
    return item(guid, title, text=text, extra=encoded)


def found(app: App, text: str) -> list[str]:
    """The headlines that a search gives."""
    return [hit.entry.article.title for hit in search(parse(text), sqlite(app).archive)]


async def test_the_text_of_a_feed_is_matched_shown_found_and_forgotten(
    tmp_path: Path, server: FeedServer
) -> None:
    head = "xmlns:content='http://purl.org/rss/1.0/modules/content/'"
    clock, terminal = ManualClock(), Recorder()

    def put(path: str, *items: str) -> None:
        server.put(path, rss(*items).replace("<rss ", f"<rss {head} ", 1))

    put("/wire", article("1", "Quiet morning", "Little news", ""))
    put("/teaser", article("1", "Quiet evening", "Little news", ""))
    feeds: list[dict[str, Any]] = [
        {"url": server.url("/wire"), "name": "Wire"},
        {"url": server.url("/teaser"), "name": "Teaser", "tags": ["short"]},
    ]
    config = json.dumps({**json.loads(config_text(feeds, "radar")), "text": {"short": "teaser"}})
    async with newsbell(tmp_path, config, clock=clock, terminal=terminal) as app:
        await poll(app)
        clock.advance(10 * MINUTE)
        told = f"{FILLING}A radar stands on the mole. {FILLING}"
        put("/wire", article("2", "Mole closed", "No one may enter", told))
        put("/teaser", article("2", "Pier closed", "No one may enter there", told))
        await poll(app)

        assert terminal.titles() == ["Mole closed"]
        [shown] = terminal.texts(DeliveryKind.ALERT)
        assert "A radar stands on the mole" in shown
        assert len(shown) < 600
        assert found(app, "radar") == found(app, "body:radar") == ["Mole closed"]
        assert found(app, '"radar stands on the mole"') == ["Mole closed"]
        assert found(app, "summary:radar") == []

        # A changed text alerts where its words match for the first time, and only there.
        clock.advance(10 * MINUTE)
        put("/wire", article("2", "Mole closed", "No one may enter", told + "Radar, again."))
        await poll(app)
        assert terminal.titles() == ["Mole closed"]
        assert query(app, "select count(*) from revisions") == [(0,)]
        put("/wire", article("2", "Mole closed", "No one may enter", ""))
        clock.advance(10 * MINUTE)
        await poll(app)
        assert query(app, "select count(*) from bodies") == [(0,)]
        assert found(app, "radar") == []
        put("/wire", article("3", "Gate shut", "No one knows", FILLING))
        clock.advance(10 * MINUTE)
        await poll(app)
        put("/wire", article("3", "Gate shut", "No one knows", FILLING + "It is the radar."))
        clock.advance(10 * MINUTE)
        await poll(app)
        assert terminal.titles() == ["Mole closed", "Gate shut"]
