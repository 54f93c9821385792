"""What a chat is told before it is rung: /test, the forecast of /subscribe, and /confirm, over a real store and the loopback Bot API."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botapi import BotApi
from support import ManualClock
from telegram_harness import ANN, BOB, FORUM, GROUP, TOPIC, TelegramHarness, open_harness

from bot.query.parser import parse
from bot.search.explain import (
    Held,
    explain_entry,
)

ANONYMOUS, EVE = 1087968824, 9
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ONLY_ADMINS = "Only administrators of this chat can change what rings here."
SUBSCRIBED = "Subscribed. I ring here once for each new story that matches\n"
NOTHING = "Nothing waits to be confirmed. /subscribe QUERY begins."
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
async def one(tmp_path: Path, api: BotApi, clock: ManualClock) -> AsyncIterator[TelegramHarness]:
    """A newsbell that serves Ann's private chat, the group and the forum."""
    async with open_harness(tmp_path, api, CHATS, clock) as made:
        yield made


async def asks(
    one: TelegramHarness,
    text: str,
    chat: int = ANN,
    by: int = ANN,
    topic: int | None = None,
    **more: Any,
) -> str:
    """Write there; the bot's answer, or nothing."""
    before = len(one.api.messages(chat))
    one.api.say(chat, by, text, topic, **more)
    await one.listen()
    await one.deliver(MINUTE, step=timedelta(seconds=4))
    answers = one.api.messages(chat)[before:]
    assert len(answers) < 2
    return answers[0].text if answers else ""


async def rules(one: TelegramHarness, chat: int = ANN, topic: int = 0) -> list[str]:
    """The queries that ring there by the chat's own will."""
    found = await one.made.store.chats.chat_at(chat, topic)
    return (
        [
            each.query
            for each, declared in await one.made.store.chats.subscriptions_of(found.id)
            if not declared
        ]
        if found
        else []
    )


async def brings(one: TelegramHarness, *titles: str) -> None:
    """Stories that ring nobody, an hour ago."""
    for title in titles:
        await one.bring(title, published=one.clock.now() - HOUR)


async def brings_many(one: TelegramHarness, word: str = "harbour") -> None:
    await brings(one, *(f"The {word} opens part {number}" for number in range(MANY)))


# /test


async def test_test_says_what_a_query_would_have_rung_and_changes_nothing(
    one: TelegramHarness,
) -> None:
    await brings(one, "The harbour opens", "A mill burns", "Harbour cranes")

    reply = await asks(one, "/test harbour")

    lines = reply.split("\n")
    assert lines[:2] == [
        "2 stories in the last 24 hours.",
        "Expect about 2.0 alerts a day, 14 a week.",
    ]
    assert lines[-2:] == ["• Harbour cranes – Invented Wire", "• The harbour opens – Invented Wire"]
    assert "Mon 02 ▇▇▇▇▇▇▇▇▇▇▇▇ 2" in lines
    message = one.api.messages(ANN)[0]
    marked = [
        reply[each["offset"] : each["offset"] + each["length"]]
        for each in message.entities
        if each["type"] == "underline"
    ]
    assert marked == ["Harbour", "harbour"]
    assert await rules(one) == []
    await one.bring("A further harbour")
    await one.deliver(MINUTE)
    assert len(one.api.messages(ANN)) == 1


async def test_test_of_what_never_came_says_so(one: TelegramHarness) -> None:
    assert (await asks(one, "/test zeppelin")).startswith(
        ("0 stories in the last ", "There are no stored articles yet")
    )
    await brings(one, "The harbour opens")
    assert (await asks(one, "/test zeppelin")).split("\n")[:2] == [
        "0 stories in the last 24 hours.",
        "Expect about 0.0 alerts a day, 0 a week.",
    ]


