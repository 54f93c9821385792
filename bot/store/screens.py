"""Screens to columns, and back. Runs nothing."""

import json
from typing import Any

from bot.model.chat_events import ExpectedInput, Screen, ScreenTask

#: names of what a screen's state holds beside the values of its handler
_TASK, _TARGET_CHAT = "busy", "for"


def put_screen_state(screen: Screen) -> str:
    """Return a screen's values, its task and the chat that it is about, as JSON."""
    state = dict(screen.values)
    if screen.task is not ScreenTask.NONE:
        state[_TASK] = screen.task
    if screen.target_chat is not None:
        state[_TARGET_CHAT] = screen.target_chat
    return json.dumps(state, ensure_ascii=False)


def get_screen(row: Any) -> Screen:
    """Inverse of `put_screen_state`, for a row of `screens`."""
    state = json.loads(row["state"])
    task = ScreenTask(state.pop(_TASK, ScreenTask.NONE))
    target = state.pop(_TARGET_CHAT, None)
    return Screen(row["name"], state, ExpectedInput(row["expects"]), row["id"], task, target)
