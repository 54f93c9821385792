"""Dates in the spellings that feeds use: right, or no date."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from support import NOON, item, rss

from bot.model.entries import ParsedDocument
from bot.parse.dates import DateStyle, read_date, style_of
from bot.parse.read import read_document
from bot.parse.time_zones import zone_at

USUAL = "2026-11-28 10:30"

READ = [
    ("2026-11-28 16:00:00 +0530 IST", "", USUAL),
    ("Sat, 28 Nov 2026 10:30:00 GMT", "", USUAL),
    ("Sat, 28 Nov 2026 10:30:00 +0200", "", "2026-11-28 08:30"),
    ("28 Nov 2026 10:30 EST", "", "2026-11-28 15:30"),
    ("Sat, 28 Nov 26 10:30:00 Z", "", USUAL),
    ("Sat, 28 Nov 2026 11:30:00 CET", "", USUAL),
    ("Sat, 28 Jul 2026 12:30:00 CEST", "", "2026-07-28 10:30"),
    ("Sat, 28 Nov 2026 12:30:00 EET", "", USUAL),
    ("Sat, 28 Nov 2026 13:30:00 EEST", "", USUAL),
    ("Sat, 28 Nov 2026 13:30:00 MSK", "", USUAL),
    ("Sat, 28 Nov 2026 19:30:00 JST", "", USUAL),
    ("Sat, 28 Nov 2026 19:30:00 KST", "", USUAL),
    ("Sat, 28 Nov 2026 16:00:00 IST", "", USUAL),
    ("Sat, 28 Nov 2026 12:30:00 IST", "he", USUAL),
    ("Sat, 28 Nov 2026 11:30:00 IST", "en-IE", USUAL),
    ("Sat, 28 Nov 2026 21:30:00 AEDT", "", USUAL),
    ("Sat, 28 Nov 2026 11:30:00 BST", "", USUAL),
    ("Sat, 28 Nov 2026 12:30:00 GMT+2", "", USUAL),
    ("Sat, 28 Nov 2026 12:30:00 UTC+2", "", USUAL),
    ("Sat, 28 Nov 2026 12:30:00 Europe/Kyiv", "", USUAL),
    ("Sat, 28 Nov 2026 12:30:00 GMT+0200 (Eastern European Standard Time)", "", USUAL),
    ("Sat, 28 Nov 2026 12:30:00 +0200 (EET)", "", USUAL),
    ("Sat, 28 Nov 2026 18:30:00 CST", "zh", USUAL),
    ("Sat, 28 Nov 2026 04:30:00 CST", "", USUAL),
    ("2026-11-28 10:30:00 UTC", "", USUAL),
    ("2026/11/28 10:30", "", USUAL),
    ("2026/11/28 10:30:00", "", USUAL),
    ("2026年11月28日", "", "2026-11-28 00:00"),
    ("2026年11月28日 10:30", "", USUAL),
    ("2026年11月28日 10時30分", "", USUAL),
    ("2026年11月28日 午後10時30分", "", "2026-11-28 22:30"),
    ("20261128T103000Z", "", USUAL),
    ("20261128T103000", "", USUAL),
    ("20261128103000", "", USUAL),
    ("20261128", "", "2026-11-28 00:00"),
    ("Nov 28, 2026 10:30:00 PM", "", "2026-11-28 22:30"),
    ("Nov 28, 2026 12:05 AM", "", "2026-11-28 00:05"),
    ("Sat, 28 Nov 2026 10:30 AM", "", USUAL),
    ("November 28, 2026, 10:30 p.m.", "", "2026-11-28 22:30"),
    ("November 28, 2026 - 10:30 pm EST", "", "2026-11-29 03:30"),
    ("28.11.2026 10:30", "", USUAL),
    ("28.11.2026, 10:30 Uhr", "de", USUAL),
    ("28.11.2026", "", "2026-11-28 00:00"),
    ("28.11.2026 10.30", "fi", USUAL),
    ("28/11/2026 10:30", "", USUAL),
    ("11/28/2026 10:30 AM", "", USUAL),
    ("5/11/2026 10:30", "fr", "2026-11-05 10:30"),
    ("11/5/2026 10:30 PM", "en-US", "2026-11-05 22:30"),
    ("5/11/2026 10:30", "en-GB", "2026-11-05 10:30"),
    ("Thu, 5/11/2026", "", "2026-11-05 00:00"),
    ("1795861800", "", USUAL),
    ("1795861800000", "", USUAL),
    ("/Date(1795861800000)/", "", USUAL),
    ("28-Nov-2026", "", "2026-11-28 00:00"),
    ("28-Nov-2026 10:30", "", USUAL),
    ("28-NOV-26 10:30:00", "", USUAL),
    ("Sat, 28 Nov 2026 12:30:00.123 +0200", "", USUAL),
    ("2026-11-28T10:30:00.123456789Z", "", USUAL),
    ("2026-11-28T12:30:00,5+02:00", "", USUAL),
    ("2026-11-28T10:30Z", "", USUAL),
    ("2026-W48-6", "", "2026-11-28 00:00"),
    ("Samstag, 28. November 2026, 10:30 Uhr", "de", USUAL),
    ("Sa, 28 Nov 2026 11:30:00 MEZ", "de", USUAL),
    ("28. Dezember 2026", "", "2026-12-28 00:00"),
    ("28. März 2026", "", "2026-03-28 00:00"),
    ("samedi 28 novembre 2026 à 10h30", "fr", USUAL),
    ("28 décembre 2026", "", "2026-12-28 00:00"),
    ("sam., 28 nov. 2026 10:30:00 +0000", "fr", USUAL),
    ("sábado, 28 de noviembre de 2026 10:30", "es", USUAL),
    ("28 de novembro de 2026 às 10:30", "pt", USUAL),
    ("sab, 28 nov 2026 10:30:00 GMT", "it", USUAL),
    ("28 listopada 2026 10:30", "pl", USUAL),
    ("28 listopada 2026", "hr", "2026-10-28 00:00"),
    ("сб, 28 ноя 2026 13:30:00 +0300", "ru", USUAL),
    ("28 ноября 2026 г., 10:30", "ru", USUAL),
    ("28 листопада 2026 р., 10:30", "uk", USUAL),
    ("28 Kasım 2026 Cumartesi 10:30", "tr", USUAL),
    ("Cmt, 28 Kas 2026 13:30:00 +0300", "tr", USUAL),
    ("28 نوفمبر 2026 10:30", "ar", USUAL),
    ("السبت، ٢٨ نوفمبر ٢٠٢٦ ١٠:٣٠ ص", "ar", USUAL),
    ("28 تشرين الثاني 2026", "ar", "2026-11-28 00:00"),
    ("28 november 2026", "nl", "2026-11-28 00:00"),
    ("28 november 2026 kl. 10:30", "sv", USUAL),
    ("28. listopadu 2026", "cs", "2026-11-28 00:00"),
    ("2026. november 28. 10:30", "hu", USUAL),
    ("2026. 11. 28. 10:30", "hu", USUAL),
    ("28 noiembrie 2026", "ro", "2026-11-28 00:00"),
    ("Σάβ, 28 Νοε 2026 10:30:00 GMT", "el", USUAL),
    ("2026년 11월 28일 10:30", "ko", USUAL),
    ("2026-11-28 오후 10:30:00", "ko", "2026-11-28 22:30"),
    ("28 พฤศจิกายน 2569", "th", "2026-11-28 00:00"),
    ("28 tháng 11, 2026", "vi", "2026-11-28 00:00"),
    ("28 नवंबर 2026", "hi", "2026-11-28 00:00"),
    ("mar, 24 nov 2026 10:30:00 GMT", "es", "2026-11-24 10:30"),
    ("mar 24 mar 2026", "it", "2026-03-24 00:00"),
    ("24 mar 2026", "it", "2026-03-24 00:00"),
    ("mar., 24 mars 2026", "fr", "2026-03-24 00:00"),
    ("Mon, 02 Mar 2026", "", "2026-03-02 00:00"),
    ("28 lip 2026", "pl", "2026-07-28 00:00"),
    ("28 lip 2026", "hr", "2026-06-28 00:00"),
    ("28 mai 2026", "", "2026-05-28 00:00"),
    ("28 dec 2026", "", "2026-12-28 00:00"),
    ("28 déc. 2026", "", "2026-12-28 00:00"),
    ("28 дек. 2026", "", "2026-12-28 00:00"),
    ("28 окт 2026", "", "2026-10-28 00:00"),
    ("28 травня 2026", "", "2026-05-28 00:00"),
    ("28 Oktober 2026", "", "2026-10-28 00:00"),
    ("Do, 26 Nov 2026", "", "2026-11-26 00:00"),
    ("28 juin 2026", "", "2026-06-28 00:00"),
    ("28 November 2026 10:30 WIB", "id", "2026-11-28 03:30"),
    ("Sat Nov 28 10:30:00 2026", "", USUAL),
    ("Sat Nov 28 10:30:00 UTC 2026", "", USUAL),
    ("Sat Nov 28 05:30:00 EST 2026", "", USUAL),
    ("Fri, 2026/11/28 05:30:00 EST", "", USUAL),
    ("Saturday, November 28, 2026 10:30", "", USUAL),
    ("28th November 2026", "", "2026-11-28 00:00"),
    ("November 28th, 2026", "", "2026-11-28 00:00"),
    ("2026-11-28 12:30:00 +0200", "", USUAL),
    ("2026-11-28 12:30:00+02", "", USUAL),
    ("2026-11-28 10:30:00.0", "", USUAL),
    ("2026-11-28T10:30:00 Z", "", USUAL),
    ("2026-11-28T10:30:00 +00:00", "", USUAL),
    ("10:30 28.11.2026", "", USUAL),
    ("28/11/2026 - 10:30", "vi", USUAL),
    ("28.11.26 10:30", "de", USUAL),
    ("2026. 11. 28", "ko", "2026-11-28 00:00"),
    ("Sat, 28 Nov 2026 24:00:00 GMT", "", "2026-11-29 00:00"),
    ("Sat, 28 Nov 2026 10:30:60 GMT", "", USUAL),
    ("05-11-2026 10:30", "nl", "2026-11-05 10:30"),
    ("2026-11-28 10:30:00 America/New_York", "", "2026-11-28 15:30"),
    ("2026-11-28T05:30:00-05:00[America/New_York]", "", USUAL),
    ("Sat, 28 Nov 2026 18:30 HKT", "", USUAL),
    ("2026-11-28 10:30:00 +0000 UTC", "", USUAL),
    ("Sat,28 Nov 2026 10:30:00 GMT", "", USUAL),
    ("Sat, 28 November 2026 10:30:00 GMT", "", USUAL),
    ("Sat, 28 Nov 2026, 10:30", "", USUAL),
    ("28 Nov 2026 at 10:30", "", USUAL),
    ("2026-11-28 10:30 AM", "", USUAL),
    ("11-28-2026", "", "2026-11-28 00:00"),
    ("Sat, 28 Nov 2026 10:30:00 +02:00", "", "2026-11-28 08:30"),
    ("Sat, 28 Nov 2026 10:30:00 -0000", "", USUAL),
    ("Sat, 28 Nov 2026 10:30:00+0000", "", USUAL),
]

NOT_READ = [
    ("5/11/2026 10:30", ""),
    ("5/11/2026 10:30", "en"),
    ("28 listopada 2026", ""),
    ("28 Nopember 2026", "id"),
    ("28 lip 2026", ""),
    ("28 srp 2026", ""),
    ("sat 28 lis 2026", ""),
    ("Sat, 28 Nov 2026 10:30:00 XYZT", ""),
    ("yesterday", ""),
    ("", ""),
    ("2 hours ago", ""),
    ("Sat, 31 Nov 2026 10:30:00 GMT", ""),
    ("28 Smarch 2026", ""),
    ("not a date", ""),
    ("2026", ""),
    ("11:30", ""),
    ("Sat, 28 Nov 2026 25:30:00 GMT", ""),
    ("99/99/2026", ""),
    ("03-12-31", ""),
    ("1", ""),
    ("Sat, 28 Nov 2026 10:30:00 +9900", ""),
    ("28 Nov", ""),
    ("Nov 2026", ""),
    ("Sat, 28 Nov 2026 10:30:00 PST8PDT", ""),
    ("2026-11-28 10:30:00 +0000 +0000", ""),
    ("2026-11-28 10:30:00 m=+0.1", ""),
]


@pytest.mark.parametrize(("text", "language", "expected"), READ)
def test_a_date_is_read_as_it_was_meant(text: str, language: str, expected: str) -> None:
    moment = read_date(text, style_of(language, [text]))
    assert moment is not None
    assert moment.tzinfo is UTC
    assert moment.strftime("%Y-%m-%d %H:%M") == expected


@pytest.mark.parametrize(("text", "language"), NOT_READ)
def test_a_date_that_is_not_certain_is_no_date(text: str, language: str) -> None:
    assert read_date(text, style_of(language, [text])) is None


def test_the_table_is_long_enough_to_say_something() -> None:
    assert len(READ) >= 85


@pytest.mark.parametrize(
    ("text", "year_month_day"),
    [("5/11/2026", (2026, 11, 5)), ("05-11-2026 10:30", (2026, 11, 5)), ("5/11/26", (2026, 11, 5))],
)
def test_another_date_of_the_document_shows_which_number_is_the_day(
    text: str, year_month_day: tuple[int, int, int]
) -> None:
    assert read_date(text, style_of("", [text])) is None
    moment = read_date(text, style_of("", [text, "28/11/2026"]))
    assert moment is not None
    assert (moment.year, moment.month, moment.day) == year_month_day
    american = read_date(text, style_of("", [text, "11/28/2026"]))
    assert american is not None
    assert (american.month, american.day) == (5, 11)
    assert read_date(text, style_of("", [text, "28/11/2026", "11/28/2026"])) is None


@pytest.mark.parametrize(
    ("language", "day_first"),
    [
        ("en-US", False),
        ("en_GB", True),
        ("de", True),
        ("pt-BR", True),
        ("uk", True),
        ("ar", True),
        ("en", None),
        ("", None),
        ("ja", None),
        ("zh-CN", None),
        ("xx-nonsense", None),
    ],
)
def test_a_language_says_which_number_is_the_day(language: str, day_first: bool | None) -> None:
    assert style_of(language, []) == DateStyle(language, day_first)


@pytest.mark.parametrize(
    ("name", "language", "hours"),
    [
        ("IST", "", 5.5),
        ("IST", "en", 5.5),
        ("IST", "hi", 5.5),
        ("IST", "he", 2),
        ("IST", "en-IE", 1),
        ("IST", "de", None),
        ("BST", "en-GB", 1),
        ("BST", "bn", 6),
        ("BST", "fr", None),
        ("CST", "en", -6),
        ("CST", "zh-TW", 8),
        ("CST", "es-CU", -5),
        ("EST", "en-AU", None),
        ("AMT", "hy", 4),
        ("AMT", "", None),
        ("SST", "", None),
        ("MESZ", "de", 2),
        ("AEST", "", 10),
        ("NST", "", -3.5),
    ],
)
def test_the_language_settles_names_of_zones(name: str, language: str, hours: float | None) -> None:
    noon = datetime(2026, 11, 28, 12)  # noqa: DTZ001 (a local time)
    expected = None if hours is None else NOON.replace(year=2026, month=11, day=28)
    if expected:
        expected = expected.replace(hour=12, minute=0) - timedelta(hours=hours or 0)
    assert zone_at("name", name, noon, language) == expected


def test_areas_know_summer_time() -> None:
    winter = read_date("28 Jan 2026 12:00 Europe/Kyiv", DateStyle())
    summer = read_date("28 Jul 2026 12:00 Europe/Kyiv", DateStyle())
    assert winter is not None
    assert summer is not None
    assert (winter.hour, summer.hour) == (10, 9)


def parsed(body: str) -> ParsedDocument:
    document = read_document(body.encode(), "", "https://a.example/feed", frozenset(), NOON)
    assert isinstance(document, ParsedDocument)
    return document


def test_the_dates_of_a_document_are_read_in_its_language_and_style() -> None:
    dates = "<pubDate>{}</pubDate>"
    items = [item("1", "Fox", at=None, extra=dates.format("01/02/2026 10:00 CST"))]
    head = "<language>zh-TW</language>"
    assert parsed(rss(*items, head=head)).entries[0].published is None
    items.append(item("2", "Hen", at=None, extra=dates.format("28/02/2026 10:00 CST")))
    assert [entry.published for entry in parsed(rss(*items, head=head)).entries] == [
        datetime(2026, 2, 1, 2, tzinfo=UTC),
        datetime(2026, 2, 28, 2, tzinfo=UTC),
    ]


def test_an_unreadable_date_gives_way_to_the_other_one() -> None:
    more = (
        "<pubDate>lately</pubDate>"
        "<dc:date xmlns:dc='http://purl.org/dc/elements/1.1/'>2026-03-01T10:00:00Z</dc:date>"
    )
    (entry,) = parsed(rss(item("1", "Fox", at=None, extra=more))).entries
    assert entry.published == datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "date",
    [
        "Sun, 01 Mar 2026 10:00:00 GMT",
        "2026-03-01T10:00:00Z",
        "2026-03-01 10:00:00 UTC",
        "1. März 2026, 11:00 MEZ",
        1772359200,
        1772359200000,
    ],
)
def test_json_feeds_may_write_dates_otherwise(date: str | int) -> None:
    shape = {
        "version": "https://jsonfeed.org/version/1.1",
        "items": [{"id": "1", "title": "Fox", "date_published": date}],
    }
    assert parsed(json.dumps(shape)).entries[0].published == datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_dates_far_away_are_no_dates() -> None:
    for days, is_kept in ((1, True), (3, False), (400, False), (-9000, True), (-10000, False)):
        (entry,) = parsed(rss(item("1", "Fox", at=NOON + timedelta(days=days)))).entries
        assert (entry.published is not None) is is_kept
