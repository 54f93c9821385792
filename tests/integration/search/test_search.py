"""Search: it finds exactly what the matcher says, whatever the state of its full-text index."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from archive_harness import DAY, HOUR, POST, ArchiveHarness
from feed_harness import watching
from hypothesis import given, settings
from hypothesis import strategies as st
from query_strategies import LANGUAGES, PAIRS, QUERIES, QUICK, WORDS, articles, parse_or_assume
from sampling import examples
from sqlite_utils import Database
from structlog.typing import EventDict
from support import (
    NOON,
    FeedServer,
    ManualClock,
    Recorder,
    connection_of,
    item,
    newsbell,
    poll,
    rss,
    sqlite,
)

from bot.errors import StoreError
from bot.model.entries import Article
from bot.query.matcher import match
from bot.query.parser import parse
from bot.query.prefilter import fts_expression, search_text
from bot.query.words import ArticleWords
from bot.search.matches import search
from bot.store import search_index
from bot.store.schema import migrations


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[ArchiveHarness]:
    archive = ArchiveHarness(tmp_path)
    yield archive
    archive.end()


def invented(chance: Random) -> Article:
    """An article of the vocabulary that the random queries have."""

    def text(most: int) -> str:
        return " ".join(
            chance.choice(PAIRS) if chance.random() < 0.2 else chance.choice(WORDS)
            for _ in range(chance.randrange(most))
        )

    link = chance.choice(
        [
            "",
            "https://post.example/world/1",
            "http://news.wire.example/a",
            "https://outpost.example/",
        ]
    )
    summary = text(9)
    return Article(
        text(7),
        summary,
        chance.choice(LANGUAGES),
        link,
        chance.choice(["", "Jane Roe", "John Doe"]),
        chance.choice(["", "Evening Post"]),
        body=chance.choice(["", text(20), f"{summary} {text(9)}"]),
        categories=tuple(chance.sample(["World", "Sea news"], chance.randrange(3))),
    )


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArchiveHarness]:
    """Entries in every state: indexed, changed before and after, pruned, reindexed, not indexed."""
    chance, archive = Random(7), ArchiveHarness(tmp_path_factory.mktemp("library"))
    first = archive.put(*(invented(chance) for _ in range(70)), feed=1)
    archive.revise(first[0], invented(chance))
    archive.fill()
    for number in first[1:15]:
        archive.revise(number, invented(chance))
    archive.fill()
    for number in first[8:20]:
        archive.revise(number, invented(chance))
    archive.forget(*first[17:30])
    archive.put(*(invented(chance) for _ in range(50)), feed=2)
    archive.fill(1)
    archive.put(*(invented(chance) for _ in range(25)), feed=2)
    yield archive
    archive.end()


def agree(archive: ArchiveHarness, query: str) -> None:
    """Assert that a search finds exactly what the matcher finds in all entries, newest first."""
    tree = parse_or_assume(query)
    expected = [
        (entry.id, spans)
        for entry in archive.archive.entries("", None)
        if (spans := match(tree, ArticleWords(entry.article))) is not None
    ]
    assert [(hit.entry.id, hit.spans) for hit in search(tree, archive.archive)] == expected
    assert expected == sorted(expected, key=lambda row: -row[0])


# The search agrees with the matcher


@given(st.lists(QUERIES, min_size=1, max_size=2))
@settings(QUICK, max_examples=examples(40))
def test_a_search_finds_exactly_what_the_matcher_says_in_any_state_of_its_index(
    library: ArchiveHarness, queries: list[str]
) -> None:
    for query in queries:
        agree(library, query)


@pytest.fixture(scope="module")
def growing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArchiveHarness]:
    archive = ArchiveHarness(tmp_path_factory.mktemp("growing"))
    yield archive
    archive.end()


@given(
    st.lists(articles(), min_size=1, max_size=4),
    st.one_of(st.none(), articles()),
    st.lists(QUERIES, min_size=1, max_size=4),
    st.booleans(),
)
@settings(QUICK, max_examples=examples(25))
def test_a_search_finds_any_new_or_changed_article_that_matches(
    growing: ArchiveHarness,
    new: list[Article],
    changed: Article | None,
    queries: list[str],
    filled: bool,
) -> None:
    numbers = growing.put(*new, feed=1 + filled)
    if filled:
        growing.fill()
    if changed:
        growing.revise(numbers[0], changed)
    for query in queries:
        agree(growing, query)


def test_a_stored_entry_has_everything_that_a_query_compares(harness: ArchiveHarness) -> None:
    article = Article(
        "Title", "Summary", "uk", "https://post.example/1", "Jane Roe", "Evening Post"
    )
    [number] = harness.put(article, feed=2, at=NOON, published=NOON - HOUR)

    [entry] = harness.archive.entries("", None)

    assert (entry.id, entry.first_seen_at, entry.published, entry.at, entry.silent) == (
        number,
        NOON,
        NOON - HOUR,
        NOON - HOUR,
        None,
    )
    assert entry.article == replace(
        article,
        feed=POST.url,
        feed_name="Morning Post",
        publisher="post.example",
        tags=("World", "sea"),
    )


@pytest.mark.parametrize("taken_in", [False, True])
@pytest.mark.parametrize(
    ("query", "language", "title"),
    [
        ("missile", "en", "Missiles over the mill"),
        ("Haus", "de", "Die Häuser am Hafen"),
        ("ракета", "ru", "Удар ракетами"),
        ("Київ", "uk", "Вечір у Києві"),
        ("ממשלה", "he", "הודעת הממשלה"),
        ("الحكومة", "ar", "بيان حكومة جديدة"),
        ("地震", "ja", "東部で地震が発生"),
        ("S-300", "", "Комплексы С-300"),
        ("~Zelensky", "", "Зеленський у порту"),
        ("rate*", "", "Rated higher"),
        ("=WHO", "", "The WHO warns"),
        ("1,000", "de", "1.000 Wohnungen"),
        ("об'єкт", "uk", "Об’єкти енергетики"),
        ("/S-[34]00/", "", "An S-400"),
        ("feed:wire", "", "Anything"),
        ("tag:sport", "", "Anything"),
        ("* lang:fi", "fi", "Jotain"),
    ],
)
def test_an_article_is_found_in_any_language_before_and_after_it_is_indexed(
    harness: ArchiveHarness, query: str, language: str, title: str, taken_in: bool
) -> None:
    harness.put(Article(title, language=language), Article("Nothing of it", language="en"))
    if taken_in:
        assert harness.fill() == 2

    assert title in harness.titles(query)


@pytest.mark.own_engine("about FTS5")
def test_an_index_with_keys_of_another_version_is_not_used_and_is_built_anew(
    harness: ArchiveHarness,
) -> None:
    harness.put(Article("臺灣 harbour", language="zh"), Article("Radar", language="en"))
    assert harness.fill() == 2
    harness.rows("update meta set value = '1' where name = 'search_keys' returning 1")
    harness.rows("insert into search (search) values ('delete-all') returning 1")

    assert harness.titles("台湾") == ["臺灣 harbour"]
    assert harness.fill() == 2
    assert harness.titles("台湾") == ["臺灣 harbour"]
    assert harness.fill() == 0


@pytest.mark.parametrize("filled_between", [False, True])
@pytest.mark.parametrize("filled_after", [False, True])
def test_changed_words_are_found_and_the_old_ones_are_not(
    harness: ArchiveHarness, filled_between: bool, filled_after: bool
) -> None:
    [number] = harness.put("Harbour opens")
    if filled_between:
        harness.fill()
    harness.revise(number, Article("Mill closes", language="en"))
    if filled_after:
        harness.fill()

    assert (harness.titles("mill"), harness.titles("harbour")) == (["Mill closes"], [])
    harness.revise(number, Article("Harbour again", language="en"))
    assert (harness.titles("mill"), harness.titles("harbour")) == ([], ["Harbour again"])
    harness.fill()
    assert (harness.titles("mill"), harness.titles("harbour")) == ([], ["Harbour again"])


@pytest.mark.parametrize(
    ("query", "language", "title"),
    [("Hafen", "de", "Die Häfen im Norden"), ("війна", "uk", "Кінець війни")],
)
def test_a_headline_that_a_revision_puts_into_a_new_language_is_found_in_its_inflections(
    harness: ArchiveHarness, query: str, language: str, title: str
) -> None:
    [number] = harness.put("Harbour opens")
    harness.revise(number, Article(title, language=language))
    assert harness.titles(query) == [title], "before it is taken in"

    harness.fill()

    assert harness.titles(query) == [title]


def test_a_search_examines_few_entries_and_a_broad_query_all(harness: ArchiveHarness) -> None:
    harness.put(*(f"Harbour chronicle {number}" for number in range(60)), "A mill burns")
    languages = harness.archive.languages()
    narrow = fts_expression(parse("mill burn*"), languages)
    assert harness.archive.count(narrow, None) == 61, "nothing is taken in yet"

    harness.fill()

    assert harness.archive.count(narrow, None) == 1
    assert fts_expression(parse("* NOT mill"), languages) == ""
    assert harness.archive.count("", None) == 61
    assert len(harness.titles("* NOT mill")) == 60


def test_a_search_can_be_limited_to_feeds_and_a_time(harness: ArchiveHarness) -> None:
    harness.put("Harbour one", feed=1, at=NOON - 2 * DAY)
    harness.put("Harbour two", feed=2, at=NOON)

    assert harness.titles("harbour") == ["Harbour two", "Harbour one"]
    assert (
        harness.titles("harbour", feeds=("Morning Post",))
        == harness.titles("harbour", feeds=("sea",))
        == ["Harbour two"]
    )
    assert harness.titles("harbour", feeds=("sport", "sea")) == ["Harbour two", "Harbour one"]
    assert harness.titles("harbour", since=NOON - DAY) == ["Harbour two"]
    assert harness.titles("harbour", feeds=("none",)) == []


def _deep(depth: int) -> str:
    return (
        "".join(f"(w{number} OR (x{number} AND " for number in range(depth))
        + "harbour"
        + "))" * depth
    )


@pytest.mark.parametrize(
    "query",
    [
        f"({_deep(14)}) OR harbour",
        f"harbour OR ({_deep(14)})",
        " OR ".join(f"word{number}" for number in range(299)) + " OR harbour",
        " ".join(f"(harbour OR w{number}-x{number})" for number in range(90)),
        " OR ".join(f'~"Name{chr(97 + number)} Sur{chr(97 + number)}kov"' for number in range(24))
        + " OR harbour",
        "harbour NEAR/0 " * 14 + "harbour OR harbour",
        " OR ".join(f"be{chr(97 + number)}g*" for number in range(26)) + " OR harbour",
        "-".join("abcdefgh"[number % 8] * 2 for number in range(200)) + " OR harbour",
        "harbour OR near OR and",
        "harbour -(☭a OR a☭)",
        "harbour OR " + "火" * 500,
        "(site:harbour.example OR harbour)",
        "title:(harbour OR mill) NOT summary:(harbour OR mill)",
    ],
    ids=lambda query: query[:30],
)
def test_queries_of_any_size_and_with_any_signs_can_be_searched(
    harness: ArchiveHarness, query: str
) -> None:
    harness.put(*[f"Harbour {number}" for number in range(3)])
    harness.fill()
    assert harness.titles(query) == ["Harbour 2", "Harbour 1", "Harbour 0"]


# The upkeep of the search


@pytest.mark.own_engine("about FTS5")
def test_the_index_is_filled_in_batches_with_each_entry_once(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "BATCH", 4)
    harness.put(*(f"Harbour {number}" for number in range(10)))

    done = [harness.run(harness.store.search.fill(NOON)) for _ in range(5)]

    assert done == [4, 4, 2, 0, 0]
    assert harness.rows("select count(*) from search where search match '\"=harbour\"'") == [(10,)]
    assert harness.rows("select value from meta where name = 'search_rows'") == [("10",)]
    harness.put("Harbour last")
    assert harness.fill() == 1
    assert len(harness.titles("harbour")) == 11


def test_a_change_of_an_entry_that_is_not_indexed_yet_adds_no_row(
    harness: ArchiveHarness,
) -> None:
    [harbour, mill] = harness.put("Harbour", "Mill")
    harness.revise(harbour, Article("Pier", language="en"))
    assert harness.fill() == 2
    assert harness.rows("select * from unsearched") == []

    harness.revise(mill, Article("Quay", language="en"))
    harness.revise(mill, Article("Wharf", language="en"))
    assert harness.rows("select entry_id from unsearched") == [(mill,)]
    assert (harness.fill(), harness.rows("select * from unsearched")) == (1, [])
    assert [harness.titles(word) for word in ("mill", "quay", "wharf", "pier")] == [
        [],
        [],
        ["Wharf"],
        ["Pier"],
    ]


@pytest.mark.own_engine("an error of SQLite, and FTS5")
def test_a_failed_batch_is_rolled_back_and_repeated_after_a_restart(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "BATCH", 3)
    harness.put(*(f"Harbour {number}" for number in range(8)))
    assert harness.run(harness.store.search.fill(NOON)) == 3
    original, calls = search_text, []

    def breaking(words: ArticleWords) -> str:
        calls.append(words)
        if len(calls) == 2:
            raise sqlite3.OperationalError("disk I/O error")
        return original(words)

    with monkeypatch.context() as broken:
        broken.setattr(search_index, "search_text", breaking)
        with pytest.raises(StoreError):
            harness.run(harness.store.search.fill(NOON))
    assert len(harness.titles("harbour")) == 8
    harness.close()
    harness.open()

    assert harness.rows("select value from meta where name = 'searched'") == [("3",)]
    assert (harness.fill(), len(harness.titles("harbour"))) == (5, 8)
    assert harness.rows("select count(*) from search where search match '\"=harbour\"'") == [(8,)]


@pytest.mark.own_engine("about files")
def test_a_newsbell_killed_between_two_batches_continues_with_the_next(
    harness: ArchiveHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files on the disk with a log that was not checkpointed, as after a kill."""
    monkeypatch.setattr(search_index, "BATCH", 3)
    harness.put(*(f"Harbour {number}" for number in range(8)))
    harness.fill(1)
    left = tmp_path / "left"
    left.mkdir()
    for name in ("newsbell.db", "newsbell.db-wal"):
        shutil.copy(tmp_path / name, left / name)
    after = ArchiveHarness(left)
    try:
        assert len(after.titles("harbour")) == 8
        assert (after.fill(), after.fill()) == (5, 0)
        assert len(after.titles("harbour")) == 8
    finally:
        after.end()


