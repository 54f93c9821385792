"""An article of a sent alert that is withdrawn, corrected or carried on: what its chat hears.

Articles are brought with their places, so that nothing here depends on how articles are grouped.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botapi import BotApi, Message, Refuse
from support import ManualClock
from telegram_harness import (
    ANN,
    ArticleSpec,
    OpenHarness,
    TelegramHarness,
    ask,
    open_harness,
    rule,
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
from bot.model.chats import ChatSettings, Updates
from bot.model.delivery import DeliveryState
from bot.model.retention import Retention
from bot.model.stories import Grouping, Merge

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
QUIET = ChatSettings(quiet=(11 * 60, 18 * 60))  #: it is noon
LOUD = ChatSettings(quiet=(0, 0))
BLAST = "Blast at the tram depot kills 12"
CORRECTED = "CORRECTED: Blast at the tram depot kills 2"


@pytest.fixture
def opened(opened: OpenHarness) -> OpenHarness:
    """Ann, who asks for trams, unless a test names other subscriptions."""

    def fixed(*subscriptions: Any, **more: Any) -> Any:
        rules = subscriptions or (rule("Tram", "tram"),)
        return opened(*rules, **{"chats": {"ann": ANN}, "admins": [ANN], **more})

    return fixed


async def change(harness: TelegramHarness, *changes: Change) -> None:
    """Apply changes as a button of Ann's chat would."""
    [(number,)] = await harness.rows("select id from chats where address = ?", ANN)
    reply = Reply(changes=changes)
    await harness.app.store.chats.finish(
        number, ANN, Screen("test"), reply, harness.app.clock.now()
    )
    await harness.app.subscriptions.refresh(number)
    harness.app.deliverer.wake()


async def choose(harness: TelegramHarness, choice: Updates) -> None:
    await change(harness, SetSettings(ChatSettings(updates=choice)))


async def blast(harness: TelegramHarness, **more: Any) -> int:
    """A story opens, and its alert goes out."""
    [number] = await harness.add(ArticleSpec(BLAST, **more))
    await harness.deliver(5 * SECOND)
    return number


async def soon(harness: TelegramHarness) -> None:
    await harness.deliver(3 * MINUTE, 5 * SECOND)


def messages(harness: TelegramHarness) -> list[Message]:
    return harness.api.messages(ANN)


def lines(message: Message) -> list[str]:
    return message.text.replace("\u2068", "").replace("\u2069", "").split("\n")


async def fates(harness: TelegramHarness) -> list[tuple[Any, ...]]:
    return await harness.rows("select kind, fate from update_records order by id")


async def test_by_default_the_message_alone_shows_a_withdrawal(opened: OpenHarness) -> None:
    async with opened() as harness:
        await blast(harness)
        await harness.take_back(BLAST)
        await soon(harness)
        [alert] = messages(harness)
        assert "⚠ withdrawn by the publisher" in lines(alert)
        assert await fates(harness) == [("withdrawn", "shown")]


async def test_a_note_is_a_silent_reply_that_says_what_changed(opened: OpenHarness) -> None:
    async with opened() as harness:
        await choose(harness, Updates.NOTE)
        await blast(harness, summary="Twelve people died.")
        await harness.revise(BLAST, CORRECTED, "Two people died.")
        await soon(harness)
        alert, note = messages(harness)
        assert (note.silent, note.reply_to) == (True, alert.message_id)
        assert lines(note) == [
            "⚠ corrected by the publisher: Blast at the tram depot kills 2",
            "Invented Wire · 12:00",
            f"✎ before: {BLAST}",
            "",
            "Two people died.",
        ]
        assert "⚠ corrected by the publisher" in lines(alert)
        assert await fates(harness) == [("corrected", "told")]


async def test_an_alert_is_a_reply_with_a_sound(opened: OpenHarness) -> None:
    async with opened() as harness:
        await choose(harness, Updates.ALERT)
        await blast(harness)
        await harness.take_back(BLAST)
        await soon(harness)
        alert, reply = messages(harness)
        assert (reply.silent, reply.reply_to) == (False, alert.message_id)
        assert lines(reply) == [
            f"⚠ withdrawn by the publisher: {BLAST}", "Invented Wire · 12:00", "", "🔔 Tram",
        ]  # fmt: skip
        assert "⚠ withdrawn by the publisher" in lines(alert)


