"""The chat side against restarts, other chats' screens, groups that move, people who may no longer, and words that were meant for somebody else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botapi import BotApi
from support import ManualClock
from telegram_harness import (
    ANN,
    BOB,
    FORUM,
    GROUP,
    TOPIC,
    ArticleSpec,
    Opened,
    TelegramHarness,
    asks,
    open_harness,
    rule,
)

from bot.model.alerts import BundleKind
from bot.model.chat_events import HandledUpdate, Incoming, Reply, SetSettings
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
    async with open_harness(folder, api, {"ann": ANN}, clock, admins=[ANN], **more) as one:
        yield one


async def says(one: TelegramHarness, user: int, text: str, chat: int = 0, **more: Any) -> list[str]:
    place = chat or user
    before = len(one.api.messages(place))
    one.api.say(place, user, text, **more)
    await one.listen()
    await one.deliver(10 * SECOND, SECOND)
    return [message.text for message in one.api.messages(place)[before:]]


def word_of(one: TelegramHarness, chat: int, label: str) -> tuple[int, str]:
    for message in reversed(one.api.messages(chat)):
        for row in (message.reply_markup or {}).get("inline_keyboard", ()):
            for button in row:
                if button["text"] == label:
                    return message.message_id, button["callback_data"]
    raise AssertionError(label)


async def presses(one: TelegramHarness, user: int, label: str, chat: int = 0) -> str:
    number, word = word_of(one, chat or user, label)
    one.api.press(chat or user, user, number, word)
    await one.listen()
    await one.deliver(10 * SECOND, SECOND)
    return next(
        message.text for message in one.api.messages(chat or user) if message.message_id == number
    )


async def acts_for_coast(one: TelegramHarness) -> None:
    await says(one, ANN, "/channels @coast")
    await says(one, ANN, "/channels")
    await presses(one, ANN, "📣 Coast")


async def routes(one: TelegramHarness) -> list[tuple[Any, ...]]:
    return await one.rows(
        "select address, query from routes join chats c on c.id = chat_id join subscriptions s on s.id = subscription_id order by 1, 2"
    )


# What was let in stays in


async def test_a_group_that_an_operator_let_in_rings_after_a_restart_and_a_reload(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with a_world() as api:
        async with a_desk(tmp_path, clock, api) as one:
            await says(one, ANN, "/start", GROUP)
            await says(one, ANN, "/subscribe harbour", GROUP)
        async with a_desk(tmp_path, clock, api) as one:
            await one.made.reload()
            await one.adds(ArticleSpec("harbour closed"))
            await one.deliver(10 * SECOND, SECOND)
            assert api.messages(GROUP)[-1].text.startswith("harbour closed")


async def test_a_channel_that_was_linked_rings_after_a_restart(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with a_world() as api:
        async with a_desk(tmp_path, clock, api) as one:
            await acts_for_coast(one)
            await says(one, ANN, "/subscribe harbour")
        async with a_desk(tmp_path, clock, api) as one:
            await one.adds(ArticleSpec("harbour closed"))
            await one.deliver(10 * SECOND, SECOND)
            assert [message.text.partition("\n")[0] for message in api.messages(COAST)] == [
                "harbour closed"
            ]


# Acting for a channel


async def test_who_lost_a_channel_can_leave_it(tmp_path: Path, clock: ManualClock) -> None:
    async with a_world() as api, a_desk(tmp_path, clock, api) as one:
        await acts_for_coast(one)
        api.set_member(COAST, ANN, "member")
        one.made._listener._members._known.clear()  # type: ignore[union-attr]
        assert "Coast" in (await says(one, ANN, "/channels"))[0]
        await presses(one, ANN, "This chat")
        await says(one, ANN, "/subscribe harbour")
        assert await routes(one) == [(ANN, "harbour")]


async def test_a_shared_link_changes_the_chat_it_is_opened_in_and_no_channel(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with a_world() as api, a_desk(tmp_path, clock, api, access="open") as one:
        await says(one, BOB, "/start")
        await says(one, BOB, "/subscribe harbour")
        await says(one, BOB, "/subscriptions")
        await presses(one, BOB, "1")
        await presses(one, BOB, "Share")
        token = api.messages(BOB)[-1].text.rpartition("start=")[2]
        await acts_for_coast(one)
        api.set_member(COAST, ANN, "member")
        one.made._listener._members._known.clear()  # type: ignore[union-attr]
        await says(one, ANN, f"/start {token}")
        assert await routes(one) == [(ANN, "harbour"), (BOB, "harbour")]


async def test_an_alert_is_muted_in_the_chat_it_rang_in(tmp_path: Path, clock: ManualClock) -> None:
    async with (
        a_world() as api,
        a_desk(tmp_path, clock, api, subscriptions=[rule("Rung", "rung")]) as one,
    ):
        await one.adds(ArticleSpec("rung once"))
        await one.deliver(10 * SECOND, SECOND)
        alert = api.messages(ANN)[-1].message_id
        await acts_for_coast(one)
        await says(one, ANN, "/mute", reply_to=alert)
        assert await one.rows("select address from stances join chats on chats.id = chat_id") == [
            (ANN,)
        ]


async def test_an_old_screen_changes_the_chat_it_was_opened_for(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with a_world() as api, a_desk(tmp_path, clock, api) as one:
        await says(one, ANN, "/settings")
        own = word_of(one, ANN, "Quiet hours")
        await acts_for_coast(one)
        await says(one, ANN, "/settings")
        await presses(one, ANN, "Quiet hours")
        channels = word_of(one, ANN, "23:00–07:00")
        api.press(ANN, ANN, *own)
        await one.listen()
        await one.deliver(5 * SECOND, SECOND)
        api.press(ANN, ANN, own[0], own[1].replace("quiet", "quiet 1320-420"))
        await one.listen()
        await says(one, ANN, "/channels")
        await presses(one, ANN, "This chat")
        api.press(ANN, ANN, *channels)
        await one.listen()
        kept = await one.rows(
            "select address, settings ->> '$.quiet' from chats where address in (?, ?) order by 1",
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
        open_harness(tmp_path, api, {"ann": ANN, "group": GROUP}, clock, subscriptions=[]) as one,
    ):
        api.say(GROUP, ANN, "/subscribe harbour")
        api.migrate(GROUP, -100500)
        api.say(ANN, ANN, "/help")
        await one.listen()
        await one.deliver(30 * SECOND, SECOND)
        assert "/subscribe QUERY" in api.messages(ANN)[-1].text


# Roles


async def test_an_operator_who_opens_a_shared_link_stays_one(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with a_world() as api, a_desk(tmp_path, clock, api, access="open") as one:
        await says(one, ANN, "/subscribe harbour")
        await says(one, ANN, "/subscriptions")
        await presses(one, ANN, "1")
        await presses(one, ANN, "Share")
        token = api.messages(ANN)[-1].text.rpartition("start=")[2]
        await one.made.store._writer.run(
            "set",
            lambda db: db.execute("insert into people values (?, 'admin', 'Bob', '2026')", [BOB]),
        )
        await says(one, BOB, f"/start {token}")
        assert (await one.made.store.chats.person(BOB)).role == "admin"


async def test_what_waits_for_a_digest_does_not_reach_who_was_blocked_and_comes_when_they_are_back(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with a_world() as api, a_desk(tmp_path, clock, api, access="open") as one:
        await says(one, BOB, "/start")
        await says(one, BOB, "/subscribe harbour")
        await one.made.store._writer.run(
            "set", lambda db: db.execute("update subscriptions set urgency = 'digest'")
        )
        await one.made._use_subscriptions()
        await one.adds(ArticleSpec("harbour closed"))
        await one.deliver(10 * SECOND, SECOND)
        before = len(api.messages(BOB))
        await says(one, ANN, "/admin")
        await presses(one, ANN, "People")
        await presses(one, ANN, "Bob · user")
        await presses(one, ANN, "Block")
        await one.deliver(DAY, HOUR)
        assert len(api.messages(BOB)) == before
        await presses(one, ANN, "Bob · blocked")
        await presses(one, ANN, "Let in again")
        await one.deliver(MINUTE, SECOND)
        assert [message.text.partition("\n")[0] for message in api.messages(BOB)[before:]] == [
            "harbour closed"
        ]


# What is written, and for whom


async def test_what_a_screen_waited_for_is_waited_for_once(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with a_world() as api, a_desk(tmp_path, clock, api) as one:
        await says(one, ANN, "/settings")
        await presses(one, ANN, "Quiet hours")
        assert "23:30–06:45" in (await says(one, ANN, "23:30-06:45"))[0]
        assert await says(one, ANN, "thank you") == []


async def test_an_answer_to_somebody_else_in_a_group_is_not_taken_for_ones_own(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with (
        a_world() as api,
        open_harness(tmp_path, api, {"group": GROUP}, clock, subscriptions=[]) as one,
    ):
        await says(one, ANN, "/settings", GROUP)
        await presses(one, ANN, "Quiet hours", GROUP)
        asked = api.messages(GROUP)[-1].message_id
        api.say(GROUP, BOB, "shall we meet?")
        await one.listen()
        words = [message.message_id for message in api.messages(GROUP)][-1]
        other = words if words != asked else asked - 1
        assert await says(one, ANN, "at seven", GROUP, reply_to=other) == []
        assert "23:30–06:45" in (await says(one, ANN, "23:30-06:45", GROUP, reply_to=asked))[0]


async def test_two_feeds_of_one_name_are_offered_to_choose_from(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with a_world() as api, a_desk(tmp_path, clock, api) as one:
        outlines = "".join(
            f'<outline type="rss" text="Coast Herald" xmlUrl="https://coast.example/{at}"/>'
            for at in range(2)
        )
        api.upload(
            ANN, ANN, "feeds.opml", f'<opml version="2.0"><body>{outlines}</body></opml>'.encode()
        )
        await one.listen()
        assert await says(one, ANN, "/removefeed Coast Herald") == [
            "Which feed shall be watched no longer?"
        ]


async def test_a_year_at_the_end_of_a_trend_belongs_to_its_query(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with a_world() as api, a_desk(tmp_path, clock, api) as one:
        await says(one, ANN, "/trend harbour 2024")
        assert await one.rows("select count(*) from screens where name = 'trend'") == [(1,)]
        assert "2024" in str([message.text for message in api.messages(ANN)])


@pytest.mark.parametrize("text", ["0:00-24:00", "8:00-8:00"])
async def test_quiet_hours_without_an_end_are_not_taken_for_none(
    tmp_path: Path, clock: ManualClock, text: str
) -> None:
    async with a_world() as api, a_desk(tmp_path, clock, api) as one:
        await says(one, ANN, "/settings")
        await presses(one, ANN, "Quiet hours")
        assert (await says(one, ANN, text))[0].startswith("I cannot read that")


async def test_a_reaction_in_a_topic_counts(opened: Opened) -> None:
    async with opened(rule("Rung", "rung", to=("topic",))) as one:
        one.api.set_member(FORUM, one.api.bot_id, "administrator")
        await asks(one, "/help")  # from now on Telegram tells of reactions
        await one.adds(ArticleSpec("rung once"))
        await one.deliver(10 * SECOND, SECOND)
        one.api.react(FORUM, ANN, one.api.messages(FORUM, TOPIC)[-1].message_id, "👍")
        await one.listen()
        assert await one.rows("select verdict from verdicts") == [(1,)]


async def test_what_is_written_in_a_topic_answers_nothing_by_itself(opened: Opened) -> None:
    async with opened() as one:
        assert (await asks(one, "/why", chat=FORUM, topic=TOPIC)).startswith(
            "Write the address or the headline of an article after /why"
        )


# Quiet hours and digests while other things happen


async def test_settings_that_change_while_a_chats_hours_are_decided_are_looked_at_again(
    opened: Opened,
) -> None:
    async with opened(DIGEST) as one:
        people, deliver = one.made.store.chats, one.made.store.deliveries
        now = one.clock.now()
        chat = await people.chat_at(ANN, 0)
        assert chat
        await one.rows("update chats set hours_at = '' where id = ?", chat.id)
        await deliver.schedules_due(now)
        change = SetSettings(ChatSettings(quiet=(600, 900)))
        await people.answer(
            HandledUpdate(Incoming(1, ANN, 0, "", ANN, "x"), chat, Reply(changes=(change,))), now
        )
        await deliver.apply_schedules([SchedulePlan(chat.id, None, now, now + DAY)], now)
        assert chat.id in [due.chat.id for due in await deliver.schedules_due(now)]


async def test_an_alert_that_became_urgent_while_its_digest_was_decided_goes_by_itself(
    opened: Opened,
) -> None:
    async with opened(DIGEST, rule("Breaking", "breaking", urgency="breaking")) as one:
        [first] = await one.adds(ArticleSpec("digest"))
        await one.deliver(10 * SECOND, SECOND)
        deliver, now = one.made.store.deliveries, one.clock.now()
        chat = await one.made.store.chats.chat_at(ANN, 0)
        [[number]] = await one.rows("select id from outbox where kind = 'alert'")
        assert chat
        await one.adds(ArticleSpec("breaking", (first, first, first)))
        await deliver.apply_schedules(
            [
                SchedulePlan(
                    chat.id, now + HOUR, now, now + HOUR, (Page(BundleKind.DIGEST, (number,)),)
                )
            ],
            now,
        )
        await one.deliver(10 * SECOND, SECOND)
        assert len(one.api.messages(ANN)) == 1


async def test_a_digest_that_comes_due_in_quiet_hours_still_lets_what_is_breaking_through(
    opened: Opened,
) -> None:
    async with opened(DIGEST, rule("Breaking", "breaking", urgency="breaking")) as one:
        chat = {"settings": '{"quiet": [660, 900], "digest_at": [750]}'}
        await one.made.store._writer.run(
            "set",
            lambda db: db.execute(
                "update chats set settings = ?, hours_at = ''", [chat["settings"]]
            ),
        )
        [first] = await one.adds(ArticleSpec("digest"))
        await one.deliver(HOUR, MINUTE)
        assert one.api.messages(ANN) == []
        await one.adds(ArticleSpec("breaking", (first, first, first)))
        await one.deliver(MINUTE, SECOND)
        assert one.shown(ANN) == ["digest"]
        await one.deliver(DAY, HOUR)
        assert one.shown(ANN) == ["digest"]


async def test_an_update_that_is_nothing_to_newsbell_makes_no_chat_and_no_answer(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with a_world() as api, a_desk(tmp_path, clock, api) as one:
        before = await one.rows("select id, address from chats")
        await says(one, ANN, "/help@some_other_bot", GROUP)
        assert await one.rows("select id, address from chats") == before
        assert await one.rows("select count(*) from outbox") == [(0,)]


async def test_a_forged_word_behind_a_button_is_answered_and_changes_nobody(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with a_world() as api, a_desk(tmp_path, clock, api, access="open") as one:
        await says(one, BOB, "/start")
        await says(one, ANN, "/admin")
        await presses(one, ANN, "People")
        await presses(one, ANN, "Bob · user")
        number, word = word_of(one, ANN, "Make operator")
        await one.made.store._writer.run(
            "set",
            lambda db: db.execute("update people set role = 'admin' where user_id = ?", [ANN]),
        )
        api.press(ANN, ANN, number, f"{word} now")
        await one.listen()
        assert api.answers[-1].text == "Only the operators of this newsbell can do that."
        assert (await one.made.store.chats.person(BOB)).role == "user"


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
            subscriptions=[rule("Rung", "rung", to=("group",))],
        ) as one:
            await one.adds(ArticleSpec("rung"))
            await one.deliver(SECOND * 5, SECOND)
            alert = api.messages(GROUP)[-1].message_id
            for user, reply in (
                (ANN, "You have it."),
                (BOB, "Sam has it."),
                (ANN, "It is free again."),
                (BOB, "You have it."),
            ):
                api.press(GROUP, user, alert, "mine")
                await one.listen()
                assert api.answers[-1].text == reply