async def test_test_counts_over_the_week(one: TelegramHarness) -> None:
    await brings(one, "The harbour opens")
    one.clock.advance(3 * DAY)
    await brings(one, "The harbour closes")
    one.clock.advance(12 * DAY)
    await brings(one, "A harbour again", "A harbour once more")

    lines = (await asks(one, "/test harbour")).split("\n")

    assert lines[0] == "2 stories in the last 7 days."
    assert lines[1] == "Expect about 0.3 alerts a day, 2 a week."
    assert sum(" ▇" in line for line in lines) == 1


async def test_test_takes_a_mistake_and_an_empty_query_as_subscribe_does(
    one: TelegramHarness,
) -> None:
    reply = await asks(one, "/test harbour AND (port OR")
    assert reply.split("\n")[-2:] == ["harbour AND (port OR", "            ^"]
    assert (
        await asks(one, "/test")
        == 'Write a query after the command, for example: /test "air defence" AND Syria'
    )


async def test_anyone_in_a_chat_that_is_let_in_may_test_and_nobody_else(
    one: TelegramHarness,
) -> None:
    await brings(one, "The harbour opens")

    assert (await asks(one, "/test harbour", GROUP, BOB)).startswith("1 story in the last")
    assert (await asks(one, "/test@bell_bot harbour", FORUM, BOB, TOPIC)).startswith(
        "1 story in the last"
    )
    assert await asks(one, "/test@other_bot harbour", GROUP, BOB) == ""
    assert "harbour" not in (await asks(one, "/test harbour", EVE, EVE)).lower()


async def test_headlines_of_any_length_and_script_fit_one_message(one: TelegramHarness) -> None:
    await brings(one, *(f"{number} harbour " + "🛳 гавань מרינה " * 40 for number in range(15)))

    reply = await asks(one, "/test harbour")

    assert reply.count("\n• ") == 10
    assert len(reply) <= 4096


async def test_a_search_that_is_broken_stops_no_other_command(one: TelegramHarness) -> None:
    """Anyone in the chat may ask; what cannot be read now must not keep the bot from everybody."""
    await brings(one, "The harbour opens")
    await one.made.store._writer.run("break", lambda db: db.execute("drop table search"))

    one.api.say(ANN, ANN, "/test harbour")
    one.api.say(GROUP, ANN, "/help")
    try:
        await one.listen()
    except Exception as error:  # noqa: BLE001 (the loop of the listener would wait and ask for the same once more, for ever)
        pytest.fail(f"the commands wait: {error}")
    await one.deliver(MINUTE)

    assert len(one.api.messages(GROUP)) == 1
    assert len(one.api.messages(ANN)) == 1, "what cannot be said now is said to be so"


async def test_a_search_that_is_broken_keeps_nobody_from_subscribing(one: TelegramHarness) -> None:
    await one.made.store._writer.run("break", lambda db: db.execute("drop table search"))

    assert await asks(one, "/subscribe harbour") == f"{SUBSCRIBED}harbour"
    assert await rules(one) == ["harbour"]


# /subscribe with its forecast


async def test_subscribing_says_how_many_stories_to_expect(one: TelegramHarness) -> None:
    await brings(one, "The harbour opens", "A mill burns", "Harbour cranes")

    assert (
        await asks(one, "/subscribe harbour")
        == f"{SUBSCRIBED}harbour\nBy the past days, expect about 14 stories a week."
    )
    assert (
        await asks(one, "/subscribe zeppelin")
        == f"{SUBSCRIBED}zeppelin\nBy the past days, expect less than one story a week."
    )


async def test_what_would_ring_often_is_asked_about_first(one: TelegramHarness) -> None:
    await brings_many(one)

    reply = await asks(one, "/subscribe harbour")

    assert reply.startswith(
        "That would ring about 40 times a day, here is what came last:\n\n• The harbour opens part 39 – Invented Wire\n"
    )
    assert reply.count("\n• ") == 3
    assert reply.endswith(
        "\n\n/confirm subscribes to it all the same; a narrower query rings less."
    )
    assert await rules(one) == []
    await one.bring("The harbour rings nobody yet")
    await one.deliver(MINUTE)
    assert len(one.api.messages(ANN)) == 1


