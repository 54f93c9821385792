"""Terms too light to make a candidate alone are not read for new ones; the result is equal."""

import pytest
from story_reports import invented_reports

from bot.stories import entry_index
from bot.stories.entry_index import EntryIndex
from bot.stories.similarity import Similarity
from bot.stories.window import Window

READS_ALL = -1.0


@pytest.mark.parametrize("seed", range(30, 33))
def test_candidates_are_those_of_reading_all_terms(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound, search = entry_index._WITHIN_REACH, EntryIndex.candidates
    too_high = 10 * bound
    compared = lost = 0

    def found(index: EntryIndex, similarity: Similarity, least: float) -> list[int]:
        with monkeypatch.context() as patch:
            patch.setattr(entry_index, "_WITHIN_REACH", least)
            return [member.features.id for member in search(index, similarity)]

    def compare(index: EntryIndex, similarity: Similarity) -> object:
        nonlocal compared, lost
        whole = found(index, similarity, READS_ALL)
        assert found(index, similarity, bound) == whole
        compared += bool(whole)
        lost += found(index, similarity, too_high) != whole
        return search(index, similarity)

    monkeypatch.setattr(EntryIndex, "candidates", compare)
    window = Window()
    for report in invented_reports(seed):
        window.add(report)
    assert compared
    assert lost, "no entry was near the bound"
