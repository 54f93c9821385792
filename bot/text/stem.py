"""Reduce inflected words to what their forms have in common, by language. Not folding (that came before) and not meaning.

Snowball (snowballstem.org) where it has the language. Ukrainian by lemma, since its vowels change inside words (Київ, Києва) and Snowball
lacks it. Hebrew has its one-letter prefixes taken off. Arabic loses article and prefixes before Snowball, which treats the endings of
words with and without an article differently.
"""

from functools import cache, lru_cache
from typing import Any

import Stemmer

from bot.text.fold import fold

SNOWBALL = {
    "ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "cs": "czech", "da": "danish", "nl": "dutch", "en": "english",
    "eo": "esperanto", "et": "estonian", "fi": "finnish", "fr": "french", "de": "german", "el": "greek", "hi": "hindi", "hu": "hungarian",
    "id": "indonesian", "ga": "irish", "it": "italian", "lt": "lithuanian", "ne": "nepali", "no": "norwegian", "fa": "persian",
    "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "es": "spanish", "sv": "swedish",
    "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
#: languages whose words are reduced, beside those of Snowball
OTHERS = frozenset({"uk", "he"})
# First letter of a word to script, as ranges of code points: enough to choose a stemmer.
_RANGES = (
    (0x30, 0x39, ""), (0x41, 0x24F, "Latin"), (0x1E00, 0x1EFF, "Latin"), (0x370, 0x3FF, "Greek"), (0x400, 0x52F, "Cyrillic"),
    (0x530, 0x58F, "Armenian"), (0x590, 0x5FF, "Hebrew"), (0x600, 0x77F, "Arabic"), (0x900, 0x97F, "Devanagari"), (0xB80, 0xBFF, "Tamil"),
)  # fmt: skip
_SCRIPT_OF = {
    "uk": "Cyrillic", "ru": "Cyrillic", "sr": "Cyrillic", "he": "Hebrew", "yi": "Hebrew", "ar": "Arabic", "fa": "Arabic", "el": "Greek",
    "hy": "Armenian", "hi": "Devanagari", "ne": "Devanagari", "ta": "Tamil",
}  # fmt: skip
# A word in another script than its text, or in a text of unknown language, is taken for one of this language.
_USUAL = {
    "Latin": "en", "Cyrillic": "ru", "Hebrew": "he", "Arabic": "ar", "Greek": "el", "Armenian": "hy", "Devanagari": "hi", "Tamil": "ta",
}  # fmt: skip
_UNREDUCED_CYRILLIC = frozenset({"be", "bg", "mk", "kk", "ky", "mn", "tg"})
_UNREDUCED_ARABIC = frozenset({"ur", "ps", "ku", "ug", "sd"})
# Languages in whose texts a Latin word is a foreign one.
_OTHER_SCRIPTS = (
    _UNREDUCED_CYRILLIC
    | _UNREDUCED_ARABIC
    | _SCRIPT_OF.keys()
    | frozenset("zh ja ko th lo km my ka mr bn am".split())
)
_AR_PREFIXES = ("وبال", "وكال", "فبال", "وال", "بال", "كال", "فال", "ولل", "فلل", "ال", "لل")
_HE_PREFIXES = frozenset("והבכלמש")
_KEPT = 3  # letters that a Hebrew or Arabic word keeps at least
_PERSIAN = str.maketrans(
    {"ي": "ی", "ك": "ک"}
)  # folding has the Arabic letters, the stemmer wants the Persian


@cache
def _snowball(name: str) -> Any:
    return Stemmer.Stemmer(name)


@cache
def _ukrainian() -> Any:
    """28 MB and 0.2 seconds, so only where Ukrainian text comes by."""
    from pymorphy3 import MorphAnalyzer  # noqa: PLC0415 (the dictionary is large: see above)

    return MorphAnalyzer(lang="uk")


def _script(word: str) -> str:
    first = ord(word[0]) if word else 0
    return next((script for low, high, script in _RANGES if low <= first <= high), "")


def _stemmer_language(word: str, language: str) -> str:
    """The language whose rules a word is reduced by; empty for none."""
    script = _script(word)
    if not script:
        return ""
    if (language in SNOWBALL or language in OTHERS) and script in {
        _SCRIPT_OF.get(language, "Latin"),
        "Latin" if language == "sr" else "",
    }:
        return language
    if (script == "Cyrillic" and language in _UNREDUCED_CYRILLIC) or (
        script == "Arabic" and language in _UNREDUCED_ARABIC
    ):
        return ""
    if script == "Latin" and language and language not in _OTHER_SCRIPTS:
        return ""
    return _USUAL.get(script, "")


@lru_cache(maxsize=1 << 17)
def stems(word: str, language: str) -> tuple[str, ...]:
    """What a word of a text in this language is found by: at least one form, folded. The word is in small letters, with its accents."""
    forms = query_stems(word, language)
    match _stemmer_language(word, language):
        case "he":
            return _without_prefixes(forms[0])
        case "tr":  # one pass leaves case endings of some words and takes the end of others
            return tuple(
                dict.fromkeys(
                    (*forms, fold(word), *(_snowball("turkish").stemWord(form) for form in forms))
                )
            )
        case _:
            return forms


@lru_cache(maxsize=1 << 16)
def query_stems(word: str, language: str) -> tuple[str, ...]:
    """The forms of a word of a query, of which an inflected word of a text in this language has one among its `stems`.

    Stemmers know endings by their accents, people leave accents out: a word is reduced both with them and without.
    """
    folded = fold(word)
    match _stemmer_language(folded, language):
        case "":
            return (folded,)
        case "uk":
            return tuple(
                dict.fromkeys(fold(form.normal_form) for form in _ukrainian().parse(folded))
            )
        case "he":
            # The article may stand in the query as well as in the text; other prefixes carry meaning there.
            return (folded, folded[1:]) if folded[0] == "ה" and len(folded) > _KEPT else (folded,)
        case "ar":
            return (_arabic(folded),)
        case "fa":
            return (fold(_snowball("persian").stemWord(folded.translate(_PERSIAN))),)
        case known:
            stemmer = _snowball(SNOWBALL[known])
            bare = str(stemmer.stemWord(folded))
            return (
                (bare,)
                if word == folded
                else tuple(dict.fromkeys((fold(stemmer.stemWord(word)), bare)))
            )


def _without_prefixes(word: str) -> tuple[str, ...]:
    forms = [word]
    while word[0] in _HE_PREFIXES and len(word) > _KEPT and len(forms) <= 3:
        word = word[1:]
        forms.append(word)
    return tuple(forms)


def _arabic(word: str) -> str:
    for prefix in _AR_PREFIXES:
        if word.startswith(prefix) and len(word) - len(prefix) >= _KEPT - 1:
            word = word[len(prefix) :]
            break
    if word.endswith("ات") and len(word) > _KEPT + 1:
        word = f"{word[:-2]}ه"  # the feminine plural goes the way of its singular
    return str(_snowball("arabic").stemWord(word))
