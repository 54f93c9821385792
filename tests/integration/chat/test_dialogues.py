"""Questions of the bot and what answers them: bare commands, plain words, addresses, groups."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botapi import BotApi
from botapi.origins import FromChannel
from support import FeedServer, ManualClock, item, rss
from telegram_harness import ANN, BOB, GROUP, ArticleSpec, TelegramHarness, open_harness

CHANNEL = -1005
SECOND = timedelta(seconds=1)


@asynccontextmanager
async def open_chats(folder: Path, clock: ManualClock) -> AsyncIterator[TelegramHarness]:
    async with BotApi() as api:
        api.add_private(ANN, "Ann")
        api.add_group(GROUP, "Newsroom", members={ANN: "creator", BOB: "member"})
        members = {ANN: "creator", api.bot_id: "administrator"}
        api.add_channel(CHANNEL, "Harbour Notes", members, username="harbour_notes")
        chats = {"ann": ANN, "group": GROUP, "notes": CHANNEL}
        async with open_harness(folder, api, chats, clock, subscriptions=[]) as harness:
            yield harness


async def says(
    harness: TelegramHarness, text: str, chat: int = ANN, by: int = ANN, **more: Any
) -> str:
    """Write there; the newest text of what the bot says then, empty where it says nothing."""
    before = len(harness.api.messages(chat))
    harness.api.say(chat, by, text, **more)
    return await settled(harness, chat, before)


async def settled(harness: TelegramHarness, chat: int = ANN, before: int = 0) -> str:
    await harness.listen()
    await harness.deliver(6 * SECOND, SECOND)
    return "".join(message.text for message in harness.api.messages(chat)[before:][-1:])


async def presses(harness: TelegramHarness, label: str, chat: int = ANN) -> str:
    for message in reversed(harness.api.messages(chat)):
        for button in (button for row in message.keyboard for button in row):
            if button["text"] == label:
                harness.api.press(chat, ANN, message.message_id, button["callback_data"])
                await settled(harness, chat)
                return next(
                    other.text
                    for other in harness.api.messages(chat)
                    if other.message_id == message.message_id
                )
    raise AssertionError(f"there is no button {label}")


async def queries(harness: TelegramHarness) -> list[tuple[str, str, str]]:
    return [
        tuple(row) for row in await harness.rows("select name, query, feeds from subscriptions")
    ]


async def test_an_address_in_a_private_chat_leads_to_all_of_a_feed_in_one_tap(
    tmp_path: Path, clock: ManualClock, server: FeedServer
) -> None:
    server.put("/feed", rss(item("1", "Pier opens"), title="Coast Herald"))
    url = server.url("/feed")
    async with open_chats(tmp_path, clock) as harness:
        assert (await says(harness, url)).startswith("Coast Herald")
        done = await presses(harness, "Alert me to everything in it")
        assert done == "Done. You get one alert here per new story of Coast Herald."
        assert await queries(harness) == [("Coast Herald", "*", f'["{url}"]')]
        assert "Coast Herald" in await says(harness, "/feeds")


async def test_an_address_leads_to_words_that_only_its_articles_must_contain(
    tmp_path: Path, clock: ManualClock, server: FeedServer
) -> None:
    server.put("/feed", rss(item("1", "Pier opens"), title="Coast Herald"))
    async with open_chats(tmp_path, clock) as harness:
        await says(harness, f"/subscribe {server.url('/feed')}")
        assert "must contain" in await presses(harness, "Only words …")
        assert "Feeds: Coast Herald" in await says(harness, "pier")
        await presses(harness, "Alert me")
        assert await queries(harness) == [("pier", "pier", f'["{server.url("/feed")}"]')]


@pytest.mark.parametrize("command", ["/subscribe", "/search", "/test", "/sub"])
async def test_a_bare_command_takes_the_next_message_and_none_after_it(
    tmp_path: Path, clock: ManualClock, command: str
) -> None:
    async with open_chats(tmp_path, clock) as harness:
        assert (await says(harness, command)).startswith("Send ")
        answer = await says(harness, "harbour AND (port")
        assert "parenthesis" in answer
        assert (await says(harness, "harbour")).startswith("harbour\n")
        assert await queries(harness) == []


async def test_what_a_bare_command_asks_for_may_be_a_regular_expression(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_chats(tmp_path, clock) as harness:
        await says(harness, "/subscribe")
        await says(harness, r"/Harb\w+ closed/")
        assert [query for _, query, _ in await queries(harness)] == [r"/Harb\w+ closed/"]


async def test_any_command_ends_what_was_asked_and_so_does_time(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_chats(tmp_path, clock) as harness:
        await says(harness, "/subscribe")
        await says(harness, "/status")
        assert "preview" in await says(harness, "harbour")
        await says(harness, "/subscribe")
        clock.advance(timedelta(minutes=16))
        assert "preview" in await says(harness, "ferry")
        assert await queries(harness) == []


async def test_what_again_is_no_answer_is_meant_for_something_else(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_chats(tmp_path, clock) as harness:
        await says(harness, "/settings")
        await presses(harness, "Quiet hours")
        assert (await says(harness, "at night")).startswith("I didn't understand.")
        assert (await says(harness, "thanks")).startswith("thanks\n")


async def test_a_forwarded_post_is_no_answer(tmp_path: Path, clock: ManualClock) -> None:
    async with open_chats(tmp_path, clock) as harness:
        await says(harness, "/subscribe")
        harness.api.forward(ANN, ANN, FromChannel(CHANNEL, 7), "Storm closes Valmora harbour")
        assert (await settled(harness)).startswith("From Harbour Notes.")
        assert await queries(harness) == []


async def test_a_command_about_an_alert_offers_the_newest_ones(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_chats(tmp_path, clock) as harness:
        assert await says(harness, "/mute") == "No alerts here yet."
        await says(harness, "/subscribe harbour OR ferry")
        await harness.add(ArticleSpec("Harbour closed"))
        await harness.add(ArticleSpec("Ferry sinks"))
        await settled(harness)
        assert (await says(harness, "/mute")).startswith("Which story?")
        await presses(harness, "Harbour closed")
        assert await harness.rows("select stance, storyline_id from stances") == [("mute", 1)]


async def test_a_subscription_to_remove_is_chosen_by_a_button(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_chats(tmp_path, clock) as harness:
        await says(harness, "/subscribe harbour")
        await says(harness, "/subscribe ferry")
        await says(harness, "/unsub")
        assert (await presses(harness, "✕ 1. harbour")).startswith("Removed: harbour")
        assert "harbour" not in await says(harness, "/list")


async def test_an_anonymous_administrator_answers_by_a_reply(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_chats(tmp_path, clock) as harness:
        question = await says(harness, "/subscribe", GROUP, anonymous_admin=True)
        assert question.endswith("Answer by replying to this message.")
        asked = harness.api.messages(GROUP)[-1].message_id
        await says(harness, "harbour", GROUP, anonymous_admin=True)
        assert await queries(harness) == []
        await says(harness, "harbour", GROUP, reply_to=asked, anonymous_admin=True)
        assert [query for _, query, _ in await queries(harness)] == ["harbour"]


async def test_a_channel_answers_by_a_reply(tmp_path: Path, clock: ManualClock) -> None:
    async with open_chats(tmp_path, clock) as harness:
        await says(harness, "/subscribe", CHANNEL, 0)
        asked = harness.api.messages(CHANNEL)[-1].message_id
        await says(harness, "ferry", CHANNEL, 0)
        await says(harness, "harbour", CHANNEL, 0, reply_to=asked)
        assert [query for _, query, _ in await queries(harness)] == ["harbour"]


async def test_in_a_group_the_client_of_who_is_asked_opens_a_reply(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_chats(tmp_path, clock) as harness:
        await says(harness, "/start", GROUP)
        harness.api.press(
            GROUP,
            ANN,
            harness.api.messages(GROUP)[-1].message_id,
            harness.api.messages(GROUP)[-1].keyboard[0][0]["callback_data"],
        )
        await settled(harness, GROUP)
        asked = harness.api.messages(GROUP)[-1]
        assert asked.text.startswith("Ann\n\nSend me the words")
        assert asked.reply_markup == {"force_reply": True, "selective": True}
        assert asked.entities[0]["user"]["id"] == ANN
        answer = await says(harness, "harbour", GROUP, reply_to=asked.message_id)
        assert answer.startswith("harbour\n")


async def test_a_chat_numbers_its_subscriptions_and_keeps_the_numbers(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_chats(tmp_path, clock) as harness:
        await says(harness, "/subscribe pier", GROUP)
        for word in ("harbour", "ferry", "tram"):
            await says(harness, f"/subscribe {word}")
        assert await says(harness, "/unsubscribe 2") == "Removed: ferry"
        assert "1. harbour\n3. tram" in await says(harness, "/subscriptions")
        assert await says(harness, "/unsubscribe 3") == "Removed: tram"
        await says(harness, "/subscribe pier")
        await presses(harness, "Undo")
        listed = await says(harness, "/subscriptions")
        assert "1. harbour\n2. pier\n3. tram" in listed


async def test_what_is_done_for_a_channel_names_it_and_its_posts_may_hide_the_query(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_chats(tmp_path, clock) as harness:
        await says(harness, "/channels @harbour_notes")
        await says(harness, "/channels")
        await presses(harness, "📣 notes")
        assert (await says(harness, "/subscribe harbour")).startswith("📣 notes\n\nDone.")
        await harness.add(ArticleSpec("Harbour closed"))
        await settled(harness)
        assert "🔔 harbour" in harness.api.messages(CHANNEL)[-1].text
        assert "Query names in posts: shown" in await says(harness, "/settings")
        await presses(harness, "Query names")
        assert "Query names in posts: hidden" in await presses(harness, "hidden")
        await harness.add(ArticleSpec("Harbour crane falls"))
        await settled(harness)
        assert harness.api.messages(CHANNEL)[-1].text.startswith("Harbour crane falls")
        assert "🔔" not in harness.api.messages(CHANNEL)[-1].text
