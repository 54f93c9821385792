"""What a chat learns before alerts come: /test, the forecast of /subscribe, and /confirm."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botapi import BotApi
from support import ManualClock, stored
from telegram_harness import (
    ANN,
    BOB,
    FORUM,
    GROUP,
    TOPIC,
    ArticleSpec,
    TelegramHarness,
    open_harness,
)

from bot.query.parser import parse
from bot.search.account import ParsedSubscription, accounts_of
from bot.search.explain import explain_entry

ANONYMOUS, EVE = 1087968824, 9
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ONLY_ADMINS = "Only administrators of this chat can change its alerts."
SUBSCRIBED = "Done. You get one alert here per new story matching:\n"
NOTHING = "Nothing to confirm. Start with /subscribe QUERY"
MANY = 40  #: stories of a day, more than a chat takes without being asked


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as made:
        for person in (ANN, BOB, EVE):
            made.add_private(person)
        made.add_group(GROUP, members={ANN: "creator", BOB: "member"})
        made.add_supergroup(FORUM, members={ANN: "administrator", BOB: "member"}, forum=True)
        made.add_topic(FORUM, TOPIC)
        yield made


CHATS: dict[str, Any] = {"ann": ANN, "group": GROUP, "forum": FORUM}


@pytest.fixture
async def harness(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> AsyncIterator[TelegramHarness]:
    """A newsbell that serves Ann's private chat, the group and the forum."""
    async with open_harness(tmp_path, api, CHATS, clock) as made:
        made.watched_since = clock.now() - 8 * HOUR
        yield made


async def ask(
    harness: TelegramHarness,
    text: str,
    chat: int = ANN,
    by: int = ANN,
    topic: int | None = None,
    **more: Any,
) -> str:
    """Write there; the bot's answer, or nothing."""
    before = len(harness.api.messages(chat))
    harness.api.say(chat, by, text, topic, **more)
    await harness.listen()
    await harness.deliver(MINUTE, step=timedelta(seconds=4))
    answers = harness.api.messages(chat)[before:]
    assert len(answers) < 2
    return answers[0].text if answers else ""


async def rules(harness: TelegramHarness, chat: int = ANN, topic: int = 0) -> list[str]:
    """The queries that the chat subscribed to itself."""
    found = await harness.app.store.chats.chat_at(chat, topic)
    return (
        [
            each.query
            for each, declared in await harness.app.store.chats.subscriptions_of(found.id)
            if not declared
        ]
        if found
        else []
    )


async def brings(harness: TelegramHarness, *titles: str) -> None:
    """Stories without an alert, an hour ago."""
    for title in titles:
        await harness.bring(title, published=harness.clock.now() - HOUR)


async def brings_many(harness: TelegramHarness, word: str = "harbour") -> None:
    await brings(harness, *(f"The {word} opens part {number}" for number in range(MANY)))


# /test


async def test_test_says_what_a_query_would_have_alerted_to_and_changes_nothing(
    harness: TelegramHarness,
) -> None:
    await brings(harness, "The harbour opens", "A mill burns", "Harbour cranes")

    reply = await ask(harness, "/test harbour")

    lines = reply.split("\n")
    assert lines[0] == "2 alerts since 04:00."
    assert lines[1].startswith("Alerts to expect: ")
    assert lines[-2:] == ["• Harbour cranes – Invented Wire", "• The harbour opens – Invented Wire"]
    assert "Mon 02 ▇▇▇▇▇▇▇▇▇▇▇▇ 2" in lines
    message = harness.api.messages(ANN)[0]
    marked = [
        reply[each["offset"] : each["offset"] + each["length"]]
        for each in message.entities
        if each["type"] == "underline"
    ]
    assert marked == ["Harbour", "harbour"]
    assert await rules(harness) == []
    await harness.bring("A further harbour")
    await harness.deliver(MINUTE)
    assert len(harness.api.messages(ANN)) == 1


