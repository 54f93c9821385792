"""What must hold of every query: printing, the index, explanations, errors. Random queries of the whole grammar; the table of cases is test_query_cases."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bot.errors import QueryError
from bot.model.chats import Subscription
from bot.model.entries import Article, Span
from bot.query.explain import explain, sentence
from bot.query.index import Index
from bot.query.matcher import match
from bot.query.parser import parse
from bot.query.tree import Node, show
from bot.query.words import ArticleWords

NAMES = {
    "weapons": ("missile", "drones", '"air defence"', "rocket*"),
    "places": ("Deir ez-Zor", "~Kharkiv", "=US"),
    "бедствия": ("пожар", "наводнение"),
}

# One vocabulary for queries and texts, so that they meet often: forms of one word, spellings of one name, joined and numbered words.
WORDS = (
    "fire fires Fire FIRE firing US us air defence missile missiles drone rocketry S-300 S300 С-300 al-Assad Assad al alAssad l'Ukraine Ukraine "
    "1,000 1000 ١٠٠٠ ракета ракетами пожар пожары Харьков Kharkiv Kharkov Харків об'єкт об’єкти حكومة الحكومة والحكومة خاركيف ממשלה בממשלה "
    "Straße STRASSE Straßen saldırı saldırılar SALDIRI οδός ΟΔΟΣ οδού 地震 地震発生 震 น้ำท่วม ﾐｻｲﾙ ミサイル powódź powodzi AND not near"
).split()
PAIRS = (
    "air defence",
    "al Assad",
    "Deir ez-Zor",
    "Deir Ezzor",
    "дейр эз зор",
    "US fire",
    "fire US",
    "東京 地震",
    "S-300 fire",
)
LANGUAGES = ("en", "ru", "uk", "ar", "he", "de", "tr", "el", "pl", "ja", "zh", "th", "fr", "")
FEEDS = (
    ("Harbour Wire", "https://wire.example/rss.xml"),
    ("Morning Post", "https://post.example/feed"),
)

QUICK = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
BOUNDED = settings(
    QUICK, deadline=timedelta(seconds=3)
)  # generous: the first query reads the grammar, and machines are busy


def _one_of(*texts: str) -> st.SearchStrategy[str]:
    return st.sampled_from(texts)


# Words that a query may hold bare: AND is an operator there, and a word in a text.
PLAIN = st.sampled_from([word for word in WORDS if word != "AND"])
LEAVES = st.one_of(
    PLAIN,
    PLAIN,
    st.sampled_from(PAIRS).map('"{}"'.format),
    st.lists(PLAIN, min_size=1, max_size=3).map(lambda words: f'"{" ".join(words)}"'),
    st.lists(PLAIN, min_size=1, max_size=2).map(lambda words: f"“{' '.join(words)}”"),
    PLAIN.map("={}".format),
    st.sampled_from(PAIRS).map('="{}"'.format),
    _one_of(
        "fi*",
        "roc*",
        "ракет*",
        "STRA*",
        "ο*",
        "оδ*",
        "οδ*",
        "حكو*",
        "sal*",
        "al-As*",
        "Fi*",
        "地震*",
    ),
    _one_of("~Kharkiv", "~Харків", '~"Deir ez-Zor"', "~“Deir ez-Zor”", "~Assad"),
    _one_of("@weapons", "@places", "@бедствия", "＠weapons"),
)
SIDES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: f"({two[0]} OR {two[1]})"),
        st.tuples(inner, _one_of("NEAR/0", "NEAR/2", "ONEAR/1", "ONEAR/50"), inner).map(
            lambda three: f"({' '.join(three)})"
        ),
    ),
    max_leaves=4,
)
NEARS = st.tuples(
    SIDES, _one_of("NEAR/0", "NEAR/1", "NEAR/3", "NEAR/50", "ONEAR/0", "ONEAR/2"), SIDES
).map(" ".join)
EXPRESSIONS = _one_of(
    r"/S-?\d+/", "/fire/i", "/[Рр]акет/", r"/\bUS\b/", "/air d/", "/地.?/", r"/a\/b|ov/", "/حكوم/"
)
WORDY = st.one_of(LEAVES, LEAVES, LEAVES, NEARS, EXPRESSIONS)
FACTS = st.one_of(
    _one_of(
        "site:post.example",
        "site:wire.example",
        "site:post.example/world",
        "site:(post.example OR wire.example)",
        "site:example",
    ),
    _one_of(
        "source:post",
        'source:"harbour wire"',
        "author:roe",
        'author:"jane roe"',
        "author:(doe OR roe)",
        "author:(jane -doe)",
    ),
    _one_of(
        "tag:sport",
        "tag:(sport OR world)",
        "lang:en",
        "lang:(en OR ru)",
        "lang:ja",
        "feed:post",
        "feed:(wire NOT post)",
    ),
    _one_of('feed:"https://wire.example/rss.xml"', 'source:"Post"', "TAG:World", "＊"),
)


def _joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(inner, _one_of(" ", " AND ", " && ", " OR ", " || ", " OR "), inner)
        .map("".join)
        .map("({})".format),
        st.tuples(
            inner,
            _one_of(" ", " AND ", " && ", " OR ", " || ", " NOT ", " AND NOT ", " -", " !"),
            inner,
        ).map("".join),
        two.map(lambda two: f"({two[0]} NOT {two[1]})"),
        two.map(lambda two: f"{two[0]} -({two[1]})"),
        two.map(lambda two: f"（{two[0]}　OR　{two[1]}）"),
    )


IN_TEXT = st.recursive(WORDY, _joined, max_leaves=5)
FIELDED = st.tuples(_one_of("title", "summary", "Title"), IN_TEXT).map(
    lambda two: f"{two[0]}:({two[1]})"
)
QUERIES = st.recursive(st.one_of(WORDY, WORDY, WORDY, FIELDED, FACTS), _joined, max_leaves=7)

TEXTS = st.lists(
    st.one_of(
        st.sampled_from(WORDS),
        st.sampled_from(WORDS),
        st.sampled_from(PAIRS),
        _one_of("–", "the", "of", "."),
    ),
    max_size=9,
).map(" ".join)


@st.composite
def articles(draw: st.DrawFn) -> Article:
    """A small article with everything that a field can ask for."""
    feed_name, feed = draw(st.sampled_from(FEEDS))
    return Article(
        draw(TEXTS),
        draw(TEXTS),
        draw(st.sampled_from(LANGUAGES)),
        link=draw(
            _one_of(
                "",
                "https://post.example/world/1",
                "http://news.wire.example/a",
                "https://outpost.example/",
            )
        ),
        author=draw(_one_of("", "Jane Roe", "John Doe")),
        source=draw(_one_of("", "Evening Post")),
        feed=feed,
        feed_name=feed_name,
        publisher=draw(_one_of("", "Harbour Wire")),
        tags=tuple(draw(st.lists(_one_of("sport", "World"), max_size=2, unique=True))),
    )


def _tree(query: str) -> Node:
    """The tree of a query; one that would match everything or nothing is passed over."""
    try:
        return parse(query, NAMES)
    except QueryError:
        assume(False)
        raise


def _subscription(number: int, query: str) -> Subscription:
    return Subscription(number, query[:20], query, (), (1,))


def _matches(query: str, article: Article) -> bool:
    return match(parse(query, NAMES), ArticleWords(article)) is not None


# Printing


@given(QUERIES, articles())
@settings(QUICK, max_examples=100)
def test_a_printed_query_reads_back_as_the_same_tree(query: str, article: Article) -> None:
    tree = _tree(query)

    again = parse(show(tree), NAMES)

    assert again == tree
    assert show(again) == show(tree)
    words = ArticleWords(article)
    assert match(again, words) == match(tree, words)


# Matching


@given(QUERIES, articles())
@settings(QUICK, max_examples=80)
def test_spans_lie_in_their_fields_in_order_and_each_once(query: str, article: Article) -> None:
    spans = match(_tree(query), ArticleWords(article)) or ()

    lengths = {"title": len(article.title), "summary": len(article.summary)}
    for span in spans:
        assert 0 <= span.start < span.end <= lengths[span.field]
    places = [(span.field != "title", span.start, span.end) for span in spans]
    assert places == sorted(set(places))


@given(QUERIES, QUERIES, articles())
@settings(QUICK, max_examples=70)
def test_operators_combine_what_their_sides_say(left: str, right: str, article: Article) -> None:
    words = ArticleWords(article)
    one, other = (match(_tree(query), words) is not None for query in (left, right))

    for query, expected in (
        (f"({left}) AND ({right})", one and other),
        (f"({left}) OR ({right})", one or other),
        (f"({left}) NOT ({right})", one and not other),
        (f"* NOT ({left})", not one),
    ):
        try:
            tree = parse(query, NAMES)
        except QueryError:
            continue  # two sides that exclude each other, or make everything
        assert (match(tree, words) is not None) == expected, query


@given(IN_TEXT, articles())
@settings(QUICK, max_examples=80)
def test_a_field_is_the_query_over_that_field_alone(query: str, article: Article) -> None:
    tree = _tree(query)
    title = replace(article, summary="")
    summary = replace(article, title="")

    assert _matches(f"title:({query})", article) == (match(tree, ArticleWords(title)) is not None)
    assert _matches(f"summary:({query})", article) == (
        match(tree, ArticleWords(summary)) is not None
    )


@given(
    st.lists(st.sampled_from("fire flood village storm bridge harbour dawn".split()), max_size=12),
    st.sampled_from("fire flood village".split()),
    st.sampled_from("storm bridge fire harbour".split()),
    st.integers(0, 6),
    st.booleans(),
)
@settings(QUICK, max_examples=150)
def test_near_counts_the_words_between(
    text: list[str], left: str, right: str, distance: int, ordered: bool
) -> None:
    assume(left != right)
    gaps = [
        (later - first - 1)
        for first, one in enumerate(text)
        for later, other in enumerate(text)
        if one == left and other == right and later > first
    ]
    if not ordered:
        gaps += [
            (later - first - 1)
            for first, one in enumerate(text)
            for later, other in enumerate(text)
            if one == right and other == left and later > first
        ]

    found = _matches(
        f"{left} {'O' if ordered else ''}NEAR/{distance} {right}",
        Article(" ".join(text), language="en"),
    )
    assert found == any(gap <= distance for gap in gaps)


# The index


@given(st.lists(QUERIES, max_size=8), st.lists(articles(), min_size=1, max_size=4), st.booleans())
@settings(QUICK, max_examples=60)
def test_the_index_finds_just_what_each_query_matches(
    queries: list[str], several: list[Article], primed: bool
) -> None:
    trees = _readable(queries)
    index = Index(NAMES, languages=frozenset({"en"}))
    if primed:
        index.prime(several * 3)
    for number, (query, _) in trees.items():
        index.set(_subscription(number, query))

    for article in several:
        assert _found(index, article) == _expected(trees, article)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("set"), st.integers(0, 4), QUERIES),
            st.tuples(st.just("remove"), st.integers(0, 4), st.just("")),
            st.tuples(st.just("match"), articles(), st.just("")),
        ),
        max_size=14,
    ),
    articles(),
)
@settings(QUICK, max_examples=60)
def test_the_index_agrees_after_any_changes_and_gives_all_memory_back(
    steps: list[tuple[str, object, str]], last: Article
) -> None:
    index = Index(NAMES, languages=frozenset({"en"}))
    trees: dict[int, tuple[str, Node]] = {}
    for step, what, query in steps:
        if isinstance(what, Article):
            assert _found(index, what) == _expected(trees, what)
        elif step == "remove":
            index.remove(what)
            trees.pop(what, None)
        elif readable := _readable([query]):
            index.set(_subscription(what, query))
            trees[what] = readable[0]
    assert len(index) == len(trees)
    assert _found(index, last) == _expected(trees, last)

    for number in list(trees):
        index.remove(number)
    assert index.match(last) == []
    assert (len(index), dict(index._anchored), set(index._free), set(index._signs.values())) == (
        0,
        {},
        set(),
        {0},
    )


@given(QUERIES, QUERIES, articles())
@settings(QUICK, max_examples=50)
def test_a_changed_subscription_answers_for_its_new_query_only(
    before: str, after: str, article: Article
) -> None:
    _tree(before)
    tree = _tree(after)
    index = Index(NAMES, languages=frozenset(LANGUAGES) - {""})
    index.set(_subscription(1, before))
    index.set(_subscription(1, after))

    assert _found(index, article) == _expected({1: (after, tree)}, article)


def _readable(queries: list[str]) -> dict[int, tuple[str, Node]]:
    trees: dict[int, tuple[str, Node]] = {}
    for number, query in enumerate(queries):
        try:
            trees[number] = (query, parse(query, NAMES))
        except QueryError:
            continue
    return trees


def _found(index: Index, article: Article) -> dict[int, tuple[Span, ...]]:
    return {one.subscription_id: one.spans for one in index.match(article)}


def _expected(trees: dict[int, tuple[str, Node]], article: Article) -> dict[int, tuple[Span, ...]]:
    words = ArticleWords(article)
    return {
        number: spans
        for number, (_, tree) in trees.items()
        if (spans := match(tree, words)) is not None
    }


# Explanations


@given(QUERIES, articles())
@settings(QUICK, max_examples=100)
def test_an_explanation_says_what_the_match_says(query: str, article: Article) -> None:
    tree = _tree(query)
    words = ArticleWords(article)
    spans = match(tree, words)

    told = explain(tree, words)

    assert (told.matched, told.spans) == (spans is not None, spans or ())
    assert told.matched == (not told.missing and not told.excluded)
    assert sentence(told).strip()


@given(QUERIES, articles())
@settings(QUICK, max_examples=100)
def test_what_an_explanation_says_of_each_term_is_so(query: str, article: Article) -> None:
    words = ArticleWords(article)
    texts = {"title": article.title, "summary": article.summary}

    told = explain(_tree(query), words)

    for term in (*told.missing, *told.unneeded):
        assert not _holds(term, words), term
    for found in (*told.found, *told.excluded):
        assert _holds(found.term, words), found.term
        assert {texts[span.field][span.start : span.end] for span in found.spans} == set(
            found.texts
        )


def _holds(part: str, words: ArticleWords) -> bool:
    """Whether a part of a query, as an explanation prints it, holds; one that nothing can match does not."""
    try:
        tree = parse(f"({part}) AND *", NAMES)
    except QueryError as error:
        return "every article" in error.message
    return match(tree, words) is not None


# Errors

SIGNS = " ()\"“”„«»/~=*-!@:&|＊＂（）–—…\\{}[]+^$?.,'’\n\t\u00a0\u3000\u200c\u0301٣x火"
PIECES = st.one_of(
    st.sampled_from(SIGNS),
    _one_of(
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


def _mutated(query: str, changes: list[tuple[int, int, str]]) -> str:
    for at, length, piece in changes:
        start = at % (len(query) + 1)
        query = query[:start] + piece + query[start + length :]
    return query


MUTANTS = st.builds(
    _mutated,
    QUERIES,
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 3), PIECES), min_size=1, max_size=4),
)


def _refused(query: str) -> QueryError | None:
    """The error of a query, which has to be one that helps; None for a query that can be read."""
    try:
        tree = parse(query, NAMES)
    except QueryError as denial_reason:
        error = denial_reason
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
@settings(BOUNDED, max_examples=150)
def test_any_text_is_a_query_or_an_error_with_a_place(text: str) -> None:
    _refused(text)


@pytest.mark.parametrize(
    "character", ["\n", "\r", "\t", "\x0b", "\x0c", "\x1e", "\x85", "\u2028", "\u2029"]
)
def test_a_caret_stands_under_one_line_whatever_the_query_holds(character: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(f"fire{character}(flood")

    assert caught.value.position == 5
    assert [len(line) for line in caught.value.caret().splitlines()] == [11, 6]


@given(MUTANTS)
@settings(BOUNDED, max_examples=150)
def test_any_slip_in_a_query_leaves_a_query_or_an_error_with_a_place(query: str) -> None:
    _refused(query)


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
def test_a_limit_is_named_with_its_number(query: str, limit: str) -> None:
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
def test_a_hostile_query_is_read_or_refused_as_any_other(query: str) -> None:
    if _refused(query) is None:
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
def test_a_long_text_is_matched_and_explained_without_harm(query: str, article: Article) -> None:
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
def test_odd_characters_do_no_harm(text: str) -> None:
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
        _refused(query)
    if text != "\ud800":  # what no encoding holds is taken out when a document is read
        assert _matches("fire", Article(f"fire {text}", text, "en"))
        assert not _matches("/flood/", Article(f"fire {text}", text, "en"))
