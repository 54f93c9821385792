"""Tests of subscriptions in feeds.yaml: their headlines are what real articles would have."""

import pytest

from bot.config.load import RuleTest
from bot.config.query_tests import failures


@pytest.mark.parametrize(
    ("query", "headline"),
    [
        ("harbour", "Har\u00adbour fire"),
        ("/air defence/", "Air\u00a0defence units".lower()),
        ("/a fire & smoke/", "A fire &amp; smoke".lower()),
        ("/harbour fire/", "harbour  fire "),
        ("harbour", "Har<wbr>bour fire"),
    ],
)
def test_a_headline_is_cleaned_as_that_of_an_article(query: str, headline: str) -> None:
    test = RuleTest("here", query, headline, True, 1, 1, "subscriptions[0].tests.match[0]")

    assert failures([test], {}) == []


def test_a_test_may_give_the_text_of_an_article() -> None:
    place = (1, 1, "subscriptions[0].tests.match[0]")
    body = "<p>A fire at the <b>mill</b>.</p>"

    assert failures([RuleTest("here", '"the mill"', "Dawn", True, *place, body)], {}) == []
    [mistake] = failures([RuleTest("here", "body:fire", "Dawn", False, *place, body)], {})
    assert "“fire”" in str(mistake) or "body:fire" in str(mistake)
