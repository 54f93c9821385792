"""The tables of rights in docs/operations.md, tried with every command, button and dialogue.

The handlers are replaced by one that says which right its route needed; routing, guard, admission,
members and store are newsbell's own.
"""

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botapi import BotApi
from support import ManualClock, stored
from telegram_harness import ANN, BOB, GROUP, TelegramHarness, open_harness

from bot.chat.access import Access, Permission
from bot.chat.callbacks import Callback
from bot.chat.context import Context, ScreenHandler
from bot.chat.dispatcher import Dispatcher
from bot.chat.handlers.admin import AdminAction
from bot.chat.handlers.subscription import SubscriptionAction
from bot.model.chat_events import (
    AlertAction,
    ChatUpdate,
    Command,
    ExpectedInput,
    Person,
    Press,
    Reply,
    Role,
    Screen,
    Text,
)

PAGE = Path(__file__).parents[3] / "docs" / "operations.md"
EVE, DAN, FAY, CHANNEL, CLUB = 9, 12, 13, -1002, -20
_OWN = {AdminAction.PROMOTE, AdminAction.DEMOTE}
_LISTS = {
    SubscriptionAction.LIST,
    SubscriptionAction.PAGE,
    SubscriptionAction.OPEN,
    SubscriptionAction.BACK,
    SubscriptionAction.SHARE,
}


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody somewhere."""

    user: int
    chat: int
    anonymous: bool = False


WHO = {
    "owner, in a private chat": Who(ANN, ANN),
    "operator, in a private chat": Who(DAN, DAN),
    "user, in a private chat": Who(BOB, BOB),
    "stranger, in a private chat": Who(EVE, EVE),
    "blocked, in a private chat": Who(FAY, FAY),
    "blocked, in a group": Who(FAY, GROUP),
    "administrator of a group": Who(BOB, GROUP),
    "anonymous administrator of a group": Who(0, GROUP, anonymous=True),
    "member of a group": Who(EVE, GROUP),
    "owner, as a member of a group": Who(ANN, GROUP),
    "member of a group without access": Who(EVE, CLUB),
    "administrator of a group without access": Who(14, CLUB),
    "a channel's own post": Who(0, CHANNEL, anonymous=True),
}


def rows(heading: str) -> list[list[str]]:
    """The cells of the table that begins with this cell."""
    table = PAGE.read_text(encoding="utf-8").partition(f"\n| {heading} |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]


RIGHTS = {row[0]: dict(zip(Access, row[1:], strict=True)) for row in rows("who")}
COMMANDS = {
    name: Permission(row[0]) for row in rows("right") for name in re.findall(r"`(/\w+)`", row[1])
}


def test_the_tables_name_everybody_and_every_command(commands: set[str]) -> None:
    assert RIGHTS.keys() == WHO.keys()
    assert COMMANDS.keys() == commands


@pytest.fixture(name="commands")
async def _commands(tmp_path: Path, clock: ManualClock) -> set[str]:
    async with BotApi() as api, open_harness(tmp_path, api, {"ann": ANN}, clock) as harness:
        assert harness.app.telegram is not None
        return set(harness.app.telegram.dispatcher.router.commands)


@pytest.mark.parametrize("access", Access)
@pytest.mark.parametrize("who", WHO)
async def test_everybody_does_what_the_table_says(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, who: str, access: Access
) -> None:
    words = RIGHTS[who][access].split(", ")
    expected, enters = {right for right in Permission if right in words}, "enters" in words
    monkeypatch.setattr(Dispatcher, "_waits", lambda *_: False)
    async with BotApi() as api:
        people(api)
        options: dict[str, Any] = {
            "admins": [ANN],
            "access": access.value,
            "subscriptions": [],
            "quotas": {"commands_a_minute": 1000},
        }
        chats = {"group": GROUP, "channel": CHANNEL, "bob": BOB, "dan": DAN}
        async with open_harness(tmp_path, api, chats, clock, **options) as harness:
            await roles(harness)
            trial = Trial(harness, WHO[who])
            for name, right in COMMANDS.items():
                await trial.update(Command, right, name=name)
            for screen, action, right in buttons(trial.screens):
                await trial.press(screen, action, right)
            for action in AlertAction:
                reads = action in {AlertAction.WHY, AlertAction.CLAIM}
                right = Permission.READ if reads else Permission.CHANGE
                await trial.update(Press, right, data=action.value)
            for screen, right in dialogues(trial.screens):
                if WHO[who].user:  # newsbell waits for the text of a person
                    await trial.write(screen, right)
    log = trial.log
    if enters:  # by the first command, which is answered and not done
        expected, first = {Permission.READ, Permission.CHANGE}, log.pop(0)
        assert not first.done
    assert [attempt for attempt in log if attempt.done is not (attempt.right in expected)] == []
    assert {attempt.right for attempt in log} == set(Permission)


@dataclass(frozen=True, slots=True)
class Attempt:
    """Something that somebody tried."""

    done: bool
    right: Permission
    what: str


class Trial:
    """What somebody tries."""

    def __init__(self, harness: TelegramHarness, who: Who) -> None:
        assert harness.app.telegram is not None
        self._harness, self._who = harness, who
        self._dispatcher = harness.app.telegram.dispatcher
        router = self._dispatcher.router
        self.screens: dict[str, ScreenHandler] = dict(router.screens)
        self.log: list[Attempt] = []
        self._number, self._handled = 1000, False
        router.commands = {
            name: replace(route, handle=partial(self._command, name), question=None)
            for name, route in router.commands.items()
        }
        router.alert_actions = {
            action: replace(route, handle=self._route)
            for action, route in router.alert_actions.items()
        }
        for handler in {id(item): item for item in self.screens.values()}.values():
            handler.press = self._screen  # type: ignore[method-assign]
            handler.read_input = self._screen  # type: ignore[method-assign]

    async def _command(self, _name: str, _context: Context, _argument: str) -> Reply:
        self._handled = True
        return Reply()

    async def _route(self, _context: Context) -> Reply:
        self._handled = True
        return Reply()

    async def _screen(self, _context: Context, _screen: Screen, _what: Any) -> Reply:
        self._handled = True
        return Reply()

    async def update(self, kind: type[ChatUpdate], right: Permission, **values: Any) -> None:
        """Do something; note whether it was done."""
        who = self._who
        self._number += 1
        self._handled = False
        self._harness.clock.advance(timedelta(minutes=2))
        update = kind(
            update_id=self._number,
            address=who.chat,
            user_id=who.user,
            channel=who.chat == CHANNEL,
            message_id=self._number,
            reply_to=1,
            is_admin=who.anonymous or who.chat > 0,
            **values,
        )
        await self._dispatcher.handle(update)
        self.log.append(Attempt(self._handled, right, str(values)))

    async def press(self, screen: str, action: str, right: Permission) -> None:
        """Press a button of a screen that is there."""
        number = await self._put(screen, "")
        await self.update(Press, right, data=f"{number}:{action}")

    async def write(self, screen: str, right: Permission) -> None:
        """Write for a screen that waits for it."""
        await self._put(screen, ExpectedInput.QUERY)

        async def expecting(*_: Any) -> Screen:
            return Screen(screen, {}, ExpectedInput.QUERY, 1)

        store = self._dispatcher._store
        before = store.expecting
        store.expecting = expecting  # type: ignore[assignment,method-assign]
        await self.update(Text, right, text="harbour")
        store.expecting = before  # type: ignore[method-assign]

    async def _put(self, screen: str, expects: str) -> int:
        statement = (
            "insert into screens (chat_id, user_id, name, state, expects, touched_at) "
            "select id, ?, ?, '{}', ?, '2026' from chats where address = ? returning id"
        )
        values = [self._who.user, screen, expects, self._who.chat]
        found = await stored(self._harness.app)._writer.fetch("put a screen", statement, values)
        return int(found[0]["id"]) if found else 0


def buttons(screens: dict[str, ScreenHandler]) -> list[tuple[str, str, Permission]]:
    """Every button of every screen, with the right that the page gives it."""
    found = []
    for name, handler in screens.items():
        for action in handler.actions:
            if name == "admin":
                right = Permission.OWN if action in _OWN else Permission.OPERATE
            elif name == "channels":
                right = handler.permission(Screen(name), Callback(action))
            elif name in {"subscriptions", "subscription"} and action in _LISTS:
                right = Permission.READ
            else:
                right = Permission.CHANGE
            found.append((name, action.value, right))
    return found


def dialogues(screens: dict[str, ScreenHandler]) -> list[tuple[str, Permission]]:
    """Every screen that may wait for text; a chart and the buttons under proposals do not."""
    return [
        (name, Permission.OPERATE if name == "admin" else Permission.CHANGE)
        for name in screens
        if name not in {"trend", "channels"}
    ]


def people(api: BotApi) -> None:
    """Everybody, with a group that has access and one that has not."""
    for number in (ANN, BOB, EVE, DAN, FAY, 14):
        api.add_private(number, f"Person {number}")
    api.add_group(
        GROUP,
        "Newsroom",
        members={BOB: "administrator", EVE: "member", ANN: "member", FAY: "member"},
    )
    api.add_group(CLUB, "Club", members={14: "creator", EVE: "member"})
    api.add_channel(CHANNEL, "Coast", {BOB: "administrator", api.bot_id: "administrator"})


async def roles(harness: TelegramHarness) -> None:
    """Make Dan an operator, Bob a user, and block Fay."""
    for number, role in ((DAN, "admin"), (BOB, "user"), (FAY, "blocked")):
        await stored(harness.app)._writer.run(
            "set a role",
            lambda db, number=number, role=role: db.execute(  # type: ignore[misc]
                "insert into people values (?, ?, '', '2026')", [number, role]
            ),
        )
    assert await harness.app.store.chats.person(DAN) == Person(DAN, Role.ADMIN)
