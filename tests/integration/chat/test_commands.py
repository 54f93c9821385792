"""What people can do in Telegram, from their message to the bot's answer: every answer once, and only to those who may."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botapi import BotApi, Refuse
from support import ManualClock
from telegram_harness import ANN, BOB, FORUM, GROUP, TOPIC, TelegramHarness, open_harness

CHANNEL, EVE, ANONYMOUS = -1002, 9, 1087968824
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
ONLY_ADMINS = "Only administrators of this chat can change what rings here."
SUBSCRIBED = "Subscribed. I ring here once for each new story that matches\n"
STRANGER = "This newsbell serves only chats that its operator lets in. Give them this for feeds.yaml:\n\nchats:\n  my-chat: "
USED = "This link was used or is too old. Restart newsbell to get a new one in its terminal."


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as made:
        made.add_private(ANN)
        made.add_private(BOB)
        made.add_private(EVE)
        made.add_group(GROUP, members={ANN: "creator", BOB: "member"})
        made.add_supergroup(FORUM, members={ANN: "administrator", BOB: "member"}, forum=True)
        made.add_topic(FORUM, TOPIC)
        made.add_channel(CHANNEL)
        yield made


@pytest.fixture
async def one(tmp_path: Path, api: BotApi, clock: ManualClock) -> AsyncIterator[TelegramHarness]:
    """A newsbell that serves Ann's private chat, the group and the channel."""
    async with open_harness(
        tmp_path, api, {"ann": ANN, "group": GROUP, "channel": CHANNEL}, clock
    ) as made:
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
    await one.deliver(MINUTE, step=4 * SECOND)
    answers = one.api.messages(chat)[before:]
    assert len(answers) < 2
    return answers[0].text if answers else ""


async def rules(one: TelegramHarness, chat: int = ANN, topic: int = 0) -> list[str]:
    """The queries that ring there."""
    found = await one.made.store.chats.chat_at(chat, topic)
    return (
        [each.query for each, _ in await one.made.store.chats.subscriptions_of(found.id)]
        if found
        else []
    )


async def test_help_says_what_there_is_and_what_is_unknown_is_said_to_be(
    one: TelegramHarness,
) -> None:
    text = await asks(one, "/help")

    assert [
        f"/{name}" in text
        for name in ("subscribe", "subscriptions", "unsubscribe", "status", "help")
    ] == [True] * 5
    assert await asks(one, "/HELP") == text
    assert (await asks(one, "/start")).startswith(text.partition("\n")[0])
    assert [
        [button["text"] for button in row]
        for row in one.api.messages(ANN)[-1].reply_markup["inline_keyboard"]
    ] == [
        ["Follow a topic"],
        ["Add a feed"],
        ["Starter packs"],
    ]
    assert await asks(one, "/dance") == "I do not know /dance. /help shows what I know."
    assert await asks(one, "just talking") == ""


async def test_a_stranger_is_told_the_lines_for_the_file_and_nothing_else(
    one: TelegramHarness,
) -> None:
    assert await asks(one, "/start", EVE, EVE) == f"{STRANGER}{{telegram: {EVE}}}"
    assert await asks(one, "/subscribe harbour", EVE, EVE) == f"{STRANGER}{{telegram: {EVE}}}"
    assert (
        await asks(one, "/start", FORUM, BOB, TOPIC)
        == f"{STRANGER}{{telegram: {FORUM}, topic: {TOPIC}}}"
    )
    assert await asks(one, "/dance", FORUM, BOB, TOPIC) == ""
    assert await rules(one, EVE) == []
    assert [each["type"] for each in one.api.messages(EVE)[0].entities] == ["pre"]


async def test_a_stranger_who_insists_is_answered_once_a_minute(one: TelegramHarness) -> None:
    for _ in range(5):
        one.api.say(EVE, EVE, "/start")
    await one.listen()
    await one.deliver(MINUTE)

    assert len(one.api.messages(EVE)) == 1


