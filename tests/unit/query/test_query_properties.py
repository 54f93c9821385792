"""Properties of queries: printing, fields, the index, explanations, errors.

Random queries of the whole grammar. Particular cases are in test_query_cases.
"""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from query_strategies import (
    IN_TEXT,
    LANGUAGES,
    NAMES,
    QUERIES,
    QUICK,
    any_of,
    articles,
    is_empty,
    parse_or_assume,
    subscription,
)
from sampling import examples

from bot.errors import QueryError
from bot.model.entries import Article, Span
from bot.query.explain import explain, sentence
from bot.query.index import Index
from bot.query.matcher import match
from bot.query.parser import parse
from bot.query.tree import TEXT_FIELDS, Node, show
from bot.query.words import ArticleWords

# Generous: the first query loads the grammar, and machines are busy.
BOUNDED = settings(QUICK, deadline=timedelta(seconds=3))


def _matches(query: str, article: Article) -> bool:
    return match(parse(query, NAMES), ArticleWords(article)) is not None


# Printing


@given(QUERIES, articles())
@settings(QUICK, max_examples=examples(100))
def test_a_printed_query_parses_to_the_same_tree(query: str, article: Article) -> None:
    tree = parse_or_assume(query)

    again = parse(show(tree), NAMES)

    assert again == tree
    assert show(again) == show(tree)
    words = ArticleWords(article)
    assert match(again, words) == match(tree, words)


# Matching


@given(QUERIES, articles())
@settings(QUICK, max_examples=examples(80))
def test_spans_lie_in_their_fields_in_order_and_are_unique(query: str, article: Article) -> None:
    spans = match(parse_or_assume(query), ArticleWords(article)) or ()

    lengths = {name: len(getattr(article, name)) for name in TEXT_FIELDS}
    for span in spans:
        assert 0 <= span.start < span.end <= lengths[span.field]
    ranges = [(TEXT_FIELDS.index(span.field), span.start, span.end) for span in spans]
    assert ranges == sorted(set(ranges))


@given(QUERIES, QUERIES, articles())
@settings(QUICK, max_examples=examples(70))
def test_operators_combine_the_results_of_their_sides(
    left: str, right: str, article: Article
) -> None:
    words = ArticleWords(article)
    first, second = (match(parse_or_assume(query), words) is not None for query in (left, right))

    for query, expected in (
        (f"({left}) AND ({right})", first and second),
        (f"({left}) OR ({right})", first or second),
        (f"({left}) NOT ({right})", first and not second),
        (f"* NOT ({left})", not first),
    ):
        try:
            tree = parse(query, NAMES)
        except QueryError:
            continue  # the sides exclude each other, or match everything
        assert (match(tree, words) is not None) == expected, query


@given(IN_TEXT, articles())
@settings(QUICK, max_examples=examples(80))
def test_a_field_is_the_query_over_that_field_alone(query: str, article: Article) -> None:
    tree = parse_or_assume(query)
    nothing = replace(article, title="", summary="", body="")
    for field in TEXT_FIELDS:
        alone = replace(nothing, **{field: getattr(article, field)})
        assert _matches(f"{field}:({query})", article) == (
            match(tree, ArticleWords(alone)) is not None
        )


@given(
    st.lists(st.sampled_from("fire flood village storm bridge harbour dawn".split()), max_size=12),
    st.sampled_from("fire flood village".split()),
    st.sampled_from("storm bridge fire harbour".split()),
    st.integers(0, 6),
    st.booleans(),
)
@settings(QUICK, max_examples=examples(150))
def test_near_counts_the_words_between(
    text: list[str], left: str, right: str, distance: int, ordered: bool
) -> None:
    assume(left != right)
    gaps = [
        later - earlier - 1
        for earlier, word in enumerate(text)
        for later, following in enumerate(text)
        if word == left and following == right and later > earlier
    ]
    if not ordered:
        gaps += [
            later - earlier - 1
            for earlier, word in enumerate(text)
            for later, following in enumerate(text)
            if word == right and following == left and later > earlier
        ]

    matched = _matches(
        f"{left} {'O' if ordered else ''}NEAR/{distance} {right}",
        Article(" ".join(text), language="en"),
    )
    assert matched == any(gap <= distance for gap in gaps)


