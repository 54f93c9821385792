"""Match one tree against one article, with the places that matched. Not the choice of which trees to try.

Words, names and NEAR are intervals of word positions, as in Clarke, Cormack and Burkowski, "An Algebra for Structured Text Search"
(1995); a regular expression has no positions and gives spans at once.
"""

from collections.abc import Callable, Iterable
from typing import Any
from unicodedata import normalize

from bot.model.entries import Article, Span
from bot.names.find import find
from bot.query import regex
from bot.query.fields import site_value
from bot.query.tree import (
    AllOf,
    AnyOf,
    Everything,
    InField,
    Meta,
    Name,
    NamedList,
    Near,
    Node,
    NoneOf,
    Prefix,
    Regex,
    Term,
    Unit,
    show_leaf,
)
from bot.query.words import ArticleWords, TokenRange, site_hosts, sources
from bot.text.fold import fold, folded_key
from bot.text.stem import query_stems
from bot.text.tokens import is_unspaced, joined

INTERVALS = 128  #: places of one side of a NEAR that are looked at
TermRange = tuple[int, int, str]  #: first word, word after the last, the term
Interval = tuple[int, int, tuple[TermRange, ...]]


def match(node: Node, words: ArticleWords) -> tuple[Span, ...] | None:
    """The spans that made the article match, in order; None where it does not match."""
    found = evaluate(node, words, "")
    return None if found is None else unique_spans(found)


def unique_spans(found: list[Span]) -> tuple[Span, ...]:
    """Spans in order, each place once."""
    if len(found) < 2:
        return tuple(found)
    # Of what one term matches from one place on, the shortest: Assad, not Assad's.
    unique: dict[tuple[str, int, str], Span] = {}
    for span in sorted(found, key=lambda span: (span.field != "title", span.start, span.end)):
        unique.setdefault((span.field, span.start, span.term), span)
    places_seen: dict[tuple[str, int, int], Span] = {}
    for span in unique.values():
        places_seen.setdefault((span.field, span.start, span.end), span)
    return tuple(places_seen.values())


def evaluate(node: Node, words: ArticleWords, field: str) -> list[Span] | None:
    """The spans of a part, within one field or anywhere; None where it does not match."""
    return _BY_KIND[type(node)](node, words, field)


def _all_of(node: AllOf, words: ArticleWords, field: str) -> list[Span] | None:
    together: list[Span] = []
    for part in node.parts:
        found = _BY_KIND[type(part)](part, words, field)
        if found is None:
            return None
        together = together + found if together else found
    return together


def _any_of(node: AnyOf, words: ArticleWords, field: str) -> list[Span] | None:
    together: list[Span] | None = None
    for part in node.parts:
        found = _BY_KIND[type(part)](part, words, field)
        if found is not None:
            together = together + found if together else found
    return together


def _none_of(node: NoneOf, words: ArticleWords, field: str) -> list[Span] | None:
    return [] if _BY_KIND[type(node.part)](node.part, words, field) is None else None


def _term(node: Term | Prefix, words: ArticleWords, field: str) -> list[Span] | None:
    """Many queries ask for the same words: what one found is kept for the others."""
    if field:
        return _spans(node, words, field) or None
    text = show_leaf(node)
    if text not in words.spans:
        words.spans[text] = _spans(node, words, "") or None
    return words.spans[text]


def _others(
    node: Name | NamedList | Regex | Near, words: ArticleWords, field: str
) -> list[Span] | None:
    return _spans(node, words, field) or None


def _within(node: InField, words: ArticleWords, _: str) -> list[Span] | None:
    return evaluate(node.part, words, node.field)


def _meta(node: Meta, words: ArticleWords, _: str) -> list[Span] | None:
    return [] if meta_matches(node, words.article) else None


def _everything(_: Everything, __: ArticleWords, ___: str) -> list[Span] | None:
    return []


# A table instead of a `match` statement, which tries its cases one by one: this runs for each part of each candidate.
_BY_KIND: dict[type, Callable[[Any, ArticleWords, str], list[Span] | None]] = {
    AllOf: _all_of,
    AnyOf: _any_of,
    NoneOf: _none_of,
    Term: _term,
    Prefix: _term,
    InField: _within,
    Meta: _meta,
    Everything: _everything,
    **dict.fromkeys((Name, NamedList, Regex, Near), _others),
}


def _spans(
    node: Term | Prefix | Name | NamedList | Regex | Near, words: ArticleWords, field: str
) -> list[Span]:
    """The spans of a condition that words must meet."""
    match node:
        case Regex():
            return [
                Span(name, start, end, show_leaf(node))
                for name, text in zip(("title", "summary"), words.texts, strict=True)
                if field in {"", name}
                for start, end in regex.find_spans(node, text)
            ]
        case Near():
            evidence = [one for _, _, inner in _near(node, words) for one in inner]
            return [_span(one, words) for one in evidence if _stands(one[0], words, field)]
        case _:
            text = show_leaf(node)
            return [
                _span((start, end, text), words)
                for start, end in token_ranges(node, words)
                if _stands(start, words, field)
            ]


