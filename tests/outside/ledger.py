"""What was published, which chats must have it, and what arrived there: counted from outside.

Each headline carries a number (`n000123`), by which a message is known again. No I/O, no clock.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

_NUMBER = re.compile(r"\bn(\d{6})\b")
_MARKED = "(repeat)"


@dataclass(frozen=True, slots=True)
class Article:
    """A headline that was published, and whom it concerns."""

    number: int
    feed: str
    title: str
    chats: frozenset[int]
    at: float  #: seconds of the clock that all moments of a ledger are of


@dataclass(frozen=True, slots=True)
class Arrival:
    """A headline in a message."""

    at: float
    message_id: int
    marked: bool  #: whether the message says that it may be a repeat


@dataclass(frozen=True, slots=True)
class Count:
    """What a ledger says at the end."""

    published: int
    expected: int  #: pairs of article and chat
    lost: tuple[tuple[int, int, str], ...]  #: chat, number and feed
    unmarked_twice: tuple[tuple[int, int], ...]  #: chat and number
    marked: int
    strays: int  #: in chats that have no subscription for them
    median_s: float
    p95_s: float
    max_s: float

    def figures(self) -> dict[str, Any]:
        """As a row; numbers only."""
        return {
            "published": self.published,
            "expected": self.expected,
            "lost": len(self.lost),
            "unmarked_twice": len(self.unmarked_twice),
            "marked": self.marked,
            "strays": self.strays,
            "median_s": round(self.median_s, 2),
            "p95_s": round(self.p95_s, 2),
            "max_s": round(self.max_s, 2),
        }


@dataclass
class Ledger:
    """Articles and arrivals. `chats_of` says which chats want a word."""

    chats_of: Mapping[str, frozenset[int]]
    articles: dict[int, Article] = field(default_factory=dict)
    arrivals: dict[tuple[int, int], list[Arrival]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _missing: set[tuple[int, int]] = field(default_factory=set)

    def publish(self, feed: str, word: str, rest: str, at: float) -> Article:
        """Note a new article; its headline has this word of the subscriptions in it."""
        number = len(self.articles) + 1
        title = f"{word} {rest} n{number:06}"
        article = Article(number, feed, title, self.chats_of.get(word, frozenset()), at)
        self.articles[number] = article
        self._missing |= {(chat, number) for chat in article.chats}
        return article

    def arrive(self, chat: int, message_id: int, text: str, at: float) -> None:
        """Note a message or an edit; a headline counts once for each message."""
        marked = text.startswith(_MARKED)
        for number in sorted(set(map(int, _NUMBER.findall(text)))):
            copies = self.arrivals[chat, number]
            if not any(copy.message_id == message_id for copy in copies):
                copies.append(Arrival(at, message_id, marked))
            self._missing.discard((chat, number))

    @property
    def missing(self) -> frozenset[tuple[int, int]]:
        """What has not arrived: chat and number."""
        return frozenset(self._missing)

    def count(self, ignored: Iterable[int] = ()) -> Count:
        """Count; `ignored` are chats in which a headline may be written again, in answers."""
        ignored = set(ignored)
        delays = [
            copies[0].at - self.articles[number].at
            for (chat, number), copies in self.arrivals.items()
            if number in self.articles and chat in self.articles[number].chats
        ]
        twice = [
            key
            for key, copies in self.arrivals.items()
            if key[0] not in ignored and sum(not copy.marked for copy in copies) > 1
        ]
        wanted = {(chat, a.number) for a in self.articles.values() for chat in a.chats}
        return Count(
            published=len(self.articles),
            expected=len(wanted),
            lost=tuple((c, n, self.articles[n].feed) for c, n in sorted(self._missing)),
            unmarked_twice=tuple(sorted(twice)),
            marked=sum(copy.marked for copies in self.arrivals.values() for copy in copies),
            strays=len([key for key in self.arrivals if key not in wanted]),
            median_s=median(delays) if delays else 0.0,
            p95_s=quantiles(delays, n=20, method="inclusive")[-1] if len(delays) > 1 else 0.0,
            max_s=max(delays, default=0.0),
        )

    def lost_by_feed(self) -> Counter[str]:
        """How much is missing of each feed."""
        return Counter(self.articles[number].feed for _, number in self._missing)
