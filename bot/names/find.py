"""Where a name stands in the words of a text. Pure; which texts are worth asking is `bot.names.keys`."""

from collections.abc import Sequence
from functools import lru_cache

from bot.names.align import FAR, allowance, distance, weight
from bot.names.forms import ARTICLES, JOINTS, KINDS, PARTICLES, TITLES, forms, is_patronymic, stem, trimmed
from bot.names.han import pinyin, reading, simple
from bot.names.pattern import Exact, NamePattern, Token
from bot.names.phones import ABJAD, SYLLABIC, collapse, is_vowel
from bot.names.skeleton import sound_keys, word_keys
from bot.names.sounds import HAN, KANA, in_run, mode, script, sound

#: Words of a text that may be one word of the name, and fillers that may stand within a name.
_PIECES, _FILLERS = 3, 3
#: Characters of a run that are read for one name.
_RUN_LONGEST = 16


def find(pattern: NamePattern, words: Sequence[str]) -> list[tuple[int, int]]:
    """Half-open ranges of the word indices where the name stands, leftmost first, not overlapping.

    Args:
        pattern: the compiled name.
        words: the folded words of a text in order; an empty one is a wall that no name crosses.
    """
    found: list[tuple[int, int]] = []
    keys = pattern.keys
    for place, word in enumerate(words):
        if not word or keys.isdisjoint(word_keys(word)):
            continue
        best = _at(pattern, words, place)
        if best is not None:
            found.append(best)
    return _leftmost(found)