@pytest.mark.own_engine("about FTS5")
def test_pruned_entries_are_not_found_and_the_index_is_rebuilt(
    harness: ArchiveHarness,
) -> None:
    numbers = harness.put(*(f"Harbour {number}" for number in range(220)))
    harness.fill()
    assert not harness.run(harness.store.search.renew())

    harness.forget(*numbers[:200])
    assert len(harness.titles("harbour")) == 20
    assert harness.run(harness.store.search.renew())
    assert len(harness.titles("harbour")) == 20, "before it is filled again"
    harness.put("Harbour last")
    harness.revise(numbers[-1], Article("Mill", language="en"))
    assert harness.fill() == 21
    assert (len(harness.titles("harbour")), harness.titles("mill")) == (20, ["Mill"])
    assert not harness.run(harness.store.search.renew())
    assert harness.rows("select count(*) from search where search match '\"=harbour\"'") == [(20,)]


def test_entries_that_are_pruned_before_their_change_is_indexed_leave_no_rows(
    harness: ArchiveHarness,
) -> None:
    [number] = harness.put("Harbour")
    harness.fill()
    harness.revise(number, Article("Mill", language="en"))
    harness.forget(number)

    assert harness.fill() == 0
    assert harness.titles("mill OR harbour") == []
    assert harness.rows("select * from unsearched") == []


