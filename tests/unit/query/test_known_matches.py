"""Matches that another process found are used where they hold, and only there."""

from dataclasses import fields, replace
from typing import Any

import pytest

from bot.model.chats import Subscription
from bot.model.entries import Article, Match
from bot.model.nodes import KnownMatches
from bot.query.index import Index
from bot.query.known_matches import KnownFirst, article_key

HARBOUR = Article("Harbour opens", "The harbour of Dunmore", "en", feed="https://a.example/rss")
OTHER = (Match(7),)  # what no query here gives, to know where it came from


def subscription(number: int, query: str, *feeds: str) -> Subscription:
    return Subscription(number, query, query, feeds, (1,))


def index_of(*subscriptions: Subscription, **names: tuple[str, ...]) -> Index:
    index = Index(names)
    for item in subscriptions:
        index.set(item)
    return index


def known(index: Index) -> KnownMatches:
    return KnownMatches(index.digest, {article_key(HARBOUR): OTHER})


def test_what_is_known_of_the_same_subscriptions_is_used() -> None:
    index = index_of(subscription(1, "harbour"), subscription(2, "storm"))
    node = index_of(subscription(2, "storm"), subscription(1, "harbour"))
    first = KnownFirst(index, [known(node)])

    assert first.match(HARBOUR) == list(OTHER)
    assert [m.subscription_id for m in first.match(replace(HARBOUR, body="x"))] == [1]
    assert first.subscription(2) == subscription(2, "storm")


@pytest.mark.parametrize(
    "index",
    [
        index_of(subscription(1, "harbour"), subscription(2, "wind")),
        index_of(subscription(1, "harbour"), subscription(3, "storm")),
        index_of(subscription(1, "harbour")),
        index_of(subscription(1, "harbour"), subscription(2, "storm", "https://b.example/rss")),
        index_of(subscription(1, "harbour"), subscription(2, "storm"), ports=("Dunmore",)),
    ],
)
def test_where_subscriptions_or_lists_differ_the_own_index_is_asked(index: Index) -> None:
    node = index_of(subscription(1, "harbour"), subscription(2, "storm"))
    first = KnownFirst(index, [known(node)])

    assert [match.subscription_id for match in first.match(HARBOUR)] == [1]


def test_a_subscription_that_changes_within_a_batch_is_asked() -> None:
    index = index_of(subscription(1, "harbour"))
    first = KnownFirst(index, [known(index)])
    assert first.match(HARBOUR) == list(OTHER)

    index.set(subscription(2, "Dunmore"))
    assert [match.subscription_id for match in first.match(HARBOUR)] == [1, 2]
    index.remove(2)
    assert first.match(HARBOUR) == list(OTHER)


def test_subscriptions_that_differ_in_what_does_not_match_are_the_same() -> None:
    index = index_of(subscription(1, "harbour"))
    before = index.digest
    index.set(replace(subscription(1, "harbour"), name="Port", chats=(1, 2), number=4))

    assert index.digest == before


def test_articles_that_differ_anywhere_have_another_key() -> None:
    keys = {article_key(HARBOUR)}
    values: dict[str, Any] = {"tags": ("war",), "categories": ("war",), "terms": frozenset({"war"})}
    for field in fields(Article):
        keys.add(article_key(replace(HARBOUR, **{field.name: values.get(field.name, "changed")})))

    assert len(keys) == len(fields(Article)) + 1
