"""Identity and re-publication as feeds really do it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from feed_harness import LONG_AGO, FeedHarness, archive, watching
from support import NOON, FeedServer, ManualClock, Recorder, item, rss

from bot.model.delivery import DeliveryKind
from bot.model.feeds import Policy

ZOO = "https://zoo.example/"


@pytest.fixture
async def harness(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> AsyncIterator[FeedHarness]:
    async with watching(tmp_path, server, clock, terminal) as app:
        yield app


def built(build: int, count: int = 6, *, link: bool = True, dated: bool = True) -> list[str]:
    """The same articles with the guids of another build."""
    return [
        item(
            f"build-{build}-{n}",
            f"Harbour report {'abcdefghij'[n]}",
            link=f"{ZOO}report/{'abcdefghij'[n]}" if link else "",
            at=LONG_AGO - timedelta(hours=n) if dated else None,
            text=f"Words of report {'abcdefghij'[n]}",
        )
        for n in range(count)
    ]


# 1. The guid changes with every build.


async def test_guids_of_another_build_send_no_alert_where_links_stay(harness: FeedHarness) -> None:
    await harness.publish(rss(*built(1)))
    for build in (2, 3, 4):
        assert await harness.publish(rss(*built(build))) == []
    assert await harness.entries() == 6


async def test_guids_of_another_build_send_no_alert_where_there_are_no_links_and_no_dates(
    harness: FeedHarness,
) -> None:
    await harness.publish(rss(*built(1, link=False, dated=False)))
    for build in (2, 3):
        assert await harness.publish(rss(*built(build, link=False, dated=False))) == []
    assert await harness.entries() == 6


@pytest.mark.parametrize("count", [1, 2])
async def test_guids_of_another_build_send_no_alert_in_a_feed_of_one_or_two(
    harness: FeedHarness, count: int
) -> None:
    await harness.publish(rss(*built(1, count, link=False, dated=False)))
    for build in (2, 3, 4):
        assert await harness.publish(rss(*built(build, count, link=False, dated=False))) == []


async def test_a_new_article_among_guids_of_another_build_is_alerted_once(
    harness: FeedHarness,
) -> None:
    await harness.publish(rss(*built(1)))
    await harness.publish(rss(*built(2)))
    new = item("build-3-x", "New harbour", link=f"{ZOO}new", at=NOON)
    assert await harness.publish(rss(new, *built(3))) == ["New harbour"]
    new = item("build-4-x", "New harbour", link=f"{ZOO}new", at=NOON)
    assert await harness.publish(rss(new, *built(4))) == []


async def test_articles_that_share_a_headline_do_not_make_headlines_the_identity(
    harness: FeedHarness,
) -> None:
    def hourly(*hours: int) -> str:
        return rss(
            *(
                item(
                    f"h{n}",
                    "Harbour water level",
                    link=f"{ZOO}level/{n}",
                    at=LONG_AGO + timedelta(hours=n),
                )
                for n in hours
            )
        )

    await harness.publish(hourly(4, 3, 2, 1))
    assert len(await harness.publish(hourly(8, 7, 6, 5))) == 4
    assert (await harness.state()).policy is Policy.GUID
    assert len(await harness.publish(hourly(9, 8, 7, 6))) == 1


# 2. Another guid on another path.


async def test_a_known_link_with_another_guid_is_the_same_article(harness: FeedHarness) -> None:
    await harness.publish(rss(*archive(3)))
    assert await harness.publish(
        rss(item("hub-1", "Harbour fire", link=f"{ZOO}fire"), *archive(3))
    ) == ["Harbour fire"]
    assert (
        await harness.publish(rss(item("main-1", "Harbour fire", link=f"{ZOO}fire"), *archive(3)))
        == []
    )
    assert (
        await harness.publish(rss(item("hub-1", "Harbour fire", link=f"{ZOO}fire"), *archive(3)))
        == []
    )


# 3. One guid on all items.


async def test_one_guid_on_all_items_hides_none(harness: FeedHarness) -> None:
    old = [item("feed", f"Old harbour {n}", link=f"{ZOO}{n}", at=LONG_AGO) for n in "abc"]
    await harness.publish(rss(*old))
    assert await harness.entries() == 3
    assert (await harness.state()).policy is Policy.GUID_LINK
    new = item("feed", "Harbour closed", link=f"{ZOO}closed")
    assert await harness.publish(rss(new, *old)) == ["Harbour closed"]
    assert await harness.publish(rss(new, *old, head=" ")) == []


@pytest.mark.parametrize("known", [1, 3])
async def test_one_guid_and_one_link_on_all_items_hides_none(
    harness: FeedHarness, known: int
) -> None:
    old = [
        item("feed", f"Old harbour {n}", link=f"{ZOO}alerts", at=LONG_AGO) for n in "abc"[:known]
    ]
    await harness.publish(rss(*old))
    new = item("feed", "Harbour closed", link=f"{ZOO}alerts")
    assert await harness.publish(rss(new, *old)) == ["Harbour closed"]
    newer = item("feed", "Harbour open again", link=f"{ZOO}alerts")
    assert await harness.publish(rss(newer, new, *old)) == ["Harbour open again"]
    assert await harness.publish(rss(newer, new, *old, head=" ")) == []


async def test_one_guid_on_all_items_that_have_no_link_hides_none(harness: FeedHarness) -> None:
    old = [item("feed", f"Old harbour {n}", link="", at=LONG_AGO) for n in "abc"]
    await harness.publish(rss(*old))
    assert await harness.publish(rss(item("feed", "Harbour closed", link=""), *old)) == [
        "Harbour closed"
    ]


# 4. The guid is good, then bad, then good.


async def test_a_feed_whose_guids_are_good_and_bad_in_turn_sends_no_second_alert(
    harness: FeedHarness,
) -> None:
    titles = "abcdefgh"
    bad = [item("x", f"Harbour tale {n}", link=f"{ZOO}{n}", at=LONG_AGO) for n in titles]
    good = [item(f"good-{n}", f"Harbour tale {n}", link=f"{ZOO}{n}", at=LONG_AGO) for n in titles]
    await harness.publish(rss(*good))
    for document in (bad, good, bad, good):
        assert await harness.publish(rss(*document)) == []
    assert await harness.entries() == len(titles)


async def test_the_policy_never_goes_back(harness: FeedHarness) -> None:
    def random_guids(build: int) -> str:
        return rss(*built(build, link=False, dated=False))

    stable = rss(*built(9, link=False, dated=False))
    for build in (1, 2, 3):
        await harness.publish(random_guids(build))
    policy = (await harness.state()).policy
    assert policy is Policy.LINK_TITLE
    await harness.publish(stable)
    await harness.publish(stable.replace("Words", "Other words"))
    assert (await harness.state()).policy is policy
    assert harness.alert_titles == []


# 5. No guid.


async def test_without_guid_the_link_tells_articles_apart(harness: FeedHarness) -> None:
    old = item(None, "Old harbour", link=f"{ZOO}old", at=LONG_AGO)
    await harness.publish(rss(old))
    new = item(None, "Harbour fire", link=f"{ZOO}fire")
    assert await harness.publish(rss(new, old)) == ["Harbour fire"]
    retitled = item(None, "Harbour fire is out", link=f"{ZOO}fire")
    assert await harness.publish(rss(retitled, old)) == []
    assert harness.edits == ["Harbour fire is out"]


# 6. Neither id nor link.


async def test_neither_id_nor_link_is_known_again_by_title_and_content(
    harness: FeedHarness,
) -> None:
    old = item(None, "Old harbour", link="", at=LONG_AGO)
    await harness.publish(rss(old))
    new = item(None, "Harbour fire", link="", text="Smoke over pier 4.")
    assert await harness.publish(rss(new, old)) == ["Harbour fire"]
    assert await harness.publish(rss(old, new, head=" ")) == []


async def test_neither_id_nor_link_an_entry_with_nothing_is_skipped_alone(
    harness: FeedHarness,
) -> None:
    old = item("1", "Old harbour", at=LONG_AGO)
    await harness.publish(rss(old))
    nothing = "<item><pubDate>Mon, 02 Mar 2026 12:00:00 +0000</pubDate></item>"
    assert await harness.publish(rss(nothing, item("2", "Harbour fire"), old)) == ["Harbour fire"]
    assert (await harness.state()).failure is None


# 7. http, https, trailing slash.


async def test_a_scheme_or_slash_that_flips_sends_no_alert(harness: FeedHarness) -> None:
    def document(scheme: str, slash: str) -> str:
        ids = [f"{scheme}://zoo.example/harbour-{n}{slash}" for n in "abcdefghijklmno"]
        return rss(
            *(
                item(link, f"Harbour {link[-3:]}", link=link, at=LONG_AGO, permalink=True)
                for link in ids
            )
        )

    await harness.publish(document("http", ""))
    for scheme, slash in (("https", ""), ("https", "/"), ("http", "/"), ("http", "")):
        assert await harness.publish(document(scheme, slash)) == []
    assert await harness.entries() == 15


# 8. A migration: everything is new at once.


def migrated(count: int = 60) -> list[str]:
    return [
        item(
            f"new-cms-{n}",
            f"Moved harbour story {n} {n * n}",
            link=f"https://new.example/{n}",
            at=LONG_AGO - timedelta(days=n),
        )
        for n in range(count)
    ]


async def test_a_migration_sends_no_alert_and_one_notice(
    harness: FeedHarness,
) -> None:
    await harness.publish(rss(*archive(20)))
    assert await harness.publish(rss(*migrated())) == []
    assert await harness.poll() == []
    assert await harness.entries() == 80
    assert len(harness.notices) == 1
    assert "60 new entries at once" in harness.notices[0]


async def test_a_migration_that_keeps_the_headlines_is_not_even_new(
    harness: FeedHarness,
) -> None:
    await harness.publish(
        rss(
            *(
                item(f"a{n}", f"Harbour {n} of many", link=f"{ZOO}{n}", at=LONG_AGO)
                for n in range(40)
            )
        )
    )
    moved = rss(
        *(
            item(
                f"b{n}", f"Harbour {n} of many", link=f"https://new.example/posts/{n}", at=LONG_AGO
            )
            for n in range(40)
        )
    )
    assert await harness.publish(moved) == []
    assert await harness.entries() == 40


async def test_what_is_recent_in_a_migration_comes_as_one_message(harness: FeedHarness) -> None:
    await harness.publish(rss(*archive(20)))
    recent = [item(f"r{n}", f"Harbour today {n}", at=NOON - timedelta(hours=2)) for n in range(3)]
    await harness.publish(rss(*recent, *migrated()))
    assert sorted(harness.alert_titles) == ["Harbour today 0", "Harbour today 1", "Harbour today 2"]
    assert sum(delivery.kind is DeliveryKind.ALERT for delivery, _ in harness.terminal.sent) == 1


async def test_after_a_migration_new_articles_are_alerted_again(harness: FeedHarness) -> None:
    await harness.publish(rss(*archive(20)))
    await harness.publish(rss(*migrated()))
    assert await harness.publish(
        rss(item("n1", "Harbour news", at=NOON + timedelta(minutes=20)), *migrated())
    ) == ["Harbour news"]


async def test_after_a_migration_a_daily_headline_is_still_alerted_every_day(
    harness: FeedHarness,
) -> None:
    before = [
        item(f"a{n}", f"Harbour {n} of many", link=f"{ZOO}{n}", at=LONG_AGO) for n in range(8)
    ]
    after = [
        item(f"b{n}", f"Harbour {n} of many", link=f"https://new.example/posts/{n}", at=LONG_AGO)
        for n in range(8)
    ]
    await harness.publish(rss(*before))
    assert await harness.publish(rss(*after)) == []
    days = [
        item(
            f"day-{n}",
            "Harbour briefing",
            link=f"https://new.example/briefing/{n}",
            at=NOON + timedelta(days=n),
        )
        for n in range(3)
    ]
    assert await harness.publish(rss(days[0], *after), after=timedelta(days=1)) == [
        "Harbour briefing"
    ]
    assert await harness.publish(rss(days[1], days[0], *after), after=timedelta(days=1)) == [
        "Harbour briefing"
    ]
    assert await harness.publish(
        rss(days[2], days[1], days[0], *after), after=timedelta(days=1)
    ) == ["Harbour briefing"]


# 9. Headline and slug are edited.


async def test_a_new_slug_with_the_same_article_number_is_an_edit(harness: FeedHarness) -> None:
    old = item("1", "Old harbour", at=LONG_AGO)
    await harness.publish(rss(old))
    first = item(
        f"{ZOO}ship-aground-48213377",
        "Ship aground in the harbour",
        link=f"{ZOO}ship-aground-48213377",
    )
    second = item(
        f"{ZOO}crew-is-safe-48213377",
        "Crew of stranded ship is safe",
        link=f"{ZOO}crew-is-safe-48213377",
    )
    assert await harness.publish(rss(first, old)) == ["Ship aground in the harbour"]
    assert await harness.publish(rss(second, old)) == []
    assert harness.edits == ["Crew of stranded ship is safe"]


async def test_a_near_equal_headline_at_the_same_moment_is_an_edit(harness: FeedHarness) -> None:
    old = item("1", "Old harbour", at=LONG_AGO)
    await harness.publish(rss(old))
    at = NOON - timedelta(minutes=7, seconds=13)
    await harness.publish(
        rss(
            item("p/a", "Storm shuts the harbour of Lindholm", link=f"{ZOO}storm-shuts", at=at), old
        )
    )
    assert (
        await harness.publish(
            rss(
                item(
                    "p/b",
                    "Storm shuts the old harbour of Lindholm",
                    link=f"{ZOO}storm-shuts-old",
                    at=at,
                ),
                old,
            )
        )
        == []
    )


async def test_near_equal_headlines_of_one_day_are_articles_of_their_own_where_dates_are_days(
    harness: FeedHarness,
) -> None:
    def warning(place: str) -> str:
        return item(place, f"Harbour warning for {place}", at=NOON.replace(hour=0))

    await harness.publish(rss(item("1", "Old harbour", at=LONG_AGO)))
    assert len(await harness.publish(rss(warning("Lindholm"), warning("Oster")))) == 2
    assert await harness.publish(rss(warning("Varn"), warning("Lindholm"))) == [
        "Harbour warning for Varn"
    ]


async def test_a_section_number_in_every_link_is_no_article_number(harness: FeedHarness) -> None:
    def story(name: str, day: int) -> str:
        return item(
            name,
            f"Harbour {name}",
            link=f"{ZOO}section/1234567/{name}",
            at=LONG_AGO + timedelta(days=day),
        )

    await harness.publish(rss(story("three", 3), story("two", 2), story("one", 1)))
    assert await harness.publish(rss(story("four", 4), story("three", 3), story("two", 2))) == [
        "Harbour four"
    ]
    assert await harness.publish(rss(story("five", 5), story("four", 4), story("three", 3))) == [
        "Harbour five"
    ]


# 10. The same guid with other words.


async def test_a_live_blog_that_changes_is_not_alerted_again(harness: FeedHarness) -> None:
    old = item("1", "Old harbour", at=LONG_AGO)
    await harness.publish(rss(old))
    assert await harness.publish(
        rss(item("live", "Live: harbour strike", text="Talks begin."), old)
    ) == ["Live: harbour strike"]
    for hour in range(1, 4):
        live = item(
            "live",
            f"Live: harbour strike, hour {hour}",
            text=f"Update {hour}.",
            at=NOON + timedelta(hours=hour),
        )
        assert await harness.publish(rss(live, old)) == []
    assert harness.edits[-1] == "Live: harbour strike, hour 3"


async def test_an_edit_that_makes_a_subscription_match_for_the_first_time_is_alerted(
    harness: FeedHarness,
) -> None:
    old = item("1", "Old news", at=LONG_AGO)
    await harness.publish(rss(old))
    assert await harness.publish(rss(item("live", "Live: the strike"), old)) == []
    assert await harness.publish(rss(item("live", "Live: strike reaches the harbour"), old)) == [
        "Live: strike reaches the harbour"
    ]
    assert await harness.publish(rss(item("live", "Live: strike leaves the harbour"), old)) == []


# 11. Twins that differ in guid only.


async def test_twins_with_numbered_guids_are_alerted_once(harness: FeedHarness) -> None:
    old = item("1", "Old harbour", at=LONG_AGO)
    await harness.publish(rss(old))
    twins = [item(f"{ZOO}fire#{n}", "Harbour fire", link=f"{ZOO}fire") for n in range(2)]
    assert await harness.publish(rss(*twins, old)) == ["Harbour fire"]
    assert (
        await harness.publish(
            rss(item(f"{ZOO}fire#2", "Harbour fire", link=f"{ZOO}fire"), *twins, old)
        )
        == []
    )


# 12. Google News.


async def test_opaque_links_and_guids_that_change_each_time_are_alerted_once(
    harness: FeedHarness,
) -> None:
    def document(turn: int, titles: list[str]) -> str:
        return rss(
            *(
                item(
                    f"CBMi{turn}{n}x",
                    f"{title} - Lindholm Post",
                    link=f"https://aggregator.example/rss/articles/CBMi{turn}{n}?oc=5",
                    at=LONG_AGO + timedelta(hours=n),
                )
                for n, title in enumerate(titles)
            )
        )

    titles = [
        f"Harbour matter {word}"
        for word in "one two three four five six seven eight nine ten eleven".split()
    ]
    await harness.publish(document(1, titles))
    for turn in (2, 3):
        assert await harness.publish(document(turn, titles)) == []
    assert await harness.publish(document(4, ["Harbour matter twelve", *titles])) == [
        "Harbour matter twelve - Lindholm Post"
    ]
    assert await harness.publish(document(5, ["Harbour matter twelve", *titles])) == []
    assert {request.path for request in harness.server.seen} == {"/feed.xml"}, (
        "no opaque link is ever resolved"
    )


# 13. Tracking parameters.


async def test_tracking_parameters_make_no_new_article_and_are_not_shown(
    harness: FeedHarness,
) -> None:
    old = item("1", "Old harbour", at=LONG_AGO)
    await harness.publish(rss(old))
    tracked = [
        f"{ZOO}fire?id=7&utm_source=rss",
        f"{ZOO}fire?utm_medium=feed&id=7&at_medium=RSS",
        f"{ZOO}fire?fbclid=Iw&id=7#xtor=RSS-1",
        f"{ZOO}fire?id=7&ref=rss",
    ]
    assert await harness.publish(rss(item(None, "Harbour fire", link=tracked[0]), old)) == [
        "Harbour fire"
    ]
    for link in tracked[1:]:
        assert await harness.publish(rss(item(None, "Harbour fire", link=link), old)) == []
    assert harness.alerts[0].link == f"{ZOO}fire?id=7"
    assert await harness.publish(
        rss(item(None, "Harbour flood", link=f"{ZOO}fire?id=8&utm_source=rss"), old)
    ) == ["Harbour flood"]
