"""The caches of words take so many bytes together and no more, whatever the words are."""

from itertools import count

import pytest

from bot.model.chats import Subscription
from bot.model.entries import Article
from bot.names import name_index
from bot.query.index import Index
from bot.text import word_cache
from bot.text.word_cache import WORDS, CacheBudget


def test_a_function_is_called_once_for_a_word() -> None:
    budget, calls = CacheBudget(10_000), []

    @budget.cache(100)
    def upper(word: str) -> str:
        calls.append(word)
        return word.upper()

    assert [upper(word) for word in ("a", "b", "a")] == ["A", "B", "A"]
    assert calls == ["a", "b"]
    assert upper.__name__ == "upper"


def test_the_largest_cache_is_emptied_and_the_small_ones_stay() -> None:
    budget = CacheBudget(20_000)

    @budget.cache(1000)
    def small(word: str) -> str:
        return word

    @budget.cache(1000)
    def large(word: str) -> tuple[str, ...]:
        return (word * 3,)

    for number in range(5):
        small(str(number))
    sizes = []
    for number in range(500):
        large(f"a word of many letters, {number}")
        sizes.append(budget.used)
    assert max(sizes) <= 20_000 + 1_000
    assert small.cache_info().currsize == 5
    assert 0 < large.cache_info().currsize < 60


@pytest.mark.parametrize("length", [3, 280])
def test_words_without_end_in_many_languages_take_no_more_than_the_limit(
    monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    monkeypatch.setattr(WORDS, "limit", 1_000_000)
    monkeypatch.setattr(WORDS, "_goal", 1_000_000)
    monkeypatch.setattr(name_index, "CACHE_LIMIT", 200_000)
    queries = Index({})
    queries.set(Subscription(1, "Names", "~Zelensky OR harbour", (), (1,)))
    numbers = count()
    for language in ("en", "de", "ru", "uk", "es", "ar", "fr") * 3:
        words = " ".join(f"{'x' * length}{next(numbers)}q" for _ in range(60))
        queries.match(Article(words[:300], words, language))
    assert 0 < WORDS.used <= 1_100_000
    assert len(queries._by_name._cache) * name_index.CACHED_WORD <= 200_000


def test_caches_of_words_are_under_one_limit() -> None:
    assert len(WORDS._caches) > 20
    assert word_cache.LIMIT == 32 * 1024 * 1024


def test_one_cache_is_emptied_with_a_word_until_half_is_free() -> None:
    budget = CacheBudget(40_000)
    caches = [budget.cache(1000)(upper) for upper in (str.upper, str.lower, str.title, str.strip)]
    emptied = []
    for number in range(200):
        for cached in caches:
            before = [other.cache_info().currsize for other in caches]
            cached(f"word {number}")
            after = [other.cache_info().currsize for other in caches]
            emptied.append(sum(new < old for new, old in zip(after, before, strict=True)))
    assert set(emptied) == {0, 1}
    assert budget.used <= 40_000
