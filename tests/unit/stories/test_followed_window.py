"""A window that follows another one by what is stored is the same as that."""

import random

import pytest
from story_reports import invented_reports

from bot.model.stories import Grouping, Merge, Placement, Report, StoredFeatures, StoryIds
from bot.stories.window import Window


class Store:
    """What is stored of a window: entries with their present stories, and all merges."""

    def __init__(self) -> None:
        self.entries: list[tuple[Report | StoredFeatures, StoryIds]] = []
        self.merges: list[Merge] = []

    def keep(self, stored: Report | StoredFeatures, placement: Placement) -> None:
        self.entries.append((stored, placement.story_ids))
        for merge in placement.merges:
            self.merges.append(merge)
            self.entries = [(entry, moved(ids, merge)) for entry, ids in self.entries]


def moved(ids: StoryIds, merge: Merge) -> StoryIds:
    if ids.at(merge.grouping) != merge.gone:
        return ids
    if merge.grouping is Grouping.NORMAL:
        return StoryIds(ids.strict, merge.kept, ids.storyline)
    return StoryIds(ids.strict, ids.story, merge.kept)


def catch_up(window: Window, store: Store, read: int) -> int:
    for entry, ids in store.entries[read:]:
        window.restore(entry, ids)
    if first := window.first_story:
        window.follow(merge for merge in store.merges if merge.gone >= first)
    return len(store.entries)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("is_packed", [False, True])
def test_what_follows_a_window_goes_on_as_that_does(seed: int, *, is_packed: bool) -> None:
    chance = random.Random(seed)
    reports = invented_reports(seed)
    leading, following, store, read = Window(), Window(), Store(), 0
    begin = chance.randrange(200)
    for number, report in enumerate(reports[:280]):
        placement = leading.add(report)
        packed = leading.packed(report.id) if is_packed else ""
        features = StoredFeatures(report.id, report.publisher, report.feed, packed)
        store.keep(features if packed else report, placement)
        if number >= begin and chance.random() < 0.2:
            read = catch_up(following, store, read)
    catch_up(following, store, read)

    assert len(following) == len(leading)
    for report in reports[280:]:
        assert following.add(report) == leading.add(report)


def test_invented_reports_merge_stories() -> None:
    merges = 0
    for seed in range(12):
        window = Window()
        merges += sum(len(window.add(report).merges) for report in invented_reports(seed))
    assert merges > 10


def test_a_story_whose_keeper_has_left_is_followed_under_its_name() -> None:
    [first, second] = invented_reports(1, 2)
    window = Window()
    window.restore(first, StoryIds(first.id, first.id, first.id))
    window.restore(second, StoryIds(second.id, second.id, second.id))

    window.follow([Merge(Grouping.LOOSE, 2, 0), Merge(Grouping.NORMAL, 2, 0)])
    window.follow([Merge(Grouping.LOOSE, 2, 0), Merge(Grouping.NORMAL, 2, 0)])

    assert window.first_story == 0
    assert len(window) == 2
