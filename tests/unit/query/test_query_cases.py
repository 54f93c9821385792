"""The table of the query language (queries.tsv): evaluated, indexed, printed and parsed again."""

import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bot.errors import QueryError
from bot.model.chats import Subscription
from bot.model.entries import Article, Span
from bot.query.index import Index
from bot.query.matcher import match
from bot.query.parser import parse
from bot.query.tree import TEXT_FIELDS, show
from bot.query.words import ArticleWords

TABLE = Path(__file__).with_name("queries.tsv")
TIMES = re.compile(r"\{(\d+)x([^}]*)\}")
CHARACTER = re.compile(r"\{U\+([0-9A-F]{4,6})\}")
PLACE = re.compile(r"!(\d+)(?:\.\.(\d+))?(?: (.*))?")
FIELDS = frozenset(
    {
        "summary",
        "body",
        "link",
        "author",
        "source",
        "feed",
        "feed_name",
        "publisher",
        "tags",
        "categories",
    }
)


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table."""

    line: int
    sentence: str  #: the first word of its heading
    query: str
    article: Article
    matched: tuple[str, ...] | None  #: texts, in order; None where nothing may match
    error: tuple[int, int, str] | None  #: first and last position allowed, and words of the message

    @property
    def description(self) -> str:
        """The case for the message of a failure."""
        article = self.article
        return (
            f"line {self.line}: {self.query[:200]!r} against {article.title[:200]!r} / "
            f"{article.summary!r} ({article.language})"
        )


def _written_out(text: str) -> str:
    repeated = TIMES.sub(lambda escape: int(escape[1]) * escape[2], text)
    return CHARACTER.sub(lambda escape: chr(int(escape[1], 16)), repeated)


def _article(language: str, title: str, further: list[str]) -> Article:
    fields: dict[str, Any] = dict(field.split("=", 1) for field in further)
    assert fields.keys() <= FIELDS, further
    for name in ("tags", "categories"):
        if name in fields:
            fields[name] = tuple(fields[name].split(","))
    return Article(title, language="" if language == "-" else language, **fields)


def _case(line: int, sentence: str, row: list[str]) -> Case:
    language, query, title, outcome, *further = map(_written_out, row)
    article = _article(language, title, further)
    place = PLACE.fullmatch(outcome)
    if place:
        error = (int(place[1]), int(place[2] or place[1]), place[3] or "")
        return Case(line, sentence, query, article, None, error)
    matched = {"-": None, "+": ()}.get(outcome, tuple(outcome.split(" | ")))
    return Case(line, sentence, query, article, matched, None)


def _read() -> tuple[list[Case], dict[str, tuple[str, ...]]]:
    cases: list[Case] = []
    names: dict[str, tuple[str, ...]] = {}
    sentence = ""
    for line, text in enumerate(TABLE.read_text(encoding="utf-8").splitlines(), 1):
        if text.startswith("## "):
            sentence = text[3:].partition(":")[0]
        elif text.startswith("@") and not sentence:
            name, *items = text.split("\t")
            names[name[1:]] = tuple(items)
        elif text and (sentence or not text.startswith("#")):
            cases.append(_case(line, sentence, text.split("\t")))
    return cases, names


CASES, NAMES = _read()
READABLE = [case for case in CASES if case.error is None]
WRONG = [case for case in CASES if case.error is not None]
LANGUAGES = frozenset(case.article.language for case in CASES if case.article.language)
#: A test each, and not one for each row: pytest itself took longer than the rows.
SENTENCES = pytest.mark.parametrize("sentence", sorted({case.sentence for case in READABLE}))


def _of(sentence: str, cases: list[Case]) -> list[Case]:
    return [case for case in cases if case.sentence == sentence]


def _texts(article: Article, spans: tuple[Span, ...] | None) -> tuple[str, ...] | None:
    texts = {name: getattr(article, name) for name in TEXT_FIELDS}
    return (
        None if spans is None else tuple(texts[span.field][span.start : span.end] for span in spans)
    )


def _subscription(number: int, query: str) -> Subscription:
    return Subscription(number, query[:20], query, (), (1,))


def test_the_table_covers_every_sentence_in_many_languages() -> None:
    sentences = Counter(case.sentence for case in CASES)

    assert len(CASES) >= 320
    assert len(LANGUAGES) >= 15
    assert min(sentences.values()) >= 5, sentences
    assert {case.sentence for case in READABLE if case.matched is None} == {
        case.sentence for case in READABLE if case.matched is not None
    }


@SENTENCES
def test_a_query_matches_where_the_table_says(sentence: str) -> None:
    for case in _of(sentence, READABLE):
        spans = match(parse(case.query, NAMES), ArticleWords(case.article))

        assert _texts(case.article, spans) == case.matched, case.description


@SENTENCES
def test_the_index_matches_where_the_table_says(sentence: str) -> None:
    for case in _of(sentence, READABLE):
        index = Index(NAMES, languages=frozenset({case.article.language or "en"}))
        index.set(_subscription(7, case.query))

        matches = index.match(case.article)

        assert [row.subscription_id for row in matches] == ([] if case.matched is None else [7]), (
            case.description
        )
        assert (_texts(case.article, matches[0].spans) if matches else None) == case.matched, (
            case.description
        )


@SENTENCES
def test_a_printed_query_parses_to_the_same_tree(sentence: str) -> None:
    for case in _of(sentence, READABLE):
        tree, words = parse(case.query, NAMES), ArticleWords(case.article)

        again = parse(show(tree), NAMES)

        assert again == tree, show(tree)
        assert match(again, words) == match(tree, words), show(tree)


def test_a_wrong_query_is_rejected_with_position_and_remedy() -> None:
    for case in WRONG:
        assert case.error
        first, last, words = case.error
        with pytest.raises(QueryError) as caught:
            parse(case.query, NAMES)

        assert words in caught.value.message, case.description
        assert first <= caught.value.position <= last, (
            f"{case.description}\n{caught.value.caret()[-500:]}\n{caught.value.message}"
        )
        assert len(caught.value.caret().splitlines()) == 2, case.description


def test_the_index_keeps_nothing_of_a_query_that_cannot_be_parsed() -> None:
    for case in WRONG:
        index = Index(NAMES, languages=frozenset({"en"}))
        index.set(_subscription(7, "fire"))

        with suppress(QueryError):  # raised, or set aside in `broken`
            index.set(_subscription(7, case.query))

        assert len(index) == 0, case.description
        assert index.match(Article(f"Fire {case.query[:100]}", language="en")) == []


@cache
def _all_at_once() -> Index:
    index = Index(NAMES, languages=LANGUAGES)
    for case in READABLE:
        index.set(_subscription(case.line, case.query))
    return index


@pytest.mark.parametrize("language", sorted(LANGUAGES | {""}))
def test_each_query_matches_the_same_in_an_index_of_all_queries(language: str) -> None:
    index = _all_at_once()
    for case in (row for row in READABLE if row.article.language == language):
        spans = {row.subscription_id: row.spans for row in index.match(case.article)}

        assert _texts(case.article, spans.get(case.line)) == case.matched, case.description
