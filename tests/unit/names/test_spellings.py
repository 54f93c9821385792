"""Generated spellings of names, and names of places in other languages."""

import re

import pytest
from anyascii import anyascii

from bot.names.chinese import pinyin_syllables
from bot.names.find import find
from bot.names.gazetteer import exonyms, is_other_country
from bot.names.pattern import compile_name
from bot.names.spellings import safe_exonyms, spellings
from bot.text.fold import words


@pytest.mark.parametrize(
    "name",
    ["Zelensky", "Deir ez-Zor", "Kyiv", "Київ", "حلب", "Volodymyr Zelensky", "Germany", "习近平"],
)
def test_every_generated_spelling_matches_the_name(name: str) -> None:
    generated = spellings(name)
    assert generated[0] == name
    assert len(generated) <= 24
    for spelling in generated:
        assert find(compile_name(name), [word.folded for word in words(spelling)])
    assert len(spellings(name, 3)) <= 3


def test_spellings_of_a_latin_name_include_other_scripts() -> None:
    generated = spellings("Zelensky")
    assert "Зеленский" in generated
    assert "Зеленський" in generated
    assert "זלנסקי" in generated


def names(text: str) -> set[str]:
    """The other names of a place."""
    return {exonym.text for exonym in exonyms(text)}


def test_exonyms_are_given_only_for_unambiguous_places() -> None:
    """Countries by CLDR, larger cities by GeoNames."""
    assert {"Deutschland", "Германия", "ドイツ"} <= names("Germany")
    assert {"Ghazzah", "غزة", "עזה"} <= names("Gaza")
    assert "روما" in names("Rome")
    assert exonyms("Zelensky") == ()
    assert exonyms("Springfield") == ()
    assert not {"island", "Island", "Ísland"} & names("Iceland")
    assert is_other_country("germany", -1)
    assert not is_other_country("germany", compile_name("Deutschland").place)
    assert not is_other_country("zelensky", -1)


def test_an_exonym_has_the_languages_that_use_it() -> None:
    languages = {exonym.text: exonym.languages for exonym in exonyms("Kyiv")}
    assert "de" in languages["Kiew"]
    assert "en" in languages["Kiev"]
    assert "de" not in languages["Kiev"]
    assert languages["Keju"] == frozenset()


def test_a_list_to_paste_has_no_word_of_another_meaning() -> None:
    listed = safe_exonyms("Kyiv")
    assert {"Київ", "Киев", "كييف", "Kijów"} <= set(listed)
    assert not {"Keju", "Kieu", "Kief", "Kijo", "Ki ep", "Kiebo"} & set(listed)
    assert "Gazza" not in safe_exonyms("Gaza")
    assert "Roma" not in safe_exonyms("Rome")  # a people in English


def test_the_syllables_of_pinyin_are_those_of_all_characters() -> None:
    written = anyascii("".join(map(chr, range(0x4E00, 0x9FA6))))  # each begins with a capital
    assert {part.lower() for part in re.findall("[A-Z][a-z]*", written)} == pinyin_syllables()