async def test_a_subscription_chooses_for_itself_and_the_loudest_counts(
    opened: OpenHarness,
) -> None:
    rules = (rule("Quiet", "tram", updates="edit"), rule("Loud", "depot", updates="alert"))
    async with opened(*rules) as harness:
        await choose(harness, Updates.NOTE)
        await blast(harness)
        await harness.take_back(BLAST)
        await soon(harness)
        assert [message.silent for message in messages(harness)] == [False, False]


async def test_a_chat_may_want_edits_alone_of_one_subscription(opened: OpenHarness) -> None:
    async with opened(rule("Quiet", "tram", updates="edit")) as harness:
        await choose(harness, Updates.ALERT)
        await blast(harness)
        await harness.take_back(BLAST)
        await soon(harness)
        assert len(messages(harness)) == 1


@pytest.mark.parametrize("choice", [Updates.NOTE, Updates.ALERT])
async def test_a_withdrawal_is_told_once_however_often_it_is_said(
    opened: OpenHarness, choice: Updates
) -> None:
    async with opened() as harness:
        await choose(harness, choice)
        await blast(harness)
        withdrawn = f"WITHDRAWN: {BLAST}"
        await harness.revise(BLAST, withdrawn)
        await soon(harness)
        await harness.take_back(withdrawn)
        await harness.revise(withdrawn, f"RETRACTED: {BLAST}", "This article has been retracted.")
        await soon(harness)
        assert len(messages(harness)) == 2
        assert await fates(harness) == [("withdrawn", "told")]


