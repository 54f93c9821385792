"""Test the queries of a file on its example articles. For `newsbell check` only."""

from collections.abc import Iterable

from bot.config.load import RuleTest
from bot.errors import Mistake
from bot.model.entries import Article
from bot.query.explain import explain, sentence
from bot.query.parser import Names, parse
from bot.query.words import ArticleWords
from bot.text.clean import title, to_text
from bot.text.language import language_of


def failures(tests: Iterable[RuleTest], names: Names) -> list[Mistake]:
    """Return the tests that fail, each with its location and why."""
    mistakes = []
    for test in tests:
        headline = title(test.headline)  # as that of an article
        body = to_text(test.body)
        language = language_of(f"{headline} {body}")
        words = ArticleWords(Article(headline, language=language, body=body))
        said = explain(parse(test.query, names), words)
        if said.matched != test.should_match:
            should = "should match" if test.should_match else "should not match"
            text = f"“{test.headline}” {should} {test.subscription}. {sentence(said)}"
            mistakes.append(Mistake(test.line, test.column, test.path, text))
    return mistakes
