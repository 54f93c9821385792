"""The feeds that a web page names, and where to look when it names none."""

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.parse.discover import (
    MAX_FEEDS,
    MAX_GUESSES,
    MAX_PAGE_BYTES,
    FeedLink,
    feed_links,
    guessed_urls,
)
from bot.text.url import safe_link

BASE = "https://harbour.example/news/"
RSS = "application/rss+xml"


def page(head: str = "", body: str = "") -> bytes:
    head = f"<head><title>Harbour</title>{head}</head>"
    return f"<!DOCTYPE html><html>{head}<body>{body}</body></html>".encode()


def link(href: str, title: str = "", type_: str = RSS, rel: str = "alternate") -> str:
    return f'<link rel="{rel}" type="{type_}" title="{title}" href="{href}">'


def urls(document: bytes, base: str = BASE) -> list[str]:
    return [feed.url for feed in feed_links(document, base)]


# What the head names


def test_the_feeds_of_the_head_are_found_in_order_with_title_and_format() -> None:
    head = (
        link("/rss.xml", "Harbour &amp; Sea")
        + link("atom", "All", "application/atom+xml")
        + link("//feeds.example/1", "JSON", "application/feed+json")
    )

    assert feed_links(page(head), BASE) == (
        FeedLink("https://harbour.example/rss.xml", "Harbour & Sea", "rss"),
        FeedLink("https://harbour.example/news/atom", "All", "atom"),
        FeedLink("https://feeds.example/1", "JSON", "json"),
    )


@pytest.mark.parametrize(
    "written",
    [
        '<LINK REL="Alternate" TYPE="Application/RSS+XML" HREF="/rss.xml">',
        "<link rel=alternate type=application/rss+xml href=/rss.xml>",
        (
            '<link rel="home alternate\tfeed" type="application/rss+xml; charset=utf-8" href=" '
            '/rss.xml\n"/>'
        ),
        "<link href='/rss.xml' type='application/rss+xml ;charset=x' rel='alternate'/>",
    ],
)
def test_a_link_is_read_as_pages_write_it(written: str) -> None:
    assert feed_links(page(written), BASE) == (
        FeedLink("https://harbour.example/rss.xml", "", "rss"),
    )


@pytest.mark.parametrize(
    "other",
    [
        link("/style.css", "", "text/css", "stylesheet"),
        link("/de/", "", "text/html"),
        link("/rss.xml", "", RSS, "alternatively"),
        link("/oembed?url=x", "", "application/json+oembed"),
        link("/wp-json/wp/v2/pages/2", "JSON", "application/json"),
        link("javascript:alert(1)"),
        link("file:///etc/passwd"),
        link("https://ann:secret@harbour.example/rss.xml"),
        link("http://["),
        link(""),
        f"<!-- {link('/rss.xml')} -->",
        f"<script>document.write('{link('/rss.xml')}')</script>",
        "<link rel=alternate>",
    ],
)
def test_links_that_are_no_feeds_are_ignored(other: str) -> None:
    assert feed_links(page(other), BASE) == ()


def test_a_plain_json_type_counts_if_address_or_title_mentions_a_feed() -> None:
    head = link("/feed.json", "", "application/json") + link("/j", "JSON Feed", "application/json")

    assert urls(page(head)) == ["https://harbour.example/feed.json", "https://harbour.example/j"]


@pytest.mark.parametrize(
    ("base_tag", "url"),
    [
        ('<base href="https://other.example/a/">', "https://other.example/a/rss.xml"),
        (
            '<base target="_blank"><base href="../x/"><base href="/y/">',
            "https://harbour.example/x/rss.xml",
        ),
        ('<base href="javascript:alert(1)//">', "https://harbour.example/news/rss.xml"),
        ('<base href="http://[">', "https://harbour.example/news/rss.xml"),
    ],
)
def test_the_first_valid_base_of_a_page_is_used(base_tag: str, url: str) -> None:
    assert urls(page(base_tag + link("rss.xml"))) == [url]
    assert urls(page(link("rss.xml") + base_tag)) == [url]


