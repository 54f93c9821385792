"""People read the web page with the rights that they have in chats, and nobody else does."""

import json
import re
import xml.etree.ElementTree as ET
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from support import ManualClock
from telegram_harness import ANN, BOB, ArticleSpec
from web_reader import HOSTILE, WEB, site

from bot.service.control import WEB_REVOKE
from bot.service.web_requests import change_web

ATOM = "{http://www.w3.org/2005/Atom}"


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 (of our own making)


async def test_a_link_opens_the_page_once_and_looking_at_it_does_not_use_it(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with site(tmp_path, clock) as here:
        stranger, browser = await here.reader(), await here.reader()
        answer = await stranger.get("/")
        assert (answer.status, "/web" in answer.words) == (401, True)
        path = "/login/" + (await here.link(BOB)).rpartition("/")[2]
        for _ in range(3):  # previews look at it
            answer = await stranger.get(path)
            assert answer.status == 200
            assert "Set-Cookie" not in answer.headers
        assert (await stranger.get("/")).status == 401
        for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
            assert (await browser.post(path, headers)).status == 403
        foreign = {"Origin": here.base, "Sec-Fetch-Site": "cross-site"}
        assert (await browser.post(path, foreign)).status == 403
        opened = await browser.post(path)
        assert (opened.status, opened.headers["Location"]) == (303, "/")
        cookie = opened.headers["Set-Cookie"]
        assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax", "Path=/"))
        assert (await browser.get("/")).status == 200
        assert (await stranger.post(path)).status == 404  # it works once
        word = cookie.partition("=")[2].partition(";")[0]
        stored = await here.harness.rows("select token_hash, kind from web_tokens")
        assert [kind for _, kind in stored] == ["session"]
        assert all(word.encode() not in token and word not in str(token) for token, _ in stored)
        late = "/login/" + (await here.link(BOB)).rpartition("/")[2]
        clock.advance(timedelta(minutes=11))
        assert (await stranger.post(late)).status == 404
        clock.advance(timedelta(days=31))
        assert (await browser.get("/")).status == 401


async def test_a_session_ends_with_what_it_stands_on(tmp_path: Path, clock: ManualClock) -> None:
    async with site(tmp_path, clock) as here:
        store = here.harness.app.store
        first, second = await here.signed_in(BOB), await here.signed_in(BOB)
        operator = await here.operator()
        assert (await first.post("/logout")).status == 200
        assert (await first.get("/")).status == 401
        assert (await second.get("/")).status == 200
        await here.harness.execute(
            "insert into people values (?, 'blocked', 'Bob', ?)", BOB, clock.now().isoformat()
        )
        assert (await second.get("/")).status == 401
        await here.harness.execute("update people set role = 'user' where user_id = ?", BOB)
        await here.harness.execute("update chats set allowed = 0 where name = 'bob'")
        assert (await second.get("/")).status == 401
        assert (await operator.get("/")).status == 200
        assert await change_web(store.web, WEB_REVOKE, "", 0, clock.now()) == 2
        assert (await operator.get("/")).status == 401


async def test_who_tries_words_is_stopped_and_keeps_nobody_out(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with site(tmp_path, clock) as here:
        browser, stranger = await here.signed_in(BOB), await here.reader()
        assert (await browser.get("/")).status == 200
        tried = [(await stranger.post(f"/login/{number}")).status for number in range(40)]
        assert tried[0] == 404
        assert tried[-1] == 429
        assert (await stranger.get("/out/word/alerts.atom")).status == 429
        assert (await browser.get("/")).status == 200


async def test_a_page_is_answered_for_its_own_name_alone_and_says_what_browsers_may_do(
    tmp_path: Path, clock: ManualClock
) -> None:
    web = {**WEB, "public": "https://news.example.org"}
    async with site(tmp_path, clock, web=web) as here:
        stranger = await here.reader()
        answer = await stranger.get("/", Host="evil.example")
        assert answer.status == 421
        for host in ("news.example.org", "127.0.0.1:8080", "localhost:8080", "[::1]:8080"):
            assert (await stranger.get("/", Host=host)).status == 401
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "max-age" in answer.headers["Strict-Transport-Security"]
        for path in ("/nothing", "/story/1", "/static/../server.py", "/s/1-1-" + "0" * 32):
            missing = await stranger.get(path)
            assert missing.status in {401, 404}
            assert missing.headers["Content-Security-Policy"] == policy
        link = (await here.link(BOB)).rpartition("/")[2]
        opened = await stranger.post(f"/login/{link}", {"Origin": "https://news.example.org"})
        assert opened.headers["Set-Cookie"].startswith("__Host-newsbell=")
        assert "Secure" in opened.headers["Set-Cookie"]
        assert await stranger.raw(b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n") == 400
        assert await stranger.raw(b"\x16\x03\x01 nonsense\r\n\r\n") == 400
        large = await stranger.post("/alerts", None, do="x" * 20_000)
        assert large.status in {401, 403, 413}
        german = await stranger.get("/nothing", **{"Accept-Language": "de-AT,en;q=0.5"})
        assert german.attribute("html", "lang") == "de"


async def test_pages_show_what_the_chat_may_see_and_escape_what_others_wrote(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with site(tmp_path, clock) as here:
        harness = here.harness
        for title in HOSTILE:
            await harness.add(ArticleSpec(f"ann {title}", summary=title, origin="first <b>"))
        [number] = await harness.add(ArticleSpec("ann tram line is closed", origin="Wire"))
        clock.advance(timedelta(minutes=7))
        await harness.add(
            ArticleSpec(
                "The ann tram does not run", (0, number, number), origin="Post", confirms=True
            )
        )
        await harness.retitle("ann tram line is closed", "ann tram line is closed until Monday")
        await harness.deliver(timedelta(minutes=2))
        browser, bob, operator = (
            await here.signed_in(ANN),
            await here.signed_in(BOB),
            await here.operator(),
        )
        paths = ["/", "/alerts", "/feeds", "/feed/1", "/search?q=tram", "/try?q=tram", "/outbox"]
        for path in (*paths, f"/story/{number}"):
            for who in (browser, operator):
                answer = await who.get(path)
                assert answer.status == 200, path
                tree = answer.tree
                assert [node.attributes.get("src") for node in tree.css("script")] == [
                    next(str(node.attributes["src"]) for node in tree.css("script"))
                ]
                assert not tree.css("[style], style, [onerror], [onmouseover], iframe, object")
                assert all(
                    "://" not in (node.attributes.get("src") or "") for node in tree.css("img")
                )
                assert answer.attribute("html", "lang") == "en"
                assert len(tree.css("h1")) == len(tree.css("main")) == 1
                assert len(answer.text) < 60_000
        story = await browser.get(f"/story/{number}")
        assert "7 min before" in story.words
        assert "Headlines over time" in story.words
        assert "For ann" in story.words
        found = await browser.get("/search?q=tram")
        assert HOSTILE[0] in found.words
        assert "&lt;script&gt;" in found.text
        assert (await browser.get("/search?q=(tram")).words.count("parenthesis") == 1
        assert "49" not in found.text.split("{{")[0]
        link = f"https://news.example/{number}?utm_source=chat"
        assert "tram line" in (await browser.get(f"/search?q={quote(link)}")).words
        unknown = await browser.get(f"/search?q={quote('https://news.example/none')}")
        assert "No stored article was found" in unknown.words
        # Bob is let in, and operates nothing.
        assert (await bob.get("/outbox")).status == 403
        assert "Configuration" not in (await bob.get("/")).words
        assert "Configuration" in (await browser.get("/")).words
        assert (await bob.get(f"/alerts?chat={await here.chat('ann')}")).words.count("tram") == 0
        assert (await operator.get(f"/alerts?chat={await here.chat('ann')}")).words.count("tram")
        chart = await browser.get("/chart.svg?q=tram")
        assert chart.headers["Content-Type"] == "image/svg+xml"
        assert parsed(chart.text).tag.endswith("svg")


async def test_the_alerts_of_a_chat_are_a_feed_for_who_has_its_word(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with site(tmp_path, clock) as here:
        for title in HOSTILE:
            await here.harness.add(ArticleSpec(f"bob {title}", summary="a\x0bb & c"))
        await here.harness.deliver(timedelta(minutes=2))
        browser, anyone, chat = (
            await here.signed_in(BOB),
            await here.reader(),
            await here.chat("bob"),
        )
        foreign = await browser.post("/alerts", do="make", chat=str(await here.chat("ann")))
        assert foreign.status == 404
        made = await browser.post("/alerts", do="make", chat=str(chat))
        [first, *_] = re.findall(r"/out/([\w-]+)/alerts", made.text)
        assert first not in (await browser.get("/alerts")).text  # it is shown once
        atom = await anyone.get(f"/out/{first}/alerts.atom")
        root = parsed(atom.text)
        titles = [str(entry.findtext(f"{ATOM}title")) for entry in root.iter(f"{ATOM}entry")]
        assert len(titles) == len(HOSTILE)
        assert any("<script>" in title for title in titles)
        for entry in (root, *root.iter(f"{ATOM}entry")):
            assert all(entry.findtext(f"{ATOM}{name}") for name in ("id", "title", "updated"))
        document = json.loads((await anyone.get(f"/out/{first}/alerts.json")).text)
        assert document["version"] == "https://jsonfeed.org/version/1.1"
        assert [item["title"] for item in document["items"]] == titles
        assert all(item["id"] and item["content_text"] for item in document["items"])
        for kind in ("multipart/form-data; boundary=x", "text/plain; charset=none"):
            odd = {"Origin": here.base, "Content-Type": kind}
            assert (await browser.post("/alerts", odd, do="?")).status == 404
        again = await browser.post("/alerts", do="make", chat=str(chat))
        [second, *_] = re.findall(r"/out/([\w-]+)/alerts", again.text)
        assert (await anyone.get(f"/out/{first}/alerts.atom")).status == 404
        assert (await anyone.get(f"/out/{second}/alerts.atom")).status == 200
        await browser.post("/alerts", do="revoke", chat=str(chat))
        assert (await anyone.get(f"/out/{second}/alerts.atom")).status == 404


@pytest.mark.parametrize("language", ["ar"])
async def test_a_page_is_in_the_language_of_its_chat(
    language: str, tmp_path: Path, clock: ManualClock
) -> None:
    async with site(tmp_path, clock, language=language) as here:
        answer = await (await here.signed_in(BOB)).get("/")
        assert answer.attribute("html", "lang") == language
        assert answer.attribute("html", "dir") == ("rtl" if language == "ar" else "ltr")
        assert "Status" not in answer.words
