"""Pages by CSS selectors: rows to entries, and rows that change without being news."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sampling import examples
from support import NOON

from bot.model.entries import ParsedDocument, ParseFailed
from bot.model.feeds import Failure
from bot.model.sources import PageSource
from bot.parse.page import read_page
from bot.parse.selectors import selector_fault

URL = "https://port.example/notices/"
SOURCE = PageSource(item="li.notice", title="h3", time=".day", summary="p")


def row(number: int, title: str, text: str = "Ferries wait.", day: str = "1 March 2026") -> str:
    return (
        f'<li class="notice"><a href="/n/{number}?utm_source=x"><img alt=""></a>'
        f'<h3><a href="/n/{number}">{title}</a></h3><span class="day">{day}</span>'
        f"<p>{text}</p></li>"
    )


def page(*rows: str, head: str = "") -> str:
    return (
        f'<!doctype html><html lang="en"><head><title>Port notices</title>{head}</head>'
        f"<body><ul>{''.join(rows)}</ul></body></html>"
    )


def outcome(
    text: str, source: PageSource = SOURCE, known: frozenset[bytes] = frozenset()
) -> ParsedDocument | ParseFailed:
    return read_page(text.encode(), "text/html", URL, source, known, NOON)


def read(
    text: str, source: PageSource = SOURCE, known: frozenset[bytes] = frozenset()
) -> ParsedDocument:
    document = outcome(text, source, known)
    assert isinstance(document, ParsedDocument)
    return document


def test_the_selectors_say_what_an_article_is() -> None:
    document = read(page(row(1, "Harbour <b>clo</b>sed &amp; barred"), row(2, "Pier opens")))
    first, second = document.entries

    assert (document.title, document.link, document.language) == ("Port notices", URL, "en")
    assert (first.title, first.summary) == ("Harbour closed & barred", "Ferries wait.")
    assert first.link == "https://port.example/n/1"
    assert first.published == datetime(2026, 3, 1, tzinfo=UTC)
    assert second.title == "Pier opens"


def test_without_further_selectors_the_link_is_headline_and_address() -> None:
    link = '<a class="n" href="b/1">Harbour closed <script>x()</script></a>'
    document = read(page(link, head='<base href="/a/">'), PageSource("a.n"))
    timed = '<div class="n"><time datetime="2026-03-02T08:00Z">now</time><a href="/1">A</a></div>'
    [dated] = read(page(timed), PageSource("div.n")).entries

    assert [(entry.title, entry.link, entry.published) for entry in document.entries] == [
        ("Harbour closed", "https://port.example/a/b/1", None)
    ]
    assert (dated.title, dated.published) == ("A", datetime(2026, 3, 2, 8, tzinfo=UTC))


def test_rows_that_change_place_and_counts_are_known() -> None:
    rows = [row(1, "Harbour closed (3 comments)", "12 comments"), row(2, "Pier opens")]
    before = read(page(*rows))
    later = page(
        row(3, "Ferry late"), rows[1], row(1, "Harbour closed (9 comments)", "99 comments")
    )
    document = read(later, known=frozenset(before.blocks))

    assert [entry.title for entry in document.entries] == ["Ferry late"]
    assert len(document.blocks) == 3


def test_a_row_without_a_link_is_known_by_its_headline() -> None:
    source = PageSource("li", title="b", summary="i")
    before = read(page("<li><b>Pier opens</b><i>at 9</i></li>"), source)
    later = read(page("<li><b>Pier opens</b><i>at 10</i></li><li><b>Storm</b></li>"), source)
    front = read(page('<li><a href="/">Pier opens</a></li>'), PageSource("li"))

    keys = [entry.keys for entry in (*before.entries, *later.entries)]
    assert (keys[0].guid, keys[0].link) == (keys[1].guid, b"")
    assert keys[1].guid != keys[2].guid
    assert later.entries[0].link == URL
    assert front.entries[0].keys.link == b"", "a link to the front page says nothing"


@pytest.mark.parametrize(
    "text", [page(), page("<li class=notice><h3> </h3></li>"), "", "{}", page(row(1, ""))]
)
def test_a_page_on_which_nothing_is_found_has_changed(text: str) -> None:
    failure = outcome(text)

    assert isinstance(failure, ParseFailed)
    assert failure.failure is Failure.CHANGED_PAGE


def test_a_link_that_is_not_safe_is_none() -> None:
    [entry] = read(
        page('<li><a href="javascript:alert(1)">Pier</a></li>'), PageSource("li")
    ).entries

    assert entry.link == URL


@pytest.mark.parametrize("selector", ["a[", "", ":::", "a,,b"])
def test_what_is_no_selector_is_told(selector: str) -> None:
    assert selector_fault(selector)
    assert not selector_fault("ul.news > li:not(.ad)")


@settings(max_examples=examples(200), deadline=None)
@given(st.text("<>/ \n=\"'liahrefpbclasnotc#&;:.", max_size=200))
def test_no_page_raises(text: str) -> None:
    assert outcome(page(text)) is not None