def _leftmost(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    kept: list[tuple[int, int]] = []
    for start, end in sorted(set(found), key=lambda span: (span[0], -span[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept


def _at(pattern: NamePattern, words: Sequence[str], place: int) -> tuple[int, int] | None:
    """The name as it stands around one word that may be its anchor."""
    word = words[place]
    for spelling in pattern.exact.get(stem(simple(word)), ()):
        start = place - spelling.anchor
        if start >= 0 and _stands(spelling, words, start):
            return start, start + len(spelling.words)
    span = _by_sound(pattern, words, place)
    return span if span is None or not pattern.kind else _with_kind(pattern.kind, words, *span)


def _by_sound(pattern: NamePattern, words: Sequence[str], place: int) -> tuple[int, int] | None:
    if in_run(words[place]):
        return _run(pattern, words, place)
    if pattern.anchors.isdisjoint(word_keys(words[place])):
        return None
    for tokens in pattern.orders:
        span = _around(pattern, tokens, words, place)
        if span is not None:
            return span
    return None


def _with_kind(kind: str, words: Sequence[str], start: int, end: int) -> tuple[int, int] | None:
    """The range with the word for the kind of place, where it stands beside it."""
    before = start - 1
    while before >= 0 and words[before] in JOINTS | ARTICLES:
        before -= 1
    if before >= 0 and KINDS.get(words[before]) == kind:
        return before, end
    if end < len(words) and KINDS.get(words[end]) == kind:
        return start, end + 1
    return None if STRICT else (start,end)
STRICT=__import__("os").environ.get("STRICT")


def _stands(spelling: Exact, words: Sequence[str], start: int) -> bool:
    if start + len(spelling.words) > len(words):
        return False
    return all(
        wanted == simple(words[start + offset]) or (offset == spelling.anchor or len(wanted) > 4) and stem(wanted) == stem(words[start + offset])
        for offset, wanted in enumerate(spelling.words)
    )


def _run(pattern: NamePattern, words: Sequence[str], place: int) -> tuple[int, int] | None:
    """A rendering in characters that begins here, or a Chinese name by its syllables."""
    many = len(pattern.syllables)
    if many:
        longest = max(range(many), key=lambda index: len(pattern.syllables[index]))
        start = place - longest
        if start >= 0 and start + many <= len(words) and all(pinyin(words[start + offset]) == syllable for offset, syllable in enumerate(pattern.syllables)):
            return start, start + many
    if simple(words[place]) not in pattern.starts:
        return None
    spoken, best, limit = "", FAR, allowance(pattern.glued, SYLLABIC)
    end = place
    for index in range(place, min(place + _RUN_LONGEST, len(words))):
        word = words[index]
        piece = reading(word) if script(word) == HAN else sound(word) if script(word) == KANA else ""
        if not piece and word != "ー":
            break
        spoken = collapse(spoken + piece)
        cost = distance(pattern.glued, spoken, SYLLABIC, limit)
        if cost < best:
            best, end = cost, index + 1
    return (place, end) if best <= limit and end - place > 2 else None


def _around(pattern: NamePattern, tokens: tuple[Token, ...], words: Sequence[str], place: int) -> tuple[int, int] | None:
    """The words of the name in this order, with the anchor at one place of the text."""
    for index, token in enumerate(tokens):
        if token.optional:
            continue
        for end in _token_ends(token, words, place, 1, pattern.kind):
            left = _walk(tokens[:index][::-1], words, place - 1, -1, pattern.kind)
            right = _walk(tokens[index + 1 :], words, end, 1, pattern.kind)
            if left is not None and right is not None:
                return left + 1, right
    glued = len(tokens) > 1 and tokens is pattern.orders[0] and _same(pattern.glued, tokens[0].script, words[place])
    return (place, place + 1) if glued else None


def _walk(tokens: tuple[Token, ...], words: Sequence[str], place: int, step: int, kind: str) -> int | None:
    """Index beyond the last word that these tokens take from here on, in the direction of the step; None where they do not stand."""
    fillers = 0
    at = place
    for index, token in enumerate(tokens):
        while True:
            inside = 0 <= at < len(words) and bool(words[at])
            ends = _token_ends(token, words, at, step, kind) if inside else ()
            if ends:
                at = ends[0]
                break
            if inside and fillers < _FILLERS and index < len(tokens) and is_filler(words[at]):
                fillers += 1
                at += step
                continue
            if token.optional:
                break
            return None
    return at


@lru_cache(maxsize=16384)
def is_filler(word: str) -> bool:
    """Whether a word may stand within a name that was asked for without it."""
    return word in ARTICLES or word in PARTICLES or word in TITLES or is_patronymic(word) or (len(word) == 1 and word.isalpha() and not in_run(word))


def _token_ends(token: Token, words: Sequence[str], at: int, step: int, kind: str) -> tuple[int, ...]:
    """Index after the token in the direction of the step, for one word or for up to three that are its pieces."""
    word = words[at]
    if _same_token(token, word) or (kind and _same_adjective(token.sound, token.script, word)):
        return (at + step,)
    if len(token.sound) < 5:
        return ()
    pieces = [word]
    for more in range(1, _PIECES):
        beyond = at + step * more
        if not 0 <= beyond < len(words) or not words[beyond] or in_run(words[beyond]):
            break
        pieces.append(words[beyond])
        if _glued_pieces(token.sound, token.script, tuple(pieces[::step])):
            return (beyond + step,)
    return ()


@lru_cache(maxsize=65536)
def _glued_pieces(spoken: str, written: str, pieces: tuple[str, ...]) -> bool:
    other = collapse("".join(map(sound, pieces)))
    if weight(spoken) < 3.3 or len(other) > 2 * len(spoken):
        return False
    compared = mode(written, script(pieces[0]))
    return distance(spoken, other, compared, 0.4) <= 0.4 * allowance(spoken, compared)


def _same_token(token: Token, word: str) -> bool:
    if token.text == word:
        return True
    if len(token.text) == 1:
        return word[0] == token.text or token.sound[:1] == sound(word)[:1]
    if len(word) == 1:
        return False
    return _same(token.sound, token.script, word)


@lru_cache(maxsize=16384)
def _same_adjective(spoken: str, written: str, word: str) -> bool:
    """Whether a word is the adjective of a name in Ukrainian, Russian or Polish, or the name that of the word: Khersonska, Kherson."""
    one, other = _root(spoken), _root(sound(word))
    compared = mode(written, script(word))
    limit = allowance(one, compared)
    return weight(one) >= 3 and distance(one, other, compared, limit) <= limit


def _root(spoken: str) -> str:
    bare = trimmed(spoken)
    for ending, kept in (("ck", 1), ("cψ", 1), ("sk", 0), ("Ak", 0), ("sψ", 0)):
        if bare.endswith(ending):
            bare = bare[: len(bare) - 2 + kept]
    return trimmed(bare)


@lru_cache(maxsize=131072)
def _same(spoken: str, written: str, word: str) -> bool:
    """Whether a word of a text is a spelling of a sound string that was written in a script."""
    compared = mode(written, script(word))
    limit = allowance(spoken, compared)
    for form in forms(word):
        if compared & ABJAD and compared != mode(written, written) and not tellable(form.sound, len(word)):
            continue
        if form.open:
            bare = trimmed(spoken)
            if len(bare) >= 4 and distance(bare, form.sound, compared, limit - 0.05) <= limit - 0.05:
                return True
        elif distance(spoken, form.sound, compared, limit) <= limit:
            return True
    return False


def tellable(spoken: str, letters: int) -> bool:
    """Whether a word without vowels says enough to be told from an everyday one."""
    return letters > 3 or sum(not is_vowel(symbol) and symbol not in "αων" for symbol in spoken) > 2
