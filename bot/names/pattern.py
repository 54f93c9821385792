"""Compiles a name, as a person writes it, into a pattern. Matching is done by `bot.names.find`."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bot.names.chinese import pinyin_syllables, reading
from bot.names.common_words import common_words
from bot.names.context import text_of
from bot.names.core_words import core_words, name_words, split_place_kind
from bot.names.edit_distance import distance, max_distance, phonetic_weight
from bot.names.forms import (
    FIXED_ORDER_WORDS,
    PARTICLES,
    adjective_roots,
    canonical_words,
    is_patronymic,
    stem,
    without_article,
)
from bot.names.gazetteer import exonyms, languages_of, place_of
from bot.names.known_spellings import known_spellings
from bot.names.lexicon import frequency
from bot.names.phonemes import collapse_repeats, phonetic_classes
from bot.names.phonetic_key import possible_initial_keys, skeleton_keys
from bot.names.transliteration import ARABIC, HAN, KANA, LATIN, comparison_mode, script, transcribe
from bot.text.chinese import simplify
from bot.text.fold import fold, words

#: Words of a name that is compared phonetically; longer names match by spelling only.
MAX_TOKENS = 10
_MIN_UNKNOWN = 6  # letters of a Latin name of a place of which the language is not known
_MIN_RARE = 5  # the same, of a place of which no name's language is known
_MIN_WELL_KNOWN = 500_000  # inhabitants of a city that every language has a name for
_OWN_NAME = 0.7  # Zipf steps by which a language's own name is more frequent than the main one
_LANGUAGES_WITH_EXONYMS = ("cs", "de", "es", "fr", "it", "nl", "pl", "pt", "tr")
_MIN_CLOSE = 5  # letters of such a name that sounds like the name
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
    #: that use it; empty for those that are not known
    languages: frozenset[str] = frozenset()
    is_sure: bool = True  #: a name in any language: as the person writes it, or much like that


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
    #: languages in which the usual names of the place are known: other frequent words are none
    known_languages: frozenset[str]
    may_be_small: bool  #: matches words in small letters

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


def _can_be_read(token: NameToken) -> bool:
    """Whether all of a word is known to the tables: a Chinese word is no transcription else."""
    if token.script == HAN:
        return all(reading(simplify(character)) for character in token.text)
    return bool(token.phonemes)


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
        if word[:length] in pinyin_syllables():
            rest = _split_pinyin(word[length:])
            if rest is not None:
                return [word[:length], *rest]
    return None


def _exact_spellings(spellings: list[ExactSpelling]) -> dict[str, tuple[ExactSpelling, ...]]:
    """Spellings by the stem of their longest word."""
    table: dict[str, dict[tuple[str, ...], ExactSpelling]] = {}
    for spelling in spellings:
        anchor = stem(simplify(spelling.words[spelling.anchor]))
        table.setdefault(anchor, {}).setdefault(spelling.words, spelling)
    return {word: tuple(exact.values()) for word, exact in table.items()}


def _spelling(
    written: tuple[str, ...], languages: frozenset[str] = frozenset(), *, is_sure: bool = True
) -> ExactSpelling:
    anchor = max(range(len(written)), key=lambda index: len(written[index]))
    return ExactSpelling(tuple(map(simplify, written)), anchor, languages, is_sure)


def _spellings_of_place(text: str, phonemes: str) -> Iterator[ExactSpelling]:
    """The other names of a place that are safe to look for.

    A Latin one of which the languages are not known has to sound like the name, or to be long
    enough to be no other word.
    """
    names = exonyms(text)
    is_known = any(name.languages for name in names)
    for name, languages, main, population in names:
        written = tuple(text_of(name).words)
        if script(written[0]) != LATIN:
            yield _spelling(written, languages, is_sure=name == main)
            continue
        letters = sum(map(len, written))
        is_well_known = is_known or population >= _MIN_WELL_KNOWN
        least = _MIN_UNKNOWN if is_well_known else _MIN_RARE
        is_sure = name == main or (
            not is_known
            and letters >= _MIN_CLOSE
            and (_is_close(phonemes, text, written) or _is_close(_sound(main), main, written))
        )
        if is_sure or languages or letters >= least:
            yield _spelling(written, languages, is_sure=is_sure)
        elif population >= _MIN_WELL_KNOWN:
            used = _languages_that_use(written, main)
            if used:
                yield _spelling(written, used, is_sure=False)


def _spellings_of_person(written: tuple[str, ...]) -> tuple[str, ...]:
    return known_spellings(written[0]) if len(written) == 1 else ()


def _sound(text: str) -> str:
    return collapse_repeats("".join(transcribe(word.folded) for word in words(text)))


def _languages_that_use(written: tuple[str, ...], main: str) -> frozenset[str]:
    """The languages that know this name of a well-known place, and not its main name."""
    main_name = fold(main)
    return frozenset(
        language
        for language in _LANGUAGES_WITH_EXONYMS
        if len(written) == 1
        and frequency(written[0], language) > frequency(main_name, language) + _OWN_NAME
    )


def _is_close(phonemes: str, text: str, written: tuple[str, ...]) -> bool:
    """Whether a Latin name sounds as a spelling of a name may."""
    mode = comparison_mode(script(next(words(text)).folded), LATIN)
    limit = max_distance(phonemes, mode)
    return bool(phonemes) and distance(phonemes, _sound(" ".join(written)), mode, limit) <= limit


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
    tokens = tokens if all(map(_can_be_read, tokens)) else ()
    joined = collapse_repeats("".join(token.phonemes for token in tokens if not token.optional))
    exact = _exact_spellings(
        [
            *(_spelling(spelling) for spelling in (written, tuple(text_of(text).words))),
            _spelling(("".join(written),)),
            *(_spelling(tuple(text_of(name).words)) for name in _spellings_of_person(written)),
            *_spellings_of_place(text, joined),
        ]
    )
    place = place_of(text)
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
        place,
        place_kind,
        anchor_keys,
        frozenset(keys),
        languages_of(place),
        bool(place_kind) or text == text.lower() != text.upper(),
    )
