"""Turn titles and summaries of feeds into clean text. Not HTML sanitising: no markup stays."""

import html
import unicodedata

import regex
from selectolax.lexbor import LexborHTMLParser

_TAG = regex.compile(
    r"</?(?:a|abbr|b|big|blockquote|br|center|cite|code|dd|del|div|dl|dt|em|figcaption|figure|font"
    r"|h[1-6]|hr|i|iframe|img|ins|li|mark|"
    r"ol|p|pre|q|s|script|small|span|strike|strong|style|sub|sup|table|tbody|td|th|tr|tt"
    r"|u|ul|video)(?:\s[^<>]*)?/?>|<!--",
    regex.IGNORECASE,
)
_BREAK = regex.compile(
    r"<(?:/?(?:p|div|li|ul|ol|dl|dt|dd|h[1-6]|tr|td|th|table|blockquote|figure|figcaption"
    r"|section|article|header|footer|form|button|label)"
    r"\b[^<>]*|(?:br|hr|img)\b[^<>]*)>",
    regex.IGNORECASE,
)
_ENTITY = regex.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_DROPPED = regex.compile(
    r"[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff"
    r"\U000e0000-\U000e007f]"
)
_CONTROL = regex.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
_MARKS = regex.compile(r"(\p{M}{4})\p{M}+")
# A no-break space within a number (1 000) stays: it does not separate words.
_SPACE = regex.compile(r"(?:(?!(?<=\d)[\u00a0\u202f\u2009]\d{3}(?!\d))\s)+")

TITLE_LENGTH = 300  #: code points kept of a title
SUMMARY_LENGTH = 2000  #: code points kept of a summary
_MAX_HTML = 40_000  # code points of HTML that are parsed for one summary


def plain(text: str) -> str:
    """Drop control, bidi, tag and zero-width characters, cap marks, normalise to NFC and spaces."""
    text = _CONTROL.sub(" ", text)
    if not text.isascii():
        text = unicodedata.normalize("NFC", _DROPPED.sub("", text))
        text = _MARKS.sub(r"\1", text)
    return _SPACE.sub(" ", text).strip()


def cut(text: str, length: int) -> str:
    """Return at most `length` code points, cut at a space if one is near, with an ellipsis."""
    if len(text) <= length:
        return text
    head = text[: length - 1]
    space = head.rfind(" ")
    return (head[:space] if space > length * 3 // 4 else head).rstrip(" ,;:-") + "…"


def strip_html(text: str) -> str:
    """Return the text of an HTML fragment, without scripts and forms, blocks apart by spaces."""
    tree = LexborHTMLParser(_BREAK.sub(r" \g<0>", text[:_MAX_HTML]))
    tree.strip_tags(
        ["script", "style", "template", "noscript", "form", "button", "select", "textarea"]
    )
    body = tree.body
    return body.text() if body is not None else ""


def _unescape(text: str) -> str:
    """Resolve entities, and a second time if any remain (double-escaped titles)."""
    for _ in range(2):
        if not _ENTITY.search(text):
            break
        text = html.unescape(text)
    return text


def to_text(value: str, *, is_html: bool) -> str:
    """Return the plain text of a value of a feed. Known tags are removed; `A < B` stays."""
    if "<" in value and (is_html or _TAG.search(value)):
        value = strip_html(value) if _TAG.search(value) else html.unescape(value)
    value = _unescape(value)
    if "<" in value and _TAG.search(value):
        value = strip_html(value)
    return plain(value)


def title(value: str, *, is_html: bool = False) -> str:
    """Return a headline as a clean line of at most TITLE_LENGTH code points."""
    return cut(to_text(value, is_html=is_html), TITLE_LENGTH)


def summary(value: str, *, is_html: bool = True) -> str:
    """Return a summary as a clean paragraph of at most SUMMARY_LENGTH code points."""
    return cut(to_text(value, is_html=is_html), SUMMARY_LENGTH)
