"""Developments: invented pairs of short texts that must not hide each other, and their words."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.model.stories import Report
from bot.stories.developments import developments
from bot.stories.window import Window
from bot.text.tokens import tokens

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
#: ninety pairs in six languages: opposites and sequels, which must part, and copies
PAIRS = Path(__file__).parent / "short_pairs.tsv"


def rows() -> list[dict[str, str]]:
    with PAIRS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def fate(row: dict[str, str], hours: int) -> str:
    """What a chat with default settings sees of the second text: alert, note or edit."""
    window = Window()
    for number, side in enumerate(("first", "second"), 1):
        placement = window.add(
            Report(
                number,
                row[f"{side}_title"],
                row[f"{side}_summary"],
                row["language"],
                side,
                NOON + timedelta(hours=hours * (number - 1)),
            )
        )
    if placement.story_ids.story == placement.id:
        return "alert"
    return "note" if placement.development else "edit"


@pytest.mark.parametrize("hours", [1, 4, 12])
def test_no_opposite_and_no_sequel_is_hidden(hours: int) -> None:
    hidden = [
        row["second_title"]
        for row in rows()
        if row["kind"] != "copy" and fate(row, hours) == "edit"
    ]
    assert hidden == []


@pytest.mark.parametrize("hours", [1, 4])
def test_few_copies_alert_twice(hours: int) -> None:
    """At most 15 %."""
    fates = [fate(row, hours) for row in rows() if row["kind"] == "copy"]
    assert fates.count("alert") <= 0.15 * len(fates)


@pytest.mark.parametrize(
    ("headline", "language", "kind"),
    [
        ("Strike at the Galt quarry called off", "en", "called off"),
        ("Streik im Steinbruch abgesagt", "de", "called off"),
        ("Cancelan la huelga en la cantera", "es", "called off"),
        ("Grève annulée à la carrière", "fr", "called off"),
        ("Забастовка в карьере отменена", "ru", "called off"),
        ("Страйк у кар'єрі скасовано", "uk", "called off"),
        ("وإلغاء الإضراب في المحجر", "ar", "called off"),
        ("Minister steps down", "en", "resigned"),
        ("تحرير الرهائن", "ar", "freed"),
    ],
)
def test_a_happening_is_known_by_its_words(headline: str, language: str, kind: str) -> None:
    assert kind in developments(" ".join(tokens(headline).words), language)


def test_plain_reports_and_other_languages_tell_of_no_happening() -> None:
    assert developments("four dock workers die in harbour blast", "en") == frozenset()
    assert developments("strike called off", "nl") == frozenset()
