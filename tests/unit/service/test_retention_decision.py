"""A shorter retention is announced, and takes effect a day later; a longer one at once."""

from datetime import timedelta

from support import NOON

from bot.model.retention import Obsolete, Retention, RetentionState
from bot.service.retention import announcement, decide, obsolete_text

DAY = timedelta(days=1)
SHORT = Retention(articles=10 * DAY, alerts=30 * DAY)


def test_a_longer_retention_takes_effect_at_once() -> None:
    longer = Retention(articles=None, messages=60 * DAY)

    decision = decide(RetentionState(), longer, NOON)

    assert (decision.retention, decision.announces) == (longer, False)
    assert decision.state == RetentionState(longer)


def test_a_shorter_one_is_announced_once_and_takes_effect_a_day_later() -> None:
    first = decide(RetentionState(), SHORT, NOON)
    second = decide(first.state, SHORT, NOON + DAY - timedelta(seconds=1))
    third = decide(second.state, SHORT, NOON + DAY)

    assert [step.announces for step in (first, second, third)] == [True, False, False]
    assert [step.retention for step in (first, second, third)] == [Retention()] * 2 + [SHORT]
    assert third.state == RetentionState(SHORT)


def test_what_is_longer_in_it_holds_at_once() -> None:
    mixed = Retention(articles=10 * DAY, removed=None)

    assert decide(RetentionState(), mixed, NOON).retention == Retention(removed=None)


def test_another_value_is_announced_anew_and_the_old_one_ends_it() -> None:
    told = decide(RetentionState(), SHORT, NOON).state
    other = Retention(articles=20 * DAY)

    assert decide(told, other, NOON + DAY).announces
    assert decide(told, Retention(), NOON + DAY).state == RetentionState()


def test_a_clock_that_was_set_back_deletes_nothing_early() -> None:
    told = decide(RetentionState(), SHORT, NOON).state

    assert decide(told, SHORT, NOON - DAY).retention == Retention()


def test_the_notice_says_how_much_of_what_is_deleted() -> None:
    lines = str(announcement(Obsolete(articles=2, alerts=1))).splitlines()

    assert lines[1:] == ["1 alert with its articles", "2 articles that alerted nobody"]
    assert obsolete_text(Obsolete(messages=1, removed=3)) == (
        "the record of 1 message, 3 removed subscriptions and feeds"
    )
