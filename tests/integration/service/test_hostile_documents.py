"""Documents made to harm readers: each is its own feed's failure at most, and stalls no other."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from xml.parsers import expat as pyexpat

import pytest
from feed_harness import LONG_AGO, archive, watching
from support import NOON, FeedServer, ManualClock, Recorder, item, rss

from bot.model.entries import ParsedDocument, ParseFailed
from bot.model.feeds import Failure
from bot.model.pages import PageFailed, PageFailure, PageText
from bot.model.sources import ChannelSource, PageSource
from bot.parse.read import read_document
from bot.service.workers import WorkerLimits, Workers
from bot.text.clean import BODY_LENGTH, TITLE_LENGTH

URL = "https://zoo.example/feed.xml"
LIMITS = WorkerLimits(seconds=1.0, workers=1)
HOSTILE, HARMLESS, EITHER = "hostile", "harmless", "either"  # either: as fast as the machine is


def _rss(body: str, *, doctype: str = "") -> bytes:
    channel = f"<channel><title>Wire</title>{body}</channel>"
    return f"<?xml version='1.0'?>{doctype}<rss version='2.0'>{channel}</rss>".encode()


def _laughs() -> bytes:
    entities = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10))
    doctype = f"<!DOCTYPE rss [<!ENTITY l0 'ha'>{entities}]>"
    return _rss("<item><guid>1</guid><title>Harbour &l9;</title></item>", doctype=doctype)


def _quadratic() -> bytes:
    doctype = f"<!DOCTYPE rss [<!ENTITY big '{'x' * 100_000}'>]>"
    return _rss(
        f"<item><guid>1</guid><title>Harbour</title>"
        f"<description>{'&big;' * 20_000}</description></item>",
        doctype=doctype,
    )


def _external(path: str = "/etc/passwd") -> bytes:
    doctype = (
        f"<!DOCTYPE rss [<!ENTITY file SYSTEM 'file://{path}'>"
        "<!ENTITY % more SYSTEM 'http://127.0.0.1:9/x.dtd'> %more;]>"
    )
    return _rss("<item><guid>1</guid><title>Harbour &file; end</title></item>", doctype=doctype)


DOCUMENTS = {
    "billion laughs": (_laughs(), HARMLESS),
    "quadratic entities": (_quadratic(), HARMLESS),
    "external entity": (_external(), HARMLESS),
    "author of 80 KB": (
        _rss(f"<item><guid>1</guid><title>Harbour</title><author>{'a' * 80_000}</author></item>"),
        EITHER,
    ),
    "authors of 80 KB": (
        _rss(
            "".join(
                f"<item><guid>{n}</guid><author>{'a.' * 40_000}</author></item>" for n in range(8)
            )
        ),
        EITHER,
    ),
    "comments in CDATA": (
        _rss(
            "<item><guid>1</guid><title>Harbour</title>"
            f"<description><![CDATA[{'<!--' * 80_000}]]></description></item>"
        ),
        EITHER,
    ),
    "dashes in CDATA": (
        _rss(
            "<item><guid>1</guid><title>Harbour</title>"
            f"<description><![CDATA[{'<!-- --' * 40_000}]]></description></item>"
        ),
        EITHER,
    ),
    "100,000 nested tags": (
        _rss(
            f"<item><guid>1</guid><title>Harbour</title>{'<a>' * 100_000}{'</a>' * 100_000}</item>"
        ),
        EITHER,
    ),
    "100,000 tags never closed": (
        _rss(f"<item><guid>1</guid><title>Harbour</title>{'<a>' * 100_000}"),
        EITHER,
    ),
    "100,000 nested items": (_rss("<item>" * 100_000), EITHER),
    "80,000 items": (
        _rss(
            "".join(
                f"<item><guid>{n}</guid><title>Harbour {n}</title></item>" for n in range(80_000)
            )
        ),
        EITHER,
    ),
    "80,000 entries that look odd": (
        _rss("<item>" + "<item><guid>1</guid></item>" * 80_000),
        EITHER,
    ),
    "one title of 8 MB": (
        _rss(f"<item><guid>1</guid><title>Harbour {'x' * 8_000_000}</title></item>"),
        EITHER,
    ),
    "one summary of 8 MB of markup": (
        _rss(
            "<item><guid>1</guid><title>Harbour</title>"
            f"<description>{'&lt;b&gt;x ' * 700_000}</description></item>"
        ),
        EITHER,
    ),
    "a million attributes": (
        _rss(f"<item><guid {' '.join(f'a{n}=1' for n in range(300_000))}>1</guid></item>"),
        EITHER,
    ),
    "a comment that never ends": (
        _rss("<item><guid>1</guid><title>Harbour</title></item><!--" + "-" * 3_000_000),
        EITHER,
    ),
    "deep JSON": (
        b'{"version":"https://jsonfeed.org/version/1.1","items":'
        + b"[" * 200_000
        + b"]" * 200_000
        + b"}",
        EITHER,
    ),
    "deep JSON in an item": (
        b'{"version":"https://jsonfeed.org/version/1.1","items":[{"id":'
        + b"[" * 900
        + b"]" * 900
        + b"}]}",
        EITHER,
    ),
    "a number of a million digits": (
        b'{"version":"https://jsonfeed.org/version/1.1","items":[{"id":'
        + b"9" * 1_000_000
        + b"}]}",
        EITHER,
    ),
    "80,000 JSON items": (
        json.dumps(
            {
                "version": "https://jsonfeed.org/version/1.1",
                "items": [{"id": n, "title": "Harbour"} for n in range(80_000)],
            }
        ).encode(),
        EITHER,
    ),
    "zeros": (bytes(9_000_000), EITHER),
    "opening brackets": (b"<" * 9_000_000, HOSTILE),
    "ampersands": (
        _rss(f"<item><guid>1</guid><title>Harbour {'&' * 2_000_000}</title></item>"),
        EITHER,
    ),
    "combining marks": (
        _rss(f"<item><guid>1</guid><title>Harbour{chr(0x301) * 2_000_000}</title></item>"),
        EITHER,
    ),
}


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    """A pool that lives through all documents, as it has to."""
    pool = Workers(LIMITS)
    yield pool
    pool.close()


async def parse(workers: Workers, body: bytes) -> ParsedDocument | ParseFailed:
    return await workers.parse(body, "application/rss+xml", URL, frozenset(), NOON, False)


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_a_hostile_document_is_its_own_failure_or_harmless_and_the_next_one_is_read(
    workers: Workers, name: str
) -> None:
    body, expected = DOCUMENTS[name]
    outcome = await parse(workers, body)
    if isinstance(outcome, ParseFailed):
        # On a busy machine even a harmless document may be stopped: that is its own failure.
        assert outcome.failure in {Failure.HOSTILE, Failure.NOT_A_FEED}
    else:
        assert expected in {HARMLESS, EITHER}
        for entry in outcome.entries:
            assert len(entry.title) <= TITLE_LENGTH
            assert len(entry.summary) <= 2000
            assert len(entry.author) <= 300
    following = await parse(workers, rss(item("1", "Ordinary harbour")).encode())
    assert isinstance(following, ParsedDocument)
    assert [entry.title for entry in following.entries] == ["Ordinary harbour"]


async def test_a_hostile_page_costs_its_limits_and_the_next_one_is_read(workers: Workers) -> None:
    opened = b'<li class="tgme_widget_message" data-post="harbour_news/1">'
    nested = opened + b"<b>" * 150_000
    page, channel = PageSource("li"), ChannelSource("harbour_news")
    outcome = await workers.parse(nested, "text/html", URL, frozenset(), NOON, False, channel)
    if isinstance(outcome, ParseFailed):
        assert outcome.failure in {Failure.HOSTILE, Failure.CHANGED_PAGE}
    ordinary = b'<li><a href="/1">Ordinary harbour</a></li>'
    following = await workers.parse(ordinary, "", URL, frozenset(), NOON, False, page)
    assert isinstance(following, ParsedDocument)
    assert await workers.propose(nested, "text/html", URL, NOON) == ()


ARTICLES = {
    "300,000 paragraphs": ("<p>x</p>" * 300_000, HOSTILE),
    "100,000 attributes": (f"<p {' '.join(f'a{n}' for n in range(100_000))}>x", HOSTILE),
    "100,000 rows": ("<table>" + "<tr><td>x" * 100_000, EITHER),
    "100,000 links": ("<a href=/x>Harbour news</a> " * 100_000, EITHER),
    "20,000 nested": ("<div>" * 20_000 + "<p>Harbour</p>" * 50, HARMLESS),
    "200,000 nested": ("<div>" * 200_000 + "<p>Harbour</p>" * 50, HARMLESS),
    "200,000 nested marks": ("<p>" + "<b>" * 200_000 + "x", HARMLESS),
    "20,000 nested tables": ("<table><tr><td>" * 20_000 + "x", HARMLESS),
}


@pytest.fixture(scope="module")
def article_readers() -> Iterator[Workers]:
    """A pool with time enough to load what reads articles in each new process."""
    pool = Workers(WorkerLimits(seconds=3.0, workers=1))
    yield pool
    pool.close()


@pytest.mark.parametrize("name", ARTICLES)
async def test_a_hostile_article_costs_its_limits_and_the_next_one_is_read(
    article_readers: Workers, name: str
) -> None:
    workers = article_readers
    body, expected = ARTICLES[name]
    page = f"<html><body>{body}</body></html>".encode()
    outcome = await workers.read_article(page, "text/html")
    if isinstance(outcome, PageFailed):
        # On a busy machine even a harmless page may be stopped: that costs nothing but itself.
        assert outcome.failure in {PageFailure.HARMFUL, PageFailure.NO_TEXT}
    else:
        assert expected is EITHER
        assert len(outcome.text) <= BODY_LENGTH
    said = "".join(f"<p>{n} boats of the ordinary harbour were counted.</p>" for n in range(20))
    following = await workers.read_article(f"<article>{said}</article>".encode(), "text/html")
    assert isinstance(following, PageText)
    assert "19 boats of the ordinary harbour" in following.text


async def test_entities_of_the_document_are_never_resolved_nor_files_opened(
    workers: Workers, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("unlikely words")
    for body in (_external(str(secret)), _laughs()):
        outcome = await parse(workers, body)
        assert isinstance(outcome, ParsedDocument)
        assert outcome.entries[0].title.startswith("Harbour &")
        assert "unlikely words" not in str(outcome)


async def test_a_document_that_asks_for_too_much_memory_is_its_feeds_failure() -> None:
    workers = Workers(WorkerLimits(seconds=30.0, memory=220 * 1024 * 1024, workers=1))
    try:
        body = (
            b'{"version":"https://jsonfeed.org/version/1.1","items":['
            + b'{"a":1},' * 1_200_000
            + b"1]}"
        )
        outcome = await parse(workers, body)
        assert isinstance(outcome, ParseFailed)
        assert outcome.failure is Failure.HOSTILE
        assert isinstance(
            await parse(workers, rss(item("1", "Ordinary harbour")).encode()), ParsedDocument
        )
    finally:
        workers.close()


def test_of_80000_items_500_are_read_and_the_others_remembered() -> None:
    body, _ = DOCUMENTS["80,000 items"]
    outcome = read_document(body, "", URL, frozenset(), NOON)
    assert isinstance(outcome, ParsedDocument)
    assert (len(outcome.entries), len(outcome.cut), len(outcome.blocks)) == (500, 79_500, 80_000)


def test_the_expat_in_use_bounds_what_entities_grow_to() -> None:
    assert tuple(map(int, pyexpat.EXPAT_VERSION.partition("_")[2].split("."))) >= (2, 4, 1)


async def test_several_hostile_documents_at_once_hold_up_nobody_for_longer_than_their_limits() -> (
    None
):
    workers = Workers(WorkerLimits(seconds=1.0, workers=2))
    try:
        hostile, _ = DOCUMENTS["opening brackets"]
        ordinary = rss(item("1", "Ordinary harbour")).encode()
        outcomes = await asyncio.gather(
            *(
                parse(workers, body)
                for body in (hostile, ordinary, hostile, ordinary, hostile, ordinary)
            )
        )
        assert [isinstance(outcome, ParsedDocument) for outcome in outcomes] == [False, True] * 3
    finally:
        workers.close()


async def test_a_hostile_feed_stalls_no_other(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    hostile, _ = DOCUMENTS["opening brackets"]
    paths = ["/hostile.xml", "/a.xml", "/b.xml", "/c.xml"]
    async with watching(
        tmp_path, server, clock, terminal, *paths, limits={"parse": "1s"}
    ) as harness:
        for path in paths:
            server.put(
                path,
                rss(item("old", f"Old {path}", link=f"https://zoo.example{path}", at=LONG_AGO)),
            )
        await harness.poll()
        for path in paths[1:]:
            server.put(
                path, rss(item("new", f"Harbour of {path}", link=f"https://zoo.example/new{path}"))
            )
        alerts = await harness.publish(hostile, path="/hostile.xml")
        assert sorted(alerts) == ["Harbour of /a.xml", "Harbour of /b.xml", "Harbour of /c.xml"]
        state = await harness.state("/hostile.xml")
        assert state.failure is Failure.HOSTILE
        assert "harm" in state.failure_text
        assert (await harness.state("/a.xml")).failure is None
        assert await harness.publish(
            rss(item("new", "Harbour after all")), path="/hostile.xml", after=timedelta(hours=1)
        ) == ["Harbour after all"]


@pytest.mark.parametrize("coding", ["gzip", "deflate", ""])
async def test_a_compressed_bomb_is_its_feeds_failure(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder, coding: str
) -> None:
    zeros = bytes(100_000_000)
    bomb = zlib.compress(zeros) if coding == "deflate" else gzip.compress(zeros, mtime=0)
    async with watching(tmp_path, server, clock, terminal) as harness:
        await harness.publish(rss(*archive(3)))
        await harness.publish(bomb, headers={"Content-Encoding": coding} if coding else None)
        assert (await harness.state()).failure is Failure.TOO_LARGE
        assert await harness.publish(rss(item("2", "Harbour fire"), *archive(3))) == [
            "Harbour fire"
        ]


@pytest.mark.parametrize(("more", "failure"), [(0, None), (1, Failure.TOO_LARGE)])
async def test_a_body_of_10_mib_is_read_and_one_byte_more_is_not(
    tmp_path: Path,
    server: FeedServer,
    clock: ManualClock,
    terminal: Recorder,
    more: int,
    failure: Failure | None,
) -> None:
    document = rss(*archive(3))
    async with watching(tmp_path, server, clock, terminal, limits={"parse": "30s"}) as harness:
        await harness.publish(document + " " * (10 * 1024 * 1024 + more - len(document)))
        assert (await harness.state()).failure is failure
