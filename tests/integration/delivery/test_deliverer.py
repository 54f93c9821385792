"""From the store to the chat: alerts arrive once, in order, well formed, within the limits."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botapi import BotApi, Slow, TooManyRequests
from support import (
    NOON,
    FeedServer,
    ManualClock,
    Recorder,
    connection_of,
    item,
    newsbell,
    poll,
    rss,
    sqlite,
)
from telegram_harness import (
    ANN,
    BOB,
    FORUM,
    GROUP,
    TOPIC,
    ArticleSpec,
    TelegramHarness,
    first_line,
    open_harness,
    rule,
    telegram_config,
)

from bot.delivery.choice import MAX_IN_FLIGHT, WAITING_READ
from bot.delivery.rate_limits import BURST, GROUP_BUDGET, GROUP_RESERVED

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as app:
        app.refuse_bad_links = True
        app.add_private(ANN)
        app.add_private(BOB)
        app.add_group(GROUP, members={ANN: "creator"})
        app.add_supergroup(FORUM, forum=True)
        app.add_topic(FORUM, TOPIC)
        yield app


def styled(text: str, entities: list[dict[str, Any]], kind: str) -> list[str]:
    """The stretches of this kind; offsets are in UTF-16 code units."""
    wide = text.encode("utf-16-le")
    return [
        wide[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])].decode("utf-16-le")
        for entity in entities
        if entity["type"] == kind
    ]


async def test_an_alert_arrives_once_with_linked_headline_marked_words_and_its_subscription(
    tmp_path: Path, api: BotApi, server: FeedServer, clock: ManualClock
) -> None:
    """From the feed's bytes to the message as Telegram keeps it."""
    server.put("/a.xml", rss(item("1", "Old", at=NOON - timedelta(days=3))))
    config = telegram_config(api, {"ann": ANN}, [server.url("/a.xml")])
    async with newsbell(
        tmp_path,
        config,
        clock=clock,
        terminal=Recorder(),
        environment={"TELEGRAM_BOT_TOKEN": api.token},
    ) as app:
        await poll(app)
        text = f"{'Long before. ' * 40}The 🚢 of Ann sank. {'Long after. ' * 40}"
        server.put("/a.xml", rss(item("2", "🔥 Ann's <harbour> & الميناء", text=text)))
        await poll(app)
        await poll(app)

    [message] = api.messages(ANN)
    headline, source, _, snippet, _, harness = message.text.split("\n")
    assert headline == "\u2068🔥 Ann's <harbour> & الميناء\u2069"
    assert source == "Invented Wire · news.example · 12:00"
    assert "The 🚢 of Ann sank." in snippet
    assert len(snippet) <= 300
    assert harness == "🔔 For ann"
    assert styled(message.text, message.entities, "text_link") == ["🔥 Ann's <harbour> & الميناء"]
    assert styled(message.text, message.entities, "bold") == ["🔥 Ann's <harbour> & الميناء", "Ann"]
    assert styled(message.text, message.entities, "underline") == ["Ann"]
    assert [entity["url"] for entity in message.entities if entity["type"] == "text_link"] == [
        "https://news.example/2"
    ]
    assert message.link_preview == {"url": "https://news.example/2", "prefer_small_media": True}
    assert [call.method for call in api.calls] == ["sendMessage"]


@pytest.mark.parametrize("link", ["http://localhost/x", "http://intranet:8080/", ""])
async def test_a_link_that_telegram_refuses_is_left_out_and_the_alert_arrives_at_once(
    tmp_path: Path, api: BotApi, clock: ManualClock, link: str
) -> None:
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        await harness.bring("ann", link=link)
        await harness.deliver()

    assert [(call.method, call.status) for call in api.calls] == [("sendMessage", 200)]
    assert [entity["type"] for entity in api.messages(ANN)[0].entities[:2]] == ["bold", "underline"]


