"""Pages and news sitemaps as feeds of a whole newsbell, and what their sites' robots.txt asks.

All pages are invented.
"""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from support import FeedServer, ManualClock, Recorder, newsbell, poll

from bot.feeds.discovery import SiteFinder
from bot.model.feeds import FeedState
from bot.service.app import App
from bot.text.url import host_and_port

HTML = {"Content-Type": "text/html"}
LATER = timedelta(minutes=10)
NEWS = "http://www.google.com/schemas/sitemap-news/0.9"


def notices(*titles: str) -> str:
    rows = "".join(
        f'<li><h3><a href="/n/{title.lower().replace(" ", "-")}">{title}</a></h3></li>'
        for title in titles
    )
    return f"<html lang=en><title>Port notices</title><ul>{rows}</ul></html>"


def sitemap(*titles: str) -> str:
    urls = "".join(
        f"<url><loc>https://herald.example/{title.lower().replace(' ', '-')}</loc><n:news>"
        f"<n:publication><n:name>Herald</n:name></n:publication><n:title>{title}</n:title>"
        "</n:news></url>"
        for title in titles
    )
    return f'<urlset xmlns:n="{NEWS}">{urls}</urlset>'


@pytest.fixture
def terminal() -> Recorder:
    return Recorder()


@pytest.fixture
async def app(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> AsyncIterator[App]:
    server.put("/robots.txt", "User-agent: *\nDisallow: /private\nDisallow: /led\n")
    server.put("/notices", notices("Pier opens", "Lights return"), headers=HTML)
    server.put("/private/notices", notices("Secret pier"), headers=HTML)
    server.put("/moved", "", status=302, headers={"Location": "/led/there"})
    server.put("/led/there", notices("Secret pier"), headers=HTML)
    server.put("/sitemap.xml", f"<sitemapindex>{child(server, 1)}</sitemapindex>")
    server.put("/news-1.xml", sitemap("Market reopens"))
    config = {
        "settings": {"network": {"allow": ["127.0.0.0/8"]}, "rsshub": server.url("/hub/")},
        "chats": {"here": {"terminal": True}},
        "feeds": [
            {"url": server.url("/notices"), "name": "Port", "page": {"item": "li", "title": "h3"}},
            {"url": server.url("/private/notices"), "name": "Secret", "page": {"item": "li"}},
            {"url": server.url("/moved"), "name": "Moved", "page": {"item": "li"}},
            {"url": server.url("/sitemap.xml"), "name": "Herald"},
            {"url": "rsshub://coast/news", "tags": ["hub"]},
        ],
        "subscriptions": [{"name": "All", "query": "*", "to": ["here"]}],
    }
    server.put("/hub/coast/news", "<rss version='2.0'><channel><title>Hub</title></channel></rss>")
    async with newsbell(tmp_path, json.dumps(config), clock=clock, terminal=terminal) as made:
        await poll(made)
        terminal.sent.clear()
        yield made


def child(server: FeedServer, number: int) -> str:
    return f"<sitemap><loc>{server.url(f'/news-{number}.xml')}</loc></sitemap>"


async def states(app: App) -> dict[str, FeedState]:
    return {feed.name: feed.state for feed in (await app.store.admin.status()).feeds}


async def test_pages_and_sitemaps_alert_and_what_is_forbidden_is_not_fetched(
    app: App, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    server.put("/notices", notices("Storm closes pier", "Pier opens"), headers=HTML)
    server.put("/news-1.xml", sitemap("Ferry runs aground", "Market reopens"))
    clock.advance(LATER)
    await poll(app)
    paths = [seen.path for seen in server.seen]
    feeds = await states(app)

    assert sorted(terminal.titles()) == ["Ferry runs aground", "Storm closes pier"]
    assert "/private/notices" not in paths
    assert "/moved" in paths
    assert "/led/there" not in paths
    assert paths.count("/robots.txt") == 1
    assert (feeds["Secret"].failure, feeds["Moved"].failure) == ("robots", "robots")
    assert (feeds["Port"].failure, feeds["Herald"].failure) == (None, None)
    assert feeds["coast/news"].last_ok_at == clock.now()

    clock.advance(timedelta(days=1, minutes=1))
    server.put("/robots.txt", "User-agent: newsbell\nDisallow: /notices\nCrawl-delay: 0.01\n")
    server.put("/sitemap.xml", "<sitemapindex></sitemapindex>")
    await poll(app)
    feeds = await states(app)

    assert [seen.path for seen in server.seen].count("/robots.txt") == 2
    assert feeds["Port"].failure == "robots"
    assert (feeds["Secret"].failure, feeds["Herald"].failure) == (None, "not_a_feed")
    spacing = app.monitoring.watched.live.spacing(host_and_port(server.base))
    assert spacing == timedelta(seconds=0.01)


async def test_a_page_that_lost_its_rows_or_its_rules_fails_and_says_so(
    app: App, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    server.put("/notices", "<html><div>Everything is new here</div></html>", headers=HTML)
    clock.advance(LATER)
    await poll(app)
    assert (await states(app))["Port"].failure == "changed_page"

    server.put("/robots.txt", "", status=503)
    clock.advance(timedelta(days=1, minutes=1))
    await poll(app)
    state = (await states(app))["Port"]
    assert (state.failure, "robots.txt" in state.failure_text) == ("server", True)

    server.put("/robots.txt", "", status=404)
    server.put("/notices", notices("Pier opens", "Storm closes pier"), headers=HTML)
    clock.advance(timedelta(minutes=16))
    await poll(app)
    assert (await states(app))["Port"].failure is None
    assert terminal.titles() == ["Storm closes pier"]


async def test_the_news_sitemaps_of_a_site_are_found_by_its_robots_txt(
    app: App, server: FeedServer, clock: ManualClock
) -> None:
    server.put("/", "<html><body>No feed here</body></html>", headers=HTML)
    server.put("/pages.xml", "<urlset><url><loc>https://herald.example/about</loc></url></urlset>")
    server.put(
        "/robots.txt",
        "Sitemap: /pages.xml\nSitemap: /sitemap.xml\nUser-agent: *\nDisallow: /news-2.xml\n",
    )
    reader = app.poller._reader
    finder = SiteFinder(reader._fetcher, reader._parser, clock)
    [feed] = await finder.feeds_at(server.url("/"))

    assert (feed.url, feed.title) == (server.url("/sitemap.xml"), "Herald")
    assert feed.newest == ("Market reopens",)