async def test_the_lines_given_to_a_stranger_let_them_in(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as one:
        await asks(one, "/start", EVE, EVE)
    async with open_harness(tmp_path, api, {"ann": ANN, "my-chat": EVE}, clock) as one:
        assert (await asks(one, "/subscribe harbour", EVE, EVE)).startswith(SUBSCRIBED)


async def test_the_claim_link_works_once_and_makes_its_user_the_operator(
    one: TelegramHarness,
) -> None:
    link = await one.made.claim_link()
    assert link is not None
    assert link.startswith("https://t.me/bell_bot?start=")
    token = link.partition("=")[2]

    assert (await asks(one, "/start wrong", EVE, EVE)) == USED
    clock_moves = timedelta(minutes=2)
    one.clock.advance(clock_moves)
    assert (await asks(one, f"/start {token}", EVE, EVE)).startswith(
        "Welcome. You are newsbell's operator now"
    )
    assert await one.made.store.chats.is_admin(EVE)
    assert not await one.made.store.chats.is_admin(BOB)
    assert await asks(one, f"/start {token}", BOB, BOB) == USED
    assert not await one.made.store.chats.is_admin(BOB)
    assert await one.made.claim_link() is None, "there is an operator"
    assert (await asks(one, "/subscribe harbour", EVE, EVE)).startswith(SUBSCRIBED)

    one.api.block(ANN)
    await one.bring("ann")
    await one.deliver(MINUTE)
    assert one.api.messages(EVE)[-1].text.startswith("ann takes no messages"), (
        "notices come to the operator"
    )
    assert one.notices == []


async def test_a_claim_link_that_is_too_old_or_opened_in_a_group_is_refused(
    one: TelegramHarness,
) -> None:
    link = await one.made.claim_link()
    assert link is not None
    token = link.partition("=")[2]

    assert (
        await asks(one, f"/start {token}", GROUP, ANN)
        == "Open the claim link in a private chat with me."
    )
    one.clock.advance(timedelta(hours=24))
    assert await asks(one, f"/start {token}", EVE, EVE) == USED


async def test_subscribing_takes_a_query_in_and_it_rings_from_then_on(one: TelegramHarness) -> None:
    assert (
        await asks(one, '/subscribe "air defence" AND\nsyria NOT football')
        == f'{SUBSCRIBED}"air defence" AND syria AND NOT football'
    )
    await one.bring("Air defence in Syria", "Air defence in Syria: football")
    await one.deliver(MINUTE)

    assert one.shown(ANN)[-1] == "Air defence in Syria"
    assert (
        one.api.messages(ANN)[-1].text.rpartition("🔔 ")[2]
        == '"air defence" AND syria NOT football'
    )
    assert len(one.api.messages(ANN)) == 2


async def test_a_command_and_its_query_may_stand_on_lines_of_their_own(
    one: TelegramHarness,
) -> None:
    assert await asks(one, "/subscribe\nharbour") == f"{SUBSCRIBED}harbour"


async def test_a_query_with_a_mistake_comes_back_with_a_caret_under_it(
    one: TelegramHarness,
) -> None:
    reply = await asks(one, "/subscribe harbour AND (port OR")

    assert reply.split("\n")[-2:] == ["harbour AND (port OR", "            ^"]
    assert [each["type"] for each in one.api.messages(ANN)[0].entities] == ["pre"]
    assert await rules(one) == ["ann OR everyone"]


async def test_the_same_query_twice_and_none_at_all_are_answered_with_what_to_do(
    one: TelegramHarness,
) -> None:
    await asks(one, "/subscribe harbour")

    assert (
        await asks(one, "/subscribe harbour")
        == "This rings here already. /subscriptions lists everything."
    )
    assert (
        await asks(one, "/subscribe")
        == 'Write what to look for after the command, for example: /subscribe "air defence" AND Syria'
    )
    assert await rules(one) == ["ann OR everyone", "harbour"]


async def test_subscriptions_are_listed_with_their_numbers_and_can_be_stopped_by_them(
    one: TelegramHarness,
) -> None:
    await asks(one, "/subscribe harbour")
    await asks(one, "/subscribe port")
    listed = await asks(one, "/subscriptions")
    assert listed == (
        "What rings here:\n\n1. ann OR everyone (For ann, from feeds.yaml)\n4. harbour\n5. port\n\n/unsubscribe NUMBER stops one."
    )

    assert await asks(one, "/unsubscribe 4") == "Stopped: harbour"
    await one.bring("harbour")
    await one.deliver(MINUTE)
    assert await rules(one) == ["ann OR everyone", "port"]
    assert one.shown(ANN)[-1] == "Stopped: harbour"


@pytest.mark.parametrize("number", ["", "x", "2", "4", "99", "-4", "²", "9" * 30])
async def test_only_a_number_of_ones_own_stops_anything(one: TelegramHarness, number: str) -> None:
    await asks(one, "/subscribe harbour", GROUP)

    reply = await asks(one, f"/unsubscribe {number}")

    assert (
        reply == "Write the number of a subscription after the command. /subscriptions lists them."
    )
    assert (await rules(one), await rules(one, GROUP)) == (
        ["ann OR everyone"],
        ["group OR everyone", "harbour"],
    )


async def test_what_the_file_declares_is_stopped_in_the_file(one: TelegramHarness) -> None:
    assert await asks(one, "/unsubscribe 1") == "“For ann” stands in feeds.yaml: remove it there."
    assert await rules(one) == ["ann OR everyone"]


async def test_status_says_how_the_feeds_are(one: TelegramHarness) -> None:
    reply = await asks(one, "/status")

    assert reply.split("\n")[0] == "1 feed, 3 subscriptions."
    assert reply.split("\n")[-1] == "All feeds are well."


async def test_in_a_group_only_administrators_change_what_rings(one: TelegramHarness) -> None:
    assert await asks(one, "/subscribe harbour", GROUP, BOB) == ONLY_ADMINS
    assert await asks(one, "/unsubscribe 2", GROUP, BOB) == ONLY_ADMINS
    assert await asks(one, "/subscribe@bell_bot harbour", GROUP, ANN) == f"{SUBSCRIBED}harbour"
    assert "harbour" in await asks(one, "/subscriptions", GROUP, BOB)
    assert await asks(one, "/unsubscribe 4", GROUP, ANN) == "Stopped: harbour"


async def test_in_a_group_what_is_another_bots_is_left_to_it(one: TelegramHarness) -> None:
    assert await asks(one, "/help@other_bot", GROUP, ANN) == ""
    assert await asks(one, "/subscribe@other_bot harbour", GROUP, ANN) == ""
    assert await asks(one, "/dance", GROUP, ANN) == ""
    assert await rules(one, GROUP) == ["group OR everyone"]


async def test_an_anonymous_administrator_may_and_the_account_they_share_alone_proves_nothing(
    one: TelegramHarness,
) -> None:
    assert await asks(one, "/subscribe harbour", GROUP, ANONYMOUS) == ONLY_ADMINS
    assert (
        await asks(one, "/subscribe harbour", GROUP, anonymous_admin=True) == f"{SUBSCRIBED}harbour"
    )


async def test_where_nobody_can_be_asked_who_administers_nobody_does(one: TelegramHarness) -> None:
    one.api.fault(Refuse(400, "Bad Request: member list is inaccessible"), "getChatMember")

    assert await asks(one, "/subscribe harbour", GROUP, ANN) == ONLY_ADMINS


async def test_a_topic_subscribes_for_itself(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    async with open_harness(tmp_path, api, {"forum": FORUM}, clock) as one:
        assert await asks(one, "/subscribe harbour", FORUM, ANN, TOPIC) == f"{SUBSCRIBED}harbour"
        await one.bring("harbour", "forum")
        await one.deliver(MINUTE)

        assert one.shown(FORUM, TOPIC)[1:] == ["harbour"]
        assert {
            each.thread_id for each in api.messages(FORUM) if each.text.startswith("forum")
        } == {None}
        assert len(api.messages(FORUM)) == 3


async def test_a_channel_subscribes_by_a_post_in_it(one: TelegramHarness) -> None:
    assert await asks(one, "/subscribe harbour", CHANNEL, ANN) == f"{SUBSCRIBED}harbour"
    await one.bring("harbour")
    await one.deliver(MINUTE)

    assert one.shown(CHANNEL)[-1] == "harbour"


async def test_an_answer_answers_the_message_it_is_for(one: TelegramHarness) -> None:
    await asks(one, "/help")

    [asked] = [
        each.message_id for each in one.api.chats[ANN].messages.values() if each.sender_id == ANN
    ]
    assert one.api.messages(ANN)[0].reply_to == asked


async def test_an_update_that_comes_twice_does_nothing_twice(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    """The process ended before it could tell Telegram that it has taken them."""
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as one:
        for text in ("/subscribe harbour", "/subscribe port", "/unsubscribe 2"):
            api.say(ANN, ANN, text)
        await one.listen()
    assert len(api.updates.pending) == 3
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as one:
        await one.listen()
        await one.tell()
        await one.deliver(MINUTE)

        assert await rules(one) == ["ann OR everyone", "port"]
        assert [text.partition("\n")[0] for text in one.shown(ANN)] == [
            SUBSCRIBED.strip(),
            SUBSCRIBED.strip(),
            "Stopped: harbour",
        ]
    assert api.updates.pending == []


async def test_an_answer_outlives_a_stop_between_the_change_and_the_sending(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    api.say(ANN, ANN, "/subscribe harbour")
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as one:
        assert one.made._listener is not None
        await one.made._listener._take()
        assert one.shown(ANN) == []
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as one:
        await one.deliver(MINUTE)

        assert one.shown(ANN) == [SUBSCRIBED.strip()]
        assert await rules(one) == ["ann OR everyone", "harbour"]


async def test_numbers_that_begin_anew_after_a_quiet_week_are_no_repeats(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    """Telegram chooses the next update's number at random where a week brought none."""
    api.updates._next_id = 900_000_000
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as one:
        await asks(one, "/subscribe harbour")
        await one.tell()
        api.updates._next_id = 400_000_000
        assert await asks(one, "/subscribe port") == f"{SUBSCRIBED}port"
        assert await asks(one, "/subscribe pier") == f"{SUBSCRIBED}pier"
        await one.tell()
    api.updates._next_id = 70_000_000
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as one:
        assert await asks(one, "/subscribe quay") == f"{SUBSCRIBED}quay"


async def test_an_update_that_newsbell_trips_over_is_passed_by_and_stops_nobody(
    one: TelegramHarness,
) -> None:
    """Half a surrogate pair: no encoding takes it, no database keeps it."""
    one.api.say(ANN, ANN, "/subscribe harbour\ud800")
    one.api.say(ANN, ANN, "/subscribe port")
    await one.listen()
    await one.tell()
    await one.deliver(MINUTE)

    assert await rules(one) == ["ann OR everyone", "port"]
    assert one.api.updates.pending == []


async def test_blocking_and_unblocking_pauses_a_chat_and_keeps_what_it_asked_for(
    one: TelegramHarness,
) -> None:
    await asks(one, "/subscribe harbour")
    one.api.block(ANN)
    await one.listen()
    chat = await one.made.store.chats.chat_at(ANN, 0)
    assert chat is not None
    assert chat.paused == "the bot was blocked or removed."
    await one.bring("harbour")
    await one.deliver(MINUTE)
    assert sum(call.method == "sendMessage" for call in one.api.calls) == 1

    one.api.unblock(ANN)
    await one.listen()
    await one.deliver(MINUTE)
    assert one.shown(ANN)[-1] == "harbour"
    assert await rules(one) == ["ann OR everyone", "harbour"]


async def test_being_thrown_out_of_a_group_and_taken_back_pauses_all_its_topics(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    async with open_harness(
        tmp_path, api, {"general": FORUM, "topic": (FORUM, TOPIC)}, clock
    ) as one:
        api.kick(FORUM)
        await one.listen()
        await one.bring("everyone")
        await one.deliver(MINUTE)
        assert api.calls[-1].method == "getUpdates"
        api.invite(FORUM)
        await one.listen()
        await one.deliver(MINUTE)

        assert one.shown(FORUM) == ["everyone", "everyone"]


async def test_a_message_in_a_paused_chat_opens_it_again(one: TelegramHarness) -> None:
    one.api.block(ANN)
    await one.bring("ann")
    await one.deliver(MINUTE)
    one.api.updates.pending.clear()
    one.api.chats[ANN].trouble = None

    assert (await asks_among(one, "/help"))[-1] == "ann"


async def asks_among(one: TelegramHarness, text: str) -> list[str]:
    one.api.say(ANN, ANN, text)
    await one.listen()
    await one.deliver(MINUTE)
    return one.shown(ANN)


async def test_a_running_newsbell_answers_by_itself(one: TelegramHarness) -> None:
    run = asyncio.ensure_future(one.made.run())
    one.api.say(ANN, ANN, "/subscribe harbour")
    await one.api.arrived("sendMessage")
    one.made.stop()
    await run

    assert one.shown(ANN) == [SUBSCRIBED.strip()]