async def test_each_chat_gets_its_stories_in_the_order_in_which_they_came_and_none_within_a_second(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    titles = [f"everyone {number}" for number in range(12)]
    async with open_harness(
        tmp_path, api, {"ann": ANN, "bob": BOB, "group": GROUP, "topic": (FORUM, TOPIC)}, clock
    ) as harness:
        await harness.bring(*titles)
        await harness.deliver()
        assert harness.shown(ANN) == titles[:1]
        await harness.deliver(40 * SECOND)

        assert (
            harness.shown(ANN)
            == harness.shown(BOB)
            == harness.shown(GROUP)
            == harness.shown(FORUM, TOPIC)
            == titles
        )


async def test_a_group_gets_twenty_messages_a_minute_and_its_topics_share_them(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    titles = [f"everyone {number}" for number in range(15)]
    async with open_harness(
        tmp_path, api, {"general": FORUM, "topic": (FORUM, TOPIC)}, clock
    ) as harness:
        await harness.bring(*titles)
        await harness.deliver(50 * SECOND)
        assert len(api.messages(FORUM)) == GROUP_BUDGET - GROUP_RESERVED
        api.say(FORUM, ANN, "/help")
        await harness.listen()
        assert len(api.messages(FORUM)) == GROUP_BUDGET - GROUP_RESERVED + 1, (
            "an answer need not wait for the end of the minute"
        )
        await harness.deliver(MINUTE)

        assert harness.shown(FORUM, TOPIC) == titles
        assert len(api.messages(FORUM)) == 31


async def test_thirty_messages_a_second_go_out_in_all(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    people = range(100, 170)
    for person in people:
        api.add_private(person)
    async with open_harness(
        tmp_path, api, {f"p{person}": person for person in people}, clock
    ) as harness:
        await harness.bring("everyone")
        await harness.deliver()
        assert len(api.calls) == BURST
        await harness.deliver(0.9 * SECOND, step=0.1 * SECOND)
        assert len(api.calls) == 30
        await harness.deliver(1.1 * SECOND, step=0.1 * SECOND)
        assert len(api.calls) == 60
        await harness.deliver(1.1 * SECOND, step=0.1 * SECOND)

    assert {person: len(api.messages(person)) for person in people} == dict.fromkeys(people, 1)


async def test_chats_that_must_wait_their_turn_keep_no_other_waiting(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    """A forum with more waiting topics than are read at a time does not block the others."""
    topics = range(1000, 1000 + WAITING_READ + 5)
    for topic in topics:
        api.add_topic(FORUM, topic)
    chats: dict[str, Any] = {f"t{topic}": (FORUM, topic) for topic in topics}
    async with open_harness(tmp_path, api, {**chats, "ann": ANN}, clock) as harness:
        await harness.bring("everyone")
        await harness.deliver()

        assert len(topics) > MAX_IN_FLIGHT
        assert (len(api.messages(FORUM)), len(api.messages(ANN))) == (1, 1)


async def test_a_pause_that_is_over_before_it_begins_is_not_taken_for_a_long_one(
    tmp_path: Path, api: BotApi
) -> None:
    """On a clock that moves with every look, the next moment has often passed once it is known."""

    class Running(ManualClock):
        def now(self) -> datetime:
            self.advance(0.6 * SECOND)
            return super().now()

    clock = Running()
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        await harness.bring("ann 1", "ann 2", "ann 3")
        async with asyncio.timeout(20):
            await harness.app.deliverer.run_once(HOUR)

        assert harness.shown(ANN) == ["ann 1", "ann 2", "ann 3"]


async def test_a_long_queue_becomes_one_message_that_names_every_story(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    titles = [f"ann {number} of the harbour" for number in range(22)]
    api.fault(TooManyRequests(60))
    async with open_harness(tmp_path, api, {"ann": ANN, "group": GROUP}, clock) as harness:
        await harness.bring(titles[0])
        await harness.deliver()
        await harness.bring(*titles[1:])
        await harness.deliver(2 * MINUTE, step=10 * SECOND)

        assert await harness.states() == ["sent", *["merged"] * 21]
        await harness.retitle("ann 3 of the harbour", "ann 3 of the port")
        await harness.deliver(MINUTE)

    [message] = api.messages(ANN)
    assert message.text.startswith("22 stories 🔔 For ann\n")
    assert [f"• {title}" in message.text for title in titles if "3 of" not in title] == [True] * 20
    assert "• ann 3 of the port" in message.text, "an edit changes the one message that carries it"


async def test_a_long_queue_of_long_headlines_names_every_story_too(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    titles = [f"ann {number:02} {'of the harbour ' * 19}" for number in range(60)]
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        await harness.bring(*titles)
        await harness.deliver(MINUTE)

    together = "\n".join(message.text for message in api.messages(ANN))
    assert [title for title in titles if title[:30] not in together] == []
    assert len(api.messages(ANN)) == 12, "two of 25 stories each, and the rest is no long queue"


async def test_a_new_headline_changes_the_message_and_shows_the_old_one(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        await harness.bring("ann burns")
        await harness.deliver()
        await harness.retitle("ann burns", "ann burns no more")
        await harness.deliver(MINUTE)

    [message] = api.messages(ANN)
    assert message.text.split("\n")[::2][:2] == ["ann burns no more", "✎ before: ann burns"]
    assert styled(message.text, message.entities, "strikethrough") == ["ann burns"]
    assert [call.method for call in api.calls] == ["sendMessage", "editMessageText"]


async def test_a_new_headline_before_the_alert_went_out_needs_no_edit(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        await harness.bring("ann burns")
        await harness.retitle("ann burns", "ann burns no more")
        await harness.deliver(MINUTE)

    assert [call.method for call in api.calls] == ["sendMessage"]
    assert first_line(api.messages(ANN)[0]) == "ann burns no more"


@pytest.mark.parametrize("method", ["sendMessage", "editMessageText"])
async def test_a_new_headline_while_the_message_is_on_its_way_shows_in_the_end(
    tmp_path: Path, api: BotApi, clock: ManualClock, method: str
) -> None:
    api.fault(Slow(0.3), method)
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        await harness.bring("ann burns")
        if method == "editMessageText":
            await harness.deliver()
            await harness.retitle("ann burns", "ann still burns")
            clock.advance(2 * SECOND)
        sending = asyncio.ensure_future(harness.deliver())
        await api.arrived(method)
        await harness.retitle(
            "ann burns" if method == "sendMessage" else "ann still burns", "ann burns no more"
        )
        await sending
        await harness.deliver(MINUTE)

        assert harness.shown(ANN) == ["ann burns no more"]


async def test_several_subscriptions_of_a_chat_lead_to_one_alert_that_names_all(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        chat = await harness.app.store.chats.chat_at(ANN, 0)
        assert chat is not None
        api.say(ANN, ANN, "/subscribe harbour")
        await harness.listen()
        await harness.deliver(MINUTE)
        await harness.bring("ann in the harbour")
        await harness.deliver(MINUTE)

    assert [message.text.rpartition("🔔 ")[2] for message in api.messages(ANN)[1:]] == [
        "For ann, harbour"
    ]


async def test_what_a_clash_of_names_could_do_is_kept_from_it(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    """A headline notifies no one by name and offers no command, wherever the matched word is."""
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        await harness.bring("@ann /ann #ann @someone", summary="/stop @ann_bot")
        await harness.deliver()

    [message] = api.messages(ANN)
    assert message.text.startswith("@\u2060ann /\u2060ann #\u2060ann @\u2060someone\n")
    assert styled(message.text, message.entities, "underline") == ["ann", "ann", "ann"]
    assert "/\u2060stop @\u2060ann_bot" in message.text


async def steps(harness: TelegramHarness, look: Callable[[], Awaitable[object]]) -> int:
    """How many steps SQLite takes for this."""
    taken = 0

    def step() -> None:
        nonlocal taken
        taken += 1

    await sqlite(harness.app)._writer.run(
        "look", lambda db: connection_of(db).set_progress_handler(step, 1)
    )
    await look()
    await sqlite(harness.app)._writer.run(
        "look", lambda db: connection_of(db).set_progress_handler(None, 1)
    )
    return taken


async def test_what_waits_behind_the_first_of_each_chat_costs_no_look_anything(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    """A look at the outbox takes as many steps with sixty alerts in a chat as with one."""
    async with open_harness(
        tmp_path, api, {"ann": ANN, "bob": BOB, "group": GROUP, "topic": (FORUM, TOPIC)}, clock
    ) as harness:

        async def look() -> None:
            assert (
                len(await harness.app.store.deliveries.waiting(clock.now(), WAITING_READ, ())) == 4
            )

        await harness.bring("everyone")
        first = await steps(harness, look)
        await harness.bring(*[f"everyone {number}" for number in range(60)])

        assert await steps(harness, look) == first > 0


async def test_what_was_sent_costs_a_start_and_a_status_in_a_chat_nothing(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    async with open_harness(tmp_path, api, {"ann": ANN, "bob": BOB}, clock) as harness:
        store = harness.app.store
        looks = [
            store.deliveries.in_flight,
            lambda: store.deliveries.recent_sends(clock.now(), clock.now()),
            lambda: store.admin.status(brief=True),
        ]
        await harness.bring("everyone")
        await harness.deliver(2 * SECOND)
        before = [await steps(harness, look) for look in looks]
        for number in range(10):
            await harness.execute(
                "insert into outbox (chat_id, kind, priority, state, created_at, settled_at) "
                "select chat_id, kind, 20, state, created_at, settled_at from outbox where id <= 2"
            )
            assert len(await harness.outbox("sent")) == 2 * (number + 2)
        after = [await steps(harness, look) for look in looks]

    assert after == before


async def test_at_the_overall_limit_a_terminal_is_served_and_no_other_chat_is_looked_for(
    tmp_path: Path, api: BotApi, clock: ManualClock, terminal: Recorder
) -> None:
    people = range(100, 135)
    for person in people:
        api.add_private(person)
    rules = [
        rule("Tram", "tram", to=tuple(f"p{person}" for person in people)),
        rule("Seen", "seen", to=("here",)),
    ]
    async with open_harness(
        tmp_path,
        api,
        {f"p{person}": person for person in people},
        clock,
        terminal,
        subscriptions=rules,
    ) as harness:
        await harness.bring("tram")
        await harness.deliver(SECOND, SECOND / 10)
        assert len(api.calls) == 30
        await harness.bring("seen")
        await harness.deliver()
        assert (len(api.calls), terminal.titles()) == (30, ["seen"])
        await harness.deliver(SECOND)

    assert len(api.calls) == 35


async def test_a_flood_is_told_in_messages_that_name_every_story_in_full(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    titles = [f"everyone {number:02} {'and more words ' * (number % 9)}end" for number in range(70)]
    flood = [ArticleSpec(title, silent="flood") for title in titles]
    async with open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        await harness.add(flood)
        await harness.deliver(10 * SECOND)
        messages = [message.text for message in api.messages(ANN)]

    assert len(messages) >= 3
    assert [title for title in titles if not any(title in text for text in messages)] == []
    assert not any("all of them stored" in text for text in messages)
    assert max(map(len, messages)) <= 4096


async def test_what_a_kill_left_in_doubt_counts_as_sent_when_the_next_process_starts(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    """Killed time and again after Telegram took a message and before that was stored."""
    async with open_harness(tmp_path, api, {"group": GROUP}, clock) as harness:
        await harness.bring("everyone")
        deliverer, store = harness.app.deliverer, harness.app.store.deliveries
        begun = clock.now()
        for kill in range(1, 4):
            assert await store.claim_deliveries(clock.now(), [2], 20)  # sent, and killed
            await deliverer.recover()
            sends = await store.recent_sends(begun - MINUTE, clock.now())
            assert sends == [(GROUP, clock.now())] * kill
            assert deliverer._limits.allowed_at(GROUP, clock.now()) > clock.now() + SECOND
            clock.advance(MINUTE / 6)
        await harness.deliver(MINUTE)
        assert len(await store.recent_sends(begun - MINUTE, clock.now())) == 4


async def test_refused_messages_and_edits_count_at_a_start_as_well(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    async with open_harness(tmp_path, api, {"group": GROUP}, clock) as harness:
        await harness.bring("everyone", "everyone again", "everyone at last")
        await harness.execute(
            "update outbox set state = 'dead', attempts = 2, plain = 1, settled_at = ? "
            "where id = 1",
            clock.now().isoformat(timespec="microseconds"),
        )
        await harness.execute("update outbox set state = 'merged', settled_at = '9' where id = 2")
        store = harness.app.store.deliveries
        assert len(await store.recent_sends(clock.now() - MINUTE, clock.now())) == 2
