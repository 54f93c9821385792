"""Nobody without the right changes anything.

First the table of role, permission and kind of chat; then every command and button, by everyone.
"""

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botapi import BotApi
from support import FeedServer, ManualClock, item, rss, stored
from telegram_harness import (
    ANN,
    BOB,
    FORUM,
    GROUP,
    TOPIC,
    ArticleSpec,
    TelegramHarness,
    open_harness,
    rule,
)

from bot.chat.access import Access, ChatType, DenialReason, Permission, admitted, denial_reason
from bot.model.chat_events import AlertAction, Role

SECOND = timedelta(seconds=1)
EVE, OWEN, CHANNEL = 9, 11, -1002

#: deed and place: who may, in a chat that is let in. `chat admin` stands for any role but blocked.
MAY = {
    (Permission.READ, ChatType.PRIVATE): {"owner", "admin", "user", "stranger"},
    (Permission.READ, ChatType.GROUP): {"owner", "admin", "user", "stranger", "chat admin"},
    (Permission.READ, ChatType.CHANNEL): {"chat admin"},
    (Permission.CHANGE, ChatType.PRIVATE): {"owner", "admin", "user", "stranger"},
    (Permission.CHANGE, ChatType.GROUP): {"chat admin"},
    (Permission.CHANGE, ChatType.CHANNEL): {"chat admin"},
    (Permission.OPERATE, ChatType.PRIVATE): {"owner", "admin"},
    (Permission.OPERATE, ChatType.GROUP): set(),
    (Permission.OPERATE, ChatType.CHANNEL): set(),
    (Permission.OWN, ChatType.PRIVATE): {"owner"},
    (Permission.OWN, ChatType.GROUP): set(),
    (Permission.OWN, ChatType.CHANNEL): set(),
}


def test_the_table_is_whole() -> None:
    assert set(MAY) == {(deed, seat) for deed in Permission for seat in ChatType}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("chat_admin", [False, True])
@pytest.mark.parametrize(("deed", "seat"), MAY)
def test_who_may_do_what_where(
    deed: Permission, seat: ChatType, role: Role, chat_admin: bool
) -> None:
    by_role = role.value in MAY[deed, seat]
    by_chat = chat_admin and "chat admin" in MAY[deed, seat] and role is not Role.BLOCKED
    why = denial_reason(deed, role, seat, allowed=True, chat_admin=chat_admin)

    assert (why is None) == (by_role or by_chat)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("deed", "seat"), MAY)
def test_in_a_chat_that_is_not_let_in_nobody_does_anything(
    deed: Permission, seat: ChatType, role: Role
) -> None:
    expected = DenialReason.BLOCKED if role is Role.BLOCKED else DenialReason.STRANGER

    assert denial_reason(deed, role, seat, allowed=False, chat_admin=True) is expected


@pytest.mark.parametrize(
    ("access", "role", "invited", "let_in"),
    [
        (Access.PRIVATE, Role.OWNER, False, True),
        (Access.PRIVATE, Role.ADMIN, False, True),
        (Access.PRIVATE, Role.USER, False, False),
        (Access.PRIVATE, Role.STRANGER, True, True),
        (Access.PRIVATE, Role.STRANGER, False, False),
        (Access.INVITE, Role.USER, False, True),
        (Access.INVITE, Role.STRANGER, False, False),
        (Access.INVITE, Role.STRANGER, True, True),
        (Access.OPEN, Role.STRANGER, False, True),
        (Access.OPEN, Role.BLOCKED, True, False),
        (Access.INVITE, Role.BLOCKED, True, False),
    ],
)
def test_who_is_let_in(access: Access, role: Role, invited: bool, let_in: bool) -> None:
    assert admitted(access, role, invited=invited) is let_in


# Every command and button, by everyone, everywhere.

