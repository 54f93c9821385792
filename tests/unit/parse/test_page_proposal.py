"""Selectors that are proposed for a page: the list of articles, not its menu."""

from hypothesis import given, settings
from hypothesis import strategies as st
from sampling import examples
from support import NOON

from bot.model.entries import ParsedDocument
from bot.model.sources import PageSource
from bot.parse.page import read_page
from bot.parse.page_proposal import propose

URL = "https://port.example/notices/"
TITLES = ["Harbour closed after the storm", "Pier opens again on Monday", "Ferry is late once more"]
MENU = "".join(f'<li><a href="/s/{n}">A very long name of section {n}</a></li>' for n in range(9))


def page(items: str, more: str = "") -> bytes:
    return (
        f"<html><body><nav><ul>{MENU}</ul></nav><main>{items}</main>{more}</body></html>".encode()
    )


def card(number: int, title: str) -> str:
    return (
        f'<article class="card css-1x2y3z"><a href="/n/{number}"><img></a>'
        f'<h3 class="t"><a href="/n/{number}">{title}</a></h3><time>2 March 2026</time>'
        f"<p>What is known so far, in a sentence that is long enough to be one.</p></article>"
    )


def given_by(body: bytes, source: PageSource) -> list[str]:
    document = read_page(body, "text/html", URL, source, frozenset(), NOON)
    assert isinstance(document, ParsedDocument)
    return [entry.title for entry in document.entries]


def test_cards_with_headline_time_and_text() -> None:
    body = page("".join(card(number, title) for number, title in enumerate(TITLES)))
    [source] = propose(body, "text/html", URL)

    assert source == PageSource("article.card", "h3", "h3 a", "", "p")
    assert given_by(body, source) == TITLES


def test_a_bare_list_of_links_is_named_by_what_it_stands_in() -> None:
    rows = "".join(
        f'<li><a href="/n/{number}">{title}</a> <span class="date">1.3.2026</span></li>'
        for number, title in enumerate(TITLES)
    )
    body = page(f'<ul class="notices">{rows}</ul>')
    [source] = propose(body, "text/html", URL)

    assert source.item == "ul.notices > li"
    assert source.time == "[class*=date]"
    assert given_by(body, source) == TITLES


def test_the_longest_list_comes_first_and_each_once() -> None:
    long = "".join(card(number, f"{title} {number}") for number in range(4) for title in TITLES[:1])
    short = "".join(
        f'<p class="brief"><a href="/b/{number}">Brief: {title}</a></p>'
        for number, title in enumerate(TITLES)
    )
    sources = propose(page(long + short), "text/html", URL)

    assert [source.item for source in sources] == ["article.card", "p.brief"]


def test_a_page_with_nothing_repeated_has_no_proposal() -> None:
    assert propose(page(card(1, TITLES[0])), "text/html", URL) == ()
    assert propose(b"", "text/html", URL) == ()


@settings(max_examples=examples(200), deadline=None)
@given(st.text("<>/ =\"'liahrefpbclsdv#.", max_size=300))
def test_no_page_raises_and_what_is_proposed_can_be_read(text: str) -> None:
    body = page("".join(map(card, range(3), TITLES)), text)

    assert all(given_by(body, source) for source in propose(body, "text/html", URL))