async def test_test_of_what_never_came_says_so(harness: TelegramHarness) -> None:
    assert (await ask(harness, "/test zeppelin")).startswith(
        ("0 alerts since ", "No articles stored yet")
    )
    await brings(harness, "The harbour opens")
    lines = (await ask(harness, "/test zeppelin")).split("\n")
    assert lines[0] == "0 alerts since 04:00."
    assert lines[1].startswith("Alerts to expect: 0 to ")


async def test_test_of_a_young_newsbell_names_no_rate(harness: TelegramHarness) -> None:
    harness.watched_since = harness.clock.now() - HOUR
    await brings(harness, "The harbour opens", "Harbour cranes")

    assert (await ask(harness, "/test harbour")).split("\n")[:2] == [
        "2 alerts since 11:00.",
        "Too early to say how many to expect.",
    ]


async def test_a_preview_is_of_the_subscription_with_its_options(
    harness: TelegramHarness,
) -> None:
    [first] = await harness.add(ArticleSpec("The harbour opens"))
    await harness.add(ArticleSpec("Harbour opened", (0, first, first), origin="post"))

    assert (await ask(harness, "/test harbour")).startswith(
        "1 alert and 1 silent reply since 04:00."
    )
    assert (await ask(harness, "/test developments:edit harbour")).startswith("1 alert since ")
    assert (await ask(harness, "/test publishers:2 harbour")).startswith("1 alert since ")
    assert (await ask(harness, "/test publishers:3 harbour")).startswith("0 alerts since ")


async def test_test_counts_over_the_week(harness: TelegramHarness) -> None:
    await brings(harness, "The harbour opens")
    harness.clock.advance(3 * DAY)
    await brings(harness, "The harbour closes")
    harness.clock.advance(12 * DAY)
    await brings(harness, "A harbour again", "A harbour once more")

    lines = (await ask(harness, "/test harbour")).split("\n")

    assert lines[0] == "2 alerts in the last 7 days."
    assert lines[1] == "Alerts to expect: 0 to 2 in the next 24 hours, 0 to 6 in a week."
    assert sum(" ▇" in line for line in lines) == 1


async def test_test_takes_a_mistake_and_an_empty_query_as_subscribe_does(
    harness: TelegramHarness,
) -> None:
    reply = await ask(harness, "/test harbour AND (port OR")
    assert reply.split("\n")[-2:] == ["harbour AND (port OR", "            ^"]
    assert (await ask(harness, "/test")).startswith("Send me the words to look for")


async def test_anyone_in_a_chat_that_is_let_in_may_test_and_nobody_else(
    harness: TelegramHarness,
) -> None:
    await brings(harness, "The harbour opens")

    assert (await ask(harness, "/test harbour", GROUP, BOB)).startswith("1 alert since ")
    assert (await ask(harness, "/test@bell_bot harbour", FORUM, BOB, TOPIC)).startswith(
        "1 alert since "
    )
    assert await ask(harness, "/test@other_bot harbour", GROUP, BOB) == ""
    assert "harbour" not in (await ask(harness, "/test harbour", EVE, EVE)).lower()


async def test_headlines_of_any_length_and_script_fit_one_message(harness: TelegramHarness) -> None:
    await brings(harness, *(f"{number} harbour " + "🛳 гавань מרינה " * 40 for number in range(15)))

    reply = await ask(harness, "/test harbour")

    assert reply.count("\n• ") == 10
    assert len(reply) <= 4096


async def test_a_search_that_is_broken_stops_no_other_command(harness: TelegramHarness) -> None:
    """Anyone in the chat may ask; what cannot be read now must not keep the bot from everybody."""
    await brings(harness, "The harbour opens")
    await stored(harness.app)._writer.run("break", lambda db: db.execute("drop table search"))

    harness.api.say(ANN, ANN, "/test harbour")
    harness.api.say(GROUP, ANN, "/help")
    try:
        await harness.listen()
    except Exception as error:  # noqa: BLE001 (the listener would retry for ever)
        pytest.fail(f"the commands wait: {error}")
    await harness.deliver(MINUTE)

    assert len(harness.api.messages(GROUP)) == 1
    assert len(harness.api.messages(ANN)) == 1, "what cannot be said now is said to be so"


