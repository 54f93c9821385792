"""Signs that carry meaning: C++, C#, .NET, 50%, U.S., $TSLA, #tag, AT&T, emoji.

Words are matched without signs; a term that is written with one of these asks for it beside or
between its words, as written. Other punctuation means nothing. Not the search for words.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import regex

_EMOJI = r"\p{Extended_Pictographic}\p{Regional_Indicator}\p{Emoji_Modifier}\u200d--[©®™‼⁉]"
_APART = regex.compile(rf"(?V1)[[%‰\p{{Sc}}]||[{_EMOJI}]]")  # may have a blank beside it
_SIGN = regex.compile(rf"(?V1)[[+#%‰&@\p{{Sc}}]||[{_EMOJI}]]")
_ALONE = regex.compile(rf"(?V1)[[\p{{So}}\p{{Sc}}\ufe0f\s]||[{_EMOJI}]]+")
_INITIALS = re.compile(r"(?<!\w)(?:[^\W\d_]\.){2,}[^\W\d_]?(?!\w)|(?<!\w)[^\W\d_]\.[^\W\d_](?!\w)")
# Forms of the same signs, and the selector of an emoji's form, which is often left out.
_FORMS = str.maketrans({chr(sign + 0xFEE0): chr(sign) for sign in range(0x21, 0x7F)}) | {
    ord("٪"): "%",
    ord("﹪"): "%",
    0xFE0F: None,
}
_WINDOW = 24  # code points beside a word that are looked at


@dataclass(frozen=True, slots=True)
class Signs:
    """The signs that a term asks for."""

    before: str = ""  #: right before the first word
    between: str = ""  #: between the words, in order
    after: str = ""  #: right after the last word
    initials: tuple[str, ...] = ()  #: letters written with points, as US of U.S.


def signs_of(text: str, spans: Sequence[tuple[int, int]]) -> Signs | None:
    """Return the signs of a term whose words are at these ranges; None for none."""
    start, end = spans[0][0], spans[-1][1]
    signs = Signs(
        _before(text[:start], text[start:]),
        _between(text[start:end]),
        _after(text[end:]),
        tuple(_letters(match.group()) for match in _INITIALS.finditer(text)),
    )
    return signs if signs != Signs() else None


def is_sign_alone(text: str) -> bool:
    """Whether a text without words is one that can be looked for as written, as an emoji."""
    return bool(text.strip()) and _ALONE.fullmatch(text) is not None


def written(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return a text from its first word to its last, with the signs beside them."""
    start, end = spans[0][0], spans[-1][1]
    before, after = _before(text[:start], text[start:]), _after(text[end:])
    return f"{before}{text[start:end]}{after}"


def has_signs(signs: Signs, text: str, start: int, end: int) -> bool:
    """Whether the words at this range of a text are written with these signs."""
    before = _before(text[max(0, start - _WINDOW) : start], text[start:end])
    after = _after(text[end : end + _WINDOW])
    return (
        before.endswith(signs.before)
        and after.startswith(signs.after)
        and not (signs.after[-1:] in {"+", "#"} and after[len(signs.after) :][:1] in {"+", "#"})
        and (not signs.between or _between(text[start:end]) == signs.between)
        and all(
            _written_initials(letters).search(text, start, min(len(text), end + 1))
            for letters in signs.initials
        )
    )


def _before(text: str, following: str) -> str:
    """The signs right before a word."""
    plain = text.translate(_FORMS)
    signs = ""
    while plain:
        bare = plain.rstrip()
        sign, preceding = bare[-1:], bare[-2:-1]
        apart = sign and _APART.match(sign) and sign not in "%‰"
        hash_or_point = (sign in "#@" and sign) or (
            sign == "." and following[:1].isalpha() and not signs and preceding != "."
        )
        if not apart and (bare != plain or not hash_or_point or preceding.isalnum()):
            break
        signs, plain = sign + signs, bare[:-1]
    return signs


def _after(text: str) -> str:
    """The signs right after a word."""
    plain = text.translate(_FORMS)
    signs = ""
    while plain:
        bare = plain.lstrip()
        sign, following = bare[:1], bare[1:2]
        apart = sign and _APART.match(sign)
        if not apart and (
            bare != plain or sign not in {"+", "#"} or (sign == "#" and following.isalnum())
        ):
            break
        signs, plain = signs + sign, bare[1:]
    return signs


def _between(text: str) -> str:
    return "".join(_SIGN.findall(text.translate(_FORMS)))


def _letters(text: str) -> str:
    return text.replace(".", "")


@lru_cache(maxsize=1024)
def _written_initials(letters: str) -> "re.Pattern[str]":
    """Return what matches initials with points in any case, or capitals."""
    points = r"\.\s?".join(map(re.escape, letters))
    capitals = r"\s?".join(map(re.escape, letters.upper()))
    return re.compile(rf"(?i:{points})|{capitals}")


@lru_cache(maxsize=1024)
def literal(text: str) -> "re.Pattern[str]":
    """Return what matches a text of signs as written, each form of an emoji."""
    signs = text.replace("\ufe0f", "")
    return re.compile("\ufe0f?".join(map(re.escape, signs)) + "\ufe0f?")
