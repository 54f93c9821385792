"""The web page in a real browser: it keeps to its own policy, and works on a phone and in the dark.

Skipped where there is no Chromium.
"""

from datetime import timedelta
from pathlib import Path

import pytest
from browser import MISSING, PROGRAM, Browser, chromium
from support import ManualClock
from telegram_harness import ANN, ArticleSpec
from web_reader import HOSTILE, site

WEIGHT = 60_000  #: bytes of a page with all that it needs, as they are sent
_WEIGHT = """
    [...performance.getEntriesByType("resource"), ...performance.getEntriesByType("navigation")]
        .reduce((sum, entry) => sum + entry.encodedBodySize + 300, 0)
"""
_SEARCH = """
    new Promise(done => {
        document.body.addEventListener("htmx:afterSettle", () => done(location.search));
        document.querySelector("#f-q").value = "tram";
        window.stayed = true;
        document.querySelector("form[role=search] button").click();
    })
"""


async def fits(browser: Browser) -> bool:
    """Whether nothing has to be scrolled sideways."""
    inner = "document.documentElement.scrollWidth <= innerWidth"
    return bool(await browser.evaluate(inner))


@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
async def test_a_browser_finds_nothing_wrong(tmp_path: Path, clock: ManualClock) -> None:
    async with site(tmp_path, clock) as here, chromium(tmp_path) as browser:
        for title in HOSTILE:
            await here.harness.add(ArticleSpec(f"ann {title} {'x' * 90}", summary=title))
        await here.harness.deliver(timedelta(minutes=2))
        await browser.open(f"{here.base}/login/{(await here.link(ANN)).rpartition('/')[2]}")
        await browser.press("main button")
        assert await browser.evaluate("document.querySelector('h1').textContent") == "Status"
        assert await browser.evaluate("document.cookie") == ""
        await browser.open(f"{here.base}/search")
        # The search replaces the results, and the address can be kept.
        assert await browser.evaluate(_SEARCH) == "?q=tram"
        assert await browser.evaluate("window.stayed")
        hits = "[...document.querySelectorAll('#results li')].length"
        assert await browser.evaluate(hits) == len(HOSTILE)
        skip = "document.querySelector('a').focus(); document.activeElement.className"
        assert await browser.evaluate(skip) == "skip"
        ground, grounds = "getComputedStyle(document.body).backgroundColor", set()
        for width, dark in ((1100, False), (320, True)):
            await browser.look(width=width, dark=dark)
            for path in ("/try?q=tram", "/", "/story/2", "/alerts"):
                await browser.open(here.base + path)
                assert await fits(browser), (path, width)
                assert 15_000 < await browser.evaluate(_WEIGHT) < WEIGHT, path
            grounds.add(await browser.evaluate(ground))
        assert len(grounds) == 2
        assert browser.problems == []
        assert {url for url in browser.requested if not url.startswith(here.base)} == set()
