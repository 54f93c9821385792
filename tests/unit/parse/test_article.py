"""The text of an article from its page: what belongs to it, paywalls, hostile pages."""

import json
import subprocess
import sys

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
#: a sentence in languages that are written from the right, or without blanks
SENTENCES = {
    "en": SENTENCE,
    "ar": "قالت بلدية طرفوس إن عدد البوم تراجع هذا العام مرة أخرى ولا أحد يعرف السبب. ",
    "he": "עיריית טרבוס מסרה כי מספר הינשופים ירד השנה שוב ואיש אינו יודע מדוע. ",
    "zh": "塔尔沃斯市政府表示，今年猫头鹰的数量再次减少，没有人知道原因。",
    "ja": "タルヴォス市は、今年もフクロウの数が減ったと発表したが、その理由は誰にも分からない。",
    "th": "เทศบาลทาร์วอสกล่าวว่าจำนวนนกฮูกลดลงอีกครั้งในปีนี้และไม่มีใครรู้สาเหตุ ",
    "ko": "타르보스 시는 올해 올빼미 수가 다시 줄었지만 이유는 아무도 모른다고 밝혔다. ",
    "ru": "В Тарвосе снова посчитали сов, и никто не знает, почему их становится меньше. ",
}
#: what stands around an article; none of its words in capitals belong to the text
MENU = (
    "<header><nav><ul><li><a href=/a>MENU</a></li><li><a href=/b>MENU</a></li></ul></nav></header>"
)
COOKIES = (
    '<div id="cookie-banner" role="dialog"><p>COOKIES and similar things are used here for '
    "advertisements, statistics and whatever else our partners wish.</p><button>Yes</button></div>"
)
RELATED = '<div class="related-articles"><h3>Related</h3><ul>' + "".join(
    f"<li><a href=/r/{number}>RELATED: minister number {number} resigns</a></li>"
    for number in range(8)
) + "</ul></div>"  # fmt: skip
COMMENTS = '<div id="comments">' + "".join(
    f'<div class="comment"><p>READER {number}: it was an earthquake, whatever they say.</p></div>'
    for number in range(9)
) + "</div>"  # fmt: skip
LETTER = '<div class="newsletter-signup"><p>SUBSCRIBE to the letter of the editors.</p></div>'
FOOT = "<footer><p>COPYRIGHT by the Herald of Tarvos, all rights reserved, imprint.</p></footer>"
AROUND = ("MENU", "COOKIES", "RELATED", "READER", "SUBSCRIBE", "COPYRIGHT")


def read(body: str, head: str = "", kind: str = "text/html; charset=utf-8") -> PageOutcome:
    return read_article(f"<html><head>{head}</head><body>{body}</body></html>".encode(), kind)


def text(body: str) -> str:
    outcome = read(body)
    assert isinstance(outcome, PageText), outcome
    return outcome.text


def site(name: str, sentence: str) -> str:
    """A page of twelve numbered paragraphs, as different software for publishing writes it."""
    paragraphs = [f"{number}. {sentence * 2}" for number in range(12)]
    marked = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    match name:
        case "blog":
            own = f"<article><div class=entry-content>{marked}{LETTER}</div></article>{RELATED}"
            return f"{COOKIES}{MENU}<div class=site-content>{own}{COMMENTS}</div>{FOOT}"
        case "blocks":
            blocks = "".join(f"<div class=block>{paragraph}</div>" for paragraph in paragraphs)
            return f"{MENU}<div class=story-body>{blocks}</div>{RELATED}{COMMENTS}{FOOT}"
        case "breaks":
            lines = "<br><br>".join(paragraphs)
            return f"{MENU}<table><tr><td>{lines}</td></tr></table>{RELATED}{FOOT}"
        case "live":
            updates = "".join(
                f"<div class=update><time>1{number % 10}:00</time><h2>Update</h2><p>{paragraph}</p>"
                "</div>"
                for number, paragraph in enumerate(paragraphs)
            )
            return f"{MENU}<main><article><h1>Live</h1>{updates}</article>{RELATED}</main>{FOOT}"
        case _:
            aside = "<aside><p>RELATED: read this as well, it is about ministers.</p></aside>"
            return f"{COOKIES}{MENU}<main>{marked}{aside}</main>{COMMENTS}{FOOT}"


@pytest.mark.parametrize("name", ["blog", "blocks", "breaks", "live", "main"])
@pytest.mark.parametrize("language", SENTENCES)
def test_an_article_is_taken_out_of_its_page(name: str, language: str) -> None:
    """All of its paragraphs, and nothing of what stands around them."""
    found = text(site(name, SENTENCES[language]))
    assert [
        number for number in range(12) if f"{number}. {SENTENCES[language][:9]}" not in found
    ] == []
    assert [word for word in AROUND if word in found] == []


def test_one_of_several_articles_is_the_text() -> None:
    teaser = f"<article><h2>OTHER</h2><p>{SENTENCE.replace('owls', 'OTHERS')}</p></article>"
    assert "OTHER" not in text(f"<article>{LONG}</article><div class=more>{teaser * 3}</div>")


def test_an_article_that_a_script_would_show_is_read_from_its_data() -> None:
    data = json.dumps({"@type": "NewsArticle", "articleBody": SENTENCE * 12})
    found = text(f'<script type="application/ld+json">{data}</script><div id=root></div>')
    assert found.count("The owls of Tarvos") == 12


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
    "body",
    [
        "",
        "<p>Please turn on cookies.</p>",
        f"{MENU}<main><h1>Not found</h1><p>There is no such page here.</p></main>",
        "<article><p>Owls were counted.</p><p>Subscribe to read the rest.</p></article>",
    ],
)
def test_a_page_without_an_article_is_none(body: str) -> None:
    assert read(body) == PageFailed(PageFailure.NO_TEXT)


def test_a_text_is_bounded_and_read_in_its_charset() -> None:
    many = "".join(f"<p>{number}. {SENTENCE}</p>" for number in range(400))
    assert BODY_LENGTH - 200 < len(text(f"<article>{many}</article>")) <= BODY_LENGTH
    page = f"<html><body><article>{LONG}<p>Совы Тарвоса</p></article></body></html>"
    outcome = read_article(page.encode("windows-1251"), "text/html; charset=windows-1251")
    assert isinstance(outcome, PageText)
    assert "Совы Тарвоса" in outcome.text


@pytest.mark.parametrize(
    "page",
    ["<div>" * 3000 + LONG, "<article>" * 2000 + LONG, "<p>x" * 5_000, "<li><p>" * 3000],
)
def test_deep_and_wide_pages_end(page: str) -> None:
    assert isinstance(read(page), PageText | PageFailed)


@given(st.binary(max_size=300), st.sampled_from(["", "text/html", "text/html; charset=nonsense"]))
@settings(QUICK, max_examples=examples(60))
def test_no_bytes_raise(body: bytes, kind: str) -> None:
    assert isinstance(read_article(body, kind), PageText | PageFailed)
    assert isinstance(read_article(b"<article><p>" + body * 20, kind), PageText | PageFailed)


def test_processes_that_read_no_article_load_nothing_for_it() -> None:
    code = (
        "import sys, bot.service.app, bot.parse.process_limits; "
        "print(*{'trafilatura', 'lxml'} & sys.modules.keys())"
    )
    said = subprocess.check_output([sys.executable, "-c", code], text=True)  # noqa: S603 (our own)
    assert said.strip() == ""
