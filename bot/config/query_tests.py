"""Hold the subscriptions of a file against the headlines that it gives for them: `newsbell check` does, no running configuration fails by it."""

from collections.abc import Iterable

from bot.config.load import RuleTest
from bot.errors import Mistake
from bot.model.entries import Article
from bot.query.explain import explain, sentence
from bot.query.parser import Names, parse
from bot.query.words import ArticleWords
from bot.text.language import language_of


def failures(tests: Iterable[RuleTest], names: Names) -> list[Mistake]:
    """The tests that fail, each with its place and why."""
    found = []
    for test in tests:
        words = ArticleWords(Article(test.headline, language=language_of(test.headline)))
        said = explain(parse(test.query, names), words)
        if said.matched != test.wanted:
            should = "should match" if test.wanted else "should not match"
            text = f"“{test.headline}” {should} {test.subscription}. {sentence(said)}"
            found.append(Mistake(test.line, test.column, test.path, text))
    return found
