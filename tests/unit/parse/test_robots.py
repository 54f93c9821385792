"""robots.txt: the group that is meant, the longest rule, wildcards, delays and sitemaps."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sampling import examples

from bot.parse.robots import LONGEST_DELAY, read_robots, robots_url

SITE = "https://herald.example"


def allowed(text: str, path: str) -> bool:
    return read_robots(text.encode(), robots_url(SITE)).allows(SITE + path)


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("", "/a", True),
        ("User-agent: *\nDisallow: /private", "/private/1", False),
        ("User-agent: *\nDisallow: /private", "/public", True),
        ("User-agent: *\nDisallow:", "/private", True),
        ("User-agent: *\nDisallow: /\nAllow: /news", "/news/1", True),
        ("User-agent: *\nAllow: /news\nDisallow: /news", "/news/1", True),
        ("User-agent: *\nAllow: /n\nDisallow: /news/*/print", "/news/1/print", False),
        ("User-agent: *\nDisallow: /*.php$", "/a.php", False),
        ("User-agent: *\nDisallow: /*.php$", "/a.php?b", True),
        ("User-agent: *\nDisallow: /a$", "/ab", True),
        ("User-agent: *\nDisallow: /*?print", "/news?print=1", False),
        ("User-agent: *\nDisallow: /a*b*c", "/axbyc", False),
        ("User-agent: *\nDisallow: /a*b*c", "/acb", True),
        ("User-agent: *\nDisallow: /a*a$", "/a", True),
        ("User-agent: *\nDisallow: /b%C3%BCro", "/büro", False),
        ("User-agent: *\nDisallow: /büro", "/b%c3%bcro/1", False),
        ("User-agent: *\nDisallow: /%7Eann", "/~ann", False),
        ("User-agent: *\nDisallow: /a%2Fb", "/a/b", True),
        ("user-agent: NewsBell/1.0\ndisallow: /a\n\nuser-agent: *\ndisallow: /b", "/b", True),
        ("user-agent: newsbell\ndisallow: /a\n\nuser-agent: *\ndisallow: /b", "/a", False),
        ("user-agent: other\nuser-agent: newsbell\ndisallow: /a", "/a", False),
        ("user-agent: other\ndisallow: /a\nuser-agent: newsbell\ndisallow: /b", "/a", True),
        (
            "user-agent: *\ndisallow: /a\n\nuser-agent: x\n\nuser-agent: *\ndisallow: /b",
            "/b",
            False,
        ),
        ("user-agent: newsbell\n\nuser-agent: *\ndisallow: /", "/a", False),
        ("\ufeffUser-agent: * # all\r\nDisallow: /a # not this\rDisallow: /b", "/b", False),
        ("User-agent: *\nDisallow: /", "/robots.txt", True),
        ("Disallow: /", "/a", True),
        ("<html>no such page: sorry</html>", "/a", True),
    ],
)
def test_the_longest_rule_of_the_group_that_is_meant_decides(
    text: str, path: str, expected: bool
) -> None:
    assert allowed(text, path) is expected


def test_the_front_page_is_the_path_of_an_address_without_a_path() -> None:
    assert not allowed("User-agent: *\nDisallow: /$", "")


@pytest.mark.parametrize(
    ("value", "delay"),
    [("5", 5.0), ("0.5", 0.5), ("86400", LONGEST_DELAY.total_seconds()), ("soon", None)],
)
def test_a_delay_is_of_the_group(value: str, delay: float | None) -> None:
    robots = read_robots(f"User-agent: *\nCrawl-delay: {value}".encode(), SITE)

    assert robots.delay == (None if delay is None else timedelta(seconds=delay))


def test_sitemaps_are_of_no_group_and_absolute() -> None:
    text = "Sitemap: /news.xml\nUser-agent: x\nDisallow: /\nSitemap: https://b.example/s.xml\n"
    robots = read_robots(f"{text}sitemap: javascript:1".encode(), robots_url(SITE))

    assert robots.sitemaps == (f"{SITE}/news.xml", "https://b.example/s.xml")


@settings(max_examples=examples(200), deadline=None)
@given(st.binary(max_size=200), st.text(max_size=60))
def test_no_file_and_no_path_raise(body: bytes, path: str) -> None:
    lines = b"User-agent: *\nDisallow: " + body
    assert isinstance(read_robots(lines, SITE).allows(f"{SITE}/{path}"), bool)


def test_a_pattern_of_stars_costs_its_length() -> None:
    pattern = "/" + "*a" * 100_000
    assert allowed(f"User-agent: *\nDisallow: {pattern}", "/" + "a" * 2000)
