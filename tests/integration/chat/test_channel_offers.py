"""Channels of Telegram that people name, link to or forward posts of: the bot offers to follow."""

from datetime import timedelta
from pathlib import Path

from botapi import BotApi
from botapi.origins import FromChannel
from channel_pages import channel_page, landing_page, post
from support import FeedServer, ManualClock, query
from telegram_harness import ANN, BOB, TelegramHarness, ask, open_harness

NAME = "euphrates_post"


async def settled(harness: TelegramHarness) -> None:
    await harness.listen()
    await harness.deliver(timedelta(seconds=30), timedelta(seconds=2))


async def pressed(harness: TelegramHarness, label: str) -> str:
    """Press the newest button of this name; what its message says then."""
    for message in reversed(harness.api.messages(ANN)):
        for button in (button for row in message.keyboard for button in row):
            if button["text"] == label:
                harness.api.press(ANN, ANN, message.message_id, button["callback_data"])
                await settled(harness)
                return next(
                    changed.text
                    for changed in harness.api.messages(ANN)
                    if changed.message_id == message.message_id
                )
    raise AssertionError(label)


async def test_whatever_names_a_channel_leads_to_the_same_offer(
    tmp_path: Path, clock: ManualClock, server: FeedServer
) -> None:
    server.put(f"/s/{NAME}", channel_page(post(1, "Good morning"), post(2, "Schools reopen")))
    server.put("/s/quiet_people", landing_page("7 subscribers"))
    offer = f"Euphrates Post\nhttps://t.me/s/{NAME}\n\n• Schools reopen\n• Good morning"
    sources = {"telegram": server.base}
    async with BotApi() as api:
        api.add_private(ANN, "Ann")
        api.add_channel(-1005, "Euphrates Post", username=NAME.upper())
        async with open_harness(
            tmp_path, api, {"ann": ANN}, clock, subscriptions=[], sources=sources
        ) as harness:
            for text in (
                f"@{NAME}",
                f"https://t.me/{NAME}/1?single",
                f"/addfeed T.ME/S/{NAME.upper()}",
                f"/subscribe @{NAME}",
            ):
                assert await ask(harness, text) == offer, text
            assert "no preview" in await ask(harness, "/addfeed t.me/quiet_people")
            for private in ("https://t.me/+AbCd", "/addfeed https://t.me/c/123/4"):
                assert (await ask(harness, private)).startswith("Only members"), private
            for misnamed in ("/addfeed @x", "/addfeed @1st_wire", "https://t.me/s/x"):
                assert "4 to 32 letters" in await ask(harness, misnamed), misnamed
            assert await ask(harness, "@deir-ez-zor") != offer, "it is a list in a query"

            api.forward(ANN, ANN, FromChannel(-1005, 7), "Storm closes the harbour of Valmora")
            await settled(harness)
            assert harness.api.messages(ANN)[-1].text.startswith("From Euphrates Post. Follow")
            assert await pressed(harness, f"Follow channel @{NAME}") == offer
            assert await pressed(harness, "Add") == (
                "Added Euphrates Post. You are alerted when its articles match your subscriptions."
            )
            [(url, publisher, host)] = query(
                harness.app, "select url, publisher, host from feeds where declared = 0"
            )
            assert (url, publisher, host) == (f"https://t.me/s/{NAME}", f"@{NAME}", "t.me")
            assert await ask(harness, f"/removefeed @{NAME}") == "Removed Euphrates Post."


async def test_a_forwarded_picture_offers_its_channel(tmp_path: Path, clock: ManualClock) -> None:
    async with BotApi() as api:
        api.add_private(ANN, "Ann")
        api.add_channel(-1005, "Euphrates Post", username=NAME)
        async with open_harness(tmp_path, api, {"ann": ANN}, clock, subscriptions=[]) as harness:
            api.forward(ANN, ANN, FromChannel(-1005, 7), "⚡️")
            await settled(harness)

            assert harness.api.messages(ANN)[-1].text == "From Euphrates Post. Follow this channel?"


async def test_an_operator_is_shown_how_a_page_without_a_feed_can_be_read(
    tmp_path: Path, clock: ManualClock, server: FeedServer
) -> None:
    rows = "".join(
        f'<li class="notice"><a href="/n/{number}">Pier {number} is closed for repairs</a></li>'
        for number in range(3)
    )
    server.put("/notices", f"<ul>{rows}</ul>", headers={"Content-Type": "text/html"})
    async with BotApi() as api:
        for person in (ANN, BOB):
            api.add_private(person, "Somebody")
        chats = {"ann": ANN, "bob": BOB}
        async with open_harness(
            tmp_path, api, chats, clock, subscriptions=[], admins=[ANN]
        ) as harness:
            shown = await ask(harness, f"/addfeed {server.url('/notices')}")
            told = await ask(harness, f"/addfeed {server.url('/notices')}", chat=BOB, by=BOB)

    assert shown.startswith(told)
    assert f"- url: {server.url('/notices')}\n  page:\n    item: li.notice\n" in shown
    assert shown.endswith("• Pier 2 is closed for repairs")
    assert "page:" not in told