def test_an_entry_added_after_all_were_pruned_is_found_after_a_restart(
    harness: ArchiveHarness,
) -> None:
    """Numbers of entries begin anew below those that the search has taken in."""
    numbers = harness.put(*(f"Harbour {number}" for number in range(5)))
    harness.fill()
    harness.forget(*numbers)
    harness.run(harness.store.search.renew())
    harness.close()
    harness.open()

    harness.put("Mill burns")
    harness.fill()

    assert harness.titles("mill") == ["Mill burns"]
    assert harness.titles("harbour") == []


def drop(db: sqlite3.Connection) -> None:
    db.execute("drop table search")


def spoil(db: sqlite3.Connection) -> None:
    db.execute("update search_data set block = x'ffffffffffffffff'")


@pytest.mark.parametrize("harm", [drop, spoil])
async def test_a_broken_search_stops_neither_polls_nor_alerts(
    tmp_path: Path,
    server: FeedServer,
    clock: ManualClock,
    terminal: Recorder,
    harm: Callable[[sqlite3.Connection], None],
) -> None:  # fmt: skip
    async with watching(tmp_path, server, clock, terminal) as harness:
        await harness.publish(rss(item("1", "Old", at=NOON - 3 * DAY)))
        await harness.app.jobs.fill_search()
        await sqlite(harness.app)._writer.run("break", lambda db: harm(connection_of(db)))

        assert await harness.publish(rss(item("2", "The harbour opens"))) == ["The harbour opens"]
        await harness.app.jobs.fill_search()
        assert await harness.publish(rss(item("2", "The harbour closes"))) == []
        await harness.app.jobs.fill_search()
        assert harness.edits == ["The harbour closes"]
        await harness.app.jobs.prune()
        await harness.app.run_once()
        assert await harness.publish(rss(item("3", "A further harbour"))) == ["A further harbour"]


