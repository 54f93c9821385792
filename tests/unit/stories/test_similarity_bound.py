"""Entries that are too unlike to decide anything are not compared in full; the result is equal."""

import pytest
from story_reports import invented_reports

from bot.stories.features import extract_features
from bot.stories.postings import Member
from bot.stories.similarity import DocumentFrequencies, Similarity
from bot.stories.window import Window


@pytest.mark.parametrize("seed", range(20, 24))
def test_the_result_is_that_of_comparing_all_in_full(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = invented_reports(seed)
    window = Window()
    placements = [window.add(report) for report in reports]
    passed: list[bool] = []
    may_reach = Similarity.may_reach

    def always(similarity: Similarity, least: float, other: Member) -> bool:
        passed.append(may_reach(similarity, least, other))
        return True

    monkeypatch.setattr(Similarity, "may_reach", always)
    whole = Window()
    assert [whole.add(report) for report in reports] == placements
    assert not all(passed)


@pytest.mark.parametrize("least", [0.05, 0.17, 0.4])
def test_what_is_ruled_out_is_less_similar(least: float) -> None:
    frequencies = DocumentFrequencies()
    members = [frequencies.add(extract_features(report)) for report in invented_reports(3, 60)]
    ruled_out = 0
    for member in members:
        similarity = Similarity.of(member, frequencies)
        for other in members:
            if not similarity.may_reach(least, other):
                ruled_out += 1
                assert similarity.to(other) < least
    assert ruled_out
