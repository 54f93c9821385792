"""Many subscriptions against one article: only those are tried whose rarest required key the article holds. Not the meaning of a query.

A key is a word as written (after `=`), a stem, a beginning (`^`), a key of a name (`~`) or something known beside the words (`lang:ru`).
"""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from bot.errors import QueryError
from bot.model.chats import Subscription
from bot.model.entries import Article, Match
from bot.names.find import may_match
from bot.names.lookup_keys import word_keys
from bot.query.index_keys import KeySelector, WordClauses, is_meta_key, required_words
from bot.query.matcher import match
from bot.query.parser import Names, parse
from bot.query.tree import Name, Node, Term
from bot.query.words import ArticleWords, keys_of_word
from bot.text.fold import fold
from bot.text.stem import query_stems

_REACHED = 1 << 16  # words of a language for which what they lead to is remembered
_SAMPLE = 16  # one article in so many is counted, to know which words are rare


@dataclass(frozen=True, slots=True, eq=False)
class _Compiled:
    subscription: Subscription
    tree: Node
    anchors: frozenset[str] | None  #: None: nothing that an article must hold
    clauses: WordClauses  #: words that are looked for before the tree is tried


class Index:
    """The compiled subscriptions in force. Changed one by one, between two articles."""

    def __init__(self, names: Names, languages: Iterable[str] = ("en",)) -> None:
        self._names = names
        self._anchors = KeySelector(languages)
        self._compiled: dict[int, _Compiled] = {}
        self._anchored: dict[str, _Compiled | list[_Compiled]] = {}
        self._free: set[int] = set()  # subscriptions that every article is held against
        self._signs = {"^": 0, "~": 0, ":": 0}  # how many anchors need keys of this kind
        self._reached: dict[
            str, dict[str, tuple[_Compiled, ...]]
        ] = {}  # language to word to what it leads to, as met so far
        self._count = 0
        self.broken: dict[
            int, tuple[Subscription, QueryError]
        ] = {}  #: queries that cannot be read (a list is gone): they stop no other

    def __len__(self) -> int:
        return len(self._compiled)

    def subscription(self, subscription_id: int) -> Subscription | None:
        """The subscription with this id, if it is in force."""
        found = self._compiled.get(subscription_id)
        return found.subscription if found else None

    def subscriptions(self) -> list[Subscription]:
        """All in force or broken."""
        return [one.subscription for one in self._compiled.values()] + [
            one for one, _ in self.broken.values()
        ]

    def tree(self, subscription_id: int) -> Node:
        """The tree of a subscription in force."""
        return self._compiled[subscription_id].tree

    def set(self, subscription: Subscription) -> None:
        """Add or change one. A query that cannot be read is set aside in `broken`."""
        before = self._compiled.get(subscription.id)
        self.remove(subscription.id)
        if before and before.subscription.query == subscription.query:
            self._insert(subscription, before.tree)
            return
        try:
            tree = parse(subscription.query, self._names)
        except QueryError as error:
            self.broken[subscription.id] = (subscription, error)
            return
        self._insert(subscription, tree)

    def _insert(self, subscription: Subscription, tree: Node) -> None:
        anchors = self._anchors.choose(tree)
        clauses = () if isinstance(tree, Term) and len(tree.units) == 1 else required_words(tree)
        compiled = self._compiled[subscription.id] = _Compiled(subscription, tree, anchors, clauses)
        self._reached.clear()
        if anchors is None:
            self._free.add(subscription.id)
            return
        for anchor in anchors:
            self._sign(anchor, 1)
            here = self._anchored.get(anchor)
            if here is None:
                self._anchored[anchor] = compiled
            elif isinstance(here, _Compiled):
                self._anchored[anchor] = [here, compiled]
            else:
                here.append(compiled)

    def remove(self, subscription_id: int) -> None:
        """Forget one; one that is not there is no mistake."""
        self.broken.pop(subscription_id, None)
        compiled = self._compiled.pop(subscription_id, None)
        if compiled is None:
            return
        self._free.discard(subscription_id)
        self._reached.clear()
        for anchor in compiled.anchors or ():
            self._sign(anchor, -1)
            here = self._anchored[anchor]
            if isinstance(here, list) and len(here) > 1:
                here.remove(compiled)
            else:
                del self._anchored[anchor]

    def synchronize(
        self,
        subscriptions: Iterable[Subscription],
        names: Names | None = None,
        chat: int | None = None,
    ) -> Iterator[int]:
        """Bring the whole, or what rings one chat, in line with these; one change at a step: iterate to the end.

        Between two steps articles may be matched. Yields the id that was added, changed or removed. Other lists (`names`) read the
        queries that use them anew; they are taken with the whole only.
        """
        new = {one.id: one for one in subscriptions}
        known = {one.id: one for one in self.subscriptions() if chat is None or chat in one.chats}
        stale: set[int] = set()
        if names is not None and chat is None and names != self._names:
            self._names = names
            stale = {
                number for number, one in known.items() if "@" in one.query or "＠" in one.query
            }
        for number, subscription in new.items():
            if number in stale:
                self.remove(number)
            if number in stale or known.get(number) != subscription:
                self.set(subscription)
                yield number
        for number in known.keys() - new.keys():
            self.remove(number)
            yield number

    def add_language(self, language: str) -> None:
        """Articles in this language come by: words of queries are known by their stems in it as well."""
        if not self._anchors.add_language(language):
            return
        for number, compiled in list(self._compiled.items()):
            if self._anchors.choose(compiled.tree) != compiled.anchors:
                self.remove(number)
                self._insert(compiled.subscription, compiled.tree)

    def _sign(self, anchor: str, by: int) -> None:
        sign = anchor[0] if anchor[0] in "^~" else ":" if is_meta_key(anchor) else ""
        if sign:
            self._signs[sign] += by

    def match(self, article: Article) -> list[Match]:
        """Every subscription that matches, by id."""
        if not self._compiled:
            return []
        if article.language not in self._anchors.languages:
            self.add_language(article.language)
        words = ArticleWords(article)
        return self.match_words(words)

    def match_words(self, words: ArticleWords) -> list[Match]:
        """The same for an article whose words were cut before."""
        article = words.article
        matches: list[Match] = []
        present = _Present(words)
        for compiled in self._candidates(words):
            if not all(any(map(present.__getitem__, clause)) for clause in compiled.clauses):
                continue
            subscription = compiled.subscription
            if subscription.feeds and article.selectors.isdisjoint(subscription.feeds):
                continue
            spans = match(compiled.tree, words)
            if spans is not None:
                matches.append(Match(subscription.id, spans))
        matches.sort(key=lambda one: one.subscription_id)
        return matches

    def _candidates(self, words: ArticleWords) -> AbstractSet[_Compiled]:
        self._count += 1
        if self._count % _SAMPLE == 0:
            self._anchors.observe(words.places)
        candidates = {self._compiled[one] for one in self._free}
        reached = self._reached.setdefault(words.language, {})
        for word in words.said:
            found = reached.get(word)
            if found is None:
                found = self._reach(word, words.language, reached)
            if found:
                candidates.update(found)
        if self._signs[":"]:
            candidates.update(self._at(self._anchored.keys() & words.meta_keys()))
        return candidates

    def _reach(
        self, word: str, language: str, reached: dict[str, tuple[_Compiled, ...]]
    ) -> tuple[_Compiled, ...]:
        """The subscriptions that a word leads to."""
        keys = list(keys_of_word(word, language))
        if self._signs["^"]:
            folded = [one[1:] for one in keys if one[0] == "="]
            keys += [f"^{one[:length]}" for one in folded for length in range(1, len(one) + 1)]
        if self._signs["~"]:
            keys += word_keys(fold(word))
        if len(reached) >= _REACHED:
            reached.clear()
        found = reached[word] = tuple(
            one for one in dict.fromkeys(self._at(keys)) if _may(one.tree, word)
        )
        return found

    def _at(self, keys: Iterable[str]) -> Iterator[_Compiled]:
        for key in keys:
            here = self._anchored.get(key)
            if isinstance(here, list):
                yield from here
            elif here is not None:
                yield here

    def prime(self, articles: Iterable[Article]) -> None:
        """Learn from stored articles which words are rare, before subscriptions are added."""
        for article in articles:
            self._anchors.add_language(article.language)
            self._anchors.observe(ArticleWords(article).places)


def _may(tree: Node, word: str) -> bool:
    """Sounds of names are coarse: many names share those of a word that is none of them."""
    return not isinstance(tree, Name) or may_match(tree.pattern, fold(word))


class _Present(dict[str, bool]):
    """Whether a word of a query stands in an article; each is looked up once for all queries."""

    __slots__ = ("_words",)

    def __init__(self, words: ArticleWords) -> None:
        super().__init__()
        self._words = words

    def __missing__(self, word: str) -> bool:
        forms = (word,) if word[0] == "=" else query_stems(word, self._words.language)
        places = self._words.places
        found = self[word] = (
            forms[0] in places if len(forms) == 1 else any(form in places for form in forms)
        )
        return found
