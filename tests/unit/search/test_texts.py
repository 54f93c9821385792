"""Feed state, status and forecast as text, in English and translated."""

from dataclasses import replace
from datetime import date, timedelta

from support import NOON

from bot.i18n.catalog import ENGLISH, Catalogs, Translator
from bot.i18n.phrase import phrase
from bot.model.archive import EntryFacts, FoundEntry, StoredEntry, StoryEntry
from bot.model.entries import Article
from bot.model.feeds import Failure, FeedState
from bot.model.health import Health
from bot.model.status import FeedStatus, Status
from bot.model.stories import StoryIds
from bot.search.backtest import Expectation, Forecast
from bot.search.explain import describe_entry, explain_unknown
from bot.search.feed_state import feed_state, status_text
from bot.search.forecast_text import forecast_text, range_text
from bot.search.health_text import health_text
from bot.search.rate import Range
from bot.search.timeline import source_name, timeline, who_was_first

GERMAN = Translator(catalog=Catalogs().of("de"))
READ = FeedState(next_poll_at=NOON + timedelta(seconds=90), last_ok_at=NOON)
FAILING = replace(READ, failures=2, failure=Failure.DNS, failure_text="No such host.")
FORECAST = Forecast(
    since=NOON - timedelta(days=2),
    now=NOON,
    alerts=3,
    notes=0,
    entries=4,
    by_day=((date(2026, 3, 1), 0), (date(2026, 3, 2), 3)),
    hits=(),
    overlap=(),
    expectation=Expectation(Range(0, 4, 1.5), Range(6, 18, 10.5), Range(0, 1, 0.1)),
)


def feed(state: FeedState, entries: int = 1) -> FeedStatus:
    return FeedStatus("https://a.example/", "Harbour News", None, state, entries)


def test_a_feed_shows_its_articles_or_why_it_cannot_be_read() -> None:
    assert feed_state(feed(READ), NOON) == "1 article, checked 12:00"
    assert feed_state(feed(READ, 2), NOON) == "2 articles, checked 12:00"
    assert feed_state(feed(FAILING), NOON) == "No such host."
    assert feed_state(feed(FeedState(next_poll_at=NOON)), NOON) == "not fetched yet"


def test_the_state_of_a_feed_is_translated() -> None:
    assert "Artikel" in feed_state(feed(READ), NOON, GERMAN)


def test_the_status_counts_and_names_what_fails() -> None:
    status = Status((feed(READ), feed(FAILING)), (), 1)

    assert status_text(status, NOON).splitlines() == [
        "2 feeds, 1 subscription",
        "Next check in 2 min",
        "No messages queued",
        "✗ Harbour News: No such host.",
    ]
    assert status_text(Status((feed(READ),), (), 1), NOON).endswith("All feeds OK")


def test_a_forecast_has_a_bar_for_each_day_with_a_story() -> None:
    lead, expected, blank, *bars = forecast_text(FORECAST, width=6).splitlines()

    assert lead == "3 alerts in the last 2 days."
    assert expected == "Alerts to expect: 0 to 4 in the next 24 hours, 6 to 18 in a week."
    assert (blank, bars) == ("", ["Sun 01  0", "Mon 02 ▇▇▇▇▇▇ 3"])


def test_a_forecast_tells_silent_replies_apart() -> None:
    assert FORECAST.expectation
    expectation = replace(FORECAST.expectation, weekly_notes=Range(2, 9, 5.0))

    lines = forecast_text(replace(FORECAST, notes=2, expectation=expectation)).splitlines()

    assert lines[0] == "3 alerts and 2 silent replies in the last 2 days."
    assert lines[2] == "Silent replies to expect: 2 to 9 in a week."


def test_a_forecast_of_a_young_newsbell_says_since_when_and_no_rate() -> None:
    young = replace(FORECAST, since=NOON - timedelta(hours=2), expectation=None)

    assert forecast_text(young).splitlines()[:2] == [
        "3 alerts since 10:00.",
        "Too early to say how many to expect.",
    ]


def test_a_range_of_one_number_is_that_number() -> None:
    assert range_text(Range(3, 3, 3.0), ENGLISH) == "3"


def test_a_forecast_of_a_part_of_the_articles_says_about() -> None:
    assert forecast_text(replace(FORECAST, share=0.25)).startswith("About 3 alerts in the last")


def test_a_forecast_without_articles_says_so() -> None:
    text = forecast_text(replace(FORECAST, nothing_stored=True))
    assert text == "No articles stored yet, so there is no preview."


def test_a_forecast_is_translated() -> None:
    assert "Tage" in forecast_text(FORECAST, GERMAN)


