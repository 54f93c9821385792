"""Parsing documents: golden cases, and that known blocks can be removed before."""

import json
import pickle
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sampling import examples
from support import NOON

from bot.model.entries import ParsedDocument, ParseFailed
from bot.model.feeds import Failure
from bot.parse.blocks import scan
from bot.parse.read import MAX_NEW_ENTRIES, cut_known_blocks, read_document

URL = "https://zoo.example/deep/feed.xml"
FOX = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


def read(
    body: str | bytes,
    content_type: str = "",
    known: frozenset[bytes] = frozenset(),
    url: str = URL,
    charset: str = "",
) -> ParsedDocument:
    data = body.encode() if isinstance(body, str) else body
    outcome = read_document(data, content_type, url, known, NOON, charset=charset)
    assert isinstance(outcome, ParsedDocument), outcome
    return outcome


def test_entries_come_from_a_worker_as_they_are() -> None:
    document = read(RSS_20)
    assert document.entries
    assert pickle.loads(pickle.dumps(document)) == document  # noqa: S301 (our own)


# Formats.

RSS_20 = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel><title>Zoo News</title><link>https://zoo.example/</link>
<language>en-gb</language><ttl>30</ttl>
<item><title>Fox &amp; hen</title><link>https://zoo.example/fox?utm_source=rss</link>
<guid isPermaLink="false">fox-1</guid>
<description>&lt;p&gt;The fox &lt;b&gt;slept&lt;/b&gt;.&lt;/p&gt;</description>
<dc:creator>A. Keeper</dc:creator>
<pubDate>Sun, 01 Mar 2026 08:30:00 GMT</pubDate>
<source url="https://den.example/rss">The Den</source></item>
<item><title>Owl</title><guid>https://zoo.example/owl</guid>
<content:encoded><![CDATA[<p>The owl</p><p>woke.</p>]]></content:encoded></item>
</channel></rss>"""

RSS_10 = """<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="https://zoo.example/"><title>Zoo News</title><link>https://zoo.example/</link>
<items><rdf:Seq><rdf:li rdf:resource="https://zoo.example/fox"/></rdf:Seq></items></channel>
<item rdf:about="https://zoo.example/fox"><title>Fox</title>
<link>https://zoo.example/fox</link><description>Slept.</description>
<dc:date>2026-03-01T09:30:00+01:00</dc:date></item></rdf:RDF>"""

RSS_091 = """<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN"
 "http://my.netscape.com/publish/formats/rss-0.91.dtd">
<rss version="0.91"><channel><title>Zoo News</title><link>https://zoo.example/</link>
<item><title>Fox</title><link>https://zoo.example/fox</link><description>Slept.</description></item>
</channel></rss>"""

ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://zoo.example/news/" xml:lang="en">
<title>Zoo News</title><id>urn:zoo</id>
<link href="https://zoo.example/"/><updated>2026-03-01T10:00:00Z</updated>
<entry xml:base="2026/"><id>urn:fox</id>
<title type="html">Fox &amp;amp; &lt;i&gt;hen&lt;/i&gt;</title>
<link rel="alternate" href="fox"/>
<published>2026-03-01T08:30:00Z</published><updated>2026-03-01T09:00:00Z</updated>
<author><name>A. Keeper</name></author>
<summary>It slept.</summary></entry>
<entry><id>urn:owl</id>
<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">The <b>owl</b></div></title>
<link href="/owl"/>
<content type="html">&lt;p&gt;Woke.&lt;/p&gt;</content>
<updated>2026-03-01T09:00:00Z</updated></entry></feed>"""

PREFIXED = ATOM.replace("xmlns=", "xmlns:a=", 1)
for _name in (
    "feed",
    "entry",
    "title",
    "id",
    "link",
    "updated",
    "published",
    "author",
    "name",
    "summary",
    "content",
):
    PREFIXED = PREFIXED.replace(f"<{_name}", f"<a:{_name}").replace(f"</{_name}>", f"</a:{_name}>")

JSON_FEED = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Zoo News",
        "home_page_url": "https://zoo.example/",
        "language": "en",
        "items": [
            {
                "id": 7,
                "url": "fox",
                "title": "Fox",
                "content_html": "<p>Slept.</p>",
                "date_published": "2026-03-01T09:30:00+01:00",
            },
            {
                "url": "https://zoo.example/owl",
                "content_text": "The owl woke.",
                "authors": [{"name": "A. Keeper"}],
            },
            {"id": 7.5, "title": "A fraction for an id"},
            {"id": "https://zoo.example/hen", "title": "Hen", "date_published": "not a date"},
            {"id": "x", "external_url": "https://den.example/x", "title": 5},
            "no item",
            {},
        ],
    }
)


