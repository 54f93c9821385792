"""Match many subscriptions against one article: only those whose rarest required key it has.

Not the meaning of a query. A key is a word as written (after `=`), a stem, a prefix (`^`), a key of
a name (`~`) or one of metadata (`lang:ru`).
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from bot.errors import QueryError
from bot.model.chats import Subscription
from bot.model.entries import Article, Match
from bot.names.name_index import NameIndex
from bot.query.index_keys import (
    Keys,
    KeySelector,
    are_of_words,
    inflected_words,
    is_meta_key,
    name_patterns,
)
from bot.query.matcher import match
from bot.query.parser import Names, parse
from bot.query.tree import Node
from bot.query.words import ArticleWords
from bot.text.stem import is_stemmed_alike

_PREFIX_START = 3  # letters of a prefix by which its lengths are looked up
_CLAUSES = 3  # that are checked before a tree is evaluated
_SAMPLE = 16  # every 16th article is counted, to learn which words are rare


@dataclass(frozen=True, slots=True, eq=False)
class _CompiledQuery:
    """A subscription, ready to be matched."""

    subscription: Subscription
    tree: Node
    #: those it is indexed by, without those of names; None: it is tried on every article
    keys: tuple[str, ...] | None
    #: of each, a match has a key: checked before the tree is evaluated
    clauses: tuple[tuple[str, ...], ...]


class Index:
    """The compiled active subscriptions. Changed one at a time, between two articles."""

    def __init__(self, names: Names, languages: Iterable[str] = ("en",)) -> None:
        self._names = names
        self._selector = KeySelector(languages)
        self._compiled: dict[int, _CompiledQuery] = {}
        self._by_key: dict[str, _CompiledQuery | list[_CompiledQuery]] = {}
        self._unkeyed: set[int] = set()  # subscriptions that are tried on every article
        self._key_kinds = {"^": 0, ":": 0}  # number of index keys of each special kind
        self._prefix_lengths: dict[str, Counter[int]] = {}  # of prefixes, by their first letters
        self._start_sizes = [0] * (_PREFIX_START + 1)  # number of prefixes with starts so long
        self._by_name: NameIndex[_CompiledQuery] = NameIndex()
        self._articles = 0  # matched so far
        self._digest = 0  # of all active subscriptions, in any order
        self._names_digest = _digest_of(sorted(names.items()))
        #: queries that cannot be parsed (a list was removed); they do not affect the others
        self.broken: dict[int, tuple[Subscription, QueryError]] = {}

    @property
    def names(self) -> Names:
        """The named lists that queries may use."""
        return self._names

    @property
    def digest(self) -> bytes:
        """A digest of all that the matches of an article depend on: queries, feeds and lists."""
        return (self._digest ^ self._names_digest).to_bytes(16, "big")

    def __len__(self) -> int:
        return len(self._compiled)

    def subscription(self, subscription_id: int) -> Subscription | None:
        """Return the subscription with this id, if it is active."""
        compiled = self._compiled.get(subscription_id)
        return compiled.subscription if compiled else None

    def subscriptions(self) -> list[Subscription]:
        """Return all subscriptions, active or broken."""
        return [compiled.subscription for compiled in self._compiled.values()] + [
            subscription for subscription, _ in self.broken.values()
        ]

    def tree(self, subscription_id: int) -> Node:
        """Return the tree of an active subscription."""
        return self._compiled[subscription_id].tree

    def matches(self, subscription_id: int, article: Article) -> bool:
        """Return whether an active subscription matches an article.

        A broken one may have meant it.
        """
        compiled = self._compiled.get(subscription_id)
        if compiled is None:
            return True
        feeds = compiled.subscription.feeds
        if feeds and article.selectors.isdisjoint(feeds):
            return False
        return match(compiled.tree, ArticleWords(article)) is not None

    def set(self, subscription: Subscription, tree: Node | None = None) -> None:
        """Add or change a subscription. A query that cannot be parsed goes to `broken`.

        `tree` is that of the query, where it was parsed before.
        """
        before = self._compiled.get(subscription.id)
        self.remove(subscription.id)
        if before and before.subscription.query == subscription.query:
            self._insert(subscription, before.tree)
            return
        try:
            tree = tree or parse(subscription.query, self._names)
        except QueryError as error:
            self.broken[subscription.id] = (subscription, error)
            return
        self._insert(subscription, tree)

    def _insert(self, subscription: Subscription, tree: Node) -> None:
        clauses = self._selector.clauses(tree)
        compiled = _CompiledQuery(subscription, tree, *_listed(clauses))
        self._compiled[subscription.id] = compiled
        self._digest ^= _digest_of(_asked(subscription))
        if compiled.keys is None:
            self._unkeyed.add(subscription.id)
            return
        if len(compiled.keys) < len(clauses[0]):
            for pattern in dict.fromkeys(name_patterns(tree)):
                if pattern.keys <= clauses[0]:
                    self._by_name.add(pattern, compiled)
        for key in compiled.keys:
            self._count_kind(key, 1)
            current = self._by_key.get(key)
            if current is None:
                self._by_key[key] = compiled
            elif isinstance(current, _CompiledQuery):
                self._by_key[key] = [current, compiled]
            else:
                current.append(compiled)

    def unparsed(
        self, subscriptions: Iterable[Subscription], names: Names | None = None
    ) -> list[str]:
        """Return the queries that `synchronize` would have to parse."""
        same_names = names is None or names == self._names
        return [
            subscription.query
            for subscription in subscriptions
            if not (
                same_names
                and (known := self._compiled.get(subscription.id))
                and known.subscription.query == subscription.query
            )
        ]

    def remove(self, subscription_id: int) -> None:
        """Remove a subscription, if it is in the index."""
        self.broken.pop(subscription_id, None)
        compiled = self._compiled.pop(subscription_id, None)
        if compiled is None:
            return
        self._digest ^= _digest_of(_asked(compiled.subscription))
        self._unkeyed.discard(subscription_id)
        self._by_name.remove(compiled)
        for key in compiled.keys or ():
            self._count_kind(key, -1)
            current = self._by_key[key]
            if isinstance(current, list) and len(current) > 1:
                current.remove(compiled)
            else:
                del self._by_key[key]

    def synchronize(
        self,
        subscriptions: Iterable[Subscription],
        names: Names | None = None,
        chat: int | None = None,
        trees: Mapping[str, Node] | None = None,
    ) -> Iterator[int]:
        """Make the index, or its part for one chat, equal to these subscriptions.

        Yields the id of each subscription after it was added, changed or removed: iterate to the
        end. Articles may be matched between two steps. New lists (`names`) recompile the queries
        that use lists; they are ignored if `chat` is given. `trees` are those of queries that were
        parsed before, with the lists in force; others are parsed here, which may take long.
        """
        new = {subscription.id: subscription for subscription in subscriptions}
        known = {
            subscription.id: subscription
            for subscription in self.subscriptions()
            if chat is None or chat in subscription.chats
        }
        stale: set[int] = set()
        if names is not None and chat is None and names != self._names:
            self._names = names
            self._names_digest = _digest_of(sorted(names.items()))
            stale = {
                number for number, subscription in known.items() if uses_lists(subscription.query)
            }
        for number, subscription in new.items():
            if number in stale:
                self.remove(number)
            if number in stale or known.get(number) != subscription:
                self.set(subscription, (trees or {}).get(subscription.query))
                yield number
        for number in known.keys() - new.keys():
            self.remove(number)
            yield number

    def add_language(self, language: str) -> None:
        """Match the words of queries by their stems in this language as well."""
        before = self._selector.languages
        if not self._selector.add_language(language):
            return
        for number, compiled in list(self._compiled.items()):
            if all(
                is_stemmed_alike(word, language, before) for word in inflected_words(compiled.tree)
            ):
                continue
            listed = _listed(self._selector.clauses(compiled.tree))
            if listed != (compiled.keys, compiled.clauses):
                self.remove(number)
                self._insert(compiled.subscription, compiled.tree)

    def _count_kind(self, key: str, change: int) -> None:
        kind = "^" if key[0] == "^" else ":" if is_meta_key(key) else ""
        if kind:
            self._key_kinds[kind] += change
        if kind == "^":
            start = key[1 : 1 + _PREFIX_START]
            self._start_sizes[len(start)] += change
            lengths = self._prefix_lengths.setdefault(start, Counter())
            lengths[len(key)] += change
            if not lengths[len(key)]:
                del lengths[len(key)]
            if not lengths:
                del self._prefix_lengths[start]

    def match(self, article: Article) -> list[Match]:
        """Return the subscriptions that match an article, in the order of their ids."""
        if not self._compiled:
            return []
        if article.language not in self._selector.languages:
            self.add_language(article.language)
        words = ArticleWords(article)
        return self.match_words(words)

    def match_words(self, words: ArticleWords) -> list[Match]:
        """Like `match`, for an article that was tokenized before."""
        article = words.article
        matches: list[Match] = []
        lacks = words.keys.keys().isdisjoint
        for compiled in self._candidates(words):
            if any(map(lacks, compiled.clauses)):
                continue
            subscription = compiled.subscription
            if subscription.feeds and article.selectors.isdisjoint(subscription.feeds):
                continue
            spans = match(compiled.tree, words)
            if spans is not None:
                matches.append(Match(subscription.id, spans))
        matches.sort(key=lambda row: row.subscription_id)
        return matches

    def _candidates(self, words: ArticleWords) -> AbstractSet[_CompiledQuery]:
        self._articles += 1
        if self._articles % _SAMPLE == 0:
            self._selector.observe(words.keys)
        candidates = {self._compiled[number] for number in self._unkeyed}
        candidates.update(self._with_keys(self._by_key.keys() & words.keys.keys()))
        if self._key_kinds["^"]:
            candidates.update(self._with_keys(self._prefixes(words)))
        if self._by_name:
            candidates |= self._by_name.find(words.name_text)
        if self._key_kinds[":"]:
            candidates.update(self._with_keys(self._by_key.keys() & words.meta_keys()))
        return candidates

    def _prefixes(self, words: ArticleWords) -> list[str]:
        """The prefixes of the words of an article that queries look for."""
        known, lengths_of = self._by_key, self._prefix_lengths
        found: list[str] = []
        for size in range(1, _PREFIX_START + 1):
            if not self._start_sizes[size]:
                continue
            end = size + 1
            for key in [key for key in words.keys if key[1:end] in lengths_of and key[0] == "="]:
                for length in lengths_of[key[1:end]]:
                    prefix = "^" + key[1:length]
                    if prefix in known:
                        found.append(prefix)
        return found

    def _with_keys(self, keys: Iterable[str]) -> list[_CompiledQuery]:
        by_key = self._by_key
        found: list[_CompiledQuery] = []
        for key in keys:
            current = by_key[key]
            if isinstance(current, list):
                found += current
            else:
                found.append(current)
        return found

    def prime(self, articles: Iterable[Article]) -> None:
        """Learn from stored articles, before subscriptions are added: rare words, and scripts."""
        for article in articles:
            self._selector.add_language(article.language)
            words = ArticleWords(article)
            self._selector.observe(words.keys)
            self._by_name.expect(words.words[0] if words.words else "")


def _asked(subscription: Subscription) -> tuple[int, str, tuple[str, ...]]:
    return subscription.id, subscription.query, subscription.feeds


def _digest_of(value: object) -> int:
    text = repr(value).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=16).digest(), "big")


def _listed(
    clauses: list[Keys],
) -> tuple[tuple[str, ...] | None, tuple[tuple[str, ...], ...]]:
    """The keys that a query is indexed by, and further ones that a match must have.

    Tuples, which take a quarter of the memory of sets; without the keys of names, of which
    patterns have sets, and which another index looks up.
    """
    if not clauses:
        return None, ()
    keys, *others = clauses
    return (
        tuple(sorted([key for key in keys if key[0] != "~"])),
        tuple([tuple(sorted(clause)) for clause in others if are_of_words(clause)][:_CLAUSES]),
    )


def uses_lists(query: str) -> bool:
    """Return whether a query may name a list."""
    return "@" in query or "＠" in query