def test_a_source_names_the_agency_of_its_text() -> None:
    entry = StoryEntry(1, StoryIds(1, 1, 1), "T", "", "Harbour News", "a", "AP", NOON, ())
    assert source_name(entry) == "via AP: Harbour News"
    assert source_name(replace(entry, agency="")) == "Harbour News"


def test_who_was_first_says_whose_time_rests_on_sight() -> None:
    def entry(number: int, name: str, *, minutes: int, by_sight: bool) -> StoryEntry:
        at = NOON + timedelta(minutes=minutes)
        ids = StoryIds(1, 1, 1)
        return StoryEntry(number, ids, "T", "", name, name, "", at, (), by_sight=by_sight)

    def told(*by_sight: bool) -> str:
        names = ("Harbour News", "Coast")
        entries = [
            entry(number, name, minutes=10 * number, by_sight=sight)
            for number, (name, sight) in enumerate(zip(names, by_sight, strict=True))
        ]
        return who_was_first(timeline(entries, 0)[0])

    lead = "Harbour News had it first, 10 min before Coast."
    rest = "Counted from when newsbell saw it: {} (no usable date in the feed)."
    assert told(False, False) == lead
    assert told(True, False) == f"{lead} {rest.format('Harbour News')}"
    assert told(True, True) == f"{lead} {rest.format('Harbour News, Coast')}"


def test_names_of_one_publisher_are_not_said_to_be_alone() -> None:
    def told(*names: str) -> str:
        ids = StoryIds(1, 1, 1)
        entries = [
            StoryEntry(number, ids, "T", "", name, "house", "", NOON, ())
            for number, name in enumerate(names)
        ]
        return who_was_first(timeline(entries, 0)[0])

    assert told("Coast", "Coast") == "Only Coast so far."
    assert told("Coast", "Wire") == "Only Coast, Wire so far; they count as one publisher."
    assert told(*"ABCDEFG") == "Only A, B, C, D, E, … so far; they count as one publisher."


def test_an_article_says_who_had_its_address_before() -> None:
    facts = EntryFacts(
        StoredEntry(2, 1, Article("Fire", feed_name="Coast"), NOON, NOON, None), (), ()
    )
    wire = FoundEntry(
        id=1,
        title="Fire",
        link="",
        guid="",
        names=("Wire", "", "", ""),
        first_seen_at=NOON - timedelta(minutes=5),
        alerted=False,
    )
    when = "at {:%H:%M}".format
    alone = "First seen in Coast at 12:00."
    assert describe_entry(facts, when, "link") == alone
    assert describe_entry(facts, when, "link", carrier=replace(wire, id=2)) == alone
    assert describe_entry(facts, when, "link", carrier=wire) == (
        "Seen in Coast at 12:00; the same address was first seen in Wire, at 11:55."
    )


def test_an_address_that_does_not_say_where_it_leads_is_not_said_to_be_unknown() -> None:
    assert explain_unknown("https://t.co/AbC", (), str).startswith("An address of t.co does not")


def test_an_article_without_a_usable_date_says_from_when_it_counts() -> None:
    article = Article("Fire", feed_name="Coast")
    when = "{:%H:%M}".format
    for published, part in (
        (None, "The feed gives no readable date, so it counts from then on."),
        (
            NOON + timedelta(hours=5),
            "The feed gave a time in the future (17:00), so it counts from then on.",
        ),
        (NOON + timedelta(minutes=5), ""),
        (NOON - timedelta(hours=1), ""),
    ):
        facts = EntryFacts(StoredEntry(1, 1, article, published, NOON, None), (), ())
        told = describe_entry(facts, when, "link")
        assert told == f"First seen in Coast 12:00. {part}".rstrip()


def test_operators_read_how_newsbell_is_in_their_language() -> None:
    health = Health(
        "1.2.3",
        started_at=NOON - timedelta(days=3),
        uptime=3 * 86400.0,
        lag=0.0123,
        database_bytes=12_300_000,
        reasons=(phrase("Telegram refuses the bot's token."),),
        telegram_answered_at=NOON,
    )
    first = (
        "newsbell 1.2.3, running for 3 days. Database: 12.3 MB, longest delay in the last minute"
    )
    assert health_text(health, NOON).splitlines() == [
        f"{first}: 0.01 s.",
        "Last answer of Telegram: 12:00",
        "✗ Telegram refuses the bot's token.",
    ]
    lines = health_text(health, NOON, GERMAN).splitlines()
    assert "Laufzeit: 3 Tage" in lines[0]
    assert lines[-1] == "✗ Telegram lehnt das Token des Bots ab."


def test_the_status_names_feeds_that_stopped() -> None:
    silent = replace(READ, stopped=True, news_at=NOON - timedelta(days=3))
    lines = status_text(Status((feed(silent),), (), 1), NOON).splitlines()
    assert lines[-1] == "◌ Harbour News: nothing new for 3 days, longer than ever"