def test_rss_20_is_read() -> None:
    document = read(RSS_20)
    fox, owl = document.entries
    assert (document.title, document.link, document.language) == (
        "Zoo News",
        "https://zoo.example/",
        "en-gb",
    )
    assert document.hints.ttl == timedelta(minutes=30)
    assert (fox.guid, fox.link, fox.title, fox.summary) == (
        "fox-1",
        "https://zoo.example/fox",
        "Fox & hen",
        "The fox slept.",
    )
    assert (fox.author, fox.source, fox.published, fox.updated) == (
        "A. Keeper",
        "The Den",
        FOX,
        None,
    )
    assert (owl.link, owl.summary, owl.published) == (
        "https://zoo.example/owl",
        "The owl woke.",
        None,
    )
    assert len(document.blocks) == 2


def test_rss_10_is_read() -> None:
    (fox,) = read(RSS_10).entries
    assert (fox.guid or fox.link, fox.title, fox.summary, fox.published) == (
        "https://zoo.example/fox",
        "Fox",
        "Slept.",
        FOX,
    )


def test_rss_091_is_read() -> None:
    (fox,) = read(RSS_091).entries
    assert (fox.link, fox.title, fox.summary) == ("https://zoo.example/fox", "Fox", "Slept.")


@pytest.mark.parametrize("document", [ATOM, PREFIXED], ids=["plain", "prefixed"])
def test_atom_is_read_with_its_bases(document: str) -> None:
    fox, owl = read(document).entries
    assert (fox.guid, fox.link, fox.title, fox.summary) == (
        "urn:fox",
        "https://zoo.example/news/2026/fox",
        "Fox & hen",
        "It slept.",
    )
    assert (fox.author, fox.published, fox.updated) == (
        "A. Keeper",
        FOX,
        FOX + timedelta(minutes=30),
    )
    assert (owl.link, owl.title, owl.summary) == ("https://zoo.example/owl", "The owl", "Woke.")
    assert owl.published == owl.updated == FOX + timedelta(minutes=30)


def test_json_feed_is_read() -> None:
    document = read(JSON_FEED)
    fox, owl, fraction, hen, other = document.entries
    assert (document.title, document.link, document.language, document.skipped) == (
        "Zoo News",
        "https://zoo.example/",
        "en",
        2,
    )
    assert (fox.guid, fox.link, fox.title, fox.summary, fox.published) == (
        "7",
        "https://zoo.example/deep/fox",
        "Fox",
        "Slept.",
        FOX,
    )
    assert (owl.guid, owl.link, owl.title, owl.author) == (
        "",
        "https://zoo.example/owl",
        "The owl woke.",
        "A. Keeper",
    )
    assert fraction.guid == "7.5"
    assert (hen.link, hen.published) == ("https://zoo.example/hen", None)
    assert (other.link, other.title) == ("https://den.example/x", "5")


@pytest.mark.parametrize(
    "broken",
    [
        '{"items": 5}',
        '{"version": "2.0", "items": []}',
        '{"a',
        "{}",
        '{"error": "gone"}',
        "[]",
        '"x"',
        "7",
    ],
)
def test_other_json_is_no_feed(broken: str) -> None:
    outcome = read_document(broken.encode(), "application/json", URL, frozenset(), NOON)
    assert isinstance(outcome, ParseFailed)
    assert outcome.failure is Failure.NOT_A_FEED


def test_a_json_feed_that_quotes_xml_is_not_scanned_as_xml() -> None:
    def document(*texts: str) -> bytes:
        items = [
            {"id": str(n), "title": "How to write feeds", "content_html": text}
            for n, text in enumerate(texts)
        ]
        return json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}).encode()

    lesson = "Write <rss><item><title>x</title></item></rss>"
    whole = read(document(lesson))
    assert cut_known_blocks(document("More", lesson), "", frozenset(whole.blocks)) is None
    assert len(read(document(lesson, "More"), known=frozenset(whole.blocks)).entries) == 1


# Where entries begin and end.

