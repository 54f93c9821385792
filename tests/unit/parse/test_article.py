"""The text of an article from its page: what belongs to it, paywalls, hostile pages."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from query_strategies import QUICK
from sampling import examples

from bot.model.pages import PageFailed, PageFailure, PageOutcome, PageText
from bot.parse.article import read_article
from bot.text.clean import BODY_LENGTH

SENTENCE = "The owls of Tarvos were counted again this year, and nobody knows why there are fewer. "
LONG = "".join(f"<p>{number}. {SENTENCE}</p>" for number in range(12))


def read(body: str, head: str = "", kind: str = "text/html; charset=utf-8") -> PageOutcome:
    return read_article(f"<html><head>{head}</head><body>{body}</body></html>".encode(), kind)


def text(body: str) -> str:
    outcome = read(body)
    assert isinstance(outcome, PageText), outcome
    return outcome.text


@pytest.mark.parametrize(
    "body",
    [
        f"<nav><p>menu</p></nav><article><h1>Owls</h1>{LONG}</article><footer><p>foot</p></footer>",
        f"<article><p>teaser of another</p></article><article>{LONG}</article>",
        f"<div><p>cookies</p></div><div id=main>{LONG}<aside><p>advert</p></aside></div>",
        f"<article><p>Short.</p></article><section>{LONG}</section>",
        f"<article>{LONG}<script>let menu = 1</script><figure><p>caption</p></figure></article>",
    ],
)
def test_an_article_is_taken_out_of_its_page(body: str) -> None:
    found = text(body)
    assert found.startswith(("0. The owls", "Owls 0. The owls"))
    assert found.count("The owls of Tarvos") == 12
    for other in ("menu", "cookies", "advert", "teaser", "caption", "foot", "Short"):
        assert other not in found


def test_lists_and_quotes_count_once() -> None:
    found = text(f"<article>{LONG}<ul><li><p>Barn owl</p></li></ul><blockquote><p>Hoot</p>"
                 "</blockquote></article>")  # fmt: skip
    assert (found.count("Barn owl"), found.count("Hoot")) == (1, 1)


@pytest.mark.parametrize(
    "head",
    [
        '<script type="application/ld+json">{"isAccessibleForFree": false}</script>',
        '<script type="application/ld+json">{"a":[{"isAccessibleForFree":"False"}]}</script>',
        '<meta itemprop="isAccessibleForFree" content="false">',
        '<meta property="article:content_tier" content="locked">',
        '<meta name="article:content_tier" content="metered">',
    ],
)
def test_a_page_for_those_who_pay_is_left_alone(head: str) -> None:
    assert read(f"<article>{LONG}</article>", head) == PageFailed(PageFailure.PAYWALL)


def test_what_says_that_it_is_free_is_read() -> None:
    head = (
        '<script type="application/ld+json">{"isAccessibleForFree": true}</script>'
        '<meta name="article:content_tier" content="free">'
    )
    assert isinstance(read(f"<article>{LONG}</article>", head), PageText)


@pytest.mark.parametrize(
    "body", ["", "<p>Please turn on cookies.</p>", "<div>no paragraph</div>" * 50]
)
def test_a_page_without_an_article_is_none(body: str) -> None:
    assert read(body) == PageFailed(PageFailure.NO_TEXT)


def test_a_text_is_bounded_and_read_in_its_charset() -> None:
    assert len(text(f"<article>{LONG * 40}</article>")) <= BODY_LENGTH
    page = f"<html><body><article>{LONG}<p>Совы Тарвоса</p></article></body></html>"
    outcome = read_article(page.encode("windows-1251"), "text/html; charset=windows-1251")
    assert isinstance(outcome, PageText)
    assert "Совы Тарвоса" in outcome.text


@pytest.mark.parametrize(
    "page",
    ["<div>" * 3000 + LONG, "<article>" * 2000 + LONG, "<p>x" * 20_000, "<li><p>" * 3000],
)
def test_deep_and_wide_pages_end(page: str) -> None:
    assert isinstance(read(page), PageText | PageFailed)


@given(st.binary(max_size=300), st.sampled_from(["", "text/html", "text/html; charset=nonsense"]))
@settings(QUICK, max_examples=examples(60))
def test_no_bytes_raise(body: bytes, kind: str) -> None:
    assert isinstance(read_article(body, kind), PageText | PageFailed)
    assert isinstance(read_article(b"<article><p>" + body * 20, kind), PageText | PageFailed)