def test_a_repeated_address_is_listed_once_at_its_first_position() -> None:
    head = link("/a", "First") + link("/b") + link("https://harbour.example/a", "Again")

    assert feed_links(page(head), BASE) == (
        FeedLink("https://harbour.example/a", "First", "rss"),
        FeedLink("https://harbour.example/b", "", "rss"),
    )


@pytest.mark.parametrize(
    "about",
    [
        ("/comments/feed/", "Harbour"),
        ("/c.xml", "Harbour » Comments Feed"),
        ("/c.xml", "Harbour » Kommentare"),
    ],
)
def test_feeds_of_comments_come_last(about: tuple[str, str]) -> None:
    head = link(*about) + link("/feed/", "Harbour") + link("/commentary.xml", "Commentary")

    assert urls(page(head))[2] == f"https://harbour.example{about[0]}"


def test_there_are_at_most_as_many_feeds_as_the_limit() -> None:
    assert urls(page("".join(link(f"/{number}.xml") for number in range(1000)))) == [
        f"https://harbour.example/{number}.xml" for number in range(MAX_FEEDS)
    ]


def test_titles_are_clean_and_short() -> None:
    (feed,) = feed_links(
        page(link("/rss.xml", "Harbour\u202e &lt;b&gt;\n Wire " + "x" * 500)), BASE
    )

    assert feed.title.startswith("Harbour <b> Wire x")
    assert len(feed.title) == 100


@pytest.mark.parametrize(
    ("encoding", "content_type", "meta"),
    [
        ("utf-8", "", ""),
        ("utf-8-sig", "", ""),
        ("utf-16", "", ""),
        ("cp1251", "text/html; charset=windows-1251", ""),
        ("cp1251", "text/html", '<meta charset="windows-1251">'),
        ("koi8-r", "", '<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">'),
        ("gb18030", "text/html;charset=gb2312", '<meta charset="utf-8">'),
    ],
)
def test_titles_are_read_in_the_encoding_of_the_page(
    encoding: str, content_type: str, meta: str
) -> None:
    document = page(meta + link("/rss.xml", "Гавань")).decode().encode(encoding)

    assert feed_links(document, BASE, content_type) == (
        FeedLink("https://harbour.example/rss.xml", "Гавань", "rss"),
    )


# Where the head names none


@pytest.mark.parametrize(
    ("anchor", "expected"),
    [
        ('<a href="/rss">News</a>', FeedLink("https://harbour.example/rss", "News", "rss")),
        (
            '<a href="/blog/atom.xml"><b>Follow</b> us</a>',
            FeedLink("https://harbour.example/blog/atom.xml", "Follow us", "atom"),
        ),
        ('<a href="/feed/"></a>', FeedLink("https://harbour.example/feed/", "", "")),
        (
            '<a href="/index.xml?x=1&copy=2">x</a>',
            FeedLink("https://harbour.example/index.xml?x=1&copy=2", "x", ""),
        ),
        ('<a href="/feed.json">x</a>', FeedLink("https://harbour.example/feed.json", "x", "json")),
        ('<a href="/?feed=rss2">x</a>', FeedLink("https://harbour.example/?feed=rss2", "x", "rss")),
        (
            '<a href="/x.php?type=100">RSS</a>',
            FeedLink("https://harbour.example/x.php?type=100", "RSS", ""),
        ),
        (
            '<a href="/x"><img src="i.png" alt="News feed"></a>',
            FeedLink("https://harbour.example/x", "News feed", ""),
        ),
        ('<a href="/x" title="Atom"><svg/></a>', FeedLink("https://harbour.example/x", "Atom", "")),
        (
            '<a href="https://feeds.example/h.rss">x</a>',
            FeedLink("https://feeds.example/h.rss", "x", "rss"),
        ),
        (
            '<a href="/rss">RSS<a href="/about">About</a>',
            FeedLink("https://harbour.example/rss", "RSS", "rss"),
        ),
    ],
)
def test_links_that_mention_a_feed_are_found(anchor: str, expected: FeedLink) -> None:
    assert feed_links(
        page("", f'<a href="/">Home</a>{anchor}<a href="/ports">Ports</a>'), BASE
    ) == (expected,)


