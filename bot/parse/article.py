"""Read the text of an article from its web page: trafilatura's extraction, and marks of paywalls.

Pure, and run in a process that can be killed. Not feeds, not lists of articles, no layout. What of
a page is its article, trafilatura decides; here is what a page says of who may read it.
"""

import re

from selectolax.lexbor import LexborHTMLParser

from bot.model.pages import PageFailed, PageFailure, PageOutcome, PageText
from bot.parse.charset import decode
from bot.text.clean import BODY_LENGTH, cut, plain

FEWEST_WORDS = 40  #: words of a text that is no teaser, cookie banner or list of links
_RAW_LENGTH = 8 * BODY_LENGTH  # of an extracted text that are looked at
_WORD_CHARACTERS = 6  # code points of a word and its blank, where a script has no blanks
_PAYWALLED = re.compile(r'"isAccessibleForFree"\s*:\s*"?\s*(?:false|no)\b', re.IGNORECASE)
_TIERS = frozenset({"locked", "metered", "premium", "paid"})


def read_article(body: bytes, content_type: str) -> PageOutcome:
    """Return the text of the article of a page, or why there is none. Raises MemoryError."""
    page = decode(body, content_type)
    if _is_paywalled(LexborHTMLParser(page)):
        return PageFailed(PageFailure.PAYWALL)
    text = plain(_extracted(page)[:_RAW_LENGTH])
    if _words(text) < FEWEST_WORDS:
        return PageFailed(PageFailure.NO_TEXT)
    return PageText(cut(text, BODY_LENGTH))


def _extracted(page: str) -> str:
    """The text of the article as lines; empty where none was found."""
    # 0.14 s and 12 MB, for processes that read articles; those that read feeds have neither.
    from trafilatura import extract  # noqa: PLC0415

    return extract(page, fast=True, include_comments=False) or ""


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


def _words(text: str) -> int:
    return max(text.count(" ") + 1 if text else 0, len(text) // _WORD_CHARACTERS // 2)
