"""Many subscriptions against one entry: only those are tried whose anchor word the entry holds. Not the meaning of a query."""

from collections.abc import Iterable

from bot.errors import QueryError
from bot.model.chats import Subscription
from bot.model.entries import Match
from bot.query.matcher import EntryWords, match
from bot.query.parser import Names, parse
from bot.query.tree import AllOf, AnyOf, NamedList, Node, NoneOf


class Index:
    """The compiled subscriptions of one moment."""

    def __init__(self, subscriptions: Iterable[Subscription], names: Names) -> None:
        """Compile. A query that cannot be read (its list is gone) is set aside in `broken` and stops no other."""
        self._subscriptions: dict[int, tuple[Subscription, Node]] = {}
        self._anchored: dict[str, list[int]] = {}
        self.broken: list[tuple[Subscription, QueryError]] = []
        for subscription in subscriptions:
            try:
                tree = parse(subscription.query, names)
            except QueryError as error:
                self.broken.append((subscription, error))
                continue
            self._subscriptions[subscription.id] = (subscription, tree)
            for anchor in anchors(tree):
                self._anchored.setdefault(anchor, []).append(subscription.id)

    def __len__(self) -> int:
        return len(self._subscriptions)

    def subscription(self, subscription_id: int) -> Subscription | None:
        """The subscription with this id, if it is in force."""
        found = self._subscriptions.get(subscription_id)
        return found[0] if found else None

    def match(self, title: str, summary: str, feed: frozenset[str]) -> list[Match]:
        """Every subscription that matches; `feed` holds the feed's URL, name and tags, folded by nobody."""
        entry = EntryWords.of(title, summary)
        candidates = {number for word in entry.places.keys() & self._anchored.keys() for number in self._anchored[word]}
        matches: list[Match] = []
        for number in sorted(candidates):
            subscription, tree = self._subscriptions[number]
            if subscription.feeds and feed.isdisjoint(subscription.feeds):
                continue
            spans = match(tree, entry)
            if spans is not None:
                matches.append(Match(number, spans))
        return matches


def anchors(node: Node) -> frozenset[str]:
    """Words of which an entry must hold at least one to match; empty where nothing is demanded."""
    match node:
        case NoneOf():
            return frozenset()
        case NamedList(spellings=spellings):
            return frozenset(spelling.words[0] for spelling in spellings)
        case AllOf(parts=parts):
            found = [words for part in parts if (words := anchors(part))]
            return min(found, key=lambda words: (len(words), -max(map(len, words)))) if found else frozenset()
        case AnyOf(parts=parts):
            each = [anchors(part) for part in parts]
            return frozenset().union(*each) if all(each) else frozenset()
        case _:
            return frozenset({max(node.words, key=len)})
