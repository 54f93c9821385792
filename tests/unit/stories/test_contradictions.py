"""Contradictions between headlines, and phonetic keys of names."""

from datetime import UTC, datetime

import pytest

from bot.model.stories import Report
from bot.stories import contradictions
from bot.stories.contradictions import contradicts, numeric_value
from bot.stories.features import extract_features, phonetic_key
from bot.text.stem import stems

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("title", "other", "expected"),
    [
        ("Council backs 12th harbour package", "Council backs 13th harbour package", True),
        (
            "Council backs twelfth harbour package",
            "The 12th harbour package is backed by the council",
            False,
        ),
        ("Quake of magnitude 5.1 shakes Galt", "Quake of magnitude 5.6 shakes Galt", True),
        ("Seven dead in Galt mine, 12 missing", "Nine dead in Galt mine, 14 missing", False),
        ("Nearly 200 sheep escape at Brisk", "More than 190 sheep escape at Brisk", False),
        ("Court hears the Varn case on Monday", "Court hears the Varn case on Thursday", True),
        ("Mayor of Galt resigns over ferry deal", "Mayor of Orrin resigns over ferry deal", True),
        (
            "Orla Denn beats Sanna Wick 3-1 in final",
            "Orla Denn beats Vera Quist 3-0 in final",
            True,
        ),
    ],
)
def test_headlines_of_different_events_contradict_each_other(
    title: str, other: str, *, expected: bool
) -> None:
    first, second = (
        extract_features(Report(number, text, "", "en", "A", NOON, b""))
        for number, text in enumerate((title, other), 1)
    )
    assert contradicts(first, second) is expected
    assert contradicts(second, first) is expected


def test_a_name_has_the_same_phonetic_key_in_several_scripts() -> None:
    assert phonetic_key("трамп") == phonetic_key("trump") == phonetic_key("ترامب")
    assert phonetic_key("al") == ""


@pytest.mark.parametrize("number", ["1e999", "9" * 400, "9" * 400 + "th", "1e15000", "2e16"])
def test_an_absurd_number_is_no_number(number: str) -> None:
    assert numeric_value(number) is None


@pytest.mark.parametrize(
    "words",
    [
        contradictions._CASUALTY_WORDS,
        contradictions._WEEKDAYS,
        contradictions._REPETITION_WORDS,
        contradictions._NIGHT_WORDS,
        contradictions._ORDINAL_WORDS,
    ],
)
def test_the_ukrainian_words_are_as_they_are_stemmed(words: dict[str, str]) -> None:
    """So that its large dictionary is not needed for texts in other languages."""
    listed = words[contradictions._STEMMED].split() if contradictions._STEMMED in words else []
    assert [stems(word, contradictions._STEMMED)[0] for word in listed] == listed
