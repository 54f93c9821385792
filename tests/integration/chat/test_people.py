"""What people bring: links, languages, forwarded posts, reactions, feeds, quotas, moved groups."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botapi import BotApi
from botapi.origins import FromChannel, FromHiddenUser, FromUser
from support import FeedServer, ManualClock, item, poll, rss, stored
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


async def says(harness: TelegramHarness, user: int, text: str, chat: int = 0) -> list[str]:
    """Write there; what the bot says in that chat then."""
    place = chat or user
    before = len(harness.api.messages(place))
    harness.api.say(place, user, text)
    return await reply(harness, place, before)


async def reply(harness: TelegramHarness, place: int, before: int) -> list[str]:
    await harness.listen()
    await harness.deliver(10 * SECOND, SECOND)
    return [message.text for message in harness.api.messages(place)[before:]]


async def presses(harness: TelegramHarness, user: int, label: str, chat: int = 0) -> str:
    """Press the newest button of this name; what the message says then."""
    place = chat or user
    for message in reversed(harness.api.messages(place)):
        for row in message.keyboard:
            for button in row:
                if button["text"] == label:
                    harness.api.press(place, user, message.message_id, button["callback_data"])
                    await reply(harness, place, 0)
                    return next(
                        one_message.text
                        for one_message in harness.api.messages(place)
                        if one_message.message_id == message.message_id
                    )
    raise AssertionError(label)


async def link(harness: TelegramHarness, label: str, user: int = ANN) -> str:
    await presses(harness, user, label)
    return harness.api.messages(user)[-1].text.rpartition("start=")[2]


@pytest.mark.parametrize("access", ["private", "invite"])
async def test_an_invitation_lets_in_who_opens_it_first_and_nobody_else(
    tmp_path: Path, clock: ManualClock, access: str
) -> None:
    async with open_desk(tmp_path, clock, access=access) as harness:
        await says(harness, ANN, "/admin")
        token = await link(harness, "Invite someone")
        assert (await says(harness, BOB, "/subscribe harbour"))[0].startswith(
            "This bot is private. Its operator knows now"
        )
        await says(harness, BOB, f"/start {token}")
        assert (await harness.app.store.chats.person(BOB)).role == "user"
        assert len(await says(harness, BOB, "/subscribe harbour")) == 1
        clock.advance(HOUR)
        assert len(await says(harness, EVE, f"/start {token}")) == 1
        assert (await harness.app.store.chats.person(EVE)).role == "stranger"


async def test_an_invitation_does_not_work_in_a_group_nor_after_three_days(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_desk(tmp_path, clock, access="invite") as harness:
        await says(harness, ANN, "/admin")
        token = await link(harness, "Invite someone")
        assert await says(harness, BOB, f"/start {token}", ROOM) == [
            "Open the invitation in a private chat with me."
        ]
        clock.advance(timedelta(hours=73))
        await says(harness, BOB, f"/start {token}")
        assert (await harness.app.store.chats.person(BOB)).role == "stranger"


async def test_a_group_is_let_in_with_who_adds_the_bot_where_they_may(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_desk(tmp_path, clock, access="invite") as harness:
        harness.api.invite(ROOM)  # Bob, its creator, is nobody yet
        await harness.listen()
        assert await says(harness, BOB, "/help", ROOM) == []
        await says(harness, ANN, "/admin")
        await says(harness, BOB, f"/start {await link(harness, 'Invite someone')}")
        harness.api.invite(ROOM)
        await harness.listen()
        assert len(await says(harness, EVE, "/help", ROOM)) == 1


async def test_a_blocked_person_hears_nothing_and_comes_back_when_let_in_again(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_desk(tmp_path, clock, access="open") as harness:
        await says(harness, BOB, "/start")
        await says(harness, BOB, "/subscribe harbour")
        await says(harness, ANN, "/admin")
        await presses(harness, ANN, "People")
        await presses(harness, ANN, "Bob · user")
        await presses(harness, ANN, "Block")
        assert await says(harness, BOB, "/subscriptions") == []
        assert await says(harness, BOB, "/start") == []
        await harness.add(ArticleSpec("harbour closed"))
        await harness.deliver(10 * SECOND, SECOND)
        assert "harbour closed" not in harness.api.messages(BOB)[-1].text
        await presses(harness, ANN, "Bob · blocked")
        await presses(harness, ANN, "Unblock")
        assert "harbour" in (await says(harness, BOB, "/subscriptions"))[0]


async def test_who_came_by_themselves_and_was_forgotten_is_let_in_again(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_desk(tmp_path, clock, access="open") as harness:
        for user in (BOB, EVE):
            await says(harness, user, "/start")
        await says(harness, EVE, "/subscribe harbour")
        store = harness.app.store
        await store.admin.prune(clock.now() + timedelta(days=200))
        assert await store.chats.chat_at(BOB, 0) is None
        assert (await store.chats.person(BOB)).role == "stranger"
        assert (await store.chats.person(EVE)).role == "user"

        await says(harness, BOB, "/start")
        assert "harbour" in (await says(harness, BOB, "/subscribe harbour"))[0]
        assert (await store.chats.person(BOB)).role == "user"


async def test_an_owner_makes_operators_and_an_operator_does_not(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_desk(tmp_path, clock, access="open") as harness:
        for user in (BOB, EVE):
            await says(harness, user, "/start")
        await says(harness, ANN, "/admin")
        await presses(harness, ANN, "People")
        await presses(harness, ANN, "Bob · user")
        await presses(harness, ANN, "Make operator")
        assert (await harness.app.store.chats.person(BOB)).role == "admin"
        await says(harness, BOB, "/language en")
        await says(harness, BOB, "/admin")
        await presses(harness, BOB, "People")
        await presses(harness, BOB, "Eve · user")
        labels = [
            button["text"] for row in harness.api.messages(BOB)[-1].keyboard for button in row
        ]
        assert "Block" in labels
        assert "Make operator" not in labels
        [number] = [number for (number,) in await harness.rows("select max(id) from screens")]
        harness.api.press(BOB, BOB, harness.api.messages(BOB)[-1].message_id, f"{number}:promote")
        await harness.listen()
        assert (await harness.app.store.chats.person(EVE)).role == "user"


async def test_everyone_is_told_what_an_operator_writes_and_nobody_before_it_is_sent(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_desk(tmp_path, clock, access="open") as harness:
        await says(harness, BOB, "/start")
        await says(harness, ANN, "/admin")
        await presses(harness, ANN, "Broadcast")
        await says(harness, ANN, "The harbour feed moves tonight.")
        assert [
            message for message in harness.api.messages(BOB) if "moves tonight" in message.text
        ] == []
        await presses(harness, ANN, "Send")
        [told] = [
            message for message in harness.api.messages(BOB) if "moves tonight" in message.text
        ]
        assert told.silent


async def test_an_operator_has_failing_feeds_tried_at_once_and_is_offered_it_only_then(
    tmp_path: Path, clock: ManualClock, server: FeedServer
) -> None:
    server.put("/a", "", status=500)
    async with open_desk(tmp_path, clock, feeds=[server.url("/a")]) as harness:
        await poll(harness.app)
        assert "1 failing" in (await says(harness, ANN, "/admin"))[-1]
        before = len(server.seen)
        await harness.app.poller.run_once()
        assert len(server.seen) == before
        server.put("/a", rss(item("1", "Harbour")))
        await presses(harness, ANN, "Try failing feeds")
        await harness.app.poller.run_once()
        assert len(server.seen) == before + 1
        assert "0 failing" in (await says(harness, ANN, "/admin"))[-1]
        newest = harness.api.messages(ANN)[-1]
        labels = {button["text"] for row in newest.keyboard for button in row}
        assert "Broadcast" in labels
        assert "Try failing feeds" not in labels


async def test_who_comes_is_greeted_in_the_language_of_their_telegram(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_desk(tmp_path, clock, access="open") as harness:
        for user, language in ((BOB, "en"), (EVE, "uk")):
            await says(harness, user, "/start")
            chat = await harness.app.store.chats.chat_at(user, 0)
            assert chat is not None
            assert chat.settings.language == language


async def test_an_operator_hears_once_who_asks_and_lets_them_in_by_a_button(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_desk(tmp_path, clock) as harness:
        await says(harness, EVE, "/start")
        clock.advance(HOUR)
        await says(harness, EVE, "/start")
        told = [message.text for message in harness.api.messages(ANN)]
        assert told == [f"Eve ({EVE}) asks for access."]
        assert await presses(harness, ANN, "Let in") == "Eve has access."
        assert harness.api.messages(EVE)[-1].text == "Доступ надано. Щоб почати: /start"
        [greeting] = await says(harness, EVE, "/start")
        assert "Команди" in greeting or "команди" in greeting


async def test_who_is_refused_hears_nothing_more(tmp_path: Path, clock: ManualClock) -> None:
    async with open_desk(tmp_path, clock) as harness:
        await says(harness, EVE, "/start")
        assert await presses(harness, ANN, "Refuse") == "Eve was refused. To undo: /admin"
        clock.advance(HOUR)
        assert await says(harness, EVE, "/start") == []


async def test_a_shared_query_subscribes_in_one_tap(tmp_path: Path, clock: ManualClock) -> None:
    async with open_desk(tmp_path, clock, access="open") as harness:
        await says(harness, ANN, "/subscribe publishers:2 or_after:30m harbour")
        await says(harness, ANN, "/subscriptions")
        await presses(harness, ANN, "1")
        token = await link(harness, "Share")
        assert len(token) <= 64
        await says(harness, BOB, f"/start {token}")
        [(query, publishers, wait)] = await harness.rows(
            "select query, publishers, or_after from subscriptions s join routes on "
            "subscription_id = s.id join chats c on c.id = chat_id where address = ?",
            BOB,
        )
        assert (query, publishers, wait) == ("harbour", 2, 1800.0)
        await says(harness, BOB, f"/start {token}")
        assert len(await harness.rows("select 1 from subscriptions")) == 2, "once"
        assert len(await says(harness, EVE, f"/start {token}")) == 1, "a shared link works for many"


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
    async with open_desk(tmp_path, clock) as harness:
        harness.api.add_channel(-1005, "Harbour Notes")
        harness.api.forward(ANN, ANN, origin, "Storm closes the harbour of Valmora\nFerries wait.")
        [answer] = await reply(harness, ANN, 0)
        assert answer.startswith(f"From {name}.")
        await presses(harness, ANN, "Alert me")
        [(query,)] = await harness.rows("select query from subscriptions")
        assert "Valmora" in query
        assert len(query.split()) <= 3


async def test_a_reaction_counts_for_the_subscription_that_alerted(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_desk(tmp_path, clock) as harness:
        await says(harness, ANN, "/subscribe harbour")
        await harness.add(ArticleSpec("harbour closed"))
        await harness.deliver(10 * SECOND, SECOND)
        alert = harness.api.messages(ANN)[-1].message_id
        for emoji in ("👎", "👍", "👍", None, "🤔", "👎"):
            harness.api.react(ANN, ANN, alert, emoji)
            await harness.listen()
        await says(harness, ANN, "/subscriptions")
        assert "👍 0 👎 1" in await presses(harness, ANN, "1")


async def test_a_feed_that_a_chat_added_alerts_that_chat_alone(
    tmp_path: Path, clock: ManualClock, server: FeedServer
) -> None:
    server.put("/coast", rss(item("1", "Old news"), title="Coast Herald"))
    async with open_desk(tmp_path, clock, {"ann": ANN, "group": GROUP}) as harness:
        await says(harness, ANN, f"/addfeed {server.url('/coast')}")
        await presses(harness, ANN, "Add")
        await says(harness, ANN, "/subscribe harbour")
        await says(harness, ANN, "/subscribe harbour", GROUP)
        await poll(harness.app)
        clock.advance(HOUR)
        server.put(
            "/coast",
            rss(
                item("2", "Storm over the harbour", at=clock.now()),
                item("1", "Old news"),
                title="Coast Herald",
            ),
        )
        await poll(harness.app)
        assert harness.shown(ANN)[-1] == "Storm over the harbour"
        assert "Storm over the harbour" not in harness.shown(GROUP)
        await says(harness, ANN, "/removefeed Coast Herald")
        clock.advance(HOUR)
        seen = len(server.seen)
        await poll(harness.app)
        assert len(server.seen) == seen, "nobody has it watched any more"


async def test_a_feed_that_a_chat_added_stays_with_it_when_the_file_gives_it_up(
    tmp_path: Path, clock: ManualClock, server: FeedServer
) -> None:
    url = server.url("/coast")
    server.put("/coast", rss(item("1", "Old news"), title="Coast Herald"))
    async with open_desk(tmp_path, clock, feeds=[url]) as harness:
        await stored(harness.app)._writer.run(
            "add",
            lambda db: db.execute(
                "insert into feed_chats (feed_id, chat_id, user_id, at) "
                "select 1, id, 7, '' from chats where name = 'ann'"
            ),
        )
    async with open_desk(tmp_path, clock, feeds=[]) as harness:
        assert await harness.rows("select active, declared from feeds where url = ?", url) == [
            (1, 0)
        ]


async def test_quotas_are_said_and_held(
    tmp_path: Path, clock: ManualClock, server: FeedServer
) -> None:
    quotas = {"feeds": 2, "hosts_an_hour": 1, "subscriptions": 1}
    for number in range(3):
        server.put(f"/{number}", rss(item("1", "Old news"), title=f"Feed {number}"))
    async with open_desk(tmp_path, clock, access="open", quotas=quotas) as harness:
        await says(harness, EVE, "/start")
        await says(harness, EVE, "/language en")
        await says(harness, EVE, f"/addfeed {server.url('/0')}")
        await presses(harness, EVE, "Add")
        assert await says(harness, EVE, f"/addfeed {server.url('/1')}") == [
            "You can add at most 1 new site an hour. Try again later."
        ]
        clock.advance(2 * HOUR)
        await says(harness, EVE, f"/addfeed {server.url('/1')}")
        await presses(harness, EVE, "Add")
        clock.advance(2 * HOUR)
        assert await says(harness, EVE, f"/addfeed {server.url('/2')}") == [
            "A chat can add at most 2 feeds. Remove one first: /removefeed"
        ]
        await says(harness, EVE, "/subscribe harbour")
        assert await says(harness, EVE, "/subscribe ferry") == [
            "A chat can have at most 1 subscription. Remove one first: /unsubscribe"
        ]


async def test_more_commands_than_anyone_needs_are_passed_by(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_desk(tmp_path, clock, quotas={"commands_a_minute": 5}) as harness:
        for _ in range(9):
            harness.api.say(ANN, ANN, "/status")
        await harness.listen()
        await harness.deliver(20 * SECOND, SECOND)
        texts = [message.text for message in harness.api.messages(ANN)]
        assert texts[5:] == ["Too many requests. Wait a minute."]
        clock.advance(HOUR)
        assert len(await says(harness, ANN, "/status")) == 1


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
    async with open_desk(tmp_path, clock) as harness:
        assert (await says(harness, ANN, f"/addfeed {text}"))[0].startswith(
            "That is not a web address."
        )


async def test_a_site_without_feeds_and_one_that_is_down_are_said_and_can_be_tried_again(
    tmp_path: Path, clock: ManualClock, server: FeedServer
) -> None:
    server.put("/", "<html><body>Nothing</body></html>", headers={"Content-Type": "text/html"})
    async with open_desk(tmp_path, clock) as harness:
        [answer] = await says(harness, ANN, f"/addfeed {server.url('/')}")
        assert answer.startswith("There is no feed at this address.")
        server.put("/", rss(item("1", "Old news"), title="Coast Herald"))
        assert (await presses(harness, ANN, "Try again")).startswith("Coast Herald")


async def test_a_group_that_becomes_a_supergroup_keeps_all_it_had(
    tmp_path: Path, clock: ManualClock, server: FeedServer
) -> None:
    server.put("/coast", rss(item("1", "Old news"), title="Coast Herald"))
    async with open_desk(
        tmp_path,
        clock,
        {"ann": ANN, "group": GROUP},
        subscriptions=[rule("Tram", "tram", to=("group",))],
    ) as harness:
        await says(harness, ANN, "/subscribe harbour", GROUP)
        await says(harness, ANN, "/language de", GROUP)
        await says(harness, ANN, f"/addfeed {server.url('/coast')}", GROUP)
        word = harness.api.messages(GROUP)[-1].keyboard[0][0]["callback_data"]
        harness.api.press(GROUP, ANN, harness.api.messages(GROUP)[-1].message_id, word)
        await reply(harness, GROUP, 0)
        harness.api.migrate(GROUP, -1077)
        await harness.add(ArticleSpec("tram"))
        await harness.deliver(20 * SECOND, SECOND)
        assert harness.api.messages(-1077)[-1].text.startswith("tram")
        [(settings, feeds)] = await harness.rows(
            "select settings, (select count(*) from feed_chats where chat_id = chats.id) "
            "from chats where address = -1077 and allowed = 1"
        )
        assert settings == '{"language": "de"}'
        assert feeds == 1


async def test_an_opml_file_is_taken_in_and_one_that_is_none_is_said_to_be(
    tmp_path: Path, clock: ManualClock
) -> None:
    document = (
        b"<opml><body><outline text='Coast'><outline xmlUrl='https://a.example/rss' text='A "
        b"&amp; B'/></outline></body></opml>"
    )
    async with open_desk(tmp_path, clock) as harness:
        harness.api.upload(ANN, ANN, "reader.opml", document)
        assert await reply(harness, ANN, 0) == ["1 feed added for this chat."]
        harness.api.upload(ANN, ANN, "again.opml", document)
        assert (await reply(harness, ANN, 1))[0].splitlines() == [
            "0 feeds added for this chat.",
            "1 feed was already there.",
        ]
        harness.api.upload(ANN, ANN, "page.xml", b"<html><body>Hello</body></html>")
        assert (await reply(harness, ANN, 2))[0].startswith("I cannot read this OPML file:")
        harness.api.upload(GROUP, ANN, "reader.opml", document)
        assert await reply(harness, GROUP, 0) == []


async def test_a_link_alone_is_looked_at_and_its_site_offered(
    tmp_path: Path, clock: ManualClock, server: FeedServer
) -> None:
    server.put("/feed", rss(item("1", "Pier opens"), title="Coast Herald"))
    async with open_desk(tmp_path, clock) as harness:
        assert (await says(harness, ANN, server.url("/feed")))[0].startswith("Coast Herald")
        assert await says(harness, ANN, f"look at {server.url('/feed')} some day") == []
        assert (await presses(harness, ANN, "Add")).startswith("Added Coast Herald")


async def test_telegram_is_told_the_commands_for_each_kind_of_chat_and_language(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_desk(tmp_path, clock) as harness:
        assert harness.app.telegram is not None
        await harness.app.telegram._register_menu()
        commands = harness.api.commands
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
        assert harness.app.telegram is not None
        assert {f"/{name}" for name in names["all_private_chats"]} <= set(
            harness.app.telegram.dispatcher.router.commands
        )
        english, german = commands["all_private_chats", ""], commands["all_private_chats", "de"]
        assert [command["command"] for command in english] == [
            command["command"] for command in german
        ]
        assert [command["description"] for command in english] != [
            command["description"] for command in german
        ]
