"""Changing an index step by step, while articles are matched."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from query_strategies import NAMES, QUERIES, QUICK, articles, index_of, is_empty
from sampling import examples

from bot.model.chats import Subscription
from bot.model.entries import Article
from bot.query import index_keys
from bot.query.index import Index
from bot.query.parser import parse
from bot.text.stem import query_stems, unlike_languages


def subscribe(number: int, query: str, *chats: int, feeds: Sequence[str] = ()) -> Subscription:
    return Subscription(number, f"S{number}", query, tuple(feeds), chats or (1,))


def matching_ids(index: Index, text: str, language: str = "en") -> list[int]:
    return [row.subscription_id for row in index.match(Article(text, language=language))]


def test_articles_are_matched_between_the_steps_of_a_change() -> None:
    index = index_of(
        *(
            subscribe(number, f"harbour w{number}" if number % 2 else "harbour")
            for number in range(40)
        )
    )
    after = [subscribe(number, "mill" if number < 10 else "harbour") for number in range(5, 50)]
    changed: list[int] = []

    for number in index.synchronize(after):
        changed.append(number)
        text = "harbour mill " + " ".join(f"w{word}" for word in range(50))
        assert matching_ids(index, text) == sorted(index._compiled), (
            "each matches by its old words or by its new ones"
        )
    assert matching_ids(index, "harbour") == list(range(10, 50))
    assert matching_ids(index, "mill") == list(range(5, 10))
    assert sorted(set(changed)) == sorted(changed)
    assert set(range(5)) <= set(changed), "removed"
    assert not set(range(10, 40, 2)) & set(changed), "unchanged subscriptions are not touched"


@pytest.mark.parametrize("stored", ["", "ראש העיר דיבר", "市长讲话", "Mayor speaks", "!"])
def test_names_are_found_whatever_scripts_the_stored_articles_have(stored: str) -> None:
    index = Index({})
    index.prime([Article(stored)] if stored else [])
    for _ in index.synchronize([subscribe(1, "~Zelensky"), subscribe(2, "~Paris")]):
        pass

    assert matching_ids(index, "Zelenskyy arrives") == [1]
    assert matching_ids(index, "זלנסקי הגיע", "he") == [1]
    assert matching_ids(index, "泽连斯基抵达", "zh") == [1]


def test_a_change_in_a_chat_does_not_touch_other_chats(monkeypatch: pytest.MonkeyPatch) -> None:
    index = index_of(
        subscribe(1, "harbour", 1),
        subscribe(2, "mill", 2),
        subscribe(3, "radar", 1, 2),
        subscribe(4, "@weapons", 2),
    )
    untouched = {number: index.tree(number) for number in (2, 3, 4)}

    assert sorted(
        index.synchronize([subscribe(3, "radar", 1, 2), subscribe(5, "pier", 1)], NAMES, chat=1)
    ) == [
        1,
        5,
    ]

    assert {number: index.tree(number) for number in untouched} == untouched
    assert matching_ids(index, "harbour mill radar missile pier") == [2, 3, 4, 5]
    assert list(index.synchronize([], NAMES, chat=7)) == []
    assert sorted(index.synchronize([], NAMES, chat=2)) == [2, 3, 4]
    assert matching_ids(index, "harbour mill radar missile pier") == [5]


def test_a_changed_list_recompiles_only_the_queries_that_use_it() -> None:
    index = index_of(
        subscribe(1, "@weapons"),
        subscribe(2, "harbour"),
        subscribe(3, "radar OR ＠weapons"),
        subscribe(4, "@gone"),
    )
    assert set(index.broken) == {4}
    harbour = index.tree(2)
    fresh = {**NAMES, "weapons": ("cannon",), "gone": ("mast",)}

    changed = list(
        index.synchronize(
            [
                subscribe(1, "@weapons"),
                subscribe(2, "harbour"),
                subscribe(3, "radar OR ＠weapons"),
                subscribe(4, "@gone"),
            ],
            fresh,
        )
    )

    assert sorted(changed) == [1, 3, 4]
    assert index.tree(2) is harbour
    assert matching_ids(index, "a missile") == []
    assert matching_ids(index, "a cannon") == [1, 3]
    assert (index.broken, matching_ids(index, "a mast")) == ({}, [4])


def test_queries_of_a_removed_list_are_broken_until_it_is_back() -> None:
    index = index_of(subscribe(1, "@weapons"), subscribe(2, "harbour"))
    both = [subscribe(1, "@weapons"), subscribe(2, "harbour")]

    list(index.synchronize(both, {}))
    assert (
        set(index.broken),
        matching_ids(index, "missile harbour"),
        len(index.subscriptions()),
    ) == (
        {1},
        [2],
        2,
    )
    list(index.synchronize(both, NAMES))
    assert (index.broken, matching_ids(index, "missile harbour")) == ({}, [1, 2])
    list(index.synchronize([both[1]], {}))
    assert index.broken == {}


def test_a_chat_that_changes_while_the_file_is_loaded_does_not_keep_old_lists() -> None:
    """The lists of the file are already new when the chat changes; the file is applied later."""
    everything = [subscribe(1, "@weapons", 1), subscribe(2, "@weapons", 2)]
    index = index_of(*everything)
    fresh = {**NAMES, "weapons": ("cannon",)}

    list(index.synchronize([everything[0], subscribe(3, "pier", 1)], fresh, chat=1))
    list(index.synchronize([*everything, subscribe(3, "pier", 1)], fresh))

    assert matching_ids(index, "a cannon") == [1, 2]
    assert matching_ids(index, "a missile") == []


def test_a_new_language_is_added_for_all_queries() -> None:
    index = Index(NAMES, ())
    list(
        index.synchronize(
            [
                subscribe(1, "Haus"),
                subscribe(2, "Київ"),
                subscribe(3, "harbour"),
                subscribe(4, "Haus radar"),
            ]
        )
    )

    assert matching_ids(index, "Die Häuser", "de") == [1]
    assert matching_ids(index, "Вечір у Києві", "uk") == [2]
    assert matching_ids(index, "Häuser mit Radar", "de") == [1, 4]
    index.set(subscribe(5, "Häuser"))
    assert matching_ids(index, "Ein Haus", "de") == [1, 5]
    for number in range(1, 6):
        index.remove(number)
    assert is_empty(index)


@given(
    st.lists(
        st.tuples(st.integers(0, 5), QUERIES, st.sampled_from([(1,), (2,), (1, 2)])), max_size=8
    ),
    st.booleans(),
    articles(),
)
@settings(QUICK, max_examples=examples(30))
def test_a_synchronized_index_matches_as_a_new_index(
    changes: list[tuple[int, str, tuple[int, ...]]], other: bool, article: Article
) -> None:
    before = {
        number: Subscription(number, query[:20], query, (), chats)
        for number, query, chats in changes[: len(changes) // 2]
    }
    after = {
        number: Subscription(number, query[:20], query, (), chats)
        for number, query, chats in changes[len(changes) // 2 :]
    }
    names = {**NAMES, "weapons": ("fire", "~Kharkiv")} if other else NAMES
    index = index_of(*before.values())
    index.match(article)

    for _ in index.synchronize(after.values(), names):
        index.match(article)

    anew = Index(names, ("en",))
    for changed in after.values():
        anew.set(changed)
    assert index.match(article) == anew.match(article)
    assert set(index.broken) == set(anew.broken)


def test_the_frequencies_of_few_keys_are_remembered_those_of_frequent_ones_longest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(index_keys, "_MAX_COUNTED", 100)
    selector = index_keys.KeySelector(())
    for number in range(400):
        selector.observe(["=harbour", f"=w{number}", f"=x{number}", f"=y{number % 7}"])
        assert len(selector._counts) <= 100
    assert selector.choose(parse("=harbour =w399", {})) == frozenset({"=w399"})
    assert selector._counts["=harbour"] > 3


def test_a_word_is_stemmed_once_for_languages_that_stem_it_alike() -> None:
    languages = frozenset(("en", "de", "ru", "uk", "he", "ar", "ja", "zh", "ko", "hi", "sr", ""))
    for word in (
        "harbours",
        "Häuser",
        "Києві",
        "радары",
        "טילים",
        "الأخبار",
        "ニュース",
        "3",
        "кораби",
    ):
        unlike = unlike_languages(word, languages)
        assert len(unlike) < len(languages)
        assert {stem for language in unlike for stem in query_stems(word, language)} == {
            stem for language in languages for stem in query_stems(word, language)
        }


def test_languages_that_come_one_by_one_leave_the_same_keys_as_all_at_once() -> None:
    queries = (
        "Häuser Boote", "harbours NOT mills", '"two harbours"', "=Häuser", "(Києві OR Києва) море",
        "радары NEAR/3 корабли", "@weapons", "~Kyiv лодки", "hous* boats", "S-300 ракеты",
        "title:طائرات", "טילים", "lang:de Häuser", "新闻", "wi-fi networks", "كتب OR books",
    )  # fmt: skip
    languages = ("en", "ru", "de", "uk", "ar", "he", "ur", "fr", "zh", "sr")
    subscriptions = [subscribe(number, query) for number, query in enumerate(queries, 1)]
    one_by_one, at_once = Index(NAMES, ()), Index(NAMES, languages)
    for index in (one_by_one, at_once):
        list(index.synchronize(subscriptions))
    for language in languages:
        one_by_one.add_language(language)
    for number, compiled in at_once._compiled.items():
        other = one_by_one._compiled[number]
        assert (other.keys, other.clauses) == (compiled.keys, compiled.clauses), queries[number - 1]
