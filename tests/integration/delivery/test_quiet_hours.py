"""Quiet hours and digests: the chat's own clock, and what goes out when and in which order."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram_harness import ANN, ArticleSpec, OpenHarness, TelegramHarness, ask, rule

from bot.alerts.quiet_hours import PAGE_LENGTH, PAGE_STORIES, in_order, plan, quiet_until
from bot.chat.time_zones import time_zones
from bot.model.alerts import BundleKind
from bot.model.chats import Chat, ChatKind, ChatSettings
from bot.model.schedule import ChatSchedule, WaitingStory
from bot.text.times import parse_time, parse_time_span, parse_times

BERLIN, KYIV, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Europe/Kyiv"), ZoneInfo("Asia/Kolkata")
NIGHT = (23 * 60, 7 * 60)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def at(text: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-22 22:59", None),
        ("2026-11-22 23:00", "2026-11-23 07:00"),
        ("2026-11-23 03:00", "2026-11-23 07:00"),
        ("2026-11-23 06:59", "2026-11-23 07:00"),
        ("2026-11-23 07:00", None),
        ("2026-03-29 01:30", "2026-03-29 07:00"),  # the night that is an hour shorter
        ("2026-10-25 01:30", "2026-10-25 07:00"),  # and the one that is longer
    ],
)
def test_quiet_hours_go_over_midnight_by_the_clock_of_the_chat(now: str, until: str | None) -> None:
    assert quiet_until(NIGHT, BERLIN, at(now)) == (at(until) if until else None)


def test_a_quiet_end_that_the_autumn_night_has_twice_is_the_second_one() -> None:
    assert quiet_until((60, 150), BERLIN, at("2026-10-25 01:30")) == at("2026-10-25 02:30", fold=1)


def test_a_quiet_begin_that_the_spring_night_leaves_out_is_when_the_clock_is_past_it() -> None:
    assert quiet_until((150, 360), BERLIN, at("2026-03-29 01:59")) is None
    assert quiet_until((150, 360), BERLIN, at("2026-03-29 03:30")) == at("2026-03-29 06:00")


@given(
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.datetimes(
        datetime(2026, 1, 1),  # noqa: DTZ001 (hypothesis adds the zone)
        datetime(2027, 12, 31),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    st.sampled_from(
        [UTC, BERLIN, KYIV, KOLKATA, ZoneInfo("America/St_Johns"), ZoneInfo("Australia/Lord_Howe")]
    ),
)
def test_it_is_quiet_where_the_clock_on_the_wall_says_so(
    begins: int, ends: int, now: datetime, zone: Any
) -> None:
    """Except in the hour around a change of the clock, when a time comes twice or not at all."""
    local = now.astimezone(zone)
    wall = 60 * local.hour + local.minute
    changes = {
        (now + shift).astimezone(zone).utcoffset() for shift in (-3 * HOUR, timedelta(), 3 * HOUR)
    }
    reply = quiet_until((begins, ends), zone, now)
    within = begins <= wall < ends if begins < ends else wall >= begins or wall < ends
    if len(changes) == 1:
        assert (reply is not None) == (within and begins != ends)
    assert reply is None or now < reply <= now + DAY + HOUR


def story(
    number: int, publishers: int = 1, line: int = 0, length: int = 60, *, digest: bool = True
) -> WaitingStory:
    return WaitingStory(
        number, line or number, publishers, length, digest, at("2026-11-22 12:00") + number * MINUTE
    )


def hours(
    *waiting: WaitingStory,
    quiet: datetime | None = None,
    digested: datetime | None = None,
    **settings: Any,
) -> ChatSchedule:
    return ChatSchedule(
        Chat(1, "ann", ChatKind.TELEGRAM, 7, 0, settings=ChatSettings(**settings)),
        quiet,
        digested,
        tuple(waiting),
    )


def test_a_digest_is_due_once_at_each_of_its_times() -> None:
    times = (8 * 60, 18 * 60)
    waiting = story(1)
    first = plan(hours(waiting, digest_at=times), BERLIN, at("2026-11-22 12:00"))
    assert (first.pages, first.digested_at, first.next_at) == (
        (),
        at("2026-11-22 12:00"),
        at("2026-11-22 18:00"),
    )
    before = plan(
        hours(waiting, digested=first.digested_at, digest_at=times), BERLIN, at("2026-11-22 17:59")
    )
    assert before.pages == ()
    due = plan(
        hours(waiting, digested=before.digested_at, digest_at=times), BERLIN, at("2026-11-22 18:05")
    )
    assert [page.deliveries for page in due.pages] == [(1,)]
    assert due.next_at == at("2026-11-23 08:00")
    assert (
        plan(
            hours(story(2), digested=due.digested_at, digest_at=times),
            BERLIN,
            at("2026-11-22 18:10"),
        ).pages
        == ()
    )


def test_a_digest_that_went_out_at_a_time_that_has_not_come_is_no_reason_to_wait_for_it() -> None:
    """The clock was a year ahead when the last digest went out."""
    noon, tomorrow = at("2026-11-22 12:00"), at("2026-11-23 08:00")
    first = plan(hours(story(1), digested=at("2027-11-22 08:00")), BERLIN, noon)
    assert first.pages == ()
    assert first.digested_at == noon
    due = plan(hours(story(1), digested=first.digested_at), BERLIN, tomorrow)
    assert len(due.pages) == 1


def test_a_digest_whose_time_passed_while_newsbell_stood_still_comes_once_when_it_runs_again() -> (
    None
):
    late = plan(hours(story(1), digested=at("2026-11-19 08:00")), BERLIN, at("2026-11-22 12:00"))

    assert len(late.pages) == 1


def test_a_digest_comes_before_its_time_when_enough_waits() -> None:
    some = [story(number) for number in range(4)]
    chat: dict[str, Any] = {"digested": at("2026-11-22 08:00"), "digest_from": 5}

    assert plan(hours(*some, **chat), BERLIN, at("2026-11-22 12:00")).pages == ()
    assert len(plan(hours(*some, story(9), **chat), BERLIN, at("2026-11-22 12:00")).pages) == 1


def test_what_waited_in_quiet_hours_comes_together_at_their_end_and_a_lone_story_as_it_is() -> None:
    waiting = [story(number, digest=False) for number in (1, 2, 3)]
    end = at("2026-11-23 07:00")
    quiet = plan(hours(*waiting, digested=end - DAY, quiet=end), BERLIN, end)
    assert [(page.form, page.deliveries) for page in quiet.pages] == [
        (BundleKind.CATCH_UP, (1, 2, 3))
    ]
    assert plan(hours(waiting[0], digested=end - DAY, quiet=end), BERLIN, end).pages == ()


stories = st.lists(
    st.builds(
        story, st.integers(1, 500), st.integers(1, 40), st.integers(1, 6), st.integers(1, 500)
    ),
    unique_by=lambda story: story.delivery_id,
)


@given(stories)
def test_every_story_of_a_digest_is_on_one_page_and_pages_keep_to_their_size(
    waiting: list[WaitingStory],
) -> None:
    due = plan(hours(*waiting, digested=at("2026-11-20 08:00")), BERLIN, at("2026-11-22 12:00"))
    lengths = {story.delivery_id: story.length for story in waiting}

    assert sorted(number for page in due.pages for number in page.deliveries) == sorted(lengths)
    for page in due.pages:
        assert len(page.deliveries) <= PAGE_STORIES
        assert (
            len(page.deliveries) == 1
            or sum(lengths[number] for number in page.deliveries) <= PAGE_LENGTH
        )


@given(stories)
def test_the_stories_of_one_storyline_stand_together_and_what_most_carry_comes_first(
    waiting: list[WaitingStory],
) -> None:
    ordered = in_order(waiting)
    lines = [story.storyline_id for story in ordered]
    firsts = [
        next(story.publishers for story in ordered if story.storyline_id == line)
        for line in dict.fromkeys(lines)
    ]

    assert firsts == sorted(firsts, reverse=True)
    assert len(dict.fromkeys(lines)) == sum(
        first != second for first, second in zip([None, *lines], lines, strict=False)
    )


@pytest.mark.parametrize(
    ("zone", "ends", "now", "until"),
    [
        ("Europe/Kyiv", 180, "2026-03-28T23:30Z", "2026-03-29T01:00Z"),
        ("America/New_York", 120, "2026-03-08T05:30Z", "2026-03-08T07:00Z"),
        ("Europe/Kyiv", 180, "2026-10-24T23:30Z", "2026-10-25T01:00Z"),
    ],
)
def test_quiet_hours_end_no_earlier_where_clocks_skip_or_repeat_their_end(
    zone: str, ends: int, now: str, until: str
) -> None:
    moment = datetime.fromisoformat(now)

    assert quiet_until((1380, ends), ZoneInfo(zone), moment) == datetime.fromisoformat(until)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("23:00-07:00", (1380, 420)),
        ("23-7", (1380, 420)),
        ("22.30 – 6", (1350, 360)),
        ("0:00..8:00", (0, 480)),
        ("24:00-6:00", (0, 360)),
        ("11pm-7am", (1380, 420)),
        ("from 11 p.m. to 6:30 am", (1380, 390)),
        ("12am-12pm", (0, 720)),
        ("von 22 bis 7", (1320, 420)),
        ("с 23:00 до 7:00", (1380, 420)),
        ("25:00-7", None),
        ("23:60-7", None),
        ("nonsense", None),
        ("", None),
        ("7", None),
    ],
)
def test_quiet_hours_are_read_as_people_write_them(text: str, span: tuple[int, int] | None) -> None:
    assert parse_time_span(text) == span


def test_times_are_read_as_people_write_them() -> None:
    assert parse_times("19:00, 7:30 7:30") == (450, 1140)
    assert parse_times("7:30 soon") == ()
    assert parse_times("1 2 3 4 5 6 7") == ()
    assert parse_times("8am and 6:30 p.m.") == (480, 1110)
    assert parse_times("8 und 18") == (480, 1080)
    assert parse_time(None) is None
    assert parse_time("13pm") is None


# In a chat

BREAKING, NORMAL, DIGEST = (
    rule(name.title(), name, urgency=name) for name in ("breaking", "normal", "digest")
)
SECOND = timedelta(seconds=1)


def headlines(harness: TelegramHarness) -> list[str]:
    return [message.text.partition("\n")[0] for message in harness.api.messages(ANN)]


async def hears(harness: TelegramHarness, *titles: str) -> None:
    for title in titles:
        await harness.add(ArticleSpec(title))
    await harness.deliver(20 * SECOND, 2 * SECOND)


async def test_in_quiet_hours_only_breaking_alerts_go_out(opened: OpenHarness) -> None:
    async with opened(BREAKING, NORMAL, DIGEST) as harness:
        assert await ask(harness, "/settings")
        await harness.execute(
            "update chats set settings = '{\"quiet\": [660, 780]}', hours_at = ''"
        )
        await hears(harness, "normal one", "breaking one", "digest one", "normal two")
        assert headlines(harness)[1:] == ["breaking one"]
        await harness.deliver(2 * HOUR, MINUTE)
        assert headlines(harness)[1:] == ["breaking one", "During quiet hours: 2 stories 🔔 Normal"]
        await harness.deliver(20 * HOUR, 10 * MINUTE)
        assert headlines(harness)[-1] == "digest one"


async def test_quiet_hours_and_digests_hold_over_a_restart(opened: OpenHarness) -> None:
    async with opened(NORMAL, DIGEST) as harness:
        await harness.execute(
            "update chats set settings = '{\"quiet\": [660, 780]}', hours_at = ''"
        )
        await hears(harness, "normal one", "digest one")
    async with opened(NORMAL, DIGEST) as harness:
        await hears(harness, "normal two", "digest two")
        assert headlines(harness) == []
        harness.clock.advance(30 * HOUR)
    async with opened(NORMAL, DIGEST) as harness:
        await harness.deliver(20 * SECOND, 2 * SECOND)
        assert headlines(harness) == [
            "During quiet hours: 2 stories 🔔 Normal",
            "Digest: 2 stories 🔔 Digest",
        ]


async def test_a_story_that_waits_for_the_digest_goes_out_when_an_urgent_subscription_matches(
    opened: OpenHarness,
) -> None:
    async with opened(BREAKING, DIGEST) as harness:
        [first] = await harness.add(ArticleSpec("digest"))
        await harness.deliver(20 * SECOND, 2 * SECOND)
        assert headlines(harness) == []
        await harness.add(ArticleSpec("breaking digest", (first, first, first)))
        await harness.deliver(20 * SECOND, 2 * SECOND)
        assert headlines(harness) == ["digest"]
        await harness.deliver(DAY, HOUR)
        assert headlines(harness) == ["digest"]


async def test_a_long_digest_is_split_over_messages_that_name_every_story(
    opened: OpenHarness,
) -> None:
    async with opened(DIGEST) as harness:
        titles = [f"digest {number} " + "word " * (number % 30) for number in range(60)]
        for title in titles:
            await harness.add(ArticleSpec(title))
        await harness.deliver(DAY, HOUR)
        await harness.deliver(MINUTE, SECOND)
        texts = [message.text for message in harness.api.messages(ANN)]
        assert len(texts) > 2
        assert all(
            text.startswith("Digest: ")
            and len(text) <= 4096
            and "newsbell keeps them all" not in text
            for text in texts
        )
        assert sum(text.count("\n• ") for text in texts) == 60


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Kyiv", "en", ["Europe/Kyiv"]),
        ("Київ", "uk", ["Europe/Kyiv"]),
        ("Каир", "ru", ["Africa/Cairo"]),
        ("القاهرة", "ar", ["Africa/Cairo"]),
        ("Wien", "de", ["Europe/Vienna"]),
        ("los angeles", "en", ["America/Los_Angeles"]),
        ("europe/berlin", "en", ["Europe/Berlin"]),
        ("UTC", "en", ["UTC"]),
        ("Wien", "en", ["Europe/Vienna"]),
        ("San Francisco", "en", ["America/Los_Angeles"]),
        ("München", "de", ["Europe/Berlin"]),
        ("GMT+2", "en", ["Etc/GMT-2"]),
        ("UTC-05:00", "en", ["Etc/GMT+5"]),
        ("+5:30", "en", ["Asia/Kolkata"]),
        ("GMT+25", "en", []),
        ("Nowhere", "en", []),
        ("../etc/passwd", "en", []),
        ("", "en", []),
        ("x", "en", []),
    ],
)
def test_a_time_zone_is_found_by_its_city_in_the_language_of_the_chat(
    text: str, language: str, expected: list[str]
) -> None:
    assert time_zones(text, language) == expected


async def test_an_urgent_subscription_that_waits_for_publishers_sends_no_alert_before(
    opened: OpenHarness,
) -> None:
    urgent = rule("Urgent", "harbour", urgency="breaking", publishers=2)
    async with opened(urgent, rule("Usual", "harbour")) as harness:
        await harness.execute(
            "update chats set settings = '{\"quiet\": [660, 780]}', hours_at = ''"
        )
        [first] = await harness.add(ArticleSpec("harbour"))
        await harness.deliver(20 * SECOND, 2 * SECOND)
        assert headlines(harness) == [], (
            "one publisher is enough for the usual one only, and that is quiet"
        )
        await harness.add(ArticleSpec("quiet", (first, first, first)))
        await harness.deliver(20 * SECOND, 2 * SECOND)
        assert headlines(harness) == ["harbour"]
        assert "2 publishers" in harness.api.messages(ANN)[0].text
