"""What to exclude from a query so that an alert would not have come, and what else of the week that would have hidden. Changes nothing.

Candidates are the telling words and phrases of the unwanted article and its outlet. The week's matches are looked at once, as a backtest
does, each with all candidates; the cheapest are proposed. A story counts as hidden when none of its articles matches any more.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import log10
from typing import Literal

from bot.model.archive import StoredEntry
from bot.model.entries import Article, Span
from bot.ports import Archive
from bot.query.clause_matcher import ClauseMatcher, clause_matches
from bot.query.exclude import positive_terms, with_exclusion
from bot.query.fields import site_value
from bot.query.matcher import evaluate, match, meta_matches
from bot.query.parser import Names, parse, units
from bot.query.prefilter import fts_expression
from bot.query.tree import Meta, NamedList, Node, NoneOf, Term, show, show_leaf
from bot.query.words import ArticleWords
from bot.search.backtest import matching_entries, sampling_plan
from bot.stories.keywords import Keyword, extract_keywords
from bot.text.fold import folded_key
from bot.text.language import language_of
from bot.text.tokens import tokens

PERIOD = timedelta(days=7)  #: of stored articles that a proposal is judged by
MAX_EXAMINED = 500  #: matches of it that are looked at; of more, an even share
FEW_STORIES = 2  #: other stories that a good exclusion may hide
MAX_EXAMPLES = 3  #: headlines of hidden stories that a proposal shows
MAX_CANDIDATES = 48  #: words and phrases of an article that are tried
_SHORTLIST = 10  # of them, for which the archive is asked how usual they are
_SUMMARY_HEAD = 400  # characters of a summary in which they are looked for
_UNSPACED = (
    5  # times the cost of cutting a text without spaces, of which so many fewer are looked at
)
_COMMON = 1e-4  # share of all articles from which on a word costs the more the commoner it is
_QUOTES = str.maketrans(dict.fromkeys('"“”„‟«»「」『』〝〞＂', " "))

Kind = Literal["word", "phrase", "source", "feed"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A query that an article would not have matched, and what that would have cost in the last week."""

    query: str  #: the whole new text
    added: str  #: what it adds to the old one: `NOT friendly`
    hidden: int  #: other stories that it would have hidden
    remaining: int  #: stories that would have rung all the same
    examples: tuple[str, ...]  #: headlines of hidden stories, newest first, at most EXAMPLES
    kind: Kind
    hides_whole_story: bool = (
        True  #: no other article of the unwanted story would have rung instead
    )
    share: float = 1.0  #: of the matches that were looked at; below 1 the counts are estimates


@dataclass(frozen=True, slots=True)
class _Candidate:
    clause: Term | Meta
    kind: Kind
    parts: frozenset[str] = frozenset()  #: its words, folded
    of_title: bool = False


@dataclass(slots=True)
class _Seen:
    """A story of the week; bits stand for candidates."""

    earliest: StoredEntry
    covered: int  #: those that every matching article of it holds
    held: int  #: those that any of them holds


@dataclass(frozen=True, slots=True)
class _Week:
    others: list[_Seen]
    own: _Seen | None  #: the unwanted story
    step: int  #: one match of so many was looked at


@dataclass(frozen=True, slots=True)
class _Judged:
    candidate: _Candidate
    hidden: tuple[_Seen, ...]
    hides_whole_story: bool  #: nothing of the unwanted story matches any more
    cost: float  #: less is better


def proposals(
    query: str,
    unwanted: StoredEntry,
    archive: Archive,
    names: Names,
    now: datetime,
    *,
    feeds: Sequence[str] = (),
    wanted: Sequence[str] = (),
    most: int = 3,
) -> tuple[Proposal, ...]:
    """At most so many exclusions, the best first; none where the query does not match the article as it is stored.

    `feeds` are those that the subscription names, `wanted` headlines that must go on to match. None hides more than half of the other
    stories of the week, nor a word that the query asks for. Raises QueryError where the query cannot be read, and StoreError.
    """
    tree = parse(query, names)
    words = ArticleWords(unwanted.article)
    if match(tree, words) is None:
        return ()
    languages = archive.languages()
    kept = [ArticleWords(Article(headline, language=language_of(headline))) for headline in wanted]
    texts = (
        one
        for one in _texts(tree, words, languages)
        if not any(clause_matches(one.clause, headline) for headline in kept)
    )
    candidates = [*_first(texts, MAX_CANDIDATES), *_outlets(tree, unwanted.article, feeds)]
    since = now - PERIOD
    week = _week(tree, archive, candidates, feeds, since, unwanted)
    judged = _judged(candidates, week)
    judged.sort(key=lambda one: one.cost)
    judged = [*_by_rarity(judged[:_SHORTLIST], archive, languages, since), *judged[_SHORTLIST:]]
    return tuple(
        _proposal(one, text, week) for one, text in _chosen(judged, query, tree, names, most)
    )


