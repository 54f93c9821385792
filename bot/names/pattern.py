"""A name as it was asked for, made ready to be found. What finds it is `bot.names.find`."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from bot.names.align import weight
from bot.names.chinese import pinyin, simple
from bot.names.common_words import common_words
from bot.names.forms import (
    ARTICLES,
    FIXED,
    JOINTS,
    KINDS,
    LEGAL,
    LEGAL_PHRASES,
    PARTICLES,
    TITLES,
    is_patronymic,
    numbers,
    roots,
    split_article,
    stem,
    without_article,
)
from bot.names.gazetteer import exonyms, place_of
from bot.names.phonemes import classes, collapse
from bot.names.phonetic_key import openings, sound_keys
from bot.names.transliteration import ARABIC, HAN, KANA, in_run, script, sound
from bot.text.fold import fold, words

#: Words of a name that are compared by sound; longer names are found as they are written only.
MOST_TOKENS = 10
_LEAST_RENDERED = 2.8  # weight of a name that is looked for in characters of Chinese and Japanese
#: Signs that belong to a word of a name; after the d of d'Ivoire they part two.
_APOSTROPHES = "'’‘ʼʻʿʾ`´׳‛′"
_ASIDE = re.compile(r"\([^()]*\)")
_CAMEL = re.compile(r"(?<=[a-z]{2})(?=[A-Z][a-z])")  # RamiMakhlouf
_COMMA = re.compile(r"^\s*([^,;]+),\s*([^,;]+)$")


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a name."""

    text: str  #: folded
    sound: str
    script: str
    optional: bool = False  #: a text may leave it out
    given: bool = False  #: no surname: a text may have its initial only


@dataclass(frozen=True, slots=True)
class Exact:
    """A spelling that is found as it is, with case endings where its script has them."""

    words: tuple[str, ...]
    anchor: int  #: index of the word by which it is looked up


@dataclass(frozen=True, slots=True)
class NamePattern:
    """A compiled name. Equal for equal texts."""

    text: str
    exact: dict[str, tuple[Exact, ...]]  #: by the stem of the anchor
    orders: tuple[
        tuple[Token, ...], ...
    ]  #: the words of the name, in each order in which they may stand
    glued: str  #: sound of the whole name
    starts: frozenset[
        str
    ]  #: keys of characters of Chinese and Japanese with which a rendering may begin
    syllables: tuple[str, ...]  #: the name in pinyin, where it is Chinese written in Latin
    place: int  #: what the gazetteer knows by this name, -1 for nothing
    kind: str  #: the kind of place that has to stand beside it, as in "Kherson Oblast"; empty for any name
    anchors: frozenset[str]  #: keys of words by which the name is looked up by sound
    keys: frozenset[str]  #: all keys

    def __hash__(self) -> int:
        return hash(self.text)


_MARKED = str.maketrans(
    {
        "č": "ch",
        "ć": "ch",
        "ç": "ch",
        "š": "sh",
        "ş": "sh",
        "ș": "sh",
        "ś": "sh",
        "ž": "zh",
        "ż": "zh",
        "ğ": "gh",
        "ñ": "ny",
        "ń": "ny",
    }
)


def _spoken(text: str) -> dict[str, str]:
    """Sounds of the folded words whose marks say how they are read; a text loses its marks, a name as it was asked for has them."""
    marked: dict[str, str] = {}
    lowered = unicodedata.normalize("NFC", text).lower()
    if lowered.isascii():
        return marked
    for word in _plain_words(lowered):
        told = word.translate(_MARKED)
        if told != word:
            marked[fold(word)] = sound(fold(told))
    return marked


def _plain_words(text: str) -> list[str]:
    return [text[word.start : word.end] for word in words(text)]