SHAPES = {
    "CDATA that contains an item": (
        "<item><guid>1</guid><description><![CDATA[<item><guid>x</guid></item>]]></description>"
        "</item><item><guid>2</guid></item>"
    ),
    "a comment that contains an item": (
        "<!-- <item><guid>x</guid></item> --><item><guid>1</guid></item><!-- </item> "
        "--><item><guid>2</guid></item>"
    ),
    "an escaped item": (
        "<item><guid>1</guid><description>&lt;item&gt;&lt;/item&gt;</description></item>"
        "<item><guid>2</guid></item>"
    ),
    "elements that begin alike": (
        "<items/><item ><guid>1</guid><itemId>x</itemId></item\n><item\n><guid>2</guid></item>"
    ),
    "attributes": "<item id='a>b'><guid>1</guid></item><item rdf:about='2'><guid>2</guid></item>",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_blocks_end_where_entries_end(shape: str) -> None:
    document = read(
        "<rss version='2.0' xmlns:rdf='urn:rdf'><channel><title>Zoo</title>"
        f"{SHAPES[shape]}</channel></rss>"
    )
    assert [entry.guid for entry in document.entries] == ["1", "2"]


@pytest.mark.parametrize(
    "body",
    [
        "<item><guid>1</guid><item><guid>2</guid></item></item>",
        "<item><guid>1</guid><item><guid>2</guid></item>",
        "<item><guid>1</guid></entry><item><guid>2</guid></item>",
        "<item><guid>1</guid><![CDATA[ never closed </item><item><guid>2</guid></item>",
        "<item><guid>1</guid><!-- never closed </item><item><guid>2</guid></item>",
        "</item><item><guid>1</guid></item>",
        "<a:item><guid>1</guid></a:item>",
        "<item/><item><guid>1</guid></item>",
    ],
)
def test_documents_of_unusual_structure_have_no_blocks(body: str) -> None:
    assert scan(f"<rss><channel>{body}</channel></rss>".encode()) == ()
    outcome = read_document(
        f"<rss version='2.0'><channel><title>Zoo</title>{body}</channel></rss>".encode(),
        "",
        URL,
        frozenset(),
        NOON,
    )
    assert isinstance(outcome, ParsedDocument)
    assert outcome.blocks == ()


def test_blocks_have_their_ranges_and_equal_bytes_have_equal_hashes() -> None:
    body = b"<rss><item>a</item> x <item>a</item><item>b</item></rss>"
    blocks = scan(body)
    assert [body[block.start : block.end] for block in blocks] == [
        b"<item>a</item>",
        b"<item>a</item>",
        b"<item>b</item>",
    ]
    assert blocks[0].hash == blocks[1].hash != blocks[2].hash


# Hints, pages, caps.


def test_hints_are_read_from_the_head() -> None:
    head = (
        "<skipHours><hour>0</hour><hour>23</hour><hour>99</hour></skipHours>"
        "<skipDays><day>Sunday</day><day>Noday</day></skipDays>"
    )
    syndication = (
        "<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>"
    )
    namespace = "xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'"
    document = read(
        f"<rss version='2.0' {namespace}><channel><ttl>60</ttl>{syndication}{head}"
        "<item><guid>1</guid></item></channel></rss>"
    )
    assert document.hints.ttl == timedelta(hours=12)
    assert (document.hints.skip_hours, document.hints.skip_days) == (
        frozenset({0, 23}),
        frozenset({6}),
    )


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        (
            "<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>",
            Failure.BLOCKED,
        ),
        ("<!DOCTYPE html><html><body>Sign in</body></html>", Failure.NOT_A_FEED),
        (
            "<html xmlns='http://www.w3.org/1999/xhtml'><body><item>x</item></body></html>",
            Failure.NOT_A_FEED,
        ),
        ("", Failure.NOT_A_FEED),
        ("   \n ", Failure.NOT_A_FEED),
        ("plain words", Failure.NOT_A_FEED),
        ("<opml><body><outline xmlUrl='x'/></body></opml>", Failure.NOT_A_FEED),
        ("<?xml version='1.0'?><urlset><url><loc>x</loc></url></urlset>", Failure.NOT_A_FEED),
    ],
)
def test_a_document_that_is_no_feed_has_a_failure_of_its_kind(body: str, failure: Failure) -> None:
    outcome = read_document(body.encode(), "text/html", URL, frozenset(), NOON)
    assert isinstance(outcome, ParseFailed)
    assert outcome.failure is failure


@pytest.mark.parametrize(
    "body",
    [
        "<rss version='2.0'><channel><title>Zoo</title></channel></rss>",
        "<feed xmlns='http://www.w3.org/2005/Atom'/>",
    ],
)
def test_a_feed_without_entries_is_a_feed(body: str) -> None:
    assert read(body).entries == ()


