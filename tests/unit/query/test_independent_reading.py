"""Matching, index, full-text search, explanation and canonical form against a second reading.

`query_reading` evaluates queries as docs/queries.md says, with no code of the product.
"""

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from query_reading import FORMS, matches
from query_strategies import QUICK, any_of, subscription
from sampling import examples

from bot.errors import QueryError
from bot.model.entries import Article
from bot.query.explain import explain
from bot.query.index import Index
from bot.query.matcher import match
from bot.query.parser import parse
from bot.query.prefilter import fts_expression, search_text
from bot.query.tree import Node, show
from bot.query.words import ArticleWords
from bot.text import clean

LISTS = {
    "weapons": ("missile", '"air defence"', "S-300", "rocke*", "=US"),
    "places": ("Nord Selva", "서울", "台湾"),
}
LANGUAGES = tuple(FORMS)
INFLECTED = [word for groups in FORMS.values() for forms in groups for word in forms]
NEUTRAL = (
    "S-300 S300 S‑300 С-300 С300 Tu-95 Ту-95 al-Assad alAssad Assad Moody's Moody’s Moodys "
    "1,000 1000 1.000 1.5 1,5 1234.56 1,234.56 1.234,56 1000km 1,000km 300 95 50 10 0.125 C++ C# C "
    ".NET NET 50% $TSLA TSLA #selva #SelvaForAll AT&T US us U.S. U.S.-led air-defence air "
    "defence Århus Aarhus Þór Thor rocketry 🚨 ⚠"
).split()
UNSPACED = ("台湾", "臺灣", "导弹", "導彈", "地震", "東部", "地", "震", "台湾导弹")
PHRASES = ("air defence", "S 300", "al Assad", "Nord Selva", "10 000", "US Army", "us army")
VOCABULARY = (*INFLECTED, *NEUTRAL, *UNSPACED)

BARE = st.sampled_from([*VOCABULARY, "10 000"])
_LEAVES = st.one_of(
    BARE,
    BARE,
    BARE.map('"{}"'.format),
    st.sampled_from(PHRASES).map('"{}"'.format),
    st.sampled_from([word for word in (*INFLECTED, *NEUTRAL) if word not in "🚨⚠"]).map(
        "={}".format
    ),
    st.sampled_from(PHRASES).map('="{}"'.format),
    any_of("mis*", "ракет*", "harb*", "#sel*", "S-3*", "al-As*", "ل*", "미사*", "Brü*", "$TS*"),
    any_of("@weapons", "@places"),
)


@st.composite
def leaves(draw: st.DrawFn) -> str:
    """A single condition. A function, since what is made of a large strategy describes it anew."""
    leaf: str = draw(_LEAVES)
    return leaf


LEAVES = leaves()
# Expressions have no second meaning of words: Python's are Unicode already.
EXPRESSIONS = any_of(
    r"/\bракет/i", r"/\bпорт\w+/i", r"/\d{3}\b/", r"/air\s+def/", r"/C\+\+/", r"/\bUS\b/", r"/导./"
)
# What NEAR joins has words.
SIDES = LEAVES.filter(lambda leaf: leaf.strip('"') not in {"🚨", "⚠"})
NEARS = st.builds(
    "{} {} {}".format,
    st.one_of(SIDES, st.tuples(SIDES, SIDES).map(lambda two: f"({two[0]} OR {two[1]})")),
    any_of("NEAR/0", "NEAR/1", "NEAR/4", "ONEAR/0", "ONEAR/2"),
    SIDES,
)
FACTS = any_of(
    "site:post.example", "site:post.example/world", "site:example.org", "source:post",
    'source:"evening post"', 'author:"jane roe"', "author:roe", "tag:sport", "lang:ru", "lang:zh",
    'feed:"harbour wire"', "category:world", 'category:"sea news"', "*",
)  # fmt: skip
WORDY = st.one_of(LEAVES, LEAVES, NEARS, EXPRESSIONS)


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = any_of(" ", " AND ", " OR ", " || ", " NOT ", " -", " && ")
    return st.one_of(
        st.tuples(inner, operators, inner).map("".join),
        st.tuples(inner, operators, inner).map("".join).map("({})".format),
        st.tuples(inner, inner).map(lambda two: f"（{two[0]}　OR　{two[1]}）"),
    )


FIELDED = st.tuples(
    any_of("title", "summary", "body"), st.recursive(WORDY, combined, max_leaves=3)
).map(lambda two: f"{two[0]}:({two[1]})")
QUERIES = st.recursive(st.one_of(WORDY, WORDY, WORDY, FIELDED, FACTS), combined, max_leaves=5)
GAPS = any_of(" ", " ", " ", ", ", ". ", " – ", ": ", " (", "; ")


@st.composite
def texts(draw: st.DrawFn, language: str) -> str:
    own = [word for forms in FORMS[language] for word in forms]
    words = st.sampled_from([*own, *own, *own, *NEUTRAL, *PHRASES])
    if language in {"zh", "ja"}:
        words = st.one_of(st.sampled_from(UNSPACED), st.sampled_from(UNSPACED), words)
    pieces = []
    for word in draw(st.lists(words, max_size=8)):
        pieces += [word, draw(GAPS)]
    return "".join(pieces[:-1])


@st.composite
def articles(draw: st.DrawFn) -> Article:
    language = draw(st.sampled_from(LANGUAGES))
    summary = clean.title(draw(texts(language)))
    rest = clean.title(draw(texts(language)))
    return Article(
        clean.title(draw(texts(language))),
        summary,
        language,
        body=draw(any_of("", "", rest, f"{summary}. {rest}" if summary else rest)),
        link=draw(any_of("", "https://post.example/world/1", "http://www.example.org/a")),
        author=draw(any_of("", "Jane Roe")),
        source=draw(any_of("", "Evening Post")),
        feed="https://wire.example/rss.xml",
        feed_name="Harbour Wire",
        publisher=draw(any_of("", "Morning Post")),
        tags=draw(st.sampled_from([(), ("Sport",)])),
        categories=draw(st.sampled_from([(), ("World",), ("Sea", "news"), ("Sea news",)])),
    )


@pytest.fixture(scope="module")
def table() -> Iterator[sqlite3.Connection]:
    with sqlite3.connect(":memory:") as connection:
        connection.execute(
            "create virtual table search using fts5 "
            "(keys, tokenize=\"ascii tokenchars '=^~:./-_'\")"
        )
        yield connection


@given(QUERIES, articles())
@settings(QUICK, max_examples=examples(400))
def test_every_way_to_match_agrees_with_the_second_reading(
    table: sqlite3.Connection, query: str, article: Article
) -> None:
    try:
        tree = parse(query, LISTS)
    except QueryError:
        assume(False)
        raise
    expected = matches(query, article, LISTS)
    words = ArticleWords(article)

    assert (match(tree, words) is not None) == expected
    assert explain(tree, words).matched == expected
    assert (match(parse(show(tree), LISTS), words) is not None) == expected
    index = Index(LISTS, ("en",))
    index.set(subscription(1, query))
    assert bool(index.match(article)) == expected
    if expected:
        assert _is_among_the_results(table, tree, words)


def _is_among_the_results(table: sqlite3.Connection, tree: Node, words: ArticleWords) -> bool:
    """Whether the full-text search would look at the article."""
    expression = fts_expression(tree, LANGUAGES)
    if not expression:
        return True
    table.execute("delete from search")
    table.execute("insert into search (rowid, keys) values (1, ?)", [search_text(words)])
    return bool(table.execute("select 1 from search where search match ?", [expression]).fetchone())
