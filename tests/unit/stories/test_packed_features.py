"""What is stored of an entry's features says all of them, and is known to be of other code."""

from collections.abc import Iterator
from dataclasses import astuple, replace
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

import pytest
from sampling import amount
from story_reports import invented_reports

from bench.entries import load
from bot.model.stories import Report, StoredFeatures
from bot.stories.features import extract_features
from bot.stories.packed_features import VERSION, pack, unpack

AT = datetime(2026, 5, 4, 12, 30, 15, 123456, tzinfo=UTC)
TEXTS = (
    ("en", "Seven held after 1,200 protest in Port Selvany, police say", "Riot police moved in."),
    ("en", "Opinion: why the 3.5 % rise in Selvany's rates cannot last", ""),
    ("de", "Feuer in der Hafenstraße: 12 Verletzte, zwei Tote", "Die Polizei in Möllen ermittelt."),
    ("ru", "Пожар в порту Селваны: пять человек погибли", "Об этом сообщили в МЧС."),
    ("uk", "У Києві відкрили новий міст через Дніпро", "Рух почався у п'ятницю."),
    ("ar", "اندلاع حريق في ميناء سلفاني ومقتل خمسة", "قالت الشرطة إن الحريق بدأ ليلا"),
    ("he", "שריפה בנמל סלבני: חמישה הרוגים", "המשטרה פתחה בחקירה"),
    ("zh", "塞尔瓦尼港口发生火灾五人死亡", "警方表示火灾于周五夜间发生。"),
    ("ja", "セルバニ港で火災、5人死亡", ""),
    ("", "S-300 and Su-27 seen over Deir ez-Zor", "Live updates \u2028 follow"),
    ("en", "Live: the storm of 4 May, hour by hour", "7 seven VII"),
)
#: of the features of these texts, by version: to be added when a test says that they changed
DIGESTS = {1: "451f8f128f32d9f2"}


def reports() -> Iterator[Report]:
    for number, (language, title, summary) in enumerate(TEXTS, 1):
        yield Report(number, title, summary, language, "P", AT, bytes((number,)) * 16, 3)


def stored(report: Report) -> StoredFeatures:
    return StoredFeatures(report.id, report.publisher, report.feed, pack(extract_features(report)))


def test_features_are_read_as_they_were() -> None:
    for report in (*reports(), *invented_reports(1, 60), replace(next(reports()), link=b"")):
        assert astuple(unpack(stored(report))) == astuple(extract_features(report)), report.title


def test_features_of_real_entries_are_read_as_they_were(shared: Path) -> None:
    entries, _ = load(shared, 10)
    for number, entry in enumerate(entries[:: len(entries) // amount(100, 3000)], 1):
        report = Report(number, entry.title, entry.summary, entry.language, "P", AT)
        assert astuple(unpack(stored(report))) == astuple(extract_features(report)), entry.title


def test_other_features_of_the_same_words_are_another_version() -> None:
    packed = "\n\n".join(stored(report).packed for report in reports())
    digest = blake2b(packed.encode(), digest_size=8).hexdigest()
    assert DIGESTS.get(VERSION) == digest, (
        "stored features are of other code: raise VERSION of packed_features and add its digest"
    )


def test_what_cannot_be_written_in_lines_is_not_stored() -> None:
    features = extract_features(next(reports()))
    assert pack(replace(features, terms=("two words", *features.terms[1:]))) == ""
    assert pack(replace(features, headline="two\nlines")) == ""


@pytest.mark.parametrize("count", [1, 40, 63, 64, 900])
def test_counts_of_terms_are_kept_as_far_as_they_weigh(count: int) -> None:
    report = Report(1, "Harbour closed", " ".join(["harbour"] * count), "en", "P", AT)
    assert unpack(stored(report)).counts == extract_features(report).counts
