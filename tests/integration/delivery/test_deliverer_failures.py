"""When Telegram or the network fails: nothing is lost, and nothing arrives twice unmarked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botapi import BotApi, DropAfter, DropBefore, Refuse, ServerError, Slow, TooManyRequests
from support import ManualClock, Recorder
from telegram_harness import ANN, BOB, FORUM, GROUP, TOPIC, open_harness

from bot.delivery.deliverer import CLAIM_HOLDS

DAY, HOUR, MINUTE, SECOND = (
    timedelta(days=1),
    timedelta(hours=1),
    timedelta(minutes=1),
    timedelta(seconds=1),
)
PARSE = Refuse(400, "Bad Request: can't parse entities: something at byte offset 3")
NEW = -1009


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as app:
        app.add_private(ANN)
        app.add_private(BOB)
        app.add_group(GROUP, members={ANN: "creator"})
        app.add_supergroup(FORUM, members={ANN: "administrator"}, forum=True)
        app.add_topic(FORUM, TOPIC)
        yield app


def sends(api: BotApi, chat: int) -> int:
    """Requests that named this chat."""
    return sum(call.chat_id == chat for call in api.calls)


async def test_a_flood_wait_parks_its_chat_alone_and_outlives_a_restart(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    api.fault(TooManyRequests(600), chat_id=ANN)
    async with open_harness(tmp_path, api, {"ann": ANN, "bob": BOB}, clock) as harness:
        await harness.bring("everyone")
        await harness.deliver(MINUTE)
        assert (harness.shown(ANN), harness.shown(BOB)) == ([], ["everyone"])
    async with open_harness(tmp_path, api, {"ann": ANN, "bob": BOB}, clock) as harness:
        await harness.deliver(8 * MINUTE, step=MINUTE)
        assert sends(api, ANN) == 1
        await harness.deliver(2 * MINUTE, step=MINUTE)
        assert harness.shown(ANN) == ["everyone"]


async def test_a_flood_wait_in_one_topic_holds_for_the_whole_forum(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    api.fault(TooManyRequests(60), chat_id=FORUM)
    async with open_harness(
        tmp_path, api, {"topic": (FORUM, TOPIC), "general": FORUM}, clock
    ) as harness:
        await harness.bring("everyone")
        await harness.deliver(50 * SECOND)
        assert sends(api, FORUM) == 1
        await harness.deliver(20 * SECOND)

        assert len(harness.shown(FORUM)) == 2


async def test_flood_waits_of_several_chats_within_seconds_close_everything(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    chats = {"ann": ANN, "bob": BOB, "group": GROUP}
    for chat in chats.values():
        api.fault(TooManyRequests(40), chat_id=chat)
    async with open_harness(tmp_path, api, {**chats, "forum": FORUM}, clock) as harness:
        await harness.bring("ann bob group")
        await harness.deliver()
        await harness.bring("forum")
        await harness.deliver(39 * SECOND)
        assert sends(api, FORUM) == 0
        await harness.deliver(5 * SECOND)

        assert [harness.shown(chat) for chat in (*chats.values(), FORUM)] == [
            *[["ann bob group"]] * 3,
            ["forum"],
        ]


async def test_a_refused_token_stops_everything_and_holds_nobody_for_minutes_afterwards(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    api.fault(Refuse(401, "Unauthorized"), method=None, times=4)
    async with open_harness(tmp_path, api, {"ann": ANN, "bob": BOB}, clock) as harness:
        await harness.bring("ann")
        await harness.deliver()
        await harness.bring("bob")
        await harness.deliver(13 * SECOND)
        assert api.messages(ANN) == api.messages(BOB) == []
        assert sends(api, ANN) + sends(api, BOB) == 1, "then the token is asked about"
        await harness.deliver(20 * SECOND)

        assert (harness.shown(ANN), harness.shown(BOB)) == (["ann"], ["bob"])
        assert harness.notices == [], "half a minute is not worth a notice"


async def test_a_single_404_is_no_bad_token_and_costs_nothing(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    api.fault(Refuse(404, "Not Found"))
    async with open_harness(tmp_path, api, {"ann": ANN, "bob": BOB}, clock) as harness:
        await harness.bring("ann", "bob")
        await harness.deliver(3 * SECOND)

        assert (harness.shown(ANN), harness.shown(BOB)) == (["ann"], ["bob"])


async def test_a_blocked_chat_is_paused_keeps_its_data_and_goes_on_when_it_opens_again(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    api.block(ANN)
    async with open_harness(tmp_path, api, {"ann": ANN, "bob": BOB}, clock) as harness:
        await harness.bring("everyone 1", "everyone 2")
        await harness.deliver(MINUTE)
        await harness.listen()
        await harness.deliver(2 * DAY, step=HOUR)
        assert (sends(api, ANN), harness.shown(BOB)) == (1, ["everyone 1", "everyone 2"])
        assert harness.notices == [
            "ann takes no messages: the person blocked the bot. Its alerts are kept and sent later."
        ]

        api.unblock(ANN)
        await harness.listen()
        await harness.bring("everyone 3")
        await harness.deliver(MINUTE)

        assert harness.shown(ANN) == ["everyone 1", "everyone 2", "everyone 3"]


async def test_a_chat_that_is_not_found_is_paused_at_the_third_time(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    async with open_harness(tmp_path, api, {"ann": 99, "bob": BOB}, clock) as harness:
        await harness.bring("everyone")
        await harness.deliver(HOUR, step=10 * SECOND)

        assert (sends(api, 99), await harness.states(), harness.shown(BOB)) == (
            3,
            ["queued", "sent"],
            ["everyone"],
        )
        assert len(harness.notices) == 1


async def test_a_supergroup_keeps_what_its_group_had_even_if_the_file_names_the_group(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    async with open_harness(tmp_path, api, {"group": GROUP}, clock) as harness:
        api.say(GROUP, ANN, "/subscribe harbour")
        await harness.listen()
        await harness.bring("group 1", "group 2", "harbour")
        await harness.deliver()
        api.migrate(GROUP, NEW)
        await harness.deliver(MINUTE)
        assert harness.shown(NEW) == ["group 1", "group 2", "harbour"]
        assert sends(api, GROUP) == 3, (
            "an administrator is asked for, a reply sent, and one message finds out"
        )
    async with open_harness(tmp_path, api, {"group": GROUP}, clock) as harness:
        await harness.bring("group 3", "harbour again")
        await harness.deliver(MINUTE)
        chat = await harness.app.store.chats.chat_at(NEW, 0)

        assert harness.shown(NEW) == ["group 1", "group 2", "harbour", "group 3", "harbour again"]
        assert sends(api, GROUP) == 3
        assert chat is not None
        assert [
            each.query for each, _ in await harness.app.store.chats.subscriptions_of(chat.id)
        ] == [
            "group OR everyone",
            "harbour",
        ]


async def test_a_group_moves_into_a_supergroup_that_is_known_already(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    async with open_harness(tmp_path, api, {"group": GROUP, "super": NEW}, clock) as harness:
        await harness.bring("group alone")
        await harness.deliver()
        api.migrate(GROUP, NEW)
        await harness.bring("group waits", "super waits", "everyone")
        await harness.deliver(MINUTE)
        await harness.retitle("group waits", "group waited")
        await harness.deliver(MINUTE)

        assert sorted(harness.shown(NEW)) == ["everyone", "group waited", "super waits"], (
            "what waited for both comes once"
        )


async def test_messages_of_before_the_move_are_not_changed_after_it(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    """Their numbers are other messages' now."""
    async with open_harness(tmp_path, api, {"group": GROUP}, clock) as harness:
        await harness.bring("group first", "group before")
        await harness.deliver(3 * SECOND)
        api.migrate(GROUP, NEW)
        await harness.bring("group 1", "group 2", "group 3")
        await harness.deliver(MINUTE)
        await harness.retitle("group before", "group changed")
        await harness.deliver(MINUTE)

        assert api.messages(GROUP)[1].message_id in {
            message.message_id for message in api.messages(NEW)
        }
        assert harness.shown(NEW) == ["group 1", "group 2", "group 3"]


