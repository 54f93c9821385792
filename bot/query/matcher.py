"""Match one tree against one article, with the spans that matched. Not the choice of trees to try.

Words, names and NEAR are intervals of word positions, as in Clarke, Cormack and Burkowski, "An
Algebra for Structured Text Search" (1995). A regular expression has no word positions: it gives
spans directly.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

from bot.model.entries import Article, Span
from bot.names.find import find_in
from bot.query import regex
from bot.query.fields import site_value
from bot.query.page_terms import has_terms
from bot.query.signs import Signs, has_signs, literal
from bot.query.tree import (
    TEXT_FIELDS,
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
    Symbol,
    Term,
    Unit,
    show_leaf,
)
from bot.query.words import ArticleWords, TokenRange, exact_form, site_hosts, sources
from bot.text.fold import fold, folded_key
from bot.text.stem import query_stems
from bot.text.tokens import compound_forms, is_unspaced, joined, tokens

# Between the words of a compound; between two words nothing else makes them one.
_JOINTS = frozenset(("", *"-‐‑‒–—―−_/'’‘`´＇ʼʻʽʾʿˈ"))
INTERVALS = 128  #: occurrences of each side of a NEAR that are examined
TermRange = tuple[int, int, str]  #: first word, word after the last, the term
Interval = tuple[int, int, tuple[TermRange, ...]]


def match(node: Node, words: ArticleWords) -> tuple[Span, ...] | None:
    """Return the spans that made the article match, in order; None if it does not match."""
    spans = evaluate(node, words, "")
    return None if spans is None else unique_spans(spans)


def unique_spans(spans: list[Span]) -> tuple[Span, ...]:
    """Return spans in order, without duplicates."""
    if len(spans) < 2:
        return tuple(spans)
    # Of the spans of a term with the same start, the shortest: Assad, not Assad's.
    unique: dict[tuple[str, int, str], Span] = {}
    for span in sorted(
        spans, key=lambda span: (TEXT_FIELDS.index(span.field), span.start, span.end)
    ):
        unique.setdefault((span.field, span.start, span.term), span)
    by_range: dict[tuple[str, int, int], Span] = {}
    for span in unique.values():
        by_range.setdefault((span.field, span.start, span.end), span)
    return tuple(by_range.values())


def evaluate(node: Node, words: ArticleWords, field: str) -> list[Span] | None:
    """Return the spans of a part, in one field or (if it is empty) in any; None for no match."""
    return _BY_KIND[type(node)](node, words, field)


def _all_of(node: AllOf, words: ArticleWords, field: str) -> list[Span] | None:
    spans: list[Span] = []
    for part in node.parts:
        part_spans = _BY_KIND[type(part)](part, words, field)
        if part_spans is None:
            return None
        spans = spans + part_spans if spans else part_spans
    return spans


def _any_of(node: AnyOf, words: ArticleWords, field: str) -> list[Span] | None:
    spans: list[Span] | None = None
    for part in node.parts:
        part_spans = _BY_KIND[type(part)](part, words, field)
        if part_spans is not None:
            spans = spans + part_spans if spans else part_spans
    return spans


def _none_of(node: NoneOf, words: ArticleWords, field: str) -> list[Span] | None:
    return [] if _BY_KIND[type(node.part)](node.part, words, field) is None else None


def _leaf(
    node: Term | Symbol | Prefix | Name | NamedList | Regex, words: ArticleWords, field: str
) -> list[Span] | None:
    """Many queries ask for the same words: the result is cached for the other queries."""
    if field:
        return _spans(node, words, field) or _of_page(node, words, field)
    text = show_leaf(node)
    if text not in words.spans:
        words.spans[text] = _spans(node, words, "") or _of_page(node, words, "")
    return words.spans[text]


def _term(node: Term, words: ArticleWords, field: str) -> list[Span] | None:
    """Like `_leaf`: most conditions are single words, and most of these are in no text."""
    units = node.units
    if field or len(units) > 1 or node.mode != "inflected" or node.signs is not None:
        return _leaf(node, words, field)
    first = units[0]
    if not isinstance(first, str):
        return _leaf(node, words, field)
    text, known = show_leaf(node), words.spans
    if text in known:
        return known[text]
    ranges = _word(first, words)
    known[text] = (
        [Span(*words.character_range(token_range), text) for token_range in ranges]
        if ranges
        else _of_page(node, words, "")
    )
    return known[text]


def _nearby(node: Near, words: ArticleWords, field: str) -> list[Span] | None:
    return _spans(node, words, field) or _of_page(node, words, field)


def _of_page(node: Node, words: ArticleWords, field: str) -> list[Span] | None:
    """No spans where the words are of a page whose text is not kept; None where they are not."""
    terms = words.article.terms
    if not terms or field not in {"", "body"}:
        return None
    return [] if has_terms(node, terms, words.language) else None


def _within(node: InField, words: ArticleWords, _: str) -> list[Span] | None:
    return evaluate(node.part, words, node.field)


def _meta(node: Meta, words: ArticleWords, _: str) -> list[Span] | None:
    return [] if meta_matches(node, words.article) else None


def _everything(_: Everything, __: ArticleWords, ___: str) -> list[Span] | None:
    return []


# A table instead of a `match` statement, which tries its cases in turn: this runs for each part of
# each candidate.
_BY_KIND: dict[type, Callable[[Any, ArticleWords, str], list[Span] | None]] = {
    AllOf: _all_of,
    AnyOf: _any_of,
    NoneOf: _none_of,
    InField: _within,
    Meta: _meta,
    Everything: _everything,
    Near: _nearby,
    Term: _term,
    **dict.fromkeys((Symbol, Prefix, Name, NamedList, Regex), _leaf),
}


def _spans(
    node: Term | Symbol | Prefix | Name | NamedList | Regex | Near, words: ArticleWords, field: str
) -> list[Span]:
    """The spans of a condition on words."""
    match node:
        case Regex():
            return [
                Span(name, start, end, show_leaf(node))
                for name, text in _texts(words, field)
                for start, end in regex.find_spans(node, text)
                if not _is_repeated(name, end, words, field)
            ]
        case Symbol(text=literal_text):
            return [
                Span(name, *hit.span(), show_leaf(node))
                for name, text in _texts(words, field)
                for hit in literal(literal_text).finditer(text)
                if not _is_repeated(name, hit.end(), words, field)
            ]
        case Near():
            term_ranges = [term for _, _, terms in _near(node, words) for term in terms]
            return [_span(term, words) for term in term_ranges if words.in_field(term[:2], field)]
        case _:
            text = show_leaf(node)
            return [
                _span((start, end, text), words)
                for start, end in token_ranges(node, words)
                if words.in_field((start, end), field)
            ]


def _texts(words: ArticleWords, field: str) -> Iterator[tuple[str, str]]:
    """The fields of an article with their texts, or the one of this name."""
    for name, text in zip(TEXT_FIELDS, words.texts, strict=True):
        if text and field in {"", name}:
            yield name, text


def _is_repeated(name: str, end: int, words: ArticleWords, field: str) -> bool:
    """Whether what ends there in a field is in the summary as well, where it was found already."""
    return name == "body" and not field and end <= words.repeated


def _span(term_range: TermRange, words: ArticleWords) -> Span:
    start, end, term = term_range
    return Span(*words.character_range((start, end)), term)


def token_ranges(leaf: Term | Prefix | Name | NamedList, words: ArticleWords) -> list[TokenRange]:
    """Return the positions of a term."""
    match leaf:
        case Term(units=units, mode=mode):
            first = units[0]
            if len(units) == 1 and mode == "inflected" and isinstance(first, str):  # the usual case
                ranges = _word(first, words)
            else:
                ranges = _phrase(units, words, inflected=mode == "inflected")
                if mode == "exact":
                    ranges = _exact_only(ranges, leaf.text, words)
            return _with_signs(ranges, leaf.signs, words) if leaf.signs else ranges
        case Prefix():
            return _prefix_ranges(leaf, words)
        case Name(pattern=pattern):
            return find_in(pattern, words.name_text, words.indices_with(pattern))
        case NamedList(items=items):
            return [position for item in items for position in token_ranges(item, words)]


def _exact_only(ranges: list[TokenRange], text: str, words: ArticleWords) -> list[TokenRange]:
    """The ranges whose words have the case and accents of this text."""
    expected = exact_text(text)
    return [token_range for token_range in ranges if words.exact_text(token_range) == expected]


@lru_cache(maxsize=4096)
def exact_text(text: str) -> str:
    """Return what `=` compares of a term."""
    parts = tokens(text)
    return "".join(
        exact_form(text[start:end], word)
        for word, (start, end) in zip(parts.words, parts.spans, strict=True)
    )


def _with_signs(ranges: list[TokenRange], signs: Signs, words: ArticleWords) -> list[TokenRange]:
    """The ranges that are written with these signs."""
    kept = []
    for token_range in ranges:
        field, start, end = words.character_range(token_range)
        if has_signs(signs, words.article.text_of(field), start, end):
            kept.append(token_range)
    return kept


def _word(word: str, words: ArticleWords) -> list[TokenRange]:
    forms = query_stems(word, words.language)
    if len(forms) == 1:
        return words.positions(forms[0])
    return list(dict.fromkeys(position for form in forms for position in words.positions(form)))


def _unit(unit: Unit, words: ArticleWords, *, inflected: bool) -> list[TokenRange]:
    """The positions of a word, or of a compound, written apart or joined."""

    def word_ranges(word: str) -> list[TokenRange]:
        return _word(word, words) if inflected else words.positions(f"={word}")

    if isinstance(unit, str):
        return word_ranges(unit)
    apart = [
        token_range
        for parts in compound_forms(unit)
        for token_range in _adjacent([word_ranges(part) for part in parts])
        if _is_one_word(token_range, unit, words)
    ]
    if is_unspaced(unit[0]):
        return apart
    return list(dict.fromkeys((*apart, *word_ranges(joined(unit)))))


def _is_one_word(token_range: TokenRange, unit: tuple[str, ...], words: ArticleWords) -> bool:
    """Whether words side by side are a compound: joined by a sign for that, or by blanks."""
    start, end = token_range
    if is_unspaced(unit[0]):
        return all(
            not (gap := words.gap(index)) or gap.isspace() for index in range(start, end - 1)
        )
    initials = all(len(part) == 1 and part.isalpha() for part in unit)
    for index in range(start, end - 1):
        gap = words.gap(index)
        if gap.isspace():
            # `с 300` is *with 300*, not a designation.
            if (words.words[index + 1][0].isdecimal()) and _is_small_letter(
                words.original_text(index)
            ):
                return False
        elif gap not in _JOINTS and not (initials and gap.strip() == "."):
            return False
    return True


def _is_small_letter(text: str) -> bool:
    return len(text) == 1 and text.islower()


def _phrase(units: tuple[Unit, ...], words: ArticleWords, *, inflected: bool) -> list[TokenRange]:
    return _adjacent([_unit(unit, words, inflected=inflected) for unit in units])


def _adjacent(steps: list[list[TokenRange]]) -> list[TokenRange]:
    """Ranges that begin in the first list and continue through all others without a gap."""
    ranges = steps[0]
    for step in steps[1:]:
        if not ranges:
            return []
        ends: dict[int, list[int]] = {}
        for start, end in step:
            ends.setdefault(start, []).append(end)
        ranges = [(start, after) for start, end in ranges for after in ends.get(end, ())]
    return ranges


def _prefix_ranges(prefix: Prefix, words: ArticleWords) -> list[TokenRange]:
    ranges = list(words.with_prefix(joined((*prefix.head, prefix.start))))
    if prefix.head:
        unit = (*prefix.head, prefix.start)
        ranges += [
            token_range
            for token_range in _adjacent_heads(prefix, words)
            if _is_one_word(token_range, unit, words)
        ]
    ranges = sorted(set(ranges))
    return _with_signs(ranges, prefix.signs, words) if prefix.signs else ranges


def _adjacent_heads(prefix: Prefix, words: ArticleWords) -> list[TokenRange]:
    heads = [words.positions(f"={part}") for part in prefix.head]
    return _adjacent([*heads, words.with_prefix(prefix.start)])


def _near(node: Near, words: ArticleWords) -> list[Interval]:
    """The first intervals that hold one of each side, by start and end.

    They are found in the order of their starts, so that enough of them end the search: the work
    does not grow with the number of pairs.
    """
    left = sorted(_intervals(node.left, words))
    right = sorted(_intervals(node.right, words))
    starts = sorted([(first, False) for first in left] + [(second, True) for second in right])
    begins = [[first[0] for first in left], [second[0] for second in right]]
    intervals: dict[TokenRange, Interval] = {}
    newest = -1  # start of the newest of them
    for before, is_right in starts:
        if len(intervals) >= INTERVALS and before[0] > newest:
            break
        if is_right and node.ordered:
            continue
        others = left if is_right else right
        position = bisect_left(begins[not is_right], before[1])
        for after in others[position:]:
            if words.words_between(before[:2], after[:2]) > node.distance:
                break
            if words.in_one_text(before[0], after[0]):
                hull = (before[0], max(before[1], after[1]))
                newest = before[0]
                terms = (*after[2], *before[2]) if is_right else (*before[2], *after[2])
                intervals.setdefault(hull, (*hull, terms))
    return sorted(intervals.values())[:INTERVALS]


def _intervals(node: Node, words: ArticleWords) -> list[Interval]:
    """The intervals of a side of a NEAR."""
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
    """Whether the metadata of an article meets the condition."""
    tests: dict[str, Callable[[], bool]] = {
        "site": lambda: _on_site(meta.value, site_value(article.link)),
        "lang": lambda: article.language == meta.value,
        "tag": lambda: meta.value in map(fold, article.tags),
        "feed": lambda: (
            meta.value == article.feed or _contains_words(meta.value, (article.feed_name,))
        ),
        "source": lambda: _contains_words(meta.value, sources(article)),
        "author": lambda: _contains_words(meta.value, (article.author,)),
        "category": lambda: _contains_words(meta.value, article.categories),
    }
    return tests[meta.field]()


def _on_site(value: str, address: str) -> bool:
    host, slash, path = value.partition("/")
    return host in site_hosts(address) and (
        not slash or f"{address.partition('/')[2]}/".startswith(f"{path}/")
    )


def _contains_words(value: str, texts: Iterable[str]) -> bool:
    """Whether any of the texts, folded, contains the words of `value` in sequence."""
    return any(f" {value} " in f" {folded_key(text)} " for text in texts)
