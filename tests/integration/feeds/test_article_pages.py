"""Pages of articles that are read for their text: once, politely, and decided about again."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from click.testing import CliRunner
from postgres_server import address_of
from support import (
    NOON,
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

from bot.cli.main import main
from bot.cli.status import pages_line
from bot.model.delivery import DeliveryKind
from bot.query.parser import parse
from bot.search.matches import search
from bot.service.app import App
from bot.store.read_only import ReadOnlyDatabase

MINUTE = timedelta(minutes=1)
FILLING = "".join(
    f"<p>Nothing else is known of it so far, and nobody answered at {hour} when asked about it.</p>"
    for hour in range(18)
)


def page(text: str, head: str = "") -> str:
    return (
        f"<html><head>{head}</head><body><nav><p>radar of the menu</p></nav>"
        f"<article><h1>Harbour</h1>{FILLING}<p>{text}</p></article></body></html>"
    )


def found(app: App, text: str) -> list[str]:
    """The headlines that a search gives, oldest first."""
    hits = search(parse(text), sqlite(app).archive)
    return sorted(hit.entry.article.title for hit in hits)


async def test_pages_are_read_once_and_alert_where_their_words_match(
    tmp_path: Path, server: FeedServer
) -> None:
    clock, terminal = ManualClock(), Recorder()
    asked: list[str] = []

    def serve(path: str, body: str, status: int = 200, kind: str = "text/html") -> None:
        async def answer(_: web.Request) -> web.Response:
            asked.append(path)
            return web.Response(text=body, status=status, content_type=kind)

        server.handle(path, answer)

    serve("/robots.txt", "User-agent: *\nDisallow: /private\n", kind="text/plain")
    serve("/a/1", page("A radar stands on the mole."))
    serve("/a/2", page("A radar.", '<script type="application/ld+json">'
                       '{"isAccessibleForFree": false}</script>'))  # fmt: skip
    serve("/a/3", "no", status=403)
    serve("/private/4", page("A radar."))
    serve("/a/5", "%PDF", kind="application/pdf")
    serve("/a/6", page("Nothing of it."))
    server.put("/wire", rss(item("0", "Quiet morning", link=server.url("/a/0"))))
    feeds: list[dict[str, Any]] = [{"url": server.url("/wire"), "name": "Wire", "tags": ["full"]}]
    config = json.loads(config_text(feeds, "radar OR =Quay"))
    config["text"] = {"full": "full"}
    config["settings"]["network"]["spacing"] = "0s"
    async with newsbell(tmp_path, json.dumps(config), clock=clock, terminal=terminal) as app:
        await poll(app)
        assert not asked  # the first document is no news
        clock.advance(10 * MINUTE)
        links = ["/a/1", "/a/2", "/a/3", "/private/4", "/a/5", "/a/6"]
        titles = ["Mole shut", "Pier shut", "Gate shut", "Lock shut", "Weir shut", "Quay shut"]
        server.put(
            "/wire",
            rss(*(
                item(title, title, link=server.url(link))
                for title, link in zip(titles, links, strict=True)
            )),
        )  # fmt: skip
        await poll(app)
        assert terminal.titles() == ["Quay shut"]  # at once, by what the feed says

        await app.jobs.read_pages()
        await app.deliverer.run_once(timedelta(0))
        assert terminal.titles() == ["Quay shut", "Mole shut"]
        shown = terminal.texts(DeliveryKind.ALERT)[-1]
        assert "A radar stands on the mole." in shown
        assert sorted(asked) == ["/a/1", "/a/2", "/a/3", "/a/5", "/a/6", "/robots.txt"]
        states = dict(query(app, "select title, failure from pages join entries on id = entry_id"))
        assert states == {
            "Mole shut": "", "Pier shut": "paywall", "Gate shut": "refused",
            "Lock shut": "robots", "Weir shut": "no_page", "Quay shut": "",
        }  # fmt: skip

        # Its words are found, its text is not kept, and it is never asked for again.
        assert query(app, "select count(*) from bodies") == [(0,)]
        await app.jobs.fill_search()
        assert found(app, "radar") == found(app, "body:radar") == ["Mole shut"]
        assert found(app, '"radar stands"') == found(app, "rad*") == ["Mole shut"]
        assert found(app, "radar NEAR/3 mole") == ["Mole shut"]
        assert found(app, "known NOT radar") == ["Quay shut"]
        assert found(app, "title:radar") == found(app, "/radar/") == []
        clock.advance(10 * MINUTE)
        server.put("/wire", rss(item("Mole shut", "Mole shut again", link=server.url("/a/1"))))
        await poll(app)
        await app.jobs.read_pages()
        assert len(asked) == 6
        command = ["explain", server.url("/a/1"), "-c", str(tmp_path / "feeds.yaml")]
        told = CliRunner().invoke(main, command).stdout
        assert "Read: headline, summary and the page" in " ".join(told.split())
        line = pages_line(ReadOnlyDatabase(address_of(tmp_path / "newsbell.db")).pages(NOON))
        assert line.startswith("Pages of articles: 0 waiting; last day: 2 read; 1 not read: ")
        assert "1 not read: it is for those who pay" in line


async def test_what_a_page_says_counts_for_each_feed_that_leads_to_it(
    tmp_path: Path, server: FeedServer
) -> None:
    clock, terminal = ManualClock(), Recorder()
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(text=page("A radar stands there."), content_type="text/html")

    names = ["World", "Ports", "Coast"]
    for number in range(3):
        server.handle(f"/a/{number}", answer)
    for name in names:
        server.put(f"/{name}", rss(item("0", "Quiet morning")))
    feeds = [{"url": server.url(f"/{name}"), "name": name, "tags": ["full"]} for name in names]
    config = json.loads(config_text(feeds, "radar"))
    config["text"] = {"full": "full"}
    config["settings"]["network"]["spacing"] = "0s"
    config["subscriptions"][0]["feeds"] = ["Coast"]
    async with newsbell(tmp_path, json.dumps(config), clock=clock, terminal=terminal) as app:
        await poll(app)

        async def show(name: str, number: int) -> None:
            clock.advance(10 * MINUTE)
            titles = [f"Mole {letter} shut" for letter in "abc"[: number + 1]]
            server.put(
                f"/{name}",
                rss(*(item(f"{name} {at}", title, link=server.url(f"/a/{at}?utm_source={name}"))
                      for at, title in enumerate(titles))),
            )  # fmt: skip
            await poll(app)

        for name in names:  # three feeds with one article, before its page is read
            await show(name, 0)
        await app.jobs.read_pages()
        await app.deliverer.run_once(timedelta(0))
        assert terminal.titles() == ["Mole a shut"]
        for name in names:  # and one after the other
            await show(name, 1)
            await app.jobs.read_pages()
        await app.deliverer.run_once(timedelta(0))

    assert terminal.titles() == ["Mole a shut", "Mole b shut"]
    assert [path for path in asked if path != "/robots.txt"] == ["/a/0", "/a/1"]
