"""Proposed exclusions: they exclude the unwanted article and hide exactly what they say."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from archive_harness import DAY, HOUR, ArchiveHarness
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from query_strategies import (
    LANGUAGES,
    NAMES,
    PAIRS,
    QUERIES,
    QUICK,
    WORDS,
    articles,
    parse_or_assume,
)
from sampling import examples
from support import NOON

from bot.errors import QueryError
from bot.model.archive import StoredEntry
from bot.model.entries import Article
from bot.query.exclude import positive_terms, with_exclusion
from bot.query.matcher import match
from bot.query.parser import parse
from bot.query.tree import Meta, NamedList, Node, Term, show
from bot.query.words import ArticleWords
from bot.search.exclusions import MAX_EXAMPLES, PERIOD, Proposal, proposals
from bot.stories.keywords import extract_keywords


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[ArchiveHarness]:
    archive = ArchiveHarness(tmp_path)
    yield archive
    archive.end()


def entry(harness: ArchiveHarness, number: int) -> StoredEntry:
    return next(stored for stored in harness.archive.entries("", None) if stored.id == number)


def proposed(harness: ArchiveHarness, query: str, number: int, **more: Any) -> tuple[Proposal, ...]:
    return proposals(query, entry(harness, number), harness.archive, NAMES, NOON, **more)


def texts(results: tuple[Proposal, ...]) -> list[str]:
    return [proposal.added for proposal in results if proposal.kind in {"word", "phrase"}]


def term(word: str) -> Term:
    tree = parse(word)
    assert isinstance(tree, Term)
    return tree


def matches(query: str, article: Article) -> bool:
    return match(parse(query, NAMES), ArticleWords(article)) is not None


# What is proposed


THAI_HEADLINES = (
    "พายุปิดท่าเรือ; เครนล้มที่ท่าเรือ; "
    "ค่าธรรมเนียมท่าเรือ ขึ้น; "
    "พบทุ่นระเบิดใกล้ท่าเรือ; ขุดลอกท่าเรือ"
)  # fmt: skip
FOOTBALL = [
    (
        "en",
        "harbour",
        "Friendly",
        (
            "Friendly in the harbour: late goal by Marek; Late goal wins friendlies near the "
            "harbour; Harbour goes to a friendly, one goal enough"
        ),
        (
            "Crane collapses at the harbour; Harbour dues rise; Storm closes harbour; Divers clear "
            "mines from harbour; Harbour dredged"
        ),
    ),
    (
        "ru",
        "порт",
        "товарищеский",
        (
            "Портовая команда сыграла товарищеский матч в порту; Матчи у порта: товарищеские игры; "
            "Матч в порту отложен, товарищеские встречи тоже"
        ),
        (
            "Кран упал в порту; Шторм закрыл порт; Порту подняли сборы; В порту нашли мины; Порт "
            "углубляют"
        ),
    ),
    (
        "ar",
        "ميناء",
        "مباراة",
        "مباراة ودية قرب الميناء; تأجيل مباراة ودية في الميناء; المباراة الودية في ميناء سيلفا",
        (
            "سقوط رافعة في الميناء; عاصفة تغلق الميناء; رسوم الميناء ترتفع; ألغام قرب ميناء سيلفا; "
            "توسيع الميناء"
        ),
    ),
    (
        "zh",
        "港口",
        "友谊",
        "港口举行友谊赛，球队抵达; 港口友谊赛推迟，球队留下; 友谊赛在港口结束，球队离开",
        "港口起重机倒塌; 风暴关闭港口; 港口费用上涨; 港口发现水雷; 港口疏浚工程",
    ),
    (
        "ja",
        "港",
        "サッカー",
        "港でサッカー大会が開幕; 港のサッカー大会が延期; サッカー大会の会場は港",
        "港でクレーンが倒れる; 嵐で港を閉鎖; 港の料金が上がる; 港で機雷を発見; 港の工事が始まる",
    ),
    (
        "th",
        "ท่าเรือ",
        "ฟุตบอล",
        "ฟุตบอล ที่ท่าเรือ; เลื่อน ฟุตบอล ที่ท่าเรือ; ท่าเรือ จัด ฟุตบอล",
        THAI_HEADLINES,
    ),
]


@pytest.mark.parametrize("taken_in", [False, True])
@pytest.mark.parametrize(("language", "query", "expected", "like", "others"), FOOTBALL)
def test_a_word_that_the_unwanted_article_has_in_common_with_others_like_it_comes_first(
    harness: ArchiveHarness,
    language: str,
    query: str,
    expected: str,
    like: str,
    others: str,
    taken_in: bool,
) -> None:
    unwanted, *alike = like.split("; ")
    harness.put(
        *(Article(headline, language=language) for headline in [*alike, *others.split("; ")])
    )
    [number] = harness.put(Article(unwanted, language=language))
    if taken_in:
        harness.fill()

    first = proposed(harness, query, number)[0]

    assert (first.added, first.kind, first.query) == (
        f"NOT {expected}",
        "word",
        f"{query} NOT {expected}",
    )
    assert (first.hidden, first.remaining, first.hides_whole_story, first.share) == (2, 5, True, 1)
    assert sorted(first.examples) == sorted(alike)


def test_a_word_is_shown_as_in_the_headline(harness: ArchiveHarness) -> None:
    harness.put("Harbour crane", "Harbour dredged")
    [number] = harness.put("Regattas in the Harbour")

    assert texts(proposed(harness, "harbour", number))[0] == "NOT Regattas"


def test_words_of_the_headline_come_before_those_of_the_summary(harness: ArchiveHarness) -> None:
    harness.put("Harbour crane", "Harbour dredged")
    [number] = harness.put(Article("Regatta in the harbour", "Yachts at the harbour", "en"))

    assert texts(proposed(harness, "harbour", number)) == ["NOT Regatta", "NOT Yachts"]


def test_a_phrase_is_proposed_where_its_words_alone_would_hide_what_is_not_like_it(
    harness: ArchiveHarness,
) -> None:
    harness.put(
        "Harbour pilots free a trawler",
        "Harbour free of ice",
        "Free port: harbour union protests",
        "Harbour port hit by storm",
    )
    [number] = harness.put("Free Port of the harbour: pop band")

    assert '"Free Port"' in {
        proposal.added.removeprefix("NOT ")
        for proposal in proposed(harness, "harbour", number, limit=9)
    }


def test_words_that_are_frequent_in_news_are_not_proposed(harness: ArchiveHarness) -> None:
    [number] = harness.put(
        Article(
            "Harbour says new minister will open it in 2026",
            "One of the first days of the week",
            "en",
        )
    )

    assert texts(proposed(harness, "harbour", number, limit=20)) == []


def test_the_rarer_of_two_words_comes_first(harness: ArchiveHarness) -> None:
    harness.put(
        *(f"Opposition storms out of session {number}" for number in range(60)),
        "Regatta off Selva",
        "Regatta moved",
    )
    [number] = harness.put("Opposition storms regatta in harbour")
    harness.fill()

    assert texts(proposed(harness, "harbour", number))[0] == "NOT regatta"


@pytest.mark.parametrize(
    ("query", "unwanted"),
    [
        ("fire", "Fires fired at firing"),
        ("=US", "US tells us"),
        ("ракета", "Ракетами по ракете"),
        ("fir*", "Firm fires firemen"),
        ("~Kharkiv", "Харьков"),
        ("~Kharkiv OR Kharkov", "Kharkov Kharkiv"),
        ("@weapons", "Rockets, drones, missiles"),
        ("title:missile OR drone", "Drones and missiles"),
        ("(air OR sea) NEAR/3 (defence OR attack)", "Air defence"),
        ("/[Рр]акет/", "Ракетами"),
        ("地震", "地震 地震"),
    ],
)
def test_no_word_is_proposed_that_the_query_asks_for_in_any_form(
    harness: ArchiveHarness, query: str, unwanted: str
) -> None:
    language = "en" if unwanted.isascii() else ""
    [number] = harness.put(Article(f"{unwanted} festival", language=language))

    results = proposed(harness, query, number, limit=20)

    assert {proposal.added for proposal in results if proposal.kind != "source"} <= {"NOT festival"}


def test_what_would_hide_more_than_half_of_the_other_stories_is_not_proposed(
    harness: ArchiveHarness,
) -> None:
    harness.put("Harbour regatta", "Regatta leaves harbour", "Harbour crane", feed=2)
    [number] = harness.put("Harbour regatta ends")
    assert "NOT regatta" not in texts(proposed(harness, "harbour", number))

    harness.put("Harbour dredged", feed=2)
    assert "NOT regatta" in texts(proposed(harness, "harbour", number))


def test_a_week_without_other_matches_has_proposals(harness: ArchiveHarness) -> None:
    [number] = harness.put("Harbour regatta")
    harness.put("Harbour regatta, long ago", at=NOON - PERIOD - HOUR)

    [first, *_] = proposed(harness, "harbour", number)

    assert (first.added, first.hidden, first.remaining, first.examples) == ("NOT regatta", 0, 0, ())


def test_headlines_that_must_match_still_match(harness: ArchiveHarness) -> None:
    [number] = harness.put("Regatta yachts in the harbour")

    results = proposed(
        harness, "harbour", number, must_match=["The harbour opens for a yacht", "Порт закрыт"]
    )

    assert texts(results) == ["NOT Regatta"]


def test_only_feeds_of_the_subscription_are_examined(harness: ArchiveHarness) -> None:
    harness.put("Harbour regatta", feed=1)
    harness.put("Harbour crane", "Harbour dredged", "Harbour dues", feed=2)
    [number] = harness.put("Harbour regatta ends", feed=2)

    [first, *_] = proposed(harness, "harbour", number, feeds=("World",))

    assert (first.added, first.hidden, first.remaining) == ("NOT regatta", 0, 3)


@pytest.mark.parametrize("most", range(5))
def test_there_are_at_most_as_many_proposals_as_the_limit(
    harness: ArchiveHarness, most: int
) -> None:
    harness.put("Harbour crane", "Harbour dredged", feed=2)
    [number] = harness.put(
        Article("Regatta yachts anchor near harbour", language="en", source="Evening Post")
    )

    assert len(proposed(harness, "harbour", number, limit=most)) == min(most, 5)


# Outlets


@pytest.mark.parametrize(
    ("feed", "article", "expected"),
    [
        (1, Article("Harbour", language="en"), ['NOT source:"Harbour Wire"']),
        (
            1,
            Article("Harbour", language="en", source="Euphrates Post"),
            ['NOT source:"Euphrates Post"'],
        ),
        (
            1,
            Article("Harbour", language="en", source="The “Selva” Post"),
            ['NOT source:"The Selva Post"'],
        ),
        (
            2,
            Article("Harbour", language="en", link="https://www.post.example/a"),
            ["NOT site:post.example", 'NOT feed:"Morning Post"'],
        ),
        (
            2,
            Article("Harbour", language="en"),
            ['NOT source:"post.example"', 'NOT feed:"Morning Post"'],
        ),
    ],
)
def test_the_outlet_is_named_as_the_language_names_it(
    harness: ArchiveHarness, feed: int, article: Article, expected: list[str]
) -> None:
    [number] = harness.put(article, feed=feed)

    results = proposed(harness, "harbour", number)

    assert [proposal.added for proposal in results] == expected
    assert [proposal.kind for proposal in results] == [
        proposal.removeprefix("NOT ").partition(":")[0].replace("site", "source")
        for proposal in expected
    ]


def test_one_of_three_proposals_is_the_outlet(harness: ArchiveHarness) -> None:
    harness.put("Harbour crane", "Harbour dredged", "Harbour dues", feed=2)
    [number] = harness.put(
        Article("Regatta yachts anchor near harbour", language="en", source="Evening Post")
    )

    assert sum(proposal.kind == "source" for proposal in proposed(harness, "harbour", number)) == 1


@pytest.mark.parametrize(
    "query",
    [
        "* source:evening",
        'harbour source:"Evening Post"',
        "harbour (source:post OR site:example.org)",
    ],
)
def test_an_outlet_that_the_query_asks_for_is_not_proposed(
    harness: ArchiveHarness, query: str
) -> None:
    [number] = harness.put(Article("Harbour regatta", language="en", source="Evening Post"))

    assert {proposal.kind for proposal in proposed(harness, query, number)} == {"word"}


def test_a_feed_that_the_subscription_names_is_not_proposed(harness: ArchiveHarness) -> None:
    [number] = harness.put("Harbour", feed=2)

    assert proposed(harness, "harbour", number, feeds=("Morning Post",)) == ()
    assert proposed(harness, "harbour", number, feeds=("World",)) != ()


# What it says of the week


def test_a_story_is_hidden_when_none_of_its_articles_matches_any_more(
    harness: ArchiveHarness,
) -> None:
    harness.put("Harbour crane", "Harbour dredged", "Harbour dues", feed=2)
    [remaining] = harness.put("Harbour regatta delayed", feed=2)
    harness.put("Storm over harbour", story=remaining, feed=2)
    [hidden] = harness.put("Regatta: harbour closed", feed=2, at=NOON - 2 * HOUR)
    harness.put("Harbour regatta, further", story=hidden, feed=2)
    [number] = harness.put("Harbour regatta ends")

    first = next(
        proposal
        for proposal in proposed(harness, "harbour", number)
        if proposal.added == "NOT regatta"
    )

    assert (first.hidden, first.remaining, first.examples) == (1, 4, ("Regatta: harbour closed",))


def test_a_proposal_says_if_another_article_of_the_story_still_matches(
    harness: ArchiveHarness,
) -> None:
    [number] = harness.put("Harbour regatta ends")
    harness.put("Yachts leave the harbour", story=number)
    harness.put("Harbour crane")

    assert [
        (proposal.added, proposal.hides_whole_story, proposal.remaining)
        for proposal in proposed(harness, "harbour", number)
        if proposal.kind == "word"
    ] == [
        ("NOT regatta", False, 2),
    ]
    harness.put("Harbour regatta ends", "Crane in the harbour")
    harness.revise(number, Article("Harbour regatta ends yachting season", language="en"))
    assert next(
        proposal
        for proposal in proposed(harness, "harbour", number)
        if proposal.added == "NOT yachting"
    ).hides_whole_story


def test_examples_are_the_newest_and_few(harness: ArchiveHarness) -> None:
    for number in range(6):
        harness.put(f"Harbour regatta {number}", at=NOON - number * HOUR, feed=2)
    harness.put(*(f"Harbour crane {number}" for number in range(9)), feed=2)
    [number] = harness.put("Harbour regatta")

    regatta = next(
        proposal
        for proposal in proposed(harness, "harbour", number)
        if proposal.added == "NOT regatta"
    )

    assert regatta.hidden == 6
    assert regatta.examples == tuple(f"Harbour regatta {number}" for number in range(MAX_EXAMPLES))


def test_a_broad_query_is_judged_by_an_even_sample(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.put(
        *(f"Harbour {'regatta' if number % 5 == 0 else 'crane'}" for number in range(100)), feed=2
    )
    [number] = harness.put("Harbour regatta ends")
    harness.fill()
    monkeypatch.setattr("bot.search.exclusions.MAX_EXAMINED", 26)

    regatta = next(
        proposal
        for proposal in proposed(harness, "harbour", number)
        if proposal.added == "NOT regatta"
    )

    assert regatta.share == pytest.approx(1 / 4)
    assert regatta.hidden + regatta.remaining == pytest.approx(100, abs=4)
    assert regatta.hidden == pytest.approx(20, abs=8)


# The text of the query


@pytest.mark.parametrize(
    ("query", "once", "twice"),
    [
        ("harbour", "harbour NOT regatta", "harbour NOT regatta NOT yachts"),
        (
            "harbour OR pier",
            "(harbour OR pier) NOT regatta",
            "(harbour OR pier) NOT regatta NOT yachts",
        ),
        (
            " (harbour OR pier) ",
            "(harbour OR pier) NOT regatta",
            "(harbour OR pier) NOT regatta NOT yachts",
        ),
        (
            "(harbour) OR (pier)",
            "((harbour) OR (pier)) NOT regatta",
            "((harbour) OR (pier)) NOT regatta NOT yachts",
        ),
        ("harbour -crane", "harbour -crane NOT regatta", "harbour -crane NOT regatta NOT yachts"),
        (
            "harbour OR pier NOT crane",
            "(harbour OR pier NOT crane) NOT regatta",
            "(harbour OR pier NOT crane) NOT regatta NOT yachts",
        ),
        (
            "harbour NEAR/9 ends",
            "harbour NEAR/9 ends NOT regatta",
            "harbour NEAR/9 ends NOT regatta NOT yachts",
        ),
        (
            "title:(harbour OR pier)",
            "title:(harbour OR pier) NOT regatta",
            "title:(harbour OR pier) NOT regatta NOT yachts",
        ),
        ("harbour ends", "harbour ends NOT regatta", "harbour ends NOT regatta NOT yachts"),
        (
            "（harbour　OR　pier）",
            "（harbour　OR　pier） NOT regatta",
            "（harbour　OR　pier） NOT regatta NOT yachts",
        ),
    ],
)
def test_the_query_keeps_its_wording_and_a_second_exclusion_adds_no_parentheses(
    query: str, once: str, twice: str
) -> None:
    text = with_exclusion(query, parse(query), term("regatta"), {})
    assert text == once

    assert with_exclusion(text, parse(text), term("yachts"), {}) == twice


def test_an_exclusion_that_makes_the_query_too_long_is_not_added() -> None:
    query = " ".join(["harbour"] * 300)
    assert with_exclusion(query, parse(query), term("regatta"), {}) is None


def test_an_exclusion_that_contradicts_the_query_is_not_added() -> None:
    assert with_exclusion("harbour", parse("harbour"), term("harbour"), {}) is None


def test_nothing_is_proposed_where_the_query_does_not_match_the_article(
    harness: ArchiveHarness,
) -> None:
    [number] = harness.put("Mill burns")

    assert proposed(harness, "harbour", number) == ()


def test_a_query_that_cannot_be_parsed_is_an_error(harness: ArchiveHarness) -> None:
    [number] = harness.put("Mill burns")

    with pytest.raises(QueryError):
        proposed(harness, "mill OR", number)


# Telling words


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        (
            "en",
            "Mill's S-300 beats al-Assad's NGO, 12 dead",
            ["Mill", "S-300", "beats", "al-Assad", "NGO", "dead"],
        ),
        ("en", "HARBOUR WINS CUP", ["HARBOUR", "WINS"]),
        ("fr", "L’Estaque reçoit l’oiseau", ["Estaque", "reçoit", "oiseau"]),
        ("uk", "Об’єкти в порту", ["Об’єкти", "порту"]),
        ("ko", "부산항 친선 경기", ["부산항", "친선", "경기"]),
        ("zh", "友谊赛的球队", ["友谊赛", "友谊", "谊赛", "球队"]),
        ("zh", "2026年3月2日", []),
        ("ja", "サッカーの試合", ["サッカー", "試合"]),
        ("th", "ฟุตบอล ที่ท่าเรือสงขลาวันนี้ตอนเย็น", ["ฟุตบอล", "ที่ท่าเรื"]),
        ("en", "", []),
        ("", "☭ — …", []),
    ],
)
def test_keywords_are_the_words_that_say_what_an_article_is_about(
    language: str, text: str, expected: list[str]
) -> None:
    assert [
        keyword.text for keyword in extract_keywords(text, language) if not keyword.phrase
    ] == expected


def test_a_phrase_is_two_adjacent_words_of_which_one_is_a_keyword() -> None:
    phrases = [
        keyword.text
        for keyword in extract_keywords("World Cup in Selva: friendly match, the first day", "en")
        if keyword.phrase
    ]

    assert phrases == ["friendly match"]


@given(st.text(max_size=60), st.sampled_from(LANGUAGES))
@settings(QUICK, max_examples=examples(100))
def test_keywords_are_at_their_positions(text: str, language: str) -> None:
    for keyword in extract_keywords(text, language):
        assert text[keyword.start : keyword.start + len(keyword.text)] == keyword.text
        assert keyword.text.strip() == keyword.text != ""


# Properties

EXTRA = (
    "festival regatta Regattas friendly match Selva турнир турниры регата матч "
    "مباراة المباراة مهرجان 友谊赛 球队 サッカー ฟุตบอล "
    "Regatta-Team l'Estaque"
).split()


def invented(random: Random) -> Article:
    def text(most: int) -> str:
        pool = random.choice([WORDS, EXTRA, EXTRA])
        return " ".join(
            random.choice(PAIRS) if random.random() < 0.15 else random.choice([*pool, *WORDS])
            for _ in range(random.randrange(most))
        )

    return Article(
        text(8),
        text(9),
        random.choice(LANGUAGES),
        random.choice(["", "https://post.example/world/1", "http://news.wire.example/a"]),
        random.choice(["", "Jane Roe"]),
        random.choice(["", "", "Evening Post"]),
    )


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArchiveHarness]:
    """Fifty stories of one to three articles in two feeds, some old, some not indexed yet."""
    chance, archive = Random(11), ArchiveHarness(tmp_path_factory.mktemp("library"))
    for number in range(50):
        story = 0
        for _ in range(chance.choice([1, 1, 1, 2, 3])):
            [first] = archive.put(
                invented(chance),
                feed=chance.choice([1, 2]),
                story=story,
                at=NOON - chance.randrange(9) * DAY,
            )
            story = story or first
        if number == 40:
            archive.fill()
    yield archive
    archive.end()


def stories_of(library: ArchiveHarness, query: str, feeds: tuple[str, ...]) -> dict[int, str]:
    """Recent stories that a query matches in these feeds, with their first matching headlines."""
    tree, stories = parse(query, NAMES), {}
    for stored in library.archive.entries("", NOON - PERIOD):
        if (not feeds or stored.article.selectors.intersection(feeds)) and match(
            tree, ArticleWords(stored.article)
        ) is not None:
            stories[stored.story_id] = stored.article.title
    return stories


def unwanted_of(library: ArchiveHarness, tree: Node, pick: int) -> StoredEntry:
    entries = [
        stored
        for stored in library.archive.entries("", None)
        if match(tree, ArticleWords(stored.article)) is not None
    ]
    assume(entries)
    return entries[pick % len(entries)]


@given(
    QUERIES,
    st.integers(0, 200),
    st.sampled_from([(), ("World",), ("Harbour Wire", "sea")]),
    st.integers(0, 6),
)
@example("*", 3, (), 6)
@example("fire OR ракета OR 地震", 1, (), 6)
@settings(QUICK, max_examples=examples(60))
def test_a_proposal_excludes_the_article_and_hides_exactly_what_it_says(
    library: ArchiveHarness, query: str, pick: int, feeds: tuple[str, ...], most: int
) -> None:
    unwanted = unwanted_of(library, parse_or_assume(query), pick)
    before = stories_of(library, query, feeds)

    results = proposals(query, unwanted, library.archive, NAMES, NOON, feeds=feeds, limit=most)

    assert len(results) <= most
    for proposal in results:
        after = stories_of(library, proposal.query, feeds)
        hidden = {
            story: title
            for story, title in before.items()
            if story not in after and story != unwanted.story_id
        }
        assert not matches(proposal.query, unwanted.article)
        assert after.keys() <= before.keys()
        assert (proposal.hidden, proposal.remaining, proposal.share) == (len(hidden), len(after), 1)
        assert proposal.hides_whole_story == (unwanted.story_id not in after)
        assert 2 * proposal.hidden <= len(before.keys() - {unwanted.story_id})
        assert len(proposal.examples) == min(MAX_EXAMPLES, proposal.hidden)
        assert set(proposal.examples) <= set(hidden.values())
        assert proposal.query.endswith(proposal.added)
        assert query.strip() in proposal.query


@given(QUERIES, st.integers(0, 200))
@settings(QUICK, max_examples=examples(40))
def test_a_proposal_matches_no_word_that_the_query_asks_for(
    library: ArchiveHarness, query: str, pick: int
) -> None:
    tree = parse_or_assume(query)
    unwanted = unwanted_of(library, tree, pick)

    for proposal in proposals(query, unwanted, library.archive, NAMES, NOON, limit=20):
        clause = proposal.added.removeprefix("NOT ")
        if proposal.kind not in {"word", "phrase"}:
            continue
        assert clause.strip('"') in f"{unwanted.article.title} {unwanted.article.summary}"
        for leaf in positive_terms(tree):
            for item in leaf.items if isinstance(leaf, NamedList) else (leaf,):
                if isinstance(item, Term):
                    assert not any(
                        matches(clause, Article(item.text, language=language))
                        for language in LANGUAGES
                    ), item


@given(QUERIES, st.integers(0, 200), st.integers(0, 5))
@settings(QUICK, max_examples=examples(30))
def test_repeated_exclusions_do_not_nest_parentheses(
    library: ArchiveHarness, query: str, pick: int, which: int
) -> None:
    first = proposals(
        query, unwanted_of(library, parse_or_assume(query), pick), library.archive, NAMES, NOON
    )
    assume(first)
    once = first[which % len(first)]
    left = unwanted_of(library, parse(once.query, NAMES), pick)

    for twice in proposals(once.query, left, library.archive, NAMES, NOON):
        assert twice.query == f"{once.query} {twice.added}"


@given(QUERIES, articles(), st.sampled_from([*WORDS[:30], *EXTRA]))
@settings(QUICK, max_examples=examples(100))
def test_a_query_with_an_exclusion_matches_the_same_except_the_excluded(
    query: str, article: Article, word: str
) -> None:
    tree, clause = parse_or_assume(query), parse(word)
    assert isinstance(clause, Term | Meta)

    text = with_exclusion(query, tree, clause, NAMES)

    if text is not None:
        assert show(parse(text, NAMES)).endswith(f"NOT {word}")
        for changed in (article, replace(article, title=f"{article.title} {word}")):
            assert matches(text, changed) == (
                matches(query, changed) and not matches(word, changed)
            )
