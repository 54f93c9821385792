"""How frequent words are in each language, from the lists of wordfreq. No names, no matching.

A list has the words of at least one in a million of a language, names among them. It is loaded when
a word of the language is first asked for, and kept as two arrays, half a megabyte at most.
"""

import gzip
from array import array
from bisect import bisect_left
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import msgpack

from bot.names.transliteration import ARABIC, CYRILLIC, HEBREW, LATIN, script
from bot.text.fold import fold_many
from bot.text.language import scripts_of
from bot.text.word_cache import word_cache

#: Lists of wordfreq that serve further languages.
_LISTS = {
    "hr": "sh",
    "bs": "sh",
    "no": "nb",
    "nn": "nb",
    "tl": "fil",
}
#: Languages in Latin letters with a list.
LANGUAGES = frozenset(
    ("ca cs da de en es fi fil fr hu id is it lt lv ms nb nl pl pt ro sh sk sl sv tr vi").split()
)
#: The language of words whose script is not that of their text, or of an unknown language.
_USUAL = {LATIN: "en", CYRILLIC: "ru", ARABIC: "ar", HEBREW: "he"}
_SCRIPTS = {"Latin": LATIN, "Cyrillic": CYRILLIC, "Arabic": ARABIC, "Hebrew": HEBREW}
_HIGHEST = 9.0  # Zipf frequency of a word that is all of a text


def language_of_word(word: str, language: str) -> str:
    """Return the language whose words a word of a text is compared with."""
    word_script = script(word)
    if any(_SCRIPTS.get(name) == word_script for name in scripts_of(language)):
        return language
    return _USUAL.get(word_script, "")


@word_cache(65536)
def frequency(word: str, language: str) -> float:
    """Return the Zipf frequency of a folded word in a language: 7 for the commonest, 3 for rare.

    0 for a word that is rarer or unknown, and in languages without a list.
    """
    hashes, values = _list(_LISTS.get(language, language))
    word_hash = hash(word)
    index = bisect_left(hashes, word_hash)
    return values[index] if index < len(hashes) and hashes[index] == word_hash else 0.0


@cache
def _list(language: str) -> "tuple[array[int], array[float]]":
    """The hashes of the words of a language, sorted, and the frequency of each."""
    hashes, values = array("q"), array("f")
    file = _folder() / f"small_{language}.msgpack.gz"
    if not (language.isalpha() and file.exists()):
        return hashes, values
    bins = msgpack.unpackb(gzip.decompress(file.read_bytes()))[1:]  # a header comes first
    known: dict[int, float] = {}
    for number, words in enumerate(bins):
        if words:
            for word_hash in map(hash, fold_many(words)):
                known.setdefault(word_hash, _HIGHEST - number / 100)
    for word_hash in sorted(known):
        hashes.append(word_hash)
        values.append(known[word_hash])
    return hashes, values


@cache
def _folder() -> Path:
    """The data of wordfreq. The package itself is not imported: that takes 14 MB."""
    spec = find_spec("wordfreq")
    locations = spec.submodule_search_locations if spec else None
    return Path(next(iter(locations or ("",)))) / "data"
