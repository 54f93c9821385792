"""Reduce inflected words to what their forms have in common, by language. Not folding, not meaning.

Snowball (snowballstem.org) for the languages it supports. Ukrainian by lemma, since its vowels
change inside words (Київ, Києва) and Snowball lacks it. From Hebrew words one-letter prefixes and
the endings of the plural are removed. Arabic words lose their article before Snowball, which treats
the endings of words with and without an article differently; whether a first letter is a prefix
cannot be told from a word alone (فلسطين has none), so a word of a text counts with and without it.
Korean nouns count with and without their particles (`bot.text.korean`).
"""

from functools import cache, lru_cache
from typing import Any

import Stemmer

from bot.text.fold import fold, fold_once
from bot.text.korean import ends_in_hangul, without_particles
from bot.text.word_cache import word_cache

SNOWBALL = {
    "ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "cs": "czech",
    "da": "danish", "nl": "dutch", "en": "english", "eo": "esperanto", "et": "estonian",
    "fi": "finnish", "fr": "french", "de": "german", "el": "greek", "hi": "hindi",
    "hu": "hungarian", "id": "indonesian", "ga": "irish", "it": "italian", "lt": "lithuanian",
    "ne": "nepali", "no": "norwegian", "fa": "persian", "pl": "polish", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sr": "serbian", "es": "spanish", "sv": "swedish",
    "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
#: languages that are stemmed without Snowball
OTHERS = frozenset({"uk", "he"})
#: all languages whose words are found in any inflection
INFLECTED = OTHERS | SNOWBALL.keys() | {"ko"}
# Script of the first letter of a word, by ranges of code points: enough to choose a stemmer.
_RANGES = (
    (0x30, 0x39, ""), (0x41, 0x24F, "Latin"), (0x1E00, 0x1EFF, "Latin"),
    (0x370, 0x3FF, "Greek"), (0x400, 0x52F, "Cyrillic"), (0x530, 0x58F, "Armenian"),
    (0x590, 0x5FF, "Hebrew"), (0x600, 0x77F, "Arabic"), (0x900, 0x97F, "Devanagari"),
    (0xB80, 0xBFF, "Tamil"),
)  # fmt: skip
_SCRIPT_OF = {
    "uk": "Cyrillic", "ru": "Cyrillic", "sr": "Cyrillic", "he": "Hebrew", "yi": "Hebrew",
    "ar": "Arabic", "fa": "Arabic", "el": "Greek", "hy": "Armenian", "hi": "Devanagari",
    "ne": "Devanagari", "ta": "Tamil",
}  # fmt: skip
# The language of a word whose script is not that of its text, or whose text has no known language.
_DEFAULT_LANGUAGES = {
    "Latin": "en", "Cyrillic": "ru", "Hebrew": "he", "Arabic": "ar", "Greek": "el",
    "Armenian": "hy", "Devanagari": "hi", "Tamil": "ta",
}  # fmt: skip
_UNSTEMMED_CYRILLIC = frozenset({"be", "bg", "mk", "kk", "ky", "mn", "tg"})
_UNSTEMMED_ARABIC = frozenset({"ur", "ps", "ku", "ug", "sd"})
# Languages in whose texts a Latin word is foreign.
_NOT_LATIN = (
    _UNSTEMMED_CYRILLIC
    | _UNSTEMMED_ARABIC
    | _SCRIPT_OF.keys()
    | frozenset("zh ja ko th lo km my ka mr bn am".split())
)
_AR_PREFIXES = ("وبال", "وكال", "فبال", "وال", "بال", "كال", "فال", "ولل", "فلل", "ال", "لل")
_HE_PREFIXES = frozenset("והבכלמש")
_AR_LETTERS = frozenset("وفبكل")  # and, so, in, as, for
_AR_GUARD = "ط"  # no prefix begins with it: before it, Snowball removes no prefix
# Endings that Persian writes after a zero-width non-joiner: plurals, possessives, comparatives.
_FA_ENDINGS = frozenset(
    "ها های هایی هایم هایت هایش هایمان هایتان هایشان ام ات اش مان تان شان ای اند تر ترین".split()
)
_ZWNJ = "\u200c"
_HE_FINAL = {"כ": "ך", "מ": "ם", "נ": "ן", "פ": "ף", "צ": "ץ"}  # letters at the end of a word
_MIN_LETTERS = 3  # of a Hebrew or Arabic word without its prefixes
# Folding yields Arabic letters, the Persian stemmer expects Persian ones.
_PERSIAN = str.maketrans({"ي": "ی", "ك": "ک"})


@cache
def _snowball(name: str) -> Any:
    # Without its own cache, which takes five times as long as to stem a word that it lacks.
    return Stemmer.Stemmer(name, 0)


@cache
def _ukrainian() -> Any:
    from bot.text.ukrainian import analyzer  # noqa: PLC0415 (only when there is Ukrainian text)

    return analyzer()


def _script(initial: str) -> str:
    first = ord(initial) if initial else 0
    for low, high, script in _RANGES:
        if low <= first <= high:
            return script
    return ""


def _stemmer_language(word: str, language: str) -> str:
    """The language by whose rules a word is stemmed; empty for none."""
    return _language_of(word[:1], language)


@lru_cache(1 << 12)
def _language_of(initial: str, language: str) -> str:
    """The same, by the first letter: it tells the script, and few letters begin most words."""
    script = _script(initial)
    if not script:
        return ""
    if (language in SNOWBALL or language in OTHERS) and script in {
        _SCRIPT_OF.get(language, "Latin"),
        "Latin" if language == "sr" else "",
    }:
        return language
    if (script == "Cyrillic" and language in _UNSTEMMED_CYRILLIC) or (
        script == "Arabic" and language in _UNSTEMMED_ARABIC
    ):
        return ""
    if script == "Latin" and language and language not in _NOT_LATIN:
        return ""
    return _DEFAULT_LANGUAGES.get(script, "")


def unlike_languages(word: str, languages: frozenset[str]) -> tuple[str, ...]:
    """Return those of some languages by whose rules a word is stemmed: one of each that are alike.

    The word is one of a query, as for `query_stems`.
    """
    return _unlike((word.lower() if word.isascii() else fold(word))[:1], languages)


def is_stemmed_alike(word: str, language: str, languages: frozenset[str]) -> bool:
    """Return whether a word of a query has no other stems in a language than in some others."""
    initial = (word.lower() if word.isascii() else fold(word))[:1]
    return _is_alike(initial, language, languages)


@lru_cache(1 << 9)
def _is_alike(initial: str, language: str, languages: frozenset[str]) -> bool:
    rules = _language_of(initial, language)
    return any(_language_of(initial, other) == rules for other in languages)


@lru_cache(1 << 9)
def _unlike(initial: str, languages: frozenset[str]) -> tuple[str, ...]:
    return tuple({_language_of(initial, language): language for language in languages}.values())


@word_cache(1 << 17)
def stems(word: str, language: str) -> tuple[str, ...]:
    """Return the stems of a word of a text: at least one, folded.

    The word is in lower case, with its accents.
    """
    return text_stems(word, language)


def text_stems(word: str, language: str) -> tuple[str, ...]:
    """Like `stems`, for those who keep what is made of them: nothing is cached here."""
    if not word.isascii() and ends_in_hangul(word):
        return _korean(word, language)
    forms = _stems_of_query(word, language)  # query_stems caches words of queries
    match _stemmer_language(word, language):
        case "ar":
            return _without_first_letters(fold_once(word), forms[0])
        case "fa" if _ZWNJ in word:
            return tuple(dict.fromkeys((*_persian_forms(word, language), *forms)))
        case "he":
            return tuple(
                dict.fromkeys(
                    form
                    for bare in _without_prefixes(forms[0])
                    for form in (bare, *_hebrew_singulars(bare))
                )
            )
        case "tr":  # one pass leaves case endings of some words and removes too much of others
            return tuple(
                dict.fromkeys(
                    (*forms, fold(word), *(_snowball("turkish").stemWord(form) for form in forms))
                )
            )
        case _:
            return forms


@word_cache(1 << 16)
def query_stems(word: str, language: str) -> tuple[str, ...]:
    """Return the stems of a word of a query; an inflected word of a text shares one of them.

    Stemmers recognise endings by their accents, people leave accents out: a word is stemmed both
    with them and without.
    """
    return _stems_of_query(word, language)


def _stems_of_query(word: str, language: str) -> tuple[str, ...]:
    folded = word.lower() if word.isascii() else fold_once(word)  # not kept: the stems are
    match _stemmer_language(folded, language):
        case "":
            return (folded,)
        case "uk":
            return tuple(
                dict.fromkeys(fold(form.normal_form) for form in _ukrainian().parse(folded))
            )
        case "he":
            # A query may have the article, too; other prefixes are part of its meaning.
            words = (
                (folded, folded[1:])
                if folded[0] == "ה" and len(folded) > _MIN_LETTERS
                else (folded,)
            )
            singulars = (form for word in words for form in _hebrew_singulars(word))
            return tuple(dict.fromkeys((*words, *singulars)))
        case "ar":
            return (_arabic(folded),)
        case "fa":
            return (fold(_snowball("persian").stemWord(folded.translate(_PERSIAN))),)
        case known:
            stemmer = _snowball(SNOWBALL[known])
            bare = str(stemmer.stemWord(folded))
            if bare == folded:
                bare = folded  # which is kept with the query: one string in place of two
            return (
                (bare,)
                if word == folded
                else tuple(dict.fromkeys((fold(stemmer.stemWord(word)), bare)))
            )


def _without_prefixes(word: str) -> tuple[str, ...]:
    forms = [word]
    while word[0] in _HE_PREFIXES and len(word) > _MIN_LETTERS and len(forms) <= 3:
        word = word[1:]
        forms.append(word)
    return tuple(forms)


def _hebrew_singulars(word: str) -> tuple[str, ...]:
    """What a Hebrew word may be in the singular: טיל of טילים, ממשלה of ממשלות."""
    bare = word[:-2]
    if len(bare) < _MIN_LETTERS or word[-2:] not in {"ים", "ות"}:
        return ()
    bare = bare[:-1] + _HE_FINAL.get(bare[-1], bare[-1])
    return (bare,) if word.endswith("ים") else (bare, f"{word[:-2]}ה")


def _korean(word: str, language: str) -> tuple[str, ...]:
    forms = without_particles(fold(word))
    last = forms[-1]
    if ends_in_hangul(last):
        return forms
    return tuple(dict.fromkeys((*forms, *stems(last, language))))  # the English part of NATOs가


def _persian_forms(word: str, language: str) -> tuple[str, ...]:
    """The stems of a Persian word without what it has after its last zero-width non-joiner."""
    first, _, last = word.rpartition(_ZWNJ)
    ending = fold(last).translate(_PERSIAN)
    return query_stems(first, language) if first and ending in _FA_ENDINGS else ()


def _without_first_letters(word: str, whole: str) -> tuple[str, ...]:
    """The stems of an Arabic word, of which `whole` is one; the first is that for stories.

    The letter for *and* is nearly always a prefix of longer words, the others as often part of
    them.
    """
    forms = [whole]
    rest = word
    while rest[0] in _AR_LETTERS and len(rest) > _MIN_LETTERS and len(forms) <= 2:
        rest = rest[1:]
        forms.append(_arabic(rest))
    if len(forms) > 1 and word[0] == "و" and len(word) > _MIN_LETTERS + 1:
        forms[:2] = forms[1], forms[0]
    return tuple(dict.fromkeys(forms))


def _arabic(word: str) -> str:
    for prefix in _AR_PREFIXES:
        if word.startswith(prefix) and len(word) - len(prefix) >= _MIN_LETTERS - 1:
            word = word[len(prefix) :]
            break
    if word.endswith("ات") and len(word) > _MIN_LETTERS + 1:
        word = f"{word[:-2]}ه"  # the feminine plural is stemmed as its singular
    for _ in range(2):  # فلسطينيون, فلسطيني, فلسطين
        stem = _without_ending(_without_nisba(word))
        if len(stem) < _MIN_LETTERS or stem == word:
            break
        word = stem
        if len(word) <= _MIN_LETTERS + 2:  # a second time, سوريا would become سور
            break
    return word


def _without_nisba(word: str) -> str:
    """An Arabic word without the ending that makes an adjective of a name: لبنان of لبناني."""
    for ending in ("يه", "ي"):
        if word.endswith(ending) and len(word) - len(ending) > _MIN_LETTERS + 1:
            return word.removesuffix(ending)
    return word


def _without_ending(word: str) -> str:
    """What Snowball leaves of a word, which keeps its first letter."""
    stemmer = _snowball("arabic")
    stem = str(stemmer.stemWord(word))
    return stem if stem[:1] == word[0] else str(stemmer.stemWord(_AR_GUARD + word))[1:]