async def test_just_thirty_a_day_are_not_asked_about(one: TelegramHarness) -> None:
    await brings(one, *(f"The harbour opens part {number}" for number in range(30)))
    assert (await asks(one, "/subscribe harbour")).startswith(SUBSCRIBED)


# /confirm


async def test_confirming_subscribes_to_what_was_asked_about_once_and_it_rings(
    one: TelegramHarness,
) -> None:
    await brings_many(one)
    await asks(one, "/subscribe harbour NOT football")

    assert await asks(one, "/confirm") == f"{SUBSCRIBED}harbour AND NOT football"
    assert await rules(one) == ["harbour NOT football"]
    await one.bring("The harbour rings now")
    await one.deliver(MINUTE)
    assert one.shown(ANN)[-1] == "The harbour rings now"
    assert await asks(one, "/confirm") == NOTHING
    assert await rules(one) == ["harbour NOT football"]


async def test_nothing_to_confirm_is_said(one: TelegramHarness) -> None:
    assert await asks(one, "/confirm") == NOTHING


async def test_the_last_question_is_the_one_that_is_confirmed(one: TelegramHarness) -> None:
    await brings_many(one)
    await asks(one, "/subscribe harbour")
    await asks(one, "/subscribe harbour opens")

    await asks(one, "/confirm")

    assert await rules(one) == ["harbour opens"]


async def test_a_narrower_query_takes_the_question_back(one: TelegramHarness) -> None:
    await brings_many(one)
    await asks(one, "/subscribe harbour")
    assert (await asks(one, "/subscribe mill")).startswith(SUBSCRIBED)

    assert await asks(one, "/confirm") == NOTHING
    assert await rules(one) == ["mill"]


async def test_other_commands_and_mistakes_leave_the_question(one: TelegramHarness) -> None:
    await brings_many(one)
    await asks(one, "/subscribe harbour")
    await asks(one, "/subscribe harbour AND")
    await asks(one, "/test mill")
    await asks(one, "/subscriptions")

    assert (await asks(one, "/confirm")).startswith(SUBSCRIBED)


async def test_an_hour_later_there_is_nothing_to_confirm(one: TelegramHarness) -> None:
    await brings_many(one)
    await asks(one, "/subscribe harbour")
    one.clock.advance(57 * MINUTE)
    await asks(one, "/subscribe harbour")
    one.clock.advance(57 * MINUTE)
    assert (await asks(one, "/confirm")).startswith(SUBSCRIBED), "the question was put anew"

    await asks(one, "/unsubscribe 4")
    await asks(one, "/subscribe harbour")
    one.clock.advance(HOUR)
    assert await asks(one, "/confirm") == NOTHING
    assert await rules(one) == []


