"""The buttons under an alert, and what a chat looks up: answers, rights, second presses."""

from datetime import timedelta

import pytest
from telegram_harness import (
    ANN,
    BOB,
    EVERYWHERE,
    GROUP,
    RUNG,
    ArticleSpec,
    Opened,
    TelegramHarness,
    asks,
    newest,
    stances,
    started,
)

from bot.model.chat_events import Incoming, Press

SECOND = timedelta(seconds=1)


async def presses(
    one: TelegramHarness, data: str, message: int, chat: int = ANN, by: int = ANN
) -> tuple[str, list[str]]:
    """Press a button there: what is shown for a moment, and the messages that come."""
    before = len(one.api.messages(chat))
    one.api.press(chat, by, message, data)
    await one.listen()
    await one.deliver(10 * SECOND, 2 * SECOND)
    return one.api.answers[-1].text, [message.text for message in one.api.messages(chat)[before:]]


async def test_an_alert_has_its_buttons_and_keeps_them_when_it_changes(opened: Opened) -> None:
    async with opened(RUNG) as one:
        line = await started(one)
        names = [
            [button["text"] for button in row]
            for row in one.api.messages(ANN)[-1].reply_markup["inline_keyboard"]
        ]
        assert names == [["Why", "Mute", "Follow"], ["Not for me"]]
        await one.adds(ArticleSpec("quiet", (line, line, line)))
        await one.deliver(120 * SECOND, 5 * SECOND)
        assert "2 publishers" in one.api.messages(ANN)[-1].text
        assert one.api.messages(ANN)[-1].reply_markup["inline_keyboard"][0][0]["text"] == "Why"


async def test_why_answers_under_the_alert_with_the_words_and_who_was_first(opened: Opened) -> None:
    async with opened(RUNG) as one:
        await started(one)
        alert = newest(one)
        toast, [answer] = await presses(one, "why", alert)
        assert toast == ""
        assert "✓ Rung" in answer
        assert "“rung”" in answer
        assert "had it first" in answer or "alone has it so far" in answer
        assert one.api.messages(ANN)[-1].reply_to == alert


async def test_a_press_mutes_and_a_second_one_takes_it_back(opened: Opened) -> None:
    async with opened(RUNG) as one:
        line = await started(one)
        alert = newest(one)
        toast, messages = await presses(one, "mute", alert)
        assert toast.startswith("Muted")
        assert messages == []
        assert await stances(one) == [("ann", line, "mute")]
        assert (await presses(one, "mute", alert))[0].startswith("Taken back")
        assert await stances(one) == []


async def test_follow_after_mute_follows(opened: Opened) -> None:
    async with opened(RUNG) as one:
        line = await started(one)
        alert = newest(one)
        await presses(one, "mute", alert)
        assert (await presses(one, "follow", alert))[0].startswith("Following")
        assert await stances(one) == [("ann", line, "follow")]


@pytest.mark.parametrize("data", ["mute", "follow"])
async def test_in_a_group_who_is_no_administrator_changes_nothing_and_is_told_so(
    opened: Opened, data: str
) -> None:
    async with opened(EVERYWHERE) as one:
        await started(one)
        toast, messages = await presses(one, data, newest(one, GROUP), GROUP, BOB)
        assert toast == "Only administrators of this chat can change what rings here."
        assert messages == []
        assert await stances(one) == []


async def test_everyone_in_a_group_may_ask_why(opened: Opened) -> None:
    async with opened(EVERYWHERE) as one:
        await started(one)
        _, [answer] = await presses(one, "why", newest(one, GROUP), GROUP, BOB)
        assert "✓" in answer


@pytest.mark.parametrize("data", ["", "x", "why2", "mute" * 16])
async def test_a_button_that_is_not_known_says_so_and_does_nothing(
    opened: Opened, data: str
) -> None:
    async with opened(RUNG) as one:
        await started(one)
        before = one.api.messages(ANN)
        one.api.press(ANN, ANN, newest(one), data)
        await one.listen()
        await one.deliver()
        assert one.api.messages(ANN) == before
        assert await stances(one) == []


@pytest.mark.parametrize("press", list(Press))
async def test_a_button_of_a_message_that_is_no_alert_says_so(opened: Opened, press: Press) -> None:
    async with opened(RUNG) as one:
        await started(one)
        await asks(one, "/help")
        toast, messages = await presses(one, press.value, newest(one))
        assert "no alert that I remember" in (toast or messages[0])
        assert await stances(one) == []


async def test_the_same_press_twice_does_once(opened: Opened) -> None:
    async with opened(RUNG) as one:
        line = await started(one)
        alert = newest(one)
        number = one.api.press(ANN, ANN, alert, "mute")
        await one.listen()
        again = Incoming(
            number,
            ANN,
            0,
            "Ann",
            ANN,
            "",
            alert,
            may_change=True,
            reply_to=alert,
            press="mute",
            press_id="x",
        )
        await one.made._actions.handle(again)
        assert await stances(one) == [("ann", line, "mute")]


async def test_why_with_an_address_says_why_an_article_did_not_come(opened: Opened) -> None:
    async with opened(RUNG) as one:
        [quiet] = await one.adds(ArticleSpec("A calm day"))
        [row] = await one.rows("select link from entries where id = ?", quiet)
        answer = await asks(one, f"/why {row[0]}")
        assert answer.startswith("A calm day")
        assert "✗ Rung" in answer
        assert "No feed has shown this address" in await asks(
            one, "/why https://elsewhere.example/x"
        )
        assert "Write the address" in await asks(one, "/why")
        assert "No stored article has this headline" in await asks(one, "/why What is that")


async def test_why_as_an_answer_to_an_alert_is_the_button_s_answer(opened: Opened) -> None:
    async with opened(RUNG) as one:
        await started(one)
        alert = newest(one)
        by_word = await asks(one, "/why", alert)
        _, [by_button] = await presses(one, "why", alert)
        assert by_word == by_button


async def test_search_shows_the_newest_articles_that_match(opened: Opened) -> None:
    async with opened(RUNG) as one:
        await one.adds(
            *(ArticleSpec(f"Harbour news {word}") for word in ("one", "two", "three")),
            ArticleSpec("A calm day"),
        )
        answer = await asks(one, "/search harbour NOT two")
        assert [line for line in answer.split("\n") if line.startswith("•")] == [
            "• Harbour news three",
            "• Harbour news one",
        ]
        assert "No article of the last 30 days matches" in await asks(one, "/search volcano")
        assert "Write what to look for" in await asks(one, "/search")
        assert "^" in await asks(one, "/search (harbour")


async def test_feeds_lists_what_is_watched_and_finds_by_a_word(opened: Opened) -> None:
    async with opened(RUNG) as one:
        answer = await asks(one, "/feeds")
        assert answer.startswith("1 feed\n• Invented Wire")
        assert await asks(one, "/feeds INVENTED") == answer
        assert await asks(one, "/feeds lantern") == "No feed is called so. /feeds lists all 1."
