"""Plain queries are read as the grammar reads them, and nothing else is taken for plain."""

from random import Random

import pytest
from sampling import SEED, amount

from bench.queries import Maker, Vocabulary
from bot.errors import QueryError
from bot.query import parser
from bot.query.tree import Node

PARTS = (
    *"AND OR NOT NEAR/3 ONEAR/2 NEAR NEAR/99 ( ) word S-300 foo* a* 3 10 000 =WHO -x".split(),
    *"! && || | title:x site:x.example /re/ * С300 Київ 北京 ÅÄ and or x_y ANDROID".split(),
    *'" @l ~Name ab b2b é* １２'.split(),
    *('"a b"', '"x"', '""', "10 000", "NOT NOT", '~"Deir ez-Zor"', '~""', "~Київ", "~3", "~a*"),
    *('="A b"', "=Who", "=10", "=10 000", "~al-Noor", "перемир'я", "U.S.", "a-b*", "-(", "-~Name"),
    *('title:"a b"', "title:(", "text:~Name", "site:https://a.example", "nofield:x", "title:", "-"),
    *(
        "@",
        "@l.x",
        "@l-x",
        "x@l",
        "a.b:c",
        "AND-x",
        "NEAR-5",
        "NOT:x",
        "title:-x",
        "-title:x",
        "a’b",
    ),
)
LISTS = {"l": ("harbour", "~Selvany", '"old mill"'), "l.x": ("qua*",)}
TEXTS = ["Harbour of Dunmore opens after the storm", "Two Towns agree on a Bridge over the Selva"]


def by_grammar(query: str, text: str) -> Node | None:
    try:
        return parser._tree(query, text, LISTS)
    except QueryError:
        return None


def queries(chance: Random) -> list[str]:
    made = Maker([Vocabulary.of(TEXTS)], SEED).queries(amount(150, 3000))
    mixed = (
        chance.choice(" ,").replace(",", "").join(chance.choices(PARTS, k=chance.randrange(1, 8)))
        for _ in range(amount(1500, 100_000))
    )
    return [*(query.text for query in made), *mixed]


def test_what_is_read_without_the_grammar_is_what_the_grammar_reads() -> None:
    plain = 0
    for query in queries(Random(SEED)):
        text = query.translate(parser._TYPOGRAPHIC)
        tree = parser._plain_tree(query, text, LISTS)
        if tree is not None:
            plain += 1
            assert tree == by_grammar(query, text), query
    assert plain > 100


@pytest.mark.parametrize(
    "query",
    [
        "harbour",
        'harbour* AND (mill OR "old bridge") NOT quay',
        "Київ NEAR/3 міст ONEAR/0 Дніпро",
        "С300 OR 北京",
        '~Selvany OR ~"Port Selvany" NOT harbour',
        "@l OR @l.x",
        "S-300 OR =Patriot OR перемир'я -film",
        'title:(harbour OR ="Port Selva") AND lang:de',
    ],
)
def test_what_people_write_is_plain(query: str) -> None:
    assert parser._plain_tree(query, query, LISTS) == by_grammar(query, query) is not None
    assert parser.parse(query, LISTS) == by_grammar(query, query)


@pytest.mark.parametrize(
    "query",
    ["10 000", "~a*", "~3", "a AND", "(a", "NEAR", "!x", "@list", "/a/", "nofield:x", "a && b", ""],
)
def test_all_else_is_left_to_the_grammar(query: str) -> None:
    assert parser._plain_tree(query, query, LISTS) is None
