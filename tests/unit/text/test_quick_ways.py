"""Texts that need little take a quick way, to what the slow way would have given."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from itertools import product
from random import Random
from urllib.parse import urljoin, urlsplit

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from sampling import SEED, examples

from bot.names import context
from bot.parse import boilerplate
from bot.parse.document import absolute
from bot.text import channel_link, clean, counters, fold, language, tokens, url
from bot.text.markup import TextType

SIGNS = (
    "aB9 \t\n\x0b\x1c\x00\x7f\x85\xa0\xad,'äœßÅΩяйї\u0301\u0344\u0958\u0327\u200b\u200c\u200d"
    "\u2009\u2028"
    "\u202f\u3000ไทยก็कि\u093f\u094dعَرَبي\u115f한글ㅎカ゛が漢字"
    "👩\u200d💻\ufe0f\U0001f3fd\U000e0041\ufeff\ufffe"
)
TEXTS = st.text(st.one_of(st.sampled_from(SIGNS), st.characters(exclude_categories=["Cs"])))


def slowly_plain(text: str) -> str:
    text = regex.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]", " ", text)
    if not text.isascii():
        text = regex.sub(r"(\p{M}{32})\p{M}+", r"\1", clean._DROPPED.sub("", text))
        text = regex.sub(r"(\p{M}{4})\p{M}+", r"\1", unicodedata.normalize("NFC", text))
    return clean._SPACE.sub(" ", text).strip()


def slow_script(text: str) -> str:
    counts: dict[str, int] = {}
    runs = "|".join(rf"(?P<{script}>\p{{{script}}}+)" for script in language.SCRIPTS)
    for run in regex.finditer(runs, text[:600]):
        script = str(run.lastgroup)
        counts[script] = counts.get(script, 0) + run.end() - run.start()
    best = max(counts, key=counts.__getitem__) if counts else ""
    kana = {"Hiragana", "Katakana"} & counts.keys()
    return "Hiragana" if best == "Han" and kana else best


@settings(max_examples=examples(2000), deadline=None)
@given(TEXTS)
def test_text_is_cleaned_folded_and_known_by_its_script_alike(text: str) -> None:
    assert clean.plain(text) == slowly_plain(text)
    assert fold.folded_key(text) == " ".join(word.folded for word in fold.words(text))
    assert language.script_of(text) == slow_script(text)


def link(random: Random) -> str:
    parts = (
        ("https://", "http://", "HTTPS://", "//", ""),
        (
            "wire.example",
            "www.www.wire.example",
            "Wire.example",
            "wire.example:80",
            "wire",
            "www.eu",
        ),
        ("", "/", "/a/2026/11/29/", "/a//b", "/a/1234567.html", "/a%20b", "/a/../b", "/ä", "/a;b"),
        ("", "", "?", "?a=1&utm_source=x", "?b=2&a=1", "?a=b;c", "?id=1234567"),
        ("", "", "#", "#top", "#!/story"),
    )
    return "".join(random.choice(some) for some in parts)


def test_links_are_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(SEED)
    links = {link(random) for _ in range(600)}
    base = "https://base.example/a/feed.xml"
    ways = (url.safe_link, url.canonical, url.article_number, lambda link: absolute(link, base))
    quick = {link: [way(link) for way in ways] for link in links}
    assert any(map(url.is_plain_link, links))
    assert all(urljoin(base, link) == link for link in links if url.is_plain_link(link))
    monkeypatch.setattr(url, "_plain", lambda _: None)
    assert {link: [way(link) for way in ways] for link in links} == quick


def address(random: Random) -> str:
    parts = (
        ("https://", "http://", "HTTP://", "//", " http://"),
        ("wire.example", "Wire.example", "wire", "wire.example.", "10.0.0.1", "[::1]", "a@b.c", ""),
        ("", "", ":80", ":443", ":8080", ":4430", ":080", ":", ".:81", "\t", "\\a"),
        ("", "/", "/feed", "?a=1", "#top", "/a:80", "@b.example/"),
    )
    return "".join(random.choice(some) for some in parts)


def test_host_and_port_are_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(SEED)
    hosts = {text: url.host_and_port(text) for text in {address(random) for _ in range(1500)}}
    assert any(map(url._PLAIN_HOST.match, hosts))
    monkeypatch.setattr(url, "_PLAIN_HOST", re.compile("(?!)"))
    assert {text: url.host_and_port(text) for text in hosts} == hosts


def slow_post(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    name = channel_link._POST.fullmatch(parts.path)
    known = (parts.hostname or "") in channel_link._HOSTS
    return f"{channel_link.SITE}/{name[1].lower()}/{name[2]}" if known and name else ""


@pytest.mark.parametrize(
    "host", ["t.me", "T.me", "t\t.me", "Telegram.dog", "tele\ngram.me", "t.mE"]
)
@pytest.mark.parametrize("path", ["/harbour/7", "/s/Harbour/7/", "/harbour", "/har\rbour/7", ""])
def test_posts_of_channels_are_told_by_a_glance(host: str, path: str) -> None:
    links = [f"https://{host}{path}", f"{host}{path}", f"https://wire.example/{host}{path}"]
    assert [channel_link.post_link(link) for link in links] == list(map(slow_post, links))


def spellings(pattern: str) -> Iterator[str]:
    """All that a pattern of groups, classes and question marks matches."""
    alternatives = re.split(r"\|(?![^(]*\))", re.sub(r"(?<!\\)\s", "", pattern))
    for alternative in alternatives:
        parts = re.findall(r"\(\?:([^)]*)\)(\??)|\[([^\]]*)\](\??)|\\?(.)(\??)", alternative)
        choices = [
            [*(group.split("|") if group else signs or [sign]), *([""] if a or b or c else [])]
            for group, a, signs, b, sign, c in parts
        ]
        yield from ("".join(choice) for choice in product(*choices))


def test_whatever_counts_shows_it_by_a_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    nouns = [
        noun
        for pattern in (counters._REACTIONS, counters._SCORES, counters._PAIRS)
        for noun in spellings(pattern)
    ]
    assert len(nouns) > 150
    assert [noun for noun in nouns if not any(sign in noun for sign in counters.SIGNS)] == []
    titles = [f"Hafen 3 {noun}, Roundabout {noun}: 5" for noun in nouns]
    titles += ["Roundabout 5 minutes ago", "x vor kurzem", "Half an hour ago", "Пять ЧАС НАЗАД"]
    quick = [counters.steady_headline(title) for title in titles]
    monkeypatch.setattr(counters, "SIGNS", [""])
    monkeypatch.setattr(counters, "_MAY_CHANGE", counters._CHANGING)
    assert [counters.steady_headline(title) for title in titles] == quick


@pytest.mark.parametrize("change", [str.upper, str.lower, str.title, lambda words: f"İ{words}"])
def test_where_an_article_appeared_first_is_found_in_any_case(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[str], str]
) -> None:
    title = "Ferry leaves the harbour"
    texts = [f"Words. {title} {change(words)} Site" for words in boilerplate._FIRST_SEEN]
    quick = [boilerplate.article_text(text, TextType.TEXT, title) for text in texts]
    assert quick.count("Words.") > len(texts) / 2
    monkeypatch.setattr(boilerplate, "_FIRST_SEEN_LOWERED", ("",))
    assert [boilerplate.article_text(text, TextType.TEXT, title) for text in texts] == quick


#: what numbers, compounds and names are made of, beside letters of several scripts
WORD_SIGNS = (
    "aB9 1 0 5.,'-’_. ’'-.,٬٠٫\u00a0\u202fäЯяéßİıʼ„”€@#½²ªⅧↄ①א'ب٣\u064bـ\u200c漢字かไ\u0301😀"
)
WORDS = st.text(
    st.one_of(st.sampled_from(WORD_SIGNS), st.sampled_from(WORD_SIGNS), st.sampled_from(SIGNS)),
    max_size=30,
)


@settings(max_examples=examples(3000), deadline=None)
@given(WORDS)
def test_words_are_the_same_for_all_characters_and_for_usual_ones(text: str) -> None:
    found, slow = tokens.tokens(text), tokens._tokens_of_any(slowly_replaced(text))
    assert found.words == slow.words
    assert found.lower == slow.lower
    assert found.compounds == slow.compounds
    assert found.spans == slow.spans
    assert found.unspaced == slow.unspaced


def slowly_replaced(text: str) -> str:
    if not text.isascii():
        for sign, plain in tokens._PUNCTUATION:
            text = text.replace(sign, plain)
    return text.lower() if text.isascii() else text.translate(tokens._APOSTROPHES)


def test_usual_characters_have_the_classes_that_both_libraries_give_them() -> None:
    usual = tokens._UNUSUAL.sub("", "".join(map(chr, range(0x110000))))
    assert regex.findall(r"[\p{L}\p{N}]", usual) == re.findall(r"[^\W_]", usual)
    assert regex.findall(r"\p{L}", usual) == tokens._USUAL.letter.findall(usual)
    assert regex.findall(r"\d", usual) == re.findall(r"\d", usual)
    unusual = rf"(?V1)[\p{{M}}\u0640\u200c\u200d]|[{fold.UNSPACED}]"
    assert regex.findall(unusual, usual) == []


@settings(max_examples=examples(2000), deadline=None)
@given(WORDS, st.sampled_from(["", "en", "fr", "tr", "uk"]))
def test_words_of_names_are_the_same_as_each_is_looked_at(text: str, spoken: str) -> None:
    cut = tokens.tokens(text)
    found = context.name_text([(text, cut.words, cut.spans)], spoken)
    listed: list[str] = []
    ranges: list[tuple[int, int]] = []
    adjacent: set[int] = set()
    field = (text, cut.words, cut.spans)
    small = context._add_words(field, 0, spoken, listed, ranges, adjacent)
    assert (found.words, found.ranges) == (listed, ranges)
    assert found.context.adjacent == adjacent
    assert found.context.small == (set(small) if context._has_capital(text) else set())
