"""How much people may ask for, where the clock is set back or there are many of them."""

from datetime import timedelta

import pytest
from support import NOON

from bot.chat import command_quota
from bot.chat.command_quota import CommandQuota, GroupQuota, LookQuota
from bot.model.chat_events import Command

YEAR, SECOND = timedelta(days=365), timedelta(seconds=1)


@pytest.mark.parametrize("step", [timedelta(seconds=90), YEAR])
def test_who_asked_often_while_the_clock_was_ahead_may_ask_when_it_is_right(
    step: timedelta,
) -> None:
    quota = CommandQuota(lambda: 2)
    update = Command(update_id=1, address=7, user_id=7, name="/help")
    assert [quota.exceeded(update, NOON + step) for _ in range(3)] == [False, False, True]
    assert [quota.exceeded(update, NOON) for _ in range(3)] == [False, False, True]


def test_a_group_is_answered_when_the_clock_is_right_again() -> None:
    quota = GroupQuota()
    for number in range(20):
        quota.exceeded(-1, number, NOON + YEAR)
    assert quota.exceeded(-1, "again", NOON + YEAR)
    assert not quota.exceeded(-1, "again", NOON)
    assert quota.exceeded(-1, "again", NOON + SECOND)


@pytest.mark.parametrize("times", [1, 3])
def test_no_more_people_are_remembered_than_the_limit_however_fast_they_come(
    monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    monkeypatch.setattr(command_quota, "_SENDERS", 5)
    quota, looks = CommandQuota(lambda: 2), LookQuota()
    for user in range(1, 30):
        update = Command(update_id=1, address=user, user_id=user, name="/help")
        for _ in range(times):
            quota.exceeded(update, NOON)
            looks.take(update, "wire.example", 3, NOON)

    assert len(quota._times._times) == len(looks._seen) == 5
    assert quota.exceeded(update, NOON) is (times == 3), "the last one's times are known"


def test_who_asks_too_often_is_told_so_once_a_minute() -> None:
    quota = CommandQuota(lambda: 2)
    update = Command(update_id=1, address=7, user_id=7, name="/help")
    other = Command(update_id=1, address=8, user_id=8, name="/help")

    told = [quota.is_told(update, NOON + seconds * SECOND) for seconds in (0, 1, 59, 60, 61)]
    assert told == [True, False, False, True, False]
    assert quota.is_told(other, NOON + SECOND)