async def test_a_search_that_is_broken_keeps_nobody_from_subscribing(
    harness: TelegramHarness,
) -> None:
    await stored(harness.app)._writer.run("break", lambda db: db.execute("drop table search"))

    assert await ask(harness, "/subscribe harbour") == f"{SUBSCRIBED}harbour"
    assert await rules(harness) == ["harbour"]


# /subscribe with its forecast


async def test_subscribing_says_how_many_stories_to_expect(harness: TelegramHarness) -> None:
    await brings(harness, "The harbour opens", "A mill burns", "Harbour cranes")

    lines = (await ask(harness, "/subscribe harbour")).split("\n")
    assert lines[1] == "harbour"
    assert lines[2].startswith("Alerts to expect: ")
    lines = (await ask(harness, "/subscribe zeppelin")).split("\n")
    assert lines[2].startswith("Alerts to expect: 0 to ")


async def test_subscribing_at_a_young_newsbell_says_what_came(harness: TelegramHarness) -> None:
    harness.watched_since = harness.clock.now() - HOUR
    await brings(harness, "The harbour opens", "A mill burns", "Harbour cranes")

    assert (
        await ask(harness, "/subscribe harbour")
        == f"{SUBSCRIBED}harbour\n2 alerts since 11:00.\nToo early to say how many to expect."
    )


async def test_many_alerts_in_an_hour_need_a_confirmation(harness: TelegramHarness) -> None:
    harness.watched_since = harness.clock.now() - HOUR
    await brings_many(harness)

    reply = await ask(harness, "/subscribe harbour")

    assert reply.startswith("That is a lot: 40 alerts since 11:00. Latest:\n")


async def test_a_query_with_many_alerts_needs_a_confirmation(harness: TelegramHarness) -> None:
    await brings_many(harness)

    reply = await ask(harness, "/subscribe harbour")

    assert reply.startswith(
        "That is a lot of alerts: 50 to 272 a day. Latest:\n\n"
        "• The harbour opens part 39 – Invented Wire\n"
    )
    assert reply.count("\n• ") == 3
    assert reply.endswith("\n\nNarrow the query, or subscribe anyway: /confirm")
    assert await rules(harness) == []
    await harness.bring("The harbour is quiet yet")
    await harness.deliver(MINUTE)
    assert len(harness.api.messages(ANN)) == 1


async def test_less_than_thirty_a_day_are_not_asked_about(harness: TelegramHarness) -> None:
    await brings(harness, *(f"The harbour opens part {number}" for number in range(8)))
    assert (await ask(harness, "/subscribe harbour")).startswith(SUBSCRIBED)


# After a week


async def test_after_a_week_a_forecast_is_compared_with_what_came(
    harness: TelegramHarness,
) -> None:
    harness.watched_since = harness.clock.now() - 7 * DAY
    await brings(harness, "The harbour opens", "Harbour cranes")
    await ask(harness, "/subscribe harbour")
    assert "expected" not in await ask(harness, "/subscriptions")
    harness.clock.advance(7 * DAY)
    for number in range(12):
        await harness.bring(f"A harbour at quay {number}", published=harness.clock.now())
    await harness.deliver(10 * MINUTE)

    listed = await ask(harness, "/subscriptions")

    assert "Alerts of the last 7 days: 12; expected: 0 to 6." in listed


async def test_a_confirmed_question_is_compared_as_well(harness: TelegramHarness) -> None:
    await brings_many(harness)
    await ask(harness, "/subscribe harbour")
    await ask(harness, "/confirm")
    harness.clock.advance(8 * DAY)

    assert "Alerts of the last 7 days: 0; expected: " in await ask(harness, "/subscriptions")


# /confirm


async def test_confirming_subscribes_to_what_was_asked_about_once_and_sends_alerts(
    harness: TelegramHarness,
) -> None:
    await brings_many(harness)
    await ask(harness, "/subscribe harbour NOT football")

    assert await ask(harness, "/confirm") == f"{SUBSCRIBED}harbour AND NOT football"
    assert await rules(harness) == ["harbour NOT football"]
    await harness.bring("The harbour opens now")
    await harness.deliver(MINUTE)
    assert harness.shown(ANN)[-1] == "The harbour opens now"
    assert await ask(harness, "/confirm") == NOTHING
    assert await rules(harness) == ["harbour NOT football"]