async def test_a_correction_of_a_correction_is_told_where_its_words_differ(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        await choose(harness, Updates.NOTE)
        await blast(harness)
        for title in (CORRECTED, CORRECTED.title(), f"{CORRECTED[:-1]}3", CORRECTED):
            title_before = (await harness.rows("select title from entries"))[0][0]
            await harness.revise(title_before, title)
            await soon(harness)
        assert [lines(message)[0][-1] for message in messages(harness)[1:]] == ["2", "3"]


async def test_other_words_that_correct_nothing_change_the_message_alone(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        await choose(harness, Updates.ALERT)
        await blast(harness)
        await harness.revise(BLAST, "Blast at the tram depot kills 14", "Fourteen people died.")
        await soon(harness)
        assert len(messages(harness)) == 1
        assert await fates(harness) == []


async def test_a_correction_in_the_text_is_told_with_its_words(opened: OpenHarness) -> None:
    async with opened() as harness:
        await choose(harness, Updates.NOTE)
        await blast(harness, summary="Twelve people died.")
        text = "Two people died. Correction: An earlier version gave another number."
        await harness.revise(BLAST, BLAST, text)
        await soon(harness)
        alert, note = messages(harness)
        assert lines(note)[-1] == "Correction: An earlier version gave another number."
        assert "⚠ corrected by the publisher" in lines(alert)


async def test_an_update_of_an_incident_is_told_by_its_newest_entry(opened: OpenHarness) -> None:
    first = "Mar 2, 11:40 UTC Investigating - Calls to the tram API fail."
    then = f"Mar 2, 11:58 UTC Monitoring - A fix is in place. {first}"
    last = f"Mar 2, 12:03 UTC Resolved - All calls work again. {then}"
    title = "Tram API errors"
    async with opened() as harness:
        await choose(harness, Updates.NOTE)
        await harness.add(ArticleSpec(title, summary=first))
        await harness.deliver(5 * SECOND)
        for text in (then, then, last):
            await harness.revise(title, title, text)
            await soon(harness)
        _alert, second, third = messages(harness)
        assert lines(second)[0] == f"↻ Monitoring: {title}"
        assert lines(second)[-1] == "A fix is in place."
        assert lines(third)[0] == f"↻ Resolved: {title}"
        assert await fates(harness) == [("progress", "told")] * 2


async def test_what_was_not_sent_yet_shows_it_by_itself(opened: OpenHarness) -> None:
    async with opened() as harness:
        await choose(harness, Updates.ALERT)
        await change(harness, SetSettings(QUIET))
        await blast(harness)
        await harness.take_back(BLAST)
        await harness.deliver(7 * HOUR, 5 * MINUTE)
        [alert] = messages(harness)
        assert "⚠ withdrawn by the publisher" in lines(alert)
        assert await fates(harness) == [("withdrawn", "unsent")]


async def test_an_alert_that_waits_for_publishers_gets_no_reply(opened: OpenHarness) -> None:
    async with opened(rule("Two", "tram", publishers=2, updates="alert")) as harness:
        story = await blast(harness)
        await harness.take_back(BLAST)
        await soon(harness)
        assert messages(harness) == []
        await harness.add(ArticleSpec("Tram depot blast", story_ids=(story, story, story)))
        await soon(harness)
        [alert] = messages(harness)
        assert "⚠ withdrawn by the publisher" in lines(alert)


@pytest.mark.parametrize("choice", [Updates.NOTE, Updates.ALERT])
async def test_replies_keep_to_quiet_hours_and_are_lines_of_their_own_afterwards(
    opened: OpenHarness, choice: Updates
) -> None:
    async with opened() as harness:
        await choose(harness, choice)
        await blast(harness)
        await change(harness, SetSettings(QUIET))
        await harness.take_back(BLAST)
        await harness.add(ArticleSpec("Another tram story"))
        await harness.deliver(HOUR, MINUTE)
        assert len(messages(harness)) == 1
        await harness.deliver(6 * HOUR, 5 * MINUTE)
        catch_up = lines(messages(harness)[1])
        assert f"⚠ {BLAST}" in catch_up
        assert any("withdrawn by the publisher" in line for line in catch_up)
        assert "• Another tram story" in catch_up


async def test_an_alert_of_a_breaking_subscription_comes_in_quiet_hours(
    opened: OpenHarness,
) -> None:
    async with opened(rule("Tram", "tram", updates="alert", urgency="breaking")) as harness:
        await change(harness, SetSettings(QUIET))
        await blast(harness)
        await harness.take_back(BLAST)
        await soon(harness)
        assert [message.silent for message in messages(harness)] == [False, False]


async def test_a_note_of_a_breaking_subscription_waits_for_the_end_of_quiet_hours(
    opened: OpenHarness,
) -> None:
    async with opened(rule("Tram", "tram", updates="note", urgency="breaking")) as harness:
        await change(harness, SetSettings(QUIET))
        await blast(harness)
        await harness.take_back(BLAST)
        await harness.deliver(HOUR, MINUTE)
        assert len(messages(harness)) == 1
        await harness.deliver(6 * HOUR, 5 * MINUTE)
        assert messages(harness)[1].silent


async def test_a_reply_of_a_digest_subscription_waits_for_the_digest(opened: OpenHarness) -> None:
    async with opened(rule("Tram", "tram", urgency="digest", updates="alert")) as harness:
        await harness.add(ArticleSpec(BLAST), ArticleSpec("Another tram story"))
        await harness.deliver(21 * HOUR, 15 * MINUTE)
        [digest] = messages(harness)
        assert f"• {BLAST}" in lines(digest)
        await harness.take_back(BLAST)
        await harness.deliver(HOUR, MINUTE)
        assert len(messages(harness)) == 1
        assert any("withdrawn by the publisher" in line for line in lines(messages(harness)[0]))
        await harness.deliver(23 * HOUR, 15 * MINUTE)
        _first, second = messages(harness)
        assert (second.reply_to, second.silent) == (digest.message_id, False)
        assert lines(second)[0] == f"⚠ withdrawn by the publisher: {BLAST}"


async def test_a_reply_that_waits_says_the_newest_and_comes_once(opened: OpenHarness) -> None:
    async with opened() as harness:
        await choose(harness, Updates.ALERT)
        await blast(harness)
        await change(harness, SetSettings(QUIET))
        await harness.revise(BLAST, CORRECTED)
        await harness.revise(CORRECTED, f"{CORRECTED[:-1]}3")
        await harness.take_back(f"{CORRECTED[:-1]}3")
        await harness.deliver(7 * HOUR, 5 * MINUTE)
        _alert, reply = messages(harness)
        assert lines(reply)[0] == "⚠ withdrawn by the publisher: Blast at the tram depot kills 3"
        assert f"✎ before: {BLAST}" in lines(reply)
        assert await fates(harness) == [("corrected", "told")] * 2 + [("withdrawn", "told")]


async def test_a_reply_that_waits_says_a_withdrawal_before_what_followed_it(
    opened: OpenHarness,
) -> None:
    async with opened(rule("Tram", "tram", updates="note")) as harness:
        await blast(harness)
        await change(harness, SetSettings(QUIET))
        await harness.take_back(BLAST)
        await harness.revise(BLAST, CORRECTED)
        await harness.deliver(7 * HOUR, 5 * MINUTE)
        alert, reply = messages(harness)
        assert lines(reply)[0].startswith("⚠ withdrawn by the publisher")
        assert "⚠ withdrawn by the publisher" in lines(alert)


async def test_a_muted_storyline_gets_no_reply_and_its_message_changes(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        await choose(harness, Updates.ALERT)
        story = await blast(harness)
        await change(harness, SetStance(story, Stance.MUTE))
        await harness.take_back(BLAST)
        await soon(harness)
        [alert] = messages(harness)
        assert "⚠ withdrawn by the publisher" in lines(alert)
        assert await fates(harness) == [("withdrawn", "muted")]


async def test_a_mute_takes_back_a_reply_that_waits_and_its_end_brings_it_back(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        await choose(harness, Updates.ALERT)
        story = await blast(harness)
        await change(harness, SetSettings(QUIET))
        await harness.take_back(BLAST)
        await change(harness, SetStance(story, Stance.MUTE))
        await change(harness, SetSettings(LOUD))
        await soon(harness)
        assert len(messages(harness)) == 1
        await change(harness, SetStance(story, None))
        await soon(harness)
        assert lines(messages(harness)[1])[0].startswith("⚠ withdrawn by the publisher")


async def test_a_paused_subscription_gets_no_reply(opened: OpenHarness) -> None:
    async with opened() as harness:
        await choose(harness, Updates.ALERT)
        await blast(harness)
        await harness.execute("update subscriptions set declared = 0")
        await change(harness, EditSubscription(1, paused=True))
        await harness.take_back(BLAST)
        await soon(harness)
        assert len(messages(harness)) == 1
        assert await fates(harness) == [("withdrawn", "unwanted")]


async def test_a_reply_goes_with_the_last_subscription_that_wants_it(opened: OpenHarness) -> None:
    async with opened(rule("Tram", "tram", updates="alert")) as harness:
        await blast(harness)
        await change(harness, SetSettings(QUIET))
        await harness.take_back(BLAST)
        await harness.execute("update subscriptions set declared = 0")
        await change(harness, RemoveSubscription(1))
        await harness.deliver(7 * HOUR, 5 * MINUTE)
        assert len(messages(harness)) == 1


async def test_a_changed_query_takes_no_reply_back_that_its_article_still_matches(
    opened: OpenHarness,
) -> None:
    async with opened(rule("Tram", "tram", updates="alert")) as harness:
        await blast(harness)
        await change(harness, SetSettings(QUIET))
        await harness.take_back(BLAST)
        await harness.execute("update subscriptions set declared = 0")
        await change(harness, EditSubscription(1, query="tram OR bus", name="tram OR bus"))
        await harness.deliver(7 * HOUR, 5 * MINUTE)
        assert len(messages(harness)) == 2


async def test_a_follower_hears_of_it(opened: OpenHarness) -> None:
    async with opened(rule("Tram", "tram", updates="alert")) as harness:
        await choose(harness, Updates.ALERT)
        story = await blast(harness)
        await change(harness, SetStance(story, Stance.FOLLOW))
        await harness.execute("update subscriptions set declared = 0")
        await change(harness, RemoveSubscription(1))
        await harness.take_back(BLAST)
        await soon(harness)
        assert len(messages(harness)) == 2


async def test_a_reply_grows_no_story_and_is_no_alert_of_one(opened: OpenHarness) -> None:
    rules = (rule("Tram", "tram", updates="alert", alert_again_at=2),)
    async with opened(*rules) as harness:
        story = await blast(harness)
        await harness.take_back(BLAST)
        await soon(harness)
        assert "publishers" not in messages(harness)[0].text
        await harness.add(ArticleSpec("Tram depot blast", story_ids=(story, story, story)))
        await soon(harness)
        assert [line for line in lines(messages(harness)[0]) if "2 publishers" in line]
        assert len(messages(harness)) == 3
        [(alerts,)] = await harness.rows("select count(*) from alerts where note_of is null")
        assert alerts == 1


async def test_a_story_that_joins_another_keeps_its_replies(opened: OpenHarness) -> None:
    async with opened(rule("Tram", "tram", updates="note")) as harness:
        [first] = await harness.add(ArticleSpec("Tram depot burns"))
        await harness.deliver(5 * SECOND)
        second = await blast(harness)
        merges = (Merge(Grouping.LOOSE, second, first), Merge(Grouping.NORMAL, second, first))
        await harness.add(ArticleSpec("Both", story_ids=(0, first, first)), merges=merges)
        await soon(harness)
        await harness.take_back(BLAST)
        await soon(harness)
        reply = messages(harness)[-1]
        told = [message for message in messages(harness) if message.message_id == reply.reply_to]
        assert lines(reply)[0] == f"⚠ withdrawn by the publisher: {BLAST}"
        assert lines(told[0])[0] == BLAST


async def test_an_alert_that_is_sent_again_shows_it_and_needs_no_reply(
    opened: OpenHarness,
) -> None:
    async with opened(rule("Tram", "tram", updates="alert")) as harness:
        await harness.add(ArticleSpec(BLAST))
        delivery = await harness.begin("ann")
        await harness.take_back(BLAST)
        assert await fates(harness) == [("withdrawn", "told")]
        harness.api.fault(Refuse(429, "Too Many Requests: retry after 3", {"retry_after": 3}))
        await harness.finish(delivery)
        await soon(harness)
        [alert] = messages(harness)
        assert "⚠ withdrawn by the publisher" in lines(alert)
        assert await fates(harness) == [("withdrawn", "unsent")]


async def test_what_changes_while_its_alert_is_being_sent_is_told(opened: OpenHarness) -> None:
    async with opened(rule("Tram", "tram", updates="alert")) as harness:
        await harness.add(ArticleSpec(BLAST))
        delivery = await harness.begin("ann")
        await harness.take_back(BLAST)
        await harness.finish(delivery)
        await soon(harness)
        alert, reply = messages(harness)
        assert reply.reply_to == alert.message_id
        assert "⚠ withdrawn by the publisher" in lines(alert)


@pytest.mark.parametrize(
    "description",
    ["Bad Request: message can't be edited", "Bad Request: message to edit not found"],
)
async def test_a_message_that_cannot_be_changed_any_more_is_followed_by_a_note(
    opened: OpenHarness, description: str
) -> None:
    async with opened() as harness:
        await blast(harness)
        await harness.take_back(BLAST)
        harness.api.fault(Refuse(400, description), "editMessageText")
        await soon(harness)
        _alert, note = messages(harness)
        assert note.silent
        assert lines(note)[0] == f"⚠ withdrawn by the publisher: {BLAST}"
        assert await fates(harness) == [("withdrawn", "told")]


async def test_a_change_that_telegram_refuses_for_good_is_followed_by_a_note(
    opened: OpenHarness,
) -> None:
    async with opened(admins=[]) as harness:
        await blast(harness)
        await harness.take_back(BLAST)
        refused = Refuse(400, "Bad Request: something odd")
        harness.api.fault(refused, "editMessageText", times=2)
        await soon(harness)
        assert lines(messages(harness)[1])[0] == f"⚠ withdrawn by the publisher: {BLAST}"
        assert await fates(harness) == [("withdrawn", "told")]


async def test_a_message_that_is_lost_after_it_showed_it_tells_nothing_twice(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        story = await blast(harness)
        await harness.take_back(BLAST)
        await soon(harness)
        await harness.add(ArticleSpec("Tram depot blast", story_ids=(story, story, story)))
        harness.api.fault(Refuse(400, "Bad Request: message to edit not found"), "editMessageText")
        await soon(harness)
        assert len(messages(harness)) == 1
        assert await fates(harness) == [("withdrawn", "shown")]


@pytest.mark.parametrize("choice", list(Updates))
async def test_a_kill_between_the_poll_and_the_reply_loses_and_repeats_nothing(
    tmp_path: Path, api: BotApi, clock: ManualClock, choice: Updates
) -> None:
    more: dict[str, Any] = {"subscriptions": [rule("Tram", "tram", updates=choice.value)]}
    async with open_harness(tmp_path, api, {"ann": ANN}, clock, **more) as harness:
        await blast(harness)
        await harness.take_back(BLAST)
    async with open_harness(tmp_path, api, {"ann": ANN}, clock, **more) as harness:
        await harness.take_back(BLAST)
        await soon(harness)
    async with open_harness(tmp_path, api, {"ann": ANN}, clock, **more) as harness:
        await harness.take_back(BLAST)
        await soon(harness)
        assert "⚠ withdrawn by the publisher" in lines(messages(harness)[0])
        assert len(messages(harness)) == (1 if choice is Updates.EDIT else 2)
        assert len(await fates(harness)) == 1


async def test_a_kill_during_the_reply_marks_it_as_a_repeat(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    more: dict[str, Any] = {"subscriptions": [rule("Tram", "tram", updates="note")]}
    async with open_harness(tmp_path, api, {"ann": ANN}, clock, **more) as harness:
        await blast(harness)
        await harness.take_back(BLAST)
        await harness.begin("ann")
    async with open_harness(tmp_path, api, {"ann": ANN}, clock, **more) as harness:
        await harness.app.deliverer.recover()
        await soon(harness)
        _alert, reply = messages(harness)
        assert lines(reply)[0] == f"(repeat) ⚠ withdrawn by the publisher: {BLAST}"


async def test_why_says_what_became_of_an_article_and_how_it_was_told(
    opened: OpenHarness,
) -> None:
    async with opened(rule("Tram", "tram", updates="note")) as harness:
        await blast(harness)
        await harness.revise(BLAST, CORRECTED)
        await soon(harness)
        await choose(harness, Updates.EDIT)
        why = await ask(harness, "/why", reply_to=messages(harness)[1].message_id)
        assert "corrected by the publisher at 12:00 (told in a reply to the alert: sent " in why
        await change(harness, SetSettings(QUIET))
        await harness.take_back(CORRECTED)
        await soon(harness)
        why = await ask(harness, "/why", reply_to=messages(harness)[0].message_id)
        assert "(told in a reply to the alert: waiting for the end of quiet hours; " in why


async def test_a_reply_can_be_muted_as_the_alert_can(opened: OpenHarness) -> None:
    async with opened(rule("Tram", "tram", updates="note")) as harness:
        story = await blast(harness)
        await harness.take_back(BLAST)
        await soon(harness)
        await ask(harness, "/mute", reply_to=messages(harness)[1].message_id)
        assert await harness.rows("select storyline_id, stance from stances") == [(story, "mute")]


async def test_several_replies_that_wait_become_one_message(opened: OpenHarness) -> None:
    async with opened(rule("Tram", "tram", updates="alert")) as harness:
        titles = [f"Tram line {number} closed" for number in range(1, 26)]
        for title in titles:
            await harness.add(ArticleSpec(title))
        await harness.deliver(3 * MINUTE, SECOND)
        before = len(messages(harness))
        for title in titles:
            await harness.take_back(title)
        await harness.deliver(3 * MINUTE, SECOND)
        [reply] = messages(harness)[before:]
        assert lines(reply)[0].startswith("25 stories")
        assert sum(line.startswith("⚠ Tram line") for line in lines(reply)) == 25


async def test_a_development_that_is_withdrawn_is_told_below_its_note(opened: OpenHarness) -> None:
    async with opened(rule("Tram", "tram", updates="note")) as harness:
        story = await blast(harness)
        chief = "Chief of the depot resigns"
        await harness.add(ArticleSpec(chief, (0, story, story), development=True))
        await harness.deliver(5 * SECOND)
        await harness.take_back(chief)
        await soon(harness)
        _alert, note, reply = messages(harness)
        assert reply.reply_to == note.message_id
        assert lines(reply)[0] == f"⚠ withdrawn by the publisher: {chief}"
        assert "⚠ withdrawn by the publisher" in note.text


async def test_a_group_that_moved_is_told_what_its_lost_messages_cannot_show(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        await blast(harness)
        await harness.execute("update alerts set message_id = null")
        await harness.take_back(BLAST)
        await soon(harness)
        _alert, note = messages(harness)
        assert (note.silent, note.reply_to) == (True, None)


async def test_a_clean_up_takes_an_alert_with_its_reply_and_what_was_kept_of_it(
    opened: OpenHarness,
) -> None:
    async with opened(rule("Tram", "tram", updates="note")) as harness:
        await blast(harness)
        await harness.take_back(BLAST)
        await soon(harness)
        await harness.execute(
            "update entries set absent_since = ?", harness.clock.now().isoformat()
        )
        prune, keep = harness.app.store.admin.prune, Retention(alerts=timedelta(days=30))
        await prune(harness.clock.now() + timedelta(days=20), keep)
        assert await fates(harness) == [("withdrawn", "told")]
        for days in (400, 800):
            await prune(harness.clock.now() + timedelta(days=days), keep)
        for table in ("alerts", "alert_matches", "outbox_alerts", "update_records", "entries"):
            assert await harness.rows(f"select * from {table}") == [], table  # noqa: S608


async def test_nothing_waits_behind(opened: OpenHarness) -> None:
    async with opened(rule("Tram", "tram", updates="alert")) as harness:
        await blast(harness)
        await harness.take_back(BLAST)
        await soon(harness)
        left = await harness.outbox(DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.DEAD)
        assert left == []
