"""Changes that people ask for: each type has its function, and retrying reaches paused chats."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from support import ManualClock, Recorder, config_text, newsbell, stored

from bot.model.chat_events import Change, Reply, RetryDead, Screen
from bot.model.delivery import DeliveryKind
from bot.service.app import App
from bot.store import chat_changes

DEAD = """
insert into outbox (chat_id, kind, priority, state, text, created_at, attempts, error)
values (1, 'notice', 40, 'dead', 'Once more', '2026-03-02T11:00:00.000000+00:00', 5, 'refused')
"""
PAUSE = """
update chats set paused = 'refused', not_before = '2026-03-03T12:00:00.000000+00:00'
"""
NOW = timedelta(0)


async def retry_in_chat(app: App) -> None:
    """As the button under /admin does."""
    reply = Reply(changes=(RetryDead(),))
    await app.store.chats.finish(1, 7, Screen("admin"), reply, app.clock.now())


async def retry_on_the_command_line(app: App) -> None:
    assert await app.store.admin.retry(()) == 1


@pytest.mark.parametrize("retry", [retry_in_chat, retry_on_the_command_line])
async def test_dead_messages_that_are_sent_again_resume_their_chat(
    tmp_path: Path, clock: ManualClock, terminal: Recorder, retry: Callable[[App], Awaitable[None]]
) -> None:
    async with newsbell(tmp_path, config_text([]), clock=clock, terminal=terminal) as app:
        await stored(app)._writer.fetch("write", DEAD)
        await stored(app)._writer.fetch("write", PAUSE)
        await app.deliverer.run_once(NOW)
        assert terminal.sent == []

        await retry(app)
        await app.deliverer.run_once(NOW)
        assert terminal.texts(DeliveryKind.NOTICE) == ["Once more"]
        assert [chat.paused for chat, _, _ in (await app.store.admin.status()).chats] == [""]


def test_each_type_of_change_has_one_function() -> None:
    functions = chat_changes._APPLY
    assert set(functions) == set(get_args(Change))
    assert len(set(functions.values())) == len(functions)
