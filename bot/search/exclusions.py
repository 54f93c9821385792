"""Propose exclusions that would have prevented an alert, with what else they would have hidden.

Changes nothing. Candidates are the keywords and phrases of the unwanted article, and its outlet.
The matches of the last week are examined once, each with all candidates, and the candidates of the
least cost are proposed. A story counts as hidden when none of its articles matches any more.
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
from bot.query.signs import signs_of
from bot.query.tree import Meta, NamedList, Node, NoneOf, Term, show, show_leaf
from bot.query.words import ArticleWords
from bot.search.matches import matching_entries, sampling_plan
from bot.stories.keywords import Keyword, extract_keywords
from bot.text.fold import folded_key
from bot.text.language import language_of
from bot.text.tokens import tokens

PERIOD = timedelta(days=7)  #: of stored articles that a proposal is judged by
MAX_EXAMINED = 500  #: matches that are examined; of more, an even sample
FEW_STORIES = 2  #: other stories that a good exclusion may hide
MAX_EXAMPLES = 3  #: headlines of hidden stories that a proposal shows
MAX_CANDIDATES = 48  #: words and phrases of an article that are tried
_SHORTLIST = 10  # candidates whose frequency in the archive is looked up
_SUMMARY_HEAD = 400  # characters of a summary from which candidates are taken
# A text without spaces takes five times as long to tokenize: so much smaller is the sample.
_UNSPACED_FACTOR = 5
_COMMON = 1e-4  # share of all articles above which the cost of a word grows with its frequency
_QUOTES = str.maketrans(dict.fromkeys('"“”„‟«»「」『』〝〞＂', " "))

Kind = Literal["word", "phrase", "source", "feed"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A query that does not match the unwanted article, and its effect on the last week."""

    query: str  #: the whole new text
    added: str  #: what it adds to the old one: `NOT friendly`
    hidden: int  #: other stories that it would have hidden
    remaining: int  #: stories that would still have been alerted
    examples: tuple[str, ...]  #: headlines of hidden stories, newest first, at most MAX_EXAMPLES
    kind: Kind
    hides_whole_story: bool = True  #: no other article of the unwanted story still matches
    share: float = 1.0  #: of the matches that were examined; below 1 the counts are estimates


@dataclass(frozen=True, slots=True)
class _Candidate:
    clause: Term | Meta
    kind: Kind
    parts: frozenset[str] = frozenset()  #: its words, folded; empty for an outlet
    in_title: bool = False


@dataclass(slots=True)
class _MatchedStory:
    """A story of the period; bits stand for candidates."""

    earliest: StoredEntry
    in_all: int  #: candidates that every matching article contains
    in_any: int  #: candidates that any matching article contains


@dataclass(frozen=True, slots=True)
class _RecentMatches:
    others: list[_MatchedStory]
    unwanted: _MatchedStory | None
    step: int  #: every `step`-th story was examined


@dataclass(frozen=True, slots=True)
class _ScoredCandidate:
    candidate: _Candidate
    hidden: tuple[_MatchedStory, ...]
    hides_whole_story: bool  #: no article of the unwanted story matches any more
    cost: float  #: less is better


def proposals(
    query: str,
    unwanted: StoredEntry,
    archive: Archive,
    names: Names,
    now: datetime,
    *,
    feeds: Sequence[str] = (),
    must_match: Sequence[str] = (),
    limit: int = 3,
) -> tuple[Proposal, ...]:
    """Return the best exclusions, best first; none if the query does not match the stored article.

    `feeds` are those of the subscription, `must_match` headlines that have to go on matching. No
    proposal hides more than half of the other stories of the period, or a word that the query asks
    for. Raises QueryError if the query cannot be parsed, and StoreError.
    """
    tree = parse(query, names)
    words = ArticleWords(unwanted.article)
    if match(tree, words) is None:
        return ()
    languages = archive.languages()
    headlines = [
        ArticleWords(Article(headline, language=language_of(headline))) for headline in must_match
    ]
    texts = (
        candidate
        for candidate in _text_candidates(tree, words, languages)
        if not any(clause_matches(candidate.clause, headline) for headline in headlines)
    )
    candidates = [
        *_first_distinct(texts, MAX_CANDIDATES),
        *_outlet_candidates(tree, unwanted.article, feeds),
    ]
    since = now - PERIOD
    recent = _recent_matches(tree, archive, candidates, feeds, since, unwanted)
    scored = _scored(candidates, recent)
    scored.sort(key=lambda row: row.cost)
    scored = [*_by_rarity(scored[:_SHORTLIST], archive, languages, since), *scored[_SHORTLIST:]]
    return tuple(
        _proposal(row, text, recent) for row, text in _choose(scored, query, tree, names, limit)
    )


