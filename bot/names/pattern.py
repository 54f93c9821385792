"""Compiles a name, as a person writes it, into a pattern. Matching is done by `bot.names.find`."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from bot.names.chinese import pinyin
from bot.names.common_words import common_words
from bot.names.core_words import core_words, name_words, split_place_kind
from bot.names.edit_distance import phonetic_weight
from bot.names.forms import (
    FIXED_ORDER_WORDS,
    PARTICLES,
    adjective_roots,
    canonical_words,
    is_patronymic,
    stem,
    without_article,
)
from bot.names.gazetteer import exonyms, place_of
from bot.names.phonemes import collapse_repeats, phonetic_classes
from bot.names.phonetic_key import possible_initial_keys, skeleton_keys
from bot.names.transliteration import ARABIC, HAN, KANA, script, transcribe
from bot.text.chinese import simplify
from bot.text.fold import fold, words

#: Words of a name that is compared phonetically; longer names match by spelling only.
MAX_TOKENS = 10
_MIN_TRANSCRIBED_WEIGHT = 2.8  # phonetic weight of a name that is searched in Chinese and Japanese


@dataclass(frozen=True, slots=True)
class NameToken:
    """One word of a name."""

    text: str  #: folded
    phonemes: str
    script: str
    optional: bool = False  #: may be missing in a text
    may_be_initial: bool = False  #: not the surname: may be abbreviated to its initial


@dataclass(frozen=True, slots=True)
class ExactSpelling:
    """A spelling that matches as it is, or with case endings in Cyrillic."""

    words: tuple[str, ...]
    anchor: int  #: index of the word by which it is looked up


@dataclass(frozen=True, slots=True)
class NamePattern:
    """A compiled name, hashed by its text."""

    text: str
    exact: dict[str, tuple[ExactSpelling, ...]]  #: by the stem of the anchor
    orders: tuple[tuple[NameToken, ...], ...]  #: the words in each order that matches
    joined_phonemes: str  #: phonemes of the whole name
    initial_keys: frozenset[str]  #: keys of first characters of a Chinese or Japanese transcription
    syllables: tuple[str, ...]  #: pinyin syllables, of a Chinese name in Latin letters
    place: int  #: number of the place in the gazetteer, -1 for none
    place_kind: str  #: kind of place that must stand beside it ("Kherson Oblast"), else empty
    anchor_keys: frozenset[str]  #: keys of the words by which it is looked up phonetically
    keys: frozenset[str]  #: all index keys

    def __hash__(self) -> int:
        return hash(self.text)


#: Letters whose diacritics determine their reading.
_DIACRITICS = str.maketrans(
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


def _phonemes_by_diacritics(text: str) -> dict[str, str]:
    """Phonemes of the folded words whose diacritics determine their reading.

    The words of a text are folded without diacritics; those of a query can still be read with them.
    """
    phonemes: dict[str, str] = {}
    lowered = unicodedata.normalize("NFC", text).lower()
    if lowered.isascii():
        return phonemes
    for match in words(lowered):
        word = lowered[match.start : match.end]
        respelled = word.translate(_DIACRITICS)
        if respelled != word:
            phonemes[fold(word)] = transcribe(fold(respelled))
    return phonemes


def _tokens(folded: list[str], phonemes: dict[str, str]) -> tuple[NameToken, ...]:
    folded = list(dict.fromkeys(canonical_words(folded)))
    length = len([word for word in folded if word not in PARTICLES and len(word) > 1])
    return tuple(
        NameToken(
            word,
            phonemes.get(word)
            or transcribe(without_article(word) if script(word) == ARABIC else word),
            script(word),
            optional=length > 1
            and (word in PARTICLES or len(word) == 1 or (length > 2 and is_patronymic(word))),
            may_be_initial=index + 1 < len(folded) and folded[-1] not in common_words(),
        )
        for index, word in enumerate(folded)
    )


def _orders(tokens: tuple[NameToken, ...]) -> tuple[tuple[NameToken, ...], ...]:
    """The name as written and, where it may be a person, with the surname first or last."""
    if not 2 <= len(tokens) <= 6 or any(
        token.text in FIXED_ORDER_WORDS or token.text.isdigit() for token in tokens
    ):
        return (tokens,)
    return tuple(dict.fromkeys((tokens, tokens[-1:] + tokens[:-1], tokens[1:] + tokens[:1])))


def _anchor_keys(tokens: tuple[NameToken, ...], place_kind: str) -> set[str]:
    """Keys of the one or two required words of most weight, and of the name as one word."""
    required = sorted(
        (token for token in tokens if not token.optional and token.phonemes),
        key=lambda token: -phonetic_weight(token.phonemes),
    )
    use_two = len(required) > 2 or (
        len(required) == 2 and phonetic_weight(required[1].phonemes) >= 3
    )
    keys: set[str] = set()
    for token in required[: 2 if use_two else 1]:
        whole = {
            key
            for phonemes in _inflections(token.phonemes, place_kind)
            for key in skeleton_keys(phonemes)
        }
        keys.update(whole)
        keys.update(  # of its first piece where it is split
            key[:length]
            for key in whole
            for length in ((3, 4) if len(token.phonemes) > 9 else (4,))
            if len(key) == 5
        )
        if "S" in phonetic_classes(token.phonemes[0]) and len(token.phonemes) > 4:
            keys.update(skeleton_keys(token.phonemes[1:]))  # Hebrew: split at the geresh of צ'
    if len(tokens) > 1:
        keys.update(skeleton_keys(collapse_repeats("".join(token.phonemes for token in tokens))))
    return keys


def _inflections(phonemes: str, place_kind: str) -> list[str]:
    """The phonemes of a word and, beside a kind of place, those of its Slavic adjectives."""
    if not place_kind:
        return [phonemes]
    return [
        phonemes,
        *(root + ending for root in adjective_roots(phonemes) for ending in ("", "s", "k", "sk")),
    ]


@lru_cache(maxsize=1)
def _pinyin_syllables() -> frozenset[str]:
    return frozenset(filter(str.isascii, (pinyin(chr(code)) for code in range(0x4E00, 0x9FA6))))


def _syllables(tokens: tuple[NameToken, ...]) -> tuple[str, ...]:
    """The pinyin syllables of a name that consists of three or four of them."""
    syllables: list[str] = []
    for token in tokens:
        is_candidate = token.script == "Latn" and token.text.isascii() and len(token.text) <= 18
        parts = _split_pinyin(token.text) if is_candidate else None
        if parts is None:
            return ()
        syllables += parts
    return tuple(syllables) if 3 <= len(syllables) <= 4 else ()


def _split_pinyin(word: str) -> list[str] | None:
    if not word:
        return []
    for length in range(min(6, len(word)), 0, -1):
        if word[:length] in _pinyin_syllables():
            rest = _split_pinyin(word[length:])
            if rest is not None:
                return [word[:length], *rest]
    return None


def _exact_spellings(spellings: list[tuple[str, ...]]) -> dict[str, tuple[ExactSpelling, ...]]:
    """Spellings by the stem of their longest word."""
    table: dict[str, list[ExactSpelling]] = {}
    for spelling in dict.fromkeys(spellings):
        anchor = max(range(len(spelling)), key=lambda index: len(spelling[index]))
        table.setdefault(stem(simplify(spelling[anchor])), []).append(
            ExactSpelling(tuple(simplify(word) for word in spelling), anchor)
        )
    return {word: tuple(exact) for word, exact in table.items()}


@lru_cache(maxsize=1024)
def compile_name(text: str) -> NamePattern:
    """Compile a name as a person writes it. Names of more than MAX_TOKENS words match exactly.

    Raises:
        ValueError: the text contains no letter.
    """
    written = tuple(word.folded for word in words(text))
    if not any(character.isalpha() for word in written for character in word):
        raise ValueError("a name needs at least one letter")
    folded = core_words(name_words(text)) if len(written) <= 4 * MAX_TOKENS else []
    folded, place_kind = split_place_kind(folded)
    tokens = _tokens(folded, _phonemes_by_diacritics(text)) if len(folded) <= MAX_TOKENS else ()
    tokens = tokens if all(token.phonemes for token in tokens) else ()
    exact = _exact_spellings(
        [
            written,
            ("".join(written),),
            *(tuple(word.folded for word in words(name)) for name in exonyms(text)),
        ]
    )
    joined = collapse_repeats("".join(token.phonemes for token in tokens if not token.optional))
    is_transcribed = (
        tokens
        and tokens[0].script not in (HAN, KANA)
        and phonetic_weight(joined) >= _MIN_TRANSCRIBED_WEIGHT
    )
    initial_keys = possible_initial_keys(joined) if is_transcribed else frozenset()
    syllables = _syllables(tokens)
    anchor_keys = frozenset(_anchor_keys(tokens, place_kind)) if tokens else frozenset()
    keys = {"~" + word for word in exact} | anchor_keys | initial_keys
    if syllables:
        keys.add("~:" + max(syllables, key=len))
    return NamePattern(
        text,
        exact,
        _orders(tokens),
        joined,
        initial_keys,
        syllables,
        place_of(text),
        place_kind,
        anchor_keys,
        frozenset(keys),
    )