async def test_a_broken_search_is_logged(
    tmp_path: Path,
    server: FeedServer,
    clock: ManualClock,
    terminal: Recorder,
    events: list[EventDict],
) -> None:
    async with watching(tmp_path, server, clock, terminal) as harness:
        await sqlite(harness.app)._writer.run("break", lambda db: drop(connection_of(db)))
        await harness.publish(rss(item("1", "Old", at=NOON - 3 * DAY)))
        await harness.app.jobs.fill_search()

    assert any(entry["event"] == "search_index_failed" for entry in events)


async def test_a_single_run_indexes_all_its_entries(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with watching(tmp_path, server, clock, terminal) as harness:
        server.put(
            "/feed.xml",
            rss(
                *(
                    item(str(number), f"Harbour {number}", at=NOON - 3 * DAY)
                    for number in range(130)
                )
            ),
        )
        await harness.app.run_once()

        assert await harness.app.store.search.fill(NOON) == 0
        assert len(list(search(parse("harbour"), harness.app.store.archive))) == 130


@pytest.mark.own_engine("databases of before are files")
async def test_a_database_of_the_previous_version_is_migrated_and_searched(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    path = tmp_path / "newsbell.db"
    connection = sqlite3.connect(path, isolation_level=None)
    old = Database(connection, execute_plugins=False)
    migrations.apply(old, stop_before="m002_languages_and_search")
    feed = server.url("/a")
    at = (NOON - HOUR).isoformat(timespec="microseconds")
    connection.execute(
        "insert into feeds (id, url, name, publisher, created_at, host, next_poll_at, "
        "baseline_at) values (1, ?, 'Wire', 'Wire', ?, 'x', ?, ?)",
        [feed, at, at, at],
    )
    for number, title in enumerate(
        ["Missiles over the mill", "Удар ракетами", "東部で地震が発生"], 1
    ):
        connection.execute(
            "insert into entries (id, feed_id, story_id, guid_key, link_key, title_key, "
            "article_key, guid, link, title, summary, author, source, first_seen_at) "
            "values (?, 1, ?, ?, x'', ?, x'', 'g', '', ?, '', '', '', ?)",
            [number, number, bytes([number]) * 16, bytes([number]) * 16, title, at],
        )
    connection.close()
    config = json.dumps(
        {
            "settings": {"network": {"allow": ["127.0.0.0/8"]}},
            "chats": {"here": {"terminal": True}},
            "feeds": [feed],
        }
    )
    for taken_in in (False, True):
        async with newsbell(tmp_path, config, clock=clock) as app:
            if taken_in:
                await app.jobs.fill_search()
            archive = app.store.archive
            results = [
                [hit.entry.id for hit in search(parse(query), archive)]
                for query in ("mill", "ракета", "地震", "* NOT missile")
            ]
            assert results == [[1], [2], [3], [3, 2]]
            server.put("/a", rss(item("new", "Missiles again")))
            await poll(app)
            assert len(list(search(parse("missile"), archive))) == 2


@pytest.mark.own_engine("about the log of a file")
def test_an_abandoned_search_keeps_no_transaction_open(harness: ArchiveHarness) -> None:
    harness.put(*(f"Harbour {number}" for number in range(20)))
    results = search(parse("harbour"), harness.archive)
    assert next(results).entry.article.title == "Harbour 19"
    results.close()  # type: ignore[attr-defined]
    harness.put("Harbour 20")

    assert harness.rows("pragma wal_checkpoint(truncate)")[0][0] == 0