def _first_distinct(candidates: Iterable[_Candidate], limit: int) -> list[_Candidate]:
    """The first candidates, without those that mean the same as an earlier one."""
    distinct: dict[str, _Candidate] = {}
    for candidate in candidates:
        key = f"{candidate.kind} {folded_key(show_leaf(candidate.clause))}"
        distinct.setdefault(key, candidate)
        if len(distinct) == limit:
            break
    return list(distinct.values())


def _text_candidates(
    tree: Node, words: ArticleWords, languages: Iterable[str]
) -> Iterator[_Candidate]:
    """Words and phrases where the query matches nothing, and that match none of its terms."""
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
    head = article.summary[:_SUMMARY_HEAD]
    keywords = [(keyword, True) for keyword in extract_keywords(article.title, words.language)]
    keywords += [(keyword, False) for keyword in extract_keywords(head, words.language)]
    for keyword, in_title in sorted(keywords, key=lambda pair: (not pair[1], pair[0].phrase)):
        candidate = _text_candidate(keyword, in_title=in_title)
        occurrences = evaluate(candidate.clause, words, "") or []
        if not occurrences or any(
            _overlap(occurrence, span) for occurrence in occurrences for span in spans
        ):
            continue
        if not any(clause_matches(candidate.clause, term) for term in terms):
            yield candidate


def _text_candidate(keyword: Keyword, *, in_title: bool) -> _Candidate:
    folded = units(keyword.text, inflected=False)
    parts = frozenset(
        part for unit in folded for part in ((unit,) if isinstance(unit, str) else unit)
    )
    signs = signs_of(keyword.text, tokens(keyword.text).spans)
    if any(map(str.isspace, keyword.text)):
        phrase = Term(folded, keyword.text, "folded", quoted=True, signs=signs)
        return _Candidate(phrase, "phrase", parts, in_title)
    return _Candidate(
        Term(units(keyword.text, inflected=True), keyword.text, signs=signs),
        "phrase" if keyword.phrase else "word",
        parts,
        in_title,
    )


def _overlap(first: Span, second: Span) -> bool:
    return first.field == second.field and first.start < second.end and second.start < first.end


def _outlet_candidates(tree: Node, article: Article, feeds: Sequence[str]) -> list[_Candidate]:
    """The outlet of an article, unless the subscription asks for it."""
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
    # A publisher without a name of its own is known by its host.
    unnamed = not article.publisher or ("." in article.publisher and " " not in article.publisher)
    outlets = (
        _outlet("site", site, "source")
        if unnamed and "." in site
        else _outlet("source", article.publisher, "source")
    )
    if folded_key(article.feed_name) == folded_key(article.publisher):
        return outlets
    return outlets + _outlet("feed", article.feed_name, "feed")


def _outlet(field: str, text: str, kind: Kind) -> list[_Candidate]:
    """The candidate for an outlet, or none if its name has no words."""
    if field == "site":
        return [_Candidate(Meta(field, text, text), kind)]
    text = " ".join(text.translate(_QUOTES).split())
    value = folded_key(text)
    return [_Candidate(Meta(field, value, text, quoted=True), kind)] if value else []


def _recent_matches(
    tree: Node,
    archive: Archive,
    candidates: Sequence[_Candidate],
    feeds: Sequence[str],
    since: datetime,
    unwanted: StoredEntry,
) -> _RecentMatches:
    """The stories that the query matched, each with the candidates that its articles contain."""
    text = f"{unwanted.article.title} {unwanted.article.summary}"
    limit = MAX_EXAMINED // _UNSPACED_FACTOR if tokens(text).unspaced else MAX_EXAMINED
    plan = sampling_plan(tree, archive, since, limit)
    matcher = ClauseMatcher([candidate.clause for candidate in candidates])
    stories: dict[int, _MatchedStory] = {}
    for entry, words, _ in matching_entries(tree, archive, plan, feeds, since):
        if entry.at < since:
            continue
        bits = matcher.match_bits(words)
        story = stories.setdefault(entry.story_id, _MatchedStory(entry, bits, bits))
        story.earliest = entry  # entries come newest first
        story.in_all &= bits
        story.in_any |= bits
    own = stories.pop(unwanted.story_id, None)
    return _RecentMatches(list(stories.values()), own, plan.step)