async def test_nothing_to_confirm_is_said(harness: TelegramHarness) -> None:
    assert await ask(harness, "/confirm") == NOTHING


async def test_the_last_question_is_the_one_that_is_confirmed(harness: TelegramHarness) -> None:
    await brings_many(harness)
    await ask(harness, "/subscribe harbour")
    await ask(harness, "/subscribe harbour opens")

    await ask(harness, "/confirm")

    assert await rules(harness) == ["harbour opens"]


async def test_a_narrower_query_takes_the_question_back(harness: TelegramHarness) -> None:
    await brings_many(harness)
    await ask(harness, "/subscribe harbour")
    assert (await ask(harness, "/subscribe mill")).startswith(SUBSCRIBED)

    assert await ask(harness, "/confirm") == NOTHING
    assert await rules(harness) == ["mill"]


async def test_other_commands_and_mistakes_leave_the_question(harness: TelegramHarness) -> None:
    await brings_many(harness)
    await ask(harness, "/subscribe harbour")
    await ask(harness, "/subscribe harbour AND")
    await ask(harness, "/test mill")
    await ask(harness, "/subscriptions")

    assert (await ask(harness, "/confirm")).startswith(SUBSCRIBED)


async def test_an_hour_later_there_is_nothing_to_confirm(harness: TelegramHarness) -> None:
    await brings_many(harness)
    await ask(harness, "/subscribe harbour")
    harness.clock.advance(57 * MINUTE)
    await ask(harness, "/subscribe harbour")
    harness.clock.advance(57 * MINUTE)
    assert (await ask(harness, "/confirm")).startswith(SUBSCRIBED), "the question was put anew"

    [(number,)] = await harness.rows(
        "select number from chat_numbers join subscriptions s on s.id = subscription_id "
        "where s.query = 'harbour'"
    )
    await ask(harness, f"/unsubscribe {number}")
    await ask(harness, "/subscribe harbour")
    harness.clock.advance(HOUR)
    assert await ask(harness, "/confirm") == NOTHING
    assert await rules(harness) == []