def test_known_blocks_do_not_count_towards_the_cap() -> None:
    body = (
        "<rss version='2.0'><channel>"
        + "".join(f"<item><guid>{n}</guid></item>" for n in range(MAX_NEW_ENTRIES + 10))
        + "</channel></rss>"
    )
    first = read(body)
    assert (len(first.entries), len(first.cut)) == (MAX_NEW_ENTRIES, 10)
    assert [
        entry.guid
        for entry in read(body, known=frozenset(first.blocks) - frozenset(first.cut)).entries
    ] == [str(MAX_NEW_ENTRIES + n) for n in range(10)]


# The property that matters most.

ENTRIES = st.lists(
    st.tuples(
        st.text("abc", min_size=1, max_size=3),
        st.sampled_from(
            [
                "Fox",
                "Fox &amp; hen",
                "AT&T",
                "caf&eacute;",
                "<![CDATA[<b>Owl</b> </item>]]>",
                "A < B",
                "fox\x0b",
                "Лиса",
            ]
        ),
        st.sampled_from(
            [
                "",
                "<description>&lt;p&gt;x&lt;/p&gt;</description>",
                "<!-- <item> -->",
                "<q:x>undeclared</q:x>",
                "<b>mismatched",
            ]
        ),
        st.sampled_from(
            ["", "<pubDate>Sun, 01 Mar 2026 08:30:00 GMT</pubDate>", "<link>owl</link>"]
        ),
    ),
    min_size=1,
    max_size=8,
)


def known_parts(whole: ParsedDocument, chance: Random) -> Iterator[frozenset[bytes]]:
    yield frozenset(whole.blocks)
    for share in (0.2, 0.8):
        yield frozenset(block for block in whole.blocks if chance.random() < share)


def check(body: bytes, header: str, known: frozenset[bytes], whole: ParsedDocument) -> None:
    """Both ways by which workers read a document of which some blocks are known."""
    expected = tuple(entry for entry in whole.entries if entry.block not in known)
    part = read(body, header, known)
    assert part.entries == expected
    assert part.blocks == whole.blocks
    short = cut_known_blocks(body, header, known)
    if short and short.body:
        assert read(short.body, header, charset=short.charset).entries == expected
    elif short:
        assert expected == ()


@settings(max_examples=examples(80), deadline=None)
@given(ENTRIES, st.sampled_from(["utf-8", "utf-16", "windows-1251"]), st.randoms())
def test_a_document_without_its_known_blocks_parses_like_the_whole_document(
    drawn: list[tuple[str, ...]], charset: str, chance: Random
) -> None:
    items = "".join(
        f"<item><guid>{guid}</guid><title>{words}</title>{more}{date}</item>"
        for guid, words, more, date in drawn
    )
    text = (
        f"<?xml version='1.0' encoding='{charset}'?><rss version='2.0'><channel><title>Zoo</title>"
        f"{items}</channel></rss>"
    )
    body = text.encode(charset)
    whole = read(body)
    for known in known_parts(whole, chance):
        if whole.blocks:
            check(body, "", known, whole)


@pytest.mark.parametrize("document", [RSS_20, RSS_10, RSS_091, ATOM, JSON_FEED])
def test_every_subset_of_a_small_document_parses_like_the_whole_document(document: str) -> None:
    body = document.encode()
    whole = read(body)
    for bits in range(2 ** len(whole.blocks)):
        check(
            body,
            "",
            frozenset(block for n, block in enumerate(whole.blocks) if bits >> n & 1),
            whole,
        )


def real_documents(shared: Path) -> Iterator[tuple[str, bytes]]:
    for archive in (
        "real_feeds_kagi200/news.tar.xz",
        "real_feeds_kagi200/blogs_dev.tar.xz",
        "nonlatin_feeds/docs.tar.xz",
    ):
        with tarfile.open(shared / archive) as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isfile() else None
                if file and member.size < 300_000:
                    yield member.name, file.read()


def test_real_documents_without_known_blocks_parse_like_whole_documents(shared: Path) -> None:
    seen = 0
    for name, body in real_documents(shared):
        outcome = read_document(body, "", URL, frozenset(), NOON)
        if isinstance(outcome, ParseFailed) or outcome.cut or not outcome.blocks:
            continue
        seen += 1
        chance = Random(name)
        known = frozenset(block for block in outcome.blocks if chance.random() < 0.7)
        part = read_document(body, "", URL, known, NOON)
        assert isinstance(part, ParsedDocument), name
        assert part.entries == tuple(
            entry for entry in outcome.entries if entry.block not in known
        ), name
    assert seen > 80
