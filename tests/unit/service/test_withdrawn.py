"""Which subscriptions are as they were before a file withdrew them."""

from dataclasses import replace

import pytest

from bot.model.chats import DeclaredSubscription, Subscription
from bot.model.desired_config import DesiredConfig
from bot.model.feeds import DeclaredFeed
from bot.service.withdrawn import AGAIN, Returned, Withdrawn

FEED = DeclaredFeed("https://a.example/", "A", "a.example", ("wire",))
ONE = DeclaredSubscription("One", "harbour", ("wire",), ("here", "there"))
TWO = DeclaredSubscription("Two", "storm", (), ("here",))
WHOLE = DesiredConfig((FEED,), (), (ONE, TWO))


@pytest.mark.parametrize(
    ("part", "names"),
    [
        (replace(WHOLE, subscriptions=()), {"One", "Two"}),
        (replace(WHOLE, subscriptions=(ONE,)), {"Two"}),
        (replace(WHOLE, subscriptions=(replace(ONE, to=("here",)), TWO)), {"One"}),
        (replace(WHOLE, subscriptions=(replace(ONE, query="har"), TWO)), {"One"}),
        (replace(WHOLE, feeds=(replace(FEED, tags=()),)), {"One", "Two"}),
        (WHOLE, set()),
        (replace(WHOLE, subscriptions=(ONE, TWO, replace(TWO, name="Three"))), set()),
    ],
)
def test_what_comes_back_within_minutes_is_named_once(part: DesiredConfig, names: set[str]) -> None:
    withdrawn = Withdrawn()
    assert not withdrawn.change(WHOLE, part, 100.0).subscriptions
    since = 100.0 if names else 107.0
    assert withdrawn.change(part, WHOLE, 107.0) == Returned(since, frozenset(names))
    assert not withdrawn.change(WHOLE, WHOLE, 108.0).subscriptions


def test_what_comes_back_late_is_new() -> None:
    withdrawn = Withdrawn()
    part = replace(WHOLE, subscriptions=())
    withdrawn.change(WHOLE, part, 0.0)
    assert not withdrawn.change(part, WHOLE, AGAIN + 1).subscriptions


def test_a_list_that_is_set_back_concerns_those_that_name_it() -> None:
    withdrawn = Withdrawn()
    good, bad = {"ports": ("harbour",), "hills": ("hill",)}, {"ports": (), "hills": ("hill",)}
    assert not withdrawn.change(WHOLE, WHOLE, 0.0, good, bad).lists
    returned = withdrawn.change(WHOLE, WHOLE, 9.0, bad, good)
    assert returned == Returned(0.0, lists=frozenset({"ports"}))
    own = Subscription(1, "Own", "@Ports", (), (1,))
    assert returned.concerns(own)
    assert not returned.concerns(replace(own, paused=True))
    assert not returned.concerns(replace(own, query="@hills AND harbour"))
