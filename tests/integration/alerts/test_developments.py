"""News that joins a story which a chat was alerted to: notes, alerts of their own, edits.

Articles are brought with their places, so that nothing here depends on how articles are grouped.
"""

from datetime import timedelta
from typing import Any

import pytest
from botapi import Message, Refuse
from telegram_harness import ANN, ArticleSpec, OpenHarness, TelegramHarness, rule

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
from bot.model.chats import AlertOptions, ChatSettings, Developments
from bot.model.stories import Grouping, Merge

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
QUIET = ChatSettings(quiet=(11 * 60, 18 * 60))  #: it is noon
BLAST = "Blast at the tram depot"
CHIEF = "Chief of the depot resigns"


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


async def blast(harness: TelegramHarness, **more: Any) -> int:
    """A story opens, and its alert goes out."""
    [number] = await harness.add(ArticleSpec(BLAST, **more))
    await harness.deliver(5 * SECOND)
    return number


async def resigns(harness: TelegramHarness, story: int, title: str = CHIEF, **more: Any) -> int:
    """The story has a development."""
    [number] = await harness.add(
        ArticleSpec(title, story_ids=(0, story, story), development=True, **more)
    )
    await harness.deliver(5 * SECOND)
    return number


async def merge(harness: TelegramHarness, gone: int, kept: int, *strict: Merge) -> None:
    """An article shows that two stories are one; their strict stories only where that is given."""
    levels = (Merge(Grouping.LOOSE, gone, kept), Merge(Grouping.NORMAL, gone, kept), *strict)
    await harness.add(ArticleSpec("Both", story_ids=(0, kept, kept)), merges=levels)


def messages(harness: TelegramHarness) -> list[Message]:
    return harness.api.messages(ANN)


def lines(message: Message) -> list[str]:
    return message.text.replace("\u2068", "").replace("\u2069", "").split("\n")


