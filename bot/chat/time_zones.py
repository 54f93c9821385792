"""The time zone that a person means by the name of a city or zone.

Reads tables of zones, nothing else.
"""

from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from babel.dates import get_timezone_location

from bot.text.fold import fold

#: the one city that Babel names in English only
_KYIV = frozenset(map(fold, ("Київ", "Киев", "Kiew", "Kiev", "كييف")))
_NO_PLACES = ("Etc/", "posix", "right", "SystemV")
_PREFIX = 2  # letters of a city that say too little


def time_zones(text: str, language: str = "en") -> list[str]:
    """Return the time zones that a name may mean, the likeliest first.

    A city is known by its English name and by its name in the language.
    """
    name = text.strip().replace(" ", "_")
    if _is_zone(name):
        return [name]
    folded = fold(name)
    if not folded:
        return []
    if folded in _KYIV:
        return ["Europe/Kyiv"]
    zones = sorted(zone for zone in available_timezones() if not zone.startswith(_NO_PLACES))
    matches = _matches(folded, zones, {zone: fold(zone.rpartition("/")[2]) for zone in zones})
    if matches or language == "en":
        return matches
    cities = {
        zone: fold(get_timezone_location(zone, locale=language, return_city=True).replace(" ", "_"))
        for zone in zones
        if "/" in zone
    }
    return _matches(folded, cities, cities)


def _is_zone(name: str) -> bool:
    if not name or name.startswith("/"):
        return False
    try:
        return ZoneInfo(name).key in available_timezones()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def _matches(folded: str, zones: Iterable[str], cities: Mapping[str, str]) -> list[str]:
    whole = [zone for zone in zones if fold(zone) == folded]
    exact = [zone for zone, city in cities.items() if city == folded]
    if whole or exact:
        return whole or exact[:1]
    if len(folded) <= _PREFIX:
        return []
    return [zone for zone, city in cities.items() if city.startswith(folded)]
