"""What is news alerts, and a feed's archive does not, whatever its dates are worth."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from identity_harness import HOUR, Feed, entry, loud
from sampling import examples
from support import NOON

from bot.feeds.entry_identity import Identified
from bot.model.entries import RECENT, ParsedEntry, Silence

HALF_HOUR = timedelta(minutes=30)
DAY = timedelta(days=1)
#: How a feed dates its news, published at a moment.
DATINGS = (
    "right",
    "none",
    "some",
    "one for all",
    "by chance",
    "a year behind",
    "three days behind",
    "a month ahead",
    "by the day",
    "by the month",
)
#: Those of which a feed's older articles can be told from its news.
TRUE_DATINGS = ("right", "none", "by the day")


def dated(how: str, at: datetime, number: int) -> datetime | None:
    """The date that a feed gives to its article of this number, published at this moment."""
    chance = Random(number)
    match how:
        case "right":
            return at
        case "some":
            return at if number % 3 else None
        case "one for all":
            return datetime(2009, 5, 1, tzinfo=UTC)
        case "by chance":
            return at - timedelta(days=chance.uniform(0, 4000))
        case "a year behind":
            return at - 365 * DAY
        case "three days behind":
            return at - 3 * DAY
        case "a month ahead":
            return at + 30 * DAY
        case "by the day":
            return at.replace(hour=0, minute=0, second=0, microsecond=0)
        case "by the month":
            return at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        case _:
            return None


@dataclass
class Publisher:
    """A site with a feed: what it published, and how its feed shows it."""

    dating: str = "right"
    window: int = 30  #: how many articles the feed shows at most
    oldest_first: bool = False
    feed: Feed = field(default_factory=Feed)
    generation: int = 0  #: of its guids and links
    every: timedelta = HALF_HOUR
    shown: list[tuple[int, datetime]] = field(default_factory=list)  #: newest first
    count: int = 0

    def write(self, count: int) -> list[int]:
        """Publish so many articles between the last poll and the next one."""
        begin = self.feed.now + self.every
        numbers = range(self.count, self.count + count)
        self.count += count
        for number in numbers:
            self.shown.insert(
                0, (number, begin - self.every * (0.9 - 0.8 * Random(number).random()))
            )
        return list(numbers)

    def open_archive(self, count: int) -> list[int]:
        """Show so many articles that are older than all others, from now on."""
        oldest = min(at for _, at in self.shown)
        numbers = list(range(1_000_000 + self.count, 1_000_000 + self.count + count))
        self.shown = self.shown[: self.window]
        self.shown += [(number, oldest - (1 + n) * 2 * DAY) for n, number in enumerate(numbers)]
        self.window = len(self.shown)
        self.count += count
        return numbers

    def poll(self) -> Identified:
        """Let newsbell look at the feed."""
        items = [self._item(number, at) for number, at in self.shown[: self.window]]
        return self.feed.shows(*(items[::-1] if self.oldest_first else items), after=self.every)

    def _item(self, number: int, at: datetime) -> ParsedEntry:
        name = f"{self.generation}-{number}"
        return entry(name, title=f"Story {number}", at=dated(self.dating, at, number))


def told(result: Identified) -> set[int]:
    """The numbers of the articles that alert, one by one or together."""
    return {
        int(new.guid.partition("-")[2]) for new in result.new if new.silent in {None, Silence.FLOOD}
    }


def together(result: Identified) -> bool:
    """Whether they alert in one message."""
    return any(new.silent is Silence.FLOOD for new in result.new)


FEW = settings(
    max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
RATES = st.lists(
    st.one_of(st.integers(0, 4), st.integers(0, 25), st.sampled_from([0, 0, 15, 60, 200])),
    min_size=3,
    max_size=24,
)


@FEW
@given(
    dating=st.sampled_from(DATINGS),
    window=st.integers(5, 80),
    oldest_first=st.booleans(),
    first=st.integers(1, 60),
    rates=RATES,
    migrations=st.sets(st.integers(0, 24), max_size=2),
    every=st.sampled_from([timedelta(minutes=2), HALF_HOUR, timedelta(hours=6), 2 * DAY]),
)
def test_of_what_is_new_all_but_the_first_flood_alerts(
    dating: str,
    window: int,
    oldest_first: bool,
    first: int,
    rates: list[int],
    migrations: set[int],
    every: timedelta,
) -> None:
    site = Publisher(dating, window, oldest_first, every=every)
    site.write(first)
    site.poll()
    silent_polls = []
    for number, count in enumerate(rates):
        if number in migrations and min(window, len(site.shown)) >= 6:
            site.generation += 1
            assert told(site.poll()) == set()
        written = set(site.write(count)[-window:])
        heard = told(site.poll())
        assert heard <= written
        if heard != written:
            silent_polls.append((number, count))
    assert len(silent_polls) <= 1


@FEW
@given(
    dating=st.sampled_from(TRUE_DATINGS),
    window=st.integers(5, 80),
    first=st.integers(5, 60),
    before=st.lists(st.integers(0, 25), max_size=12),
    count=st.integers(11, 300),
    meanwhile=st.integers(0, 10),
    after=st.lists(st.integers(0, 25), max_size=6),
)
def test_no_archive_alerts_and_the_news_with_it_and_after_it_does(
    dating: str,
    window: int,
    first: int,
    before: list[int],
    count: int,
    meanwhile: int,
    after: list[int],
) -> None:
    # Without dates it is the known articles above it that make an archive one.
    assume(dating != "none" or meanwhile < min(window, first + sum(before)))
    site = Publisher(dating, window)
    site.write(first)
    site.poll()
    for written in before:
        site.write(written)
        site.poll()
    news = set(site.write(meanwhile)[-window:])
    site.open_archive(count)
    assert told(site.poll()) == news
    for written in after:
        news = set(site.write(written)[-site.window :])
        assert told(site.poll()) == news


@FEW
@given(
    datings=st.lists(st.tuples(st.sampled_from(DATINGS), RATES), max_size=4),
    last=st.sampled_from(DATINGS),
    rate=st.integers(1, 120),
    window=st.integers(5, 80),
    oldest_first=st.booleans(),
)
def test_no_state_of_a_feed_is_silent_for_good(
    datings: list[tuple[str, list[int]]], last: str, rate: int, window: int, oldest_first: bool
) -> None:
    """Whatever a feed did before and however its dates changed, its habit is ordinary soon."""
    site = Publisher(last, window, oldest_first)
    site.write(5)
    site.poll()
    for dating, rates in datings:
        site.dating = dating
        for count in rates:
            site.write(count)
            site.poll()
    site.dating = last
    for _ in range(4):
        site.write(rate)
        site.poll()
    for _ in range(4):
        written = set(site.write(rate)[-window:])
        result = site.poll()
        assert told(result) == written
        assert not together(result)


@pytest.mark.parametrize("dating", DATINGS)
@pytest.mark.parametrize("oldest_first", [False, True])
def test_in_two_days_of_15_new_articles_a_poll_all_but_the_first_15_alert_one_by_one(
    dating: str, *, oldest_first: bool
) -> None:
    site = Publisher(dating, window=15, oldest_first=oldest_first)
    site.write(15)
    site.poll()
    results = []
    for _ in range(96):
        site.write(15)
        results.append(site.poll())
    assert sum(len(told(result)) for result in results) >= 1440 - 15
    assert sum(together(result) for result in results) <= 1
    assert sum(bool(result.flood) for result in results) <= 2


def test_an_archive_in_two_parts_is_silent() -> None:
    site = Publisher()
    site.write(20)
    site.poll()
    for _ in range(5):
        site.write(2)
        site.poll()
    for _ in range(2):
        site.open_archive(100)
        assert told(site.poll()) == set()


def test_a_burst_with_some_late_articles_is_news() -> None:
    feed = Feed()
    feed.shows(*day(20, first=NOON - DAY, step=HOUR, prefix="a"))
    burst = [*day(40, first=NOON, step=timedelta(minutes=1), prefix="b")]
    late = [entry(f"c{n}", at=NOON - 3 * DAY - n * HOUR) for n in range(5)]
    result = feed.shows(*burst, *late)
    assert {new.silent for new in result.new} == {Silence.FLOOD}
    assert (result.flood, result.archived) == (45, 0)


def test_articles_of_the_days_that_a_site_was_down_are_news() -> None:
    feed = Feed()
    feed.shows(*day(40, first=NOON - 4 * DAY, step=2 * HOUR, prefix="a"))
    missed = day(120, first=NOON, step=2 * HOUR, prefix="b")
    result = feed.shows(*missed, after=10 * DAY)
    assert all(new.silent is not Silence.ARCHIVE for new in result.new)


def test_of_a_long_document_what_comes_within_reach_is_archive_in_any_number() -> None:
    feed = Feed()
    feed.shows(*day(20, first=NOON - 10 * DAY, step=HOUR, prefix="a"), cut=(b"c" * 16,))
    result = feed.shows(*day(3, first=NOON - 90 * DAY, step=HOUR, prefix="b"))
    assert {new.silent for new in result.new} == {Silence.ARCHIVE}
    assert result.flood == 0


# The flood guard.


def day(count: int, *, first: datetime, step: timedelta, prefix: str) -> list[ParsedEntry]:
    return [entry(f"{prefix}{n}", at=first + n * step) for n in range(count)]


def test_what_a_laptop_missed_in_twelve_hours_is_alerted_entry_by_entry() -> None:
    """40 entries a day; 12 hours asleep after a week of hourly polls bring 40 new entries."""
    feed = Feed()
    step = timedelta(minutes=36)
    parsed = day(40, first=NOON - timedelta(days=1), step=step, prefix="a")
    feed.shows(*parsed, after=timedelta(0))
    missed = day(40, first=NOON + timedelta(minutes=1), step=timedelta(minutes=18), prefix="b")
    result = feed.shows(*missed, after=timedelta(hours=12))
    assert result.flood == 0
    assert len(loud(result)) == 40


def test_up_to_thirty_entries_newer_than_all_known_ones_are_alerted_in_a_quiet_feed() -> None:
    feed = Feed()
    feed.shows(*day(10, first=NOON - timedelta(days=100), step=timedelta(days=9), prefix="a"))
    result = feed.shows(*day(30, first=NOON, step=timedelta(seconds=1), prefix="b"))
    assert (len(loud(result)), result.flood) == (30, 0)


def test_a_renumbered_archive_of_200_sends_no_alert_and_ordinary_entries_do_after_it() -> None:
    feed = Feed()
    feed.shows(*day(200, first=NOON - timedelta(days=400), step=timedelta(days=1), prefix="a"))
    archive = [
        entry(f"b{n}", title=f"Renamed {n}", at=NOON - timedelta(days=400 - n)) for n in range(200)
    ]
    result = feed.shows(*archive)
    assert (loud(result), result.flood, len(result.new)) == ([], 200, 200)
    assert loud(feed.shows(entry("c", at=feed.now), *archive)) == ["c"]


def test_a_flood_dated_now_is_a_flood_all_the_same() -> None:
    feed = Feed()
    feed.shows(*day(20, first=NOON - timedelta(days=40), step=timedelta(days=1), prefix="a"))
    result = feed.shows(*(entry(f"b{n}", title=f"Renamed {n}", at=NOON + HOUR) for n in range(200)))
    assert (loud(result), result.flood) == ([], 200)
    assert all(new.published and new.published > feed.now - RECENT for new in result.new)


def test_ten_new_entries_of_any_date_are_never_a_flood() -> None:
    feed = Feed()
    feed.shows(entry("a", at=NOON))
    result = feed.shows(
        *(entry(f"b{n}", at=[None, datetime(2010, 1, 1, tzinfo=UTC)][n % 2]) for n in range(10))
    )
    assert len(loud(result)) == 10


def test_a_first_fetch_is_silent_whatever_it_holds() -> None:
    result = Feed().shows(*day(300, first=NOON, step=timedelta(seconds=1), prefix="a"))
    assert {new.silent for new in result.new} == {"baseline"}
    assert result.flood == 0
