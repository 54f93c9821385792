"""Who may see which page, and that nobody sees what only another chat has."""

from pathlib import Path

from support import ManualClock
from telegram_harness import ANN, BOB, ArticleSpec
from web_reader import site

OPEN, DENIED, SIGN_IN, NOTHING = 200, 403, 401, 404
PAGES = {
    "/": (SIGN_IN, OPEN, OPEN, OPEN),
    "/alerts": (SIGN_IN, OPEN, OPEN, OPEN),
    "/feeds": (SIGN_IN, OPEN, OPEN, OPEN),
    "/search": (SIGN_IN, OPEN, OPEN, OPEN),
    "/try": (SIGN_IN, OPEN, OPEN, OPEN),
    "/outbox": (SIGN_IN, DENIED, OPEN, OPEN),
    "/feed/1": (SIGN_IN, OPEN, OPEN, OPEN),
    "/feed/2": (SIGN_IN, NOTHING, OPEN, OPEN),  # Ann's own
    "/feed/99": (SIGN_IN, NOTHING, NOTHING, NOTHING),
    "/story/1": (SIGN_IN, OPEN, OPEN, OPEN),
    "/story/2": (SIGN_IN, NOTHING, OPEN, OPEN),
    "/story/99": (SIGN_IN, NOTHING, NOTHING, NOTHING),
    "/chart.svg?q=(": (SIGN_IN, NOTHING, NOTHING, NOTHING),
    "/nowhere": (NOTHING, NOTHING, NOTHING, NOTHING),
}  #: for a stranger, Bob, who is let in, Ann, who operates newsbell, and the command line


async def test_each_page_is_for_who_may_see_it(tmp_path: Path, clock: ManualClock) -> None:
    async with site(tmp_path, clock) as here:
        harness, ann = here.harness, await here.chat("ann")
        await harness.execute(
            "insert into feeds (id, url, name, publisher, created_at, host, next_poll_at, "
            "declared, private) values (2, 'https://own.example/rss?key=secret', 'Own wire', "
            "'own.example', '2026', 'own.example', '2036-01-01T00:00:00.000000+00:00', 0, 1)"
        )
        await harness.execute(
            "insert into feed_chats (feed_id, chat_id, user_id, at) values (2, ?, ?, '2026')",
            ann,
            ANN,
        )
        await harness.add(ArticleSpec("everyone: the tram is back"))
        await harness.add(ArticleSpec("ann: a private tram", readers=frozenset({ann})))
        readers = (
            await here.reader(),
            await here.signed_in(BOB),
            await here.signed_in(ANN),
            await here.operator(),
        )
        found = {
            page: tuple([(await reader.get(page)).status for reader in readers]) for page in PAGES
        }
        assert found == PAGES
        bob = readers[1]
        for page in ("/", "/feeds", "/search?q=tram", "/try?q=tram", "/alerts", f"/?chat={ann}"):
            words = (await bob.get(page)).text
            assert "private tram" not in words, page
            assert "own.example" not in words, page
            assert "Own wire" not in words, page
        assert "http://127.0.0.1:9/feed.xml" not in (await bob.get("/feed/1")).text
        for chat in (str(ann), "", "x"):
            assert (await bob.post("/alerts", do="make", chat=chat)).status == NOTHING
        assert (await readers[0].post("/alerts", do="make", chat=str(ann))).status == SIGN_IN
