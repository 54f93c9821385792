"""Generated spellings of names, and names of places in other languages."""

import pytest

from bot.names.find import find
from bot.names.gazetteer import exonyms, is_other_country
from bot.names.pattern import compile_name
from bot.names.spellings import spellings
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


def test_exonyms_are_given_only_for_unambiguous_places() -> None:
    """Countries by CLDR, larger cities by GeoNames."""
    assert {"Deutschland", "Германия", "ドイツ"} <= set(exonyms("Germany"))
    assert {"Ghazzah", "غزة", "עזה"} <= set(exonyms("Gaza"))
    assert exonyms("Zelensky") == ()
    assert exonyms("Springfield") == ()
    assert not {"island", "Island", "Ísland"} & set(exonyms("Iceland"))
    assert is_other_country("germany", -1)
    assert not is_other_country("germany", compile_name("Deutschland").place)
    assert not is_other_country("zelensky", -1)