def _first(candidates: Iterable[_Candidate], most: int) -> list[_Candidate]:
    """The first ones, each that means the same once."""
    found: dict[str, _Candidate] = {}
    for one in candidates:
        found.setdefault(f"{one.kind} {folded_key(show_leaf(one.clause))}", one)
        if len(found) == most:
            break
    return list(found.values())


def _texts(tree: Node, words: ArticleWords, languages: Iterable[str]) -> Iterator[_Candidate]:
    """Words and phrases that stand where the query matches nothing, and that mean none of its terms in any language."""
    leaves = [leaf for leaf in positive_terms(tree) if not isinstance(leaf, Meta)]
    spans = [span for leaf in leaves for span in evaluate(leaf, words, "") or ()]
    text = " . ".join(
        show_leaf(item)
        for leaf in leaves
        for item in (leaf.items if isinstance(leaf, NamedList) else (leaf,))
    )
    terms = (
        [
            ArticleWords(Article(text, language=language))
            for language in {*languages, words.language, ""}
        ]
        if text
        else []
    )
    article = words.article
    found = [(one, True) for one in extract_keywords(article.title, words.language)]
    found += [
        (one, False) for one in extract_keywords(article.summary[:_SUMMARY_HEAD], words.language)
    ]
    for one, of_title in sorted(found, key=lambda two: (not two[1], two[0].phrase)):
        candidate = _text(one, of_title=of_title)
        standing = evaluate(candidate.clause, words, "") or []
        if not standing or any(_overlap(place, span) for place in standing for span in spans):
            continue
        if not any(clause_matches(candidate.clause, term) for term in terms):
            yield candidate


def _text(found: Keyword, *, of_title: bool) -> _Candidate:
    folded = units(found.text, inflected=False)
    parts = frozenset(
        part for unit in folded for part in ((unit,) if isinstance(unit, str) else unit)
    )
    if any(map(str.isspace, found.text)):
        return _Candidate(
            Term(folded, found.text, "folded", quoted=True), "phrase", parts, of_title
        )
    return _Candidate(
        Term(units(found.text, inflected=True), found.text),
        "phrase" if found.phrase else "word",
        parts,
        of_title,
    )


def _overlap(one: Span, other: Span) -> bool:
    return one.field == other.field and one.start < other.end and other.start < one.end


def _outlets(tree: Node, article: Article, feeds: Sequence[str]) -> list[_Candidate]:
    """Who says it, where the subscription does not ask for just that."""
    if any(
        isinstance(leaf, Meta)
        and leaf.field in {"source", "site", "feed"}
        and meta_matches(leaf, article)
        for leaf in positive_terms(tree)
    ):
        return []
    if article.source:
        return _outlet("source", article.source, "source")
    if article.feed in feeds or article.feed_name in feeds:
        return []
    site = site_value(article.link).partition("/")[0]
    unnamed = not article.publisher or (
        "." in article.publisher and " " not in article.publisher
    )  # the host stands for the publisher
    found = (
        _outlet("site", site, "source")
        if unnamed and "." in site
        else _outlet("source", article.publisher, "source")
    )
    return (
        found
        if folded_key(article.feed_name) == folded_key(article.publisher)
        else found + _outlet("feed", article.feed_name, "feed")
    )


def _outlet(field: str, text: str, kind: Kind) -> list[_Candidate]:
    if field == "site":
        return [_Candidate(Meta(field, text, text), kind)]
    text = " ".join(text.translate(_QUOTES).split())
    return (
        [_Candidate(Meta(field, folded_key(text), text, quoted=True), kind)]
        if folded_key(text)
        else []
    )


def _week(
    tree: Node,
    archive: Archive,
    candidates: Sequence[_Candidate],
    feeds: Sequence[str],
    since: datetime,
    unwanted: StoredEntry,
) -> _Week:
    """The stories that the query matched, each with the candidates that its matching articles hold."""
    text = f"{unwanted.article.title} {unwanted.article.summary}"
    found, step = sampling_plan(
        tree, archive, since, MAX_EXAMINED // _UNSPACED if tokens(text).unspaced else MAX_EXAMINED
    )
    trial = ClauseMatcher([one.clause for one in candidates])
    stories: dict[int, _Seen] = {}
    for entry, words, _ in matching_entries(tree, archive, found, feeds, since, step):
        if entry.at < since:
            continue
        held = trial.held(words)
        seen = stories.setdefault(entry.story_id, _Seen(entry, held, held))
        seen.earliest = entry  # they come newest first
        seen.covered &= held
        seen.held |= held
    own = stories.pop(unwanted.story_id, None)
    return _Week(list(stories.values()), own, step)