async def test_a_development_is_a_silent_reply_to_the_alert_in_one_line(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        await resigns(harness, await blast(harness))
        alert, note = messages(harness)
        assert (note.silent, note.reply_to) == (True, alert.message_id)
        assert lines(note) == [f"↳ {CHIEF} · Invented Wire · news.example · 12:00"]
        assert not alert.silent


async def test_further_reports_of_a_development_change_the_note(opened: OpenHarness) -> None:
    async with opened() as harness:
        story = await blast(harness)
        strict = await resigns(harness, story)
        await harness.add(ArticleSpec("Depot chief gone", story_ids=(strict, story, story)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert len(messages(harness)) == 2
        assert lines(messages(harness)[1])[0].endswith("· 2 publishers")


async def test_the_alert_shows_the_newest_headline_that_says_something_else(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        story = await blast(harness)
        await resigns(harness, story)
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        await resigns(harness, story, "Depot reopens")
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert "↳ Depot reopens · Invented Wire · 12:02" in lines(messages(harness)[0])


@pytest.mark.parametrize("level", ["normal", "loose"])
async def test_commentary_and_the_same_occurrence_are_no_notes(
    opened: OpenHarness, level: str
) -> None:
    async with opened(levels={"ann": level}) as harness:
        story = await blast(harness)
        await harness.add(ArticleSpec("What we know", story_ids=(0, story, story)))
        await harness.add(ArticleSpec("Depot blast", story_ids=(story, story, story)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert len(messages(harness)) == 1


async def test_a_chat_that_wants_edits_alone_gets_no_notes(opened: OpenHarness) -> None:
    async with opened() as harness:
        await change(harness, SetSettings(ChatSettings(developments=Developments.EDIT)))
        await resigns(harness, await blast(harness))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        [alert] = messages(harness)
        assert any(line.startswith(f"↳ {CHIEF}") for line in lines(alert))


async def test_a_subscription_chooses_for_itself_and_the_loudest_counts(
    opened: OpenHarness,
) -> None:
    rules = (
        rule("Quiet", "tram", developments="edit"),
        rule("Loud", "tram", developments="alert", urgency="breaking"),
    )
    async with opened(*rules) as harness:
        await resigns(harness, await blast(harness))
        _alert, second = messages(harness)
        assert lines(second)[0] == CHIEF
        assert (second.silent, second.reply_to) == (False, None)


async def test_a_chat_that_was_not_alerted_gets_no_note(opened: OpenHarness) -> None:
    async with opened() as harness:
        [story] = await harness.add(ArticleSpec("Blast at the bus depot"))
        await resigns(harness, story)
        assert messages(harness) == []


async def test_a_development_that_matches_where_the_alert_did_not_is_the_alert(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        [story] = await harness.add(ArticleSpec("Blast at the bus depot"))
        await resigns(harness, story, "Chief of the tram depot resigns")
        [alert] = messages(harness)
        assert lines(alert)[0] == "Chief of the tram depot resigns"
        assert not alert.silent


async def test_notes_keep_to_quiet_hours_and_are_lines_of_their_own_afterwards(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        story = await blast(harness)
        await change(harness, SetSettings(QUIET))
        await resigns(harness, story)
        [other] = await harness.add(ArticleSpec("Another tram story"))
        await harness.deliver(HOUR, MINUTE)
        assert len(messages(harness)) == 1
        await harness.deliver(6 * HOUR, 5 * MINUTE)
        catch_up = messages(harness)[1]
        assert f"↳ {CHIEF}" in lines(catch_up)
        assert "• Another tram story" in lines(catch_up)
        assert other


async def test_notes_of_a_digest_subscription_wait_for_the_digest(opened: OpenHarness) -> None:
    async with opened(rule("Tram", "tram", urgency="digest")) as harness:
        [story] = await harness.add(ArticleSpec(BLAST))
        await resigns(harness, story)
        assert messages(harness) == []
        await harness.deliver(21 * HOUR, 15 * MINUTE)
        [digest] = messages(harness)
        assert {f"• {BLAST}", f"↳ {CHIEF}"} <= set(lines(digest))


async def test_a_muted_storyline_gets_no_notes_and_undo_brings_back_what_waited(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        story = await blast(harness)
        await change(harness, SetSettings(QUIET))
        await resigns(harness, story)
        await change(harness, SetStance(story, Stance.MUTE))
        await resigns(harness, story, "Depot reopens")
        await change(harness, SetStance(story, None))
        await harness.deliver(7 * HOUR, 5 * MINUTE)
        told = [line for message in messages(harness)[1:] for line in lines(message)]
        assert any(CHIEF in line for line in told)
        assert not any("reopens" in line for line in told)


async def test_a_note_waits_for_no_second_publisher(opened: OpenHarness) -> None:
    async with opened(rule("Two", "tram", publishers=2)) as harness:
        [story] = await harness.add(ArticleSpec(BLAST))
        await harness.add(ArticleSpec("Tram depot blast", story_ids=(story, story, story)))
        await harness.deliver(5 * SECOND)
        await resigns(harness, story)
        assert lines(messages(harness)[1])[0].startswith(f"↳ {CHIEF}")


async def test_what_does_not_confirm_a_story_releases_no_alert(opened: OpenHarness) -> None:
    """A lighthouse burns; its keeper is rescued from rocks."""
    async with opened(rule("Two", "tram", publishers=2)) as harness:
        [story] = await harness.add(ArticleSpec(BLAST))
        await resigns(harness, story, "Driver rescued from rocks", confirms=False)
        assert messages(harness) == []
        await harness.add(ArticleSpec("Tram depot blast", story_ids=(story, story, story)))
        await harness.deliver(5 * SECOND)
        assert lines(messages(harness)[0])[0] == BLAST
        assert "2 publishers" in messages(harness)[0].text


async def test_a_note_goes_with_the_last_subscription_that_wants_it(opened: OpenHarness) -> None:
    async with opened() as harness:
        story = await blast(harness)
        await change(harness, SetSettings(QUIET))
        await resigns(harness, story)
        await harness.execute("update subscriptions set declared = 0")
        await change(harness, RemoveSubscription(1))
        await harness.deliver(7 * HOUR, 5 * MINUTE)
        assert len(messages(harness)) == 1


async def test_more_publishers_wanted_holds_no_note_back(opened: OpenHarness) -> None:
    async with opened() as harness:
        story = await blast(harness)
        await change(harness, SetSettings(QUIET))
        await resigns(harness, story)
        await harness.execute("update subscriptions set declared = 0")
        await change(harness, EditSubscription(1, options=AlertOptions(publishers=3)))
        await harness.deliver(7 * HOUR, 5 * MINUTE)
        assert CHIEF in messages(harness)[1].text


async def test_an_alert_that_waits_becomes_a_note_where_its_story_joins_another(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        first = await blast(harness)
        await change(harness, SetSettings(QUIET))
        [second] = await harness.add(ArticleSpec("Tram strike called off"))
        await merge(harness, second, first)
        await change(harness, SetSettings(ChatSettings(quiet=(0, 0))))
        await harness.deliver(5 * SECOND)
        alert, note = messages(harness)
        assert lines(note)[0].startswith("↳ Tram strike called off")
        assert (note.silent, note.reply_to) == (True, alert.message_id)


async def test_a_chat_that_wants_edits_alone_gets_no_note_in_a_merge(opened: OpenHarness) -> None:
    async with opened() as harness:
        first = await blast(harness)
        await change(harness, SetSettings(ChatSettings(developments=Developments.EDIT)))
        await change(harness, SetSettings(QUIET))
        [second] = await harness.add(ArticleSpec("Tram depot blast again"))
        await merge(harness, second, first)
        await harness.deliver(7 * HOUR, 5 * MINUTE)
        assert len(messages(harness)) == 1


async def test_an_alert_of_the_same_strict_story_is_dropped_in_a_merge(opened: OpenHarness) -> None:
    async with opened() as harness:
        first = await blast(harness)
        await change(harness, SetSettings(QUIET))
        [second] = await harness.add(ArticleSpec("Tram depot blast again"))
        await merge(harness, second, first, Merge(Grouping.STRICT, second, first))
        await harness.deliver(7 * HOUR, 5 * MINUTE)
        assert len(messages(harness)) == 1


async def test_a_note_whose_alert_was_refused_comes_without_a_reply(opened: OpenHarness) -> None:
    async with opened() as harness:
        harness.api.fault(Refuse(400, "Bad Request: message is refused"))
        story = await blast(harness)
        await harness.deliver(MINUTE, 5 * SECOND)
        await resigns(harness, story)
        await harness.deliver(MINUTE, 5 * SECOND)
        assert [line for message in messages(harness) for line in lines(message) if CHIEF in line]


async def test_why_says_of_a_note_that_it_is_one_and_of_an_edit_whose_alert_it_joined(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        story = await blast(harness)
        await resigns(harness, story)
        [joined] = await harness.add(ArticleSpec("Depot blast", story_ids=(story, story, story)))
        harness.api.say(ANN, ANN, "/why", reply_to=messages(harness)[1].message_id)
        await harness.listen()
        await harness.deliver(5 * SECOND)
        why = messages(harness)[-1].text
        assert "told as news of a story that was alerted, sent at" in why
        harness.api.say(ANN, ANN, f"/why https://news.example/{joined}")
        await harness.listen()
        await harness.deliver(5 * SECOND)
        assert "it belongs to the story of" in messages(harness)[-1].text
        assert not any("changed;" in message.text for message in messages(harness))


async def test_a_retitled_development_changes_its_note(opened: OpenHarness) -> None:
    async with opened() as harness:
        await resigns(harness, await blast(harness))
        await harness.retitle(CHIEF, "Chief of the depot resigns over blast")
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert lines(messages(harness)[1])[0].startswith("↳ Chief of the depot resigns over blast")