# The index


@given(st.lists(QUERIES, max_size=8), st.lists(articles(), min_size=1, max_size=4), st.booleans())
@settings(QUICK, max_examples=examples(60))
def test_the_index_finds_exactly_what_each_query_matches(
    queries: list[str], several: list[Article], primed: bool
) -> None:
    trees = _valid_trees(queries)
    index = Index(NAMES, languages=frozenset({"en"}))
    if primed:
        index.prime(several * 3)
    for number, (query, _) in trees.items():
        index.set(subscription(number, query))

    for article in several:
        assert _matches_of(index, article) == _expected(trees, article)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.integers(0, 4), QUERIES),
            st.tuples(st.integers(0, 4), st.none()),
            articles(),
        ),
        max_size=14,
    ),
    articles(),
)
@settings(QUICK, max_examples=examples(60))
def test_the_index_agrees_after_any_changes_and_releases_all_memory(
    steps: list[tuple[int, str | None] | Article], last: Article
) -> None:
    index = Index(NAMES, languages=frozenset({"en"}))
    trees: dict[int, tuple[str, Node]] = {}
    for step in steps:
        if isinstance(step, Article):
            assert _matches_of(index, step) == _expected(trees, step)
            continue
        number, query = step
        if query is None:
            index.remove(number)
            trees.pop(number, None)
        elif valid := _valid_trees([query]):
            index.set(subscription(number, query))
            trees[number] = valid[0]
    assert len(index) == len(trees)
    assert _matches_of(index, last) == _expected(trees, last)

    for number in list(trees):
        index.remove(number)
    assert index.match(last) == []
    assert is_empty(index)


@given(QUERIES, QUERIES, articles())
@settings(QUICK, max_examples=examples(50))
def test_a_changed_subscription_matches_by_its_new_query_only(
    before: str, after: str, article: Article
) -> None:
    parse_or_assume(before)
    tree = parse_or_assume(after)
    index = Index(NAMES, languages=frozenset(LANGUAGES) - {""})
    index.set(subscription(1, before))
    index.set(subscription(1, after))

    assert _matches_of(index, article) == _expected({1: (after, tree)}, article)


def _valid_trees(queries: list[str]) -> dict[int, tuple[str, Node]]:
    trees: dict[int, tuple[str, Node]] = {}
    for number, query in enumerate(queries):
        try:
            trees[number] = (query, parse(query, NAMES))
        except QueryError:
            continue
    return trees


def _matches_of(index: Index, article: Article) -> dict[int, tuple[Span, ...]]:
    return {row.subscription_id: row.spans for row in index.match(article)}


def _expected(trees: dict[int, tuple[str, Node]], article: Article) -> dict[int, tuple[Span, ...]]:
    words = ArticleWords(article)
    return {
        number: spans
        for number, (_, tree) in trees.items()
        if (spans := match(tree, words)) is not None
    }


# Explanations


@given(QUERIES, articles())
@settings(QUICK, max_examples=examples(100))
def test_an_explanation_agrees_with_the_match(query: str, article: Article) -> None:
    tree = parse_or_assume(query)
    words = ArticleWords(article)
    spans = match(tree, words)

    explanation = explain(tree, words)

    assert (explanation.matched, explanation.spans) == (spans is not None, spans or ())
    assert explanation.matched == (not explanation.missing and not explanation.excluded)
    assert sentence(explanation).strip()


@given(QUERIES, articles())
@settings(QUICK, max_examples=examples(100))
def test_an_explanation_is_right_about_each_term(query: str, article: Article) -> None:
    words = ArticleWords(article)
    texts = {name: getattr(article, name) for name in TEXT_FIELDS}

    explanation = explain(parse_or_assume(query), words)

    for term in (*explanation.missing, *explanation.unneeded):
        assert not part_matches(term, words), term
    for term_match in (*explanation.terms, *explanation.excluded):
        assert part_matches(term_match.term, words), term_match.term
        assert {texts[span.field][span.start : span.end] for span in term_match.spans} == set(
            term_match.texts
        )


