"""The price of a query: how long an article keeps the processor busy at worst. Matches nothing.

A query that matches is tried on every article of its feeds, on the event loop, so that the queries
of one chat delay the alerts of all others. What a regular expression, a NEAR or a name costs
cannot be told from its text; it is measured on trial articles, one of which has the query's own
words. Parts whose cost is known are counted.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from math import ceil
from random import Random
from time import thread_time

from bot.errors import QueryError
from bot.model.entries import Article
from bot.query.matcher import evaluate
from bot.query.tree import (
    AllOf,
    AnyOf,
    InField,
    Leaf,
    Name,
    NamedList,
    Near,
    Node,
    NoneOf,
    Prefix,
    Regex,
    Symbol,
    Term,
)
from bot.query.words import ArticleWords

QUERY_LIMIT = 2.0  #: milliseconds an article that one query may cost
_NOISE = 1.3  # by which one measurement is longer than another of the same on a busy machine
_PAIRS = 3  # measurements of a query and of its lists, until one lets it pass
FILE_LIMIT = 20.0  #: milliseconds an article that one query of feeds.yaml may cost
CHAT_LIMIT = 20.0  #: milliseconds an article that all queries of a chat may cost
_TITLE, _SUMMARY = 300, 2_000  # code points of a trial article: the longest that are stored
_OWN = 1_150  # code points that the words of the query take in an article about it
_TRIALS = 3  # measurements, of which the smallest counts
_TRIALS_OF_DOUBT = (
    12  # where it is near the limit: a busy machine makes all work dearer for a while
)
_STOP = 10 * QUERY_LIMIT  # milliseconds after which nothing more is measured
# What stands beside lists that are dearer is judged by itself: together they would be measured to
# no more than noise may add to such lists.
_DEAR_LISTS = _STOP / 2
_COLD = 20 * _STOP  # the same of what no cache has yet
_COUNTED_UP_TO = 0.5  # milliseconds; what is counted as less is not measured
_WORD, _NAME, _NEAR = 0.006, 0.1, 0.15  # milliseconds that are counted for a part
# Words as frequent as in news, so that those of a query are as frequent as there.
_ENGLISH = (
    "the of and to a in that for the is on said with as by at the from it was has be an are "
    "he its after who in government president the have not of were more will been this which "
    "two their new people police to the or his over one they million at about last country "
    "war first military city attack but year minister killed forces state against had since "
    "reported S-300"
)
_RUSSIAN = (
    "и в на не что с по для из к о в от за как и а он при это до россии был после также на в "
    "было что его же у но или году военных заявил время страны сообщил город сил власти "
    "президент люди"
)
_CHINESE = (
    "的一在中国是不了有和人这他大来上个到说们为会日年月时市地出以区部分发动成就新政府军总统报道警方"
)
_TEXTS = (_ENGLISH, _RUSSIAN, _CHINESE)


def price(tree: Node) -> float:
    """Return the milliseconds that a query costs an article; far above the limit, a part of them.

    Call it in a thread: of a query at the limit it takes a tenth of a second.
    """
    counted = _sum(map(_counted, _parts(tree)), _STOP)
    return counted if counted <= _COUNTED_UP_TO or counted > _STOP else _measured(tree)


def check_price(tree: Node, query: str, limit: float = QUERY_LIMIT) -> float:
    """Return the price of a query. Raises QueryError where it is above the limit."""
    cost = price(tree)
    if cost > limit:
        raise QueryError(
            query,
            0,
            "This query takes too long for each article: {cost} ms, and {most} ms are allowed. "
            "Use fewer or simpler expressions, names and NEAR.",
            cost=f"{cost:.1f}",
            most=f"{limit:g}",
        )
    return cost


def check_chat_price(tree: Node, query: str) -> float:
    """Return the price of a chat's query. Raises QueryError where it is above the limit.

    What the lists of feeds.yaml cost that it names is the operator's.
    """
    cost, lists = float("inf"), 0.0
    for _ in range(_PAIRS):  # a busy moment in one of both measurements is no fault of the query
        lists = max(lists, _lists_price([tree]))
        if lists >= _DEAR_LISTS:
            check_price(_own_part(tree), query)
            return lists
        limit = QUERY_LIMIT + _NOISE * lists
        cost = min(cost, price(tree))
        if cost <= limit:
            return cost
        if not lists:
            break
    return check_price(tree, query, limit)


def _own_part(tree: Node) -> Node:
    """Return the terms of a query, without the lists that it names."""
    return AnyOf(tuple(leaf for leaf in _leaves(tree) if not isinstance(leaf, NamedList)))


def chat_price(trees: Sequence[Node], limit: float = CHAT_LIMIT) -> float:
    """Return what the queries of a chat cost an article beside the lists that they name."""
    lists = _lists_price(trees)
    return max(total_price(trees, limit + lists) - lists, 0.0)


def total_price(trees: Sequence[Node], limit: float = CHAT_LIMIT) -> float:
    """Return what several queries cost an article together; far above the limit, a part of it."""
    counted = _sum((_counted(part) for tree in trees for part in _parts(tree)), limit)
    return counted if counted <= limit else _measured(AnyOf(tuple(trees)), ceil(limit) + 1.0)


def _lists_price(trees: Iterable[Node]) -> float:
    """Return what the lists cost that these queries name, each once."""
    lists = dict.fromkeys(
        leaf for tree in trees for leaf in _leaves(tree) if isinstance(leaf, NamedList)
    )
    return min(price(AnyOf(tuple(lists))), FILE_LIMIT) if lists else 0.0


def _leaves(node: Node) -> Iterator[Node]:
    """Yield the terms of a query, those within a NEAR as well."""
    for part in _parts(node):
        if isinstance(part, Near):
            yield from _leaves(part.left)
            yield from _leaves(part.right)
        else:
            yield part


def _sum(costs: Iterable[float], limit: float) -> float:
    """Add up until the limit is passed: each further cost may take long to measure."""
    total = 0.0
    for cost in costs:
        total += cost
        if total > limit:
            break
    return total


def _parts(node: Node) -> Iterator[Leaf | Near]:
    """Yield what is evaluated as a whole: the terms, and each outermost NEAR."""
    match node:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from _parts(part)
        case NoneOf(part=part) | InField(part=part):
            yield from _parts(part)
        case _:
            yield node


def _counted(part: Node) -> float:
    """Return a bound of the cost of a part; of a regular expression, what it was measured at."""
    match part:
        case Regex():
            return _regex_price(part)
        case Name():
            return _NAME
        case Term(units=units):
            return _WORD * len(units)
        case NamedList(items=items):
            return sum(map(_counted, items))
        case Near(left=left, right=right):
            return _NEAR + sum(_counted(leaf) for side in (left, right) for leaf in _parts(side))
        case _:
            return _WORD


@lru_cache(maxsize=4096)
def _regex_price(part: Regex) -> float:
    """Return what an expression costs on news and on text of its own letters."""
    letters = sorted({sign for sign in part.source if sign.isalnum()}) or ["a"]
    dearest = 0.0
    for words in (*_trial_articles(), _random_article(letters)):
        dearest = max(dearest, _time([part], words))
        if dearest > QUERY_LIMIT:
            break
    return dearest


@lru_cache(maxsize=1024)
def _measured(tree: Node, stop: float = _STOP) -> float:
    """Return what all parts cost together on the dearest trial article."""
    parts = list(_parts(tree))
    dear = _sum((_regex_price(part) for part in parts if isinstance(part, Regex)), stop)
    others = [part for part in parts if not isinstance(part, Regex)]
    if dear > stop or not others:
        return dear
    articles = (*_trial_articles(), _own_words(others))
    return dear + max(_time(others, words, stop) for words in articles)


def _time(parts: Sequence[Leaf | Near], words: ArticleWords, stop: float = _STOP) -> float:
    """Return the milliseconds of processor time that these parts take, none cached."""
    first = _time_once(parts, words, _COLD)  # it fills the caches of words
    if first > _COLD:
        return first
    best = float("inf")
    for trial in range(_TRIALS_OF_DOUBT):
        best = min(best, _time_once(parts, words, stop))
        if best > 5 * QUERY_LIMIT and trial:
            break
        if trial >= _TRIALS - 1 and best <= QUERY_LIMIT:
            break
    return best


def _time_once(parts: Sequence[Leaf | Near], words: ArticleWords, stop: float) -> float:
    words.spans.clear()
    begin = thread_time()
    for part in parts:
        evaluate(part, words, "")
        if 1_000 * (thread_time() - begin) > stop:
            break
    return 1_000 * (thread_time() - begin)


@cache
def _trial_articles() -> tuple[ArticleWords, ...]:
    """Articles of 2,300 characters in three scripts, the same in every process."""
    articles = []
    for seed, text in enumerate(_TEXTS):
        chance, joint = Random(seed), " " if " " in text else ""
        words = text.split() if joint else list(text)
        articles.append(_article(joint.join(chance.choices(words, k=_TITLE + _SUMMARY))))
    return tuple(articles)


def _random_article(letters: Sequence[str]) -> ArticleWords:
    """Return an article without sense, of these letters."""
    chance = Random(0)
    words = ("".join(chance.choices(letters, k=chance.randint(1, 200))) for _ in range(100))
    return _article(" ".join(words) + " a" * _TITLE)


def _own_words(parts: Iterable[Leaf | Near]) -> ArticleWords:
    """Return an article about what a query asks for."""
    said = " ".join(dict.fromkeys(words for part in parts for words in _said(part)))
    return _article(f"{said[:_OWN]} {_ENGLISH * 10}")


def _article(text: str) -> ArticleWords:
    text = text[: _TITLE + _SUMMARY]
    return ArticleWords(Article(text[:_TITLE], text[_TITLE:], ""))


def _said(node: Node) -> Iterator[str]:
    match node:
        case Term(text=text) | Name(text=text) | Symbol(text=text):
            yield text
        case Prefix(text=text):
            yield f"{text}s"
        case NamedList(items=items):
            for item in items:
                yield from _said(item)
        case AllOf(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from _said(part)
        case NoneOf(part=part) | InField(part=part):
            yield from _said(part)
        case Near(left=left, right=right):
            yield from _said(left)
            yield from _said(right)
        case _:
            return
