"""What waits when a subscription, a stance, a chat or feeds.yaml changes: withdrawn or released.

Articles are brought with their places, so that nothing here depends on how articles are grouped.
"""

import json
from datetime import timedelta
from typing import Any

import pytest
from botapi import BotApi, Refuse, TooManyRequests
from telegram_harness import (
    ANN,
    BOB,
    FORUM,
    TOPIC,
    ArticleSpec,
    OpenHarness,
    TelegramHarness,
    ask,
    rule,
    telegram_config,
)

from bot.model.alerts import Stance
from bot.model.chat_events import (
    Change,
    EditSubscription,
    RemoveSubscription,
    Reply,
    Screen,
    SetSettings,
    SetStance,
)
from bot.model.chats import AlertOptions, ChatSettings, Urgency
from bot.service.app import App

SECOND, MINUTE, HOUR, DAY = (
    timedelta(seconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
)
QUIET = ChatSettings(quiet=(11 * 60, 18 * 60))  #: it is noon


@pytest.fixture
def opened(opened: OpenHarness) -> OpenHarness:
    """In Ann's chat, who is the operator, where a test names no others."""

    def fixed(*subscriptions: Any, **more: Any) -> Any:
        return opened(*subscriptions, **{"chats": {"ann": ANN}, "admins": [ANN], **more})

    return fixed


async def change(harness: TelegramHarness, *changes: Change, chat: int = ANN) -> None:
    """Apply changes as a button of that chat would."""
    [(number,)] = await harness.rows(
        "select id from chats where kind = 'telegram' and address = ? and topic = 0", chat
    )
    reply = Reply(changes=changes)
    await harness.app.store.chats.finish(
        number, chat, Screen("test"), reply, harness.app.clock.now()
    )
    await harness.app.subscriptions.refresh(number)
    harness.app.deliverer.wake()


async def rewrite(app: App, api: BotApi, chats: dict[str, Any], **more: Any) -> None:
    """Save feeds.yaml and take it in."""
    text = telegram_config(api, chats, **{"admins": [ANN], **more})
    app.config.path.write_text(text, encoding="utf-8")
    await app.reload()


async def with_list(
    harness: TelegramHarness, names: dict[str, list[str]] | None, *subscriptions: Any
) -> None:
    """Save feeds.yaml with these lists and take it in."""
    text = telegram_config(harness.api, {"ann": ANN}, admins=[ANN], subscriptions=subscriptions)
    data = json.loads(text)
    if names is not None:
        data["names"] = names
    harness.app.config.path.write_text(json.dumps(data), encoding="utf-8")
    await harness.app.reload()


async def number_of(harness: TelegramHarness, query: str) -> int:
    [(number,)] = await harness.rows("select max(id) from subscriptions where query = ?", query)
    return int(number)


async def shown_number(harness: TelegramHarness, query: str) -> int:
    """The number by which the chat knows a subscription."""
    [(number,)] = await harness.rows(
        "select number from chat_numbers where subscription_id = ?",
        await number_of(harness, query),
    )
    return int(number)


async def later(harness: TelegramHarness, span: timedelta = DAY) -> None:
    """Let quiet hours, digests and waits pass."""
    end = harness.clock.now() + span
    while harness.clock.now() < end:
        harness.clock.advance(min(HOUR, end - harness.clock.now()))
        await harness.app.jobs.release_pending()
        await harness.deliver(10 * SECOND, 2 * SECOND)


def titles(harness: TelegramHarness, chat: int = ANN, topic: int | None = None) -> list[str]:
    """What the messages there name of the articles of these tests."""
    lines = [
        line
        for message in harness.api.messages(chat, topic)
        for line in message.text.splitlines()
        if "zebra" in line and "code" not in line
    ]
    return [line for line in lines if any(word in line for word in ("escapes", "returns"))]


def press_newest(harness: TelegramHarness, label: str, chat: int = ANN) -> None:
    """Press the newest button with this label."""
    for message in reversed(harness.api.messages(chat)):
        for row in message.keyboard:
            for button in row:
                if button["text"] == label:
                    harness.api.press(chat, chat, message.message_id, button["callback_data"])
                    return
    raise AssertionError(label)


async def press(harness: TelegramHarness, *labels: str) -> None:
    for label in labels:
        press_newest(harness, label)
        await harness.listen()
        await harness.deliver(10 * SECOND, 2 * SECOND)


async def waiting(harness: TelegramHarness, kind: str) -> None:
    """Let eight alerts of Ann's subscription wait for this."""
    options = {"digest": "urgency:digest ", "pending": "publishers:2 or_after:3h "}
    await ask(harness, f"/subscribe {options.get(kind, '')}zebra")
    if kind == "quiet":
        await change(harness, SetSettings(QUIET))
    elif kind == "queue":
        harness.api.fault(TooManyRequests(7200))
        await harness.add(ArticleSpec("zebra escapes first"))
        await harness.deliver()
    await harness.add(*(ArticleSpec(f"zebra escapes {number}") for number in range(8)))
    await harness.deliver(10 * SECOND, 2 * SECOND)
    assert titles(harness) == []


KINDS = ["quiet", "digest", "queue", "pending"]


# Deletions and pauses


@pytest.mark.parametrize("kind", KINDS)
async def test_what_waits_for_a_deleted_subscription_is_never_sent(
    opened: OpenHarness, kind: str
) -> None:
    async with opened() as harness:
        await waiting(harness, kind)
        number = await shown_number(harness, "zebra")
        harness.api.say(ANN, ANN, f"/unsubscribe {number}")
        await harness.listen()
        await later(harness, 2 * DAY)
        assert titles(harness) == []
        assert (
            await harness.rows("select id from outbox where state in ('queued', 'sending')") == []
        )


@pytest.mark.parametrize("kind", KINDS)
async def test_undo_brings_back_what_waited_and_sends_it_once(
    opened: OpenHarness, kind: str
) -> None:
    async with opened() as harness:
        await waiting(harness, kind)
        number = await number_of(harness, "zebra")
        await change(harness, RemoveSubscription(number))
        await later(harness, HOUR)
        await change(harness, RemoveSubscription(number, undo=True))
        await later(harness, 2 * DAY)
        count = 9 if kind == "queue" else 8
        assert len(titles(harness)) == len(set(titles(harness))) == count


@pytest.mark.parametrize("kind", KINDS)
async def test_a_pause_holds_what_waits_and_resuming_sends_it_once(
    opened: OpenHarness, kind: str
) -> None:
    async with opened() as harness:
        await waiting(harness, kind)
        number = await number_of(harness, "zebra")
        await change(harness, EditSubscription(number, paused=True))
        await later(harness, 30 * HOUR)
        assert titles(harness) == []
        await change(harness, EditSubscription(number, paused=False))
        await later(harness, 2 * DAY)
        count = 9 if kind == "queue" else 8
        assert len(titles(harness)) == len(set(titles(harness))) == count


async def test_what_waited_before_a_long_pause_is_old_news(opened: OpenHarness) -> None:
    async with opened() as harness:
        await waiting(harness, "quiet")
        number = await number_of(harness, "zebra")
        await change(harness, EditSubscription(number, paused=True))
        await later(harness, 3 * DAY)
        await change(harness, EditSubscription(number, paused=False))
        await later(harness)
        assert titles(harness) == []


async def test_another_subscription_that_matches_keeps_the_alert(opened: OpenHarness) -> None:
    async with opened() as harness:
        await waiting(harness, "quiet")
        await ask(harness, "/subscribe escapes")
        await harness.add(ArticleSpec("zebra escapes twice"))
        await change(harness, RemoveSubscription(await number_of(harness, "zebra")))
        await later(harness)
        assert titles(harness) == ["zebra escapes twice"]


async def test_the_urgency_of_a_deleted_subscription_goes_with_it(opened: OpenHarness) -> None:
    async with opened() as harness:
        await ask(harness, "/subscribe urgency:digest escapes")
        await ask(harness, "/subscribe zebra")
        await change(harness, SetSettings(QUIET))
        await harness.add(ArticleSpec("zebra escapes"))
        await change(harness, RemoveSubscription(await number_of(harness, "zebra")))
        await later(harness, 12 * HOUR)
        assert titles(harness) == []
        await later(harness)
        assert len(titles(harness)) == 1


async def test_an_alert_that_failed_while_its_subscription_was_deleted_is_not_repeated(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        await ask(harness, "/subscribe zebra")
        await harness.add(ArticleSpec("zebra escapes"))
        begun = await harness.begin("ann")
        await change(harness, RemoveSubscription(await number_of(harness, "zebra")))
        harness.api.fault(TooManyRequests(30))
        await harness.finish(begun)
        await later(harness)
        assert titles(harness) == []


async def test_a_dead_alert_of_a_deleted_subscription_is_not_retried(opened: OpenHarness) -> None:
    async with opened() as harness:
        await ask(harness, "/subscribe zebra")
        harness.api.fault(Refuse(400, "Bad Request: can't parse entities: something"), times=2)
        await harness.add(ArticleSpec("zebra escapes"))
        await harness.deliver(10 * SECOND)
        assert await harness.rows("select state from outbox where kind = 'alert'") == [("dead",)]
        await change(harness, RemoveSubscription(await number_of(harness, "zebra")))
        assert await harness.app.change_outbox("retry", ()) == 0
        await later(harness)
        assert titles(harness) == []
        await change(harness, RemoveSubscription(await number_of(harness, "zebra"), undo=True))
        assert await harness.app.change_outbox("retry", ()) == 1
        await later(harness)
        assert len(titles(harness)) == 1


async def test_an_alert_decided_before_a_deletion_and_stored_after_it_is_not_sent(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        await ask(harness, "/subscribe zebra")
        commits, _ = await harness.decide(ArticleSpec("zebra escapes"))
        await change(harness, RemoveSubscription(await number_of(harness, "zebra")))
        await harness.app.store.polls.commit(commits, harness.clock.now(), ())
        await later(harness)
        assert titles(harness) == []


async def test_a_second_alert_of_a_paused_subscription_waits_for_its_return(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        await ask(harness, "/subscribe alert_again_at:2 zebra")
        [story] = await harness.add(ArticleSpec("zebra escapes"))
        await harness.deliver(10 * SECOND, 2 * SECOND)
        await change(harness, SetSettings(QUIET))
        await harness.app.deliverer.run_once(timedelta(0))
        await harness.add(ArticleSpec("quiet", (story, story, story)))
        number = await number_of(harness, "zebra")
        await change(harness, EditSubscription(number, paused=True))
        await later(harness)
        again = "select state from outbox where kind = 'again'"
        assert await harness.rows(again) == [("dropped",)]
        await change(harness, EditSubscription(number, paused=False))
        await later(harness)
        assert await harness.rows(again) == [("sent",)]


@pytest.mark.parametrize("how", ["removed", "sent elsewhere"])
async def test_what_waits_for_a_subscription_of_the_file_ends_with_it(
    opened: OpenHarness, how: str
) -> None:
    chats: dict[str, Any] = {"ann": ANN, "bob": BOB}
    before = rule("Zebra", "zebra", urgency="digest")
    async with opened(before, chats=chats) as harness:
        await harness.add(ArticleSpec("zebra escapes"))
        after = {"removed": [], "sent elsewhere": [rule("Zebra", "zebra", to=("bob",))]}
        await rewrite(harness.app, harness.api, chats, subscriptions=after[how])
        await later(harness)
        assert titles(harness) == []


async def test_a_subscription_that_returns_to_the_file_brings_back_what_waited(
    opened: OpenHarness,
) -> None:
    zebra, chats = rule("Zebra", "zebra", urgency="digest"), {"ann": ANN}
    async with opened(zebra) as harness:
        await harness.add(ArticleSpec("zebra escapes"))
        await rewrite(harness.app, harness.api, chats, subscriptions=[])
        await later(harness)
        await rewrite(harness.app, harness.api, chats, subscriptions=[zebra])
        await later(harness)
        assert len(titles(harness)) == 1
        assert len(await harness.rows("select id from subscriptions")) == 1


# A query that reads otherwise


async def test_an_edited_query_sends_only_what_it_still_matches(opened: OpenHarness) -> None:
    async with opened() as harness:
        await waiting(harness, "quiet")
        await harness.add(ArticleSpec("zebra escapes from Berlin"))
        number = await number_of(harness, "zebra")
        await change(harness, EditSubscription(number, query="Berlin", name="Berlin"))
        await later(harness)
        assert titles(harness) == ["zebra escapes from Berlin"]


async def test_a_query_edited_in_a_pause_does_not_bring_back_what_the_old_one_matched(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        await waiting(harness, "quiet")
        number = await number_of(harness, "zebra")
        await change(harness, EditSubscription(number, paused=True))
        await change(harness, EditSubscription(number, query="Berlin", name="Berlin"))
        await change(harness, EditSubscription(number, paused=False))
        await later(harness)
        assert titles(harness) == []


async def test_feeds_that_are_limited_limit_what_waits(opened: OpenHarness) -> None:
    async with opened() as harness:
        await waiting(harness, "digest")
        number = await number_of(harness, "zebra")
        await change(harness, EditSubscription(number, feeds=("Invented Wire",)))
        await later(harness, HOUR)
        assert len(await harness.rows("select 1 from outbox where state = 'queued'")) == 8
        await change(harness, EditSubscription(number, feeds=("Coastal Post",)))
        await later(harness)
        assert titles(harness) == []


async def test_a_list_that_changes_changes_what_waits(opened: OpenHarness) -> None:
    animals = rule("Animals", "@animals", urgency="digest")
    async with opened() as harness:
        await with_list(harness, {"animals": ["zebra", "lion"]}, animals)
        await harness.add(ArticleSpec("zebra escapes"), ArticleSpec("lion and zebra returns"))
        await with_list(harness, {"animals": ["lion"]}, animals)
        await later(harness)
        assert len(titles(harness)) == 1
        assert "lion" in titles(harness)[0]


# Lists that are gone


async def subscribed_to_animals(harness: TelegramHarness) -> int:
    await with_list(harness, {"animals": ["zebra"]})
    await ask(harness, "/subscribe @animals")
    return await number_of(harness, "@animals")


@pytest.mark.parametrize("way", ["Resume", "Undo"])
async def test_a_subscription_to_a_list_that_is_gone_does_not_come_back(
    opened: OpenHarness, way: str
) -> None:
    async with opened() as harness:
        number = await subscribed_to_animals(harness)
        await ask(harness, "/subscriptions")
        await press(harness, f"{number}", "Pause" if way == "Resume" else "Delete")
        await with_list(harness, None)
        await press(harness, way)
        assert "animals" in harness.api.messages(ANN)[-1].text
        assert (
            await harness.rows(
                "select 1 from subscriptions where paused = 0 and removed_at is null"
            )
            == []
        )
        await with_list(harness, None, rule("Lions", "lion"))
        assert [item.name for item in await harness.app.store.polls.subscriptions()] == ["Lions"]


async def test_an_edit_that_was_tried_before_its_list_went_is_not_saved(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        await with_list(harness, {"animals": ["zebra"]})
        await ask(harness, "/subscribe lion")
        await ask(harness, "/subscriptions")
        await press(harness, f"{await shown_number(harness, 'lion')}", "Edit query")
        await ask(harness, "@animals")
        await with_list(harness, None)
        await press(harness, "Save")
        assert await harness.rows("select query from subscriptions") == [("lion",)]


async def test_a_query_that_is_broken_already_blocks_no_edit_of_the_file(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        number = await subscribed_to_animals(harness)
        await change(harness, EditSubscription(number, paused=True))
        await with_list(harness, None)
        await change(harness, EditSubscription(number, paused=False))  # by whatever way
        await with_list(harness, None, rule("Lions", "lion"))
        names = [item.name for item in await harness.app.store.polls.subscriptions()]
        assert "Lions" in names


async def test_a_list_that_a_chat_uses_cannot_be_taken_out_of_the_file(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        await subscribed_to_animals(harness)
        await with_list(harness, None, rule("Lions", "lion"))
        assert [item.name for item in await harness.app.store.polls.subscriptions()] == ["@animals"]


# Pending alerts


PENDING = AlertOptions(publishers=3)


async def pending(harness: TelegramHarness) -> int:
    await ask(harness, "/subscribe publishers:3 zebra")
    [story] = await harness.add(ArticleSpec("zebra escapes"))
    await harness.add(ArticleSpec("quiet", (story, story, story)))
    await later(harness, HOUR)
    assert titles(harness) == []
    return await number_of(harness, "zebra")


@pytest.mark.parametrize("publishers", [1, 2])
async def test_publishers_that_are_fewer_release_what_is_pending(
    opened: OpenHarness, publishers: int
) -> None:
    async with opened() as harness:
        number = await pending(harness)
        await change(harness, EditSubscription(number, options=AlertOptions(publishers=publishers)))
        await harness.deliver(10 * SECOND, 2 * SECOND)
        assert titles(harness) == ["zebra escapes"]


async def test_a_wait_that_is_set_afterwards_counts_from_the_first_match(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        number = await pending(harness)
        options = AlertOptions(publishers=3, or_after=3 * HOUR)
        await change(harness, EditSubscription(number, options=options))
        await later(harness, HOUR)
        assert titles(harness) == []
        await later(harness, HOUR)
        assert titles(harness) == ["zebra escapes"]


@pytest.mark.parametrize("is_looked_at_again", [False, True])
async def test_the_subscription_whose_wait_is_over_decides_that_an_alert_is_for_the_digest(
    opened: OpenHarness, is_looked_at_again: bool
) -> None:
    soon = rule("Soon", "zebra", publishers=2, or_after="1h", urgency="digest")
    late = rule("Late", "zebra", publishers=3, or_after="5h")
    async with opened(soon, late) as harness:
        [story] = await harness.add(ArticleSpec("zebra escapes"))
        await later(harness, HOUR)
        assert await harness.rows("select held from alerts") == [(0,)]
        if is_looked_at_again:
            await change(harness, SetStance(story, None))
        await later(harness, 3 * HOUR)
        assert titles(harness) == []


@pytest.mark.parametrize("joins", ["at once", "by another article", "by its options"])
@pytest.mark.parametrize(
    ("first", "second"), [("digest", "normal"), ("digest", "breaking"), ("normal", "breaking")]
)
async def test_what_waits_for_a_digest_or_in_quiet_hours_rises_when_a_more_urgent_wait_is_over(
    opened: OpenHarness, first: str, second: str, joins: str
) -> None:
    query = "returns" if joins == "by another article" else "zebra"
    urgent = AlertOptions(Urgency(second), 3, 3 * HOUR)
    async with opened(rule("First", "zebra", urgency=first)) as harness:
        wait = "" if joins == "by its options" else " or_after:3h"
        await ask(harness, f"/subscribe publishers:3{wait} urgency:{second} {query}")
        if second == "breaking":
            await change(harness, SetSettings(QUIET))
            await harness.deliver()
        [story] = await harness.add(ArticleSpec("zebra escapes"))
        await harness.deliver()
        if joins == "by another article":
            await harness.add(ArticleSpec("zebra returns", (story, story, story)))
        elif joins == "by its options":
            number = await number_of(harness, query)
            await change(harness, EditSubscription(number, options=urgent))
        await later(harness, 3 * HOUR - MINUTE)
        assert titles(harness) == []
        await later(harness, 2 * MINUTE)
        assert len(titles(harness)) == 1
        await later(harness)
        assert len(titles(harness)) == 1


async def test_a_query_that_no_longer_matches_ends_no_wait_of_another(opened: OpenHarness) -> None:
    patient = rule("Patient", "zebra", publishers=3, or_after="5h")
    async with opened(patient) as harness:
        await ask(harness, "/subscribe publishers:2 or_after:1h escapes")
        await harness.add(ArticleSpec("zebra escapes"))
        number = await number_of(harness, "escapes")
        await change(harness, EditSubscription(number, query="returns"))
        await later(harness, 4 * HOUR)
        assert titles(harness) == []
        await later(harness, HOUR)
        assert len(titles(harness)) == 1


async def test_publishers_that_are_more_hold_what_waits(opened: OpenHarness) -> None:
    async with opened() as harness:
        await waiting(harness, "quiet")
        number = await number_of(harness, "zebra")
        await change(harness, EditSubscription(number, options=AlertOptions(publishers=2)))
        await later(harness)
        assert titles(harness) == []


@pytest.mark.parametrize("change_of", ["publishers", "name", "urgency"])
async def test_what_is_pending_survives_a_change_of_the_file(
    opened: OpenHarness, change_of: str
) -> None:
    before = rule("Zebra", "zebra", publishers=2, or_after="2h")
    after = {
        "publishers": rule("Zebra", "zebra"),
        "name": rule("Stripes", "zebra", publishers=2, or_after="2h"),
        "urgency": rule("Zebra", "zebra", publishers=2, or_after="2h", urgency="breaking"),
    }
    async with opened(before) as harness:
        await harness.add(ArticleSpec("zebra escapes"))
        chats = {"ann": ANN}
        await rewrite(harness.app, harness.api, chats, subscriptions=[after[change_of]])
        await later(harness, 3 * HOUR)
        assert len(titles(harness)) == 1
        assert len(await harness.rows("select id from subscriptions")) == 1


async def test_a_due_alert_of_a_paused_subscription_goes_out_when_that_is_resumed(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        await waiting(harness, "pending")
        number = await number_of(harness, "zebra")
        await change(harness, EditSubscription(number, paused=True))
        await later(harness, 6 * HOUR)
        assert titles(harness) == []
        await change(harness, EditSubscription(number, paused=False))
        await later(harness, 3 * HOUR)
        assert len(titles(harness)) == 8


# Stances


@pytest.mark.parametrize("kind", KINDS)
async def test_a_mute_that_is_undone_gives_back_what_waited(opened: OpenHarness, kind: str) -> None:
    async with opened() as harness:
        await waiting(harness, kind)
        [(story,)] = await harness.rows("select max(story_id) from alerts")
        await change(harness, SetStance(story, Stance.MUTE))
        await later(harness, HOUR)
        await change(harness, SetStance(story, None))
        await later(harness, 2 * DAY)
        count = 9 if kind == "queue" else 8
        assert len(titles(harness)) == len(set(titles(harness))) == count


async def test_what_waits_only_because_a_storyline_was_followed_ends_with_that(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        await ask(harness, "/subscribe lion")
        [story] = await harness.add(ArticleSpec("lion sleeps"))
        await harness.deliver(10 * SECOND, 2 * SECOND)
        await change(harness, SetStance(story, Stance.FOLLOW), SetSettings(QUIET))
        await harness.deliver()
        await harness.add(ArticleSpec("zebra escapes", (0, 0, story)))
        await change(harness, SetStance(story, None))
        await later(harness)
        assert titles(harness) == []


# Groups that return


async def test_the_topics_of_a_group_that_returns_to_the_file_are_open_at_once(
    opened: OpenHarness,
) -> None:
    chats: dict[str, Any] = {"ann": ANN, "forum": FORUM}
    async with opened(chats=chats) as harness:
        harness.api.say(FORUM, ANN, "/subscribe zebra", TOPIC)
        await harness.listen()
        await rewrite(harness.app, harness.api, {"ann": ANN}, subscriptions=[])
        await harness.add(ArticleSpec("zebra escapes unseen"))
        await rewrite(harness.app, harness.api, chats, subscriptions=[])
        await harness.add(ArticleSpec("zebra returns"))
        await later(harness)
        assert titles(harness, FORUM, TOPIC) == ["zebra returns"]


async def test_a_pending_alert_that_came_due_while_its_group_was_out_goes_out_when_it_returns(
    opened: OpenHarness,
) -> None:
    chats: dict[str, Any] = {"ann": ANN, "forum": FORUM}
    async with opened(chats=chats) as harness:
        harness.api.say(FORUM, ANN, "/subscribe publishers:2 or_after:1h zebra", TOPIC)
        await harness.listen()
        await harness.add(ArticleSpec("zebra escapes"))
        await rewrite(harness.app, harness.api, {"ann": ANN}, subscriptions=[])
        await later(harness, 3 * HOUR)
        assert titles(harness, FORUM, TOPIC) == []
        await rewrite(harness.app, harness.api, chats, subscriptions=[])
        await later(harness, HOUR)
        assert len(titles(harness, FORUM, TOPIC)) == 1


# Undo, equal subscriptions, urgency


async def test_undo_does_not_pass_the_quota(opened: OpenHarness) -> None:
    async with opened(quotas={"subscriptions": 1}) as harness:
        await ask(harness, "/subscribe zebra")
        harness.api.say(ANN, ANN, f"/unsubscribe {await shown_number(harness, 'zebra')}")
        await harness.listen()
        await harness.deliver(10 * SECOND, 2 * SECOND)
        await ask(harness, "/subscribe lion")
        await press(harness, "Undo")
        assert "at most 1 subscription" in harness.api.messages(ANN)[-1].text
        assert await harness.rows("select query from subscriptions where removed_at is null") == [
            ("lion",)
        ]


async def test_undo_and_edits_make_no_second_subscription_that_is_the_same(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        await ask(harness, "/subscribe zebra")
        harness.api.say(ANN, ANN, f"/unsubscribe {await shown_number(harness, 'zebra')}")
        await harness.listen()
        await harness.deliver(10 * SECOND, 2 * SECOND)
        await ask(harness, "/subscribe zebra")
        await press(harness, "Undo")
        assert "already has this subscription" in harness.api.messages(ANN)[-1].text
        await ask(harness, "/subscribe lion")
        await ask(harness, "/subscriptions")
        await press(harness, f"{await shown_number(harness, 'lion')}", "Edit query")
        await ask(harness, "zebra")
        await press(harness, "Save")
        assert "already has this subscription" in harness.api.messages(ANN)[-1].text
        assert sorted(
            await harness.rows("select query from subscriptions where removed_at is null")
        ) == [("lion",), ("zebra",)]


@pytest.mark.parametrize("kind", ["new story", "further article", "changed options"])
async def test_a_storyline_that_is_followed_is_not_breaking_before_enough_publishers_have_it(
    opened: OpenHarness, kind: str
) -> None:
    at_once, patient = (AlertOptions(Urgency.BREAKING, count) for count in (1, 3))
    async with opened() as harness:
        await ask(harness, "/subscribe lion")
        await ask(harness, "/subscribe urgency:breaking publishers:3 zebra")
        number = await number_of(harness, "zebra")
        [story] = await harness.add(ArticleSpec("lion sleeps"))
        await harness.deliver(10 * SECOND, 2 * SECOND)
        await change(harness, SetSettings(QUIET))
        if kind == "further article":
            [zebra] = await harness.add(ArticleSpec("zebra escapes", (0, 0, story)))
        await change(harness, SetStance(story, Stance.FOLLOW))
        if kind == "further article":
            await harness.add(ArticleSpec("zebra escapes too", (zebra, zebra, story)))
        else:
            if kind == "changed options":
                await change(harness, EditSubscription(number, options=at_once))
            await harness.add(ArticleSpec("zebra escapes", (0, 0, story)))
        if kind == "changed options":
            await change(harness, EditSubscription(number, options=patient))
        await later(harness, 5 * HOUR)
        assert titles(harness) == []
        await later(harness, HOUR)
        assert titles(harness) == ["zebra escapes"]


@pytest.mark.parametrize("way", ["button", "file"])
async def test_what_waits_for_a_digest_goes_out_when_the_subscription_becomes_normal(
    opened: OpenHarness, way: str
) -> None:
    declared = [rule("Zebra", "zebra", urgency="digest")] if way == "file" else []
    async with opened(*declared) as harness:
        if way == "file":
            await harness.add(ArticleSpec("zebra escapes"))
            chats = {"ann": ANN}
            await rewrite(harness.app, harness.api, chats, subscriptions=[rule("Zebra", "zebra")])
        else:
            await waiting(harness, "digest")
            number = await number_of(harness, "zebra")
            await change(harness, EditSubscription(number, options=AlertOptions(Urgency.NORMAL)))
        await harness.deliver(MINUTE, 2 * SECOND)
        assert len(titles(harness)) == (1 if way == "file" else 8)