async def test_a_question_outlives_a_restart(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    async with open_harness(tmp_path, api, CHATS, clock) as harness:
        harness.watched_since = clock.now() - 8 * HOUR
        await brings_many(harness)
        await ask(harness, "/subscribe harbour")
        await harness.confirm_updates()
    async with open_harness(tmp_path, api, CHATS, clock) as harness:
        assert await rules(harness) == []
        assert (await ask(harness, "/confirm")).startswith(SUBSCRIBED)
        assert await rules(harness) == ["harbour"]
        await harness.bring("The harbour opens now")
        await harness.deliver(MINUTE)
        assert harness.shown(ANN)[-1] == "The harbour opens now"


async def test_a_confirmation_that_comes_twice_subscribes_once(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    """The process ended after the answer was stored, before the update was confirmed."""
    async with open_harness(tmp_path, api, CHATS, clock) as harness:
        await brings_many(harness)
        await ask(harness, "/subscribe harbour")
        await harness.confirm_updates()
        api.say(ANN, ANN, "/confirm")
        await harness.listen()
    async with open_harness(tmp_path, api, CHATS, clock) as harness:
        await harness.listen()
        await harness.confirm_updates()
        await harness.deliver(MINUTE)
        assert await rules(harness) == ["harbour"]
        assert harness.shown(ANN).count(SUBSCRIBED.strip()) == 1


async def test_a_question_is_the_chats_own(harness: TelegramHarness) -> None:
    await brings_many(harness)
    await ask(harness, "/subscribe harbour")

    assert await ask(harness, "/confirm", GROUP, anonymous_admin=True, by=ANONYMOUS) == NOTHING
    assert await ask(harness, "/confirm", FORUM, ANN, TOPIC, anonymous_admin=True) == NOTHING
    assert (await rules(harness, GROUP), await rules(harness)) == ([], [])


async def test_in_a_group_an_administrator_confirms_and_a_member_does_not(
    harness: TelegramHarness,
) -> None:
    await brings_many(harness)
    assert await ask(harness, "/subscribe harbour", GROUP, BOB) == ONLY_ADMINS
    assert (await ask(harness, "/subscribe harbour", GROUP, ANN)).startswith(
        "That is a lot of alerts: "
    )

    assert await ask(harness, "/confirm", GROUP, BOB) == ONLY_ADMINS
    assert await rules(harness, GROUP) == []
    assert await ask(harness, "/confirm", GROUP, ANN) == f"{SUBSCRIBED}harbour"
    assert await rules(harness, GROUP) == ["harbour"]


async def test_an_anonymous_administrator_confirms(harness: TelegramHarness) -> None:
    await brings_many(harness)
    await ask(harness, "/subscribe harbour", GROUP, ANONYMOUS, anonymous_admin=True)
    assert (
        await ask(harness, "/confirm", GROUP, ANONYMOUS, anonymous_admin=True)
        == f"{SUBSCRIBED}harbour"
    )


async def test_a_topic_confirms_for_itself(harness: TelegramHarness) -> None:
    await brings_many(harness)
    await ask(harness, "/subscribe harbour", FORUM, ANN, TOPIC)
    assert await ask(harness, "/confirm", FORUM, ANN, TOPIC) == f"{SUBSCRIBED}harbour"
    assert (await rules(harness, FORUM, TOPIC), await rules(harness, FORUM)) == (["harbour"], [])


async def test_a_stranger_confirms_nothing(harness: TelegramHarness) -> None:
    assert (await ask(harness, "/confirm", EVE, EVE)).startswith("This bot is private")


async def test_a_query_subscribed_already_is_not_confirmed_a_second_time(
    harness: TelegramHarness,
) -> None:
    await brings_many(harness)
    await ask(harness, "/subscribe harbour")
    await ask(harness, "/confirm")
    assert (
        await ask(harness, "/subscribe harbour")
        == "This chat already has this subscription. All subscriptions: /subscriptions"
    )
    assert await rules(harness) == ["harbour"]


async def test_a_chat_that_has_all_it_can_have_confirms_nothing_more(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    async with open_harness(tmp_path, api, CHATS, clock) as harness:
        harness.watched_since = clock.now() - 8 * HOUR
        await brings_many(harness)
        await ask(harness, "/subscribe nothing of the kind")
        await ask(harness, "/subscribe harbour")
    async with open_harness(tmp_path, api, CHATS, clock, quotas={"subscriptions": 1}) as harness:
        assert (
            await ask(harness, "/confirm")
            == "A chat can have at most 1 subscription. Remove one first: /unsubscribe"
        )
    async with open_harness(tmp_path, api, CHATS, clock) as harness:
        assert (await ask(harness, "/confirm")).startswith(SUBSCRIBED), (
            "the question stands until its hour is over"
        )


async def test_help_names_what_can_be_asked(harness: TelegramHarness) -> None:
    text = await ask(harness, "/help")
    assert "/test QUERY" in text


# What explain says of Telegram's messages


async def test_stories_that_went_out_together_are_called_sent(harness: TelegramHarness) -> None:
    await harness.bring(*(f"ann number {number}" for number in range(25)))
    await harness.deliver(MINUTE)
    assert len(harness.api.messages(ANN)) == 1
    assert sorted(row.state for row in await harness.outbox()) == ["merged"] * 24 + ["sent"]
    store = harness.app.store.archive
    held = [
        ParsedSubscription(each, parse(each.query))
        for each in store.known_subscriptions()
        if each.name == "For ann"
    ]
    chats = {number: name for number, (name, _) in store.chats().items()}

    reasons = [
        reason
        for facts in store.latest(25, harness.clock.now())
        for reason in explain_entry(
            facts, held, accounts_of(facts, held, parse), chats, lambda _: "then"
        )
    ]

    assert [(reason.alerted, reason.text.rpartition(". ")[2]) for reason in reasons] == [
        (True, "ann: sent then.")
    ] * 25
