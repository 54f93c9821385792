"""Offsets of the time zones that dates name. Not the zones of chats: those are IANA names.

Only letters that mean one offset are here; the feed's language settles what it can, and the rest is
not read.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_MOST = 14 * 60  # minutes
#: Minutes from UTC, by name.
_OFFSETS = {
    name: minutes
    for minutes, names in {
        0: "UTC GMT UT Z WET GMTST",
        60: "CET MEZ MET WEST BST WAT CETDST",
        120: "CEST MESZ MEST EET CAT SAST",
        180: "EEST MSK EAT TRT",
        210: "IRST",
        240: "MSD SAMT GET AZT",
        270: "IRDT",
        300: "PKT UZT YEKT",
        330: "IST",
        345: "NPT",
        360: "OMST",
        420: "ICT WIB NOVT KRAT",
        480: "SGT HKT MYT PHT AWST WITA IRKT",
        540: "JST KST WIT YAKT",
        570: "ACST",
        600: "AEST VLAT",
        630: "ACDT",
        660: "AEDT MAGT",
        720: "NZST PETT",
        780: "NZDT",
        -150: "NDT",
        -180: "ADT BRT ART UYT CLST",
        -210: "NST",
        -240: "EDT AST CLT BOT VET",
        -300: "EST CDT COT PET",
        -360: "CST MDT",
        -420: "MST PDT",
        -480: "PST AKDT",
        -540: "AKST",
        -600: "HST",
    }.items()
    for name in names.split()
}
#: Names that mean another offset, or nothing certain, in some languages or regions.
_BY_LANGUAGE: dict[str, dict[str, int | None]] = {
    "IST": {"he": 120, "iw": 120, "ga": 60, "en-ie": 60, "ar": 120, "en-il": 120},
    "BST": {"bn": 360, "en-bd": 360},
    "CST": {"zh": 480, "es-cu": -300, "en-cn": 480, "en-au": None},
    "EST": {"en-au": None},
    "AST": {"ar": 180, "en-sa": 180},
    "MST": {"ms": 480, "en-my": 480, "ru": 180, "my": 390},
    "GST": {"ar": 240, "en-ae": 240},
    "AMT": {"hy": 240, "pt": -240},
    "SST": {"en-sg": 480},
    "ECT": {"es": -300},
}
#: Languages in which a name means what is said above; elsewhere it is not certain.
_ONLY_IN = {
    "IST": frozenset("en hi bn ta te mr gu kn ml pa ur or as ne sa kok".split()),
    "BST": frozenset("en cy gd ga".split()),
}
#: Names that mean what the clocks there show on the day.
_AREAS = {
    "ET": "America/New_York",
    "CT": "America/Chicago",
    "MT": "America/Denver",
    "PT": "America/Los_Angeles",
    "AT": "America/Halifax",
    "AET": "Australia/Sydney",
}
_OFFSET = re.compile(r"([+-])(\d{1,2}):?(\d\d)?")


def zone_at(kind: str, name: str, moment: datetime, language: str) -> datetime | None:
    """Return the moment in UTC of a local time; None where its zone is not known.

    `kind` is `offset` (+0200), `area` (Europe/Kyiv) or `name` (CET).
    """
    if kind == "area":
        return _in_area(name, moment)
    if kind == "name" and name in _AREAS:
        return _in_area(_AREAS[name], moment)
    minutes = _minutes(name) if kind == "offset" else _named(name, language.lower())
    return None if minutes is None else (moment - timedelta(minutes=minutes)).replace(tzinfo=UTC)


def _in_area(name: str, moment: datetime) -> datetime | None:
    try:
        return moment.replace(tzinfo=ZoneInfo(name)).astimezone(UTC)
    except (OSError, ValueError):  # no such zone
        return None


@lru_cache(maxsize=256)
def _minutes(text: str) -> int | None:
    offset = _OFFSET.fullmatch(text)
    if not offset:
        return None
    minutes = int(offset[2]) * 60 + int(offset[3] or 0)
    if minutes > _MOST or int(offset[3] or 0) > 59:
        return None
    return -minutes if offset[1] == "-" else minutes


def _named(name: str, language: str) -> int | None:
    tag = language.replace("_", "-")
    primary = tag.partition("-")[0]
    settled = _BY_LANGUAGE.get(name, {})
    for key in (tag, primary):
        if key in settled:
            return settled[key]
    if primary and primary not in _ONLY_IN.get(name, {primary}):
        return None
    return _OFFSETS.get(name)