async def test_a_question_outlives_a_restart(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    async with open_harness(tmp_path, api, CHATS, clock) as one:
        await brings_many(one)
        await asks(one, "/subscribe harbour")
        await one.tell()
    async with open_harness(tmp_path, api, CHATS, clock) as one:
        assert await rules(one) == []
        assert (await asks(one, "/confirm")).startswith(SUBSCRIBED)
        assert await rules(one) == ["harbour"]
        await one.bring("The harbour rings now")
        await one.deliver(MINUTE)
        assert one.shown(ANN)[-1] == "The harbour rings now"


async def test_a_confirmation_that_comes_twice_subscribes_once(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    """The process ended after the answer was kept, before Telegram knew that the update was taken."""
    async with open_harness(tmp_path, api, CHATS, clock) as one:
        await brings_many(one)
        await asks(one, "/subscribe harbour")
        await one.tell()
        api.say(ANN, ANN, "/confirm")
        await one.listen()
    async with open_harness(tmp_path, api, CHATS, clock) as one:
        await one.listen()
        await one.tell()
        await one.deliver(MINUTE)
        assert await rules(one) == ["harbour"]
        assert one.shown(ANN).count(SUBSCRIBED.strip()) == 1


async def test_a_question_is_the_chats_own(one: TelegramHarness) -> None:
    await brings_many(one)
    await asks(one, "/subscribe harbour")

    assert await asks(one, "/confirm", GROUP, anonymous_admin=True, by=ANONYMOUS) == NOTHING
    assert await asks(one, "/confirm", FORUM, ANN, TOPIC, anonymous_admin=True) == NOTHING
    assert (await rules(one, GROUP), await rules(one)) == ([], [])


async def test_in_a_group_an_administrator_confirms_and_a_member_does_not(
    one: TelegramHarness,
) -> None:
    await brings_many(one)
    assert await asks(one, "/subscribe harbour", GROUP, BOB) == ONLY_ADMINS
    assert (await asks(one, "/subscribe harbour", GROUP, ANN)).startswith(
        "That would ring about 40"
    )

    assert await asks(one, "/confirm", GROUP, BOB) == ONLY_ADMINS
    assert await rules(one, GROUP) == []
    assert await asks(one, "/confirm", GROUP, ANN) == f"{SUBSCRIBED}harbour"
    assert await rules(one, GROUP) == ["harbour"]


async def test_an_anonymous_administrator_confirms(one: TelegramHarness) -> None:
    await brings_many(one)
    await asks(one, "/subscribe harbour", GROUP, ANONYMOUS, anonymous_admin=True)
    assert (
        await asks(one, "/confirm", GROUP, ANONYMOUS, anonymous_admin=True)
        == f"{SUBSCRIBED}harbour"
    )


async def test_a_topic_confirms_for_itself(one: TelegramHarness) -> None:
    await brings_many(one)
    await asks(one, "/subscribe harbour", FORUM, ANN, TOPIC)
    assert await asks(one, "/confirm", FORUM, ANN, TOPIC) == f"{SUBSCRIBED}harbour"
    assert (await rules(one, FORUM, TOPIC), await rules(one, FORUM)) == (["harbour"], [])


async def test_a_stranger_confirms_nothing(one: TelegramHarness) -> None:
    assert (await asks(one, "/confirm", EVE, EVE)).startswith("This newsbell serves only chats")


async def test_what_rings_here_already_is_not_confirmed_a_second_time(one: TelegramHarness) -> None:
    await brings_many(one)
    await asks(one, "/subscribe harbour")
    await asks(one, "/confirm")
    assert (
        await asks(one, "/subscribe harbour")
        == "This rings here already. /subscriptions lists everything."
    )
    assert await rules(one) == ["harbour"]


async def test_a_chat_that_has_all_it_can_have_confirms_nothing_more(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    async with open_harness(tmp_path, api, CHATS, clock) as one:
        await brings_many(one)
        await asks(one, "/subscribe nothing of the kind")
        await asks(one, "/subscribe harbour")
    async with open_harness(tmp_path, api, CHATS, clock, quotas={"subscriptions": 1}) as one:
        assert (
            await asks(one, "/confirm")
            == "A chat can have 1 subscriptions. Remove one with /unsubscribe first."
        )
    async with open_harness(tmp_path, api, CHATS, clock) as one:
        assert (await asks(one, "/confirm")).startswith(SUBSCRIBED), (
            "the question stands until its hour is over"
        )


async def test_help_names_what_can_be_asked(one: TelegramHarness) -> None:
    text = await asks(one, "/help")
    assert "/test QUERY" in text


# What explain says of Telegram's messages


async def test_stories_that_went_out_together_are_called_sent(one: TelegramHarness) -> None:
    await one.bring(*(f"ann number {number}" for number in range(25)))
    await one.deliver(MINUTE)
    assert len(one.api.messages(ANN)) == 1
    assert sorted(row.state for row in await one.outbox()) == ["merged"] * 24 + ["sent"]
    store = one.made.store.archive
    held = [
        Held(each, parse(each.query)) for each in store.subscriptions() if each.name == "For ann"
    ]

    reasons = [
        reason
        for facts in store.latest(25)
        for reason in explain_entry(facts, held, store.chats(), lambda _: "then")
    ]

    assert [(reason.rang, reason.text.rpartition(". ")[2]) for reason in reasons] == [
        (True, "ann: sent then.")
    ] * 25
