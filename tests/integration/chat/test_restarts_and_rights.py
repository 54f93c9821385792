"""The chat against restarts, screens of other chats, moved groups, lost rights and stray words."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
    OpenHarness,
    TelegramHarness,
    ask,
    open_harness,
    rule,
)

from bot.model.alerts import BundleKind
from bot.model.chat_events import ChatUpdate, HandledUpdate, Reply, SetSettings
from bot.model.chats import ChatSettings
from bot.model.schedule import Page, SchedulePlan

EVE, COAST = 9, -1009
SECOND, MINUTE, HOUR, DAY = (
    timedelta(seconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
)
DIGEST = rule("Digest", "digest", urgency="digest")


@asynccontextmanager
async def a_world() -> AsyncIterator[BotApi]:
    async with BotApi() as api:
        api.add_private(ANN, "Ann")
        api.add_private(BOB, "Bob")
        api.add_private(EVE, "Eve")
        api.add_group(GROUP, "Newsroom", members={ANN: "creator", BOB: "member"})
        api.add_channel(
            COAST, "Coast", {ANN: "administrator", api.bot_id: "administrator"}, username="coast"
        )
        yield api


@asynccontextmanager
async def a_desk(
    folder: Path, clock: ManualClock, api: BotApi, **more: Any
) -> AsyncIterator[TelegramHarness]:
    more.setdefault("subscriptions", [])
    async with open_harness(folder, api, {"ann": ANN}, clock, admins=[ANN], **more) as harness:
        yield harness


async def says(
    harness: TelegramHarness, user: int, text: str, chat: int = 0, **more: Any
) -> list[str]:
    place = chat or user
    before = len(harness.api.messages(place))
    harness.api.say(place, user, text, **more)
    await harness.listen()
    await harness.deliver(10 * SECOND, SECOND)
    return [message.text for message in harness.api.messages(place)[before:]]


def word_of(harness: TelegramHarness, chat: int, label: str) -> tuple[int, str]:
    for message in reversed(harness.api.messages(chat)):
        for row in message.keyboard:
            for button in row:
                if button["text"] == label:
                    return message.message_id, button["callback_data"]
    raise AssertionError(label)


async def presses(harness: TelegramHarness, user: int, label: str, chat: int = 0) -> str:
    number, word = word_of(harness, chat or user, label)
    harness.api.press(chat or user, user, number, word)
    await harness.listen()
    await harness.deliver(10 * SECOND, SECOND)
    return next(
        message.text
        for message in harness.api.messages(chat or user)
        if message.message_id == number
    )


async def acts_for_coast(harness: TelegramHarness) -> None:
    await says(harness, ANN, "/channels @coast")
    await says(harness, ANN, "/channels")
    await presses(harness, ANN, "📣 Coast")


async def routes(harness: TelegramHarness) -> list[tuple[Any, ...]]:
    return await harness.rows(
        "select address, query from routes join chats c on c.id = chat_id join subscriptions "
        "s on s.id = subscription_id order by 1, 2"
    )


# What was let in stays in


async def test_a_group_that_an_operator_let_in_gets_alerts_after_a_restart_and_a_reload(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with a_world() as api:
        async with a_desk(tmp_path, clock, api) as harness:
            await says(harness, ANN, "/start", GROUP)
            await says(harness, ANN, "/subscribe harbour", GROUP)
        async with a_desk(tmp_path, clock, api) as harness:
            await harness.app.reload()
            await harness.add(ArticleSpec("harbour closed"))
            await harness.deliver(10 * SECOND, SECOND)
            assert api.messages(GROUP)[-1].text.startswith("harbour closed")


async def test_a_channel_that_was_linked_gets_alerts_after_a_restart(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with a_world() as api:
        async with a_desk(tmp_path, clock, api) as harness:
            await acts_for_coast(harness)
            await says(harness, ANN, "/subscribe harbour")
        async with a_desk(tmp_path, clock, api) as harness:
            await harness.add(ArticleSpec("harbour closed"))
            await harness.deliver(10 * SECOND, SECOND)
            assert [message.text.partition("\n")[0] for message in api.messages(COAST)] == [
                "harbour closed"
            ]


# Acting for a channel


async def test_who_lost_a_channel_can_leave_it(tmp_path: Path, clock: ManualClock) -> None:
    async with a_world() as api, a_desk(tmp_path, clock, api) as harness:
        await acts_for_coast(harness)
        api.set_member(COAST, ANN, "member")
        harness.app.listener._members._known.clear()  # type: ignore[union-attr]
        assert "Coast" in (await says(harness, ANN, "/channels"))[0]
        await presses(harness, ANN, "This chat")
        await says(harness, ANN, "/subscribe harbour")
        assert await routes(harness) == [(ANN, "harbour")]


async def test_a_shared_link_changes_the_chat_it_is_opened_in_and_no_channel(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with a_world() as api, a_desk(tmp_path, clock, api, access="open") as harness:
        await says(harness, BOB, "/start")
        await says(harness, BOB, "/subscribe harbour")
        await says(harness, BOB, "/subscriptions")
        await presses(harness, BOB, "1")
        await presses(harness, BOB, "Share")
        token = api.messages(BOB)[-1].text.rpartition("start=")[2]
        await acts_for_coast(harness)
        api.set_member(COAST, ANN, "member")
        harness.app.listener._members._known.clear()  # type: ignore[union-attr]
        await says(harness, ANN, f"/start {token}")
        assert await routes(harness) == [(ANN, "harbour"), (BOB, "harbour")]


async def test_an_alert_is_muted_in_the_chat_it_was_sent_to(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with (
        a_world() as api,
        a_desk(tmp_path, clock, api, subscriptions=[rule("Tram", "tram")]) as harness,
    ):
        await harness.add(ArticleSpec("tram once"))
        await harness.deliver(10 * SECOND, SECOND)
        alert = api.messages(ANN)[-1].message_id
        await acts_for_coast(harness)
        await says(harness, ANN, "/mute", reply_to=alert)
        assert await harness.rows(
            "select address from stances join chats on chats.id = chat_id"
        ) == [(ANN,)]


async def test_an_old_screen_changes_the_chat_it_was_opened_for(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with a_world() as api, a_desk(tmp_path, clock, api) as harness:
        await says(harness, ANN, "/settings")
        own = word_of(harness, ANN, "Quiet hours")
        await acts_for_coast(harness)
        await says(harness, ANN, "/settings")
        await presses(harness, ANN, "Quiet hours")
        channels = word_of(harness, ANN, "23:00–07:00")
        api.press(ANN, ANN, *own)
        await harness.listen()
        await harness.deliver(5 * SECOND, SECOND)
        api.press(ANN, ANN, own[0], own[1].replace("quiet", "quiet 1320-420"))
        await harness.listen()
        await says(harness, ANN, "/channels")
        await presses(harness, ANN, "This chat")
        api.press(ANN, ANN, *channels)
        await harness.listen()
        kept = await harness.rows(
            "select address, replace(json_extract(settings, '$.quiet'), ' ', '') from chats "
            "where address in (?, ?) order by 1",
            ANN,
            COAST,
        )
        assert kept == [(COAST, "[1380,420]"), (ANN, "[1320,420]")]


# One update stops no other


async def test_a_command_from_a_group_that_moved_before_it_was_read_holds_up_nobody(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with (
        a_world() as api,
        open_harness(
            tmp_path, api, {"ann": ANN, "group": GROUP}, clock, subscriptions=[]
        ) as harness,
    ):
        api.say(GROUP, ANN, "/subscribe harbour")
        api.migrate(GROUP, -100500)
        api.say(ANN, ANN, "/help")
        await harness.listen()
        await harness.deliver(30 * SECOND, SECOND)
        assert "/subscribe QUERY" in api.messages(ANN)[-1].text


# Roles


async def test_an_operator_who_opens_a_shared_link_stays_one(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with a_world() as api, a_desk(tmp_path, clock, api, access="open") as harness:
        await says(harness, ANN, "/subscribe harbour")
        await says(harness, ANN, "/subscriptions")
        await presses(harness, ANN, "1")
        await presses(harness, ANN, "Share")
        token = api.messages(ANN)[-1].text.rpartition("start=")[2]
        await stored(harness.app)._writer.run(
            "set",
            lambda db: db.execute("insert into people values (?, 'admin', 'Bob', '2026')", [BOB]),
        )
        await says(harness, BOB, f"/start {token}")
        assert (await harness.app.store.chats.person(BOB)).role == "admin"


async def test_what_waits_for_a_digest_does_not_reach_who_was_blocked_and_comes_when_they_are_back(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with a_world() as api, a_desk(tmp_path, clock, api, access="open") as harness:
        await says(harness, BOB, "/start")
        await says(harness, BOB, "/subscribe harbour")
        await stored(harness.app)._writer.run(
            "set", lambda db: db.execute("update subscriptions set urgency = 'digest'")
        )
        await harness.app.subscriptions.refresh()
        await harness.add(ArticleSpec("harbour closed"))
        await harness.deliver(10 * SECOND, SECOND)
        before = len(api.messages(BOB))
        await says(harness, ANN, "/admin")
        await presses(harness, ANN, "People")
        await presses(harness, ANN, "Bob · user")
        await presses(harness, ANN, "Block")
        await harness.deliver(DAY, HOUR)
        assert len(api.messages(BOB)) == before
        await presses(harness, ANN, "Bob · blocked")
        await presses(harness, ANN, "Unblock")
        await harness.deliver(MINUTE, SECOND)
        assert [message.text.partition("\n")[0] for message in api.messages(BOB)[before:]] == [
            "harbour closed"
        ]


# What is written, and for whom


async def test_what_a_screen_waited_for_is_waited_for_once(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with a_world() as api, a_desk(tmp_path, clock, api) as harness:
        await says(harness, ANN, "/settings")
        await presses(harness, ANN, "Quiet hours")
        assert "23:30–06:45" in (await says(harness, ANN, "23:30-06:45"))[0]
        assert (await says(harness, ANN, "thank you"))[0].startswith("thank AND you\n")


async def test_an_answer_to_somebody_else_in_a_group_is_not_taken_for_ones_own(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with (
        a_world() as api,
        open_harness(tmp_path, api, {"group": GROUP}, clock, subscriptions=[]) as harness,
    ):
        await says(harness, ANN, "/settings", GROUP)
        await presses(harness, ANN, "Quiet hours", GROUP)
        asked = api.messages(GROUP)[-1].message_id
        api.say(GROUP, BOB, "shall we meet?")
        await harness.listen()
        words = [message.message_id for message in api.messages(GROUP)][-1]
        other = words if words != asked else asked - 1
        assert await says(harness, ANN, "at seven", GROUP, reply_to=other) == []
        assert "23:30–06:45" in (await says(harness, ANN, "23:30-06:45", GROUP, reply_to=asked))[0]


async def test_two_feeds_of_one_name_are_offered_to_choose_from(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with a_world() as api, a_desk(tmp_path, clock, api) as harness:
        outlines = "".join(
            f'<outline type="rss" text="Coast Herald" xmlUrl="https://coast.example/{at}"/>'
            for at in range(2)
        )
        api.upload(
            ANN, ANN, "feeds.opml", f'<opml version="2.0"><body>{outlines}</body></opml>'.encode()
        )
        await harness.listen()
        assert await says(harness, ANN, "/removefeed Coast Herald") == [
            "Which feed do you want to remove?"
        ]


async def test_a_year_at_the_end_of_a_trend_belongs_to_its_query(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with a_world() as api, a_desk(tmp_path, clock, api) as harness:
        [answer] = await says(harness, ANN, "/trend harbour 2024")
        assert answer == "No article of the last 14 days matches."


@pytest.mark.parametrize("text", ["0:00-24:00", "8:00-8:00"])
async def test_quiet_hours_without_an_end_are_not_taken_for_none(
    tmp_path: Path, clock: ManualClock, text: str
) -> None:
    async with a_world() as api, a_desk(tmp_path, clock, api) as harness:
        await says(harness, ANN, "/settings")
        await presses(harness, ANN, "Quiet hours")
        assert (await says(harness, ANN, text))[0].startswith("I didn't understand")


async def test_a_reaction_in_a_topic_counts(opened: OpenHarness) -> None:
    async with opened(rule("Tram", "tram", to=("topic",))) as harness:
        harness.api.set_member(FORUM, harness.api.bot_id, "administrator")
        await ask(harness, "/help")  # from now on Telegram tells of reactions
        await harness.add(ArticleSpec("tram once"))
        await harness.deliver(10 * SECOND, SECOND)
        harness.api.react(FORUM, ANN, harness.api.messages(FORUM, TOPIC)[-1].message_id, "👍")
        await harness.listen()
        assert await harness.rows("select verdict from verdicts") == [(1,)]


async def test_what_is_written_in_a_topic_answers_nothing_by_itself(opened: OpenHarness) -> None:
    async with opened() as harness:
        assert (await ask(harness, "/why", chat=FORUM, topic=TOPIC)).startswith(
            "Send the address or headline of an article"
        )


# Quiet hours and digests while other things happen


async def test_settings_that_change_while_a_chats_hours_are_decided_are_looked_at_again(
    opened: OpenHarness,
) -> None:
    async with opened(DIGEST) as harness:
        people, deliver = harness.app.store.chats, harness.app.store.deliveries
        now = harness.clock.now()
        chat = await people.chat_at(ANN, 0)
        assert chat
        await harness.execute("update chats set hours_at = '' where id = ?", chat.id)
        await deliver.schedules_due(now)
        change = SetSettings(ChatSettings(quiet=(600, 900)))
        await people.answer(
            HandledUpdate(
                ChatUpdate(update_id=1, address=ANN, user_id=ANN), chat, Reply(changes=(change,))
            ),
            now,
        )
        await deliver.apply_schedules([SchedulePlan(chat.id, None, now, now + DAY)], now)
        assert chat.id in [due.chat.id for due in await deliver.schedules_due(now)]


async def test_an_alert_that_became_urgent_while_its_digest_was_decided_goes_by_itself(
    opened: OpenHarness,
) -> None:
    async with opened(DIGEST, rule("Breaking", "breaking", urgency="breaking")) as harness:
        [first] = await harness.add(ArticleSpec("digest"))
        await harness.deliver(10 * SECOND, SECOND)
        deliver, now = harness.app.store.deliveries, harness.clock.now()
        chat = await harness.app.store.chats.chat_at(ANN, 0)
        [[number]] = await harness.rows("select id from outbox where kind = 'alert'")
        assert chat
        await harness.add(ArticleSpec("breaking", (first, first, first)))
        await deliver.apply_schedules(
            [
                SchedulePlan(
                    chat.id, now + HOUR, now, now + HOUR, (Page(BundleKind.DIGEST, (number,)),)
                )
            ],
            now,
        )
        await harness.deliver(10 * SECOND, SECOND)
        assert len(harness.api.messages(ANN)) == 1


async def test_a_digest_that_comes_due_in_quiet_hours_still_lets_what_is_breaking_through(
    opened: OpenHarness,
) -> None:
    async with opened(DIGEST, rule("Breaking", "breaking", urgency="breaking")) as harness:
        chat = {"settings": '{"quiet": [660, 900], "digest_at": [750]}'}
        await stored(harness.app)._writer.run(
            "set",
            lambda db: db.execute(
                "update chats set settings = ?, hours_at = ''", [chat["settings"]]
            ),
        )
        [first] = await harness.add(ArticleSpec("digest"))
        await harness.deliver(HOUR, MINUTE)
        assert harness.api.messages(ANN) == []
        await harness.add(ArticleSpec("breaking", (first, first, first)))
        await harness.deliver(MINUTE, SECOND)
        assert harness.shown(ANN) == ["digest"]
        await harness.deliver(DAY, HOUR)
        assert harness.shown(ANN) == ["digest"]


async def test_an_update_that_is_nothing_to_newsbell_makes_no_chat_and_no_answer(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with a_world() as api, a_desk(tmp_path, clock, api) as harness:
        before = await harness.rows("select id, address from chats")
        await says(harness, ANN, "/help@some_other_bot", GROUP)
        assert await harness.rows("select id, address from chats") == before
        assert await harness.rows("select count(*) from outbox") == [(0,)]


async def test_a_forged_word_behind_a_button_is_answered_and_changes_nobody(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with a_world() as api, a_desk(tmp_path, clock, api, access="open") as harness:
        await says(harness, BOB, "/start")
        await says(harness, ANN, "/admin")
        await presses(harness, ANN, "People")
        await presses(harness, ANN, "Bob · user")
        number, word = word_of(harness, ANN, "Make operator")
        await stored(harness.app)._writer.run(
            "set",
            lambda db: db.execute("update people set role = 'admin' where user_id = ?", [ANN]),
        )
        api.press(ANN, ANN, number, f"{word} now")
        await harness.listen()
        assert api.answers[-1].text == "Only the operators of this bot can do that."
        assert (await harness.app.store.chats.person(BOB)).role == "user"


async def test_who_has_a_story_is_known_by_more_than_a_name(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with BotApi() as api:
        for user in (ANN, BOB):
            api.add_private(user, "Sam")
        api.add_group(GROUP, members={ANN: "member", BOB: "member"})
        async with open_harness(
            tmp_path,
            api,
            {"group": GROUP},
            clock,
            subscriptions=[rule("Tram", "tram", to=("group",))],
        ) as harness:
            await harness.add(ArticleSpec("tram"))
            await harness.deliver(SECOND * 5, SECOND)
            alert = api.messages(GROUP)[-1].message_id
            for user, reply in (
                (ANN, "It's yours."),
                (BOB, "Sam is on it."),
                (ANN, "Released."),
                (BOB, "It's yours."),
            ):
                api.press(GROUP, user, alert, "mine")
                await harness.listen()
                assert api.answers[-1].text == reply
