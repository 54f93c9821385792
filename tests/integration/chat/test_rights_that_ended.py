"""What is over counts no longer: claims, invitations, open access, quotas, shared accounts."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from botapi import BotApi
from support import ManualClock
from telegram_harness import ANN, BOB, TelegramHarness, open_harness, telegram_config

from bot.model.chat_events import Role
from bot.telegram.updates import SHARED_ACCOUNTS

EVE, CLUB = 9, -20


def world(api: BotApi) -> None:
    """People, and a group whose creator is Bob."""
    for number, name in ((ANN, "Ann"), (BOB, "Bob"), (EVE, "Eve")):
        api.add_private(number, name)
    api.add_group(CLUB, "Club", members={BOB: "creator", EVE: "member"})


async def replies(harness: TelegramHarness, user: int, text: str, chat: int = 0) -> list[str]:
    """Write there; what the bot says in that chat then."""
    place = chat or user
    before = len(harness.api.messages(place))
    harness.api.say(place, user, text)
    await harness.listen()
    await harness.deliver(timedelta(seconds=5))
    return [message.text for message in harness.api.messages(place)[before:]]


async def press(harness: TelegramHarness, user: int, label: str) -> str:
    """Press the newest button of this name; the text of its message then."""
    for message in reversed(harness.api.messages(user)):
        for button in (button for row in message.keyboard for button in row):
            if button["text"] == label:
                harness.api.press(user, user, message.message_id, button["callback_data"])
                await harness.listen()
                await harness.deliver(timedelta(seconds=5))
                return harness.api.messages(user)[-1].text
    raise AssertionError(label)


async def role(harness: TelegramHarness, user: int) -> Role:
    return (await harness.app.store.chats.person(user)).role


async def save(harness: TelegramHarness, **settings: Any) -> None:
    """Save feeds.yaml with other settings, and have it read."""
    more: dict[str, Any] = {"subscriptions": [], **settings}
    text = telegram_config(harness.api, {"ann": ANN}, **more)
    harness.app.config.path.write_text(text, encoding="utf-8")
    await harness.app.reload()


async def test_a_claim_link_is_worth_nothing_once_the_file_names_an_operator(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with (
        BotApi() as api,
        open_harness(tmp_path, api, {"ann": ANN}, clock, subscriptions=[]) as harness,
    ):
        world(api)
        link = await harness.app.claim_link()
        assert link is not None
        token = link.rpartition("=")[2]
        await save(harness, admins=[ANN])
        [answer] = await replies(harness, EVE, f"/start {token}")
        assert "operator now" not in answer
        assert await role(harness, EVE) is Role.STRANGER
        await save(harness, admins=[])
        await replies(harness, EVE, f"/start {token}")
        assert await role(harness, EVE) is Role.STRANGER


async def test_a_claim_link_makes_only_one_operator(tmp_path: Path, clock: ManualClock) -> None:
    async with (
        BotApi() as api,
        open_harness(tmp_path, api, {"ann": ANN}, clock, subscriptions=[]) as harness,
    ):
        world(api)
        first, second = [str(await harness.app.claim_link()) for _ in range(2)]
        await replies(harness, EVE, f"/start {second.rpartition('=')[2]}")
        assert await role(harness, EVE) is Role.OWNER
        for link in (first, second):
            await replies(harness, BOB, f"/start {link.rpartition('=')[2]}")
        assert await role(harness, BOB) is Role.STRANGER


async def test_an_invitation_ends_with_the_operator_who_made_it(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with (
        BotApi() as api,
        open_harness(
            tmp_path, api, {"ann": ANN}, clock, subscriptions=[], access="invite", admins=[ANN, BOB]
        ) as harness,
    ):
        world(api)
        await replies(harness, BOB, "/admin")
        token = (await press(harness, BOB, "Invite someone")).rpartition("start=")[2]
        await save(harness, access="invite", admins=[ANN])
        await replies(harness, EVE, f"/start {token}")
        assert await role(harness, EVE) is Role.STRANGER


async def test_a_shared_subscription_ends_with_the_access_of_its_chat(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with (
        BotApi() as api,
        open_harness(
            tmp_path, api, {"ann": ANN}, clock, subscriptions=[], access="open", admins=[ANN]
        ) as harness,
    ):
        world(api)
        await replies(harness, BOB, "/start")
        await replies(harness, BOB, "/subscribe harbour")
        await replies(harness, BOB, "/subscriptions")
        await press(harness, BOB, "1")
        token = (await press(harness, BOB, "Share")).rpartition("start=")[2]
        await replies(harness, ANN, "/admin")
        await press(harness, ANN, "People")
        await press(harness, ANN, "Bob · user")
        await press(harness, ANN, "Block")
        await replies(harness, ANN, f"/start {token}")
        assert await harness.rows(
            "select count(*) from subscriptions where removed_at is null"
        ) == [(1,)]


async def test_who_came_while_everyone_might_is_shut_out_when_that_ends(
    tmp_path: Path, clock: ManualClock
) -> None:
    """Also the group to which they added the bot; an invited person and the file's chats stay."""
    async with (
        BotApi() as api,
        open_harness(
            tmp_path, api, {"ann": ANN}, clock, subscriptions=[], access="open", admins=[ANN]
        ) as harness,
    ):
        world(api)
        await replies(harness, ANN, "/admin")
        token = (await press(harness, ANN, "Invite someone")).rpartition("start=")[2]
        await replies(harness, EVE, f"/start {token}")
        await replies(harness, BOB, "/start")
        await replies(harness, BOB, "/subscribe harbour")
        harness.api.invite(CLUB, by=BOB)
        await harness.listen()
        statement = "select address from chats where allowed = 1 and kind = 'telegram' order by 1"
        assert await harness.rows(statement) == [(CLUB,), (ANN,), (BOB,), (EVE,)]
        await save(harness, access="private", admins=[ANN])
        assert await harness.rows(statement) == [(ANN,), (EVE,)]
        clock.advance(timedelta(minutes=2))
        assert (await replies(harness, BOB, "/help"))[0].startswith("This bot is private")
        assert await role(harness, BOB) is Role.STRANGER
        assert len(harness.app.subscriptions.index) == 0
        await save(harness, access="open", admins=[ANN])
        assert await harness.rows(statement) == [(CLUB,), (ANN,), (BOB,), (EVE,)]
        assert len(harness.app.subscriptions.index) == 1


