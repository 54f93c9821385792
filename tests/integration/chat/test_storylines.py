"""What people do with stories: follow, mute and list them, choose their size and alerts.

Articles are brought with their places, so that nothing here depends on how articles are grouped.
"""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import example, given
from hypothesis import strategies as st
from support import NOON
from telegram_harness import (
    ANN,
    BOB,
    EVERYWHERE,
    FORUM,
    GROUP,
    TOPIC,
    TRAM,
    ArticleSpec,
    OpenHarness,
    TelegramHarness,
    ask,
    newest_message,
    rule,
    stances,
    start_story,
)

from bot.alerts import options
from bot.chat.handlers.storylines import storyline_message
from bot.cli.main import main
from bot.config.load import load
from bot.errors import ConfigError, QueryError
from bot.i18n.catalog import ENGLISH
from bot.model.alerts import Stance
from bot.model.archive import StoryEntry
from bot.model.chat_events import ChatUpdate, HandledUpdate, Reply, SetStance
from bot.model.chats import AlertOptions, Urgency
from bot.model.message import Message
from bot.model.stories import Grouping, Merge, Pair, PairReason, StoryIds
from bot.search.timeline import format_delay, summary, timeline, who_was_first

MINUTE, SECOND, HOUR = timedelta(minutes=1), timedelta(seconds=1), timedelta(hours=1)
ANONYMOUS = 1087968824
ONLY_ADMINS = "Only administrators of this chat can change its alerts."


def shown(harness: TelegramHarness, chat: int = ANN) -> list[str]:
    """First lines of what stands there, answers left out."""
    return [
        message.text.partition("\n")[0]
        for message in harness.api.messages(chat)
        if message.reply_to is None
    ]


# Follow and mute


async def test_a_followed_storyline_alerts_to_each_later_story_once_and_says_why(
    opened: OpenHarness,
) -> None:
    async with opened(TRAM) as harness:
        line = await start_story(harness)
        answer = await ask(harness, "/follow", newest_message(harness))
        assert answer.startswith(
            "Following. You are alerted to all later stories of this storyline, until it has "
            "been quiet for 48 hours:\ntram\n"
        )
        [story] = await harness.add(ArticleSpec("quiet", (0, 0, line)))
        await harness.add(
            ArticleSpec("quiet confirmation", (story, story, line)),
            ArticleSpec("quiet", (line, line, line)),
        )
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert shown(harness) == ["tram", "quiet"]
        assert [message.text for message in harness.api.messages(ANN)][-1].endswith(
            "\n\n👣 a storyline you follow"
        )
        await harness.add(ArticleSpec("elsewhere"))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert shown(harness) == ["tram", "quiet"]