def _plain(text: str) -> list[str]:
    """Folded words of a name, with characters of unspaced scripts joined and surname-first order turned."""
    bare = _ASIDE.sub(" ", text)
    text = _CAMEL.sub(" ", bare if any(character.isalpha() for character in bare) else text)
    comma = _COMMA.match(text)
    if comma and not _is_legal_only(comma.group(2)):
        text = f"{comma.group(2)} {comma.group(1)}"
    joined: list[str] = []
    end = -1
    for word in words(text):
        between = text[end : word.start] if joined else " "
        initials = between == "." and len(word.folded) == 1 and len(joined[-1]) <= 3  # A.B.C.
        unspaced = not between and in_run(word.folded) and in_run(joined[-1][-1])
        if (
            initials
            or unspaced
            or (between and between in _APOSTROPHES and joined[-1] not in JOINTS)
        ):
            joined[-1] += word.folded
        else:
            joined.append(word.folded)
        end = word.end
    return [
        part
        for word in joined
        for part in (split_article(word) if script(word) == ARABIC else [word])
    ]


def _is_legal_only(text: str) -> bool:
    return all(word.folded in LEGAL or len(word.folded) == 1 for word in words(text))


def kernel(folded: list[str]) -> list[str]:
    """The words that make the name: without titles, legal forms and articles, unless nothing would be left."""
    rest = list(folded)
    for phrase in LEGAL_PHRASES:
        many = len(phrase)
        for start in range(len(rest) - many, -1, -1):
            if tuple(rest[start : start + many]) == phrase and len(rest) > many:
                del rest[start : start + many]
    for kind in (LEGAL, TITLES, ARTICLES):
        bare = [
            word
            for at, word in enumerate(rest)
            if word not in kind or (kind is ARTICLES and at + 1 == len(rest))
        ]
        if any(len(word) > 1 for word in bare) and not (
            len(bare) == 1 and bare[0] in common_words()
        ):
            rest = bare
    return rest


def _split_kind(folded: list[str]) -> tuple[list[str], str]:
    """The words of a name without the word for its kind, and the kind."""
    kinds = [KINDS[word] for word in folded if word in KINDS]
    rest = [word for word in folded if word not in KINDS]
    if (
        not kinds
        and folded
        and in_run(folded[-1][-1])
        and len(folded[-1]) > 2
        and folded[-1][-1] in KINDS
    ):
        kinds, rest = [KINDS[folded[-1][-1]]], [*folded[:-1], folded[-1][:-1]]
    while kinds and rest and rest[0] in JOINTS:
        rest = rest[1:]
    if not kinds or not any(len(word) > 1 for word in rest):
        return folded, ""
    return rest, "" if kinds[0] == "city" else kinds[0]


def _tokens(folded: list[str], spoken: dict[str, str]) -> tuple[Token, ...]:
    folded = list(dict.fromkeys(numbers(folded)))
    many = len([word for word in folded if word not in PARTICLES and len(word) > 1])
    return tuple(
        Token(
            word,
            spoken.get(word) or sound(without_article(word) if script(word) == ARABIC else word),
            script(word),
            optional=many > 1
            and (word in PARTICLES or len(word) == 1 or (many > 2 and is_patronymic(word))),
            given=index + 1 < len(folded) and folded[-1] not in common_words(),
        )
        for index, word in enumerate(folded)
    )


def _orders(tokens: tuple[Token, ...]) -> tuple[tuple[Token, ...], ...]:
    """The name as written, and for what may be a person the surname first or last."""
    if not 2 <= len(tokens) <= 6 or any(
        token.text in FIXED or token.text.isdigit() for token in tokens
    ):
        return (tokens,)
    return tuple(dict.fromkeys((tokens, tokens[-1:] + tokens[:-1], tokens[1:] + tokens[:1])))