@pytest.mark.parametrize(
    "anchor",
    [
        '<a href="/feedback">Feedback</a>',
        '<a href="/press">Press</a>',
        '<a href="/anatomy">Anatomy</a>',
        '<a href="/story/1">How the harbour came to feed a whole city in winter</a>',
        '<a href="#rss">RSS</a>',
        '<a href="mailto:rss@harbour.example">RSS</a>',
        '<a href="https://feedly.com/i/subscription/feed/https://harbour.example/x">Feedly</a>',
        "<a>RSS</a>",
        "<p>RSS</p>",
    ],
)
def test_links_that_mention_something_else_are_ignored(anchor: str) -> None:
    assert feed_links(page("", anchor), BASE) == ()


def test_links_of_the_page_count_only_if_the_head_has_none() -> None:
    anchor = '<a href="/sports/rss">RSS</a>'

    assert urls(page(link("/rss.xml"), anchor)) == ["https://harbour.example/rss.xml"]
    assert urls(page(link("javascript:alert(1)"), anchor)) == ["https://harbour.example/sports/rss"]


def test_links_that_mention_a_feed_in_their_address_come_first() -> None:
    body = '<a href="/comments/feed">x</a><a href="/help">About RSS</a><a href="/rss">x</a>'

    assert urls(page("", body)) == [
        f"https://harbour.example/{path}" for path in ("rss", "help", "comments/feed")
    ]


# Hostile

NESTED = {
    "elements": "<x>" * 100_000 + "</y>" * 100_000,
    "divisions": "<div>" * 100_000 + "</p>" * 100_000,
    "anchors": "<a href=/rss>" * 50_000,
    "attributes": f"<a {' '.join(f'a{number}=1' for number in range(50_000))}>",
    "options": "<select>" + "<option>" * 50_000,
}
ENDLESS = [
    "<!--",
    "<![x[",
    "<![CDATA[",
    "<a ",
    '<a href="',
    "<link rel=",
    "</",
    "<?",
    "&",
    "&#9",
    "<script>",
    "<!DOCTYPE ",
    "<a b= ",
    "--",
    "<",
]


@pytest.mark.parametrize("what", NESTED)
def test_a_page_of_deep_or_broad_markup_is_parsed(what: str) -> None:
    """Were any of these quadratic, the test would not come to its end."""
    assert "https://harbour.example/rss.xml" in urls(page(link("/rss.xml"), NESTED[what]))


