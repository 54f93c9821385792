"""What one person or chat can ask for does not silence the others, and is not seen by them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botapi import BotApi, ServerError
from botapi.faults import FaultPlan
from support import FeedServer, ManualClock, item, poll, rss
from telegram_harness import ANN, BOB, GROUP, TelegramHarness, open_harness, rule

from bot.chat.command_quota import GROUP_REPLIES, LookQuota
from bot.chat.postponed import WAITING
from bot.chat.services import SearchService
from bot.model.chat_events import ChatUpdate

EVE, DAN = 9, 12
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
DEAR = "storm OR " + " OR ".join(f"/.{{1,{number}}}qq.{{1,300}}/" for number in range(200, 220))


@asynccontextmanager
async def world(folder: Path, clock: ManualClock, **more: Any) -> AsyncIterator[TelegramHarness]:
    options: dict[str, Any] = {"subscriptions": [], "admins": [ANN], **more}
    chats = options.pop("chats", {"ann": ANN, "group": GROUP})
    async with BotApi() as api:
        for number, name in ((ANN, "Ann"), (BOB, "Bob"), (EVE, "Eve"), (DAN, "Dan")):
            api.add_private(number, name)
        members = {ANN: "creator", BOB: "member", EVE: "member", DAN: "member"}
        api.add_group(GROUP, "Newsroom", members=members)
        async with open_harness(folder, api, chats, clock, **options) as harness:
            yield harness


async def replies(harness: TelegramHarness, user: int, text: str, chat: int = 0) -> list[str]:
    """Write there; what the bot says in that chat then."""
    place = chat or user
    before = len(harness.api.messages(place))
    harness.api.say(place, user, text)
    await harness.listen()
    await harness.deliver(5 * SECOND)
    return [message.text for message in harness.api.messages(place)[before:]]


async def test_an_alert_reaches_a_group_that_three_members_flood_with_commands(
    tmp_path: Path, clock: ManualClock
) -> None:
    """Thirty commands a minute by each of them, all different, at Telegram's rates."""
    storm = rule("Storm", "storm", to=("group",), urgency="breaking")
    async with world(tmp_path, clock, subscriptions=[storm]) as harness:
        for number in range(30):
            for member in (BOB, EVE, DAN):
                harness.api.say(GROUP, member, f"/feeds {member}{number}")
        await harness.listen()
        await harness.bring("Storm hits the harbour")
        await harness.deliver(30 * SECOND, SECOND)
        assert any("Storm hits" in text for text in harness.shown(GROUP))


