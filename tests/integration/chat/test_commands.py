"""Commands in Telegram, from message to answer: each is answered once, for those who may."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botapi import BotApi, Refuse
from support import ManualClock
from telegram_harness import ANN, BOB, FORUM, GROUP, TOPIC, TelegramHarness, open_harness

from bot.model.chat_events import Role

CHANNEL, EVE, ANONYMOUS = -1002, 9, 1087968824
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
ONLY_ADMINS = "Only administrators of this chat can change its alerts."
SUBSCRIBED = "Done. You get one alert here per new story matching:\n"
STRANGER = (
    "This bot is private. Ask its operator for access; they can paste this into "
    "feeds.yaml:\n\nchats:\n  my-chat: "
)
USED = (
    "This link was used already, or is too old. Restart newsbell; a new one is printed "
    "in its terminal."
)


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
async def harness(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> AsyncIterator[TelegramHarness]:
    """A newsbell that serves Ann's private chat, the group and the channel."""
    async with open_harness(
        tmp_path, api, {"ann": ANN, "group": GROUP, "channel": CHANNEL}, clock
    ) as made:
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
    await harness.deliver(MINUTE, step=4 * SECOND)
    answers = harness.api.messages(chat)[before:]
    assert len(answers) < 2
    return answers[0].text if answers else ""


async def rules(harness: TelegramHarness, chat: int = ANN, topic: int = 0) -> list[str]:
    """The queries of the subscriptions there."""
    found = await harness.app.store.chats.chat_at(chat, topic)
    return (
        [each.query for each, _ in await harness.app.store.chats.subscriptions_of(found.id)]
        if found
        else []
    )


async def test_help_says_what_there_is_and_what_is_unknown_is_said_to_be(
    harness: TelegramHarness,
) -> None:
    text = await ask(harness, "/help")

    assert [
        f"/{name}" in text
        for name in ("subscribe", "subscriptions", "unsubscribe", "status", "help")
    ] == [True] * 5
    assert await ask(harness, "/HELP") == text
    assert (await ask(harness, "/start")).startswith(text.partition("\n")[0])
    assert [
        [button["text"] for button in row] for row in harness.api.messages(ANN)[-1].keyboard
    ] == [
        ["Follow a topic"],
        ["Add a feed"],
        ["Starter packs"],
    ]
    assert await ask(harness, "/dance") == "Unknown command /dance. All commands: /help"
    assert await ask(harness, "/subs") == "Unknown command. Did you mean /subscribe?"
    assert await ask(harness, "/helpp") == "Unknown command. Did you mean /help?"


async def test_a_stranger_is_told_the_lines_for_the_file_and_nothing_else(
    harness: TelegramHarness,
) -> None:
    assert await ask(harness, "/start", EVE, EVE) == f"{STRANGER}{{telegram: {EVE}}}"
    assert await ask(harness, "/subscribe harbour", EVE, EVE) == f"{STRANGER}{{telegram: {EVE}}}"
    assert (
        await ask(harness, "/start", FORUM, BOB, TOPIC)
        == f"{STRANGER}{{telegram: {FORUM}, topic: {TOPIC}}}"
    )
    assert await ask(harness, "/dance", FORUM, BOB, TOPIC) == ""
    assert await rules(harness, EVE) == []
    assert [each["type"] for each in harness.api.messages(EVE)[0].entities] == ["pre"]


async def test_a_stranger_who_insists_is_answered_once_a_minute(harness: TelegramHarness) -> None:
    for _ in range(5):
        harness.api.say(EVE, EVE, "/start")
    await harness.listen()
    await harness.deliver(MINUTE)

    assert len(harness.api.messages(EVE)) == 1