@pytest.mark.parametrize("what", ENDLESS)
def test_links_before_unclosed_markup_are_found(what: str) -> None:
    document = page(link("/rss.xml")) + what.encode() * (300_000 // len(what))

    assert urls(document) == ["https://harbour.example/rss.xml"]


def test_character_references_of_thousands_of_digits_are_harmless() -> None:
    digits = "9" * 5000

    assert urls(
        page(
            f"&#{digits};<!-- {link(f'/&#{digits};') + link('/rss.xml')}".replace("<!-- ", ""),
            f"<a href='&#{digits}'>x<!--&#{digits}",
        )
    )


def test_only_the_beginning_of_a_large_page_is_parsed() -> None:
    filler = "é" * (MAX_PAGE_BYTES // 2)

    assert urls(page(link("/rss.xml", "é"), filler + '<a href="/rss">RSS</a>')) == [
        "https://harbour.example/rss.xml"
    ]
    assert urls(page("", filler + '<a href="/rss">RSS</a>')) == []


@given(
    st.binary(max_size=300)
    | st.text(alphabet="<>\"'&=/!-[]? #;alinkbsehrfatomRSS", max_size=300).map(str.encode),
    st.sampled_from([BASE, "", "http://[", "ftp://x/", "no address"]),
    st.text(max_size=30),
)
@example(
    b"<link rel=alternate type=application/rss+xml href=/&#99999999999;>", BASE, "charset=undefined"
)
@example(b"<base href=http://[><a href=//[x>rss</a>", BASE, "charset=hex")
def test_any_bytes_yield_safe_addresses_or_none(
    document: bytes, base: str, content_type: str
) -> None:
    for feed in feed_links(document, base, content_type):
        assert safe_link(feed.url) == feed.url


# Guesses


def test_guesses_are_the_usual_paths_of_a_site() -> None:
    assert guessed_urls("https://harbour.example") == tuple(
        f"https://harbour.example/{place}"
        for place in ("feed", "rss", "rss.xml", "atom.xml", "feed.xml", "index.xml")
    )


def test_paths_of_the_section_of_the_page_come_first() -> None:
    assert guessed_urls("http://harbour.example:8080/blog/2026/ships.html?x=1#top") == (
        "http://harbour.example:8080/blog/feed",
        "http://harbour.example:8080/blog/rss.xml",
        "http://harbour.example:8080/feed",
        "http://harbour.example:8080/rss",
        "http://harbour.example:8080/rss.xml",
        "http://harbour.example:8080/atom.xml",
    )


@pytest.mark.parametrize("path", ["/2026/03/ships", "/ships.html", "//", "/%2e%2e/x"])
def test_a_year_or_a_page_is_no_section(path: str) -> None:
    assert guessed_urls(f"https://harbour.example{path}") == guessed_urls("https://harbour.example")


def test_the_page_itself_is_no_guess() -> None:
    assert "https://harbour.example/feed" not in guessed_urls("https://harbour.example/feed")


CHANNEL = "UC" + "a1-_" * 5 + "bc"


@pytest.mark.parametrize(
    ("base", "feed"),
    [
        (
            f"https://www.youtube.com/channel/{CHANNEL}",
            f"https://www.youtube.com/feeds/videos.xml?channel_id={CHANNEL}",
        ),
        (
            f"https://m.youtube.com/channel/{CHANNEL}/videos?x=1",
            f"https://www.youtube.com/feeds/videos.xml?channel_id={CHANNEL}",
        ),
        (
            "https://youtube.com/playlist?si=1&list=PL0123456789",
            "https://www.youtube.com/feeds/videos.xml?playlist_id=PL0123456789",
        ),
        ("https://www.youtube.com/@harbour", None),
        ("https://www.reddit.com/r/ships/", "https://www.reddit.com/r/ships/.rss"),
        ("https://old.reddit.com/r/ships/top?t=day", "https://www.reddit.com/r/ships/.rss"),
        ("https://github.com/harbour/radar", "https://github.com/harbour/radar/releases.atom"),
        (
            "https://github.com/harbour/radar.js/releases",
            "https://github.com/harbour/radar.js/releases.atom",
        ),
        ("https://github.com/harbour/radar/tags", "https://github.com/harbour/radar/tags.atom"),
        ("https://medium.com/@harbour/ships-1", "https://medium.com/feed/@harbour"),
        ("https://harbour.substack.com/p/ships", "https://harbour.substack.com/feed"),
        ("https://social.example/@harbour", "https://social.example/@harbour.rss"),
        ("https://social.example:8443/@harbour/", "https://social.example:8443/@harbour.rss"),
    ],
)
def test_guesses_for_a_known_site_follow_its_published_rule(base: str, feed: str | None) -> None:
    assert guessed_urls(base) == ((feed,) if feed else ())


@pytest.mark.parametrize(
    "base",
    [
        "",
        "harbour.example",
        "ftp://harbour.example/",
        "http://[",
        "https://ann:secret@harbour.example/",
        "javascript:1",
    ],
)
def test_an_address_that_is_no_page_has_no_guesses(base: str) -> None:
    assert guessed_urls(base) == ()


@given(st.text(max_size=60))
@example("{0}{site}")
@example("@{site}")
def test_guesses_are_few_safe_and_of_the_same_host(path: str) -> None:
    urls = guessed_urls(f"https://harbour.example/{path}")

    assert len(set(urls)) == len(urls) <= MAX_GUESSES
    for url in urls:
        assert safe_link(url) == url
        assert urlsplit(url).hostname == "harbour.example"