def _stands(position: int, words: ArticleWords, field: str) -> bool:
    return not field or (position < words.summary_from) == (field == "title")


def _span(evidence: TermRange, words: ArticleWords) -> Span:
    start, end, term = evidence
    return Span(*words.characters((start, end)), term)


def token_ranges(leaf: Term | Prefix | Name | NamedList, words: ArticleWords) -> list[TokenRange]:
    """Where a term stands."""
    match leaf:
        case Term(units=units, mode=mode):
            first = units[0]
            if (
                len(units) == 1 and mode == "inflected" and isinstance(first, str)
            ):  # the commonest term
                return _word(first, words)
            found = _phrase(units, words, inflected=mode == "inflected")
            return (
                [
                    place
                    for place in found
                    if words.original(place).replace(".", "")
                    == normalize("NFC", leaf.text).replace(".", "")
                ]
                if mode == "exact"
                else found
            )
        case Prefix():
            return _beginnings(leaf, words)
        case Name(pattern=pattern):
            return find(pattern, words.words)
        case NamedList(items=items):
            return [place for item in items for place in token_ranges(item, words)]


def _word(word: str, words: ArticleWords) -> list[TokenRange]:
    forms = query_stems(word, words.language)
    if len(forms) == 1:
        return words.places.get(forms[0], [])
    return list(dict.fromkeys(place for form in forms for place in words.places.get(form, ())))


def _unit(unit: Unit, words: ArticleWords, *, inflected: bool) -> list[TokenRange]:
    """Where a word stands, or the words of a compound, apart or as one."""

    def one(word: str) -> list[TokenRange]:
        return _word(word, words) if inflected else words.places.get(f"={word}", [])

    if isinstance(unit, str):
        return one(unit)
    apart = _chained([one(part) for part in unit])
    return apart if is_unspaced(unit[0]) else list(dict.fromkeys((*apart, *one(joined(unit)))))


def _phrase(units: tuple[Unit, ...], words: ArticleWords, *, inflected: bool) -> list[TokenRange]:
    return _chained([_unit(unit, words, inflected=inflected) for unit in units])


def _chained(steps: list[list[TokenRange]]) -> list[TokenRange]:
    """Places of the first that go on in places of the next without a gap."""
    found = steps[0]
    for step in steps[1:]:
        if not found:
            return []
        ends: dict[int, list[int]] = {}
        for start, end in step:
            ends.setdefault(start, []).append(end)
        found = [(start, after) for start, end in found for after in ends.get(end, ())]
    return found


def _beginnings(prefix: Prefix, words: ArticleWords) -> list[TokenRange]:
    found = list(words.beginning(joined((*prefix.head, prefix.start))))
    if prefix.head:
        found += _chained(
            [
                *(words.places.get(f"={part}", []) for part in prefix.head),
                words.beginning(prefix.start),
            ]
        )
    return sorted(set(found))


def _near(node: Near, words: ArticleWords) -> list[Interval]:
    left, right = _intervals(node.left, words), _intervals(node.right, words)
    found: dict[TokenRange, Interval] = {}
    for first in left:
        for second in right:
            gap = second[0] - first[1]
            if gap < 0 and not node.ordered:
                gap = first[0] - second[1]
            if 0 <= gap <= node.distance and (first[0] < words.summary_from) == (
                second[0] < words.summary_from
            ):
                hull = (min(first[0], second[0]), max(first[1], second[1]))
                found.setdefault(hull, (*hull, (*first[2], *second[2])))
    return sorted(found.values())[:INTERVALS]


def _intervals(node: Node, words: ArticleWords) -> list[Interval]:
    """Where a side of a NEAR stands."""
    match node:
        case Near():
            return _near(node, words)
        case AnyOf(parts=parts):
            return sorted({interval for part in parts for interval in _intervals(part, words)})[
                :INTERVALS
            ]
        case Term() | Prefix() | Name() | NamedList():
            text = show_leaf(node)
            return [
                (start, end, ((start, end, text),))
                for start, end in token_ranges(node, words)[:INTERVALS]
            ]
        case _:
            return []


def meta_matches(meta: Meta, article: Article) -> bool:
    """Whether the article has this beside its words."""
    tests: dict[str, Callable[[], bool]] = {
        "site": lambda: _is_of_site(meta.value, site_value(article.link)),
        "lang": lambda: article.language == meta.value,
        "tag": lambda: meta.value in map(fold, article.tags),
        "feed": lambda: meta.value == article.feed or _says(meta.value, (article.feed_name,)),
        "source": lambda: _says(meta.value, sources(article)),
        "author": lambda: _says(meta.value, (article.author,)),
    }
    return tests[meta.field]()


def _is_of_site(value: str, address: str) -> bool:
    wanted_host, slash, path = value.partition("/")
    return wanted_host in site_hosts(address) and (
        not slash or f"{address.partition('/')[2]}/".startswith(f"{path}/")
    )


def _says(value: str, texts: Iterable[str]) -> bool:
    return any(f" {value} " in f" {folded_key(text)} " for text in texts)
