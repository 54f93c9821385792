"""Turn what feeds put into titles and summaries into clean plain text. Not sanitising for display as HTML: nothing here stays markup."""

import html
import unicodedata

import regex
from selectolax.lexbor import LexborHTMLParser

_TAG = regex.compile(
    r"</?(?:a|abbr|b|big|blockquote|br|center|cite|code|dd|del|div|dl|dt|em|figcaption|figure|font|h[1-6]|hr|i|iframe|img|ins|li|mark|"
    r"ol|p|pre|q|s|script|small|span|strike|strong|style|sub|sup|table|tbody|td|th|tr|tt|u|ul|video)(?:\s[^<>]*)?/?>|<!--",
    regex.IGNORECASE,
)
_BREAK = regex.compile(
    r"<(?:/?(?:p|div|li|ul|ol|dl|dt|dd|h[1-6]|tr|td|th|table|blockquote|figure|figcaption|section|article|header|footer|form|button|label)"
    r"\b[^<>]*|(?:br|hr|img)\b[^<>]*)>",
    regex.IGNORECASE,
)
_ENTITY = regex.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_DROPPED = regex.compile(
    r"[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_CONTROL = regex.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
_MARKS = regex.compile(r"(\p{M}{4})\p{M}+")
# A no-break space within a number (1 000) stays: it is no space between words.
_SPACE = regex.compile(r"(?:(?!(?<=\d)[\u00a0\u202f\u2009]\d{3}(?!\d))\s)+")

TITLE_LENGTH = 300  #: code points kept of a title
SUMMARY_LENGTH = 2000  #: code points kept of a summary
_HTML_READ = 40_000  # code points of HTML looked at for one summary


def plain(text: str) -> str:
    """Drop control, bidi, tag and zero-width characters, cap stacked marks, NFC, fold white space."""
    text = _CONTROL.sub(" ", text)
    if not text.isascii():
        text = unicodedata.normalize("NFC", _DROPPED.sub("", text))
        text = _MARKS.sub(r"\1", text)
    return _SPACE.sub(" ", text).strip()


def cut(text: str, length: int) -> str:
    """At most `length` code points, cut at a space where one is near, with an ellipsis."""
    if len(text) <= length:
        return text
    head = text[: length - 1]
    space = head.rfind(" ")
    return (head[:space] if space > length * 3 // 4 else head).rstrip(" ,;:-") + "…"


def strip_html(text: str) -> str:
    """The text of an HTML fragment, with spaces where blocks meet, without scripts, styles and form controls."""
    tree = LexborHTMLParser(_BREAK.sub(r" \g<0>", text[:_HTML_READ]))
    tree.strip_tags(
        ["script", "style", "template", "noscript", "form", "button", "select", "textarea"]
    )
    body = tree.body
    return body.text() if body is not None else ""


def _unescape(text: str) -> str:
    """Resolve entities, and once more where the result still looks like one (double-escaped titles)."""
    for _ in range(2):
        if not _ENTITY.search(text):
            break
        text = html.unescape(text)
    return text


def to_text(value: str, *, is_html: bool) -> str:
    """Plain text of a value that a feed calls HTML or text. Tags go where they are tags; `A < B` stays."""
    if "<" in value and (is_html or _TAG.search(value)):
        value = strip_html(value) if _TAG.search(value) else html.unescape(value)
    value = _unescape(value)
    if "<" in value and _TAG.search(value):
        value = strip_html(value)
    return plain(value)


def title(value: str, *, is_html: bool = False) -> str:
    """A headline as one clean line of at most TITLE_LENGTH code points."""
    return cut(to_text(value, is_html=is_html), TITLE_LENGTH)


def summary(value: str, *, is_html: bool = True) -> str:
    """A summary as one clean paragraph of at most SUMMARY_LENGTH code points."""
    return cut(to_text(value, is_html=is_html), SUMMARY_LENGTH)