def _scored(candidates: Sequence[_Candidate], recent: _RecentMatches) -> list[_ScoredCandidate]:
    """The candidates that hide at most half of the other stories, with what each hides."""
    half = len(recent.others) / 2
    distinctive = 0  # bits of words and phrases that are not in most of the matches anyway
    for number, candidate in enumerate(candidates):
        count = sum(story.in_any >> number & 1 for story in recent.others)
        if candidate.parts and count <= half:
            distinctive |= 1 << number
    scored = []
    for number, candidate in enumerate(candidates):
        hidden = tuple(story for story in recent.others if story.in_all >> number & 1)
        if len(hidden) <= half:
            unrelated = sum(
                1 << position
                for position, other in enumerate(candidates)
                if distinctive >> position & 1 and candidate.parts.isdisjoint(other.parts)
            )
            similar = sum(bool(story.in_any & unrelated) for story in hidden)
            whole = recent.unwanted is None or bool(recent.unwanted.in_all >> number & 1)
            cost = _cost(
                candidate,
                len(hidden) * recent.step,
                similar * recent.step,
                hides_whole_story=whole,
            )
            scored.append(_ScoredCandidate(candidate, hidden, whole, cost))
    return scored


def _cost(candidate: _Candidate, hidden: int, similar: int, *, hides_whole_story: bool) -> float:
    """What speaks against an exclusion.

    It hides many stories, or such that share no other candidate with the unwanted article, or not
    all of the unwanted story.
    """
    cost = (
        1.5 * (hidden - similar)
        - 0.5 * min(similar, FEW_STORIES)
        + max(0, hidden - FEW_STORIES)
        + (0 if hides_whole_story else 2)
    )
    if not candidate.parts:
        return cost + 1  # an outlet says nothing about the subject
    return cost + (not candidate.in_title) + 0.5 * (candidate.kind == "phrase")


def _by_rarity(
    scored: Sequence[_ScoredCandidate], archive: Archive, languages: Iterable[str], since: datetime
) -> list[_ScoredCandidate]:
    """Add the cost of frequency, and sort: common words hide future stories, unique ones none."""
    total = archive.count("", since)
    result = []
    for row in scored:
        expression = fts_expression(row.candidate.clause, languages) if row.candidate.parts else ""
        count = archive.count(expression, since) if expression else 0
        rarity = (
            0.0
            if not expression
            else 1.0
            if count <= 1
            else max(0.0, log10(count / max(2.0, _COMMON * total)))
        )
        result.append(replace(row, cost=row.cost + rarity))
    return sorted(result, key=lambda row: row.cost)


def _choose(
    scored: Sequence[_ScoredCandidate], query: str, tree: Node, names: Names, limit: int
) -> list[tuple[_ScoredCandidate, str]]:
    """The best with their queries, no two alike; one of them by outlet if that is possible."""
    by_outlet = (row for row in scored if not row.candidate.parts)
    by_text = (row for row in scored if row.candidate.parts)
    outlets = _with_queries(by_outlet, query, tree, names, 2)
    texts = _with_queries(by_text, query, tree, names, limit - (bool(outlets) and limit > 1))
    return sorted(texts + outlets[: limit - len(texts)], key=lambda pair: pair[0].cost)


def _with_queries(
    scored: Iterable[_ScoredCandidate], query: str, tree: Node, names: Names, limit: int
) -> list[tuple[_ScoredCandidate, str]]:
    """The first that can be added to the query, with the queries that result."""
    chosen: list[tuple[_ScoredCandidate, str]] = []
    for row in scored:
        if len(chosen) >= limit:
            break
        if any(
            row.hidden == other.hidden and row.candidate.parts & other.candidate.parts
            for other, _ in chosen
        ):
            continue
        text = with_exclusion(query, tree, row.candidate.clause, names)
        if text is not None:
            chosen.append((row, text))
    return chosen


def _proposal(scored: _ScoredCandidate, text: str, recent: _RecentMatches) -> Proposal:
    newest = sorted(
        (story.earliest for story in scored.hidden), key=lambda entry: entry.at, reverse=True
    )
    remaining = (len(recent.others) - len(scored.hidden)) * recent.step
    return Proposal(
        query=text,
        added=show(NoneOf(scored.candidate.clause)),
        hidden=len(scored.hidden) * recent.step,
        remaining=remaining + (not scored.hides_whole_story),
        examples=tuple(entry.article.title for entry in newest[:MAX_EXAMPLES]),
        kind=scored.candidate.kind,
        hides_whole_story=scored.hides_whole_story,
        share=1 / recent.step,
    )
