"""Words for happenings are found as a search for all of them would find them."""

import random

import pytest
import regex

from bot.stories import developments as module
from bot.stories.developments import developments
from bot.text.fold import fold


def written(language: str) -> dict[str, list[str]]:
    """The expressions of a language by kind, as data."""
    return {
        kind: words[language].split() for kind, words in module._WORDS.items() if language in words
    }


def searched(headline: str, language: str) -> frozenset[str]:
    """What one search for all expressions finds, from left to right."""
    prefix = "(?:[وفبلك]?(?:ال)?|لل)" if language == "ar" else ""
    kinds = written(language)
    groups = []
    for number, words in enumerate(kinds.values()):
        expressions = [
            prefix + fold(word.strip("_").replace("_", " ")).replace("*", r"\S*") for word in words
        ]
        groups.append(f"(?P<k{number}>{'|'.join(expressions)})")
    names = list(kinds)
    pattern = regex.compile(rf"(?<!\S)(?:{'|'.join(groups)})(?!\S)")
    return frozenset(names[int(str(match.lastgroup)[1:])] for match in pattern.finditer(headline))


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "ru", "uk", "ar"])
def test_a_text_tells_what_a_search_for_all_expressions_finds(language: str) -> None:
    chance = random.Random(language)
    texts = [word for words in written(language).values() for word in words]
    found = 0
    for _ in range(60):
        words: list[str] = []
        for text in chance.choices(texts, k=7):
            whole = fold(text.strip("_").replace("_", " "))
            word = whole.replace("*", chance.choice(("", "s", "en", "ами", "ات")))
            cut = chance.choice((word, word, word[:-1], word.split(" ")[0], f"x{word}", f"{word}q"))
            words.append(chance.choice(("", "", "و", "وال", "لل")) * (language == "ar") + cut)
        headline = " ".join(words)
        kinds = developments(headline, language)
        assert kinds == searched(headline, language), headline
        found += len(kinds)
    assert found > 60


def test_nothing_is_told_in_a_language_without_such_words() -> None:
    assert developments("strike called off", "fi") == frozenset()
    assert developments("strike called off", "") == {"called off"}
