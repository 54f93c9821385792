"""Read the text of an article from its web page: an article of HTML, marks of paywalls.

Pure, and run in a process that can be killed. Not feeds, not lists of articles, no layout: what
surrounds an article is left out as far as its paragraphs stand together.
"""

import re
from collections.abc import Iterable

from selectolax.lexbor import LexborHTMLParser, LexborNode

from bot.model.pages import PageFailed, PageFailure, PageOutcome, PageText
from bot.parse.charset import decode
from bot.text.clean import BODY_LENGTH, cut, plain

ENOUGH_WORDS = 120  #: words of an `<article>` that are taken for the whole of it
FEWEST_WORDS = 40  #: words of a text that is no teaser, cookie banner or list of links
_ARTICLES = 20  # of a page that are compared; a page of more is a list
_WORD_CHARACTERS = 6  # code points of a word and its blank, where a script has no blanks
_NO_ARTICLE = "script, style, nav, aside, footer, form, figure, noscript, template, button"
_PARAGRAPHS = "p, h2, h3, li, blockquote, pre"
_HOLDERS = frozenset({"li", "blockquote"})
_PAYWALLED = re.compile(r'"isAccessibleForFree"\s*:\s*"?\s*(?:false|no)\b', re.IGNORECASE)
_TIERS = frozenset({"locked", "metered", "premium", "paid"})


def read_article(body: bytes, content_type: str) -> PageOutcome:
    """Return the text of the article of a page, or why there is none. Does not raise."""
    tree = LexborHTMLParser(decode(body, content_type))
    if _is_paywalled(tree):
        return PageFailed(PageFailure.PAYWALL)
    tree.strip_tags(_NO_ARTICLE.split(", "))
    articles = tree.css("article")[:_ARTICLES]
    text = _text(max(articles, key=_length, default=None))
    if _words(text) < ENOUGH_WORDS:
        text = max(text, _text(_densest(tree)), key=len)
    if _words(text) < FEWEST_WORDS:
        return PageFailed(PageFailure.NO_TEXT)
    return PageText(cut(text, BODY_LENGTH))


def _is_paywalled(tree: LexborHTMLParser) -> bool:
    """Whether a page says that its article is for those who pay."""
    for script in tree.css('script[type="application/ld+json"]'):
        if _PAYWALLED.search(script.text()):
            return True
    for mark in tree.css('[itemprop="isAccessibleForFree"]'):
        if (mark.attributes.get("content") or mark.text()).strip().lower() in {"false", "no"}:
            return True
    tiers = tree.css('meta[property="article:content_tier"], meta[name="article:content_tier"]')
    return any((tier.attributes.get("content") or "").strip().lower() in _TIERS for tier in tiers)


def _densest(tree: LexborHTMLParser) -> LexborNode | None:
    """The element with the most text in paragraphs that are its own."""
    lengths: dict[int, tuple[int, LexborNode]] = {}
    for paragraph in tree.css("p"):
        parent = paragraph.parent
        if parent is not None:
            before = lengths.get(parent.mem_id, (0, parent))[0]
            lengths[parent.mem_id] = (before + len(paragraph.text()), parent)
    return max(lengths.values(), key=lambda pair: pair[0], default=(0, None))[1]


def _length(node: LexborNode) -> int:
    return sum(len(paragraph.text()) for paragraph in node.css("p"))


def _text(node: LexborNode | None) -> str:
    """The paragraphs of an element; those within others count once."""
    if node is None:
        return ""
    return plain(" ".join(_whole(node.css(_PARAGRAPHS))))


def _whole(nodes: Iterable[LexborNode]) -> Iterable[str]:
    """The texts of elements, up to what is kept."""
    length = 0
    for node in nodes:
        if node.parent is not None and node.parent.tag in _HOLDERS:
            continue  # it was given with what holds it
        text = node.text().strip()
        if text:
            yield text
        length += len(text)
        if length > 2 * BODY_LENGTH:
            return


def _words(text: str) -> int:
    return max(text.count(" ") + 1 if text else 0, len(text) // _WORD_CHARACTERS // 2)
