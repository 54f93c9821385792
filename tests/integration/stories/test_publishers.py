"""Who stands behind an article: credits to agencies in a dozen forms, houses by their sites, families of feeds.yaml, aggregators."""

import json
from pathlib import Path

import pytest
from support import NOON, FeedServer, ManualClock, Recorder, config_text, item, newsbell, poll, rss

from bot.stories.publishers import Attribution, PublisherGroups, credited_agency

FAMILIES = PublisherGroups({"Harbour Group": ["harbour.example", "Harbour Evening"]})


@pytest.mark.parametrize(
    ("author", "title", "summary", "agency"),
    [
        ("", "", "PORT SELVA (AP) — Two cranes fell.", "AP"),
        ("", "", "PORT SELVA, Ukraine (Reuters) - Two cranes fell.", "Reuters"),
        ("", "", "Hafenstadt (dpa/lno) - Zwei Kräne sind umgestürzt.", "dpa"),
        ("", "", "МОСКВА, 5 сентября. /ТАСС/. Упали два крана.", "TASS"),
        ("", "", "МОСКВА, 5 сен — РИА Новости. Упали два крана.", "RIA Novosti"),
        ("", "", "新华社北京9月5日电 两台起重机倒塌", "Xinhua"),
        ("", "", "Puerto Selva, 5 sep (EFE).- Dos grúas cayeron.", "EFE"),
        ("", "", "Two cranes fell in the harbour. (AP)", "AP"),
        ("", "Two cranes fall - Reuters", "", "Reuters"),
        ("Ann Weaver, Associated Press", "", "", "AP"),
        ("By REUTERS", "", "", "Reuters"),
        ("AFP", "", "", "AFP"),
        ("AA", "", "", "Anadolu"),
        ("Ann Weaver and AP", "", "", "AP"),
        ("", "", "The AP reported that two cranes fell.", ""),
        ("", "Rating of the port cut to (AA)", "", ""),
        ("Ani and Bob Weaver", "", "", ""),
        ("Sana Weaver", "", "", ""),
        ("Pa, Son", "", "", ""),
        ("", "An app for cranes", "A map of (happy) cranes", ""),
        ("", "", "", ""),
    ],
)
def test_a_credit_is_seen_where_newsrooms_put_it_and_nowhere_else(
    author: str, title: str, summary: str, agency: str
) -> None:
    assert credited_agency(author, title, summary) == agency


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("harbour.example", "Harbour Evening", True),
        ("rss.harbour.example", "www.harbour.example", True),
        ("news.harbour.co.uk", "sport.harbour.co.uk", True),
        ("harbour.co.uk", "coast.co.uk", False),
        ("Harbour Times", "HARBOUR TIMES", True),
        ("Harbour Times", "Coastal Post", False),
        ("apnews.com", "The Associated Press", True),
        ("feeds.bbci.co.uk", "BBC News", True),
        ("", "?", True),
    ],
)
def test_houses_are_told_apart_by_family_and_site(one: str, other: str, *, same: bool) -> None:
    assert (FAMILIES.publisher_group(one) == FAMILIES.publisher_group(other)) is same


def test_an_aggregator_s_article_is_the_outlet_s_that_it_names() -> None:
    assert FAMILIES.attribution("Link Collector", "Harbour Evening", "", "x", "y") == Attribution(
        "harbour group", "harbour group"
    )


def test_an_agency_s_own_article_is_credited_to_nobody_else() -> None:
    assert FAMILIES.attribution("apnews.com", "", "", "x", "PORT SELVA (AP) — y") == Attribution(
        "ap", "ap"
    )
    assert FAMILIES.attribution("Coastal Post", "", "", "x", "PORT SELVA (AP) — y") == Attribution(
        "coastal post", "ap", "AP"
    )


@pytest.mark.parametrize(
    ("publisher_groups", "rings"),
    [({}, 1), ({"Coast Media": ["Coastal Post", "Harbour Times"]}, 0)],
)
async def test_two_papers_that_the_file_calls_one_house_do_not_confirm_each_other(
    tmp_path: Path,
    server: FeedServer,
    clock: ManualClock,
    terminal: Recorder,
    publisher_groups: dict[str, list[str]],
    rings: int,
) -> None:
    titles = {
        "Coastal Post": "Blast at the Tarvos harbour kills four workers",
        "Harbour Times": "Tarvos harbour blast: four workers killed",
    }
    texts = (
        "A silo burst shortly before nine, crews say.",
        "Dust is looked at as the cause of it.",
    )
    for number in range(2):
        server.put(f"/{number}", rss(item("old", "Bakers vote", at=NOON)))
    feeds = [
        {"url": server.url(f"/{number}"), "name": name, "publisher": name}
        for number, name in enumerate(titles)
    ]
    config = json.loads(config_text(feeds, "tarvos")) | {"publisher_groups": publisher_groups}
    config["subscriptions"][0]["publishers"] = 2
    async with newsbell(tmp_path, json.dumps(config), clock=clock, terminal=terminal) as made:
        await poll(made)
        for number, title in enumerate(titles.values()):
            server.put(
                f"/{number}",
                rss(
                    item("new", title, text=texts[number], link=f"https://h{number}.example/new"),
                    item("old", "Bakers vote"),
                ),
            )
            await poll(made)
    assert len(terminal.titles()) == rings
