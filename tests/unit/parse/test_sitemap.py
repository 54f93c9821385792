"""News sitemaps: what becomes of an address, and what is no news sitemap."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sampling import examples
from support import NOON

from bot.model.entries import ParsedDocument, ParseFailed
from bot.model.feeds import Failure
from bot.parse.read import read_document
from bot.parse.sitemap import MAX_CHILDREN, is_sitemap

URL = "https://herald.example/news-sitemap.xml"
ROOT = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!-- made by hand -->\n'
    '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
    'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">'
)


def located(number: int, title: str, more: str = "", prefix: str = "news") -> str:
    return (
        f"<url><loc>https://herald.example/a/{number}?utm_source=map</loc>"
        f"<image:image><image:title>A picture</image:title></image:image>"
        f"<{prefix}:news><{prefix}:publication><{prefix}:name>Coast Herald</{prefix}:name>"
        f"<{prefix}:language>en</{prefix}:language></{prefix}:publication>"
        f"<{prefix}:publication_date>2026-03-02T11:00:00+00:00</{prefix}:publication_date>"
        f"<{prefix}:title>{title}</{prefix}:title></{prefix}:news>{more}</url>"
    )


def sitemap(*urls: str) -> str:
    return f"{ROOT}{''.join(urls)}</urlset>"


def outcome(text: str, known: frozenset[bytes] = frozenset()) -> ParsedDocument | ParseFailed:
    return read_document(text.encode(), "application/xml", URL, known, NOON)


def read(text: str, known: frozenset[bytes] = frozenset()) -> ParsedDocument:
    document = outcome(text, known)
    assert isinstance(document, ParsedDocument)
    return document


@pytest.mark.parametrize(
    ("title", "read_as"),
    [
        ("Harbour closed", "Harbour closed"),
        ("Ferries &amp; trams", "Ferries & trams"),
        ("<![CDATA[Wind < 9 & rising]]>", "Wind < 9 & rising"),
        ("\n  Порт закрыт\n", "Порт закрыт"),
    ],
)
def test_an_address_with_news_is_an_entry(title: str, read_as: str) -> None:
    document = read(sitemap(located(1, title)))
    [entry] = document.entries

    assert (document.title, document.is_sitemap) == ("Coast Herald", True)
    assert (entry.title, entry.summary) == (read_as, "")
    assert entry.link == "https://herald.example/a/1"
    assert entry.published == datetime(2026, 3, 2, 11, tzinfo=UTC)
    assert entry.keys.link
    assert entry.keys.guid


def test_only_what_is_new_or_other_is_read_again() -> None:
    before = read(sitemap(located(1, "Harbour closed"), located(2, "Ferry late")))
    later = sitemap(located(3, "Pier opens"), located(1, "Harbour open"), located(2, "Ferry late"))
    document = read(later, frozenset(before.blocks))

    assert [entry.title for entry in document.entries] == ["Pier opens", "Harbour open"]
    assert len(document.blocks) == 3
    assert document.entries[1].keys.guid == before.entries[0].keys.guid


def test_the_name_of_the_namespace_is_the_sites_own() -> None:
    assert read(sitemap(located(1, "Harbour closed", prefix="n"))).entries[0].title


def test_addresses_without_news_are_left_out() -> None:
    bare = "<url><loc>https://herald.example/about</loc></url>"

    assert len(read(sitemap(bare, located(1, "Harbour closed"))).entries) == 1
    failure = outcome(sitemap(bare))
    assert isinstance(failure, ParseFailed)
    assert failure.failure is Failure.NOT_A_FEED
    assert read(sitemap()).entries == ()


def test_at_most_so_many_are_read_at_once() -> None:
    document = read(sitemap(*(located(number, f"Title {number}") for number in range(510))))

    assert (len(document.entries), len(document.cut), len(document.blocks)) == (500, 10, 510)


def test_an_index_names_the_sitemaps_that_may_have_news() -> None:
    names = [("posts", "2026-03-01"), ("pages", "2026-03-02"), ("news", "2020-01-01")]
    names += [(f"old-{number}", "2019-01-01") for number in range(9)]
    index = "".join(
        f"<sitemap><loc>https://herald.example/{name}.xml</loc><lastmod>{day}</lastmod></sitemap>"
        for name, day in names
    )
    document = read(f"<sitemapindex>{index}</sitemapindex>")

    assert len(document.children) == MAX_CHILDREN
    assert document.children[:3] == tuple(
        f"https://herald.example/{name}.xml" for name in ("news", "pages", "posts")
    )


def test_a_feed_that_speaks_of_sitemaps_is_none() -> None:
    assert not is_sitemap(b"<rss><channel><title><![CDATA[<urlset>]]></title></channel></rss>")


@settings(max_examples=examples(200), deadline=None)
@given(st.text("<>/!?[]:= \nurlsetnwCDATA&;#9locaij-", max_size=200))
def test_no_document_raises(text: str) -> None:
    assert outcome(ROOT + text) is not None