def part_matches(part: str, words: ArticleWords) -> bool:
    """Whether a part of a query, as an explanation prints it, matches."""
    try:
        tree = parse(f"({part}) AND *", NAMES)
    except QueryError as error:
        return "every article" in error.message
    return match(tree, words) is not None


# Errors

SIGNS = " ()\"“”„«»/~=*-!@:&|＊＂（）–—…\\{}[]+^$?.,'’\n\t\u00a0\u3000\u200c\u0301٣x火"
PIECES = st.one_of(
    st.sampled_from(SIGNS),
    any_of(
        "AND",
        "OR",
        "NOT",
        "NEAR/3",
        "ONEAR/60",
        "NEAR",
        "title:",
        "titel:",
        "site:",
        "lang:",
        "/a",
        "/i",
        '="',
        '~"',
        "@weapons",
        "a*",
        "&&",
        "||",
    ),
    st.text(max_size=3),
)


def mutate(query: str, changes: list[tuple[int, int, str]]) -> str:
    for position, length, piece in changes:
        start = position % (len(query) + 1)
        query = query[:start] + piece + query[start + length :]
    return query


MUTANTS = st.builds(
    mutate,
    QUERIES,
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 3), PIECES), min_size=1, max_size=4),
)


def parse_error(query: str) -> QueryError | None:
    """Return the error of a query, after checking that it helps; None for a valid query."""
    try:
        tree = parse(query, NAMES)
    except QueryError as caught:
        error = caught
    else:
        assert parse(show(tree), NAMES) == tree
        return None
    assert 0 <= error.position <= len(query)
    assert error.message.strip()
    assert len(error.caret().split("\n")) == 2
    return error


@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(PIECES, max_size=12).map("".join),
        st.lists(PIECES, max_size=10).map(" ".join),
    )
)
@settings(BOUNDED, max_examples=examples(150))
def test_any_text_is_a_query_or_an_error_with_a_position(text: str) -> None:
    parse_error(text)


