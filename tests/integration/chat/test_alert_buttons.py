"""The buttons under an alert, and what a chat looks up: answers, rights, second presses."""

from datetime import timedelta

import pytest
from telegram_harness import (
    ANN,
    BOB,
    EVERYWHERE,
    GROUP,
    TRAM,
    ArticleSpec,
    OpenHarness,
    TelegramHarness,
    ask,
    newest_message,
    stances,
    start_story,
)

from bot.model.chat_events import AlertAction, Press

SECOND = timedelta(seconds=1)


async def presses(
    harness: TelegramHarness, data: str, message: int, chat: int = ANN, by: int = ANN
) -> tuple[str, list[str]]:
    """Press a button there: what is shown for a moment, and the messages that come."""
    before = len(harness.api.messages(chat))
    harness.api.press(chat, by, message, data)
    await harness.listen()
    await harness.deliver(10 * SECOND, 2 * SECOND)
    return harness.api.answers[-1].text, [
        message.text for message in harness.api.messages(chat)[before:]
    ]


async def test_an_alert_has_its_buttons_and_keeps_them_when_it_changes(opened: OpenHarness) -> None:
    async with opened(TRAM) as harness:
        line = await start_story(harness)
        names = [
            [button["text"] for button in row] for row in harness.api.messages(ANN)[-1].keyboard
        ]
        assert names == [["Why", "Mute", "Follow"], ["Not for me"]]
        await harness.add(ArticleSpec("quiet", (line, line, line)))
        await harness.deliver(120 * SECOND, 5 * SECOND)
        assert "2 publishers" in harness.api.messages(ANN)[-1].text
        assert harness.api.messages(ANN)[-1].keyboard[0][0]["text"] == "Why"


async def test_why_answers_under_the_alert_with_the_words_and_who_was_first(
    opened: OpenHarness,
) -> None:
    async with opened(TRAM) as harness:
        await start_story(harness)
        alert = newest_message(harness)
        toast, [answer] = await presses(harness, "why", alert)
        assert toast == ""
        assert "✓ Tram" in answer
        assert "“tram”" in answer
        assert "had it first" in answer or "Only Invented Wire so far" in answer
        assert harness.api.messages(ANN)[-1].reply_to == alert


async def test_a_press_mutes_and_a_second_one_takes_it_back(opened: OpenHarness) -> None:
    async with opened(TRAM) as harness:
        line = await start_story(harness)
        alert = newest_message(harness)
        toast, messages = await presses(harness, "mute", alert)
        assert toast.startswith("Muted")
        assert messages == []
        assert await stances(harness) == [("ann", line, "mute")]
        assert (await presses(harness, "mute", alert))[0].startswith("Unmuted")
        assert await stances(harness) == []


async def test_follow_after_mute_follows(opened: OpenHarness) -> None:
    async with opened(TRAM) as harness:
        line = await start_story(harness)
        alert = newest_message(harness)
        await presses(harness, "mute", alert)
        assert (await presses(harness, "follow", alert))[0].startswith("Following")
        assert await stances(harness) == [("ann", line, "follow")]


@pytest.mark.parametrize("data", ["mute", "follow"])
async def test_in_a_group_who_is_no_administrator_changes_nothing_and_is_told_so(
    opened: OpenHarness, data: str
) -> None:
    async with opened(EVERYWHERE) as harness:
        await start_story(harness)
        toast, messages = await presses(harness, data, newest_message(harness, GROUP), GROUP, BOB)
        assert toast == "Only administrators of this chat can change its alerts."
        assert messages == []
        assert await stances(harness) == []


async def test_everyone_in_a_group_may_ask_why(opened: OpenHarness) -> None:
    async with opened(EVERYWHERE) as harness:
        await start_story(harness)
        _, [answer] = await presses(harness, "why", newest_message(harness, GROUP), GROUP, BOB)
        assert "✓" in answer


@pytest.mark.parametrize("data", ["", "x", "why2", "mute" * 16])
async def test_a_button_that_is_not_known_says_so_and_does_nothing(
    opened: OpenHarness, data: str
) -> None:
    async with opened(TRAM) as harness:
        await start_story(harness)
        before = harness.api.messages(ANN)
        harness.api.press(ANN, ANN, newest_message(harness), data)
        await harness.listen()
        await harness.deliver()
        assert harness.api.messages(ANN) == before
        assert await stances(harness) == []


@pytest.mark.parametrize("press", list(AlertAction))
async def test_a_button_of_a_message_that_is_no_alert_says_so(
    opened: OpenHarness, press: AlertAction
) -> None:
    async with opened(TRAM) as harness:
        await start_story(harness)
        await ask(harness, "/help")
        toast, messages = await presses(harness, press.value, newest_message(harness))
        assert "not an alert" in (toast or messages[0])
        assert await stances(harness) == []


async def test_the_same_press_twice_does_once(opened: OpenHarness) -> None:
    async with opened(TRAM) as harness:
        line = await start_story(harness)
        alert = newest_message(harness)
        number = harness.api.press(ANN, ANN, alert, "mute")
        await harness.listen()
        again = Press(
            update_id=number,
            address=ANN,
            user_id=ANN,
            message_id=alert,
            reply_to=alert,
            is_admin=True,
            data="mute",
            press_id="x",
        )
        assert harness.app.telegram is not None
        await harness.app.telegram.dispatcher.handle(again)
        assert await stances(harness) == [("ann", line, "mute")]


async def test_why_with_an_address_says_why_an_article_did_not_come(opened: OpenHarness) -> None:
    async with opened(TRAM) as harness:
        [quiet] = await harness.add(ArticleSpec("A calm day"))
        [row] = await harness.rows("select link from entries where id = ?", quiet)
        answer = await ask(harness, f"/why {row[0]}")
        assert answer.startswith("A calm day")
        assert "✗ Tram" in answer
        assert "No stored article was found under this address" in await ask(
            harness, "/why https://elsewhere.example/x"
        )
        shared = await ask(harness, f"/why have you seen {row[0]}?utm_source=app?")
        assert shared == answer
        assert "Send the address or headline" in await ask(harness, "/why")
        assert "No stored article was found with this headline" in await ask(
            harness, "/why What is that"
        )


async def test_why_as_an_answer_to_an_alert_is_the_button_s_answer(opened: OpenHarness) -> None:
    async with opened(TRAM) as harness:
        await start_story(harness)
        alert = newest_message(harness)
        by_word = await ask(harness, "/why", alert)
        _, [by_button] = await presses(harness, "why", alert)
        assert by_word == by_button


async def test_search_shows_the_newest_articles_that_match(opened: OpenHarness) -> None:
    async with opened(TRAM) as harness:
        await harness.add(
            *(ArticleSpec(f"Harbour news {word}") for word in ("one", "two", "three")),
            ArticleSpec("A calm day"),
        )
        answer = await ask(harness, "/search harbour NOT two")
        assert [line for line in answer.split("\n") if line.startswith("•")] == [
            "• Harbour news three",
            "• Harbour news one",
        ]
        assert "No article of the last 30 days matches" in await ask(harness, "/search volcano")
        assert "the words to look for" in await ask(harness, "/search")
        assert "^" in await ask(harness, "/search (harbour")


async def test_feeds_lists_what_is_watched_and_finds_by_a_word(opened: OpenHarness) -> None:
    async with opened(TRAM) as harness:
        answer = await ask(harness, "/feeds")
        assert answer.startswith("1 feed\n• Invented Wire")
        assert await ask(harness, "/feeds INVENTED") == answer
        assert await ask(harness, "/feeds lantern") == "No feed of that name. All 1: /feeds"
