"""Members and stories by what few share: as if each key had a list or a set of its own."""

import random
from collections import defaultdict
from datetime import UTC, datetime

from bot.model.stories import Report
from bot.stories.features import extract_features
from bot.stories.groups import Groups, StoryGroups
from bot.stories.postings import Member

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def members(count: int) -> list[Member]:
    return [
        Member(extract_features(Report(number, "Harbour opens", "", "en", "A", NOON)), ())
        for number in range(count)
    ]


def test_members_are_those_of_lists_in_the_same_order() -> None:
    chance = random.Random(5)
    groups, lists = Groups[int](), defaultdict[int, list[Member]](list)
    for member in members(300):
        key = chance.randrange(60)
        groups.add(key, member)
        lists[key].append(member)
        gone = chance.randrange(60)
        if gone in groups and chance.random() < 0.5:
            leaving = chance.choice(lists[gone])
            groups.remove(gone, leaving)
            lists[gone].remove(leaving)
        assert all(list(groups.get(key)) == lists[key] for key in range(60))
    assert {len(found) for found in lists.values()} >= {0, 1, 2, 3}
    for key in range(60):
        if key in groups:
            assert groups.pop(key) == lists[key]
    assert not groups.by_key


def test_a_member_of_another_key_is_not_removed() -> None:
    groups = Groups[str]()
    first, second, other = members(3)
    for member in (first, second):
        groups.add("both", member)
    groups.add("single", first)
    for key in ("both", "single", "none"):
        groups.remove(key, other)
    assert (groups["both"], groups["single"]) == ([first, second], [first])


def test_a_key_has_the_members_that_replace_its_own() -> None:
    groups = Groups[str]()
    first, second = members(2)
    groups.replace("a", [first, second])
    groups.replace("a", [second])
    groups.add("a", first)
    assert groups["a"] == [second, first]


def test_stories_are_those_of_sets() -> None:
    chance = random.Random(6)
    groups, sets = StoryGroups(), defaultdict[int, set[int]](set)
    for _ in range(400):
        storyline, story = chance.randrange(20), chance.randrange(5)
        groups.add(storyline, (story,))
        sets[storyline].add(story)
        gone = chance.randrange(20)
        if gone in groups:
            leaving = chance.choice(sorted(sets[gone]))
            groups.remove(gone, leaving)
            sets[gone].remove(leaving)
            assert (gone in groups) == bool(sets[gone])
    assert {key: groups.pop(key) for key in range(20) if key in groups} == {
        key: found for key, found in sets.items() if found
    }
