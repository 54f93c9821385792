"""The time zone that a person means by the name of a city or zone.

Reads tables of zones, nothing else.
"""

import re
from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from bot.i18n.catalog import LANGUAGES
from bot.text.fold import fold

#: the one city that Babel names in English only
_KYIV = frozenset(map(fold, ("Київ", "Киев", "Kiew", "Kiev", "كييف")))
_NO_PLACES = ("Etc/", "posix", "right", "SystemV")
_OFFSET = re.compile(r"(?:gmt|utc)?([+-])0?(\d{1,2})(?::?(\d\d))?")
_HALF_HOURS = {
    "+3:30": "Asia/Tehran",
    "+4:30": "Asia/Kabul",
    "+5:30": "Asia/Kolkata",
    "+5:45": "Asia/Kathmandu",
    "+6:30": "Asia/Yangon",
    "+9:30": "Australia/Darwin",
}
#: large cities that no zone is named after
_CITIES_OF = {
    "America/New_York": "atlanta boston cleveland miami orlando philadelphia pittsburgh "
    "washington washington_dc",
    "America/Chicago": "austin dallas houston memphis minneapolis nashville new_orleans "
    "san_antonio st._louis",
    "America/Los_Angeles": "las_vegas portland sacramento san_diego san_francisco san_jose seattle",
    "America/Denver": "calgary salt_lake_city",
    "America/Toronto": "montreal ottawa quebec",
    "America/Sao_Paulo": "brasilia rio_de_janeiro",
    "Europe/London": "birmingham cardiff edinburgh glasgow leeds liverpool manchester",
    "Europe/Berlin": "cologne dresden dusseldorf frankfurt hamburg koln leipzig munchen munich "
    "stuttgart",
    "Europe/Madrid": "barcelona bilbao sevilla seville valencia",
    "Europe/Paris": "lyon marseille nice strasbourg toulouse",
    "Europe/Rome": "milan milano naples napoli torino turin venice",
    "Europe/Zurich": "basel bern geneva",
    "Europe/Warsaw": "gdansk krakow wroclaw",
    "Europe/Kyiv": "dnipro kharkiv kharkov lviv odesa odessa харьков харків львів львов "
    "одеса одесса днепр дніпро",
    "Europe/Moscow": "saint_petersburg st._petersburg санкт-петербург",
    "Europe/Istanbul": "ankara izmir",
    "Asia/Jerusalem": "haifa tel_aviv",
    "Asia/Riyadh": "jeddah mecca",
    "Asia/Dubai": "abu_dhabi",
    "Asia/Kolkata": "bangalore bengaluru chennai delhi hyderabad mumbai new_delhi",
    "Asia/Karachi": "islamabad lahore",
    "Asia/Shanghai": "beijing guangzhou peking shenzhen",
    "Asia/Tokyo": "kyoto osaka",
    "Asia/Ho_Chi_Minh": "hanoi",
    "Australia/Sydney": "canberra",
    "Pacific/Auckland": "wellington",
    "Africa/Lagos": "abuja",
    "Africa/Johannesburg": "cape_town durban pretoria",
    "Africa/Cairo": "alexandria",
    "Africa/Casablanca": "rabat",
}
_CITIES = {fold(city): zone for zone, cities in _CITIES_OF.items() for city in cities.split()}
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
    if offset := _OFFSET.fullmatch(folded):
        return _fixed_zone(offset)
    if folded in _CITIES:
        return [_CITIES[folded]]
    zones = sorted(zone for zone in available_timezones() if not zone.startswith(_NO_PLACES))
    matches = _matches(folded, zones, {zone: fold(zone.rpartition("/")[2]) for zone in zones})
    if matches:
        return matches
    if language != "en":
        cities = _cities(zones, language)
        matches = _matches(folded, cities, cities)
    for other in LANGUAGES:
        if not matches and other not in {"en", language}:
            names = _cities(zones, other)
            matches = [zone for zone, city in names.items() if city == folded][:1]
    return matches


def _cities(zones: Iterable[str], language: str) -> dict[str, str]:
    """Return the city of each zone as a language calls it, folded."""
    from babel.dates import get_timezone_location  # noqa: PLC0415 (most people choose English ones)

    return {
        zone: fold(get_timezone_location(zone, locale=language, return_city=True).replace(" ", "_"))
        for zone in zones
        if "/" in zone
    }


def _fixed_zone(offset: re.Match[str]) -> list[str]:
    """Return the zone of `GMT+2`; where the offset has minutes, one that keeps it all year."""
    sign, hours, minutes = offset[1], int(offset[2]), offset[3] or "00"
    if minutes == "00":
        name = f"Etc/GMT{'-' if sign == '+' else '+'}{hours}" if hours else "UTC"
    else:
        name = _HALF_HOURS.get(f"{sign}{hours}:{minutes}", "")
    return [name] if _is_zone(name) else []


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
