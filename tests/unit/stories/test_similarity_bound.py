"""Entries that are too unlike to decide anything are not compared in full; the result is equal."""

import pytest
from story_reports import invented_reports

from bot.model.stories import StoredFeatures
from bot.stories.features import extract_features
from bot.stories.packed_features import hours_of, outline, pack
from bot.stories.postings import Member, StoredMember
from bot.stories.similarity import DocumentFrequencies, Similarity
from bot.stories.window import Window


@pytest.mark.parametrize("seed", range(20, 24))
def test_the_result_is_that_of_comparing_all_in_full(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = invented_reports(seed)
    window = Window()
    placements = [window.add(report) for report in reports]
    within = Similarity.storylines_in_reach
    left_out: set[int] = set()

    def everything(similarity: Similarity, least: float, members: list[Member]) -> set[int]:
        storylines = {member.story_ids.storyline for member in members}
        left_out.update(storylines - within(similarity, least, members))
        return storylines

    monkeypatch.setattr(Similarity, "storylines_in_reach", everything)
    whole = Window()
    assert [whole.add(report) for report in reports] == placements
    assert left_out


@pytest.mark.parametrize("least", [0.05, 0.17, 0.4])
def test_what_is_ruled_out_is_less_similar(least: float) -> None:
    frequencies = DocumentFrequencies()
    members = [frequencies.add(extract_features(report)) for report in invented_reports(3, 60)]
    ruled_out = 0
    for member in members:
        similarity = Similarity.of(member, frequencies)
        for other in members:
            if not similarity.storylines_in_reach(least, [other]):
                ruled_out += 1
                assert similarity.to(other) < least
    assert ruled_out


@pytest.mark.parametrize("least", [0.17, 0.4])
def test_what_is_ruled_out_before_its_features_are_made_is_less_similar(least: float) -> None:
    reports = invented_reports(4, 60)
    stored = [
        StoredFeatures(report.id, report.publisher, 0, pack(extract_features(report)))
        for report in reports
    ]
    waiting = 0
    for report in reports[::7]:
        frequencies = DocumentFrequencies()
        newcomer = frequencies.add(extract_features(report))
        restored = [
            frequencies.restore(entry, outline(entry, hours_of(entry)))[0] for entry in stored
        ]
        frequencies.catch_up()
        similarity = Similarity.of(newcomer, frequencies)
        for member in restored:
            is_in_reach = bool(similarity.storylines_in_reach(least, [member]))
            if isinstance(member, StoredMember) and member.sketch():
                waiting += 1
                assert not is_in_reach
            assert is_in_reach or similarity.to(member) < least
    assert waiting
