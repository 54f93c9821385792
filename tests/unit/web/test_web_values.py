"""What of the web page is decided by values: origins, words, signatures, feeds, colours."""

import json
import re
import xml.etree.ElementTree as ET
from datetime import timedelta
from importlib.resources import files

import pytest
from support import NOON

from bot.i18n.catalog import ENGLISH
from bot.model.archive import ChatAlert
from bot.web.attempts import A_MINUTE, BURST, Attempts
from bot.web.blocks import Item, Items, Page, Section, Text, line, outside
from bot.web.origin import is_our_host, is_own_form
from bot.web.render import Renderer, Surroundings
from bot.web.signed import read_story_link, story_link
from bot.web.syndication import atom, json_feed

PUBLIC = "https://news.example.org"
KEY = b"k" * 32
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("news.example.org", True),
        ("NEWS.example.org", True),
        ("127.0.0.1:8080", True),
        ("[::1]:8080", True),
        ("[::1]", True),
        ("192.168.1.5", True),
        ("localhost:8080", True),
        ("localhost", True),
        ("", False),
        ("evil.example", False),
        ("news.example.org.evil.example", False),
        ("news.example.org:8443", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("127.0.0.1:evil", False),
        ("user@127.0.0.1", False),
    ],
)
def test_a_host_is_ours_by_its_public_name_or_as_an_address_in_numbers(
    host: str, ours: bool
) -> None:
    assert is_our_host(host, PUBLIC) is ours


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, True),
        ({"Sec-Fetch-Site": "same-site", "Origin": PUBLIC}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": PUBLIC}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": PUBLIC}, True),
        ({"Origin": "http://127.0.0.1:8080", "Host": "127.0.0.1:8080"}, True),
        ({"Origin": "http://127.0.0.1:8081", "Host": "127.0.0.1:8080"}, False),
        ({"Origin": "https://evil.example", "Host": "127.0.0.1:8080"}, False),
        ({"Origin": "null"}, False),
        ({}, False),
        ({"Host": "127.0.0.1:8080"}, False),
    ],
)
def test_a_form_is_ours_where_the_browser_says_so(headers: dict[str, str], own: bool) -> None:
    assert is_own_form(headers, PUBLIC) is own
    assert not is_own_form({"Origin": ""}, "")


def test_a_word_is_looked_at_again_after_a_while_and_a_good_one_always() -> None:
    attempts = Attempts()
    attempts.tried("good", good=True)
    for _ in range(BURST):
        assert attempts.allowed("bad", 100.0)
        attempts.tried("bad", good=False)
    assert not attempts.allowed("bad", 100.0)
    assert attempts.allowed("good", 100.0)
    attempts.tried("good", good=False)  # it ended
    assert not attempts.allowed("good", 100.0)
    assert attempts.allowed("bad", 100.0 + 3 * 60 / A_MINUTE)


def test_a_link_to_a_story_is_good_for_its_chat_its_article_and_its_key_alone() -> None:
    link = story_link(KEY, 3, 14)
    assert read_story_link(KEY, link) == (3, 14)
    assert read_story_link(b"x" * 32, link) is None
    mac = link.rpartition("-")[2]
    for other in (
        f"4-14-{mac}",
        f"3-15-{mac}",
        f"31-4-{mac}",
        f"03-14-{mac}",
        link[:-1],
        link + "0",
    ):
        assert read_story_link(KEY, other) is None
    for odd in ("", "--", "1-1-", f"1-1-{'é' * 32}", "9" * 5000, f"{'9' * 20}-1-{mac}"):
        assert read_story_link(KEY, odd) is None


def alert(number: int, title: str, **more: str) -> ChatAlert:
    link, summary = more.get("link", "https://wire.example/1"), more.get("summary", "")
    at = NOON - timedelta(minutes=5)
    return ChatAlert(number, number, title, link, summary, "Wire & Co", at, NOON, ("A <b>",))


def test_feeds_hold_any_text_as_text_and_keep_their_ids() -> None:
    alerts = [
        alert(1, "<script>\x00\ud83d\x0b & ]]>", summary="a\x1bb"),
        alert(2, "b", link="javascript:alert(1)"),
    ]
    more = {"title": "Desk <1>", "address": "https://x.example/out/w/alerts"}
    document = atom(alerts, chat_id=7, now=NOON, **more)
    root = ET.fromstring(document)  # noqa: S314 (of our own making)
    first, second = root.iter(f"{ATOM}entry")
    assert str(first.findtext(f"{ATOM}title")).startswith("<script>")
    assert second.find(f"{ATOM}link") is None
    renamed = atom([alert(1, "another headline")], chat_id=7, now=NOON, **more)
    again = ET.fromstring(renamed).find(f"{ATOM}entry")  # noqa: S314
    assert again is not None
    assert again.findtext(f"{ATOM}id") == first.findtext(f"{ATOM}id")
    other = ET.fromstring(atom(alerts, chat_id=8, now=NOON, **more))  # noqa: S314
    assert other.findtext(f"{ATOM}id") != root.findtext(f"{ATOM}id")
    items = json.loads(json_feed([alerts[1]], chat_id=7, **more))["items"]
    assert [item["id"] for item in items] == [second.findtext(f"{ATOM}id")]
    assert "url" not in items[0]


def test_nothing_that_others_wrote_becomes_markup() -> None:
    odd = "\"'><script>{{ 1 }}</script>&amp; \u202e"
    text = Text(odd, outside(f"https://a.example/{odd}"), foreign=True)
    section = Section(Text(odd, code=True), (Items((Item(text, (line(odd),)),)),))
    html = Renderer().html(Page(Text(odd, foreign=True), (), (section,)), Surroundings(), ENGLISH)
    assert "<script>" not in html
    assert html.count("{{ 1 }}") == 6
    assert outside("javascript:alert(1)") == outside("data:text/html,x") == ""


def luminance(colour: str) -> float:
    """The relative luminance of #rrggbb (WCAG 2.2)."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_text_has_enough_contrast_light_and_dark() -> None:
    style = files("bot.web").joinpath("static", "style.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    palettes = [dict(re.findall(r"--(\w+): (#\w{6})", block)) for block in blocks]
    assert len(palettes) == 2
    for palette in palettes:
        pairs = [(name, "ground") for name in ("ink", "muted", "link", "good", "warn", "bad")]
        for front, back in (*pairs, ("on", "link"), ("on", "bad"), ("ink", "card")):
            light, dark = sorted(
                (luminance(palette[front]), luminance(palette[back])), reverse=True
            )
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (front, back)