@pytest.mark.parametrize(
    "character", ["\n", "\r", "\t", "\x0b", "\x0c", "\x1e", "\x85", "\u2028", "\u2029"]
)
def test_a_caret_is_below_a_single_line_whatever_the_query_contains(character: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(f"fire{character}(flood")

    assert caught.value.position == 5
    assert [len(line) for line in caught.value.caret().splitlines()] == [11, 6]


@given(MUTANTS)
@settings(BOUNDED, max_examples=examples(150))
def test_any_mutation_of_a_query_is_a_query_or_an_error_with_a_position(query: str) -> None:
    parse_error(query)


@pytest.mark.parametrize(
    ("query", "limit"),
    [
        ("a" * 4001, "4,000"),
        ("(" * 4000, "30"),
        ("(" * 31 + "a" + ")" * 31, "30"),
        ("a OR " * 799 + "a", "300"),
        ("a " * 301, "300"),
        ("-a " * 301 + "b", "300"),
        (" OR ".join(f'"a{number} b"' for number in range(301)), "300"),
        ("@hundred @hundred @hundred @hundred", "300"),
        ("a NEAR/51 b", "50"),
        ("a NEAR/99999999999999999999 b", "50"),
        ("/" + "a" * 201 + "/", "200"),
        ("/(((a{30}){30}){30})/", "1000"),
        (r"/(\pL{100}){9}/", "KB"),
        ("f*", "2"),
    ],
    ids=lambda value: value[:20],
)
def test_the_error_of_a_limit_names_its_number(query: str, limit: str) -> None:
    names = {**NAMES, "hundred": tuple(f"word{number}" for number in range(100))}

    with pytest.raises(QueryError) as caught:
        parse(query, names)

    assert limit.replace(",", "") in caught.value.message.replace(",", "")


@pytest.mark.parametrize(
    "query",
    [
        '"' * 4000,
        "/" * 4000,
        "~" * 4000,
        "=" * 4000,
        "@" * 4000,
        "*" * 4000,
        "-" * 3999 + "a",
        "!" * 3999 + "a",
        "b -" + "-" * 3900 + "a",
        "NOT " * 999 + "a",
        "b NOT " + "NOT " * 900 + "a",
        "title:" * 600 + "a",
        "NEAR/50 " * 500,
        "a NEAR/50 " * 399 + "a",
        "a ONEAR/0 " * 399 + "a",
        "(a OR " * 30 + "a" + ")" * 30,
        "a OR " * 800,
        "AND " * 1000,
        "a-" * 2000,
        "a'" * 2000,
        '~"' + "a " * 1990 + '"',
        '~"' + "a" * 3990 + '"',
        '"' + "a " * 1990 + '"',
        "a" * 3998 + "*",
        "/" + "(" * 190 + "a" + ")" * 190 + "/",
        "/" + "(" * 99 + "a" + ")" * 99 + "/",
        "/" + "(a|" * 60 + "/",
        r"/\C{200}x/",
        "/(x{999}){1}/",
        "1,000," * 600,
        "\u0301" * 4000,
        "a" + "\u0301" * 3999,
        "火" * 4000,
        "ﷺ" * 4000,
        "title:" + "(" * 29 + "a" + ")" * 29,
    ],
    ids=lambda query: ascii(query[:12]) + f"x{len(query)}",
)
def test_a_hostile_query_is_parsed_or_rejected_like_any_other(query: str) -> None:
    if parse_error(query) is None:
        match(parse(query, NAMES), ArticleWords(Article("a", "a " * 1000, "en")))


def _nested(depth: int) -> str:
    return "".join(f"(w{number} OR (x{number} AND " for number in range(depth)) + "a" + "))" * depth


@pytest.mark.parametrize(
    ("query", "article"),
    [
        ("/(a+)+$/", Article("a" * 50_000 + "!", "a" * 50_000)),
        ("/(a|aa)+b/", Article("a" * 50_000)),
        ("/(.*)(.*)(.*)(.*)x/", Article("a" * 20_000)),
        (" ".join(f"a NEAR/50 {'ab'[number % 2]}" for number in range(15)), Article("a b " * 500)),
        ("a NEAR/50 a NEAR/50 a NEAR/50 a NEAR/50 a", Article("a " * 500)),
        ('"a a a a a a a a"', Article("a " * 1000)),
        ('"a-a-a-a a-a-a-a a-a-a-a"', Article("a-" * 1000)),
        ("aa*", Article("-".join("a" * 1000))),
        ("~Kharkiv", Article("Kharkiv Kharkov " * 150)),
        ("火火火火", Article("火" * 2000)),
        (_nested(14), Article("a x0 x1 x2 " * 50)),
    ],
    ids=lambda value: value[:16] if isinstance(value, str) else "",
)
def test_a_long_text_is_matched_and_explained(query: str, article: Article) -> None:
    tree = parse(query, NAMES)
    words = ArticleWords(article)

    assert explain(tree, words).matched == (match(tree, words) is not None)


@pytest.mark.parametrize(
    "text",
    [
        "a\x00b",
        "\ud800",
        "fire\ufffe",
        "👩\u200d👩\u200d👧",
        "\u202efire\u202c",
        "\ufeff",
        "İ",
        "ŉ",
        "ﬁre",
        "e\u0301",
    ],
    ids=ascii,
)
def test_odd_characters_are_parsed_or_rejected(text: str) -> None:
    for query in (
        text,
        f'"{text}"',
        f"={text}",
        f"~{text}",
        f"/{text}/",
        f"fire {text}",
        f"{text}a*",
        f"title:{text}",
        f"@{text}",
    ):
        parse_error(query)
    if text != "\ud800":  # a lone surrogate is removed when a document is parsed
        assert _matches("fire", Article(f"fire {text}", text, "en"))
        assert not _matches("/flood/", Article(f"fire {text}", text, "en"))
