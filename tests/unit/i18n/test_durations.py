"""Durations as people read them."""

from datetime import timedelta

import pytest

from bot.i18n.catalog import ENGLISH, Catalogs, Translator


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (40, "40 s"),
        (60, "1 min"),
        (1800, "30 min"),
        (3600, "1 h"),
        (5400, "1 h 30 min"),
        (259_200, "72 h"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: int, text: str) -> None:
    assert ENGLISH.duration(timedelta(seconds=seconds)) == text


def test_a_duration_has_the_units_of_the_language() -> None:
    assert Translator(catalog=Catalogs().of("ru")).duration(timedelta(hours=1)) == "1 ч"
    assert Translator(catalog=Catalogs().of("ar")).duration(timedelta(minutes=2)) == "دقيقتان"
