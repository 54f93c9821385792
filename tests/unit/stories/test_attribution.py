"""Attribution: credits to news agencies, publisher groups, aggregators."""

import pytest

from bot.stories.publishers import Attribution, PublisherGroups, credited_agency

GROUPS = PublisherGroups({"Harbour Group": ["harbour.example", "Harbour Evening"]})


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
def test_a_credit_is_recognized_only_where_newsrooms_put_it(
    author: str, title: str, summary: str, agency: str
) -> None:
    assert credited_agency(author, title, summary) == agency


@pytest.mark.parametrize(
    ("publisher", "other", "same"),
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
def test_publishers_are_grouped_by_declared_name_and_by_site(
    publisher: str, other: str, *, same: bool
) -> None:
    assert (GROUPS.publisher_group(publisher) == GROUPS.publisher_group(other)) is same


def test_an_article_of_an_aggregator_counts_for_the_outlet_it_names() -> None:
    assert GROUPS.attribution("Link Collector", "Harbour Evening", "", "x", "y") == Attribution(
        "harbour group", "harbour group"
    )


def test_an_agency_is_the_origin_of_its_articles_at_other_publishers() -> None:
    assert GROUPS.attribution("apnews.com", "", "", "x", "PORT SELVA (AP) — y") == Attribution(
        "ap", "ap"
    )
    assert GROUPS.attribution("Coastal Post", "", "", "x", "PORT SELVA (AP) — y") == Attribution(
        "coastal post", "ap", "AP"
    )
