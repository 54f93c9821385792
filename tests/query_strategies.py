"""Strategies for queries and articles of a common vocabulary, for all tests of properties."""

from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st

from bot.errors import QueryError
from bot.model.chats import Subscription
from bot.model.entries import Article
from bot.query.index import Index
from bot.query.parser import parse
from bot.query.tree import Node

NAMES = {
    "weapons": ("missile", "drones", '"air defence"', "rocket*"),
    "places": ("Deir ez-Zor", "~Kharkiv", "=US"),
    "бедствия": ("пожар", "наводнение"),
}

# The same vocabulary for queries and texts, so that they match often: forms of a word, spellings of
# a name, joined words, words with digits.
WORDS = (
    "fire fires Fire FIRE firing US us air defence missile missiles drone rocketry S-300 S300 "
    "С-300 al-Assad Assad al alAssad l'Ukraine Ukraine "
    "1,000 1000 ١٠٠٠ ракета ракетами пожар пожары Харьков Kharkiv Kharkov Харків "
    "об'єкт об’єкти حكومة الحكومة والحكومة خاركيف ממשלה בממשלה "
    "Straße STRASSE Straßen saldırı saldırılar SALDIRI "
    "οδός ΟΔΟΣ οδού 地震 地震発生 震 น้ำท่วม ﾐｻｲﾙ ミサイル powódź powodzi AND not near"
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


def any_of(*texts: str) -> st.SearchStrategy[str]:
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
    any_of(
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
    any_of("~Kharkiv", "~Харків", '~"Deir ez-Zor"', "~“Deir ez-Zor”", "~Assad"),
    any_of("@weapons", "@places", "@бедствия", "＠weapons"),
)
SIDES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: f"({two[0]} OR {two[1]})"),
        st.tuples(inner, any_of("NEAR/0", "NEAR/2", "ONEAR/1", "ONEAR/50"), inner).map(
            lambda three: f"({' '.join(three)})"
        ),
    ),
    max_leaves=4,
)
NEARS = st.tuples(
    SIDES, any_of("NEAR/0", "NEAR/1", "NEAR/3", "NEAR/50", "ONEAR/0", "ONEAR/2"), SIDES
).map(" ".join)
EXPRESSIONS = any_of(
    r"/S-?\d+/", "/fire/i", "/[Рр]акет/", r"/\bUS\b/", "/air d/", "/地.?/", r"/a\/b|ov/", "/حكوم/"
)
WORDY = st.one_of(LEAVES, LEAVES, LEAVES, NEARS, EXPRESSIONS)
FACTS = st.one_of(
    any_of(
        "site:post.example",
        "site:wire.example",
        "site:post.example/world",
        "site:(post.example OR wire.example)",
        "site:example",
    ),
    any_of(
        "source:post",
        'source:"harbour wire"',
        "author:roe",
        'author:"jane roe"',
        "author:(doe OR roe)",
        "author:(jane -doe)",
        "category:world",
        'category:("sea news" OR sport)',
    ),
    any_of(
        "tag:sport",
        "tag:(sport OR world)",
        "lang:en",
        "lang:(en OR ru)",
        "lang:ja",
        "feed:post",
        "feed:(wire NOT post)",
    ),
    any_of('feed:"https://wire.example/rss.xml"', 'source:"Post"', "TAG:World", "＊"),
)


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(inner, any_of(" ", " AND ", " && ", " OR ", " || ", " OR "), inner)
        .map("".join)
        .map("({})".format),
        st.tuples(
            inner,
            any_of(" ", " AND ", " && ", " OR ", " || ", " NOT ", " AND NOT ", " -", " !"),
            inner,
        ).map("".join),
        two.map(lambda two: f"({two[0]} NOT {two[1]})"),
        two.map(lambda two: f"{two[0]} -({two[1]})"),
        two.map(lambda two: f"（{two[0]}　OR　{two[1]}）"),
    )


IN_TEXT = st.recursive(WORDY, combined, max_leaves=5)
FIELDED = st.tuples(any_of("title", "summary", "body", "Title"), IN_TEXT).map(
    lambda two: f"{two[0]}:({two[1]})"
)
QUERIES = st.recursive(st.one_of(WORDY, WORDY, WORDY, FIELDED, FACTS), combined, max_leaves=7)

TEXTS = st.lists(
    st.one_of(
        st.sampled_from(WORDS),
        st.sampled_from(WORDS),
        st.sampled_from(PAIRS),
        any_of("–", "the", "of", "."),
    ),
    max_size=9,
).map(" ".join)


@st.composite
def articles(draw: st.DrawFn) -> Article:
    """Small articles with values for all fields."""
    feed_name, feed = draw(st.sampled_from(FEEDS))
    summary, rest = draw(TEXTS), draw(TEXTS)
    return Article(
        draw(TEXTS),
        summary,
        draw(st.sampled_from(LANGUAGES)),
        link=draw(
            any_of(
                "",
                "https://post.example/world/1",
                "http://news.wire.example/a",
                "https://outpost.example/",
            )
        ),
        author=draw(any_of("", "Jane Roe", "John Doe")),
        source=draw(any_of("", "Evening Post")),
        feed=feed,
        feed_name=feed_name,
        publisher=draw(any_of("", "Harbour Wire")),
        tags=tuple(draw(st.lists(any_of("sport", "World"), max_size=2, unique=True))),
        body=draw(any_of("", "", rest, f"{summary} {rest}" if summary else rest)),
        categories=draw(st.sampled_from([(), ("World",), ("Sea news", "World sport")])),
    )


def parse_or_assume(query: str) -> Node:
    """Return the tree of a query; a query that is rejected ends the example."""
    try:
        return parse(query, NAMES)
    except QueryError:
        assume(False)
        raise


def subscription(number: int, query: str) -> Subscription:
    return Subscription(number, query[:20], query, (), (1,))


def index_of(*subscriptions: Subscription) -> Index:
    """Return an index of these subscriptions, with the lists of NAMES."""
    index = Index(NAMES, ("en",))
    for item in subscriptions:
        index.set(item)
    return index


def is_empty(index: Index) -> bool:
    """Whether an index has released all its memory of subscriptions."""
    return not (
        len(index)
        or index._by_key
        or index._unkeyed
        or any(index._key_kinds.values())
        or index._prefix_lengths
        or index._by_name
        or index._by_name._parts
    )
