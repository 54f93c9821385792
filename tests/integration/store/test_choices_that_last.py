"""What chats chose goes on when feeds.yaml or a setting changes: feeds, topics, digests."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from archive_harness import DECLARED, WIRE, ArchiveHarness
from botapi import BotApi
from support import NOON, ManualClock
from telegram_harness import ANN, FORUM, TOPIC, open_harness

from bot.model.chat_events import Command, HandledUpdate, Reply, SetSettings
from bot.model.chats import ChatSettings, Developments
from bot.model.stories import Grouping

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def test_a_feed_that_a_chat_chose_by_name_is_followed_under_its_new_name(tmp_path: Path) -> None:
    harness = ArchiveHarness(tmp_path)
    try:
        insert = (
            "insert into subscriptions (name, query, feeds, created_at) values ('x', 'x', ?, '')"
        )
        harness.rows(insert, '["Harbour Wire", "sea"]')
        named = DECLARED.feeds[1]
        renamed = replace(DECLARED, feeds=(replace(WIRE, name="The Wire"), named))
        harness.run(harness.store.config.sync(renamed, NOON))
        chosen = "select feeds from subscriptions where declared = 0"
        assert harness.rows(chosen) == [('["The Wire", "sea"]',)]

        # Where the former name is another feed's now, nobody can say which was meant.
        other = replace(named, name="The Wire")
        swapped = replace(DECLARED, feeds=(replace(WIRE, name="Again"), other))
        harness.run(harness.store.config.sync(swapped, NOON))
        assert harness.rows(chosen) == [('["The Wire", "sea"]',)]
    finally:
        harness.end()


def test_other_digest_times_bring_no_digest_before_the_next_of_them(tmp_path: Path) -> None:
    harness = ArchiveHarness(tmp_path)
    chats = harness.store.chats

    def change(number: int, **settings: Any) -> list[tuple[Any, ...]]:
        chat = harness.run(chats.chat_at(7, 0))
        update = Command(update_id=number, address=7, user_id=7, name="/settings")
        reply = Reply(changes=(SetSettings(ChatSettings(**settings)),))
        harness.run(chats.answer(HandledUpdate(update, chat, reply), NOON))
        return harness.rows("select digested_at from chats where address = 7")

    try:
        assert change(1, digest_at=(480,)) == [(None,)]
        harness.rows("update chats set digested_at = 'before' where address = 7")
        assert change(2, developments=Developments.EDIT) == [("before",)]
        assert change(3, digest_at=(480,)) == [("before",)]
        assert change(4, digest_at=(480, 720)) == [("2026-03-02T12:00:00.000000+00:00",)]
        harness.rows("update chats set digested_at = 'before' where address = 7")
        assert change(5, zone="Europe/Kyiv") == [("2026-03-02T12:00:00.000000+00:00",)]
    finally:
        harness.end()


async def test_what_the_file_says_of_a_group_holds_for_its_topics(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with BotApi() as api:
        api.add_private(ANN, "Ann")
        api.add_supergroup(FORUM, "Desks", members={ANN: "administrator"}, forum=True)
        api.add_topic(FORUM, TOPIC, "Harbour desk")
        for level in ("strict", None):
            levels = {"desks": level} if level else {}
            async with open_harness(
                tmp_path, api, {"desks": FORUM}, clock, subscriptions=[], levels=levels
            ) as harness:
                api.say(FORUM, ANN, "/settings", TOPIC)
                await harness.listen()
                await harness.deliver(5 * SECOND, SECOND)
                topic = await harness.app.store.chats.chat_at(FORUM, TOPIC)
                assert topic is not None
                assert topic.grouping is (Grouping.STRICT if level else None)