def _judged(candidates: Sequence[_Candidate], week: _Week) -> list[_Judged]:
    """The candidates that hide no more than half, with what each hides."""
    half = len(week.others) / 2
    telling_bits = 0  # words and phrases that are not in most of what the query matches anyway
    for number, one in enumerate(candidates):
        if one.parts and sum(seen.held >> number & 1 for seen in week.others) <= half:
            telling_bits |= 1 << number
    found = []
    for number, one in enumerate(candidates):
        hidden = tuple(seen for seen in week.others if seen.covered >> number & 1)
        if len(hidden) <= half:
            apart = sum(
                1 << at
                for at, other in enumerate(candidates)
                if telling_bits >> at & 1 and one.parts.isdisjoint(other.parts)
            )
            alike = sum(bool(seen.held & apart) for seen in hidden)
            hides_whole_story = week.own is None or bool(week.own.covered >> number & 1)
            found.append(
                _Judged(
                    one,
                    hidden,
                    hides_whole_story,
                    _cost(
                        one,
                        len(hidden) * week.step,
                        alike * week.step,
                        hides_whole_story=hides_whole_story,
                    ),
                )
            )
    return found


def _cost(candidate: _Candidate, hidden: int, alike: int, *, hides_whole_story: bool) -> float:
    """What speaks against an exclusion: that it hides much, or what shares nothing else with the unwanted article, or not all of its story."""
    cost = (
        1.5 * (hidden - alike)
        - 0.5 * min(alike, FEW_STORIES)
        + max(0, hidden - FEW_STORIES)
        + (0 if hides_whole_story else 2)
    )
    if not candidate.parts:
        return cost + 1  # an outlet says nothing of the subject
    return cost + (not candidate.of_title) + 0.5 * (candidate.kind == "phrase")


def _by_rarity(
    judged: Sequence[_Judged], archive: Archive, languages: Iterable[str], since: datetime
) -> list[_Judged]:
    """In the order of their costs with what their words cost: usual ones hide much that is still to come, unheard ones nothing."""
    everything = archive.count("", since)
    found = []
    for one in judged:
        search = fts_expression(one.candidate.clause, languages) if one.candidate.parts else ""
        many = archive.count(search, since) if search else 0
        rarity = (
            0.0
            if not search
            else 1.0
            if many <= 1
            else max(0.0, log10(many / max(2.0, _COMMON * everything)))
        )
        found.append(replace(one, cost=one.cost + rarity))
    return sorted(found, key=lambda one: one.cost)


def _chosen(
    judged: Sequence[_Judged], query: str, tree: Node, names: Names, most: int
) -> list[tuple[_Judged, str]]:
    """The best with their queries, none that says the same as a better one; one of them by outlet where that is possible."""
    outlets = _written((one for one in judged if not one.candidate.parts), query, tree, names, 2)
    texts = _written(
        (one for one in judged if one.candidate.parts),
        query,
        tree,
        names,
        most - (bool(outlets) and most > 1),
    )
    return sorted(texts + outlets[: most - len(texts)], key=lambda two: two[0].cost)


def _written(
    judged: Iterable[_Judged], query: str, tree: Node, names: Names, most: int
) -> list[tuple[_Judged, str]]:
    """The first that can be written, with the queries that they make."""
    written: list[tuple[_Judged, str]] = []
    for one in judged:
        if len(written) >= most:
            break
        if any(
            one.hidden == other.hidden and one.candidate.parts & other.candidate.parts
            for other, _ in written
        ):
            continue
        text = with_exclusion(query, tree, one.candidate.clause, names)
        if text is not None:
            written.append((one, text))
    return written


def _proposal(judged: _Judged, text: str, week: _Week) -> Proposal:
    newest = sorted(
        (seen.earliest for seen in judged.hidden), key=lambda entry: entry.at, reverse=True
    )
    return Proposal(
        query=text,
        added=show(NoneOf(judged.candidate.clause)),
        hidden=len(judged.hidden) * week.step,
        remaining=(len(week.others) - len(judged.hidden)) * week.step
        + (not judged.hides_whole_story),
        examples=tuple(entry.article.title for entry in newest[:MAX_EXAMPLES]),
        kind=judged.candidate.kind,
        hides_whole_story=judged.hides_whole_story,
        share=1 / week.step,
    )
