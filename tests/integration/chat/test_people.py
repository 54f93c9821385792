"""How people come in and what they leave: links, languages, forwarded posts, reactions, feeds of their own, quotas, moving groups."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botapi import BotApi
from botapi.origins import FromChannel, FromHiddenUser, FromUser
from support import FeedServer, ManualClock, item, poll, rss
from telegram_harness import ANN, BOB, GROUP, ArticleSpec, TelegramHarness, open_harness, rule

EVE, ROOM = 9, -20
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


@asynccontextmanager
async def open_desk(
    folder: Path, clock: ManualClock, chats: dict[str, Any] | None = None, **more: Any
) -> AsyncIterator[TelegramHarness]:
    async with BotApi() as api:
        api.add_private(ANN, "Ann")
        api.add_private(BOB, "Bob", language_code="en-GB")
        api.add_private(EVE, "Eve", language_code="uk-UA")
        api.add_group(GROUP, "Newsroom", members={ANN: "creator", BOB: "member"})
        api.add_group(ROOM, "Room", members={BOB: "creator", EVE: "member"})
        more.setdefault("subscriptions", [])
        async with open_harness(
            folder, api, chats or {"ann": ANN}, clock, admins=[ANN], **more
        ) as made:
            yield made


async def says(one: TelegramHarness, user: int, text: str, chat: int = 0) -> list[str]:
    """Write there; what the bot says in that chat then."""
    place = chat or user
    before = len(one.api.messages(place))
    one.api.say(place, user, text)
    return await reply(one, place, before)


async def reply(one: TelegramHarness, place: int, before: int) -> list[str]:
    await one.listen()
    await one.deliver(10 * SECOND, SECOND)
    return [message.text for message in one.api.messages(place)[before:]]


async def presses(one: TelegramHarness, user: int, label: str, chat: int = 0) -> str:
    """Press the newest button of this name; what the message says then."""
    place = chat or user
    for message in reversed(one.api.messages(place)):
        for row in (message.reply_markup or {}).get("inline_keyboard", ()):
            for button in row:
                if button["text"] == label:
                    one.api.press(place, user, message.message_id, button["callback_data"])
                    await reply(one, place, 0)
                    return next(
                        one_message.text
                        for one_message in one.api.messages(place)
                        if one_message.message_id == message.message_id
                    )
    raise AssertionError(label)


async def link(one: TelegramHarness, label: str, user: int = ANN) -> str:
    await presses(one, user, label)
    return one.api.messages(user)[-1].text.rpartition("start=")[2]


async def test_an_invitation_lets_in_who_opens_it_first_and_nobody_else(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_desk(tmp_path, clock, access="invite") as one:
        await says(one, ANN, "/admin")
        token = await link(one, "Invite somebody")
        assert (await says(one, BOB, "/subscribe harbour"))[0].startswith(
            "This newsbell serves those who were invited"
        )
        await says(one, BOB, f"/start {token}")
        assert (await one.made.store.chats.person(BOB)).role == "user"
        assert len(await says(one, BOB, "/subscribe harbour")) == 1
        clock.advance(HOUR)
        assert len(await says(one, EVE, f"/start {token}")) == 1
        assert (await one.made.store.chats.person(EVE)).role == "stranger"


async def test_an_invitation_does_not_work_in_a_group_nor_after_three_days(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_desk(tmp_path, clock, access="invite") as one:
        await says(one, ANN, "/admin")
        token = await link(one, "Invite somebody")
        assert await says(one, BOB, f"/start {token}", ROOM) == [
            "Open the invitation in a private chat with me."
        ]
        clock.advance(timedelta(hours=73))
        await says(one, BOB, f"/start {token}")
        assert (await one.made.store.chats.person(BOB)).role == "stranger"


async def test_a_group_is_let_in_with_who_adds_the_bot_where_they_may(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_desk(tmp_path, clock, access="invite") as one:
        one.api.invite(ROOM)  # Bob, its creator, is nobody yet
        await one.listen()
        assert await says(one, BOB, "/help", ROOM) == []
        await says(one, ANN, "/admin")
        await says(one, BOB, f"/start {await link(one, 'Invite somebody')}")
        one.api.invite(ROOM)
        await one.listen()
        assert len(await says(one, EVE, "/help", ROOM)) == 1


async def test_a_blocked_person_hears_nothing_and_comes_back_when_let_in_again(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_desk(tmp_path, clock, access="open") as one:
        await says(one, BOB, "/start")
        await says(one, BOB, "/subscribe harbour")
        await says(one, ANN, "/admin")
        await presses(one, ANN, "People")
        await presses(one, ANN, "Bob · user")
        await presses(one, ANN, "Block")
        assert await says(one, BOB, "/subscriptions") == []
        assert await says(one, BOB, "/start") == []
        await one.adds(ArticleSpec("harbour closed"))
        await one.deliver(10 * SECOND, SECOND)
        assert "harbour closed" not in one.api.messages(BOB)[-1].text
        await presses(one, ANN, "Bob · blocked")
        await presses(one, ANN, "Let in again")
        assert "harbour" in (await says(one, BOB, "/subscriptions"))[0]


async def test_an_owner_makes_operators_and_an_operator_does_not(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_desk(tmp_path, clock, access="open") as one:
        for user in (BOB, EVE):
            await says(one, user, "/start")
        await says(one, ANN, "/admin")
        await presses(one, ANN, "People")
        await presses(one, ANN, "Bob · user")
        await presses(one, ANN, "Make operator")
        assert (await one.made.store.chats.person(BOB)).role == "admin"
        await says(one, BOB, "/language en")
        await says(one, BOB, "/admin")
        await presses(one, BOB, "People")
        await presses(one, BOB, "Eve · user")
        labels = [
            button["text"]
            for row in one.api.messages(BOB)[-1].reply_markup["inline_keyboard"]
            for button in row
        ]
        assert "Block" in labels
        assert "Make operator" not in labels
        [number] = [number for (number,) in await one.rows("select max(id) from screens")]
        one.api.press(BOB, BOB, one.api.messages(BOB)[-1].message_id, f"{number}:promote")
        await one.listen()
        assert (await one.made.store.chats.person(EVE)).role == "user"


async def test_everyone_is_told_what_an_operator_writes_and_nobody_before_it_is_sent(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_desk(tmp_path, clock, access="open") as one:
        await says(one, BOB, "/start")
        await says(one, ANN, "/admin")
        await presses(one, ANN, "Tell everyone")
        await says(one, ANN, "The harbour feed moves tonight.")
        assert [
            message for message in one.api.messages(BOB) if "moves tonight" in message.text
        ] == []
        await presses(one, ANN, "Send")
        [told] = [message for message in one.api.messages(BOB) if "moves tonight" in message.text]
        assert told.silent


async def test_who_comes_is_greeted_in_the_language_of_their_telegram(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_desk(tmp_path, clock, access="open") as one:
        for user, language in ((BOB, "en"), (EVE, "uk")):
            await says(one, user, "/start")
            chat = await one.made.store.chats.chat_at(user, 0)
            assert chat is not None
            assert chat.settings.language == language


async def test_a_shared_query_subscribes_in_one_tap(tmp_path: Path, clock: ManualClock) -> None:
    async with open_desk(tmp_path, clock, access="open") as one:
        await says(one, ANN, "/subscribe publishers:2 or_after:30m harbour")
        await says(one, ANN, "/subscriptions")
        await presses(one, ANN, "1")
        token = await link(one, "Share")
        assert len(token) <= 64
        await says(one, BOB, f"/start {token}")
        [(query, publishers, wait)] = await one.rows(
            "select query, publishers, or_after from subscriptions s join routes on subscription_id = s.id join chats c on c.id = chat_id where address = ?",
            BOB,
        )
        assert (query, publishers, wait) == ("harbour", 2, 1800.0)
        await says(one, BOB, f"/start {token}")
        assert len(await one.rows("select 1 from subscriptions")) == 2, "once"
        assert len(await says(one, EVE, f"/start {token}")) == 1, "a shared link works for many"


@pytest.mark.parametrize(
    ("origin", "name"),
    [
        (FromChannel(-1005, 7), "Harbour Notes"),
        (FromUser(BOB), "Bob"),
        (FromHiddenUser("Somebody"), "Somebody"),
    ],
    ids=["channel", "user", "hidden"],
)
async def test_a_forwarded_post_offers_to_watch_its_topic(
    tmp_path: Path, clock: ManualClock, origin: Any, name: str
) -> None:
    async with open_desk(tmp_path, clock) as one:
        one.api.add_channel(-1005, "Harbour Notes")
        one.api.forward(ANN, ANN, origin, "Storm closes the harbour of Valmora\nFerries wait.")
        [answer] = await reply(one, ANN, 0)
        assert answer.startswith(f"From {name}.")
        await presses(one, ANN, "Ring me for this")
        [(query,)] = await one.rows("select query from subscriptions")
        assert "Valmora" in query
        assert len(query.split()) <= 3


async def test_a_reaction_counts_for_the_subscription_that_rang(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_desk(tmp_path, clock) as one:
        await says(one, ANN, "/subscribe harbour")
        await one.adds(ArticleSpec("harbour closed"))
        await one.deliver(10 * SECOND, SECOND)
        alert = one.api.messages(ANN)[-1].message_id
        for emoji in ("👎", "👍", "👍", None, "🤔", "👎"):
            one.api.react(ANN, ANN, alert, emoji)
            await one.listen()
        await says(one, ANN, "/subscriptions")
        assert "👍 0 👎 1" in await presses(one, ANN, "1")


async def test_a_feed_that_a_chat_added_rings_that_chat_alone(
    tmp_path: Path, clock: ManualClock, server: FeedServer
) -> None:
    server.put("/coast", rss(item("1", "Old news"), title="Coast Herald"))
    async with open_desk(tmp_path, clock, {"ann": ANN, "group": GROUP}) as one:
        await says(one, ANN, f"/addfeed {server.url('/coast')}")
        await presses(one, ANN, "Watch it")
        await says(one, ANN, "/subscribe harbour")
        await says(one, ANN, "/subscribe harbour", GROUP)
        await poll(one.made)
        clock.advance(HOUR)
        server.put(
            "/coast",
            rss(
                item("2", "Storm over the harbour", at=clock.now()),
                item("1", "Old news"),
                title="Coast Herald",
            ),
        )
        await poll(one.made)
        assert one.shown(ANN)[-1] == "Storm over the harbour"
        assert "Storm over the harbour" not in one.shown(GROUP)
        await says(one, ANN, "/removefeed Coast Herald")
        clock.advance(HOUR)
        seen = len(server.seen)
        await poll(one.made)
        assert len(server.seen) == seen, "nobody has it watched any more"


async def test_a_feed_of_the_file_that_a_chat_added_as_well_stays_with_the_chat_when_the_file_gives_it_up(
    tmp_path: Path, clock: ManualClock, server: FeedServer
) -> None:
    url = server.url("/coast")
    server.put("/coast", rss(item("1", "Old news"), title="Coast Herald"))
    async with open_desk(tmp_path, clock, feeds=[url]) as one:
        await one.made.store._writer.run(
            "add",
            lambda db: db.execute(
                "insert into feed_chats select 1, id, 7, '' from chats where name = 'ann'"
            ),
        )
    async with open_desk(tmp_path, clock, feeds=[]) as one:
        assert await one.rows("select active, declared from feeds where url = ?", url) == [(1, 0)]


async def test_quotas_are_said_and_held(
    tmp_path: Path, clock: ManualClock, server: FeedServer
) -> None:
    quotas = {"feeds": 2, "hosts_an_hour": 1, "subscriptions": 1}
    for number in range(3):
        server.put(f"/{number}", rss(item("1", "Old news"), title=f"Feed {number}"))
    async with open_desk(tmp_path, clock, access="open", quotas=quotas) as one:
        await says(one, EVE, "/start")
        await says(one, EVE, "/language en")
        await says(one, EVE, f"/addfeed {server.url('/0')}")
        await presses(one, EVE, "Watch it")
        assert await says(one, EVE, f"/addfeed {server.url('/1')}") == [
            "You can add 1 new sites an hour. Try again later."
        ]
        clock.advance(2 * HOUR)
        await says(one, EVE, f"/addfeed {server.url('/1')}")
        await presses(one, EVE, "Watch it")
        clock.advance(2 * HOUR)
        assert await says(one, EVE, f"/addfeed {server.url('/2')}") == [
            "A chat can add 2 feeds. Remove one with /removefeed first."
        ]
        await says(one, EVE, "/subscribe harbour")
        assert await says(one, EVE, "/subscribe ferry") == [
            "A chat can have 1 subscriptions. Remove one with /unsubscribe first."
        ]


async def test_more_commands_than_anyone_needs_are_passed_by(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_desk(tmp_path, clock, quotas={"commands_a_minute": 5}) as one:
        for _ in range(9):
            one.api.say(ANN, ANN, "/status")
        await one.listen()
        await one.deliver(20 * SECOND, SECOND)
        assert len(one.api.messages(ANN)) == 5
        clock.advance(HOUR)
        assert len(await says(one, ANN, "/status")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "localhost",
        "not an address",
        "ftp://coast.example/feed",
        "https://user:secret@coast.example/",
    ],
)
async def test_what_is_no_web_address_is_not_looked_at(
    tmp_path: Path, clock: ManualClock, text: str
) -> None:
    async with open_desk(tmp_path, clock) as one:
        assert (await says(one, ANN, f"/addfeed {text}"))[0].startswith("That is no web address.")


async def test_a_site_without_feeds_and_one_that_is_down_are_said_and_can_be_tried_again(
    tmp_path: Path, clock: ManualClock, server: FeedServer
) -> None:
    server.put("/", "<html><body>Nothing</body></html>", headers={"Content-Type": "text/html"})
    async with open_desk(tmp_path, clock) as one:
        [answer] = await says(one, ANN, f"/addfeed {server.url('/')}")
        assert answer.startswith("I find no feed there.")
        server.put("/", rss(item("1", "Old news"), title="Coast Herald"))
        assert (await presses(one, ANN, "Try again")).startswith("Coast Herald")


async def test_a_group_that_becomes_a_supergroup_keeps_all_it_had(
    tmp_path: Path, clock: ManualClock, server: FeedServer
) -> None:
    server.put("/coast", rss(item("1", "Old news"), title="Coast Herald"))
    async with open_desk(
        tmp_path,
        clock,
        {"ann": ANN, "group": GROUP},
        subscriptions=[rule("Rung", "rung", to=("group",))],
    ) as one:
        await says(one, ANN, "/subscribe harbour", GROUP)
        await says(one, ANN, "/language de", GROUP)
        await says(one, ANN, f"/addfeed {server.url('/coast')}", GROUP)
        word = one.api.messages(GROUP)[-1].reply_markup["inline_keyboard"][0][0]["callback_data"]
        one.api.press(GROUP, ANN, one.api.messages(GROUP)[-1].message_id, word)
        await reply(one, GROUP, 0)
        one.api.migrate(GROUP, -1077)
        await one.adds(ArticleSpec("rung"))
        await one.deliver(20 * SECOND, SECOND)
        assert one.api.messages(-1077)[-1].text.startswith("rung")
        [(settings, feeds)] = await one.rows(
            "select settings, (select count(*) from feed_chats where chat_id = chats.id) from chats where address = -1077 and allowed = 1"
        )
        assert settings == '{"language": "de"}'
        assert feeds == 1


async def test_an_opml_file_is_taken_in_and_one_that_is_none_is_said_to_be(
    tmp_path: Path, clock: ManualClock
) -> None:
    document = b"<opml><body><outline text='Coast'><outline xmlUrl='https://a.example/rss' text='A &amp; B'/></outline></body></opml>"
    async with open_desk(tmp_path, clock) as one:
        one.api.upload(ANN, ANN, "reader.opml", document)
        assert await reply(one, ANN, 0) == ["1 feed added for this chat."]
        one.api.upload(ANN, ANN, "again.opml", document)
        assert (await reply(one, ANN, 1))[0].splitlines() == [
            "0 feeds added for this chat.",
            "1 feed was watched already.",
        ]
        one.api.upload(ANN, ANN, "page.xml", b"<html><body>Hello</body></html>")
        assert (await reply(one, ANN, 2))[0].startswith("This is no OPML file that I can read:")
        one.api.upload(GROUP, ANN, "reader.opml", document)
        assert await reply(one, GROUP, 0) == []


async def test_a_link_alone_is_looked_at_and_its_site_offered(
    tmp_path: Path, clock: ManualClock, server: FeedServer
) -> None:
    server.put("/feed", rss(item("1", "Pier opens"), title="Coast Herald"))
    async with open_desk(tmp_path, clock) as one:
        assert (await says(one, ANN, server.url("/feed")))[0].startswith("Coast Herald")
        assert await says(one, ANN, f"look at {server.url('/feed')} some day") == []
        assert (await presses(one, ANN, "Watch it")).startswith("Watching Coast Herald")


async def test_telegram_is_told_the_commands_for_each_kind_of_chat_and_language(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_desk(tmp_path, clock) as one:
        assert one.made.bot is not None
        await one.made._offer_commands(one.made.bot)
        commands = one.api.commands
        assert {language for _, language in commands} == {"", "ar", "de", "es", "ru", "uk"}
        names = {
            scope: {command["command"] for command in told}
            for (scope, language), told in commands.items()
            if not language
        }
        assert (
            names["all_group_chats"] < names["all_chat_administrators"] < names["all_private_chats"]
        )
        assert "subscribe" not in names["all_group_chats"]
        assert {f"/{name}" for name in names["all_private_chats"]} <= set(
            one.made._actions._routes.commands
        )
        english, german = commands["all_private_chats", ""], commands["all_private_chats", "de"]
        assert [command["command"] for command in english] == [
            command["command"] for command in german
        ]
        assert [command["description"] for command in english] != [
            command["description"] for command in german
        ]