async def test_a_closed_topic_waits_alone_and_is_tried_again_within_an_hour(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    api.close_topic(FORUM, TOPIC)
    async with open_harness(
        tmp_path, api, {"topic": (FORUM, TOPIC), "general": FORUM}, clock
    ) as harness:
        await harness.bring("everyone 1", "everyone 2")
        await harness.deliver(MINUTE)
        assert harness.shown(FORUM) == ["everyone 1", "everyone 2"], "General goes on"
        assert len(harness.notices) == 1
        await harness.deliver(9 * HOUR, step=MINUTE)
        assert sends(api, FORUM) < 25, "an open one is not worth a try a minute"
        assert len(harness.notices) == 1
        api.chats[FORUM].topics[TOPIC].closed = False
        await harness.deliver(HOUR, step=MINUTE)

        assert harness.shown(FORUM, TOPIC) == ["everyone 1", "everyone 2"]


@pytest.mark.parametrize("by", ["the service message", "a message"])
async def test_a_topic_that_is_opened_again_is_tried_at_once(
    tmp_path: Path, api: BotApi, clock: ManualClock, by: str
) -> None:
    api.close_topic(FORUM, TOPIC)
    async with open_harness(
        tmp_path, api, {"topic": (FORUM, TOPIC), "general": FORUM}, clock
    ) as harness:
        await harness.bring("everyone 1")
        await harness.deliver(HOUR, step=MINUTE)
        assert harness.shown(FORUM, TOPIC) == []
        if by == "a message":
            api.chats[FORUM].topics[TOPIC].closed = False
            api.say(FORUM, ANN, "Is it open again?", TOPIC)
        else:
            api.reopen_topic(FORUM, ANN, TOPIC)
        assert harness.app.listener
        await harness.app.listener.poll_once()
        await harness.deliver(SECOND)

        assert harness.shown(FORUM, TOPIC) == ["everyone 1"]


@pytest.mark.parametrize("change", ["removed and added", "given rights"])
async def test_a_topic_goes_on_where_the_bot_is_let_in_again(
    tmp_path: Path, api: BotApi, clock: ManualClock, change: str
) -> None:
    """The group itself is no chat of newsbell; what concerns it concerns its topics."""
    async with open_harness(tmp_path, api, {"topic": (FORUM, TOPIC)}, clock) as harness:
        if change == "given rights":
            api.demote(FORUM, ANN)
            api.restrict(FORUM)
        else:
            api.kick(FORUM, ANN)
        await harness.bring("topic")
        await harness.deliver(MINUTE)
        assert harness.shown(FORUM, TOPIC) == []
        if change == "given rights":
            api.unrestrict(FORUM)
            api.promote(FORUM, ANN)
        else:
            api.invite(FORUM, ANN)
        assert harness.app.listener
        await harness.app.listener.poll_once()
        await harness.deliver(SECOND)
        assert harness.shown(FORUM, TOPIC) == ["topic"]


async def test_a_pause_that_telegram_asked_for_is_kept_whoever_writes_there(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    api.fault(TooManyRequests(600), chat_id=FORUM)
    async with open_harness(tmp_path, api, {"topic": (FORUM, TOPIC)}, clock) as harness:
        await harness.bring("topic")
        await harness.deliver(SECOND)
        before = sends(api, FORUM)
        api.reopen_topic(FORUM, ANN, TOPIC)
        assert harness.app.listener
        await harness.app.listener.poll_once()
        await harness.deliver(MINUTE)
        assert sends(api, FORUM) == before


async def test_topic_1_is_general(tmp_path: Path, api: BotApi, clock: ManualClock) -> None:
    """Each link to General has the id 1, and the Bot API finds no such topic."""
    async with open_harness(tmp_path, api, {"general": (FORUM, 1)}, clock) as harness:
        await harness.bring("general")
        await harness.deliver(SECOND)
        assert harness.shown(FORUM) == ["general"]
        assert harness.notices == []


async def test_what_is_refused_comes_once_as_plain_text(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    api.fault(PARSE)
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        await harness.bring("ann", summary="of the harbour")
        await harness.deliver(MINUTE)

    [message] = api.messages(ANN)
    assert message.entities == []
    assert message.text == (
        "ann\nInvented Wire · news.example · 12:00\n\nof the harbour\n\n🔔 For "
        "ann\nhttps://news.example/1"
    )


async def test_what_is_refused_without_style_as_well_is_a_dead_letter_reported_once(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    api.fault(PARSE, times=4, chat_id=ANN)
    async with open_harness(tmp_path, api, {"ann": ANN, "bob": BOB}, clock) as harness:
        await harness.bring("ann 1", "ann 2", "ann 3", "bob")
        await harness.deliver(MINUTE)

        assert (harness.shown(ANN), harness.shown(BOB)) == (["ann 3"], ["bob"])
        assert [(row.state, row.title) for row in await harness.outbox("dead")] == [
            ("dead", "ann 1"),
            ("dead", "ann 2"),
        ]
        assert [notice.partition(":")[0] for notice in harness.notices] == [
            "Telegram refuses a message to ann"
        ]


async def test_an_alert_in_doubt_is_repeated_once_and_marked(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    api.fault(DropAfter())
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        await harness.bring("ann 1", "ann 2")
        await harness.deliver(SECOND)
        assert harness.shown(ANN) == ["ann 1"]
        await harness.deliver(DAY, step=MINUTE)

        assert harness.shown(ANN) == ["ann 1", "(repeat) ann 1", "ann 2"]
        assert await harness.states() == ["sent", "sent"]


@pytest.mark.parametrize("then", [DropAfter(), DropBefore(), ServerError(502)])
async def test_an_alert_that_is_in_doubt_again_arrives_all_the_same(
    tmp_path: Path, api: BotApi, clock: ManualClock, then: DropAfter | DropBefore | ServerError
) -> None:
    """Each try that is in doubt leads to one repeat, and each repeat says so."""
    api.fault(DropAfter())
    api.fault(TooManyRequests(30))
    api.fault(then)
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        await harness.bring("ann 1", "ann 2")
        await harness.deliver(HOUR, step=MINUTE)

        copies = ["ann 1", "(repeat) ann 1", "(repeat) ann 1"]
        arrived = copies if isinstance(then, DropAfter) else copies[:-1]
        assert harness.shown(ANN) == [*arrived, "ann 2"]
        assert await harness.states() == ["sent", "sent"]


async def test_an_alert_cut_short_by_a_stop_is_repeated_and_marked(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    for tries in (1, 2, 3):
        api.fault(Slow(30), times=1)
        async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
            if not sends(api, ANN):
                await harness.bring("ann")
            clock.advance(MINUTE)
            sending = asyncio.ensure_future(harness.deliver())
            with suppress(TimeoutError):
                await api.arrived("sendMessage", tries, within=1)
            sending.cancel()
            await asyncio.wait({sending})

        assert harness.shown(ANN) == ["ann", *["(repeat) ann"] * (tries - 1)]
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        await harness.deliver(HOUR, step=MINUTE)

        assert (harness.shown(ANN), await harness.states()) == (
            ["ann", *["(repeat) ann"] * 3],
            ["sent"],
        )


async def test_an_edit_in_doubt_is_made_again(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    api.fault(DropBefore(), "editMessageText")
    api.fault(DropAfter(), "editMessageText")
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        await harness.bring("ann burns")
        await harness.deliver()
        await harness.retitle("ann burns", "ann burns no more")
        await harness.deliver(MINUTE)

        assert harness.shown(ANN) == ["ann burns no more"]
        assert await harness.states() == ["sent", "sent"]
        calls = [call.method for call in api.calls if call.method != "getMe"]
        assert calls == ["sendMessage", *["editMessageText"] * 3]


async def test_a_message_that_newsbell_cannot_write_is_a_dead_letter_that_blocks_nothing(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    """Local time begins with the year 1, hours before this date: Chile has no such time."""
    zone = "America/Santiago"
    async with open_harness(tmp_path, api, {"ann": ANN}, clock, timezone=zone) as harness:
        await harness.bring("ann 1", published=datetime(1, 1, 1, 1, tzinfo=UTC))
        await harness.bring("ann 2")
        await harness.deliver(MINUTE)

        assert harness.shown(ANN) == ["ann 2"]
        assert await harness.states() == ["dead", "sent"]


async def test_what_is_in_doubt_for_hours_is_listed_and_retry_sends_it_and_what_is_dead_again(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    api.fault(PARSE, times=2)
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        await harness.bring("ann 1")
        await harness.deliver(MINUTE)
        api.fault(DropBefore(), times=1000)
        await harness.bring("ann 2")
        await harness.deliver(7 * HOUR, step=MINUTE)
        api._faults.rules.clear()
        await harness.bring("ann 3")
        await harness.deliver(HOUR, step=MINUTE)
        assert await harness.states() == ["dead", "unknown", "sent"]
        assert [row.title for row in await harness.outbox("unknown")] == ["ann 2"]
        assert any(notice.startswith("Nobody can tell whether") for notice in harness.notices)

        assert await harness.app.change_outbox("retry", ()) == 2
        assert await harness.app.change_outbox("retry", (99,)) == 0
        await harness.deliver(HOUR, step=MINUTE)

        assert harness.shown(ANN) == ["ann 3", "ann 1", "(repeat) ann 2"]
        assert await harness.states() == ["sent"] * 3


async def test_drop_gives_up_what_waits_or_is_dead_and_nothing_else(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    api.fault(PARSE, times=2)
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        await harness.bring("ann 1", "ann 2")
        await harness.deliver(MINUTE)
        await harness.bring("ann 3", "ann 4")
        rows = {row.title: row.id for row in await harness.outbox()}
        assert await harness.app.change_outbox("drop", ()) == 1
        assert await harness.app.change_outbox("drop", (rows["ann 2"], rows["ann 3"])) == 1
        assert await harness.app.change_outbox("retry", ()) == 0
        await harness.deliver(MINUTE)

        assert harness.shown(ANN) == ["ann 2", "ann 4"]
        assert await harness.states() == ["dropped", "sent", "dropped", "sent"]


async def test_without_a_way_to_telegram_the_alerts_wait_for_one(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    token, api.token = api.token, ""
    async with open_harness(tmp_path, api, {"ann": ANN}, clock, terminal=Recorder()) as harness:
        await harness.bring("ann")
        await harness.deliver(HOUR, step=MINUTE)
        assert await harness.states() == ["queued"]
    api.token = token
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        await harness.deliver(HOUR, step=MINUTE)

        assert harness.shown(ANN) == ["ann"]


MOVED = "Bad Request: group chat was upgraded to a supergroup chat"
ABSURD = {
    "no number": Refuse(400, MOVED, {"migrate_to_chat_id": "abc"}),
    "its own": Refuse(400, MOVED, {"migrate_to_chat_id": GROUP}),
    "too large": Refuse(400, MOVED, {"migrate_to_chat_id": -(10**30)}),
    "no address": Refuse(400, MOVED),
    "a list": Refuse(400, MOVED, {"migrate_to_chat_id": [GROUP]}),
    "a negative pause": Refuse(429, "Too Many Requests", {"retry_after": -(10**9)}),
    "a pause in words": Refuse(429, "Too Many Requests", {"retry_after": "for ever"}),
}


@pytest.mark.parametrize("answer", ABSURD.values(), ids=ABSURD)
async def test_an_absurd_answer_ends_nothing_and_holds_nothing_for_long(
    tmp_path: Path, api: BotApi, clock: ManualClock, answer: Refuse
) -> None:
    api.fault(answer, chat_id=GROUP, times=3)
    async with open_harness(tmp_path, api, {"group": GROUP, "bob": BOB}, clock) as harness:
        await harness.bring("everyone 1", "everyone 2")
        await harness.deliver(3 * SECOND)
        assert harness.shown(BOB) == ["everyone 1", "everyone 2"]
    async with open_harness(tmp_path, api, {"group": GROUP, "bob": BOB}, clock) as harness:
        await harness.deliver(MINUTE)
        assert harness.shown(GROUP) == ["everyone 1", "everyone 2"]


@pytest.mark.parametrize("seconds", [10**12, 99_999_999_999, 86_401])
async def test_a_pause_of_years_is_one_of_a_day_at_most_and_said(
    tmp_path: Path, api: BotApi, clock: ManualClock, seconds: int
) -> None:
    api.fault(TooManyRequests(seconds), chat_id=ANN)
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        await harness.bring("ann")
        await harness.deliver(DAY, step=HOUR)

        assert harness.shown(ANN) == ["ann"]
        assert harness.notices == [
            "Telegram asks for a pause of 1440 minutes in ann. Its alerts are kept and sent later."
        ]


async def test_a_group_that_is_sent_in_circles_is_paused_and_said(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    api.fault(Refuse(400, MOVED, {"migrate_to_chat_id": NEW}), chat_id=GROUP, times=1000)
    api.fault(Refuse(400, MOVED, {"migrate_to_chat_id": GROUP}), chat_id=NEW, times=1000)
    async with open_harness(tmp_path, api, {"group": GROUP}, clock) as harness:
        await harness.bring("group 1", "group 2")
        await harness.deliver(DAY, step=MINUTE)
        assert sends(api, GROUP) + sends(api, NEW) == 2
        assert await harness.states() == ["queued", "queued"]
        assert harness.notices == [
            f"Telegram sends the group {NEW} to {GROUP} and back; its alerts are kept."
        ]
        api._faults.rules.clear()
        api.add_supergroup(NEW, members={ANN: "creator"})
        await harness.app.change_outbox("retry", (1,))
        await harness.deliver(MINUTE)
        assert harness.shown(NEW) == ["group 1", "group 2"]


async def test_a_group_that_is_sent_on_for_ever_is_followed_slowly(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    for number in range(100):
        onward = {"migrate_to_chat_id": GROUP - number - 1}
        api.fault(Refuse(400, MOVED, onward), chat_id=GROUP - number)
    async with open_harness(tmp_path, api, {"group": GROUP}, clock) as harness:
        await harness.bring("group")
        await harness.deliver(HOUR, step=SECOND)

        assert len(api.calls) < 16


@pytest.mark.parametrize("is_shared", [True, False])
async def test_what_was_claimed_long_ago_is_claimed_again_where_others_may_lead_by_then(
    *, tmp_path: Path, api: BotApi, clock: ManualClock, is_shared: bool
) -> None:
    """Another node sends it as what may have arrived; a newsbell alone knows that it did not."""
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        harness.app.deliverer._is_shared = is_shared
        await harness.bring("ann: 1")
        sending = harness.app.deliverer.deliver(await harness.begin("ann"))
        clock.advance(CLAIM_HOLDS + SECOND)
        await sending
        assert sends(api, ANN) == (0 if is_shared else 1)

        await harness.deliver(MINUTE)
        assert harness.shown(ANN) == ["ann: 1"]
