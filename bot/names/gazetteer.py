"""Gazetteer: names of countries and larger cities, of CLDR and GeoNames.

No matching. Read from a file that `data/gazetteer.py` makes, opened when the first name is
compiled.
The names of cities are entered by volunteers, among them codes, romanized Chinese and names of
languages. Doubtful names are skipped, since a false match is worse than a missed one.
"""

import re
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bot.names.common_words import common_words
from bot.names.data_file import WordIndex, open_data
from bot.names.phonetic_key import skeletons
from bot.names.transliteration import (
    ARABIC,
    CYRILLIC,
    HAN,
    HANGUL,
    HEBREW,
    KANA,
    LATIN,
    script,
    transcribe,
)
from bot.text.chinese import simplify
from bot.text.fold import folded_key
from bot.text.word_cache import word_cache

FILE = Path(__file__).with_name("data") / "gazetteer.bin"
CLEARLY_LARGER = 4  #: factor by which a place must be larger than its namesakes to be meant
COUNTRY = 1 << 40  #: population of countries, so that they prevail over cities of their name
BLOCK = 128  #: places whose names are packed together
PLACE_END = "\0"  #: between the names of two places
#: Least letters of a name, by script; shorter ones may be words or codes. 4 in other scripts.
_MIN_LETTERS = {LATIN: 4, CYRILLIC: 3, ARABIC: 3, HEBREW: 3, HANGUL: 2, HAN: 2, KANA: 3}
_DIACRITICS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0610-\u061a]+")
_REPLACEMENTS = dict(zip("ةىیکıłøđ-‐–", "هييكilod   ", strict=True)) | dict.fromkeys(
    "'’‘`´ʹʼʻʿʾ.·・ـ\u200c\u200d", ""
)
_REPLACED = re.compile("[" + re.escape("".join(_REPLACEMENTS)) + "\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class _Gazetteer:
    """Places with their names. The names of a place are lines, its main name first.

    A tab and languages follow a name of which it is known in which languages it is used.
    """

    populations: Sequence[int]  #: inhabitants of each place
    index: WordIndex  #: of all normalized names
    places_by_position: Sequence[int]  #: the place of each name in the index
    blocks: memoryview  #: the names of `BLOCK` places each, packed
    block_starts: Sequence[int]  #: offset of each block, then the end
    languages: frozenset[str]  #: normalized names of languages, which are no places

    def names(self, place: int) -> list[str]:
        """Return all names of a place."""
        return [line.partition("\t")[0] for line in self._lines(place)]

    def languages_of_names(self, place: int) -> dict[str, frozenset[str]]:
        """Return the languages of each name of which they are known."""
        parts = (line.partition("\t") for line in self._lines(place))
        return {name: frozenset(languages.split()) for name, tab, languages in parts if tab}

    def _lines(self, place: int) -> list[str]:
        block, number = divmod(place, BLOCK)
        packed = self.blocks[self.block_starts[block] : self.block_starts[block + 1]]
        return zlib.decompress(packed).decode().split(PLACE_END)[number].split("\n")

    def places(self, normalized: str) -> list[int]:
        """Return the places with a normalized name, largest first."""
        places = [self.places_by_position[position] for position in self.index.find(normalized)]
        return sorted(places, key=lambda place: (-self.populations[place], place))


class Exonym(NamedTuple):
    """Another name of a place."""

    text: str
    languages: frozenset[str]  #: that use it; empty where they are not known
    main: str  #: the name by which GeoNames lists the place
    population: int  #: of the place


def exonyms(text: str) -> tuple[Exonym, ...]:
    """Return other names of the country or larger city with this name.

    Empty for an unknown or ambiguous name.
    """
    place = place_of(text)
    if place < 0:
        return ()
    gazetteer, name = _load(), normalized_name(text)
    names, languages = gazetteer.names(place), gazetteer.languages_of_names(place)
    query_skeletons = _skeletons_by_word(text)
    attested = (
        None if gazetteer.populations[place] == COUNTRY else _attested_skeletons(gazetteer, names)
    )
    result: dict[str, Exonym] = {}
    # Of the same name with accents and without, the one whose languages are known comes first.
    for candidate in sorted(names, key=lambda candidate: candidate not in languages):
        normalized = normalized_name(candidate)
        if (
            (
                candidate not in languages
                and _without_final_vowels(normalized) == _without_final_vowels(name)
            )
            or normalized in gazetteer.languages
            or _is_part(candidate, query_skeletons)
        ):
            continue
        if (
            _is_usable(candidate, names[0])
            and (attested is None or _is_attested(candidate, attested))
            and gazetteer.places(normalized)[:1] == [place]
        ):
            used_in = languages.get(candidate, frozenset())
            key = simplify(folded_key(candidate))
            if key in result:
                used_in |= result[key].languages
                candidate = result[key].text  # noqa: PLW2901
            result[key] = Exonym(candidate, used_in, names[0], gazetteer.populations[place])
    result.pop(simplify(folded_key(text)), None)
    return tuple(result.values())


def _without_final_vowels(name: str) -> str:
    """A name without final vowels, which phonetic comparison judges: Ivanova is not Ivanov."""
    return name.rstrip("aeiouyаеиоуыіяю") or name


def _skeletons_by_word(text: str) -> list[frozenset[str]]:
    return [frozenset(skeletons(transcribe(word))) for word in folded_key(text).split()]


def _is_part(name: str, query_skeletons: list[frozenset[str]]) -> bool:
    """Whether a name is only a part of the query: Volodymyr of Volodymyr-Volynskyi."""
    words = _skeletons_by_word(name)
    return len(words) < len(query_skeletons) and all(
        any(word & query_word for query_word in query_skeletons) for word in words
    )


def place_of(text: str) -> int:
    """Return the number of the country or larger city with this name.

    -1 for an unknown or ambiguous name.
    """
    gazetteer, name = _load(), normalized_name(text)
    places = gazetteer.places(name) if name not in gazetteer.languages else []
    if not places:
        return -1
    # The Rome of GeoNames is Rome, though Lomé is listed under that name, too.
    named = [place for place in places if normalized_name(gazetteer.names(place)[0]) == name]
    places = named or places
    populations = [gazetteer.populations[place] for place in places[:2]]
    if len(places) > 1 and populations[0] < CLEARLY_LARGER * populations[1]:
        return -1
    names = gazetteer.names(places[0])
    main_name = normalized_name(names[0])
    if name != main_name and _without_final_vowels(name) == _without_final_vowels(main_name):
        return -1
    if any(
        normalized_name(candidate) == name and (_is_usable(candidate, "") or candidate == names[0])
        for candidate in names
    ):
        return places[0]
    return -1


def languages_of(place: int) -> frozenset[str]:
    """Return the languages whose name of a place is known; none for no place."""
    if place < 0:
        return frozenset()
    return frozenset().union(*_load().languages_of_names(place).values())


@word_cache(16384)
def may_be_same_place(name: str, other: str) -> bool:
    """Whether some place, however small, has both names."""
    gazetteer = _load()
    places = gazetteer.places(normalized_name(name))
    return bool(places) and not set(places).isdisjoint(gazetteer.places(normalized_name(other)))


@word_cache(8192)
def is_other_country(word: str, place: int) -> bool:
    """Whether a folded word of five letters or more is the name of a country, not of this place."""
    if len(word) < 5:
        return False
    gazetteer = _load()
    places = gazetteer.places(normalized_name(word))
    return bool(places) and place not in places and gazetteer.populations[places[0]] == COUNTRY


def normalized_name(text: str) -> str:
    """Fold a name, or many on a line each: as `bot.text.fold` does, but 150,000 in a second."""
    bare = _DIACRITICS.sub("", unicodedata.normalize("NFD", text.casefold()))
    return _REPLACED.sub(
        lambda match: (
            _REPLACEMENTS.get(match.group(), match.group())
            if match.group() < "\u4e00"
            else simplify(match.group())
        ),
        bare,
    )


@cache
def _load() -> _Gazetteer:
    data = open_data(FILE)
    return _Gazetteer(
        data.integers("populations", "Q"),
        WordIndex(data.integers("starts", "I"), data.integers("rests", "I")),
        data.integers("places", "H"),
        data.sections["blocks"],
        data.integers("block starts", "I"),
        frozenset(data.text("languages").split("\n")),
    )


def _is_usable(name: str, main_name: str) -> bool:
    """Whether a name can be searched: no code, no romanized Chinese, no short or common word."""
    letters = sum(character.isalpha() for character in name)
    if (
        not 0 < letters <= 40
        or re.search(r"[\d/,;:+]| - ", name)
        or len(name.split()) > 4
        or (main_name and normalized_name(name) in common_words())
    ):
        return False
    name_script = script(folded_key(name))
    if letters < _MIN_LETTERS.get(name_script, 4):
        return False
    if name_script != LATIN:
        return True
    first = next(character for character in name if character.isalpha())
    return not first.islower() and not (name.isupper() and letters < 6)


def _attested_skeletons(gazetteer: _Gazetteer, names: list[str]) -> set[str]:
    """Skeletons of the main name of a city and of its names in scripts other than Latin.

    A Latin name with none of these skeletons is doubtful.
    """
    reliable = [
        name
        for name in names[1:]
        if script(folded_key(name)) != LATIN
        and _is_usable(name, names[0])
        and normalized_name(name) not in gazetteer.languages
    ]
    return {skeleton for name in (names[0], *reliable) for skeleton in _skeletons(name)}


def _is_attested(name: str, attested: set[str]) -> bool:
    return script(folded_key(name)) != LATIN or not attested.isdisjoint(_skeletons(name))


def _skeletons(name: str) -> set[str]:
    return {skeleton[:3] for skeleton in skeletons(transcribe(folded_key(name).replace(" ", "")))}
