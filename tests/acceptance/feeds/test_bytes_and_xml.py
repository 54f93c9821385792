"""Bytes and XML as feeds really send them."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from feed_harness import LONG_AGO, PAUSE, FeedHarness, archive, watching
from support import NOON, FeedServer, ManualClock, Recorder, item, rss

from bot.model.delivery import DeliveryKind
from bot.model.feeds import Failure

DATE = "<pubDate>Mon, 02 Mar 2026 11:00:00 GMT</pubDate>"


@pytest.fixture
async def harness(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> AsyncIterator[FeedHarness]:
    async with watching(
        tmp_path, server, clock, terminal, query="harbour OR гавань OR 港口"
    ) as app:
        yield app


async def news(
    harness: FeedHarness, *items: str, head: str = "", root: str = "<rss version='2.0'>"
) -> list[str]:
    """The alerts where these raw items come on top of a feed with an old item."""
    top = f"{root}<channel><title>Wire</title><link>https://news.example/</link>{head}"
    old = item("old", "Old harbour", at=LONG_AGO)
    await harness.publish(f"{top}{old}</channel></rss>")
    return await harness.publish(f"{top}{''.join(items)}{old}</channel></rss>")


# 36, 37. Types and charsets.


@pytest.mark.parametrize(
    "kind", ["text/html", "text/plain", "application/octet-stream", "image/png", "", "nonsense"]
)
async def test_a_feed_is_read_whatever_type_the_server_calls_it(
    harness: FeedHarness, kind: str
) -> None:
    headers = {"Content-Type": kind}
    await harness.publish(rss(*archive(2)), headers=headers)
    assert await harness.publish(rss(item("2", "Гавань горит"), *archive(2)), headers=headers) == [
        "Гавань горит"
    ]


RUSSIAN, CHINESE = "Гавань закрыта", "港口关闭"


async def test_an_article_in_a_guessed_charset_is_read_again_when_the_charset_is_said(
    harness: FeedHarness,
) -> None:
    def document(*items: str) -> bytes:
        return rss(*items).replace(" encoding='utf-8'", "").encode("cp1251")

    await harness.publish(document(*archive(2)))
    words = item("1", "Гавань закрыта"), item("2", "Harbour «Лиса»")
    assert await harness.publish(document(*words, *archive(2))) == ["Harbour «Ëèñà»"]
    header = {"Content-Type": "text/xml; charset=windows-1251"}
    assert await harness.publish(document(*words, *archive(2)), headers=header) == [
        "Гавань закрыта"
    ]
    assert harness.edits == ["Harbour «Лиса»"]
    assert await harness.publish(document(*words, *archive(2)), headers=header) == []


@pytest.mark.parametrize(
    ("title", "really", "declared", "header"),
    [
        (RUSSIAN, "utf-8", "utf-8", "text/xml; charset=gbk"),
        (RUSSIAN, "utf-8", "", "text/xml"),
        (RUSSIAN, "utf-8", "", "text/xml; charset=us-ascii"),
        (RUSSIAN, "utf-8", "iso-8859-1", "text/xml; charset=utf-8"),
        (RUSSIAN, "windows-1251", "windows-1251", "text/xml; charset=windows-1252"),
        (RUSSIAN, "windows-1251", "windows-1251", "text/xml"),
        (RUSSIAN, "windows-1251", "", "text/xml; charset=windows-1251"),
        (RUSSIAN, "windows-1251", "utf-8", "text/xml; charset=windows-1251"),
        (RUSSIAN, "koi8-r", "koi8-r", "text/html"),
        (CHINESE, "gb18030", "gb2312", "text/xml; charset=utf-8"),
        (CHINESE, "gbk", "gbk", ""),
        (RUSSIAN, "utf-16", "utf-16", "text/xml"),
        (RUSSIAN, "utf-16", "utf-8", "text/xml; charset=utf-8"),
    ],
)
async def test_charsets_that_contradict_each_other_are_settled(
    harness: FeedHarness, title: str, really: str, declared: str, header: str
) -> None:
    declaration = f"<?xml version='1.0' encoding='{declared}'?>" if declared else ""

    def document(*items: str) -> bytes:
        return (
            rss(*items)
            .replace("<?xml version='1.0' encoding='utf-8'?>", declaration)
            .encode(really)
        )

    headers = {"Content-Type": header}
    await harness.publish(document(*archive(2)), headers=headers)
    assert await harness.publish(document(item("2", title), *archive(2)), headers=headers) == [
        title
    ]


# 38 to 41. Not well-formed.


@pytest.mark.parametrize("before", ["\ufeff", "\n", "\ufeff\n \n", "\r\n\r\n", "\n\ufeff"])
async def test_marks_and_blank_lines_before_the_declaration_do_no_harm(
    harness: FeedHarness, before: str
) -> None:
    await harness.publish(before + rss(*archive(2)))
    assert await harness.publish(before + rss(item("2", "Harbour & Sons"), *archive(2))) == [
        "Harbour & Sons"
    ]


@pytest.mark.parametrize("control", ["\x08", "\x18", "\x0b", "\x00", "&#8;", "&#x0B;", "\ufffe"])
async def test_control_characters_do_no_harm(harness: FeedHarness, control: str) -> None:
    assert await news(
        harness, f"<item><guid>2</guid><title>Harbour{control} fire</title></item>"
    ) == ["Harbour fire"]
    assert (await harness.state()).failure is None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Harbour&nbsp;fire", "Harbour fire"),
        ("Harbour &amp;&nbsp;Sons", "Harbour & Sons"),
        ("AT&T buys harbour", "AT&T buys harbour"),
        ("Harbour & Sons", "Harbour & Sons"),
        ("Harbour &eacute;t&eacute; &mdash; caf&eacute;", "Harbour été — café"),
        ("R&D; harbour", "R&D; harbour"),
        ("Harbour?a=1&b=2&copy=3", "Harbour?a=1&b=2&copy=3"),
    ],
)
async def test_undefined_entities_and_bare_ampersands_read_as_meant(
    harness: FeedHarness, written: str, read: str
) -> None:
    assert await news(harness, f"<item><guid>2</guid><title>{written}</title></item>") == [read]


@pytest.mark.parametrize(
    "broken",
    [
        "<item><guid>2</guid><title>Harbour fire</title><custom:field>x</custom:field></item>",
        "<item><guid>2</guid><title>Harbour fire</title><description><p>Smoke</description></item>",
        "<item><guid>2</guid><title>Harbour fire</title><b>bold</item>",
        "<item><guid>2</guid><title>Harbour fire</title><enclosure url=x length=3></item>",
    ],
)
async def test_undeclared_prefixes_and_mismatched_tags_are_read_loosely(
    harness: FeedHarness, broken: str
) -> None:
    assert await news(harness, broken, item("3", "Harbour flood")) == [
        "Harbour fire",
        "Harbour flood",
    ]


# 42, 43. Titles.


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Harbour&amp;#8217;s end", "Harbour’s end"),
        ("Harbour &amp;amp; Sons", "Harbour & Sons"),
        ("Harbour &amp;quot;closed&amp;quot;", 'Harbour "closed"'),
        ("Harbour &amp;lt;3", "Harbour <3"),
        ("Harbour &amp; Sons; partners", "Harbour & Sons; partners"),
    ],
)
async def test_titles_escaped_twice_are_unescaped(
    harness: FeedHarness, written: str, read: str
) -> None:
    assert await news(harness, f"<item><guid>2</guid><title>{written}</title></item>") == [read]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<![CDATA[Harbour <b>fire</b>]]>", "Harbour fire"),
        ("Harbour &lt;em&gt;fire&lt;/em&gt;", "Harbour fire"),
        ("Harbour: A &lt; B", "Harbour: A < B"),
        ("<![CDATA[Harbour: A < B & C]]>", "Harbour: A < B & C"),
        ("<![CDATA[  Harbour\n   fire ]]>", "Harbour fire"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;Harbour fire", "Harbour fire"),
        ("Harbour &lt;img src=x onerror=alert(1)&gt;fire", "Harbour fire"),
        ("Harbour \u202eerif\u202c\u200b fire", "Harbour erif fire"),
    ],
)
async def test_markup_leaves_titles_and_comparisons_stay(
    harness: FeedHarness, written: str, read: str
) -> None:
    assert await news(harness, f"<item><guid>2</guid><title>{written}</title></item>") == [read]


@pytest.mark.parametrize(
    ("kind", "written", "read"),
    [
        ("text", "Harbour: x &lt; y", "Harbour: x < y"),
        ("html", "Harbour &lt;b&gt;fire&lt;/b&gt; &amp;amp; smoke", "Harbour fire & smoke"),
        (
            "xhtml",
            "<div xmlns='http://www.w3.org/1999/xhtml'>Harbour <b>fire</b></div>",
            "Harbour fire",
        ),
    ],
)
async def test_atom_titles_are_read_by_their_type(
    harness: FeedHarness, kind: str, written: str, read: str
) -> None:
    def document(*entries: str) -> str:
        return (
            "<feed xmlns='http://www.w3.org/2005/Atom'><title>Wire</title><id>urn:w</id>"
            f"{''.join(entries)}</feed>"
        )

    old = "<entry><id>urn:0</id><title>Old</title></entry>"
    await harness.publish(document(old))
    assert await harness.publish(
        document(f"<entry><id>urn:1</id><title type='{kind}'>{written}</title></entry>", old)
    ) == [read]


# 44, 45. Links.


@pytest.mark.parametrize(
    ("base", "entry_base", "link", "shown"),
    [
        ("", "", "/a/fire", "{server}/a/fire"),
        ("", "", "fire", "{server}/fire"),
        ("https://zoo.example/news/", "", "fire", "https://zoo.example/news/fire"),
        ("https://zoo.example/news/", "2026/", "fire", "https://zoo.example/news/2026/fire"),
        ("", "https://zoo.example/", "/fire", "https://zoo.example/fire"),
        ("", "", "//zoo.example/fire", "http://zoo.example/fire"),
    ],
)
async def test_relative_links_are_resolved(
    harness: FeedHarness, base: str, entry_base: str, link: str, shown: str
) -> None:
    def attribute(value: str) -> str:
        return f" xml:base='{value}'" if value else ""

    def document(*entries: str) -> str:
        return (
            f"<feed xmlns='http://www.w3.org/2005/Atom'{attribute(base)}"
            f"><title>Wire</title><id>urn:w</id>{''.join(entries)}</feed>"
        )

    old = "<entry><id>urn:0</id><title>Old</title></entry>"
    await harness.publish(document(old))
    await harness.publish(
        document(
            f"<entry{attribute(entry_base)}><id>urn:1</id><title>Harbour</title><link href='"
            f"{link}'/></entry>",
            old,
        )
    )
    assert harness.alerts[0].link == shown.format(server=harness.server.base)


async def test_relative_links_are_resolved_against_where_a_redirect_ends(
    harness: FeedHarness,
) -> None:
    await harness.publish(rss(item("1", "Old", link="/old", at=LONG_AGO)))
    await harness.publish(rss(item("2", "Harbour", link="fire")), path="/deep/feed.xml")
    harness.server.put("/feed.xml", b"", status=302, headers={"Location": "/deep/feed.xml"})
    await harness.poll()
    assert harness.alerts[0].link == harness.server.url("/deep/fire")


@pytest.mark.parametrize(
    ("inside", "shown"),
    [
        ("<guid>https://zoo.example/fire</guid>", "https://zoo.example/fire"),
        ("<guid isPermaLink='true'>https://zoo.example/fire</guid>", "https://zoo.example/fire"),
        ("<guid isPermaLink='false'>https://zoo.example/?p=1</guid>", "https://news.example/"),
        ("<guid>tag:zoo.example,2026:1</guid>", "https://news.example/"),
        ("<guid>fire-1</guid>", "https://news.example/"),
        ("<guid>1</guid><link>javascript:alert(1)</link>", "https://news.example/"),
        ("<guid>1</guid><link>tg://resolve?domain=x</link>", "https://news.example/"),
        ("<guid>1</guid><link>https://user:secret@zoo.example/</link>", "https://news.example/"),
        (
            (
                "<guid "
                "isPermaLink='false'>https://zoo.example/?p=1</guid>"
                "<link>https://zoo.example/fire</link>"
            ),
            "https://zoo.example/fire",
        ),
    ],
)
async def test_a_guid_is_a_link_only_where_it_says_so(
    harness: FeedHarness, inside: str, shown: str
) -> None:
    assert await news(harness, f"<item><title>Harbour fire</title>{inside}</item>") == [
        "Harbour fire"
    ]
    assert harness.alerts[0].link == shown


async def test_entries_without_link_are_stories_of_their_own(harness: FeedHarness) -> None:
    many = [f"<item><guid>n{n}</guid><title>Harbour {n}</title></item>" for n in "abc"]
    assert len(await news(harness, *many)) == 3


async def test_a_redirect_changes_no_guid(harness: FeedHarness) -> None:
    items = [f"<item><guid>{n}</guid><title>Harbour level</title>{DATE}</item>" for n in range(8)]
    await harness.publish(rss(*items).replace("Mar", "Feb"))
    harness.server.put("/feed.xml", b"", status=302, headers={"Location": "/deep/feed.xml"})
    assert await harness.publish(rss(*items), path="/deep/feed.xml") == []
    assert await harness.entries() == 8


# 46, 47, 48, 49. Elements of other kinds.


async def test_a_title_of_a_picture_is_not_the_headline(harness: FeedHarness) -> None:
    picture = (
        "<media:content url='https://zoo.example/p.jpg'><media:title>A "
        "picture</media:title></media:content><media:title>Other</media:title>"
    )
    root = "<rss version='2.0' xmlns:media='http://search.yahoo.com/mrss/'>"
    before = f"<item>{picture}<title>Harbour fire</title><guid>2</guid></item>"
    after = f"<item><title>Harbour flood</title>{picture}<guid>3</guid></item>"
    assert await news(harness, before, after, root=root) == ["Harbour fire", "Harbour flood"]


async def test_json_feeds_are_read_with_numbers_for_ids_and_without_ids(
    harness: FeedHarness,
) -> None:
    def document(*items: object) -> str:
        return json.dumps(
            {"version": "https://jsonfeed.org/version/1.1", "title": "Wire", "items": items}
        )

    headers = {"Content-Type": "application/feed+json"}
    old = {
        "id": 1,
        "url": "https://zoo.example/1",
        "title": "Old",
        "date_published": "2026-02-01T00:00:00Z",
    }
    number = {"id": 2, "url": "/fire", "title": "Harbour fire", "content_html": "<p>Smoke</p>"}
    nameless = {"title": "Harbour flood", "content_text": "Water"}
    untitled = {"id": "4", "content_text": "Harbour strike: talks begin"}
    await harness.publish(document(old), headers=headers)
    assert await harness.publish(
        document(number, nameless, 7, untitled, {}, old), headers=headers
    ) == [
        "Harbour fire",
        "Harbour flood",
        "Harbour strike: talks begin",
    ]
    assert harness.alerts[0].link == harness.server.url("/fire")
    assert (
        await harness.publish(
            document({**number, "id": "2"}, nameless, untitled, old), headers=headers
        )
        == []
    )


async def test_without_link_the_enclosure_is_the_link(harness: FeedHarness) -> None:
    episode = (
        "<item><guid isPermaLink='false'>e2</guid><title>Harbour talk</title><enclosure "
        "url='https://zoo.example/e2.mp3' type='audio/mpeg'/></item>"
    )
    await news(harness, episode)
    assert harness.alerts[0].link == "https://zoo.example/e2.mp3"
    again = episode.replace("e2</guid>", "upload-2</guid>")
    assert await harness.publish(rss(again, item("old", "Old harbour", at=LONG_AGO))) == []


async def test_of_several_links_the_alternate_in_html_is_taken(harness: FeedHarness) -> None:
    links = (
        "<link rel='self' href='https://zoo.example/self.atom'/><link rel='replies' "
        "type='text/html' href='https://zoo.example/comments'/>"
        "<link rel='alternate' type='application/json' href='https://zoo.example/fire.json'/>"
        "<link rel='alternate' type='text/html' href='https://zoo.example/fire'/>"
    )

    def document(*entries: str) -> str:
        return (
            "<feed xmlns='http://www.w3.org/2005/Atom'><title>Wire</title><id>urn:w</id>"
            f"{''.join(entries)}</feed>"
        )

    await harness.publish(document("<entry><id>urn:0</id><title>Old</title></entry>"))
    await harness.publish(
        document(
            f"<entry><id>urn:1</id><title>Harbour</title>{links}</entry>",
            "<entry><id>urn:0</id><title>Old</title></entry>",
        )
    )
    assert harness.alerts[0].link == "https://zoo.example/fire"


async def test_an_aggregators_original_link_and_source_are_shown(harness: FeedHarness) -> None:
    root = "<rss version='2.0' xmlns:feedburner='http://rssnamespace.org/feedburner/ext/1.0'>"
    inside = (
        "<link>https://aggregator.example/~r/x/1</link>"
        "<feedburner:origLink>https://zoo.example/fire</feedburner:origLink>"
        "<source url='https://zoo.example/rss'>Zoo Times</source>"
    )
    await news(
        harness,
        f"<item><guid isPermaLink='false'>2</guid><title>Harbour fire</title>{inside}</item>",
        root=root,
    )
    assert (harness.alerts[0].link, harness.alerts[0].source) == (
        "https://zoo.example/fire",
        "Zoo Times",
    )


@pytest.mark.parametrize(
    "words", ["This feed is no longer available", "The harbour feed has been discontinued"]
)
async def test_a_lone_item_that_says_the_feed_is_gone_sends_no_alert_and_is_reported(
    harness: FeedHarness, words: str
) -> None:
    await harness.publish(rss(*archive(8)))
    before = await harness.state()
    assert await harness.publish(rss(item("gone", words))) == []
    state = await harness.state()
    assert state.failure is Failure.TOMBSTONE
    assert state.document == before.document
    for _ in range(4):
        await harness.poll(after=timedelta(hours=12))
    assert harness.alert_titles == []
    assert words in "".join(harness.notices)


@pytest.mark.parametrize(
    "title",
    [
        "Harbour ferry is no longer running",
        "Harbour storm warning is no longer active",
        "Harbour master has moved to Oster",
    ],
)
async def test_an_ordinary_lone_item_is_no_tombstone(harness: FeedHarness, title: str) -> None:
    await harness.publish(rss(*archive(8)))
    assert await harness.publish(rss(item("2", title))) == [title]


# 50. A whole archive.


def vast(count: int, *, oldest_first: bool = False) -> list[str]:
    items = [
        item(f"v{n}", f"Harbour diary {n}", at=NOON - timedelta(days=2, hours=n))
        for n in range(count)
    ]
    return items[::-1] if oldest_first else items


@pytest.mark.parametrize("oldest_first", [False, True])
async def test_of_a_whole_archive_the_newest_are_kept_and_the_status_says_so(
    harness: FeedHarness, *, oldest_first: bool
) -> None:
    old = vast(2000, oldest_first=oldest_first)
    assert await harness.publish(rss(*old), after=timedelta(0)) == []
    assert await harness.entries() == 500
    state = await harness.state()
    assert state.cut == 1500
    assert state.newest == NOON - timedelta(days=2)
    new = item("new", "Harbour news", at=NOON + PAUSE)
    assert await harness.publish(rss(*old, new) if oldest_first else rss(new, *old)) == [
        "Harbour news"
    ]


async def test_what_was_cut_sends_no_alert_when_it_comes_within_reach(
    harness: FeedHarness,
) -> None:
    await harness.publish(rss(*vast(900)))
    assert await harness.publish(rss(*vast(900)[450:])) == []
    edited = [item.replace("diary", "journal") for item in vast(900)[700:705]]
    assert await harness.publish(rss(*vast(700), *edited)) == []
    assert harness.terminal.texts(DeliveryKind.NOTICE) == []


async def test_a_document_beyond_the_limit_is_the_feeds_failure(harness: FeedHarness) -> None:
    await harness.publish(rss(*archive(3)))
    await harness.publish(rss(item("2", "Harbour", text="x" * (10 * 1024 * 1024 + 1))))
    state = await harness.state()
    assert state.failure is Failure.TOO_LARGE
    assert "10 MiB" in state.failure_text