async def test_access_that_ended_while_newsbell_did_not_run_is_over_too(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with BotApi() as api:
        world(api)
        options: dict[str, Any] = {"subscriptions": [], "admins": [ANN]}
        async with open_harness(
            tmp_path, api, {"ann": ANN}, clock, access="open", **options
        ) as harness:
            await replies(harness, BOB, "/start")
            await replies(harness, BOB, "/subscribe harbour")
        async with open_harness(
            tmp_path, api, {"ann": ANN}, clock, access="invite", **options
        ) as harness:
            clock.advance(timedelta(minutes=2))
            assert (await replies(harness, BOB, "/help"))[0].startswith("This bot is private.")


async def test_undo_does_not_pass_the_quota_of_subscriptions(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with (
        BotApi() as api,
        open_harness(
            tmp_path,
            api,
            {"ann": ANN},
            clock,
            subscriptions=[],
            admins=[ANN],
            quotas={"subscriptions": 2},
        ) as harness,
    ):
        world(api)
        for word in ("harbour", "tram"):
            await replies(harness, ANN, f"/subscribe {word}")
        await replies(harness, ANN, "/unsubscribe 1")
        await replies(harness, ANN, "/subscribe ferry")
        answer = await press(harness, ANN, "Undo")
        assert answer.startswith("A chat can have at most 2 subscriptions")
        assert await harness.rows(
            "select count(*) from subscriptions where removed_at is null"
        ) == [(2,)]


async def test_an_account_that_many_share_gets_no_role(tmp_path: Path, clock: ManualClock) -> None:
    async with (
        BotApi() as api,
        open_harness(
            tmp_path, api, {"ann": ANN}, clock, subscriptions=[], access="open", admins=[ANN]
        ) as harness,
    ):
        world(api)
        for account in sorted(SHARED_ACCOUNTS):
            api.add_private(account, "Group")
            harness.api.invite(CLUB, by=account)
            await harness.listen()
            assert await role(harness, account) is Role.STRANGER
        assert await harness.rows("select count(*) from people where user_id > 1000") == [(0,)]
