"""Entries leave the window: the result is that of a window from which each is removed at once."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from story_reports import NAMES, invented_reports

from bot.model.stories import Placement, Report, StoredFeatures, StoryIds
from bot.stories import entry_index, similarity
from bot.stories.postings import Member, Posting
from bot.stories.window import SPAN, Window

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class EagerPosting(Posting):
    """Removes a member from its place in the list, at once."""

    __slots__ = ()

    def drop(self, member: Member) -> None:
        self.remove(member)


def placements(reports: Iterable[Report], limit: int | None = None) -> list[Placement]:
    """The placements by a window; with a limit, room is made in steps of so many entries."""
    window = Window()
    placed: list[Placement] = []
    for report in reports:
        while limit and not window.make_room(report.at, limit):
            pass
        placed.append(window.add(report))
    return placed


@pytest.mark.parametrize("seed", range(4))
def test_the_result_is_that_of_removing_each_entry_at_once(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = invented_reports(seed)
    placed = placements(reports)
    assert placements(reports, limit=1 + seed) == placed
    for module in (entry_index, similarity):
        monkeypatch.setattr(module, "Posting", EagerPosting)
    assert placements(reports) == placed
    assert any(placement.pairs for placement in placed)


@pytest.mark.parametrize("most", [3, 10])
def test_the_latest_entries_of_a_term_are_those_that_are_left(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With fewer read of each list than are removed from its middle."""
    monkeypatch.setattr(entry_index, "MAX_POSTINGS", most)
    reports = invented_reports(most, 500)
    placed = placements(reports)
    for module in (entry_index, similarity):
        monkeypatch.setattr(module, "Posting", EagerPosting)
    assert placements(reports) == placed


@pytest.mark.parametrize("seed", range(4))
def test_a_window_is_one_of_what_is_left_in_it(seed: int) -> None:
    """It continues as one that only knows the entries of the last three days."""
    reports = invented_reports(seed)
    window, stories, packed = Window(), dict[int, StoryIds](), dict[int, str]()
    for report in reports[:250]:
        placement = window.add(report)
        packed[report.id] = window.packed(report.id)
        stories[report.id] = placement.story_ids
        for merge in placement.merges:
            for number, ids in stories.items():
                stories[number] = StoryIds(
                    ids.strict,
                    merge.kept if ids.story == merge.gone else ids.story,
                    merge.kept if ids.storyline == merge.gone else ids.storyline,
                )
    newest = max(report.at for report in reports[:250])
    restored, unpacked = Window(), Window()
    unpacked.expect(
        StoredFeatures(report.id, report.publisher, report.feed, packed[report.id])
        for report in reports[240:250]
        if packed[report.id]
    )
    for report in reports[:250]:
        stored = StoredFeatures(report.id, report.publisher, report.feed, packed[report.id])
        unpacked.restore(stored if stored.packed else report, stories[report.id])
        if report.at >= newest - SPAN:
            restored.restore(report, stories[report.id])
    assert len(restored) == len(unpacked) == len(window)
    for report in reports[250:]:
        placement = window.add(report)
        assert restored.add(report) == placement
        assert unpacked.add(report) == placement


def test_room_is_made_for_so_many_entries_at_a_time() -> None:
    window = Window()
    for number in range(1, 8):
        at = NOON + (2 * HOUR if number == 4 else 0 * HOUR)
        window.add(Report(number, f"{NAMES[number]} opens bridge", "", "en", "A", at))
    steps: list[int] = []
    while not window.make_room(NOON + SPAN + HOUR, 3):
        steps.append(len(window))
    assert [*steps, len(window)] == [4, 1]


def test_what_a_quiet_time_left_behind_leaves_at_once_and_is_let_go_bit_by_bit() -> None:
    reports = invented_reports(1)
    newest, oldest = (end(report.at for report in reports) for end in (max, min))
    quiet = newest - oldest + 2 * SPAN
    later = [replace(report, at=report.at + quiet, link=b"") for report in reports[:200]]
    window = Window()
    for report in reports:
        window.add(report)
    assert not window.make_room(later[0].at, 1)
    assert len(window) == 0
    while not window.make_room(later[0].at, 1):
        pass
    fresh = Window()
    assert [window.add(report) for report in later] == [fresh.add(report) for report in later]


def test_the_first_entry_after_a_quiet_time_is_in_the_window_that_is_restored() -> None:
    window = Window()
    old = Report(1, f"{NAMES[1]} opens bridge", "", "en", "A", NOON)
    new = Report(2, f"{NAMES[2]} opens bridge", "", "en", "A", NOON + 2 * SPAN)
    for report in (old, new):
        window.restore(report, StoryIds(report.id, report.id, report.id))
    assert len(window) == 1
    again = replace(new, id=3, publisher="B")
    assert window.add(again).story_ids.story == 2


def test_an_entry_older_than_the_span_is_alone_and_no_part_of_the_window() -> None:
    window = Window()
    first = Report(1, "Kestrel bridge opens after storm", "", "en", "A", NOON - SPAN, b"one")
    window.add(first)
    window.add(Report(2, "Dunmore council closes the market", "", "en", "A", NOON))
    assert len(window) == 2
    old = replace(first, id=3, publisher="B", at=NOON - SPAN - HOUR, link=b"")
    assert window.add(old) == Placement(3, StoryIds(3, 3, 3))
    window.restore(replace(old, id=4), StoryIds(4, 4, 4))
    assert len(window) == 2


def test_an_entry_older_than_the_span_joins_the_story_of_its_link() -> None:
    window = Window()
    window.add(Report(1, "Kestrel bridge opens after storm", "", "en", "A", NOON, b"one"))
    old = window.add(Report(2, "Bridge open", "", "en", "B", NOON - SPAN - HOUR, b"one"))
    assert (old.story_ids.story, old.copy_of) == (1, 1)
    assert len(window) == 1