async def test_the_lines_given_to_a_stranger_let_them_in(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        await ask(harness, "/start", EVE, EVE)
    async with open_harness(tmp_path, api, {"ann": ANN, "my-chat": EVE}, clock) as harness:
        assert (await ask(harness, "/subscribe harbour", EVE, EVE)).startswith(SUBSCRIBED)


async def test_the_claim_link_works_once_and_makes_its_user_the_operator(
    harness: TelegramHarness,
) -> None:
    link = await harness.app.claim_link()
    assert link is not None
    assert link.startswith("https://t.me/bell_bot?start=")
    token = link.partition("=")[2]

    assert (await ask(harness, "/start wrong", EVE, EVE)) == USED
    clock_moves = timedelta(minutes=2)
    harness.clock.advance(clock_moves)
    assert (await ask(harness, f"/start {token}", EVE, EVE)).startswith(
        "Welcome. You are now the operator of this bot"
    )
    assert (await harness.app.store.chats.person(EVE)).role is Role.OWNER
    assert (await harness.app.store.chats.person(BOB)).role is Role.STRANGER
    assert await ask(harness, f"/start {token}", BOB, BOB) == USED
    assert (await harness.app.store.chats.person(BOB)).role is Role.STRANGER
    assert await harness.app.claim_link() is None, "there is an operator"
    assert (await ask(harness, "/subscribe harbour", EVE, EVE)).startswith(SUBSCRIBED)

    harness.api.block(ANN)
    await harness.bring("ann")
    await harness.deliver(MINUTE)
    assert harness.api.messages(EVE)[-1].text.startswith("ann takes no messages"), (
        "notices come to the operator"
    )
    assert harness.notices == []


async def test_a_claim_link_that_is_too_old_or_opened_in_a_group_is_refused(
    harness: TelegramHarness,
) -> None:
    link = await harness.app.claim_link()
    assert link is not None
    token = link.partition("=")[2]

    assert (
        await ask(harness, f"/start {token}", GROUP, ANN)
        == "Open this link in a private chat with me."
    )
    harness.clock.advance(timedelta(hours=24))
    assert await ask(harness, f"/start {token}", EVE, EVE) == USED


async def test_subscribing_stores_a_query_that_sends_alerts_from_then_on(
    harness: TelegramHarness,
) -> None:
    assert (
        await ask(harness, '/subscribe "air defence" AND\nsyria NOT football')
        == f'{SUBSCRIBED}"air defence" AND syria AND NOT football'
    )
    await harness.bring("Air defence in Syria", "Air defence in Syria: football")
    await harness.deliver(MINUTE)

    assert harness.shown(ANN)[-1] == "Air defence in Syria"
    assert (
        harness.api.messages(ANN)[-1].text.rpartition("🔔 ")[2]
        == '"air defence" AND syria NOT football'
    )
    assert len(harness.api.messages(ANN)) == 2


async def test_a_command_and_its_query_may_stand_on_lines_of_their_own(
    harness: TelegramHarness,
) -> None:
    assert await ask(harness, "/subscribe\nharbour") == f"{SUBSCRIBED}harbour"


async def test_a_query_with_a_mistake_comes_back_with_a_caret_under_it(
    harness: TelegramHarness,
) -> None:
    reply = await ask(harness, "/subscribe harbour AND (port OR")

    assert reply.split("\n")[-2:] == ["harbour AND (port OR", "            ^"]
    assert [each["type"] for each in harness.api.messages(ANN)[0].entities] == ["pre"]
    assert await rules(harness) == ["ann OR everyone"]


async def test_the_same_query_twice_and_none_at_all_are_answered_with_what_to_do(
    harness: TelegramHarness,
) -> None:
    await ask(harness, "/subscribe harbour")

    assert (
        await ask(harness, "/subscribe harbour")
        == "This chat already has this subscription. All subscriptions: /subscriptions"
    )
    assert (
        await ask(harness, "/subscribe")
        == 'Send me the words to look for, for example: "air defence" AND (Syria OR Iraq)'
    )
    assert await rules(harness) == ["ann OR everyone", "harbour"]


async def test_subscriptions_are_listed_with_their_numbers_and_can_be_stopped_by_them(
    harness: TelegramHarness,
) -> None:
    await ask(harness, "/subscribe harbour")
    await ask(harness, "/subscribe port")
    listed = await ask(harness, "/subscriptions")
    assert listed == (
        "Subscriptions in this chat:\n\n1. ann OR everyone (For ann, from feeds.yaml)\n"
        "2. harbour\n3. port\n\nRemove one: /unsubscribe NUMBER"
    )

    assert await ask(harness, "/unsubscribe 2") == "Removed: harbour"
    await harness.bring("harbour")
    await harness.deliver(MINUTE)
    assert await rules(harness) == ["ann OR everyone", "port"]
    assert harness.shown(ANN)[-1] == "Removed: harbour"


@pytest.mark.parametrize("number", ["x", "2", "4", "99", "-4", "²", "9" * 30])
async def test_only_a_number_of_ones_own_stops_anything(
    harness: TelegramHarness, number: str
) -> None:
    await ask(harness, "/subscribe harbour", GROUP)

    reply = await ask(harness, f"/unsubscribe {number}")

    assert (
        reply
        == "Send the command with the number of a subscription. To see the numbers: /subscriptions"
    )
    assert (await rules(harness), await rules(harness, GROUP)) == (
        ["ann OR everyone"],
        ["group OR everyone", "harbour"],
    )


async def test_what_the_file_declares_is_stopped_in_the_file(harness: TelegramHarness) -> None:
    assert (
        await ask(harness, "/unsubscribe 1") == "“For ann” is set in feeds.yaml; remove it there."
    )
    assert await rules(harness) == ["ann OR everyone"]


async def test_status_says_how_the_feeds_are(harness: TelegramHarness) -> None:
    reply = await ask(harness, "/status")

    assert reply.split("\n")[0] == "1 feed, 1 subscription"
    assert reply.split("\n")[-1] == "All feeds OK"


async def test_operators_alone_read_how_newsbell_is(harness: TelegramHarness) -> None:
    assert "Database:" not in await ask(harness, "/status")
    await harness.execute("delete from people where user_id = ?", ANN)
    await harness.execute("insert into people values (?, 'owner', 'Ann', '2026')", ANN)
    last = (await ask(harness, "/status")).partition("\n\n")[2]
    assert last.startswith("newsbell ")
    assert "Last answer of Telegram:" in last
    assert "Database:" not in await ask(harness, "/status", GROUP)


async def test_status_counts_what_waits_for_this_chat_alone(harness: TelegramHarness) -> None:
    await harness.execute("update chats set quiet_until = '9998', hours_at = '9999'")
    await harness.bring("ann one", "everyone two", "group three", "group four")
    assert "2 messages queued" in (await ask(harness, "/status")).split("\n")
    assert "3 messages queued" in (await ask(harness, "/status", GROUP)).split("\n")


async def test_in_a_group_only_administrators_change_subscriptions(
    harness: TelegramHarness,
) -> None:
    assert await ask(harness, "/subscribe harbour", GROUP, BOB) == ONLY_ADMINS
    assert await ask(harness, "/unsubscribe 2", GROUP, BOB) == ONLY_ADMINS
    assert await ask(harness, "/subscribe@bell_bot harbour", GROUP, ANN) == f"{SUBSCRIBED}harbour"
    assert "harbour" in await ask(harness, "/subscriptions", GROUP, BOB)
    assert await ask(harness, "/unsubscribe 2", GROUP, ANN) == "Removed: harbour"


async def test_in_a_group_what_is_another_bots_is_left_to_it(harness: TelegramHarness) -> None:
    assert await ask(harness, "/help@other_bot", GROUP, ANN) == ""
    assert await ask(harness, "/subscribe@other_bot harbour", GROUP, ANN) == ""
    assert await ask(harness, "/dance", GROUP, ANN) == ""
    assert await rules(harness, GROUP) == ["group OR everyone"]


async def test_an_anonymous_administrator_may_and_the_account_they_share_alone_proves_nothing(
    harness: TelegramHarness,
) -> None:
    assert await ask(harness, "/subscribe harbour", GROUP, ANONYMOUS) == ONLY_ADMINS
    assert (
        await ask(harness, "/subscribe harbour", GROUP, anonymous_admin=True)
        == f"{SUBSCRIBED}harbour"
    )


async def test_where_nobody_can_be_asked_who_administers_nobody_does(
    harness: TelegramHarness,
) -> None:
    harness.api.fault(Refuse(400, "Bad Request: member list is inaccessible"), "getChatMember")

    assert await ask(harness, "/subscribe harbour", GROUP, ANN) == ONLY_ADMINS


async def test_a_topic_subscribes_for_itself(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    async with open_harness(tmp_path, api, {"forum": FORUM}, clock) as harness:
        assert await ask(harness, "/subscribe harbour", FORUM, ANN, TOPIC) == f"{SUBSCRIBED}harbour"
        await harness.bring("harbour", "forum")
        await harness.deliver(MINUTE)

        assert harness.shown(FORUM, TOPIC)[1:] == ["harbour"]
        assert {
            each.thread_id for each in api.messages(FORUM) if each.text.startswith("forum")
        } == {None}
        assert len(api.messages(FORUM)) == 3


async def test_a_channel_subscribes_by_a_post_in_it(harness: TelegramHarness) -> None:
    assert await ask(harness, "/subscribe harbour", CHANNEL, ANN) == f"{SUBSCRIBED}harbour"
    await harness.bring("harbour")
    await harness.deliver(MINUTE)

    assert harness.shown(CHANNEL)[-1] == "harbour"


async def test_an_answer_answers_the_message_it_is_for(harness: TelegramHarness) -> None:
    await ask(harness, "/help")

    [asked] = [
        each.message_id
        for each in harness.api.chats[ANN].messages.values()
        if each.sender_id == ANN
    ]
    assert harness.api.messages(ANN)[0].reply_to == asked


async def test_an_update_that_comes_twice_does_nothing_twice(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    """The process ended before it could tell Telegram that it has taken them."""
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        for text in ("/subscribe harbour", "/subscribe port", "/unsubscribe 2"):
            api.say(ANN, ANN, text)
        await harness.listen()
    assert len(api.updates.pending) == 3
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        await harness.listen()
        await harness.confirm_updates()
        await harness.deliver(MINUTE)

        assert await rules(harness) == ["ann OR everyone", "port"]
        assert [text.partition("\n")[0] for text in harness.shown(ANN)] == [
            SUBSCRIBED.strip(),
            SUBSCRIBED.strip(),
            "Removed: harbour",
        ]
    assert api.updates.pending == []


async def test_an_answer_outlives_a_stop_between_the_change_and_the_sending(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    api.say(ANN, ANN, "/subscribe harbour")
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        assert harness.app.listener is not None
        await harness.app.listener.poll_once()
        assert harness.shown(ANN) == []
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        assert harness.app.telegram is not None
        await harness.app.telegram.tasks.start()
        await harness.app.telegram.tasks.wait()
        await harness.deliver(MINUTE)

        assert harness.shown(ANN) == [SUBSCRIBED.strip()]
        assert await rules(harness) == ["ann OR everyone", "harbour"]


async def test_numbers_that_begin_anew_after_a_quiet_week_are_no_repeats(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    """Telegram chooses the next update's number at random where a week brought none."""
    api.updates._next_id = 900_000_000
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        await ask(harness, "/subscribe harbour")
        await harness.confirm_updates()
        api.updates._next_id = 400_000_000
        assert await ask(harness, "/subscribe port") == f"{SUBSCRIBED}port"
        assert await ask(harness, "/subscribe pier") == f"{SUBSCRIBED}pier"
        await harness.confirm_updates()
    api.updates._next_id = 70_000_000
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        assert await ask(harness, "/subscribe quay") == f"{SUBSCRIBED}quay"


async def test_half_a_character_in_an_update_is_replaced_and_stops_nobody(
    harness: TelegramHarness,
) -> None:
    """Half a surrogate pair: no encoding takes it, no database keeps it."""
    harness.api.say(ANN, ANN, "/subscribe harbour\ud800")
    harness.api.say(ANN, ANN, "/subscribe port")
    await harness.listen()
    await harness.confirm_updates()
    await harness.deliver(MINUTE)

    assert await rules(harness) == ["ann OR everyone", "harbour\ufffd", "port"]
    assert harness.api.updates.pending == []


async def test_blocking_and_unblocking_pauses_a_chat_and_keeps_what_it_asked_for(
    harness: TelegramHarness,
) -> None:
    await ask(harness, "/subscribe harbour")
    harness.api.block(ANN)
    await harness.listen()
    chat = await harness.app.store.chats.chat_at(ANN, 0)
    assert chat is not None
    assert chat.paused == "the bot was blocked or removed."
    await harness.bring("harbour")
    await harness.deliver(MINUTE)
    assert sum(call.method == "sendMessage" for call in harness.api.calls) == 1

    harness.api.unblock(ANN)
    await harness.listen()
    await harness.deliver(MINUTE)
    assert harness.shown(ANN)[-1] == "harbour"
    assert await rules(harness) == ["ann OR everyone", "harbour"]


async def test_being_thrown_out_of_a_group_and_taken_back_pauses_all_its_topics(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    async with open_harness(
        tmp_path, api, {"general": FORUM, "topic": (FORUM, TOPIC)}, clock
    ) as harness:
        api.kick(FORUM)
        await harness.listen()
        await harness.bring("everyone")
        await harness.deliver(MINUTE)
        assert api.calls[-1].method == "getUpdates"
        api.invite(FORUM)
        await harness.listen()
        await harness.deliver(MINUTE)

        assert harness.shown(FORUM) == ["everyone", "everyone"]


async def test_a_message_in_a_paused_chat_opens_it_again(harness: TelegramHarness) -> None:
    harness.api.block(ANN)
    await harness.bring("ann")
    await harness.deliver(MINUTE)
    harness.api.updates.pending.clear()
    harness.api.chats[ANN].trouble = None

    assert (await asks_among(harness, "/help"))[-1] == "ann"


async def asks_among(harness: TelegramHarness, text: str) -> list[str]:
    harness.api.say(ANN, ANN, text)
    await harness.listen()
    await harness.deliver(MINUTE)
    return harness.shown(ANN)


async def test_a_running_newsbell_answers_by_itself(harness: TelegramHarness) -> None:
    run = asyncio.ensure_future(harness.app.run())
    harness.api.say(ANN, ANN, "/subscribe harbour")
    await harness.api.arrived("sendMessage")
    harness.app.stop()
    await run

    assert harness.shown(ANN) == [SUBSCRIBED.strip()]


@pytest.mark.parametrize("command", ["/subscribe", "/test"])
async def test_a_query_that_may_be_mistaken_is_answered_with_a_warning(
    harness: TelegramHarness, command: str
) -> None:
    answer = await ask(harness, f"{command} radar and sonar")

    assert "⚠ “and” is a word here, which articles must contain. Write AND" in answer