async def test_what_matches_and_is_followed_is_one_message_that_names_the_subscription(
    opened: OpenHarness,
) -> None:
    async with opened(TRAM) as harness:
        line = await start_story(harness)
        await ask(harness, "/follow", newest_message(harness))
        await harness.add(ArticleSpec("tram anew", (0, 0, line)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert shown(harness) == ["tram", "tram anew"]
        assert harness.api.messages(ANN)[-1].text.endswith("🔔 Tram")


async def test_a_muted_storyline_sends_no_more_alerts_and_its_articles_are_stored_and_shown(
    opened: OpenHarness,
) -> None:
    async with opened(TRAM) as harness:
        line = await start_story(harness)
        answer = await ask(harness, "/mute", newest_message(harness))
        assert answer.startswith(
            "Muted. No more alerts for this storyline here, until it has been quiet for 48 "
            "hours:\ntram\n"
        )
        await harness.add(
            ArticleSpec("tram anew", (0, 0, line)), ArticleSpec("tram too", (line, line, line))
        )
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert shown(harness) == ["tram"]
        assert "2 publishers" in harness.api.messages(ANN)[0].text
        assert await harness.rows("select count(*) from entries") == [(3,)]


@pytest.mark.parametrize(
    ("command", "undo"), [("/follow", "/unfollow"), ("/mute", "/unmute"), ("/mute", "/unfollow")]
)
async def test_a_stance_is_taken_back_by_an_answer_to_the_same_alert(
    opened: OpenHarness, command: str, undo: str
) -> None:
    async with opened(TRAM) as harness:
        line = await start_story(harness)
        alert = newest_message(harness)
        await ask(harness, command, alert)
        assert (await ask(harness, undo, alert)).startswith(
            "Back to normal. You are alerted to this storyline only where it matches a "
            "subscription:\ntram"
        )
        await harness.add(
            ArticleSpec("quiet", (0, 0, line)), ArticleSpec("tram anew", (0, 0, line))
        )
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert shown(harness) == ["tram", "tram anew"]
        assert await stances(harness) == []


async def test_the_last_of_follow_and_mute_holds(opened: OpenHarness) -> None:
    async with opened(TRAM) as harness:
        line = await start_story(harness)
        alert = newest_message(harness)
        await ask(harness, "/mute", alert)
        await ask(harness, "/follow", alert)
        assert await stances(harness) == [("ann", line, "follow")]


async def test_a_stance_survives_a_restart(opened: OpenHarness) -> None:
    async with opened(TRAM) as harness:
        line = await start_story(harness)
        await ask(harness, "/mute", newest_message(harness))
    async with opened(TRAM) as harness:
        await harness.add(ArticleSpec("tram anew", (0, 0, line)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert shown(harness) == ["tram"]


async def test_a_stance_is_one_chat_s(opened: OpenHarness) -> None:
    async with opened(EVERYWHERE) as harness:
        line = await start_story(harness)
        await ask(harness, "/mute", newest_message(harness))
        await harness.add(ArticleSpec("tram anew", (0, 0, line)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert (shown(harness), shown(harness, GROUP), shown(harness, FORUM)) == (
            ["tram"],
            ["tram", "tram anew"],
            ["tram", "tram anew"],
        )


@pytest.mark.parametrize("command", ["/follow", "/unfollow", "/mute", "/unmute", "/stories loose"])
async def test_in_a_group_only_administrators_change_stances(
    opened: OpenHarness, command: str
) -> None:
    async with opened(EVERYWHERE) as harness:
        await start_story(harness)
        alert = newest_message(harness, GROUP)
        assert await ask(harness, command, alert, GROUP, BOB) == ONLY_ADMINS
        assert await stances(harness) == []
        assert await ask(harness, command, alert, GROUP, ANN) not in {"", ONLY_ADMINS}


async def test_an_administrator_who_writes_as_the_group_may_mute(opened: OpenHarness) -> None:
    async with opened(EVERYWHERE) as harness:
        line = await start_story(harness)
        answer = await ask(
            harness, "/mute", newest_message(harness, GROUP), GROUP, ANONYMOUS, anonymous_admin=True
        )
        assert answer.startswith("Muted.")
        assert await stances(harness) == [("group", line, "mute")]


@pytest.mark.parametrize("command", ["/follow", "/unfollow", "/mute", "/unmute"])
async def test_a_command_that_answers_no_alert_is_told_what_to_answer(
    opened: OpenHarness, command: str
) -> None:
    async with opened(EVERYWHERE) as harness:
        await start_story(harness)
        told = f"Reply to an alert with {command}; it applies to the story of that alert."
        choice = f"Which story? You can also reply to any alert with {command}."
        assert await ask(harness, command) == choice
        assert await ask(harness, command, newest_message(harness)) == told, (
            "the answer is no alert"
        )
        assert await ask(harness, command, 12345) == choice
        assert await ask(harness, command, None, FORUM, ANN, TOPIC) == choice, (
            "in a topic everything answers its first message"
        )
        assert await stances(harness) == []


async def test_an_answer_to_a_message_of_several_stories_is_about_the_first(
    opened: OpenHarness,
) -> None:
    async with opened(TRAM) as harness:
        first, _ = await harness.add(
            [ArticleSpec("tram", silent="flood"), ArticleSpec("tram too", silent="flood")]
        )
        await harness.deliver()
        assert (
            (await ask(harness, "/follow", newest_message(harness)))
            .partition(":\n")[2]
            .startswith("tram\n")
        )
        assert await stances(harness) == [("ann", first, "follow")]


async def test_an_answer_to_a_message_that_changed_is_about_its_story(opened: OpenHarness) -> None:
    async with opened(TRAM) as harness:
        line = await start_story(harness)
        await harness.add(ArticleSpec("quiet", (line, line, line)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert (await ask(harness, "/mute", newest_message(harness))).startswith("Muted.")
        assert await stances(harness) == [("ann", line, "mute")]


async def test_an_answer_to_a_second_alert_is_about_its_story(opened: OpenHarness) -> None:
    async with opened(rule("Tram", "tram", alert_again_at=2)) as harness:
        line = await start_story(harness)
        await harness.add(ArticleSpec("quiet", (line, line, line)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert harness.api.messages(ANN)[-1].text.startswith("🔔 Now 2 publishers")
        assert (await ask(harness, "/mute", newest_message(harness))).startswith("Muted.")
        assert await stances(harness) == [("ann", line, "mute")]


async def test_an_answer_to_a_message_whose_story_became_another_s_is_about_that(
    opened: OpenHarness,
) -> None:
    async with opened(TRAM) as harness:
        a, b = await start_story(harness), await start_story(harness, "tram too")
        first = harness.api.messages(ANN)[0].message_id
        await harness.add(ArticleSpec("quiet", (b, b, b)), merges=merged(a, b))
        await ask(harness, "/mute", first)
        assert await stances(harness) == [("ann", b, "mute")]


async def test_a_number_of_a_group_s_message_says_nothing_in_its_supergroup(
    opened: OpenHarness,
) -> None:
    async with opened(EVERYWHERE) as harness:
        for number in range(5):
            await start_story(harness, f"tram {number}")
        old = newest_message(harness, GROUP)
        harness.api.migrate(GROUP, -100_777)
        await start_story(harness, "tram later")
        there = harness.api.chats[-100_777].messages
        assert old not in there
        there[old] = replace(
            harness.api.messages(-100_777)[-1],
            message_id=old,
            text="It has the number that an alert had.",
        )
        answer = await ask(harness, "/mute", old, -100_777, ANN)
        assert answer == "Reply to an alert with /mute; it applies to the story of that alert."


# How long it holds


@pytest.mark.parametrize("command", ["/follow", "/mute"])
async def test_a_stance_ends_when_its_storyline_has_been_quiet_for_48_hours_and_stays_ended(
    opened: OpenHarness, command: str
) -> None:
    async with opened(TRAM) as harness:
        line = await start_story(harness)
        await ask(harness, command, newest_message(harness))
        harness.clock.advance(48 * HOUR)
        for number in range(2):
            await harness.add(
                ArticleSpec(f"quiet {number}", (0, 0, line)),
                ArticleSpec(f"tram {number}", (0, 0, line)),
            )
            await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert shown(harness) == ["tram", "tram 0", "tram 1"]


@pytest.mark.parametrize(("command", "alerts"), [("/follow", 4), ("/mute", 1)])
async def test_a_stance_holds_as_long_as_its_storyline_goes_on(
    opened: OpenHarness, command: str, alerts: int
) -> None:
    async with opened(TRAM) as harness:
        line = await start_story(harness)
        await ask(harness, command, newest_message(harness))
        for number in range(3):
            harness.clock.advance(47 * HOUR)
            await harness.add(ArticleSpec(f"tram {number}", (0, 0, line)))
            await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert len(shown(harness)) == alerts


def merged(gone: int, kept: int) -> list[Merge]:
    return [
        Merge(level, gone, kept) for level in (Grouping.LOOSE, Grouping.NORMAL, Grouping.STRICT)
    ]


@pytest.mark.parametrize(("command", "alerts"), [("/follow", True), ("/mute", False)])
@pytest.mark.parametrize("of_gone", [True, False])
async def test_a_stance_goes_along_when_storylines_become_one(
    opened: OpenHarness, command: str, alerts: bool, of_gone: bool
) -> None:
    async with opened(TRAM) as harness:
        a, b = await start_story(harness), await start_story(harness, "tram too")
        await ask(harness, command, harness.api.messages(ANN)[not of_gone].message_id)
        await harness.add(
            ArticleSpec("bridge", (a, a, b)),
            ArticleSpec("tram in the batch" if not alerts else "quiet", (0, 0, b)),
            merges=[Merge(Grouping.LOOSE, a, b)],
        )
        await harness.add(ArticleSpec("tram later" if not alerts else "quiet later", (0, 0, b)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert len(shown(harness)) == 2 + 2 * alerts
        assert [row[1] for row in await stances(harness)] == [b]


async def test_an_ended_stance_does_not_stand_in_the_way_of_another_when_storylines_become_one(
    opened: OpenHarness,
) -> None:
    async with opened(TRAM) as harness:
        b = await start_story(harness)
        await ask(harness, "/mute", newest_message(harness))
        harness.clock.advance(49 * HOUR)
        a = await start_story(harness, "tram too")
        await ask(harness, "/follow", newest_message(harness))
        await harness.add(ArticleSpec("bridge", (a, a, b)), merges=[Merge(Grouping.LOOSE, a, b)])
        assert await stances(harness) == [("ann", b, "follow")]


@pytest.mark.parametrize("first", ["/follow", "/mute"])
async def test_of_two_stances_that_meet_the_batch_and_the_store_take_the_same(
    opened: OpenHarness, first: str
) -> None:
    async with opened(TRAM) as harness:
        a, b = await start_story(harness), await start_story(harness, "tram too")
        first_of, second_of = (message.message_id for message in harness.api.messages(ANN)[:2])
        await ask(harness, first, first_of)
        await ask(harness, {"/follow": "/mute", "/mute": "/follow"}[first], second_of)
        await harness.add(
            ArticleSpec("tram in the batch", (0, 0, b)), merges=[Merge(Grouping.LOOSE, a, b)]
        )
        await harness.add(ArticleSpec("tram later", (0, 0, b)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert len(shown(harness)) in {2, 4}


async def test_a_stance_taken_while_its_storyline_becomes_another_s_goes_along(
    opened: OpenHarness,
) -> None:
    """Between the reading of the alert and the keeping of the answer a batch may be kept."""
    async with opened(TRAM) as harness:
        a, b = await start_story(harness), await start_story(harness, "tram too")
        chat = await harness.app.store.chats.chat_at(ANN, 0)
        assert chat is not None
        alert = await harness.app.store.chats.alert_of(
            chat.id, harness.api.messages(ANN)[0].message_id
        )
        assert alert is not None
        await harness.add(ArticleSpec("bridge", (a, a, b)), merges=[Merge(Grouping.LOOSE, a, b)])
        update = ChatUpdate(update_id=900_000, address=ANN, user_id=ANN)
        await harness.app.store.chats.answer(
            HandledUpdate(
                update, chat, Reply(changes=(SetStance(alert.storyline_id, Stance.MUTE),))
            ),
            harness.clock.now(),
        )
        await harness.add(ArticleSpec("tram later", (0, 0, b)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert shown(harness) == ["tram", "tram too"]


# Waiting and following


async def test_a_followed_storyline_alerts_at_once_where_a_subscription_would_wait(
    opened: OpenHarness,
) -> None:
    async with opened(TRAM, rule("Two", "two", publishers=2)) as harness:
        line = await start_story(harness)
        await ask(harness, "/follow", newest_message(harness))
        await harness.add(ArticleSpec("quiet", (0, 0, line)), ArticleSpec("two", (0, 0, line)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert shown(harness) == ["tram", "quiet", "two"]


@pytest.mark.parametrize("by_time", [True, False])
async def test_what_waits_for_publishers_sends_no_alert_while_its_storyline_is_muted(
    opened: OpenHarness, by_time: bool
) -> None:
    async with opened(TRAM, rule("Two", "two", publishers=2, or_after="30m")) as harness:
        line = await start_story(harness)
        [held] = await harness.add(ArticleSpec("two", (0, 0, line)))
        await ask(harness, "/mute", newest_message(harness))
        if by_time:
            harness.clock.advance(31 * MINUTE)
            await harness.app.jobs.release_pending()
        else:
            await harness.add(ArticleSpec("quiet", (held, held, line)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert shown(harness) == ["tram"]


async def test_what_was_held_back_by_a_mute_goes_out_when_that_ends(
    opened: OpenHarness,
) -> None:
    async with opened(TRAM, rule("Two", "two", publishers=2)) as harness:
        line = await start_story(harness)
        alert = newest_message(harness)
        [held] = await harness.add(ArticleSpec("two", (0, 0, line)))
        await ask(harness, "/mute", alert)
        await harness.add(ArticleSpec("quiet", (held, held, line)))
        harness.api.say(ANN, ANN, "/unmute", reply_to=alert)
        await harness.listen()
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert shown(harness) == ["tram", "two"]


async def test_a_second_alert_is_muted_as_well(opened: OpenHarness) -> None:
    async with opened(rule("Tram", "tram", alert_again_at=2)) as harness:
        line = await start_story(harness)
        await ask(harness, "/mute", newest_message(harness))
        await harness.add(ArticleSpec("quiet", (line, line, line)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert [
            message.text for message in harness.api.messages(ANN) if message.text.startswith("🔔")
        ] == []


async def test_a_chat_that_is_no_longer_let_in_follows_nothing(opened: OpenHarness) -> None:
    both = rule("Tram", "tram", to=("ann", "bob"))
    async with opened(both, chats={"ann": ANN, "bob": BOB}) as harness:
        line = await start_story(harness)
        await ask(harness, "/follow", newest_message(harness, BOB), BOB, BOB)
    async with opened(TRAM, chats={"ann": ANN}) as harness:
        await harness.add(ArticleSpec("quiet", (0, 0, line)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert shown(harness, BOB) == ["tram"]


async def test_a_followed_story_in_a_flood_is_told_of(opened: OpenHarness) -> None:
    async with opened(TRAM) as harness:
        line = await start_story(harness)
        await ask(harness, "/follow", newest_message(harness))
        await harness.add(
            [
                ArticleSpec("quiet", (0, 0, line), silent="flood"),
                ArticleSpec("tram anew", (0, 0, line), silent="flood"),
            ]
        )
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert shown(harness)[1:] == ["2 stories 🔔 Tram"]


async def test_many_followed_stories_in_one_message_name_the_follow(opened: OpenHarness) -> None:
    async with opened(TRAM) as harness:
        line = await start_story(harness)
        await ask(harness, "/follow", newest_message(harness))
        await harness.add(*(ArticleSpec(f"quiet {number}", (0, 0, line)) for number in range(20)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert shown(harness)[1].startswith("20 stories")
        assert "follow" in shown(harness)[1]


# Looking at stories


async def test_story_tells_a_storyline_in_answer_to_an_alert_by_address_and_not_otherwise(
    opened: OpenHarness,
) -> None:
    async with opened(TRAM) as harness:
        line = await start_story(harness)
        harness.clock.advance(7 * MINUTE)
        [second] = await harness.add(ArticleSpec("quiet", (line, line, line)))
        await harness.add(ArticleSpec("a reaction", (0, 0, line)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        text = await ask(harness, "/story", harness.api.messages(ANN)[0].message_id)
        assert text.startswith(
            "Storyline: 2 stories, 3 articles, 3 publishers\n\n▶ tram\n"
            "Invented Wire had it first, 8 min before Invented Wire."
        )
        assert "○ a reaction" in text
        assert "\nThis chat: sent at 12:00.\n" in text
        told = "This chat: it belongs to the story of “tram” (sent at 12:00)."
        asked = await ask(harness, f"/story https://news.example/{second}")
        assert asked == text.replace("This chat: sent at 12:00.", told)
        assert (
            await ask(harness, "/story https://news.example/none")
            == "No stored article was found with this address or headline."
        )
        assert (
            await ask(harness, "/story")
            == "Which story? You can also reply to any alert with /story."
        )


async def test_story_may_be_asked_by_everyone_in_a_group(opened: OpenHarness) -> None:
    async with opened(EVERYWHERE) as harness:
        await start_story(harness)
        assert (
            await ask(harness, "/story", newest_message(harness, GROUP), GROUP, BOB)
        ).startswith("Storyline: 1 story, 1 article, 1 publisher")


async def test_story_in_answer_to_a_second_alert_and_to_one_of_several(opened: OpenHarness) -> None:
    async with opened(rule("Tram", "tram", alert_again_at=2)) as harness:
        line, _ = await harness.add(
            [ArticleSpec("tram", silent="flood"), ArticleSpec("tram too", silent="flood")]
        )
        await harness.deliver()
        together = newest_message(harness)
        await harness.add(ArticleSpec("quiet", (line, line, line)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        text = await ask(harness, "/story", newest_message(harness))
        assert text.startswith("Storyline: 1 story, 2 articles, 2 publishers\n\n▶ tram\n")
        assert await ask(harness, "/story", together) == text


def entry(
    number: int,
    *,
    story: int = 1,
    line: int = 1,
    at: datetime = NOON,
    origin: str = "",
    name: str = "",
    **more: Any,
) -> StoryEntry:
    place = StoryIds(more.pop("strict", story), story, line)
    return StoryEntry(
        number,
        place,
        more.pop("title", f"Headline {number}"),
        f"https://news.example/{number}",
        name or f"House {number}",
        origin or f"house {number}",
        more.pop("agency", ""),
        at,
        more.pop("pairs", ()),
    )


def test_a_storyline_of_any_size_and_names_of_any_length_are_one_message() -> None:
    told = timeline(
        (
            entry(
                n,
                story=1 if n < 60 else n,
                name="Longest name of a house " * 20,
                title="Long headline " * 20,
                agency="AP",
            )
            for n in range(1, 120)
        ),
        1,
    )
    message = storyline_message(told, NOON, ENGLISH)
    assert len(message.text) <= 4096
    assert len(message.entities) <= 100


@pytest.mark.parametrize("level", ["strict", "normal", "loose"])
async def test_stories_says_how_much_belongs_to_one_alert_and_changes_it(
    opened: OpenHarness, level: str
) -> None:
    async with opened(TRAM) as harness:
        assert "Here: normal" in await ask(harness, "/stories")
        assert (
            await ask(harness, f"/stories {level.upper()}")
            == f"Story grouping here is now: {level}. What it means: /stories"
        )
        assert f"Here: {level}" in await ask(harness, "/stories")
        assert f"Here: {level}" in await ask(harness, "/stories nonsense")


async def test_stories_is_for_one_chat_and_survives_a_restart(opened: OpenHarness) -> None:
    async with opened(EVERYWHERE, stories="strict") as harness:
        await ask(harness, "/stories loose")
    async with opened(EVERYWHERE, stories="normal") as harness:
        assert "Here: loose" in await ask(harness, "/stories")
        assert "Here: normal" in await ask(harness, "/stories", None, GROUP, BOB)


async def test_the_level_that_the_file_gives_a_chat_is_changed_there_only(
    opened: OpenHarness,
) -> None:
    async with opened(TRAM, levels={"ann": "normal"}) as harness:
        assert (
            await ask(harness, "/stories loose")
            == "Set to normal for this chat in feeds.yaml; edit it there."
        )
        assert "Here: normal" in await ask(harness, "/stories")


async def test_a_level_that_the_file_no_longer_gives_a_chat_holds_no_longer(
    opened: OpenHarness,
) -> None:
    async with opened(TRAM, levels={"ann": "loose"}, stories="strict") as harness:
        assert "Here: loose" in await ask(harness, "/stories")
    async with opened(TRAM, stories="strict") as harness:
        assert "Here: strict" in await ask(harness, "/stories")


async def test_a_second_copy_of_an_update_changes_nothing(opened: OpenHarness) -> None:
    async with opened(TRAM) as harness:
        await start_story(harness)
        chat = await harness.app.store.chats.chat_at(ANN, 0)
        assert chat is not None
        update = ChatUpdate(update_id=700_000, address=ANN, user_id=ANN)
        for level, kept in ((Stance.MUTE, True), (Stance.FOLLOW, False)):
            assert (
                await harness.app.store.chats.answer(
                    HandledUpdate(update, chat, Reply(Message("x"), (SetStance(1, level),))),
                    harness.clock.now(),
                )
                is kept
            )
        assert await stances(harness) == [("ann", 1, "mute")]


# The command line


def told(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(
        main,
        [arguments[0], "-c", str(folder / "feeds.yaml"), *arguments[1:]],
        catch_exceptions=False,
    )


async def test_the_command_story_tells_who_was_first_and_why(
    tmp_path: Path, opened: OpenHarness
) -> None:
    async with opened(TRAM) as harness:
        line = await start_story(harness)
        harness.clock.advance(90 * MINUTE)
        [second] = await harness.add(ArticleSpec("quiet", (line, line, line), agency="AP"))
        await harness.add(ArticleSpec("a reaction", (0, 0, line)))
        await harness.execute("insert into joins values (?, ?, 0.5, 'words')", second, line)
        result = told(tmp_path, "story", f"https://news.example/{second}")
        text = " ".join(result.stdout.split())
        assert (result.exit_code, result.stderr) == (0, "")
        assert "2 stories, 3 articles, 3 publishers" in text
        assert "Invented Wire had it first, 1 h 30 min before Invented Wire." in text
        assert "words like Invented Wire (0.50)" in text

        lines = [
            json.loads(each)
            for each in told(
                tmp_path, "story", f"https://news.example/{second}", "--json"
            ).stdout.splitlines()
        ]
        assert [
            (each["title"], each["story"], each["storyline"], each["seconds_after_first"])
            for each in lines
        ] == [
            ("tram", line, line, 0.0),
            ("quiet", line, line, 5430.0),
            ("a reaction", second + 1, line, 0.0),
        ]
        assert [each["pairs"] for each in lines] == [[], [[line, 0.5, "words"]], []]
        assert [each["via"] for each in lines] == ["", "AP", ""]


async def test_the_command_story_of_what_is_not_known_says_so(
    tmp_path: Path, opened: OpenHarness
) -> None:
    async with opened(TRAM) as harness:
        await start_story(harness)
        for what in ("https://news.example/none", "No such headline"):
            result = told(tmp_path, "story", what)
            assert (result.exit_code, result.stdout) == (1, "")
            assert "No stored article was found with this address or headline." in result.stderr


async def test_explain_says_that_an_alert_waits_and_how_long(
    tmp_path: Path, opened: OpenHarness
) -> None:
    async with opened(
        rule("Two", "two", publishers=2, or_after="30m"), rule("Nine", "nine", publishers=9)
    ) as harness:
        two, nine = await harness.add(ArticleSpec("two"), ArticleSpec("nine"))
        text = " ".join(
            told(
                tmp_path, "explain", f"https://news.example/{two}", "--subscription", "Two"
            ).stdout.split()
        )
        waits = "waiting for more publishers: 1 of 2 has the story; you are alerted at"
        assert waits in text
        assert "12:30 at the latest" in text
        text = " ".join(
            told(
                tmp_path, "explain", f"https://news.example/{nine}", "--subscription", "Nine"
            ).stdout.split()
        )
        assert text.endswith("waiting for more publishers: 1 of 9 has the story.")


async def test_explain_of_an_article_with_a_message_beside_the_merged_one_says_that_it_was_sent(
    tmp_path: Path, opened: OpenHarness
) -> None:
    async with opened(TRAM) as harness:
        a, b = await start_story(harness), await start_story(harness, "tram too")
        await harness.add(ArticleSpec("bridge", (b, b, b)), merges=merged(a, b))
        text = " ".join(told(tmp_path, "explain", f"https://news.example/{a}").stdout.split())
        assert "ann: sent at" in text


# A timeline


def test_a_timeline_begins_each_story_with_its_first_article_in_whatever_order_they_came() -> None:
    late, early = entry(1, at=NOON + HOUR), entry(2, at=NOON)
    [story] = timeline([late, early], 1)
    assert [(line.entry.id, line.delay) for line in story.entries] == [(2, timedelta(0)), (1, HOUR)]
    assert (story.title, story.publishers, story.requested) == ("Headline 2", 2, True)


def test_the_lead_is_that_over_the_next_independent_publisher() -> None:
    [story] = timeline(
        [
            entry(1, origin="ap"),
            entry(2, at=NOON + MINUTE, origin="ap"),
            entry(3, at=NOON + 5 * MINUTE),
        ],
        1,
    )
    assert who_was_first(story) == "House 1 had it first, 5 min before House 3."
    [story] = timeline([entry(1, origin="ap"), entry(2, at=NOON + MINUTE, origin="ap")], 1)
    assert who_was_first(story) == "Only House 1, House 2 so far; they count as one publisher."
    [story] = timeline([entry(1), entry(2)], 1)
    assert who_was_first(story) == "House 1 and House 2 had it at the same time."


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "first"),
        (1, "+1 s"),
        (30, "+30 s"),
        (89, "+1 min"),
        (3540, "+59 min"),
        (3599, "+1 h"),
        (3600, "+1 h"),
        (5400, "+1 h 30 min"),
        (90_000, "+25 h"),
    ],
)
def test_a_lead_is_said_in_minutes_and_hours(seconds: int, words: str) -> None:
    assert format_delay(timedelta(seconds=seconds)) == words


def test_the_reasons_name_what_an_article_is_like_and_what_opened_what() -> None:
    pairs = (Pair(1, 1.0, PairReason.LINK), Pair(99, 0.414, PairReason.NAMES))
    told = timeline(
        [
            entry(1),
            entry(2, pairs=pairs),
            entry(3, story=3, pairs=(Pair(1, 0.3, PairReason.WORDS),)),
            entry(4, story=4),
        ],
        3,
    )
    assert [line.reason for story in told for line in story.entries] == [
        "first of the storyline",
        "the same link as House 1; names and numbers like an article no longer stored (0.41)",
        "started a story of this storyline: words like House 1 (0.30)",
        "alone at first; later articles joined it",
    ]
    assert [story.requested for story in told] == [False, True, False]
    assert summary(told) == "3 stories, 4 articles, 4 publishers"


@given(
    st.lists(
        st.tuples(st.integers(0, 5000), st.integers(1, 4), st.sampled_from("abc")), max_size=30
    )
)
def test_a_timeline_holds_every_article_once(drawn: list[tuple[int, int, str]]) -> None:
    entries = [
        entry(number, story=story, at=NOON + timedelta(seconds=at), origin=origin)
        for number, (at, story, origin) in enumerate(drawn, 1)
    ]
    told = timeline(entries, 1)
    assert sorted(line.entry.id for story in told for line in story.entries) == [
        each.id for each in entries
    ]
    for story in told:
        afters = [line.delay for line in story.entries]
        assert afters[0] == timedelta(0)
        assert afters == sorted(afters)
        assert story.publishers == len({line.entry.origin for line in story.entries})
    assert sum(story.requested for story in told) == bool(drawn)
    begins = [story.entries[0].entry.at for story in told]
    assert begins == sorted(begins)


# How a subscription alerts

WAITS = st.one_of(
    st.none(), st.integers(1, 259_200).map(lambda seconds: timedelta(seconds=seconds))
)


@st.composite
def all_options(draw: st.DrawFn) -> AlertOptions:
    publishers = draw(st.integers(1, 49))
    wait = draw(WAITS) if publishers > 1 else None
    return AlertOptions(
        draw(st.sampled_from(Urgency)),
        publishers,
        wait,
        draw(st.sampled_from([0, *range(publishers + 1, 51)])),
    )


@given(
    all_options(),
    st.sampled_from(
        [
            "harbour",
            '"air defence" AND (syria OR iraq)',
            "~Kyiv NOT football",
            "publishers OR urgency",
        ]
    ),
)
@example(AlertOptions(), "harbour")
def test_what_is_written_before_a_query_is_read_as_it_was_meant(
    how: AlertOptions, query: str
) -> None:
    assert options.problem(how) is None
    assert options.split(f"{options.words(how)} {query}".strip()) == (how, query)


@given(st.integers(1, 259_200_000))
def test_a_wait_of_any_length_is_written_so_that_it_is_read_back(thousandths: int) -> None:
    """A duration may have three decimals."""
    how = AlertOptions(publishers=2, or_after=timedelta(milliseconds=thousandths))
    assert options.split(f"{options.words(how)} harbour") == (how, "harbour")


@pytest.mark.parametrize(
    ("text", "marked", "message"),
    [
        ("publishers:0 x", "0", "publishers: expected a number from 1 to 50"),
        ("publishers:51 x", "51", "publishers: expected a number from 1 to 50"),
        ("publishers: x", " x", "publishers: expected a number from 1 to 50"),
        ("urgency:soon x", "soon", "urgency: expected breaking, normal or digest"),
        (
            "publishers:2 or_after:soon x",
            "soon",
            "or_after: expected a duration such as 90s, 2m, 1h or 1d",
        ),
        ("publishers:2 or_after:4d x", "4d", "must be between 1s and 3d"),
        (
            "or_after:30m x",
            "30m",
            "or_after needs publishers: 2 or more; it limits how long to wait for them",
        ),
        ("alert_again_at:1 x", "1", "alert_again_at: expected a number from 2 to 50"),
        ("updates:loud x", "loud", "updates: expected note, alert or edit"),
        (
            "publishers:3 alert_again_at:3 x",
            "3 x",
            "must be more than the publishers of the first alert",
        ),
        (
            "urgency:digest alert_again_at:99999999999 x",
            "99999999999",
            "alert_again_at: expected a number from 2 to 50",
        ),
    ],
)
def test_a_mistake_before_a_query_is_told_with_its_place(
    text: str, marked: str, message: str
) -> None:
    with pytest.raises(QueryError) as raised:
        options.split(text)
    assert (raised.value.message, text[raised.value.position :][: len(marked)]) == (message, marked)


@pytest.mark.parametrize(
    "text", ["publishers", '"publishers:2"', "(publishers:2)", "x publishers:2"]
)
def test_only_what_stands_before_the_query_is_an_option(text: str) -> None:
    assert options.split(text) == (AlertOptions(), text)


async def test_an_option_behind_a_query_is_told_where_it_belongs(opened: OpenHarness) -> None:
    async with opened() as harness:
        answer = await ask(harness, "/subscribe harbour Publishers:2")
        assert "publishers: goes before the query, as in publishers:2 ceasefire" in answer
        assert "once 2 independent publishers report it" in await ask(
            harness, "/subscribe Publishers:2 harbour"
        )


async def test_a_subscription_with_options_is_listed_as_it_was_written_and_alerts_so(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        answer = await ask(harness, "/subscribe publishers:2 or_after:30m alert_again_at:4 harbour")
        assert (
            "once 2 independent publishers report it, or 30 min after the first\n"
            "and again once 4 publishers report it" in answer
        )
        assert "publishers:2 or_after:30m alert_again_at:4 harbour" in await ask(
            harness, "/subscriptions"
        )
        assert (
            await ask(harness, "/subscribe publishers:2 or_after:30m alert_again_at:4 harbour")
            == "This chat already has this subscription. All subscriptions: /subscriptions"
        )
        [a] = await harness.add(ArticleSpec("harbour"))
        await harness.deliver(10 * SECOND)
        assert shown(harness) == []
        await harness.add(ArticleSpec("quiet", (a, a, a)))
        await harness.deliver(10 * SECOND)
        assert shown(harness) == ["harbour"]


async def test_a_mistake_in_the_query_behind_options_is_marked_where_it_stands(
    opened: OpenHarness,
) -> None:
    async with opened() as harness:
        answer = await ask(harness, "/subscribe publishers:2 harbour AND")
        first, last = answer.split("\n")[-2:]
        assert "harbour AND" in first
        assert first[last.index("^") :] == "AND"


FILE = (
    "chats:\n  here: {{terminal: true}}\nsubscriptions:\n"
    "  - {{name: A, query: x, to: [here], {}}}\n"
)


def read(folder: Path, options: str) -> AlertOptions:
    path = folder / "feeds.yaml"
    path.write_text(FILE.format(options))
    return load(path, {}).declared.subscriptions[0].options


def test_the_file_says_how_a_subscription_alerts(tmp_path: Path) -> None:
    assert read(
        tmp_path, "urgency: digest, publishers: 3, or_after: 90s, alert_again_at: 5"
    ) == AlertOptions(Urgency.DIGEST, 3, timedelta(seconds=90), 5)
    assert read(tmp_path, "publishers: 1") == AlertOptions()


@pytest.mark.parametrize(
    ("options", "place", "told"),
    [
        ("publishers: 0", "publishers", "1"),
        ("publishers: 51", "publishers", "50"),
        ("publishers: two", "publishers", "number"),
        ("publishers: true", "publishers", "number"),
        ("publishers: 2.5", "publishers", "number"),
        ("urgency: soon", "urgency", "breaking"),
        ("or_after: 30m", "or_after", "publishers"),
        ("publishers: 2, or_after: 4d", "or_after", "3d"),
        ("publishers: 2, or_after: 0s", "or_after", ""),
        ("alert_again_at: 1", "alert_again_at", "2"),
        ("publishers: 4, alert_again_at: 4", "alert_again_at", "more than the publishers"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_place(
    tmp_path: Path, options: str, place: str, told: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, options)
    [mistake] = raised.value.mistakes
    assert mistake.line == 4
    assert mistake.path in {f"subscriptions[0].{place}", "subscriptions[0]"}
    assert mistake.path.endswith(place) or mistake.message.startswith(f"{place}: "), (
        "where two options do not go together, the one is named"
    )
    assert told in mistake.message


def test_a_level_that_there_is_not_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "feeds.yaml"
    path.write_text(
        "settings: {stories: wide}\nchats:\n  here: {terminal: true, stories: narrow}\n"
    )
    with pytest.raises(ConfigError) as raised:
        load(path, {})
    assert [mistake.path for mistake in raised.value.mistakes] == [
        "settings.stories",
        "chats.here.stories",
    ]


async def test_a_story_held_when_its_storyline_was_followed_is_alerted_with_its_next_article(
    opened: OpenHarness,
) -> None:
    async with opened(TRAM, rule("Two", "two", publishers=9)) as harness:
        line = await start_story(harness)
        [held] = await harness.add(ArticleSpec("two", (0, 0, line)))
        await ask(harness, "/follow", newest_message(harness))
        await harness.add(ArticleSpec("quiet", (held, held, line)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert shown(harness) == ["tram", "two"]


async def test_a_mute_holds_back_what_waits_to_be_sent(opened: OpenHarness) -> None:
    async with opened(TRAM) as harness:
        line = await start_story(harness)
        harness.api.say(ANN, ANN, "/mute", reply_to=newest_message(harness))
        await harness.add(ArticleSpec("tram anew", (0, 0, line)))
        await harness.listen()
        await harness.deliver(MINUTE, 5 * SECOND)
        assert shown(harness) == ["tram"]