#: in this order each changes something for who may
CHANGES = (
    "/subscribe harbour",
    "/subscribe ferry",
    "/unsubscribe 2",
    "/stories strict",
    "/language de",
    "/follow",
    "/unfollow",
    "/mute",
    "/unmute",
)
READS = (
    "/help",
    "/start",
    "/test harbour",
    "/search harbour",
    "/feeds",
    "/subscriptions",
    "/status",
    "/story",
    "/why",
    "/stories",
    "/export",
    "/cancel",
)
OTHERS = (
    "/confirm",
    "/settings",
    "/addfeed",
    "/removefeed",
    "/import",
    "/channels",
    "/admin",
    "/unsubscribe 1",
    "/start nothing",
    "/dance",
)
TABLES = (
    "subscriptions",
    "routes",
    "stances",
    "feeds",
    "feed_chats",
    "people",
    "links",
    "pending",
    "claims",
)


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody somewhere."""

    name: str
    user: int
    chat: int
    topic: int | None
    may: bool
    anonymous: bool = False


EVERYONE = [
    Who("Ann at home", ANN, ANN, None, may=True),
    Who("Ann, creator, in the group", ANN, GROUP, None, may=True),
    Who("Ann, administrator, in a topic", ANN, FORUM, TOPIC, may=True),
    Who("an anonymous administrator in the group", ANN, GROUP, None, may=True, anonymous=True),
    Who("somebody who posts in the channel", ANN, CHANNEL, None, may=True),
    Who("Bob, a member, in the group", BOB, GROUP, None, may=False),
    Who("Bob, a member, in a topic", BOB, FORUM, TOPIC, may=False),
    Who("Owen, who owns the newsbell, as a member of the group", OWEN, GROUP, None, may=False),
    Who("Eve, whom nobody let in, at home", EVE, EVE, None, may=False),
]


async def digest(harness: TelegramHarness) -> str:
    """What could be changed, as a word."""
    rows = {name: await harness.rows(f"select * from {name}") for name in TABLES}  # noqa: S608
    rows["feeds"] = await harness.rows("select id, url, active, declared from feeds")
    rows["chats"] = await harness.rows(
        "select id, allowed, operator, settings, grouping, acts_for from chats where allowed = 1"
    )
    return hashlib.blake2b(
        json.dumps({name: sorted(map(repr, table)) for name, table in rows.items()}).encode(),
        digest_size=8,
    ).hexdigest()


@asynccontextmanager
async def newsroom(folder: Path, clock: ManualClock) -> AsyncIterator[TelegramHarness]:
    async with BotApi() as api:
        for user in (ANN, BOB, EVE, OWEN):
            api.add_private(user)
        api.add_group(GROUP, members={ANN: "creator", BOB: "member", OWEN: "member"})
        api.add_supergroup(FORUM, members={ANN: "administrator", BOB: "member"}, forum=True)
        api.add_topic(FORUM, TOPIC)
        api.add_channel(CHANNEL, "Channel", {ANN: "administrator"})
        chats: dict[str, Any] = {
            "ann": ANN,
            "group": GROUP,
            "topic": (FORUM, TOPIC),
            "channel": CHANNEL,
        }
        rules = [rule("Tram", "tram", to=tuple(chats))]
        async with open_harness(
            folder, api, chats, clock, subscriptions=rules, admins=[OWEN]
        ) as made:
            yield made


async def says(harness: TelegramHarness, who: Who, text: str, reply_to: int | None = None) -> None:
    harness.clock.advance(3 * SECOND)
    harness.api.say(who.chat, who.user, text, who.topic, reply_to, anonymous_admin=who.anonymous)
    await harness.listen()


async def send_alert(harness: TelegramHarness, who: Who) -> int | None:
    """The message of an alert there."""
    await harness.add(ArticleSpec("tram"))
    await harness.deliver(10 * SECOND, SECOND)
    messages = [
        message
        for message in harness.api.messages(who.chat, who.topic)
        if message.text.startswith("tram")
    ]
    return messages[-1].message_id if messages else None


@pytest.mark.parametrize("who", EVERYONE, ids=lambda who: who.name)
async def test_a_command_changes_something_for_those_who_may_and_nothing_for_the_others(
    who: Who, tmp_path: Path, clock: ManualClock
) -> None:
    async with newsroom(tmp_path, clock) as harness:
        alert = await send_alert(harness, who)
        for text in CHANGES:
            before = await digest(harness)
            await says(
                harness,
                who,
                text,
                alert if text.startswith(("/follow", "/unf", "/mute", "/unm")) else None,
            )
            assert ((await digest(harness)) != before) is who.may, text
        before = await digest(harness)
        for text in (*READS, *(() if who.may else OTHERS)):
            await says(harness, who, text, alert)
        assert await digest(harness) == before


@pytest.mark.parametrize("who", [who for who in EVERYONE if not who.may], ids=lambda who: who.name)
async def test_no_button_that_somebody_else_got_changes_anything_for_who_may_not(
    who: Who, tmp_path: Path, clock: ManualClock
) -> None:
    """Every button that Ann gets, pressed there or sent from elsewhere, and some invented ones."""
    async with newsroom(tmp_path, clock) as harness:
        ann = Who("Ann", ANN, who.chat if who.chat < 0 else ANN, who.topic, may=True)
        await send_alert(harness, ann)
        for text in (
            "/subscribe harbour",
            "/subscriptions",
            "/unsubscribe 2",
            "/settings",
            "/start",
            "/removefeed",
            "/channels",
        ):
            await says(harness, ann, text)
            await harness.deliver(30 * SECOND, 2 * SECOND)
        messages = harness.api.messages(ann.chat, ann.topic)
        words = {
            (message.message_id, button["callback_data"])
            for message in messages
            for row in message.keyboard
            for button in row
            if "callback_data" in button
        }
        assert len(words) > 15
        forged = {
            f"{screen}:{word}"
            for screen in range(1, 9)
            for word in ("delete", "yes", "undo", "pause", "language de", "stories loose", "act 1")
        }
        harness.api.say(who.chat, who.user, "something of their own", who.topic)
        await harness.listen()
        before = await digest(harness)
        for message, word in sorted(
            words
            | {
                (messages[-1].message_id, word)
                for word in forged | {*map(str, AlertAction), "x", ":", "9:" + "9" * 50}
            }
        ):
            if word == AlertAction.WHY or word.endswith(("list", "back")):
                continue
            harness.clock.advance(3 * SECOND)
            target = (
                message
                if who.chat == ann.chat
                else next(iter(harness.api.chats[who.chat].messages))
            )
            harness.api.press(who.chat, who.user, target, word)
            await harness.listen()
            assert await digest(harness) == before, word


async def test_a_blocked_person_is_told_nothing_and_changes_nothing_even_in_a_group_they_administer(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with newsroom(tmp_path, clock) as harness:
        await stored(harness.app)._writer.run(
            "block",
            lambda db: db.execute("insert into people values (?, 'blocked', 'Ann', '')", [ANN]),
        )
        before, messages = await digest(harness), len(harness.api.messages(GROUP))
        for text in (*CHANGES, *READS):
            await says(harness, Who("Ann", ANN, GROUP, None, may=False), text)
        assert await digest(harness) == before
        assert len(harness.api.messages(GROUP)) == messages


async def test_feeds_are_added_for_a_chat_by_those_who_may(
    tmp_path: Path, clock: ManualClock, server: FeedServer
) -> None:
    server.put("/feed.xml", rss(item("1", "Pier opens"), title="Coast Herald"))
    async with newsroom(tmp_path, clock) as harness:
        for who in (
            Who("Bob", BOB, GROUP, None, may=False),
            Who("Ann", ANN, GROUP, None, may=True),
        ):
            await says(harness, who, f"/addfeed {server.url('/feed.xml')}")
            await harness.deliver(10 * SECOND, SECOND)
        shown = harness.api.messages(GROUP)[-1]
        word = shown.keyboard[0][0]["callback_data"]
        for user in (BOB, ANN):
            harness.api.press(GROUP, user, shown.message_id, word)
            await harness.listen()
            added = await harness.rows(
                "select chats.name from feed_chats join chats on chats.id = chat_id"
            )
            assert added == ([("group",)] if user == ANN else [])


async def test_who_acts_for_a_channel_loses_that_with_the_right_to_administer_it(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with newsroom(tmp_path, clock) as harness:
        api, ann = harness.api, Who("Ann", ANN, ANN, None, may=True)
        api.add_channel(
            -1009, "Coast", {ANN: "administrator", api.bot_id: "administrator"}, username="coast"
        )
        await says(harness, ann, "/channels @coast")
        await harness.deliver(5 * SECOND, SECOND)
        assert api.messages(ANN)[-1].text.startswith("Linked Coast")
        await says(harness, ann, "/channels")
        await harness.deliver(5 * SECOND, SECOND)
        menu = api.messages(ANN)[-1]
        api.press(ANN, ANN, menu.message_id, menu.keyboard[0][0]["callback_data"])
        await harness.listen()
        await says(harness, ann, "/subscribe harbour")
        await harness.deliver(5 * SECOND, SECOND)
        [(chat,)] = await harness.rows(
            "select c.address from routes join chats c on c.id = chat_id join subscriptions "
            "s on s.id = subscription_id where query = 'harbour'"
        )
        assert chat == -1009
        api.set_member(-1009, ANN, "member")
        harness.clock.advance(timedelta(minutes=2))
        harness.app.listener._members._known.clear()  # type: ignore[union-attr]
        before = await digest(harness)
        await says(harness, ann, "/subscribe ferry")
        await says(harness, ann, "/unsubscribe 2")
        assert await digest(harness) == before
