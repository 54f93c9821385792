"""Make text and numbers that come from outside safe to keep. Not HTML sanitising: no markup stays.

Applied once, where a document, a header or a name becomes ours.
"""

import html
import re
import unicodedata

import regex
from selectolax.lexbor import LexborHTMLParser

from bot.text.markup import TextType, begins_with_markup, escape_named, has_markup

_BREAK = regex.compile(
    r"<(?:/?(?:p|div|li|ul|ol|dl|dt|dd|h[1-6]|tr|td|th|table|blockquote|figure|figcaption"
    r"|section|article|header|footer|form|button|label)"
    r"\b[^<>]*|(?:br|hr|img)\b[^<>]*)>",
    regex.IGNORECASE,
)
_NO_TEXT = frozenset(
    "script style template noscript form button select textarea svg iframe".split()
)
_SECTION = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_MAX_SECTIONS = 100
_ENTITY = regex.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# What is invisible, reorders text or cannot be encoded. A zero-width joiner stays within emoji and
# after the marks of Indic scripts, a zero-width non-joiner everywhere: there they mean something.
_DROPPED = regex.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
    r"|(?<![\p{Extended_Pictographic}\p{Emoji_Modifier}\p{M}\ufe0f])\u200d"
)
_SURROGATES = re.compile("[\ud800-\udfff]")
# What has none of these is only normalised. The second has all marks, and letters beside them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u200d-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_MARKED = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u1dff\u20d0-\u20ff\u2ce0-\u2dff\u302a-\u302f\u3099\u309a"
    "\ua000-\uabff\ufb1e\ufe00-\ufe2f\U00010000-\U0010ffff]{2}"
)
_KEPT_BLANK = re.compile("[\u00a0\u202f\u2009]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
_MARKS = regex.compile(r"(\p{M}{4})\p{M}+")
_LONG_MARKS = regex.compile(r"(\p{M}{32})\p{M}+")
# A no-break space within a number (1 000) stays: it does not separate words.
_SPACE = regex.compile(r"(?:(?!(?<=\d)[\u00a0\u202f\u2009]\d{3}(?!\d))\s)+")

TITLE_LENGTH = 2000  #: code points kept of an article's headline: a post has all its text there
HEADLINE_LENGTH = 300  #: code points of it that are shown, and by which stories are found
SUMMARY_LENGTH = 2000  #: code points kept of a summary
BODY_LENGTH = 20_000  #: code points kept and matched of a body
BODY_RAW = 120_000  #: code points of markup that are looked at for them
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
    if text.isascii():
        text = text if text.isprintable() else _CONTROL.sub(" ", text)
        return " ".join(text.split())
    if _INVISIBLE.search(text) or _MARKED.search(text):
        text = _DROPPED.sub("", _CONTROL.sub(" ", text))
        # Marks are capped first: to normalise a run of them takes quadratic time.
        text = unicodedata.normalize("NFC", _LONG_MARKS.sub(r"\1", text))
        text = _MARKS.sub(r"\1", text)
    else:
        text = unicodedata.normalize("NFC", text)
    if _KEPT_BLANK.search(text):
        return _SPACE.sub(" ", text).strip()
    return " ".join(text.split())


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


def strip_html(text: str, raw: int = _MAX_RAW) -> str:
    """Return the text of an HTML fragment, without scripts and forms, blocks apart by spaces.

    At most `raw` code points are looked at.
    """
    tree = LexborHTMLParser(_BREAK.sub(r" \g<0>", text[:raw]))
    tree.strip_tags(sorted(_NO_TEXT))
    body = tree.body
    return body.text() if body is not None else ""


def _unescape(text: str) -> str:
    """Resolve entities, and a second time if any remain (double-escaped titles)."""
    for _ in range(2):
        if "&" not in text or not _ENTITY.search(text):
            break
        text = html.unescape(_LONG_REFERENCE.sub("&amp;#", text))
    return text


def _head(value: str, raw: int) -> str:
    """The beginning of a value, without a tag or comment that would end behind it."""
    if len(value) <= raw:
        return value
    head = value[:raw]
    for start, end in (("<!--", "-->"), ("<", ">")):
        if (at := head.rfind(start)) > head.rfind(end):
            head = head[:at]
    return head


def to_text(value: str, kind: TextType = TextType.UNSURE, raw: int = _MAX_RAW) -> str:
    """Return the plain text of a value of a feed: markup is removed, tags that are named stay.

    At most `raw` code points of the value are looked at.
    """
    value = encodable(_head(value, raw))
    if "]]>" in value:  # a section that was escaped
        value = _SECTION.sub(r"\1", value, count=_MAX_SECTIONS)
    if kind is TextType.TEXT:
        return plain(_unescape(value))
    if kind is TextType.XHTML:
        return plain(strip_html(value, raw))
    has_tags = "<" in value and has_markup(value)
    text = _unescape(strip_html(escape_named(value, kind), raw) if has_tags else value)
    if (not has_tags or kind is TextType.HTML) and "<" in text and begins_with_markup(text):
        text = strip_html(escape_named(text, kind), raw)  # all of it was escaped twice
    return plain(text)


def title(value: str, kind: TextType = TextType.UNSURE, length: int = TITLE_LENGTH) -> str:
    """Return a headline, or a feed's title, as a clean line of at most `length` code points."""
    return cut(to_text(value, kind), length)


def headline(title: str) -> str:
    """Return what is shown of a kept headline."""
    return cut(title, HEADLINE_LENGTH)


def summary(value: str, kind: TextType = TextType.HTML) -> str:
    """Return a summary as a clean paragraph of at most SUMMARY_LENGTH code points."""
    return cut(to_text(value, kind), SUMMARY_LENGTH)