async def test_members_get_few_replies_a_minute_and_administrators_what_they_change(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with world(tmp_path, clock) as harness:
        for number in range(20):
            harness.api.say(GROUP, BOB, f"/feeds {number}")
        harness.api.say(GROUP, ANN, "/subscribe harbour")
        await harness.listen()
        await harness.deliver(2 * MINUTE, SECOND)
        shown = harness.shown(GROUP)
        assert len(shown) == GROUP_REPLIES + 1
        assert shown[-1].startswith("Done.")


async def test_a_group_gets_one_reply_to_the_same_command_until_something_changes(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with world(tmp_path, clock) as harness:
        assert len(await replies(harness, BOB, "/subscriptions", GROUP)) == 1
        assert await replies(harness, EVE, "/subscriptions", GROUP) == []
        await replies(harness, ANN, "/subscribe harbour", GROUP)
        assert "harbour" in (await replies(harness, EVE, "/subscriptions", GROUP))[0]
        clock.advance(MINUTE)
        assert len(await replies(harness, EVE, "/subscriptions", GROUP)) == 1


async def test_the_sixth_reply_that_waits_in_a_group_does_not_go_before_an_alert(
    tmp_path: Path, clock: ManualClock
) -> None:
    storm = rule("Storm", "storm", to=("group",))
    async with world(tmp_path, clock, subscriptions=[storm]) as harness:
        for number in range(6):
            harness.api.say(GROUP, BOB, f"/feeds {number}")
        assert harness.app.listener is not None
        await harness.app.listener.poll_once()
        await harness.bring("Storm hits the harbour")
        await harness.deliver(2 * MINUTE, SECOND)
        shown = harness.shown(GROUP)
        position = next(number for number, text in enumerate(shown) if "Storm" in text)
        assert (position, len(shown)) == (3, 7)


async def test_answers_that_waited_five_minutes_in_a_group_are_dropped_and_nothing_else(
    tmp_path: Path, clock: ManualClock
) -> None:
    """What an administrator changed is said, and what asks for something; alerts stay."""
    storm = rule("Storm", "storm", to=("group",))
    async with world(tmp_path, clock, subscriptions=[storm]) as harness:
        assert harness.app.listener is not None
        for number in range(6):
            harness.api.say(GROUP, BOB, f"/feeds {number}")
        harness.api.say(GROUP, ANN, "/subscribe harbour")
        harness.api.say(GROUP, ANN, "/subscribe")
        await harness.app.listener.poll_once()
        await harness.bring("Storm hits the harbour")
        clock.advance(5 * MINUTE - SECOND)
        await harness.app.jobs.drop_late_answers()
        assert await harness.rows("select 1 from outbox where state = 'dropped'") == []
        clock.advance(2 * SECOND)
        await harness.app.jobs.drop_late_answers()
        await harness.deliver(2 * MINUTE, SECOND)
        shown = harness.shown(GROUP)
        dropped = await harness.rows("select kind, error from outbox where state = 'dropped'")
    assert dropped == [("reply", "the group was too busy to get the answer in time")] * 3
    assert len(shown) == 6
    assert any("Storm hits" in text for text in shown)
    assert any(text.startswith("Done.") for text in shown)


async def test_answers_that_an_outage_kept_back_are_not_dropped_for_that(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with world(tmp_path, clock) as harness:
        assert harness.app.listener is not None
        for number in range(6):
            harness.api.say(GROUP, BOB, f"/feeds {number}")
        await harness.app.listener.poll_once()
        for _ in range(4):
            harness.api.fault(ServerError(502), method="sendMessage", times=50)
            await harness.deliver(3 * MINUTE, 10 * SECOND)
            await harness.app.jobs.drop_late_answers()
        harness.api._faults = FaultPlan()
        await harness.deliver(2 * MINUTE, SECOND)
        await harness.app.jobs.drop_late_answers()
        assert len(harness.shown(GROUP)) == 6


async def test_opened_links_count_as_commands(tmp_path: Path, clock: ManualClock) -> None:
    async with world(tmp_path, clock, quotas={"commands_a_minute": 5}) as harness:
        for number in range(20):
            harness.api.say(ANN, ANN, f"/start word{number}")
        await harness.listen()
        await harness.deliver(MINUTE, SECOND)
        assert len(harness.shown(ANN)) == 5 + 1
        assert harness.shown(ANN)[-1] == "Too many requests. Wait a minute."


@pytest.mark.parametrize("command", ["/subscribe", "/test", "/search", "/trend"])
async def test_a_query_that_costs_too_much_is_refused_by_every_command(
    tmp_path: Path, clock: ManualClock, command: str
) -> None:
    async with world(tmp_path, clock) as harness:
        [answer] = await replies(harness, ANN, f"{command} {DEAR}")
        assert answer.startswith("This query takes too long for each article")
        assert await harness.rows("select count(*) from subscriptions") == [(0,)]


async def test_an_edited_query_may_not_cost_too_much(tmp_path: Path, clock: ManualClock) -> None:
    async with world(tmp_path, clock) as harness:
        await replies(harness, ANN, "/subscribe harbour")
        await replies(harness, ANN, "/subscriptions")
        for label in ("1", "Edit query"):
            message = harness.api.messages(ANN)[-1]
            [word] = [
                button["callback_data"]
                for row in message.keyboard
                for button in row
                if button["text"] == label
            ]
            harness.api.press(ANN, ANN, message.message_id, word)
            await harness.listen()
            await harness.deliver(5 * SECOND)
        [answer] = await replies(harness, ANN, DEAR)
        assert answer.startswith("This query takes too long")
        assert await harness.rows("select query from subscriptions") == [("harbour",)]


async def test_subscriptions_of_a_chat_may_not_cost_too_much_together(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(tmp_path, clock) as harness:
        await replies(harness, ANN, "/subscribe harbour")

        async def price(_self: SearchService, queries: list[str]) -> float:
            assert queries == ["tram", "harbour"]
            return 20.1

        monkeypatch.setattr(SearchService, "chat_price", price)
        [answer] = await replies(harness, ANN, "/subscribe tram")
        assert answer.startswith("The subscriptions of this chat would take too long")
        assert await harness.rows("select count(*) from subscriptions") == [(1,)]


async def test_a_search_that_takes_long_lets_other_chats_go_on(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = asyncio.Event()
    search = SearchService.search

    async def slow(self: SearchService, tree: Any, chat_id: int) -> Any:
        await released.wait()
        return await search(self, tree, chat_id)

    async with world(tmp_path, clock, chats={"ann": ANN, "bob": BOB}) as harness:
        monkeypatch.setattr(SearchService, "search", slow)
        assert harness.app.listener is not None
        assert harness.app.telegram is not None
        for text in ("/search tram", "/subscriptions"):
            harness.api.say(ANN, ANN, text)
        harness.api.say(BOB, BOB, "/subscriptions")
        await harness.app.listener.poll_once()
        await harness.deliver(5 * SECOND)
        assert (len(harness.shown(ANN)), len(harness.shown(BOB))) == (0, 1)
        released.set()
        await harness.app.telegram.tasks.wait()
        await harness.deliver(5 * SECOND)
        first, second = harness.shown(ANN)
        assert first.startswith("No article of the last")
        assert second.startswith("No subscriptions here yet")


async def test_a_chat_has_few_slow_commands_under_way(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(tmp_path, clock) as harness:
        assert harness.app.listener is not None
        for number in range(WAITING + 5):
            harness.api.say(ANN, ANN, f"/search tram{number}")
        await harness.app.listener.poll_once()
        rows = await harness.app.store.chats.busy_screens()
        assert len(rows) <= WAITING


async def test_a_search_ends_when_its_time_is_over(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.chat.services.SECONDS", -1.0)
    async with world(tmp_path, clock) as harness:
        await harness.bring("Tram stops", "Tram goes")
        [answer] = await replies(harness, ANN, "/search tram")
        assert answer.startswith("This search took too long and was stopped")
        [answer] = await replies(harness, ANN, "/subscribe tram")
        assert answer.startswith("Done.")


async def test_a_postponed_command_outlives_a_kill_and_is_done_once(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with BotApi() as api:
        api.add_private(ANN, "Ann")
        options: dict[str, Any] = {"subscriptions": [], "admins": [ANN]}
        api.say(ANN, ANN, "/subscribe harbour")
        async with open_harness(tmp_path, api, {"ann": ANN}, clock, **options) as harness:
            assert harness.app.listener is not None
            assert harness.app.telegram is not None
            await harness.app.listener.poll_once()
            await harness.app.telegram.tasks.cancel()
        for _ in range(2):
            async with open_harness(tmp_path, api, {"ann": ANN}, clock, **options) as harness:
                assert harness.app.telegram is not None
                await harness.app.telegram.tasks.start()
                await harness.app.telegram.tasks.wait()
                await harness.deliver(5 * SECOND)
                assert await harness.rows("select query from subscriptions") == [("harbour",)]
                assert len(harness.shown(ANN)) == 1


async def test_what_a_chat_added_is_read_by_no_other_chat(
    tmp_path: Path, clock: ManualClock, server: FeedServer
) -> None:
    """Not by /search, /why, /story, /status, a forecast, a chart or the list of an alert."""
    server.put(
        "/secret", rss(item("s1", "Merger of Acme and Apex agreed", link="https://a.example/s"))
    )
    url = server.url("/secret")
    chats = {"ann": ANN, "bob": BOB}
    async with world(tmp_path, clock, chats=chats, feeds=[], admins=[]) as harness:
        harness.api.upload(BOB, BOB, "mine.opml", opml(url, "Confidential (Bob)"))
        await harness.listen()
        await poll(harness.app)
        await harness.app.jobs.fill_search()
        assert "Merger" in (await replies(harness, BOB, "/search merger"))[0]
        assert "Confidential (Bob)" in (await replies(harness, BOB, "/feeds"))[0]
        assert "Merger" in (await replies(harness, BOB, "/why https://a.example/s"))[0]
        for command in (
            "/search merger",
            "/why https://a.example/s",
            "/why Merger of Acme and Apex agreed",
            "/story https://a.example/s",
            "/test merger",
            "/feeds",
            "/status",
        ):
            [answer] = await replies(harness, ANN, command)
            assert "Merger" not in answer.replace("Merger of Acme and Apex agreed?", "")
            assert "secret" not in answer
            assert "Confidential" not in answer
            assert "1 story" not in answer
            assert "1 feed" not in answer
        server.put("/secret", "no feed", status=500)


async def test_the_name_that_one_chat_gives_a_feed_is_not_shown_to_another(
    tmp_path: Path, clock: ManualClock, server: FeedServer
) -> None:
    server.put("/feed", rss(item("f1", "Harbour opens"), title="The Document"))
    url = server.url("/feed")
    chats = {"ann": ANN, "bob": BOB}
    async with world(tmp_path, clock, chats=chats, feeds=[], admins=[]) as harness:
        for person, name in ((BOB, "BBC Breaking (official)"), (ANN, "Harbour feed")):
            harness.api.upload(person, person, "mine.opml", opml(url, name))
            await harness.listen()
        assert "Harbour feed" in (await replies(harness, ANN, "/feeds"))[0]
        assert "BBC" not in (await replies(harness, ANN, "/removefeed"))[0]
        assert "BBC Breaking (official)" in (await replies(harness, BOB, "/feeds"))[0]


async def test_looks_at_sites_count_though_nothing_is_added(
    tmp_path: Path, clock: ManualClock
) -> None:
    chats, quotas = {"ann": ANN, "bob": BOB}, {"hosts_an_hour": 3}
    async with world(tmp_path, clock, chats=chats, quotas=quotas) as harness:
        for number in range(6):
            harness.api.say(BOB, BOB, f"/addfeed http://127.0.1.{number + 1}:9/none")
        await harness.listen()
        await harness.deliver(MINUTE, SECOND)
        refused = [text for text in harness.shown(BOB) if text.startswith("You can add at most 3")]
        assert len(refused) == 3


async def test_a_page_leads_to_no_more_hosts_than_its_person_may_ask(
    tmp_path: Path, clock: ManualClock
) -> None:
    quota = LookQuota()
    update = ChatUpdate(update_id=1, address=BOB, user_id=BOB)
    hosts = [f"site{number}.example" for number in range(8)]
    permitted = [host for host in hosts if quota.take(update, host, 3, clock.now())]
    assert permitted == hosts[:3]
    assert quota.take(update, hosts[0], 3, clock.now())
    clock.advance(timedelta(minutes=61))
    assert quota.take(update, hosts[7], 3, clock.now())


async def test_a_name_with_a_line_break_forges_no_row_of_the_list_of_people(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with world(tmp_path, clock, access="open") as harness:
        harness.api.add_private(66, "Mal\n7 · owner\u202e\x1b[31m")
        await replies(harness, 66, "/start")
        rows = await harness.rows("select name from people where user_id = 66")
        assert rows == [("Mal 7 · owner [31m",)]


@pytest.mark.parametrize("label", ["UTF-6", "x-none", "utf-16be-lots", "ISO-8859-99"])
async def test_a_list_of_feeds_with_an_encoding_that_nobody_knows_gets_an_answer(
    tmp_path: Path, clock: ManualClock, label: str
) -> None:
    async with world(tmp_path, clock) as harness:
        document = opml("https://harbour.example/feed", "Harbour")
        head = f'<?xml version="1.0" encoding="{label}"?>'.encode()
        harness.api.upload(ANN, ANN, "mine.opml", head + document)
        await harness.listen()
        await harness.deliver(5 * SECOND)
        assert harness.shown(ANN) == ["1 feed added for this chat."]


def opml(url: str, name: str) -> bytes:
    """A list of one feed."""
    outline = f'<outline type="rss" text="{name}" xmlUrl="{url}"/>'
    return f'<opml version="2.0"><body>{outline}</body></opml>'.encode()
