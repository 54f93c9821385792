"""Chats at which newsbell itself failed: how many are remembered."""

from datetime import timedelta

import pytest
from support import NOON

from bot.delivery import chat_faults
from bot.delivery.chat_faults import ChatFaults


def test_of_many_chats_those_that_may_be_tried_again_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chat_faults, "REMEMBERED", 3)
    faults = ChatFaults()
    for chat in (1, 2, 3):
        faults.failed(chat, NOON)
    later = NOON + timedelta(hours=1)
    assert faults.failed(4, later) == 1
    assert faults.failed(4, later) == 2
    assert faults.failed(1, later) == 1, "it is counted anew"
    assert faults.waiting(later) == {1, 4}
