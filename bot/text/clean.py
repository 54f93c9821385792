"""Make text and numbers that come from outside safe to keep. Not HTML sanitising: no markup stays.

Applied once, where a document, a header or a name becomes ours.
"""

import html
import re
import unicodedata

import regex
from selectolax.lexbor import LexborHTMLParser

_TAG = regex.compile(
    r"</?(?:a|abbr|b|big|blockquote|br|center|cite|code|dd|del|div|dl|dt|em|figcaption|figure|font"
    r"|h[1-6]|hr|i|iframe|img|ins|li|mark|"
    r"ol|p|pre|q|s|script|small|span|strike|strong|style|sub|sup|table|tbody|td|th|tr|tt"
    r"|u|ul|video|wbr)(?:\s[^<>]*)?/?>|<!--",
    regex.IGNORECASE,
)
_BREAK = regex.compile(
    r"<(?:/?(?:p|div|li|ul|ol|dl|dt|dd|h[1-6]|tr|td|th|table|blockquote|figure|figcaption"
    r"|section|article|header|footer|form|button|label)"
    r"\b[^<>]*|(?:br|hr|img)\b[^<>]*)>",
    regex.IGNORECASE,
)
_ENTITY = regex.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# What is invisible, reorders text or cannot be encoded. A zero-width joiner stays within emoji and
# after the marks of Indic scripts, a zero-width non-joiner everywhere: there they mean something.
_DROPPED = regex.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
    r"|(?<![\p{Extended_Pictographic}\p{Emoji_Modifier}\p{M}\ufe0f])\u200d"
)
_SURROGATES = re.compile("[\ud800-\udfff]")
_CONTROL = regex.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
_MARKS = regex.compile(r"(\p{M}{4})\p{M}+")
_LONG_MARKS = regex.compile(r"(\p{M}{32})\p{M}+")
# A no-break space within a number (1 000) stays: it does not separate words.
_SPACE = regex.compile(r"(?:(?!(?<=\d)[\u00a0\u202f\u2009]\d{3}(?!\d))\s)+")

TITLE_LENGTH = 300  #: code points kept of a title
SUMMARY_LENGTH = 2000  #: code points kept of a summary
_MAX_RAW = 40_000  # code points of a value that are looked at
_LONG_REFERENCE = re.compile(r"&#(?=[0-9]{8}|[xX][0-9a-fA-F]{8})")
_MAX_DIGITS = 18


def encodable(text: str) -> str:
    """Return the text with U+FFFD for each lone surrogate, so that it can be encoded and stored."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def number(value: object, most: int) -> int | None:
    """Return a whole number from 0 to `most` that is written in digits; None for anything else."""
    text = str(value).strip() if isinstance(value, str | int) else ""
    if not text.isdecimal() or len(text) > _MAX_DIGITS:
        return None
    return result if (result := int(text)) <= most else None


def label(value: object, length: int) -> str:
    """Return a name, header or other short value from outside as a clean line, cut."""
    return cut(plain(str(value)[: 4 * length]), length)


def plain(text: str) -> str:
    """Drop control, bidi, tag and zero-width characters, cap marks, normalise to NFC and spaces."""
    text = _CONTROL.sub(" ", text)
    if not text.isascii():
        # Marks are capped first: to normalise a run of them takes quadratic time.
        text = _LONG_MARKS.sub(r"\1", _DROPPED.sub("", text))
        text = _MARKS.sub(r"\1", unicodedata.normalize("NFC", text))
    return _SPACE.sub(" ", text).strip()


def visible_positions(text: str) -> list[int]:
    """Return the positions of the characters that `plain` does not drop as invisible."""
    dropped = {place for match in _DROPPED.finditer(text) for place in range(*match.span())}
    return [position for position in range(len(text)) if position not in dropped]


def cut(text: str, length: int) -> str:
    """Return at most `length` code points, cut at a space if one is near, with an ellipsis."""
    if len(text) <= length:
        return text
    head = text[: length - 1]
    space = head.rfind(" ")
    return (head[:space] if space > length * 3 // 4 else head).rstrip(" ,;:-") + "…"


def strip_html(text: str) -> str:
    """Return the text of an HTML fragment, without scripts and forms, blocks apart by spaces."""
    tree = LexborHTMLParser(_BREAK.sub(r" \g<0>", text[:_MAX_RAW]))
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
        text = html.unescape(_LONG_REFERENCE.sub("&amp;#", text))
    return text


def to_text(value: str, *, is_html: bool) -> str:
    """Return the plain text of a value of a feed. Known tags are removed; `A < B` stays."""
    value = encodable(value[:_MAX_RAW])
    if "<" in value and (is_html or _TAG.search(value)):
        value = strip_html(value) if _TAG.search(value) else _unescape(value)
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