def _anchor_keys(tokens: tuple[Token, ...], kind: str) -> set[str]:
    """Keys of the weightiest words that the name cannot do without, and of the name written as one word or cut up."""
    needed = sorted(
        (token for token in tokens if not token.optional and token.sound),
        key=lambda token: -weight(token.sound),
    )
    keys: set[str] = set()
    for token in (
        needed[:2]
        if len(needed) > 2 or (len(needed) == 2 and weight(needed[1].sound) >= 3)
        else needed[:1]
    ):
        whole = {key for spoken in _spoken_forms(token.sound, kind) for key in sound_keys(spoken)}
        keys.update(whole)
        keys.update(
            key[:cut]
            for key in whole
            for cut in ((3, 4) if len(token.sound) > 9 else (4,))
            if len(key) == 5
        )
        if "S" in classes(token.sound[0]) and len(token.sound) > 4:
            keys.update(sound_keys(token.sound[1:]))  # Hebrew: the geresh of צ' cuts
    if len(tokens) > 1:
        keys.update(sound_keys(collapse("".join(token.sound for token in tokens))))
    return keys


def _spoken_forms(spoken: str, kind: str) -> list[str]:
    """The sound of a word, and with a kind of place those of its adjectives."""
    return (
        [spoken, *(root + ending for root in roots(spoken) for ending in ("", "s", "k", "sk"))]
        if kind
        else [spoken]
    )


@lru_cache(maxsize=1)
def _pinyin_syllables() -> frozenset[str]:
    return frozenset(filter(str.isascii, (pinyin(chr(code)) for code in range(0x4E00, 0x9FA6))))


def _syllables(tokens: tuple[Token, ...]) -> tuple[str, ...]:
    """Three or four syllables of pinyin, where the whole name reads as such."""
    found: list[str] = []
    for token in tokens:
        cut = (
            _cut(token.text)
            if token.script == "Latn" and token.text.isascii() and len(token.text) <= 18
            else None
        )
        if cut is None:
            return ()
        found += cut
    return tuple(found) if 3 <= len(found) <= 4 else ()


def _cut(word: str) -> list[str] | None:
    if not word:
        return []
    for length in range(min(6, len(word)), 0, -1):
        if word[:length] in _pinyin_syllables():
            rest = _cut(word[length:])
            if rest is not None:
                return [word[:length], *rest]
    return None


def _exact(spellings: list[tuple[str, ...]]) -> dict[str, tuple[Exact, ...]]:
    """Spellings by the stem of their rarest-looking word."""
    table: dict[str, list[Exact]] = {}
    for spelling in dict.fromkeys(spellings):
        anchor = max(range(len(spelling)), key=lambda place: len(spelling[place]))
        table.setdefault(stem(simple(spelling[anchor])), []).append(
            Exact(tuple(simple(word) for word in spelling), anchor)
        )
    return {word: tuple(found) for word, found in table.items()}


@lru_cache(maxsize=4096)
def compile_name(text: str) -> NamePattern:
    """Compile a name as a person writes it, at most 200 characters of it by sound.

    Raises:
        ValueError: the text holds no letter or digit.
    """
    written = tuple(word.folded for word in words(text))
    if not any(character.isalpha() for word in written for character in word):
        raise ValueError("a name needs at least one letter")
    folded = kernel(_plain(text)) if len(written) <= 4 * MOST_TOKENS else []
    folded, kind = _split_kind(folded)
    tokens = _tokens(folded, _spoken(text)) if len(folded) <= MOST_TOKENS else ()
    tokens = tokens if all(token.sound for token in tokens) else ()
    exact = _exact(
        [
            written,
            ("".join(written),),
            *(tuple(word.folded for word in words(name)) for name in exonyms(text)),
        ]
    )
    glued = collapse("".join(token.sound for token in tokens if not token.optional))
    foreign = tokens and tokens[0].script not in (HAN, KANA) and weight(glued) >= _LEAST_RENDERED
    starts = openings(glued) if foreign else frozenset()
    syllables = _syllables(tokens)
    anchors = frozenset(_anchor_keys(tokens, kind)) if tokens else frozenset()
    keys = {"~" + word for word in exact}
    keys |= anchors | starts
    if syllables:
        keys.add("~:" + max(syllables, key=len))
    return NamePattern(
        text,
        exact,
        _orders(tokens),
        glued,
        starts,
        syllables,
        place_of(text),
        kind,
        anchors,
        frozenset(keys),
    )
