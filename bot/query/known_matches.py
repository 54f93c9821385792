"""Matches that another process found with the same subscriptions. Matches nothing by itself.

They hold for an article and a set of subscriptions that are equal in all that a match depends on;
whoever has others asks its own index.
"""

import hashlib
from collections.abc import Iterable

from bot.model.chats import Subscription
from bot.model.entries import Article, Match
from bot.model.nodes import KnownMatches
from bot.query.index import Index


class KnownFirst:
    """An index that is asked where the matches of an article are not known."""

    def __init__(self, index: Index, known: Iterable[KnownMatches]) -> None:
        self._index = index
        self._known = {
            (matches.subscriptions, key): found
            for matches in known
            for key, found in matches.by_article.items()
        }

    def match(self, article: Article) -> list[Match]:
        """Return the subscriptions that match an article, in the order of their ids."""
        # Subscriptions may change between two articles of a batch.
        known = self._known.get((self._index.digest, article_key(article)))
        return self._index.match(article) if known is None else list(known)

    def subscription(self, number: int) -> Subscription | None:
        """Return a subscription in force."""
        return self._index.subscription(number)


def article_key(article: Article) -> bytes:
    """Return a digest of all that a match depends on, but for the words of a page."""
    words = (
        article.title,
        article.summary,
        article.language,
        article.link,
        article.author,
        article.source,
        article.feed,
        article.feed_name,
        article.publisher,
        article.tags,
        article.body,
        article.categories,
    )
    digest = hashlib.blake2b(repr(words).encode("utf-8", "surrogatepass"), digest_size=16)
    return digest.digest() if not article.terms else b""
