"""Warnings about accepted queries that may mean something else than their writer thinks."""

import pytest

from bot.errors import QueryError
from bot.query.parser import parse
from bot.query.warnings import query_warnings


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("harbour and port", "“and” is a word here"),
        ("harbour or port", "Write OR"),
        ("radar not football", "Write NOT"),
        ("Hafen und Brand", "Write AND"),
        ("Hafen ODER Brand", "Write OR"),
        ("fuego o humo", "Write OR"),
        ("порт и пожар", "Write AND"),
        ("порт або пожежа", "Write OR"),
        ("title:(radar or sonar)", "Write OR"),
        ("radar And sonar", "Write AND"),
        ("ANDNOT radar", "Write AND NOT"),
        ("harbour ANDradar", "Write AND radar"),
        ("ORsonar radar", "Write OR sonar"),
        ("radar NOTfootball", "Write NOT football"),
        ("port, selva, harbour", "joins nothing"),
        ("port,selva", "joins nothing"),
        ("port|selva", "joins nothing"),
        ("port; selva", "joins nothing"),
        ("ميناء، حريق", "joins nothing"),
        ("radar NOT radars", "next to nothing"),
        ("radar -ra*", "next to nothing"),
        ("(radar OR radars) NOT (sonar OR radar*)", "next to nothing"),
        ("title:radar NOT radars", "next to nothing"),
        ("radar NEAR/3 port NOT ports", "next to nothing"),
        ("raķete", "(lv)"),
        ("ракета lang:bg", "(bg)"),
        ("მთავრობა", "(ka)"),
        ("বন্দর", "(bn)"),
        ("Kraľovany", "(sk)"),
    ],
)
def test_a_query_that_may_be_mistaken_is_accepted_with_a_warning(query: str, words: str) -> None:
    assert any(words in str(warning) for warning in query_warnings(parse(query)))


@pytest.mark.parametrize(
    "query",
    [
        "radar",
        "and",
        'radar "and" sonar',
        "ANDROID update",
        "ORLANDO NOTRE",
        "ORACLE fire",
        "1,000 flats",
        "10 000 flats",
        'radar NOT "radar"',
        "radar NOT football",
        "radar NOT title:radars",
        "rad* NOT radar",
        "ракета",
        "미사일",
        "地震 lang:zh",
        "ракета lang:uk",
        '"port, selva"',
        "@ports and*",
    ],
)
def test_an_ordinary_query_gets_no_warning(query: str) -> None:
    assert query_warnings(parse(query, {"ports": ("bed and breakfast", "a, b")})) == []


@pytest.mark.parametrize(
    "query",
    [
        '"radar" NOT radar',
        '"old radar" NOT radar',
        '"radar" -ra*',
        "radar* -ra*",
        "=Radar NOT radar",
        '("radar" OR "radars") NOT ra*',
        '="old radar" NOT "radar"',
        '(title:"radar") NOT radar',
    ],
)
def test_a_query_that_can_match_nothing_in_any_language_is_refused(query: str) -> None:
    with pytest.raises(QueryError, match="No article can match"):
        parse(query)


def test_a_query_gets_at_most_three_warnings() -> None:
    assert len(query_warnings(parse("a and b or c not d und e oder f"))) == 3
