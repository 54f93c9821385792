"""Read the dates of feeds, however they are written. Not time zones of people, no clock.

A date is read only where it can mean one thing: one that is ambiguous, has a word that nobody
knows, or does not exist is no date. Names of months and days are those of CLDR (Babel), those of
zones are in `parse.time_zones`. A date without a zone is in UTC.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import regex
from babel import Locale, UnknownLocaleError

from bot.parse.time_zones import zone_at
from bot.text.fold import fold
from bot.text.language import SCRIPTS, language_code

_LENGTH = 100  # code points of a date
_EPOCH = regex.compile(
    r"(?:/Date\()?(?P<whole>\d{9,10}|\d{13}|\d{16})(?:\.\d+)?(?:[+-]\d{4})?(?:\)/)?"
)
_MAIL = re.compile(
    r"(?:[A-Z][a-z]{2}, )?([0-9]{1,2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) "
    r"([0-9]{4}) ([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))? "
    r"(?:GMT|UTC|Z|([+-][0-9]{4}))"
)
_ISO = regex.compile(r"\d{4}(?:-\d\d-\d\d|\d{4}|-?W\d\d-?\d)(?:[Tt ]\d|$)")
_DIGITS = regex.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?")
_OFFSET = r"[+\-−]\d{1,2}(?::?\d\d)?(?!\d|[./-]\d)"
_TIME = regex.compile(
    r"(?<![\d.,])(?P<before>오전|오후|午前|午後|上午|下午)?\s*"
    r"(?P<hour>\d{1,2})\s?(?:[:h時时点點시]|\s?uhr\s)\s?(?P<minute>\d\d)(?!\d)"
    r"(?:\s?[:分분]\s?(?P<second>\d\d)(?:[.,]\d{1,9})?)?\s?[秒초分분]?"
    r"(?:\s*(?P<after>[ap]\.?\s?m\b\.?|[مص](?!\p{L})\.?|[πμ]\.\s?μ\.))?"
    r"|(?<![\d.,:])(?P<hour>\d{1,2})\s?(?P<after>[ap]\.?\s?m\b\.?)",
    regex.IGNORECASE,
)
# Behind a date, a time may have a full stop: 28.11.2026 10.30.
_DOTTED_TIME = regex.compile(
    r"(?<=\d{4}[ ,]{1,3}(?:\p{L}{1,4}\.? )?)(?P<hour>\d\d?)\.(?P<minute>\d\d)(?![\d.])"
)
_ZONE = regex.compile(
    rf"\s*(?:(?P<offset>{_OFFSET})"
    rf"|\(?(?P<utc>UTC|GMT|UT|Z)\)?(?:\s?(?P<shift>{_OFFSET}))?(?!\p{{L}})"
    r"|\[?(?P<area>[A-Z][A-Za-z]+(?:/[A-Za-z_+\-0-9]+)+)\]?"
    r"|\(?(?P<name>[A-Za-z]{2,5})\)?(?![\p{L}/]))"
)
_COMMENT = regex.compile(r"\s*(?:\([^()]{1,60}\)|\[[^\[\]]{1,60}\])")
_YEAR_FIRST = regex.compile(
    r"(?<!\d)(?P<year>\d{4})\s?[-/.年년]\s?(?P<month>\d{1,2})\s?[-/.月월]\s?"
    r"(?P<day>\d{1,2})(?:\s?[日일.])?(?!\d)"
)
_YEAR_LAST = regex.compile(
    r"(?<!\d)(?P<first>\d{1,2})\s?(?P<sign>[./-])\s?(?P<second>\d{1,2})\s?(?P=sign)\s?"
    r"(?P<year>\d{4}|\d\d)(?!\d)"
)
_VIETNAMESE = regex.compile(
    r"(?P<day>\d{1,2})\s(?:tháng|thg)\s(?P<month>\d{1,2})[,\s]+(?:năm\s)?(?P<year>\d{4})"
)
_WORD = regex.compile(r"\d+|[\p{L}\p{M}'’_]+")
_SPACES = regex.compile(r"[\s\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
#: Words that say nothing, folded.
_FILLERS = frozenset(
    "t st nd rd th of the at on um am den der le du a à les et de del da do dos di il alle ore ora "
    "las los el la h hs hrs hr uhr klo kello kl den d o godz r g v в во о г год года році року р "
    "час часа часов годині год. ч lúc ngày năm saat tanggal pukul jam στις και الساعة يوم في من "
    "date published posted updated".split()
)
_FILLERS_FOLDED = frozenset(fold(word) for word in _FILLERS)
_PM = frozenset("pm p 오후 午後 下午 م μ".split())
_AM = frozenset("am a 오전 午前 上午 ص π".split())
_ENGLISH_MONTHS = tuple(
    "january february march april may june july august september october november december".split()
)
_ENGLISH_DAYS = tuple("monday tuesday wednesday thursday friday saturday sunday".split())
#: Names that CLDR has only for a region, or not in this form.
_MORE_MONTHS = {
    "ar": "كانون_الثاني شباط آذار نيسان أيار حزيران تموز آب أيلول "
    "تشرين_الأول تشرين_الثاني كانون_الأول",
    "hu": "jan feb márc ápr máj jún júl aug szept okt nov dec",
    "el": "ιαν φεβ μαρ απρ μαι ιουν ιουλ αυγ σεπ οκτ νοε δεκ",
    "de": "jänner feber märz april mai juni juli august september oktober november dezember",
}
_SEPARATE = (("تشرين ", "تشرين_"), ("كانون ", "كانون_"))
_BUDDHIST = 543  # years that the Thai calendar is ahead


@dataclass(frozen=True, slots=True)
class DateStyle:
    """How the dates of a document are to be read."""

    language: str = ""  #: the tag that the document declares, such as en-GB
    day_first: bool | None = None  #: whether 05/11 is a day of November; None: not known


def style_of(language: str, texts: Iterable[str]) -> DateStyle:
    """Return how these dates are written: as one of them shows, otherwise as its language does."""
    shown: set[bool] = set()
    for text in texts:
        if text.isascii() and "/" not in text and text.count("-") < 2:
            continue  # as most are: no signs between numbers
        numbers = _YEAR_LAST.search(_normal(text))
        if numbers and numbers["sign"] != ".":
            first, second = int(numbers["first"]), int(numbers["second"])
            if (first > 12) != (second > 12):
                shown.add(first > 12)
    if len(shown) == 1:
        return DateStyle(language, shown.pop())
    return DateStyle(language, None if shown else _day_first(language))


def read_date(text: object, style: DateStyle, *, text_language: str = "") -> datetime | None:
    """Return the moment that a date means, in UTC; None where it is not certain.

    `text_language` is the language of what the date belongs to, where none is declared.
    """
    value = _normal(str(text))
    try:
        moment = (
            _mail(value)
            or _epoch(value)
            or _digits(value)
            or _iso(value)
            or _written(value, style, text_language)
        )
    except (ValueError, OverflowError):
        return None
    return moment.replace(microsecond=0) if moment else None


def _normal(text: str) -> str:
    """One line with digits of ASCII and single blanks."""
    text = text[:_LENGTH]
    if text.isascii():
        return " ".join(text.split()).strip(" ,;")
    text = unicodedata.normalize("NFKC", text)
    text = "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in text)
    return _SPACES.sub(" ", text).strip(" ,;")


def _mail(value: str) -> datetime | None:
    """RFC 822 as most feeds write it: the rest takes five times as long."""
    date = _MAIL.fullmatch(value)
    if not date:
        return None
    day, name, year, hour, minute, second, offset = date.groups()
    month = _english()[0][name.lower()]
    local = datetime(
        int(year), month, int(day), int(hour), int(minute), int(second or 0), tzinfo=UTC
    )
    return zone_at("offset", offset, local, "") if offset else local


def _epoch(value: str) -> datetime | None:
    """Seconds, milliseconds or microseconds since 1970."""
    number = _EPOCH.fullmatch(value)
    if not number:
        return None
    digits = number["whole"]
    seconds = int(digits) / (1 if len(digits) <= 10 else 1000 if len(digits) == 13 else 1e6)
    return datetime.fromtimestamp(seconds, UTC)


def _digits(value: str) -> datetime | None:
    """20261128103000."""
    number = _DIGITS.fullmatch(value)
    if not number:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in number.groups())
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def _iso(value: str) -> datetime | None:
    """ISO 8601 as Python reads it: extended, basic, with weeks."""
    if not _ISO.match(value):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _written(value: str, style: DateStyle, text_language: str) -> datetime | None:
    languages = tuple(filter(None, (language_code(style.language), text_language)))
    time = _TIME.search(value) or _DOTTED_TIME.search(value)
    seconds, zone = 0, ("", "")
    if time:
        hour = _hour(int(time["hour"]), time.groupdict())
        minute, second = (
            int(time.groupdict().get("minute") or 0),
            int(time.groupdict().get("second") or 0),
        )
        if hour is None or minute > 59 or second > 60 or hour * 60 + minute > 1440:
            return None
        seconds = hour * 3600 + minute * 60 + min(second, 59)
        found, end = _zone(value, time.end())
        zone = found
        value = f"{value[: time.start()]} {value[end:]}"
    date = _date(value, style, languages)
    if date is None:
        return None
    moment = date + timedelta(seconds=seconds)
    return (
        moment.replace(tzinfo=UTC) if zone == ("", "") else zone_at(*zone, moment, style.language)
    )


def _hour(hour: int, parts: dict[str, str | None]) -> int | None:
    """The hour of 24; None if there is none."""
    mark = (parts.get("before") or parts.get("after") or "").lower()
    mark = mark if mark in _PM | _AM else mark[:1]
    if not mark or hour > 12:
        return hour if hour <= 24 else None
    if not hour:
        return None if mark in _PM else 0
    return hour % 12 + 12 * (mark in _PM)


def _zone(value: str, at: int) -> tuple[tuple[str, str], int]:
    """Kind and name of the zone behind a time, and where it ends; empty where there is none."""
    zone = _ZONE.match(value, at)
    if not zone:
        filler = regex.compile(r"\s*(?:Uhr|uhr|h|hs|hrs)\b\.?").match(value, at)
        return _zone(value, filler.end()) if filler else (("", ""), at)
    if zone["offset"] or zone["utc"]:
        comment = _COMMENT.match(value, zone.end())
        kind = ("offset", (zone["offset"] or zone["shift"] or "+0").replace("−", "-"))
        end = comment.end() if comment else zone.end()
        again = _ZONE.match(value, end)  # +0200 GMT, +0530 IST
        is_name = again and (again["utc"] or again["name"]) and not again["shift"]
        if again and is_name and not (again["name"] and _is_word(again["name"])):
            end = again.end()
        return kind, end
    if zone["area"]:
        return ("area", zone["area"]), zone.end()
    if zone["name"].upper() == zone["name"] and not _is_word(zone["name"]):
        return ("name", zone["name"]), zone.end()
    if fold(zone["name"]) in {"uhr", "h", "hs", "hrs"}:
        return _zone(value, zone.end())
    return ("", ""), at


def _is_word(name: str) -> bool:
    """Whether it is the name of a month or a day in English."""
    return any(fold(name) in names for names in _english())


def _date(value: str, style: DateStyle, languages: tuple[str, ...]) -> datetime | None:
    """The day, at midnight without zone."""
    for pattern in (_YEAR_FIRST, _VIETNAMESE, _YEAR_LAST):
        found = pattern.search(value)
        if not found:
            continue
        rest = _WORD.findall(f"{value[: found.start()]} {value[found.end() :]}")
        weekdays = [_weekday(fold(word), languages) for word in rest]
        if None in weekdays:
            return None
        day_names = {day for day in weekdays if day}
        if pattern is _YEAR_LAST:
            return _ordered(found, style, day_names)
        return _day(int(found["year"]), int(found["month"]), int(found["day"]), languages)
    return _named(value, languages)


def _ordered(found: "regex.Match[str]", style: DateStyle, weekdays: set[int]) -> datetime | None:
    """A date of numbers whose year is last."""
    first, second, year = (int(found[name]) for name in ("first", "second", "year"))
    if len(found["year"]) == 2:
        if found["sign"] == "-":
            return None  # 03-12-31
        year += 2000
    readings = [
        moment
        for day, month, fits in (
            (first, second, style.day_first is not False or found["sign"] == "."),
            (second, first, style.day_first is not True and found["sign"] != "."),
        )
        if fits and month <= 12 and (moment := _day(year, month, day, ()))
    ]
    if len(readings) == 2 and weekdays:
        readings = [moment for moment in readings if moment.isoweekday() in weekdays]
    return readings[0] if len(set(readings)) == 1 else None


def _named(value: str, languages: tuple[str, ...]) -> datetime | None:
    """A date with the name of its month."""
    for words, joined in _SEPARATE:
        value = value.replace(words, joined)
    months: list[int] = []  # of words that are nothing else
    others: list[int] = []  # of words that may be days as well: mar. is martes and marzo
    numbers: list[str] = []
    for token in _WORD.findall(value):
        if token.isdecimal():
            numbers.append(token)
            continue
        word = fold(token)
        month, weekday = _month(word, languages), _weekday(word, languages)
        if month is None and weekday is None:
            return None
        if month is not None:
            (months if weekday is None else others).append(month)
    months = months or others[-1:]
    if len(months) != 1 or not months[0] or len(numbers) != 2:
        return None  # 0: it is another month in another language
    years = [number for number in numbers if len(number) == 4]
    if len(years) == 1:
        day = next(number for number in numbers if number not in years)
        year = int(years[0])
    elif not years and len(numbers[1]) == 2:
        day, year = numbers[0], 2000 + int(numbers[1]) - 100 * (int(numbers[1]) > 68)
    else:
        return None
    return _day(year, months[0], int(day), languages) if len(day) <= 2 else None


def _day(year: int, month: int, day: int, languages: tuple[str, ...]) -> datetime | None:
    if "th" in languages and year > 2400:
        year -= _BUDDHIST
    try:
        return datetime(year, month, day)  # noqa: DTZ001 (its zone is applied with its time)
    except ValueError:
        return None


def _month(word: str, languages: tuple[str, ...]) -> int | None:
    """The month of a name; 0 if languages differ about it, None if it is none."""
    return _look_up(word, languages, 0)


def _weekday(word: str, languages: tuple[str, ...]) -> int | None:
    """1 to 7 for the name of a day, 0 for what says nothing, None for an unknown word."""
    return 0 if word in _FILLERS_FOLDED else _look_up(word, languages, 1)


def _look_up(word: str, languages: tuple[str, ...], kind: int) -> int | None:
    """What a word means in its language, otherwise in English, otherwise in all that have it."""
    meanings = [_names(language) for language in languages if language != "en"]
    for names in (*meanings, _english()):
        if word in names[kind]:
            return names[kind][word]
    if any(word in names[1 - kind] for names in (*meanings, _english())):
        return None
    return _all_names()[kind].get(word)


@lru_cache(maxsize=1)
def _english() -> tuple[dict[str, int], dict[str, int]]:
    """Months and days with their short forms, without a look at CLDR: most dates are in English."""
    months = {
        name[:length]: number
        for number, name in enumerate(_ENGLISH_MONTHS, 1)
        for length in (3, 4, len(name))
    }
    days = {
        name[:length]: number
        for number, name in enumerate(_ENGLISH_DAYS, 1)
        for length in (3, 4, 5, len(name))
    }
    return months, days


@lru_cache(maxsize=64)
def _names(language: str) -> tuple[dict[str, int], dict[str, int]]:
    """Months and days of a language, folded, without full stops."""
    try:
        locale = Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        return {}, {}
    months: dict[str, int] = {}
    days: dict[str, int] = {}
    for context in ("format", "stand-alone"):
        for width in ("wide", "abbreviated", "short"):
            for number, name in locale.months[context].get(width, {}).items():
                _put(months, name, number)
            for number, name in locale.days[context].get(width, {}).items():
                _put(days, name, number + 1)
    for number, name in enumerate(_MORE_MONTHS.get(language, "").split(), 1):
        _put(months, name, number)
    return months, days


def _put(names: dict[str, int], name: str, number: int) -> None:
    words = [fold(word) for word in _WORD.findall(name)]
    if len(words) == 1:
        names.setdefault(words[0], number)
    elif len(words) == 2 and min(map(len, words)) <= 2:  # de. márc.
        names.setdefault(max(words, key=len), number)


@lru_cache(maxsize=1)
def _all_names() -> tuple[dict[str, int], dict[str, int]]:
    """Months and days of all languages; a month is 0 where languages differ about its name."""
    months: dict[str, int] = {}
    days: dict[str, int] = {}
    for languages in SCRIPTS.values():
        for language in languages:
            own_months, own_days = _names(language)
            for word, number in own_months.items():
                months[word] = number if months.get(word, number) == number else 0
            for word, number in own_days.items():
                days[word] = number if days.get(word, number) == number else 0
    return months, days


def _day_first(language: str) -> bool | None:
    """Whether a language writes the day before the month, and both before the year."""
    tag = language.strip().replace("_", "-")
    if not tag or tag.lower() == "en":
        return None  # both are common
    try:
        locale = Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        try:
            locale = Locale.parse(language_code(tag))
        except (UnknownLocaleError, ValueError):
            return None
    pattern = str(locale.date_formats["short"].pattern)
    order = [sign for sign in pattern if sign in "dMy"]
    if order[0] == "y":
        return None
    return order.index("d") < order.index("M")
