"""What queries cost: the dear ones are refused, honest ones are not."""

import sys
from collections.abc import Iterator
from itertools import product

import pytest

from bot.errors import QueryError
from bot.model.entries import Article
from bot.query import matcher
from bot.query.parser import parse
from bot.query.price import (
    CHAT_LIMIT,
    QUERY_LIMIT,
    chat_price,
    check_chat_price,
    check_price,
    price,
    total_price,
)
from bot.query.tree import Near
from bot.query.words import ArticleWords

FIRST = "Anna Boris Carlos Dmitri Elena Fatima Giorgi Hassan Irina Jamal".split()
LAST = "Kovalenko Ibrahim Gonzalez Petrenko Schmidt Beridze Novak Haddad Yilmaz Rostami".split()
WIDE = "/.{1,%d}qq.{1,300}/"  # RE2 gives up its fast automaton on these


@pytest.fixture(autouse=True)
def untraced() -> Iterator[None]:
    """Without the measuring of coverage, which makes every line several times as dear."""
    trace = sys.gettrace()
    sys.settrace(None)
    yield
    sys.settrace(trace)


@pytest.mark.parametrize(
    "query",
    [
        WIDE % 290,
        " OR ".join(WIDE % number for number in range(200, 260)),
        f"storm NOT ({WIDE % 290} AND author:nobody)",
        f"title:({WIDE % 290})",
        " OR ".join(
            f'~"{first} {last}{end}"' for first, last in product(FIRST, LAST) for end in "a"
        ),
    ],
)
def test_a_query_that_costs_far_too_much_is_refused(query: str) -> None:
    tree = parse(query)
    assert price(tree) > QUERY_LIMIT
    with pytest.raises(QueryError) as refusal:
        check_price(tree, query)
    assert "2 ms are allowed" in refusal.value.message


@pytest.mark.parametrize(
    "query",
    [
        "storm",
        '("air defence" OR "missile attack") NEAR/10 (hospital OR school) NOT (film OR game)',
        "/S-[34]00/ OR /[a-z]{3,20}gate/i",
        " OR ".join(f"word{number}" for number in range(250)),
        " OR ".join(f'~"{first} {last}"' for first, last in zip(FIRST, LAST, strict=True)),
    ],
)
def test_an_honest_query_is_taken(query: str) -> None:
    """With room for the measuring of coverage, which makes every line several times as dear."""
    assert check_price(parse(query), query, 8 * QUERY_LIMIT) > 0


def test_two_hundred_honest_queries_are_within_the_bound_of_a_chat() -> None:
    trees = [
        parse(f'~{LAST[number % 10]} AND ("air defence" OR port{number}) NEAR/5 (fire OR blast)')
        for number in range(200)
    ]
    assert total_price(trees) < CHAT_LIMIT


def test_two_hundred_queries_for_two_of_a_hundred_names_are_within_it() -> None:
    """With room for the measuring of coverage."""
    names = [f'~"{first} {last}"' for first, last in product(FIRST, LAST)]
    trees = [
        parse(f"({names[number % 100]} OR {names[number * 7 % 100]}) AND storm{number}")
        for number in range(200)
    ]
    assert total_price(trees, 8 * CHAT_LIMIT) < 8 * CHAT_LIMIT


@pytest.mark.parametrize("query", ["@people", "@people AND storm", "@people NEAR/5 (storm OR fog)"])
def test_a_list_of_the_file_costs_a_chat_nothing(query: str) -> None:
    """Thirty names: alone they cost most of what one query of a chat may."""
    names = {"people": tuple(f'~"{first} {last}"' for first, last in product(FIRST, LAST[:3]))}
    tree = parse(query, names)
    assert check_chat_price(tree, query) > 0
    assert chat_price([tree, parse("storm")]) < CHAT_LIMIT


def test_a_list_that_is_too_dear_to_be_measured_hides_nothing_beside_it() -> None:
    """On a slow machine a hundred names may take longer than is measured."""
    names = {"people": tuple(f'~"{first} {last}"' for first, last in product(FIRST, LAST))}
    assert check_chat_price(parse("@people AND storm", names), "…") > 0
    dear = " OR ".join(WIDE % number for number in range(250, 270))
    with pytest.raises(QueryError):
        check_chat_price(parse(f"@people OR {dear}", names), "…")


def test_what_a_chat_adds_to_a_list_is_its_own() -> None:
    names = {"people": tuple(f'~"{first} {last}"' for first, last in product(FIRST, LAST[:5]))}
    dear = " OR ".join(WIDE % number for number in range(250, 270))
    with pytest.raises(QueryError):
        check_chat_price(parse(f"@people OR {dear}", names), "…")
    assert chat_price([parse("@people", names), parse(dear)]) > CHAT_LIMIT


def test_many_queries_that_are_cheap_alone_are_too_dear_together() -> None:
    trees = [parse(f"/[a-z]{{1,{number}}}q[a-z]{{1,200}}x/i") for number in range(30, 60)]
    dear = [parse(WIDE % number) for number in range(250, 270)]
    assert total_price([*trees, *dear]) > CHAT_LIMIT


@pytest.mark.parametrize("query", ["a NEAR/3 b", "a ONEAR/3 b", "(a OR c) NEAR/2 (b OR a)"])
@pytest.mark.parametrize("seed", range(8))
def test_near_finds_the_same_intervals_as_a_look_at_all_pairs(query: str, seed: int) -> None:
    node = parse(query)
    assert isinstance(node, Near)
    text = " ".join("abcd"[(seed * 7 + number * number + number // 3) % 4] for number in range(70))
    words = ArticleWords(Article(text[:60], text[60:]))
    left = matcher._intervals(node.left, words)
    right = matcher._intervals(node.right, words)
    pairs = set()
    for first, second in product(left, right):
        gap = second[0] - first[1]
        if gap < 0 and not node.ordered:
            gap = first[0] - second[1]
        same_field = (first[0] < words.summary_from) == (second[0] < words.summary_from)
        if 0 <= gap <= node.distance and same_field:
            pairs.add((min(first[0], second[0]), max(first[1], second[1])))
    found = [interval[:2] for interval in matcher._near(node, words)]
    assert found == sorted(pairs)[: matcher.INTERVALS]
