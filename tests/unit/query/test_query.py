"""The query language of this version: what matches, where, and what an error says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import QueryError
from bot.model.chats import Subscription
from bot.model.entries import Article
from bot.query.exclude import with_exclusion
from bot.query.index import Index
from bot.query.matcher import match
from bot.query.parser import parse
from bot.query.tree import Term, show
from bot.query.words import ArticleWords

NAMES = {"deir-ez-zor": ("Deir ez-Zor", "Deir Ezzor", "دير الزور", "Дейр-эз-Зор")}


@pytest.mark.parametrize(
    ("query", "title", "summary", "matched"),
    [
        ("syria", "SYRIA: talks", "", ["SYRIA"]),
        ("syria", "Assyrian art", "", None),
        ("zurich", "Zürich waits", "", ["Zürich"]),
        ('"air defence"', "Air-defence units", "", ["Air-defence"]),
        ('"air defence"', "Air units in defence", "", None),
        ('"air defence"', "Units in the air", "defence says", None),
        ("S-300", "Two S-300 seen", "", ["S-300"]),
        ("a b", "b then a", "", ["b", "a"]),
        ("fire OR flood", "Flood", "after fire", ["Flood", "fire"]),
        ("fire NOT football", "Fire at football ground", "", None),
        ("fire -football", "Fire at the ground", "", ["Fire"]),
        (
            '"S-300" AND (Syria OR @deir-ez-zor) NOT football',
            "S-300 near دير الزور",
            "",
            ["S-300", "دير الزور"],
        ),
        ("@deir-ez-zor", "В Дейр-эз-Зор вошли", "", ["Дейр-эз-Зор"]),
        ("@deir-ez-zor", "وصلت إلى دير الزُّور", "", ["دير الزُّور"]),
        ("地震", "東京で地震が発生", "", ["地震"]),
        ("ＮＡＴＯ", "Nato meets", "", ["Nato"]),
        ("“air defence”", "the air defence", "", ["air defence"]),
        ("ΟΔΟΣ", "η οδός", "", ["οδός"]),
        ("straße", "STRASSE gesperrt", "", ["STRASSE"]),
        ("(a OR b) (c OR d)", "b d", "", ["b", "d"]),
        ("word", "", "the word stands in the summary", ["word"]),
    ],
)
def test_a_query_matches_words_and_returns_their_spans(
    query: str, title: str, summary: str, matched: list[str] | None
) -> None:
    spans = match(parse(query, NAMES), ArticleWords(Article(title, summary, "en")))

    texts = {"title": title, "summary": summary}
    assert matched == (
        None if spans is None else [texts[span.field][span.start : span.end] for span in spans]
    )


@pytest.mark.parametrize(
    ("query", "position", "words"),
    [
        ("a AND", 2, "Nothing follows"),
        ("AND a", 0, "needs a word before it"),
        ("a OR OR b", 5, "needs a word before it"),
        ("(a", 0, "not closed"),
        ("a)", 1, "never opened"),
        ("a ()", 3, "missing"),
        ('x "open', 2, "not closed"),
        ("@deir", 0, "no list"),
        ("@deir-ez-zur", 0, "Did you mean @deir-ez-zor?"),
        ("NOT a", 0, "Write first what you want"),
        ("a OR NOT b", 0, "Write first what you want"),
        ("", 0, "empty"),
        ('""', 0, "quotes are empty"),
        ("titel:bank", 0, "Did you mean title:?"),
        ("x" * 4001, 4000, "4000 characters"),
        ("(" * 40 + "a" + ")" * 40, 30, "30 deep"),
        (" ".join(["a"] * 301), 600, "300 words"),
    ],
)
def test_an_error_has_its_position_and_says_what_to_do(
    query: str, position: int, words: str
) -> None:
    with pytest.raises(QueryError) as caught:
        parse(query, NAMES)

    assert (position, True) == (caught.value.position, words in caught.value.message)
    assert caught.value.caret().splitlines()[1] == " " * position + "^"


def compiled(subscriptions: list[Subscription]) -> Index:
    index = Index(NAMES)
    for subscription in subscriptions:
        index.set(subscription)
    return index


def readable(query: str) -> bool:
    """Whether the query is one that can be meant (`fire NOT fire` is not)."""
    try:
        parse(query, NAMES)
    except QueryError:
        return False
    return True


WORDS = st.sampled_from(["fire", "flood", "S-300", '"air defence"', "@deir-ez-zor"])
QUERIES = st.recursive(
    WORDS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: f"({two[0]} AND {two[1]})"),
        st.tuples(inner, inner).map(lambda two: f"({two[0]} OR {two[1]})"),
        st.tuples(WORDS, inner).map(lambda two: f"({two[0]} NOT {two[1]})"),
    ),
    max_leaves=12,
).filter(lambda query: "NOT" not in query or readable(query))


@given(QUERIES)
def test_a_printed_query_parses_to_the_same_tree(query: str) -> None:
    tree = parse(query, NAMES)

    assert tree == parse(show(tree), NAMES)


@given(
    st.lists(QUERIES, max_size=6),
    st.lists(
        st.sampled_from(["fire", "flood", "S-300", "air", "defence", "Deir ez-Zor", "calm"]),
        max_size=6,
    ),
)
def test_the_index_finds_exactly_what_each_query_matches(
    queries: list[str], words: list[str]
) -> None:
    title = " ".join(words)
    index = compiled(
        [Subscription(number, query, query, (), (1,)) for number, query in enumerate(queries)]
    )

    matches = {row.subscription_id: row.spans for row in index.match(Article(title))}
    entry = ArticleWords(Article(title))
    assert {
        number: spans
        for number, query in enumerate(queries)
        if (spans := match(parse(query, NAMES), entry)) is not None
    } == matches


def test_a_subscription_matches_only_its_feeds_and_a_broken_query_stops_no_other() -> None:
    subscriptions = [
        Subscription(1, "tagged", "fire", ("wire",), (1,)),
        Subscription(2, "all", "fire", (), (1,)),
        Subscription(3, "broken", "@gone", (), (1,)),
    ]
    index = compiled(subscriptions)

    assert [
        row.subscription_id
        for row in index.match(Article("Fire", feed="http://x.example", tags=("world",)))
    ] == [2]
    assert [row.subscription_id for row in index.match(Article("Fire", tags=("wire",)))] == [1, 2]
    assert list(index.broken) == [3]


@pytest.mark.parametrize("query", ["／radar／", "／radar/", "/radar／", "a ／(radar)／i"])
def test_slashes_of_an_expression_may_be_full_width(query: str) -> None:
    assert "/radar/" in show(parse(query)) or "/(radar)/i" in show(parse(query))


@pytest.mark.parametrize("query", ["\ud800", "/\ud800/", "=\udfff", "~\ud800", "title:\ud800"])
def test_half_a_surrogate_pair_is_a_mistake_with_a_message_that_can_be_sent(query: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(query)
    caught.value.message.encode()
    caught.value.caret().encode()
    caught.value.translated(lambda text, **values: text.format(**values)).encode()


def test_whatever_a_term_raises_is_a_mistake_of_the_query(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OverflowError

    monkeypatch.setattr("bot.query.parser.regex.parse_regex", fail)
    with pytest.raises(QueryError) as caught:
        parse("harbour /radar/")
    assert caught.value.position == 8


@pytest.mark.parametrize(
    ("query", "columns"),
    [("火災 (radar", 5), ("ＵＳ (radar", 5), ("cafe\u0301 (radar", 5), ("ra\u200bdar (x", 6)],
    ids=ascii,
)
def test_the_caret_is_below_the_sign_in_a_fixed_width_font(query: str, columns: int) -> None:
    with pytest.raises(QueryError) as caught:
        parse(query)

    assert caught.value.caret().splitlines()[1] == f"{' ' * columns}^"


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("Port Selv*", "star does nothing"),
        ('"Port Selv*"', "star does nothing"),
        ("radar OR sonar", "an item of its own"),
        ("radar NOT sonar", "an item of its own"),
        ("(radar)", "an item of its own"),
        ("radar && sonar", "an item of its own"),
        ("🚨", "letter or digit"),
        ("rad.a*", "more than one word"),
    ],
)
def test_an_item_of_a_list_that_would_be_read_otherwise_than_meant_is_refused(
    item: str, words: str
) -> None:
    with pytest.raises(QueryError, match=words):
        parse("@ports", {"ports": ("Port Selva", item)})


@pytest.mark.parametrize("text", ["U.S.", '"the U.S. fleet"', "AT&T", "C++", "#harbour"])
def test_a_term_with_signs_can_be_excluded(text: str) -> None:
    clause = parse(text)
    assert isinstance(clause, Term)

    assert with_exclusion("radar", parse("radar"), clause, {}) == f"radar NOT {text}"


@pytest.mark.parametrize("item", ["$TSLA", "Marks & Spencer", "order or chaos", "rada*", '"OR"'])
def test_an_item_of_a_list_is_words(item: str) -> None:
    parse("@ports", {"ports": (item,)})
